//! What the databases themselves say, read beside the server: rows counted anew, to hold read models against.

use std::path::Path;

use contract::TitleId;
use serde_json::Value;
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use testkit::{Client, until};

use crate::LONG;

/// What is known of everybody's ratings of one title.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// By half stars, from one to ten.
    pub stars: [u64; 10],
    pub likes: u64,
    pub dislikes: u64,
}

impl Figures {
    /// As the page of the title shows them.
    pub fn shown(title: &Value) -> Self {
        let mut stars = [0; 10];
        let bars = title["rating_histogram"].as_array().expect("a histogram");
        assert_eq!(bars.len(), stars.len(), "{title}");
        for (index, bar) in bars.iter().enumerate() {
            assert_eq!(bar["stars"].as_f64(), Some((index + 1) as f64 / 2.0), "{title}");
            stars[index] = bar["count"].as_u64().expect("a count");
        }
        Self {
            stars,
            likes: title["likes"].as_u64().expect("likes"),
            dislikes: title["dislikes"].as_u64().expect("dislikes"),
        }
    }

    pub fn count(&self) -> u64 {
        self.stars.iter().sum()
    }

    /// Whether `shown`, in hundredths of a star, is the mean, pulled towards three and a half stars by five votes.
    fn is_average(&self, shown: Option<f64>) -> bool {
        let sum: u64 = self
            .stars
            .iter()
            .zip(1..)
            .map(|(count, half_stars)| count * half_stars)
            .sum();
        let average = (sum as f64 / 2.0 + 3.5 * 5.0) / (self.count() as f64 + 5.0);
        match shown {
            None => self.count() == 0,
            Some(shown) => self.count() > 0 && (shown - average).abs() < 0.005_01,
        }
    }
}

/// A room's database, for reading; nothing where there is none yet.
pub async fn open(data: &Path, room: &str) -> Option<SqliteConnection> {
    let file = data.join(format!("{room}.db"));
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .pragma("query_only", "on")
        .connect()
        .await
        .ok()
}

/// The only number that `sql` answers; nothing where the table is not there yet.
pub async fn number(data: &Path, room: &str, sql: &'static str) -> Option<i64> {
    let mut connection = open(data, room).await?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.ok()
}

/// How many opinions are stored.
pub async fn opinions(data: &Path) -> u64 {
    let sql = "SELECT COUNT(*) FROM states WHERE opinion IS NOT NULL";
    number(data, "activity", sql).await.unwrap_or(0) as u64
}

/// The ratings of a title, counted one by one.
pub async fn recount(data: &Path, title: &str) -> Figures {
    let title: TitleId = title.parse().expect("a title's id");
    let mut connection = open(data, "activity").await.expect("activity's database");
    let sql = "SELECT opinion, COUNT(*) FROM states WHERE title_id = $1 AND opinion IS NOT NULL GROUP BY opinion";
    let rows: Vec<(i64, i64)> = sqlx::query_as(sql)
        .bind(title.0)
        .fetch_all(&mut connection)
        .await
        .expect("the rows of a title");
    let mut figures = Figures::default();
    for (opinion, count) in rows {
        match opinion {
            1..=10 => figures.stars[opinion as usize - 1] = count as u64,
            101 => figures.likes = count as u64,
            102 => figures.dislikes = count as u64,
            other => panic!("there is no opinion {other}"),
        }
    }
    figures
}

/// How many titles have figures that their rows, counted anew, do not bear out, and totals that are wrong.
pub async fn disagreements(data: &Path) -> i64 {
    let sql = "WITH counted AS (SELECT title_id, SUM(opinion BETWEEN 1 AND 10) AS count,
             SUM(CASE WHEN opinion BETWEEN 1 AND 10 THEN opinion ELSE 0 END) AS sum, SUM(opinion = 101) AS likes,
             SUM(opinion = 102) AS dislikes FROM states WHERE opinion IS NOT NULL GROUP BY title_id),
         kept AS (SELECT title_id, likes, dislikes,
             stars_1 + stars_2 + stars_3 + stars_4 + stars_5 + stars_6 + stars_7 + stars_8 + stars_9 + stars_10 AS count,
             stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5 + 6 * stars_6 + 7 * stars_7 + 8 * stars_8
                 + 9 * stars_9 + 10 * stars_10 AS sum FROM title_ratings)
         SELECT (SELECT COUNT(*) FROM kept LEFT JOIN counted USING (title_id)
             WHERE kept.count <> COALESCE(counted.count, 0) OR kept.sum <> COALESCE(counted.sum, 0)
             OR kept.likes <> COALESCE(counted.likes, 0) OR kept.dislikes <> COALESCE(counted.dislikes, 0))
         + (SELECT COUNT(*) FROM counted WHERE title_id NOT IN (SELECT title_id FROM kept))";
    number(data, "activity", sql).await.expect("activity's tables")
}

/// Everything that is shown of a title's ratings is `expected`, and so is every row; the average follows within moments.
pub async fn title_agrees(client: &Client, data: &Path, title: &str, expected: &Figures) {
    let path = format!("/titles/{title}");
    let shown = Figures::shown(&client.get(&path).await.ok());
    assert_eq!(&shown, expected, "what is shown of {title}");
    assert_eq!(&recount(data, title).await, expected, "the rows of {title}");
    until("the average of a title", LONG, async || {
        let card = client.get(&path).await.ok();
        let average = card["average_rating"].as_f64();
        (expected.is_average(average) && card["ratings_count"] == expected.count()).then_some(())
    })
    .await;
}
