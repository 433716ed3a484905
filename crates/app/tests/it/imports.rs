//! Imports of data sets that are killed: nothing of them is half there in the end.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use testkit::{Client, Launch, client::PASSWORD, command::binary, datasets, kinora, until};

use crate::{LONG, rows};

const VIEWERS: usize = 500;
const FILMS: usize = 500;
const RATINGS: u64 = (VIEWERS * FILMS) as u64;
/// What is written at once.
const PORTION: u64 = 50_000;

/// A data set of five portions, in MovieLens' CSV form.
fn write_large(folder: &Path) {
    let mut films = "movieId,title,genres\n".to_owned();
    for film in 1..=FILMS {
        writeln!(films, "{film},Film Number {film} ({}),Drama", 1930 + film % 90).unwrap();
    }
    let mut ratings = "userId,movieId,rating,timestamp\n".to_owned();
    for viewer in 1..=VIEWERS {
        for film in 1..=FILMS {
            let half_stars = (viewer + film) % 10 + 1;
            writeln!(ratings, "{viewer},{film},{},1500000000", half_stars as f64 / 2.0).unwrap();
        }
    }
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("movies.csv"), films).unwrap();
    fs::write(folder.join("ratings.csv"), ratings).unwrap();
}

fn start_import(data: &Path, source: &str) -> Child {
    Command::new(binary())
        .args(["import", "movielens", source, "--data-dir"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(mut import: Child) {
    import.kill().unwrap();
    import.wait().unwrap();
}

async fn titles(data: &Path) -> i64 {
    let count = rows::number(data, "catalog", "SELECT COUNT(*) FROM titles").await;
    count.unwrap_or(0)
}

#[tokio::test]
async fn an_import_killed_between_two_portions_ends_whole_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("source"));
    write_large(&source);
    let admin = [
        "user",
        "add",
        "admin@kinora.example",
        "--role",
        "admin",
        "--password-stdin",
    ];
    kinora(&data, &admin, &format!("{PASSWORD}\n")).ok();
    let import = start_import(&data, &source.to_string_lossy());
    until("the first portion", LONG, async || {
        (rows::opinions(&data).await > 0).then_some(())
    })
    .await;
    end(import);
    let there = rows::opinions(&data).await;
    assert!(
        there < RATINGS && there % PORTION == 0,
        "{there} of {RATINGS} ratings were there when it was killed"
    );
    assert_eq!(rows::disagreements(&data).await, 0, "a portion without its figures");
    assert_eq!(titles(&data).await, FILMS as i64);

    let server = Launch::new(&data).start();
    let admin = Client::log_in(server.url(), "admin@kinora.example", PASSWORD).await;
    let job = until("the end of the import", LONG, async || {
        let jobs = admin.get("/admin/jobs").await.ok();
        let job = jobs["items"].as_array()?.iter().find(|job| job["kind"] == "import")?;
        matches!(job["state"].as_str(), Some("done" | "failed")).then(|| job.clone())
    })
    .await;
    assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(2)), "{job}");
    assert_eq!(rows::opinions(&data).await, RATINGS);
    assert_eq!(rows::disagreements(&data).await, 0);
    let totals = "SELECT SUM(changes) FROM counters";
    assert_eq!(rows::number(&data, "activity", totals).await, Some(RATINGS as i64));
    assert_eq!(titles(&data).await, FILMS as i64);
    let page = admin.get("/titles?limit=1").await.ok();
    let title = crate::id(&page["items"][0]);
    let everybody = rows::Figures {
        stars: [VIEWERS as u64 / 10; 10],
        ..rows::Figures::default()
    };
    rows::title_agrees(&admin, &data, &title, &everybody).await;
}

/// A quick import may be over, its log folded in and gone, before anybody has looked.
async fn wait_for_file(file: &Path, import: &mut Child) {
    until("a file of the import", LONG, async || {
        (file.exists() || import.try_wait().unwrap().is_some()).then_some(())
    })
    .await;
}

/// Small enough to be one transaction of titles and one of ratings.
#[tokio::test]
async fn an_import_that_is_killed_leaves_nothing_half_there_and_is_taken_up_again() {
    let (all_titles, all_ratings) = (96, 80 * 18);
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("source"));
    datasets::write_small(&source);
    let source = source.to_string_lossy().into_owned();
    // Killed as soon as each of these is there: at the start, in the queue, while writing.
    for file in ["catalog.db", "imports.db", "catalog.db-wal", "activity.db-wal"] {
        let mut import = start_import(&data, &source);
        wait_for_file(&data.join(file), &mut import).await;
        end(import);
        let (titles, ratings) = (titles(&data).await, rows::opinions(&data).await);
        assert!([0, all_titles].contains(&titles), "{file}: {titles} titles");
        assert!([0, all_ratings].contains(&ratings), "{file}: {ratings} ratings");
        assert!(
            ratings == 0 || titles > 0,
            "{file}: ratings of titles that are not there"
        );
    }
    let import = || kinora(&data, &["import", "movielens", &source, "--json"], "").json();
    let whole = async |counts: Value| {
        assert_eq!(
            (&counts["titles"], &counts["ratings"]),
            (&json!(all_titles), &json!(all_ratings)),
            "{counts}"
        );
        assert_eq!(
            (titles(&data).await, rows::opinions(&data).await),
            (all_titles, all_ratings),
            "once each, however often it was begun"
        );
        assert_eq!(rows::disagreements(&data).await, 0);
    };
    whole(import()).await;
    let again = import();
    assert_eq!(
        (&again["titles_created"], &again["ratings_written"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    whole(again).await;
}
