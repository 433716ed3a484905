//! Models as files: `models/<id>/…`, the manifest with checksums last. Written once, never changed.

use contract::{Fault, ModelId, recommend::RecommendError};
use platform::blob::{BlobError, BlobStore};
use reco::{Event, ItemSet, MODEL_NAMES, Model as _, Part, Recommender, Scored, Scratch};

use crate::titles::Titles;

const FOLDER: &str = "models";
const MANIFEST: &str = "manifest.json";
/// Parts of one artefact, and bytes of one part: more is not ours.
const PARTS_MAX: usize = 64;
const PART_BYTES_MAX: u64 = 2 << 30;
/// Titles of a list that is looked at.
const LIST: usize = 20;
/// A model of which fewer titles are in this catalogue was trained for another.
const KNOWN_SHARE_MIN: f32 = 0.5;

/// Stores all parts; the manifest comes last, so a folder with one is whole.
pub async fn write(blobs: &BlobStore, model: ModelId, mut parts: Vec<Part>) -> Result<(), Fault> {
    parts.sort_by_key(|(name, _)| name == MANIFEST);
    for (name, bytes) in parts {
        blobs
            .put(&format!("{FOLDER}/{model}/{name}"), bytes)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

/// All parts as they lie there; on a thread that may wait.
pub fn read(
    blobs: &BlobStore,
    model: ModelId,
    runtime: &tokio::runtime::Handle,
) -> Result<Vec<(String, bytes::Bytes)>, RecommendError> {
    let folder = format!("{FOLDER}/{model}");
    let files = runtime.block_on(blobs.list(&folder)).map_err(fault)?;
    if files.is_empty() {
        return Err(RecommendError::ModelBroken("its files are no longer kept".into()));
    }
    if files.len() > PARTS_MAX || files.iter().any(|file| file.bytes > PART_BYTES_MAX) {
        return Err(RecommendError::ModelBroken("its files are not what was written".into()));
    }
    let mut parts = Vec::with_capacity(files.len());
    for file in files {
        let name = file.key.rsplit('/').next().unwrap_or_default().to_owned();
        parts.push((name, blobs.get_here(&file.key, runtime).map_err(fault)?));
    }
    Ok(parts)
}

/// Makes a recommender of the parts, as whoever serves it, or says what is wrong with them.
pub fn open<B: AsRef<[u8]>>(parts: &[(String, B)], titles: &Titles) -> Result<Recommender, String> {
    let recommender = Recommender::load_parts(parts).map_err(|error| error.to_string())?;
    check(&recommender, titles)?;
    Ok(recommender)
}

/// Whether a model can serve: it knows this catalogue, and ranks it with finite scores.
pub fn check(recommender: &Recommender, titles: &Titles) -> Result<(), String> {
    let keys = recommender.keys();
    if keys.is_empty() {
        return Err("it knows no title".into());
    }
    let known = keys.iter().filter(|key| titles.slot((**key).into()).is_some()).count();
    if titles.len() > 0 && (known as f32) < KNOWN_SHARE_MIN * keys.len() as f32 {
        return Err(format!(
            "only {known} of its {} titles are in this catalogue: it was trained for another",
            keys.len()
        ));
    }
    let popular = recommender.popular(3, &ItemSet::new(keys.len()));
    let liked = popular.iter().map(|scored| Event {
        item: scored.item,
        weight: 1.0,
        at: 0,
    });
    let liked: Vec<Event> = liked.collect();
    recommends(recommender, [&[][..], &liked])
}

/// Whether it recommends something to viewers with these histories, and every model in it gives every title a finite score. The
/// ranker alone would not show it: its trees make a number of whatever is not one.
pub fn recommends<'a>(
    recommender: &Recommender,
    histories: impl IntoIterator<Item = &'a [Event]>,
) -> Result<(), String> {
    let (mut scratch, none) = (Scratch::default(), ItemSet::new(recommender.items()));
    let mut scores = vec![0.0; recommender.items()];
    for history in histories {
        let list = recommender.recommend(history, LIST, &none, &mut scratch);
        is_list(recommender.items(), history, &list)?;
        for name in MODEL_NAMES {
            let Some(model) = recommender.model(name) else { continue };
            model.score(history, &mut scratch, &mut scores);
            if let Some(bad) = scores.iter().find(|score| !score.is_finite()) {
                return Err(format!("its {name} scores a title with {bad}"));
            }
        }
    }
    Ok(())
}

fn is_list(titles: usize, history: &[Event], list: &[Scored]) -> Result<(), String> {
    if list.is_empty() && titles > history.len() {
        return Err("it recommends nothing".into());
    }
    match list.iter().find(|scored| !scored.score.is_finite()) {
        Some(bad) => Err(format!("it scores a title with {}", bad.score)),
        None => Ok(()),
    }
}

/// Deletes the artefacts of all other models, and what a killed training left.
pub async fn remove_others(blobs: &BlobStore, kept: &[ModelId]) -> Result<(), Fault> {
    let mut folders: Vec<String> = Vec::new();
    for file in blobs.list(FOLDER).await.map_err(fault)? {
        if let Some(folder) = file.key.split('/').nth(1) {
            folders.push(folder.to_owned());
        }
    }
    folders.dedup();
    for folder in folders {
        let is_kept = folder.parse().is_ok_and(|model: ModelId| kept.contains(&model));
        if !is_kept {
            blobs.delete_all(&format!("{FOLDER}/{folder}")).await.map_err(fault)?;
        }
    }
    Ok(())
}

fn fault(error: BlobError) -> Fault {
    match error {
        BlobError::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use reco::{Dataset, Interaction, ItemFeatures, TrainConfig, train};

    use super::*;

    fn model_of(keys: &[i64]) -> Recommender {
        let titles = keys.len() as u32;
        let event = |n: u32| Interaction {
            user: n % 5,
            item: n % titles,
            weight: 1.0,
            at: n.into(),
        };
        let data = Dataset::from_interactions(5, keys.len(), (0..40).map(event)).expect("builds");
        let none = ItemFeatures::none(keys.len());
        let trained = train(&data, keys, &none, &TrainConfig::default(), 40, &|_, _| Ok(())).expect("trains");
        trained.recommender
    }

    #[test]
    fn a_model_of_another_catalogue_is_refused() {
        let model = model_of(&(1..=20).collect::<Vec<_>>());
        assert_eq!(check(&model, &Titles::films(1..=30)), Ok(()));
        let refused = check(&model, &Titles::films(15..=500)).expect_err("knows six of its twenty titles");
        assert!(refused.contains("only 6 of its 20 titles"), "{refused}");
    }

    #[test]
    fn what_knows_no_title_or_lists_nothing_is_refused() {
        let model = model_of(&(1..=20).collect::<Vec<_>>());
        let nobody = Dataset::from_interactions(0, 0, []).expect("builds");
        let bases = reco::Bases::train(
            &nobody,
            &ItemFeatures::none(0),
            &reco::BaseConfig::default(),
            0,
            &|_, _| Ok(()),
        );
        let bases = bases.expect("trains");
        let empty = Recommender::new(bases, model.ranker().clone(), &[], 0).expect("fits");
        assert_eq!(check(&empty, &Titles::films(1..=30)), Err("it knows no title".into()));
        let liked = [Event {
            item: 3,
            weight: 1.0,
            at: 0,
        }];
        let nothing = Err("it recommends nothing".into());
        assert_eq!((is_list(20, &liked, &[]), is_list(1, &liked, &[])), (nothing, Ok(())));
        let list = |score| [Scored { item: 4, score: 1.0 }, Scored { item: 5, score }];
        assert_eq!(is_list(20, &liked, &list(0.5)), Ok(()));
        for bad in [f32::NAN, f32::INFINITY] {
            assert_eq!(
                is_list(20, &liked, &list(bad)),
                Err(format!("it scores a title with {bad}"))
            );
        }
    }

    /// After one title a number is none. Whoever has not watched it has a page like any other.
    #[test]
    fn one_number_that_is_none_is_found_wherever_it_stands() {
        let model = model_of(&(1..=20).collect::<Vec<_>>());
        let titles = Titles::films(1..=30);
        let after = |item| {
            [Event {
                item,
                weight: 1.0,
                at: 0,
            }]
        };
        let popular = model.popular(4, &ItemSet::new(20));
        let broken = broken_after(&model, popular[3].item);
        assert_eq!(check(&broken, &titles), Ok(()), "not among the three most popular");
        let sound = after(popular[0].item);
        assert_eq!(recommends(&broken, [&sound[..]]), Ok(()));
        let found = recommends(&broken, [&sound[..], &after(popular[3].item)]);
        assert_eq!(found, Err("its cooccurrence scores a title with NaN".into()));
        let parts = broken.save_parts().expect("is written");
        let Err(refused) = open(&parts, &titles) else {
            panic!("every tensor is looked at")
        };
        assert!(refused.contains("cooccurrence"), "{refused}");
        assert!(open(&model.save_parts().expect("is written"), &titles).is_ok());
    }

    /// What follows this title was counted as no number.
    fn broken_after(model: &Recommender, item: u32) -> Recommender {
        let event = |item, weight| Event { item, weight, at: 0 };
        let mut counts = model.counts().clone();
        counts.observe(&[event(item, 1.0)], event((item + 1) % 20, f32::NAN));
        model.with_counts(counts).expect("fits")
    }
}
