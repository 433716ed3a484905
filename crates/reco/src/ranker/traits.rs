//! What is known of titles from their events as a whole: how many, how old, how lively, how well liked.

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::Result;
use crate::models::ItemFeatures;

const NAME: &str = "traits";
/// Values per title.
pub const TRAITS: usize = 7;
/// Their names, in their order.
pub const NAMES: [&str; TRAITS] = ["count", "age", "idle", "liked", "burst", "season", "year"];
/// The newest liked titles that say what a viewer leans to.
const LEANING_MAX: usize = 50;

/// Row-major `[titles × TRAITS]`: logarithm of the positive events; logarithms of the times since the first and since the last
/// event; mean evidence; logarithms of the events decayed faster and slower than
/// trending; decade of release, the middle of the known ones where it is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    values: Vec<f32>,
}

impl Traits {
    /// As seen at `now`; `half_life` is that of trending, in the unit of the events' time.
    pub fn count(data: &Dataset, features: &ItemFeatures, now: i64, half_life: i64) -> Self {
        let unit = half_life.max(1) as f64;
        let mut values = Vec::with_capacity(data.items() * TRAITS);
        let decade = |item: u32| features.year(item).map(|year| year as f32 / 10.0);
        let known: Vec<f32> = (0..data.items() as u32).filter_map(decade).collect();
        let usual = known.iter().sum::<f32>() / known.len().max(1) as f32;
        for item in 0..data.items() as u32 {
            let (mut count, mut sum, mut events) = (0f64, 0f64, 0f64);
            let (mut burst, mut season) = (0f64, 0f64);
            let (mut oldest, mut newest) = (f64::MIN, f64::MAX);
            for &occurrence in data.occurrences(item) {
                let event = data.event(occurrence);
                let age = now.saturating_sub(event.at).max(0) as f64 / unit;
                (oldest, newest) = (oldest.max(age), newest.min(age));
                events += 1.0;
                sum += f64::from(event.weight);
                if event.weight > 0.0 {
                    count += 1.0;
                    burst += (-4.0 * age).exp2();
                    season += (-age / 8.0).exp2();
                }
            }
            if events == 0.0 {
                (oldest, newest) = (0.0, 0.0);
            }
            let liked = sum / (events + 2.0);
            let logarithms = [count, oldest, newest].map(|value| (1.0 + value).ln() as f32);
            values.extend(logarithms);
            values.push(liked as f32);
            values.extend([burst, season].map(|value| (1.0 + value).ln() as f32));
            values.push(decade(item).unwrap_or(usual));
        }
        Self { values }
    }

    /// Number of titles.
    pub fn items(&self) -> usize {
        self.values.len() / TRAITS
    }

    /// Of one title.
    pub fn of(&self, item: u32) -> &[f32] {
        &self.values[item as usize * TRAITS..][..TRAITS]
    }

    /// What the viewer's newest liked titles have on average; zeros without any.
    pub fn leaning(&self, history: &[Event]) -> [f32; TRAITS] {
        let mut sums = [0f32; TRAITS];
        let known = |event: &&Event| event.weight > 0.0 && (event.item as usize) < self.items();
        let mut count = 0f32;
        for event in history.iter().rev().filter(known).take(LEANING_MAX) {
            count += 1.0;
            for (sum, value) in sums.iter_mut().zip(self.of(event.item)) {
                *sum += value;
            }
        }
        sums.map(|sum| sum / count.max(1.0))
    }

    /// With titles behind these that have no events yet, by their years of release.
    pub(crate) fn placed(&self, years: impl Iterator<Item = Option<i32>>) -> Self {
        let decades = self.values.chunks_exact(TRAITS).map(|traits| traits[TRAITS - 1]);
        let usual = decades.sum::<f32>() / self.items().max(1) as f32;
        let mut placed = self.clone();
        for year in years {
            let decade = year.map_or(usual, |year| year as f32 / 10.0);
            placed.values.extend([0.0; TRAITS - 1]);
            placed.values.push(decade);
        }
        placed
    }

    /// As a safetensors file.
    pub fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        writer.f32("values", &self.values);
        writer.finish(NAME, &self.items())
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let items: usize = reader.settings(NAME)?;
        let values = reader.f32("values", items.saturating_mul(TRAITS))?;
        Ok(Self { values })
    }
}
