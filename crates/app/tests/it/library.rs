//! Folders of video files: brought in again and again, and watched by a server.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::mpsc,
    time::{Duration, SystemTime},
};

use rustix::fs::{FileType, Mode};
use serde_json::{Value, json};
use testkit::{Client, Cluster, kinora, until};

use crate::{LONG, ids};

const HOUR: Duration = Duration::from_secs(3_600);

/// A file that nobody writes any more. It holds no film: its job will say so, and nothing here waits for that.
fn put(folder: &Path, name: &str, bytes: usize) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, vec![0; bytes]).unwrap();
    date(&path, -2 * HOUR.as_secs() as i64);
}

/// Says that a file changed so many seconds from now.
fn date(path: &Path, seconds: i64) {
    let now = fs::metadata(path).unwrap().accessed().unwrap();
    let by = Duration::from_secs(seconds.unsigned_abs());
    let at: SystemTime = if seconds < 0 { now - by } else { now + by };
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(at)
        .unwrap();
}

async fn films(client: &Client) -> Vec<String> {
    let page = client.get("/titles?limit=200").await.ok();
    let names = page["items"].as_array().unwrap().iter();
    names.map(|card| card["name"].as_str().unwrap().to_owned()).collect()
}

async fn shows(client: &Client, name: &str) {
    until(name, LONG, async || {
        films(client).await.iter().any(|shown| shown == name).then_some(())
    })
    .await;
}

/// The id of a title, once search knows it.
async fn found(client: &Client, name: &str) -> String {
    until(name, LONG, async || {
        let list = client.get(&format!("/search?q={name}")).await.ok();
        ids(&list).into_iter().next()
    })
    .await
}

#[tokio::test]
async fn only_what_changed_is_brought_in_again() {
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("Solaris (1972).mkv", 10),
        ("Stalker (1979)/film.mkv", 10),
        ("Dark/Dark S01E01.mkv", 10),
    ] {
        put(folder.path(), name, bytes);
    }
    let import = || -> Value {
        cluster
            .command(&["import", "folder", &folder.path().to_string_lossy(), "--json"])
            .json()
    };
    let figures =
        |counts: &Value| ["files", "unchanged", "titles_created", "queued"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!(figures(&import()), [3, 0, 4, 3], "two films, a series and its episode");
    assert_eq!(figures(&import()), [3, 3, 0, 0]);
    // Another film lies there under the same name, one is gone, one is new.
    put(folder.path(), "Solaris (1972).mkv", 20);
    fs::remove_file(folder.path().join("Dark/Dark S01E01.mkv")).unwrap();
    put(folder.path(), "Mirror (1975).mkv", 10);
    let stop_waiting = until("the first jobs", LONG, async || {
        let jobs = cluster.admin().await.get("/admin/jobs").await.ok();
        let waits = |job: &Value| ["queued", "running"].contains(&job["state"].as_str().unwrap());
        (!jobs["items"].as_array().unwrap().iter().any(waits)).then_some(())
    });
    stop_waiting.await;
    assert_eq!(figures(&import()), [3, 1, 1, 2]);
    assert_eq!(figures(&import()), [3, 3, 0, 0]);
    // What was gone comes back: its title is known, and it has no video yet.
    put(folder.path(), "Dark/Dark S01E01.mkv", 10);
    assert_eq!(figures(&import()), [4, 3, 0, 1]);
    // The same file with another date.
    date(&folder.path().join("Mirror (1975).mkv"), -10);
    assert_eq!(import()["unchanged"], 3);
}

#[tokio::test]
async fn what_cannot_become_a_title_holds_up_no_other() {
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    // Called by its file's name; one without any, and an episode of a series without any; a good one before and after.
    for name in [
        "_.mkv",
        " .mkv",
        " /S01E01.mkv",
        " /S01E02.mkv",
        "Dark/Dark S01E01.mkv",
        "Solaris (1972).mkv",
    ] {
        put(folder.path(), name, 10);
    }
    let words = ["import", "folder", &folder.path().to_string_lossy(), "--json"];
    let counts = cluster.command(&words).json();
    let left_out: Vec<&str> = counts["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(left_out.len(), 4, "the series, its episodes and the film: {counts}");
    assert!(left_out.iter().all(|what| what.starts_with(' ')), "{counts}");
    assert_eq!(
        (&counts["titles_created"], &counts["queued"]),
        (&json!(4), &json!(3)),
        "{counts}"
    );
    let ada = cluster.viewer("ada").await;
    shows(&ada, "Solaris").await;
    shows(&ada, "_").await;
    assert_eq!(cluster.command(&words).json()["unchanged"], 3);
}

#[tokio::test]
async fn what_was_deleted_stays_so_while_its_folder_is_not_mounted() {
    let cluster = Cluster::one();
    let (folder, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let film = "Solaris (1972).mkv";
    put(folder.path(), film, 10);
    let words = ["import", "folder", &folder.path().to_string_lossy(), "--json"];
    assert_eq!(cluster.command(&words).json()["titles_created"], 1);
    let admin = cluster.admin().await;
    shows(&admin, "Solaris").await;
    let solaris = found(&admin, "Solaris").await;
    admin.delete(&format!("/admin/titles/{solaris}")).await.expect(204);
    fs::rename(folder.path().join(film), aside.path().join(film)).unwrap();
    cluster.command(&words).failed();
    fs::rename(aside.path().join(film), folder.path().join(film)).unwrap();
    let counts = cluster.command(&words).json();
    assert_eq!(
        (&counts["unchanged"], &counts["titles_created"]),
        (&json!(1), &json!(0)),
        "{counts}"
    );
}

#[tokio::test]
async fn a_library_on_another_disk_waits_for_what_is_packaged_before_it() {
    // Nobody transcodes: the sources wait.
    let cluster = Cluster::one();
    let data = cluster.data();
    drop(cluster.server);
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    let mut disks = ["/dev/shm", "/run", "/var/tmp", "/tmp"].map(Path::new).into_iter();
    let folder = disks
        .find_map(|disk| (disk.is_dir() && device(disk) != device(&data)).then(|| tempfile::tempdir_in(disk).ok())?);
    let folder = folder.expect("a second disk, such as /dev/shm");
    for number in 0..6 {
        put(folder.path(), &format!("Film {number} (1972).mkv"), 10);
    }
    let import = || {
        kinora(
            &data,
            &["import", "folder", &folder.path().to_string_lossy(), "--json"],
            "",
        )
        .json()
    };
    let figures = |counts: &Value| {
        ["titles_created", "queued", "waiting", "unchanged"].map(|name| counts[name].as_u64().unwrap())
    };
    assert_eq!(figures(&import()), [6, 4, 2, 0]);
    assert_eq!(figures(&import()), [0, 0, 2, 4], "nothing is packaged yet");
    assert_eq!(fs::read_dir(data.join("uploads")).unwrap().count(), 4);
}

#[tokio::test]
async fn what_nfo_files_say_goes_into_new_titles() {
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "sol.mkv", 10);
    let film = "<movie><title>Solaris</title><year>1972</year><plot>An ocean that thinks.</plot><genre>Drama</genre>
        <director>Andrei Tarkovsky</director><uniqueid type=\"imdb\">tt0069293</uniqueid></movie>";
    fs::write(folder.path().join("sol.nfo"), film).unwrap();
    put(folder.path(), "Dark/Season 1/Dark S01E01.mkv", 10);
    let series = "<tvshow><title>Dark</title><plot>A cave in a wood.</plot></tvshow>";
    fs::write(folder.path().join("Dark/tvshow.nfo"), series).unwrap();
    let episode = "<episodedetails><title>Secrets</title></episodedetails>";
    fs::write(folder.path().join("Dark/Season 1/Dark S01E01.nfo"), episode).unwrap();
    put(folder.path(), "Laughs (2001).mkv", 10);
    let hostile = "<!DOCTYPE movie [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><movie><plot>&a;</plot></movie>";
    fs::write(folder.path().join("Laughs (2001).nfo"), hostile).unwrap();
    put(folder.path(), "Pipe (2002).mkv", 10);
    let pipe = folder.path().join("Pipe (2002).nfo");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let words = ["import", "folder", &folder.path().to_string_lossy(), "--json"];
    let counts = cluster.command(&words).json();
    assert_eq!(counts["titles_created"], 5, "{counts}");
    for (place, name) in ["Laughs (2001).nfo", "Pipe (2002).nfo"].into_iter().enumerate() {
        assert!(counts["left_out"][place].as_str().unwrap().contains(name), "{counts}");
    }

    let ada = cluster.viewer("ada").await;
    shows(&ada, "Solaris").await;
    shows(&ada, "Laughs").await;
    let whole = async |name: &str| {
        let title = found(&ada, name).await;
        ada.get(&format!("/titles/{title}")).await.ok()
    };
    let solaris = whole("Solaris").await;
    assert_eq!(
        (&solaris["year"], &solaris["description"]),
        (&json!(1972), &json!("An ocean that thinks."))
    );
    assert_eq!(solaris["people"][0]["name"], "Andrei Tarkovsky");
    assert_eq!(whole("Dark").await["description"], "A cave in a wood.");
    assert_eq!(whole("Laughs").await["description"], "");
}

#[tokio::test]
async fn a_server_brings_in_what_is_put_into_a_folder_once_it_rests() {
    let folder = tempfile::tempdir().unwrap();
    let (films_folder, config) = (folder.path().join("films"), folder.path().join("kinora.toml"));
    put(&films_folder, "Solaris (1972).mkv", 10);
    put(&films_folder, "Ivan (1962).mkv", 10);
    date(&films_folder.join("Ivan (1962).mkv"), HOUR.as_secs() as i64);
    // Somebody writes it all the time.
    let stalker = films_folder.join("Stalker (1979).mkv");
    let mut written = File::create(&stalker).unwrap();
    let (stop_writing, stopped) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
            written.write_all(b"more").unwrap();
        }
    });
    let nowhere = folder.path().join("nowhere");
    let text = format!("[library]\nfolders = [{nowhere:?}, {films_folder:?}]\nrest_s = 3\n");
    fs::write(&config, text).unwrap();
    let words = ["--config", &config.to_string_lossy()];
    let mut cluster = Cluster::launched(|_| (), |launch| launch.words(&words));
    let ada = cluster.viewer("ada").await;
    shows(&ada, "Solaris").await;
    assert!(
        cluster.server.log().contains("nowhere"),
        "a folder that is not there is said, and stops nothing"
    );
    // Put there while the server watches, in a folder that is new, too.
    put(&films_folder, "New/Mirror (1975).mkv", 10);
    shows(&ada, "Mirror").await;
    assert!(!films(&ada).await.contains(&"Stalker".to_owned()), "it does not rest");
    shows(&ada, "Ivan").await;
    assert!(!films(&ada).await.contains(&"Stalker".to_owned()), "it does not rest");
    drop(stop_writing);
    writer.join().unwrap();
    shows(&ada, "Stalker").await;
    assert_eq!(films(&ada).await.len(), 4);
    // Nothing of it is done twice.
    let jobs = async |client: &Client| client.get("/admin/jobs").await.ok()["items"].as_array().unwrap().len();
    let before = jobs(&cluster.admin().await).await;
    cluster.server.restart();
    put(&films_folder, "Nostalghia (1983).mkv", 10);
    shows(&ada.at(cluster.url()), "Nostalghia").await;
    assert_eq!(jobs(&cluster.admin().await).await, before + 1);
}
