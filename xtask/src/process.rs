//! Owns running other programs: their lines go to the step that is shown, a failure names the exact command.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::progress::Stage;

/// How long a finished program's output is still awaited: something it left running may hold the pipe open.
const DRAIN: Duration = Duration::from_secs(2);
/// A line longer than this is cut into several.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A program with its arguments, ready to run and to be shown.
#[derive(Clone)]
pub struct Run {
    program: OsString,
    arguments: Vec<OsString>,
    folder: Option<PathBuf>,
    variables: Vec<(String, OsString)>,
    input: Option<Vec<u8>>,
    hidden: Option<&'static str>,
}

impl Run {
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            folder: None,
            variables: Vec::new(),
            input: None,
            hidden: None,
        }
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same on one core of the machine alone.
    pub fn on_core(mut self, core: usize) -> Self {
        let program = std::mem::replace(&mut self.program, "taskset".into());
        self.arguments
            .splice(0..0, ["-c".into(), core.to_string().into(), program]);
        self
    }

    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Hides the variables of our own environment whose names begin so.
    pub fn without_variables(mut self, prefix: &'static str) -> Self {
        self.hidden = Some(prefix);
        self
    }

    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// What the program reads on standard input; without it, nothing.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs to the end; every line is shown as it comes. Anything but success is an error that holds the command.
    pub fn run(&self, stage: &Stage) -> Result<()> {
        self.run_with(stage, |_| ())
    }

    /// As [`Run::run`], and gives back standard output and standard error as one text.
    pub fn output(&self, stage: &Stage) -> Result<String> {
        let mut text = String::new();
        self.run_with(stage, |line| {
            text.push_str(line);
            text.push('\n');
        })?;
        Ok(text)
    }

    /// As [`Run::run`], and hands every line to `each` as well.
    pub fn run_with(&self, stage: &Stage, mut each: impl FnMut(&str)) -> Result<()> {
        stage.command(&self.shown());
        let mut child = self.spawn()?;
        let lines = Self::lines(&mut child);
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), &self.input) {
            // A program that ends without reading its input reports that by its own status.
            let _ = pipe.write_all(input);
        }
        let status = wait(&mut child, &lines, stage, &mut each)?;
        if !status.success() {
            bail!("{status}: {}", self.shown());
        }
        Ok(())
    }

    /// Standard output alone, nothing shown: for questions such as `node --version`. `None` where it fails or is missing.
    pub fn quiet(&self) -> Option<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Standard output alone; the error holds what the program said.
    pub fn stdout(&self) -> Result<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start {}", self.shown()))?;
        if !output.status.success() {
            bail!(
                "{}: {}\n{}",
                output.status,
                self.shown(),
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        String::from_utf8(output.stdout).with_context(|| format!("output of {}", self.shown()))
    }

    /// The command as a person would type it.
    pub fn shown(&self) -> String {
        let mut words: Vec<String> = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(value)))
            .collect();
        words.push(quoted(&self.program));
        words.extend(self.arguments.iter().map(|argument| quoted(argument)));
        let line = words.join(" ");
        match &self.folder {
            Some(folder) => format!("(cd {} && {line})", quoted(folder.as_os_str())),
            None => line,
        }
    }

    /// The plain command, for a caller that keeps the program running.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        self.forget_variables(&mut command);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `cargo run` leaves variables about xtask itself; passed on to another cargo they make build scripts run again.
    fn forget_variables(&self, command: &mut Command) {
        const ABOUT_US: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_NAME"];
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ABOUT_US
                .into_iter()
                .chain(self.hidden)
                .any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
    }

    fn spawn(&self) -> Result<Child> {
        let stdin = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        self.command()
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.shown()))
    }

    fn lines(child: &mut Child) -> Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        if let Some(pipe) = child.stdout.take() {
            read_lines(pipe, sender.clone());
        }
        if let Some(pipe) = child.stderr.take() {
            read_lines(pipe, sender);
        }
        receiver
    }
}

fn wait(child: &mut Child, lines: &Receiver<String>, stage: &Stage, each: &mut impl FnMut(&str)) -> Result<ExitStatus> {
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => {
                stage.line(&line);
                each(&line);
            }
            Err(RecvTimeoutError::Disconnected) => return child.wait().context("wait for the program"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        stage.beat();
        if let Some((status, at)) = ended {
            if at.elapsed() > DRAIN {
                return Ok(status);
            }
        } else if let Some(status) = child.try_wait().context("wait for the program")? {
            ended = Some((status, Instant::now()));
        }
    }
}

/// Progress bars of other programs redraw with a carriage return: each drawing is a line here.
fn read_lines(mut pipe: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut chunk = [0_u8; 8192];
        let mut line = Vec::new();
        while let Ok(count) = pipe.read(&mut chunk) {
            if count == 0 {
                break;
            }
            for byte in &chunk[..count] {
                let ends = matches!(byte, b'\n' | b'\r');
                if !ends {
                    line.push(*byte);
                }
                if !ends && line.len() < LINE_BYTES_MAX {
                    continue;
                }
                if !line.is_empty() && sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                } else {
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            // The receiver may have stopped waiting; then nobody wants this line.
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let run = Run::new("npm")
            .args(["run", "build"])
            .variable("CI", "true")
            .folder(Path::new("web app"));
        assert_eq!(run.shown(), "(cd 'web app' && CI=true npm run build)");
        assert_eq!(Run::new("echo").arg("it's").shown(), r"echo 'it'\''s'");
        let pinned = Run::new("echo").arg("hi").on_core(0);
        assert_eq!(pinned.shown(), "taskset -c 0 echo hi");
    }

    #[test]
    fn lines_end_at_both_kinds_of_return() {
        let (sender, receiver) = mpsc::channel();
        read_lines(&b"10 %\r20 %\ndone"[..], sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), ["10 %", "20 %", "done"]);
    }

    #[test]
    fn a_missing_program_is_no_answer() {
        assert_eq!(Run::new("surely-no-such-program").quiet(), None);
        assert_eq!(Run::new("echo").arg("hi").quiet().as_deref(), Some("hi\n"));
    }
}
