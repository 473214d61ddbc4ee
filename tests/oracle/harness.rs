//! Running bytehop and other programs: scratch files, clean environments, time limits.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::signal::{SigHandler, Signal, signal};
use tempfile::TempDir;

use crate::summary::Summary;

pub const BYTEHOP: &str = env!("CARGO_BIN_EXE_bytehop");

/// No command of these tests takes longer than this unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(90);

/// Held by every test: they share the machine's disk and the kernel's lists. Also the place where
/// a test without root fails.
pub fn serial() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    // Ignored where the tests run in the background (`nohup`, a shell's `&`), and inherited.
    for asks in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        // SAFETY: sets the default disposition, no handler.
        unsafe { signal(asks, SigHandler::SigDfl) }.expect("signal");
    }
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test loads BPF programs and needs root: use the test command of the README"
    );
    guard
}

/// A directory on a disk, gone at the end of the test.
pub struct Scratch(TempDir);

impl Scratch {
    /// In the directory of `BYTEHOP_TEST_DIR`, or cargo's for tests.
    pub fn new() -> Self {
        let parent = std::env::var_os("BYTEHOP_TEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        Self::under(&parent)
    }

    /// On tmpfs.
    pub fn in_memory() -> Self {
        Self::under(Path::new("/dev/shm"))
    }

    pub fn under(parent: &Path) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("oracle-")
            .tempdir_in(parent);
        Self(dir.unwrap_or_else(|e| panic!("cannot make a directory in {}: {e}", parent.display())))
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    /// A path in it, as a word for a command line.
    pub fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.into_os_string()
            .into_string()
            .expect("a scratch path in UTF-8")
    }

    /// A file of `size` bytes, on the disk and in the page cache.
    pub fn file(&self, name: &str, size: usize) -> String {
        let path = self.path(name);
        let mut file = File::create(&path).expect("create a scratch file");
        let block: Vec<u8> = (0..size.min(1 << 20)).map(|i| (i % 251) as u8).collect();
        let mut left = size;
        while left > 0 {
            let n = left.min(block.len());
            file.write_all(&block[..n]).expect("write a scratch file");
            left -= n;
        }
        file.sync_all().expect("sync a scratch file");
        path
    }
}

/// Drops a file's pages from the page cache.
pub fn evict(path: &str) {
    let file = File::open(path).expect("open the file to evict");
    file.sync_all().expect("sync the file to evict");
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
        .expect("POSIX_FADV_DONTNEED");
}

/// The number of the device that a file is on: `stat`'s, but for file systems that have a number of
/// their own (btrfs) the one of the device that is mounted.
fn disk_device(path: &str) -> u64 {
    let dev = fs::metadata(path).expect("metadata").dev();
    if nix::sys::stat::major(dev) != 0 {
        return dev;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    let mounted = mounts.lines().filter_map(|line| {
        let (source, rest) = line.split_once(' ')?;
        let (point, _) = rest.split_once(' ')?;
        Path::new(path)
            .starts_with(point)
            .then_some((point.len(), source))
    });
    let source = mounted.max().map(|(_, source)| source);
    source
        .and_then(|source| fs::metadata(source).ok())
        .map_or(dev, |source| source.rdev())
}

/// The disk that holds `path`, as in `/sys/block`.
pub fn disk_of(path: &str) -> String {
    let dev = disk_device(path);
    let (major, minor) = (nix::sys::stat::major(dev), nix::sys::stat::minor(dev));
    let link = format!("/sys/dev/block/{major}:{minor}");
    let device = fs::canonicalize(&link).unwrap_or_else(|_| {
        panic!("{path} is not on a disk: set BYTEHOP_TEST_DIR to a directory that is on one")
    });
    let disk = if device.join("partition").exists() {
        device.parent()
    } else {
        Some(device.as_path())
    };
    let name = disk
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    name.expect("a disk has a name").to_owned()
}

/// A command with the same small environment every time, nothing on standard input.
pub fn command<S: AsRef<str>>(words: &[S]) -> Command {
    let mut command = Command::new(words[0].as_ref());
    command.args(words[1..].iter().map(AsRef::as_ref));
    command.env_clear();
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
        .env("LC_ALL", "C")
        .env("HOME", "/root")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::null());
    command
}

/// What a command left behind.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The exit status as a shell has it: 128 + n after signal n.
    pub fn code(&self) -> i32 {
        code(self.status)
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "exit status; stderr:\n{}", self.stderr);
        self
    }
}

pub fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|n| 128 + n))
        .expect("an exit status")
}

/// Waits for `child`, and kills it and fails if that takes longer than [`LIMIT`].
#[track_caller]
pub fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status;
        }
        if start.elapsed() > LIMIT {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            panic!("a command hung for {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a command to its end. Its output goes through files, so that nothing can block on a pipe.
#[track_caller]
pub fn output(mut command: Command) -> Output {
    let (stdout, stderr) = (
        tempfile::NamedTempFile::new(),
        tempfile::NamedTempFile::new(),
    );
    let (stdout, stderr) = (
        stdout.expect("temporary file"),
        stderr.expect("temporary file"),
    );
    command
        .stdout(stdout.reopen().expect("reopen"))
        .stderr(stderr.reopen().expect("reopen"));
    let mut child = command
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {:?}: {e}", command.get_program()));
    let status = wait(&mut child);
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("read")).into_owned();
    Output {
        status,
        stdout: text(stdout.path()),
        stderr: text(stderr.path()),
    }
}

/// How a program is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Run,
    Stat,
    /// `record`, then `report` on the recording.
    Record,
}

pub const VERBS: [Verb; 3] = [Verb::Run, Verb::Stat, Verb::Record];

/// A finished trace.
pub struct Trace {
    pub summary: Summary,
    pub output: Output,
}

/// Traces `words` and requires that it ends with 0.
#[track_caller]
pub fn trace<S: AsRef<str>>(verb: Verb, words: &[S]) -> Summary {
    let trace = trace_with(verb, &[], words);
    trace.output.expect(0);
    trace.summary
}

/// Traces `words` once the program itself is in the page cache. It is run untraced first; that is not
/// always enough, because the kernel may reclaim a page at any time: then again, a few times.
#[track_caller]
pub fn trace_warm<S: AsRef<str>>(verb: Verb, options: &[&str], words: &[S]) -> Summary {
    let mut attempts = 0;
    loop {
        output(command(words)).expect(0);
        let trace = trace_with(verb, options, words);
        trace.output.expect(0);
        attempts += 1;
        if attempts == 5
            || trace
                .summary
                .hops("dma", "device:*", "page_cache")
                .is_empty()
        {
            return trace.summary;
        }
    }
}

/// Traces `words` with more options of bytehop.
#[track_caller]
pub fn trace_with<S: AsRef<str>>(verb: Verb, options: &[&str], words: &[S]) -> Trace {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str| {
        dir.path()
            .join(name)
            .into_os_string()
            .into_string()
            .expect("UTF-8")
    };
    let (summary, recording) = (file("summary.json"), file("trace.bytehop"));
    let mut line = vec![BYTEHOP];
    match verb {
        Verb::Run => line.extend(["run", "--no-tui", "--json", "--summary", &summary]),
        Verb::Stat => line.extend(["stat", "--json", "--summary", &summary]),
        Verb::Record => line.extend(["record", "-o", &recording, "--json", "--summary", &summary]),
    }
    // Counters are of level T.
    let level = std::env::var("BYTEHOP_TEST_LEVEL").ok();
    if let Some(level) = level.as_deref().filter(|_| verb != Verb::Stat) {
        line.extend(["--level", level]);
    }
    line.extend(options);
    line.push("--");
    line.extend(words.iter().map(AsRef::as_ref));
    let output = output(command(&line));
    let written = if verb == Verb::Record {
        &recording
    } else {
        &summary
    };
    let made = fs::metadata(written).is_ok_and(|file| file.len() > 0);
    assert!(
        made,
        "nothing was traced ({}): {}",
        output.status, output.stderr
    );
    let summary = if verb == Verb::Record {
        report(&recording)
    } else {
        Summary::read(&summary, &output)
    };
    Trace { summary, output }
}

/// The summary of a recording.
#[track_caller]
pub fn report(recording: &str) -> Summary {
    Summary::parse(
        &output(command(&[BYTEHOP, "report", "--json", recording]))
            .expect(0)
            .stdout,
    )
}

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < LIMIT,
            "{what}: not within {} s",
            LIMIT.as_secs()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Compiles a C program of the tests, once for each scratch directory; `None` without a compiler.
pub fn compiled(scratch: &Scratch, name: &str, source: &str) -> Option<String> {
    compiled_with(scratch, name, source, &["-g", "-O1", "-pthread"])
}

/// The same with these flags.
pub fn compiled_with(
    scratch: &Scratch,
    name: &str,
    source: &str,
    flags: &[&str],
) -> Option<String> {
    let (text, program) = (scratch.path(&format!("{name}.c")), scratch.path(name));
    fs::write(&text, source).expect("write the source");
    let line = [&["gcc", "-o", &program, &text], flags].concat();
    match command(&line).stderr(Stdio::inherit()).status() {
        Ok(status) if status.success() => Some(program),
        Ok(status) => panic!("{name}.c does not compile: {status}"),
        Err(_) => None,
    }
}

/// Says that a test could not run here, where `cargo xtask test` shows it; fails if nobody asked.
#[track_caller]
pub fn not_run(test: &str, reason: &str) {
    let log = std::env::var_os("BYTEHOP_NOT_RUN").unwrap_or_else(|| panic!("{reason}"));
    let mut log = File::options()
        .append(true)
        .open(log)
        .expect("the log of tests that did not run");
    writeln!(log, "{test}: {reason}").expect("write the log");
}
