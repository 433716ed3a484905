//! What an operator may set, with defaults that suit a small server.

use serde::{Deserialize, Serialize};

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
    /// Memory for the indexes of videos that are being watched.
    pub index_cache_bytes: u64,
    /// Transcodes that run at once on this machine.
    pub workers: u32,
    /// Address space of one encoder.
    pub encoder_memory_bytes: u64,
    /// Largest single file that an encoder may write.
    pub encoder_file_bytes: u64,
    /// Wall-clock seconds that encoding may take per second of film.
    pub encoder_seconds_per_second: u32,
    /// How long an encoder may make no progress.
    pub encoder_silence_s: u64,
}

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
            index_cache_bytes: 64 << 20,
            workers: 1,
            encoder_memory_bytes: 12 << 30,
            encoder_file_bytes: 256 << 30,
            encoder_seconds_per_second: 60,
            encoder_silence_s: 180,
        }
    }
}
