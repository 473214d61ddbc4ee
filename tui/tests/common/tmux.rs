//! A terminal to run programs in: tmux types the keys, resizes, and tells what is on the screen.
//! No step waits for a time, only for what it expects. Shared with the root package's tests.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A tmux server of its own, with one pane.
pub struct Tmux {
    socket: String,
}

impl Tmux {
    /// `None` if tmux is not installed.
    pub fn start(name: &str, width: u16, height: u16) -> Option<Self> {
        static SESSIONS: AtomicUsize = AtomicUsize::new(0);
        // The server of an ended session may still be there for a moment.
        let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let socket = format!("bytehop-{name}-{}-{session}", std::process::id());
        let tmux = Self { socket };
        let size = [width.to_string(), height.to_string()];
        let started = tmux.command(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &size[0],
            "-y",
            &size[1],
            "env",
            "-u",
            "RUST_BACKTRACE",
            "PS1=ready> ",
            "TERM=xterm-256color",
            "LC_ALL=C.UTF-8",
            "bash",
            "--norc",
            "-i",
        ]);
        let Ok(output) = started else {
            not_run(name, "tmux is not installed");
            return None;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux: {said}");
        tmux.wait("ready>");
        Some(tmux)
    }

    /// What no other server is called.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    pub fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.run(&["resize-window", "-x", &width, "-y", &height]);
    }

    fn command(&self, args: &[&str]) -> std::io::Result<Output> {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").env_remove("NO_COLOR");
        command.args(["-u", "-L", &self.socket]).args(args).output()
    }

    pub fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).expect("tmux");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn keys(&self, keys: &[&str]) {
        let mut args = vec!["send-keys"];
        args.extend(keys);
        self.run(&args);
    }

    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the screen fulfils a condition.
    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "never: {what}\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn wait(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// The terminal is as a shell wants it.
    pub fn is_restored(&self) {
        // What is typed before the shell listens again may get lost.
        self.until("the prompt", |screen| screen.trim_end().ends_with("ready>"));
        self.keys(&[
            "clear; stty -a | tr ';' '\\n' | grep icanon; echo over",
            "Enter",
        ]);
        let screen = self.until("stty", |screen| screen.lines().any(|line| line == "over"));
        assert!(
            !screen.contains("-icanon") && !screen.contains("-echo "),
            "{screen}"
        );
        let flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}";
        assert_eq!(self.run(&["display-message", "-p", flags]).trim(), "0 0 1");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]);
    }
}

/// Says that a test could not run here, where `cargo xtask test` shows it.
pub fn not_run(test: &str, reason: &str) {
    eprintln!("NOT RUN: {test}: {reason}");
    if let Some(log) = std::env::var_os("BYTEHOP_NOT_RUN") {
        let log = std::fs::File::options().append(true).open(log);
        let written = log.and_then(|mut log| writeln!(log, "{test}: {reason}"));
        written.expect("the log of tests that did not run");
    }
}
