//! What a picture is about: one mood and a set of motifs from a title's genres.

use super::motifs::{self, Motif};

/// A family of inks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Noir,
    Science,
    Western,
    Horror,
    Musical,
    Comedy,
    Drama,
    Romance,
    Thriller,
    Action,
    Adventure,
    Play,
    Document,
    War,
    Mystery,
    Fantasy,
    History,
    Sport,
    Other,
}

/// How a genre looks.
#[derive(Clone, Copy)]
pub struct Look {
    pub mood: Mood,
    pub motifs: &'static [Motif],
}

/// Genres as data sets write them, lower case and letters only, the most telling first: a western comedy is a western.
const LOOKS: &[(&[&str], Look)] = &[
    (
        &["filmnoir", "noir"],
        Look {
            mood: Mood::Noir,
            motifs: &[
                motifs::lamp,
                motifs::stairs,
                motifs::blinds,
                motifs::skyline,
                motifs::doorway,
            ],
        },
    ),
    (
        &["western"],
        Look {
            mood: Mood::Western,
            motifs: &[motifs::mesas, motifs::horizon, motifs::dunes],
        },
    ),
    (
        &["musical", "music"],
        Look {
            mood: Mood::Musical,
            motifs: &[motifs::staff, motifs::equaliser, motifs::rosette],
        },
    ),
    (
        &["horror"],
        Look {
            mood: Mood::Horror,
            motifs: &[
                motifs::tree,
                motifs::stairs,
                motifs::torn,
                motifs::forest,
                motifs::claws,
            ],
        },
    ),
    (
        &["animation", "anime"],
        Look {
            mood: Mood::Play,
            motifs: &[motifs::cutouts, motifs::tiles, motifs::balloons, motifs::hills],
        },
    ),
    (
        &["scifi", "sciencefiction"],
        Look {
            mood: Mood::Science,
            motifs: &[motifs::starfield, motifs::orbits, motifs::grid, motifs::planet],
        },
    ),
    (
        &["war"],
        Look {
            mood: Mood::War,
            motifs: &[motifs::searchlights, motifs::halftone, motifs::wire],
        },
    ),
    (
        &["documentary"],
        Look {
            mood: Mood::Document,
            motifs: &[
                motifs::initial,
                motifs::birds,
                motifs::contours,
                motifs::halftone,
                motifs::frames,
            ],
        },
    ),
    (
        &["childrens", "children", "kids"],
        Look {
            mood: Mood::Play,
            motifs: &[motifs::balloons, motifs::hills, motifs::tiles],
        },
    ),
    (
        &["fantasy"],
        Look {
            mood: Mood::Fantasy,
            motifs: &[
                motifs::tree,
                motifs::peaks,
                motifs::forest,
                motifs::rosette,
                motifs::moonrise,
            ],
        },
    ),
    (
        &["sport", "sports"],
        Look {
            mood: Mood::Sport,
            motifs: &[motifs::lanes, motifs::rays, motifs::chevrons],
        },
    ),
    (
        &["mystery"],
        Look {
            mood: Mood::Mystery,
            motifs: &[motifs::doorway, motifs::spiral, motifs::moonrise, motifs::eye],
        },
    ),
    (
        &["biography", "biopic"],
        Look {
            mood: Mood::Document,
            motifs: &[
                motifs::initial,
                motifs::stairs,
                motifs::threads,
                motifs::profile,
                motifs::arches,
            ],
        },
    ),
    (
        &["history", "historical"],
        Look {
            mood: Mood::History,
            motifs: &[motifs::arches, motifs::columns, motifs::threads],
        },
    ),
    (
        &["romance"],
        Look {
            mood: Mood::Romance,
            motifs: &[
                motifs::lamp,
                motifs::birds,
                motifs::tree,
                motifs::eclipse,
                motifs::rosette,
                motifs::sea,
                motifs::ribbons,
            ],
        },
    ),
    (
        &["family"],
        Look {
            mood: Mood::Play,
            motifs: &[motifs::boat, motifs::hills, motifs::balloons, motifs::cutouts],
        },
    ),
    (
        &["crime"],
        Look {
            mood: Mood::Thriller,
            motifs: &[
                motifs::stairs,
                motifs::road,
                motifs::lamp,
                motifs::skyline,
                motifs::blinds,
                motifs::doorway,
                motifs::eye,
            ],
        },
    ),
    (
        &["adventure"],
        Look {
            mood: Mood::Adventure,
            motifs: &[
                motifs::road,
                motifs::boat,
                motifs::peaks,
                motifs::sea,
                motifs::dunes,
                motifs::contours,
            ],
        },
    ),
    (
        &["thriller"],
        Look {
            mood: Mood::Thriller,
            motifs: &[
                motifs::stairs,
                motifs::lamp,
                motifs::road,
                motifs::spiral,
                motifs::doorway,
                motifs::shards,
                motifs::skyline,
            ],
        },
    ),
    (
        &["action"],
        Look {
            mood: Mood::Action,
            motifs: &[
                motifs::initial,
                motifs::rays,
                motifs::chevrons,
                motifs::shards,
                motifs::halftone,
            ],
        },
    ),
    (
        &["comedy"],
        Look {
            mood: Mood::Comedy,
            motifs: &[
                motifs::initial,
                motifs::boat,
                motifs::tiles,
                motifs::balloons,
                motifs::smile,
                motifs::cutouts,
                motifs::stripes,
            ],
        },
    ),
    (
        &["drama"],
        Look {
            mood: Mood::Drama,
            motifs: &[
                motifs::stairs,
                motifs::road,
                motifs::tree,
                motifs::boat,
                motifs::lamp,
                motifs::birds,
                motifs::initial,
                motifs::window,
                motifs::eclipse,
                motifs::sea,
                motifs::ribbons,
                motifs::threads,
                motifs::arches,
                motifs::horizon,
            ],
        },
    ),
    (
        &["short", "news", "talkshow", "realitytv"],
        Look {
            mood: Mood::Document,
            motifs: &[motifs::initial, motifs::frames, motifs::halftone],
        },
    ),
];

const OTHER: Look = Look {
    mood: Mood::Other,
    motifs: &[motifs::frames, motifs::ribbons, motifs::eclipse, motifs::stripes],
};

/// The look of the most telling of `genres`.
pub fn look(genres: &[String]) -> Look {
    let plain: Vec<String> = genres
        .iter()
        .map(|genre| {
            genre
                .chars()
                .filter(char::is_ascii_alphabetic)
                .map(|letter| letter.to_ascii_lowercase())
                .collect()
        })
        .collect();
    LOOKS
        .iter()
        .find(|(names, _)| plain.iter().any(|genre| names.contains(&genre.as_str())))
        .map_or(OTHER, |(_, look)| *look)
}
