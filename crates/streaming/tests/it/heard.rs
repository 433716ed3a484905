//! What is heard: the sound of a film, decoded as a player does, beside that of its source, sample by sample. It is the source's, by one
//! factor louder or quieter, at the same moment of the picture, with no click where segments or chunks of the picture meet.

use std::{path::Path, process::Command};

use testkit::films::{Film, Made, ffprobe};

use crate::support::House;

const RATE: usize = 48_000;
/// Of one packet.
const BLOCK: usize = 1024;
/// Three chunks of picture, more than thirty segments.
const SECONDS: usize = 70;
/// How far the encoder may be off, beside how loud the loudest is: at any sample, and over any packet. One sample too many or too few would
/// be more, from some pitch on.
const SAMPLE_OFF_MAX: f32 = 0.15;
const BLOCK_OFF_MAX: f32 = 0.05;
/// Where a sound begins or ends at once, its packets are woven with silence: it rises and falls within them.
const EDGE: usize = 2 * BLOCK;
/// The first packet of a film has none before it that it could be woven with, as any after a seek: it rises, and is the source at its end.
const RISEN: usize = BLOCK - BLOCK / 16;
/// How steep and how loud it may be beside the source: a click is ten times as steep. Where it begins in the midst of silence, its rise is
/// added.
const STEEPER_MAX: f32 = 1.5;
const STEEPER_IN_SILENCE_MAX: f32 = 2.0;
const LOUDER_MAX: f32 = 1.2;

/// Channel by channel.
type Pcm = Vec<Vec<f32>>;

fn decoded(file: &Path, track: &str, channels: usize) -> Pcm {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", track, "-f", "f32le", "-c:a", "pcm_f32le", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (samples, _) = output.stdout.as_chunks::<4>();
    let samples: Vec<f32> = samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let of_channel = |channel| samples.iter().skip(channel).step_by(channels).copied().collect();
    (0..channels).map(of_channel).collect()
}

/// A film whose every channel rises in pitch on its own, so that no two moments and no two channels sound alike.
fn rising(layout: &str, channels: usize, later_s: f64) -> Made {
    let channel = |channel: usize| {
        let (hertz, rise) = match (layout, channel) {
            // The one for bass takes nothing else.
            ("5.1", 3) => (30.0, 0.2),
            _ => (200.0 + 90.0 * channel as f64, 3.0 + channel as f64),
        };
        format!("0.1*sin(2*PI*({hertz}*t+{rise}*t*t))")
    };
    let all: Vec<String> = (0..channels).map(channel).collect();
    let sound = format!("aevalsrc='{}':c={layout}:s={RATE}:d={SECONDS}", all.join("|"));
    Film::silent("160x90", "25", SECONDS)
        .input(&["-f", "lavfi", "-i", &sound])
        .later(later_s)
        .and(&["-c:a", "flac", "-g", "83"])
        .make("mkv")
}

fn first_packet(file: &Path) -> String {
    ffprobe(&["-show_entries", "packet=pts_time"], file)[0].clone()
}

/// One factor for all of a channel, by least squares.
fn factor(source: &[f32], heard: &[f32]) -> f32 {
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        source
            .iter()
            .zip(heard)
            .map(|(source, heard)| of(f64::from(*source), f64::from(*heard)))
            .sum()
    };
    (sum(&|source, heard| source * heard) / sum(&|source, _| source * source)) as f32
}

/// What is heard beside what should be.
fn off(source: &[f32], heard: &[f32], factor: f32) -> Vec<f32> {
    let pairs = source.iter().zip(heard);
    pairs.map(|(source, heard)| heard - factor * source).collect()
}

fn loudest(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, sample| sample.abs().max(most))
}

fn steepest(samples: &[f32]) -> f32 {
    samples
        .windows(2)
        .fold(0.0, |most, pair| (pair[1] - pair[0]).abs().max(most))
}

/// What stands in the source from its beginning on is heard from `later` on.
fn is_the_same(source: &Pcm, heard: &Pcm, later: usize) -> Vec<f32> {
    let mut factors = Vec::new();
    for (channel, (source, heard)) in source.iter().zip(heard).enumerate() {
        assert_eq!(source.len(), SECONDS * RATE, "{channel}");
        let whole = later + source.len();
        // The last packet is filled up.
        assert!(
            (whole..whole + 2 * BLOCK).contains(&heard.len()),
            "{channel}: {} for {whole}",
            heard.len()
        );
        let (before, heard) = heard.split_at(later);
        assert!(
            loudest(&before[..later.saturating_sub(EDGE)]) < 0.001,
            "{channel}: silence"
        );
        let factor = factor(source, heard);
        let (loud, steep) = (factor * loudest(source), factor * steepest(source));
        let (begins, steeper) = match later {
            0 => (BLOCK, STEEPER_MAX),
            _ => (EDGE, STEEPER_IN_SILENCE_MAX),
        };
        let beginning = &heard[..EDGE];
        assert!(
            steepest(beginning) < steeper * steep && loudest(beginning) < LOUDER_MAX * loud,
            "{channel}: a click, {} beside {steep}, {} beside {loud}",
            steepest(beginning),
            loudest(beginning)
        );
        if later == 0 {
            let risen = off(&source[RISEN..BLOCK], &heard[RISEN..BLOCK], factor);
            assert!(loudest(&risen) < SAMPLE_OFF_MAX * loud, "{channel}: it has not risen");
        }
        let within = begins..source.len() - EDGE;
        let (source, heard) = (&source[within.clone()], &heard[within]);
        assert!(steepest(heard) < STEEPER_MAX * steep, "{channel}: a click");
        assert!(loudest(heard) < LOUDER_MAX * loud, "{channel}");
        for (block, (source, heard)) in source.chunks(BLOCK).zip(heard.chunks(BLOCK)).enumerate() {
            let off = off(source, heard, factor);
            let mean = (off.iter().map(|off| off * off).sum::<f32>() / off.len() as f32).sqrt();
            assert!(
                loudest(&off) < SAMPLE_OFF_MAX * loud && mean < BLOCK_OFF_MAX * loud,
                "{channel}, packet {block}: {} and {mean} beside {loud}",
                loudest(&off)
            );
        }
        factors.push(factor);
    }
    factors
}

#[tokio::test]
async fn stereo_is_heard_as_in_its_source_to_the_sample_and_as_late_after_the_picture() {
    let mut house = House::new().await;
    house.work_at_once(2);
    let film = rising("stereo", 2, 0.5);
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let (picture, sound) = (folder.path().join("v0/index.m3u8"), folder.path().join("a0/index.m3u8"));
    assert!(folder.path().join("v0/31.m4s").exists() && folder.path().join("a0/31.m4s").exists());
    assert_eq!(
        (first_packet(&picture), first_packet(&sound)),
        ("0.000000".into(), "0.000000".into())
    );
    let source = decoded(&film.path, "0:a:0", 2);
    let factors = is_the_same(&source, &decoded(&sound, "0:a:0", 2), RATE / 2);
    assert!((factors[0] - factors[1]).abs() < 0.02 * factors[0], "{factors:?}");
}

#[tokio::test]
async fn surround_is_heard_as_in_its_source_to_the_sample_and_channel() {
    let mut house = House::new().await;
    house.work_at_once(2);
    let film = rising("5.1", 6, 0.0);
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let (picture, sound) = (folder.path().join("v0/index.m3u8"), folder.path().join("a1/index.m3u8"));
    assert_eq!(
        (first_packet(&picture), first_packet(&sound)),
        ("0.000000".into(), "0.000000".into())
    );
    let source = decoded(&film.path, "0:a:0", 6);
    let factors = is_the_same(&source, &decoded(&sound, "0:a:0", 6), 0);
    for factor in &factors {
        assert!((factor - factors[0]).abs() < 0.03 * factors[0], "{factors:?}");
    }
}
