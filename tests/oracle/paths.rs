//! `bytehop doctor --verify`: every path of the kernel against programs whose payload is known.

use serde_json::Value;

use crate::harness::{BYTEHOP, Scratch, command, not_run, output, serial};

/// Paths that every kernel from 6.1 has, whatever the machine.
const EVERYWHERE: &[&str] = &[
    "read-cached",
    "read-cold",
    "readahead",
    "write",
    "write-fsync",
    "write-back",
    "sendfile-file",
    "copy-file-range",
    "tmpfs-read",
    "tmpfs-write",
    "zero-fill",
    "map-read",
    "map-read-cold",
    "map-shared-write",
    "map-private-write",
    "populate",
    "copy-after-fork",
    "pipe",
    "splice-file-pipe",
    "splice-pipe-file",
    "sendfile-pipe",
    "tee",
    "vmsplice",
    "vmsplice-gift",
    "vmsplice-out",
    "process-vm",
    "read-write-tcp",
    "map-write-tcp",
    "sendfile-tcp",
    "splice-tcp",
    "splice-from-tcp",
    "sendfile-unix",
    "unix-stream",
    "unix-datagram",
    "udp",
    "udp-many",
];

/// Hops that level T must get right by itself.
const TOLD: usize = 40;

/// Whether a path that was wrong is exact by itself. That it was wrong once is told, not passed over.
fn is_exact_alone(path: &Value, level: &str, dir: &str) -> bool {
    let name = path["path"].as_str().expect("a name");
    let alone = ["--only", name, "--level", level, "--json", "--dir", dir];
    let run = output(command(
        &[&[BYTEHOP, "doctor", "--verify"], &alone[..]].concat(),
    ));
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    let levels = report["levels"].as_array().into_iter().flatten();
    let mut paths = levels.flat_map(|level| level["paths"].as_array().into_iter().flatten());
    let exact = paths.any(|path| path["path"] == name && path["exact"] == true);
    if exact {
        let hops = &path["hops"];
        not_run(
            name,
            &format!("wrong at {level} among the others, and exact alone: {hops}"),
        );
    }
    exact
}

#[test]
#[ignore = "root"]
fn every_path_is_exact() {
    let _serial = serial();
    let scratch = Scratch::new();
    let dir = scratch.path("");
    let run = output(command(&[
        BYTEHOP, "doctor", "--verify", "--json", "--dir", &dir,
    ]));
    let report: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|e| panic!("{e}: {} {}", run.stdout, run.stderr));
    let levels = report["levels"].as_array().expect("levels");
    assert_eq!(levels.len(), 3, "{report:#}");
    let mut again = false;
    for level in levels {
        if level["refused"].is_string() {
            not_run(
                "every_path_is_exact",
                &format!("{}: {}", level["level"], level["refused"]),
            );
            continue;
        }
        let paths = level["paths"].as_array().expect("paths");
        for path in paths.iter().filter(|path| path["not_offered"].is_string()) {
            let name = path["path"].as_str().expect("a name");
            assert!(!EVERYWHERE.contains(&name), "{path:#}");
            not_run(name, path["not_offered"].as_str().unwrap_or_default());
        }
        let mut wrong: Vec<&Value> = paths
            .iter()
            .filter(|path| !path["not_offered"].is_string())
            .filter(|path| path["exact"] != true && path["untold"] != true)
            .collect();
        again |= !wrong.is_empty();
        let name = level["level"].as_str().expect("a level");
        wrong.retain(|path| !is_exact_alone(path, name, &dir));
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        assert_eq!(level["lost_events"], 0);
        assert_eq!(level["disagreements"], serde_json::json!([]));
        let exact = paths.iter().filter(|path| path["exact"] == true);
        assert!(exact.count() >= TOLD, "{level:#}");
    }
    if !again {
        run.expect(0);
    }
}

/// What is not there to be verified, or was named wrongly, is said in one line.
#[test]
#[ignore = "root"]
fn verify_says_what_is_wrong() {
    let _serial = serial();
    let run = output(command(&[
        BYTEHOP, "doctor", "--verify", "--dir", "/nowhere",
    ]))
    .expect(2);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let run = output(command(&[
        BYTEHOP, "doctor", "--verify", "--only", "nothing",
    ]))
    .expect(2);
    assert!(run.stderr.contains("no such path"), "{}", run.stderr);
}
