//! Without privileges: one line that says what is missing and how to get it, and status 3.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{BYTEHOP, Output, Scratch, command, output, serial};

/// bytehop where user nobody can run it.
pub struct Unprivileged(Scratch);

impl Unprivileged {
    pub fn new() -> Self {
        let this = Self(Scratch::under(Path::new("/tmp")));
        fs::set_permissions(this.0.dir(), fs::Permissions::from_mode(0o755)).expect("chmod");
        fs::copy(BYTEHOP, this.path("bytehop")).expect("copy bytehop");
        this.readable("bytehop");
        this
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path(name)
    }

    pub fn readable(&self, name: &str) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    /// Runs bytehop as nobody, with no capability to be had.
    pub fn run(&self, words: &[&str]) -> Output {
        let bytehop = self.path("bytehop");
        let mut line = vec![
            "setpriv",
            "--reuid=nobody",
            "--regid=nogroup",
            "--clear-groups",
        ];
        line.extend(["--inh-caps=-all", "--bounding-set=-all", "--", &bytehop]);
        line.extend(words);
        let mut command = command(&line);
        command.current_dir("/tmp");
        output(command)
    }
}

#[test]
#[ignore = "root"]
fn no_privileges() {
    let _serial = serial();
    let unprivileged = Unprivileged::new();
    for verb in [
        &["run", "--no-tui"][..],
        &["stat"],
        &["record", "-o", "/tmp/oracle-never-made"],
    ] {
        let mut words = verb.to_vec();
        words.extend(["--", "echo", "ran"]);
        let output = unprivileged.run(&words).expect(3);
        assert_eq!(
            output.stdout, "",
            "{verb:?}: the command was run although it cannot be traced"
        );
        let text = output.stderr.trim_end();
        assert_eq!(text.lines().count(), 1, "{verb:?}: {text}");
        assert!(
            text.contains("sudo") && text.contains("CAP_BPF"),
            "{verb:?}: {text}"
        );
    }
    assert!(
        !fs::exists("/tmp/oracle-never-made").expect("exists"),
        "an empty recording was left"
    );
}

#[test]
#[ignore = "root"]
fn doctor_without_privileges() {
    let _serial = serial();
    let output = Unprivileged::new().run(&["doctor"]);
    assert!(!output.stdout.is_empty(), "{}", output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
}

#[test]
#[ignore = "root"]
fn doctor() {
    let _serial = serial();
    let output = output(command(&[BYTEHOP, "doctor"])).expect(0);
    assert!(output.stdout.contains("level T"), "{}", output.stdout);
}
