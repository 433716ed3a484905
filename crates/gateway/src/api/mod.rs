//! The handlers, a file per part of the API. A handler reads its request, asks doors, and says the answer; it decides nothing
//! that a room should decide.

pub mod admin;
pub mod artwork;
pub mod auth;
pub mod events;
pub mod health;
pub mod history;
pub mod home;
pub mod me;
pub mod media;
pub mod my_list;
pub mod onboarding;
mod own_list;
pub mod page;
pub mod playback;
pub mod profiles;
pub mod ratings;
pub mod search;
pub mod titles;

use crate::problem::Problem;

/// What handlers answer with.
pub type Answer<T> = Result<axum::Json<T>, Problem>;
