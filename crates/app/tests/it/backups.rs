//! Backups that are killed: nothing of them stays.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use testkit::{
    Cluster,
    command::{binary, finish},
    kinora, until,
};

use crate::LONG;

/// Long enough to be met in the middle; it takes no room until it is copied.
const FILM_BYTES: u64 = 1 << 32;
/// Of the unfinished file: from here on the databases have been copied.
const BEGUN_BYTES: u64 = 8 << 20;
const WORK: &str = ".backing-up";

/// A backup that stands still in the middle of the film.
struct Halted(Child);

impl Halted {
    async fn at(data: &Path, file: &Path) -> Self {
        let film = data.join("blobs/assets/z8/film.mp4");
        fs::create_dir_all(film.parent().unwrap()).unwrap();
        File::create(&film).unwrap().set_len(FILM_BYTES).unwrap();
        let backup = Command::new(binary())
            .arg("backup")
            .arg(file)
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let part = file.with_extension("part");
        until("the film in the backup", LONG, async || {
            (fs::metadata(&part).is_ok_and(|meta| meta.len() > BEGUN_BYTES)).then_some(())
        })
        .await;
        let mut halt = Command::new("sh");
        halt.args(["-c", "kill -STOP \"$0\"", &backup.id().to_string()]);
        finish(halt, "").ok();
        assert!(part.exists(), "the backup was quicker");
        fs::remove_file(film).unwrap();
        Self(backup)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_a_killed_backup_leaves_goes_with_the_next_backup_and_with_the_next_start() {
    let mut cluster = Cluster::one();
    let data = cluster.data();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = |name: &str| elsewhere.path().join(name);
    let first = Halted::at(&data, &file("first")).await;
    let second = file("second");
    let said = kinora(&data, &["backup", &second.to_string_lossy()], "").failed();
    assert!(said.contains("another backup"), "{said}");
    cluster.server.restart();
    // Neither the other backup nor the start has taken anything from it.
    assert!(data.join(WORK).join("accounts.db").exists());
    assert_eq!(names(elsewhere.path()), ["first.part"]);
    first.kill();
    assert!(data.join(WORK).exists());
    cluster.command(&["backup", &second.to_string_lossy()]).ok();
    assert_eq!(names(elsewhere.path()), ["second"]);
    assert!(!data.join(WORK).exists());

    Halted::at(&data, &file("third")).await.kill();
    assert_eq!(names(elsewhere.path()), ["second", "third.part"]);
    assert!(data.join(WORK).exists());
    cluster.server.restart();
    assert_eq!(names(elsewhere.path()), ["second"]);
    assert!(!data.join(WORK).exists());
}
