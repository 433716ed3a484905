//! Files that are not what they should be: each is refused with words that a curator can act on, and leaves nothing behind.

use contract::{
    jobs::{Job, JobState},
    streaming::{AddMedia, StreamingError},
};
use testkit::{
    SmallDisk, again_where_it_may_mount,
    films::{Film, Made, file, film},
};

use crate::support::{House, NO_TITLE, SERIES, TITLE};

/// Fails for good at the first attempt, and leaves nothing visible.
pub async fn refused(house: &mut House, made: &Made) -> String {
    let job = house.transcode(&made.path).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1), "{job:?}");
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));
    house.cleared().await;
    job.error.unwrap()
}

#[tokio::test]
async fn what_is_no_video_is_named() {
    let mut house = House::new().await;
    let text = "Chapter one. It was a bright cold day in April.\n".repeat(400);
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    let concat = "ffconcat version 1.0\nfile '/etc/passwd'\n";
    let mpd = "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"></MPD>\n";
    let noise: Vec<u8> = (0..65_536_u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let cases: [(&str, &[u8], &str); 9] = [
        ("film.mp4", text.as_bytes(), "This file is text, not video."),
        (
            "film.mp4",
            playlist.as_bytes(),
            "This is a playlist, not a video: add the video itself.",
        ),
        (
            "film.mkv",
            concat.as_bytes(),
            "This is a playlist, not a video: add the video itself.",
        ),
        (
            "film.mp4",
            mpd.as_bytes(),
            "This is a playlist, not a video: add the video itself.",
        ),
        ("film.mp4", b"", "This file is empty."),
        (
            "film.mp4",
            b"PK\x03\x04\x14\0\0\0",
            "This is an archive, not a video: unpack it and add the video inside.",
        ),
        (
            "film.mp4",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "This is a picture, not a video.",
        ),
        (
            "film.mp4",
            &[0; 8192],
            "This file begins with nothing but zeros: it was not copied to the end. Copy or upload it again.",
        ),
        (
            "film.mp4",
            &noise,
            "This file is not a video that Kinora knows, or it is damaged at its beginning.",
        ),
    ];
    for (name, bytes, words) in cases {
        assert_eq!(refused(&mut house, &file(name, bytes)).await, words);
    }
}

#[tokio::test]
async fn sound_alone_is_no_film() {
    let mut house = House::new().await;
    let refuses = async |house: &mut House, made: Made| {
        assert_eq!(
            refused(house, &made).await,
            "There is no picture in this file: it has only sound."
        );
    };
    for (extension, coding) in [("m4a", "aac"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le")] {
        refuses(&mut house, Film::sound_alone(2, &["-c:a", coding]).make(extension)).await;
    }
    // An album's cover is a picture, but not a film.
    let cover = Film::sound_alone(2, &["-c:a", "aac"])
        .picture("64x64", "25", 0.04)
        .and(&[
            "-c:v",
            "mjpeg",
            "-pix_fmt",
            "yuvj420p",
            "-disposition:v",
            "attached_pic",
        ])
        .and(&["-strict", "-1"]);
    refuses(&mut house, cover.make("m4a")).await;
}

#[tokio::test]
async fn a_film_cut_in_half_is_noticed_wherever_its_index_is() {
    let mut house = House::new().await;
    let half = |whole: &Made, name: &str| {
        let bytes = std::fs::read(&whole.path).unwrap();
        file(name, &bytes[..bytes.len() / 2])
    };
    // The index in front: all that is there decodes, and then it is over.
    let whole = film("320x180", "25", 8);
    let words = refused(&mut house, &half(&whole, "film.mp4")).await;
    assert!(
        words.starts_with("The file ends early: ") && words.contains(" of 8.0 s are there."),
        "{words}"
    );
    // The index at the end: it is lost.
    let silent = Film::silent("320x180", "25", 8);
    let words = refused(&mut house, &half(&silent.make("mp4"), "film.mp4")).await;
    assert_eq!(
        words,
        "The file ends early: its index, which stands at its end, is missing. Copy or upload it again, to the end."
    );
    let words = refused(&mut house, &half(&silent.make("mkv"), "film.mkv")).await;
    assert!(
        words.starts_with("The file ends early: ") && words.contains(" of 8.0 s are there."),
        "{words}"
    );
}

#[tokio::test]
async fn a_coding_that_is_not_decoded_is_named() {
    let mut house = House::new().await;
    let exotic = Film::silent("320x180", "25", 1).coded(&["-c:v", "huffyuv"]).make("avi");
    assert_eq!(
        refused(&mut house, &exotic).await,
        "This file holds something coded as huffyuv, which Kinora does not decode; convert it to H.264 and AAC first."
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_added_is_refused_at_once() {
    let house = House::new().await;
    let folder = tempfile::tempdir().unwrap();
    let name = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (door, streaming) in house.doors() {
        let add = |path: String| {
            streaming.add_media(AddMedia {
                title: TITLE,
                path,
                sparing: false,
            })
        };
        let refusal = |path: &str, words: &str| Err(StreamingError::FileInvalid(format!("{path} {words}")));
        assert_eq!(
            add("/nowhere/film.mp4".into()).await,
            refusal("/nowhere/film.mp4", "does not exist"),
            "{door}"
        );
        let path = name(folder.path());
        assert_eq!(
            add(path.clone()).await,
            refusal(&path, "is a folder; name one video file"),
            "{door}"
        );
        assert_eq!(
            add(name(&socket)).await,
            refusal(&name(&socket), "is not a regular file"),
            "{door}"
        );
        let request = AddMedia {
            title: NO_TITLE,
            path: name(&socket),
            sparing: false,
        };
        assert_eq!(
            streaming.add_media(request).await,
            Err(StreamingError::TitleNotFound),
            "{door}"
        );
        let request = AddMedia {
            title: SERIES,
            path: name(&socket),
            sparing: false,
        };
        assert_eq!(
            streaming.add_media(request).await,
            Err(StreamingError::TitleIsSeries),
            "{door}"
        );
    }
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
}

#[tokio::test]
async fn a_library_on_another_disk_is_copied_a_few_files_at_a_time() {
    use contract::{Fault, streaming::Streaming as _};
    use std::os::unix::fs::MetadataExt as _;

    // Nobody works: what is added waits.
    let house = House::new().await;
    let here = tempfile::tempdir().unwrap();
    let device = |path: &std::path::Path| std::fs::metadata(path).unwrap().dev();
    let data = device(house.data.path());
    let mut disks = ["/dev/shm", "/run", "/var/tmp", "/tmp"]
        .map(std::path::Path::new)
        .into_iter();
    let there =
        disks.find_map(|disk| (disk.is_dir() && device(disk) != data).then(|| tempfile::tempdir_in(disk).ok())?);
    let there = there.expect("a second disk, such as /dev/shm");
    let add = async |path: std::path::PathBuf, sparing| {
        let path = path.to_string_lossy().into_owned();
        let title = TITLE;
        house.room.add_media(AddMedia { title, path, sparing }).await
    };
    let is_full = |answer| matches!(answer, Err(StreamingError::Fault(Fault::StorageFull(_))));
    // No bytes lie in it, but a copy would have that many.
    let vast = there.path().join("vast.mkv");
    std::fs::File::create(&vast).unwrap().set_len(1 << 42).unwrap();
    assert!(is_full(add(vast, true).await), "there is no room");
    let film = there.path().join("film.mkv");
    std::fs::write(&film, [0; 100]).unwrap();
    for _ in 0..4 {
        add(film.clone(), true).await.unwrap();
    }
    assert!(is_full(add(film.clone(), true).await), "enough of them wait");
    assert_eq!(
        house.lying_in("uploads").len(),
        4,
        "what is refused leaves nothing behind"
    );
    add(film, false).await.unwrap();
    // A second name takes no room.
    let film = here.path().join("film.mkv");
    std::fs::write(&film, [0; 100]).unwrap();
    assert_eq!(device(&film), data);
    add(film, true).await.unwrap();
}

#[tokio::test]
async fn a_file_larger_than_allowed_is_said_and_a_retry_goes_on_once_it_is() {
    let config = streaming::Config {
        encoder_output_bytes: 100_000,
        ..Default::default()
    };
    let mut house = House::with(config).await;
    let film = film("640x360", "25", 4);
    let job: Job = house.transcode(&film.path).await;
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    let words = job.error.unwrap();
    assert_eq!(
        words,
        "The encoded video is larger than the server allows; ask its operator to raise the limit."
    );
    house.cleared().await;

    // The source is still there for another try.
    house.config.encoder_output_bytes = 1 << 30;
    house.reopen().await;
    house.work();
    contract::jobs::Jobs::retry(&*house.room, contract::jobs::ForJob { job: job.id })
        .await
        .unwrap();
    let job = house.ended(job.id).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_a_retry_goes_on_once_there_is_room() {
    let Some(disk) = SmallDisk::new(256 << 20) else {
        return again_where_it_may_mount("bad_input::a_full_disk_is_said_and_a_retry_goes_on_once_there_is_room");
    };
    let data = tempfile::tempdir_in(disk.path()).unwrap();
    let mut house = House::in_folder(data, platform::test_support::sqlite(), streaming::Config::default()).await;
    // Too small from the start: said before any work is done. It would hold the segments, but not what is encoded beside them.
    let long = Film::silent("1280x720", "1", 290).make("mp4");
    let words = refused(&mut house, &long).await;
    assert!(
        words.starts_with("Storage is full; free space and retry. (About 483 MB are needed, "),
        "{words}"
    );

    // Full in the middle of the work.
    let noise = ["-vf", "noise=alls=60:allf=t", "-crf", "40"];
    let film = Film::silent("640x360", "30", 20).and(&noise).make("mp4");
    let job = house.add(&film.path).await;
    house.until(job.id, |job| job.progress > 0.03).await;
    let filler = disk.path().join("filler");
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    std::io::copy(&mut &zeros, &mut std::fs::File::create(&filler).unwrap()).unwrap_err();
    let job = house.ended(job.id).await;
    assert_eq!(
        (job.state, job.error.as_deref()),
        (JobState::Failed, Some("Storage is full; free space and retry.")),
        "{job:?}"
    );
    house.cleared().await;

    std::fs::remove_file(filler).unwrap();
    contract::jobs::Jobs::retry(&*house.room, contract::jobs::ForJob { job: job.id })
        .await
        .unwrap();
    let job = house.ended(job.id).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    house.rest().await;
}
