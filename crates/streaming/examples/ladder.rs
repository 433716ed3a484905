//! Measures how long the whole of a transcode takes beside the bare ffmpeg commands for the same work: a minute of 1080p, its ladder and
//! its sound, in turns, with one worker and with two.
//!
//! ```console
//! $ cargo run --release -p streaming --example ladder [SECONDS] [ROUNDS]
//! ```
//! The last line is JSON: the medians in seconds.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use contract::{
    jobs::{ForJob, JobState, Jobs as _},
    streaming::{AddMedia, Streaming as _},
    wire::Remote,
};
use platform::{Bus, Inputs, blob::BlobStore};
use streaming::{Config, Deps};
use testkit::films::{Film, Made};
use tokio_util::sync::CancellationToken;

#[path = "../tests/it/titles.rs"]
mod titles;

use titles::{TITLE, Titles};

/// Width, height and kbit/s, as Kinora's own ladder has them for 1080p.
const RUNGS: [(u32, u32, u32); 5] = [
    (426, 240, 300),
    (640, 360, 700),
    (854, 480, 1_200),
    (1_280, 720, 2_800),
    (1_920, 1_080, 5_000),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (seconds, rounds) = (arguments.next().unwrap_or(60), arguments.next().unwrap_or(3));
    let film = film(seconds);
    let (mut bare, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        bare.push(timed("ffmpeg alone", async || bare_ffmpeg(&film.path)).await?);
        two.push(timed("two workers", async || transcode(&film.path, 2).await).await?);
        one.push(timed("one worker", async || transcode(&film.path, 1).await).await?);
        println!("round {round} of {rounds}");
    }
    let [bare, one, two] = [bare, one, two].map(median);
    println!("{{\"seconds\":{seconds},\"bare_s\":{bare:.2},\"one_worker_s\":{one:.2},\"two_workers_s\":{two:.2}}}");
    Ok(())
}

/// Moving bars under grain, so that encoders have something to do.
fn film(seconds: u32) -> Made {
    let grain = [
        "-vf",
        "noise=alls=12:allf=t",
        "-preset",
        "veryfast",
        "-crf",
        "20",
        "-g",
        "120",
    ];
    Film::new("1920x1080", "24", seconds)
        .and(&grain)
        .index_first()
        .make("mp4")
}

async fn timed(what: &str, work: impl AsyncFnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work().await?;
    let took = began.elapsed().as_secs_f64();
    println!("{what}: {took:.2} s");
    Ok(took)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// What a person would type: the loudness first, then everything in one command, with as many threads as ffmpeg likes.
fn bare_ffmpeg(film: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let run = |words: &[String]| {
        let ended = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(film)
            .args(words)
            .status()?;
        ensure!(ended.success(), "ffmpeg ended badly");
        anyhow::Ok(())
    };
    let owned = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let loudness = "aresample=48000,aformat=channel_layouts=stereo,ebur128=peak=true:framelog=verbose";
    run(&owned(&format!("-map 0:a -af {loudness} -f null -")))?;
    let splits: String = (0..RUNGS.len()).map(|rung| format!("[s{rung}]")).collect();
    let mut graph = format!("[0:v]fps=24,format=yuv420p,split={}{splits}", RUNGS.len());
    for (rung, (width, height, _)) in RUNGS.iter().enumerate() {
        graph.push_str(&format!(";[s{rung}]scale={width}:{height},setsar=1[v{rung}]"));
    }
    graph.push_str(
        ";[0:a]aresample=48000,aformat=channel_layouts=stereo,loudnorm=I=-16:TP=-1.5:LRA=11:linear=true:measured_I=-21.0:\
         measured_LRA=0.1:measured_TP=-18.0:measured_thresh=-31.0,aresample=48000[a]",
    );
    let mut words = vec!["-filter_complex".into(), graph];
    let fragments = "-movflags +frag_keyframe+empty_moov+default_base_moof+delay_moov -f mp4 -y";
    for (rung, (_, _, kbps)) in RUNGS.iter().enumerate() {
        words.extend(owned(&format!(
            "-map [v{rung}] -c:v libx264 -preset veryfast -profile:v high -r 24 -crf 22 -maxrate {kbps}k -bufsize {}k -g 48 \
             -keyint_min 48 -sc_threshold 0 -flags:v +cgop {fragments}",
            2 * kbps
        )));
        words.push(
            folder
                .path()
                .join(format!("v{rung}.mp4"))
                .to_string_lossy()
                .into_owned(),
        );
    }
    words.extend(owned(&format!("-map [a] -c:a aac -b:a 128k -ar 48000 {fragments}")));
    words.push(folder.path().join("a.mp4").to_string_lossy().into_owned());
    run(&words)
}

/// From the file to the title that plays it, on a room of its own.
async fn transcode(film: &Path, workers: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = platform::test_support::sqlite();
    let inputs = Inputs::system();
    let deps = Deps {
        location: database.location.clone(),
        inputs: inputs.clone(),
        bus: Bus::new(inputs.clock.clone()),
        blobs: BlobStore::open(&folder.path().join("blobs")).context("opening a store")?,
        catalog: Arc::new(Remote::new(Arc::new(Titles::default()))),
        data_folder: folder.path().to_owned(),
    };
    let room = streaming::open(deps, Config::default()).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(room.clone().run_worker(workers, stop.clone()));
    let path = film.to_string_lossy().into_owned();
    let asked = AddMedia {
        title: TITLE,
        path,
        sparing: false,
    };
    let mut job = room.add_media(asked).await?;
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
    while matches!(job.state, JobState::Queued | JobState::Running) {
        tick.tick().await;
        job = room.get(ForJob { job: job.id }).await?;
    }
    ensure!(job.state == JobState::Done, "{job:?}");
    stop.cancel();
    worker.await?;
    Ok(())
}
