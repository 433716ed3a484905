//! Owns what a person sees while a command works: which step of how many, how long, its last line, and all of it when it fails.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

/// How many last lines of a failed step are shown; the whole stands in its log file.
const TAIL_LINES_TERMINAL: usize = 60;
const TAIL_LINES_PLAIN: usize = 400;
/// How often a long step says that it lives, where there is no terminal to draw on.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A run of numbered steps.
pub struct Progress {
    total: usize,
    terminal: bool,
    started: Instant,
    logs: PathBuf,
    done: Vec<Finished>,
}

struct Finished {
    name: String,
    took: Duration,
    passed: bool,
}

impl Progress {
    /// `logs` receives one file per step with everything that it printed.
    pub fn new(total: usize, logs: &Path) -> Result<Self> {
        fs::create_dir_all(logs).with_context(|| format!("create {}", logs.display()))?;
        Ok(Self {
            total,
            terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            logs: logs.to_path_buf(),
            done: Vec::new(),
        })
    }

    /// Does one step and shows it. A failed step shows its last lines and where the rest is.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce(&Stage) -> Result<T>) -> Result<T> {
        let label = format!("[{}/{}] {name}", self.done.len() + 1, self.total);
        let log = self.logs.join(format!("{}.log", file_name(name)));
        let stage = Stage::open(&label, &log, self.terminal)?;
        let outcome = work(&stage);
        let took = stage.started.elapsed();
        stage.close(&outcome, took, &log);
        self.done.push(Finished {
            name: name.to_owned(),
            took,
            passed: outcome.is_ok(),
        });
        // The cause has been shown above, with all that led to it.
        outcome.map_err(|_| anyhow!("step failed: {name}"))
    }

    /// One line per step, for whoever wants to know where the time went.
    pub fn print_durations(&self) {
        eprintln!();
        for step in &self.done {
            let mark = if step.passed { "ok    " } else { "FAILED" };
            eprintln!("  {mark} {:>8}  {}", human(step.took), step.name);
        }
        eprintln!("  total  {:>8}", human(self.started.elapsed()));
    }
}

/// The step that is running: takes lines, shows the last.
pub struct Stage {
    label: String,
    started: Instant,
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    lines: VecDeque<String>,
    lines_max: usize,
    log: File,
    note: Option<String>,
    /// Which of several like pieces of work is being done.
    part: Option<String>,
    last_beat: Instant,
}

impl State {
    /// A line as a person sees it: with the part it belongs to.
    fn shown(&self, line: &str) -> String {
        let line = line.trim_start();
        match &self.part {
            Some(part) if part != line => format!("{part}: {line}"),
            _ => line.to_owned(),
        }
    }
}

impl Stage {
    fn open(label: &str, log: &Path, terminal: bool) -> Result<Self> {
        let bar = terminal.then(|| spinner(label));
        if bar.is_none() {
            eprintln!("==> {label}");
        }
        let log = File::create(log).with_context(|| format!("create {}", log.display()))?;
        let lines_max = if terminal {
            TAIL_LINES_TERMINAL
        } else {
            TAIL_LINES_PLAIN
        };
        let state = State {
            lines: VecDeque::new(),
            lines_max,
            log,
            note: None,
            part: None,
            last_beat: Instant::now(),
        };
        Ok(Self {
            label: label.to_owned(),
            started: Instant::now(),
            bar,
            state: Mutex::new(state),
        })
    }

    /// Takes one line of output or one remark of our own.
    pub fn line(&self, text: &str) {
        let text = without_escapes(text);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        self.keep(text);
        if let Some(bar) = &self.bar {
            bar.set_message(self.state().shown(text));
        }
    }

    /// Says which of several like pieces of work begins, such as `film 3 of 12`; shown before every line until the next.
    pub fn part(&self, text: &str) {
        self.state().part = Some(text.to_owned());
        self.line(text);
    }

    fn keep(&self, text: &str) {
        let mut state = self.state();
        // A log that cannot be written must not stop the work: the tail is still in memory.
        let _ = writeln!(state.log, "{text}");
        if state.lines.len() == state.lines_max {
            state.lines.pop_front();
        }
        state.lines.push_back(text.to_owned());
    }

    /// Notes a command that is run: in the log and in a failure's last lines, but not drawn, for it says nothing of progress.
    pub fn command(&self, shown: &str) {
        self.keep(&format!("$ {shown}"));
    }

    /// What stands behind the step's name once it is done, such as `312 files`.
    pub fn note(&self, text: impl Into<String>) {
        self.state().note = Some(text.into());
    }

    /// Says that the step lives, where nothing is drawn.
    pub fn beat(&self) {
        let mut state = self.state();
        if self.bar.is_some() || state.last_beat.elapsed() < HEARTBEAT {
            return;
        }
        state.last_beat = Instant::now();
        let last = state
            .lines
            .iter()
            .rev()
            .find(|line| !line.starts_with("$ "))
            .map_or("", |line| line);
        eprintln!("    … {}  {}", human(self.started.elapsed()), state.shown(last));
    }

    /// Runs something that talks to the person itself (a password prompt) without the spinner drawing over it.
    pub fn undisturbed<T>(&self, talk: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(talk),
            None => talk(),
        }
    }

    fn close<T>(&self, outcome: &Result<T>, took: Duration, log: &Path) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let state = self.state();
        let note = state
            .note
            .as_deref()
            .map(|note| format!("  {note}"))
            .unwrap_or_default();
        match outcome {
            Ok(_) => eprintln!("  ✓ {} {}{note}", self.label, human(took)),
            Err(error) => {
                for line in &state.lines {
                    eprintln!("    | {line}");
                }
                eprintln!("  ✗ {} {}", self.label, human(took));
                eprintln!("    {error:#}");
                eprintln!("    everything it printed: {}", log.display());
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spinner(label: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(label.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner:.yellow} {prefix} {elapsed:.dim} {wide_msg:.dim}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// `1.2s`, `3m04s`.
pub fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1}s", time.as_secs_f64())
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

fn file_name(step: &str) -> String {
    step.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect()
}

/// Colours and cursor movements make a log unreadable.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        if chars.next() == Some('[') {
            // A control sequence ends at its first letter.
            for end in chars.by_ref() {
                if end.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_and_text_is_kept() {
        assert_eq!(
            without_escapes("\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m reco"),
            "   Compiling reco"
        );
        assert_eq!(without_escapes("Léon"), "Léon");
    }

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(human(Duration::from_millis(1_240)), "1.2s");
        assert_eq!(human(Duration::from_secs(184)), "3m04s");
    }

    #[test]
    fn a_failed_step_is_named_and_its_lines_are_kept() {
        let folder = std::env::temp_dir().join(format!("xtask-progress-{}", std::process::id()));
        let mut progress = Progress::new(1, &folder).unwrap();
        let failed: Result<()> = progress.step("web build", |stage| {
            stage.line("one line");
            anyhow::bail!("exit status 1")
        });
        assert_eq!(format!("{:#}", failed.unwrap_err()), "step failed: web build");
        assert_eq!(fs::read_to_string(folder.join("web-build.log")).unwrap(), "one line\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
