//! The catalogue, as curators keep it.

use axum::{
    Json,
    extract::{Request, State},
};
use contract::{
    Blob, TitleId,
    accounts::MATURITY_ANY,
    catalog::{self, ArtworkShape, BrowsePage, ForTitle, OptionalFact, SetArtwork},
};
use http::StatusCode;
use serde::Deserialize;
use utoipa_axum::routes;

use crate::{
    api::{Answer, admin::videos},
    compose,
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List, Time,
        admin::{AdminTitle, AdminTitleWhole, AdminTitlesQuery, CreateTitle, UpdateTitle},
        milliseconds,
        titles::EpisodePlace,
    },
    extract::{self, Json as Body, Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    state::Gateway,
};

const PICTURE_BYTES_MAX: usize = 5_000_000;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Curator, routes!(list_admin_titles, create_title)),
        route(Policy::Curator, routes!(get_admin_title, update_title, delete_title)),
        // A picture is larger than what is kept for repeating, and putting it twice is the same as once.
        route(Policy::Curator, routes!(put_artwork, delete_artwork)).streaming(),
    ]
}

/// Every title, published or not.
#[utoipa::path(get, path = "/api/v1/admin/titles", tag = "admin", params(AdminTitlesQuery),
    responses((status = 200, body = List<AdminTitle>)))]
async fn list_admin_titles(
    State(gateway): State<Gateway>,
    Query(query): Query<AdminTitlesQuery>,
) -> Answer<List<AdminTitle>> {
    let filter = catalog::Browse {
        genre: query.genre,
        kind: query.kind.map(Into::into),
        year_min: None,
        year_max: None,
        maturity_max: MATURITY_ANY,
        playable_only: query.playable.unwrap_or(false),
        unpublished_too: true,
        name_contains: query.q.filter(|text| !text.is_empty()),
        sort: query.sort.map(Into::into).unwrap_or_default(),
    };
    let listing = Listing::new("admin-titles", &filter)?;
    let after = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let page = gateway
        .doors
        .catalog
        .browse(BrowsePage { filter, after, limit })
        .await?;
    let items = page.items.into_iter().map(|card| admin_title(&gateway, card)).collect();
    Ok(Json(List {
        items,
        next_cursor: listing.write(page.next)?,
    }))
}

/// All that can be changed of a title, published or not, for whatever age: no profile is asked.
#[utoipa::path(get, path = "/api/v1/admin/titles/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = AdminTitleWhole)))]
async fn get_admin_title(State(gateway): State<Gateway>, Path(title): Path<TitleId>) -> Answer<AdminTitleWhole> {
    let found = gateway.doors.catalog.title(ForTitle { title }).await?;
    let video = match found.video {
        Some(_) => videos::video_of(&gateway, title).await?,
        None => None,
    };
    Ok(Json(AdminTitleWhole {
        original_name: found.original_name,
        description: found.description,
        people: found.credits.into_iter().map(Into::into).collect(),
        place: place(&gateway, found.place).await?,
        publish_at: found.window.publish_at.map(Time),
        unpublish_at: found.window.unpublish_at.map(Time),
        video,
        title: admin_title(&gateway, found.card),
    }))
}

/// Where an episode stands; a hidden series is named as well.
async fn place(gateway: &Gateway, place: Option<catalog::EpisodePlace>) -> Result<Option<EpisodePlace>, Problem> {
    let Some(place) = place else { return Ok(None) };
    let titles = vec![place.series];
    let series = gateway.doors.catalog.cards(catalog::GetCards { titles }).await?;
    Ok(series.first().map(|series| compose::place(place, series)))
}

fn admin_title(gateway: &Gateway, card: catalog::Card) -> AdminTitle {
    AdminTitle {
        published: card.published,
        card: compose::card(&gateway.pictures, card, None),
    }
}

#[utoipa::path(post, path = "/api/v1/admin/titles", tag = "admin", request_body = CreateTitle,
    responses((status = 201, body = AdminTitle)))]
async fn create_title(
    State(gateway): State<Gateway>,
    Body(body): Body<CreateTitle>,
) -> Result<(StatusCode, Json<AdminTitle>), Problem> {
    let place = body.place.map(|place| catalog::EpisodePlace {
        series: place.series_id,
        season: place.season,
        episode: place.episode,
    });
    let kind = match (body.kind, place) {
        (Some(kind), _) => kind.into(),
        (None, Some(_)) => catalog::TitleKind::Episode,
        (None, None) => catalog::TitleKind::Film,
    };
    let external = |id: crate::dto::titles::ExternalId| catalog::ExternalId {
        source: id.source,
        id: id.id,
    };
    let new = catalog::NewTitle {
        kind,
        name: body.name,
        original_name: body.original_name,
        year: body.year,
        genres: body.genres,
        description: body.description,
        maturity: body.maturity,
        duration_ms: body.duration_s.map(milliseconds),
        credits: body.people.into_iter().map(Into::into).collect(),
        place,
        external: body.external.into_iter().map(external).collect(),
        published: body.published.unwrap_or(true),
    };
    let title = gateway.doors.catalog.create(new).await?;
    Ok((StatusCode::CREATED, Json(admin_title(&gateway, title.card))))
}

#[utoipa::path(patch, path = "/api/v1/admin/titles/{id}", tag = "admin", params(("id" = String, Path)),
    request_body = UpdateTitle, responses((status = 200, body = AdminTitle)))]
async fn update_title(
    State(gateway): State<Gateway>,
    Path(title): Path<TitleId>,
    Body(body): Body<UpdateTitle>,
) -> Answer<AdminTitle> {
    let cleared = [
        (OptionalFact::Year, body.year == Some(None)),
        (OptionalFact::Maturity, body.maturity == Some(None)),
        (OptionalFact::PublishAt, body.publish_at == Some(None)),
        (OptionalFact::UnpublishAt, body.unpublish_at == Some(None)),
    ];
    let update = catalog::UpdateTitle {
        title,
        name: body.name,
        year: body.year.flatten(),
        genres: body.genres,
        description: body.description,
        maturity: body.maturity.flatten(),
        duration_ms: body.duration_s.map(milliseconds),
        credits: body.people.map(|people| people.into_iter().map(Into::into).collect()),
        published: body.published,
        publish_at: body.publish_at.flatten().map(|Time(at)| at),
        unpublish_at: body.unpublish_at.flatten().map(|Time(at)| at),
        cleared: cleared
            .into_iter()
            .filter_map(|(fact, gone)| gone.then_some(fact))
            .collect(),
    };
    let title = gateway.doors.catalog.update(update).await?;
    Ok(Json(admin_title(&gateway, title.card)))
}

#[utoipa::path(delete, path = "/api/v1/admin/titles/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204)))]
async fn delete_title(State(gateway): State<Gateway>, Path(title): Path<TitleId>) -> Result<StatusCode, Problem> {
    gateway.doors.catalog.delete(ForTitle { title }).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Poster,
    Backdrop,
}

impl From<Shape> for ArtworkShape {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Poster => Self::Poster,
            Shape::Backdrop => Self::Backdrop,
        }
    }
}

/// A picture: PNG, JPEG or WebP by its content, at most 5 MB.
#[utoipa::path(put, path = "/api/v1/admin/titles/{id}/artwork/{shape}", tag = "admin",
    params(("id" = String, Path), ("shape" = String, Path, description = "`poster` (2:3) or `backdrop` (16:9)")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = AdminTitle)))]
async fn put_artwork(
    State(gateway): State<Gateway>,
    Path((title, shape)): Path<(TitleId, Shape)>,
    request: Request,
) -> Answer<AdminTitle> {
    let body = extract::whole(request, PICTURE_BYTES_MAX).await?;
    set_artwork(&gateway, title, shape, Some(Blob(body.into()))).await
}

/// Back to the picture that Kinora draws.
#[utoipa::path(delete, path = "/api/v1/admin/titles/{id}/artwork/{shape}", tag = "admin",
    params(("id" = String, Path), ("shape" = String, Path, description = "`poster` or `backdrop`")),
    responses((status = 200, body = AdminTitle)))]
async fn delete_artwork(
    State(gateway): State<Gateway>,
    Path((title, shape)): Path<(TitleId, Shape)>,
) -> Answer<AdminTitle> {
    set_artwork(&gateway, title, shape, None).await
}

async fn set_artwork(gateway: &Gateway, title: TitleId, shape: Shape, body: Option<Blob>) -> Answer<AdminTitle> {
    let card = gateway
        .doors
        .catalog
        .set_artwork(SetArtwork {
            title,
            shape: shape.into(),
            body,
        })
        .await?;
    Ok(Json(admin_title(gateway, card)))
}
