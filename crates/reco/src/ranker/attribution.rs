//! Why a title stands where it does: the lead of its score over the mean candidate's, divided among what made it.
//!
//! The linear blend divides by its signals, the trees by Shapley values over what their questions speak of. A signal's part is then
//! divided over the history by the terms of its model. All parts together are the lead: nothing is added and nothing is lost.

use super::columns::{self, COLUMNS, Subject, TRANSITIONS};
use super::features::{FEATURES, KINDS, NEWEST_WEIGHTS, RECENT_DECAY, RankingBuffers, SIGNALS, Signal};
use super::{Bases, Ranker};
use crate::dataset::Event;
use crate::linalg::{dot, sum};
use crate::model::{Contribution, Scratch, sorted_contributions};
use crate::models::ease_inputs;
use crate::select::Scored;

/// Who may have a part: the signals, the newest liked events, everything else.
const PLAYERS: usize = SIGNALS.len() + TRANSITIONS + 1;
const OTHER: usize = PLAYERS - 1;

/// What made the score of a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The title.
    pub item: u32,
    /// Its score less that of the mean candidate of the same ranking; the sum of all parts.
    pub lead: f32,
    /// Parts of the titles of the history, the greatest first; negative where they speak against it.
    pub titles: Vec<Contribution>,
    /// Part of how many have ever liked it, and how well.
    pub popularity: f32,
    /// Part of how many like it now.
    pub trending: f32,
    /// Part of everything else: the title's age, and what the models hold against it that no title of the history says.
    pub other: f32,
}

/// A ranking, which holds the buffers it was made in for as long as it may be asked why.
pub struct Ranked<'a> {
    ranker: &'a Ranker,
    bases: &'a Bases,
    history: &'a [Event],
    list: Vec<Scored>,
    scratch: &'a mut Scratch,
}

impl<'a> Ranked<'a> {
    /// Of what [`Ranker::rank`] has just left in `scratch` for this history.
    pub(crate) fn new(
        ranker: &'a Ranker,
        bases: &'a Bases,
        history: &'a [Event],
        list: Vec<Scored>,
        scratch: &'a mut Scratch,
    ) -> Self {
        Self {
            history: ranker.recent(history),
            ranker,
            bases,
            list,
            scratch,
        }
    }

    /// The titles, best first.
    pub fn list(&self) -> &[Scored] {
        &self.list
    }

    /// The titles alone.
    pub fn into_list(self) -> Vec<Scored> {
        self.list
    }

    /// What placed each of `items`; `None` where the models did not propose it.
    pub fn attribute(&mut self, items: &[u32]) -> Vec<Option<Attribution>> {
        let buffers = std::mem::take(&mut self.scratch.ranking);
        let places: Vec<Option<usize>> = items.iter().map(|&item| buffers.place_of(item)).collect();
        let placed = items.iter().zip(&places).filter(|(_, place)| place.is_some());
        let placed: Vec<u32> = placed.map(|(&item, _)| item).collect();
        if placed.is_empty() {
            // There may not even be a candidate to compare with.
            self.scratch.ranking = buffers;
            return vec![None; items.len()];
        }
        if !buffers.is_personal() {
            let attributed = self.impersonal(items, &places);
            self.scratch.ranking = buffers;
            return attributed;
        }
        let terms = Terms::of(self.bases, self.history, &placed, self.scratch);
        let mean = self.mean(&buffers);
        let outlook: Vec<f32> = buffers.outlook(self.bases).collect();
        let usual = sum(&outlook) / outlook.len().max(1) as f32;
        let known: Vec<usize> = places.iter().flatten().copied().collect();
        let mut made = self.made(&buffers, &mean, &known).into_iter().enumerate();
        let attributed = items.iter().zip(places).map(|(&item, place)| {
            let lead = self.scratch.trees.scores[place?] - mean.score - usual;
            let (index, made) = made.next()?;
            let mut attribution = terms.divided(item, index, lead, &made);
            attribution.trending += outlook[place?] - usual;
            Some(attribution)
        });
        let attributed = attributed.collect();
        self.scratch.ranking = buffers;
        attributed
    }

    /// All is what is watched lately.
    fn impersonal(&self, items: &[u32], places: &[Option<usize>]) -> Vec<Option<Attribution>> {
        let scores = &self.scratch.trees.scores;
        let mean = sum(scores) / scores.len().max(1) as f32;
        let attributed = items.iter().zip(places).map(|(&item, place)| {
            let lead = scores[(*place)?] - mean;
            Some(Attribution {
                item,
                lead,
                titles: Vec::new(),
                popularity: 0.0,
                trending: lead,
                other: 0.0,
            })
        });
        attributed.collect()
    }

    fn mean(&self, buffers: &RankingBuffers) -> Mean {
        let row = buffers.mean_row();
        let (mut columns, mut places, mut players) = (Vec::new(), Vec::new(), Vec::new());
        if self.ranker.forest.trees() > 0 {
            columns = self.scratch.trees.columns.mean_row(buffers.gathered().0.len());
            places = self.ranker.forest.places(&columns);
            players = columns::subjects().into_iter().map(player).collect();
        }
        Mean {
            score: dot(&row, &self.ranker.weights) + self.ranker.forest.sum(&places),
            row,
            columns,
            places,
            players,
        }
    }

    /// The leads of the candidates at `places`, each divided among the players.
    fn made(&self, buffers: &RankingBuffers, mean: &Mean, places: &[usize]) -> Vec<Made> {
        let mut made: Vec<Made> = places.iter().map(|&place| self.blended(buffers, mean, place)).collect();
        if mean.places.is_empty() {
            return made;
        }
        let mut candidates = Vec::with_capacity(made.len());
        for (made, &place) in made.iter_mut().zip(places) {
            let mut row = [0f32; COLUMNS];
            let columns = self.scratch.trees.columns.row(place, buffers.gathered().0.len());
            row.iter_mut().zip(columns).for_each(|(own, value)| *own = value);
            let events = SIGNALS.len()..OTHER;
            let greater = row.iter().zip(&mean.columns).map(|(own, usual)| own > usual);
            for (&player, is_greater) in mean.players.iter().zip(greater) {
                made.above[player] |= is_greater && events.contains(&player);
            }
            candidates.push((self.ranker.forest.places(&row), &mut made.parts[..]));
        }
        self.ranker.forest.divide(&mean.places, &mean.players, &mut candidates);
        made
    }

    /// What the linear blend makes of the lead of the candidate at `place`.
    fn blended(&self, buffers: &RankingBuffers, mean: &Mean, place: usize) -> Made {
        let mut parts = [0f32; PLAYERS];
        let row = buffers.row(place);
        let values = row.iter().zip(&mean.row).zip(&self.ranker.weights);
        for (feature, ((value, usual), weight)) in values.enumerate() {
            parts[feature / KINDS] += weight * (value - usual);
        }
        let mut above = [false; PLAYERS];
        for signal in 0..SIGNALS.len() {
            above[signal] = row[signal * KINDS] > mean.row[signal * KINDS];
        }
        Made { parts, above }
    }
}

/// What a candidate is compared with.
struct Mean {
    row: [f32; FEATURES],
    columns: Vec<f32>,
    /// The trees' answers to it.
    places: Vec<u8>,
    /// Who each column belongs to.
    players: Vec<usize>,
    score: f32,
}

/// A title's lead by player, and of which players it has more than the mean candidate.
struct Made {
    parts: [f32; PLAYERS],
    above: [bool; PLAYERS],
}

impl Made {
    /// What a player's being great has made of the lead, and what its being small has: nobody's merit, whoever likes the title less.
    fn split(&self, player: usize) -> (f32, f32) {
        let part = self.parts[player];
        if part > 0.0 && !self.above[player] {
            (0.0, part)
        } else {
            (part, 0.0)
        }
    }
}

fn player(subject: Subject) -> usize {
    match subject {
        Subject::Signal(signal) => signal as usize,
        Subject::Event(age) => SIGNALS.len() + age,
        Subject::Other => OTHER,
    }
}

/// Terms of the models for some titles: what each event of the history adds to a signal.
struct Terms<'a> {
    bases: &'a Bases,
    history: &'a [Event],
    /// Titles that the terms are of.
    count: usize,
    /// EASE's weights from each event to each title, `[events × titles]`.
    ease: Vec<f32>,
    /// What their age leaves of the events for EASE.
    recent: Vec<f32>,
    /// Events that co-occurrence asks, by their place, with their weight; over the context and for the newest alone.
    context: Vec<(usize, f32)>,
    newest: Vec<(usize, f32)>,
    /// `[events × titles]`.
    ials: Vec<f32>,
    content: Vec<f32>,
    /// Places of the newest liked events, the newest first.
    liked: Vec<usize>,
}

impl<'a> Terms<'a> {
    fn of(bases: &'a Bases, history: &'a [Event], items: &[u32], scratch: &mut Scratch) -> Self {
        let ease = history
            .iter()
            .flat_map(|event| items.iter().map(|&item| bases.ease.weights().get(event.item, item)));
        let (mut ials, mut content) = (Vec::new(), Vec::new());
        bases.ials.terms(history, items, scratch, &mut ials);
        bases.content.terms(history, items, scratch, &mut content);
        let newest = history.iter().enumerate().rev();
        let followed = newest
            .clone()
            .zip(NEWEST_WEIGHTS)
            .map(|((place, event), weight)| (place, weight * event.weight * bases.cooccurrence.row_factor(event.item)));
        let liked = newest.filter(|(_, event)| event.weight > 0.0).map(|(place, _)| place);
        Self {
            bases,
            history,
            count: items.len(),
            ease: ease.collect(),
            recent: ease_inputs(history, RECENT_DECAY).map(|(_, weight)| weight).collect(),
            context: bases.cooccurrence.context(history).collect(),
            newest: followed.collect(),
            ials,
            content,
            liked: liked.take(TRANSITIONS).collect(),
        }
    }

    /// Divides what made the title at `index`.
    fn divided(&self, item: u32, index: usize, lead: f32, made: &Made) -> Attribution {
        let mut by_event = vec![0f32; self.history.len()];
        let mut other = made.parts[OTHER];
        for signal in SIGNALS {
            other += self.divide(signal, (item, index), made, &mut by_event);
        }
        for age in 0..TRANSITIONS {
            let (part, rest) = made.split(SIGNALS.len() + age);
            other += rest;
            match self.liked.get(age) {
                Some(place) => by_event[*place] += part,
                None => other += part,
            }
        }
        let [(popularity, little), (trending, idle)] =
            [Signal::Popularity, Signal::Trending].map(|signal| made.split(signal as usize));
        Attribution {
            item,
            lead,
            titles: by_title(self.history, &by_event),
            popularity,
            trending,
            other: other + little + idle,
        }
    }

    /// Divides a signal's part over the events by what each adds to the signal; answers what goes to none.
    fn divide<'b>(&'b self, signal: Signal, (item, index): (u32, usize), made: &Made, by_event: &mut [f32]) -> f32 {
        let (part, above) = (made.parts[signal as usize], made.above[signal as usize]);
        let step = self.count;
        let of_title = |terms: &'b [f32]| terms.iter().skip(index).step_by(step).copied().enumerate();
        let follows = |(place, weight): &(usize, f32)| {
            let from = self.history[*place].item;
            (*place, weight * self.bases.cooccurrence.count(from, item))
        };
        let (own, left) = (
            |place: usize| self.history[place].weight,
            |place: usize| self.recent[place],
        );
        let ease = of_title(&self.ease);
        match signal {
            Signal::Popularity | Signal::Trending => 0.0,
            _ if part == 0.0 => 0.0,
            Signal::Cooccurrence => divide(part, above, self.context.iter().map(follows), by_event),
            Signal::Newest => divide(part, above, self.newest.iter().map(follows), by_event),
            Signal::Ease => divide(part, above, ease.map(|(at, weight)| (at, weight * own(at))), by_event),
            Signal::EaseRecent => divide(part, above, ease.map(|(at, weight)| (at, weight * left(at))), by_event),
            Signal::Ials => divide(part, above, of_title(&self.ials), by_event),
            Signal::Content => divide(part, above, of_title(&self.content), by_event),
        }
    }
}

/// Divides a signal's part over the events. Where the signal is above the mean candidate's, the events that raise it have made the
/// part, whether the ranker takes it for good or ill; where it is below, those that lower it, as far as they weigh among all.
/// Answers what goes to none: mostly that too little speaks for the title.
fn divide(part: f32, above: bool, terms: impl Iterator<Item = (usize, f32)> + Clone, by_event: &mut [f32]) -> f32 {
    let total: f32 = match above {
        true => terms.clone().map(|(_, term)| term.max(0.0)).sum(),
        false => terms.clone().map(|(_, term)| term.abs()).sum(),
    };
    let mut rest = part;
    if total > f32::MIN_POSITIVE {
        for (place, term) in terms {
            let speaks = if above { term.max(0.0) } else { (-term).max(0.0) };
            let share = part * (speaks / total);
            by_event[place] += share;
            rest -= share;
        }
    }
    rest
}

/// One contribution per title, the greatest first.
fn by_title(history: &[Event], by_event: &[f32]) -> Vec<Contribution> {
    let parts = history.iter().zip(by_event).filter(|(_, part)| **part != 0.0);
    let mut titles: Vec<Contribution> = parts
        .map(|(event, &contribution)| Contribution {
            item: event.item,
            contribution,
        })
        .collect();
    titles.sort_unstable_by_key(|title| title.item);
    titles.dedup_by(|again, first| {
        let is_same = again.item == first.item;
        if is_same {
            first.contribution += again.contribution;
        }
        is_same
    });
    sorted_contributions(titles)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests fail by it")]
mod tests;
