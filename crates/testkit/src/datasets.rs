//! Owns finding the real data sets, which may not stand in the repository, and making a small one up.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder with MovieTweetings' `ratings.dat` and `movies.dat`.
pub fn movietweetings() -> PathBuf {
    real("movietweetings-100k")
}

/// The folder of a real data set; fails the test where it is missing. A test that needs one is ignored unless asked for, which
/// `cargo xtask test` does where the data set is.
pub fn real(name: &str) -> PathBuf {
    let folder = match std::env::var_os("KINORA_DATASETS") {
        Some(folder) => PathBuf::from(folder),
        None => crate::repository().join("../shared/data"),
    };
    let wanted = folder.join(name);
    assert!(
        wanted.is_dir(),
        "no data set at {}: put it there or set KINORA_DATASETS",
        wanted.display()
    );
    wanted
}

/// Titles per taste, and tastes, of the made-up data set.
pub const SMALL_TITLES_PER_TASTE: usize = 24;
const TASTES: [&str; 4] = ["Western", "Sci-Fi", "Romance", "Horror"];
const VIEWERS: usize = 80;
const FIRST_SECOND: u64 = 1_500_000_000;

/// Writes a made-up library in MovieLens' CSV form: 96 films of four kinds, and 80 viewers who each love one kind, like a second and
/// dislike a third. Film ids are 1 to 96, kind by kind; viewers 1 to 80 love kind `(viewer - 1) % 4`. Everything follows from the ids.
pub fn write_small(folder: &Path) {
    fs::create_dir_all(folder).expect("create the folder of the small data set");
    fs::write(folder.join("movies.csv"), small_titles()).expect("write movies.csv");
    fs::write(folder.join("ratings.csv"), small_ratings()).expect("write ratings.csv");
}

fn small_titles() -> String {
    const FIRST: [&str; 8] = [
        "Quiet", "Amber", "Distant", "Iron", "Paper", "Hollow", "Silver", "Léa's",
    ];
    const SECOND: [&str; 12] = [
        "Harbour", "Orchard", "Signal", "Winter", "Mirror", "Frontier", "Lantern", "Passage", "Garden", "Meridian",
        "Engine", "Letter",
    ];
    let mut text = "movieId,title,genres\n".to_owned();
    for index in 0..SMALL_TITLES_PER_TASTE * TASTES.len() {
        let (first, second) = (FIRST[index % FIRST.len()], SECOND[index / FIRST.len()]);
        let taste = TASTES[index / SMALL_TITLES_PER_TASTE];
        let year = 1950 + (index * 7) % 70;
        // Both forms that the real files use.
        let title = match index % 3 {
            0 => format!("\"{first} {second}, The ({year})\""),
            _ => format!("{first} {second} ({year})"),
        };
        writeln!(text, "{},{title},{taste}|Drama", index + 1).expect("writing to a string");
    }
    text
}

fn small_ratings() -> String {
    let mut text = "userId,movieId,rating,timestamp\n".to_owned();
    let mut second = FIRST_SECOND;
    for viewer in 0..VIEWERS {
        for step in 0..18 {
            let (taste, stars) = match step % 9 {
                0..=5 => (viewer % 4, if step % 2 == 0 { "5.0" } else { "4.5" }),
                6 | 7 => ((viewer + 1) % 4, "3.5"),
                _ => ((viewer + 2) % 4, "1.0"),
            };
            // Steps of seven go round all titles of a taste, beginning elsewhere for each viewer.
            let title = taste * SMALL_TITLES_PER_TASTE + (viewer * 5 + step * 7) % SMALL_TITLES_PER_TASTE;
            second += 3_600;
            writeln!(text, "{},{},{stars},{second}", viewer + 1, title + 1).expect("writing to a string");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_small_data_set_is_whole_and_without_repeats() {
        let titles = small_titles();
        let names: HashSet<&str> = titles
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .map(|(_, name)| name)
            .collect();
        assert_eq!(names.len(), 96);
        let ratings = small_ratings();
        let pairs: HashSet<(&str, &str)> = ratings
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
            .map(|fields| (fields[0], fields[1]))
            .collect();
        assert_eq!(pairs.len(), ratings.lines().count() - 1, "nobody rates a film twice");
        assert_eq!(pairs.len(), 80 * 18);
    }
}
