//! The command line, as documented: names here are a public interface.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::{ProfileId, TitleId, accounts::Role, imports::DatasetKind};
use platform::telemetry::LogFormat;

/// A streaming service that anyone can own.
#[derive(Debug, Parser)]
#[command(name = "kinora", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Where everything is kept and how loudly to speak.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// The folder that holds everything [default: kinora-data]
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// A PostgreSQL database instead of files in the folder: postgres://…
    #[arg(long, value_name = "URL", global = true)]
    pub database_url: Option<String>,
    /// A TOML file; the environment (KINORA_…) and flags go before it
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// How log lines look
    #[arg(long, value_enum, global = true)]
    pub log_format: Option<LogLines>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogLines {
    Readable,
    Json,
}

impl From<LogLines> for LogFormat {
    fn from(lines: LogLines) -> Self {
        match lines {
            LogLines::Readable => Self::Readable,
            LogLines::Json => Self::Json,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service; prints `listening on http://…` when ready, ends cleanly on SIGTERM
    Serve(Serve),
    /// Bring in titles and ratings
    Import(Import),
    /// Bring in video
    #[command(subcommand)]
    Media(Media),
    /// Train a model, compare it with the one in use, and publish it if it is not worse
    Train {
        #[command(flatten)]
        place: Place,
    },
    /// Measure the models on a data set by a standard protocol
    Evaluate(Evaluate),
    /// People
    #[command(subcommand)]
    User(User),
    /// Bring the databases to this version
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Write everything to one file, beside a running server
    Backup {
        file: PathBuf,
        /// Leave the video out, what is packaged and what waits to be
        #[arg(long)]
        without_media: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Bring back what `backup` wrote, into an empty folder, after checking all of it
    Restore {
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Look for what is wrong and say what to do
    Doctor {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// What this process does: all, or some of gateway,transcoder,trainer,importer
    #[arg(long, value_name = "ROLES")]
    pub roles: Option<String>,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct Import {
    /// What the files are
    #[arg(value_enum)]
    pub kind: Dataset,
    /// The folder of the data set
    pub path: PathBuf,
    /// A viewer of the data set who is a person here: their ratings become that account's own
    #[arg(long, value_name = "VIEWER=EMAIL", value_parser = parse_claim)]
    pub claim: Vec<Claim>,
    /// Print the counts as one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dataset {
    /// MovieLens: 100K (original or RecBole), 1M, latest, 25M, 32M
    Movielens,
    /// MovieTweetings
    Movietweetings,
    /// A folder of video files named after their titles
    Folder,
}

impl Dataset {
    /// Absent for a folder of files, which is not a data set.
    pub fn kind(self) -> Option<DatasetKind> {
        match self {
            Self::Movielens => Some(DatasetKind::Movielens),
            Self::Movietweetings => Some(DatasetKind::Movietweetings),
            Self::Folder => None,
        }
    }
}

/// Whose ratings they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The viewer's name in the data set.
    pub viewer: String,
    pub email: String,
    /// Which of the account's profiles, the first by default.
    pub profile: Option<ProfileId>,
}

fn parse_claim(text: &str) -> Result<Claim, String> {
    let (viewer, rest) = text
        .split_once('=')
        .ok_or("write VIEWER=EMAIL, such as 42=ada@example.org")?;
    let (email, profile) = match rest.split_once('#') {
        Some((email, id)) => (
            email,
            Some(id.parse().map_err(|_| format!("{id} is not the id of a profile"))?),
        ),
        None => (rest, None),
    };
    if viewer.is_empty() || !email.contains('@') {
        return Err("write VIEWER=EMAIL, such as 42=ada@example.org".into());
    }
    Ok(Claim {
        viewer: viewer.into(),
        email: email.into(),
        profile,
    })
}

#[derive(Debug, Subcommand)]
pub enum Media {
    /// Queue a video file for a title; a running server (or --wait) packages it
    Add {
        file: PathBuf,
        /// The title it belongs to
        #[arg(long, value_name = "ID")]
        title: TitleId,
        /// Stay until it is ready, showing progress
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct Evaluate {
    /// The folder of the data set
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// popularity, trending, ials, ease, cooccurrence, content or ranker [default: all]
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// One JSON document on standard output
    #[arg(long)]
    pub json: bool,
    /// A page with the figures and plots, in one file
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// With one model: a line per test user, the best 100 first, in the data set's own ids
    #[arg(long, value_name = "FILE.tsv")]
    pub dump: Option<PathBuf>,
    /// Every random choice follows from it
    #[arg(long, default_value_t = 98765)]
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Protocol {
    /// The last item of every user, all items ranked (SASRec, BERT4Rec, gSASRec)
    LastOut,
    /// Users never seen in training, four fifths of their items given (VAE-CF)
    Strong,
    /// The last tenth of all events, only the past known
    Temporal,
}

#[derive(Debug, Subcommand)]
pub enum User {
    /// Make an account; the password is read from standard input
    Add {
        email: String,
        /// What they are called [default: the part before the @]
        #[arg(long)]
        name: Option<String>,
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleName,
        /// Read the password from standard input (the only way: it must not be seen in a list of processes)
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    Viewer,
    Curator,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Curator => Self::Curator,
            RoleName::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn claims_name_a_viewer_and_an_account() {
        let claim = parse_claim("42=ada@example.org").unwrap();
        assert_eq!(
            (claim.viewer.as_str(), claim.email.as_str(), claim.profile),
            ("42", "ada@example.org", None)
        );
        assert_eq!(
            parse_claim("42=ada@example.org#z8").unwrap().profile,
            Some(ProfileId(1000))
        );
        for wrong in ["42", "=ada@example.org", "42=ada", "42=ada@example.org#!"] {
            assert!(parse_claim(wrong).is_err(), "{wrong}");
        }
    }
}
