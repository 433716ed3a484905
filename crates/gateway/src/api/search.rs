//! Search as you type.

use axum::{Json, extract::State};
use contract::{catalog, recommend::GetTop};
use utoipa_axum::routes;

use super::{Answer, home};
use crate::{
    compose,
    dto::titles::{FacetCount, Facets, SearchAnswer, SearchQuery},
    extract::Query,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
};

const LIMIT_DEFAULT: u32 = 30;

pub fn routes() -> Vec<Route> {
    vec![route(Policy::Viewer, routes!(search))]
}

/// Titles by name, person and genre, the best match first.
#[utoipa::path(get, path = "/api/v1/search", tag = "titles", params(SearchQuery),
    responses((status = 200, body = SearchAnswer)))]
async fn search(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<SearchQuery>,
) -> Answer<SearchAnswer> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let narrowed = query.genre.is_some() || query.kind.is_some() || query.decade.is_some();
    if query.q.trim().is_empty() && !narrowed {
        return Ok(Json(likely(&gateway, &viewing, limit).await?));
    }
    let asked = catalog::Search {
        query: query.q,
        maturity_max: viewing.profile.maturity_max,
        genre: query.genre,
        kind: query.kind.map(Into::into),
        decade: query.decade,
        limit,
    };
    let found = gateway.doors.catalog.search(asked).await?;
    let counts = |counts: Vec<catalog::FacetCount>| counts.into_iter().map(FacetCount::from).collect();
    let catalog::Facets { genres, kinds, decades } = found.facets;
    let facets = Facets {
        genres: counts(genres),
        kinds: counts(kinds),
        decades: counts(decades),
    };
    let cards = compose::listed(&gateway, &viewing, found.items).await?;
    Ok(Json(SearchAnswer {
        items: cards.into_iter().map(Into::into).collect(),
        facets,
    }))
}

/// Nothing typed yet: what this profile would look for.
async fn likely(gateway: &Gateway, viewing: &Viewing, limit: u32) -> Result<SearchAnswer, Problem> {
    let asked = GetTop {
        viewer: viewing.viewer(),
        limit,
        exclude: Vec::new(),
    };
    let items = gateway.doors.recommend.top(asked).await?;
    let items = home::join(gateway, viewing, items).await?;
    Ok(SearchAnswer {
        items: items.into_iter().map(|item| item.title).collect(),
        facets: Facets::default(),
    })
}
