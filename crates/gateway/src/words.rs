//! Reasons and rows in words. Only what the model said is said: what the viewer did with a title, and no more.

use std::collections::HashMap;

use contract::{
    TitleId,
    activity::{HalfStars, Opinion, TitleState},
    catalog,
    recommend::{Contribution, How, Reason, Row, RowKind},
};

use crate::dto::titles::{self as dto, NamedTitle};

/// Titles of a reason that are named in its sentence, and in its list.
const NAMED_IN_TEXT_MAX: usize = 2;
const NAMED_MAX: usize = 5;

/// What the words are made from: names of the titles that this profile may see, and what it did with them.
pub struct Knowledge<'a> {
    pub cards: &'a HashMap<TitleId, catalog::Card>,
    pub states: &'a HashMap<TitleId, TitleState>,
}

/// Titles that a reason speaks of.
pub fn titles_of(reason: &Reason) -> &[Contribution] {
    match reason {
        Reason::Because(contributions) => contributions,
        _ => &[],
    }
}

impl Knowledge<'_> {
    /// Absent when all that it speaks of is gone or not for this profile.
    pub fn reason(&self, reason: &Reason) -> Option<dto::Reason> {
        let contributions = match reason {
            Reason::Because(contributions) => contributions,
            Reason::Genres(genres) => {
                return plain(format!(
                    "Because you enjoy {}",
                    list(genres.iter().take(3).map(String::as_str))
                ));
            }
            Reason::Trending => return plain("Many people are enjoying it right now"),
            Reason::Popular => return plain("A favourite of many viewers"),
            Reason::New => return plain("New here"),
        };
        let known: Vec<(&Contribution, &catalog::Card)> = contributions
            .iter()
            .filter_map(|contribution| Some((contribution, self.cards.get(&contribution.title)?)))
            .take(NAMED_MAX)
            .collect();
        if known.is_empty() {
            return None;
        }
        Some(dto::Reason {
            text: format!(
                "Because you {}",
                self.deeds(&known[..known.len().min(NAMED_IN_TEXT_MAX)])
            ),
            because: known.iter().map(|(it, _)| it.title).collect(),
            because_titles: known
                .iter()
                .map(|(it, card)| NamedTitle {
                    id: it.title,
                    name: card.name.clone(),
                })
                .collect(),
        })
    }

    /// `rated Heat and Alien five stars`, or each with its own verb where the deeds differ.
    fn deeds(&self, named: &[(&Contribution, &catalog::Card)]) -> String {
        let same = |(it, _): &(&Contribution, &catalog::Card)| self.deed(it, "") == self.deed(named[0].0, "");
        if named.iter().all(same) {
            let names = list(named.iter().map(|(_, card)| &*card.name));
            return self.deed(named[0].0, &names);
        }
        let deeds: Vec<String> = named.iter().map(|(it, card)| self.deed(it, &card.name)).collect();
        list(deeds.iter().map(String::as_str))
    }

    /// `rated Heat five stars`.
    fn deed(&self, contribution: &Contribution, name: &str) -> String {
        match contribution.how {
            How::Watched => format!("watched {name}"),
            How::Liked => format!("liked {name}"),
            How::Listed => format!("put {name} on your list"),
            How::Rated => match self.stars(contribution.title) {
                Some(stars) => format!("rated {name} {}", in_words(stars)),
                None => format!("rated {name}"),
            },
        }
    }

    fn stars(&self, title: TitleId) -> Option<HalfStars> {
        match self.states.get(&title)?.opinion? {
            Opinion::Stars(stars) => Some(stars),
            _ => None,
        }
    }

    /// The heading of a row; absent when the title it is about is gone or not for this profile.
    pub fn heading(&self, row: &Row) -> Option<String> {
        Some(match &row.kind {
            RowKind::ContinueWatching => "Continue watching".into(),
            RowKind::TopPicks => "Top picks for you".into(),
            RowKind::Trending => "Trending now".into(),
            RowKind::Genre(genre) => genre.clone(),
            RowKind::New => "New here".into(),
            RowKind::MyList => "My List".into(),
            RowKind::Popular => "Popular".into(),
            RowKind::BecauseYouWatched(title) => {
                let name = &self.cards.get(title)?.name;
                let watched = self.states.get(title).is_some_and(|state| state.progress.is_some());
                let how = row
                    .reason
                    .as_ref()
                    .map_or(&[][..], titles_of)
                    .iter()
                    .find(|it| it.title == *title);
                match how {
                    Some(contribution) if !watched => format!("Because you {}", self.deed(contribution, name)),
                    _ => format!("Because you watched {name}"),
                }
            }
        })
    }
}

fn plain(text: impl Into<String>) -> Option<dto::Reason> {
    Some(dto::Reason {
        text: text.into(),
        because: Vec::new(),
        because_titles: Vec::new(),
    })
}

/// `a`, `a and b`, `a, b and c`.
fn list<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.collect();
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn in_words(stars: HalfStars) -> &'static str {
    match stars.get() {
        1 => "half a star",
        2 => "one star",
        3 => "one and a half stars",
        4 => "two stars",
        5 => "two and a half stars",
        6 => "three stars",
        7 => "three and a half stars",
        8 => "four stars",
        9 => "four and a half stars",
        _ => "five stars",
    }
}

pub fn row_kind(kind: &RowKind) -> dto::RowKind {
    match kind {
        RowKind::ContinueWatching => dto::RowKind::ContinueWatching,
        RowKind::TopPicks => dto::RowKind::TopPicks,
        RowKind::Trending => dto::RowKind::Trending,
        RowKind::BecauseYouWatched(_) => dto::RowKind::BecauseYouWatched,
        RowKind::Genre(_) => dto::RowKind::Genre,
        RowKind::New => dto::RowKind::New,
        RowKind::MyList => dto::RowKind::MyList,
        RowKind::Popular => dto::RowKind::Popular,
    }
}

#[cfg(test)]
mod tests;
