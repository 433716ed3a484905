//! Owns a running `kinora serve` as a real process: started on a free port, stopped cleanly, or killed without a word.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command::{self, binary, without_settings};

/// Limits per person that a test's crowd on one address would meet; a test of the limits sets its own.
const CROWD_LIMITS: [(&str, &str); 3] = [
    ("KINORA_GATEWAY__AUTH_REQUESTS_PER_MINUTE", "100000"),
    ("KINORA_GATEWAY__API_REQUESTS_PER_SECOND", "100000"),
    ("KINORA_ACCOUNTS__REGISTRATIONS_MAX", "100000"),
];
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(30);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Launch {
    data: PathBuf,
    words: Vec<String>,
    variables: Vec<(String, String)>,
    file_bytes_max: Option<u64>,
    /// Beside the data folder, which must hold nothing that the server did not put there.
    logs: Arc<TempDir>,
}

impl Launch {
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
            words: Vec::new(),
            variables: Vec::new(),
            file_bytes_max: None,
            logs: Arc::new(tempfile::tempdir().expect("a temporary folder")),
        }
    }

    /// More words for the command line, such as `["--roles", "gateway"]`.
    pub fn words(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// A setting in the environment, such as `KINORA_LOG_FORMAT`.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// No file of the server or of its children may grow beyond this: a full disk, without a disk.
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.file_bytes_max = Some(bytes);
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it does not; with its log.
    pub fn start(self) -> Server {
        self.try_start()
            .unwrap_or_else(|said| panic!("the server did not listen:\n{said}"))
    }

    /// As [`Launch::start`]; what it said where it does not come up.
    pub fn try_start(self) -> Result<Server, String> {
        fs::create_dir_all(&self.data).map_err(|error| error.to_string())?;
        let log = self.logs.path().join("server.log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| error.to_string())?;
        let began = Instant::now();
        let mut child = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|error| error.to_string())?;
        let url = wait_for_address(&mut child);
        let started_in = began.elapsed();
        match url {
            Some(url) => Ok(Server {
                launch: self,
                child,
                url,
                log,
                started_in,
            }),
            None => {
                end(&mut child);
                Err(fs::read_to_string(&log).unwrap_or_default())
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = match self.file_bytes_max {
            Some(bytes) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--fsize={bytes}")).arg(binary());
                command
            }
            None => Command::new(binary()),
        };
        without_settings(&mut command);
        command.envs(CROWD_LIMITS);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&self.data);
        command
            .args(&self.words)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A server that runs. It is killed when this value goes.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    child: Child,
    url: String,
    log: PathBuf,
    /// From starting the process to its saying that it listens.
    pub started_in: Duration,
}

impl Server {
    /// A whole Kinora on this data folder.
    pub fn spawn(data: &Path) -> Self {
        Launch::new(data).start()
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said on standard error, in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL: no handler, no flush, no farewell.
    pub fn kill9(&mut self) {
        end(&mut self.child);
    }

    /// SIGTERM. Asking twice is asking once.
    pub fn ask_to_stop(&self) {
        let process = self.child.id().to_string();
        // The shell's own: a small system has no program of that name.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -TERM \"$0\"", &process]);
        command::finish(kill, "").ok();
    }

    /// SIGTERM, and waits until it has drained.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        self.ask_to_stop();
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("ask for the server's status") {
                return status;
            }
            assert!(
                began.elapsed() < STOP_MAX,
                "the server did not drain; its log:\n{}",
                self.log()
            );
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// The same server anew on the same data, on a new port. A running one is killed first.
    pub fn restart(&mut self) {
        self.kill9();
        let launch = self.launch.clone();
        *self = launch.start();
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("the kernel tells VmRSS");
        let kibibytes: u64 = line
            .trim()
            .trim_end_matches(" kB")
            .trim()
            .parse()
            .expect("VmRSS is a number");
        kibibytes * 1024
    }

    /// The signal that ended it, where one did.
    pub fn ended_by(&mut self) -> Option<i32> {
        self.child.wait().expect("wait for the server").signal()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only where it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads standard output to its end on a thread of its own, so that the server never waits for a reader.
fn wait_for_address(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens any more once the address is known.
            let _ = sender.send(line);
        }
    });
    let began = Instant::now();
    while let Ok(line) = receiver.recv_timeout(START_MAX.saturating_sub(began.elapsed())) {
        if let Some((_, url)) = line.split_once("listening on ") {
            return Some(url.trim().trim_end_matches('/').to_owned());
        }
    }
    None
}
