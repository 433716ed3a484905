//! Owns comparing two servers of the same file: bytes per second of processor time, the one after the other, several times.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::streaming::{CLIENT_CORE, SERVER_CORE};
use crate::process::Run;
use crate::progress::Stage;

const ROUNDS: usize = 9;
const WARM_UP: &str = "1s";
const ROUND: &str = "5s";
const CONNECTIONS: &str = "8";
const NGINX_START_MAX: Duration = Duration::from_secs(10);

/// Two processes that serve the same bytes, and where.
pub struct Sides {
    pub bytes: f64,
    pub ours: (u32, String),
    pub theirs: (u32, String),
}

/// What one side did.
#[derive(Clone, Copy)]
pub struct Speed {
    pub per_cpu_second: f64,
    pub per_second: f64,
}

/// Medians of the rounds.
pub struct Compared {
    pub ours: Speed,
    pub theirs: Speed,
    pub ratio: f64,
}

impl Sides {
    pub fn compare(&self, stage: &Stage) -> Result<Compared> {
        for (process, url) in [&self.ours, &self.theirs] {
            self.ask(*process, url, WARM_UP, stage)?;
        }
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            // Who is first in a round changes, so that a machine that grows warm favours nobody.
            let of = |side: &(u32, String)| self.ask(side.0, &side.1, ROUND, stage);
            let (ours, theirs) = if round % 2 == 0 {
                let ours = of(&self.ours)?;
                (ours, of(&self.theirs)?)
            } else {
                let theirs = of(&self.theirs)?;
                (of(&self.ours)?, theirs)
            };
            stage.line(&format!(
                "{:.2} against {:.2} GB per CPU-second",
                ours.per_cpu_second / 1e9,
                theirs.per_cpu_second / 1e9
            ));
            rounds.push((ours, theirs));
        }
        let median = |value: &dyn Fn(&(Speed, Speed)) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let speed = |side: &dyn Fn(&(Speed, Speed)) -> Speed| Speed {
            per_cpu_second: median(&|round| side(round).per_cpu_second),
            per_second: median(&|round| side(round).per_second),
        };
        Ok(Compared {
            ours: speed(&|round| round.0),
            theirs: speed(&|round| round.1),
            ratio: median(&|round| round.0.per_cpu_second / round.1.per_cpu_second),
        })
    }

    fn ask(&self, process: u32, url: &str, time: &str, stage: &Stage) -> Result<Speed> {
        let before = cpu_seconds(process)?;
        let said = Run::new("wrk")
            .args(["-t1", "-c", CONNECTIONS, "-d", time, url])
            .on_core(CLIENT_CORE)
            .output(stage)?;
        let spent = cpu_seconds(process)? - before;
        let (requests, seconds) = answered(&said)?;
        let bytes = requests * self.bytes;
        Ok(Speed {
            per_cpu_second: bytes / spent,
            per_second: bytes / seconds,
        })
    }
}

/// Requests and seconds of what wrk says; fails where one was not answered well.
fn answered(said: &str) -> Result<(f64, f64)> {
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        bail!("not every request was answered:\n{said}");
    }
    // `  12345 requests in 5.00s, 2.30GB read`
    let line = said.lines().find(|line| line.contains(" requests in "));
    let words: Vec<&str> = line
        .context("the load generator gave no figures")?
        .split_whitespace()
        .collect();
    let [requests, "requests", "in", time, ..] = words[..] else {
        bail!("the load generator gave no figures:\n{said}");
    };
    let seconds = time.trim_end_matches(',').trim_end_matches('s').parse();
    Ok((requests.parse()?, seconds.context("how long the load generator asked")?))
}

/// Processor time of a process and its children that run, user and system.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let mut ticks = None;
    for entry in fs::read_dir("/proc").context("list /proc")?.flatten() {
        // One may have ended since.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let Some((parent, spent)) = parent_and_ticks(&stat) else {
            continue;
        };
        if parent == process || entry.file_name().to_string_lossy() == process.to_string() {
            ticks = Some(ticks.unwrap_or(0) + spent);
        }
    }
    Ok(ticks.context("the server has ended")? as f64 / TICKS_PER_SECOND)
}

/// Of `/proc/PID/stat`: fields 4, 14 and 15, counted after the name, which may hold anything.
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some((fields.get(1)?.parse().ok()?, ticks(11)? + ticks(12)?))
}

/// An nginx that serves a folder, and nothing else: no log, `sendfile`, one worker.
pub struct Nginx {
    child: Child,
    pub url: String,
}

impl Nginx {
    pub fn start(folder: &Path, root: &Path, stage: &Stage) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let folder = fs::canonicalize(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(&folder, root, &address)).context("write nginx's configuration")?;
        let run = Run::new("nginx")
            .args(["-p", &folder.to_string_lossy(), "-c", &file.to_string_lossy()])
            .on_core(SERVER_CORE)
            .variable("PATH", path_of_servers());
        stage.command(&run.shown());
        let child = run.command().stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut nginx = Self {
            child: child.context("start nginx")?,
            url: format!("http://{address}"),
        };
        let began = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            if began.elapsed() > NGINX_START_MAX || nginx.child.try_wait()?.is_some() {
                let said = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
                bail!("nginx does not listen; it said:\n{said}");
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(nginx)
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked, so that its worker ends with it.
        let asked = Run::new("sh").args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()]);
        if asked.quiet().is_none() {
            // It has ended, or cannot be asked; either way nothing more can be done here.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Debian keeps it where only administrators look.
fn path_of_servers() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin");
    path
}

fn configuration(folder: &Path, root: &Path, address: &str) -> String {
    let (folder, root) = (folder.display(), root.display());
    format!(
        "user root;
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address};
    root {root};
  }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_generators_words_are_understood() {
        let said = "Running 5s test @ http://127.0.0.1:1\n  12345 requests in 5.00s, 2.30GB read\nRequests/sec: 2\n";
        assert_eq!(answered(said).unwrap(), (12345.0, 5.0));
        assert!(answered("  1 requests in 5.00s, 1B read\n  Non-2xx or 3xx responses: 1\n").is_err());
        assert!(answered("nothing").is_err());
    }

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "42 (a ) b) S 7 42 42 0 -1 4194560 1 2 3 4 150 250 0 0 20 0 1 0 100";
        assert_eq!(parent_and_ticks(stat), Some((7, 400)));
        assert!(cpu_seconds(std::process::id()).is_ok());
        assert!(cpu_seconds(u32::MAX).is_err());
    }
}
