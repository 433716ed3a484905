//! Owns driving the `kinora` binary: its commands on one data folder, and a server that runs for as long as it is needed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Run;
use crate::progress::Stage;

/// How long a server may take until it listens, and until it has drained.
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(20);

/// Nothing is kept per viewer between requests: what is measured is the work, not the memory of it.
const FORGETFUL: (&str, &str) = ("KINORA_ACTIVITY__CACHE_BYTES_MAX", "0");
const CROWD_LIMITS: [(&str, &str); 3] = [
    ("KINORA_GATEWAY__AUTH_REQUESTS_PER_MINUTE", "100000"),
    ("KINORA_GATEWAY__API_REQUESTS_PER_SECOND", "100000"),
    ("KINORA_ACCOUNTS__REGISTRATIONS_MAX", "100000"),
];

/// The binary and one data folder.
#[derive(Clone)]
pub struct Kinora {
    pub binary: PathBuf,
    pub data: PathBuf,
    /// Limits per person are raised: one machine plays a crowd.
    pub crowd: bool,
    /// Whether a crowd's recent activity and pages are kept between requests.
    pub keeps: bool,
}

impl Kinora {
    /// A command on the data folder, such as `["train"]`.
    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Run {
        // A person's own KINORA_ settings must not change what the demo is or what is measured.
        let run = Run::new(&self.binary)
            .without_variables("KINORA_")
            .args(words)
            .arg("--data-dir")
            .arg(&self.data);
        if !self.crowd {
            return run;
        }
        let forgetful = (!self.keeps).then_some(&FORGETFUL);
        CROWD_LIMITS
            .iter()
            .chain(forgetful)
            .fold(run, |run, (name, value)| run.variable(name, *value))
    }

    /// Adds a person; one who is there already stays as he is.
    pub fn add_user(&self, email: &str, name: &str, role: &str, password: &str, stage: &Stage) -> Result<()> {
        let mut said = String::new();
        let run = self.command(["user", "add", email, "--name", name, "--role", role, "--password-stdin"]);
        let outcome = run
            .input(format!("{password}\n"))
            .run_with(stage, |line| said.push_str(line));
        // A demo that was stopped between adding and remembering finds its own person.
        if said.contains("already") || said.contains("exists") || said.contains("taken") {
            Ok(())
        } else {
            outcome
        }
    }

    /// Starts a server on a free port and waits until it listens. It ends with the value.
    pub fn start(&self, stage: &Stage) -> Result<Server> {
        self.start_as(stage, |run| run)
    }

    /// The same on one core of the machine alone.
    pub fn start_on_core(&self, core: usize, stage: &Stage) -> Result<Server> {
        self.start_as(stage, |run| run.on_core(core))
    }

    /// The same, with what `adjust` makes of its command line.
    pub fn start_as(&self, stage: &Stage, adjust: impl FnOnce(Run) -> Run) -> Result<Server> {
        let log = self.data.join("demo.log");
        let run = adjust(self.command(["serve", "--listen", "127.0.0.1:0"]));
        stage.command(&run.shown());
        let mut command = run.command();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        Server::start(command, &log)
    }
}

/// A running server.
pub struct Server {
    child: Child,
    pub url: String,
    /// From starting the process to its saying that it listens.
    pub started_in: Duration,
}

impl Server {
    fn start(mut command: Command, log: &Path) -> Result<Self> {
        let began = Instant::now();
        let mut child = command.spawn().context("start the server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Read on to the end, so that the server never waits for a reader.
                let _ = sender.send(line);
            }
        });
        let mut server = Self {
            child,
            url: String::new(),
            started_in: Duration::ZERO,
        };
        while let Ok(line) = receiver.recv_timeout(START_MAX.saturating_sub(began.elapsed())) {
            if let Some((_, url)) = line.split_once("listening on ") {
                server.started_in = began.elapsed();
                server.url = url.trim().to_owned();
                return Ok(server);
            }
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(20).collect();
        bail!(
            "the server did not listen; it said:\n{}",
            last.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first, so that it drains; the standard library can only kill.
        let asked = Run::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .quiet();
        let began = Instant::now();
        while asked.is_some() && began.elapsed() < STOP_MAX {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::park_timeout(Duration::from_millis(20));
        }
        // It did not answer; nothing more can be asked of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
