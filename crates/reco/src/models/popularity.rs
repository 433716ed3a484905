//! Popularity of all time, and popularity that decays with time (trending).

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::Result;
use crate::model::{Contribution, Model, Scratch};
use crate::select::Scored;
use serde::{Deserialize, Serialize};

const FILE: &str = "popularity";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    items: usize,
    /// Half-life in the unit of the events' time; `None` counts all events alike.
    half_life: Option<i64>,
    /// Time at which an event weighs one.
    reference: i64,
}

/// Counts of positive events per title. With a half-life an event's weight halves every `half_life` after it.
///
/// Decay is stored relative to a fixed reference time, so an event is one addition ([`Self::observe`]) and the order
/// of titles never has to be recomputed as time passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Popularity {
    settings: Settings,
    scores: Vec<f32>,
}

impl Popularity {
    /// Counts without decay.
    pub fn all_time(data: &Dataset) -> Self {
        Self {
            settings: Settings {
                items: data.items(),
                half_life: None,
                reference: 0,
            },
            scores: data.popularity(),
        }
    }

    /// Counts as seen at `now`, halving every `half_life` (same unit as [`Event::at`]); events after `now` count as
    /// if they were at `now`.
    pub fn trending(data: &Dataset, now: i64, half_life: i64) -> Self {
        let mut model = Self {
            settings: Settings {
                items: data.items(),
                half_life: Some(half_life.max(1)),
                reference: now,
            },
            scores: vec![0.0; data.items()],
        };
        for interaction in data.interactions() {
            let mut event = interaction.event();
            event.at = event.at.min(now);
            model.observe(event);
        }
        model
    }

    /// [`Self::trending`] as a service counts it: a silence longer than `half_life` is no time
    /// ([`Dataset::without_silence`]), for an imported past would have no trend beside a single event of today.
    pub fn trending_now(data: &Dataset, now: i64, half_life: i64) -> Self {
        Self::trending(&data.without_silence(half_life), now, half_life)
    }

    /// Counts one more event; negative and zero evidence is no popularity.
    pub fn observe(&mut self, event: Event) {
        if event.weight > 0.0
            && let Some(score) = self.scores.get_mut(event.item as usize)
        {
            let gain = match self.settings.half_life {
                None => 1.0,
                Some(half_life) => {
                    let age = event.at.saturating_sub(self.settings.reference) as f64;
                    // 2^±60 keeps the sum finite however far a clock is off.
                    (age / half_life as f64).clamp(-60.0, 60.0).exp2() as f32
                }
            };
            *score = (*score + gain).min(f32::MAX);
        }
    }

    /// The same counts over at least `items` titles; those that are new have none yet.
    pub(crate) fn with_items(&self, items: usize) -> Self {
        let mut wider = self.clone();
        wider.settings.items = items.max(self.settings.items);
        wider.scores.resize(wider.settings.items, 0.0);
        wider
    }

    /// Score per title, shape `[items]`.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Reads what [`Model::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(FILE, bytes)?;
        let settings: Settings = reader.settings(FILE)?;
        let scores = reader.f32("scores", settings.items)?;
        Ok(Self { settings, scores })
    }
}

impl Model for Popularity {
    fn name(&self) -> &'static str {
        match self.settings.half_life {
            None => "popularity",
            Some(_) => "trending",
        }
    }

    fn items(&self) -> usize {
        self.settings.items
    }

    fn score(&self, _history: &[Event], _scratch: &mut Scratch, out: &mut [f32]) {
        out.copy_from_slice(&self.scores);
    }

    fn similar(&self, _item: u32, _k: usize) -> Vec<Scored> {
        Vec::new()
    }

    fn explain(&self, _history: &[Event], _item: u32) -> Vec<Contribution> {
        Vec::new()
    }

    fn additive(&self) -> bool {
        false
    }

    fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        writer.f32("scores", &self.scores);
        writer.finish(FILE, &self.settings)
    }
}
