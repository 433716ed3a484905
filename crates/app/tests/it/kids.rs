//! A kids profile: what is not for it does not exist.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Cluster;

use crate::{id, ids, titles_of};

#[tokio::test]
async fn adult_titles_do_not_exist_for_a_kids_profile() {
    let cluster = Cluster::with_library();
    let parent = cluster.viewer("parent").await;
    let kid = parent
        .post("/profiles", &json!({ "name": "Kim", "kids": true }))
        .await
        .expect(201);
    let limit = kid["maturity_max"].as_u64().unwrap();
    assert!(limit <= 12, "{kid}");
    let kid = parent.as_profile(&id(&kid));
    let horror = titles_of(&parent, "Horror", 3).await;
    let adult = &horror[0];
    assert!(
        parent.get(&format!("/titles/{adult}")).await.ok()["maturity"]
            .as_u64()
            .unwrap()
            > limit
    );
    for (method, path, body) in [
        (Method::GET, format!("/titles/{adult}"), Value::Null),
        (Method::GET, format!("/titles/{adult}/similar"), Value::Null),
        (Method::PUT, format!("/titles/{adult}/rating"), json!({ "stars": 5 })),
        (Method::DELETE, format!("/titles/{adult}/rating"), Value::Null),
        (
            Method::PUT,
            format!("/titles/{adult}/watched"),
            json!({ "watched": true }),
        ),
        (Method::PUT, format!("/my-list/{adult}"), Value::Null),
        (Method::POST, "/playback".into(), json!({ "title_id": adult })),
    ] {
        let body = (!body.is_null()).then_some(&body);
        assert_eq!(
            kid.send(method.clone(), &path, body).await.problem(404),
            "title_not_found",
            "{method} {path}"
        );
    }
    // Nothing that lists titles shows one, also after the parent's taste went another way on the same account.
    for title in &horror {
        parent.rate(title, 5.0).await.ok();
    }
    let mut shown = ids(&kid.get("/titles?limit=200").await.ok());
    shown.extend(ids(&kid.get("/recommendations?limit=100").await.ok()));
    shown.extend(ids(&kid.get("/search?q=the").await.ok()));
    let home = kid.get("/home").await.ok();
    shown.extend(home["rows"].as_array().unwrap().iter().flat_map(ids));
    shown.sort_unstable();
    shown.dedup();
    assert!(!shown.is_empty());
    for title in shown {
        let maturity = parent.get(&format!("/titles/{title}")).await.ok()["maturity"]
            .as_u64()
            .unwrap();
        assert!(maturity <= limit, "{title} is for {maturity}");
    }
    // A kids profile cannot be opened beyond its limit.
    let wider = parent
        .patch(
            &format!("/profiles/{}", kid.profile.clone().unwrap()),
            &json!({ "maturity_max": 18 }),
        )
        .await;
    assert!(wider.status.is_client_error() || wider.ok()["maturity_max"].as_u64().unwrap() <= 12);
}

#[tokio::test]
async fn a_series_for_adults_takes_its_episodes_along() {
    let cluster = Cluster::with_library();
    let curator = cluster.person("curator", "curator").await;
    let kid = curator
        .post("/profiles", &json!({ "name": "Kim", "kids": true }))
        .await
        .expect(201);
    let limit = &kid["maturity_max"];
    let kid = curator.as_profile(&id(&kid));
    let viewer = cluster.viewer("viewer").await;
    let made = json!({ "kind": "series", "name": "Dekalog", "maturity": limit, "published": true });
    let series = id(&curator.post("/admin/titles", &made).await.expect(201));
    let place = json!({ "series_id": series, "season": 1, "episode": 1 });
    let made = json!({ "kind": "episode", "name": "One", "maturity": limit, "published": true, "place": place });
    let episode = id(&curator.post("/admin/titles", &made).await.expect(201));
    let path = format!("/titles/{episode}");
    assert_eq!(kid.get(&path).await.ok()["place"]["series_name"], "Dekalog");
    let series = format!("/admin/titles/{series}");
    curator.patch(&series, &json!({ "maturity": 18 })).await.ok();
    assert_eq!(viewer.get(&path).await.ok()["maturity"], 18);
    for (method, path, body) in [
        (Method::GET, path.clone(), Value::Null),
        (Method::PUT, format!("{path}/rating"), json!({ "stars": 5 })),
        (Method::PUT, format!("{path}/watched"), json!({ "watched": true })),
        (Method::POST, "/playback".into(), json!({ "title_id": episode })),
    ] {
        let body = (!body.is_null()).then_some(&body);
        let refused = kid.send(method.clone(), &path, body).await.problem(404);
        assert_eq!(refused, "title_not_found", "{method} {path}");
    }
    curator.patch(&series, &json!({ "published": false })).await.ok();
    assert_eq!(viewer.get(&path).await.problem(404), "title_not_found");
    assert_eq!(curator.get(&path).await.ok()["published"], false);
}
