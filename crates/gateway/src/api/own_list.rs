//! A profile's own lists of titles (history, My List, ratings), page by page, with what the profile may still see of them.

use axum::Json;
use contract::{
    Page,
    activity::{ActivityError, ListOf, TimeKey, TitleState},
};
use futures::future::BoxFuture;

use super::Answer;
use crate::{
    compose,
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List,
        titles::{Card, PageQuery},
    },
    session::Viewing,
    state::Gateway,
};

/// The page of the list `name` that `query` asks for: `ask` is the door's method, `entry` what is said of a title.
pub async fn page<'a, T>(
    gateway: &'a Gateway,
    viewing: &Viewing,
    (name, query): (&'static str, PageQuery),
    ask: impl FnOnce(ListOf) -> BoxFuture<'a, Result<Page<TitleState, TimeKey>, ActivityError>>,
    entry: impl Fn(Card, &TitleState) -> Option<T>,
) -> Answer<List<T>> {
    let profile = viewing.profile.id;
    let listing = Listing::new(name, profile)?;
    let after = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let page = ask(ListOf { profile, after, limit }).await?;
    let titles = page.items.iter().map(|state| state.title).collect();
    let mut cards = compose::cards_by_title(gateway, viewing, titles).await?;
    let said = |state: &TitleState| {
        entry(
            compose::card(&gateway.pictures, cards.remove(&state.title)?, Some(state)),
            state,
        )
    };
    Ok(Json(List {
        items: page.items.iter().filter_map(said).collect(),
        next_cursor: listing.write(page.next)?,
    }))
}
