use std::io::Read;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Uid, fork, pipe2};

use super::*;
use crate::launch::{Command, Held};

fn held(capabilities: &[u32], confined: bool) -> Privileges {
    Privileges {
        effective: CapSet::of(capabilities),
        confined,
    }
}

#[test]
fn what_is_missing() {
    for (privileges, missing) in [
        (held(&[], false), vec!["CAP_BPF", "CAP_PERFMON"]),
        (held(&[cap::BPF], false), vec!["CAP_PERFMON"]),
        (held(&[cap::PERFMON], false), vec!["CAP_BPF"]),
        (held(&[cap::BPF, cap::PERFMON], false), vec![]),
        (held(&[cap::SYS_ADMIN], false), vec![]),
        (
            held(&[cap::SYS_ADMIN], true),
            vec!["CAP_BPF", "CAP_PERFMON"],
        ),
    ] {
        assert_eq!(privileges.missing(), missing, "{privileges:?}");
        assert_eq!(privileges.require().is_ok(), missing.is_empty());
    }
}

#[test]
fn advice_is_one_line_that_says_how() {
    let advice = held(&[cap::BPF], false).require().unwrap_err().to_string();
    for part in [
        "CAP_PERFMON",
        "sudo",
        "bytehop setup --group",
        "bytehop view",
        "lab --replay",
    ] {
        assert!(advice.contains(part), "{part}: {advice}");
    }
    assert!(!advice.contains("CAP_BPF and"), "not missing: {advice}");
    let confined = held(&[cap::SYS_ADMIN], true)
        .require()
        .unwrap_err()
        .to_string();
    assert!(
        confined.contains("namespace") && !confined.contains("setup"),
        "{confined}"
    );
    assert!(!(advice + &confined).contains('\n'));
}

#[test]
fn threads_are_refused() {
    // The test harness has one for each test, and its own.
    let identity = Identity::invoking().unwrap();
    assert!(matches!(
        drop_after_load(&identity),
        Err(DropError::Threads(2..))
    ));
}

/// Runs `check` in a forked child, which has one thread. Its panic is this test's.
fn alone(check: impl FnOnce()) {
    assert!(unistd::geteuid().is_root(), "this test needs root");
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
    // SAFETY: glibc makes its allocator usable in the child, and the child takes no other lock that
    // another test may hold.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop(reader);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
            let message = result.err().map(|panic| match panic.downcast::<String>() {
                Ok(text) => *text,
                Err(_) => "panicked".to_owned(),
            });
            let _ = unistd::write(&writer, message.as_deref().unwrap_or_default().as_bytes());
            // SAFETY: ends the child without the harness's exit handlers.
            unsafe { nix::libc::_exit(i32::from(message.is_some())) }
        }
        ForkResult::Parent { child } => {
            drop(writer);
            let mut message = String::new();
            fs::File::from(reader).read_to_string(&mut message).unwrap();
            let ended = waitpid(child, None).unwrap();
            assert_eq!(ended, WaitStatus::Exited(child, 0), "{message}");
        }
    }
}

fn status_of(pid: impl std::fmt::Display) -> impl Fn(&str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    move |name| {
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().trim().replace('\t', " ")
    }
}

const NONE: &str = "0000000000000000";

fn only(set: CapSet) -> String {
    format!("{:016x}", set.0)
}

#[test]
#[ignore = "root"]
fn a_user_is_left_with_cap_bpf() {
    alone(|| {
        let nobody = Identity::of("nobody").unwrap();
        let uid = nobody.credentials.as_ref().unwrap().uid;
        drop_after_load(&nobody).unwrap();
        let status = status_of("self");
        for (name, expected) in [
            ("CapEff", &only(KEEP_AS_USER)[..]),
            ("CapPrm", &only(KEEP_AS_USER)),
            ("CapInh", NONE),
            ("CapAmb", NONE),
            ("CapBnd", NONE),
            ("NoNewPrivs", "1"),
            ("Uid", &[uid.to_string().as_str(); 4].join(" ")),
        ] {
            assert_eq!(status(name), expected, "{name}");
        }
        assert!(unistd::setuid(Uid::from_raw(0)).is_err(), "no way back");
        assert!(fs::read("/etc/shadow").is_err());
    });
}

#[test]
#[ignore = "root"]
fn root_stays_root_with_little() {
    alone(|| {
        let root = Identity {
            credentials: None,
            env: Vec::new(),
        };
        drop_after_load(&root).unwrap();
        let status = status_of("self");
        assert_eq!(status("Uid"), "0 0 0 0");
        assert_eq!(status("CapEff"), only(KEEP_AS_ROOT));
        assert_eq!(status("CapPrm"), only(KEEP_AS_ROOT));
        assert_eq!(status("CapBnd"), NONE);
    });
}

#[test]
#[ignore = "root"]
fn the_held_command_is_not_touched() {
    alone(|| {
        let root = Identity {
            credentials: None,
            env: Vec::new(),
        };
        let argv = ["sleep", "1000"].map(Into::into).into();
        let held = Held::spawn(&Command {
            argv,
            cwd: None,
            identity: root.clone(),
        })
        .unwrap();
        let before = status_of("self");
        drop_after_load(&root).unwrap();
        let mut running = held.release().unwrap();
        let command = status_of(running.pid());
        for name in ["Uid", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs"] {
            assert_eq!(command(name), before(name), "{name}");
        }
        // We can still look into it and end it.
        fs::read_link(format!("/proc/{}/exe", running.pid())).unwrap();
        running.signal(Signal::SIGTERM).unwrap();
        assert_eq!(running.wait().unwrap().code(), 143);
    });
}

#[test]
#[ignore = "root"]
fn a_users_command_can_be_watched_and_ended_as_that_user() {
    alone(|| {
        // Whoever started the tests may have had it ignored (`nohup … &`), and the command would inherit that.
        // SAFETY: sets the default disposition, no handler.
        unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }.unwrap();
        let nobody = Identity::of("nobody").unwrap();
        let argv = ["sleep", "1000"].map(Into::into).into();
        let held = Held::spawn(&Command {
            argv,
            cwd: None,
            identity: nobody.clone(),
        })
        .unwrap();
        drop_after_load(&nobody).unwrap();
        let mut running = held.release().unwrap();
        fs::read_link(format!("/proc/{}/exe", running.pid())).unwrap();
        running.signal(Signal::SIGINT).unwrap();
        assert_eq!(running.wait().unwrap().code(), 130);
    });
}
