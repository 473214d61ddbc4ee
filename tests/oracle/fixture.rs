//! The fixture program: where it is, and what it reports about itself.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The fixture: `BYTEHOP_FIXTURE`, or else built, once; cargo says where it is.
fn path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Ok(path) = std::env::var("BYTEHOP_FIXTURE") {
            return path;
        }
        let mut cargo = Command::new(env!("CARGO"));
        // Under sudo: no files of root's in the user's target folder.
        let id = |name| std::env::var(name).ok().and_then(|id| id.parse().ok());
        if let (Some(uid), Some(gid)) = (id("SUDO_UID"), id("SUDO_GID")) {
            cargo.uid(uid).gid(gid);
        }
        let output = cargo
            .args([
                "build",
                "--quiet",
                "--release",
                "--package",
                "bytehop-fixture",
            ])
            .args(["--message-format", "json"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let messages = String::from_utf8(output.stdout).expect("cargo's messages in UTF-8");
        let executable = messages.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            Some(message.get("executable")?.as_str()?.to_owned())
        });
        executable.expect("cargo names the fixture")
    })
}

/// A command line for the fixture.
pub fn fixture(words: &[&str]) -> Vec<String> {
    std::iter::once(path())
        .chain(words.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// The fixture's `--report`: what the kernel says about that process.
pub struct Report(Value);

impl Report {
    pub fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self(serde_json::from_str(&text).expect("the fixture's report is JSON"))
    }

    /// A number before the work.
    pub fn start(&self, key: &str) -> u64 {
        self.0["start"][key]
            .as_u64()
            .unwrap_or_else(|| panic!("no start.{key}"))
    }

    /// The same after the work.
    pub fn end(&self, key: &str) -> u64 {
        self.0["end"][key]
            .as_u64()
            .unwrap_or_else(|| panic!("no end.{key}"))
    }

    /// What the work added.
    pub fn delta(&self, key: &str) -> u64 {
        self.end(key) - self.start(key)
    }
}
