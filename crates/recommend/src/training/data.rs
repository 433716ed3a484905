//! Interactions and titles in the dense form that the mathematics takes.

use std::{collections::HashMap, sync::Arc};

use contract::{
    Millis,
    activity::{Activity, Interactions, PageInteractions},
    catalog::TitleKind,
};
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
/// `vectors` are the titles' own from elsewhere, by slot; none is as good as any.
pub async fn read(
    activity: &dyn Activity,
    titles: Arc<Titles>,
    vectors: Vec<Option<Vec<f32>>>,
    now: Millis,
) -> anyhow::Result<Learned> {
    let mut reading = Reading {
        builder: DatasetBuilder::new(0, titles.len()),
        viewers: Viewers::default(),
        series: Series::default(),
        vectors,
        titles,
        now,
    };
    let mut after = None;
    loop {
        let page = activity.interactions(PageInteractions { after, limit: PAGE }).await?;
        reading.add(&page);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(tokio::task::spawn_blocking(move || reading.finish()).await??)
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

/// One interaction per viewer and series, of whatever was done with it and its episodes: the newest word, else the strongest
/// evidence, as [`crate::taste`] reads it.
#[derive(Default)]
struct Series(HashMap<(u32, u32), (Interaction, bool)>);

impl Series {
    fn add(&mut self, next: Interaction, is_said: bool) {
        let Some((known, was_said)) = self.0.get_mut(&(next.user, next.item)) else {
            self.0.insert((next.user, next.item), (next, is_said));
            return;
        };
        let is_stronger = match (*was_said, is_said) {
            (true, true) => next.at > known.at,
            (false, false) => next.weight > known.weight,
            (_, is_said) => is_said,
        };
        if is_stronger {
            (known.weight, *was_said) = (next.weight, is_said);
        }
        known.at = known.at.max(next.at);
    }
}

/// Where interactions are put together.
struct Reading {
    builder: DatasetBuilder,
    viewers: Viewers,
    series: Series,
    titles: Arc<Titles>,
    vectors: Vec<Option<Vec<f32>>>,
    /// Nothing is newer; what an import or a clock put into the future would never be past.
    now: Millis,
}

impl Reading {
    fn add(&mut self, page: &Interactions) {
        let Self {
            builder,
            viewers,
            series,
            titles,
            now,
            vectors: _,
        } = self;
        for row in 0..page.profiles.len() {
            let Some(item) = titles.slot_of(page.titles[row].into()) else {
                continue;
            };
            let weight = weight_of_row(page, row, *now);
            if weight == 0.0 {
                continue;
            }
            let interaction = Interaction {
                user: viewers.index(page.profiles[row]),
                item,
                weight,
                at: page.at[row].min(*now),
            };
            if titles.get(item).kind == TitleKind::Series {
                series.add(interaction, page.opinions[row] != 0);
            } else {
                builder.push(interaction);
            }
        }
    }

    fn finish(mut self) -> reco::Result<Learned> {
        let mut series: Vec<Interaction> = self.series.0.into_values().map(|(one, _)| one).collect();
        series.sort_unstable_by_key(|one| (one.user, one.item));
        series.into_iter().for_each(|one| self.builder.push(one));
        Ok(Learned {
            data: self.builder.build()?,
            features: features(&self.titles, &self.vectors),
            keys: self.titles.list.iter().map(|title| title.id.0).collect(),
        })
    }
}

fn features(titles: &Titles, vectors: &[Option<Vec<f32>>]) -> ItemFeatures {
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
    builder.embed(vectors);
    builder.build()
}
