//! Faults that the kernel takes inside a call, and sizes that a call leaves in memory.

use tracer_ebpf::{Copied, Fault, FileRef, NO_ERROR_CODE, bio, flag, kind, moved, rss};

use super::build::*;
use crate::event::{Event, Lost, Meta};

impl Trace {
    /// The kernel takes a fault in the call that ends next.
    pub fn inner(&mut self, fault: Fault) -> &mut Self {
        let mut head = self.head(kind::FAULT);
        head.flags = flag::KERNEL;
        self.events.push(Event::Fault(Fault {
            head,
            min_flt: 1,
            ..fault
        }));
        self
    }

    pub fn size(&mut self, bytes: u64, count: u32) -> &mut Self {
        let head = self.head(kind::COPY);
        self.events.push(Event::Copied(Copied {
            head,
            bytes,
            count,
            what: moved::SIZE,
            primitive: 0,
        }));
        self
    }
}

/// As a page is asked for by whom does not touch it.
fn pinned(rss: u32) -> Fault {
    Fault {
        error_code: NO_ERROR_CODE,
        unzeroed: 4096,
        rss,
        ..Fault::default()
    }
}

#[test]
fn pinning_copies_what_is_shared() {
    let mut t = Trace::new();
    for _ in 0..3 {
        t.inner(pinned(0));
    }
    t.inner(pinned(rss::FILE | rss::ANON));
    t.extra(|extra| extra.min_flt = 4)
        .io("write", 4096, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C user→user 3/12288 cow-fault-copied",
            "C user→page_cache 1/4096 write-copied",
            "C page_cache→user 1/4096 cow-file-page-copied",
        ]
    );
    let faults = t.summary().page_faults;
    assert_eq!(
        (faults.minor, faults.user),
        (4, 0),
        "counted once, by the call"
    );
}

#[test]
fn a_call_reads_through_a_mapping() {
    let mut t = Trace::new();
    t.inner(Fault {
        error_code: 0,
        rss: rss::FILE,
        around_pages: 16,
        ..Fault::default()
    })
    .io("write", 65536, tcp(7))
    .end();
    assert_eq!(
        t.hops(),
        [
            "C user→socket 1/65536 send-copied",
            "M page_cache→user 1/65536 fault-around-range",
        ]
    );
}

#[test]
fn memory_is_filled_before_anybody_touches_it() {
    let asked = Fault {
        error_code: NO_ERROR_CODE,
        ..Fault::default()
    };
    // mlock: the counter moved before the fault was known to have begun.
    let around = Fault {
        around_pages: 16,
        ..asked
    };
    let mut t = Trace::new();
    t.inner(around).inner(around);
    t.extra(|extra| extra.min_flt = 2)
        .call("mlock", 0, [0; 6], None)
        .end();
    assert_eq!(t.hops(), ["M page_cache→user 2/131072 fault-around-range"]);

    // MAP_POPULATE: shared memory has new pages, a mapped file has an end.
    let shared = [0, 8 << 20, 3, 0x8001, 3, 0];
    let new = Fault {
        unzeroed: 4096,
        rss: rss::SHMEM,
        ..asked
    };
    let of = |fault, file: Option<FileRef>| {
        let mut t = Trace::new();
        t.inner(fault)
            .extra(|extra| extra.min_flt = 1)
            .call("mmap", 0x7000_0000, shared, file)
            .end();
        let mut hops = t.hops();
        hops.sort();
        hops
    };
    assert_eq!(
        of(new, Some(tmpfs())),
        [
            "F zero→shmem 1/4096 shmem-page-zeroed",
            "M shmem→user 1/8388608 populate-mapped",
        ]
    );
    assert_eq!(
        of(new, None),
        [
            "F zero→shmem 1/4096 shmem-page-zeroed",
            "M shmem→user 1/4096 shmem-page-mapped",
        ]
    );
    let end = Fault {
        around_pages: 1,
        ..asked
    };
    assert_eq!(
        of(end, Some(ext4(1))),
        ["M page_cache→user 1/4096 populate-mapped"]
    );
}

#[test]
fn messages_whose_sizes_were_read() {
    let mut t = Trace::new();
    t.size(28_000, 20).io("sendmmsg", 20, udp()).end();
    assert_eq!(t.hops(), ["C user→socket 20/28000 send-copied"]);
    let ledger = t.summary().ledger;
    assert_eq!((ledger.returned, ledger.unaccounted), (28_000, 0));
    assert_eq!(t.summary().warnings, []);
}

#[test]
fn userfaults_and_reflinks() {
    for (request, bytes, hop) in [
        (0xc028_aa03, 8192, "C user→user 1/8192 userfault-copied"),
        (
            0xc020_aa04,
            4096,
            "M zero→user 1/4096 userfault-zero-page-mapped",
        ),
        (
            0x4004_9409,
            1 << 20,
            "S page_cache→page_cache 1/1048576 reflink-shared",
        ),
    ] {
        let mut t = Trace::new();
        let args = [3, request, 0, 0, 0, 0];
        t.size(bytes, 1).call("ioctl", 0, args, Some(ext4(1))).end();
        assert_eq!(t.hops(), [hop]);
    }
}

#[test]
fn what_was_received_in_no_call_comes_with_the_fault_after_it() {
    let mut t = Trace::new();
    t.extra(|extra| extra.skb_copied = 65536)
        .fault(Fault {
            error_code: 6,
            zeroed: 4096,
            rss: rss::ANON,
            ..Fault::default()
        })
        .end();
    assert_eq!(
        t.hops(),
        [
            "C socket→user 1/65536 tp:skb_copy_datagram_iovec",
            "F zero→user 1/4096 tp:mm_page_alloc",
        ]
    );
    assert_eq!(t.summary().page_faults.minor, 1);
}

#[test]
fn a_direct_read_that_no_device_served_met_a_hole() {
    let direct = |magic| FileRef {
        f_flags: 0o40000,
        magic,
        ..ext4(1)
    };
    const EXT4: u32 = 0xEF53;
    const BTRFS: u32 = 0x9123_683E;
    for (magic, pages, lost, hops) in [
        (EXT4, 0, 0, &["F zero→user 1/8192 direct-hole-filled"][..]),
        (
            EXT4,
            1,
            0,
            &[
                "D device:vda→user 1/4096 tp:block_rq_complete",
                "F zero→user 1/4096 direct-hole-filled",
            ],
        ),
        (
            EXT4,
            2,
            0,
            &["D device:vda→user 1/8192 tp:block_rq_complete"],
        ),
        // The page cache may have had it.
        (BTRFS, 0, 0, &[]),
        // A request may have been among what was lost.
        (EXT4, 0, 1, &[]),
    ] {
        let mut t = Trace::new();
        if pages > 0 {
            t.block(bio::ANON, pages, |_| ());
        }
        t.io("read", 8192, direct(magic));
        if lost > 0 {
            t.meta(Meta::Lost(Lost {
                by_kind: vec![lost],
                ..Lost::default()
            }));
        }
        t.end();
        assert_eq!(t.hops(), hops, "{magic:x} {pages} {lost}");
        let open = 8192 * u64::from(hops.is_empty());
        assert_eq!(t.summary().ledger.unaccounted, open);
    }
}

#[test]
fn a_direct_read_of_a_file_that_fell_back_is_not_known_to_be_of_a_hole() {
    let direct = |ino| FileRef {
        f_flags: 0o40000,
        magic: 0xEF53,
        ..ext4(ino)
    };
    let mut t = Trace::new();
    // Its pages were read ahead by the call after it.
    t.io("read", 4096, direct(1));
    t.extra(|extra| extra.cache_pages = 8)
        .io("read", 4096, direct(1));
    t.io("read", 8192, direct(2)).end();
    assert_eq!(
        t.hops(),
        [
            "F zero→user 1/8192 direct-hole-filled",
            "C page_cache→user 1/4096 direct-read-fell-back",
        ]
    );
    assert_eq!(t.summary().ledger.unaccounted, 4096);
}

#[test]
fn a_read_that_no_device_served_met_a_hole() {
    const EXT4: u32 = 0xEF53;
    const BTRFS: u32 = 0x9123_683E;
    let file = |magic| FileRef { magic, ..ext4(1) };
    // Readahead brings more than is read, mostly after the call.
    for (magic, asked, lost, filled) in [
        (EXT4, 0, 0, Some(32)),
        (EXT4, 30, 0, Some(2)),
        (EXT4, 32, 0, None),
        (BTRFS, 0, 0, None),
        (EXT4, 0, 1, None),
    ] {
        let mut t = Trace::new();
        t.extra(|extra| extra.cache_pages = 32)
            .io("read", 65536, file(magic));
        if asked > 0 {
            t.on(PID, PID, 1).block(bio::FILE, asked, |_| ());
        }
        if lost > 0 {
            t.meta(Meta::Lost(Lost {
                by_kind: vec![lost],
                ..Lost::default()
            }));
        }
        t.end();
        let filled = filled
            .map(|pages: u64| format!("F zero→page_cache 1/{} hole-read-filled", pages * 4096));
        let hops = t.hops();
        let found = hops.iter().find(|hop| hop.starts_with('F'));
        assert_eq!(found, filled.as_ref(), "{magic:x} {asked} {lost}");
        assert_eq!(t.summary().ledger.unaccounted, 0);
    }
}
