//! The OpenAPI document, made from the table of routes: what a handler says of itself, and what its policy adds.

use utoipa::{
    ToSchema as _,
    openapi::{
        ContentBuilder, Info, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Response, ResponseBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{ComponentsBuilder, Object},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    policy::Policy,
    problem::Problem,
    routes::{Route, all},
};

const ABOUT: &str = "Kinora's public interface. Ids are opaque strings, times RFC 3339 in UTC, errors RFC 9457 problems with a \
stable `code`. Lists take `limit` and `cursor` and give `next_cursor`. Unknown fields of a request are errors. Writes accept \
`Idempotency-Key`. A browser authenticates by cookies, others by `Authorization: Bearer`. `X-Profile` chooses the profile \
(default: the account's first).";

/// The whole document.
pub fn document() -> OpenApi {
    let mut schemas: Vec<(String, RefOr<utoipa::openapi::Schema>)> = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push(("Problem".into(), <Problem as utoipa::PartialSchema>::schema()));
    let mut document = OpenApiBuilder::new().info(info()).build();
    for route in all().into_iter().filter(|route| route.plain.is_none()) {
        let Route {
            policy,
            schemas: of_route,
            paths,
            ..
        } = route;
        schemas.extend(of_route);
        for (path, mut item) in paths.paths {
            operations(&mut item).for_each(|operation| complete(operation, policy));
            match document.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => {
                    document.paths.paths.insert(path, item);
                }
            }
        }
    }
    schemas.sort_by(|a, b| a.0.cmp(&b.0));
    schemas.dedup_by(|a, b| a.0 == b.0);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .response("Problem", problem_response())
        .security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .build(),
            ),
        )
        .security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-kinora_access"))),
        );
    document.components = Some(components.build());
    document
}

fn info() -> Info {
    let mut info = Info::new("Kinora", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".into());
    info.license = Some(license);
    info
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

/// What the policy means for a client, and that everything can be refused.
fn complete(operation: &mut Operation, policy: Policy) {
    let none: [&str; 0] = [];
    if policy.role().is_some() {
        operation.security = Some(vec![
            SecurityRequirement::new("bearer", none),
            SecurityRequirement::new("cookie", none),
        ]);
    }
    if policy == Policy::Viewer {
        let parameter = ParameterBuilder::new()
            .name("X-Profile")
            .parameter_in(ParameterIn::Header)
            .description(Some("Which of the account's profiles; default: the first."))
            .schema(Some(Object::with_type(utoipa::openapi::schema::Type::String)))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    }
    let refusal = RefOr::Ref(Ref::from_response_name("Problem"));
    operation.responses.responses.insert("default".into(), refusal);
    let needs = match policy {
        Policy::Curator => Some("For curators and admins."),
        Policy::Admin => Some("For admins."),
        _ => None,
    };
    if let Some(needs) = needs {
        let described = operation.description.take();
        operation.description = Some(described.map_or_else(|| needs.to_owned(), |text| format!("{text}\n\n{needs}")));
    }
}

fn problem_response() -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("The request was refused, or failed; `code` says why.")
        .content("application/problem+json", content)
        .build()
}
