//! Pipes and sockets.

use crate::fixture::fixture;
use crate::harness::{Scratch, VERBS, Verb, serial, trace, trace_warm};
use crate::summary::Summary;

const N: u64 = 4 << 20;

fn loader(verb: Verb) -> u64 {
    trace(verb, &fixture(&["noop"])).read_bytes()
}

/// Loopback is no device: nothing on it is DMA.
#[track_caller]
fn assert_no_nic(summary: &Summary) {
    summary.assert_none("dma", "*", "nic:*");
    summary.assert_none("dma", "nic:*", "*");
}

/// The sender alone: it copies nothing.
#[test]
#[ignore = "root"]
fn sendfile_sender() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&[
        "sendfile-loopback",
        "4M",
        "64K",
        &scratch.file("file", N as usize),
    ]);
    let base = loader(Verb::Run);
    let summary = trace_warm(Verb::Run, &["--no-follow"], &words);
    assert_eq!(summary.calls_of("sendfile"), 64);
    assert_eq!(
        summary.calls_of("recvfrom"),
        0,
        "the receiver is another process"
    );
    summary.assert_bytes("share", "page_cache", "socket", N);
    summary.assert_read(base);
    summary.assert_none("copy", "*", "socket");
    summary.assert_none("copy", "socket", "*");
    summary.assert_none("dma", "*", "*");
}

/// Both ends: the receiver's copy is the receiver's.
#[test]
#[ignore = "root"]
fn sendfile_both_ends() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&[
        "sendfile-loopback",
        "4M",
        "64K",
        &scratch.file("file", N as usize),
    ]);
    for verb in VERBS {
        let base = loader(verb);
        let summary = trace(verb, &words);
        summary.assert_bytes("share", "page_cache", "socket", N);
        summary.assert_bytes("copy", "socket", "user", N);
        summary.assert_read(base);
        summary.assert_none("copy", "*", "socket");
        assert_no_nic(&summary);
        if verb == Verb::Stat {
            continue;
        }
        let processes = summary.list("/by_process");
        assert_eq!(processes.len(), 2, "{processes:?}");
        let copied = |child: bool| {
            let mine = processes.iter().filter(|p| p["ppid"].is_u64() == child);
            mine.map(|p| p["copied"].as_u64().expect("copied"))
                .sum::<u64>()
        };
        assert!(copied(true) >= N, "{processes:?}");
        assert!(copied(false) < N / 8, "{processes:?}");
    }
}

#[test]
#[ignore = "root"]
fn splice_to_socket() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&[
        "splice-loopback",
        "4M",
        "64K",
        &scratch.file("file", N as usize),
    ]);
    let base = loader(Verb::Run);
    let summary = trace(Verb::Run, &words);
    summary.assert_bytes("share", "page_cache", "pipe", N);
    summary.assert_bytes("share", "pipe", "socket", N);
    summary.assert_bytes("copy", "socket", "user", N);
    summary.assert_read(base);
    assert_no_nic(&summary);
}

#[test]
#[ignore = "root"]
fn read_and_write_to_socket() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&[
        "rw-loopback",
        "4M",
        "64K",
        &scratch.file("file", N as usize),
    ]);
    for verb in VERBS {
        let base = loader(verb);
        let summary = trace(verb, &words);
        summary.assert_read(N + base);
        summary.assert_bytes("copy", "user", "socket", N);
        summary.assert_bytes("copy", "socket", "user", N);
        assert_no_nic(&summary);
    }
}

#[test]
#[ignore = "root"]
fn udp_and_unix() {
    let _serial = serial();
    for words in [["udp", "100", "1000"], ["unix", "100", "1000"]] {
        for verb in VERBS {
            let summary = trace(verb, &fixture(&words));
            summary.assert_bytes("copy", "user", "socket", 100_000);
            summary.assert_bytes("copy", "socket", "user", 100_000);
            assert_no_nic(&summary);
        }
    }
}

#[test]
#[ignore = "root"]
fn pipes() {
    let _serial = serial();
    for verb in VERBS {
        let summary = trace_warm(verb, &[], &fixture(&["pipe-pair", "4M", "4096"]));
        summary.assert_bytes("copy", "user", "pipe", N);
        summary.assert_bytes("copy", "pipe", "user", N);
        summary.assert_none("dma", "*", "*");
    }
}

#[test]
#[ignore = "root"]
fn vmsplice_passes_references() {
    let _serial = serial();
    let summary = trace(Verb::Run, &fixture(&["vmsplice", "10", "64K"]));
    summary.assert_bytes("share", "user", "pipe", 10 << 16);
    summary.assert_bytes("copy", "pipe", "user", 10 << 16);
    summary.assert_none("copy", "user", "pipe");
}

#[test]
#[ignore = "root"]
fn tee_passes_references() {
    let _serial = serial();
    let summary = trace(Verb::Run, &fixture(&["tee", "10", "4096"]));
    summary.assert_bytes("copy", "user", "pipe", 40960);
    summary.assert_bytes("share", "pipe", "pipe", 40960);
    summary.assert_bytes("copy", "pipe", "user", 2 * 40960);
}
