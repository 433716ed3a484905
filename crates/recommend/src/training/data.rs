//! Interactions and titles in the dense form that the mathematics takes.

use std::{collections::HashMap, sync::Arc};

use contract::activity::{Activity, Interactions, PageInteractions};
use reco::{Dataset, DatasetBuilder, Interaction, ItemFeatures, ItemFeaturesBuilder, TitleDescription};

use crate::{taste::weight_of_row, titles::Titles};

const PAGE: u32 = 100_000;

/// What is learned from.
pub struct Learned {
    pub data: Dataset,
    pub features: ItemFeatures,
    /// The title behind each index.
    pub keys: Vec<i64>,
}

/// Pages everything out of activity. Every title is an index, also one that nobody has touched: the content model scores it.
pub async fn read(activity: &dyn Activity, titles: Arc<Titles>) -> anyhow::Result<Learned> {
    let mut viewers = Viewers::default();
    let mut builder = DatasetBuilder::new(0, titles.len());
    let mut after = None;
    loop {
        let page = activity.interactions(PageInteractions { after, limit: PAGE }).await?;
        add(&mut builder, &mut viewers, &titles, &page);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let dense = tokio::task::spawn_blocking(move || {
        let keys = titles.list.iter().map(|title| title.id.0).collect();
        anyhow::Ok(Learned {
            data: builder.build()?,
            features: features(&titles),
            keys,
        })
    });
    dense.await?
}

/// Profiles come in order, so the last one seen is the likely one.
#[derive(Default)]
struct Viewers {
    index: HashMap<i64, u32>,
    last: Option<(i64, u32)>,
}

impl Viewers {
    fn index(&mut self, profile: i64) -> u32 {
        if let Some((known, index)) = self.last
            && known == profile
        {
            return index;
        }
        let next = self.index.len() as u32;
        let index = *self.index.entry(profile).or_insert(next);
        self.last = Some((profile, index));
        index
    }
}

fn add(builder: &mut DatasetBuilder, viewers: &mut Viewers, titles: &Titles, page: &Interactions) {
    for row in 0..page.profiles.len() {
        let Some(item) = titles.slot(page.titles[row].into()) else {
            continue;
        };
        let weight = weight_of_row(page, row);
        if weight != 0.0 {
            let user = viewers.index(page.profiles[row]);
            builder.push(Interaction {
                user,
                item,
                weight,
                at: page.at[row],
            });
        }
    }
}

fn features(titles: &Titles) -> ItemFeatures {
    let mut builder = ItemFeaturesBuilder::new(titles.len());
    for (title, item) in titles.list.iter().zip(0..) {
        let genres: Vec<&str> = title.genres.iter().map(String::as_str).collect();
        let people: Vec<String> = title.people.iter().map(ToString::to_string).collect();
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        let year = title.year.map(i32::from);
        builder.describe(
            item,
            &TitleDescription {
                name: &title.name,
                year,
                genres: &genres,
                people: &people,
            },
        );
    }
    builder.build()
}
