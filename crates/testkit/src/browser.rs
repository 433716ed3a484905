//! Owns driving a real browser: a script in `crates/testkit/browser` or of the test's own is run by Node.js with Debian's chromium,
//! and what it returns comes back as JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::command::finish;
use crate::repository;

/// A browser that opens one Kinora.
#[derive(Debug)]
pub struct Browser {
    url: String,
    width: u32,
    height: u32,
    pictures: PathBuf,
}

impl Browser {
    /// `url` as the server says it: `http://127.0.0.1:PORT`.
    pub fn new(url: &str) -> Self {
        let pictures = repository().join("target/browser");
        Self {
            url: url.to_owned(),
            width: 1280,
            height: 800,
            pictures,
        }
    }

    /// A window of another size: 360×740 is a phone, 3840×2160 a television.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// Runs a script, a module whose default export is `async ({ page, context, url, input, axe, settled, shot, modules }) => value`:
    /// `settled()` waits until nothing on the page loads or moves, `axe()` gives the accessibility findings of the page, once it is
    /// settled, `shot(name)` keeps a picture of it, `modules` is the folder of the page's packages.
    ///
    /// # Panics
    /// When the script throws or the browser does not start; with the page's own messages and a picture of its last state.
    #[track_caller]
    pub fn run(&self, script: &Path, input: &Value) -> Value {
        let driver = repository().join("crates/testkit/browser/driver.mjs");
        let modules = repository().join("web/package.json");
        assert!(
            modules.with_file_name("node_modules").is_dir(),
            "the page's packages are not installed: npm ci in web/"
        );
        let order = json!({
            "script": script, "url": self.url, "input": input, "modules": modules, "pictures": self.pictures,
            "width": self.width, "height": self.height,
        });
        let mut command = Command::new("node");
        command.arg(&driver);
        let finished = finish(command, &order.to_string());
        let last = finished.stdout.lines().last().unwrap_or_default();
        match serde_json::from_str::<Value>(last) {
            Ok(answer) if answer.get("value").is_some() && finished.status == Some(0) => answer["value"].clone(),
            _ => panic!("{}:\n{}\n{}", script.display(), finished.stdout, finished.stderr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_shows_a_page_and_axe_finds_a_picture_without_words() {
        let script = repository().join("crates/testkit/browser/hello.mjs");
        let seen = Browser::new("http://127.0.0.1:1")
            .size(360, 740)
            .run(&script, &json!({ "heading": "Good evening" }));
        assert_eq!(seen["heading"], "Good evening");
        assert_eq!(seen["findings"], json!(["image-alt"]));
        assert!(Path::new(seen["picture"].as_str().unwrap()).is_file());
    }
}
