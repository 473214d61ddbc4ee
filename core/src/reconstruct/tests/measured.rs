//! What functions measured, beside what rules conclude.

use tracer_ebpf::{Copied, Fault, NO_ERROR_CODE, flag, kind, moved, primitive, rss, uring};

use super::build::*;
use crate::event::{BreakpointsOff, Event, Meta, Sampled};
use crate::i18n::Lang;
use crate::model::Disagreement;
use crate::notice::Notice;
use crate::rules::measure::MEASURES;

/// A trace with every function attached, but for these.
pub fn trace(without: &[&str]) -> Trace {
    let mut t = Trace::new();
    for event in &mut t.events {
        if let Event::Meta(Meta::Start(start)) = event {
            let labels = MEASURES.iter().map(|row| row.probe.label());
            start.probes = labels
                .filter(|label| !without.contains(label))
                .map(str::to_owned)
                .collect();
            for tracepoint in [
                "tp:rss_stat",
                "tp:mm_filemap_fault",
                "tp:skb_copy_datagram_iovec",
            ] {
                start.probes.push(tracepoint.to_owned());
            }
            start.level = "F".into();
        }
    }
    t
}

impl Trace {
    pub fn copied(&mut self, what: u16, count: u32, bytes: u64) -> &mut Self {
        self.copied_by(primitive::NONE, what, count, bytes)
    }

    fn copied_by(&mut self, primitive: u16, what: u16, count: u32, bytes: u64) -> &mut Self {
        let head = self.head(kind::COPY);
        self.events.push(Event::Copied(Copied {
            head,
            bytes,
            count,
            what,
            primitive,
        }));
        self
    }

    fn differences(&self) -> Vec<(String, String, u64, u64)> {
        let row = |d: Disagreement| {
            (
                d.words(Lang::En),
                d.claim.name().to_owned(),
                d.expected,
                d.found,
            )
        };
        self.summary().disagreements.into_iter().map(row).collect()
    }
}

fn difference(what: &str, rule: &str, expected: u64, found: u64) -> (String, String, u64, u64) {
    (what.to_owned(), rule.to_owned(), expected, found)
}

#[test]
fn a_copy_seen_twice_is_counted_once() {
    let mut t = trace(&[]);
    t.copied(moved::FILE_READ, 1, 65536)
        .io("read", 65536, ext4(1))
        .copied(moved::WRITE, 1, 4096)
        .io("write", 4096, ext4(1))
        .copied(moved::SHMEM_WRITE, 1, 100)
        .io("write", 100, tmpfs())
        .copied(moved::PIPE_WRITE, 1, 50)
        .io("write", 50, pipe(true))
        .copied(moved::TCP_SEND, 1, 25)
        .io("write", 25, tcp(7))
        .copied(moved::UDP_SEND, 1, 20)
        .io("write", 20, udp())
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/65536 fexit:filemap_read",
            "C user→page_cache 1/4096 fexit:generic_perform_write",
            "C user→shmem 1/100 fexit:generic_perform_write",
            "C user→pipe 1/50 fexit:pipe_write",
            "C user→socket 1/25 fexit:tcp_sendmsg_locked",
            "C user→socket 1/20 fexit:ip_generic_getfrag",
        ]
    );
    assert_eq!(t.differences(), []);
}

#[test]
fn where_no_probe_looks_the_rule_stands() {
    let mut t = trace(&["fexit:filemap_read", "fexit:pipe_read"]);
    t.io("read", 65536, ext4(1))
        .io("read", 10, pipe(false))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/65536 read-returns-copied",
            "C pipe→user 1/10 pipe-read-copied"
        ]
    );
    assert_eq!(t.differences(), []);
}

#[test]
fn a_silent_probe_refutes_a_rule() {
    let mut t = trace(&[]);
    t.io("read", 65536, ext4(1)).end();
    assert_eq!(t.hops(), [""; 0]);
    let what = "bytes read from files";
    assert_eq!(
        t.differences(),
        [difference(what, "read-returns-copied", 65536, 0)]
    );

    // A file system whose data may pass elsewhere.
    let mut t = trace(&[]);
    let other = tracer_ebpf::FileRef {
        magic: 0x1234,
        ..ext4(1)
    };
    t.io("read", 65536, other).end();
    assert_eq!(t.hops(), ["C page_cache→user 1/65536 read-returns-copied"]);
    assert_eq!(t.differences(), []);
}

#[test]
fn what_differs_and_what_no_rule_knows_is_told() {
    let mut t = trace(&[]);
    t.copied(moved::FILE_READ, 2, 5000)
        .io("read", 4096, ext4(1))
        .copied(moved::FILE_READ, 1, 512)
        .io("read", 4096, direct(1))
        // execve reads the program's first page: no rule is there for it.
        .copied(moved::FILE_READ_KERNEL, 1, 256)
        .call("execve", 0, [0; 6], None)
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 3/5512 fexit:filemap_read",
            "C page_cache→kernel 1/256 fexit:filemap_read"
        ]
    );
    let what = "bytes read from files";
    assert_eq!(
        t.differences(),
        [
            difference(what, "read-returns-copied", 4096, 5000),
            difference(what, "direct-read-not-copied", 0, 512)
        ]
    );
}

#[test]
fn pipes_inside_the_kernel_are_no_place() {
    let mut t = trace(&[]);
    t.copied(moved::SPLICE_FOLIO, 16, 65536)
        .copied(moved::SKB_SPLICE, 2, 65536)
        .extra(|extra| extra.file2 = ext4(1))
        .io("sendfile", 65536, tcp(7))
        .copied(moved::SPLICE_FOLIO, 16, 4096)
        .copied(moved::WRITE_KERNEL, 1, 4096)
        .extra(|extra| extra.file2 = ext4(1))
        .io("sendfile", 4096, ext4(2))
        .copied(moved::SPLICE_FOLIO, 1, 2048)
        .extra(|extra| extra.file2 = pipe(true))
        .io("splice", 2048, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "S page_cache→socket 2/65536 fexit:skb_splice_from_iter",
            "C page_cache→page_cache 1/4096 fexit:generic_perform_write",
            "S page_cache→pipe 1/2048 fexit:splice_folio_into_pipe"
        ]
    );
    assert_eq!(t.differences(), []);
}

#[test]
fn a_range_is_shared_as_far_as_it_was_not_copied() {
    let xfs = |ino| tracer_ebpf::FileRef {
        magic: 0x5846_5342,
        ..ext4(ino)
    };
    let mut t = trace(&[]);
    t.copied(moved::COPY_RANGE, 1, 1 << 20)
        .extra(|extra| extra.file2 = xfs(2))
        .io("copy_file_range", 1 << 20, xfs(1))
        .copied(moved::IOMAP_WRITE_KERNEL, 1, 4096)
        .copied(moved::COPY_RANGE, 1, 4096)
        .extra(|extra| (extra.file2, extra.cache_pages) = (xfs(2), 1))
        .io("copy_file_range", 4096, xfs(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "S page_cache→page_cache 1/1048576 fexit:vfs_copy_file_range",
            "C page_cache→page_cache 1/4096 fexit:iomap_file_buffered_write"
        ]
    );
    assert_eq!(t.differences(), []);
}

#[test]
fn faults() {
    let cow = Fault {
        error_code: 7,
        unzeroed: PAGE,
        ..Fault::default()
    };
    let around = Fault {
        error_code: 4,
        around_pages: 16,
        rss: rss::FILE,
        ..Fault::default()
    };
    let mut t = trace(&[]);
    t.copied(moved::COW, 1, PAGE)
        .fault(cow)
        .copied(moved::MAP, 3, 12 * PAGE)
        .fault(around)
        .end();
    assert_eq!(
        t.hops(),
        [
            "M page_cache→user 3/49152 fentry:set_pte_range",
            "C user→user 1/4096 fentry:copy_mc_to_kernel"
        ]
    );
    assert_eq!(t.differences(), []);
    assert_eq!(t.summary().page_faults.mapped_pages, 12 + 1);
}

#[test]
fn copies_on_write_inside_a_call_are_shared_out_among_their_rules() {
    for (found, differences) in [(12_288, 0), (16_384, 1)] {
        let mut t = trace(&[]);
        for rss in [0, 0, rss::FILE | rss::ANON] {
            let fault = Fault {
                error_code: NO_ERROR_CODE,
                unzeroed: 4096,
                rss,
                ..Fault::default()
            };
            t.inner(fault);
        }
        t.copied(moved::COW, (found / 4096) as u32, found)
            .copied(moved::WRITE, 1, 4096)
            .io("write", 4096, ext4(1))
            .end();
        let pages = found / 4096 - 2;
        let left = format!(
            "C page_cache→user {pages}/{} fentry:copy_mc_to_kernel",
            pages * 4096
        );
        let hops = t.hops();
        for hop in [
            "C user→page_cache 1/4096 fexit:generic_perform_write",
            "C user→user 2/8192 fentry:copy_mc_to_kernel",
            &left,
        ] {
            assert!(hops.iter().any(|one| one == hop), "{hop} in {hops:?}");
        }
        assert_eq!(t.differences().len(), differences);
    }
}

#[test]
fn userfaultfd_copies_where_no_probe_looks() {
    let mut t = trace(&[]);
    t.size(8192, 1)
        .call("ioctl", 0, [3, 0xc028_aa03, 0, 0, 0, 0], Some(ext4(1)))
        .end();
    assert_eq!(t.hops(), ["C user→user 1/8192 userfault-copied"]);
    assert_eq!(t.differences(), []);
}

#[test]
fn io_uring_is_compared_by_sums() {
    let requests = |found: u64| {
        let mut t = trace(&[]);
        for how in [0, uring::ASYNC] {
            t.uring(|u| {
                u.opcode = 22; // IORING_OP_READ
                u.res = 4096;
                u.how = how;
                u.file = ext4(1);
            });
        }
        t.copied(moved::FILE_READ, 1, 4096)
            .call("io_uring_enter", 1, [0; 6], None)
            .on(PID + 1, PID, 0)
            .copied(moved::FILE_READ, 1, found);
        if let Some(Event::Copied(copied)) = t.events.last_mut() {
            copied.head.flags = flag::IO_THREAD;
        }
        t.end();
        t
    };
    let t = requests(4096);
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/4096 fexit:filemap_read",
            "C page_cache→user 1/4096 fexit:filemap_read deferred"
        ]
    );
    assert_eq!(t.differences(), []);
    let what = "bytes read from files by io_uring";
    assert_eq!(
        requests(96).differences(),
        [difference(what, "read-returns-copied", 8192, 4192)]
    );
}

/// A thread goes on with a request as it leaves another call, which is over when its function tells of it.
#[test]
fn a_request_goes_on_as_another_call_ends() {
    let mut t = trace(&[]);
    t.uring(|u| {
        u.opcode = 22; // IORING_OP_READ
        u.res = 4096;
        u.file = ext4(1);
    })
    .call("getppid", 1, [0; 6], None)
    .copied(moved::FILE_READ, 1, 4096);
    if let Some(Event::Copied(copied)) = t.events.last_mut() {
        copied.head.seq -= 1;
    }
    t.call("getppid", 1, [0; 6], None).end();
    assert_eq!(t.hops(), ["C page_cache→user 1/4096 fexit:filemap_read"]);
    assert_eq!(t.differences(), []);
}

#[test]
fn a_primitive_is_nearer_than_the_function_around_it() {
    let mut t = trace(&[]);
    t.copied(moved::FILE_READ, 1, 65536)
        .copied_by(primitive::TO_ITER, moved::FILE_READ, 16, 65536)
        .io("read", 65536, ext4(1))
        .copied(moved::WRITE, 1, 4096)
        .copied_by(primitive::FROM_ITER_ATOMIC, moved::WRITE, 1, 4096)
        .io("write", 4096, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 16/65536 bp:_copy_to_iter",
            "C user→page_cache 1/4096 bp:copy_folio_from_iter_atomic",
        ]
    );
    assert_eq!(t.differences(), []);
}

#[test]
fn a_function_that_tells_otherwise_than_its_primitive_is_reported() {
    let mut t = trace(&[]);
    t.copied(moved::FILE_READ, 1, 65536)
        .copied_by(primitive::TO_ITER, moved::FILE_READ, 15, 61440)
        .io("read", 65536, ext4(1))
        .end();
    assert_eq!(t.hops(), ["C page_cache→user 15/61440 bp:_copy_to_iter"]);
    let what = "bytes read from files";
    assert_eq!(
        t.differences(),
        [
            difference(what, "fexit:filemap_read", 65536, 61440),
            difference(what, "read-returns-copied", 65536, 61440),
        ]
    );
}

#[test]
fn a_primitive_alone_measures_too() {
    // A file system whose functions are not known.
    let mut t = trace(&["fexit:filemap_read"]);
    t.copied_by(primitive::TO_ITER, moved::TO_USER, 2, 8192)
        .io("read", 8192, ext4(1))
        .end();
    assert_eq!(t.hops(), ["C page_cache→user 2/8192 bp:_copy_to_iter"]);
    assert_eq!(t.differences(), []);
}

#[test]
fn kprobes_are_named_where_they_stand_in() {
    let mut t = trace(&["fexit:filemap_read"]);
    if let Some(Event::Meta(Meta::Start(start))) = t.events.first_mut() {
        start.probes.push("kretprobe:filemap_read".into());
    }
    t.copied(moved::FILE_READ, 1, 4096)
        .io("read", 4096, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        ["C page_cache→user 1/4096 kretprobe:filemap_read"]
    );
}

#[test]
fn samples_are_time_with_an_error() {
    let mut t = trace(&[]);
    t.events.push(Event::Meta(Meta::Sampled(Sampled {
        period_ns: 250_000,
        user: 10,
        kernel: 30,
        functions: vec![("_copy_to_iter".into(), 100), ("clear_page_erms".into(), 4)],
    })));
    t.events.push(Event::Meta(Meta::Breakpoints(BreakpointsOff {
        hits: 123_456,
        monotonic_ns: 0,
    })));
    t.end();
    let summary = t.summary();
    let time = summary.cpu_time.expect("sampled");
    assert_eq!((time.samples, time.kernel.samples), (144, 134));
    assert_eq!((time.copy.ns, time.copy.error_ns), (25_000_000, 4_900_000));
    assert_eq!((time.fill.samples, time.user.ns), (4, 2_500_000));
    assert!(
        summary
            .warnings
            .iter()
            .any(|w| matches!(w, Notice::BreakpointsOff { hits: 123_456, .. }))
    );
}

/// A newer recorder measures at steps that are not in our tables: their bytes are not passed over in silence.
#[test]
fn a_measurement_of_a_later_version_is_told() {
    let mut t = trace(&[]);
    t.copied(u16::MAX, 1, 4096);
    t.end();
    let summary = t.summary();
    assert!(summary.warnings.contains(&Notice::UnknownMeasures(1)));
}
