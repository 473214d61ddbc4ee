//! From counters to hops: what the rules conclude from sums of alike calls, what probes counted.

use tracer_ebpf::{Count, OPERATION, bio, count};

use super::account::Account;
use super::{Calls, Counters};
use crate::arch::Arch;
use crate::catalogue::{RuleId, Tracepoint};
use crate::event::{Device, DeviceClass, Engine};
use crate::ledger::Ledger;
use crate::model::{Evidence, HopKind, HopRow, IoTotals};
use crate::reconstruct::hop;
use crate::reconstruct::io::{Context, Moves, PASS_ON, classify, software};
use crate::reconstruct::tally::{At, Devices, Moved, Rows};
use crate::rules::{CallTable, Facts, FileKind, Move, Shape, Size, conclude};

/// What of the machine's devices counters meet.
pub trait Hardware {
    /// The disk of this number (major << 20 | minor).
    fn disk(&mut self, id: u32) -> &Device;

    /// The network interface of this number; `no_parent`: the kernel said that there is no hardware behind it.
    fn interface(&mut self, id: u32, no_parent: bool) -> &Device;
}

/// Where bytes went, as counters tell it.
#[derive(Debug)]
pub struct Concluded {
    pub hops: Vec<HopRow>,
    pub ledger: Ledger,
    pub devices: Devices,
    pub metadata: IoTotals,
}

/// From counters to hops; pure but for the names of devices. Copies out of sockets that a probe counts
/// (`measured_receive`) are left to it.
pub fn conclude_hops(
    counters: &Counters,
    arch: Arch,
    hardware: &mut dyn Hardware,
    measured_receive: bool,
) -> Concluded {
    let table = CallTable::of(arch);
    let mut rows = Rows::default();
    let mut devices = Devices::default();
    let mut account = Account::default();
    calls(
        counters,
        arch,
        table,
        measured_receive,
        &mut rows,
        &mut account,
    );
    for (what, kind, from, probe) in [
        (
            count::SKB,
            HopKind::Copy,
            At::Socket,
            Tracepoint::skb_copy_datagram_iovec,
        ),
        (
            count::ZEROED,
            HopKind::Fill,
            At::Zero,
            Tracepoint::mm_page_alloc,
        ),
    ] {
        let c = counters.sum(what, |_| true);
        if c.bytes > 0 {
            rows.add(&moved(kind, from, At::User, Evidence::tracepoint(probe), c));
        }
    }
    let metadata = block_io(counters, hardware, &mut rows, &mut devices, &mut account);
    for (key, c) in counters
        .counts
        .iter()
        .filter(|(key, _)| key.what == count::XMIT)
    {
        let device = hardware.interface(key.id, key.flags & count::XMIT_NO_PARENT != 0);
        devices.learn(device);
        let i = devices.interface(key.id, device.name.clone());
        devices.met(i, false, c.bytes);
        if device.engine != Engine::Software {
            rows.add(&moved(
                HopKind::Dma,
                At::Socket,
                At::Nic(i),
                Evidence::tracepoint(Tracepoint::net_dev_start_xmit),
                *c,
            ));
        }
    }
    Concluded {
        hops: rows.finish(&devices),
        ledger: account.finish(arch),
        devices,
        metadata,
    }
}

fn moved(kind: HopKind, from: At, to: At, by: Evidence, c: Count) -> Moved {
    Moved {
        count: c.count,
        ..hop(kind, from, to, by, c.bytes)
    }
}

/// What the rules conclude from sums of alike calls.
fn calls(
    counters: &Counters,
    arch: Arch,
    table: &CallTable,
    measured_receive: bool,
    rows: &mut Rows,
    account: &mut Account,
) {
    // Packets of UDP in one piece are copied without the tracepoint, others are not; which were is not told.
    let (mut datagrams, mut streams) = (Vec::<Moved>::new(), 0u64);
    for alike in &counters.calls {
        let cell = &alike.cell;
        let done = cell.calls - cell.errors;
        let Some(shape) = alike.shape(table) else {
            continue;
        };
        let facts = alike.facts(shape, arch);
        let rule = conclude(&facts);
        if shape.size == Size::Unknown && rule.is_some_and(|rule| !rule.does.steps().is_empty()) {
            account.unsized_calls(alike, shape, done);
        }
        if cell.bytes == 0 || done == 0 {
            continue;
        }
        if untold(alike, shape, &facts) {
            account.untold(alike.nr, cell.bytes, done);
            continue;
        }
        if shape.returns_bytes() {
            account.take(alike.nr, cell.bytes, done, rule);
        }
        let Some(rule) = rule else {
            continue;
        };
        for step in rule.does.steps() {
            let (Some(from), Some(to)) = (facts.place(step.1), facts.place(step.2)) else {
                continue;
            };
            let (from, to) = (At::from(&from), At::from(&to));
            let c = Count {
                count: done,
                bytes: cell.bytes,
            };
            let hop = moved(step.0, from, to, Evidence::Inferred(rule.id), c);
            let received = measured_receive && (from, to) == (At::Socket, At::User);
            match (received, facts.from.kind) {
                (false, _) => rows.add(&hop),
                (true, FileKind::Udp) => datagrams.push(hop),
                (true, _) => streams = streams.saturating_add(cell.bytes),
            }
        }
    }
    let measured = counters.sum(count::SKB, |_| true).bytes;
    let mut seen = measured.saturating_sub(streams);
    for mut hop in datagrams {
        let told = seen.min(hop.bytes);
        seen -= told;
        hop.bytes -= told;
        if hop.bytes > 0 {
            rows.add(&hop);
        }
    }
}

/// Calls of which counters do not tell what decides their way: which end of a pipe it was (`vmsplice`), what was
/// spliced into it (io_uring).
pub(super) fn untold(alike: &Calls, shape: Shape, facts: &Facts) -> bool {
    match shape.moves {
        Move::Vmsplice => true,
        Move::Splice => alike.nr & OPERATION != 0 && facts.from.kind == FileKind::Closed,
        _ => false,
    }
}

/// Hops of block devices; returns what was metadata.
fn block_io(
    counters: &Counters,
    hardware: &mut dyn Hardware,
    rows: &mut Rows,
    devices: &mut Devices,
    account: &mut Account,
) -> IoTotals {
    let mut metadata = IoTotals::default();
    for (key, c) in counters
        .counts
        .iter()
        .filter(|(key, _)| key.what == count::BLOCK)
    {
        let bits = u32::from(key.flags);
        let write = bits & bio::WRITE != 0;
        let device = hardware.disk(key.id);
        if PASS_ON.contains(&device.driver.as_str()) {
            continue;
        }
        devices.learn(device);
        let i = devices.find(DeviceClass::Block, key.id, || device.name.clone());
        // Memory outside the page cache: the program's, as direct I/O has it; or a device's own.
        let context = Context {
            user_memory: key.flags & count::BLOCK_BUFFER == 0,
            ..Context::default()
        };
        let Moves::Payload { memory, deferred } = classify(bits & 0xff, context) else {
            let (requests, bytes) = match write {
                true => (&mut metadata.write_requests, &mut metadata.write_bytes),
                false => (&mut metadata.read_requests, &mut metadata.read_bytes),
            };
            *requests += c.count;
            *bytes += c.bytes;
            continue;
        };
        devices.met(i, !write, c.bytes);
        let (kind, by) = match device.engine {
            Engine::Software => {
                let by_reference = key.flags & count::BLOCK_BY_REFERENCE != 0;
                let (kind, rule) = software(&device.driver, by_reference);
                (kind, Evidence::Inferred(rule))
            }
            _ if key.flags & count::BLOCK_HANDED_ON != 0 => {
                (HopKind::Dma, Evidence::Inferred(RuleId::HandedOn))
            }
            _ if key.flags & count::BLOCK_UNSEEN != 0 => {
                (HopKind::Dma, Evidence::Inferred(RuleId::IssuedRequestDone))
            }
            _ => (
                HopKind::Dma,
                Evidence::tracepoint(Tracepoint::block_rq_complete),
            ),
        };
        let (from, to) = if write {
            (memory, At::Disk(i))
        } else {
            (At::Disk(i), memory)
        };
        // What went through the page cache is no direct transfer.
        if !deferred && memory == At::User {
            account.device(c.bytes);
        }
        let mut hop = moved(kind, from, to, by, *c);
        hop.key.deferred = deferred;
        if key.flags & count::BLOCK_HANDED_ON != 0 {
            hop.key.deferred |= bits & bio::FILE != 0;
        }
        if key.flags & count::BLOCK_BUFFER != 0 {
            let by = Evidence::Inferred(RuleId::TargetBuffered);
            let mut copy = moved(HopKind::Copy, At::PageCache, At::Kernel, by, *c);
            copy.key.deferred = true;
            rows.add(&copy);
        }
        rows.add(&hop);
    }
    metadata
}
