//! What a client may ask of recommendations beside what the profile says: how many, and without which titles.

use contract::TitleId;
use garde::Validate;
use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::IntoParams;

/// Titles that an answer can be asked to leave out: in an address, for these answers are read and not made.
const EXCLUDED_MAX: usize = 200;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HomeQuery {
    /// Ids of titles that must not appear, separated by commas, at most 200: what the client shows elsewhere, or may not show.
    #[serde(default, deserialize_with = "listed")]
    #[garde(length(max = EXCLUDED_MAX))]
    #[param(required = false, value_type = String)]
    pub exclude: Vec<TitleId>,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecommendedQuery {
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// Ids of titles that must not appear, separated by commas, at most 200: what the client shows elsewhere, or may not show.
    #[serde(default, deserialize_with = "listed")]
    #[garde(length(max = EXCLUDED_MAX))]
    #[param(required = false, value_type = String)]
    pub exclude: Vec<TitleId>,
}

/// Ids between commas, each once and in their order, so that the same question is the same page. An empty text is none.
fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TitleId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let ids = text.split(',').filter(|_| !text.is_empty());
    let ids = ids.map(|id| {
        id.parse()
            .map_err(|_| D::Error::custom(format!("exclude: {id:?} is not an id")))
    });
    let mut titles = ids.collect::<Result<Vec<TitleId>, _>>()?;
    titles.sort_unstable();
    titles.dedup();
    Ok(titles)
}
