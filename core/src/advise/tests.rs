//! Advice over calls that are made up.

use tracer_ebpf::FileRef;

use super::*;
use crate::catalogue::RuleId;
use crate::model::{CallId, Evidence, Hop, HopKind, Place as At};
use crate::reconstruct::{Call, File, Sink, What, Within};
use crate::rules::{Class, Fs};

#[test]
fn rules_are_whole() {
    assert_eq!(crate::i18n::problems(words::TABLE), [""; 0]);
    let names: std::collections::HashSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        for lang in [Lang::En, Lang::Zh] {
            let found = Found {
                names: vec![vec![("a".to_owned(), 1)], Vec::new()],
                ..Found::default()
            };
            assert!(!(rule.seen)(lang, &found).is_empty());
            assert!(!(rule.how)(lang, &found).is_empty() && !(rule.unless)(lang).is_empty());
        }
    }
}

/// A program of one thread, by its calls.
#[derive(Default)]
struct Program {
    facts: Facts,
    seq: u32,
    now: u64,
}

const CHUNK: u64 = 65536;

fn file(kind: FileKind, ino: u64, flags: u32) -> File {
    let class = Class {
        kind,
        fs: Fs::Local,
        direct: false,
        writable: true,
    };
    let at = FileRef {
        ino,
        dev: 8,
        f_flags: flags,
        ..FileRef::NONE
    };
    File { at, class }
}

impl Program {
    /// `busy` ns after the call before.
    fn call(&mut self, busy: u64, name: &str, file: File, args: [u64; 6], ret: i64) {
        self.seq += 1;
        self.now += busy;
        let bytes = u64::try_from(ret).unwrap_or_default();
        let rule = Evidence::Inferred(RuleId::ReadReturnsCopied);
        let hop = Hop {
            kind: HopKind::Copy,
            from: At::PageCache,
            to: At::User,
            bytes,
            count: 1,
            evidence: rule,
            deferred: false,
            engine: None,
            interrupt: None,
            ts: self.now,
            dur: 0,
        };
        let call = Call {
            id: CallId {
                tid: 7,
                seq: self.seq,
            },
            tgid: 7,
            ts: self.now,
            dur: 1000,
            waited: 0,
            irqs: 0,
            open: None,
            bytes: u64::try_from(ret).unwrap_or(0),
            regions: Within::default(),
            what: What::Syscall {
                name,
                nr: 0,
                compat: false,
                ret,
                args,
                file: Some(file),
                file2: None,
            },
        };
        let hops = [hop];
        self.facts.call(&call, if bytes > 0 { &hops } else { &[] });
        self.now += 1000;
    }

    fn read(&mut self, from: File, at: u64, len: u64) {
        self.call(500, "read", from, [3, at, len, 0, 0, 0], len as i64);
    }

    fn write(&mut self, busy: u64, to: File, at: u64, len: u64) {
        self.call(busy, "write", to, [4, at, len, 0, 0, 0], len as i64);
    }

    fn advice(&self) -> Vec<(&'static str, u64, u64)> {
        let all = advise(&self.facts, Lang::En).advice;
        all.iter()
            .map(|a| (a.rule, a.saves_copied, a.saves_crossings))
            .collect()
    }
}

const BUFFER: u64 = 0x7000_0000;

#[test]
fn the_same_bytes_are_sent_on() {
    let (from, to) = (file(FileKind::RegularFile, 1, 0), file(FileKind::Tcp, 2, 0));
    let mut program = Program::default();
    for _ in 0..16 {
        program.read(from, BUFFER, CHUNK);
        // In two parts, as a full socket takes it.
        program.write(500, to, BUFFER, CHUNK / 2);
        program.write(500, to, BUFFER + CHUNK / 2, CHUNK / 2);
    }
    let total = 16 * CHUNK;
    // A call of the 48 is left, that passes all on.
    assert_eq!(program.advice(), [("file-to-socket", 2 * total, 2 * 47)]);
}

#[test]
fn other_bytes_are_not() {
    let (from, to) = (file(FileKind::RegularFile, 1, 0), file(FileKind::Tcp, 2, 0));
    let cases: [fn(&mut Program, File); 4] = [
        // Encrypted into another buffer.
        |p, to| p.write(500, to, BUFFER + 2 * CHUNK, CHUNK),
        // Compressed in place.
        |p, to| p.call(900_000, "writev", to, [4, 1, 1, 0, 0, 0], 20_000),
        // Not from the beginning.
        |p, to| p.write(500, to, BUFFER + 512, CHUNK - 512),
        // With time for a checksum.
        |p, to| p.write(60_000, to, BUFFER, CHUNK),
    ];
    for (i, write) in cases.iter().enumerate() {
        let mut program = Program::default();
        for _ in 0..16 {
            program.read(from, BUFFER, CHUNK);
            write(&mut program, to);
        }
        assert_eq!(program.advice(), [], "case {i}");
        let advised = advise(&program.facts, Lang::En);
        assert_eq!(advised.left_out.len(), usize::from(i == 3), "case {i}");
    }
}

#[test]
fn a_vector_hides_its_buffer_but_not_its_length() {
    let (from, to) = (file(FileKind::RegularFile, 1, 0), file(FileKind::Tcp, 2, 0));
    let mut program = Program::default();
    for header in [238, 0, 0, 0] {
        program.read(from, BUFFER, 32768);
        let sent = 32768 + header;
        program.call(500, "writev", to, [4, 1, 2, 0, 0, 0], sent);
    }
    assert_eq!(program.advice(), [("file-to-socket", 8 * 32768, 14)]);
}

#[test]
fn what_was_tried_is_said() {
    let from = file(FileKind::RegularFile, 1, 0);
    for (errno, flags, saves, how) in [
        (18, 0, 16 * CHUNK, "sendfile does"),
        (9, crate::arch::O_APPEND, 16 * CHUNK, "refuse a destination"),
        // Nothing that one could do about it.
        (22, 0, 0, ""),
    ] {
        let to = file(FileKind::RegularFile, 2, flags);
        let mut program = Program::default();
        program.call(500, "copy_file_range", from, [3, 0, 4, 0, CHUNK, 0], -errno);
        for _ in 0..16 {
            program.read(from, BUFFER, CHUNK);
            program.write(500, to, BUFFER, CHUNK);
        }
        let advice = advise(&program.facts, Lang::En).advice;
        assert_eq!(advice.iter().map(|a| a.saves_copied).sum::<u64>(), saves);
        for advice in advice {
            assert!(advice.how.contains(how), "{}", advice.how);
            assert!(advice.seen.contains("copy_file_range was tried and failed"));
        }
    }
}

#[test]
fn only_calls_that_follow_each_other_could_be_joined() {
    let socket = file(FileKind::Tcp, 2, 0);
    let input = file(FileKind::RegularFile, 1, 0);
    let mut request = Program::default();
    let mut bytewise = Program::default();
    for _ in 0..200 {
        // A request's header: less came than fits.
        request.call(500, "recvfrom", socket, [4, BUFFER, 1024, 0, 0, 0], 80);
        request.write(500, socket, BUFFER, 240);
        bytewise.read(input, BUFFER, 1);
    }
    assert_eq!(request.advice(), []);
    assert_eq!(bytewise.advice(), [("small-calls", 0, 2 * 199)]);
}

#[test]
fn sockets_are_called_sockets_and_files_are_counted() {
    let found = Found {
        ends: vec![FileKind::RegularFile, FileKind::Tcp],
        names: vec![
            ["e", "d", "c", "b", "a"]
                .map(|name| (name.to_owned(), 1))
                .to_vec(),
            Vec::new(),
        ],
        ..Found::default()
    };
    assert!(words::pair(Lang::En, &found).contains("a, b, c and 2 more went on to a TCP socket"));
    assert!(words::pair(Lang::Zh, &found).contains("a、b、c 等（另有 2 个）"));
}

#[test]
fn a_full_socket_takes_a_part() {
    let (from, to) = (file(FileKind::RegularFile, 1, 0), file(FileKind::Tcp, 2, 0));
    let vector = |p: &mut Program, bytes| p.call(500, "writev", to, [4, 1, 1, 0, 0, 0], bytes);
    let mut program = Program::default();
    // Compressed, nothing of it is the file's.
    let mut smaller = Program::default();
    for _ in 0..8 {
        program.read(from, BUFFER, CHUNK);
        vector(&mut program, 5120);
        program.read(from, BUFFER + CHUNK, CHUNK);
        vector(&mut program, 2 * CHUNK as i64 - 5120);
        smaller.read(from, BUFFER, CHUNK);
        vector(&mut smaller, 5120);
    }
    let total = 16 * CHUNK;
    assert_eq!(program.advice(), [("file-to-socket", 2 * total, 2 * 31)]);
    assert_eq!(smaller.advice(), []);
}

#[test]
fn many_short_stretches_are_not_worth_a_call_each() {
    let (from, to) = (
        file(FileKind::RegularFile, 1, 0),
        file(FileKind::RegularFile, 2, 0),
    );
    let mut pages = Program::default();
    let mut whole = Program::default();
    for i in 0..64 {
        // Frames of a log, each to its page.
        let at = i * 4120;
        pages.call(500, "pread64", from, [3, BUFFER, 4096, at, 0, 0], 4096);
        let at = (63 - i) * 4096;
        pages.call(500, "pwrite64", to, [4, BUFFER, 4096, at, 0, 0], 4096);
        whole.call(
            500,
            "pread64",
            from,
            [3, BUFFER, 4096, i * 4096, 0, 0],
            4096,
        );
        whole.call(500, "pwrite64", to, [4, BUFFER, 4096, i * 4096, 0, 0], 4096);
    }
    assert_eq!(pages.advice(), []);
    let saved = ("file-to-file", 64 * 4096, 2 * (64 + 64 - 1));
    assert_eq!(whole.advice(), [saved]);
}

#[test]
fn a_message_after_its_length_is_no_loop() {
    let socket = file(FileKind::UnixStream, 2, 0);
    let mut framed = Program::default();
    let mut bytewise = Program::default();
    for i in 0..200 {
        for len in [4, 40 + i % 3] {
            framed.call(500, "read", socket, [4, BUFFER, len, 0, 0, 0], len as i64);
        }
        bytewise.call(500, "read", socket, [4, BUFFER, 1, 0, 0, 0], 1);
    }
    assert_eq!(framed.advice(), []);
    assert_eq!(bytewise.advice(), [("small-calls", 0, 2 * 199)]);
}

#[test]
fn short_runs_are_nobodys_loop() {
    let mut program = Program::default();
    for _ in 0..100 {
        let input = file(FileKind::RegularFile, 1, 0);
        program.call(500, "openat", input, [0; 6], 3);
        for _ in 0..7 {
            program.call(500, "write", input, [3, BUFFER, 100, 0, 0, 0], 100);
        }
    }
    assert_eq!(program.advice(), []);
}

#[test]
fn what_may_have_been_sent_in_another_form_is_left_out() {
    let from = file(FileKind::RegularFile, 1, 0);
    let to = file(FileKind::Tcp, 2, 0);
    for encrypted in [false, true] {
        let mut program = Program::default();
        for _ in 0..4 {
            program.call(500, "openat", from, [0; 6], 3);
            program.read(from, BUFFER, CHUNK);
            if encrypted {
                program.write(500, to, BUFFER + 2 * CHUNK, CHUNK + 29);
            }
            program.call(500, "read", from, [3, BUFFER, CHUNK, 0, 0, 0], 0);
            program.call(500, "close", from, [3, 0, 0, 0, 0, 0], 0);
        }
        let advised = advise(&program.facts, Lang::En);
        assert_eq!(advised.left_out.len(), usize::from(encrypted));
        // Of each further round, all four calls go.
        let expected = [("read-again", 3 * CHUNK, 2 * 3 * 4)];
        assert_eq!(program.advice(), &expected[usize::from(encrypted)..]);
    }
}

#[test]
fn a_write_that_waits_for_the_device_stays_a_call() {
    let mut by_call = Program::default();
    let mut by_flag = Program::default();
    for _ in 0..16 {
        let plain = file(FileKind::RegularFile, 1, 0);
        by_call.write(500, plain, BUFFER, 100);
        by_call.call(500, "fdatasync", plain, [4, 0, 0, 0, 0, 0], 0);
        let synced = file(FileKind::RegularFile, 1, crate::arch::O_DSYNC);
        by_flag.write(500, synced, BUFFER, 100);
    }
    assert_eq!(by_call.advice(), [("sync-per-write", 0, 2 * 15)]);
    assert_eq!(by_flag.advice(), [("sync-per-write", 0, 0)]);
}
