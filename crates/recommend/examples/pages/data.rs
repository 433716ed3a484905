//! The ratings of MovieTweetings, and a room that knows those before a moment.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating},
    catalog::{Catalog as _, ExternalId, ImportTitles, NewTitle, TitleKind},
    jobs::JobState,
    recommend::{GetHome, HomePage, Recommend as _, StartTraining, Viewer},
};
use platform::{
    Bus, Inputs, Location,
    blob::BlobStore,
    clock::{Clock as _, ManualClock},
};
use tokio_util::sync::CancellationToken;

pub struct Rating {
    pub viewer: i64,
    pub title: usize,
    pub half_stars: u8,
    pub at_ms: i64,
}

pub struct Data {
    pub films: Vec<NewTitle>,
    pub ratings: Vec<Rating>,
}

pub fn read(folder: &str) -> anyhow::Result<Data> {
    let lines = |name: &str| std::fs::read_to_string(format!("{folder}/{name}"));
    let mut films = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for line in lines("movies.dat")?.lines() {
        let parts: Vec<&str> = line.split("::").collect();
        let [id, name, genres] = parts[..] else { continue };
        let (name, year) = name.rsplit_once(" (").unwrap_or((name, ""));
        numbers.insert(id.into(), films.len());
        films.push(NewTitle {
            kind: TitleKind::Film,
            name: name.into(),
            original_name: None,
            year: year.trim_end_matches(')').parse().ok(),
            genres: genres
                .split('|')
                .filter(|genre| !genre.is_empty())
                .map(str::to_owned)
                .collect(),
            description: String::new(),
            maturity: Some(12),
            duration_ms: None,
            credits: Vec::new(),
            place: None,
            external: vec![ExternalId {
                source: "movietweetings".into(),
                id: id.into(),
            }],
            published: true,
        });
    }
    let mut ratings = Vec::new();
    for line in lines("ratings.dat")?.lines() {
        let parts: Vec<&str> = line.split("::").collect();
        let [viewer, film, stars, at] = parts[..] else { continue };
        let Some(title) = numbers.get(film) else { continue };
        ratings.push(Rating {
            viewer: viewer.parse()?,
            title: *title,
            half_stars: stars.parse::<u8>()?.max(1),
            at_ms: at.parse::<i64>()? * 1_000,
        });
    }
    ratings.sort_by_key(|rating| rating.at_ms);
    Ok(Data { films, ratings })
}

/// A room that knows the past, at its end.
pub struct House {
    pub room: Arc<recommend::Room>,
    pub activity: Arc<activity::Room>,
    pub bus: Arc<Bus>,
    pub clock: Arc<ManualClock>,
    /// By film.
    pub titles: Vec<TitleId>,
    /// Films that nobody has rated yet.
    new: Vec<usize>,
    catalog: Arc<catalog::Local>,
    inputs: Inputs,
    folder: tempfile::TempDir,
}

pub async fn open(films: &[NewTitle], past: &[Rating], config: recommend::Config) -> anyhow::Result<House> {
    let folder = tempfile::tempdir()?;
    let (inputs, clock) = Inputs::manual(11);
    let end = past.last().map_or(0, |rating| rating.at_ms) + 1;
    clock.advance(end - clock.now_ms());
    let bus = Bus::new(clock.clone());
    let blobs = BlobStore::open(&folder.path().join("blobs"))?;
    let location = Location::folder(folder.path());
    let deps = catalog::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: blobs.clone(),
    };
    let search = catalog::SearchIndex::Off;
    let catalog = catalog::open(deps, catalog::Config { search }).await?;
    let rated: HashSet<usize> = past.iter().map(|rating| rating.title).collect();
    let (old, new): (Vec<usize>, Vec<usize>) = (0..films.len()).partition(|film| rated.contains(film));
    let mut titles = vec![TitleId(0); films.len()];
    add(&catalog, films, &old, &mut titles).await?;
    let activity = activity::open(activity::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config: activity::Config::default(),
    })
    .await?;
    let rating = |rating: &Rating| {
        Some(ImportedRating {
            profile: ProfileId(rating.viewer),
            title: titles[rating.title],
            stars: HalfStars::new(rating.half_stars)?,
            at: rating.at_ms,
        })
    };
    let ratings = past.iter().filter_map(rating).collect();
    activity.import_ratings(ImportRatings { ratings }).await?;
    let (blobs, inputs) = (blobs.clone(), inputs.clone());
    let deps = recommend::Deps {
        location,
        blobs,
        inputs: inputs.clone(),
        bus: bus.clone(),
        catalog: catalog.clone(),
        activity: activity.clone(),
        config,
    };
    let room = recommend::open(deps).await?;
    room.subscribe(&bus).await?;
    room.ready().await?;
    Ok(House {
        room,
        activity,
        bus,
        clock,
        titles,
        new,
        catalog,
        inputs,
        folder,
    })
}

async fn add(
    catalog: &catalog::Local,
    films: &[NewTitle],
    which: &[usize],
    titles: &mut [TitleId],
) -> anyhow::Result<()> {
    let wanted = which.iter().map(|film| films[*film].clone()).collect();
    let added = catalog.import(ImportTitles { titles: wanted }).await?.titles;
    which.iter().zip(added).for_each(|(film, title)| titles[*film] = title);
    Ok(())
}

impl House {
    /// The titles come that nobody has rated before: those that there are after the training alone.
    pub async fn add_new(&mut self, films: &[NewTitle]) -> anyhow::Result<()> {
        add(&self.catalog, films, &self.new, &mut self.titles).await?;
        self.bus.settle().await?;
        self.room.refresh().await;
        Ok(())
    }

    /// The same models and ratings with other settings.
    pub async fn with(&self, config: recommend::Config) -> anyhow::Result<Arc<recommend::Room>> {
        let bus = Bus::new(self.clock.clone());
        let deps = recommend::Deps {
            location: Location::folder(self.folder.path()),
            blobs: BlobStore::open(&self.folder.path().join("blobs"))?,
            inputs: self.inputs.clone(),
            bus,
            catalog: self.catalog.clone(),
            activity: self.activity.clone(),
            config,
        };
        let room = recommend::open(deps).await?;
        room.ready().await?;
        Ok(room)
    }
}

pub async fn train(room: &Arc<recommend::Room>) -> anyhow::Result<()> {
    let mut changes = room.job_changes();
    let job = room.train(StartTraining {}).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(room.clone().run_worker(stop.clone()));
    loop {
        let changed = changes.recv().await?;
        if changed.id == job.id && !matches!(changed.state, JobState::Running | JobState::Queued) {
            println!("trained: {:?} {:?}", changed.outcome, changed.error);
            break;
        }
    }
    stop.cancel();
    Ok(worker.await?)
}

pub fn as_viewer(viewer: i64) -> Viewer {
    Viewer {
        profile: ProfileId(viewer),
        maturity_max: 18,
        preferences: Preferences::default(),
    }
}

pub async fn home(room: &recommend::Room, viewer: i64) -> anyhow::Result<HomePage> {
    let home = GetHome {
        viewer: as_viewer(viewer),
        exclude: Vec::new(),
    };
    Ok(room.home(home).await?)
}
