//! A whole Kinora, as a process of its own, asked over HTTP and by its commands: what no room can promise alone.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backups;
mod bad_input;
mod bucket;
mod commands;
mod credits;
mod curating;
mod delivery;
mod durability;
mod edge;
mod edges;
mod encoders;
mod encryption;
mod ending;
mod evening;
mod freshness;
mod health;
mod imports;
mod journey;
mod kids;
mod leaving;
mod library;
mod players;
mod policies;
mod relay;
mod replay;
mod rows;
mod showing;
mod sidecars;
mod together;
mod uploads;
mod video;
mod viewers;

use std::time::Duration;

use serde_json::Value;
use testkit::Client;

/// For what happens by itself, soon, on a machine that may be busy.
const LONG: Duration = Duration::from_secs(120);

/// Ids of the items of an answer, in its order; items are cards, or hold one as `title`.
fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items: {list}"));
    items
        .iter()
        .map(|item| {
            id(if item["title"].is_object() {
                &item["title"]
            } else {
                item
            })
        })
        .collect()
}

fn id(card: &Value) -> String {
    card["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {card}"))
        .to_owned()
}

/// The first titles of a genre, by popularity.
async fn titles_of(client: &Client, genre: &str, count: usize) -> Vec<String> {
    let page = client.get(&format!("/titles?genre={genre}&limit={count}")).await.ok();
    let titles = ids(&page);
    assert_eq!(titles.len(), count, "{genre}");
    titles
}

/// What kinds of rows a home page has.
fn kinds(home: &Value) -> Vec<&str> {
    home["rows"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(|row| row["kind"].as_str())
        .collect()
}
