use std::collections::HashSet;

use tracer_ebpf::{Fault, FileRef, rss, special};

use super::fault::{FaultFacts, FaultProbes};
use super::*;
use crate::arch::Arch;
use crate::catalogue::RuleId;
use crate::i18n::Lang;

const O_DIRECT: u32 = 0o40000;
const EXT4: u32 = 0xEF53;
const XFS: u32 = 0x5846_5342;
const NFS: u32 = 0x6969;
const TMPFS: u32 = 0x0102_1994;
const PROC: u32 = 0x9FA0;

fn file(mode: u16, magic: u32) -> FileRef {
    FileRef {
        mode,
        magic,
        ino: 1,
        ..FileRef::default()
    }
}

fn regular(magic: u32) -> FileRef {
    file(0o100644, magic)
}

fn direct(magic: u32) -> FileRef {
    FileRef {
        f_flags: O_DIRECT,
        ..regular(magic)
    }
}

fn device(major: u32, minor: u32) -> FileRef {
    FileRef {
        rdev: major << 20 | minor,
        ..file(0o020666, TMPFS)
    }
}

fn socket(family: u16, sock_type: u16, protocol: u16) -> FileRef {
    FileRef {
        family,
        sock_type,
        protocol,
        ..file(0o140777, 0x534F_434B)
    }
}

/// The two ends of a pipe.
fn reader() -> FileRef {
    file(0o010600, 0x5049_5045)
}

fn writer() -> FileRef {
    FileRef {
        f_flags: 1,
        ..reader()
    }
}

fn tcp() -> FileRef {
    socket(2, 1, 6)
}

fn udp() -> FileRef {
    socket(10, 2, 17)
}

fn unix() -> FileRef {
    socket(1, 1, 0)
}

#[test]
fn kinds() {
    let cases = [
        (regular(EXT4), FileKind::RegularFile),
        (regular(XFS), FileKind::RegularFile),
        (regular(0x1234_5678), FileKind::RegularFile),
        (regular(TMPFS), FileKind::Shmem),
        (regular(0x9584_58F6), FileKind::Shmem),
        (regular(PROC), FileKind::Pseudo),
        (regular(0x6367_7270), FileKind::Pseudo),
        (regular(0x0904_1934), FileKind::AnonInode),
        (file(0o600, 0x0904_1934), FileKind::AnonInode),
        (file(0o040755, EXT4), FileKind::Directory),
        (file(0o060660, TMPFS), FileKind::BlockDevice),
        (reader(), FileKind::Pipe),
        (file(0o010644, EXT4), FileKind::Pipe),
        (tcp(), FileKind::Tcp),
        (socket(10, 1, 262), FileKind::Tcp),
        (udp(), FileKind::Udp),
        (unix(), FileKind::UnixStream),
        (socket(1, 2, 0), FileKind::UnixDgram),
        (socket(1, 5, 0), FileKind::UnixDgram),
        (socket(16, 3, 0), FileKind::OtherSocket),
        (socket(2, 3, 1), FileKind::OtherSocket),
        (device(1, 3), FileKind::DevNull),
        (device(1, 5), FileKind::DevZero),
        (device(1, 7), FileKind::DevFull),
        (device(1, 9), FileKind::DevRandom),
        (device(1, 11), FileKind::OtherChar),
        (device(5, 0), FileKind::Tty),
        (device(136, 4), FileKind::Tty),
        (device(10, 229), FileKind::OtherChar),
        (FileRef::default(), FileKind::Closed),
        (memory(), FileKind::Memory),
        (fuse(special::FUSE_DIRECT), FileKind::RegularFile),
        (crypto(0), FileKind::Crypto),
        (crypto(special::ALG_HASH), FileKind::Hash),
        (crypto(special::ALG_CIPHER), FileKind::Cipher),
        (crypto(special::ALG_AEAD), FileKind::Cipher),
        (crypto(special::ALG_RANDOM), FileKind::DevRandom),
    ];
    for (file, kind) in cases {
        assert_eq!(Class::of(&file, Arch::X86_64).kind, kind, "{file:?}");
    }
}

#[test]
fn direct_is_the_architectures_flag() {
    let on = |flags| FileRef {
        f_flags: flags,
        ..regular(EXT4)
    };
    assert!(Class::of(&on(0o40000), Arch::X86_64).direct);
    assert!(!Class::of(&on(0o40000), Arch::Aarch64).direct);
    assert!(Class::of(&on(0o200000), Arch::Aarch64).direct);
    assert!(!Class::of(&on(0o200000), Arch::X86_64).direct);
}

/// The rule for a call, and its hops: `kind from→to`.
fn rule(
    call: &str,
    one: Option<FileRef>,
    two: Option<FileRef>,
    change: impl Fn(&mut Facts),
) -> String {
    let class = |file: Option<FileRef>| file.map(|file| Class::of(&file, Arch::X86_64));
    let shape = shape_of(call).expect("a call that moves bytes");
    let mut facts = Facts::new(shape, class(one), class(two));
    facts.seen = Some(Seen::default());
    change(&mut facts);
    let Some(rule) = conclude(&facts) else {
        return "none".to_owned();
    };
    let mut text = rule.id.name().to_owned();
    for Step(kind, from, to) in rule.does.steps() {
        let place = |spot| {
            facts
                .place(spot)
                .map_or("?".to_owned(), |place| place.to_string())
        };
        text += &format!(" {}:{}→{}", kind.letter(), place(*from), place(*to));
    }
    text
}

#[test]
fn one_descriptor() {
    let cases = [
        (
            "read",
            regular(EXT4),
            "read-returns-copied C:page_cache→user",
        ),
        (
            "preadv2",
            regular(NFS),
            "read-returns-copied C:page_cache→user",
        ),
        ("pread64", direct(EXT4), "direct-read-not-copied"),
        ("pread64", direct(NFS), "direct-remote-not-seen"),
        (
            "read",
            file(0o060660, TMPFS),
            "read-returns-copied C:page_cache→user",
        ),
        ("read", direct(TMPFS), "shmem-read-copied C:shmem→user"),
        ("readv", reader(), "pipe-read-copied C:pipe→user"),
        ("read", tcp(), "receive-copied C:socket→user"),
        ("recvfrom", udp(), "receive-copied C:socket→user"),
        ("recvmsg", unix(), "receive-copied C:socket→user"),
        ("read", device(1, 5), "zeros-filled F:zero→user"),
        ("read", device(1, 3), "none"),
        ("read", device(1, 9), "kernel-read-copied C:kernel→user"),
        ("read", device(136, 0), "kernel-read-copied C:kernel→user"),
        ("read", regular(PROC), "kernel-read-copied C:kernel→user"),
        ("read", file(0o040755, EXT4), "none"),
        ("read", FileRef::default(), "none"),
        ("write", regular(EXT4), "write-copied C:user→page_cache"),
        ("pwritev2", direct(XFS), "direct-write-not-copied"),
        ("write", regular(TMPFS), "shmem-write-copied C:user→shmem"),
        ("writev", writer(), "pipe-write-copied C:user→pipe"),
        ("write", tcp(), "send-copied C:user→socket"),
        ("sendto", udp(), "send-copied C:user→socket"),
        ("sendmsg", unix(), "send-copied C:user→socket"),
        ("write", device(1, 3), "write-discarded"),
        ("write", device(1, 5), "write-discarded"),
        ("write", device(136, 0), "kernel-write-copied C:user→kernel"),
        ("vmsplice", writer(), "vmsplice-shared S:user→pipe"),
        ("vmsplice", reader(), "vmsplice-copied C:pipe→user"),
        ("mmap", regular(EXT4), "populate-mapped M:page_cache→user"),
        ("mmap", regular(TMPFS), "populate-mapped M:shmem→user"),
        (
            "ioctl",
            regular(XFS),
            "reflink-shared S:page_cache→page_cache",
        ),
    ];
    for (call, file, expected) in cases {
        assert_eq!(
            rule(call, Some(file), None, |_| ()),
            expected,
            "{call} {file:?}"
        );
    }
    assert_eq!(
        rule("getrandom", None, None, |_| ()),
        "kernel-read-copied C:kernel→user"
    );
    assert_eq!(
        rule("process_vm_readv", None, None, |_| ()),
        "process-vm-copied C:user→user"
    );
    for call in ["pread64", "write"] {
        assert_eq!(
            rule(call, Some(memory()), None, |_| ()),
            "process-memory-copied C:user→kernel C:kernel→user"
        );
    }
    assert_eq!(
        rule("ptrace", None, None, |_| ()),
        "process-memory-copied C:user→kernel C:kernel→user"
    );
}

/// `/proc/PID/mem`
fn memory() -> FileRef {
    FileRef {
        protocol: tracer_ebpf::special::MEMORY,
        ..file(0o100600, 0x9FA0)
    }
}

/// An open file of FUSE; `what`: one of [`special`].
fn fuse(what: u16) -> FileRef {
    FileRef {
        protocol: what,
        ..regular(0x6573_5546)
    }
}

fn direct_fuse(what: u16) -> FileRef {
    FileRef {
        f_flags: direct(EXT4).f_flags,
        ..fuse(what)
    }
}

/// A socket of `AF_ALG`.
fn crypto(what: u16) -> FileRef {
    socket(38, 5, what)
}

#[test]
fn the_server_of_a_fuse_file_or_the_page_cache_answers() {
    let cached = "read-returns-copied C:page_cache→user";
    let served = "fuse-read-copied C:user→user";
    let cases = [
        // Of an older recording.
        (fuse(0), cached),
        (direct_fuse(0), "direct-remote-not-seen"),
        (fuse(special::FUSE_CACHED), cached),
        (direct_fuse(special::FUSE_CACHED), served),
        (fuse(special::FUSE_DIRECT), served),
        (fuse(special::FUSE_DIRECT_SPLICED), served),
        (fuse(special::FUSE_UNASKED), "fuse-not-asked"),
        (fuse(special::VIRTIOFS), cached),
        (fuse(special::VIRTIOFS_DIRECT), "direct-remote-not-seen"),
        (direct_fuse(special::VIRTIOFS), "direct-remote-not-seen"),
    ];
    for (file, expected) in cases {
        assert_eq!(
            rule("preadv", Some(file), None, |_| ()),
            expected,
            "{file:?}"
        );
    }
    let one = Some(fuse(special::FUSE_DIRECT));
    let all = Some(fuse(special::FUSE_DIRECT_SPLICED));
    assert_eq!(
        rule("pwrite64", one, None, |_| ()),
        "fuse-write-copied C:user→user"
    );
    let splices = [
        (
            "sendfile",
            Some(tcp()),
            one,
            "sendfile-shared S:page_cache→socket",
        ),
        (
            "sendfile",
            Some(tcp()),
            all,
            "fuse-spliced-from C:user→kernel S:kernel→socket",
        ),
        (
            "splice",
            one,
            Some(writer()),
            "splice-file-shared S:page_cache→pipe",
        ),
        (
            "splice",
            all,
            Some(writer()),
            "fuse-spliced-from C:user→kernel S:kernel→pipe",
        ),
        ("splice", Some(reader()), one, "fuse-spliced-to C:pipe→user"),
        (
            "sendfile",
            one,
            Some(regular(EXT4)),
            "fuse-spliced-to C:page_cache→user",
        ),
        (
            "sendfile",
            Some(device(1, 3)),
            all,
            "fuse-spliced-from C:user→kernel",
        ),
        (
            "sendfile",
            Some(regular(EXT4)),
            all,
            "fuse-spliced-from C:user→kernel C:kernel→page_cache",
        ),
        (
            "copy_file_range",
            all,
            Some(regular(EXT4)),
            "copy-range-remote",
        ),
        ("mmap", one, None, "populate-mapped M:page_cache→user"),
    ];
    for (call, first, second, expected) in splices {
        assert_eq!(rule(call, first, second, |_| ()), expected, "{call}");
    }
}

#[test]
fn the_kernel_s_cryptography() {
    let (hash, cipher) = (crypto(special::ALG_HASH), crypto(special::ALG_CIPHER));
    let cases = [
        ("sendto", Some(hash), None, "hashed-in-place S:user→socket"),
        ("write", Some(hash), None, "hashed-in-place S:user→socket"),
        (
            "splice",
            Some(reader()),
            Some(hash),
            "hashed-in-place S:pipe→socket",
        ),
        (
            "sendfile",
            Some(hash),
            Some(regular(EXT4)),
            "hashed-in-place S:page_cache→socket",
        ),
        ("recvfrom", Some(hash), None, "hash-read C:socket→user"),
        ("sendmsg", Some(cipher), None, "send-copied C:user→socket"),
        (
            "splice",
            Some(reader()),
            Some(cipher),
            "splice-pipe-to-socket-shared S:pipe→socket",
        ),
        ("read", Some(cipher), None, "ciphered C:socket→user"),
        (
            "recvmsg",
            Some(crypto(special::ALG_AEAD)),
            None,
            "ciphered C:socket→user",
        ),
        (
            "recvmsg",
            Some(crypto(special::ALG_RANDOM)),
            None,
            "kernel-read-copied C:kernel→user",
        ),
        ("sendmsg", Some(crypto(0)), None, "crypto-not-told"),
        ("splice", Some(reader()), Some(crypto(0)), "crypto-not-told"),
        ("recvmsg", Some(crypto(0)), None, "crypto-not-told"),
    ];
    for (call, first, second, expected) in cases {
        assert_eq!(rule(call, first, second, |_| ()), expected, "{call}");
    }
}

/// In the order of the call's arguments.
#[test]
fn two_descriptors() {
    let null = device(1, 3);
    let zero = device(1, 5);
    let cases = [
        (
            "sendfile",
            tcp(),
            regular(EXT4),
            "sendfile-shared S:page_cache→socket",
        ),
        (
            "sendfile",
            unix(),
            regular(TMPFS),
            "sendfile-shared S:shmem→socket",
        ),
        (
            "sendfile",
            writer(),
            regular(EXT4),
            "sendfile-shared S:page_cache→pipe",
        ),
        (
            "sendfile",
            regular(EXT4),
            regular(XFS),
            "sendfile-copied C:page_cache→page_cache",
        ),
        (
            "sendfile",
            regular(TMPFS),
            regular(EXT4),
            "sendfile-copied C:page_cache→shmem",
        ),
        (
            "sendfile",
            regular(EXT4),
            regular(TMPFS),
            "sendfile-copied C:shmem→page_cache",
        ),
        (
            "sendfile",
            direct(EXT4),
            regular(EXT4),
            "splice-to-direct-not-copied",
        ),
        (
            "sendfile",
            tcp(),
            direct(EXT4),
            "splice-from-direct-shared S:kernel→socket",
        ),
        ("sendfile", null, regular(EXT4), "splice-discarded"),
        (
            "sendfile",
            device(136, 0),
            regular(EXT4),
            "sendfile-copied C:page_cache→kernel",
        ),
        ("sendfile", tcp(), zero, "splice-zeros-filled F:zero→socket"),
        (
            "sendfile",
            regular(EXT4),
            zero,
            "splice-zeros-copied F:zero→kernel C:kernel→page_cache",
        ),
        (
            "sendfile",
            tcp(),
            regular(PROC),
            "splice-source-copied C:kernel→socket",
        ),
        (
            "splice",
            regular(EXT4),
            writer(),
            "splice-file-shared S:page_cache→pipe",
        ),
        (
            "splice",
            regular(TMPFS),
            writer(),
            "splice-file-shared S:shmem→pipe",
        ),
        (
            "splice",
            reader(),
            tcp(),
            "splice-pipe-to-socket-shared S:pipe→socket",
        ),
        (
            "splice",
            reader(),
            writer(),
            "splice-pipe-to-pipe-shared S:pipe→pipe",
        ),
        (
            "splice",
            reader(),
            regular(EXT4),
            "splice-pipe-to-file-copied C:pipe→page_cache",
        ),
        (
            "splice",
            reader(),
            direct(EXT4),
            "splice-to-direct-not-copied",
        ),
        ("splice", reader(), null, "splice-discarded"),
        (
            "splice",
            tcp(),
            writer(),
            "splice-socket-shared S:socket→pipe",
        ),
        (
            "splice",
            udp(),
            writer(),
            "splice-source-copied C:socket→pipe",
        ),
        ("splice", zero, writer(), "splice-zeros-filled F:zero→pipe"),
        ("tee", reader(), writer(), "tee-shared S:pipe→pipe"),
        (
            "copy_file_range",
            regular(EXT4),
            regular(EXT4),
            "copy-range-copied C:page_cache→page_cache",
        ),
        (
            "copy_file_range",
            regular(XFS),
            regular(XFS),
            "copy-range-reflinked S:page_cache→page_cache",
        ),
        (
            "copy_file_range",
            regular(NFS),
            regular(NFS),
            "copy-range-remote",
        ),
        (
            "copy_file_range",
            regular(TMPFS),
            regular(TMPFS),
            "copy-range-copied C:shmem→shmem",
        ),
    ];
    for (call, one, two, expected) in cases {
        assert_eq!(
            rule(call, Some(one), Some(two), |_| ()),
            expected,
            "{call} {one:?} {two:?}"
        );
    }
}

#[test]
fn what_was_seen_decides() {
    let cached = |facts: &mut Facts| {
        facts.seen = Some(Seen {
            direct_io: false,
            cached: true,
        })
    };
    let both = |facts: &mut Facts| {
        facts.seen = Some(Seen {
            direct_io: true,
            cached: true,
        })
    };
    let blind = |facts: &mut Facts| facts.seen = None;
    let file = Some(direct(EXT4));
    assert_eq!(
        rule("read", file, None, cached),
        "direct-read-fell-back C:page_cache→user"
    );
    assert_eq!(rule("read", file, None, both), "direct-read-not-copied");
    assert_eq!(rule("read", file, None, blind), "direct-read-not-copied");
    assert_eq!(
        rule("write", file, None, cached),
        "direct-write-fell-back C:user→page_cache"
    );
    let xfs = Some(regular(XFS));
    assert_eq!(
        rule("copy_file_range", xfs, xfs, cached),
        "copy-range-copied C:page_cache→page_cache"
    );
    assert_eq!(
        rule("copy_file_range", xfs, xfs, blind),
        "copy-range-undecided"
    );
}

#[test]
fn message_flags_decide() {
    let flags = |flags| move |facts: &mut Facts| facts.msg_flags = flags;
    assert_eq!(
        rule("recvfrom", Some(tcp()), None, flags(0x20)),
        "receive-discarded"
    );
    assert_eq!(
        rule("recvfrom", Some(udp()), None, flags(0x20)),
        "receive-copied C:socket→user"
    );
    assert_eq!(
        rule("recvfrom", Some(tcp()), None, flags(2)),
        "receive-copied C:socket→user"
    );
    assert_eq!(
        rule("recvmsg", Some(tcp()), None, flags(0x2000)),
        "error-queue-read"
    );
    let zerocopy = 0x400_0000;
    assert_eq!(
        rule("sendmsg", Some(tcp()), None, flags(zerocopy)),
        "send-zerocopy-shared S:user→socket"
    );
    assert_eq!(
        rule("sendmsg", Some(unix()), None, flags(zerocopy)),
        "send-copied C:user→socket"
    );
    let off = |facts: &mut Facts| (facts.msg_flags, facts.zerocopy_off) = (zerocopy, true);
    assert_eq!(
        rule("sendmsg", Some(tcp()), None, off),
        "send-copied C:user→socket"
    );
}

const PAGE: u64 = 4096;
const HUGE: u64 = 2 << 20;
const P: u32 = 1;
const W: u32 = 2;
const USER: u32 = 4;

fn fault_hops(probes: FaultProbes, fault: Fault) -> Vec<String> {
    let fault = Fault {
        min_flt: u16::from(fault.maj_flt == 0),
        error_code: fault.error_code | USER,
        ..fault
    };
    let facts = FaultFacts::of(&fault, Arch::X86_64, PAGE, probes);
    fault::conclude(&facts)
        .map(|rule| {
            let bytes = (rule.bytes)(&facts);
            format!(
                "{} {}:{}→{} {bytes}",
                rule.id.name(),
                rule.kind.letter(),
                rule.from,
                rule.to
            )
        })
        .collect()
}

#[test]
#[rustfmt::skip] // a table
fn faults() {
    let f = Fault::default();
    let cases: &[(&str, Fault, &[&str])] = &[
        ("anonymous write", Fault { error_code: W, zeroed: PAGE, rss: rss::ANON, ..f },
            &["first-touch-zeroed F:zero→user 4096"]),
        ("anonymous read", f, &["zero-page-mapped M:zero→user 4096"]),
        ("write to the page of zeros", Fault { error_code: W | P, zeroed: PAGE, rss: rss::ANON, ..f },
            &["first-touch-zeroed F:zero→user 4096"]),
        ("huge page, zeroed by the allocator", Fault { error_code: W, zeroed: HUGE, rss: rss::ANON, ..f },
            &["first-touch-zeroed F:zero→user 2097152"]),
        ("huge page, zeroed later", Fault { error_code: W, unzeroed: HUGE, rss: rss::ANON, ..f },
            &["large-folio-zeroed F:zero→user 2097152"]),
        ("64 KiB folio", Fault { error_code: W, unzeroed: 16 * PAGE, rss: rss::ANON, ..f },
            &["large-folio-zeroed F:zero→user 65536"]),
        ("huge page of zeros replaced", Fault { error_code: W | P, unzeroed: HUGE, rss: rss::ANON, ..f },
            &["large-folio-zeroed F:zero→user 2097152"]),
        ("COW after fork", Fault { error_code: W | P, unzeroed: PAGE, ..f },
            &["cow-fault-copied C:user→user 4096"]),
        ("COW of a mapped file page", Fault { error_code: W | P, unzeroed: PAGE, rss: rss::ANON | rss::FILE, ..f },
            &["cow-file-page-copied C:page_cache→user 4096"]),
        ("COW of a mapped shmem page", Fault { error_code: W | P, unzeroed: PAGE, rss: rss::ANON | rss::SHMEM, ..f },
            &["cow-shmem-page-copied C:shmem→user 4096"]),
        ("write allowed again (reuse, page_mkwrite)", Fault { error_code: W | P, ..f }, &[]),
        ("private file, first access a write", Fault { error_code: W, unzeroed: PAGE, filemap: 1, rss: rss::ANON, ..f },
            &["private-file-write-copied C:page_cache→user 4096"]),
        ("the same, uncached, retried after I/O",
            Fault { error_code: W, maj_flt: 1, unzeroed: 18 * PAGE, cache_pages: 16, filemap: 1, rss: rss::ANON, ..f },
            &["private-file-write-copied C:page_cache→user 4096"]),
        ("private shmem, first access a write", Fault { error_code: W, unzeroed: PAGE, rss: rss::ANON, ..f },
            &["private-shmem-write-copied C:shmem→user 4096"]),
        ("file read, fault-around", Fault { around_pages: 16, rss: rss::FILE, ..f },
            &["fault-around-range M:page_cache→user 65536"]),
        ("file read, uncached", Fault { maj_flt: 1, unzeroed: 32 * PAGE, cache_pages: 32, filemap: 1, rss: rss::FILE, ..f },
            &["file-page-mapped M:page_cache→user 4096"]),
        ("shared file, first access a write", Fault { error_code: W, filemap: 1, rss: rss::FILE, ..f },
            &["file-page-mapped M:page_cache→user 4096"]),
        ("shared memory, new page", Fault { error_code: W, unzeroed: PAGE, rss: rss::SHMEM, ..f },
            &["shmem-page-zeroed F:zero→shmem 4096", "shmem-page-mapped M:shmem→user 4096"]),
        ("shared memory, new page beside others", Fault { unzeroed: PAGE, rss: rss::SHMEM, around_pages: 16, ..f },
            &["shmem-page-zeroed F:zero→shmem 4096", "shmem-page-mapped M:shmem→user 4096"]),
        ("shared memory, old page", Fault { rss: rss::SHMEM, around_pages: 4, ..f },
            &["shmem-page-mapped M:shmem→user 16384"]),
        ("swapped in", Fault { maj_flt: 1, unzeroed: PAGE, rss: rss::ANON | rss::SWAP, ..f }, &[]),
        ("NUMA migration", Fault { error_code: W, unzeroed: PAGE, ..f }, &[]),
    ];
    let all = FaultProbes { rss: true, filemap: true };
    for (what, fault, expected) in cases {
        assert_eq!(fault_hops(all, *fault), *expected, "{what}");
    }

    // Linux 6.1: no counters, no filemap tracepoints.
    let old: &[(&str, Fault, &[&str])] = &[
        ("anonymous write", Fault { error_code: W, zeroed: PAGE, ..f }, &["first-touch-zeroed F:zero→user 4096"]),
        ("huge page", Fault { error_code: W, unzeroed: HUGE, ..f }, &["large-folio-zeroed F:zero→user 2097152"]),
        ("COW", Fault { error_code: W | P, unzeroed: PAGE, ..f }, &["cow-unknown-page-copied C:user→user 4096"]),
        ("private file, first access a write", Fault { error_code: W, unzeroed: PAGE, ..f },
            &["private-file-write-copied C:page_cache→user 4096"]),
        ("read of anything", f, &[]),
    ];
    for (what, fault, expected) in old {
        assert_eq!(fault_hops(FaultProbes { rss: false, filemap: false }, *fault), *expected, "6.1: {what}");
    }
}

#[test]
fn a_fault_that_failed_says_nothing() {
    let facts = FaultFacts::of(
        &Fault::default(),
        Arch::X86_64,
        PAGE,
        FaultProbes {
            rss: true,
            filemap: true,
        },
    );
    assert_eq!(fault::conclude(&facts).count(), 0);
}

#[test]
fn every_rule_is_explained_once() {
    let mut names = HashSet::new();
    for &rule in RuleId::ALL {
        let name = rule.name();
        let (en, zh) = (rule.says(Lang::En), rule.says(Lang::Zh));
        assert!(names.insert(name), "{name} twice");
        assert!(
            name.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'),
            "{name} is not kebab-case"
        );
        assert!(en.ends_with('.') || en.ends_with(')'), "{name}: {en}");
        assert!(zh.ends_with('。') || zh.ends_with('）'), "{name}: {zh}");
        assert!(!en.contains('\n') && !zh.contains('\n'), "{name}");
        assert!(
            !["用户模式", "内核模式"].iter().any(|bad| zh.contains(bad)),
            "{name}: {zh}"
        );
    }
}

/// A row that an earlier one always hides would never be seen.
#[test]
fn every_rule_can_fire() {
    let kinds = [
        regular(EXT4),
        regular(XFS),
        regular(NFS),
        direct(EXT4),
        direct(NFS),
        regular(TMPFS),
        regular(PROC),
        device(1, 3),
        device(1, 5),
        reader(),
        writer(),
        tcp(),
        udp(),
        unix(),
        fuse(special::FUSE_UNASKED),
        crypto(0),
        crypto(special::ALG_HASH),
        crypto(special::ALG_CIPHER),
    ];
    let served = Class::of(&fuse(special::FUSE_DIRECT), Arch::X86_64);
    let classes: Vec<_> = kinds
        .iter()
        .map(|file| Class::of(file, Arch::X86_64))
        .chain([Class::USER, served.in_call(Move::Read, true)])
        .collect();
    let seens = [
        None,
        Some(Seen::default()),
        Some(Seen {
            direct_io: false,
            cached: true,
        }),
    ];
    let mut fired = HashSet::new();
    for rule in RULES {
        for &moves in rule.moves {
            for from in &classes {
                for to in &classes {
                    for seen in seens {
                        for msg_flags in [0, 0x20, 0x2000, 0x400_0000] {
                            for (private, tls, cut, ring) in [
                                (false, false, false, false),
                                (true, false, false, false),
                                (false, true, false, false),
                                (false, false, true, false),
                                (false, false, false, true),
                            ] {
                                let (from, to) = (*from, *to);
                                let facts = Facts {
                                    moves,
                                    from,
                                    to,
                                    msg_flags,
                                    seen,
                                    zerocopy_off: false,
                                    private,
                                    tls,
                                    cut,
                                    ring,
                                };
                                fired.extend(conclude(&facts).map(|rule| rule.id.name()));
                            }
                        }
                    }
                }
            }
        }
    }
    let hidden: Vec<_> = RULES
        .iter()
        .map(|rule| rule.id.name())
        .filter(|name| !fired.contains(name))
        .collect();
    assert_eq!(hidden, [""; 0]);
}
