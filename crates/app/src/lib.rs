//! Kinora put together: configuration, roles, wiring and commands. Everything else is a room's.

pub mod archive;
pub mod cli;
pub mod commands;
pub mod config;
mod copies;
pub mod datasets;
pub mod imports;
pub mod node;
pub mod roles;

use cli::{Cli, Command};

/// Runs one command to its end.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => commands::serve::run(args).await,
        Command::Import(args) => commands::import::run(args).await,
        Command::Media(command) => commands::media::run(command).await,
        Command::Train { place } => commands::train::run(&place).await,
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::User(command) => commands::user::run(command).await,
        Command::Migrate { place } => commands::migrate::run(&place).await,
        Command::Backup {
            file,
            without_media,
            place,
        } => commands::backup::run(&place, &file, without_media).await,
        Command::Restore { file, place } => commands::restore::run(&place, &file).await,
        Command::Doctor { json, place } => commands::doctor::run(&place, json).await,
        Command::Openapi => commands::openapi(),
    }
}
