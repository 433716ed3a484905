//! The commands, as an operator types them.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use testkit::{
    Client, Cluster, Launch,
    client::PASSWORD,
    command::{binary, finish},
    datasets, kinora,
};

use crate::{ids, rows, titles_of};

#[test]
fn exit_status_and_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Command::new(binary());
    wrong.args(["serve", "--no-such-flag"]);
    assert_eq!(finish(wrong, "").status, Some(2));
    for words in [
        vec!["import", "movielens", "/nowhere"],
        vec!["serve", "--roles", "gardener"],
        vec!["media", "add", "/nowhere.mp4", "--title", "z8"],
        vec!["backup", "/nowhere/there/backup"],
    ] {
        let said = kinora(folder.path(), &words, "").failed();
        assert_eq!(said.trim_end().lines().count(), 1, "{words:?} said\n{said}");
        assert!(said.starts_with("kinora: "), "{said}");
    }
    let said = kinora(
        folder.path(),
        &["user", "add", "ada@kinora.example", "--password-stdin"],
        "",
    )
    .failed();
    assert!(said.contains("standard input"), "{said}");
}

#[test]
fn a_wrong_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kinora.toml");
    for (text, name) in [
        ("[gateway]\npublic_url = \"films\"\n", "public_url"),
        ("[gateway]\ntrusted_proxies = [\"10.0.0.0/99\"]\n", "trusted_proxies"),
        ("[gateway]\ntimeout_s = 0\n", "timeout_s"),
        ("[storage]\nendpoint = \"http://127.0.0.1:1\"\n", "storage.bucket"),
        (
            "[storage]\nbucket = \"films\"\naccess_key_id = \"x\"\n",
            "storage.secret_access_key",
        ),
        ("lissten = \"127.0.0.1:0\"\n", "lissten"),
        ("[streaming]\nworkers = \"many\"\n", "streaming.workers"),
    ] {
        fs::write(&file, text).unwrap();
        let said = kinora(folder.path(), &["serve", "--config", &file.to_string_lossy()], "").failed();
        assert!(said.contains(name), "{name} is not named: {said}");
    }
}

#[test]
fn the_document_is_the_committed_one() {
    let mut command = Command::new(binary());
    command.arg("openapi");
    let printed: serde_json::Value = serde_json::from_str(&finish(command, "").ok()).unwrap();
    let kept = fs::read_to_string(testkit::repository().join("crates/gateway/openapi.json")).unwrap();
    assert_eq!(printed, serde_json::from_str::<serde_json::Value>(&kept).unwrap());
}

#[tokio::test]
async fn a_data_set_that_is_broken_brings_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("source"));
    datasets::write_small(&source);
    let ratings = fs::read_to_string(source.join("ratings.csv")).unwrap();
    let broken = ratings.replacen(",3.5,", ",three,", 1);
    let line = broken.lines().position(|line| line.contains(",three,")).unwrap() + 1;
    fs::write(source.join("ratings.csv"), &broken).unwrap();
    let said = kinora(&data, &["import", "movielens", &source.to_string_lossy()], "").failed();
    assert!(
        said.contains("ratings.csv") && said.contains(&line.to_string()),
        "{said}"
    );
    let server = Launch::new(&data).start();
    let ada = Client::register(server.url(), "ada@kinora.example").await;
    assert!(
        ids(&ada.get("/titles").await.ok()).is_empty(),
        "half of a data set was imported"
    );
}

#[tokio::test]
async fn ratings_of_a_claimed_viewer_are_that_persons_own() {
    let cluster = Cluster::one();
    let ada = cluster.viewer("ada").await;
    let source = cluster.data().join("source");
    datasets::write_small(&source);
    // Beside the running server, which shows it without a restart.
    let words = [
        "import",
        "movielens",
        &source.to_string_lossy(),
        "--claim",
        "1=ada@kinora.example",
        "--json",
    ];
    let counts = cluster.command(&words).json();
    assert_eq!(
        (&counts["titles"], &counts["ratings"]),
        (&json!(96), &json!(80 * 18)),
        "{counts}"
    );
    let mine = testkit::until(
        "the ratings of the claimed viewer",
        std::time::Duration::from_secs(20),
        async || {
            let mine = ada.get("/ratings?limit=50").await.ok();
            (ids(&mine).len() == 18).then_some(mine)
        },
    )
    .await;
    assert!(
        mine["items"][0]["rated_at"].as_str().unwrap().starts_with("2017-"),
        "{}",
        mine["items"][0]
    );
    assert_eq!(ids(&ada.get("/titles?limit=200").await.ok()).len(), 96);
    let unknown = [
        "import",
        "movielens",
        &source.to_string_lossy(),
        "--claim",
        "2=eve@kinora.example",
    ];
    assert!(cluster.command(&unknown).failed().contains("eve@kinora.example"));
}

#[tokio::test]
async fn a_backup_beside_the_server_comes_back_and_a_broken_one_does_not() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let title = titles_of(&ada, "Drama", 1).await.remove(0);
    ada.rate(&title, 4.5).await.ok();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    cluster.command(&["backup", &file.to_string_lossy()]).ok();
    let restored = folder.path().join("restored");
    restore(&file, &restored).ok();
    let server = Launch::new(&restored).start();
    let again = Client::log_in(server.url(), "ada@kinora.example", PASSWORD).await;
    assert_eq!(
        again.get(&format!("/titles/{title}")).await.ok()["my_rating"],
        json!({ "stars": 4.5 })
    );
    assert!(!ids(&again.get("/recommendations?limit=10").await.ok()).is_empty());
    drop(server);
    let said = restore(&file, &restored).failed();
    assert!(
        said.contains("restored"),
        "a folder that is in use is not written over: {said}"
    );
    // Altered in a single byte or cut, it is refused and nothing is left behind.
    let bytes = fs::read(&file).unwrap();
    for share in [2, 3, 7, 50] {
        let mut altered = bytes.clone();
        altered[bytes.len() / share] ^= 0x20;
        let cut = bytes[..bytes.len() - bytes.len() / share].to_vec();
        for (kind, content) in [("altered", altered), ("cut", cut)] {
            let broken = folder.path().join("broken");
            fs::write(&broken, content).unwrap();
            let target = folder.path().join("never");
            restore(&broken, &target).failed();
            let left = fs::read_dir(&target).map(Iterator::count).unwrap_or(0);
            assert_eq!(left, 0, "a backup {kind} at one {share}th left files behind");
        }
    }
}

#[test]
fn a_restore_goes_into_any_folder_that_is_empty_however_it_is_named() {
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    cluster.command(&["backup", &file.to_string_lossy()]).ok();
    let there = folder.path().join("there");
    fs::create_dir(&there).unwrap();
    for name in [folder.path().join("new/"), there.join(""), there.join(".")] {
        restore(&file, &name).ok();
        assert!(name.join("accounts.db").is_file(), "{}", name.display());
        assert!(!name.join(".restoring").exists(), "{}", name.display());
        fs::remove_dir_all(&there).unwrap();
        fs::create_dir(&there).unwrap();
    }
    // The folder that one stands in.
    let mut command = Command::new(binary());
    command
        .current_dir(&there)
        .arg("restore")
        .arg(&file)
        .args(["--data-dir", "."]);
    finish(command, "").ok();
    assert!(there.join("accounts.db").is_file());
    // Half restored, as after a power cut: nothing starts on it.
    fs::create_dir(there.join(".restoring")).unwrap();
    let said = kinora(&there, &["train"], "").failed();
    assert!(said.contains("restore again"), "{said}");
    restore(&file, &there).failed();
}

#[tokio::test]
async fn a_backup_takes_sources_along_and_without_media_leaves_video_out() {
    // Nobody transcodes: the source waits.
    let cluster = Cluster::started(|_| ());
    let (data, folder) = (cluster.data(), tempfile::tempdir().unwrap());
    drop(cluster.server);
    let films = folder.path().join("films");
    fs::create_dir(&films).unwrap();
    fs::write(films.join("Solaris (1972).mkv"), vec![7; 5000]).unwrap();
    kinora(&data, &["import", "folder", &films.to_string_lossy()], "").ok();
    fs::create_dir_all(data.join("blobs/assets/z8")).unwrap();
    fs::write(data.join("blobs/assets/z8/index.json"), b"{}").unwrap();
    fs::create_dir_all(data.join("blobs/models/z9")).unwrap();
    fs::write(data.join("blobs/models/z9/manifest.json"), b"{}").unwrap();
    let whole = folder.path().join("whole");
    for (words, media) in [(vec!["backup"], 1), (vec!["backup", "--without-media"], 0)] {
        let file = folder.path().join("backup");
        let words: Vec<&str> = words.into_iter().chain([file.to_str().unwrap()]).collect();
        kinora(&data, &words, "").ok();
        assert!(!folder.path().join("backup.part").exists());
        fs::remove_dir_all(&whole).ok();
        restore(&file, &whole).ok();
        let count = |name: &str| fs::read_dir(whole.join(name)).map(Iterator::count).unwrap_or(0);
        assert_eq!((count("uploads"), count("blobs/assets")), (media, media), "{words:?}");
        assert_eq!(count("blobs/models"), 1, "{words:?}");
    }
    // A failure leaves nothing half made.
    let file = folder.path().join("never");
    fs::write(data.join("catalog.db"), b"this is no database").unwrap();
    kinora(&data, &["backup", &file.to_string_lossy()], "").failed();
    assert!(!folder.path().join("never.part").exists() && !file.exists());
}

#[tokio::test]
async fn a_folder_of_films_becomes_titles_once() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let known = ada.get("/titles?limit=1").await.ok()["items"][0].clone();
    let before = ids(&ada.get("/titles?limit=200").await.ok()).len();
    let folder = tempfile::tempdir().unwrap();
    let films = folder.path().join("films");
    let long = format!(
        "{}/{} (1960).mkv",
        "a very long folder name ".repeat(8),
        "x".repeat(120)
    );
    let known_file = format!("{} ({}).mkv", known["name"].as_str().unwrap(), known["year"]);
    for (name, bytes) in [
        (long.as_str(), 10),
        (&known_file, 10),
        ("Dark (2017)/Season 1/Dark S01E01.mkv", 10),
        ("Dark (2017)/Season 1/Dark S01E01 1080p.mkv", 20),
        ("Dark (1999)/Season 1/Dark S01E01.mkv", 10),
    ] {
        let path = films.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![0; bytes]).unwrap();
    }
    let import = |path: &Path| {
        cluster
            .command(&["import", "folder", &path.to_string_lossy(), "--json"])
            .json()
    };
    let counts = import(&films);
    // A film of that long name, two series of one name with an episode each; the film that was here gets the file.
    assert_eq!(
        (&counts["files"], &counts["titles_created"], &counts["queued"]),
        (&json!(5), &json!(5), &json!(4)),
        "{counts}"
    );
    let left_out = counts["left_out"][0].as_str().unwrap();
    assert!(
        left_out.contains("S01E01.mkv") && left_out.contains("1080p"),
        "{counts}"
    );
    let arrived = async |count: usize| {
        let wait = std::time::Duration::from_secs(20);
        testkit::until("the new titles", wait, async || {
            (ids(&ada.get("/titles?limit=200").await.ok()).len() == count).then_some(())
        })
        .await;
    };
    arrived(before + 3).await;
    assert_eq!(import(&films)["titles_created"], 0);
    // One series by itself: it is called as the folder is, and its episodes are those that are here.
    assert_eq!(import(&films.join("Dark (2017)"))["titles_created"], 0);
    fs::write(films.join("Dark (2017)/Season 1/S01E02.mkv"), b"x").unwrap();
    assert_eq!(import(&films.join("Dark (2017)/Season 1"))["titles_created"], 1);
    arrived(before + 3).await;
}

fn restore(file: &Path, folder: &Path) -> testkit::Finished {
    kinora(folder, &["restore", &file.to_string_lossy()], "")
}

#[tokio::test]
async fn the_first_admin_is_made_by_a_token_that_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut said = String::new();
    let url = loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, url)) = line.split_once("listening on ") {
            break url.to_owned();
        }
        said.push_str(&line);
        said.push('\n');
    };
    let token = said.split_once("token: ").unwrap().1.split_whitespace().next().unwrap();
    let nobody = Client::anonymous(&url);
    let body =
        |token: &str| json!({ "token": token, "email": "first@kinora.example", "password": PASSWORD, "name": "First" });
    assert_eq!(
        nobody.post("/auth/setup", &body("guess")).await.problem(403),
        "set_up_refused"
    );
    let made = nobody.post("/auth/setup", &body(token)).await.expect(201);
    assert_eq!(made["account"]["role"], "admin");
    assert_eq!(
        nobody.post("/auth/setup", &body(token)).await.problem(403),
        "set_up_refused"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_doctor_finds_a_healthy_house() {
    let cluster = Cluster::with_library();
    let report = cluster.command(&["doctor", "--json"]).json();
    assert_eq!(report["ok"], true, "{report}");
    cluster.command(&["migrate"]).ok();
}

#[test]
fn the_doctor_makes_nothing_and_says_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let examined = kinora(&nowhere, &["doctor"], "");
    assert!(examined.stdout.contains("there is no folder"), "{}", examined.stdout);
    examined.failed();
    assert!(!nowhere.exists());
    fs::create_dir(&nowhere).unwrap();
    let examined = kinora(&nowhere, &["doctor"], "");
    assert!(examined.stdout.contains("there is no "), "{}", examined.stdout);
    examined.failed();
    assert_eq!(fs::read_dir(&nowhere).unwrap().count(), 0);

    // What is restored has no logs beside it that would hide the damage.
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    Cluster::one().command(&["backup", &backup.to_string_lossy()]).ok();
    restore(&backup, &data).ok();
    // A page in the middle of the file.
    let file = data.join("catalog.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..4096 * 4].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let examined = kinora(&data, &["doctor"], "");
    let wrong = examined.stdout.lines().find(|line| line.starts_with("WRONG databases"));
    assert!(
        wrong.is_some_and(|line| line.contains("catalog")),
        "{}",
        examined.stdout
    );
    examined.failed();
}

/// As the version before left it: without what the newest migration of a room made.
async fn take_back(data: &Path, room: &str, undo: &'static str) {
    let file = data.join(format!("{room}.db"));
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    for sql in [
        undo,
        "DELETE FROM room_migrations WHERE version = (SELECT MAX(version) FROM room_migrations)",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_doctor_says_which_migrations_wait_and_migrates_nothing_itself() {
    let mut cluster = Cluster::with_library();
    let data = cluster.data();
    assert!(cluster.server.stop().success());
    take_back(&data, "activity", "DROP INDEX removed_ratings_title").await;
    let finding = || {
        let examined = kinora(&data, &["doctor", "--json"], "");
        let report: serde_json::Value = serde_json::from_str(&examined.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings
            .filter(|finding| finding["ok"] == false)
            .cloned()
            .collect::<Vec<_>>();
        (examined.status, found)
    };
    // Also the second time: looking has changed nothing.
    for _ in 0..2 {
        let (status, found) = finding();
        assert_eq!((status, found.len()), (Some(1), 1), "{found:?}");
        assert_eq!(found[0]["name"], "migrations", "{found:?}");
        assert_eq!(found[0]["detail"], "activity lacks 1", "{found:?}");
        let remedy = found[0]["remedy"].as_str().unwrap();
        assert!(remedy.contains("kinora migrate"), "{remedy}");
    }
    kinora(&data, &["migrate"], "").ok();
    assert_eq!(finding(), (Some(0), vec![]));
    let index = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'removed_ratings_title'";
    assert_eq!(rows::number(&data, "activity", index).await, Some(1));
}

#[test]
fn an_evaluation_gives_figures_rankings_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    datasets::write_small(&source);
    let (page, dump) = (folder.path().join("report.html"), folder.path().join("rankings.tsv"));
    for protocol in ["last-out", "strong", "temporal"] {
        let mut command = Command::new(binary());
        command.args([
            "evaluate",
            "--protocol",
            protocol,
            "--model",
            "ease",
            "--json",
            "--data",
        ]);
        command.arg(&source).arg("--report").arg(&page).arg("--dump").arg(&dump);
        let report = finish(command, "").json();
        assert_eq!(report["models"][0]["name"], "ease", "{report}");
        let html = fs::read_to_string(&page).unwrap();
        // Each plot is of a figure that was computed.
        let plots: Vec<&str> = html.split("role=\"img\" aria-label=\"").skip(1).collect();
        assert!(plots.len() >= 15, "{protocol}: {}", plots.len());
        for plot in plots {
            let metric = plot.split(' ').next().unwrap();
            let model = &report["models"][0];
            let is_time = ["train_s", "serve_us"].contains(&metric) && model[metric].is_f64();
            assert!(
                is_time || model["metrics"][metric].is_f64(),
                "{protocol} has no {metric}: {report}"
            );
        }
        assert_eq!(report["models"][0]["paired"][0]["against"], "popularity", "{report}");
        assert!(
            html.contains("ease is ") || html.contains("ease and popularity"),
            "{protocol}: in words"
        );
        let rankings = fs::read_to_string(&dump).unwrap();
        let cases = report["data"]["cases"].as_u64().unwrap() as usize;
        assert_eq!(rankings.lines().count(), cases, "{protocol}");
        let (user, items) = rankings.lines().next().unwrap().split_once('\t').unwrap();
        assert!(
            user.parse::<u32>().is_ok() && items.split(',').count() > 10,
            "{protocol}"
        );
    }
}
