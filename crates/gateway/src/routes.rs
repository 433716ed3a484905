//! The table of routes. [`route`] is the only way in, and it takes a policy.

use std::sync::Arc;

use axum::{Router, middleware, routing::MethodRouter};
use http::Method;
use utoipa::openapi::{Paths, RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::{
    api, edge,
    policy::{Guard, Policy, guard},
    state::Gateway,
};

/// A route with all that is known of it before anything runs.
pub struct Route {
    pub policy: Policy,
    /// Where it is not in the OpenAPI document: path and methods.
    pub plain: Option<(&'static str, &'static [Method])>,
    pub schemas: Vec<(String, RefOr<Schema>)>,
    pub paths: Paths,
    methods: MethodRouter<Gateway>,
    bounded: bool,
}

/// Registers handlers of one path under a policy, with their part of the OpenAPI document.
pub fn route(policy: Policy, (schemas, paths, methods): UtoipaMethodRouter<Gateway>) -> Route {
    Route {
        policy,
        plain: None,
        schemas,
        paths,
        methods,
        bounded: true,
    }
}

/// Registers what is not part of the API: health, media, pictures.
pub fn plain(policy: Policy, path: &'static str, listed: &'static [Method], methods: MethodRouter<Gateway>) -> Route {
    Route {
        policy,
        plain: Some((path, listed)),
        schemas: Vec::new(),
        paths: Paths::new(),
        methods,
        bounded: true,
    }
}

impl Route {
    /// Its body or its answer is a stream: no deadline, and no body kept for idempotency.
    pub fn streaming(self) -> Self {
        Self { bounded: false, ..self }
    }

    fn path(&self) -> &str {
        let documented = || self.paths.paths.keys().next().map_or("", String::as_str);
        self.plain.map_or_else(documented, |(path, _)| path)
    }

    fn methods(&self) -> Vec<Method> {
        match self.plain {
            Some((_, methods)) => methods.to_vec(),
            None => self.paths.paths.values().flat_map(documented_methods).collect(),
        }
    }
}

fn documented_methods(item: &utoipa::openapi::PathItem) -> Vec<Method> {
    [
        (&item.get, Method::GET),
        (&item.put, Method::PUT),
        (&item.post, Method::POST),
        (&item.delete, Method::DELETE),
        (&item.options, Method::OPTIONS),
        (&item.head, Method::HEAD),
        (&item.patch, Method::PATCH),
    ]
    .into_iter()
    .filter_map(|(operation, method)| operation.is_some().then_some(method))
    .collect()
}

/// Every route there is.
pub fn all() -> Vec<Route> {
    [
        api::auth::routes(),
        api::me::routes(),
        api::profiles::routes(),
        api::home::routes(),
        api::titles::routes(),
        api::search::routes(),
        api::ratings::routes(),
        api::my_list::routes(),
        api::history::routes(),
        api::playback::routes(),
        api::parties::routes(),
        api::onboarding::routes(),
        api::events::routes(),
        api::admin::routes(),
        api::health::routes(),
        api::media::routes(),
        api::artwork::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One line of the table, for whoever walks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEntry {
    pub method: Method,
    /// With `{names}` for what varies.
    pub path: String,
    pub policy: Policy,
}

/// The table: every method of every route with its policy.
pub fn table() -> Vec<RouteEntry> {
    let entries = |route: &Route| {
        let (path, policy) = (route.path().to_owned(), route.policy);
        route
            .methods()
            .into_iter()
            .map(move |method| RouteEntry {
                method,
                path: path.clone(),
                policy,
            })
            .collect::<Vec<_>>()
    };
    all().iter().flat_map(entries).collect()
}

/// Everything, guarded. What no route knows is the web page's, or a problem below `/api`.
pub fn router(gateway: &Gateway) -> Router {
    let mut router = Router::new();
    for route in all() {
        let path = route.path().to_owned();
        let at = Arc::new(Guard {
            gateway: gateway.clone(),
            policy: route.policy,
            bounded: route.bounded,
        });
        let methods = route.methods.layer(middleware::from_fn_with_state(at, guard));
        router = router.route(&path, methods);
    }
    router
        .fallback(api::page::fallback)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .with_state(gateway.clone())
}
