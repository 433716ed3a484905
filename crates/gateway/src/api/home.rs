//! The home page and the plain list of recommendations: what the model chose, joined with cards, states and words.
//!
//! The busiest answer there is: one call that makes the page, two side by side for what it shows, all from memory on a warm
//! path, one serialisation.

use std::collections::{HashMap, HashSet};

use axum::{Json, extract::State, response::Response};
use contract::{
    TitleId,
    activity::{RECENT_STATES_MAX, Recent, RecentActivity, TitleState},
    catalog::{self, ForTitle},
    recommend::{self, GetHome, GetTop, HomePage},
};
use http::HeaderMap;
use utoipa_axum::routes;

use super::{Answer, is_known, large_json};
use crate::{
    compose,
    dto::{
        Items,
        asking::{HomeQuery, RecommendedQuery},
        titles::{CardOrText, Hero, Home, Item, Row},
    },
    extract::Query,
    home_pages::Tag,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
    words::{self, Knowledge},
};

/// From so many ratings on, a viewer is known well enough not to be asked for more.
const RATINGS_WANTED: usize = 3;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(get_home)),
        route(Policy::Viewer, routes!(get_recommendations)),
    ]
}

/// The page made for this profile, now. It carries an `ETag`: whoever sends it back in `If-None-Match` is told 304 while the page
/// would be the same.
#[utoipa::path(get, path = "/api/v1/home", tag = "home", params(HomeQuery), responses((status = 200, body = Home),
    (status = 304, description = "The page is the one that the client has.")))]
async fn get_home(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<HomeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = GetHome {
        viewer: viewing.viewer(),
        exclude: query.exclude,
    };
    let is_whole = asked.exclude.is_empty();
    let version = gateway.doors.recommend.home_version(asked.clone()).await?;
    let (tag, profile) = (Tag::new(version, &viewing), viewing.profile.id);
    if is_known(&headers, &tag.text()) {
        return Ok(tag.not_modified());
    }
    if let Some(body) = gateway.home_pages.get(profile, tag) {
        return Ok(tag.page(body));
    }
    let page = gateway.doors.recommend.home(asked).await?;
    let body = large_json(&compose(&gateway, &viewing, page).await?)?;
    // A page that leaves titles out would take the place of the profile's own.
    if is_whole {
        gateway.home_pages.keep(profile, tag, body.clone());
    }
    Ok(tag.page(body))
}

/// A page as recommendation made it, with cards, states and words.
pub async fn compose(gateway: &Gateway, viewing: &Viewing, page: HomePage) -> Result<Home, Problem> {
    let mut titles = Vec::with_capacity(256);
    page.hero.iter().for_each(|item| mention(item, &mut titles));
    for row in &page.rows {
        if let recommend::RowKind::BecauseYouWatched(title) = row.kind {
            titles.push(title);
        }
        row.reason
            .iter()
            .for_each(|reason| titles.extend(words::titles_of(reason).iter().map(|it| it.title)));
        row.items.iter().for_each(|item| mention(item, &mut titles));
    }
    let hero = page.hero.as_ref().map(|item| item.title);
    let (states, cards, description) = tokio::try_join!(
        states(gateway, viewing, page.states, &titles),
        compose::cards_by_title(gateway, viewing, titles.clone()),
        description(gateway, hero),
    )?;
    let join = Join {
        gateway,
        cards: &cards,
        states: &states,
        listed: page.listed.into_iter().collect(),
    };
    let hero = page.hero.as_ref().and_then(|item| join.item(item)).transpose()?;
    let hero = hero.map(|Item { title, reason }| Hero {
        title,
        description,
        reason,
    });
    let rows = page.rows.iter().filter_map(|row| join.row(row).transpose());
    let rows = rows.collect::<Result<_, _>>()?;
    let rated = states.values().filter(|state| state.opinion.is_some()).count();
    Ok(Home {
        page_id: page.id,
        hero,
        rows,
        ratings_wanted: RATINGS_WANTED.saturating_sub(rated),
    })
}

/// The best first, without the page around them.
#[utoipa::path(get, path = "/api/v1/recommendations", tag = "home", params(RecommendedQuery),
    responses((status = 200, body = Items<Item>)))]
async fn get_recommendations(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<RecommendedQuery>,
) -> Answer<Items<Item>> {
    let limit = query.limit.unwrap_or(crate::dto::LIMIT_DEFAULT);
    let asked = GetTop {
        viewer: viewing.viewer(),
        limit,
        exclude: query.exclude,
    };
    let items = gateway.doors.recommend.top(asked).await?;
    Ok(Json(Items {
        items: join(&gateway, &viewing, items).await?,
    }))
}

/// Items with their cards, states and words; what this profile must not see is left out.
pub async fn join(gateway: &Gateway, viewing: &Viewing, items: Vec<recommend::Item>) -> Result<Vec<Item>, Problem> {
    let mut titles = Vec::with_capacity(items.len() * 2);
    items.iter().for_each(|item| mention(item, &mut titles));
    let (cards, recent) = tokio::try_join!(
        compose::cards_by_title(gateway, viewing, titles.clone()),
        recent(gateway, viewing)
    )?;
    let known = states(gateway, viewing, recent.states, &titles).await?;
    let join = Join {
        gateway,
        cards: &cards,
        states: &known,
        listed: recent.listed.into_iter().collect(),
    };
    items.iter().filter_map(|item| join.item(item)).collect()
}

/// What the profile did lately, and its list.
async fn recent(gateway: &Gateway, viewing: &Viewing) -> Result<RecentActivity, Problem> {
    let asked = Recent {
        profile: viewing.profile.id,
        limit: RECENT_STATES_MAX,
    };
    Ok(gateway.doors.activity.recent(asked).await?)
}

/// What the profile did, by title: what came along, which is the newest, and where that is not all, what it did with `titles`.
async fn states(
    gateway: &Gateway,
    viewing: &Viewing,
    newest: Vec<TitleState>,
    titles: &[TitleId],
) -> Result<HashMap<TitleId, TitleState>, Problem> {
    let is_all = newest.len() < RECENT_STATES_MAX as usize;
    let mut states: HashMap<_, _> = newest.into_iter().map(|state| (state.title, state)).collect();
    if !is_all {
        let mut older: Vec<_> = titles
            .iter()
            .filter(|title| !states.contains_key(title))
            .copied()
            .collect();
        older.sort_unstable();
        older.dedup();
        states.extend(compose::states(gateway, viewing, older).await?);
    }
    Ok(states)
}

async fn description(gateway: &Gateway, title: Option<TitleId>) -> Result<String, Problem> {
    let Some(title) = title else { return Ok(String::new()) };
    match gateway.doors.catalog.title(ForTitle { title }).await {
        Ok(title) => Ok(title.description),
        // Deleted since the model was made: the card will be missing too.
        Err(catalog::CatalogError::TitleNotFound) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

fn mention(item: &recommend::Item, titles: &mut Vec<TitleId>) {
    titles.push(item.title);
    item.reason
        .iter()
        .for_each(|reason| titles.extend(words::titles_of(reason).iter().map(|it| it.title)));
}

struct Join<'a> {
    gateway: &'a Gateway,
    cards: &'a HashMap<TitleId, catalog::Card>,
    states: &'a HashMap<TitleId, TitleState>,
    /// My List: longer than what the states remember.
    listed: HashSet<TitleId>,
}

impl Join<'_> {
    fn words(&self) -> Knowledge<'_> {
        Knowledge {
            cards: self.cards,
            states: self.states,
        }
    }

    fn item(&self, item: &recommend::Item) -> Option<Result<Item, Problem>> {
        let card = self.cards.get(&item.title)?;
        let reason = item.reason.as_ref().and_then(|reason| self.words().reason(reason));
        Some(self.title(card).map(|title| Item { title, reason }))
    }

    fn title(&self, card: &catalog::Card) -> Result<CardOrText, Problem> {
        let (state, is_listed) = (self.states.get(&card.id), self.listed.contains(&card.id));
        if state.is_none() && !is_listed {
            let write = || compose::card(&self.gateway.pictures, card.clone(), None);
            return Ok(CardOrText::Text(self.gateway.card_texts.of(card, write)?));
        }
        let mut own = compose::card(&self.gateway.pictures, card.clone(), state);
        own.in_my_list |= is_listed;
        Ok(own.into())
    }

    /// A row without titles is none.
    fn row(&self, row: &recommend::Row) -> Result<Option<Row>, Problem> {
        let Some(title) = self.words().heading(row) else {
            return Ok(None);
        };
        let items: Vec<Item> = row
            .items
            .iter()
            .filter_map(|item| self.item(item))
            .collect::<Result<_, _>>()?;
        let reason = row.reason.as_ref().and_then(|reason| self.words().reason(reason));
        Ok((!items.is_empty()).then(|| Row {
            id: row.id.clone(),
            kind: words::row_kind(&row.kind),
            title,
            reason,
            items,
        }))
    }
}
