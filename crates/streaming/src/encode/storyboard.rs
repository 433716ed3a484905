//! The storyboard: small pictures at even distances, for the seek bar. Made last and from the lowest rung, of which only keyframes are
//! decoded: a fraction of what the source would cost.

use std::path::Path;

use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    command,
    extras::{self, Extra, Ran},
    probe,
    sandbox::{OUTPUT, SOURCE, Sandbox},
};
use crate::asset::{AssetIndex, Storyboard};

/// Of a picture's longer side.
const SIDE_PIXELS: u32 = 160;
/// Longer films have larger distances.
const PICTURES_MAX: u64 = 720;
const COLUMNS_MAX: u32 = 6;
const ROWS_MAX: u32 = 6;
const WRITTEN_BYTES_MAX: u64 = 64 << 20;

/// Makes the sheets as `1.jpg` and so on in `folder`, which is empty. `None`: they could not be made.
pub async fn make(
    sandbox: &Sandbox,
    (rung, folder): (&Path, &Path),
    index: &AssetIndex,
    cancel: &CancellationToken,
) -> Result<Option<(Storyboard, Vec<Extra>)>, Failure> {
    let Some(storyboard) = plan(index) else {
        return Ok(None);
    };
    let ran = extras::run(
        sandbox,
        arguments(&storyboard),
        (rung, folder),
        WRITTEN_BYTES_MAX,
        cancel,
    )
    .await?;
    if ran != Ran::Well {
        tracing::warn!(words = ran.words(), "the pictures for the seek bar cannot be made");
        return Ok(None);
    }
    Ok(collect(storyboard, folder).await)
}

async fn collect(mut storyboard: Storyboard, folder: &Path) -> Option<(Storyboard, Vec<Extra>)> {
    let mut files = Vec::new();
    let sheets = sheets(&storyboard);
    for number in 1..=sheets {
        let path = folder.join(format!("{number}.jpg"));
        let Ok(meta) = tokio::fs::metadata(&path).await else {
            tracing::warn!(number, sheets, "a sheet of pictures for the seek bar is missing");
            if number < sheets || number == 1 {
                return None;
            }
            // Times are whole milliseconds: a film may end a moment before its last picture.
            storyboard.pictures = (number - 1) * storyboard.pictures_per_sheet();
            break;
        };
        storyboard.bytes.push(meta.len());
        files.push(Extra {
            name: format!("{}/{number}.jpg", storyboard.name),
            path,
        });
    }
    Some((storyboard, files))
}

/// One picture a segment, or every second, third … one.
fn plan(index: &AssetIndex) -> Option<Storyboard> {
    let lowest = index.video.first()?;
    let segment = lowest.track.segments().next()?;
    let segment_ms = ((lowest.track.seconds(segment.duration) * 1000.0).ceil() as u64).max(1_000);
    let duration_ms = index.duration_ms.max(1);
    let interval_ms = segment_ms * duration_ms.div_ceil(segment_ms).div_ceil(PICTURES_MAX);
    let pictures = duration_ms.div_ceil(interval_ms) as u32;
    let columns = pictures.min(COLUMNS_MAX);
    let side = |own: u32, longer: u32| {
        let share = f64::from(own) / f64::from(longer.max(1));
        ((f64::from(SIDE_PIXELS) * share / 2.0).round() as u32 * 2).max(16)
    };
    let longer = lowest.width.max(lowest.height);
    Some(Storyboard {
        name: "b0".into(),
        width: side(lowest.width, longer),
        height: side(lowest.height, longer),
        columns,
        rows: pictures.div_ceil(columns).min(ROWS_MAX),
        interval_ms,
        pictures,
        bytes: Vec::new(),
    })
}

fn sheets(storyboard: &Storyboard) -> u32 {
    storyboard.pictures.div_ceil(storyboard.pictures_per_sheet())
}

fn arguments(storyboard: &Storyboard) -> Vec<String> {
    let mut arguments = command::quiet("error");
    arguments.extend(["-skip_frame", "nokey", "-threads", "1"].map(str::to_owned));
    arguments.extend(probe::input_options());
    // Each picture is the last keyframe that is not after its time.
    let filters = format!(
        "fps=1000/{}:start_time=0:round=up,scale={}:{},format=yuvj420p,tile={}x{}",
        storyboard.interval_ms, storyboard.width, storyboard.height, storyboard.columns, storyboard.rows
    );
    let sheets = sheets(storyboard).to_string();
    let words = [
        "-i",
        SOURCE,
        "-map",
        "0:v:0",
        "-vf",
        &filters,
        "-frames:v",
        &sheets,
        "-c:v",
        "mjpeg",
        "-q:v",
        "5",
        "-flags:v",
        "+bitexact",
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-f",
        "image2",
        "-y",
    ];
    arguments.extend(words.map(str::to_owned));
    arguments.push(format!("{OUTPUT}/%d.jpg"));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::{INDEX_VERSION, Track, VideoTrack};

    fn film(width: u32, height: u32, segment_ms: u64, segments: u32) -> AssetIndex {
        let mut track = Track {
            name: "v0".into(),
            codec: "avc1.64000d".into(),
            timescale: 1000,
            init_bytes: 1,
            bytes: vec![],
            durations: vec![],
        };
        (0..segments).for_each(|_| track.push(1, segment_ms));
        AssetIndex {
            version: INDEX_VERSION,
            duration_ms: track.duration(),
            frame_rate: (25, 1),
            video: vec![VideoTrack {
                width,
                height,
                keyframes: vec![],
                track,
            }],
            audio: vec![],
            subtitles: vec![],
            storyboard: None,
            chapters: vec![],
            notes: vec![],
            encrypted: false,
        }
    }

    #[test]
    fn pictures_are_as_many_as_a_seek_bar_can_show() {
        for ((width, height, segment_ms, segments), (picture, sheet, interval_ms, pictures)) in [
            ((426, 240, 2_000, 1), ((160, 90), (1, 1), 2_000, 1)),
            ((426, 240, 2_002, 7), ((160, 90), (6, 2), 2_002, 7)),
            ((240, 426, 2_000, 720), ((90, 160), (6, 6), 2_000, 720)),
            // Two hours.
            ((426, 178, 2_000, 3_600), ((160, 66), (6, 6), 10_000, 720)),
            // Twelve.
            ((426, 16, 2_000, 21_600), ((160, 16), (6, 6), 60_000, 720)),
            // One frame.
            ((320, 180, 40, 1), ((160, 90), (1, 1), 1_000, 1)),
        ] {
            let made = plan(&film(width, height, segment_ms, segments)).unwrap();
            let found = (
                (made.width, made.height),
                (made.columns, made.rows),
                made.interval_ms,
                made.pictures,
            );
            assert_eq!(found, (picture, sheet, interval_ms, pictures));
            assert!(sheets(&made) <= 20);
        }
        assert_eq!(plan(&film(426, 240, 2_000, 0)), None);
    }

    #[tokio::test]
    async fn a_last_sheet_that_has_no_picture_is_no_loss() {
        // At 27.3 pictures a second, 109 segments of 55 pictures.
        let mut index = film(426, 240, 55_000, 109);
        index.video[0].track.timescale = 27_300;
        index.duration_ms = 109 * 55_000 * 1_000 / 27_300;
        let planned = plan(&index).unwrap();
        assert_eq!((planned.pictures, sheets(&planned)), (109, 4));
        let folder = tempfile::tempdir().unwrap();
        for (number, left) in [(1, None), (2, None), (3, Some((108, 3))), (4, Some((109, 4)))] {
            std::fs::write(folder.path().join(format!("{number}.jpg")), b"sheet").unwrap();
            let made = collect(planned.clone(), folder.path()).await;
            let made = made.map(|(made, files)| {
                assert_eq!((made.bytes.len(), sheets(&made)), (files.len(), files.len() as u32));
                (made.pictures, files.len())
            });
            assert_eq!(made, left, "{number} sheets");
        }
    }
}
