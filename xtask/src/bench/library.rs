//! Owns the library that the figures are measured on: all of MovieTweetings, a trained model, and accounts whose profiles have the
//! histories of real viewers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use crate::demo::{ADMIN, Person, VIEWER};
use crate::http::Client;
use crate::kinora::Kinora;
use crate::progress::Stage;

/// Accounts, each with as many profiles as it may have: 200 real viewers.
const ACCOUNTS: usize = 40;
const PROFILES_PER_ACCOUNT: usize = 5;
const PASSWORD: &str = "one of the many who watch";
/// Who has rated less is nobody in particular yet.
const HISTORY_MIN: usize = 5;

pub struct Library {
    pub kinora: Kinora,
    /// Of `kinora train`.
    pub train_took: Duration,
    people: Vec<Viewer>,
}

/// A profile that has a real viewer's history.
struct Viewer {
    email: String,
    profile: String,
}

impl Library {
    pub fn prepare(kinora: Kinora, dataset: &Path, stage: &Stage) -> Result<Self> {
        for Person {
            email,
            name,
            role,
            password,
        } in [&VIEWER, &ADMIN]
        {
            kinora.add_user(email, name, role, password, stage)?;
        }
        for number in 0..ACCOUNTS {
            kinora.add_user(&email(number), "Viewer", "viewer", PASSWORD, stage)?;
        }
        let people = make_profiles(&kinora, stage)?;
        let claims = claims(&people, dataset)?;
        let mut words = vec![
            "import".to_owned(),
            "movietweetings".to_owned(),
            dataset.to_string_lossy().into_owned(),
        ];
        for claim in claims {
            words.extend(["--claim".to_owned(), claim]);
        }
        kinora.command(words.iter().map(String::as_str)).run(stage)?;
        let began = Instant::now();
        kinora.command(["train"]).run(stage)?;
        Ok(Self {
            kinora,
            train_took: began.elapsed(),
            people,
        })
    }

    /// A file of lines `token profile`, one per viewer, for the load generator.
    pub fn tokens(&self, url: &str) -> Result<PathBuf> {
        let mut tokens: HashMap<&str, String> = HashMap::new();
        let mut lines = String::new();
        for viewer in &self.people {
            if !tokens.contains_key(viewer.email.as_str()) {
                tokens.insert(&viewer.email, log_in(url, &viewer.email)?.0);
            }
            lines.push_str(&format!("{} {}\n", tokens[viewer.email.as_str()], viewer.profile));
        }
        let path = self.kinora.data.join("tokens.txt");
        fs::write(&path, lines).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

fn email(number: usize) -> String {
    format!("viewer-{number}@kinora.example")
}

fn log_in(url: &str, email: &str) -> Result<(String, Client)> {
    let mut client = Client::new(url);
    let token = client.log_in(email, PASSWORD)?;
    Ok((token, client))
}

fn make_profiles(kinora: &Kinora, stage: &Stage) -> Result<Vec<Viewer>> {
    let server = kinora.start(stage)?;
    let mut people = Vec::new();
    for number in 0..ACCOUNTS {
        let email = email(number);
        let (_, client) = log_in(&server.url, &email)?;
        for extra in 1..PROFILES_PER_ACCOUNT {
            client.json(
                "POST",
                "/api/v1/profiles",
                Some(&json!({ "name": format!("Viewer {extra}") })),
            )?;
        }
        let listed = client.json("GET", "/api/v1/profiles", None)?;
        let listed = listed
            .as_array()
            .or_else(|| listed["items"].as_array())
            .or_else(|| listed["profiles"].as_array());
        for profile in listed.context("no list of profiles")? {
            let profile = profile["id"].as_str().context("a profile without an id")?.to_owned();
            people.push(Viewer {
                email: email.clone(),
                profile,
            });
        }
        stage.line(&format!("{} of {ACCOUNTS} accounts with their profiles", number + 1));
    }
    Ok(people)
}

/// `VIEWER=EMAIL#PROFILE`: every n-th of the data set's viewers who have a history.
fn claims(people: &[Viewer], dataset: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(dataset.join("ratings.dat")).context("read ratings.dat")?;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for line in text.lines() {
        *counts.entry(line.split("::").next().unwrap_or_default()).or_default() += 1;
    }
    let mut known: Vec<&str> = counts
        .into_iter()
        .filter(|(_, count)| *count >= HISTORY_MIN)
        .map(|(viewer, _)| viewer)
        .collect();
    known.sort_unstable();
    let step = (known.len() / people.len().max(1)).max(1);
    let chosen = known.into_iter().step_by(step).zip(people);
    Ok(chosen
        .map(|(viewer, person)| format!("{viewer}={}#{}", person.email, person.profile))
        .collect())
}
