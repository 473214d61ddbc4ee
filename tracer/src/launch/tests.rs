use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::signal::{SigHandler, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use tests_dir::Dir;

use super::*;
use crate::inherited::Inherited;
use crate::signals::Signals;

/// A directory of its own for each test, that any user may write to.
mod tests_dir {
    use super::*;

    pub struct Dir(pub PathBuf);

    impl Dir {
        pub fn new(name: &str) -> Dir {
            let dir = std::env::temp_dir().join(format!("bytehop-{name}-{}", process::id()));
            fs::create_dir_all(&dir).unwrap();
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
            Dir(dir)
        }

        /// Creates a file with these contents and mode.
        pub fn file(&self, name: &str, contents: &str, mode: u32) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }
}

fn unchanged() -> Identity {
    Identity {
        credentials: None,
        env: std::env::vars_os().collect(),
    }
}

fn command(argv: &[&str]) -> Command {
    Command {
        argv: argv.iter().map(OsString::from).collect(),
        cwd: None,
        identity: unchanged(),
    }
}

fn sh(script: &str) -> Command {
    command(&["sh", "-c", script])
}

fn run(command: &Command) -> Exit {
    Held::spawn(command)
        .unwrap()
        .release()
        .unwrap()
        .wait()
        .unwrap()
}

/// One line of `/proc/PID/status`, without its name.
fn status(text: &str, name: &str) -> String {
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim()
        .replace('\t', " ")
}

fn state(pid: u32) -> char {
    match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(text) => status(&text, "State").chars().next().unwrap(),
        Err(_) => '-',
    }
}

/// Waits for something that must come about.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("never came about: {what}");
}

// -------------------------------------------------------------------------------------------------
// How it ends

#[test]
fn exit_codes_are_a_shells() {
    for (script, status, code) in [
        ("exit 0", Status::Exited(0), 0),
        ("exit 7", Status::Exited(7), 7),
        ("kill -TERM $$", Status::Killed(15), 143),
        ("kill -KILL $$", Status::Killed(9), 137),
    ] {
        let exit = run(&sh(script));
        assert_eq!((exit.status, exit.code()), (status, code), "{script}");
    }
}

#[test]
fn a_stop_is_not_an_end() {
    let mut running = Held::spawn(&sh("kill -STOP $$; exit 3"))
        .unwrap()
        .release()
        .unwrap();
    until("stopped", || state(running.pid()) == 'T');
    assert_eq!(running.try_wait().unwrap(), None);
    running.signal(Signal::SIGCONT).unwrap();
    assert_eq!(running.wait().unwrap().code(), 3);
}

#[test]
fn the_end_can_be_polled_for_and_asked_again() {
    let mut running = Held::spawn(&sh("read line; exit 5"))
        .unwrap()
        .release()
        .unwrap();
    // Standard input may be anything in a test run, so end it by hand.
    running.signal(Signal::SIGTERM).unwrap();
    let mut fds = [PollFd::new(running.pidfd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, PollTimeout::from(20_000u16)).unwrap(), 1);
    let first = running.try_wait().unwrap().unwrap();
    assert_eq!(running.wait().unwrap(), first);
    running.signal(Signal::SIGTERM).unwrap();
}

#[test]
fn usage_is_the_commands_own() {
    let exit = run(&sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
    assert!(exit.usage.user > Duration::ZERO);
    assert!(exit.usage.minor_faults > 10);

    let before = getrusage(UsageWho::RUSAGE_SELF)
        .unwrap()
        .minor_page_faults() as u64;
    let own = Usage::so_far(Pid::this()).minor_faults;
    let after = getrusage(UsageWho::RUSAGE_SELF)
        .unwrap()
        .minor_page_faults() as u64;
    assert!((before..=after).contains(&own), "{before} {own} {after}");
}

// -------------------------------------------------------------------------------------------------
// Held

#[test]
fn held_it_does_nothing_and_dropped_it_never_runs() {
    let dir = Dir::new("held");
    let proof = dir.0.join("proof");
    let held = Held::spawn(&command(&["touch", proof.to_str().unwrap()])).unwrap();
    let pid = held.pid();
    until("blocked", || state(pid) == 'S');
    assert_eq!(
        fs::read_link(format!("/proc/{pid}/exe")).unwrap(),
        std::env::current_exe().unwrap()
    );
    drop(held);
    assert_eq!(state(pid), '-', "reaped");
    assert!(!proof.exists());

    run(&command(&["touch", proof.to_str().unwrap()]));
    assert!(proof.exists());
}

#[test]
fn killed_while_held_is_told() {
    let held = Held::spawn(&sh("exit 0")).unwrap();
    let pid = Pid::from_raw(held.pid() as i32);
    kill(pid, Signal::SIGTERM).unwrap();
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
    let error = held.release().unwrap_err();
    assert_eq!(error.exit_code(), 143);
    assert!(error.to_string().contains("SIGTERM"), "{error}");
}

#[test]
fn our_death_ends_a_held_child() {
    const HOLD: &str = "BYTEHOP_TEST_HOLD";
    if let Some(file) = std::env::var_os(HOLD) {
        let held = Held::spawn(&sh("exit 0")).unwrap();
        fs::write(file, held.pid().to_string()).unwrap();
        raise(Signal::SIGKILL).unwrap();
    }
    let dir = Dir::new("death");
    let file = dir.0.join("pid");
    let ended = process::Command::new(std::env::current_exe().unwrap())
        .arg("our_death_ends_a_held_child")
        .env(HOLD, &file)
        .output()
        .unwrap();
    assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
    let pid = fs::read_to_string(file).unwrap().parse().unwrap();
    // A zombie if whoever inherits it does not reap.
    until("gone", || ['-', 'Z'].contains(&state(pid)));
}

// -------------------------------------------------------------------------------------------------
// What can't be started

#[test]
fn failures_have_a_shells_exit_codes() {
    let dir = Dir::new("failures");
    let plain = dir.file("plain", "echo", 0o644);
    let garbage = dir.file("garbage", "\x01\x02", 0o755);
    let orphan = dir.file("orphan", "#!/no/such/interpreter\n", 0o755);
    fs::create_dir(dir.0.join("sub")).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    for (program, code, says) in [
        ("no-such-program".to_owned(), 127, "command not found"),
        ("/no/such/program".to_owned(), 127, "command not found"),
        (String::new(), 127, "command not found"),
        // In PATH below, but a directory.
        ("sub".to_owned(), 127, "command not found"),
        ("plain".to_owned(), 126, "Permission denied"),
        (text(&plain), 126, "Permission denied"),
        (text(&dir.0), 126, "is a directory"),
        (text(&plain.join("x")), 126, "Not a directory"),
        (text(&garbage), 126, "not a program"),
        (text(&orphan), 127, "interpreter"),
    ] {
        let mut command = command(&[&program]);
        command.identity.env = vec![("PATH".into(), dir.0.clone().into())];
        let error = Held::spawn(&command).and_then(Held::release).unwrap_err();
        assert_eq!(error.exit_code(), code, "{program}: {error}");
        assert!(error.to_string().contains(says), "{program}: {error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn our_own_failures_are_125() {
    let mut nowhere = sh("exit 0");
    nowhere.cwd = Some("/no/such/directory".into());
    for command in [nowhere, command(&[]), command(&["sh", "a\0b"])] {
        assert_eq!(Held::spawn(&command).unwrap_err().exit_code(), 125);
    }
}

// -------------------------------------------------------------------------------------------------
// What it starts with

#[test]
fn the_program_is_looked_up_in_the_commands_path_and_directory() {
    let dir = Dir::new("lookup");
    fs::create_dir(dir.0.join("bin")).unwrap();
    // Not executable: the search goes on.
    dir.file("tool", "", 0o644);
    dir.file(
        "bin/tool",
        "#!/bin/sh\npwd >out\necho \"$0 $1 $A\" >>out\n",
        0o755,
    );
    let mut command = command(&["tool", "x"]);
    command.cwd = Some(dir.0.clone());
    command.identity.env = vec![
        ("PATH".into(), ":bin:/bin".into()),
        ("A".into(), "1".into()),
    ];
    assert_eq!(Held::spawn(&command).unwrap().program(), "bin/tool");
    assert_eq!(run(&command).code(), 0);
    let real = fs::canonicalize(&dir.0).unwrap();
    let expected = format!("{}\nbin/tool x 1\n", real.display());
    assert_eq!(fs::read_to_string(dir.0.join("out")).unwrap(), expected);
}

#[test]
fn it_starts_with_our_callers_signals() {
    let dir = Dir::new("signals");
    let out = dir.0.join("status");
    let signals = Signals::install().unwrap();
    run(&command(&[
        "cp",
        "/proc/self/status",
        out.to_str().unwrap(),
    ]));
    drop(signals);
    let text = fs::read_to_string(out).unwrap();
    let bits = |name| u64::from_str_radix(&status(&text, name), 16).unwrap();
    let start = Inherited::noted();
    let mask = start
        .mask
        .iter()
        .fold(0, |bits, s| bits | 1u64 << (s as i32 - 1));
    assert_eq!(bits("SigBlk"), mask);
    let sigpipe_ignored = bits("SigIgn") & 1 << (Signal::SIGPIPE as i32 - 1) != 0;
    assert_eq!(sigpipe_ignored, matches!(start.sigpipe, SigHandler::SigIgn));
}

#[test]
fn a_limit_lifted_for_loading_is_not_passed_on() {
    let dir = Dir::new("limits");
    let out = dir.0.join("limits");
    let (soft, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
    setrlimit(Resource::RLIMIT_MEMLOCK, 4096, hard).unwrap();
    run(&command(&[
        "cp",
        "/proc/self/limits",
        out.to_str().unwrap(),
    ]));
    setrlimit(Resource::RLIMIT_MEMLOCK, soft, hard).unwrap();
    let line = |text: String| {
        let line = text.lines().find(|l| l.starts_with("Max locked memory"));
        line.unwrap().to_owned()
    };
    let found = line(fs::read_to_string(out).unwrap());
    assert_eq!(
        found,
        line(fs::read_to_string("/proc/self/limits").unwrap())
    );
}

#[test]
fn no_descriptor_leaks() {
    let _signals = Signals::install().unwrap();
    // Two at a time: neither may get the other's pipes.
    let other = Held::spawn(&sh("exit 0")).unwrap();
    let mut running = Held::spawn(&command(&["sleep", "1000"]))
        .unwrap()
        .release()
        .unwrap();
    // What cargo or a terminal gave the test itself without close-on-exec is not ours to close.
    let expected: Vec<i32> = descriptors("self").filter(|fd| stays_open(*fd)).collect();
    let there = format!("{}", running.pid());
    until("just those", || descriptors(&there).eq(expected.clone()));
    drop(other);
    running.signal(Signal::SIGKILL).unwrap();
    assert_eq!(running.wait().unwrap().code(), 137);
}

fn descriptors(pid: &str) -> impl Iterator<Item = i32> {
    let names = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut fds: Vec<i32> = names
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    fds.sort();
    fds.into_iter()
}

fn stays_open(fd: i32) -> bool {
    // SAFETY: asks for a flag by number; a closed descriptor is an error.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

#[test]
#[ignore = "root"]
fn as_another_user_it_is_that_user_and_no_more() {
    assert!(nix::unistd::geteuid().is_root(), "this test needs root");
    let dir = Dir::new("nobody");
    let out = dir.0.join("status");
    let command = Command {
        identity: Identity::of("nobody").unwrap(),
        ..command(&["cp", "/proc/self/status", out.to_str().unwrap()])
    };
    let held = Held::spawn(&command).unwrap();
    let while_held = fs::read_to_string(format!("/proc/{}/status", held.pid())).unwrap();
    assert_eq!(held.release().unwrap().wait().unwrap().code(), 0);

    let id = |what| {
        let output = process::Command::new("id")
            .args([what, "nobody"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for text in [while_held, fs::read_to_string(out).unwrap()] {
        assert_eq!(status(&text, "Uid"), [id("-u").as_str(); 4].join(" "));
        assert_eq!(status(&text, "Gid"), [id("-g").as_str(); 4].join(" "));
        assert_eq!(status(&text, "Groups"), id("-G"));
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status(&text, set), "0000000000000000", "{set}");
        }
    }
    assert_eq!(command.identity.var("USER").unwrap(), "nobody");
}

#[test]
#[ignore = "root"]
fn the_program_is_looked_up_with_the_users_rights() {
    assert!(nix::unistd::geteuid().is_root(), "this test needs root");
    let dir = Dir::new("rights");
    fs::create_dir(dir.0.join("private")).unwrap();
    dir.file("private/tool", "#!/bin/sh\nexit 1\n", 0o755);
    fs::set_permissions(dir.0.join("private"), fs::Permissions::from_mode(0o700)).unwrap();
    dir.file("tool", "#!/bin/sh\nexit 2\n", 0o755);
    let path = format!("{0}/private:{0}", dir.0.display());
    let mut command = command(&["tool"]);
    command.identity.env = vec![("PATH".into(), path.into())];
    assert_eq!(run(&command).code(), 1);
    command.identity.credentials = Identity::of("nobody").unwrap().credentials;
    assert_eq!(run(&command).code(), 2);
}
