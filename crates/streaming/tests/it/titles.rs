//! The catalogue, as far as streaming asks it.

#![allow(clippy::unwrap_used)]

use std::{collections::HashSet, sync::Mutex};

use contract::{
    Fault, TitleId, async_trait,
    catalog::{Card, CatalogError, ForTitle, Title, TitleKind, Window},
    wire::Transport,
};

pub const TITLE: TitleId = TitleId(31);
pub const SERIES: TitleId = TitleId(32);
pub const NO_TITLE: TitleId = TitleId(404);

/// A catalogue with every title but one, and but those that a test deleted.
#[derive(Default)]
pub struct Titles(pub Mutex<HashSet<TitleId>>);

#[async_trait]
impl Transport for Titles {
    async fn call(&self, _service: &'static str, method: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        assert_eq!(method, "title", "streaming asks the catalogue for nothing else");
        let ForTitle { title } = contract::wire::decode(&body)?;
        let answer = if title == NO_TITLE || self.0.lock().unwrap().contains(&title) {
            Err(CatalogError::TitleNotFound)
        } else {
            Ok(a_title(title))
        };
        contract::wire::encode(&answer)
    }
}

fn a_title(id: TitleId) -> Title {
    let card = Card {
        id,
        kind: if id == SERIES {
            TitleKind::Series
        } else {
            TitleKind::Film
        },
        name: "Solaris".into(),
        year: Some(1972),
        genres: [].into(),
        maturity: 12,
        duration_ms: None,
        average_rating: None,
        ratings_count: 0,
        playable: false,
        published: true,
        artwork_version: 0,
    };
    Title {
        card,
        original_name: None,
        description: String::new(),
        credits: vec![],
        place: None,
        video: None,
        external: vec![],
        window: Window::default(),
        created_at: 0,
        updated_at: 0,
    }
}
