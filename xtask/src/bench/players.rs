//! Owns an audience: players that each take a segment when the one before has been watched, from sockets of their own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::delivery::cpu_seconds;
use super::streaming::CLIENT_CORE;
use crate::process::Run;
use crate::progress::Stage;

/// What a segment lasts; the next one must be there by then.
const SEGMENT: Duration = Duration::from_secs(2);
const SEGMENTS: u32 = 15;
/// For all of them to connect before the first asks.
const ENTRANCE: Duration = Duration::from_secs(3);
const STACK_BYTES: usize = 128 << 10;
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Players of one film.
pub struct Audience {
    pub address: String,
    /// The folder of the rung that each player watches, signed for it.
    pub folders: Vec<String>,
    /// The numbers of its segments: players begin at different ones, and after the last comes the first.
    pub segments: Range<usize>,
    /// Of each segment.
    pub bytes: usize,
}

/// What an audience saw.
pub struct Seen {
    pub segments: u64,
    pub late: u64,
    pub slowest_ms: f64,
    /// Share of one core that the server took.
    pub busy: f64,
    pub peak_bytes: u64,
}

impl Audience {
    /// Everybody watches to the end, on a core of their own.
    pub fn watch(&self, server: u32, stage: &Stage) -> Result<Seen> {
        let _place = Pinned::to(CLIENT_CORE)?;
        let (late, slowest_us) = (AtomicU64::new(0), AtomicU64::new(0));
        let first = Instant::now() + ENTRANCE;
        let before = cpu_seconds(server)?;
        thread::scope(|scope| -> Result<()> {
            let mut players = Vec::new();
            for (number, folder) in self.folders.iter().enumerate() {
                // Evenly over the length of a segment: people do not press play at once.
                let first = first + SEGMENT * number as u32 / self.folders.len() as u32;
                let (late, slowest_us) = (&late, &slowest_us);
                let play = move || self.play((number, folder), first, late, slowest_us);
                let player = thread::Builder::new().stack_size(STACK_BYTES);
                players.push(player.spawn_scoped(scope, play).context("one more player")?);
            }
            for player in players {
                player.join().map_err(|_| anyhow::anyhow!("a player panicked"))??;
            }
            Ok(())
        })?;
        let busy = (cpu_seconds(server)? - before) / (SEGMENT * SEGMENTS).as_secs_f64();
        stage.line("the end");
        Ok(Seen {
            segments: self.folders.len() as u64 * u64::from(SEGMENTS),
            late: late.into_inner(),
            slowest_ms: slowest_us.into_inner() as f64 / 1e3,
            busy,
            peak_bytes: peak_resident_bytes(server)?,
        })
    }

    fn play(
        &self,
        (number, folder): (usize, &str),
        first: Instant,
        late: &AtomicU64,
        slowest_us: &AtomicU64,
    ) -> Result<()> {
        let stream = TcpStream::connect(&self.address).context("connect a player")?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        for segment in 0..SEGMENTS {
            let due = first + SEGMENT * segment;
            wait_until(due);
            let wanted = self.segments.start + (number + segment as usize) % self.segments.len();
            self.take(&format!("{folder}/{wanted}.m4s"), &mut stream)?;
            let took = due.elapsed();
            slowest_us.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
            if took > SEGMENT {
                late.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn take(&self, path: &str, stream: &mut BufReader<TcpStream>) -> Result<()> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.get_mut().write_all(head.as_bytes())?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            bail!("a segment was answered {line:?}");
        }
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                bail!("the answer ended in its head");
            }
        }
        let taken = std::io::copy(&mut stream.by_ref().take(self.bytes as u64), &mut std::io::sink())?;
        if taken != self.bytes as u64 {
            bail!("a segment has {taken} bytes, not {}", self.bytes);
        }
        Ok(())
    }
}

fn wait_until(time: Instant) {
    while let Some(left) = time
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        thread::park_timeout(left);
    }
}

fn peak_resident_bytes(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the server has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    Ok(kibibytes.context("the kernel tells no VmHWM")? * 1024)
}

/// This process on one core, for as long as the value lives.
struct Pinned {
    cores: String,
}

impl Pinned {
    fn to(core: usize) -> Result<Self> {
        let cores = allowed().context("which cores this process may use")?;
        pin(&core.to_string())?;
        Ok(Self { cores })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // What is measured after this would be slower, and its row would show it.
        let _ = pin(&self.cores);
    }
}

fn pin(cores: &str) -> Result<String> {
    Run::new("taskset")
        .args(["-a", "-c", "-p", cores, &std::process::id().to_string()])
        .stdout()
}

/// `0-1`, as the kernel says it.
fn allowed() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some(line.trim().to_owned())
}
