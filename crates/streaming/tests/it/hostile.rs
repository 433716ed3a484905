//! Headers that lie: about how long a film is, how many pictures it has and how large they are, how long its parts are, and where its
//! pictures lie; and files that lie within a film, under names that lead elsewhere. What is true of the film decides, or it is refused; no lie
//! makes anybody wait, take memory, or read or write another file.

use std::time::{Duration, Instant};

use contract::events::EventBody;
use testkit::films::{Film, ffprobe, file, film};

use crate::{
    bad_input::refused,
    chunks::stored,
    support::{House, TITLE},
};

/// More than the honest film needs; each lie asks for gigabytes.
const MEMORY_KB_MAX: u64 = 48 << 10;
/// Of what is stored of two seconds: the lies are about terabytes.
const STORED_BYTES_MAX: u64 = 1 << 20;
/// The lie about the length alone would allow for a month.
const PATIENCE: Duration = Duration::from_secs(60);

/// A film whose header can be altered.
#[derive(Clone)]
struct Header(Vec<u8>);

impl Header {
    /// Where the names of all boxes of this kind stand.
    fn boxes(&self, kind: &[u8; 4]) -> Vec<usize> {
        let fours = self.0.windows(4).enumerate();
        let found: Vec<usize> = fours.filter(|(_, four)| four == kind).map(|(at, _)| at).collect();
        assert!(!found.is_empty(), "no {}", String::from_utf8_lossy(kind));
        found
    }

    /// In every box of the kind, so far behind its name.
    fn says(mut self, kind: &[u8; 4], behind: isize, value: u32) -> Self {
        for at in self.boxes(kind) {
            self.put(at.checked_add_signed(behind).unwrap(), value);
        }
        self
    }

    fn get(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    fn put(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    /// The first description of the pictures, which names a height and a width.
    fn coded_in(mut self, size: u32) -> Self {
        // The name of a brand of files stands before it.
        let description = self.boxes(b"avc1")[1];
        self.put(description + 28, size);
        self
    }

    /// Every clock in it says so many seconds.
    fn lasts(mut self, seconds: u32) -> Self {
        for kind in [b"mvhd", b"mdhd"] {
            for at in self.boxes(kind) {
                let scale = self.get(at + 16);
                self.put(at + 20, scale.wrapping_mul(seconds));
            }
        }
        self.says(b"tkhd", 24, seconds.wrapping_mul(1000))
    }

    /// The pictures lie in another file, by the one kind of reference that ffmpeg knows how to follow.
    fn pictures_in(mut self, path: &str) -> Self {
        let url = self.boxes(b"url ")[0];
        let mut alias = [&[0; 4][..], b"alis", &[0; 4], &[0; 150], &[0, 2]].concat();
        alias.extend(u16::try_from(path.len()).unwrap().to_be_bytes());
        alias.extend(path.bytes().chain(std::iter::repeat_n(0, path.len() % 2)));
        alias.extend([0xff, 0xff, 0, 0]);
        let size = u32::try_from(alias.len()).unwrap();
        alias[..4].copy_from_slice(&size.to_be_bytes());
        let more = size - 12;
        for kind in [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"] {
            let at = self.boxes(kind)[0] - 4;
            let before = self.get(at);
            self.put(at, before + more);
        }
        for table in self.boxes(b"stco") {
            for entry in 0..self.get(table + 8) as usize {
                let at = table + 12 + 4 * entry;
                let before = self.get(at);
                self.put(at, before + more);
            }
        }
        self.0.splice(url - 4..url + 8, alias);
        self
    }
}

/// The most memory that this process ever held.
fn memory_kb_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}

async fn within_bounds(house: &House, lie: &str, began: Instant, memory_before: u64) {
    assert!(began.elapsed() < PATIENCE, "{lie} took {:?}", began.elapsed());
    let memory = memory_kb_max() - memory_before;
    assert!(memory < MEMORY_KB_MAX, "{lie} took {memory} kB");
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new(), "{lie}");
    assert_eq!(
        house.lying_in("uploads").len(),
        usize::from(house.start().await.is_err()),
        "{lie}"
    );
}

#[tokio::test]
async fn a_hostile_header_is_not_believed() {
    let honest = Header(std::fs::read(film("320x180", "25", 2).path).unwrap());
    let vast = 16_384 << 16 | 16_384;
    let lies = [
        ("twelve hours", honest.clone().lasts(43_200)),
        ("four days", honest.clone().lasts(345_600)),
        (
            "two thousand million pictures",
            honest.clone().says(b"stts", 12, 0x7fff_ffff),
        ),
        ("a vast picture", honest.clone().coded_in(vast)),
        (
            "shown vastly",
            honest.clone().says(b"tkhd", 80, vast).says(b"tkhd", 84, vast),
        ),
        (
            "a header of two gigabytes",
            honest.clone().says(b"moov", -4, 0x7fff_ffff),
        ),
        ("a body of two gigabytes", honest.clone().says(b"mdat", -4, 0x7fff_ffff)),
    ];
    let claimed = file("film.mp4", &lies[0].1.0);
    assert_eq!(
        ffprobe(&["-show_entries", "format=duration"], &claimed.path),
        ["43200.000000"]
    );
    for (lie, header) in lies {
        let mut house = House::new().await;
        let (began, memory) = (Instant::now(), memory_kb_max());
        // Its tables of samples know better, and all of those are there.
        let playback = house.play(&file("film.mp4", &header.0).path).await;
        assert_eq!(playback.duration_ms, 2_000, "{lie}");
        let ready = EventBody::AssetReady {
            title: TITLE,
            asset: playback.asset,
            duration_ms: 2_000,
            height: 180,
        };
        assert_eq!(house.facts().await, [ready], "{lie}");
        let master = house.manifest(&playback, "master.m3u8").await;
        assert_eq!(master.matches("#EXT-X-STREAM-INF").count(), 1, "{lie}: {master}");
        assert!(master.contains("RESOLUTION=320x180"), "{lie}: {master}");
        let playlist = house.manifest(&playback, "v0/index.m3u8").await;
        assert_eq!(playlist.matches("#EXTINF:2.000000,").count(), 1, "{lie}: {playlist}");
        let stored = house.blobs.list("assets").await.unwrap();
        let bytes: u64 = stored.iter().map(|file| file.bytes).sum();
        assert!(bytes < STORED_BYTES_MAX, "{lie} took {bytes} bytes");
        within_bounds(&house, lie, began, memory).await;
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_true_is_refused_before_anything_is_done_for_it() {
    let honest = Header(std::fs::read(film("320x180", "25", 2).path).unwrap());
    let tables: [(&[u8; 4], isize); 4] = [(b"stts", 8), (b"stsz", 12), (b"stco", 8), (b"stsc", 8)];
    for (table, behind) in tables {
        let lie = String::from_utf8_lossy(table);
        let mut house = House::new().await;
        let (began, memory) = (Instant::now(), memory_kb_max());
        let header = honest.clone().says(table, behind, 0x0fff_ffff);
        let words = refused(&mut house, &file("film.mp4", &header.0)).await;
        let reasons = [
            "This file is not a video that Kinora knows, or it is damaged at its beginning.",
            "This file says that there is more in it than in any film; its header is damaged.",
        ];
        assert!(reasons.contains(&words.as_str()), "{lie}: {words}");
        within_bounds(&house, &lie, began, memory).await;
    }
}

#[tokio::test]
async fn pictures_that_are_said_to_lie_in_another_file_are_not_fetched_from_there() {
    let other = film("320x180", "25", 2);
    let honest = Header(std::fs::read(&other.path).unwrap());
    let mut house = House::new().await;
    for path in [other.path.to_str().unwrap(), "/etc/passwd", "../uploads/1"] {
        let header = honest.clone().pictures_in(path);
        let words = refused(&mut house, &file("film.mp4", &header.0)).await;
        assert_eq!(
            words, "Not one picture of this file could be decoded; it is damaged.",
            "{path}"
        );
    }
}

#[tokio::test]
async fn little_that_becomes_much_stays_within_bounds() {
    let dark = |size: &str, seconds: u32| {
        let black = format!("color=black:size={size}:rate=1:duration={seconds}");
        let film = Film::default().input(&["-f", "lavfi", "-i", &black]);
        film.coded(&[
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "40", "-pix_fmt", "yuv420p", "-g", "600",
        ])
    };
    for (bomb, film, seconds) in [
        ("twenty minutes of darkness", dark("160x90", 1_200), 1_200),
        ("thirty million black pixels", dark("7680x4320", 2), 2),
    ] {
        let made = film.make("mp4");
        assert!(std::fs::metadata(&made.path).unwrap().len() < 1 << 20, "{bomb}");
        let mut house = House::new().await;
        house.work_at_once(2);
        let (began, memory) = (Instant::now(), memory_kb_max());
        let playback = house.play(&made.path).await;
        assert_eq!(playback.duration_ms, seconds * 1_000, "{bomb}");
        within_bounds(&house, bomb, began, memory).await;
    }
}

/// Names that lead out of a folder, onto a terminal, or into a manifest.
const NAMES: [&str; 6] = [
    "../../attached-x",
    "/tmp/attached-x",
    "attached-x\u{1b}[2J\r\n\u{1}.ttf",
    "attached-x\"\n#EXT-X-ENDLIST\n.otf",
    "attached-x$(touch attached-x);'`.ttf",
    "CON",
];

/// With fonts that are none, and one that says that it is the film's cover.
fn with_attachments() -> testkit::films::Made {
    let font = file("font.ttf", &[b"OTTO", &[0xff; 100_000][..]].concat());
    let path = font.path.to_str().unwrap();
    let mut film = Film::new("320x180", "25", 2);
    for (number, name) in NAMES.iter().enumerate() {
        let kind = ["application/x-truetype-font", "font/otf", "image/png"][number % 3];
        let of = format!("-metadata:s:t:{number}");
        film = film.and(&["-attach", path, &of, &format!("mimetype={kind}")]);
        film = film.and(&[&of, &format!("filename={name}")]);
    }
    film.make("mkv")
}

fn names_below(folder: &std::path::Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        names.push(entry.file_name().to_string_lossy().into_owned());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names_below(&entry.path(), names);
        }
    }
}

#[tokio::test]
async fn what_is_attached_to_a_film_is_left_there_whatever_it_is_called() {
    let hostile = with_attachments();
    let attached = ffprobe(
        &["-select_streams", "t", "-show_entries", "stream_tags=filename"],
        &hostile.path,
    );
    assert!(attached.len() >= 4, "{attached:?}");
    let mut plain = House::new().await;
    let playback = plain.play(&Film::new("320x180", "25", 2).make("mkv").path).await;
    let duration_ms = playback.duration_ms;
    let expected: Vec<String> = stored(&plain, &playback).await.into_keys().collect();

    let mut house = House::new().await;
    let (began, memory) = (Instant::now(), memory_kb_max());
    let job = house.transcode(&hostile.path).await;
    let outcome = job.outcome.clone().unwrap_or_else(|| panic!("{job:?}"));
    let playback = house.start().await.unwrap();
    assert_eq!(playback.duration_ms, duration_ms);
    // The same files as of any film, in which nothing of theirs is.
    let all = stored(&house, &playback).await;
    assert!(all.keys().eq(&expected), "{:?}", all.keys());
    for (name, bytes) in &all {
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
        assert!(!holds(b"OTTO") && !holds(b"attached-x"), "{name}");
    }
    for manifest in ["master.m3u8", "v0/index.m3u8", "manifest.mpd"] {
        let text = house.manifest(&playback, manifest).await;
        assert!(
            !text.contains("attached-x") && !text.contains('\u{1b}'),
            "{manifest}: {text}"
        );
    }
    assert!(
        !outcome.contains("attached") && !outcome.contains(char::is_control),
        "{outcome}"
    );
    let mut names = Vec::new();
    names_below(house.data.path(), &mut names);
    assert!(
        names.iter().all(|name| !name.contains("attached") && name != "CON"),
        "{names:?}"
    );
    let outside = [
        house.data.path().parent().unwrap(),
        std::path::Path::new("/tmp"),
        std::path::Path::new("."),
    ];
    assert!(outside.iter().all(|folder| !folder.join("attached-x").exists()));
    within_bounds(&house, "attachments", began, memory).await;
}
