//! A progress bar that people see and logs survive: a bar on a terminal, a line for every tenth of a step elsewhere.

use std::{io::IsTerminal as _, sync::Mutex};

use indicatif::{ProgressBar, ProgressStyle};

/// One bar for one piece of long work.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// The step of the last line and its tenths.
    last: Mutex<(String, u8)>,
}

impl Progress {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template("  {bar:32} {percent:>3} %  {msg}  {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            last: Mutex::default(),
        }
    }

    /// How far it is, 0 to 1, and at which step.
    pub fn at(&self, share: f32, stage: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position((share.clamp(0.0, 1.0) * 1000.0) as u64);
            bar.set_message(stage.to_owned());
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let share = share.clamp(0.0, 1.0);
        let tenths = (share * 10.0) as u8;
        if last.0 != stage || last.1 != tenths {
            eprintln!("  {:>3.0} %  {stage}", share * 100.0);
            *last = (stage.to_owned(), tenths);
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
