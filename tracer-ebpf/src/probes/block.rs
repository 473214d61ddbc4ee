//! Block I/O. A bio is tied to its cause where it is queued (in the submitter's context); what a
//! device really did is told by the completion of the request that carries it.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{Block, Head, Proc, bio, flag, kind};

use crate::classify::{S_IFBLK, S_IFMT};
use crate::emit::{add, lost, recording, send};
use crate::kread::probe;
use crate::maps::{BIOS, DIRTIED, InodeKey, Served, TOP_DIRTIED, config, off};
use crate::probes::cache::{file_page, first_page, swap_backed, swapped};
use crate::probes::dma::issued;
use crate::probes::irq;
use crate::probes::stacked;
use crate::tasks::traced_or_worker;
use crate::top::{count_for, everyone, process, remember};

// include/linux/blk_types.h: the operation is the low byte; flag bits follow.
const REQ_OP_MASK: u32 = 0xff;
const REQ_OP_READ: u32 = 0;
const REQ_OP_WRITE: u32 = 1;
const REQ_SYNC: u32 = 1 << 11;
const REQ_META: u32 = 1 << 12;
const REQ_RAHEAD: u32 = 1 << 19;
const SECTOR_SHIFT: u32 = 9;
/// Instead of a sector: the bio from its first one on.
const WHOLE: u64 = u64::MAX;
/// Where the status is in the last argument of [`complete`]: a BPF function takes few arguments.
const STATUS_SHIFT: u32 = 24;
/// Bios looked at in one request; the rest of a longer one is seen when each bio completes.
const BIOS_PER_REQUEST: u32 = 64;

#[btf_tracepoint]
pub fn block_bio_queue(ctx: BtfTracePointContext) -> i32 {
    let b: u64 = ctx.arg(0);
    forget(b);
    queue(b);
    0
}

/// The bio at this address is a new one. If that of before is still remembered, its completion was not
/// seen: it is told now, and must not be taken for this one's.
#[inline(never)]
fn forget(b: u64) -> i32 {
    let Some(entry) = BIOS.get_ptr(b) else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        let mut r = *entry;
        r.bio |= bio::UNSEEN;
        done(&r);
    }
    let _ = BIOS.remove(b);
    0
}

#[inline(always)]
fn queue(b: u64) -> Option<()> {
    let opf: u32 = probe(b, off!(bio_opf))?;
    let op = opf & REQ_OP_MASK;
    let bytes: u32 = probe(b, off!(bio_size))?;
    if op > REQ_OP_WRITE || bytes == 0 {
        return None;
    }
    let task = if everyone() { None } else { traced_or_worker() };
    let mut served = Served::NOTHING;
    if task.is_none() && !everyone() {
        stacked::serves(b, &mut served);
    }
    // A reader is its own submitter, but where a device hands its work on; only writes come from elsewhere.
    if task.is_none() && !everyone() && op == REQ_OP_READ && served.disk == 0 {
        return None;
    }
    let mut flags = if op == REQ_OP_WRITE { bio::WRITE } else { 0 };
    for (bit, to) in [
        (REQ_SYNC, bio::SYNC),
        (REQ_META, bio::META),
        (REQ_RAHEAD, bio::READAHEAD),
    ] {
        if opf & bit != 0 {
            flags |= to;
        }
    }
    let mut out = Block {
        head: Head {
            kind: kind::BLOCK,
            ..Head::NONE
        },
        issued: 0,
        completed: 0,
        sector: probe(b, off!(bio_sector))?,
        bytes,
        disk: 0,
        bio: flags,
        status: 0,
        ino: 0,
        index: 0,
        dev: 0,
        bios: 1,
        upper_sector: served.sector,
        upper: served.disk,
        reserved: 0,
    };
    let first = first_page(b);
    match first.and_then(file_page) {
        Some(page) => {
            out.bio |= if page.mode & S_IFMT == S_IFBLK && served.disk == 0 {
                bio::BDEV
            } else {
                bio::FILE
            };
            out.ino = page.ino;
            out.index = page.index;
            out.dev = page.dev;
        }
        None => {
            out.bio |= bio::ANON;
            if first.is_some_and(swapped) {
                out.bio |= bio::SWAP;
            }
            if !first.is_some_and(swap_backed) {
                out.bio |= bio::BUFFER;
            }
        }
    }
    match task {
        Some(t) => {
            // SAFETY: a map value.
            out.head = unsafe { crate::tasks::head(t, kind::BLOCK, 0) };
        }
        None if everyone() => cause(&mut out)?,
        None => {
            out.head.flags = flag::ELSEWHERE;
            // Pages that the program made dirty are its own, whatever they go through.
            match dirtier(&out) {
                Some(tgid) if served.backing == 0 => {
                    out.head.tgid = tgid;
                    out.upper = 0;
                }
                _ if served.disk == 0 => return None,
                _ => {}
            }
        }
    }
    let bdev: u64 = probe(b, off!(bio_bdev))?;
    let disk: u64 = probe(bdev, off!(bdev_disk))?;
    let major: u32 = probe(disk, off!(disk_major))?;
    let minor: u32 = probe(disk, off!(disk_minor))?;
    out.disk = major << 20 | minor;
    if !everyone() {
        out.bio |= stacked::meets(disk, out.disk);
    }
    // SAFETY: a helper without preconditions.
    out.head.ts = unsafe { bpf_ktime_get_ns() };
    if BIOS.insert(b, out, 0).is_err() {
        lost(&out.head);
    }
    Some(())
}

/// Which process made the file dirty that the pages of a write belong to.
#[inline(always)]
fn dirtier(out: &Block) -> Option<u32> {
    let written = bio::WRITE | bio::FILE;
    if out.bio & written != written {
        return None;
    }
    let tgid = DIRTIED.get_ptr(InodeKey {
        ino: out.ino,
        dev: out.dev,
        pad: 0,
    })?;
    // SAFETY: a map value.
    Some(unsafe { *tgid })
}

/// `top`: whose I/O it is: of who made the file dirty, else of who asks for it.
#[inline(always)]
fn cause(out: &mut Block) -> Option<()> {
    let mut proc = process()?;
    let written = bio::WRITE | bio::FILE;
    if out.bio & written == written {
        let key = InodeKey {
            ino: out.ino,
            dev: out.dev,
            pad: 0,
        };
        if let Some(dirtier) = TOP_DIRTIED.get_ptr(key) {
            // SAFETY: a map value.
            let dirtier = unsafe { *dirtier };
            if dirtier != proc {
                out.head.flags = flag::ELSEWHERE;
                proc = dirtier;
            }
        }
    }
    if out.head.flags == 0 {
        remember(&proc, false);
    }
    out.head.tgid = proc.tgid;
    out.head.seq = proc.start;
    Some(())
}

/// The device mapper cuts off what it has handed on, and goes on with the same bio: it is told as a whole
/// when it is done.
#[inline(always)]
fn is_rest(b: u64) -> bool {
    let Some(entry) = BIOS.get_ptr(b) else {
        return false;
    };
    let end = |sector: u64, bytes: u32| sector + (bytes >> SECTOR_SHIFT) as u64;
    match (probe(b, off!(bio_sector)), probe(b, off!(bio_size))) {
        // SAFETY: a map value.
        (Some(sector), Some(bytes)) => unsafe {
            (*entry).issued == 0
                && sector > (*entry).sector
                && end(sector, bytes) == end((*entry).sector, (*entry).bytes)
        },
        _ => false,
    }
}

/// The first part of a bio that was too large goes on under a new address; `bi_private` leads to
/// the parent (`bio_chain`).
#[btf_tracepoint]
pub fn block_split(ctx: BtfTracePointContext) -> i32 {
    let part: u64 = ctx.arg(0);
    if is_rest(part) {
        return 0;
    }
    forget(part);
    if let Some(parent) = probe::<u64>(part, off!(bio_private))
        && let Some(p) = BIOS.get_ptr_mut(parent)
    {
        // SAFETY: map values.
        unsafe {
            let mut first = *p;
            renew(&mut first, part);
            renew(&mut *p, parent);
            if BIOS.insert(part, first, 0).is_err() {
                lost(&first.head);
            }
        }
    }
    0
}

/// The bio has become shorter since it was remembered: it was split, or a part of it is done.
#[inline(always)]
fn renew(entry: &mut Block, b: u64) {
    if let (Some(sector), Some(bytes)) = (probe(b, off!(bio_sector)), probe(b, off!(bio_size))) {
        entry.index += pages_to(entry, sector);
        entry.sector = sector;
        entry.bytes = bytes;
    }
}

/// How far into the bio a sector is, pages.
#[inline(always)]
fn pages_to(entry: &Block, sector: u64) -> u64 {
    (sector.wrapping_sub(entry.sector) << SECTOR_SHIFT) >> config!(page_shift)
}

#[btf_tracepoint]
pub fn block_rq_issue(ctx: BtfTracePointContext) -> i32 {
    let rq: u64 = ctx.arg(0);
    // SAFETY: a helper without preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    let first: u64 = probe(rq, off!(rq_bio)).unwrap_or(0);
    let mut b = first;
    for _ in 0..BIOS_PER_REQUEST {
        if b == 0 {
            break;
        }
        b = issue_bio(b, now);
    }
    if recording() {
        issued(rq, first);
    }
    0
}

/// One bio of a request that was issued `now`; returns the next one, or 0.
///
/// Global, which to the verifier means: checked once, by itself. As a part of the loop it would be
/// checked again for each way through the bios before (Linux 6.1: 400,000 instructions).
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn issue_bio(b: u64, now: u64) -> u64 {
    if let Some(entry) = BIOS.get_ptr_mut(b) {
        // SAFETY: a map value.
        unsafe {
            (*entry).issued = now;
            renew(&mut *entry, b);
        }
    }
    probe(b, off!(bio_next)).unwrap_or(0)
}

#[btf_tracepoint]
pub fn block_rq_complete(ctx: BtfTracePointContext) -> i32 {
    let rq: u64 = ctx.arg(0);
    let status: u32 = ctx.arg::<u64>(1) as u32 & 0xff;
    let mut left: u32 = ctx.arg(2);
    let mut b: u64 = probe(rq, off!(rq_bio)).unwrap_or(0);
    let mut more = 0;
    for _ in 0..BIOS_PER_REQUEST {
        if b == 0 || left == 0 {
            break;
        }
        let next: u64 = probe(b, off!(bio_next)).unwrap_or(0);
        let done = complete_bio(b, left, more | status << STATUS_SHIFT);
        left = done as u32;
        if done & FOUND != 0 {
            more = bio::CONTINUED;
        }
        b = next;
    }
    0
}

/// In what [`complete_bio`] returns: the bio is the program's.
const FOUND: u64 = 1 << 32;

/// One bio of a completed request of which `left` bytes are not accounted for yet; returns how many
/// are after it.
///
/// Global for the same reason as [`issue_bio`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn complete_bio(b: u64, left: u32, how: u32) -> u64 {
    let size: u32 = probe(b, off!(bio_size)).unwrap_or(0);
    let after = left.saturating_sub(size) as u64;
    if BIOS.get_ptr(b).is_none() {
        return after;
    }
    let done = if size <= left { size } else { left };
    complete(b, probe(b, off!(bio_sector)).unwrap_or(WHOLE), done, how);
    if done == size {
        let _ = BIOS.remove(b);
    }
    after | FOUND
}

/// Bios of drivers that take no requests, and those beyond [`BIOS_PER_REQUEST`].
#[btf_tracepoint]
pub fn block_bio_complete(ctx: BtfTracePointContext) -> i32 {
    let b: u64 = ctx.arg(1);
    if let Some(entry) = BIOS.get_ptr(b) {
        // SAFETY: a map value.
        let (bytes, issued) = unsafe { ((*entry).bytes, (*entry).issued) };
        let kind = if issued == 0 {
            bio::BIO_BASED
        } else {
            bio::CONTINUED
        };
        // The bio has advanced to its end by now: it is told as a whole.
        // One that the block layer refused (a direct read into an odd address, on 6.18) ends here too.
        let status: u8 = probe(b, off!(bio_status)).unwrap_or(0);
        complete(b, WHOLE, bytes, kind | u32::from(status) << STATUS_SHIFT);
        let _ = BIOS.remove(b);
    }
    0
}

#[inline(never)]
fn complete(b: u64, sector: u64, bytes: u32, how: u32) -> i32 {
    let (flags, status) = (how & ((1 << STATUS_SHIFT) - 1), how >> STATUS_SHIFT);
    let Some(entry) = BIOS.get_ptr(b) else {
        return 0;
    };
    // SAFETY: a map value, a helper without preconditions.
    unsafe {
        let mut r = *entry;
        // How far into the bio: its first part may have gone with another request.
        let sector = if sector == WHOLE { r.sector } else { sector };
        r.index += pages_to(&r, sector);
        r.completed = bpf_ktime_get_ns();
        r.sector = sector;
        r.bytes = bytes;
        r.bio |= flags;
        r.status = status;
        if recording() {
            r.reserved = irq::under_way();
        }
        done(&r);
    }
    0
}

/// What there is to say of a bio: sent, or (`stat`) counted.
#[inline(always)]
fn done(r: &Block) {
    if recording() {
        return send(&r.head, r);
    }
    if let Some(key) = r.counter() {
        if everyone() {
            let proc = Proc {
                tgid: r.head.tgid,
                start: r.head.seq,
            };
            count_for(proc, key, r.requests(), r.bytes as u64);
            return;
        }
        add(key, r.requests(), r.bytes as u64);
    }
}
