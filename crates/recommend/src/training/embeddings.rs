//! Vectors of titles from an endpoint that speaks the common embeddings interface: `POST {model, input: […]}` is answered with
//! `{data: [{index, embedding: […]}]}`. Optional; a training never fails by it.
//!
//! What was asked for once is kept by a hash of its text, so a training asks for new and changed titles alone. Vectors are kept as
//! the content model takes them, with [`reco::EMBEDDED`] dimensions.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use contract::catalog::TitleFeatures;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::titles::Titles;

/// Texts of one request, and characters of one text.
const BATCH: usize = 64;
const TEXT_CHARACTERS_MAX: usize = 500;
const DIMENSIONS_MAX: usize = 8_192;
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// What is not there after this time is asked for by the next training.
const TIME_MAX: Duration = Duration::from_secs(600);

/// Where vectors of titles come from. Off without an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embeddings {
    /// Such as `http://127.0.0.1:11434/v1/embeddings`; `http` only: put a proxy before an endpoint elsewhere. Empty: none.
    pub url: String,
    /// As the endpoint calls it.
    pub model: String,
    /// A file whose text is sent as a bearer token. Empty: none.
    pub key_file: PathBuf,
    /// How long one request may take.
    pub timeout_ms: u64,
}

impl Default for Embeddings {
    fn default() -> Self {
        Self {
            url: String::new(),
            model: String::new(),
            key_file: PathBuf::new(),
            timeout_ms: 30_000,
        }
    }
}

/// A vector as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Hash of the text.
    pub text: String,
    /// Dimensions of the endpoint's own vector.
    pub dimensions: u32,
    pub vector: Vec<f32>,
}

/// What titles have, and what went wrong on the way.
#[derive(Default)]
pub struct Embedded {
    /// By title, in the order of the slots.
    pub vectors: Vec<Option<Vec<f32>>>,
    /// Came from the endpoint just now.
    pub new: Vec<Kept>,
    /// The endpoint gives vectors of another length than those that were known, which are worth nothing now.
    pub is_another: bool,
    pub problem: Option<String>,
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [&'a str],
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// An endpoint that can be asked.
pub struct Endpoint {
    client: reqwest::Client,
    url: reqwest::Url,
    model: String,
    key: Option<String>,
}

impl Endpoint {
    /// `None` where none is configured.
    pub async fn open(config: &Embeddings) -> Result<Option<Self>, String> {
        if config.url.is_empty() {
            return Ok(None);
        }
        let url: reqwest::Url = config
            .url
            .parse()
            .map_err(|error| format!("its address is none: {error}"))?;
        if url.scheme() != "http" {
            return Err("its address must begin with http://".into());
        }
        let key = if config.key_file.as_os_str().is_empty() {
            None
        } else {
            let read = tokio::fs::read_to_string(&config.key_file).await;
            let key =
                read.map_err(|error| format!("its key cannot be read from {}: {error}", config.key_file.display()))?;
            Some(key.trim().to_owned())
        };
        let client = platform::outbound::client()
            .timeout(Duration::from_millis(config.timeout_ms.max(1)))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        let model = config.model.clone();
        Ok(Some(Self {
            client,
            url,
            model,
            key,
        }))
    }

    /// Vectors of all titles: those `known` by the hashes of their texts, and of the others as many as the endpoint gives.
    pub async fn embed(&self, titles: &Titles, known: Vec<Kept>) -> Embedded {
        let embedded = self.embed_with(titles, known).await;
        if !embedded.is_another {
            return embedded;
        }
        Embedded {
            is_another: true,
            ..self.embed_with(titles, Vec::new()).await
        }
    }

    async fn embed_with(&self, titles: &Titles, known: Vec<Kept>) -> Embedded {
        let texts: Vec<String> = titles.list.iter().map(|title| text_of(title)).collect();
        let hashes: Vec<String> = texts.iter().map(|text| hash(text)).collect();
        let mut vectors: HashMap<String, Kept> = known.into_iter().map(|kept| (kept.text.clone(), kept)).collect();
        let mut asked = HashSet::new();
        let missing: Vec<usize> = (0..texts.len())
            .filter(|slot| !vectors.contains_key(&hashes[*slot]) && asked.insert(&hashes[*slot]))
            .collect();
        let (mut new, mut problem, mut is_another) = (Vec::new(), None, false);
        let fetch = async {
            for slots in missing.chunks(BATCH) {
                let batch: Vec<&str> = slots.iter().map(|slot| texts[*slot].as_str()).collect();
                let dimensions = new.first().map(|kept: &Kept| kept.dimensions);
                let answered = self.ask(&batch, dimensions).await?;
                let length = answered[0].len() as u32;
                if vectors.values().any(|kept| kept.dimensions != length) {
                    is_another = true;
                    return Ok(());
                }
                for (slot, raw) in slots.iter().zip(answered) {
                    let kept = Kept {
                        text: hashes[*slot].clone(),
                        dimensions: raw.len() as u32,
                        vector: reco::reduced(&raw),
                    };
                    vectors.insert(kept.text.clone(), kept.clone());
                    new.push(kept);
                }
            }
            Ok(())
        };
        match tokio::time::timeout(TIME_MAX, fetch).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => problem = Some(reason),
            Err(_) => problem = Some(format!("it took more than {} s", TIME_MAX.as_secs())),
        }
        let vector = |hash| vectors.get(hash).map(|kept| kept.vector.clone());
        Embedded {
            vectors: hashes.iter().map(vector).collect(),
            new,
            is_another,
            problem,
        }
    }

    /// One vector for each text, all of `dimensions` where that is known.
    async fn ask(&self, texts: &[&str], dimensions: Option<u32>) -> Result<Vec<Vec<f32>>, String> {
        let question = Question {
            model: &self.model,
            input: texts,
        };
        let mut request = self.client.post(self.url.clone()).json(&question);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let mut response = request.send().await.map_err(|error| why(&error))?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| format!("its answer is none: {error}"))?;
        checked(answer, texts.len(), dimensions)
    }
}

/// The vectors in the order of the texts.
fn checked(answer: Answer, count: usize, dimensions: Option<u32>) -> Result<Vec<Vec<f32>>, String> {
    if answer.data.len() != count {
        return Err(format!("it gave {} vectors for {count} texts", answer.data.len()));
    }
    let wanted = dimensions.map_or_else(|| answer.data[0].embedding.len(), |known| known as usize);
    let mut vectors = vec![Vec::new(); count];
    for (place, one) in answer.data.into_iter().enumerate() {
        let length = one.embedding.len();
        if length != wanted || length == 0 || length > DIMENSIONS_MAX {
            return Err(format!(
                "it gave a vector of {length} dimensions where {wanted} were expected"
            ));
        }
        if one.embedding.iter().any(|value| !value.is_finite()) {
            return Err("it gave a vector with a value that is no number".into());
        }
        match vectors.get_mut(one.index.unwrap_or(place)) {
            Some(vector) => *vector = one.embedding,
            None => return Err(format!("it gave a vector for text {:?} of {count}", one.index)),
        }
    }
    if vectors.iter().any(Vec::is_empty) {
        return Err("it gave two vectors for one text".into());
    }
    Ok(vectors)
}

/// The innermost cause says it best.
fn why(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    words
}

/// What an endpoint is told of a title.
fn text_of(title: &TitleFeatures) -> String {
    let year = title.year.map_or_else(String::new, |year| format!(" ({year})"));
    let genres = if title.genres.is_empty() {
        String::new()
    } else {
        format!(". {}", title.genres.join(", "))
    };
    let text = format!("{}{year}{genres}", title.name);
    text.chars().take(TEXT_CHARACTERS_MAX).collect()
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests {
    use super::*;

    fn answer(vectors: &[(Option<usize>, &[f32])]) -> Answer {
        let one = |(index, embedding): &(Option<usize>, &[f32])| One {
            index: *index,
            embedding: embedding.to_vec(),
        };
        Answer {
            data: vectors.iter().map(one).collect(),
        }
    }

    #[test]
    fn an_answer_is_taken_in_its_own_order_or_refused_with_words() {
        let turned = answer(&[(Some(1), &[3.0, 4.0]), (Some(0), &[1.0, 2.0])]);
        assert_eq!(checked(turned, 2, None).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        let plain = answer(&[(None, &[1.0]), (None, &[2.0])]);
        assert_eq!(checked(plain, 2, Some(1)).unwrap(), [[1.0], [2.0]]);
        for (bad, count, dimensions, words) in [
            (answer(&[(None, &[1.0])]), 2, None, "1 vectors for 2 texts"),
            (answer(&[]), 1, None, "0 vectors for 1 texts"),
            (
                answer(&[(None, &[1.0]), (None, &[1.0, 2.0])]),
                2,
                None,
                "2 dimensions where 1",
            ),
            (answer(&[(None, &[1.0])]), 1, Some(3), "1 dimensions where 3"),
            (answer(&[(None, &[])]), 1, None, "0 dimensions"),
            (answer(&[(None, &[f32::NAN])]), 1, None, "no number"),
            (answer(&[(Some(7), &[1.0])]), 1, None, "Some(7) of 1"),
            (
                answer(&[(Some(0), &[1.0]), (Some(0), &[1.0])]),
                2,
                None,
                "two vectors for one",
            ),
        ] {
            let refused = checked(bad, count, dimensions).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
