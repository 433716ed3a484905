//! Owns the programs that Kinora's commands need beside a Rust toolchain: whether they are here, and installing them by name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::Run;
use crate::progress::Stage;

/// The folder of the real data sets: `$KINORA_DATASETS`, or `shared/data` beside the repository.
pub fn data_sets(root: &Path) -> PathBuf {
    std::env::var_os("KINORA_DATASETS").map_or_else(|| root.join("../shared/data"), PathBuf::from)
}

/// A program and the Debian packages that bring it.
pub struct Need {
    name: &'static str,
    packages: &'static [&'static str],
    present: fn() -> bool,
}

pub const FFMPEG: Need = Need {
    name: "ffmpeg",
    packages: &["ffmpeg"],
    present: || on_path("ffmpeg") && on_path("ffprobe"),
};
pub const BUBBLEWRAP: Need = Need {
    name: "bubblewrap",
    packages: &["bubblewrap"],
    present: || on_path("bwrap"),
};
pub const CHROMIUM: Need = Need {
    name: "chromium",
    packages: &["chromium"],
    present: || on_path("chromium"),
};
pub const MPV: Need = Need {
    name: "mpv",
    packages: &["mpv"],
    present: || on_path("mpv"),
};
pub const POSTGRESQL: Need = Need {
    name: "PostgreSQL",
    packages: &["postgresql"],
    present: has_postgresql,
};
pub const PIP: Need = Need {
    name: "pip",
    packages: &["python3", "python3-pip"],
    present: has_pip,
};
pub const VENV: Need = Need {
    name: "Python's venv",
    packages: &["python3-venv"],
    present: has_venv,
};
pub const WRK: Need = Need {
    name: "wrk",
    packages: &["wrk"],
    present: || on_path("wrk"),
};
pub const NGINX: Need = Need {
    name: "nginx",
    packages: &["nginx"],
    present: || has_server_program("nginx"),
};
pub const CURL: Need = Need {
    name: "curl and openssl",
    packages: &["curl", "openssl"],
    present: || on_path("curl") && on_path("openssl"),
};
pub const VARNISH: Need = Need {
    name: "Varnish",
    packages: &["varnish"],
    present: || has_server_program("varnishd"),
};
pub const TURN: Need = Need {
    name: "a TURN server",
    packages: &["coturn"],
    present: || on_path("turnserver"),
};
pub const COMPILER: Need = Need {
    name: "a C compiler",
    packages: &["build-essential"],
    present: || on_path("cc"),
};
pub const NPM: Need = Need {
    name: "npm",
    packages: &["nodejs", "npm"],
    present: || on_path("node") && on_path("npm"),
};

/// Installs what is missing, all at once. Nothing missing: nothing is run.
pub fn ensure(stage: &Stage, needs: &[&Need]) -> Result<()> {
    let missing: Vec<&&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        stage.note("nothing to install");
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let mut packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    packages.dedup();
    install(stage, &packages, &names)?;
    let still: Vec<&str> = missing
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| need.name)
        .collect();
    if !still.is_empty() {
        bail!(
            "installed {}, and still cannot find {}",
            packages.join(" "),
            still.join(", ")
        );
    }
    stage.note(format!("installed {}", names.join(", ")));
    Ok(())
}

fn install(stage: &Stage, packages: &[&str], names: &[&str]) -> Result<()> {
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if !on_path("apt-get") {
        bail!(
            "needs {}; this is not a Debian system, so please install them yourself (on Debian: {by_hand})",
            names.join(", ")
        );
    }
    let Some(sudo) = rights(stage) else {
        bail!(
            "needs {}, and may not install anything. Please run:\n\n    {by_hand}\n",
            names.join(", ")
        );
    };
    let apt = |arguments: &[&str]| {
        let run = if sudo {
            Run::new("sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        } else {
            Run::new("apt-get")
        };
        run.args(arguments.iter().copied())
            .variable("DEBIAN_FRONTEND", "noninteractive")
    };
    let wanted: Vec<&str> = ["install", "-y", "--no-install-recommends"]
        .iter()
        .chain(packages)
        .copied()
        .collect();
    apt(&["update"]).run(stage)?;
    apt(&wanted).run(stage)
}

/// `Some(false)`: we are root. `Some(true)`: through sudo, which may ask for a password. `None`: neither.
fn rights(stage: &Stage) -> Option<bool> {
    if is_root() {
        return Some(false);
    }
    if !on_path("sudo") {
        return None;
    }
    let asked = stage.undisturbed(|| std::process::Command::new("sudo").arg("-v").status());
    asked.is_ok_and(|status| status.success()).then_some(true)
}

/// Whether this process may install packages without asking.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Whether a program of this name stands in `PATH`.
pub fn on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Debian keeps what a system's servers are where only administrators look.
fn has_server_program(program: &str) -> bool {
    on_path(program) || Path::new("/usr/sbin").join(program).is_file()
}

/// Debian keeps the server's programs out of `PATH`, in a folder per version.
fn has_postgresql() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    on_path("initdb")
        || versions
            .map(|version| version.path())
            .any(|path| path.join(Path::new("bin/initdb")).is_file())
}

fn has_pip() -> bool {
    Run::new("python3").args(["-m", "pip", "--version"]).quiet().is_some()
}

/// Debian brings the module alone; what it installs pip from is a package of its own.
fn has_venv() -> bool {
    Run::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .quiet()
        .is_some()
}
