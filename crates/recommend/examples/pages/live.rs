//! How soon titles that came after the training are found: every rating is heard at its time, without another training.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use contract::{
    ProfileId,
    activity::{Activity as _, HalfStars, Opinion, Rate},
};
use platform::clock::Clock as _;

use super::{
    data::{House, Rating, home},
    judged::{COLUMNS, LIKED},
};

/// By how many had liked a title before.
pub const LIKES: [&str; 4] = ["nobody", "one", "two to four", "five or more"];

/// How often somebody was about to like a title that nobody had rated before the training, and in how many of these cases their page
/// showed it.
#[derive(Default)]
pub struct Found {
    pub asked: [usize; LIKES.len()],
    pub shown: [usize; LIKES.len()],
    /// Titles that all these pages showed.
    places: usize,
}

pub async fn live(house: &House, past: &[Rating], next: &[Rating]) -> anyhow::Result<Found> {
    let old: HashSet<usize> = past.iter().map(|rating| rating.title).collect();
    let mut likes: HashMap<usize, usize> = HashMap::new();
    let mut found = Found::default();
    for rating in next {
        house.clock.advance((rating.at_ms - house.clock.now_ms()).max(0));
        let title = house.titles[rating.title];
        if rating.half_stars >= LIKED {
            let before = likes.entry(rating.title).or_default();
            if !old.contains(&rating.title) {
                house.bus.settle().await?;
                house.room.refresh().await;
                let group = match *before {
                    0 | 1 => *before,
                    2..5 => 2,
                    _ => 3,
                };
                found.asked[group] += 1;
                let page = home(&house.room, rating.viewer).await?;
                let front = || page.rows.iter().flat_map(|row| row.items.iter().take(COLUMNS));
                found.places += front().count();
                found.shown[group] += usize::from(front().any(|item| item.title == title));
            }
            *before += 1;
        }
        let stars = HalfStars::new(rating.half_stars).context("stars")?;
        let opinion = Opinion::Stars(stars);
        let profile = ProfileId(rating.viewer);
        house
            .activity
            .rate(Rate {
                profile,
                title,
                opinion,
            })
            .await?;
    }
    Ok(found)
}

impl Found {
    /// The share that pages as full as these would show if their titles were drawn by lot.
    pub fn by_lot(&self, titles: usize) -> f64 {
        self.places as f64 / self.asked.iter().sum::<usize>().max(1) as f64 / titles as f64
    }

    pub fn report(&self) {
        println!(
            "titles that nobody had rated before the training, in the first ten columns for whoever was about to like them"
        );
        for ((likes, asked), shown) in LIKES.iter().zip(self.asked).zip(self.shown) {
            println!("  liked by {likes} since: {shown} of {asked}");
        }
    }
}
