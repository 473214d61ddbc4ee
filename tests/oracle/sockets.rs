//! Pipes and sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::fixture::fixture;
use crate::harness::{Scratch, VERBS, Verb, not_run, serial, trace, trace_warm};
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

/// What went into `lo` and came out of it, without headers.
#[track_caller]
fn loopback_has(summary: &Summary, written: u64, read: u64, again: bool) {
    let devices = summary.list("/devices");
    let lo = devices.iter().find(|device| device["name"] == "lo");
    let lo = lo.expect("lo was met");
    assert_eq!(lo["read_bytes"].as_u64(), Some(read), "{lo}");
    let found = lo["write_bytes"].as_u64().expect("a number");
    match again {
        false => assert_eq!(found, written, "{lo}"),
        true => assert!(found >= written, "{lo}"),
    }
}

/// Segments that TCP has sent again so far, which it does on a busy machine, too: they go through `lo` twice.
fn sent_again() -> String {
    let counts = std::fs::read_to_string("/proc/net/snmp").expect("counts");
    let mut tcp = counts.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (tcp.next().expect("names"), tcp.next().expect("values"));
    let mut both = names.split(' ').zip(values.split(' '));
    let found = both.find(|(name, _)| *name == "RetransSegs");
    found.expect("a count").1.to_owned()
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
        let before = sent_again();
        let summary = trace(verb, &words);
        let again = sent_again() != before;
        summary.assert_bytes("share", "page_cache", "socket", N);
        summary.assert_bytes("copy", "socket", "user", N);
        summary.assert_read(base);
        summary.assert_none("copy", "*", "socket");
        assert_no_nic(&summary);
        if verb == Verb::Stat {
            continue;
        }
        loopback_has(&summary, N, N, again);
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

/// Both ways, in streams and in datagrams, over IPv4 and IPv6: the bytes of the program, and no headers.
#[test]
#[ignore = "root"]
fn loopback_counts_payload() {
    const PROGRAM: &str = "
import socket, sys
def pair(family, kind, host):
    a = socket.socket(family, kind)
    a.bind((host, 0))
    b = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        a.listen()
        b.connect(a.getsockname())
        a = a.accept()[0]
    else:
        b.bind((host, 0))
        a.connect(b.getsockname())
        b.connect(a.getsockname())
    return a, b
for family, host in [(socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')]:
    for kind, size in [(socket.SOCK_STREAM, 30_000), (socket.SOCK_DGRAM, 1_000)]:
        a, b = pair(family, kind, host)
        for one, other in [(a, b), (b, a)]:
            for _ in range(10):
                one.sendall(b'x' * size)
                left = size
                while left:
                    left -= len(other.recv(left))
";
    let _serial = serial();
    let words = ["/usr/bin/python3", "-I", "-S", "-c", PROGRAM].map(str::to_owned);
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return not_run("loopback_counts_payload", "no IPv6");
    }
    let before = sent_again();
    let summary = trace(Verb::Run, &words);
    let again = sent_again() != before;
    // Two families, two ways, ten times. Where a small datagram came from no tracepoint says.
    let (streams, datagrams) = (2 * 2 * 10 * 30_000, 2 * 2 * 10 * 1_000);
    loopback_has(&summary, streams + datagrams, streams, again);
    assert_no_nic(&summary);
}

/// Bytes that the machine's network devices have brought, by their own account.
fn brought() -> u64 {
    let devices = std::fs::read_dir("/sys/class/net").expect("network devices");
    let paths = devices.map(|entry| entry.expect("a device").path());
    let real = paths.filter(|path| path.join("device").exists());
    real.map(|path| {
        let bytes = std::fs::read_to_string(path.join("statistics/rx_bytes"));
        bytes
            .expect("its bytes")
            .trim()
            .parse::<u64>()
            .expect("a number")
    })
    .sum()
}

/// Whether something at `peer` sends back what it gets (port 7, RFC 862). That it connects says little: a gateway
/// may answer for any address.
fn echoes(peer: SocketAddr) -> bool {
    let patience = Duration::from_secs(2);
    let answer = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect_timeout(&peer, patience)?;
        socket.set_read_timeout(Some(patience))?;
        socket.write_all(b"bytehop")?;
        let mut back = [0; 7];
        socket.read_exact(&mut back)?;
        Ok(&back == b"bytehop")
    };
    answer().unwrap_or(false)
}

/// What comes from another machine is brought by a device, each packet once, and the interrupt is known.
#[test]
#[ignore = "root"]
fn what_a_network_device_brings_is_dma() {
    /// Of the machines of `cargo xtask vm`: what comes there goes back.
    const PEER: &str = "10.0.2.100:7";
    /// Ethernet, IPv4 and TCP, without options.
    const HEADERS: u64 = 14 + 20 + 20;
    const BYTES: u64 = 256 << 10;
    let _serial = serial();
    if !echoes(PEER.parse().expect("an address")) {
        let test = "sockets::what_a_network_device_brings_is_dma";
        return not_run(test, "nobody echoes here (cargo xtask vm has a peer)");
    }
    let before = brought();
    let summary = trace(Verb::Record, &fixture(&["echo", "256K", "16K", PEER]));
    let most = brought() - before;
    // The payload with headers, and no more than the device says of everything that came.
    let hops = summary.hops("dma", "nic:*", "socket");
    let packets: u64 = hops
        .iter()
        .map(|hop| hop["count"].as_u64().expect("a count"))
        .sum();
    summary.assert_within("dma", "nic:*", "socket", BYTES + packets * HEADERS..=most);
    for hop in &hops {
        assert_eq!(hop["evidence"], "measured", "{hop}");
    }
    assert_eq!(summary.bytes_of("recvfrom"), BYTES);
    summary.assert_bytes("copy", "socket", "user", BYTES);
    assert_eq!(summary.0["disagreements"], serde_json::json!([]));
    // Of disks there are some, too. What the reader took in while it had the socket names none.
    let interrupts = summary.list("/interrupts").iter();
    let of_nic = |name: &str| hops.iter().any(|hop| hop["from"] == format!("nic:{name}"));
    let nics = interrupts.filter(|row| row["device"].as_str().is_some_and(of_nic));
    let done: u64 = nics
        .map(|row| row["count"].as_u64().expect("a count"))
        .sum();
    assert!(
        0 < done && done <= packets,
        "{done} of {packets}: {:#}",
        summary.0["interrupts"]
    );
}
