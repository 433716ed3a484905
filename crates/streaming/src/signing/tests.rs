//! Every way to bend a path must fail.

use proptest::prelude::*;

use super::*;

const NOW: Millis = 1_767_225_600_000;

fn grant() -> Grant {
    Grant {
        playback: PlaybackId(77),
        session: SessionId(5_555),
        account: AccountId(1_234_567),
        asset: AssetId(99_999),
        expires_s: NOW / 1000 + 60,
    }
}

fn path() -> (Signer, String) {
    let signer = Signer::new(&[7; 32]);
    let path = signer.path(&grant(), "v0/12.m4s");
    let path = path.strip_prefix("/media/").unwrap().to_owned();
    (signer, path)
}

#[test]
fn a_path_of_ours_is_good_until_it_expires() {
    let (signer, path) = path();
    assert_eq!(signer.verify(&path, NOW), Some((grant(), "v0/12.m4s")));
    assert_eq!(signer.verify(&path, NOW + 59_999), Some((grant(), "v0/12.m4s")));
    assert_eq!(signer.verify(&path, NOW + 60_000), None);
    assert_eq!(Signer::new(&[8; 32]).verify(&path, NOW), None, "another server's key");
}

#[test]
fn every_single_change_before_the_file_is_refused() {
    let (signer, path) = path();
    let end = path.len() - "v0/12.m4s".len();
    for position in 0..end {
        for replacement in ["", "0", "1", "a", "A", "_", "/", "%", "=", "é"] {
            let mut altered = path.clone();
            altered.replace_range(position..=position, replacement);
            if altered != path {
                assert_eq!(signer.verify(&altered, NOW), None, "{altered}");
            }
        }
        let mut longer = path.clone();
        longer.insert(position, '0');
        assert_eq!(signer.verify(&longer, NOW), None, "{longer}");
    }
}

#[test]
fn files_of_an_asset_have_names() {
    let good = [
        "master.m3u8",
        "manifest.mpd",
        "v0/index.m3u8",
        "a0/init.mp4",
        "v0/key",
        "a3/key",
        "v12/3.m4s",
        "v0/iframes.m3u8",
        "s0/index.m3u8",
        "s31/1.vtt",
        "s9223372036854775807/1.vtt",
        "b0/index.m3u8",
        "b0/index.vtt",
        "b0/12.jpg",
        "v0/0.m4s",
        "check",
        "check-once",
    ];
    for file in good {
        assert!(Name::parse(file).is_some(), "{file}");
    }
}

#[test]
fn nothing_else_has_a_name() {
    let bad = [
        "",
        "/",
        "..",
        "../index.json",
        "index.json",
        "v0/../index.json",
        "v0/index.json",
        "v0//1.m4s",
        "v0/1.m4s/",
        "v0/01.m4s",
        "v0/-1.m4s",
        "v0/+1.m4s",
        "v0/1.M4S",
        "v0/1.mp4",
        "v00/1.m4s",
        "v/1.m4s",
        "x0/1.m4s",
        "é0/1.m4s",
        "v0/1.m4s?x",
        "v0%2f1.m4s",
        "v0/9999999999999.m4s",
        "v9999999999999/1.m4s",
        "s9223372036854775808/1.vtt",
        "V0/index.m3u8",
        "master.m3u8/",
        "check-twice",
        "v0\\1.m4s",
        "a0/iframes.m3u8",
        "s0/init.mp4",
        "s0/key",
        "b0/key",
        "v0/key/",
        "v0/keys",
        "v/key",
        "key",
        "s0/1.m4s",
        "s0/2.vtt",
        "v0/1.vtt",
        "b0/01.jpg",
        "b0/1.m4s",
        "a0/1.jpg",
        "v0/1.m4s\0",
    ];
    for file in bad {
        assert_eq!(Name::parse(file), None, "{file}");
    }
}

proptest! {
    #[test]
    fn no_text_is_a_signed_path(text in "\\PC{0,120}") {
        prop_assert_eq!(path().0.verify(&text, NOW), None);
    }

    #[test]
    fn no_text_makes_the_name_grammar_panic(text in "\\PC{0,40}") {
        Name::parse(&text);
    }
}
