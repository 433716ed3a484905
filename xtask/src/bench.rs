//! Owns `cargo xtask bench`: measuring what docs/benchmarks.md promises, on this machine, with the binary as it is released.
//!
//! Figures, not tests: a figure that falls short is written down like any other.

mod crowd;
mod delivery;
mod endurance;
mod figures;
mod kills;
mod library;
mod pages;
mod party;
mod peers;
mod players;
mod quality;
mod report;
mod scale;
mod streaming;
mod transcode;
mod uploads;
mod watching;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use self::library::Library;
use self::report::{Figure, Machine};
use crate::kinora::Kinora;
use crate::needs::{self, FFMPEG, NGINX, WRK};
use crate::progress::{Progress, Stage};
use crate::{cargo, demo};

#[derive(Args)]
pub struct Options {
    /// Only these; the other rows of the table stay as they are
    #[arg(value_enum, value_name = "NAME")]
    names: Vec<Name>,
    /// Print the table, leave docs/benchmarks.md alone
    #[arg(long)]
    dry_run: bool,
}

/// A group of figures that are measured together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// importing MovieTweetings, and a generated million of ratings
    Import,
    /// training, evaluating and publishing on ML-100k and MovieTweetings
    Train,
    /// starting on MovieTweetings, and memory while idle
    Start,
    /// the home page under load
    Home,
    /// a server's memory over a million pages and a thousand exchanges of its model: a quarter of an hour
    Endurance,
    /// from a rating to a changed home page
    Taste,
    /// all of the recommender: home, endurance, peers, quality, pages and scale
    Reco,
    /// the recommender's mathematics beside implicit, irspack and numpy
    Peers,
    /// ranking quality on ML-1M and MovieTweetings
    Quality,
    /// whole home pages of MovieTweetings: their rows, their measure of genres, new viewers and new titles
    Pages,
    /// a generated service of a hundred million interactions, and a server with 100,000 titles: half an hour, and 8 GB of memory
    Scale,
    /// all of streaming: delivery, transcoding and uploads
    Streaming,
    /// segments beside nginx, a thousand players on one core, and what browsers show on slow lines, alone and in a watch party
    Delivery,
    /// the ladder of a minute of film, beside the bare ffmpeg commands: a quarter of an hour
    Transcode,
    /// an upload of 10 GB that is interrupted twenty times, and a folder of 100,000 files: five minutes, and 11 GB of disk
    Uploads,
    /// first frame in a browser, and the scripts of the home page
    Page,
    /// a hundred times kill -9 under writes: what is lost
    Kills,
}

impl Name {
    fn shown(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// What all figures share: the binary, and the prepared library once somebody needs it.
pub struct Bench<'a> {
    root: &'a Path,
    folder: PathBuf,
    binary: PathBuf,
    library: Option<Library>,
}

impl Bench<'_> {
    /// A Kinora on an empty folder of this name.
    fn fresh(&self, name: &str) -> Result<Kinora> {
        let data = self.folder.join(name);
        if data.exists() {
            std::fs::remove_dir_all(&data).with_context(|| format!("empty {}", data.display()))?;
        }
        std::fs::create_dir_all(&data).with_context(|| format!("create {}", data.display()))?;
        Ok(Kinora {
            binary: self.binary.clone(),
            data,
            crowd: true,
            keeps: false,
        })
    }

    /// MovieTweetings with real people and a model; made once per run.
    fn library(&mut self, stage: &Stage) -> Result<&Library> {
        if self.library.is_none() {
            let kinora = self.fresh("movietweetings")?;
            self.library = Some(Library::prepare(kinora, &self.dataset("movietweetings-100k")?, stage)?);
        }
        self.library.as_ref().context("the library was just prepared")
    }

    /// A real data set, refused with words where it is not here.
    fn dataset(&self, name: &str) -> Result<PathBuf> {
        let folder = needs::data_sets(self.root);
        let wanted = folder.join(name);
        if !wanted.is_dir() {
            bail!(
                "needs the data set {name} in {} or in KINORA_DATASETS",
                folder.display()
            );
        }
        std::fs::canonicalize(&wanted).with_context(|| format!("find {}", wanted.display()))
    }

    fn measure(&mut self, name: Name, stage: &Stage) -> Result<Vec<Figure>> {
        match name {
            Name::Import => figures::import(self, stage),
            Name::Train => figures::train(self, stage),
            Name::Start => figures::start(self, stage),
            Name::Home => figures::home(self, stage),
            Name::Endurance => endurance::endurance(self, stage),
            Name::Taste => figures::taste(self, stage),
            Name::Reco | Name::Streaming => Err(anyhow::anyhow!("a group of other names")),
            Name::Peers => peers::peers(self, stage),
            Name::Quality => quality::quality(self, stage),
            Name::Pages => pages::pages(self, stage),
            Name::Scale => scale::scale(self, stage),
            Name::Delivery => streaming::streaming(self, stage),
            Name::Transcode => transcode::transcode(self, stage),
            Name::Uploads => uploads::uploads(self, stage),
            Name::Page => figures::page(self, stage),
            Name::Kills => kills::kills(self, stage),
        }
    }
}

/// Names that stand for others.
const GROUPS: [(Name, &[Name]); 2] = [
    (
        Name::Reco,
        &[
            Name::Home,
            Name::Endurance,
            Name::Peers,
            Name::Quality,
            Name::Pages,
            Name::Scale,
        ],
    ),
    (Name::Streaming, &[Name::Delivery, Name::Transcode, Name::Uploads]),
];

/// Each once, in the order of the table; nothing named is everything.
fn asked(names: &[Name]) -> Vec<Name> {
    let is_group = |name: &Name| GROUPS.iter().any(|(group, _)| group == name);
    let by_group = |name: &Name| {
        let mut of_it = GROUPS.iter().filter(|(_, members)| members.contains(name));
        of_it.any(|(group, _)| names.contains(group))
    };
    let wanted = |name: &Name| !is_group(name) && (names.is_empty() || names.contains(name) || by_group(name));
    Name::value_variants().iter().copied().filter(wanted).collect()
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let names = asked(&options.names);
    let folder = cargo::target_folder(root).join("bench");
    let mut progress = Progress::new(names.len() + 3, &folder.join("logs"))?;
    progress.step("tools", |stage| needs::ensure(stage, &[&FFMPEG, &WRK, &NGINX]))?;
    progress.step("web page", |stage| demo::web(root, stage))?;
    let binary = progress.step("release binary", |stage| demo::release_binary(root, stage))?;
    let mut bench = Bench {
        root,
        folder,
        binary,
        library: None,
    };
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for name in names {
        match progress.step(&name.shown(), |stage| bench.measure(name, stage)) {
            Ok(measured) => figures.extend(measured),
            // The other figures are still worth having; what is missing is said at the end.
            Err(_) => failed.push(name.shown()),
        }
    }
    let table = report::merged(root, &figures, &Machine::here(root)?)?;
    println!("\n{table}");
    if !options.dry_run {
        report::write(root, &table)?;
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_stands_for_its_members() {
        let shown = |names: &[Name]| asked(names).into_iter().map(Name::shown).collect::<Vec<_>>();
        let reco = ["home", "endurance", "peers", "quality", "pages", "scale"];
        assert_eq!(shown(&[Name::Reco]), reco);
        let with_import: Vec<&str> = ["import"].into_iter().chain(reco).collect();
        assert_eq!(shown(&[Name::Scale, Name::Reco, Name::Import]), with_import);
        assert_eq!(shown(&[Name::Streaming]), ["delivery", "transcode", "uploads"]);
        assert_eq!(asked(&[]).len(), Name::value_variants().len() - GROUPS.len());
    }
}
