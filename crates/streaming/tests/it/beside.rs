//! Subtitles that come as files of their own: shown beside those of the video, replaced and removed without another transcode.

use std::time::{Duration, Instant};

use contract::{
    Blob, SubtitlesId, TitleId,
    jobs::{Jobs as _, ListJobs},
    streaming::{
        AddSubtitles, ByName, ForVideo, MediaBody, NameSubtitles, Playback, RemoveSubtitles, Streaming as _,
        StreamingError, SubtitleFile, SubtitleKind, Subtitles,
    },
};
use platform::test_support;
use streaming::{Config, SUBTITLE_BYTES_MAX};
use testkit::films::{Film, Made, file};

use crate::support::{House, NO_TITLE, SERIES, TITLE, below};

fn srt(words: &str) -> String {
    format!("1\n00:00:01,000 --> 00:00:02,000\n{words}\n")
}

fn add(origin: &str, language: &str, words: &[u8]) -> AddSubtitles {
    AddSubtitles {
        title: TITLE,
        origin: origin.into(),
        filename: format!("Solaris.{language}.srt"),
        language: Some(language.into()),
        kind: SubtitleKind::Subtitles,
        by_name: ByName::default(),
        body: Blob(words.to_vec()),
    }
}

/// A film that has English subtitles of its own.
fn english() -> Made {
    let own = file("own.srt", srt("From within").as_bytes());
    let film = Film::silent("320x180", "25", 4).input(&["-i", own.path.to_str().unwrap()]);
    film.and(&["-c:s", "copy", "-metadata:s:s:0", "language=eng"])
        .make("mkv")
}

fn labels(playback: &Playback) -> Vec<&str> {
    playback.subtitles.iter().map(|track| track.label.as_str()).collect()
}

/// What a player gets below a playback's prefix.
async fn text(house: &House, path: &str) -> Result<String, StreamingError> {
    let media = house.media(path).await?;
    assert!(media.cache_control.contains("immutable"), "{}", media.cache_control);
    let MediaBody::Stored { key, bytes } = media.body else {
        panic!("{path} is not stored");
    };
    let stored = house.blobs.get(&key).await.unwrap();
    assert_eq!(stored.len() as u64, bytes);
    Ok(String::from_utf8(stored.to_vec()).unwrap())
}

async fn jobs(house: &House) -> usize {
    let all = ListJobs {
        before: None,
        limit: 200,
        state: None,
    };
    house.room.list(all).await.unwrap().len()
}

#[tokio::test]
async fn files_of_subtitles_come_and_go_without_another_transcode() {
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, Config::default()).await;
        // Before there is a video, and in an encoding of its time.
        let (bytes, ..) = encoding_rs::WINDOWS_1251.encode("1\n00:00:01,000 --> 00:00:02,000\nГде ты был вчера?\n");
        house.room.add_subtitles(add("russian", "rus", &bytes)).await.unwrap();
        let forced = AddSubtitles {
            kind: SubtitleKind::Forced,
            ..add("german", "de", srt("Ein Schild").as_bytes())
        };
        house.room.add_subtitles(forced).await.unwrap();
        let first = house.play(&english().path).await;
        assert_eq!(labels(&first), ["English", "Русский", "Deutsch (forced)"], "{engine}");
        assert_eq!(
            text(&house, &first.subtitles[1].path).await.unwrap(),
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nГде ты был вчера?\n"
        );
        let before = jobs(&house).await;
        for (door, streaming) in house.doors() {
            let added = streaming
                .add_subtitles(add("english", "en", srt("Beside").as_bytes()))
                .await;
            let said = SubtitleFile {
                id: added.as_ref().unwrap().id,
                origin: "english".into(),
                filename: "Solaris.en.srt".into(),
                language: Some("en".into()),
                kind: SubtitleKind::Subtitles,
                added_at: added.as_ref().unwrap().added_at,
            };
            assert_eq!(added, Ok(said.clone()), "{engine} {door}");
            let listed = streaming.subtitle_files(ForVideo { title: TITLE }).await.unwrap();
            assert_eq!((listed.len(), listed.last()), (3, Some(&said)), "{engine} {door}");
        }
        replaced_and_removed(&house, &first).await;
        assert_eq!(jobs(&house).await, before, "{engine}: nothing is transcoded for it");
        // Another video of the title has them, too.
        assert_eq!(labels(&house.play(&english().path).await), labels(&first), "{engine}");
    }
}

/// The English ones, which stand beside the video's own since `first` was played.
async fn replaced_and_removed(house: &House, first: &Playback) {
    let second = house.start().await.unwrap();
    assert_eq!(labels(&second), ["English", "Русский", "Deutsch (forced)", "English 2"]);
    let last_line = async |playback: &Playback| {
        let text = text(house, &playback.subtitles[3].path).await.unwrap();
        text.lines().last().map(str::to_owned)
    };
    assert_eq!(last_line(&second).await.as_deref(), Some("Beside"));
    let better = add("english", "en", srt("Better").as_bytes());
    house.room.add_subtitles(better).await.unwrap();
    let third = house.start().await.unwrap();
    assert_eq!(last_line(&third).await.as_deref(), Some("Better"));
    assert_eq!(
        last_line(&second).await.as_deref(),
        Some("Beside"),
        "a name is for one file"
    );
    for (door, streaming) in house.doors() {
        let remove = RemoveSubtitles {
            title: TITLE,
            origin: "english".into(),
            id: None,
        };
        let removed = streaming.remove_subtitles(remove).await;
        assert_eq!(removed.is_ok(), door == "local", "{door}: {removed:?}");
    }
    let last = house.start().await.unwrap();
    assert_eq!(labels(&last), labels(first));
    // Whoever pressed play before goes on, and not for ever.
    assert_eq!(last_line(&second).await.as_deref(), Some("Beside"));
    let playlist = house
        .manifest(&second, &format!("{}/index.m3u8", second.subtitles[3].id))
        .await;
    assert!(playlist.contains("1.vtt"), "{playlist}");
    house.clock.advance((house.config.playback_s as i64 + 1) * 1000);
    house.room.tidy().await.unwrap();
    assert_eq!(house.blobs.list("subtitles").await.unwrap().len(), 2);
}

#[tokio::test]
async fn whose_language_they_are_is_said_by_their_name_or_by_somebody() {
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, Config::default()).await;
        house.play(&english().path).await;
        let from = async |filename: &str, language: Option<&str>, by_name: ByName| {
            let sent = AddSubtitles {
                filename: filename.into(),
                language: language.map(str::to_owned),
                by_name,
                ..add(filename, "en", srt(filename).as_bytes())
            };
            let added = house.room.add_subtitles(sent).await.unwrap();
            (added.language, added.kind)
        };
        let (all, none) = (
            ByName {
                language: true,
                kind: true,
            },
            ByName::default(),
        );
        let long = format!("{}.de.forced.srt", "Solaris.1972".repeat(6));
        let kind_alone = ByName { kind: true, ..none };
        for (filename, language, by_name, expected) in [
            ("Solaris.de.forced.srt", None, all, (Some("de"), SubtitleKind::Forced)),
            (long.as_str(), None, all, (Some("de"), SubtitleKind::Forced)),
            ("Solaris.fr.sdh.srt", None, none, (None, SubtitleKind::Subtitles)),
            ("a.pl.sdh.srt", Some("dut"), all, (Some("nl"), SubtitleKind::Captions)),
            ("b.pl.sdh.srt", None, kind_alone, (None, SubtitleKind::Captions)),
            ("whatever.srt", None, all, (None, SubtitleKind::Subtitles)),
        ] {
            let (tag, kind) = from(filename, language, by_name).await;
            assert_eq!((tag.as_deref(), kind), expected, "{engine}: {filename}");
        }
        somebody_says_it(&house).await;
    }
}

/// The last one's name says nothing.
async fn somebody_says_it(house: &House) {
    let files = || async { house.room.subtitle_files(ForVideo { title: TITLE }).await.unwrap() };
    let unknown = files().await.pop().unwrap();
    let shown = house.start().await.unwrap();
    let name = NameSubtitles {
        title: TITLE,
        id: unknown.id,
        language: Some("por-br".into()),
        kind: SubtitleKind::Forced,
    };
    let said = SubtitleFile {
        language: Some("pt-BR".into()),
        kind: SubtitleKind::Forced,
        ..unknown.clone()
    };
    for (door, streaming) in house.doors() {
        assert_eq!(streaming.name_subtitles(name.clone()).await, Ok(said.clone()), "{door}");
    }
    assert_eq!(files().await.last(), Some(&said));
    // It is the same file for whoever has it already, and the next one sees what it is.
    let (old, new) = (shown.subtitles.last().unwrap(), house.start().await.unwrap());
    let new = new.subtitles.last().unwrap();
    assert_eq!((&new.id, new.label.as_str()), (&old.id, "Português (BR) (forced)"));
    assert!(text(house, &old.path).await.unwrap().ends_with("whatever.srt\n"));
    let nobodys = NameSubtitles {
        language: Some("klingonese".into()),
        ..name.clone()
    };
    let refused = house.room.name_subtitles(nobodys).await.unwrap_err();
    assert!(
        matches!(&refused, StreamingError::SubtitlesInvalid(words) if words.starts_with("whatever.srt: it is in a language")),
        "{refused:?}"
    );
    for (title, id) in [(TitleId(77), name.id), (TITLE, SubtitlesId(77))] {
        let refused = house
            .room
            .name_subtitles(NameSubtitles {
                title,
                id,
                ..name.clone()
            })
            .await;
        assert_eq!(refused, Err(StreamingError::SubtitlesNotFound));
    }
    // Whoever takes away what was replaced meanwhile does not take away what replaced it.
    let better = add("whatever.srt", "en", srt("Better").as_bytes());
    let better = house.room.add_subtitles(better).await.unwrap();
    let remove = async |id: Option<SubtitlesId>| {
        let origin = "whatever.srt".into();
        let title = TITLE;
        house.room.remove_subtitles(RemoveSubtitles { title, origin, id }).await
    };
    assert_eq!(remove(Some(name.id)).await, Err(StreamingError::SubtitlesNotFound));
    assert_eq!(
        house.room.name_subtitles(name).await,
        Err(StreamingError::SubtitlesNotFound)
    );
    assert_eq!(files().await.last(), Some(&better));
    assert!(remove(Some(better.id)).await.is_ok());
    assert_eq!(files().await.len(), 5);
}

#[tokio::test]
async fn manifests_name_them_with_their_flags() {
    let mut house = House::new().await;
    for (origin, language, kind) in [
        ("a", "en", SubtitleKind::Captions),
        ("b", "pt-BR", SubtitleKind::Forced),
        ("c", "fr", SubtitleKind::Subtitles),
    ] {
        let one = AddSubtitles {
            kind,
            ..add(origin, language, srt("Hello").as_bytes())
        };
        house.room.add_subtitles(one).await.unwrap();
    }
    let playback = house.play(&english().path).await;
    let master = house.manifest(&playback, "master.m3u8").await;
    let renditions: Vec<_> = master.lines().filter(|line| line.contains("TYPE=SUBTITLES")).collect();
    assert_eq!(renditions.len(), 4, "{master}");
    for (rendition, part) in renditions.iter().zip([
        "NAME=\"English\",LANGUAGE=\"en\"",
        "public.accessibility.transcribes-spoken-dialog",
        "LANGUAGE=\"pt-BR\",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES",
        "NAME=\"Français\"",
    ]) {
        assert!(rendition.contains(part), "{part}: {master}");
    }
    let dash = house.manifest(&playback, "manifest.mpd").await;
    for track in &playback.subtitles {
        assert!(
            dash.contains(&format!("<BaseURL>{}/1.vtt</BaseURL>", track.id)),
            "{dash}"
        );
    }
    // Those of another title are not this one's.
    let mut other = add("d", "en", srt("Elsewhere").as_bytes());
    other.title = TitleId(77);
    house.room.add_subtitles(other).await.unwrap();
    let mut all: Vec<String> = house
        .blobs
        .list("subtitles")
        .await
        .unwrap()
        .into_iter()
        .map(|blob| blob.key)
        .collect();
    let is_of = |key: &str, track: &Subtitles| key == format!("subtitles/{}/1.vtt", &track.id[1..]);
    all.retain(|key| !playback.subtitles.iter().any(|track| is_of(key, track)));
    assert_eq!(all.len(), 1, "{all:?}");
    let id = all[0].split('/').nth(1).unwrap();
    for name in [format!("s{id}/1.vtt"), format!("s{id}/index.m3u8")] {
        let refused = house.media(&below(&playback, &name)).await;
        assert_eq!(refused, Err(StreamingError::MediaNotFound), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_file_of_subtitles_is_refused_in_words() {
    let house = House::new().await;
    let refused = async |req: AddSubtitles| house.room.add_subtitles(req).await.unwrap_err();
    let words = async |req: AddSubtitles| match refused(req).await {
        StreamingError::SubtitlesInvalid(words) => words,
        other => panic!("{other:?}"),
    };
    let good = srt("Hello");
    for (title, expected) in [
        (NO_TITLE, StreamingError::TitleNotFound),
        (SERIES, StreamingError::TitleIsSeries),
    ] {
        let mut req = add("a", "en", good.as_bytes());
        req.title = title;
        assert_eq!(refused(req).await, expected);
    }
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n";
    for (bytes, expected) in [
        (&b""[..], "holds no subtitles"),
        (playlist.as_bytes(), "holds no subtitles"),
        (b"\x1aE\xdf\xa3\0\0\0 1 --> 2", "is no text"),
        (b"WEBVTT\n\nNOTE nothing\n", "has nothing to show"),
        (b"[Script Info]\n", "nothing to show"),
    ] {
        let words = words(add("a", "en", bytes)).await;
        assert!(
            words.starts_with("Solaris.en.srt: it ") && words.contains(expected),
            "{words}"
        );
    }
    let large = vec![b'x'; SUBTITLE_BYTES_MAX + 1];
    assert!(words(add("a", "en", &large)).await.contains("4 MiB"));
    assert!(
        words(add("a", "klingonese", good.as_bytes()))
            .await
            .contains("nobody knows")
    );
    assert!(words(add("", "en", good.as_bytes())).await.contains("from nowhere"));
    let mut hostile = add("a", "en", good.as_bytes());
    hostile.filename = "\"; touch /tmp/x #\n\u{202e}.srt".into();
    let kept = house.room.add_subtitles(hostile).await.unwrap();
    assert_eq!(kept.filename, "; touch /tmp/x # .srt");
    for number in 1..32 {
        house
            .room
            .add_subtitles(add(&number.to_string(), "en", good.as_bytes()))
            .await
            .unwrap();
    }
    assert!(
        words(add("one more", "en", good.as_bytes()))
            .await
            .contains("more than a title may have")
    );
    house.room.add_subtitles(add("a", "de", good.as_bytes())).await.unwrap();
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new());
    house.delete_title(TITLE).await;
    assert_eq!(house.room.subtitle_files(ForVideo { title: TITLE }).await, Ok(vec![]));
    house.clock.advance((house.config.playback_s as i64 + 1) * 1000);
    house.room.tidy().await.unwrap();
    assert_eq!(house.blobs.list("").await.unwrap(), vec![]);
}

/// Taking a cue apart costs ffmpeg the square of its length: a megabyte of this is a minute and a half.
fn megabyte() -> String {
    "{\\".repeat(500_000)
}

/// Well below what a cue of a megabyte takes, well above what everything else does on a machine with much else to do.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_cue_of_a_megabyte_holds_nobody_up() {
    let mut house = House::new().await;
    let began = Instant::now();
    let long = srt(&megabyte()) + "\n2\n00:00:03,000 --> 00:00:04,000\nShort\n";
    house.room.add_subtitles(add("a", "en", long.as_bytes())).await.unwrap();
    let events = format!(
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
         Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{}\nDialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Short\n",
        megabyte()
    );
    house
        .room
        .add_subtitles(add("b", "de", events.as_bytes()))
        .await
        .unwrap();
    // Within a film it is left out, and the job says so.
    let (own, good) = (
        file("long.srt", long.as_bytes()),
        file("good.srt", srt("Good").as_bytes()),
    );
    let film = [&own, &good]
        .iter()
        .fold(Film::silent("320x180", "25", 4), |film, own| {
            film.input(&["-i", own.path.to_str().unwrap()])
        });
    let film = film
        .and(&["-c:s", "copy", "-metadata:s:s:1", "language=fre"])
        .make("mkv");
    let job = house.transcode(&film.path).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert!(
        format!("{job:?}").contains("1 subtitle track is left out: such show more at once than anybody could read"),
        "{job:?}"
    );
    let playback = house.start().await.unwrap();
    assert_eq!(labels(&playback), ["Français", "English", "Deutsch"]);
    for track in &playback.subtitles[1..] {
        let text = text(&house, &track.path).await.unwrap();
        assert!(text.ends_with("\n\n00:00:03.000 --> 00:00:04.000\nShort\n"), "{text}");
    }
}
