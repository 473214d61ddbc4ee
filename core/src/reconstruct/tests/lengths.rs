//! Return values that are no sizes, and requests that fail.

use super::build::*;
use super::measured::trace;
use tracer_ebpf::{FileRef, moved};

const PEEK: u64 = 2;
const TRUNC: u64 = 0x20;

/// A UNIX datagram socket.
fn unix() -> FileRef {
    FileRef {
        family: 1,
        sock_type: 2,
        protocol: 0,
        ..udp()
    }
}

/// What the list of calls has of a receive, what it returned by the account, and what is open of it.
fn of(t: &Trace, name: &str) -> (u64, u64, u64) {
    let summary = t.summary();
    let row = summary.syscalls.iter().find(|row| row.name == name);
    let ledger = &summary.ledger;
    (
        row.expect("a call").bytes,
        ledger.returned,
        ledger.unaccounted,
    )
}

/// A `recvfrom` into a buffer of so many bytes, of which the tracepoint saw some copied.
fn recvfrom(ret: i64, room: u64, flags: u64, copied: u64, from: FileRef) -> Trace {
    let mut t = Trace::new();
    if copied > 0 {
        t.extra(|extra| extra.skb_copied = copied);
    }
    t.call("recvfrom", ret, [3, 0, room, flags, 0, 0], Some(from))
        .end();
    t
}

/// The same with `recvmsg`, whose buffers no argument tells.
fn recvmsg(ret: i64, flags: u64, copied: u64, from: FileRef) -> Trace {
    let mut t = Trace::new();
    if copied > 0 {
        t.extra(|extra| extra.skb_copied = copied);
    }
    t.call("recvmsg", ret, [3, 0, flags, 0, 0, 0], Some(from))
        .end();
    t
}

#[test]
fn a_message_that_is_longer_than_its_buffer() {
    let peek = PEEK | TRUNC;
    for (t, name, bytes) in [
        (recvfrom(65_000, 16, peek, 0, udp()), "recvfrom", 16),
        (recvfrom(65_000, 0, peek, 0, udp()), "recvfrom", 0),
        (recvfrom(65_000, 16, TRUNC, 16, unix()), "recvfrom", 16),
        (recvfrom(65_000, 0, peek, 0, unix()), "recvfrom", 0),
        (recvmsg(65_000, peek, 16, unix()), "recvmsg", 16),
        (recvmsg(65_000, peek, 0, unix()), "recvmsg", 0),
        (recvmsg(65_000, TRUNC, 16, udp()), "recvmsg", 16),
        // What was only looked at was copied all the same.
        (recvfrom(16, 16, PEEK, 16, unix()), "recvfrom", 16),
    ] {
        assert_eq!(of(&t, name), (bytes, bytes, 0), "{:?}", t.hops());
        let copied: u64 = t.summary().hops.iter().map(|hop| hop.bytes).sum();
        assert_eq!(copied, bytes);
    }
}

#[test]
fn a_message_of_which_nobody_saw_the_copy() {
    let t = recvmsg(65_000, PEEK | TRUNC, 0, udp());
    assert_eq!(of(&t, "recvmsg"), (0, 65_000, 65_000));
    assert_eq!(t.hops(), [""; 0]);
    assert_eq!(
        t.summary().ledger.open[0].why.words(crate::i18n::Lang::En),
        "where they went can't be seen from here (receive-cut-undecided)"
    );
}

#[test]
fn a_function_that_measured_it() {
    let mut t = trace(&[]);
    t.copied(moved::UDP_RECEIVE, 1, 16)
        .call(
            "recvmsg",
            65_000,
            [3, 0, PEEK | TRUNC, 0, 0, 0],
            Some(udp()),
        )
        .end();
    assert_eq!(of(&t, "recvmsg"), (16, 16, 0));
    assert_eq!(t.hops(), ["C socket→user 1/16 fexit:udp_recvmsg"]);
}

#[test]
fn bytes_of_a_stream_that_are_thrown_away() {
    let t = recvfrom(4096, 4096, TRUNC, 0, tcp(51));
    assert_eq!(of(&t, "recvfrom"), (0, 4096, 0));
    assert_eq!(t.hops(), [""; 0]);
}

#[test]
fn requests_that_fail() {
    let opcode = |name| crate::arch::uring::opcode(name).expect("an operation");
    let mut t = Trace::new();
    t.uring(|u| (u.opcode, u.res, u.file) = (opcode("read"), 4096, ext4(1)))
        .uring(|u| (u.opcode, u.res) = (opcode("fallocate"), -9))
        .uring(|u| (u.opcode, u.res) = (opcode("read"), -9))
        .call("io_uring_enter", 3, [0; 6], None)
        .end();
    let summary = t.summary();
    // Requests are no system calls.
    assert_eq!((summary.crossings.syscall, summary.syscalls.len()), (2, 1));
    let rows = summary.requests.iter();
    let rows: Vec<_> = rows
        .map(|r| (r.name.as_str(), r.count, r.errors, r.bytes))
        .collect();
    assert_eq!(
        rows,
        [
            ("io_uring:read", 2, 1, 4096),
            ("io_uring:fallocate", 1, 1, 0)
        ]
    );
    assert_eq!(summary.requests[1].errnos, [("EBADF".to_owned(), 1)]);
    assert_eq!(summary.ledger.returned, 4096);
}
