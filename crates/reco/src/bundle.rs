//! The recommender that a service loads: all base models, the ranker, and the caller's title ids, as checked files.

use crate::codec::{FORMAT, TensorReader, TensorWriter};
use crate::dataset::Event;
use crate::error::{RecoError, Result};
use crate::model::{Contribution, Model, Scratch, mark_seen};
use crate::models::{Content, Cooccurrence, Ease, Ials, Outlook, Popularity, TitleDescription};
use crate::ranker::{Attribution, Bases, Models, Ranked, Ranker, Traits};
use crate::select::{ItemSet, Scored, best_first, top_k};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

const NAME: &str = "ranker";
const MANIFEST: &str = "manifest.json";
const INDEX: &str = "index";

/// A named file of an artefact.
pub type Part = (String, Vec<u8>);

/// All models over one catalogue, immutable; clones share the models.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommender {
    bases: Bases,
    ranker: Arc<Ranker>,
    keys: Arc<[i64]>,
    by_key: Arc<HashMap<i64, u32>>,
    trained_through: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    items: usize,
    trained_through: i64,
    parts: Vec<ManifestPart>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ManifestPart {
    name: String,
    bytes: usize,
    sha256: String,
}

impl Recommender {
    /// Puts trained models together. `item_keys[i]` is the caller's id of title i, `trained_through` the time of the
    /// newest event that the models have seen.
    pub fn new(bases: Bases, ranker: Ranker, item_keys: &[i64], trained_through: i64) -> Result<Self> {
        if item_keys.len() != bases.items() {
            let reason = format!("{} ids for {} titles", item_keys.len(), bases.items());
            return Err(RecoError::artefact(INDEX, reason));
        }
        let mut by_key = HashMap::with_capacity(item_keys.len());
        for (index, &key) in item_keys.iter().enumerate() {
            if by_key.insert(key, index as u32).is_some() {
                return Err(RecoError::artefact(INDEX, format!("id {key} stands twice")));
            }
        }
        Ok(Self {
            bases,
            ranker: Arc::new(ranker),
            keys: item_keys.into(),
            by_key: Arc::new(by_key),
            trained_through,
        })
    }

    /// With titles that came after training, placed by what they are: the content model scores them as it scores every title that
    /// nobody has seen, and nothing changes for the others. `titles` are the caller's ids, unique and none of them known, with their
    /// descriptions. Not for storage: the next training learns them.
    pub fn placed(&self, titles: &[(i64, TitleDescription<'_>)]) -> Result<Self> {
        let mut keys = self.keys.to_vec();
        let mut by_key = HashMap::clone(&self.by_key);
        for &(key, _) in titles {
            if by_key.insert(key, keys.len() as u32).is_some() {
                return Err(RecoError::Data(format!("title {key} is known already")));
            }
            keys.push(key);
        }
        let descriptions: Vec<TitleDescription<'_>> = titles.iter().map(|(_, title)| *title).collect();
        Ok(Self {
            bases: self.bases.placed(&descriptions),
            keys: keys.into(),
            by_key: Arc::new(by_key),
            ..self.clone()
        })
    }

    /// With counts that have gone on: a clone of [`Self::counts`] that has observed events since.
    pub fn with_counts(&self, counts: Cooccurrence) -> Result<Self> {
        if counts.items() != self.items() {
            let text = format!("counts over {} titles for {}", counts.items(), self.items());
            return Err(RecoError::Data(text));
        }
        let mut counted = self.clone();
        counted.bases.cooccurrence = counts;
        Ok(counted)
    }

    /// The counting model, for counting on from here.
    pub fn counts(&self) -> &Cooccurrence {
        &self.bases.cooccurrence
    }

    /// Titles that the models were trained with: those of lower index. The others were placed since.
    pub fn trained_items(&self) -> usize {
        self.bases.ials.items()
    }

    /// The index of one of the caller's ids; `None` for a title that came after training and was not placed.
    pub fn index_of(&self, key: i64) -> Option<u32> {
        self.by_key.get(&key).copied()
    }

    /// The caller's id of a title index below [`Model::items`].
    pub fn key_of(&self, item: u32) -> i64 {
        self.keys[item as usize]
    }

    /// The caller's ids by index.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// Time of the newest event that the models have seen.
    pub fn trained_through(&self) -> i64 {
        self.trained_through
    }

    /// The base models.
    pub fn bases(&self) -> &Bases {
        &self.bases
    }

    /// The learned blend.
    pub fn ranker(&self) -> &Ranker {
        &self.ranker
    }

    /// A model by its name; `None` for a name that does not exist.
    pub fn model(&self, name: &str) -> Option<&dyn Model> {
        Some(match name {
            "popularity" => &*self.bases.popularity,
            "trending" => &*self.bases.trending,
            "ials" => &*self.bases.ials,
            "ease" => &*self.bases.ease,
            "cooccurrence" => &self.bases.cooccurrence,
            "content" => &*self.bases.content,
            NAME => self,
            _ => return None,
        })
    }

    /// The best `k` of the titles that `allowed` lets through and the history does not hold, best first. Candidates
    /// are drawn inside the filter, so a narrow one (a genre) still gets a full list.
    pub fn recommend_where(
        &self,
        history: &[Event],
        k: usize,
        allowed: &dyn Fn(u32) -> bool,
        scratch: &mut Scratch,
    ) -> Vec<Scored> {
        self.rank_where(history, k, allowed, scratch).into_list()
    }

    /// As [`Self::recommend_where`], and can say afterwards what placed a title where it stands.
    pub fn rank_where<'a>(
        &'a self,
        history: &'a [Event],
        k: usize,
        allowed: &dyn Fn(u32) -> bool,
        scratch: &'a mut Scratch,
    ) -> Ranked<'a> {
        let mut seen = std::mem::take(&mut scratch.seen);
        mark_seen(&mut seen, self.items(), history, &ItemSet::default());
        let unseen = |item: u32| !seen.contains(item) && allowed(item);
        let list = self.ranker.rank(&self.bases, history, k, &unseen, None, scratch);
        scratch.seen = seen;
        Ranked::new(&self.ranker, &self.bases, history, list, scratch)
    }

    /// What would place `item` where it stood among the titles that `allowed` lets through. Of a title of the history, what the
    /// rest of the history says. `None` outside the catalogue.
    pub fn attribute_where(
        &self,
        history: &[Event],
        item: u32,
        allowed: &dyn Fn(u32) -> bool,
        scratch: &mut Scratch,
    ) -> Option<Attribution> {
        if item as usize >= self.items() {
            return None;
        }
        let others: Vec<Event> = history.iter().filter(|event| event.item != item).copied().collect();
        let mut seen = std::mem::take(&mut scratch.seen);
        mark_seen(&mut seen, self.items(), &others, &ItemSet::default());
        let unseen = |item: u32| !seen.contains(item) && allowed(item);
        self.ranker.rank(&self.bases, &others, 1, &unseen, Some(item), scratch);
        scratch.seen = seen;
        let mut ranked = Ranked::new(&self.ranker, &self.bases, &others, Vec::new(), scratch);
        ranked.attribute(&[item]).pop().flatten()
    }

    /// The `k` titles with the highest decayed popularity that are not excluded.
    pub fn trending(&self, k: usize, excluded: &ItemSet) -> Vec<Scored> {
        top_positive(self.bases.trending.scores(), k, excluded)
    }

    /// The `k` most popular titles that are not excluded.
    pub fn popular(&self, k: usize, excluded: &ItemSet) -> Vec<Scored> {
        top_positive(self.bases.popularity.scores(), k, excluded)
    }

    /// The trending model, for counting on from here.
    pub fn trending_model(&self) -> &Popularity {
        &self.bases.trending
    }

    /// The artefact as named files, the manifest last. Same model, same bytes. Refuses one with titles that were placed since
    /// training.
    pub fn save_parts(&self) -> Result<Vec<Part>> {
        if self.trained_items() != self.items() {
            return Err(RecoError::artefact(
                INDEX,
                "holds titles that were placed after training",
            ));
        }
        let bases = &self.bases;
        let mut index = TensorWriter::default();
        index.i64("keys", &self.keys);
        let mut parts = vec![
            (INDEX, index.finish(INDEX, &self.trained_through)?),
            ("popularity", bases.popularity.save()?),
            ("trending", bases.trending.save()?),
            ("outlook", bases.outlook.save()?),
            ("ials", bases.ials.save()?),
            ("ease", bases.ease.save()?),
            ("cooccurrence", bases.cooccurrence.save()?),
            ("content", bases.content.save()?),
            ("traits", bases.traits.save()?),
            (NAME, self.ranker.save()?),
        ]
        .into_iter()
        .map(|(name, bytes)| (format!("{name}.safetensors"), bytes))
        .collect::<Vec<Part>>();
        let manifest = Manifest {
            format: FORMAT,
            items: self.keys.len(),
            trained_through: self.trained_through,
            parts: parts.iter().map(describe).collect(),
        };
        let json = serde_json::to_vec_pretty(&manifest).map_err(|e| RecoError::artefact(MANIFEST, e.to_string()))?;
        parts.push((MANIFEST.to_owned(), json));
        Ok(parts)
    }

    /// Reads what [`Self::save_parts`] wrote, in any order. Refuses, and names, a part that is missing, cut short,
    /// altered, not finite, or does not fit the others.
    pub fn load_parts<N: AsRef<str>, B: AsRef<[u8]>>(parts: &[(N, B)]) -> Result<Self> {
        let manifest: Manifest = serde_json::from_slice(find(parts, MANIFEST)?)
            .map_err(|e| RecoError::artefact(MANIFEST, format!("unreadable: {e}")))?;
        if manifest.format != FORMAT {
            let reason = format!("format {} instead of {FORMAT}", manifest.format);
            return Err(RecoError::artefact(MANIFEST, reason));
        }
        for part in &manifest.parts {
            check(part, find(parts, &part.name)?)?;
        }
        let file = |name: &str| {
            let name = format!("{name}.safetensors");
            match manifest.parts.iter().any(|p| p.name == name) {
                true => find(parts, &name),
                false => Err(RecoError::artefact(name, "is not in the manifest")),
            }
        };
        let bases = Bases::assemble(Models {
            popularity: Popularity::load(file("popularity")?)?,
            trending: Popularity::load(file("trending")?)?,
            outlook: Outlook::load(file("outlook")?)?,
            ials: Ials::load(file("ials")?)?,
            ease: Ease::load(file("ease")?)?,
            cooccurrence: Cooccurrence::load(file("cooccurrence")?)?,
            content: Content::load(file("content")?)?,
            traits: Traits::load(file("traits")?)?,
        })?;
        let ranker = Ranker::load(file(NAME)?)?;
        let index = TensorReader::new(INDEX, file(INDEX)?)?;
        let trained_through: i64 = index.settings(INDEX)?;
        let keys = index.i64_any("keys")?;
        if manifest.items != keys.len() || manifest.trained_through != trained_through {
            let reason = "the manifest does not describe this index";
            return Err(RecoError::artefact(MANIFEST, reason));
        }
        Self::new(bases, ranker, &keys, trained_through)
    }

    /// Reads what [`Model::save`] wrote: all parts in one file.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new("recommender", bytes)?;
        let names: Vec<String> = reader.settings(NAME)?;
        let parts: Result<Vec<Part>> = names
            .into_iter()
            .map(|name| Ok((name.clone(), reader.bytes(&name)?)))
            .collect();
        Self::load_parts(&parts?)
    }
}

fn describe((name, bytes): &Part) -> ManifestPart {
    ManifestPart {
        name: name.clone(),
        bytes: bytes.len(),
        sha256: checksum(bytes),
    }
}

fn checksum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(part: &ManifestPart, bytes: &[u8]) -> Result<()> {
    if bytes.len() != part.bytes {
        let reason = format!("{} bytes where {} were written", bytes.len(), part.bytes);
        return Err(RecoError::artefact(&part.name, reason));
    }
    if checksum(bytes) != part.sha256 {
        let reason = "its checksum does not match the manifest";
        return Err(RecoError::artefact(&part.name, reason));
    }
    Ok(())
}

fn find<'a, N: AsRef<str>, B: AsRef<[u8]>>(parts: &'a [(N, B)], name: &str) -> Result<&'a [u8]> {
    let found = parts.iter().find(|(n, _)| n.as_ref() == name);
    found
        .map(|(_, bytes)| bytes.as_ref())
        .ok_or_else(|| RecoError::artefact(name, "is missing"))
}

fn top_positive(scores: &[f32], k: usize, excluded: &ItemSet) -> Vec<Scored> {
    let mut best = Vec::new();
    top_k(scores, k, excluded, &mut best);
    best.retain(|s| s.score > 0.0);
    best
}

impl Model for Recommender {
    fn name(&self) -> &'static str {
        NAME
    }

    fn items(&self) -> usize {
        self.bases.items()
    }

    /// Titles that are no candidate score below every candidate, by popularity.
    fn score(&self, history: &[Event], scratch: &mut Scratch, out: &mut [f32]) {
        let all = self
            .ranker
            .rank(&self.bases, history, out.len(), &|_| true, None, scratch);
        all.iter().for_each(|s| out[s.item as usize] = s.score);
    }

    fn recommend(&self, history: &[Event], k: usize, excluded: &ItemSet, scratch: &mut Scratch) -> Vec<Scored> {
        self.recommend_where(history, k, &|item| !excluded.contains(item), scratch)
    }

    /// Neighbours of all models that know any, by the sum of their reciprocal ranks (Cormack et al. 2009).
    fn similar(&self, item: u32, k: usize) -> Vec<Scored> {
        let bases = &self.bases;
        let models: [(&dyn Model, f32); 4] = [
            (&*bases.ease, 1.0),
            (&bases.cooccurrence, 1.0),
            (&*bases.ials, 0.6),
            (&*bases.content, 1.0),
        ];
        let mut sums: HashMap<u32, f32> = HashMap::new();
        for (model, weight) in models {
            for (rank, near) in model.similar(item, k.max(50)).iter().enumerate() {
                *sums.entry(near.item).or_default() += weight / (20.0 + rank as f32);
            }
        }
        let pairs = sums.into_iter();
        let mut list: Vec<Scored> = pairs.map(|(item, score)| Scored { item, score }).collect();
        list.sort_unstable_by(best_first);
        list.truncate(k);
        list
    }

    fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        let attributed = self.attribute_where(history, item, &|_| true, &mut Scratch::default());
        attributed.map_or_else(Vec::new, |attribution| attribution.titles)
    }

    fn additive(&self) -> bool {
        false
    }

    fn save(&self) -> Result<Vec<u8>> {
        let parts = self.save_parts()?;
        let mut writer = TensorWriter::default();
        for (name, bytes) in &parts {
            writer.bytes(name, bytes);
        }
        let names: Vec<&str> = parts.iter().map(|p| p.0.as_str()).collect();
        writer.finish(NAME, &names)
    }
}
