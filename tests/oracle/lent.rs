//! A shared server: what user A cannot learn from bytehop, because `strace -p`, `/proc` and `ls` refuse to
//! tell A; and that A's own work all goes.
//!
//! bytehop is installed by its own `setup`, for a group that exists everywhere and that user A is given by
//! `setpriv`; users are numbers.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{BYTEHOP, Output, Scratch, command, eventually, not_run, output, serial};

pub const A: u32 = 61_001;
pub const B: u32 = 61_002;
const GROUP: &str = "games";
/// A word that is in B's name, command line and files, and that A must never read.
pub const SECRET: &str = "b4secret";

/// bytehop for the group, below `/usr/local`, where nobody but root replaces it.
pub struct Server(Scratch);

impl Server {
    /// `None` where files cannot have capabilities.
    pub fn new(test: &str) -> Option<Self> {
        let this = Self(Scratch::under(Path::new("/usr/local/lib")));
        fs::set_permissions(this.0.dir(), fs::Permissions::from_mode(0o755)).expect("chmod");
        fs::copy(BYTEHOP, this.bytehop()).expect("copy bytehop");
        fs::create_dir(this.0.path("a")).expect("a folder of A's");
        std::os::unix::fs::chown(this.0.path("a"), Some(A), Some(A)).expect("chown");
        let set = this.setup(&["--group", GROUP]);
        if set.stderr.contains("nosuid") || set.stderr.contains("not supported") {
            not_run(test, "files here cannot have capabilities");
            return None;
        }
        set.expect(0);
        Some(this)
    }

    fn bytehop(&self) -> String {
        self.0.path("bytehop")
    }

    pub fn dir(&self) -> &Path {
        self.0.dir()
    }

    fn setup(&self, words: &[&str]) -> Output {
        let program = self.bytehop();
        let mut line = vec![BYTEHOP, "setup", "--program", &program];
        line.extend(words);
        output(command(&line))
    }

    /// A path in A's folder.
    pub fn a(&self, name: &str) -> String {
        self.0.path(&format!("a/{name}"))
    }

    /// bytehop, started by A.
    pub fn run(&self, words: &[&str]) -> Output {
        let bytehop = self.bytehop();
        let mut line = vec![bytehop.as_str()];
        line.extend(words);
        output(self.as_a(&line))
    }

    pub fn as_a(&self, words: &[&str]) -> Command {
        let mut command = by(A, &["--groups", GROUP], words);
        command.current_dir(self.0.path("a"));
        command.env("HOME", self.0.path("a"));
        command
    }
}

/// A command of a user who has no rights at all.
pub fn by(user: u32, groups: &[&str], words: &[&str]) -> Command {
    let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
    let mut line = vec!["setpriv", &user, &group, "--inh-caps=-all"];
    line.extend(match groups {
        [] => &["--clear-groups"],
        groups => groups,
    });
    // setpriv itself executes with all that it had: what it starts, not.
    line.extend(["--", "env", "--"]);
    line.extend(words);
    command(&line)
}

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    pub fn new(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("start"))
    }

    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Waits until it runs this program, as this user.
    pub fn until(self, program: &str, user: u32) -> Self {
        let pid = self.pid();
        eventually(program, || {
            let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
            let effective = uid.and_then(|ids| ids.split_whitespace().nth(1));
            exe.to_string_lossy().contains(program) && effective == Some(&user.to_string())
        });
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `sh` is a link to this on Debian; elsewhere it is itself.
fn shell() -> String {
    let shell = fs::canonicalize("/bin/sh").expect("a shell");
    shell.file_name().unwrap().to_string_lossy().into_owned()
}

/// B at work, with the word in its name and its command line.
fn work_of_b() -> Running {
    let loops = format!("while :; do head -c 4096 /dev/zero >/dev/null; done # {SECRET}");
    Running::new(by(B, &[], &["sh", "-c", &loops])).until(&shell(), B)
}

fn json_lines(output: &Output) -> Vec<Value> {
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Every way to point bytehop at a process that is not A's, and every process that strace -p refuses: the
/// answer is one line, status 3, and no file.
#[test]
#[ignore = "root"]
fn what_is_not_theirs_is_refused() {
    let _serial = serial();
    let Some(server) = Server::new("what_is_not_theirs_is_refused") else {
        return;
    };
    let bs = work_of_b();
    let roots = Running::new(command(&["sleep", "100"])).until("sleep", 0);
    // A's own, but with more rights than A: by a setuid bit, a setgid bit, a capability of its file, and one
    // that cannot be read.
    let sleep = fs::canonicalize("/bin/sleep").expect("sleep");
    let special = |name: &str, mode: u32, group: u32| {
        let path = server.0.path(name);
        fs::copy(&sleep, &path).expect("copy");
        std::os::unix::fs::chown(&path, Some(0), Some(group)).expect("chown");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        path
    };
    let setuid = special("rootsleep", 0o4755, 0);
    let setgid = special("gidsleep", 0o2755, B);
    let unreadable = special("darksleep", 0o711, 0);
    let capable = special("capsleep", 0o755, 0);
    output(command(&["setcap", "cap_net_raw+ep", &capable])).expect(0);
    let start = |program: &String, user| {
        let name = Path::new(program)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        Running::new(server.as_a(&[program, "100"])).until(&name, user)
    };
    let with_rights = [
        start(&setuid, 0),
        start(&setgid, A),
        start(&unreadable, A),
        start(&capable, A),
    ];
    let targets = [bs.pid(), roots.pid(), "1".to_owned()];
    let targets = targets
        .into_iter()
        .chain(with_rights.iter().map(Running::pid));
    let file = server.a("never.bhop");
    for pid in targets {
        // The oracle: would strace be allowed to?
        let strace = output(server.as_a(&[
            "timeout",
            "5",
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-p",
            &pid,
        ]));
        assert!(
            strace.stderr.contains("not permitted"),
            "{pid}: {}",
            strace.stderr
        );
        for words in [
            &["attach", "--no-tui", "-d", "1", "-p", &pid][..],
            &[
                "attach", "--no-tui", "-d", "1", "--json", "--stacks", "-p", &pid,
            ],
            &[
                "attach",
                "--no-tui",
                "-d",
                "1",
                "-o",
                &file,
                "--no-follow",
                "-p",
                &pid,
            ],
            &["record", "-d", "1", "-o", &file, "-p", &pid],
        ] {
            let refused = server.run(words).expect(3);
            assert_eq!(refused.stdout, "", "{words:?}");
            assert_eq!(
                refused.stderr.trim_end().lines().count(),
                1,
                "{}",
                refused.stderr
            );
            assert!(
                refused.stderr.contains("not yours to trace"),
                "{}",
                refused.stderr
            );
            assert!(!refused.stderr.contains(SECRET), "{}", refused.stderr);
        }
    }
    assert!(!Path::new(&file).exists(), "a recording was left");
}

/// What A's own process makes and A may not see (here: by a setuid program) is left out of its trace, also
/// where it comes only afterwards.
#[test]
#[ignore = "root"]
fn what_becomes_of_a_process_is_shown_as_far_as_it_is_theirs() {
    let _serial = serial();
    let Some(server) = Server::new("what_becomes_of_a_process") else {
        return;
    };
    let setuid = server.0.path("rootcat");
    fs::copy(fs::canonicalize("/bin/cat").expect("cat"), &setuid).expect("copy");
    fs::set_permissions(&setuid, fs::Permissions::from_mode(0o4755)).expect("chmod");
    // Only root reads it, and how much there is to read is nobody's to know.
    let secret = server.0.path("shadow");
    fs::write(&secret, [7; 77_777]).expect("write");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("chmod");
    let script = format!(
        "while [ ! -e go ]; do sleep 0.05; done; {setuid} {secret}; head -c 1000 /dev/zero; sleep 0.1; exec {setuid} {secret}"
    );
    fs::write(server.a("script"), script).expect("write");
    let shell = Running::new(server.as_a(&["sh", "script"])).until(&shell(), A);
    let file = server.a("attached.bhop");
    let bytehop = server.bytehop();
    let pid = shell.pid();
    let line = [&bytehop, "attach", "--no-tui", "-o", &file, "-p", &pid];
    let mut attached = server.as_a(&line);
    let says = fs::File::create(server.0.path("says")).expect("create");
    let mut attached = attached
        .stderr(says)
        .stdout(Stdio::null())
        .spawn()
        .expect("start");
    let said = || fs::read_to_string(server.0.path("says")).unwrap_or_default();
    eventually("attached", || said().contains("ready"));
    fs::write(server.a("go"), "").expect("go");
    crate::harness::wait(&mut attached);
    assert!(said().contains("not shown"), "{}", said());
    let events = server
        .run(&["report", "--format", "jsonl", &file])
        .expect(0)
        .stdout;
    assert!(events.contains("wait4"), "the shell's own calls are there");
    for hidden in ["77777", "rootcat", "shadow"] {
        assert!(!events.contains(hidden), "{hidden}");
        assert!(!said().contains(hidden), "{hidden}: {}", said());
    }
}

/// A traced program with rights of its own runs without them, and it is said.
#[test]
#[ignore = "root"]
fn a_setuid_program_runs_without() {
    let _serial = serial();
    let Some(server) = Server::new("a_setuid_program_runs_without") else {
        return;
    };
    let setuid = server.0.path("rootid");
    fs::copy(fs::canonicalize("/usr/bin/id").expect("id"), &setuid).expect("copy");
    fs::set_permissions(&setuid, fs::Permissions::from_mode(0o4755)).expect("chmod");
    let me = format!("{A}\n");
    assert_eq!(output(server.as_a(&[&setuid, "-u"])).stdout, "0\n");
    for verb in [
        &["run", "--no-tui"][..],
        &["stat"],
        &["record", "-o", &server.a("id.bhop")],
    ] {
        let direct = [verb, &["--", &setuid, "-u"]].concat();
        let ran = server.run(&direct).expect(0);
        assert_eq!(ran.stdout, me, "{verb:?}");
        assert!(ran.stderr.contains("rootid runs without"), "{}", ran.stderr);
        // And in a shell.
        let line = format!("{setuid} -u");
        let nested = [verb, &["--", "sh", "-c", &line]].concat();
        assert_eq!(server.run(&nested).expect(0).stdout, me, "{verb:?}");
    }
}

/// `top`: A's processes, and one row for the rest.
#[test]
#[ignore = "root"]
fn top_has_one_row_for_the_rest() {
    let _serial = serial();
    let Some(server) = Server::new("top_has_one_row_for_the_rest") else {
        return;
    };
    let _bs = work_of_b();
    let own = Running::new(server.as_a(&["sh", "-c", "while :; do :; read x </dev/null; done"]))
        .until(&shell(), A);
    for more in [
        &[][..],
        &["--total"],
        &["--filter", SECRET],
        &["--filter", "head"],
    ] {
        let mut words = vec!["top", "-n", "3", "-d", "0.4", "--json"];
        words.extend(more);
        let top = server.run(&words).expect(0);
        assert!(!top.stdout.contains(SECRET), "{}", top.stdout);
        let tables = json_lines(&top);
        assert_eq!(tables.len(), 3);
        for row in tables
            .iter()
            .flat_map(|table| table["processes"].as_array().unwrap())
        {
            match row["what"].as_str() {
                Some("process") => {
                    let pid = row["pid"].as_u64().unwrap();
                    let of = fs::metadata(format!("/proc/{pid}")).map(|meta| meta.uid());
                    assert!(of.is_err() || of.is_ok_and(|uid| uid == A), "{row}");
                }
                Some("others") => {
                    assert!(row["comm"] == "" && row["command"] == "" && row["pid"].is_null());
                    assert_eq!(row["syscalls"].as_array().map(Vec::len), Some(0), "{row}");
                    assert_eq!(row["hops"].as_array().map(Vec::len), Some(0), "{row}");
                }
                Some("ended") => {}
                other => panic!("{other:?}: {row}"),
            }
        }
        if more.is_empty() {
            let rows = tables[1]["processes"].as_array().unwrap();
            let is_own =
                |row: &&Value| row["pid"].as_u64().map(|pid| pid.to_string()) == Some(own.pid());
            assert!(
                rows.iter().any(|row| is_own(&row)),
                "A's own shell: {rows:?}"
            );
            let others: Vec<_> = rows.iter().filter(|row| row["what"] == "others").collect();
            assert_eq!(others.len(), 1, "{rows:?}");
            assert!(
                others[0]["crossings"]["total"].as_u64() > Some(0),
                "{others:?}"
            );
        }
    }
    let text = server.run(&["top", "-n", "1", "--no-tui"]).expect(0);
    assert!(text.stdout.contains("(others: "), "{}", text.stdout);
}

/// No other program by our rights: not through the environment, not through our descriptors or memory.
#[test]
#[ignore = "root"]
fn the_rights_stay_with_us() {
    let _serial = serial();
    let Some(server) = Server::new("the_rights_stay_with_us") else {
        return;
    };
    // The traced command holds nothing of ours, and gets nothing back.
    let status = server.run(&[
        "run",
        "--no-tui",
        "-q",
        "--",
        "grep",
        "-E",
        "^(Cap|NoNewPrivs)",
        "/proc/self/status",
    ]);
    let status = status.expect(0).stdout;
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(
            status.contains(&format!("{set}:\t0000000000000000")),
            "{status}"
        );
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    // Another object is not loaded, whoever names it.
    let bogus = server.a("bogus.o");
    fs::write(&bogus, "no object").expect("write");
    let bytehop = server.bytehop();
    let mut named = server.as_a(&[&bytehop, "run", "--no-tui", "-q", "--", "true"]);
    named
        .env("BYTEHOP_EBPF_OBJECT", &bogus)
        .env("BYTEHOP_VERIFIER_LOG", "1");
    output(named).expect(0);
    // bytehop itself is closed: nobody looks into it, or takes its descriptors.
    let mut held = server.as_a(&[&bytehop, "run", "--no-tui", "-q", "--", "sleep", "100"]);
    let held = Running(held.stderr(Stdio::null()).spawn().expect("start"));
    let pid = held.pid();
    eventually("its child", || {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        children.is_ok_and(|text| !text.trim().is_empty())
    });
    for file in ["mem", "environ", "maps", "auxv"] {
        let read = output(server.as_a(&["head", "-c", "1", &format!("/proc/{pid}/{file}")]));
        assert_ne!(read.code(), 0, "{file}");
    }
    let listed = output(server.as_a(&["ls", &format!("/proc/{pid}/fd")]));
    assert_ne!(listed.code(), 0, "{}", listed.stdout);
    let strace = output(server.as_a(&["timeout", "5", "strace", "-o", "/dev/null", "-p", &pid]));
    assert!(strace.stderr.contains("not permitted"), "{}", strace.stderr);
}

/// A's own work: everything, with everything as it was.
#[test]
#[ignore = "root"]
fn their_own_work_goes() {
    let _serial = serial();
    let Some(server) = Server::new("their_own_work_goes") else {
        return;
    };
    let of = "umask; id -G; ulimit -a; env | grep -v ^_= | sort; pwd; cat /proc/self/oom_score_adj";
    let plain = output(server.as_a(&["sh", "-c", of])).expect(0);
    let file = server.a("own.bhop");
    for verb in [
        &["run", "--no-tui"][..],
        &["stat"],
        &["record", "-o", &file],
    ] {
        let mut words = verb.to_vec();
        words.extend(["--", "sh", "-c", of]);
        let traced = server.run(&words).expect(0);
        assert_eq!(traced.stdout, plain.stdout, "{verb:?}");
    }
    let meta = fs::metadata(&file).expect("a recording");
    assert_eq!(
        (meta.uid(), meta.gid(), meta.mode() & 0o7777),
        (A, A, 0o600)
    );
    // None of the kernel's addresses, in whatever field; registers that a call has no use for are the
    // program's own.
    let events = server
        .run(&["report", "--format", "jsonl", &file])
        .expect(0)
        .stdout;
    assert!(events.contains("execve"));
    for event in events.lines() {
        let mut event: Value = serde_json::from_str(event).expect("JSON");
        event["args"] = Value::Null;
        event["ret"] = Value::Null;
        for word in event.to_string().split(|c: char| !c.is_ascii_digit()) {
            let address = word.parse::<u64>().is_ok_and(|n| n >> 47 == 0x1_ffff);
            assert!(!address, "{event}");
        }
    }
    // A running process of A's, all its threads, to its end.
    let own = Running::new(server.as_a(&["sh", "-c", "while :; do read x </dev/null; done"]))
        .until(&shell(), A);
    let attached = server
        .run(&["attach", "--no-tui", "--json", "-d", "1", "-p", &own.pid()])
        .expect(0);
    let summary: Value = serde_json::from_str(&attached.stderr).expect("JSON");
    assert!(
        summary["crossings"]["total"].as_u64() > Some(100),
        "{summary}"
    );
    let doctor = server.run(&["doctor", "--json"]).expect(0);
    let doctor: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    assert_eq!(doctor["rights_lent"], true);
    assert!(doctor["open_to_all"].is_null());
    // Where A may not write, bytehop does not write for A.
    let refused = server
        .run(&["record", "-o", "/usr/local/lib/x.bhop", "--", "true"])
        .expect(2);
    assert!(
        refused.stderr.contains("cannot create"),
        "{}",
        refused.stderr
    );
}

/// `setup` gives exactly this, again and again; who is not in the group has nothing, and `--undo` ends it.
#[test]
#[ignore = "root"]
fn setup_and_undo() {
    let _serial = serial();
    let Some(server) = Server::new("setup_and_undo") else {
        return;
    };
    let program = server.bytehop();
    let mode = || fs::metadata(&program).expect("bytehop").mode() & 0o7777;
    let caps = || output(command(&["getcap", &program])).stdout;
    assert_eq!(mode(), 0o750);
    assert!(caps().contains("cap_perfmon,cap_bpf=ep"), "{}", caps());
    let again = server.setup(&["--group", GROUP]).expect(0);
    assert!(again.stdout.contains("before"), "{}", again.stdout);
    // B is no member.
    let outside = output(by(B, &[], &[&program, "--version"]));
    assert_ne!(outside.code(), 0);
    // A bare setcap, open to all: doctor says so, and lends no more for that.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("chmod");
    let doctor = output(by(B, &[], &[&program, "doctor"])).stdout;
    let doctor = doctor.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(doctor.contains("everyone on this machine"), "{doctor}");
    let mine = Running::new(command(&["sleep", "100"])).until("sleep", 0);
    let pid = mine.pid();
    let line = [&program, "attach", "--no-tui", "-d", "1", "-p", &pid];
    output(by(B, &[], &line)).expect(3);
    let undone = server.setup(&["--undo"]).expect(0);
    assert!(
        undone.stdout.contains("no capabilities"),
        "{}",
        undone.stdout
    );
    assert_eq!((mode(), caps()), (0o755, String::new()));
    server.setup(&["--undo"]).expect(0);
    let refused = server.run(&["run", "--no-tui", "--", "true"]).expect(3);
    assert!(
        refused.stderr.contains("setup --group"),
        "{}",
        refused.stderr
    );
    // Not by everybody, not for a group that is not there, not through another name.
    let by_a = output(by(A, &[], &[&program, "setup", "--group", GROUP])).expect(3);
    assert!(by_a.stderr.contains("root"), "{}", by_a.stderr);
    server.setup(&["--group", "no-such-group"]).expect(2);
    fs::hard_link(&program, server.0.path("second")).expect("link");
    let linked = server.setup(&["--group", GROUP]).expect(3);
    assert!(linked.stderr.contains("another name"), "{}", linked.stderr);
}
