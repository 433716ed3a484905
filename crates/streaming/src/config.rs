//! What an operator may set, with defaults that suit a small server.

use serde::{Deserialize, Serialize};

use crate::encode::hardware::Encoder;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest single upload.
    pub upload_bytes_max: u64,
    /// Unfinished uploads of one account at a time.
    pub uploads_max: u32,
    /// What one account may have waiting here, finished or not, before it is packaged or imported.
    pub upload_bytes_per_account_max: u64,
    /// How long an upload may rest before it is forgotten.
    pub upload_expiry_s: u64,
    /// How long a whole file waits for its job, and the file of a failed job for another try.
    pub source_expiry_s: u64,
    /// How long the addresses of one press of play are good.
    pub playback_s: u64,
    /// Presses of play that an account may have open; beyond it the oldest goes.
    pub playbacks_max: u32,
    /// Playbacks of one account that may be watched at once through one process that delivers, each of which counts its own; 0 for as many
    /// as they like.
    pub streams_max: u32,
    /// Memory for the indexes of videos that are being watched.
    pub index_cache_bytes: u64,
    /// Parts of films that are encoded at once in this process, by one core each; unless it is set one for each core, as far as memory allows.
    pub workers: u32,
    /// What encodes pictures: `software`, `vaapi`, `nvenc`, `qsv`, or `auto` for the first of these that works here. One that does not
    /// is told, and software does it. Only software promises the same bytes however often and by whom a film was encoded; so where `encryption` is on, software it is.
    pub encoder: Encoder,
    /// Address space of one encoder; three quarters of the machine's memory unless it is set, but at least 2 GiB and at most 12 GiB.
    pub encoder_memory_bytes: u64,
    /// The most that an encoder may write, all its files together.
    #[serde(alias = "encoder_file_bytes")]
    pub encoder_output_bytes: u64,
    /// Wall-clock seconds that encoding may take per second of film.
    pub encoder_seconds_per_second: u32,
    /// How long an encoder may make no progress.
    pub encoder_silence_s: u64,
    /// How the segments of videos that are made from now on lie in storage; those that are there stay as they are.
    pub encryption: Encryption,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// As they are.
    #[default]
    #[serde(rename = "off")]
    Off,
    /// Each one whole, as HLS has it; such a video is not offered as DASH.
    #[serde(rename = "aes-128")]
    Aes128,
}

/// More parts at once than these are rather encoded by another machine: disks and memory have their limits too.
const WORKERS_MAX: usize = 16;
/// What one of them may need: a part of a film in 2160p.
const WORKER_BYTES: u64 = 3 << 30;

impl Default for Config {
    fn default() -> Self {
        Self {
            upload_bytes_max: 256 << 30,
            uploads_max: 20,
            upload_bytes_per_account_max: 1 << 40,
            upload_expiry_s: 86_400,
            source_expiry_s: 7 * 86_400,
            playback_s: 12 * 3_600,
            playbacks_max: 20,
            streams_max: 4,
            index_cache_bytes: 64 << 20,
            workers: workers(
                std::thread::available_parallelism().map_or(1, usize::from),
                machine_memory_bytes(),
            ),
            encoder: Encoder::default(),
            encoder_memory_bytes: encoder_memory_bytes(machine_memory_bytes()),
            encoder_output_bytes: 256 << 30,
            encoder_seconds_per_second: 60,
            encoder_silence_s: 180,
            encryption: Encryption::default(),
        }
    }
}

/// One for each core, as long as there is memory for all of them to be at the largest films at once.
fn workers(cores: usize, machine: Option<u64>) -> u32 {
    let in_memory = machine.map_or(WORKERS_MAX, |bytes| (bytes / WORKER_BYTES) as usize);
    cores.min(WORKERS_MAX).min(in_memory).max(1) as u32
}

/// 1080p takes 1.3 GiB of address space, 2160p 2.8 GiB, on two cores. Less than the machine has, so that it is the encoder that ends when
/// a film wants too much, and not the server.
fn encoder_memory_bytes(machine: Option<u64>) -> u64 {
    const LEAST: u64 = 2 << 30;
    const MOST: u64 = 12 << 30;
    machine.map_or(MOST, |bytes| (bytes / 4 * 3).clamp(LEAST, MOST))
}

/// What this machine has, or what its container may have of it.
fn machine_memory_bytes() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let all = read("/proc/meminfo").as_deref().and_then(total_bytes);
    let allowed = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    [all, allowed].into_iter().flatten().min()
}

/// Of `MemTotal:       24600000 kB`.
fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_is_off_unless_it_is_set_and_nothing_else_can_be_set() {
        let read = |value: &str| serde_json::from_str::<Config>(&format!("{{\"encryption\":\"{value}\"}}"));
        assert_eq!(Config::default().encryption, Encryption::Off);
        assert_eq!(read("off").unwrap().encryption, Encryption::Off);
        assert_eq!(read("aes-128").unwrap().encryption, Encryption::Aes128);
        for unknown in ["", "on", "aes-256", "AES-128", "cenc"] {
            let refused = read(unknown).unwrap_err().to_string();
            assert!(refused.contains("aes-128"), "{unknown}: {refused}");
        }
    }

    #[test]
    fn there_are_no_more_workers_than_cores_or_than_there_is_memory_for() {
        for (cores, gigabytes, expected) in [(2, 8, 2), (8, 8, 2), (4, 2, 1), (8, 64, 8), (64, 256, 16), (64, 16, 5)] {
            assert_eq!(
                workers(cores, Some(gigabytes << 30)),
                expected,
                "{cores} cores, {gigabytes} GiB"
            );
        }
        assert_eq!(workers(4, None), 4);
    }

    #[test]
    fn an_encoder_may_have_most_of_the_machine() {
        for (machine, encoder) in [(1, 2), (8, 6), (16, 12), (256, 12)] {
            assert_eq!(encoder_memory_bytes(Some(machine << 30)), encoder << 30);
        }
        assert_eq!(encoder_memory_bytes(None), 12 << 30);
        assert_eq!(
            total_bytes("MemTotal:       24600000 kB\nMemFree: 1 kB\n"),
            Some(24_600_000 << 10)
        );
        assert_eq!(total_bytes("MemTotal: many"), None);
        assert!(machine_memory_bytes().is_some());
    }
}
