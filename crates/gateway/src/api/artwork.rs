//! Pictures of titles. Their addresses change with them, so they are kept for ever, and are ours: see [`crate::pictures`].

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use contract::{
    TitleId,
    catalog::{ArtworkShape, GetArtwork},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use crate::{
    extract::Path,
    policy::Policy,
    problem::Problem,
    routes::{Route, plain},
    state::Gateway,
};

const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// An address of yesterday: the picture of today, to be asked for again soon.
const FOR_NOW: &str = "public, max-age=60";
/// A drawn picture is a document; it may style itself and nothing else.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; sandbox";

pub fn routes() -> Vec<Route> {
    vec![plain(
        Policy::Public,
        "/art/{title}/{version}/{shape}",
        &[Method::GET],
        get(picture),
    )]
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Poster,
    Backdrop,
}

async fn picture(
    State(gateway): State<Gateway>,
    Path((title, version, shape)): Path<(TitleId, String, Shape)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let version = gateway.pictures.version(title, &version).ok_or_else(no_such_picture)?;
    let shape = match shape {
        Shape::Poster => ArtworkShape::Poster,
        Shape::Backdrop => ArtworkShape::Backdrop,
    };
    let artwork = gateway.doors.catalog.artwork(GetArtwork { title, shape }).await?;
    let etag = format!("\"{title}-{}\"", artwork.version);
    let cache = if artwork.version == version { FOR_EVER } else { FOR_NOW };
    let content_type = HeaderValue::from_str(&artwork.content_type).map_err(Problem::internal)?;
    let answer = [
        (header::CONTENT_TYPE, content_type),
        (header::ETAG, HeaderValue::from_str(&etag).map_err(Problem::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PICTURE_POLICY),
        ),
    ];
    if super::is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    Ok((answer, artwork.body.0).into_response())
}

/// The same whether or not there is such a title.
fn no_such_picture() -> Problem {
    Problem::not_found("not_found", "there is nothing at this address")
}
