//! What a profile thinks of titles.

use axum::{Json, extract::State};
use contract::{
    TitleId,
    activity::{ForTitleOf, HalfStars, Opinion, RATING_PRIOR, Rate, TitleRatings, TitleState},
};
use utoipa_axum::routes;

use super::{Answer, own_list, titles::histogram};
use crate::{
    compose,
    dto::{
        List, Time,
        titles::{MyRating, PageQuery, PutRating, RatedTitle, RatingAnswer, hundredths},
    },
    extract::{Json as Body, Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(put_rating, delete_rating)),
        route(Policy::Viewer, routes!(list_ratings)),
    ]
}

/// Rates a title: stars or like, the newest counts.
#[utoipa::path(put, path = "/api/v1/titles/{id}/rating", tag = "activity", params(("id" = String, Path)),
    request_body = PutRating, responses((status = 200, body = RatingAnswer)))]
async fn put_rating(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
    Body(body): Body<PutRating>,
) -> Answer<RatingAnswer> {
    let opinion = opinion(&body)?;
    compose::visible_card(&gateway, &viewing, title).await?;
    let rated = gateway
        .doors
        .activity
        .rate(Rate {
            profile: viewing.profile.id,
            title,
            opinion,
        })
        .await?;
    Ok(Json(answer(&rated, Some(opinion))))
}

/// Takes the rating back. That there was none is no error.
#[utoipa::path(delete, path = "/api/v1/titles/{id}/rating", tag = "activity", params(("id" = String, Path)),
    responses((status = 200, body = RatingAnswer)))]
async fn delete_rating(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
) -> Answer<RatingAnswer> {
    compose::visible_card(&gateway, &viewing, title).await?;
    let rated = gateway
        .doors
        .activity
        .unrate(ForTitleOf {
            profile: viewing.profile.id,
            title,
        })
        .await?;
    Ok(Json(answer(&rated, None)))
}

/// All that this profile rated, newest first.
#[utoipa::path(get, path = "/api/v1/ratings", tag = "activity", params(PageQuery),
    responses((status = 200, body = List<RatedTitle>)))]
async fn list_ratings(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<PageQuery>,
) -> Answer<List<RatedTitle>> {
    let ask = |list| gateway.doors.activity.rated(list);
    let entry = |title, state: &TitleState| {
        let MyRating { stars, like } = state.opinion?.into();
        let rated_at = Time(state.rated_at.unwrap_or_default());
        Some(RatedTitle {
            title,
            stars,
            like,
            rated_at,
        })
    };
    own_list::page(&gateway, &viewing, ("ratings", query), ask, entry).await
}

/// The schema's rules were checked before; this is the same in types.
fn opinion(body: &PutRating) -> Result<Opinion, Problem> {
    match (body.stars, body.like) {
        (Some(stars), None) => HalfStars::new((stars * 2.0) as u8)
            .map(Opinion::Stars)
            .ok_or_else(|| Problem::invalid("stars", "stars are 1 to 5, halves allowed")),
        (None, Some(true)) => Ok(Opinion::Like),
        (None, Some(false)) => Ok(Opinion::Dislike),
        _ => Err(Problem::invalid("", "give either stars or like")),
    }
}

fn answer(ratings: &TitleRatings, opinion: Option<Opinion>) -> RatingAnswer {
    let (prior_mean, prior_count) = RATING_PRIOR;
    RatingAnswer {
        average_rating: ratings.average(prior_mean, prior_count).map(hundredths),
        ratings_count: ratings.count(),
        rating_histogram: histogram(ratings),
        likes: ratings.likes,
        dislikes: ratings.dislikes,
        my_rating: opinion.map(Into::into),
    }
}
