//! Films that are stored encrypted: the same film to whoever is given the key, and nothing of it to whoever has the disk.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    process::Command,
};

use contract::{
    SessionId,
    events::EventBody,
    jobs::JobState,
    streaming::{GetMedia, MediaBody, Playback, StreamingError},
};
use platform::test_support;
use streaming::{Config, Encryption};
use testkit::films::{Film, ffprobe, file, film};

use crate::support::{ACCOUNT, House, SESSION, STRANGER, TITLE, below};

fn encrypted() -> Config {
    Config {
        encryption: Encryption::Aes128,
        ..Config::default()
    }
}

/// Everything that is stored of what a title plays, by its name below the asset's folder.
async fn stored(house: &House, playback: &Playback) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for file in house.blobs.list(&format!("assets/{}", playback.asset)).await.unwrap() {
        let name = file.key.split('/').skip(2).collect::<Vec<_>>().join("/");
        all.insert(name, house.blobs.get(&file.key).await.unwrap().to_vec());
    }
    all
}

/// By a program that has nothing of ours in it.
fn decrypted(segment: &[u8], key: &[u8], number: u32) -> Vec<u8> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let held = file("segment", segment);
    let output = Command::new("openssl")
        .args(["enc", "-d", "-aes-128-cbc", "-K", &hex(key), "-iv"])
        .arg(format!("{number:032x}"))
        .arg("-in")
        .arg(&held.path)
        .output()
        .expect("openssl, which the tests need: apt-get install -y openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// `v0/12.m4s`: the rendition and the number.
fn segment_name(name: &str) -> Option<(&str, u32)> {
    let (rendition, file) = name.split_once('/')?;
    Some((rendition, file.strip_suffix(".m4s")?.parse().ok()?))
}

/// Every segment of `plain` is there, encrypted with the key that the house gives out; what else is stored is as it was.
async fn assert_same_film(plain: &BTreeMap<String, Vec<u8>>, house: &House, playback: &Playback) {
    let there = stored(house, playback).await;
    assert!(there.keys().eq(plain.keys()), "{:?}", there.keys());
    let mut keys = BTreeMap::new();
    for (name, bytes) in &there {
        let Some((rendition, number)) = segment_name(name) else {
            assert!(name == "index.json" || *bytes == plain[name], "{name}");
            continue;
        };
        if !keys.contains_key(rendition) {
            let key = house.key(playback, &format!("{rendition}/key")).await;
            assert_eq!(key.len(), 16);
            keys.insert(rendition, key);
        }
        assert!(decrypted(bytes, &keys[rendition], number) == plain[name], "{name}");
        let MediaBody::Stored { bytes: told, .. } = house.media(&below(playback, name)).await.unwrap().body else {
            panic!("{name} is not a file")
        };
        assert_eq!(told, bytes.len() as u64, "{name}");
    }
    let distinct: HashSet<_> = keys.values().collect();
    assert_eq!(distinct.len(), keys.len(), "a key for each rendition");
}

const SHOWN_BYTES: usize = 32;

/// What the samples of a plain segment are, in pieces; those that say nothing (all the same byte) are left out.
fn samples(segment: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mdat = segment.windows(4).position(|kind| kind == b"mdat").unwrap() + 4;
    let pieces = segment[mdat..].chunks_exact(SHOWN_BYTES);
    pieces.filter(|piece| piece.iter().any(|byte| *byte != piece[0]))
}

fn shows(bytes: &[u8], pieces: &HashSet<&[u8]>) -> bool {
    bytes.windows(SHOWN_BYTES).any(|shown| pieces.contains(shown))
}

#[tokio::test]
async fn an_encrypted_film_is_the_same_film_with_its_keys_and_shows_nothing_without() {
    let text = file("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n");
    let film = Film::new("640x360", "25", 5)
        .input(&["-i", text.path.to_str().unwrap()])
        .and(&["-c:s", "srt"])
        .make("mkv");
    let mut open = House::new().await;
    let clear = open.play(&film.path).await;
    let plain = stored(&open, &clear).await;
    let mut house = House::with(encrypted()).await;
    let job = house.transcode(&film.path).await;
    let outcome = job.outcome.unwrap();
    assert!(outcome.contains("MB, encrypted"), "{outcome}");
    let playback = house.start().await.unwrap();
    assert_same_film(&plain, &house, &playback).await;

    let of_segments = plain.iter().filter(|(name, _)| segment_name(name).is_some());
    let pieces: HashSet<&[u8]> = of_segments.flat_map(|(_, bytes)| samples(bytes)).collect();
    assert!(pieces.len() > 1_000, "{}", pieces.len());
    assert!(shows(&plain["v1/2.m4s"], &pieces), "it would be seen");
    for (name, bytes) in stored(&house, &playback).await {
        assert!(!shows(&bytes, &pieces), "{name}");
    }
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new());

    // A player that is none of ours reads every rung with the key, from its first picture to its last, and nothing with another.
    let (clear, folder) = (open.download(&clear).await, house.download(&playback).await);
    for rung in ["v0", "v1"] {
        let there = frames(&clear.path().join(rung));
        assert!(there.is_some_and(|count| count >= 125), "{rung}: {there:?}");
        assert_eq!(frames(&folder.path().join(rung)), there, "{rung}");
        std::fs::write(folder.path().join(rung).join("key"), [7; 16]).unwrap();
        assert_eq!(frames(&folder.path().join(rung)), None, "{rung} with another key");
    }
}

/// How many pictures ffmpeg finds; key files have no ending that it would take for one of a film.
fn frames(rung: &Path) -> Option<u32> {
    let words = [
        "-allowed_extensions",
        "ALL",
        "-count_frames",
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=nb_read_frames",
    ];
    let output = Command::new("ffprobe")
        .args(["-v", "quiet", "-of", "csv=p=0"])
        .args(words)
        .arg(rung.join("index.m3u8"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().find_map(|line| line.trim_end_matches(',').parse().ok())
}

#[tokio::test]
async fn whoever_works_on_an_encrypted_film_encrypts_it_as_its_row_says() {
    let film = Film::silent("160x90", "25", 70).make("mp4");
    let mut open = House::new().await;
    let playback = open.play(&film.path).await;
    let plain = stored(&open, &playback).await;

    // Planned by a process that encrypts; done by two that were told not to.
    let mut house = House::with(encrypted()).await;
    let job = house.add(&film.path).await.id;
    house.work();
    house
        .until(job, |job| job.progress > 0.0 && job.stage.starts_with("encoding"))
        .await;
    house.rest().await;
    let mut beside = House::beside(house.data.path(), house.location.clone(), Config::default()).await;
    beside.work_at_once(2);
    let ended = beside.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    beside.rest().await;
    let playback = house.start().await.unwrap();
    assert_same_film(&plain, &house, &playback).await;
    assert!(house.manifest(&playback, "v0/index.m3u8").await.contains("EXT-X-KEY"));
    // What it makes itself is as it was told.
    beside.work();
    let own = beside.play(&testkit::films::film("160x90", "25", 2).path).await;
    assert!(!beside.manifest(&own, "v0/index.m3u8").await.contains("EXT-X-KEY"));
    assert!(own.dash_path.is_some());
}

#[tokio::test]
async fn keys_are_for_those_who_may_watch_for_as_long_as_they_may() {
    const ELSEWHERE: SessionId = SessionId(26);
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, encrypted()).await;
        let here = house.play(&film("320x180", "25", 3).path).await;
        let elsewhere = house.start_in(ELSEWHERE).await.unwrap();
        for (door, streaming) in house.doors() {
            let ask = |path: String, account| streaming.media(GetMedia { path, account });
            let key = ask(below(&here, "v0/key"), Some(ACCOUNT)).await.unwrap();
            assert_eq!(
                (key.content_type.as_str(), key.cache_control.as_str()),
                ("application/octet-stream", "no-store"),
                "{engine} {door}"
            );
            assert_eq!(ask(below(&elsewhere, "v0/key"), None).await.as_ref(), Ok(&key));
            let stranger = ask(below(&here, "v0/key"), Some(STRANGER)).await;
            assert_eq!(stranger, Err(StreamingError::MediaForbidden), "{door}");
            let signature = here.hls_path.split('/').nth(6).unwrap();
            let unsigned = below(&here, "v0/key").replace(signature, "AAAAAAAAAAAAAAAAAAAAAA");
            assert_eq!(ask(unsigned, None).await, Err(StreamingError::MediaForbidden), "{door}");
            for nothing in ["v9/key", "s0/key", "b0/key", "key", "v0/iframes.m3u8"] {
                let answer = ask(below(&here, nothing), None).await;
                assert_eq!(answer, Err(StreamingError::MediaNotFound), "{door} {nothing}");
            }
            let dash = ask(below(&here, "manifest.mpd"), None).await;
            assert_eq!((dash, &here.dash_path), (Err(StreamingError::DashNotOffered), &None));
        }
        let master = house.manifest(&here, "master.m3u8").await;
        assert!(
            !master.contains("I-FRAME") && master.contains("IMAGE-STREAM"),
            "{master}"
        );
        house.media(&below(&here, "b0/index.vtt")).await.unwrap();
        house.media(&below(&here, "b0/1.jpg")).await.unwrap();

        let sessions = vec![SESSION];
        house
            .tell(EventBody::SessionsRevoked {
                account: ACCOUNT,
                sessions,
            })
            .await;
        let of = async |playback: &Playback| house.media(&below(playback, "v0/key")).await;
        assert_eq!(
            of(&here).await,
            Err(StreamingError::MediaForbidden),
            "{engine}: its log-in has ended"
        );
        of(&elsewhere).await.unwrap();
        house.clock.set(elsewhere.expires_at);
        assert_eq!(
            of(&elsewhere).await,
            Err(StreamingError::MediaForbidden),
            "{engine}: it has expired"
        );
    }
}

#[tokio::test]
async fn a_key_outlives_a_restart_and_goes_with_its_film() {
    let mut house = House::with(encrypted()).await;
    let playback = house.play(&film("320x180", "25", 2).path).await;
    let key = house.key(&playback, "a0/key").await;
    house.reopen().await;
    assert_eq!(house.key(&playback, "a0/key").await, key);
    // Whoever pressed play before may watch to the end; then nobody has the key any more, not even the database.
    house.delete_title(TITLE).await;
    assert_eq!(house.key(&playback, "a0/key").await, key);
    house.clock.set(playback.expires_at + 1);
    house.room.tidy().await.unwrap();
    assert!(house.blobs.list("").await.unwrap().is_empty());
    let (rows,): (i64,) = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT COUNT(*) FROM assets").fetch_one(pool).await)
    .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_film_that_is_not_encrypted_has_no_key() {
    let mut house = House::new().await;
    let playback = house.play(&film("320x180", "25", 2).path).await;
    let answer = house.media(&below(&playback, "v0/key")).await;
    assert_eq!(answer, Err(StreamingError::MediaNotFound));
    assert!(!house.manifest(&playback, "v0/index.m3u8").await.contains("KEY"));
    let packets = ffprobe(
        &["-show_entries", "packet=pts_time"],
        &house.download(&playback).await.path().join("v0/index.m3u8"),
    );
    assert_eq!(packets.len(), 50);
}
