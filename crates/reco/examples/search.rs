//! Searches for settings on the learn stages of a data set's protocol, and says the best it found:
//! `cargo run --release -p reco --example search -- last-out|ml-100k|movietweetings SECONDS [SEARCH-SETTING=JSON…]`, for instance
//! `last-out 600 subjects=[true,false,false,false] stages=4 depth=10 margin=0`. The test is never opened.

#[path = "../tests/common/data.rs"]
mod data;

use reco::{BaseConfig, Protocol, Search, SearchSettings, Split};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, seconds, changes @ ..] = arguments.as_slice() else {
        return Err("which data, and how many seconds?".into());
    };
    let (protocol, (data, features)) = match what.as_str() {
        "last-out" => (Protocol::LastOut, data::ml_1m()?),
        "ml-100k" => (Protocol::Temporal, data::ml_100k()?),
        "movietweetings" => (Protocol::Temporal, data::movietweetings()?),
        other => return Err(format!("unknown data {other:?}").into()),
    };
    let mut settings = serde_json::to_value(SearchSettings::default())?;
    for change in changes {
        let (name, value) = change.split_once('=').ok_or("no =")?;
        *settings.get_mut(name).ok_or("no such setting")? = serde_json::from_str(value)?;
    }
    let split = Split::make(protocol, &data, 1)?;
    let mut search = Search::new(BaseConfig::for_protocol(protocol), serde_json::from_value(settings)?);
    let (started, seconds) = (Instant::now(), seconds.parse::<f64>()?);
    let mut kept = 0;
    search.run(split.learn(), &features, &mut |search| {
        let (trials, now) = search.trials();
        if now > kept {
            kept = now;
            println!(
                "{trials} trials, {now} kept: {}",
                serde_json::to_string(&search.best()).unwrap_or_default()
            );
        }
        Ok(started.elapsed().as_secs_f64() < seconds)
    })?;
    let (trials, kept) = search.trials();
    println!(
        "{trials} trials in {:.0} s, {kept} kept",
        started.elapsed().as_secs_f64()
    );
    println!("{}", serde_json::to_string_pretty(&search.best())?);
    Ok(())
}
