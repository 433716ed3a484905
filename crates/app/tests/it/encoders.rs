//! An encoder in hardware that is set and is not there.

use std::{fs, path::Path};

use testkit::Cluster;

#[test]
fn the_doctor_says_that_an_encoder_does_not_work_here() {
    if Path::new("/dev/nvidiactl").exists() {
        eprintln!("skipped: there is a card that may well encode");
        return;
    }
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("kinora.toml");
    let doctor = |encoder: &str| {
        fs::write(&config, format!("[streaming]\nencoder = {encoder:?}\n")).unwrap();
        cluster.command(&["doctor", "--config", &config.to_string_lossy()])
    };
    let said = doctor("nvenc");
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(
        said.stdout
            .contains("NVENC does not work here, so films are encoded by software"),
        "{said:?}"
    );
    assert!(said.stdout.contains("streaming.encoder"), "{said:?}");
    assert!(!doctor("software").stdout.contains("encoder"));
    assert!(doctor("abacus").failed().contains("abacus"));
}

#[test]
fn the_doctor_says_that_encrypted_videos_are_encoded_by_software() {
    let cluster = Cluster::one();
    let config = testkit::films::file(
        "kinora.toml",
        b"[streaming]\nencoder = \"nvenc\"\nencryption = \"aes-128\"\n",
    );
    let said = cluster.command(&["doctor", "--config", &config.path.to_string_lossy()]);
    assert!(
        said.stdout.contains("software, since videos are stored encrypted") && !said.stdout.contains("NVENC"),
        "{said:?}"
    );
}
