//! Models as files: `models/<id>/…`, the manifest with checksums last. Written once, never changed.

use contract::{Fault, ModelId, recommend::RecommendError};
use platform::blob::{BlobError, BlobStore};
use reco::{Model as _, Part, Recommender, Scratch};

use crate::titles::Titles;

const FOLDER: &str = "models";
const MANIFEST: &str = "manifest.json";
/// Parts of one artefact, and bytes of one part: more is not ours.
const PARTS_MAX: usize = 64;
const PART_BYTES_MAX: u64 = 2 << 30;
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

/// All parts as they lie there.
pub async fn read(blobs: &BlobStore, model: ModelId) -> Result<Vec<(String, bytes::Bytes)>, RecommendError> {
    let folder = format!("{FOLDER}/{model}");
    let files = blobs.list(&folder).await.map_err(fault)?;
    if files.is_empty() {
        return Err(RecommendError::ModelBroken("its files are gone".into()));
    }
    if files.len() > PARTS_MAX || files.iter().any(|file| file.bytes > PART_BYTES_MAX) {
        return Err(RecommendError::ModelBroken("its files are not what was written".into()));
    }
    let mut parts = Vec::with_capacity(files.len());
    for file in files {
        let name = file.key.rsplit('/').next().unwrap_or_default().to_owned();
        parts.push((name, blobs.get(&file.key).await.map_err(fault)?));
    }
    Ok(parts)
}

/// Makes a recommender of the parts, or says what is wrong with them.
pub fn open(parts: &[(String, bytes::Bytes)], titles: &Titles) -> Result<Recommender, String> {
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
    let mut scratch = Scratch::default();
    let none = reco::ItemSet::new(keys.len());
    let popular = recommender.popular(3, &none);
    let liked = popular.iter().map(|scored| reco::Event {
        item: scored.item,
        weight: 1.0,
        at: 0,
    });
    for history in [Vec::new(), liked.collect::<Vec<_>>()] {
        let list = recommender.recommend(&history, 20, &none, &mut scratch);
        if list.is_empty() && keys.len() > history.len() {
            return Err("it recommends nothing".into());
        }
        if let Some(bad) = list.iter().find(|scored| !scored.score.is_finite()) {
            return Err(format!("it scores a title with {}", bad.score));
        }
    }
    Ok(())
}

/// Deletes the artefacts of models that no longer have a record, and what a killed training left.
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
}
