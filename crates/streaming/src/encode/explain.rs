//! From a program's last words to what a curator can do.

use std::fmt::Display;

use contract::Fault;
use platform::{blob::BlobError, jobs::Failure};

use super::sandbox::{Ended, SandboxError};

pub const STORAGE_FULL: &str = "Storage is full; free space and retry.";
const TOO_LARGE: &str = "The encoded video is larger than the server allows; ask its operator to raise the limit.";
pub const NOTHING_DECODED: &str = "Not one picture of this file could be decoded; it is damaged.";
pub const SOURCE_GONE: &str = "The source file was removed while it was being encoded.";
pub const PART_UNREADABLE: &str =
    "What a worker says of its part of the film cannot be read; see that all of them run the same version, and retry.";
pub const NOT_ENCRYPTED: &str = "A worker of an earlier version made a part of this film and did not encrypt it. Bring all of them to the same \
     version, then add the file again.";
const NOT_ANSWERED: &str =
    "A part of Kinora did not answer. Retry; if it happens again, ask the server's operator to look into its log.";
const UNFINISHED: &str =
    "The file ends early: its index, which stands at its end, is missing. Copy or upload it again, to the end.";

/// The sandbox did not let the program finish, or start.
pub fn sandbox(error: &SandboxError) -> Failure {
    match error {
        SandboxError::Unavailable(text) => Failure::permanent(format!("Nothing can be transcoded here: {text}.")),
        // Bubblewrap may have found no room for one more namespace, which passes.
        SandboxError::DoesNotStart(ended) => of_the_machine(ended)
            .unwrap_or_else(|| Failure::permanent(format!("Nothing can be transcoded here: {error}."))),
        SandboxError::Cancelled => Failure::transient("Stopped."),
        SandboxError::TooLong(seconds) => Failure::permanent(format!(
            "Encoding took longer than {} minutes and was stopped. Retry while the server has less to do, or ask its operator for more time \
             (streaming.encoder_seconds_per_second).",
            seconds / 60
        )),
        SandboxError::Silent(seconds) => Failure::transient(format!(
            "The encoder made no progress for {seconds} s and was stopped. Retry; if it stops again, the file is damaged where it does: make or \
             copy it again."
        )),
        SandboxError::TooMuch => Failure::permanent(TOO_LARGE),
        SandboxError::Io(error) => io(error),
    }
}

/// ffprobe could make nothing of the file.
pub fn unreadable(ended: &Ended) -> Failure {
    let words = &ended.words;
    // To look at a file there is memory for any film: a header that wants more lies about what there is.
    if is_out_of_memory(words) {
        return Failure::permanent("This file says that there is more in it than in any film; its header is damaged.");
    }
    if let Some(failure) = of_the_machine(ended) {
        return failure;
    }
    if let Some(codec) = unknown_codec(words) {
        return Failure::permanent(format!(
            "This file holds something coded as {codec}, which Kinora does not decode; convert it to H.264 and AAC first."
        ));
    }
    let text = if words.contains("moov atom not found") {
        UNFINISHED
    } else if words.contains("Format not on whitelist") {
        "This is not a kind of file that Kinora takes: add MP4, MKV, WebM, MOV, AVI or MPEG."
    } else if words.contains("End of file") || words.contains("Truncating packet") {
        "The file ends early: there is not enough of it to see what it is. Copy or upload it again, to the end."
    } else {
        "This file is not a video that Kinora knows, or it is damaged at its beginning."
    };
    Failure::permanent(text)
}

/// `[huffyuv @ 0x55e0] Codec (huffyuv) not on whitelist 'h264,…'`: by the name, which is one of the decoder's own.
fn unknown_codec(words: &str) -> Option<&str> {
    let (before, _) = words.split_once(") not on whitelist")?;
    let (_, codec) = before.rsplit_once("Codec (")?;
    let plain = codec.len() <= 32 && codec.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some(codec)
}

/// ffmpeg ended badly.
pub fn encoding(ended: &Ended) -> Failure {
    if let Some(failure) = of_the_machine(ended) {
        return failure;
    }
    let words = &ended.words;
    if words.contains("moov atom not found") {
        return Failure::permanent(UNFINISHED);
    }
    if words.contains("Cannot determine format of input stream") {
        return Failure::permanent(NOTHING_DECODED);
    }
    if ["Invalid data found", "Error while decoding", "partial file", "corrupt"]
        .iter()
        .any(|sign| words.contains(sign))
    {
        return Failure::permanent(
            "The file is damaged: the picture cannot be decoded to its end. Make or copy it again.",
        );
    }
    let last = words
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no reason given");
    let last: String = last.chars().filter(|letter| !letter.is_control()).take(200).collect();
    Failure::transient(format!(
        "The encoder failed in a way that Kinora does not know. Retry; if it fails again, convert the file to MP4 with H.264 and AAC and add \
         that, and show the encoder's last words to the server's operator: {last}"
    ))
}

/// What has nothing to do with the file.
pub fn of_the_machine(ended: &Ended) -> Option<Failure> {
    // ffmpeg catches the signal that says so (SIGXCPU), stops in order, and tells by this status that a signal made it.
    const STOPPED_BY_SIGNAL: i32 = 255;
    const SIGXFSZ: i32 = 25;
    let words = &ended.words;
    // Before anything that its words might be taken for: to the kernel a namespace too many is no space left on device.
    if words.starts_with("bwrap:") {
        return Some(Failure::transient(format!(
            "The sandbox, without which nothing is decoded, did not start. Ask the server's operator to run kinora doctor, then retry: {}",
            words.trim()
        )));
    }
    if words.contains("No space left on device") || words.contains("Disk quota exceeded") {
        return Some(Failure::permanent(STORAGE_FULL));
    }
    if ended.status == 128 + SIGXFSZ || words.contains("File too large") {
        return Some(Failure::permanent(TOO_LARGE));
    }
    if ended.status == STOPPED_BY_SIGNAL {
        return Some(Failure::permanent(
            "Encoding took more processor time than the server allows and was stopped. Ask its operator for more \
             (streaming.encoder_seconds_per_second), then retry.",
        ));
    }
    if is_out_of_memory(words) {
        return Some(Failure::transient(
            "The encoder needed more memory than the server allows. Ask its operator for more (streaming.encoder_memory_bytes), then retry.",
        ));
    }
    if ended.status == 137 {
        return Some(Failure::transient(
            "The encoder was stopped by the operating system, most likely for want of memory. Retry while the server has less to do; if it \
             happens again, ask its operator for fewer workers (streaming.workers).",
        ));
    }
    None
}

fn is_out_of_memory(words: &str) -> bool {
    words.contains("Cannot allocate memory") || words.contains("bad_alloc")
}

/// Files of our own.
pub fn io(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Failure::permanent(STORAGE_FULL),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Failure::transient(
            "Kinora may not write where it keeps its files. Ask the server's operator to look at the rights of its folder and at the disk, then \
             retry.",
        ),
        _ => storage(error),
    }
}

pub fn blob(error: BlobError) -> Failure {
    match error {
        BlobError::Fault(Fault::Unavailable(error)) => storage(&error),
        BlobError::Fault(error) => fault(error),
        other => storage(&other),
    }
}

fn storage(error: &dyn Display) -> Failure {
    Failure::transient(format!(
        "Storage failed. Ask the server's operator to see that it is there and well, then retry: {error}"
    ))
}

/// What exactly failed is for the log: it is nothing that a curator could mend.
pub fn fault(error: Fault) -> Failure {
    match error {
        Fault::StorageFull(_) => Failure::permanent(STORAGE_FULL),
        other => {
            tracing::warn!(error = %other, "a part of this service failed a transcode");
            Failure::transient(NOT_ANSWERED)
        }
    }
}

/// Seconds as people say them: `48 s`, `1:02:03`.
pub fn length(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) if seconds < 10.0 => format!("{seconds:.1} s"),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
