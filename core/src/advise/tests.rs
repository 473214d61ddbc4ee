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
                names: vec![vec!["a".to_owned()], Vec::new()],
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
    assert_eq!(program.advice(), [("file-to-socket", 2 * total, 2 * 48)]);
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
    assert_eq!(program.advice(), [("file-to-socket", 8 * 32768, 16)]);
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
            ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
            Vec::new(),
        ],
        ..Found::default()
    };
    assert!(words::pair(Lang::En, &found).contains("a, b, c and 2 more went on to a TCP socket"));
    assert!(words::pair(Lang::Zh, &found).contains("a、b、c 等（另有 2 个）"));
}
