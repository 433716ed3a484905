//! All that a page is made from, in one immutable value: titles, the model, and lists of titles in the orders that rows need.

use std::sync::{Arc, OnceLock};

use contract::{Millis, TitleId, accounts::MATURITY_ANY};
use reco::ItemSet;

use crate::{
    experiments::Arms,
    live::{HALF_LIFE_MS, Live},
    loaded::Loaded,
    titles::Titles,
};

/// No slot, no item.
pub const NONE: u32 = u32::MAX;
/// The trending list.
const TRENDING_MAX: usize = 400;
const NEW_MAX: usize = 1_000;
/// Titles that were added within this time are equally new; then the year decides.
const NEW_TOGETHER_MS: i64 = 7 * 86_400_000;
const ALIKE_MAX: usize = 60;

/// Ages that titles are for, 0 to 18.
const AGES: usize = MATURITY_ANY as usize + 1;

/// Titles and model joined by slot, with ready orders.
pub struct Shelf {
    /// Of a shelf that serves, a number that no other one has.
    pub version: i64,
    pub titles: Arc<Titles>,
    pub model: Option<Arc<Loaded>>,
    /// Slot of each model item, and the other way round.
    slot_of_item: Vec<u32>,
    item_of_slot: Vec<u32>,
    maturity: Vec<u8>,
    /// The model's items that viewers of each age may see.
    visible: [OnceLock<ItemSet>; AGES],
    pub lists: Lists,
    /// The arms of the experiment that runs.
    pub arms: Option<Arms>,
    /// By genres and people, for titles that the model does not know.
    alike: Vec<OnceLock<Arc<[u32]>>>,
}

/// Published titles only, the best first.
#[derive(Default)]
pub struct Lists {
    pub popular: Vec<u32>,
    pub new: Vec<u32>,
    pub trending: Vec<u32>,
    /// The popular ones of each genre bit.
    pub genres: Vec<Vec<u32>>,
}

impl Shelf {
    pub fn new(titles: Arc<Titles>, model: Option<Arc<Loaded>>, live: &Live, now: Millis) -> Self {
        let mut item_of_slot = vec![NONE; titles.len()];
        let mut slot_of_item = Vec::new();
        if let Some(model) = &model {
            let keys = model.recommender.keys().iter();
            slot_of_item = keys.map(|key| titles.slot(TitleId(*key)).unwrap_or(NONE)).collect();
            for (item, slot) in slot_of_item.iter().enumerate().filter(|(_, slot)| **slot != NONE) {
                item_of_slot[*slot as usize] = item as u32;
            }
        }
        let mut shelf = Self {
            version: 0,
            maturity: titles
                .list
                .iter()
                .map(|title| if title.published { title.maturity } else { u8::MAX })
                .collect(),
            visible: Default::default(),
            alike: (0..titles.len()).map(|_| OnceLock::new()).collect(),
            slot_of_item,
            item_of_slot,
            titles,
            model,
            lists: Lists::default(),
            arms: None,
        };
        shelf.lists = shelf.sorted(live, now);
        shelf
    }

    /// Whether a viewer up to `maturity_max` may see it at all.
    pub fn is_visible(&self, slot: u32, maturity_max: u8) -> bool {
        self.maturity[slot as usize] <= maturity_max.min(u8::MAX - 1)
    }

    /// The model's items that a viewer up to `maturity_max` may see.
    pub fn visible_items(&self, maturity_max: u8) -> &ItemSet {
        let age = usize::from(maturity_max).min(AGES - 1);
        self.visible[age].get_or_init(|| {
            let items = self.slot_of_item.iter().zip(0..);
            let visible = items.filter(|(slot, _)| **slot != NONE && self.is_visible(**slot, age as u8));
            ItemSet::of(self.slot_of_item.len(), visible.map(|(_, item)| item))
        })
    }

    pub fn slot_of_item(&self, item: u32) -> u32 {
        self.slot_of_item.get(item as usize).copied().unwrap_or(NONE)
    }

    /// The model's index, if it knows the title.
    pub fn item_of_slot(&self, slot: u32) -> Option<u32> {
        Some(self.item_of_slot[slot as usize]).filter(|item| *item != NONE)
    }

    /// Slots closest to a title, the closest first: the model's neighbours, or what has most in common.
    pub fn similar(&self, slot: u32) -> Vec<u32> {
        if let (Some(model), Some(item)) = (&self.model, self.item_of_slot(slot)) {
            let near = model.similar(item).iter().map(|near| self.slot_of_item(near.item));
            let near: Vec<u32> = near.filter(|slot| *slot != NONE).collect();
            if !near.is_empty() {
                return near;
            }
        }
        self.alike[slot as usize]
            .get_or_init(|| self.most_alike(slot).into())
            .to_vec()
    }

    fn sorted(&self, live: &Live, now: Millis) -> Lists {
        let titles = &self.titles;
        let mut published: Vec<u32> = (0..titles.len() as u32)
            .filter(|slot| titles.get(*slot).published)
            .collect();
        let renown: Vec<f32> = (0..titles.len() as u32).map(|slot| titles.renown(slot)).collect();
        published.sort_unstable_by(|a, b| {
            let key = |slot: u32| (renown[slot as usize], titles.get(slot).year);
            let ((a_renown, a_year), (b_renown, b_year)) = (key(*a), key(*b));
            b_renown.total_cmp(&a_renown).then(b_year.cmp(&a_year)).then(b.cmp(a))
        });
        let mut genres = vec![Vec::new(); titles.genres.len()];
        for slot in &published {
            bits(titles.masks[*slot as usize]).for_each(|bit| genres[bit].push(*slot));
        }
        let mut new = published.clone();
        new.sort_by_key(|slot| {
            let title = titles.get(*slot);
            std::cmp::Reverse((title.created_at.div_euclid(NEW_TOGETHER_MS), title.year))
        });
        new.truncate(NEW_MAX);
        Lists {
            trending: self.trending(live, now),
            popular: published,
            new,
            genres,
        }
    }

    /// What the model counted until it was trained, decayed to now, and what happened since.
    fn trending(&self, live: &Live, now: Millis) -> Vec<u32> {
        let mut counts = vec![0f32; self.titles.len()];
        if let Some(model) = &self.model {
            let age = (now - model.trained_at).max(0) as f64 / HALF_LIFE_MS as f64;
            let decay = (-age).exp2() as f32;
            for (item, score) in model.recommender.trending_model().scores().iter().enumerate() {
                if let Some(count) = counts.get_mut(self.slot_of_item(item as u32) as usize) {
                    *count += score * decay;
                }
            }
        }
        let since = self
            .model
            .as_ref()
            .map_or(Millis::MIN, |model| model.trained.trained_through());
        for (title, count) in live.trending(since, now) {
            if let Some(slot) = self.titles.slot_of(title) {
                counts[slot as usize] += count;
            }
        }
        let mut slots: Vec<u32> = (0..self.titles.len() as u32)
            .filter(|slot| counts[*slot as usize] > 0.0 && self.titles.get(*slot).published)
            .collect();
        slots.sort_unstable_by(|a, b| counts[*b as usize].total_cmp(&counts[*a as usize]).then(b.cmp(a)));
        slots.truncate(TRENDING_MAX);
        slots
    }

    /// By shared genres and people, then by renown.
    fn most_alike(&self, slot: u32) -> Vec<u32> {
        let own = self.titles.get(slot);
        let mask = self.titles.masks[slot as usize];
        let likeness = |other: u32| {
            let title = self.titles.get(other);
            let shared = (mask & self.titles.masks[other as usize]).count_ones() as f32;
            let all = (mask | self.titles.masks[other as usize]).count_ones().max(1) as f32;
            let people = own.people.iter().filter(|person| title.people.contains(person)).count() as f32;
            let years = match (own.year, title.year) {
                (Some(a), Some(b)) => 1.0 / (1.0 + f32::from(a.abs_diff(b)) / 10.0),
                _ => 0.0,
            };
            shared / all + 0.5 * people + 0.2 * years + 0.02 * self.titles.renown(other)
        };
        let others = self.lists.popular.iter().filter(|other| **other != slot);
        let shares = others.filter(|other| {
            mask & self.titles.masks[**other as usize] != 0
                || own
                    .people
                    .iter()
                    .any(|person| self.titles.get(**other).people.contains(person))
        });
        let mut scored: Vec<(f32, u32)> = shares.map(|other| (likeness(*other), *other)).collect();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(ALIKE_MAX);
        scored.into_iter().map(|(_, slot)| slot).collect()
    }
}

/// The set bits of a mask.
pub fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}
