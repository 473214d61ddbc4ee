//! Running processes chosen by name, cgroup and container: all of them are traced to their ends, and no others.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, command, eventually, not_run, output, serial, wait};
use crate::summary::Summary;

const PROCESSES: u64 = 3;
const CALLS: u64 = 100;
/// As Docker's is: 64 digits.
const ID: &str = "b17e40b0000000000000000000000000000000000000000000000000000b17e4";

/// A cgroup of our own, as a container engine makes one.
struct Cgroup {
    folder: PathBuf,
    /// As `/proc/PID/cgroup` has it.
    path: String,
}

impl Cgroup {
    fn new() -> Option<Self> {
        // Version 2, or any hierarchy of version 1.
        let roots = [
            "/sys/fs/cgroup",
            "/sys/fs/cgroup/pids",
            "/sys/fs/cgroup/cpu",
        ];
        let root = roots
            .map(Path::new)
            .into_iter()
            .find(|root| root.join("cgroup.procs").exists())?;
        let path = format!("/docker-{ID}.scope");
        let folder = root.join(path.trim_start_matches('/'));
        fs::create_dir(&folder).ok()?;
        Some(Self { folder, path })
    }

    fn take(&self, pid: u32) {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string()).expect("moved there");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The last one may still be leaving.
        let gone = || fs::remove_dir(&self.folder).is_ok() || !self.folder.exists();
        eventually("the cgroup is removed", gone);
    }
}

/// Waits for a line, then becomes a program that makes so many calls.
fn waiting(shell: &str) -> Child {
    let program = fixture(&["spin-getppid", &CALLS.to_string()]).join(" ");
    let script = format!("read line && exec {program}");
    let mut shell = command(&[shell, "-c", &script]);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null());
    shell.spawn().expect("a shell")
}

#[test]
#[ignore = "root"]
fn processes_are_chosen_by_name_cgroup_and_container() {
    let _serial = serial();
    let Some(cgroup) = Cgroup::new() else {
        let why = "no cgroup can be made";
        return not_run("processes_are_chosen_by_name_cgroup_and_container", why);
    };
    let scratch = Scratch::in_memory();
    // A shell of a name that nobody else has.
    let shell = scratch.path("bh-which-sh");
    fs::copy("/bin/sh", &shell).expect("copied");
    let below = format!("/sys/fs/cgroup{}", cgroup.path);
    for how in [
        ["--cgroup", cgroup.path.as_str()],
        ["--cgroup", below.as_str()],
        ["--container", &ID[..12]],
        ["--comm", "bh-which-sh"],
    ] {
        let mut ours: Vec<Child> = (0..PROCESSES).map(|_| waiting(&shell)).collect();
        ours.iter().for_each(|child| cgroup.take(child.id()));
        // One that is not meant.
        let mut other = waiting("sh");
        let (json, said) = (scratch.path("json"), scratch.path("said"));
        let line = [BYTEHOP, "attach", "--no-tui", "--json", "--summary", &json];
        let mut line = command(&[&line[..], &how].concat());
        let said_to = fs::File::create(&said).expect("created");
        let mut bytehop = line.stderr(said_to).spawn().expect("bytehop");
        let words = || fs::read_to_string(&said).unwrap_or_default();
        eventually("it is ready", || words().contains("ready"));
        for child in ours.iter_mut().chain([&mut other]) {
            let mut stdin = child.stdin.take().expect("stdin");
            let _ = stdin.write_all(b"go\n");
        }
        for child in ours.iter_mut().chain([&mut other]) {
            wait(child);
        }
        let words = words();
        assert!(words.contains("3 processes"), "{how:?}: {words}");
        // It ends with the last of them.
        assert_eq!(wait(&mut bytehop).code(), Some(0), "{how:?}");
        let summary = Summary::parse(&fs::read_to_string(&json).expect("a summary"));
        assert_eq!(summary.calls_of("getppid"), PROCESSES * CALLS, "{how:?}");
        assert_eq!(summary.number("/lost_events"), 0, "{how:?}");
    }
    let none = output(command(&[
        BYTEHOP,
        "attach",
        "--no-tui",
        "--comm",
        "bh-which-sh",
    ]));
    let none = none.expect(2);
    assert!(
        none.stderr.contains("no process is called bh-which-sh"),
        "{}",
        none.stderr
    );
}
