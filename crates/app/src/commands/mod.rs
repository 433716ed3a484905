//! A file per command. Commands speak to people: progress on standard error, results on standard output.

pub mod backup;
pub mod doctor;
pub mod evaluate;
pub mod folder;
pub mod import;
pub mod media;
pub mod migrate;
mod progress;
mod report;
pub mod restore;
pub mod serve;
pub mod train;
pub mod user;

/// Prints the OpenAPI document.
pub fn openapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&gateway::document())?);
    Ok(())
}
