//! Owns the two commands that everybody runs, `cargo xtask demo` and `cargo xtask test`, and the smaller ones beside them.
//!
//! Depends on nothing of ours, so that it compiles in seconds and works while everything else is broken.

mod bench;
mod browser;
mod cargo;
mod demo;
mod http;
mod kinora;
mod licences;
mod needs;
mod node;
mod openapi;
mod process;
mod progress;
mod python;
mod stamp;
mod suite;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Work on Kinora: run it, check it, measure it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// From this checkout to a running service with real titles, real ratings, a trained model and films that play
    Demo(demo::Options),
    /// Everything that must pass: format, lints, house rules, licences, web, unit, store, door, integration and browser tests
    Test(suite::Options),
    /// The house rules alone: budgets for files and functions, allowed edges between crates, heads, panics, markers
    Tidy,
    /// Write the OpenAPI document of the routes as they are now, and the web client's types from it
    Openapi(openapi::Options),
    /// Measure the figures that docs/benchmarks.md holds, and write them there
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = repository_root();
    let outcome = match arguments.command {
        Task::Demo(options) => demo::run(&root, &options),
        Task::Test(options) => suite::run(&root, &options),
        Task::Tidy => tidy::run(&root),
        Task::Openapi(options) => openapi::run(&root, &options),
        Task::Bench(options) => bench::run(&root, &options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder above xtask's own, wherever the command was typed.
fn repository_root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}
