//! Ladders, frame rates and commands.

use proptest::prelude::*;

use crate::encode::{
    command,
    plan::{Plan, Rung},
    probe::{Audio, Extras, Source, Video},
};

fn plan(width: u32, height: u32, frame_rate: Option<(u32, u32)>) -> Plan {
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
        audio: Some(Audio {
            stream: 1,
            language: None,
        }),
    })
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
    let command = command::arguments(&plan(640, 360, Some((24_000, 1_001)))).join(" ");
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
    assert!(command.ends_with("/out/a0.mp4"), "{command}");
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
    fn every_frame_rate_gives_a_plan(over in 1_u32.., under in 1_u32..) {
        let plan = plan(640, 360, Some((over, under)));
        let rate = f64::from(plan.frame_rate.0) / f64::from(plan.frame_rate.1);
        prop_assert!((0.98..=60.0).contains(&rate), "{rate}");
        prop_assert!((1.0..3.1).contains(&(f64::from(plan.group) / rate)));
    }
}
