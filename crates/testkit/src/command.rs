//! Owns running `kinora` commands to their end, as a person at a terminal would.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Standard output of a command that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.status,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// Standard error of a command that must have failed.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(
            self.status,
            Some(1),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self.stderr
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not one JSON document ({error}):\n{text}"))
    }
}

/// Runs `kinora WORDS --data-dir FOLDER` with this standard input.
pub fn kinora(folder: &Path, words: &[&str], input: &str) -> Finished {
    let mut command = Command::new(binary());
    command.args(words).arg("--data-dir").arg(folder);
    finish(command, input)
}

/// Runs any command to its end.
pub fn finish(mut command: Command, input: &str) -> Finished {
    without_settings(&mut command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A command that reads nothing closes the pipe; that is its right.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("wait for the command");
    Finished {
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The `kinora` that was built with the tests.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let named = ["NEXTEST_BIN_EXE_kinora", "CARGO_BIN_EXE_kinora"]
            .iter()
            .find_map(std::env::var_os);
        named
            .map(PathBuf::from)
            .or_else(beside_the_test)
            .expect("the `kinora` binary; run the tests of its own crate")
    })
}

/// Test programs stand in `target/debug/deps`, the binary one folder above.
fn beside_the_test() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    test.ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("kinora"))
        .find(|path| path.is_file())
}

/// A person's own settings must not change what a test sees.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KINORA_") {
            command.env_remove(&name);
        }
    }
}
