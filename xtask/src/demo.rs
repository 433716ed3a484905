//! Owns `cargo xtask demo`: from a checkout to a service that a person can log in to, every step remembered, so that the second
//! time takes seconds.

mod check;
mod clips;
pub mod data;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use self::data::Dataset;
use crate::http::Client;
use crate::kinora::Kinora;
use crate::needs::{self, BUBBLEWRAP, CHROMIUM, COMPILER, FFMPEG, Need, PIP};
use crate::node::Node;
use crate::progress::{Progress, Stage};
use crate::stamp::{self, Stamp};
use crate::{cargo, process::Run};

/// The two people of the demo. They exist nowhere else, and the demo listens on this machine alone.
pub const VIEWER: Person = Person {
    email: "viewer@kinora.example",
    name: "Vera",
    role: "viewer",
    password: "popcorn-and-a-good-film",
};
pub const ADMIN: Person = Person {
    email: "admin@kinora.example",
    name: "Ada",
    role: "admin",
    password: "lantern-reel-and-shutter",
};

pub struct Person {
    pub email: &'static str,
    pub name: &'static str,
    pub role: &'static str,
    pub password: &'static str,
}

#[derive(Args)]
pub struct Options {
    /// Which titles and ratings
    #[arg(long, value_enum, default_value = "ml-100k")]
    dataset: Dataset,
    /// The folder of a data set that you downloaded yourself
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Where the demo keeps everything [default: target/demo, or target/demo-DATASET]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Prepare everything and stop before serving
    #[arg(long)]
    no_serve: bool,
    /// Instead of serving, spend the viewer's evening in a real browser (a film is watched and rated) and say what was seen
    #[arg(long, conflicts_with = "no_serve")]
    check: bool,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let target = cargo::target_folder(root);
    let mut progress = Progress::new(if options.check { 10 } else { 9 }, &target.join("xtask/demo"))?;
    let downloads = target.join("downloads");
    progress.step("tools", |stage| {
        let browser = options.check.then_some(&CHROMIUM);
        let needs: Vec<&Need> = [&COMPILER, &FFMPEG, &BUBBLEWRAP, &PIP]
            .into_iter()
            .chain(browser)
            .collect();
        needs::ensure(stage, &needs)
    })?;
    progress.step("web page", |stage| web(root, stage))?;
    let binary = progress.step("release binary", |stage| release_binary(root, stage))?;
    let demo = Demo {
        kinora: Kinora {
            binary,
            data: data_folder(&target, options)?,
            crowd: false,
            keeps: true,
        },
        dataset: options.dataset,
    };
    let source = progress.step("data set", |stage| {
        data::ensure(options.dataset, options.path.as_deref(), &downloads, stage)
    })?;
    let films = progress.step("films", |stage| clips::ensure(&downloads, stage))?;
    progress.step("people", |stage| demo.people(stage))?;
    progress.step("titles and ratings", |stage| demo.import(&source, stage))?;
    progress.step("model", |stage| demo.train(&source, stage))?;
    progress.step("films onto titles", |stage| demo.add_films(&films, stage))?;
    if options.check {
        let seen = progress.step("an evening", |stage| check::evening(root, &demo, stage))?;
        println!("\n  {}\n", seen.join("\n  "));
        return Ok(());
    }
    print_welcome(&demo, options);
    if options.no_serve {
        return Ok(());
    }
    // The server takes this process over, so that Ctrl-C reaches it and nothing stands between.
    // It says what is wrong and not every request, so that the passwords above stay in sight.
    let serve = demo
        .kinora
        .command(["serve", "--listen", &options.listen])
        .variable("KINORA_LOG_FILTER", "warn");
    Err(serve.command().exec()).with_context(|| format!("start {}", serve.shown()))
}

/// Builds the page that the binary embeds.
pub fn web(root: &Path, stage: &Stage) -> Result<()> {
    let node = Node::ensure(root, stage)?;
    node.install_dependencies(stage)?;
    node.build(stage)
}

/// Builds the optimised binary and says where it stands.
pub fn release_binary(root: &Path, stage: &Stage) -> Result<PathBuf> {
    cargo::run(root)
        .args(["build", "--release", "--locked", "-p", "kinora"])
        .run(stage)?;
    Ok(cargo::target_folder(root).join("release/kinora"))
}

fn data_folder(target: &Path, options: &Options) -> Result<PathBuf> {
    let own = match options.dataset {
        Dataset::Ml100k => target.join("demo"),
        other => target.join(format!("demo-{}", other.name())),
    };
    let folder = options.data_dir.clone().unwrap_or(own);
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    std::fs::canonicalize(&folder).with_context(|| format!("find {}", folder.display()))
}

struct Demo {
    kinora: Kinora,
    dataset: Dataset,
}

impl Demo {
    /// Does a step unless it was done from the same inputs in this data folder.
    fn once(&self, name: &str, inputs: &[&str], stage: &Stage, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = Stamp::new(&self.kinora.data.join(".demo").join(name));
        let inputs = stamp::digest(inputs);
        if stamp.holds(inputs) {
            stage.note("done before");
            return Ok(());
        }
        work()?;
        stamp.set(inputs)
    }

    fn people(&self, stage: &Stage) -> Result<()> {
        self.once("people", &[VIEWER.email, ADMIN.email], stage, || {
            for person in [&VIEWER, &ADMIN] {
                self.kinora
                    .add_user(person.email, person.name, person.role, person.password, stage)?;
            }
            Ok(())
        })
    }

    fn import(&self, source: &Path, stage: &Stage) -> Result<()> {
        let path = source.to_string_lossy().into_owned();
        let inputs = [&path, &self.dataset.name(), VIEWER.email, ADMIN.email];
        self.once("import", &inputs, stage, || {
            let [viewer, admin] = data::viewers(source)?;
            let claims = [format!("{viewer}={}", VIEWER.email), format!("{admin}={}", ADMIN.email)];
            let run = self.kinora.command([
                "import",
                self.dataset.importer(),
                &path,
                "--claim",
                &claims[0],
                "--claim",
                &claims[1],
            ]);
            let mut last = String::new();
            run.run_with(stage, |line| last = line.trim().to_owned())?;
            stage.note(last);
            Ok(())
        })
    }

    fn train(&self, source: &Path, stage: &Stage) -> Result<()> {
        self.once("train", &[&source.to_string_lossy()], stage, || {
            let mut decision = String::new();
            self.kinora.command(["train"]).run_with(stage, |line| {
                if let Some((_, said)) = line.split_once("published: ") {
                    decision = format!("published: {}", said.trim());
                }
            })?;
            stage.note(decision);
            Ok(())
        })
    }

    /// Puts the films onto titles that the viewer sees first, so that what is recommended also plays.
    fn add_films(&self, films: &[PathBuf], stage: &Stage) -> Result<()> {
        let names: Vec<String> = films.iter().map(|film| film.to_string_lossy().into_owned()).collect();
        let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
        self.once("films", &inputs, stage, || {
            let server = self.kinora.start(stage)?;
            let titles = titles_on_the_home_page(&server.url)?;
            for (count, (film, title)) in films.iter().zip(&titles).enumerate() {
                stage.part(&format!("film {} of {}", count + 1, films.len()));
                self.add_film(&film.to_string_lossy(), title, stage)?;
            }
            stage.note(format!("{} titles play", films.len().min(titles.len())));
            Ok(())
        })
    }

    fn add_film(&self, file: &str, title: &str, stage: &Stage) -> Result<()> {
        let stamp = format!("film-{title}");
        self.once(&stamp, &[file], stage, || {
            let run: Run = self.kinora.command(["media", "add", file, "--title", title, "--wait"]);
            run.run(stage)
        })
    }
}

/// Title ids from the viewer's own page: the first of every row, then the second of every row, and so on.
fn titles_on_the_home_page(url: &str) -> Result<Vec<String>> {
    let mut client = Client::new(url);
    client.log_in(VIEWER.email, VIEWER.password)?;
    let home = client.json("GET", "/api/v1/home", None)?;
    let rows = home["rows"].as_array().context("the home page has no rows")?;
    let longest = rows
        .iter()
        .filter_map(|row| row["items"].as_array())
        .map(Vec::len)
        .max()
        .unwrap_or(0);
    let mut titles = Vec::new();
    for place in 0..longest {
        for row in rows {
            // A series has no film of its own.
            let card = &row["items"][place]["title"];
            if let (Some(id), true) = (card["id"].as_str(), card["kind"] != "series") {
                titles.push(id.to_owned());
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    titles.retain(|title| seen.insert(title.clone()));
    Ok(titles)
}

fn print_welcome(demo: &Demo, options: &Options) {
    println!();
    if options.no_serve {
        println!("  Kinora is prepared; the same command without --no-serve starts it.");
    } else {
        println!("  Kinora is ready: http://{}", options.listen);
    }
    println!();
    for person in [&VIEWER, &ADMIN] {
        println!("    {:<7} {:<24} {}", person.role, person.email, person.password);
    }
    println!();
    println!("  Each has the ratings of a viewer of the data set; the films at the head of the viewer's page play.");
    println!(
        "  Everything of this demo stands in {}; remove the folder to begin anew.",
        demo.kinora.data.display()
    );
    println!();
}
