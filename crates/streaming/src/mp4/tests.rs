//! Files that ffmpeg wrote, and garbage.

use std::{process::Command, sync::OnceLock};

use proptest::prelude::*;

use super::*;

/// A fragmented file as the encoder writes it.
fn encoded(arguments: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(arguments.split(' '))
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::read(path).unwrap()
}

fn film() -> &'static [u8] {
    static FILM: OnceLock<Vec<u8>> = OnceLock::new();
    FILM.get_or_init(|| {
        encoded(
            "-f lavfi -i testsrc2=size=128x72:rate=30000/1001:duration=5 -c:v libx264 -profile:v high -pix_fmt yuv420p -g 60 \
             -keyint_min 60 -sc_threshold 0 -movflags +frag_keyframe+empty_moov+default_base_moof+delay_moov",
        )
    })
}

fn read(bytes: &[u8]) -> Result<Layout, Mp4Error> {
    scan(&mut std::io::Cursor::new(bytes))
}

#[test]
fn a_film_is_read_to_the_tick() {
    let layout = read(film()).unwrap();
    assert_eq!(
        (layout.init.timescale, layout.init.media),
        (30_000, Media::Video { width: 128, height: 72 })
    );
    assert_eq!(layout.init.codec, "avc1.64000a");
    let times: Vec<_> = layout
        .pieces
        .iter()
        .map(|piece| (piece.fragment.decode_time, piece.fragment.duration))
        .collect();
    assert_eq!(times, [(0, 60_060), (60_060, 60_060), (120_120, 30 * 1001)]);
    assert!(layout.pieces.iter().all(|piece| piece.fragment.begins_with_sync));
    assert_eq!(layout.pieces[0].offset, layout.init_bytes);
    assert_eq!(
        layout.pieces.iter().map(|piece| piece.fragment.samples).sum::<u64>(),
        150
    );
}

#[test]
fn sound_is_read_to_the_sample() {
    let sound = encoded(
        "-f lavfi -i sine=duration=3 -c:a aac -ar 48000 -ac 2 -movflags +empty_moov+default_base_moof+cmaf -frag_duration 2000000",
    );
    let layout = read(&sound).unwrap();
    assert_eq!(
        (layout.init.timescale, layout.init.media),
        (48_000, Media::Audio { channels: 2 })
    );
    assert_eq!(layout.init.codec, "mp4a.40.2");
    assert_eq!(layout.pieces.len(), 2);
    assert_eq!(
        layout.pieces[1].fragment.decode_time,
        layout.pieces[0].fragment.duration
    );
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_shorter_and_never_a_panic() {
    let whole = read(film()).unwrap();
    for end in (0..film().len()).step_by(97) {
        if let Ok(layout) = read(&film()[..end]) {
            assert!(layout.pieces.len() < whole.pieces.len(), "cut at {end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes).ok();
    }

    #[test]
    fn a_film_with_altered_bytes_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        // Samples do not matter: all of it that is read stands in the first kilobytes.
        let mut bytes = film()[..8192.min(film().len())].to_vec();
        for (index, byte) in changes {
            let length = bytes.len().min(1600);
            bytes[index.index(length)] = byte;
        }
        read(&bytes).ok();
    }
}
