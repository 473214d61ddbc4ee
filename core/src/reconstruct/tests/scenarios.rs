//! What a run of a program comes to, in events as the kernel sends them.

use tracer_ebpf::{Fault, FileRef, bio, flag, rss, uring};

use super::build::*;
use crate::event::{Device, DeviceClass, Engine, Event, Meta};
use crate::ledger::Unaccounted;
use crate::model::{IoTotals, ProcessRow, Waits};
use crate::notice::Notice;

#[test]
fn warm_read() {
    let mut t = Trace::new();
    t.io("read", 65536, ext4(1))
        .io("read", 0, ext4(1))
        .io("read", -9, ext4(1))
        .end();
    assert_eq!(t.hops(), ["C page_cache→user 1/65536 read-returns-copied"]);
    let summary = t.summary();
    assert_eq!((summary.crossings.total, summary.crossings.syscall), (6, 6));
    let read = &summary.syscalls[0];
    assert_eq!(
        (
            read.name.as_str(),
            read.calls,
            read.errors,
            read.bytes,
            read.time_ns
        ),
        ("read", 3, 1, 65536, 1500)
    );
    assert_eq!(summary.warnings, []);
}

#[test]
fn cold_read() {
    let mut t = Trace::new();
    // Readahead: the first call's own request, and one that ends after the call.
    t.block(bio::FILE | bio::READAHEAD, 32, |_| ())
        .switch(9000, true)
        .extra(|extra| extra.cache_pages = 64)
        .io("read", 65536, ext4(1))
        .on(PID, PID, 1)
        .block(bio::FILE | bio::READAHEAD, 32, |_| ())
        .on(PID, PID, 2)
        .io("read", 65536, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "D device:vda→page_cache 2/262144 tp:block_rq_complete",
            "C page_cache→user 2/131072 read-returns-copied"
        ]
    );
    assert_eq!(
        t.story(),
        [
            "100.1 read=65536 D:device:vda→page_cache 131072 C:page_cache→user 65536",
            "late 100.1 D:device:vda→page_cache 131072",
            "100.2 read=65536 C:page_cache→user 65536",
        ]
    );
    let summary = t.summary();
    assert_eq!(summary.hops[0].engine, Some(Engine::Paravirtual));
    assert_eq!(
        (summary.devices.len(), summary.devices[0].read_bytes),
        (1, 262144)
    );
    assert_eq!(
        summary.waits,
        Waits {
            count: 1,
            time_ns: 9000,
            device_ns: 8000
        }
    );
    assert_eq!(summary.context_switches.voluntary, 1);
}

#[test]
fn write_and_fsync() {
    let mut t = Trace::new();
    t.dirty(0, 16)
        .io("write", 65536, ext4(1))
        .block(bio::WRITE | bio::FILE, 16, |_| ())
        .block(bio::WRITE | bio::BDEV, 1, |block| {
            (block.ino, block.dev) = (99, 3)
        })
        .block(bio::WRITE | bio::ANON | bio::META, 1, |_| ())
        .io("fsync", 0, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 1/65536 write-copied",
            "D page_cache→device:vda 1/65536 tp:block_rq_complete deferred"
        ]
    );
    let summary = t.summary();
    assert_eq!(summary.dirty_bytes, 0);
    let metadata = IoTotals {
        write_requests: 2,
        write_bytes: 8192,
        ..IoTotals::default()
    };
    assert_eq!(
        (summary.metadata_io, summary.unattributed),
        (metadata, IoTotals::default())
    );
}

#[test]
fn write_and_write_back_by_a_worker() {
    let mut t = Trace::new();
    t.dirty(0, 16)
        .io("write", 65536, ext4(1))
        .dirty(16, 16)
        .io("write", 65536, ext4(1))
        .worker(8, 16)
        // Pages that another program had made dirty.
        .worker(1000, 50)
        .end();
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 2/131072 write-copied",
            "D page_cache→device:vda 1/65536 tp:block_rq_complete deferred"
        ]
    );
    assert_eq!(
        t.story()[2..],
        [
            "late 100.1 D:page_cache→device:vda 32768",
            "late 100.2 D:page_cache→device:vda 32768"
        ]
    );
    let summary = t.summary();
    assert_eq!(summary.dirty_bytes, 65536);
    assert_eq!(summary.unattributed, IoTotals::default());
}

/// The kernel tells a call's dirty pages at its end: a worker may have written them before.
#[test]
fn write_back_before_the_write_is_over() {
    let mut t = Trace::new();
    let long = t.next();
    t.worker(0, 8).dirty(0, 16);
    t.on(PID, PID, long)
        .call("write", 65536, [0; 6], Some(ext4(1)));
    // The call began before the worker did.
    let began = 1500;
    for event in &mut t.events {
        if let crate::event::Event::Syscall { call, .. } = event {
            call.head.ts = began;
        }
    }
    t.end();
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 1/65536 write-copied",
            "D page_cache→device:vda 1/32768 tp:block_rq_complete deferred"
        ]
    );
    assert_eq!(t.summary().dirty_bytes, 32768);
}

/// A worker's request may begin with pages of a call that is over, and go on with those of one that is not.
#[test]
fn write_back_of_a_call_that_is_over_and_of_one_that_is_not() {
    let mut t = Trace::new();
    t.dirty(0, 8).io("write", 32768, ext4(1));
    let long = t.next();
    t.worker(0, 12).dirty(8, 8);
    t.on(PID, PID, long)
        .call("write", 32768, [0; 6], Some(ext4(1)));
    let written = t.events.iter().find_map(|event| match event {
        crate::event::Event::Block(block) => Some(block.head.ts),
        _ => None,
    });
    if let Some(crate::event::Event::Syscall { call, .. }) = t.events.last_mut() {
        call.head.ts = written.expect("the worker's request") - 1;
    }
    t.end();
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 2/65536 write-copied",
            "D page_cache→device:vda 1/49152 tp:block_rq_complete deferred"
        ]
    );
    assert_eq!(t.summary().dirty_bytes, 16384);
}

#[test]
fn synchronous_write() {
    let mut t = Trace::new();
    t.block(bio::WRITE | bio::FILE, 1, |_| ())
        .dirty(0, 1)
        .io("pwrite64", 4096, ext4(1))
        .end();
    assert_eq!(t.summary().dirty_bytes, 0);
    assert_eq!(t.hops().len(), 2);
}

#[test]
fn sendfile_over_loopback() {
    let mut t = Trace::new();
    t.xmit(LO, 65602, 50, false)
        .extra(|extra| extra.file2 = ext4(1))
        .io("sendfile", 65536, tcp(50))
        .fork(200, 200)
        .on(200, 200, 1)
        .extra(|extra| (extra.skb_copied, extra.iif) = (65536, LO))
        .io("recvfrom", 65536, tcp(51));
    // recvfrom returns no more than it has room for.
    if let Some(crate::event::Event::Syscall { call, .. }) = t.events.last_mut() {
        call.args[2] = 1 << 20;
    }
    t.end();
    assert_eq!(
        t.hops(),
        [
            "C socket→user 1/65536 tp:skb_copy_datagram_iovec",
            "S page_cache→socket 1/65536 sendfile-shared"
        ]
    );
    let summary = t.summary();
    assert_eq!(summary.disagreements, []);
    let copied: Vec<_> = summary
        .by_process
        .iter()
        .map(|row| (row.pid, row.ppid, row.copied))
        .collect();
    assert_eq!(copied, [(100, None, 0), (200, Some(100), 65536)]);
    let lo = &summary.devices[0];
    assert_eq!(
        (lo.name.as_str(), lo.read_bytes, lo.write_bytes),
        ("lo", 65536, 65536)
    );
}

#[test]
fn sockets_over_a_network_card() {
    let mut t = Trace::new();
    t.xmit(ETH, 1066, 50, false)
        .io("write", 1000, tcp(50))
        .xmit(ETH, 66, 50, true)
        .extra(|extra| (extra.skb_copied, extra.iif) = (500, ETH))
        .io("read", 500, tcp(50))
        .io("recvmsg", 300, udp())
        .end();
    assert_eq!(
        t.hops(),
        [
            "D socket→nic:eth0 1/1066 tp:net_dev_start_xmit",
            "C user→socket 1/1000 send-copied",
            "C socket→user 1/500 tp:skb_copy_datagram_iovec",
            "D nic:eth0→socket 1/500 received-from-nic",
            "C socket→user 1/300 receive-copied",
            "D socket→nic:eth0 1/66 tp:net_dev_start_xmit deferred",
        ]
    );
}

/// A look at bytes that stay is a copy, and nothing that a device brought once more.
#[test]
fn bytes_that_are_looked_at_first_came_once() {
    let looked_at = |arrived: bool| {
        let mut t = Trace::new();
        t.xmit(ETH, 66, 50, true);
        if arrived {
            t.arrival(50, 566, 500, 1000);
        }
        for flags in [2, 0] {
            t.extra(|extra| (extra.skb_copied, extra.iif) = (500, ETH));
            t.call("recvfrom", 500, [3, 0, 500, flags, 0, 0], Some(tcp(50)));
        }
        t.end();
        let device = t.summary().devices.remove(0);
        (t.hops(), device.read_bytes)
    };
    let sent = "D socket→nic:eth0 1/66 tp:net_dev_start_xmit deferred";
    let copied = "C socket→user 2/1000 tp:skb_copy_datagram_iovec";
    let brought = "D nic:eth0→socket 1/566 tp:tcp_probe deferred";
    let told = vec![copied.into(), brought.into(), sent.into()];
    assert_eq!(looked_at(true), (told, 566));
    let brought = "D nic:eth0→socket 1/500 received-from-nic";
    let told = vec![copied.into(), brought.into(), sent.into()];
    assert_eq!(looked_at(false), (told, 500));
}

/// Packets that arrived are the transfers; the rule stands in for the rest, and what nobody takes is told.
#[test]
fn packets_are_tied_to_the_calls_that_take_them() {
    let mut t = Trace::new();
    t.xmit(ETH, 66, 50, true)
        .arrival(50, 566, 500, 1000)
        // An acknowledgement, and a repetition.
        .arrival(50, 66, 0, 1500)
        .arrival(50, 566, 500, 1000)
        .extra(|extra| (extra.skb_copied, extra.iif) = (300, ETH))
        .io("read", 300, tcp(50))
        // 200 are left of the first; 100 came before the socket was known.
        .extra(|extra| (extra.skb_copied, extra.iif) = (300, ETH))
        .io("read", 300, tcp(50))
        .arrival(50, 166, 100, 1600)
        .end();
    assert_eq!(
        t.hops(),
        [
            "D nic:eth0→socket 4/1364 tp:tcp_probe deferred",
            "C socket→user 2/600 tp:skb_copy_datagram_iovec",
            "D nic:eth0→socket 1/100 received-from-nic",
            "D socket→nic:eth0 1/66 tp:net_dev_start_xmit deferred",
        ]
    );
    let summary = t.summary();
    let untied = summary.untied_arrivals;
    assert_eq!((untied.packets, untied.bytes), (3, 66 + 566 + 166));
    let rows: Vec<_> = summary.interrupts.iter().collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].number, rows[0].count, rows[0].bytes),
        (Some(38), 4, 1364)
    );
    assert_eq!(rows[0].context, crate::model::Context::Soft);
}

/// In a container a `veth` may have the number that the network card has outside.
#[test]
fn numbers_of_interfaces_repeat_in_other_namespaces() {
    let mut t = Trace::new();
    t.events.push(Event::Meta(Meta::Device(Device {
        class: DeviceClass::Net,
        name: "veth0".into(),
        id: ETH,
        engine: Engine::Software,
        driver: "veth".into(),
        bus: String::new(),
    })));
    t.xmit(ETH, 1066, 50, false);
    if let Some(Event::Xmit(xmit)) = t.events.last_mut() {
        xmit.name[..5].copy_from_slice(b"veth0");
    }
    t.io("write", 1000, tcp(50))
        .extra(|extra| (extra.skb_copied, extra.iif) = (500, ETH))
        .io("read", 500, tcp(50))
        .fork(200, 200)
        .on(200, 200, 1)
        .extra(|extra| (extra.skb_copied, extra.iif) = (300, ETH))
        .io("read", 300, tcp(51))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C user→socket 1/1000 send-copied",
            "C socket→user 2/800 tp:skb_copy_datagram_iovec",
            "D nic:eth0→socket 1/300 received-from-nic",
        ]
    );
}

#[test]
fn rule_and_measurement_differ() {
    let receive = |extra: u64, flags| {
        let mut t = Trace::new();
        t.extra(|e| (e.skb_copied, e.irqs) = (extra, 1)).call(
            "recvmsg",
            500,
            [3, 0, flags, 0, 0, 0],
            Some(tcp(50)),
        );
        t.end();
        t
    };
    let differ = receive(400, 0).summary().disagreements;
    assert_eq!(differ.len(), 1);
    assert_eq!(
        (differ[0].claim.name(), differ[0].expected, differ[0].found),
        ("receive-copied", 500, 400)
    );
    // The measurement counts.
    assert_eq!(
        receive(400, 0).hops(),
        ["C socket→user 1/400 tp:skb_copy_datagram_iovec"]
    );
    assert_eq!(receive(500, 0).summary().disagreements, []);
    // MSG_PEEK, MSG_TRUNC.
    assert_eq!(receive(400, 2).summary().disagreements, []);
    assert_eq!(receive(0, 0x20).summary().disagreements, []);
    assert_eq!(receive(0, 0x20).hops(), [""; 0]);
    // Lost parts explain any difference.
    let mut lost = receive(400, 0);
    let by_kind = vec![0, 0, 0, 1];
    lost.meta(crate::event::Meta::Lost(crate::event::Lost {
        by_kind,
        calls: Vec::new(),
    }));
    assert_eq!(lost.summary().disagreements, []);
}

#[test]
fn zerocopy_send() {
    const ZC: u64 = 0x400_0000;
    let send = |enable: bool, device: u32, later: bool| {
        let mut t = Trace::new();
        if enable {
            t.call("setsockopt", 0, [3, 1, 60, 0, 4, 0], Some(tcp(50)));
        }
        if !later {
            t.xmit(device, 10066, 50, false);
        }
        t.call("sendto", 10000, [3, 0, 10000, ZC, 0, 0], Some(tcp(50)));
        if later {
            t.xmit(device, 10066, 50, true).xmit(device, 66, 50, true);
        }
        t.end();
        let hops = t.hops();
        hops.into_iter()
            .filter(|hop| hop.contains("user→socket"))
            .collect::<Vec<_>>()
    };
    let share = "S user→socket 1/10000 send-zerocopy-shared";
    let late = "C user→socket 1/10000 zerocopy-late-copy deferred";
    assert_eq!(send(true, ETH, false), [share]);
    assert_eq!(send(true, ETH, true), [share]);
    assert_eq!(send(true, LO, false), [late, share]);
    assert_eq!(send(true, LO, true), [late, share]);
    // Without SO_ZEROCOPY the flag has no effect.
    assert_eq!(
        send(false, LO, false),
        ["C user→socket 1/10000 send-copied"]
    );
}

#[test]
fn tmpfs_has_no_device() {
    let mut t = Trace::new();
    t.io("write", 4096, tmpfs()).io("read", 4096, tmpfs()).end();
    assert_eq!(
        t.hops(),
        [
            "C user→shmem 1/4096 shmem-write-copied",
            "C shmem→user 1/4096 shmem-read-copied"
        ]
    );
    assert_eq!(t.summary().devices, []);
}

#[test]
fn mapped_file() {
    let mut t = Trace::new();
    t.call("mmap", 0x7000_0000, [0, 1 << 20, 1, 1, 3, 0], Some(ext4(1)))
        // Uncached: read in, one page mapped; the rest by fault-around.
        .block(bio::FILE, 32, |_| ())
        .fault(Fault {
            maj_flt: 1,
            filemap: 1,
            unzeroed: 32 * PAGE,
            cache_pages: 32,
            rss: rss::FILE,
            ..Fault::default()
        })
        .fault(Fault {
            around_pages: 16,
            rss: rss::FILE,
            ..Fault::default()
        })
        .end();
    assert_eq!(
        t.hops(),
        [
            "D device:vda→page_cache 1/131072 tp:block_rq_complete",
            "M page_cache→user 1/65536 fault-around-range",
            "M page_cache→user 1/4096 file-page-mapped",
        ]
    );
    let summary = t.summary();
    let faults = summary.page_faults;
    assert_eq!(
        (faults.minor, faults.major, faults.user, faults.mapped_pages),
        (1, 1, 2, 17)
    );
    assert_eq!(
        (summary.crossings.total, summary.crossings.page_fault),
        (6, 4)
    );
}

/// NFS, say: no disk, and what a write makes of pages is the program's.
#[test]
fn pages_of_a_network_file_system() {
    let mut t = Trace::new();
    let made = |extra: &mut tracer_ebpf::Extra| {
        (extra.cache_pages, extra.reserved) = (8, 8);
    };
    t.extra(made)
        .io("read", 4096, ext4(1))
        .extra(made)
        .io("write", 32768, ext4(1))
        .fault(Fault {
            maj_flt: 1,
            filemap: 1 | tracer_ebpf::NETWORK,
            unzeroed: 16 * PAGE,
            cache_pages: 16,
            rss: rss::FILE,
            ..Fault::default()
        })
        .end();
    assert_eq!(
        t.hops(),
        [
            "C socket→page_cache 2/98304 network-file-copied deferred",
            "C user→page_cache 1/32768 write-copied",
            "C page_cache→user 1/4096 read-returns-copied",
            "M page_cache→user 1/4096 file-page-mapped",
        ]
    );
    assert_eq!(t.summary().disagreements, []);
}

#[test]
fn private_writes_copy() {
    let write = Fault {
        error_code: 2,
        unzeroed: PAGE,
        ..Fault::default()
    };
    let present = Fault {
        error_code: 3,
        ..write
    };
    let mut t = Trace::new();
    t.fault(Fault {
        filemap: 1,
        rss: rss::ANON,
        ..write
    })
    .fault(Fault {
        rss: rss::ANON | rss::FILE,
        ..present
    })
    .fault(present)
    .fault(Fault {
        unzeroed: 0,
        zeroed: PAGE,
        rss: rss::ANON,
        ..write
    })
    .end();
    let mut hops = t.hops();
    hops.sort();
    assert_eq!(
        hops,
        [
            "C page_cache→user 1/4096 cow-file-page-copied",
            "C page_cache→user 1/4096 private-file-write-copied",
            "C user→user 1/4096 cow-fault-copied",
            "F zero→user 1/4096 tp:mm_page_alloc",
        ]
    );
    assert_eq!(t.summary().by_process[0].copied, 3 * PAGE);
}

#[test]
fn direct_io() {
    let mut t = Trace::new();
    t.block(bio::ANON, 16, |_| ())
        .io("pread64", 65536, direct(1))
        .block(bio::ANON | bio::WRITE, 8, |block| block.disk = NVME)
        .io("pwrite64", 32768, direct(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "D device:vda→user 1/65536 tp:block_rq_complete",
            "D user→device:nvme0n1 1/32768 tp:block_rq_complete"
        ]
    );
    // A direct read first writes back what another call had left dirty.
    let mut t = Trace::new();
    t.dirty(0, 1)
        .io("write", 4096, ext4(1))
        .block(bio::FILE | bio::WRITE, 1, |_| ())
        .io("read", 4096, direct(1))
        .end();
    assert_eq!(
        t.hops()[1],
        "D page_cache→device:vda 1/4096 tp:block_rq_complete deferred"
    );
    // The file system fell back to the page cache.
    let mut t = Trace::new();
    t.block(bio::FILE, 16, |_| ())
        .extra(|extra| extra.cache_pages = 16)
        .io("pread64", 65536, direct(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/65536 direct-read-fell-back",
            "D device:vda→page_cache 1/65536 tp:block_rq_complete"
        ]
    );
}

#[test]
fn raw_device() {
    let disk = tracer_ebpf::FileRef {
        mode: 0o060660,
        rdev: VDA,
        ino: 3,
        ..Default::default()
    };
    let mut t = Trace::new();
    t.block(bio::BDEV, 4, |_| ())
        .io("read", 16384, disk)
        .block(bio::BDEV, 1, |_| ())
        .io("fstat", 0, ext4(2))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/16384 read-returns-copied",
            "D device:vda→page_cache 1/16384 tp:block_rq_complete"
        ]
    );
    assert_eq!(t.summary().metadata_io.read_bytes, 4096);
}

#[test]
fn software_disks_have_no_dma() {
    let mut t = Trace::new();
    t.block(bio::FILE, 16, |block| block.disk = LOOP)
        .io("read", 65536, ext4(1));
    // device-mapper only passes requests on: the disk below counts.
    t.block(bio::FILE, 16, |_| ())
        .block(bio::FILE | bio::BIO_BASED, 16, |block| block.disk = DM)
        .io("read", 65536, ext4(1))
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 2/131072 read-returns-copied",
            "C device:loop0→page_cache 1/65536 software-device-copied",
            "D device:vda→page_cache 1/65536 tp:block_rq_complete",
        ]
    );
}

/// What a worker asks of the disk below for sectors of a loop device.
fn below(t: &mut Trace, bits: u32, upper: u32, sector: u64, pages: u64) {
    t.block(bits, pages, |block| {
        block.head.flags = flag::ELSEWHERE;
        (block.head.tid, block.head.seq, block.head.tgid) = (0, 0, 0);
        (block.ino, block.index) = (77, sector / 8);
        (block.upper, block.upper_sector) = (upper, sector);
    });
}

#[test]
fn a_loop_device_reads_its_file_for_the_call_that_reads() {
    let mut t = Trace::new();
    let begun = t.now;
    // The very pages, readahead beyond them, and another program's, elsewhere on the device.
    below(&mut t, bio::FILE, LOOP, 800, 16);
    below(&mut t, bio::FILE, LOOP, 928, 4);
    below(&mut t, bio::FILE, LOOP, 8, 1);
    t.block(bio::FILE, 16, |block| {
        (block.disk, block.sector, block.head.ts) = (LOOP, 800, begun);
    })
    .io("read", 65536, ext4(1));
    // Nothing of the program's is under way there any more.
    below(&mut t, bio::FILE, LOOP, 960, 4);
    assert_eq!(
        t.end().hops(),
        [
            "C page_cache→user 1/65536 read-returns-copied",
            "C device:loop0→page_cache 1/65536 software-device-copied",
            "D device:vda→page_cache 1/65536 tp:block_rq_complete deferred",
            "D device:vda→page_cache 1/16384 handed-on deferred",
        ]
    );
}

#[test]
fn a_loop_device_leaves_writes_in_the_page_cache_of_its_file() {
    let mut t = Trace::new();
    t.dirty(0, 16).io("write", 65536, ext4(1));
    let fsync = t.next();
    t.block(bio::FILE | bio::WRITE, 16, |block| {
        (block.disk, block.sector) = (LOOP, 4096);
    })
    // The file system's own.
    .block(bio::BDEV | bio::WRITE | bio::META, 1, |block| {
        (block.disk, block.sector) = (LOOP, 4096 + 16 * 8);
    })
    .io("fsync", 0, ext4(1));
    // One request below for both, and pages beside them that somebody else wrote.
    below(&mut t, bio::FILE | bio::WRITE, LOOP, 4096 - 8, 1 + 16 + 1);
    // The same pages again: not the program's.
    below(&mut t, bio::FILE | bio::WRITE, LOOP, 4096, 16);
    t.end();
    let story = t.story();
    let late: Vec<_> = story
        .iter()
        .filter(|line| line.starts_with("late"))
        .collect();
    assert_eq!(
        late,
        [&format!("late {PID}.{fsync} D:page_cache→device:vda 65536")]
    );
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 1/65536 write-copied",
            "C page_cache→device:loop0 1/65536 software-device-copied deferred",
            "D page_cache→device:vda 1/65536 tp:block_rq_complete deferred",
        ]
    );
    assert_eq!(t.summary().metadata_io.write_bytes, 2 * 4096);
}

/// The device below writes pages of two requests, while the device above is still at the second.
#[test]
fn what_is_below_may_be_done_before_the_request_is() {
    let mut t = Trace::new();
    t.dirty(0, 32).io("write", 131_072, ext4(1));
    let begun = t.now;
    let above = |t: &mut Trace, index: u64| {
        t.block(bio::FILE | bio::WRITE, 16, |block| {
            (block.disk, block.sector) = (LOOP, 4096 + index * 8);
            (block.index, block.head.ts) = (index, begun);
        });
    };
    above(&mut t, 0);
    below(&mut t, bio::FILE | bio::WRITE, LOOP, 4096, 16 + 3);
    above(&mut t, 16);
    below(&mut t, bio::FILE | bio::WRITE, LOOP, 4096 + 19 * 8, 13);
    t.io("fsync", 0, ext4(1)).end();
    assert_eq!(
        t.hops()[1..],
        [
            "C page_cache→device:loop0 2/131072 software-device-copied deferred",
            "D page_cache→device:vda 2/131072 tp:block_rq_complete deferred",
        ]
    );
}

#[test]
fn a_target_encrypts_into_memory_of_its_own() {
    let mut t = Trace::new();
    t.dirty(0, 16).io("write", 65536, ext4(1));
    let begun = t.now;
    below(&mut t, bio::ANON | bio::BUFFER | bio::WRITE, DM, 64, 16);
    t.block(bio::FILE | bio::WRITE | bio::BIO_BASED, 16, |block| {
        (block.disk, block.sector) = (DM, 64);
        block.head.ts = begun;
    })
    .io("fsync", 0, ext4(1))
    .end();
    assert_eq!(
        t.hops(),
        [
            "C user→page_cache 1/65536 write-copied",
            "C page_cache→kernel 1/65536 target-buffered deferred",
            "D kernel→device:vda 1/65536 tp:block_rq_complete deferred",
        ]
    );
}

#[test]
fn a_loop_device_hands_on_the_pages_of_direct_io() {
    let mut t = Trace::new();
    let begun = t.now;
    below(&mut t, bio::ANON, LOOP, 800, 16);
    t.block(bio::ANON | bio::BY_REFERENCE, 16, |block| {
        (block.disk, block.sector, block.head.ts) = (LOOP, 800, begun);
    })
    .io("read", 65536, direct(1))
    .end();
    assert_eq!(
        t.hops(),
        [
            "D device:vda→user 1/65536 tp:block_rq_complete",
            "S device:loop0→user 1/65536 loop-by-reference",
        ]
    );
    assert_eq!(t.summary().ledger.unaccounted, 0);
}

#[test]
fn one_request_of_several_bios_counts_once() {
    let mut t = Trace::new();
    t.block(bio::FILE, 4, |_| ())
        .block(bio::FILE | bio::CONTINUED, 4, |_| ())
        .io("read", 4096, ext4(1))
        .end();
    assert_eq!(
        t.hops()[0],
        "D device:vda→page_cache 1/32768 tp:block_rq_complete"
    );
}

/// The interrupt of a completion may come where the kernel runs no probe.
#[test]
fn requests_not_seen_to_complete() {
    let mut t = Trace::new();
    t.block(bio::FILE, 4, |_| ())
        .block(bio::FILE | bio::UNSEEN, 2, |block| block.completed = 0)
        .block(bio::FILE | bio::UNSEEN, 1, |block| {
            (block.issued, block.completed) = (0, 0);
        })
        .io("read", 28672, ext4(1))
        .end();
    assert_eq!(
        t.hops()[1..],
        [
            "D device:vda→page_cache 1/16384 tp:block_rq_complete",
            "D device:vda→page_cache 1/8192 issued-request-done",
        ]
    );
    let unattributed = t.summary().unattributed;
    assert_eq!(
        (unattributed.read_requests, unattributed.read_bytes),
        (1, 4096)
    );
}

#[test]
fn failed_requests_moved_nothing() {
    let mut t = Trace::new();
    t.block(bio::FILE, 4, |block| block.status = 10)
        .io("read", -5, ext4(1))
        .end();
    assert_eq!(t.hops(), [""; 0]);
    assert_eq!(t.summary().warnings.len(), 1);
}

#[test]
fn pipes_with_fork() {
    let mut t = Trace::new();
    t.exec("sh")
        .call("execve", 0, [0; 6], None)
        .fork(200, 200)
        .call("clone", 200, [0; 6], None)
        .on(200, 200, 1)
        .exec("cat")
        .call("execve", 0, [0; 6], None)
        .io("read", 512, ext4(1))
        .io("write", 512, pipe(true))
        .exit(0)
        .on(PID, PID, 3)
        .io("read", 512, pipe(false))
        .exit(0)
        .end();
    let mut hops = t.hops();
    hops.sort();
    assert_eq!(
        hops,
        [
            "C page_cache→user 1/512 read-returns-copied",
            "C pipe→user 1/512 pipe-read-copied",
            "C user→pipe 1/512 pipe-write-copied",
        ]
    );
    let summary = t.summary();
    let row = |pid, comm: &str, ppid, copied, syscalls| ProcessRow {
        pid,
        comm: comm.into(),
        ppid,
        syscalls,
        user_faults: 0,
        copied,
    };
    assert_eq!(
        summary.by_process,
        [
            row(100, "sh", None, 512, 3),
            row(200, "cat", Some(100), 1024, 3)
        ]
    );
    assert_eq!(summary.never_returned, [("exit_group".to_owned(), 2)]);
    assert_eq!(summary.crossings.syscall, 12);
}

#[test]
fn io_uring() {
    let opcode = |name| crate::arch::uring::opcode(name).expect("an operation");
    let mut t = Trace::new();
    t.uring(|u| (u.opcode, u.res, u.file) = (opcode("read"), 4096, ext4(1)))
        .uring(|u| (u.opcode, u.res, u.file, u.how) = (opcode("write"), 100, ext4(1), uring::ASYNC))
        .uring(|u| (u.opcode, u.res, u.file) = (opcode("read"), -11, ext4(1)))
        .uring(|u| (u.opcode, u.res, u.file) = (opcode("read"), 8192, direct(1)))
        .uring(|u| (u.opcode, u.res, u.file) = (opcode("send_zc"), 700, tcp(50)))
        .uring(|u| (u.opcode, u.res, u.file, u.cqe_flags) = (opcode("send_zc"), 1, tcp(50), 8))
        .uring(|u| (u.opcode, u.res, u.file) = (opcode("recv"), 600, tcp(50)))
        .extra(|extra| extra.skb_copied = 600)
        .call("io_uring_enter", 6, [0; 6], None)
        // The direct read's request ends after its call.
        .on(PID, PID, 1)
        .block(bio::ANON, 2, |_| ())
        .end();
    let mut hops = t.hops();
    hops.sort();
    assert_eq!(
        hops,
        [
            "C page_cache→user 1/4096 read-returns-copied",
            "C socket→user 1/600 tp:skb_copy_datagram_iovec",
            "C user→page_cache 1/100 write-copied deferred",
            "D device:vda→user 1/8192 tp:block_rq_complete",
            "S user→socket 1/700 send-zc-shared",
        ]
    );
    assert_eq!(t.summary().crossings.syscall, 2);
}

/// Packets that requests took in their call are the transfers of what the call is seen to copy.
#[test]
fn packets_are_tied_to_the_requests_that_take_them() {
    let opcode = |name| crate::arch::uring::opcode(name).expect("an operation");
    let brought = |name, file: FileRef| {
        let mut t = Trace::new();
        t.xmit(ETH, 66, file.ino, true)
            .arrival(file.ino, 542, 500, 0)
            .protocol(file.protocol.into());
        t.uring(|u| (u.opcode, u.res, u.file) = (opcode(name), 500, file))
            .extra(|extra| (extra.skb_copied, extra.iif) = (500, ETH))
            .call("io_uring_enter", 1, [0; 6], None)
            .end();
        let mut hops = t.hops();
        hops.retain(|hop| hop.starts_with("D nic"));
        hops
    };
    let tcp_probe = "D nic:eth0→socket 1/542 tp:tcp_probe deferred";
    for name in ["recv", "read"] {
        assert_eq!(brought(name, tcp(50)), [tcp_probe], "{name}");
    }
    let received = "D nic:eth0→socket 1/542 arrived-at-port deferred";
    assert_eq!(brought("recv", udp()), [received]);
}

/// What was spliced stands beside the pipe; an older recording does not have it.
#[test]
fn io_uring_splices() {
    let opcode = |name| crate::arch::uring::opcode(name).expect("an operation");
    let mut t = Trace::new();
    let mut splice = |from, to, bytes| {
        t.uring(|u| (u.opcode, u.res, u.file, u.file2) = (opcode("splice"), bytes, to, from));
    };
    splice(ext4(1), pipe(true), 4096);
    splice(pipe(false), ext4(1), 100);
    splice(FileRef::NONE, ext4(1), 1);
    splice(tcp(50), pipe(true), 200);
    splice(FileRef::NONE, pipe(true), 700);
    t.uring(|u| (u.opcode, u.res, u.file) = (opcode("tee"), 300, pipe(true)))
        .call("io_uring_enter", 6, [0; 6], None)
        .end();
    let mut hops = t.hops();
    hops.sort();
    assert_eq!(
        hops,
        [
            "C pipe→page_cache 2/101 splice-pipe-to-file-copied",
            "S page_cache→pipe 1/4096 splice-file-shared",
            "S pipe→pipe 1/300 tee-shared",
            "S socket→pipe 1/200 splice-socket-shared",
        ]
    );
    let ledger = t.summary().ledger;
    let open: Vec<_> = ledger.open.iter().map(|row| (row.bytes, row.why)).collect();
    assert_eq!(open, [(700, Unaccounted::NoSource)]);
}

#[test]
fn compressed_file() {
    // btrfs reads compressed extents into pages of its own.
    let mut t = Trace::new();
    t.block(bio::ANON, 4, |_| ())
        .io("read", 65536, ext4(1))
        .end();
    assert_eq!(
        t.hops()[1],
        "D device:vda→kernel 1/16384 tp:block_rq_complete"
    );
}

#[test]
fn swap() {
    // Where the kernel tells of no counter (6.1), and inside a call, the page says it.
    let mut t = Trace::new();
    t.block(bio::ANON | bio::SWAP, 8, |_| ())
        .fault(Fault::default())
        .block(bio::ANON | bio::SWAP, 1, |_| ())
        .io("read", 4096, ext4(1))
        .end();
    assert_eq!(
        t.hops()[0],
        "D device:vda→user 2/36864 tp:block_rq_complete"
    );
}

#[test]
fn lost_calls() {
    let mut t = Trace::new();
    // The record of call 1 was lost, its parts were not.
    t.block(bio::FILE, 4, |_| ())
        .on(PID, PID, 2)
        .io("read", 100, ext4(1))
        .lost(&[(0, 1), (1, 3)])
        .lost(&[(0, 1)])
        .end();
    let summary = t.summary();
    assert_eq!(summary.lost_events, 5);
    assert_eq!(
        summary.lost_calls,
        [("read".to_owned(), 2), ("write".to_owned(), 3)]
    );
    assert_eq!(summary.syscalls[0].calls, 1);
    assert_eq!(
        t.story(),
        [
            "late 100.1 D:device:vda→page_cache 16384",
            "100.2 read=100 C:page_cache→user 100"
        ]
    );
}

#[test]
fn cut_off() {
    let mut t = Trace::new();
    t.block(bio::FILE, 4, |_| ());
    assert_eq!(
        t.hops(),
        ["D device:vda→page_cache 1/16384 tp:block_rq_complete"]
    );
    assert_eq!(t.summary().warnings.len(), 1);
}

#[test]
fn compat_calls_have_names_of_their_own() {
    let mut t = Trace::new();
    t.io("write", 5, ext4(1));
    if let Some(crate::event::Event::Syscall { call, .. }) = t.events.last_mut() {
        call.head.flags = flag::COMPAT;
        call.head.nr = 3;
    }
    t.end();
    assert_eq!(t.summary().syscalls[0].name, "i386_3");
    assert_eq!(t.hops(), [""; 0]);
}

#[test]
fn threads_faults_are_checked_against_the_kernels_count() {
    let run = |kernel: u64| {
        let mut t = Trace::new();
        t.fork(200, 200).on(200, 200, 1);
        for _ in 0..10 {
            t.fault(Fault {
                zeroed: PAGE,
                rss: rss::ANON,
                ..Fault::default()
            });
        }
        t.extra(|extra| extra.min_flt = 5)
            .io("read", 0, ext4(1))
            .exit(kernel)
            .end();
        t.summary().disagreements
    };
    assert_eq!(run(15), []);
    let differ = run(16);
    assert_eq!((differ[0].expected, differ[0].found), (16, 15));
}

#[test]
fn messages_without_sizes() {
    let mut t = Trace::new();
    t.call("sendmmsg", 8, [0; 6], Some(udp())).end();
    assert_eq!(t.hops(), ["C user→socket 8/0 send-copied"]);
    assert_eq!(t.summary().warnings[0], Notice::UnsizedMessages(8));
}

#[test]
fn populate() {
    let mut t = Trace::new();
    let map = |flags: u64, prot: u64| [0, 1 << 20, prot, flags, 3, 0];
    t.extra(|extra| extra.min_flt = 16)
        .call("mmap", 0x7000_0000, map(0x8001, 1), Some(ext4(1)))
        .extra(|extra| extra.min_flt = 256)
        .call("mmap", 0x7000_0000, map(0x8002, 3), Some(ext4(1)))
        // No access: nothing is mapped.
        .call("mmap", 0x7000_0000, map(0x8001, 0), Some(ext4(1)))
        .call("mmap", 0x7000_0000, map(0x0002, 3), Some(ext4(1)))
        // Anonymous: the allocator zeroed the pages.
        .extra(|extra| extra.zeroed = 8192)
        .call("mmap", 0x7000_0000, map(0x8022, 3), None)
        .end();
    assert_eq!(
        t.hops(),
        [
            "C page_cache→user 1/1048576 populate-copied",
            "M page_cache→user 1/1048576 populate-mapped",
            "F zero→user 1/8192 tp:mm_page_alloc",
        ]
    );
}

#[test]
fn linux_aio() {
    let mut t = Trace::new();
    t.uring(|u| (u.opcode, u.res, u.file, u.how) = (0, 4096, ext4(1), uring::AIO))
        .call("io_submit", 3, [0; 6], None)
        .call("io_getevents", 1, [0; 6], None)
        // Their results come when the program fetches them, if it does.
        .on(PID, PID, 1)
        .uring(|u| (u.opcode, u.res, u.file, u.how) = (8, 100, ext4(1), uring::AIO))
        .uring(|u| {
            let how = uring::AIO | uring::UNTOLD;
            (u.opcode, u.res, u.file, u.how) = (7, 50, ext4(1), how);
        })
        // IOCB_CMD_FDSYNC
        .uring(|u| (u.opcode, u.res, u.how) = (3, 0, uring::AIO))
        .end();
    let mut hops = t.hops();
    hops.sort();
    assert_eq!(
        hops,
        [
            "C page_cache→user 2/4146 read-returns-copied",
            "C user→page_cache 1/100 write-copied",
        ]
    );
    let summary = t.summary();
    assert_eq!(summary.ledger.returned, 4246);
    assert_eq!(summary.ledger.unaccounted, 0);
    assert_eq!(summary.warnings, [Notice::Untold(1)]);
}

#[test]
fn copied_up_by_a_call_that_moves_nothing() {
    let mut t = Trace::new();
    t.dirty(0, 3).call("chmod", 0, [0; 6], None);
    t.dirty(3, 2).call("msync", 0, [0; 6], None).end();
    assert_eq!(t.hops(), ["C page_cache→page_cache 1/12288 copied-up"]);
}

#[test]
fn copied_up_by_truncate() {
    let hops = |inserted: u32, dirtied: u32| {
        let mut t = Trace::new();
        t.dirty(0, dirtied)
            .extra(|extra| extra.cache_pages = inserted)
            .call("truncate", 0, [0; 6], None)
            .end();
        t.hops()
    };
    for dirtied in [3, 4] {
        let up = ["C page_cache→page_cache 1/12288 copied-up"];
        assert_eq!(hops(3, dirtied), up);
    }
    // On any file system the rest of a page that stays is cleared.
    assert_eq!(hops(1, 1), [""; 0]);
    assert_eq!(hops(0, 16), [""; 0]);
}

#[test]
fn copied_up_by_chattr() {
    let overlay = FileRef {
        magic: 0x794C_7630,
        ..ext4(1)
    };
    for (file, hops) in [
        (overlay, &["C page_cache→page_cache 1/12288 copied-up"][..]),
        (ext4(1), &[]),
    ] {
        let mut t = Trace::new();
        let args = [3, 0x4008_6602, 0, 0, 0, 0];
        t.dirty(0, 3).call("ioctl", 0, args, Some(file)).end();
        assert_eq!(t.hops(), hops);
    }
}

#[test]
fn packets_out_of_a_ring_are_references() {
    let packet = FileRef {
        family: 17,
        sock_type: 3,
        protocol: 0,
        ..tcp(9)
    };
    let mut t = Trace::new();
    t.io("sendto", 1400, packet)
        .call("setsockopt", 0, [3, 263, 13, 0, 16, 0], Some(packet))
        .io("sendto", 44_800, packet)
        .end();
    let hops = [
        "C user→socket 1/1400 send-copied",
        "S user→socket 1/44800 ring-shared",
    ];
    let mut found = t.hops();
    found.sort();
    assert_eq!(found, hops);
}

#[test]
fn pages_that_nobody_tells_of_are_named() {
    let mut t = Trace::new();
    t.call("madvise", 0, [0, 1 << 21, 25, 0, 0, 0], None)
        .call("madvise", -22, [0, 1 << 21, 25, 0, 0, 0], None)
        .call("madvise", 0, [0, 1 << 21, 4, 0, 0, 0], None)
        .call("ioctl", 0, [3, 0xc020_aa07, 0, 0, 0, 0], None)
        .call("mmap", 0x7000_0000, [0, 1 << 21, 3, 0x4_0022, 0, 0], None)
        .end();
    let open = t.summary().ledger.open;
    let mut open: Vec<_> = open
        .iter()
        .map(|row| (&*row.call, row.count, row.why))
        .collect();
    open.sort();
    let expected = [
        ("ioctl", 1, Unaccounted::PagesMapped),
        ("madvise", 1, Unaccounted::PagesCopied),
        ("mmap", 1, Unaccounted::HugePages),
    ];
    assert_eq!(open, expected);
}

#[test]
fn urgent_data_does_not_come_by_the_probe() {
    let run = |flags| {
        let mut t = Trace::new();
        t.extra(|_| ())
            .call("recvfrom", 1, [3, 0, 1, flags, 0, 0], Some(tcp(7)))
            .end();
        t.summary().disagreements.len()
    };
    assert_eq!((run(0), run(1)), (1, 0));
}

#[test]
fn direct_io_to_the_pages_of_another_file() {
    let mut t = Trace::new();
    t.dirty(0, 16)
        .block(bio::FILE, 16, |_| ())
        .io("pread64", 65536, direct(2))
        .end();
    assert_eq!(
        t.hops(),
        ["D device:vda→page_cache 1/65536 tp:block_rq_complete"]
    );
    assert_eq!(t.summary().ledger.unaccounted, 0);
}

#[test]
fn memory_in_a_core_file() {
    let dies = |signal: u32| {
        let mut t = Trace::new();
        t.call("tgkill", 0, [0; 6], None)
            .on(PID, PID, 0)
            .dirty(0, 5);
        t.exit(0);
        if let Some(Event::Exit(exit)) = t.events.last_mut() {
            exit.exit_code = signal;
        }
        t.end();
        t.hops()
    };
    assert_eq!(dies(6), [""; 0]);
    assert_eq!(dies(6 | 0x80), ["C user→page_cache 1/20480 core-dumped"]);
}

#[test]
fn a_ring_that_the_kernel_fills_is_named() {
    let mut t = Trace::new();
    t.call("setsockopt", 0, [3, 263, 5, 0, 16, 0], None).end();
    let open = t.summary().ledger.open;
    let open: Vec<_> = open.iter().map(|row| (&*row.call, row.why)).collect();
    assert_eq!(open, [("setsockopt", Unaccounted::SharedRing)]);
}
