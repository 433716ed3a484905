//! Imports into real rooms, on both engines.

use contract::{
    activity::{Activity as _, CountInteractions, ListOf, PageInteractions},
    catalog::{Browse, BrowsePage, Catalog as _, Sort},
    imports::DatasetKind,
    jobs::JobState,
};
use platform::{
    blob::BlobStore,
    test_support::{TestDatabase, databases},
};

use super::*;

const MOVIES: &str = "0110413::Léon (1994)::Crime|Drama\n0133093::Matrix, The (1999)::Action|Sci-Fi\n";
const RATINGS: &str = "7::0110413::9::1365029107\n7::0133093::10::1365029108\n9::0110413::0::1365029109\n";

struct Fixture {
    name: &'static str,
    room: Arc<Room>,
    catalog: Arc<catalog::Local>,
    activity: Arc<activity::Room>,
    bus: Arc<Bus>,
    database: TestDatabase,
    files: tempfile::TempDir,
}

async fn fixtures() -> Vec<Fixture> {
    let mut all = Vec::new();
    for database in databases().await {
        all.push(open_at(database, tempfile::tempdir().unwrap(), 1).await);
    }
    all
}

async fn open_at(database: TestDatabase, files: tempfile::TempDir, seed: u64) -> Fixture {
    let (inputs, clock) = Inputs::manual(seed);
    let bus = Bus::new(clock);
    let location = database.location.clone();
    let deps = catalog::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: BlobStore::open(&files.path().join("blobs")).unwrap(),
    };
    let catalog = catalog::open(
        deps,
        catalog::Config {
            search: catalog::SearchIndex::Off,
        },
    )
    .await
    .unwrap();
    let config = activity::Config::default();
    let deps = activity::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config,
    };
    let activity = activity::open(deps).await.unwrap();
    let deps = Deps {
        location,
        inputs,
        bus: bus.clone(),
        catalog: catalog.clone(),
        activity: activity.clone(),
    };
    let room = open(deps).await.unwrap();
    Fixture {
        name: database.name,
        room,
        catalog,
        activity,
        bus,
        database,
        files,
    }
}

impl Fixture {
    fn request(&self, movies: &str, ratings: &str) -> StartImport {
        let paths = [("movies.dat", movies), ("ratings.dat", ratings)].map(|(name, text)| {
            let path = self.files.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        });
        StartImport {
            kind: DatasetKind::Movietweetings,
            paths: paths.to_vec(),
            claims: vec![],
            remove_after: false,
        }
    }

    /// Works until the job has ended.
    async fn ended(&self, job: &Job) -> Job {
        let mut changes = self.room.queue.changes();
        let stop = CancellationToken::new();
        let worker = tokio::spawn(self.room.clone().run_worker(stop.clone()));
        let ended = loop {
            let now = self.room.get(ForJob { job: job.id }).await.unwrap();
            if matches!(now.state, JobState::Done | JobState::Failed | JobState::Cancelled) {
                break now;
            }
            changes.recv().await.unwrap();
        };
        stop.cancel();
        worker.await.unwrap();
        ended
    }

    async fn import(&self, request: StartImport) -> Job {
        let job = self.room.start(request).await.unwrap();
        self.ended(&job).await
    }

    async fn names(&self) -> Vec<String> {
        let filter = Browse {
            maturity_max: 18,
            sort: Sort::Name,
            ..Browse::default()
        };
        let page = self
            .catalog
            .browse(BrowsePage {
                filter,
                after: None,
                limit: 50,
            })
            .await
            .unwrap();
        page.items.into_iter().map(|card| card.name.to_string()).collect()
    }

    async fn opinions(&self) -> Vec<u8> {
        let mut opinions = self
            .activity
            .interactions(PageInteractions {
                after: None,
                limit: 100,
            })
            .await
            .unwrap()
            .opinions;
        opinions.sort_unstable();
        opinions
    }
}

#[tokio::test]
async fn titles_and_ratings_arrive_once() {
    for fixture in fixtures().await {
        let job = fixture.import(fixture.request(MOVIES, RATINGS)).await;
        assert_eq!(
            (job.state, job.error.clone()),
            (JobState::Done, None),
            "{}",
            fixture.name
        );
        let counts = fixture.room.counts(job.id).await.unwrap().unwrap();
        assert_eq!(
            (counts.titles_created, counts.viewers, counts.ratings_written),
            (2, 2, 3),
            "{}",
            fixture.name
        );
        assert_eq!(fixture.names().await, ["Léon", "The Matrix"], "{}", fixture.name);
        assert_eq!(
            fixture.opinions().await,
            [1, 9, 10],
            "{}: nothing is below half a star",
            fixture.name
        );
        let again = fixture.import(fixture.request(MOVIES, RATINGS)).await;
        let counts = fixture.room.counts(again.id).await.unwrap().unwrap();
        assert_eq!(
            (counts.titles_created, counts.titles_updated, counts.ratings_written),
            (0, 0, 0),
            "{}",
            fixture.name
        );
        assert_eq!(
            fixture.activity.count(CountInteractions {}).await.unwrap().profiles,
            2,
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn a_bad_line_and_nothing_is_there() {
    for fixture in fixtures().await {
        let cut = format!("{RATINGS}9::0133093::8::13650");
        let mut request = fixture.request(MOVIES, &cut);
        request.remove_after = true;
        let job = fixture.import(request.clone()).await;
        assert_eq!(job.state, JobState::Failed, "{}", fixture.name);
        let error = job.error.unwrap();
        assert!(
            error.contains("ratings.dat, line 4") && error.contains("cut short"),
            "{error}"
        );
        assert!(fixture.names().await.is_empty(), "{}", fixture.name);
        assert!(fixture.opinions().await.is_empty(), "{}", fixture.name);
        assert_eq!(job.attempts, 1, "{}: the file does not get better", fixture.name);
        assert!(
            request.paths.iter().all(|path| !Path::new(path).exists()),
            "{}: uploads do not pile up",
            fixture.name
        );
    }
}

#[tokio::test]
async fn the_other_kind_is_named() {
    for fixture in fixtures().await {
        let request = StartImport {
            kind: DatasetKind::Movielens,
            ..fixture.request(MOVIES, RATINGS)
        };
        let job = fixture.import(request).await;
        assert!(
            job.error.unwrap().contains("import it as movietweetings"),
            "{}",
            fixture.name
        );
        let nowhere = StartImport {
            paths: vec!["/nowhere/at/all".into()],
            ..fixture.request(MOVIES, RATINGS)
        };
        assert!(
            matches!(fixture.room.start(nowhere).await, Err(ImportsError::Refused(_))),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn a_claimed_viewer_is_a_person_here() {
    for fixture in fixtures().await {
        let profile = contract::ProfileId(4_711);
        let request = StartImport {
            claims: vec![("7".into(), profile)],
            ..fixture.request(MOVIES, RATINGS)
        };
        assert_eq!(fixture.import(request).await.state, JobState::Done, "{}", fixture.name);
        let rated = fixture
            .activity
            .rated(ListOf {
                profile,
                after: None,
                limit: 10,
            })
            .await
            .unwrap();
        assert_eq!(rated.items.len(), 2, "{}", fixture.name);
    }
}

#[tokio::test]
async fn what_was_queued_goes_on_after_a_restart() {
    for fixture in fixtures().await {
        let request = fixture.request(MOVIES, RATINGS);
        let job = fixture.room.start(request).await.unwrap();
        fixture.bus.shutdown().await;
        let Fixture { database, files, .. } = fixture;
        let again = open_at(database, files, 2).await;
        assert_eq!(again.ended(&job).await.state, JobState::Done, "{}", again.name);
        assert_eq!(again.names().await.len(), 2, "{}", again.name);
    }
}
