//! The room's SQL. Statements that decide something carry the condition in their own WHERE, so that two at once cannot both win.

mod accounts;
mod profiles;
mod secrets;
mod sessions;

use platform::Db;

pub use accounts::AccountRow;
pub use sessions::{NewSession, Rotation, SessionRow};

pub struct Store {
    pub db: Db,
}
