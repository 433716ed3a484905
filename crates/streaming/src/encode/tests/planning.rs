//! Ladders, frame rates and commands.

use proptest::prelude::*;

use crate::asset::AudioKind;
use crate::encode::{
    audio,
    chunks::{self, Chunk},
    command,
    hardware::Hardware,
    ladder,
    plan::{Plan, Rung},
    probe::{Audio, Extras, Source, Video},
};

pub fn plan(width: u32, height: u32, frame_rate: Option<(u32, u32)>) -> Plan {
    let video = Video {
        stream: 0,
        width,
        height,
        frame_rate,
        interlaced: false,
        hdr: false,
    };
    Plan::new(Source {
        duration_s: Some(10.0),
        video,
        credits_s: Vec::new(),
        extras: Extras::default(),
        audio: vec![sound(1, 2)],
        start_s: 0.0,
        is_indexed: true,
        notes: Vec::new(),
    })
}

pub fn sound(stream: usize, channels: u16) -> Audio {
    Audio {
        stream,
        language: None,
        label: None,
        kind: AudioKind::Main,
        is_default: stream == 1,
        channels,
    }
}

fn sizes(width: u32, height: u32) -> String {
    let plan = plan(width, height, Some((25, 1)));
    plan.rungs
        .iter()
        .map(|rung| format!("{}x{}", rung.width, rung.height))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn hardware_gets_pictures_that_it_can_take_and_samples_stay_with_software() {
    for (hardware, before, filter, coder) in [
        (
            Hardware::Vaapi,
            "-vaapi_device /dev/dri/",
            ",setsar=1,format=nv12,hwupload[v0]",
            "h264_vaapi",
        ),
        (Hardware::Nvenc, "", ",setsar=1[v0]", "h264_nvenc"),
        (
            Hardware::Qsv,
            "-init_hw_device qsv=card,child_device=/dev/dri/",
            ",setsar=1,format=nv12[v0]",
            "h264_qsv",
        ),
    ] {
        let plan = Plan {
            hardware: Some(hardware),
            ..plan(640, 360, Some((24_000, 1_001)))
        };
        let command = command::arguments(&plan, &Chunk::WHOLE).join(" ");
        let (options, _) = command.split_once(" -i ").unwrap();
        assert!(options.contains(before) && command.contains(filter), "{command}");
        assert_eq!(
            command.matches(&format!("-c:v {coder} ")).count(),
            plan.rungs.len(),
            "{command}"
        );
        assert!(command.contains("-r 24000/1001") && command.contains("-g 48 -bf 0") && !command.contains("libx264"));
        let sample = command::sample_arguments(&plan, &Chunk::WHOLE).join(" ");
        assert!(
            sample.contains("libx264") && !sample.contains(coder) && !sample.contains("hwupload"),
            "{sample}"
        );
        let mut plan = plan;
        plan.do_without_hardware();
        assert!(plan.notes[0].contains(hardware.name()) && plan.hardware.is_none());
        assert!(command::arguments(&plan, &Chunk::WHOLE).contains(&"libx264".to_owned()));
    }
}

#[test]
fn the_ladder_ends_at_the_source() {
    let check = |width, height, expected: &str| assert_eq!(sizes(width, height), expected, "{width}x{height}");
    check(1920, 1080, "426x240 640x360 854x480 1280x720 1920x1080");
    check(
        3840,
        2160,
        "426x240 640x360 854x480 1280x720 1920x1080 2560x1440 3840x2160",
    );
    check(
        7680,
        4320,
        "426x240 640x360 854x480 1280x720 1920x1080 2560x1440 3840x2160",
    );
    check(1280, 720, "426x240 640x360 854x480 1280x720");
    // Cinema's wide picture is as wide as the rung's box.
    check(1920, 800, "426x178 640x266 854x356 1280x534 1920x800");
    check(640, 272, "426x182 640x272");
    // Television's old one is as high.
    check(640, 480, "320x240 480x360 640x480");
    check(720, 576, "300x240 450x360 600x480 720x576");
    // A phone held upright.
    check(1080, 1920, "240x426 360x640 480x854 720x1280 1080x1920");
    // Odd sides, and smaller than every rung.
    check(853, 479, "426x240 640x360 852x478");
    check(161, 91, "160x90");
    check(320, 180, "320x180");
    check(8, 4, "16x16");
}

#[test]
fn frame_rates_are_exact_and_segments_about_two_seconds() {
    let check = |given, rate, group| {
        let plan = plan(640, 360, given);
        assert_eq!((plan.frame_rate, plan.group), (rate, group), "{given:?}");
    };
    check(Some((24_000, 1_001)), (24_000, 1_001), 48);
    check(Some((2_997, 125)), (24_000, 1_001), 48);
    check(Some((24, 1)), (24, 1), 48);
    check(Some((25, 1)), (25, 1), 50);
    check(Some((30_000, 1_001)), (30_000, 1_001), 60);
    // A phone's variable rate was meant to be thirty.
    check(Some((35_460_000, 1_189_011)), (30_000, 1_001), 60);
    check(Some((50, 1)), (50, 1), 100);
    check(Some((60_000, 1_001)), (60_000, 1_001), 120);
    check(Some((120, 1)), (60, 1), 120);
    check(Some((240_000, 1_001)), (60_000, 1_001), 120);
    check(Some((90_000, 1)), (60, 1), 120);
    check(Some((7, 1)), (7_000, 1_000), 14);
    check(Some((1, 30)), (1_000, 1_000), 2);
    check(None, (25, 1), 50);
}

#[test]
fn one_command_decodes_once_and_encodes_all() {
    let command = command::arguments(&plan(640, 360, Some((24_000, 1_001))), &Chunk::WHOLE).join(" ");
    assert_eq!(command.matches("-i file:/in/source").count(), 1);
    assert!(
        command.contains(
            "[0:0]fps=24000/1001:start_time=0,format=yuv420p,split=2[s0][s1];[s0]scale=426:240,setsar=1[v0];"
        ),
        "{command}"
    );
    assert_eq!(command.matches("-g 48 -keyint_min 48 -sc_threshold 0").count(), 2);
    assert!(
        command.contains("-protocol_whitelist file,pipe -format_whitelist mov,mp4,"),
        "{command}"
    );
    assert!(
        command.ends_with("/out/v1.mp4") && !command.contains("-copyts"),
        "{command}"
    );
}

#[test]
fn a_chunk_is_entered_before_it_begins_and_counts_pictures_from_the_films_beginning() {
    let plan = plan(640, 360, Some((24_000, 1_001)));
    let chunk = Chunk {
        first: 15,
        segments: Some(10),
        seek_s: Some(27.15),
    };
    let command = command::arguments(&plan, &chunk).join(" ");
    assert!(
        command.contains("-copyts -start_at_zero -ss 27.150000 -noaccurate_seek -i"),
        "{command}"
    );
    assert!(
        command.contains("[m]fps=24000/1001:start_time=0,trim=start_frame=720:end_frame=1200,setpts=PTS-STARTPTS,"),
        "{command}"
    );
    assert_eq!(plan.ticks(15, 24_000), Some(15 * 48 * 1_001));
    assert_eq!(plan.ticks(15, 25_000), None, "a clock that does not divide a frame");
}

#[test]
fn a_film_is_divided_evenly_at_segments_and_entered_at_keyframes() {
    let plan = plan(640, 360, Some((25, 1)));
    let firsts = |end_s, every_s| {
        let chunks = chunks::divide(&plan, &chunks::pictures(end_s, every_s));
        chunks.iter().map(|chunk| chunk.first).collect::<Vec<_>>()
    };
    assert_eq!(firsts(44.0, 5.0), [0]);
    assert_eq!(firsts(60.0, 5.0), [0, 15]);
    assert_eq!(firsts(100.0, 5.0), [0, 16, 33]);
    assert_eq!(firsts(7200.0, 5.0).len(), 240);
    // Few keyframes: few chunks. None in the middle: one.
    assert_eq!(firsts(200.0, 90.0), [0, 57]);
    assert_eq!(firsts(200.0, 1000.0), [0]);
    let chunks = chunks::divide(&plan, &chunks::pictures(60.0, 7.0));
    assert_eq!((chunks[0].segments, chunks[1].segments), (Some(15), None));
    assert_eq!(
        (chunks[0].seek_s, chunks[1].seek_s),
        (None, Some(28.15)),
        "the last keyframe a second before"
    );
}

#[test]
fn ceilings_follow_what_the_pictures_want_within_bounds() {
    let plan = plan(1280, 720, Some((25, 1)));
    let kbps = |samples: &[Vec<u64>]| {
        ladder::choose(&plan, samples)
            .iter()
            .map(|rung| rung.kbps)
            .collect::<Vec<_>>()
    };
    let usual = vec![300, 700, 1_200, 2_800];
    assert_eq!(kbps(&[]), usual);
    // Two seconds each: 250 bytes are one kbit/s.
    let sample = |rates: [u64; 4]| rates.map(|kbps| kbps * 250).to_vec();
    assert_eq!(
        kbps(&[sample([150, 300, 500, 900]), sample([120, 310, 400, 1_000])]),
        [220, 460, 750, 1_500]
    );
    assert_eq!(
        kbps(&[sample([5, 9, 15, 30])]),
        [100, 230, 400, 930],
        "a third is the least"
    );
    assert_eq!(
        kbps(&[sample([900, 2_000, 4_000, 9_000])]),
        [300, 700, 1_800, 4_200],
        "the low ones stay low"
    );
    let places = ladder::samples(&plan, &chunks::pictures(1_000.0, 5.0));
    assert_eq!(
        places.iter().map(|place| place.first).collect::<Vec<_>>(),
        [75, 200, 300, 425]
    );
    assert_eq!(places[0].seek_s, Some(145.15));
    assert!(
        ladder::samples(&plan, &chunks::pictures(200.0, 5.0)).is_empty(),
        "not worth it"
    );
}

#[test]
fn every_sound_track_is_stereo_and_5_1_too_where_it_has_it() {
    let mut plan = plan(640, 360, Some((25, 1)));
    plan.audio = vec![sound(1, 6), sound(2, 2)];
    let command = audio::arguments(&plan, 0, &[None; 2]).join(" ");
    assert!(
        command.contains(
            "[0:1]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo,aresample=48000,asplit[f0][s0];\
             [f0]atrim=end_sample=2048,areverse[l0];[l0][s0]concat=n=2:v=0:a=1,asetpts=(N-2048)/SR/TB[a0];\
             [0:1]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=5.1,aresample=48000,asplit[f1][s1];"
        ),
        "{command}"
    );
    assert!(
        command.ends_with("/out/a1.mp4") && command.contains("-b:a 384k"),
        "{command}"
    );
    // Each by itself, under its name among all.
    let command = audio::arguments(&plan, 1, &[None]).join(" ");
    assert!(
        command.contains("-filter_complex [0:2]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo,")
            && command.matches("-map [").count() == 1
            && command.ends_with("/out/a2.mp4"),
        "{command}"
    );
}

#[test]
fn a_film_whose_pictures_last_more_than_a_day_is_refused() {
    assert_eq!(chunks::pictures(86_400.0, 600.0).check(), Ok(()));
    let refused = chunks::pictures(500.0 * 86_400.0, 86_400.0).check().unwrap_err();
    assert!(
        !refused.retry && refused.text.contains("more than a day"),
        "{refused:?}"
    );
}

proptest! {
    #[test]
    fn every_rung_is_even_no_larger_than_the_source_and_larger_than_the_one_before(width in 16_u32..9000, height in 16_u32..9000) {
        let rungs = plan(width, height, Some((25, 1))).rungs;
        prop_assert!((1..=8).contains(&rungs.len()));
        for Rung { width: wide, height: high, kbps } in &rungs {
            prop_assert!(wide % 2 == 0 && high % 2 == 0 && *kbps >= 100);
            prop_assert!(*wide <= width && *high <= height, "{wide}x{high} of {width}x{height}");
        }
        for pair in rungs.windows(2) {
            prop_assert!(pair[0].width.max(pair[0].height) < pair[1].width.max(pair[1].height));
            prop_assert!(pair[0].kbps <= pair[1].kbps);
        }
    }

    #[test]
    fn chunks_follow_each_other_and_are_entered_in_time(end_s in 1.0_f64..20_000.0, every_s in 0.04_f64..400.0) {
        let plan = plan(640, 360, Some((24_000, 1_001)));
        let chunks = chunks::divide(&plan, &chunks::pictures(end_s, every_s));
        prop_assert_eq!(chunks[0].first, 0);
        prop_assert_eq!(chunks[chunks.len() - 1].segments, None);
        for pair in chunks.windows(2) {
            prop_assert_eq!(pair[0].segments, Some(pair[1].first - pair[0].first));
            prop_assert!(pair[1].first > pair[0].first && f64::from(pair[1].first) * plan.segment_s() < end_s);
            let seek_s = pair[1].seek_s.unwrap();
            prop_assert!(seek_s < f64::from(pair[1].first) * plan.segment_s() - 0.8 && seek_s > 0.0);
        }
    }

    #[test]
    fn every_frame_rate_gives_a_plan(over in 1_u32.., under in 1_u32..) {
        let plan = plan(640, 360, Some((over, under)));
        let rate = f64::from(plan.frame_rate.0) / f64::from(plan.frame_rate.1);
        prop_assert!((0.98..=60.0).contains(&rate), "{rate}");
        prop_assert!((1.0..3.1).contains(&(f64::from(plan.group) / rate)));
    }
}
