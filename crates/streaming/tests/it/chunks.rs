//! Films in chunks: no joint can be seen, and who worked on them how often leaves no trace in the bytes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use contract::{
    JobId,
    jobs::{ForJob, JobState, Jobs},
    streaming::Playback,
};
use platform::{
    Location,
    clock::{Clock as _, ManualClock},
};
use streaming::Config;
use testkit::films::{Film, Made, ffprobe};

use crate::{
    bad_input::refused,
    support::{House, encoders_in},
};

/// Every picture carries its number, as bars that are light or dark: sixteen bits, most of them still there after any encoding.
const NUMBERED: &str = "geq=lum='if(mod(floor(N/pow(2,floor(X/10))),2),235,16)':cb=128:cr=128";

fn numbered(rate: &str, seconds: u32) -> Film {
    Film::silent("160x90", rate, seconds).and(&["-vf", NUMBERED])
}

/// The numbers of all pictures that a player shows, in order.
fn numbers(playlist: &Path) -> Vec<u32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(playlist)
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-vf",
            "scale=160:90,format=gray",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pictures = output.stdout.chunks_exact(160 * 90);
    let number = |picture: &[u8]| {
        (0..16).fold(0, |number, bit| {
            number | u32::from(picture[45 * 160 + bit * 10 + 5] > 125) << bit
        })
    };
    pictures.map(number).collect()
}

/// Everything that is stored of what a title plays, by its name below the asset's folder.
pub async fn stored(house: &House, playback: &Playback) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for file in house.blobs.list(&format!("assets/{}", playback.asset)).await.unwrap() {
        let name = file.key.split('/').skip(2).collect::<Vec<_>>().join("/");
        all.insert(name, house.blobs.get(&file.key).await.unwrap().to_vec());
    }
    all
}

pub fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert!(
        one.keys().eq(other.keys()),
        "{what}: {:?} and {:?}",
        one.keys(),
        other.keys()
    );
    for (name, bytes) in one {
        assert!(bytes == &other[name], "{what}: {name} is another");
    }
}

fn times(playlist: &Path) -> Vec<f64> {
    let packets = ffprobe(
        &["-select_streams", "v:0", "-show_entries", "packet=dts_time"],
        playlist,
    );
    packets.iter().map(|line| line.parse().unwrap()).collect()
}

#[tokio::test]
async fn no_picture_is_missing_or_there_twice_where_chunks_meet() {
    // Keyframes where they fall, pictures that are stored before they are shown, times from 1.4 s on.
    let awkward = ["-g", "83", "-bf", "3", "-x264-params", "open-gop=1"];
    let sources = [
        ("mp4", numbered("24000/1001", 70).and(&awkward)),
        (
            "mkv",
            numbered("25", 70).and(&awkward).and(&["-output_ts_offset", "1.4"]),
        ),
        (
            "mkv",
            numbered("30000/1001", 70).and(&["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-g", "70"]),
        ),
    ];
    for (extension, film) in sources {
        let mut house = House::new().await;
        house.work_at_once(2);
        let film = film.make(extension);
        let playback = house.play(&film.path).await;
        let folder = house.download(&playback).await;
        let playlist = folder.path().join("v0/index.m3u8");
        let shown = numbers(&playlist);
        let count = shown.len() as u32;
        assert!(shown.iter().copied().eq(0..count), "{extension}: {shown:?}");
        assert!(count >= 1670, "{count}");
        let times = times(&playlist);
        let frame_s = 70.0 / f64::from(count);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0] - frame_s).abs() < 0.002, "{extension}: {pair:?}");
        }
        let moof = std::fs::read(folder.path().join("v0/30.m4s")).unwrap();
        let mfhd = moof.windows(4).position(|kind| kind == b"mfhd").unwrap();
        assert_eq!(moof[mfhd + 8..mfhd + 12], 30_u32.to_be_bytes(), "counted through");
    }
}

#[tokio::test]
async fn pictures_that_come_when_they_like_keep_their_order_across_chunks() {
    let mut house = House::new().await;
    let thinned = format!("{NUMBERED},select='lt(mod(n,10),4)+lt(n,200)'");
    let film = Film::silent("160x90", "30", 70)
        .and(&["-vf", &thinned, "-fps_mode", "vfr", "-g", "40"])
        .make("mkv");
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let shown = numbers(&folder.path().join("v0/index.m3u8"));
    // At a constant rate, a picture is shown until the next one comes.
    assert!(
        (69_700..=70_100).contains(&playback.duration_ms),
        "{}",
        playback.duration_ms
    );
    assert!(
        shown
            .windows(2)
            .all(|pair| pair[0] <= pair[1] && pair[1] - pair[0] <= 10),
        "{shown:?}"
    );
    for (position, number) in shown.iter().enumerate() {
        assert!(
            position.abs_diff(*number as usize) < 10,
            "picture {number} at {position}"
        );
    }
}

fn film_of_two_minutes() -> Made {
    Film::new("320x180", "25", 120).and(&["-g", "60"]).make("mp4")
}

#[tokio::test]
async fn the_bytes_are_the_same_whoever_worked_on_them() {
    let film = film_of_two_minutes();
    let mut alone = House::new().await;
    let playback = alone.play(&film.path).await;
    let expected = stored(&alone, &playback).await;
    assert!(
        expected.len() > 120,
        "sixty segments of picture and of sound: {}",
        expected.len()
    );
    let mut many = House::new().await;
    many.work_at_once(3);
    let playback = many.play(&film.path).await;
    assert_same(&expected, &stored(&many, &playback).await, "three workers");

    // Two processes over the same database, each of which is killed again and again.
    let house = House::new().await;
    let job = house.add(&film.path).await.id;
    let mut done: Vec<i64> = Vec::new();
    for (round, threshold) in [0.05, 0.2, 0.45, 0.7].into_iter().enumerate() {
        let mut workers = [worker_on(&house), worker_on(&house)];
        house
            .until(job, |job| job.progress > threshold || job.state == JobState::Done)
            .await;
        kill(&mut workers[round % 2]);
        let before = parts_done(&house, job).await;
        kill(&mut workers[1 - round % 2]);
        assert!(
            done.iter().all(|part| before.contains(part)),
            "what was done stays done: {done:?}, {before:?}"
        );
        done = before;
        house.clock.advance(31_000);
    }
    assert!(!done.is_empty());
    let mut house = house;
    house.work();
    let ended = house.ended(job).await;
    assert_eq!((ended.state, ended.attempts), (JobState::Done, 1), "{ended:?}");
    let playback = house.start().await.unwrap();
    assert_same(&expected, &stored(&house, &playback).await, "killed eight times");
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new());
}

async fn parts_done(house: &House, job: JobId) -> Vec<i64> {
    let rows: Vec<(i64,)> = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT id FROM jobs WHERE parent_id = $1 AND state = 'done'").bind(job.0).fetch_all(pool).await)
    .unwrap();
    rows.into_iter().map(|(id,)| id).collect()
}

const DATABASE: &str = "STREAMING_TEST_CHUNKS_DATABASE";
const DATA: &str = "STREAMING_TEST_CHUNKS_DATA";
const AHEAD_MS: &str = "STREAMING_TEST_CHUNKS_AHEAD_MS";

/// Another process that works on a house's jobs.
pub fn worker_on(house: &House) -> Child {
    let Location::Folder(database) = house.location.clone() else {
        panic!("not a folder")
    };
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "chunks::a_worker_to_be_killed"])
        .env(DATABASE, database)
        .env(DATA, house.data.path())
        .env(AHEAD_MS, (house.clock.now_ms() - ManualClock::START_MS).to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

pub fn kill(worker: &mut Child) {
    worker.kill().unwrap();
    worker.wait().unwrap();
}

/// The process that dies in the test above; without being told where to work it does nothing.
#[tokio::test]
async fn a_worker_to_be_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let data = PathBuf::from(std::env::var(DATA).unwrap());
    let mut house = House::beside(&data, Location::folder(database), Config::default()).await;
    house.clock.advance(std::env::var(AHEAD_MS).unwrap().parse().unwrap());
    house.work();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_cancel_reaches_a_worker_in_another_process() {
    let house = House::new().await;
    let job = house.add(&film_of_two_minutes().path).await.id;
    let mut worker = worker_on(&house);
    house.until(job, |job| job.progress > 0.05).await;
    let began = std::time::Instant::now();
    Jobs::cancel(&*house.room, ForJob { job }).await.unwrap();
    assert_eq!(house.job(job).await.state, JobState::Cancelled);
    house.cleared().await;
    assert!(encoders_in(house.data.path()).is_empty());
    // It hears of it when it says how far it is, twice a second; the rest is for a machine with much else to do.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    kill(&mut worker);
}

#[tokio::test]
async fn a_source_that_is_deleted_in_the_middle_is_said() {
    let mut house = House::new().await;
    let film = film_of_two_minutes();
    house.work();
    let job = house.add(&film.path).await.id;
    house.until(job, |job| job.progress > 0.1).await;
    std::fs::remove_dir_all(house.data.path().join("uploads")).unwrap();
    let job = house.ended(job).await;
    assert_eq!(
        (job.state, job.error.as_deref()),
        (
            JobState::Failed,
            Some("The source file was removed while it was being encoded.")
        ),
        "{job:?}"
    );
    house.cleared().await;
}

/// The encoder's own process inside its sandbox.
fn ffmpeg_of(house: &House) -> Option<i32> {
    let sandboxes = encoders_in(house.data.path());
    let inside = std::fs::read_dir("/proc").unwrap().flatten().find(|process| {
        let read = |file: &str| std::fs::read_to_string(process.path().join(file)).unwrap_or_default();
        let is_ours = || {
            let mut parent = read("status");
            for _ in 0..3 {
                let Some(id) = parent.lines().find_map(|line| line.strip_prefix("PPid:")) else {
                    return false;
                };
                let path = PathBuf::from("/proc").join(id.trim());
                if sandboxes.contains(&path) {
                    return true;
                }
                parent = std::fs::read_to_string(path.join("status")).unwrap_or_default();
            }
            false
        };
        read("comm").trim() == "ffmpeg" && is_ours()
    });
    inside?.file_name().to_string_lossy().parse().ok()
}

async fn signal_the_encoder(house: &House, signal: &str) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
    loop {
        tick.tick().await;
        if let Some(process) = ffmpeg_of(house) {
            let sent = Command::new("kill")
                .args([signal, &process.to_string()])
                .status()
                .unwrap();
            if sent.success() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn an_encoder_that_is_killed_or_hangs_is_begun_again() {
    let config = Config {
        encoder_silence_s: 6,
        ..Config::default()
    };
    for signal in ["-KILL", "-STOP"] {
        let mut house = House::with(config.clone()).await;
        house.work();
        let film = Film::silent("640x360", "30", 20).make("mp4");
        let job = house.add(&film.path).await.id;
        house.until(job, |job| job.progress > 0.03).await;
        signal_the_encoder(&house, signal).await;
        // The part waits for its next attempt, on a clock that the test moves.
        let failed = async || {
            let parts: Vec<(String, i64, Option<String>)> = platform::on!(house.room.database(), pool =>
                sqlx::query_as("SELECT state, attempts, error FROM jobs WHERE parent_id = $1").bind(job.0).fetch_all(pool).await)
            .unwrap();
            parts
                .into_iter()
                .find(|(state, attempts, _)| (state.as_str(), *attempts) == ("queued", 1))
        };
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        let error = loop {
            tick.tick().await;
            if let Some((_, _, error)) = failed().await {
                break error.unwrap();
            }
        };
        let expected = if signal == "-KILL" {
            "stopped by the operating system"
        } else {
            "no progress for 6 s"
        };
        assert!(error.contains(expected), "{signal}: {error}");
        house.clock.advance(6_000);
        let job = house.ended(job).await;
        assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{signal}: {job:?}");
        assert_eq!(house.start().await.unwrap().duration_ms, 20_000);
    }
}

#[tokio::test]
async fn a_long_film_that_ends_early_is_refused_as_a_short_one_is() {
    let mut house = House::new().await;
    let whole = Film::silent("160x90", "25", 120)
        .and(&["-g", "50"])
        .index_first()
        .make("mp4");
    let bytes = std::fs::read(&whole.path).unwrap();
    let half = testkit::films::file("film.mp4", &bytes[..bytes.len() * 2 / 3]);
    let words = refused(&mut house, &half).await;
    assert!(
        words.starts_with("The file ends early: ") && words.contains(" of 2:00 are there."),
        "{words}"
    );
}

/// The ceiling that was planned for the lowest rung, kbit/s.
async fn ceiling(house: &House, job: JobId) -> u64 {
    let (payload,): (String,) = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT payload FROM jobs WHERE id = $1").bind(job.0).fetch_one(pool).await)
    .unwrap();
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    payload["planned"]["plan"]["rungs"][0]["kbps"].as_u64().unwrap()
}

#[tokio::test]
async fn a_quiet_film_has_lower_ceilings_than_a_restless_one() {
    let film = |picture: &str| {
        let film = Film::default().input(&[
            "-f",
            "lavfi",
            "-i",
            &format!("{picture}=size=320x180:rate=5:duration=310"),
        ]);
        film.coded(&[
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "20",
        ])
    };
    let grain = film("testsrc2").and(&["-vf", "noise=alls=50:allf=t"]);
    for (film, expected) in [(film("color"), 100), (grain, 160)] {
        let mut house = House::new().await;
        house.work_at_once(2);
        let job = house.transcode(&film.make("mp4").path).await;
        assert_eq!(job.state, JobState::Done, "{job:?}");
        assert_eq!(ceiling(&house, job.id).await, expected);
        assert_eq!(house.start().await.unwrap().duration_ms, 310_000);
    }
}
