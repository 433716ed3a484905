//! A title, what is like it, and browsing.

use axum::{Json, extract::State};
use contract::{
    TitleId,
    activity::{ForTitles, TitleRatings, TitleState},
    catalog::{self, BrowsePage, ForTitle, GetGenres},
    recommend::{Explain, GetSimilar, Reason},
};
use utoipa_axum::routes;

use super::{Answer, home};
use crate::{
    compose,
    cursor::Listing,
    dto::{
        Items, LIMIT_DEFAULT, List, Time,
        asking::RecommendedQuery,
        titles::{BrowseQuery, Card, Episode, EpisodePlace, ExternalId, GenreCount, Item, RatingCount, Season, Title},
    },
    extract::{Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
    words::{self, Knowledge},
};

const SIMILAR_DEFAULT: u32 = 20;
const SIMILAR_MAX: u32 = 100;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(browse_titles)),
        route(Policy::Viewer, routes!(get_title)),
        route(Policy::Viewer, routes!(get_similar)),
        route(Policy::Viewer, routes!(list_genres)),
    ]
}

/// Films and series, filtered and sorted.
#[utoipa::path(get, path = "/api/v1/titles", tag = "titles", params(BrowseQuery),
    responses((status = 200, body = List<Card>)))]
async fn browse_titles(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<BrowseQuery>,
) -> Answer<List<Card>> {
    let filter = catalog::Browse {
        genre: query.genre,
        kind: query.kind.map(Into::into),
        year_min: query.year_min,
        year_max: query.year_max,
        maturity_max: viewing.profile.maturity_max,
        playable_only: query.playable.unwrap_or(false),
        unpublished_too: false,
        name_contains: None,
        sort: query.sort.map(Into::into).unwrap_or_default(),
    };
    let listing = Listing::new("titles", &filter)?;
    let after = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let page = gateway
        .doors
        .catalog
        .browse(BrowsePage { filter, after, limit })
        .await?;
    let items = compose::listed(&gateway, &viewing, page.items).await?;
    Ok(Json(List {
        items,
        next_cursor: listing.write(page.next)?,
    }))
}

/// Genres of what this profile may see, most titles first.
#[utoipa::path(get, path = "/api/v1/genres", tag = "titles", responses((status = 200, body = Items<GenreCount>)))]
async fn list_genres(State(gateway): State<Gateway>, viewing: Viewing) -> Answer<Items<GenreCount>> {
    Ok(Json(Items {
        items: genres(&gateway, &viewing).await?,
    }))
}

pub async fn genres(gateway: &Gateway, viewing: &Viewing) -> Result<Vec<GenreCount>, Problem> {
    let asked = GetGenres {
        maturity_max: viewing.profile.maturity_max,
    };
    let genres = gateway.doors.catalog.genres(asked).await?;
    Ok(genres
        .into_iter()
        .map(|genre| GenreCount {
            name: genre.value,
            count: genre.count,
        })
        .collect())
}

/// More like this.
#[utoipa::path(get, path = "/api/v1/titles/{id}/similar", tag = "titles", params(("id" = String, Path), RecommendedQuery),
    responses((status = 200, body = Items<Item>)))]
async fn get_similar(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
    Query(query): Query<RecommendedQuery>,
) -> Answer<Items<Item>> {
    compose::visible_card(&gateway, &viewing, title).await?;
    let limit = query.limit.unwrap_or(SIMILAR_DEFAULT).min(SIMILAR_MAX);
    let items = gateway
        .doors
        .recommend
        .similar(GetSimilar {
            title,
            viewer: viewing.viewer(),
            limit,
            exclude: query.exclude,
        })
        .await?;
    Ok(Json(Items {
        items: home::join(&gateway, &viewing, items).await?,
    }))
}

/// All of a title.
#[utoipa::path(get, path = "/api/v1/titles/{id}", tag = "titles", params(("id" = String, Path)),
    responses((status = 200, body = Title)))]
async fn get_title(State(gateway): State<Gateway>, viewing: Viewing, Path(title): Path<TitleId>) -> Answer<Title> {
    let found = gateway.doors.catalog.title(ForTitle { title }).await?;
    if !compose::visible(&found.card, &viewing) {
        return Err(Problem::no_such_title());
    }
    let (state, ratings, seasons, place, why) = tokio::try_join!(
        compose::state(&gateway, &viewing, title),
        ratings(&gateway, title),
        seasons(&gateway, &viewing, &found.card),
        place(&gateway, &viewing, found.place),
        why(&gateway, &viewing, title),
    )?;
    Ok(Json(whole(&gateway, found, &state, &ratings, seasons, place, why)))
}

fn whole(
    gateway: &Gateway,
    found: catalog::Title,
    state: &TitleState,
    ratings: &TitleRatings,
    seasons: Vec<Season>,
    place: Option<EpisodePlace>,
    why: Option<crate::dto::titles::Reason>,
) -> Title {
    let published = found.card.published;
    let external = |id: catalog::ExternalId| ExternalId {
        source: id.source,
        id: id.id,
    };
    Title {
        card: compose::card(&gateway.pictures, found.card, Some(state)),
        original_name: found.original_name,
        description: found.description,
        people: found.credits.into_iter().map(Into::into).collect(),
        seasons,
        place,
        rating_histogram: histogram(ratings),
        likes: ratings.likes,
        dislikes: ratings.dislikes,
        rated_at: state.opinion.and(state.rated_at).map(Time),
        last_watched_at: state.progress.as_ref().map(|progress| Time(progress.at)),
        why,
        published,
        video_height: found.video.map(|video| video.height),
        external: found.external.into_iter().map(external).collect(),
        created_at: Time(found.created_at),
        updated_at: Time(found.updated_at),
    }
}

/// From half a star to five.
pub fn histogram(ratings: &TitleRatings) -> Vec<RatingCount> {
    let counts = ratings.histogram.iter().zip(1u8..);
    counts
        .map(|(&count, half_stars)| RatingCount {
            stars: f32::from(half_stars) / 2.0,
            count,
        })
        .collect()
}

async fn ratings(gateway: &Gateway, title: TitleId) -> Result<TitleRatings, Problem> {
    let ratings = gateway
        .doors
        .activity
        .ratings(ForTitles { titles: vec![title] })
        .await?;
    Ok(ratings
        .into_iter()
        .find(|of| of.title == title)
        .unwrap_or_else(|| TitleRatings::none(title)))
}

async fn seasons(gateway: &Gateway, viewing: &Viewing, card: &catalog::Card) -> Result<Vec<Season>, Problem> {
    if card.kind != catalog::TitleKind::Series {
        return Ok(Vec::new());
    }
    let seasons = gateway.doors.catalog.seasons(ForTitle { title: card.id }).await?;
    let episodes = seasons.iter().flat_map(|season| &season.episodes);
    let states = compose::states(gateway, viewing, episodes.map(|episode| episode.card.id).collect()).await?;
    let episode = |episode: catalog::Episode| {
        let state = states.get(&episode.card.id);
        let seen = compose::visible(&episode.card, viewing);
        seen.then(|| Episode {
            number: episode.number,
            title: compose::card(&gateway.pictures, episode.card, state),
            description: episode.description,
        })
    };
    let season = |season: catalog::Season| Season {
        number: season.number,
        episodes: season.episodes.into_iter().filter_map(episode).collect(),
    };
    Ok(seasons
        .into_iter()
        .map(season)
        .filter(|season| !season.episodes.is_empty())
        .collect())
}

/// Where an episode stands, with its series' name.
async fn place(
    gateway: &Gateway,
    viewing: &Viewing,
    place: Option<catalog::EpisodePlace>,
) -> Result<Option<EpisodePlace>, Problem> {
    let Some(place) = place else { return Ok(None) };
    let mut cards = compose::cards_by_title(gateway, viewing, vec![place.series]).await?;
    let series = cards.remove(&place.series);
    Ok(series.map(|series| compose::place(place, &series)))
}

/// Why the title would be recommended, in words.
async fn why(
    gateway: &Gateway,
    viewing: &Viewing,
    title: TitleId,
) -> Result<Option<crate::dto::titles::Reason>, Problem> {
    let explained = gateway
        .doors
        .recommend
        .explain(Explain {
            viewer: viewing.viewer(),
            title,
        })
        .await?;
    let Some(reason) = explained else { return Ok(None) };
    in_words(gateway, viewing, &reason).await
}

async fn in_words(
    gateway: &Gateway,
    viewing: &Viewing,
    reason: &Reason,
) -> Result<Option<crate::dto::titles::Reason>, Problem> {
    let titles: Vec<TitleId> = words::titles_of(reason)
        .iter()
        .map(|contribution| contribution.title)
        .collect();
    let (cards, states) = tokio::try_join!(
        compose::cards_by_title(gateway, viewing, titles.clone()),
        compose::states(gateway, viewing, titles),
    )?;
    Ok(Knowledge {
        cards: &cards,
        states: &states,
    }
    .reason(reason))
}
