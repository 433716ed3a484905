//! What a film has beside picture and sound, on its way from the source to the player: subtitles, chapters, an opening, a storyboard,
//! keyframes for winding.

use std::path::Path;

use contract::{
    jobs::JobState,
    streaming::{MediaBody, Playback, SubtitleKind, Subtitles},
};
use testkit::films::{Film, Made, ffprobe, file};

use crate::support::{House, below};

const SRT: &str = "1\n00:00:01,000 --> 00:00:02,000\nHello <b>you</b> & me --> {\\an8}there\n\n2\n00:00:02,500 --> 00:00:09,000\n\
                   <script>late</script>&lt;b&gt;\n";
const VTT: &str = "WEBVTT\n\nNOTE secret\n\n00:01.000 --> 00:02.000 line:0\n[a door <i>slams]\n";
const ASS: &str = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\n\
                   Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
                   Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Guten{\\i0} Abend\\N{\\pos(1,2)}zusammen\n";

/// Another stream of a film: a file whose bytes are these.
fn with(film: Film, file: &Made) -> Film {
    film.input(&["-i", file.path.to_str().unwrap()])
}

fn short() -> Film {
    Film::silent("320x180", "25", 4)
}

/// What the player gets of one subtitle track.
async fn text(house: &House, subtitles: &Subtitles) -> String {
    let media = house.media(&subtitles.path).await.unwrap();
    assert_eq!(media.content_type, "text/vtt; charset=utf-8");
    assert!(media.cache_control.contains("immutable"), "{}", media.cache_control);
    let MediaBody::Stored { key, bytes } = media.body else {
        panic!("{} is not stored", subtitles.path);
    };
    let stored = house.blobs.get(&key).await.unwrap();
    assert_eq!(stored.len() as u64, bytes);
    String::from_utf8(stored.to_vec()).unwrap()
}

fn lines<'a>(manifest: &'a str, tag: &str) -> Vec<&'a str> {
    manifest.lines().filter(|line| line.starts_with(tag)).collect()
}

/// A film with subtitles of three kinds in three formats, one with a name that should not be repeated as it is.
fn three_kinds() -> Made {
    let (srt, ass, vtt) = (
        file("a.srt", SRT.as_bytes()),
        file("b.ass", ASS.as_bytes()),
        file("c.vtt", VTT.as_bytes()),
    );
    let named = "title=Director's \"cut\"\n#EXT-X-ENDLIST";
    let film = [&srt, &ass, &vtt].into_iter().fold(short(), with);
    film.and(&["-c:s", "copy", "-c:s:2", "webvtt"])
        .and(&["-metadata:s:s:0", "language=eng", "-metadata:s:s:0", named])
        .and(&["-metadata:s:s:1", "language=ger", "-disposition:s:1", "forced"])
        .and(&[
            "-metadata:s:s:2",
            "language=eng",
            "-disposition:s:2",
            "hearing_impaired",
        ])
        .make("mkv")
}

#[tokio::test]
async fn text_subtitles_become_webvtt_that_says_whose_language_they_are_and_what_for() {
    let mut house = House::new().await;
    let playback = house.play(&three_kinds().path).await;
    let said: Vec<_> = playback
        .subtitles
        .iter()
        .map(|track| {
            (
                track.id.as_str(),
                track.language.as_deref(),
                track.label.as_str(),
                track.kind,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (
                "s0",
                Some("en"),
                "Director's cut #EXT-X-ENDLIST",
                SubtitleKind::Subtitles
            ),
            ("s1", Some("de"), "Deutsch (forced)", SubtitleKind::Forced),
            ("s2", Some("en"), "English (SDH)", SubtitleKind::Captions),
        ]
    );
    assert_eq!(
        text(&house, &playback.subtitles[0]).await,
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello <b>you</b> &amp; me --&gt; there\n\n00:00:02.500 --> 00:00:04.000\nlate&lt;b&gt;\n"
    );
    assert_eq!(
        text(&house, &playback.subtitles[1]).await,
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<i>Guten</i> Abend\nzusammen\n"
    );
    let captions = text(&house, &playback.subtitles[2]).await;
    assert!(captions.ends_with("\n[a door <i>slams]</i>\n"), "{captions}");
    manifests_name_three_kinds(&house, &playback).await;
}

async fn manifests_name_three_kinds(house: &House, playback: &Playback) {
    let master = house.manifest(playback, "master.m3u8").await;
    let renditions = lines(&master, "#EXT-X-MEDIA:TYPE=SUBTITLES");
    assert_eq!(renditions.len(), 3, "{master}");
    for (rendition, part) in renditions.iter().zip([
        "NAME=\"Director\u{2019}s cut #EXT-X-ENDLIST\",LANGUAGE=\"en\"",
        "LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES",
        "public.accessibility.transcribes-spoken-dialog",
    ]) {
        assert!(rendition.contains(part), "{part}: {master}");
    }
    let variants = lines(&master, "#EXT-X-STREAM-INF");
    let name_them = |line: &&str| line.contains("SUBTITLES=\"subtitles\"");
    assert!(variants.iter().all(name_them), "{master}");
    let playlist = house.manifest(playback, "s1/index.m3u8").await;
    assert!(
        playlist.contains("#EXTINF:4.000000,\n1.vtt\n#EXT-X-ENDLIST"),
        "{playlist}"
    );
    let dash = house.manifest(playback, "manifest.mpd").await;
    assert!(
        dash.contains("value=\"forced-subtitle\"") && dash.contains("<BaseURL>s2/1.vtt</BaseURL>"),
        "{dash}"
    );
}

#[tokio::test]
async fn subtitles_of_an_mp4_and_beside_a_late_picture_stand_at_their_time() {
    let mut house = House::new().await;
    let srt = file("a.srt", SRT.as_bytes());
    let film = with(short(), &srt).and(&["-c:s", "mov_text", "-metadata:s:s:0", "language=fre"]);
    let playback = house.play(&film.make("mp4").path).await;
    assert_eq!(playback.subtitles[0].label, "Français");
    let written = text(&house, &playback.subtitles[0]).await;
    assert!(
        written.contains("00:00:01.000 --> 00:00:02.000\nHello <b>you</b>"),
        "{written}"
    );

    // All of it begins at 0.8 s: so does the time of what is shown.
    let film = with(short().later(0.8), &srt).later(0.8).and(&["-c:s", "copy"]);
    let playback = house.play(&film.make("mkv").path).await;
    let written = text(&house, &playback.subtitles[0]).await;
    assert!(written.starts_with("WEBVTT\n\n00:00:01.000 -->"), "{written}");
}

/// Three presentation segments of a Blu-ray's subtitles, which are pictures, as its players get them.
fn pictures() -> Made {
    let mut bytes = Vec::new();
    for second in 1..=3_u32 {
        for (kind, body) in [(0x16_u8, &[1, 64, 0, 180, 0x10, 0, 0, 0x80, 0, 0, 0][..]), (0x80, &[])] {
            bytes.extend(b"PG");
            bytes.extend((90_000 * second).to_be_bytes());
            bytes.extend([0; 4]);
            bytes.push(kind);
            bytes.extend((body.len() as u16).to_be_bytes());
            bytes.extend(body);
        }
    }
    file("pictures.sup", &bytes)
}

#[tokio::test]
async fn what_cannot_be_shown_as_text_is_left_out_and_the_job_says_so() {
    let broken = format!("1\n00:00:01,000 --> 00:00:02,000\n{}\n", "x".repeat(1_060_000));
    let (good, broken, pictures) = (
        file("a.srt", SRT.as_bytes()),
        file("b.srt", broken.as_bytes()),
        pictures(),
    );
    let empty = file("c.vtt", b"WEBVTT\n\nNOTE nothing\n\n00:00.000 --> 00:00.000\nnever\n");
    let film = [&broken, &pictures, &good, &empty].into_iter().fold(short(), with);
    let mut house = House::new().await;
    let job = house.transcode(&film.and(&["-c:s", "copy"]).make("mkv").path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let playback = house.start().await.unwrap();
    assert_eq!(playback.subtitles.len(), 1);
    assert!(text(&house, &playback.subtitles[0]).await.contains("Hello"));
    let outcome = format!("{job:?}");
    for note in [
        "pictures, and only text can be read",
        "show more at once than anybody could read",
        "are empty",
    ] {
        assert!(outcome.contains(note), "{note}: {outcome}");
    }
}

#[tokio::test]
async fn a_hundred_subtitle_tracks_are_thirty_two() {
    let srt = file("a.srt", SRT.as_bytes());
    let path = srt.path.to_str().unwrap();
    let mut film = short().input(&["-i", path]);
    // The same stream again and again.
    for _ in 0..99 {
        film = film.and(&["-map", "1:0"]);
    }
    let film = film.and(&["-c:s", "copy"]).make("mkv");
    assert_eq!(
        ffprobe(&["-select_streams", "s", "-show_entries", "stream=index"], &film.path).len(),
        100
    );
    let mut house = House::new().await;
    let job = house.transcode(&film.path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert!(
        format!("{job:?}").contains("68 subtitle tracks are left out"),
        "{job:?}"
    );
    let playback = house.start().await.unwrap();
    let mut labels: Vec<_> = playback.subtitles.iter().map(|track| track.label.clone()).collect();
    labels.dedup();
    assert_eq!((labels.len(), labels[31].as_str()), (32, "Subtitles 32"));
}

/// The mean colour of a part of a picture.
fn colour(sheet: &Path, part: &str) -> (u8, u8, u8) {
    let numbers: Vec<&str> = part.split(',').collect();
    let [x, y, width, height] = numbers[..] else {
        panic!("{part}")
    };
    let crop = format!("crop={width}:{height}:{x}:{y},scale=1:1,format=rgb24");
    let mean = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(sheet)
        .args(["-vf", &crop, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let [red, green, blue] = mean.stdout[..] else {
        panic!("{mean:?}")
    };
    (red, green, blue)
}

/// The cues of a storyboard: from when (as it is written), of which sheet, which part.
async fn storyboard(house: &House, playback: &Playback) -> Vec<(String, String, String)> {
    let path = playback.storyboard_path.as_ref().unwrap();
    let MediaBody::Inline(text) = house.media(path).await.unwrap().body else {
        panic!("{path} is stored");
    };
    let text = String::from_utf8(text.0).unwrap();
    let cues = text.strip_prefix("WEBVTT\n\n").unwrap().split("\n\n");
    cues.map(|cue| {
        let (times, picture) = cue.trim_end().split_once('\n').unwrap();
        let (sheet, part) = picture.split_once("#xywh=").unwrap();
        (
            times.split(' ').next().unwrap().to_owned(),
            sheet.to_owned(),
            part.to_owned(),
        )
    })
    .collect()
}

#[tokio::test]
async fn the_storyboard_shows_what_is_there_at_that_time() {
    let graph = "color=c=red:s=320x180:r=25:d=9[a];color=c=blue:s=320x180:r=25:d=6[b];[a][b]concat";
    let film = Film::default()
        .input(&["-f", "lavfi", "-i", graph])
        .coded(&["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    let mut house = House::new().await;
    let playback = house.play(&film.make("mp4").path).await;
    let folder = house.download(&playback).await;
    let cues = storyboard(&house, &playback).await;
    let times: Vec<_> = cues.iter().map(|(time, ..)| &time[6..]).collect();
    assert_eq!(
        times,
        [
            "00.000", "02.000", "04.000", "06.000", "08.000", "10.000", "12.000", "14.000"
        ]
    );
    for (position, (time, sheet, part)) in cues.iter().enumerate() {
        let (red, green, blue) = colour(&folder.path().join("b0").join(sheet), part);
        let is_red = position < 5;
        assert!(
            (red > 200) == is_red && (blue > 200) != is_red && green < 60,
            "{time}: {red} {green} {blue}"
        );
    }
    assert_eq!(cues[7].2, "160,90,160,90");
    let sheet = ffprobe(
        &["-show_entries", "stream=codec_name,width,height"],
        &folder.path().join("b0/1.jpg"),
    );
    assert_eq!(sheet, ["mjpeg,960,180"]);
    let images = house.manifest(&playback, "b0/index.m3u8").await;
    assert!(
        images.contains("#EXT-X-IMAGES-ONLY\n")
            && images.contains("#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=6x2,DURATION=2.000\n1.jpg\n"),
        "{images}"
    );
    let sheet = house.media(&below(&playback, "b0/1.jpg")).await.unwrap();
    assert_eq!(sheet.content_type, "image/jpeg");
    for wrong in [
        "b0/2.jpg",
        "b0/0.jpg",
        "b1/1.jpg",
        "s0/1.vtt",
        "s0/index.m3u8",
        "v9/iframes.m3u8",
    ] {
        assert!(house.media(&below(&playback, wrong)).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_film_of_one_frame_has_one_picture() {
    let film = Film::silent("320x180", "25", 1).and(&["-frames:v", "1"]).make("mp4");
    let mut house = House::new().await;
    let playback = house.play(&film.path).await;
    let cues = storyboard(&house, &playback).await;
    assert_eq!(cues, [("00:00:00.000".into(), "1.jpg".into(), "0,0,160,90".into())]);
}

#[tokio::test]
async fn every_byte_range_of_a_keyframe_playlist_is_one_whole_picture() {
    let mut house = House::new().await;
    let playback = house
        .play(&Film::silent("640x360", "24000/1001", 7).make("mp4").path)
        .await;
    let folder = house.download(&playback).await;
    let master = house.manifest(&playback, "master.m3u8").await;
    assert_eq!(lines(&master, "#EXT-X-I-FRAME-STREAM-INF").len(), 2, "{master}");
    for rung in ["v0", "v1"] {
        let playlist = house.manifest(&playback, &format!("{rung}/iframes.m3u8")).await;
        let ranges = lines(&playlist, "#EXT-X-BYTERANGE:");
        assert_eq!(ranges.len(), 4, "{playlist}");
        for (position, range) in ranges.iter().enumerate() {
            let bytes: usize = range
                .trim_start_matches("#EXT-X-BYTERANGE:")
                .strip_suffix("@0")
                .unwrap()
                .parse()
                .unwrap();
            let own = folder.path().join(rung);
            let segment = std::fs::read(own.join(format!("{}.m4s", position + 1))).unwrap();
            assert!(bytes < segment.len(), "{range} of {}", segment.len());
            let mut piece = std::fs::read(own.join("init.mp4")).unwrap();
            piece.extend(&segment[..bytes]);
            let piece = file("piece.mp4", &piece);
            let mut pictures = ffprobe(&["-show_entries", "frame=pict_type"], &piece.path);
            pictures.retain(|picture| !picture.is_empty());
            assert_eq!(pictures, ["I"], "{rung} {range}");
        }
    }
}

#[tokio::test]
async fn chapters_are_told_and_the_one_that_is_the_opening() {
    let mut house = House::new().await;
    let ten = Film::silent("320x180", "25", 10);
    let chapters = [
        ("Cold open", 0, 1),
        ("Opening", 1, 3),
        ("The \"film\"", 3, 9),
        ("Credits", 9, 10),
    ];
    let playback = house.play(&ten.clone().chapters(&chapters).make("mkv").path).await;
    let told: Vec<_> = playback
        .chapters
        .iter()
        .map(|chapter| (chapter.start_ms, chapter.name.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (0, "Cold open"),
            (1_000, "Opening"),
            (3_000, "The film"),
            (9_000, "Credits")
        ]
    );
    assert_eq!(
        (playback.intro_ms, playback.credits_ms),
        (Some((1_000, 3_000)), Some(9_000))
    );
    let late = [("The film", 0, 9), ("Opening", 9, 10)];
    let playback = house.play(&ten.chapters(&late).make("mp4").path).await;
    assert_eq!(playback.intro_ms, None, "an opening at the end is none");
}
