//! A storyboard for the player (WebVTT whose cues name parts of sheets), and for players that read image playlists.

use std::fmt::Write as _;

use crate::asset::Storyboard;

/// Of one sheet.
pub(super) struct Sheet {
    /// From 1.
    pub number: usize,
    pub bytes: u64,
    pub seconds: f64,
}

/// The sheets of a film that is so long, each with how long its pictures stand for.
pub(super) fn sheets(storyboard: &Storyboard, duration_ms: u64) -> impl Iterator<Item = Sheet> + '_ {
    let whole_ms = storyboard.interval_ms * u64::from(storyboard.pictures_per_sheet());
    storyboard.bytes.iter().enumerate().map(move |(index, &bytes)| {
        let left_ms = duration_ms.saturating_sub(index as u64 * whole_ms);
        Sheet {
            number: index + 1,
            bytes,
            seconds: left_ms.min(whole_ms) as f64 / 1000.0,
        }
    })
}

/// Bits per second of the largest sheet, and of all.
pub(super) fn bandwidth(storyboard: &Storyboard, duration_ms: u64) -> u64 {
    let rate = |sheet: Sheet| ((sheet.bytes * 8) as f64 / sheet.seconds.max(1.0)).ceil() as u64;
    sheets(storyboard, duration_ms).map(rate).max().unwrap_or(0)
}

/// `b0/index.vtt`: `1.jpg#xywh=160,0,160,90` for every picture's time.
pub fn cues(storyboard: &Storyboard, duration_ms: u64) -> String {
    let mut text = String::from("WEBVTT\n");
    let per_sheet = storyboard.pictures_per_sheet();
    for picture in 0..storyboard.pictures {
        let from_ms = u64::from(picture) * storyboard.interval_ms;
        let to_ms = (from_ms + storyboard.interval_ms).min(duration_ms);
        if from_ms >= to_ms {
            break;
        }
        let place = picture % per_sheet;
        let _ = write!(
            text,
            "\n{} --> {}\n{}.jpg#xywh={},{},{},{}\n",
            time(from_ms),
            time(to_ms),
            picture / per_sheet + 1,
            place % storyboard.columns.max(1) * storyboard.width,
            place / storyboard.columns.max(1) * storyboard.height,
            storyboard.width,
            storyboard.height
        );
    }
    text
}

/// `b0/index.m3u8`: sheets as segments, with tags that players know which know image playlists at all.
pub(super) fn image_playlist(storyboard: &Storyboard, duration_ms: u64) -> String {
    let seconds = sheets(storyboard, duration_ms).map(|sheet| sheet.seconds);
    let longest = seconds.fold(1.0, f64::max).ceil();
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest}\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-IMAGES-ONLY\n"
    );
    for sheet in sheets(storyboard, duration_ms) {
        let _ = write!(
            text,
            "#EXTINF:{:.6},\n#EXT-X-TILES:RESOLUTION={}x{},LAYOUT={}x{},DURATION={:.3}\n{}.jpg\n",
            sheet.seconds,
            storyboard.width,
            storyboard.height,
            storyboard.columns,
            storyboard.rows,
            storyboard.interval_ms as f64 / 1000.0,
            sheet.number
        );
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// As WebVTT writes it, with hours.
pub(crate) fn time(ms: u64) -> String {
    let (hours, minutes, seconds, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}
