//! The parts of a transcode: chunks of the picture, and each sound track. Any number of workers, in any number of processes, encode them
//! side by side; each puts its segments straight into the asset, and what it says of them is its job's outcome. A worker that is killed
//! costs the part that it was at, of a sound track the pass that it was at; done again, a part is the same bytes.

use std::{path::Path, sync::Arc, time::Duration};

use contract::{
    AssetId, UploadId,
    jobs::{JobKind, JobState},
};
use platform::jobs::{Child, Failure, NewJob, Ticket};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    encode::{
        audio::{self, Loudness},
        chunks::Chunk,
        explain,
        package::{self, Made},
        plan::Plan,
        run::{self, Bench, EncodeLimits},
    },
    room::Room,
    store::assets::{self, Stored},
    workdir::WorkDir,
};

/// Parts of a film that has begun go before films like it that have not.
const PRIORITY: i64 = 1;
/// More than a film's own: workers come and go, and a part is lost quickly.
const ATTEMPTS_MAX: u32 = 5;
/// Seconds of one core that a second of one sound rendition takes, roughly.
const SOUND_WORK: f64 = 0.03;
/// A film that does not say how long it is, in seconds: for weighing its parts.
const LENGTH_S_UNKNOWN: f64 = 600.0;

/// One part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Pictures(Chunk),
    /// Which of the plan's tracks, in all its renditions.
    Sound(usize),
}

/// What a part's job is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartPayload {
    pub source: UploadId,
    pub asset: AssetId,
    pub plan: Plan,
    pub part: Part,
    /// Of a sound track: what an earlier attempt has measured of each rendition.
    #[serde(default)]
    pub loudness: Option<Vec<Option<Loudness>>>,
}

/// The sound first: a track takes longest for what it is, and nothing of it can be shared out.
pub fn parts(plan: &Plan, chunks: Vec<Chunk>) -> Vec<Part> {
    let tracks = (0..plan.audio.len()).map(Part::Sound);
    tracks.chain(chunks.into_iter().map(Part::Pictures)).collect()
}

impl Part {
    /// No two parts of a film have the same.
    fn key(&self) -> String {
        match self {
            Self::Pictures(chunk) => format!("v{}", chunk.first),
            Self::Sound(track) => format!("a{track}"),
        }
    }

    fn is_sound(&self) -> bool {
        matches!(self, Self::Sound(_))
    }
}

impl PartPayload {
    pub fn job(&self, subject: &str) -> NewJob {
        let length_s = self.plan.duration_s.unwrap_or(LENGTH_S_UNKNOWN);
        let weight = match &self.part {
            Part::Pictures(chunk) => self.plan.chunk_s(chunk).unwrap_or(length_s) * self.plan.work_per_second(),
            Part::Sound(track) => length_s * SOUND_WORK * audio::of_track(&self.plan, *track).count() as f64,
        };
        NewJob::new(JobKind::Transcode, subject, self)
            .key(self.part.key())
            .priority(PRIORITY)
            .attempts_max(ATTEMPTS_MAX)
            .weight(weight)
    }

    /// Whether software may do what failed so.
    pub fn may_be_refused(&self, failure: &Failure) -> bool {
        let is_hardware = self.plan.hardware.is_some() && !self.part.is_sound();
        is_hardware && failure.text != explain::STORAGE_FULL
    }

    /// What a job under the film's has made of this part, if it has; one for another asset has made nothing of use.
    pub fn made(&self, children: &[Child]) -> Result<Option<Made>, Failure> {
        let is_mine = |child: &&Child| {
            let payload = PartPayload::deserialize(&child.payload);
            payload.is_ok_and(|payload| {
                let is_same = payload.part.key() == self.part.key() && payload.asset == self.asset;
                is_same && (self.part.is_sound() || payload.plan.hardware == self.plan.hardware)
            })
        };
        let done = |child: &&Child| child.job.state == JobState::Done;
        let Some(child) = children.iter().filter(done).find(is_mine) else {
            return Ok(None);
        };
        // Doing it again would come to the same, again and again.
        let made = serde_json::from_str(child.job.outcome.as_deref().unwrap_or_default()).ok();
        made.filter(|made: &Made| made.asset == self.asset)
            .map(Some)
            .ok_or_else(|| Failure::permanent(explain::PART_UNREADABLE))
    }
}

/// A film of which a part lies there as it is would be half a secret, and would not play.
pub fn are_stored_alike(made: &[Made], encrypted: bool) -> Result<(), Failure> {
    match made.iter().all(|made| made.encrypted == encrypted) {
        true => Ok(()),
        false => Err(Failure::permanent(explain::NOT_ENCRYPTED)),
    }
}

impl Room {
    /// Encodes a part into the work folder, and reads what is there.
    pub(crate) async fn encode_part(
        &self,
        ticket: &Ticket,
        payload: &PartPayload,
        (source, folder): (&Path, &Path),
        stop: &CancellationToken,
    ) -> Result<package::Part, Failure> {
        let limits = self.encode_limits();
        let bench = Bench {
            sandbox: &self.sandbox,
            input: source,
            output: folder,
            limits: &limits,
            cancel: stop,
        };
        let plan = &payload.plan;
        let (share, reported) = tokio::sync::watch::channel(0.0_f64);
        let share = Arc::new(share);
        let encoding = async {
            match &payload.part {
                Part::Pictures(chunk) => {
                    // Without a length there is no share to tell; half-way is as true as anything.
                    let length_s = plan.chunk_s(chunk).filter(|length_s| *length_s > 0.0);
                    let tell = move |seconds: f64| {
                        share.send_replace(length_s.map_or(0.5, |all| seconds / all));
                    };
                    run::picture(&bench, plan, chunk, Arc::new(tell)).await
                }
                Part::Sound(track) => self.encode_track(ticket, payload, (&bench, *track), &share).await,
            }
        };
        report(ticket, reported, encoding).await?;
        read(plan.clone(), payload.part, folder).await
    }

    /// Measures a sound track, unless an earlier attempt has, and encodes it. One that cannot be decoded leaves nothing.
    async fn encode_track(
        &self,
        ticket: &Ticket,
        payload: &PartPayload,
        (bench, track): (&Bench<'_>, usize),
        share: &Arc<tokio::sync::watch::Sender<f64>>,
    ) -> Result<(), Failure> {
        let tell = || {
            let share = share.clone();
            move |done: f64| {
                share.send_replace(done);
            }
        };
        let plan = &payload.plan;
        let measured = match &payload.loudness {
            Some(loudness) => Some(loudness.clone()),
            None => run::measure(bench, plan, track, tell()).await?,
        };
        let Some(loudness) = measured else {
            return Ok(());
        };
        if payload.loudness.is_none() {
            let measured = PartPayload {
                loudness: Some(loudness.clone()),
                ..payload.clone()
            };
            let kept = self
                .queue
                .keep(ticket.lease(), &measured)
                .await
                .map_err(explain::fault)?;
            if !kept {
                return Err(Failure::transient("Another worker has taken this job over."));
            }
        }
        run::sound(bench, plan, (track, &loudness), tell()).await
    }

    /// What its row says, whatever this process was set to since: half a film encrypted is no film.
    pub(crate) async fn how_stored(&self, asset: AssetId) -> Result<Stored, Failure> {
        match assets::stored(&self.db, asset).await.map_err(explain::fault)? {
            Stored::Gone => Err(Failure::transient("Another worker has taken this job over.")),
            stored => Ok(stored),
        }
    }

    pub(crate) fn work_dir(&self, name: &str) -> Result<WorkDir, Failure> {
        WorkDir::create(&self.work_folder, name).map_err(|error| explain::io(&error))
    }

    pub(crate) fn encode_limits(&self) -> EncodeLimits {
        EncodeLimits {
            memory_bytes: self.config.encoder_memory_bytes,
            output_bytes: self.config.encoder_output_bytes,
            wall_per_second: self.config.encoder_seconds_per_second,
            silence: Duration::from_secs(self.config.encoder_silence_s),
        }
    }
}

async fn report(
    ticket: &Ticket,
    mut reported: tokio::sync::watch::Receiver<f64>,
    encoding: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    tokio::pin!(encoding);
    loop {
        tokio::select! {
            result = &mut encoding => return result,
            Ok(()) = reported.changed() => {
                let share = reported.borrow_and_update().clamp(0.0, 1.0);
                ticket.progress(share as f32, "");
            }
        }
    }
}

/// On a thread that may wait: a long film's sound takes a while to read, and the job's lease is renewed meanwhile.
async fn read(plan: Plan, part: Part, folder: &Path) -> Result<package::Part, Failure> {
    let folder = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || match part {
        Part::Pictures(chunk) => package::Part::pictures(&plan, &chunk, &folder),
        Part::Sound(track) => package::Part::sound(&plan, track, &folder),
    });
    read.await.map_err(anyhow::Error::from)?
}

#[cfg(test)]
mod tests {
    use contract::JobId;

    use super::*;
    use crate::encode::{chunks::Chunk, tests::planning};

    #[test]
    fn a_worker_that_cannot_encrypt_spoils_a_film_that_should_be() {
        let ours = Made {
            asset: AssetId(2),
            encrypted: true,
            renditions: Vec::new(),
            is_refused: false,
        };
        let mut words = serde_json::to_value(&ours).unwrap();
        words.as_object_mut().unwrap().remove("encrypted");
        let earlier: Made = serde_json::from_value(words).unwrap();
        assert_eq!(are_stored_alike(&[ours.clone(), ours.clone()], true), Ok(()));
        assert_eq!(are_stored_alike(std::slice::from_ref(&earlier), false), Ok(()));
        let refused = Err(Failure::permanent(explain::NOT_ENCRYPTED));
        assert_eq!(are_stored_alike(&[ours, earlier], true), refused);
    }

    #[test]
    fn what_a_part_says_that_is_done_is_read_or_is_a_failure() {
        let payload = PartPayload {
            source: UploadId(1),
            asset: AssetId(2),
            plan: planning::plan(320, 180, Some((25, 1))),
            part: Part::Pictures(Chunk::WHOLE),
            loudness: None,
        };
        let child = |asset: i64, state: &str, outcome: Option<&str>| {
            let job = serde_json::json!({
                "id": JobId(9), "kind": JobKind::Transcode, "state": state, "progress": 1.0, "stage": "", "error": null, "subject": "",
                "title_id": null, "attempts": 1, "created_at": 0, "started_at": null, "finished_at": null, "outcome": outcome,
            });
            let payload = PartPayload {
                asset: AssetId(asset),
                ..payload.clone()
            };
            Child {
                job: serde_json::from_value(job).unwrap(),
                payload: serde_json::to_value(payload).unwrap(),
            }
        };
        let made = Made {
            asset: AssetId(2),
            encrypted: false,
            renditions: Vec::new(),
            is_refused: false,
        };
        let words = serde_json::to_string(&made).unwrap();
        let read = |child: Child| payload.made(&[child]);
        assert_eq!(read(child(2, "done", Some(&words))), Ok(Some(made)));
        assert_eq!(read(child(2, "running", None)), Ok(None));
        assert_eq!(
            read(child(3, "done", Some("{}"))),
            Ok(None),
            "for an asset that was given up"
        );
        for outcome in [None, Some("{}"), Some("1:20 in 320×180")] {
            let failure = read(child(2, "done", outcome)).unwrap_err();
            assert_eq!(failure, Failure::permanent(explain::PART_UNREADABLE), "{outcome:?}");
        }
    }
}
