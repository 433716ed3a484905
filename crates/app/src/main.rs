//! The `kinora` binary: reads the command line, runs one command, tells how it went.
//!
//! Exit status: 0 done, 1 failed (one clear line on standard error), 2 wrong usage.

mod memory;

use std::process::ExitCode;

use clap::Parser as _;
use kinora::cli::Cli;

fn main() -> ExitCode {
    memory::give_back_soon();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("starting the runtime")),
    };
    match runtime.block_on(kinora::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("kinora: {error:#}");
    ExitCode::FAILURE
}
