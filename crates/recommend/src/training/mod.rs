//! From interactions to a model that serves: read, learn, judge, store, publish or refuse.
//!
//! Repeatable at any point: until the last transaction a training leaves nothing but files that nobody points to, and the next one
//! removes them.

pub mod artefact;
mod data;
mod embeddings;
mod judge;
mod tuning;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{
    Millis, ModelId,
    activity::CountInteractions,
    async_trait,
    recommend::{ModelInfo, ModelState},
};
use platform::{
    clock::Clock,
    jobs::{Failure, Ticket, Work},
};
use reco::{RecoError, TrainConfig, Trained};
use tokio::sync::{oneshot, watch};

use crate::{Room, loaded::Loaded, titles::Titles};
use data::Learned;
use embeddings::{Embedded, Endpoint};
pub use embeddings::{Embeddings, Kept};
use judge::Verdict;
use tuning::Budget;
pub use tuning::Tuning;

/// Niceness of training threads: whoever serves goes first.
const NICE: i32 = 10;

/// The worker of training jobs.
pub struct Trainer(Arc<Room>);

impl Trainer {
    pub fn new(room: Arc<Room>) -> Self {
        Self(room)
    }
}

/// What the mathematics gave.
struct Outcome {
    trained: Trained,
    verdict: Verdict,
    /// The model in service that it was judged against.
    against: Option<ModelId>,
    parts: Vec<reco::Part>,
    took: Duration,
    /// Where the search for settings has come to.
    tuning: Tuning,
}

/// What a training is given besides the data.
struct Given {
    titles: Arc<Titles>,
    current: Option<Arc<Loaded>>,
    /// Which one should serve: another than `current` where that is broken.
    active: Option<ModelId>,
    /// Figures of the current model's own rehearsal.
    earlier: Vec<(String, f32)>,
    tuning: Tuning,
    budget: Budget,
    now: Millis,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Work for Trainer {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let room = &self.0;
        room.ready().await?;
        ticket.progress(0.01, "reading interactions");
        let changes = room.activity.count(CountInteractions {}).await?.changes;
        let titles = Arc::new(Titles::load(&*room.catalog, &*room.activity).await?);
        let (vectors, problem) = room.embedded(ticket, &titles).await?;
        ticket.progress(0.03, "reading interactions");
        let learned = data::read(&*room.activity, titles.clone(), vectors, room.inputs.now_ms()).await?;
        if learned.data.is_empty() {
            return Err(Failure::permanent(
                "there is nothing to learn from: nobody has rated, watched or listed a title yet",
            ));
        }
        ticket.progress(0.05, "learning");
        let learned = Arc::new(learned);
        let mut outcome = room.learn(ticket, learned.clone(), titles).await?;
        if let Some(problem) = problem {
            outcome.verdict.decision.push_str("; ");
            outcome.verdict.decision.push_str(&problem);
        }
        ticket.progress(0.95, "publishing");
        let info = room.publish(outcome, &learned, changes).await?;
        let word = match info.state {
            ModelState::Active => "published",
            ModelState::Ready => "not put in service",
            ModelState::Refused => "refused",
        };
        Ok(Some(format!("{word}: {}", info.decision)))
    }
}

impl Room {
    /// Vectors of the titles, if an endpoint for them is configured, and what went wrong in words: the training goes on without.
    async fn embedded(
        &self,
        ticket: &Ticket,
        titles: &Titles,
    ) -> Result<(Vec<Option<Vec<f32>>>, Option<String>), Failure> {
        let config = &self.config.embeddings;
        let embedded = match Endpoint::open(config).await {
            Ok(None) => return Ok((Vec::new(), None)),
            Ok(Some(endpoint)) => {
                ticket.progress(0.01, "asking for vectors of titles");
                let known = self.store.embeddings(&config.model).await?;
                tokio::select! {
                    embedded = endpoint.embed(titles, known) => embedded,
                    () = ticket.cancelled().cancelled() => return Err(Failure::transient("cancelled")),
                }
            }
            Err(problem) => Embedded {
                problem: Some(problem),
                ..Embedded::default()
            },
        };
        let kept = if embedded.is_another { 0 } else { titles.len() };
        self.store.keep_embeddings(&config.model, &embedded.new, kept).await?;
        let problem = embedded.problem.map(|problem| {
            let known = embedded.vectors.iter().flatten().count();
            let words = format!(
                "the embedding endpoint failed, so {known} of {} titles have a vector: {problem}",
                titles.len()
            );
            tracing::warn!("{words}");
            words
        });
        Ok((embedded.vectors, problem))
    }

    /// Everything that takes long, on threads of its own that give way to those that serve.
    async fn learn(&self, ticket: &Ticket, learned: Arc<Learned>, titles: Arc<Titles>) -> Result<Outcome, Failure> {
        let (report, mut reported) = watch::channel((0.05, String::from("learning")));
        let (keep, mut kept) = watch::channel(None);
        let (answer, mut answered) = oneshot::channel();
        let active = self.store.active().await?;
        let current = self.shelf.load().model.clone();
        let given = Given {
            titles,
            earlier: self.earlier_figures(current.as_deref()).await?,
            tuning: self.tuning().await?.unwrap_or_default(),
            budget: Budget::of(&self.config, current.is_none()),
            now: self.inputs.now_ms(),
            clock: self.inputs.clock.clone(),
            active,
            current,
        };
        // A training that was cancelled works to the end of its stage; a second one beside it would double the memory.
        ticket.progress(0.05, "waiting for the training before to end");
        let turn = tokio::select! {
            turn = self.learning.clone().acquire_owned() => turn?,
            () = ticket.cancelled().cancelled() => return Err(Failure::transient("cancelled")),
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.config.train_threads)
            .thread_name(|index| format!("train-{index}"))
            .start_handler(|_| {
                // Where it is not allowed, training is as important as all else.
                rustix::process::nice(NICE).ok();
            })
            .build()?;
        pool.spawn(move || {
            let learn = || {
                let progress = |stage: &str, share: f32| {
                    // Nobody listens any more when the job was cancelled or lost.
                    if report.is_closed() {
                        return Err(RecoError::Cancelled);
                    }
                    report.send_replace((0.05 + 0.85 * share.clamp(0.0, 1.0), format!("learning: {stage}")));
                    Ok(())
                };
                learn(&learned, given, &keep, &progress)
            };
            let result = std::panic::catch_unwind(AssertUnwindSafe(learn));
            drop(turn);
            answer
                .send(result.unwrap_or_else(|_| Err(Failure::transient("training panicked"))))
                .ok();
        });
        loop {
            tokio::select! {
                result = &mut answered => return result.map_err(|_| Failure::transient("the training threads are gone"))?,
                () = ticket.cancelled().cancelled() => return Err(Failure::transient("cancelled")),
                Ok(()) = kept.changed() => {
                    let tuning = *kept.borrow_and_update();
                    if let Some(tuning) = tuning {
                        self.keep_tuning(&tuning).await?;
                    }
                }
                Ok(()) = reported.changed() => {
                    let (share, stage) = reported.borrow_and_update().clone();
                    ticket.progress(share, stage);
                }
            }
        }
    }

    /// What the model in service scored in its own rehearsal.
    async fn earlier_figures(&self, current: Option<&Loaded>) -> Result<Vec<(String, f32)>, Failure> {
        let Some(current) = current else { return Ok(Vec::new()) };
        Ok(self
            .store
            .model(current.id)
            .await?
            .map(|info| info.metrics)
            .unwrap_or_default())
    }

    /// Files first, then the record that points to them, in one transaction with the event.
    async fn publish(&self, outcome: Outcome, learned: &Learned, changes: u64) -> Result<ModelInfo, Failure> {
        let id: ModelId = self.inputs.id();
        artefact::write(&self.blobs, id, outcome.parts).await?;
        let verdict = outcome.verdict;
        let info = ModelInfo {
            id,
            state: if verdict.publish {
                ModelState::Active
            } else {
                ModelState::Refused
            },
            created_at: self.inputs.now_ms(),
            train_s: outcome.took.as_secs_f32(),
            interactions: learned.data.len() as u64,
            viewers: learned.data.users() as u64,
            titles: learned.data.items() as u64,
            metrics: verdict.metrics,
            baseline: verdict.baseline,
            decision: verdict.decision,
            settings: tuning::told(&outcome.tuning.search.best()),
            is_stored: true,
        };
        let info = self.store.add(info, outcome.against, changes).await?;
        self.keep_tuning(&outcome.tuning.after(info.state == ModelState::Active))
            .await?;
        tracing::info!(model = %id, state = ?info.state, decision = info.decision, "training ended");
        if info.state == ModelState::Active {
            self.serve(Loaded::new(id, outcome.trained.recommender, info.created_at))
                .await?;
        }
        self.store.forget_old(self.config.models_keep).await?;
        let kept: Vec<ModelId> = self
            .store
            .stored_models()
            .await?
            .into_iter()
            .map(|info| info.id)
            .collect();
        artefact::remove_others(&self.blobs, &kept).await?;
        Ok(info)
    }
}

fn learn(
    learned: &Learned,
    given: Given,
    keep: &watch::Sender<Option<Tuning>>,
    progress: reco::Progress<'_>,
) -> Result<Outcome, Failure> {
    let current = given.current.as_deref();
    let mut tuning = given.tuning;
    let mut config = TrainConfig {
        known_through: current.map(|loaded| loaded.trained.trained_through()),
        ..TrainConfig::default()
    };
    tuning::search(&mut tuning, learned, &config, given.budget, keep, progress)?;
    config.base = tuning.search.best();
    let started = Instant::now();
    let trained = reco::train(
        &learned.data,
        &learned.keys,
        &learned.features,
        &config,
        given.now,
        progress,
    )?;
    let took = started.elapsed();
    let parts = trained.recommender.save_parts()?;
    let mut verdict = judge::judge(
        &trained,
        &learned.data,
        &given.titles,
        current.map(|loaded| &loaded.trained),
        &given.earlier,
        // Training stands back for everybody else, and waiting makes no model slower.
        &mut || given.clock.worked(),
    );
    // As whoever serves it will read it, every tensor of it.
    if let Err(reason) = artefact::open(&parts, &given.titles) {
        verdict.refuse(&reason);
    }
    Ok(Outcome {
        trained,
        verdict,
        against: given.active,
        parts,
        took,
        tuning,
    })
}
