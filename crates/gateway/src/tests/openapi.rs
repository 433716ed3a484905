//! The public document is a promise: what changes it is seen in review, as a change of the snapshot.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(crate::document()).unwrap()
}

/// Set `KINORA_UPDATE_SNAPSHOTS=1` to write the snapshot anew.
#[test]
fn the_snapshot_is_what_the_router_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let now = crate::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("KINORA_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "crates/gateway/openapi.json is not what the router says; run `KINORA_UPDATE_SNAPSHOTS=1 cargo nextest run -p gateway \
         snapshot` and look at the difference"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.insert(reference.clone());
            }
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn operations_have_names_of_their_own_and_request_schemas_are_closed() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "two operations are called {name}");
            assert!(
                operation["responses"]["default"].is_object(),
                "{method} {path} can be refused and does not say so"
            );
            let body = operation
                .pointer("/requestBody/content/application~1json/schema/$ref")
                .and_then(Value::as_str);
            if let Some(reference) = body {
                let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
                assert_eq!(
                    schema["additionalProperties"],
                    Value::Bool(false),
                    "{reference} is open"
                );
            }
        }
    }
    assert!(names.len() > 50, "{}", names.len());
}
