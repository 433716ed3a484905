//! The base models, one file each, all behind [`crate::Model`].

mod content;
mod cooccurrence;
mod ease;
mod factors;
mod ials;
mod item_features;
mod outlook;
mod popularity;

pub use content::{Content, ContentSettings};
pub use cooccurrence::{Cooccurrence, CooccurrenceSettings};
pub(crate) use ease::inputs as ease_inputs;
pub use ease::{Ease, EaseSettings};
pub use factors::Objective;
pub use ials::{Ials, IalsSettings};
pub use item_features::{EMBEDDED, ItemFeatures, ItemFeaturesBuilder, TitleDescription, reduced};
pub use outlook::Outlook;
pub use popularity::Popularity;
