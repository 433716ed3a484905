//! Imports into real rooms, on both engines.

use contract::{
    AccountId, Blob,
    activity::{Activity as _, CountInteractions, ListOf, PageInteractions},
    catalog::{Browse, BrowsePage, Catalog as _, Sort},
    imports::DatasetKind,
    jobs::JobState,
    streaming::{AppendUpload, CreateUpload, ForUpload, StreamingError, UploadPurpose},
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
    streaming: Arc<streaming::Room>,
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
    let blobs = BlobStore::open(&files.path().join("blobs")).unwrap();
    let deps = catalog::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: blobs.clone(),
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
    let deps = streaming::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs,
        catalog: catalog.clone(),
        data_folder: files.path().to_path_buf(),
    };
    let streaming = streaming::open(deps, streaming::Config::default()).await.unwrap();
    let deps = Deps {
        location,
        inputs,
        bus: bus.clone(),
        catalog: catalog.clone(),
        activity: activity.clone(),
        streaming: streaming.clone(),
    };
    let room = open(deps).await.unwrap();
    Fixture {
        name: database.name,
        room,
        catalog,
        activity,
        streaming,
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
            uploads: vec![],
        }
    }

    async fn upload(&self, text: &str) -> ForUpload {
        let new = CreateUpload {
            account: AccountId(1),
            bytes: text.len() as u64,
            filename: "upload.dat".into(),
            purpose: UploadPurpose::Dataset,
            title: None,
            length_deferred: false,
            is_partial: false,
            fingerprint: String::new(),
            metadata: String::new(),
        };
        let upload = self.streaming.create_upload(new).await.unwrap();
        let piece = AppendUpload {
            account: upload.account,
            upload: upload.id,
            offset: 0,
            body: Blob(text.as_bytes().to_vec()),
            request: None,
            is_held: false,
            length: None,
        };
        self.streaming.append_upload(piece).await.unwrap();
        ForUpload {
            account: upload.account,
            upload: upload.id,
        }
    }

    /// As a curator asks for it.
    async fn uploaded(&self, uploads: [ForUpload; 2]) -> StartImport {
        let mut paths = Vec::new();
        for upload in uploads {
            paths.push(self.streaming.uploaded_file(upload).await.unwrap().path);
        }
        StartImport {
            kind: DatasetKind::Movietweetings,
            paths,
            claims: vec![],
            uploads: uploads.to_vec(),
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
        let job = fixture.import(fixture.request(MOVIES, &cut)).await;
        assert_eq!(job.state, JobState::Failed, "{}", fixture.name);
        assert_eq!(job.subject, "MovieTweetings", "{}", fixture.name);
        let error = job.error.unwrap();
        assert!(
            error.contains("ratings.dat, line 4") && error.contains("cut short"),
            "{error}"
        );
        assert!(fixture.names().await.is_empty(), "{}", fixture.name);
        assert!(fixture.opinions().await.is_empty(), "{}", fixture.name);
        assert_eq!(job.attempts, 1, "{}: the file does not get better", fixture.name);
    }
}

#[tokio::test]
async fn uploads_outlive_a_refusal_and_go_with_success() {
    for fixture in fixtures().await {
        let name = fixture.name;
        let movies = fixture.upload(MOVIES).await;
        let cut = fixture.upload(&format!("{RATINGS}9::0133093::8::13650")).await;
        let refused = fixture.import(fixture.uploaded([movies, cut]).await).await;
        assert_eq!(refused.state, JobState::Failed, "{name}");
        let error = refused.error.unwrap();
        assert!(error.contains("line 4"), "{name}: {error}");
        for upload in [movies, cut] {
            fixture.streaming.uploaded_file(upload).await.unwrap();
        }

        let ratings = fixture.upload(RATINGS).await;
        let again = fixture.import(fixture.uploaded([movies, ratings]).await).await;
        assert_eq!((again.state, again.error), (JobState::Done, None), "{name}");
        for upload in [movies, ratings] {
            assert_eq!(
                fixture.streaming.uploaded_file(upload).await,
                Err(StreamingError::UploadNotFound),
                "{name}"
            );
        }
        let left: Vec<_> = std::fs::read_dir(fixture.files.path().join("uploads"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(
            left,
            [cut.upload.to_string()],
            "{name}: what nobody imported waits until it expires"
        );
    }
}

/// A worker that is killed after the files are gone and before the job says so.
#[tokio::test]
async fn an_import_killed_at_its_last_step_is_done_at_the_next_attempt() {
    for fixture in fixtures().await {
        let uploads = [fixture.upload(MOVIES).await, fixture.upload(RATINGS).await];
        let job = fixture.room.start(fixture.uploaded(uploads).await).await.unwrap();
        let counts = Counts {
            titles: 2,
            ..Counts::default()
        };
        fixture.room.note_counts(job.id, &counts).await.unwrap();
        fixture.streaming.remove_upload(uploads[0]).await.unwrap();
        let ended = fixture.ended(&job).await;
        assert_eq!((ended.state, ended.error), (JobState::Done, None), "{}", fixture.name);
        assert_eq!(
            fixture.streaming.uploaded_file(uploads[1]).await,
            Err(StreamingError::UploadNotFound),
            "{}",
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
