//! The search for settings at retraining: from those of the newest good model, within a budget, from where it stopped.

use std::time::{Duration, Instant};

use contract::Fault;
use reco::{BaseConfig, Search, SearchSettings, TrainConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::data::Learned;
use crate::{Config, Room};

/// What is kept of the search from one training to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Settings of the newest model that was published.
    pub good: BaseConfig,
    pub search: Search,
}

impl Default for Tuning {
    fn default() -> Self {
        let good = BaseConfig::default();
        Self {
            good,
            search: Search::new(good, SearchSettings::default()),
        }
    }
}

impl Tuning {
    /// After a training with the best settings so far: a model that was refused takes what was found for it along, so that the
    /// next one does not fail by the same settings.
    pub fn after(mut self, was_published: bool) -> Self {
        if was_published {
            self.good = self.search.best();
        } else {
            self.search.return_to(self.good);
        }
        self
    }
}

/// Settings as they are shown: each number with where it stands, `ease.regularisation`; yes is 1, no is 0, and what is not set is left out.
pub fn told(settings: &BaseConfig) -> Vec<(String, f32)> {
    let mut told = Vec::new();
    if let Ok(all) = serde_json::to_value(settings) {
        tell(String::new(), &all, &mut told);
    }
    told
}

fn tell(name: String, value: &Value, told: &mut Vec<(String, f32)>) {
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                let dot = if name.is_empty() { "" } else { "." };
                tell(format!("{name}{dot}{part}"), value, told);
            }
        }
        Value::Bool(is_so) => told.push((name, f32::from(u8::from(*is_so)))),
        other => told.extend(other.as_f64().map(|number| (name, number as f32))),
    }
}

/// How much of a training may be spent on the search.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    time: Duration,
    trials: u64,
}

impl Budget {
    /// Nothing before the first model: there are no good settings to improve on yet, and somebody waits.
    pub fn of(config: &Config, is_first: bool) -> Self {
        let seconds = if is_first { 0 } else { config.tune_budget_s };
        Self {
            time: Duration::from_secs(seconds.into()),
            trials: config.tune_trials_max.into(),
        }
    }
}

/// Lets the search go on for the budget; `keep` gets the state after every trial.
pub fn search(
    tuning: &mut Tuning,
    learned: &Learned,
    config: &TrainConfig,
    budget: Budget,
    keep: &watch::Sender<Option<Tuning>>,
    progress: reco::Progress<'_>,
) -> reco::Result<()> {
    if budget.time.is_zero() || budget.trials == 0 {
        return Ok(());
    }
    let started = Instant::now();
    let (before, good) = (tuning.search.trials(), tuning.good);
    let mut go_on = |search: &Search| {
        let search = *search;
        keep.send_replace(Some(Tuning { good, search }));
        progress("searching for settings", 0.0)?;
        Ok(started.elapsed() < budget.time && search.trials().0 < before.0.saturating_add(budget.trials))
    };
    reco::tune(&learned.data, &learned.features, config, &mut tuning.search, &mut go_on)?;
    let after = tuning.search.trials();
    tracing::info!(
        trials = after.0 - before.0,
        kept = after.1 - before.1,
        all = after.0,
        "settings were searched"
    );
    Ok(())
}

impl Room {
    /// Where the search for settings stands; absent before the first training.
    pub async fn tuning(&self) -> Result<Option<Tuning>, Fault> {
        let Some(stored) = self.store.tuning().await? else {
            return Ok(None);
        };
        match serde_json::from_str(&stored) {
            Ok(tuning) => Ok(Some(tuning)),
            Err(error) => {
                // Another version's: the search begins again, from the settings that this version comes with.
                tracing::warn!(%error, "where the search for settings stood cannot be read");
                Ok(None)
            }
        }
    }

    pub(super) async fn keep_tuning(&self, tuning: &Tuning) -> Result<(), Fault> {
        let json = serde_json::to_string(tuning).map_err(|error| Fault::Internal(error.to_string()))?;
        self.store.save_tuning(&json).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_by_name() {
        let mut settings = BaseConfig::default();
        settings.ease.regularisation = 70.0;
        let told = told(&settings);
        let of = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        assert_eq!(of("ease.regularisation"), Some(70.0));
        assert_eq!(of("ials.size"), Some(settings.ials.size as f32));
        assert_eq!(
            of("ials.objective.unobserved"),
            Some(settings.ials.objective.unobserved)
        );
        assert_eq!(of("trending_half_life"), Some(settings.trending_half_life as f32));
        settings.ease.regularisation = 60.0;
        assert_ne!(super::told(&settings), told);
    }

    #[test]
    fn a_refused_model_takes_its_settings_along() {
        let mut tuning = Tuning::default();
        let mut better = tuning.good;
        better.ease.regularisation = 70.0;
        tuning.search.return_to(better);
        assert_eq!(tuning.after(true).good, better, "the newest good settings");
        let back = tuning.after(false);
        assert_eq!(
            (back.good, back.search.best()),
            (BaseConfig::default(), BaseConfig::default())
        );
    }
}
