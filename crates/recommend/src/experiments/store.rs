//! The tables of experiments: how they were set up, which one runs, who takes part, and the sums of what they did.

use std::collections::HashMap;

use contract::{
    ExperimentId, Fault, Millis, PageId, ProfileId,
    events::EventBody,
    experiments::{Experiment, ExperimentMetric, ExperimentState, StartExperiment},
    recommend::RecommendError,
};
use platform::{
    Tx,
    db::{Engine, OrFault as _},
    ids::made_at_ms,
    on, outbox,
};
use reco::experiment::Moments;
use sqlx::QueryBuilder;

use crate::{
    impressions::Shown,
    store::{Store, StoredPage, shown_of},
};

/// Viewers that one statement adds.
const VIEWERS_OF_STATEMENT: usize = 200;
/// Waiting viewers that are counted for a look at the results.
const WAITING_MAX: i64 = 1_000_000;
/// Viewers that one statement forgets.
const FORGET_ROWS: i64 = 10_000;

/// The sums of an experiment, by arm and metric.
pub type Sums = HashMap<(usize, ExperimentMetric), Moments>;

/// What one viewer adds to the sums: arm, metric, value.
pub type Values = Vec<(usize, ExperimentMetric, f64)>;

/// A viewer whose window is over.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub profile: ProfileId,
    pub arm: usize,
    pub first_page: PageId,
}

/// Id, state, stopped at, setup.
type Row = (i64, String, Option<i64>, String);
const COLUMNS: &str = "SELECT experiment_id, state, stopped_at, setup FROM experiments";

impl Store {
    /// Newest first.
    pub async fn experiments(&self, before: Option<ExperimentId>, limit: u32) -> Result<Vec<Experiment>, Fault> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE experiment_id < $1 ORDER BY experiment_id DESC LIMIT $2"
        ));
        let before = before.map_or(i64::MAX, |experiment| experiment.0);
        let rows: Vec<Row> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(before).bind(i64::from(limit)).fetch_all(pool).await)
                .or_fault()?;
        rows.into_iter().map(experiment_of).collect()
    }

    pub async fn experiment(&self, experiment: ExperimentId) -> Result<Option<Experiment>, Fault> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE experiment_id = $1"));
        let row: Option<Row> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(experiment.0).fetch_optional(pool).await).or_fault()?;
        row.map(experiment_of).transpose()
    }

    pub async fn running_experiment(&self) -> Result<Option<Experiment>, Fault> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE experiment_id IN (SELECT experiment_id FROM running_experiment)"
        ));
        let row: Option<Row> = on!(&self.db, pool => sqlx::query_as(sql).fetch_optional(pool).await).or_fault()?;
        row.map(experiment_of).transpose()
    }

    /// Those with viewers that are not counted yet.
    pub async fn open_experiments(&self) -> Result<Vec<Experiment>, Fault> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE is_open ORDER BY experiment_id"));
        let rows: Vec<Row> = on!(&self.db, pool => sqlx::query_as(sql).fetch_all(pool).await).or_fault()?;
        rows.into_iter().map(experiment_of).collect()
    }

    /// From this commit on it runs, and its models are kept.
    pub async fn start_experiment(&self, experiment: &Experiment) -> Result<(), RecommendError> {
        let setup = serde_json::to_string(&experiment.setup).map_err(|error| Fault::Internal(error.to_string()))?;
        let [first, second] = &experiment.setup.arms[..] else {
            return Err(Fault::Internal("an experiment without two arms".into()).into());
        };
        let mut tx = self.db.begin().await?;
        let sql =
            "INSERT INTO running_experiment (one, experiment_id, first_model, second_model) VALUES (1, $1, $2, $3)
             ON CONFLICT (one) DO NOTHING";
        let begun = on!(tx, conn => sqlx::query(sql).bind(experiment.id.0).bind(first.model.0).bind(second.model.0)
            .execute(conn).await.map(|done| done.rows_affected()))
        .or_fault()?;
        if begun == 0 {
            return Err(RecommendError::ExperimentRunning);
        }
        let sql = "SELECT COUNT(*) FROM models WHERE is_stored AND model_id IN ($1, $2)";
        let (models,): (i64,) =
            on!(tx, conn => sqlx::query_as(sql).bind(first.model.0).bind(second.model.0).fetch_one(conn).await)
                .or_fault()?;
        if models != 2 {
            return Err(RecommendError::ModelNotFound);
        }
        let sql = "INSERT INTO experiments (experiment_id, state, stopped_at, is_open, setup)
             VALUES ($1, 'running', NULL, TRUE, $2)";
        on!(tx, conn => sqlx::query(sql).bind(experiment.id.0).bind(setup).execute(conn).await.map(drop)).or_fault()?;
        self.tell(&mut tx, experiment.id).await?;
        Ok(tx.commit().await?)
    }

    /// Stops it if it runs; answers how it stands then.
    pub async fn stop_experiment(&self, id: ExperimentId, now: Millis) -> Result<Option<Experiment>, Fault> {
        let mut tx = self.db.begin().await?;
        let sql =
            "UPDATE experiments SET state = 'stopped', stopped_at = $2 WHERE experiment_id = $1 AND state = 'running'";
        let stopped = on!(tx, conn => sqlx::query(sql).bind(id.0).bind(now).execute(conn).await
            .map(|done| done.rows_affected()))
        .or_fault()?;
        if stopped > 0 {
            let sql = "DELETE FROM running_experiment WHERE experiment_id = $1";
            on!(tx, conn => sqlx::query(sql).bind(id.0).execute(conn).await.map(drop)).or_fault()?;
            self.tell(&mut tx, id).await?;
        }
        tx.commit().await?;
        self.experiment(id).await
    }

    async fn tell(&self, tx: &mut Tx, experiment: ExperimentId) -> Result<(), Fault> {
        let event = self.inputs.event(EventBody::ExperimentChanged { experiment });
        outbox::append(tx, &event).await
    }

    /// Viewers whose first page is older than `before`, the first ones first.
    pub async fn due_viewers(&self, id: ExperimentId, before: PageId, limit: u32) -> Result<Vec<Due>, Fault> {
        // `NOT is_counted` would keep SQLite from its index.
        let sql = "SELECT profile_id, arm, first_page FROM experiment_viewers
             WHERE experiment_id = $1 AND is_counted = FALSE AND first_page < $2 ORDER BY first_page LIMIT $3";
        let rows: Vec<(i64, i64, i64)> = on!(&self.db, pool => sqlx::query_as(sql).bind(id.0).bind(before.0)
            .bind(i64::from(limit)).fetch_all(pool).await)
        .or_fault()?;
        let due = |(profile, arm, page): (i64, i64, i64)| Due {
            profile: profile.into(),
            arm: usize::from(arm > 0),
            first_page: page.into(),
        };
        Ok(rows.into_iter().map(due).collect())
    }

    /// Pages shown to a profile from one page to another, the oldest first.
    pub async fn pages_between(
        &self,
        profile: ProfileId,
        first: PageId,
        last: PageId,
        limit: u32,
    ) -> Result<Vec<Shown>, Fault> {
        let sql = "SELECT page_id, profile_id, model_id, arm, content FROM pages
             WHERE profile_id = $1 AND page_id >= $2 AND page_id <= $3 ORDER BY page_id LIMIT $4";
        let rows: Vec<StoredPage> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(profile.0).bind(first.0).bind(last.0)
            .bind(i64::from(limit)).fetch_all(pool).await)
            .or_fault()?;
        Ok(rows.into_iter().map(shown_of).collect())
    }

    /// Adds to the sums what each viewer did, by arm and metric, but not of viewers who are in them already; answers how many were
    /// added. One without values is in no sum, and not due any more.
    pub async fn count_viewers(&self, id: ExperimentId, viewers: &[(ProfileId, Values)]) -> Result<u64, Fault> {
        let mut tx = self.db.begin().await?;
        let (mut sums, mut counted): (Sums, u64) = (Sums::new(), 0);
        let sql = "UPDATE experiment_viewers SET is_counted = TRUE
             WHERE experiment_id = $1 AND profile_id = $2 AND is_counted = FALSE";
        for (profile, values) in viewers {
            let is_first = on!(tx, conn => sqlx::query(sql).bind(id.0).bind(profile.0).execute(conn).await
                .map(|done| done.rows_affected() > 0))
            .or_fault()?;
            if is_first && !values.is_empty() {
                counted += 1;
                for (arm, metric, value) in values {
                    sums.entry((*arm, *metric)).or_default().push(*value);
                }
            }
        }
        let sql = "INSERT INTO experiment_sums (experiment_id, arm, metric, viewers, total, squares)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (experiment_id, arm, metric) DO UPDATE SET
             viewers = experiment_sums.viewers + excluded.viewers, total = experiment_sums.total + excluded.total,
             squares = experiment_sums.squares + excluded.squares";
        // Always in the same order, so that two processes cannot wait for each other.
        let mut sums: Vec<_> = sums
            .into_iter()
            .map(|((arm, metric), sum)| (arm, name_of(metric), sum))
            .collect();
        sums.sort_by_key(|(arm, metric, _)| (*arm, *metric));
        for (arm, metric, sum) in sums {
            on!(tx, conn => sqlx::query(sql).bind(id.0).bind(arm as i64).bind(metric).bind(sum.count as i64)
                .bind(sum.sum).bind(sum.squares).execute(conn).await.map(drop))
            .or_fault()?;
        }
        tx.commit().await?;
        Ok(counted)
    }

    pub async fn experiment_sums(&self, id: ExperimentId) -> Result<Sums, Fault> {
        let sql = "SELECT arm, metric, viewers, total, squares FROM experiment_sums WHERE experiment_id = $1";
        let rows: Vec<(i64, String, i64, f64, f64)> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_all(pool).await).or_fault()?;
        let sum = |(arm, metric, viewers, sum, squares): (i64, String, i64, f64, f64)| {
            let metric = ExperimentMetric::ALL
                .into_iter()
                .find(|known| name_of(*known) == metric)?;
            let count = viewers.max(0) as u64;
            Some(((usize::from(arm > 0), metric), Moments { count, sum, squares }))
        };
        Ok(rows.into_iter().filter_map(sum).collect())
    }

    pub async fn experiment_waiting(&self, id: ExperimentId) -> Result<u64, Fault> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM experiment_viewers WHERE experiment_id = $1 AND is_counted = FALSE LIMIT $2) AS waiting";
        let (waiting,): (i64,) =
            on!(&self.db, pool => sqlx::query_as(sql).bind(id.0).bind(WAITING_MAX).fetch_one(pool).await).or_fault()?;
        Ok(waiting.max(0) as u64)
    }

    /// Ends the observation of a stopped experiment: who took part is forgotten, the sums stay.
    pub async fn close_experiment(&self, id: ExperimentId) -> Result<(), Fault> {
        let sql = "DELETE FROM experiment_viewers WHERE experiment_id = $1 AND profile_id IN
             (SELECT profile_id FROM experiment_viewers WHERE experiment_id = $1 LIMIT $2)";
        loop {
            let rows = on!(self.db.writer(), pool => sqlx::query(sql).bind(id.0).bind(FORGET_ROWS).execute(pool).await
                .map(|done| done.rows_affected()))
            .or_fault()?;
            if rows < FORGET_ROWS as u64 {
                break;
            }
        }
        let mut tx = self.db.begin().await?;
        // From the first statement on nobody is enrolled; who was after the portions above goes with the second.
        for sql in [
            "UPDATE experiments SET is_open = FALSE WHERE experiment_id = $1",
            "DELETE FROM experiment_viewers WHERE experiment_id = $1",
        ] {
            on!(tx, conn => sqlx::query(sql).bind(id.0).execute(conn).await.map(drop)).or_fault()?;
        }
        tx.commit().await
    }
}

/// Whoever is shown a first page of an experiment takes part from then on; a page that is written when it is closed enrols nobody.
pub async fn enrol(tx: &mut Tx, pages: &[&Shown]) -> Result<(), Fault> {
    let mut enrolled: Vec<(ExperimentId, usize, &Shown)> = pages
        .iter()
        .filter_map(|page| {
            let (experiment, arm) = super::observe::arm_of_page(page)?;
            Some((experiment, arm, *page))
        })
        .collect();
    if enrolled.is_empty() {
        return Ok(());
    }
    let open = still_open(tx).await?;
    enrolled.retain(|(experiment, ..)| open.contains(experiment));
    // Always in the same order, so that two processes cannot wait for each other; the first page of a viewer stays the first.
    enrolled.sort_by_key(|(experiment, _, page)| (*experiment, page.profile));
    for chunk in enrolled.chunks(VIEWERS_OF_STATEMENT) {
        on!(tx, conn => {
            let mut insert = QueryBuilder::new("INSERT INTO experiment_viewers (experiment_id, profile_id, arm, first_page, is_counted) ");
            insert.push_values(chunk, |mut row, (experiment, arm, page)| {
                row.push_bind(experiment.0)
                    .push_bind(page.profile.0)
                    .push_bind(*arm as i64)
                    .push_bind(page.page.0)
                    .push_bind(false);
            });
            insert.push(" ON CONFLICT (experiment_id, profile_id) DO NOTHING");
            insert.build().persistent(false).execute(conn).await.map(drop)
        })
        .or_fault()?;
    }
    Ok(())
}

/// Whoever closes one waits until this transaction is over.
async fn still_open(tx: &mut Tx) -> Result<Vec<ExperimentId>, Fault> {
    let sql = match tx.engine() {
        Engine::Sqlite(_) => "SELECT experiment_id FROM experiments WHERE is_open",
        Engine::Postgres(_) => "SELECT experiment_id FROM experiments WHERE is_open FOR SHARE",
    };
    let rows: Vec<(i64,)> = on!(tx, conn => sqlx::query_as(sql).fetch_all(conn).await).or_fault()?;
    Ok(rows.into_iter().map(|(experiment,)| experiment.into()).collect())
}

fn experiment_of((id, state, stopped_at, setup): Row) -> Result<Experiment, Fault> {
    let setup: StartExperiment = serde_json::from_str(&setup)
        .map_err(|error| Fault::Internal(format!("an experiment's record cannot be read: {error}")))?;
    let state = if state == "running" {
        ExperimentState::Running
    } else {
        ExperimentState::Stopped
    };
    Ok(Experiment {
        id: id.into(),
        setup,
        state,
        started_at: made_at_ms(id),
        stopped_at,
        problem: None,
    })
}

fn name_of(metric: ExperimentMetric) -> &'static str {
    match metric {
        ExperimentMetric::Plays => "plays",
        ExperimentMetric::Finishes => "finishes",
        ExperimentMetric::GoodRatings => "good_ratings",
        ExperimentMetric::Dislikes => "dislikes",
    }
}

#[cfg(test)]
mod tests {
    use contract::{
        ModelId,
        experiments::{ExperimentArm, ExperimentMethod},
    };
    use platform::{Db, Inputs, test_support::databases};
    use serde_json::json;

    use super::*;

    fn experiment(id: i64, models: [i64; 2]) -> Experiment {
        let arm = |model: i64| ExperimentArm {
            name: format!("model {model}"),
            model: ModelId(model),
            weight: 1,
        };
        Experiment {
            id: ExperimentId(id << 22),
            setup: StartExperiment {
                name: "test".into(),
                method: ExperimentMethod::Ab,
                metric: ExperimentMetric::Plays,
                guards: Vec::new(),
                arms: models.map(arm).into(),
                share_percent: 100,
                window_ms: 3_600_000,
            },
            state: ExperimentState::Running,
            started_at: made_at_ms(id << 22),
            stopped_at: None,
            problem: None,
        }
    }

    async fn add_model(store: &Store, id: i64) {
        let info = json!({
            "id": ModelId(id), "state": "ready", "created_at": id, "train_s": 1.0, "interactions": 1, "viewers": 1, "titles": 1,
            "metrics": [], "baseline": [], "decision": "",
        });
        store.add(serde_json::from_value(info).unwrap(), None, 1).await.unwrap();
    }

    #[tokio::test]
    async fn models_of_the_running_experiment_are_kept_and_one_runs_at_a_time() {
        for database in databases().await {
            let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
            let store = Store::new(db, Inputs::manual(1).0);
            for id in 1..=6 {
                add_model(&store, id).await;
            }
            let unknown = store.start_experiment(&experiment(1, [1, 9])).await;
            assert_eq!(unknown, Err(RecommendError::ModelNotFound), "{}", database.name);
            let first = experiment(2, [1, 3]);
            store.start_experiment(&first).await.unwrap();
            let again = store.start_experiment(&experiment(3, [4, 5])).await;
            assert_eq!(again, Err(RecommendError::ExperimentRunning), "{}", database.name);
            assert_eq!(store.running_experiment().await.unwrap().as_ref(), Some(&first));
            let mut gone = store.forget_old(2).await.unwrap();
            gone.sort_unstable();
            assert_eq!(
                gone,
                [ModelId(2), ModelId(4)],
                "{}: the newest two and those of the arms stay",
                database.name
            );
            let stopped = store.stop_experiment(first.id, 77).await.unwrap().unwrap();
            assert_eq!(
                (stopped.state, stopped.stopped_at),
                (ExperimentState::Stopped, Some(77))
            );
            assert_eq!(store.running_experiment().await.unwrap(), None);
            let mut gone = store.forget_old(2).await.unwrap();
            gone.sort_unstable();
            assert_eq!(gone, [ModelId(1), ModelId(3)], "{}: now they may go", database.name);
            let open = store.open_experiments().await.unwrap();
            assert_eq!(open, [stopped]);
            store.close_experiment(first.id).await.unwrap();
            assert_eq!(store.open_experiments().await.unwrap(), []);
        }
    }

    /// Whether somebody waits for the table that says which experiment runs; on SQLite whoever writes waits for any other writer.
    async fn is_waited_for(db: &Db) -> bool {
        match db.engine() {
            Engine::Sqlite(_) => true,
            Engine::Postgres(pool) => {
                let sql =
                    "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'running_experiment'::regclass";
                let (waiting,): (i64,) = sqlx::query_as(sql).fetch_one(pool).await.unwrap();
                waiting > 0
            }
        }
    }

    #[tokio::test]
    async fn models_of_an_experiment_that_begins_while_old_ones_are_deleted_are_kept() {
        for database in databases().await {
            let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
            let store = Store::new(db.clone(), Inputs::manual(1).0);
            for id in 1..=6 {
                add_model(&store, id).await;
            }
            let mut tx = db.begin().await.unwrap();
            let begins =
                "INSERT INTO running_experiment (one, experiment_id, first_model, second_model) VALUES (1, 9, 1, 3)";
            on!(tx, conn => sqlx::query(begins).execute(conn).await.map(drop)).unwrap();
            let forgetful = store.clone();
            let forgetting = tokio::spawn(async move { forgetful.forget_old(2).await });
            while !forgetting.is_finished() && !is_waited_for(&db).await {
                tokio::task::yield_now().await;
            }
            tx.commit().await.unwrap();
            let mut gone = forgetting.await.unwrap().unwrap();
            gone.sort_unstable();
            assert_eq!(gone, [ModelId(2), ModelId(4)], "{}", database.name);
        }
    }
}
