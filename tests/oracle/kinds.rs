//! Kinds of files and of requests whose way their type does not tell.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use crate::harness::{
    Scratch, VERBS, Verb, command, compiled, not_run, output, serial, trace, trace_with, wait,
};
use crate::summary::Summary;

const MIB: u64 = 1 << 20;
const FUSE: &str = include_str!("kinds/fuse.c");

/// A mounted file system, whose server counts what it answers.
struct Server {
    child: Child,
    says: BufReader<ChildStdout>,
    at: String,
}

impl Server {
    /// `None` if this kernel has no FUSE.
    fn start(program: &str, at: &str, how: &str) -> Option<Self> {
        let mut line = command(&[program, at, how]);
        let mut child = line.stdout(Stdio::piped()).spawn().expect("started");
        let mut says = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut ready = String::new();
        says.read_line(&mut ready).expect("read");
        if ready.trim() != "ready" {
            wait(&mut child);
            return None;
        }
        Some(Self {
            child,
            says,
            at: at.to_owned(),
        })
    }

    /// Bytes that it answered reads with, and was given to write.
    fn end(mut self) -> (u64, u64) {
        output(command(&["umount", &self.at])).expect(0);
        let mut rest = String::new();
        self.says.read_to_string(&mut rest).expect("read");
        wait(&mut self.child);
        let mut numbers = rest
            .split_whitespace()
            .map(|n| n.parse().expect("a number"));
        let mut next = || numbers.next().expect("two numbers");
        (next(), next())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where a test failed: the mount ends, and the server with it.
        let _ = command(&["umount", "--lazy", "--quiet", &self.at]).status();
    }
}

/// A file of FUSE is read and written by dd: what its server counted is what was copied from its memory and to it,
/// or it was not asked for what is in the page cache.
#[test]
#[ignore = "root"]
fn files_that_a_server_answers_for() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "fuse", FUSE) else {
        return not_run("files_that_a_server_answers_for", "no C compiler");
    };
    let at = scratch.path("mounted");
    std::fs::create_dir(&at).expect("a folder");
    let file = format!("{at}/f");
    let read = [&format!("if={file}"), "of=/dev/null"].map(str::to_owned);
    let write = ["if=/dev/zero", &format!("of={file}")].map(str::to_owned);
    let past = |flag: &str| vec![flag.to_owned()];
    let cases = [
        ("direct", &read, vec![], true),
        ("direct", &write, past("conv=notrunc"), true),
        ("cached", &read, vec![], false),
        ("cached", &write, past("conv=notrunc"), false),
        ("cached", &read, past("iflag=direct"), true),
        ("direct", &read, past("iflag=direct"), true),
    ];
    for verb in VERBS {
        for (how, between, more, served) in &cases {
            let Some(server) = Server::start(&program, &at, how) else {
                return not_run("files_that_a_server_answers_for", "no FUSE here");
            };
            let mut words = vec!["dd".to_owned(), "bs=64k".to_owned(), "count=16".to_owned()];
            words.extend(between.iter().chain(more).cloned());
            let summary = trace(verb, &words);
            let (answered, written) = server.end();
            let what = format!("{verb:?} {how} {words:?}: {answered} {written}");
            let reads = *between == &read;
            // The server's own count.
            assert_eq!(if reads { answered } else { written }, MIB, "{what}");
            assert_eq!(summary.number("/ledger/unaccounted"), 0, "{what}");
            let (from, to) = match reads {
                true => ("page_cache", "user"),
                false => ("user", "page_cache"),
            };
            let (by_server, cached) = (
                summary.bytes("copy", "user", "user"),
                summary.bytes("copy", from, to),
            );
            // Pages of the program itself are copied, too.
            match served {
                true => assert!(by_server >= MIB && cached < MIB / 2, "{what}"),
                false => assert!(by_server < MIB / 2 && cached >= MIB, "{what}"),
            }
        }
    }
}

/// Operation, requests, failed ones, errors.
fn requests(summary: &Summary) -> Vec<(String, u64, u64, String)> {
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let rows = summary.list("/requests").iter();
    let mut rows: Vec<_> = rows
        .map(|row| {
            let name = row["name"].as_str().expect("a name").to_owned();
            let errors = row["errnos"].to_string();
            (name, number(&row["count"]), number(&row["errors"]), errors)
        })
        .collect();
    rows.sort();
    rows
}

/// The kernel's answers, as the program itself got them (it ends with an error if they are others).
#[test]
#[ignore = "root"]
fn requests_that_fail_are_told_by_every_verb() {
    let _serial = serial();
    let words = crate::fixture::fixture(&["uring-refused", "7", "3", "--unknown"]);
    let row = |name: &str, n, errors: &str| (name.to_owned(), n, n, errors.to_owned());
    let expected = [
        row("io_uring:fsync", 3, r#"[["EINVAL",3]]"#),
        // So the kernel calls one that it does not know (`io_init_req`).
        row("io_uring:nop", 1, r#"[["EINVAL",1]]"#),
        row("io_uring:read", 7, r#"[["EBADF",7]]"#),
    ];
    for verb in [Verb::Run, Verb::Stat, Verb::Record] {
        assert_eq!(requests(&trace(verb, &words)), expected, "{verb:?}");
    }
}

/// Requests that complete only if they fail: their bytes cannot be told, and that is said.
#[test]
#[ignore = "root"]
fn requests_that_complete_in_silence_are_counted_as_lost() {
    let _serial = serial();
    let words = crate::fixture::fixture(&["uring-silent", "20", "3000"]);
    for verb in [Verb::Run, Verb::Stat, Verb::Record] {
        let summary = trace(verb, &words);
        let lost = serde_json::json!([["uring", 20]]);
        assert_eq!(summary.0["lost_by_kind"], lost, "{verb:?}");
        assert_eq!(summary.number("/lost_events"), 20, "{verb:?}");
    }
}

/// Memory that is pinned for long is filled as it is pinned; the kernel takes it from where it need not move it.
#[test]
#[ignore = "root"]
fn memory_that_is_registered_before_it_is_touched() {
    const SIZE: u64 = 4 * MIB;
    let _serial = serial();
    let filled = |verb, size: u64| {
        let words = crate::fixture::fixture(&["uring-register", &size.to_string()]);
        trace(verb, &words).bytes("fill", "zero", "user")
    };
    for verb in [Verb::Run, Verb::Stat, Verb::Record] {
        let more = filled(verb, SIZE + 4096) - filled(verb, 4096);
        assert!(more.abs_diff(SIZE) < MIB / 4, "{verb:?}: {more}");
    }
}

/// A request that completes a thousand times: what each completion brought has a hop, and is the request's.
#[test]
#[ignore = "root"]
fn requests_that_complete_more_than_once() {
    const COUNT: u64 = 1000;
    const SIZE: u64 = 1400;
    let name = "requests_that_complete_more_than_once";
    let _serial = serial();
    let row = |name: &str, n, failed, errors: &str| (name.to_owned(), n, failed, errors.to_owned());
    // The last with as many requests of the same number, each of a byte, that complete once.
    for (way, place, operation, beside) in [
        ("pipe", "pipe", "io_uring:read_multishot", 0),
        ("unix", "socket", "io_uring:recv", 0),
        ("udp", "socket", "io_uring:recv", 0),
        ("udp", "socket", "io_uring:recv", COUNT),
    ] {
        let words = ["uring-multishot", "1000", "1400", way, "--beside"];
        let words = match beside {
            0 => &words[..4],
            _ => &words[..],
        };
        let words = crate::fixture::fixture(words);
        if output(command(&words)).code() == 77 {
            not_run(name, &format!("{way}: this kernel refuses it"));
            continue;
        }
        let expected = [
            row("io_uring:async_cancel", 1, 0, "null"),
            row("io_uring:provide_buffers", 1, 0, "null"),
            row(operation, COUNT + 1 + beside, 1, r#"[["ECANCELED",1]]"#),
        ];
        for verb in [Verb::Run, Verb::Stat, Verb::Record] {
            let what = format!("{way}, {beside} beside, {verb:?}");
            let summary = trace(verb, &words);
            assert_eq!(requests(&summary), expected, "{what}");
            let bytes = COUNT * SIZE + beside;
            assert_eq!(summary.bytes("copy", place, "user"), bytes, "{what}");
            let returned = summary.list("/requests").iter();
            let returned: u64 = returned.filter_map(|row| row["bytes"].as_u64()).sum();
            assert_eq!(returned, bytes, "{what}");
            assert_eq!(summary.number("/ledger/unaccounted"), 0, "{what}");
            assert_eq!(summary.number("/lost_events"), 0, "{what}");
        }
    }
}

/// The kernel's own count of what is in memory (Rss) beside what the trace says was filled, copied or mapped.
#[test]
#[ignore = "root"]
fn memory_that_is_filled_before_it_is_touched() {
    const SIZE: u64 = 8 * MIB;
    let name = "memory_that_is_filled_before_it_is_touched";
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pages", include_str!("kinds/pages.c")) else {
        return not_run(name, "no C compiler");
    };
    let file = scratch.file("file", SIZE as usize);
    let words = |how: &str, file: &str| [&program, how, file].map(str::to_owned);
    // Of the loader, and of the C library.
    let base = MIB * 2;
    let cases = [
        ("populate-anonymous", &file, SIZE, "fill", "zero", "shmem"),
        ("populate-memfd", &file, SIZE, "fill", "zero", "shmem"),
        ("populate-nothing", &file, 0, "map", "page_cache", "user"),
        (
            "populate-private",
            &file,
            SIZE,
            "copy",
            "page_cache",
            "user",
        ),
    ];
    for verb in [Verb::Run, Verb::Record] {
        for (how, file, size, kind, from, to) in &cases {
            let trace = trace_with(verb, &[], &words(how, file));
            let (summary, output) = (trace.summary, trace.output.expect(0));
            if summary.text("/level") == "T" && summary.lacks("tp:mm_filemap_map_pages") {
                return not_run(
                    name,
                    "this kernel's level T does not tell which pages are mapped",
                );
            }
            assert_eq!(output.stdout.trim(), size.to_string(), "{how}: Rss");
            let told = summary.bytes(kind, from, to);
            assert!(
                (*size..=size + base).contains(&told),
                "{verb:?} {how}: {told} of {size}: {:#}",
                summary.0["hops"]
            );
        }
    }
}

/// No count of the kernel's says how many pages these move: the account names them.
#[test]
#[ignore = "root"]
fn pages_that_move_without_a_word() {
    let name = "pages_that_move_without_a_word";
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pages", include_str!("kinds/pages.c")) else {
        return not_run(name, "no C compiler");
    };
    for (how, call) in [("collapse", "madvise"), ("continue", "ioctl")] {
        let trace = trace_with(Verb::Run, &[], &[&program, how]);
        if trace.output.code() == 77 {
            not_run(name, &format!("this kernel has no {how}"));
            continue;
        }
        trace.output.expect(0);
        let open = trace.summary.list("/ledger/open");
        let calls: Vec<_> = open.iter().map(|row| row["call"].as_str()).collect();
        assert_eq!(calls, [Some(call)], "{how}");
    }
}

/// `O_DIRECT` into the pages of another file that is mapped: a device does it, and the CPU copies nothing.
#[test]
#[ignore = "root"]
fn direct_io_into_a_mapped_file() {
    let name = "direct_io_into_a_mapped_file";
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pages", include_str!("kinds/pages.c")) else {
        return not_run(name, "no C compiler");
    };
    let [into, from] = ["into", "from"].map(|file| scratch.file(file, 8 << 20));
    let trace = trace_with(Verb::Run, &[], &[&program, "direct", &into, &from]);
    if trace.output.code() == 77 {
        return not_run(name, "no O_DIRECT here");
    }
    trace.output.expect(0);
    let copied = trace.summary.bytes("copy", "page_cache", "user");
    assert!(copied < MIB, "{copied}: {:#}", trace.summary.0["hops"]);
    let read = trace.summary.bytes("dma", "*", "page_cache");
    assert!(read >= 8 * MIB, "{read}: {:#}", trace.summary.0["hops"]);
    assert_eq!(trace.summary.number("/ledger/unaccounted"), 0);
}
