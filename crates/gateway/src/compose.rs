//! Cards: what the catalogue knows of a title, joined with what this profile did with it, and nothing it must not see.

use std::collections::HashMap;

use contract::{
    TitleId,
    activity::{ForTitleOf, GetStates, TitleState},
    catalog::{self, ArtworkShape, GetCards},
};

use crate::{
    dto::titles::{Card, EpisodePlace, Progress, hundredths},
    pictures::Pictures,
    problem::Problem,
    session::Viewing,
    state::Gateway,
};

/// The most titles that one question to a door may name; more take several.
pub const TITLES_MAX: usize = 1000;

/// A card with what the profile did with its title.
pub fn card(pictures: &Pictures, card: catalog::Card, state: Option<&TitleState>) -> Card {
    let shapes = [ArtworkShape::Poster, ArtworkShape::Backdrop];
    let [poster_url, backdrop_url] = pictures.addresses(card.id, card.artwork_version, shapes);
    Card {
        id: card.id,
        name: card.name,
        year: card.year,
        kind: card.kind.into(),
        genres: card.genres,
        maturity: card.maturity,
        poster_url,
        backdrop_url,
        average_rating: card.average_rating.map(hundredths),
        ratings_count: card.ratings_count,
        duration_s: card.duration_ms.map(crate::dto::seconds),
        progress: state.and_then(|state| state.progress.as_ref()).map(Progress::from),
        playable: card.playable,
        my_rating: state.and_then(|state| state.opinion).map(Into::into),
        in_my_list: state.is_some_and(|state| state.listed_at.is_some()),
    }
}

/// Whether the title exists as far as this profile is concerned.
pub fn visible(card: &catalog::Card, viewing: &Viewing) -> bool {
    card.maturity <= viewing.profile.maturity_max && (card.published || viewing.sees_unpublished())
}

/// The title's card, or the same refusal for one that does not exist and one that is not for this profile.
pub async fn visible_card(gateway: &Gateway, viewing: &Viewing, title: TitleId) -> Result<catalog::Card, Problem> {
    let cards = gateway.doors.catalog.cards(GetCards { titles: vec![title] }).await?;
    cards
        .into_iter()
        .find(|card| visible(card, viewing))
        .ok_or_else(Problem::no_such_title)
}

/// What the profile did with one title.
pub async fn state(gateway: &Gateway, viewing: &Viewing, title: TitleId) -> Result<TitleState, Problem> {
    Ok(gateway
        .doors
        .activity
        .state(ForTitleOf {
            profile: viewing.profile.id,
            title,
        })
        .await?)
}

/// What the profile did with these titles, by title.
pub async fn states(
    gateway: &Gateway,
    viewing: &Viewing,
    titles: Vec<TitleId>,
) -> Result<HashMap<TitleId, TitleState>, Problem> {
    let mut states = HashMap::with_capacity(titles.len());
    for titles in titles.chunks(TITLES_MAX) {
        let asked = GetStates {
            profile: viewing.profile.id,
            titles: titles.to_vec(),
        };
        let found = gateway.doors.activity.states(asked).await?;
        states.extend(found.into_iter().map(|state| (state.title, state)));
    }
    Ok(states)
}

/// Cards that the catalogue listed, in its order, joined with the profile's states.
pub async fn listed(gateway: &Gateway, viewing: &Viewing, cards: Vec<catalog::Card>) -> Result<Vec<Card>, Problem> {
    let states = states(gateway, viewing, cards.iter().map(|card| card.id).collect()).await?;
    let seen = cards.into_iter().filter(|found| visible(found, viewing));
    Ok(seen
        .map(|found| {
            let state = states.get(&found.id);
            card(&gateway.pictures, found, state)
        })
        .collect())
}

/// Visible cards of these titles, by title; asked once for each.
pub async fn cards_by_title(
    gateway: &Gateway,
    viewing: &Viewing,
    mut titles: Vec<TitleId>,
) -> Result<HashMap<TitleId, catalog::Card>, Problem> {
    titles.sort_unstable();
    titles.dedup();
    let mut cards = HashMap::with_capacity(titles.len());
    for titles in titles.chunks(TITLES_MAX) {
        let titles = titles.to_vec();
        let found = gateway.doors.catalog.cards(GetCards { titles }).await?;
        let seen = found.into_iter().filter(|card| visible(card, viewing));
        cards.extend(seen.map(|card| (card.id, card)));
    }
    Ok(cards)
}

/// Where an episode stands.
pub fn place(place: catalog::EpisodePlace, series: &catalog::Card) -> EpisodePlace {
    EpisodePlace {
        series_id: place.series,
        series_name: series.name.to_string(),
        season: place.season,
        episode: place.episode,
    }
}
