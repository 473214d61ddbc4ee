//! Odd programs are traced as they run alone: the same status, output and calls.

use std::fs;
use std::os::unix::process::CommandExt;
use std::thread;
use std::time::Duration;

use crate::harness::{
    BYTEHOP, Scratch, VERBS, Verb, command, compiled, eventually, not_run, output, serial,
    trace_with,
};
use crate::syscalls::strace_ending;

/// How one is compared.
struct Odd {
    /// Its source, if it is one of ours; the command line begins with it.
    source: Option<&'static str>,
    name: &'static str,
    arguments: &'static [&'static str],
    /// What `strace` cannot tell, with the reason: names of calls, or all of them.
    untold: &'static [(&'static str, &'static str)],
}

const ALL: &str = "*";

macro_rules! odd {
    ($name:literal $(, $argument:expr)*) => {
        odd!($name $(, $argument)*; [])
    };
    ($name:literal $(, $argument:expr)*; $untold:expr) => {
        Odd {
            source: Some(include_str!(concat!("odd/", $name, ".c"))),
            name: $name,
            arguments: &[$($argument),*],
            untold: &$untold,
        }
    };
}

const fn ordinary(name: &'static str, arguments: &'static [&'static str]) -> Odd {
    Odd {
        source: None,
        name,
        arguments,
        untold: &[],
    }
}

const TABLE: &[Odd] = &[
    odd!("vfork"),
    odd!("clone3"),
    odd!("thread_exec"; [(
        "pause",
        "of the thread that execve ends: strace counts it as unfinished, here it fails with ERESTARTNOHAND"
    )]),
    odd!("setuid"),
    odd!("ptrace"; [(ALL, "a process has one tracer: under strace it waits for ever")]),
    odd!("seccomp"),
    odd!("seccomp", "and one call more"),
    odd!("dumpable"),
    odd!("path"),
    odd!("threads", "2000"; [("futex", "how often a thread waits is the scheduler's")]),
    odd!("forks", "1000"),
    ordinary("unshare", &["-Urmpf", "true"]),
    ordinary("nice", &["-n", "5", "nice"]),
    ordinary("chrt", &["-b", "0", "chrt", "-p", "0"]),
    ordinary("chrt", &["-r", "1", "true"]),
];

#[test]
#[ignore = "root"]
fn as_they_run_alone() {
    let _serial = serial();
    let scratch = Scratch::new();
    for odd in TABLE {
        let program = match odd.source {
            Some(source) => match compiled(&scratch, odd.name, source) {
                Some(program) => program,
                None => return not_run("odd::as_they_run_alone", "no gcc here"),
            },
            None => odd.name.to_owned(),
        };
        let mut words = vec![program.as_str()];
        words.extend(odd.arguments);
        agree(&words, odd.untold);
    }
}

/// Every verb passes on status and output, and counts what strace counts.
#[track_caller]
fn agree(words: &[&str], untold: &[(&str, &str)]) {
    let alone = output(command(words));
    let told = |name: &str| !untold.iter().any(|(other, _)| [ALL, name].contains(other));
    let expected = told(ALL).then(|| strace_ending(alone.code(), words));
    for verb in VERBS {
        let trace = trace_with(verb, &[], words);
        let what = format!("{verb:?} {words:.80?}");
        assert_eq!(trace.output.code(), alone.code(), "{what}");
        assert_eq!(trace.output.stdout, alone.stdout, "{what}");
        assert_eq!(trace.summary.number("/lost_events"), 0, "{what}");
        let Some(expected) = &expected else { continue };
        let found = trace.summary.counts();
        for name in expected
            .keys()
            .chain(found.keys())
            .filter(|name| told(name))
        {
            let of =
                |counts: &crate::summary::Counts| counts.get(name).copied().unwrap_or_default();
            assert_eq!(of(&found), of(expected), "{what}: {name}");
        }
    }
}

#[test]
#[ignore = "root"]
fn a_mebibyte_of_arguments() {
    let _serial = serial();
    // A single one may have 128 KiB with its end.
    let long = "x".repeat((128 << 10) - 1);
    let mut words = vec!["/bin/true"];
    words.extend([long.as_str(); 8]);
    agree(&words, &[]);
}

#[test]
#[ignore = "root"]
fn into_a_cgroup() {
    let _serial = serial();
    let scratch = Scratch::new();
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let mut roots = roots
        .iter()
        .filter(|root| fs::exists(format!("{root}/cgroup.procs")).unwrap_or(false));
    let second =
        roots.find(|root| fs::exists(format!("{root}/cgroup.subtree_control")).unwrap_or(false));
    let (Some(root), Some(program)) = (
        second,
        compiled(&scratch, "clone3", include_str!("odd/clone3.c")),
    ) else {
        return not_run("odd::into_a_cgroup", "no cgroup2 or no gcc here");
    };
    let group = format!("{root}/bytehop-oracle-{}", std::process::id());
    fs::create_dir(&group).expect("a cgroup");
    let agreed = std::panic::catch_unwind(|| agree(&[&program, &group], &[]));
    fs::remove_dir(&group).expect("the cgroup is empty again");
    agreed.expect("as it runs alone");
}

/// More children than there are slots for threads, one after the other: strace would take minutes, but what
/// they do is known.
#[test]
#[ignore = "root"]
fn twenty_thousand_forks() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(forks) = compiled(&scratch, "forks", include_str!("odd/forks.c")) else {
        return not_run("odd::twenty_thousand_forks", "no gcc here");
    };
    for verb in [Verb::Run, Verb::Stat] {
        let trace = trace_with(verb, &[], &[&forks, "20000"]);
        assert_eq!(trace.output.expect(0).stdout, "20000\n");
        for call in ["clone", "wait4", "getppid"] {
            assert_eq!(trace.summary.calls_of(call), 20_000, "{verb:?}: {call}");
        }
        assert_eq!(trace.summary.number("/lost_events"), 0, "{verb:?}");
    }
}

/// The trace ends with the command; that it left somebody behind is said.
#[test]
#[ignore = "root"]
fn a_daemon() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(daemon) = compiled(&scratch, "daemon", include_str!("odd/daemon.c")) else {
        return not_run("odd::a_daemon", "no gcc here");
    };
    for verb in [Verb::Run, Verb::Record] {
        let written = scratch.path(&format!("{verb:?}"));
        let trace = trace_with(verb, &[], &[&daemon, &written]);
        trace.output.expect(0);
        let warnings = trace.summary.list("/warnings");
        let said = warnings.iter().any(|said| {
            said.as_str()
                .is_some_and(|said| said.contains("still running: 1"))
        });
        assert!(said, "{verb:?}: {warnings:?}");
        eventually("the daemon goes on", || {
            fs::read_to_string(&written).is_ok_and(|text| text == "done\n")
        });
    }
}

/// Its own name has a line feed and an escape: neither reaches the terminal.
#[test]
#[ignore = "root"]
fn an_odd_name() {
    let _serial = serial();
    let scratch = Scratch::new();
    let name = scratch.path("a\nb\u{1b}[31mc");
    fs::copy("/bin/true", &name).expect("copy");
    agree(&[&name], &[]);
    let shown = output(command(&[BYTEHOP, "run", "--no-tui", "--", &name]))
        .expect(0)
        .stderr;
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
#[ignore = "root"]
fn a_directory_that_is_gone() {
    let _serial = serial();
    let scratch = Scratch::new();
    let gone = scratch.path("gone");
    for verb in ["run --no-tui", "stat"] {
        fs::create_dir(&gone).expect("mkdir");
        let script = format!(
            "cd '{gone}' && rmdir '{gone}' && exec '{BYTEHOP}' {verb} -q -- sh -c 'exit 6'"
        );
        output(command(&["sh", "-c", &script])).expect(6);
    }
    // One that the user who traces may not read.
    fs::create_dir(&gone).expect("mkdir");
    let mut line = command(&[
        BYTEHOP,
        "run",
        "--no-tui",
        "-q",
        "--",
        "sh",
        "-c",
        "id -u; exit 6",
    ]);
    line.current_dir(&gone)
        .env("SUDO_UID", "65534")
        .env("SUDO_GID", "65534");
    // SAFETY: one system call, async-signal-safe.
    unsafe {
        line.pre_exec(|| {
            Ok(nix::sys::stat::fchmodat(
                nix::fcntl::AT_FDCWD,
                ".",
                nix::sys::stat::Mode::empty(),
                nix::sys::stat::FchmodatFlags::FollowSymlink,
            )?)
        })
    };
    assert_eq!(output(line).expect(6).stdout, "65534\n");
}

#[test]
#[ignore = "root"]
fn ten_at_once_and_one_in_another() {
    let _serial = serial();
    thread::scope(|scope| {
        for status in 10..20 {
            scope.spawn(move || {
                let script = format!("sleep 0.2; exit {status}");
                let trace = trace_with(Verb::Run, &[], &["sh", "-c", &script]);
                trace.output.expect(status);
                assert_eq!(trace.summary.calls_of("execve"), 2);
            });
            thread::sleep(Duration::from_millis(20));
        }
    });
    let inner = [BYTEHOP, "stat", "-q", "--", "sh", "-c", "exit 3"];
    for verb in VERBS {
        trace_with(verb, &[], &inner).output.expect(3);
    }
}
