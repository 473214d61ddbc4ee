//! What a session made outside of its processes, folders and devices, goes when the session is gone, whatever
//! ended it: `bytehop lab tidy`, not for people, is told about each and waits for our end.

use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guardian::be_quiet;

/// How long something may be in use by a program that is being ended.
const PATIENCE: Duration = Duration::from_secs(15);

/// What can be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Folder,
    Loop,
    Zram,
}

impl Thing {
    const ALL: [Self; 3] = [Self::Folder, Self::Loop, Self::Zram];

    fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Loop => "loop",
            Self::Zram => "zram",
        }
    }

    /// The command that undoes a device.
    pub fn undo(self, path: &Path) -> Option<Command> {
        let (program, arg) = match self {
            Self::Folder => return None,
            Self::Loop => ("losetup", "--detach"),
            Self::Zram => ("zramctl", "--reset"),
        };
        let mut command = Command::new(program);
        command.arg(arg).arg(path);
        Some(command)
    }

    /// Whether it is gone.
    fn remove(self, path: &Path) -> bool {
        match self.undo(path) {
            Some(mut command) => command.output().is_ok_and(|output| output.status.success()),
            None => match std::fs::remove_dir_all(path) {
                Ok(()) => true,
                Err(e) => e.kind() == io::ErrorKind::NotFound,
            },
        }
    }
}

/// The process that tidies up after us; all clones speak to one. Without bytehop there is none.
#[derive(Clone, Debug, Default)]
pub struct Tidy(Option<Arc<Mutex<Helper>>>);

#[derive(Debug)]
struct Helper {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

impl Tidy {
    /// # Errors
    /// If it cannot be started.
    pub fn start(bytehop: &Path) -> io::Result<Self> {
        let mut child = Command::new(bytehop)
            .args(["lab", "tidy"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let stdin = child.stdin.take();
        Ok(Self(Some(Arc::new(Mutex::new(Helper { child, stdin })))))
    }

    /// Something was made.
    pub fn made(&self, thing: Thing, path: &Path) {
        self.tell("+", thing, path);
    }

    /// It is gone: another may have its name by now.
    pub fn gone(&self, thing: Thing, path: &Path) {
        self.tell("-", thing, path);
    }

    fn tell(&self, what: &str, thing: Thing, path: &Path) {
        let (Some(helper), Some(path)) = (&self.0, path.to_str()) else {
            return;
        };
        let mut helper = helper.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stdin) = &mut helper.stdin {
            // If it is gone, we still remove what we made ourselves.
            let _ = writeln!(stdin, "{what} {} {path}", thing.name());
        }
    }
}

/// Waits until nobody holds the other end of our standard input, and removes what was not removed.
pub fn tidy() {
    be_quiet(c"lab-tidy");
    let mut left: Vec<(Thing, String)> = Vec::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let mut parts = line.splitn(3, ' ');
        let (Some(what), Some(name), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(thing) = Thing::ALL.into_iter().find(|thing| thing.name() == name) else {
            continue;
        };
        left.retain(|other| *other != (thing, path.to_owned()));
        if what == "+" {
            left.push((thing, path.to_owned()));
        }
    }
    let begin = Instant::now();
    // What was made last goes first: devices lie on files.
    left.reverse();
    loop {
        left.retain(|(thing, path)| !thing.remove(Path::new(path)));
        if left.is_empty() || begin.elapsed() > PATIENCE {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
