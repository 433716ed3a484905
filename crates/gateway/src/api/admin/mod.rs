//! What curators and admins do.

pub mod experiments;
pub mod imports;
pub mod jobs;
pub mod models;
pub mod subtitles;
pub mod titles;
pub mod uploads;
pub mod users;
pub mod videos;

use crate::routes::Route;

pub fn routes() -> Vec<Route> {
    [
        titles::routes(),
        videos::routes(),
        subtitles::routes(),
        uploads::routes(),
        imports::routes(),
        jobs::routes(),
        models::routes(),
        experiments::routes(),
        users::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
