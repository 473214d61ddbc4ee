//! Twenty and more ways in which user A of a shared server would learn from bytehop what `strace -p`, `/proc` and
//! `ls` refuse to tell A. Each row names what refuses, which is tried first; then bytehop is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{BYTEHOP, command, output, serial};
use crate::lent::{B, Running, SECRET, Server, by};

/// Bytes in B's file: nobody else's to know.
const SIZE: usize = 77_777;
/// B's program goes by this name.
const WORK: &str = "bwork";

/// What refuses A, where bytehop is not there.
#[derive(Clone, Copy)]
enum Refuses {
    /// `strace -p` of B's process, of root's, of the first.
    Strace(&'static str),
    /// Reading this.
    Cat(&'static str),
    /// Looking into B's folder.
    Ls,
    /// A setuid program, once it runs without its rights.
    NoNewPrivs,
}

use Refuses::{Cat, Ls, NoNewPrivs, Strace};

/// What refuses, and how bytehop is asked. `{…}` stands for what [`Names`] has.
const WAYS: [(Refuses, &[&str]); 24] = [
    (
        Strace("{b}"),
        &["attach", "--no-tui", "-d", "1", "-p", "{b}"],
    ),
    (
        Strace("{b}"),
        &["attach", "--no-tui", "-d", "1", "--json", "-p", "{b}"],
    ),
    (
        Strace("{b}"),
        &[
            "attach", "--no-tui", "-d", "1", "--stacks", "-o", "{out}", "-p", "{b}",
        ],
    ),
    (
        Strace("{b}"),
        &["record", "-d", "1", "-o", "{out}", "-p", "{b}"],
    ),
    (
        Strace("{root}"),
        &["attach", "--no-tui", "-d", "1", "-p", "{root}"],
    ),
    (
        Strace("1"),
        &["record", "-d", "1", "-o", "{out}", "-p", "1"],
    ),
    (
        Strace("{b}"),
        &["attach", "--no-tui", "-d", "1", "--comm", WORK],
    ),
    (
        Strace("{b}"),
        &["record", "-d", "1", "-o", "{out}", "--comm", WORK],
    ),
    (
        Strace("{b}"),
        &["attach", "--no-tui", "-d", "1", "--json", "--cgroup", "/"],
    ),
    (
        Strace("{b}"),
        &["record", "-d", "1", "-o", "{out}", "--cgroup", "/"],
    ),
    (Strace("{b}"), &["top", "-n", "2", "-d", "0.4", "--json"]),
    (
        Strace("{b}"),
        &["top", "-n", "2", "-d", "0.4", "--json", "--total"],
    ),
    (
        Strace("{b}"),
        &["top", "-n", "2", "-d", "0.4", "--no-tui", "--filter", WORK],
    ),
    (
        Cat("/proc/{b}/environ"),
        &["run", "--no-tui", "--", "cat", "/proc/{b}/environ"],
    ),
    (
        Strace("{b}"),
        &[
            "run",
            "--no-tui",
            "--",
            "timeout",
            "5",
            "strace",
            "-o",
            "/dev/null",
            "-p",
            "{b}",
        ],
    ),
    (Cat("{file}"), &["run", "--no-tui", "--", "cat", "{file}"]),
    (NoNewPrivs, &["stat", "--", "{setuid}", "{file}"]),
    (
        Cat("{file}"),
        &["run", "--no-tui", "--expect-file", "{file}", "--", "true"],
    ),
    (
        Cat("{file}"),
        &["lab", "--check", "--program", "{file}", "first-hops"],
    ),
    (Cat("{recording}"), &["report", "--json", "{recording}"]),
    (
        Cat("{recording}"),
        &["cut", "{recording}", "--from", "0s", "-o", "{out}"],
    ),
    (Cat("{recording}"), &["diff", "{own}", "{recording}"]),
    (Cat("{recording}"), &["annotate", "{recording}"]),
    (Ls, &["record", "-o", "{folder}/new.bhop", "--", "true"]),
];

/// What stands for `{name}`.
type Names = [(&'static str, String); 8];

fn filled(word: &str, names: &Names) -> String {
    let fill = |word: String, (name, value): &(&str, String)| word.replace(name, value);
    names.iter().fold(word.to_owned(), fill)
}

#[test]
#[ignore = "root"]
fn what_they_cannot_learn() {
    let _serial = serial();
    let Some(server) = Server::new("what_they_cannot_learn") else {
        return;
    };
    // B's folder, with a file and a recording; B at work, with the word in command line, environment and files.
    let folder = server.dir().join("b");
    fs::create_dir(&folder).expect("a folder of B's");
    let path = |name: &str| folder.join(name).display().to_string();
    let (file, recording) = (path("payroll"), path("work.bhop"));
    fs::write(
        &file,
        SECRET
            .repeat(SIZE / SECRET.len() + 1)
            .as_bytes()
            .split_at(SIZE)
            .0,
    )
    .expect("write");
    let script = format!(": {SECRET}");
    output(command(&[
        BYTEHOP, "record", "-q", "-o", &recording, "--", "sh", "-c", &script,
    ]))
    .expect(0);
    for path in [&file, &recording] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
        std::os::unix::fs::chown(path, Some(B), Some(B)).expect("chown");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("chmod");
    std::os::unix::fs::chown(&folder, Some(B), Some(B)).expect("chown");
    let copied = |from: &str, name: &str, mode: u32| {
        let to = server.dir().join(name);
        fs::copy(fs::canonicalize(from).expect("a program"), &to).expect("copy");
        fs::set_permissions(&to, fs::Permissions::from_mode(mode)).expect("chmod");
        to.display().to_string()
    };
    let setuid = copied("/bin/cat", "rootcat", 0o4755);
    let shell = copied("/bin/sh", WORK, 0o755);
    let secret = format!("WORD={SECRET}");
    let loops = format!("while :; do head -c 4096 {file} >/dev/null; done # {SECRET}");
    let work = by(B, &[], &[&secret, &shell, "-c", &loops]);
    let work = Running::new(work).until(WORK, B);
    let roots = Running::new(command(&["sleep", "1000"])).until("sleep", 0);
    let own = server.a("own.bhop");
    server
        .run(&["record", "-q", "-o", &own, "--", "true"])
        .expect(0);

    let out = server.a("out.bhop");
    let names: Names = [
        ("{b}", work.pid()),
        ("{root}", roots.pid()),
        ("{file}", file.clone()),
        ("{recording}", recording),
        ("{folder}", folder.display().to_string()),
        ("{setuid}", setuid.clone()),
        ("{own}", own),
        ("{out}", out.clone()),
    ];
    let fill = |word: &str| filled(word, &names);
    let hidden = [SECRET.to_owned(), SIZE.to_string(), "77,777".to_owned()];
    let tells = |said: &str| hidden.iter().find(|word| said.contains(*word)).cloned();
    for (refuses, words) in WAYS {
        let words: Vec<String> = words.iter().map(|word| fill(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let refusal = match refuses {
            Strace(pid) => vec![
                "timeout".to_owned(),
                "5".into(),
                "strace".into(),
                "-o".into(),
                "/dev/null".into(),
                "-p".into(),
                fill(pid),
            ],
            Cat(path) => vec!["cat".to_owned(), fill(path)],
            Ls => vec!["ls".to_owned(), fill("{folder}")],
            NoNewPrivs => vec![
                "setpriv".to_owned(),
                "--no-new-privs".into(),
                setuid.clone(),
                file.clone(),
            ],
        };
        let refusal: Vec<&str> = refusal.iter().map(String::as_str).collect();
        let refused = output(server.as_a(&refusal));
        assert!(
            refused.code() != 0
                && (refused.stderr.contains("not permitted") || refused.stderr.contains("denied")),
            "{refusal:?}: {}",
            refused.stderr
        );
        let _ = fs::remove_file(&out);
        let asked = server.run(&words);
        for said in [&asked.stdout, &asked.stderr] {
            assert_eq!(tells(said), None, "{words:?}\n{said}");
        }
        // `top` shows A's own; everything else has nothing to show.
        let has_own = words[0] == "top";
        assert_eq!(
            asked.code() == 0,
            has_own,
            "{words:?}: {}{}",
            asked.stdout,
            asked.stderr
        );
        if fs::exists(&out).expect("A's folder") {
            let events = server
                .run(&["report", "--format", "jsonl", &out])
                .expect(0)
                .stdout;
            assert_eq!(tells(&events), None, "{words:?}");
            for word in [&work.pid(), &roots.pid()] {
                let of = format!("\"pid\":{word},");
                assert!(!events.contains(&of), "{words:?}: of {word}");
            }
        }
    }
    // B can.
    let bs = output(by(B, &[], &["cat", &file])).expect(0).stdout;
    assert_eq!(bs.len(), SIZE);
}
