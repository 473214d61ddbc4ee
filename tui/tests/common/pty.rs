//! A terminal whose other end is ours: what is typed, a new size and hanging up come exactly when a test
//! says so, where tmux would put time between them. Shared with the root package's tests.

use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use tui::Pty;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a terminal of its own, which is the one that controls it.
pub struct OnPty {
    /// `None`: hung up.
    pty: Option<Pty>,
    screen: vt100::Parser,
    child: Child,
}

impl OnPty {
    pub fn start(command: &[&str], size: (u16, u16)) -> Self {
        let (pty, theirs) = Pty::open(size).expect("a terminal");
        let again = || -> OwnedFd { theirs.try_clone().expect("a descriptor") };
        let child = Command::new("setsid")
            .arg("--ctty")
            .args(command)
            .env_remove("NO_COLOR")
            .env_remove("RUST_BACKTRACE")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .stdin(again())
            .stdout(again())
            .stderr(again())
            .spawn()
            .expect("setsid, of util-linux");
        Self {
            pty: Some(pty),
            screen: vt100::Parser::new(cells(size.1), cells(size.0), 0),
            child,
        }
    }

    /// The number of the program's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        let (rows, columns) = (cells(size.1), cells(size.0));
        self.screen.screen_mut().set_size(rows, columns);
        self.pty.as_ref().expect("not hung up").resize(size);
    }

    pub fn keys(&mut self, bytes: &[u8]) {
        self.pty.as_mut().expect("not hung up").write(bytes);
    }

    /// Waits until a text is on the screen, which may be half of the next frame already.
    pub fn wait(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 1 << 14];
        loop {
            let pty = self.pty.as_mut().expect("not hung up");
            pty.flush();
            while let Some(bytes) = pty.read(&mut buffer) {
                self.screen.process(bytes);
            }
            let screen = self.screen.screen().contents();
            if screen.contains(text) {
                return;
            }
            assert!(Instant::now() < deadline, "never: {text}\n{screen}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Closes the terminal's window.
    pub fn hang_up(&mut self) {
        self.pty = None;
    }

    /// Waits for the program's end.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it never ends");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("some")
}

impl Drop for OnPty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
