//! What a file of a data set is, seen from its first line: uploads have no names of their own.

use std::{fs::File, io::Read as _, path::Path};

/// Enough for the first line of every file that we know.
const HEAD_BYTES: u64 = 4096;
/// Names that say it all.
const NAMES: [&str; 10] = [
    "u.data",
    "u.item",
    "ratings.dat",
    "movies.dat",
    "ratings.csv",
    "movies.csv",
    "links.csv",
    "ml-1m_sas_order.txt",
    "ml-1m_seq_original_ids.tsv",
    "users.dat",
];

/// The name that a file goes by: its own where that is known, else the one its content would have.
pub fn name_of(path: &Path) -> String {
    let own = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = NAMES.contains(&own.as_str()) || own.ends_with(".inter") || own.ends_with(".item");
    if known {
        own
    } else {
        by_content(path).map_or(own, str::to_owned)
    }
}

fn by_content(path: &Path) -> Option<&'static str> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    let line = head.split(|byte| *byte == b'\n').next()?;
    // Separators and digits are ASCII; what an accented letter becomes does not matter here.
    let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
    by_first_line(&line)
}

fn by_first_line(line: &str) -> Option<&'static str> {
    match line {
        "userId,movieId,rating,timestamp" => return Some("ratings.csv"),
        "movieId,title,genres" => return Some("movies.csv"),
        "movieId,imdbId,tmdbId" => return Some("links.csv"),
        _ if line.starts_with("user_id:") && line.contains("\titem_id:") => return Some("upload.inter"),
        _ if line.starts_with("item_id:") && line.contains("\tmovie_title:") => return Some("upload.item"),
        _ => {}
    }
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let colons: Vec<&str> = line.split("::").collect();
    let tabs: Vec<&str> = line.split('\t').collect();
    match (colons.as_slice(), tabs.as_slice()) {
        ([_, _, _, _], _) if colons.iter().all(&number) => Some("ratings.dat"),
        ([id, _, _], _) if number(id) => Some("movies.dat"),
        (_, [_, _, _, _]) if tabs.iter().all(number) => Some("u.data"),
        _ if line.split('|').count() == 24 => Some("u.item"),
        _ => None,
    }
}
