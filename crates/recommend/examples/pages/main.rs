//! Judges whole home pages on what people did next: `cargo run --release -p recommend --example pages -- FOLDER [test] [live|figures] [CONFIG] [FILE]`.
//!
//! FOLDER holds MovieTweetings (`movies.dat`, `ratings.dat`). All ratings before a moment are imported and learned from, and what they
//! rate is all there is to learn; then the other titles come. Every viewer who liked something after the moment gets a page as of
//! then, which is judged by where those titles stand on it. The moment stands at four fifths of all ratings and the next tenth is what
//! comes next: settings are chosen there. With `test` it stands at nine tenths: that is looked at once, when everything is chosen.
//! CONFIG is the room's configuration as JSON, FILE gets the figure of each viewer, so that two runs can be compared in pairs.
//!
//! With `live` nothing stands still: every rating that comes next is heard at its time, without another training, and whoever is about to
//! like a title that nobody had rated before the training gets a page a moment before it. That is how soon a new title is found.
//!
//! With `figures` the last line is JSON: the same figures beside what they have to be better than, with intervals of the differences.
//!
//! Figures: two-dimensional NDCG over the first ten columns of all rows (Felicioni et al. 2021, discount 1 / log2(row + column), a
//! title counts where it stands first, normalised by the best cells of 12 × 10); NDCG@20 of *Top Picks*; calibration of its first
//! twenty (Steck 2018: KL of the genres liked from those shown, mixed with a hundredth of the former); the time a page takes; viewers
//! without a past, who get what is made for new ones, apart; how many of the titles that nobody had rated before were shown to whoever
//! liked them next.

mod data;
mod figures;
mod judged;
mod live;

use data::{House, home, open, read, train};
use judged::{Judged, judge, report};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let folder = arguments
        .next()
        .unwrap_or_else(|| "../shared/data/movietweetings-100k".into());
    let is_test = arguments.next_if(|argument| argument == "test").is_some();
    let mode = arguments.next_if(|argument| ["live", "figures"].contains(&argument.as_str()));
    let tenths = if is_test { 9 } else { 8 };
    let config: recommend::Config = serde_json::from_str(&arguments.next().unwrap_or_else(|| "{}".into()))?;
    let data = read(&folder)?;
    let cut = data.ratings.len() * tenths / 10;
    let until = data.ratings.len() * (tenths + 1) / 10;
    let (past, next) = (&data.ratings[..cut], &data.ratings[cut..until]);
    let mut house = open(&data.films, past, config.clone()).await?;
    train(&house.room).await?;
    house.add_new(&data.films).await?;
    let House { room, titles, .. } = &house;
    match mode.as_deref() {
        Some("live") => live::live(&house, past, next).await?.report(),
        Some(_) => println!("{}", figures::figures(&house, &data.films, past, next, config).await?),
        None => {
            let judged = judge(room, &data.films, titles, past, next).await?;
            time(room, &judged).await?;
            tell(&judged, arguments.next())?;
        }
    }
    Ok(())
}

fn tell(judged: &[Judged], file: Option<String>) -> anyhow::Result<()> {
    report("all viewers", judged);
    let segment = |new: bool| {
        judged
            .iter()
            .filter(|one| one.is_new == new)
            .cloned()
            .collect::<Vec<_>>()
    };
    report("viewers with a past", &segment(false));
    report("new viewers", &segment(true));
    if let Some(file) = file {
        let lines = judged.iter().map(|one| {
            format!(
                "{} {} {} {}\n",
                one.viewer,
                one.page,
                one.picks,
                one.calibration.unwrap_or(-1.0)
            )
        });
        std::fs::write(file, lines.collect::<String>())?;
    }
    Ok(())
}

/// Processor time of this thread a page, which other work on the machine hardly changes: the least of three rounds. Databases work on
/// threads of their own.
async fn time(room: &recommend::Room, judged: &[Judged]) -> anyhow::Result<()> {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = processor_us()?;
        for one in judged {
            home(room, one.viewer).await?;
        }
        least = least.min(processor_us()? - before);
    }
    println!(
        "a page takes {} us of processor time",
        least / judged.len().max(1) as u64
    );
    Ok(())
}

fn processor_us() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().unwrap_or("0").parse()?;
    Ok(nanoseconds / 1_000)
}
