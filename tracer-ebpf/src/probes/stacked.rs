//! Devices that are only software and hand their work on: loop to a file, the device mapper to other devices.
//!
//! Workers of the kernel do it. What they queue is told with the device, and the sector of it, that they do it
//! for; user space ties that to the request that the program made there.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{NO_OFFSET, bio};

use crate::kread::{load, probe};
use crate::maps::{BACKED, Backing, InodeKey, REMAPPED, SERVED, STACKED, Served, config, off};
use crate::probes::cache::{file_page, first_page};
use crate::tasks::current;
use crate::top::PF_KTHREAD;

/// `LOOP_MAJOR` (include/uapi/linux/major.h).
const LOOP: u32 = 7;
const MINOR_BITS: u32 = 20;
/// `LO_FLAGS_DIRECT_IO` (include/uapi/linux/loop.h).
const DIRECT_IO: u32 = 16;
const SECTOR_SHIFT: u32 = 9;
/// Indices of [`STACKED`].
const BY_FILE: u32 = 0;
const BY_REMAP: u32 = 1;

#[inline(always)]
fn any(which: u32) -> bool {
    // SAFETY: a map value.
    STACKED.get_ptr(which).is_some_and(|n| unsafe { *n } != 0)
}

#[inline(always)]
fn found(which: u32) {
    if let Some(n) = STACKED.get_ptr_mut(which) {
        // SAFETY: a map value.
        unsafe { *n = 1 };
    }
}

/// The program's I/O meets a disk: remembers what is below it, if it hands its work on. Returns bits of [`bio`].
#[inline(never)]
pub fn meets(gendisk: u64, disk: u32) -> u32 {
    if disk >> MINOR_BITS == LOOP {
        return loops(gendisk, disk).unwrap_or(0);
    }
    let fops: u64 = probe(gendisk, off!(disk_fops)).unwrap_or(0);
    let takes_bios = probe::<u64>(fops, off!(fops_submit_bio)).unwrap_or(0) != 0;
    if takes_bios && REMAPPED.get_ptr(disk).is_none() {
        let _ = REMAPPED.insert(disk, 1, 0);
        found(BY_REMAP);
    }
    0
}

#[inline(always)]
fn loops(gendisk: u64, disk: u32) -> Option<u32> {
    let device: u64 = probe(gendisk, off!(disk_private))?;
    let file: u64 = probe(device, off!(loop_file))?;
    let key = inode_of(probe(file, off!(file_mapping))?)?;
    let flags: u32 = probe(device, off!(loop_flags)).unwrap_or(0);
    let backing = Backing {
        offset: probe(device, off!(loop_offset))?,
        disk,
        pad: 0,
    };
    let _ = BACKED.insert(key, backing, 0);
    found(BY_FILE);
    let direct = flags & DIRECT_IO != 0;
    Some(if direct { bio::BY_REFERENCE } else { 0 })
}

#[inline(always)]
fn inode_of(mapping: u64) -> Option<InodeKey> {
    let host: u64 = probe(mapping, off!(mapping_host))?;
    let sb: u64 = probe(host, off!(inode_sb))?;
    Some(InodeKey {
        ino: probe(host, off!(inode_ino))?,
        dev: probe(sb, off!(sb_dev))?,
        pad: 0,
    })
}

/// What a bio serves that a task which is not the program's queues; left as it is if that is nothing.
#[inline(never)]
pub fn serves(b: u64, to: &mut Served) -> i32 {
    if any(BY_REMAP)
        && let Some(served) = SERVED.get_ptr(b)
    {
        // SAFETY: a map value.
        *to = unsafe { *served };
        let _ = SERVED.remove(b);
    }
    // Others read the file of a loop device, too: what the device asks for comes from kernel threads.
    if to.disk == 0
        && any(BY_FILE)
        && load::<u32>(current(), off!(task_flags)) & PF_KTHREAD != 0
        && let Some(served) = from_file(b)
    {
        *to = served;
    }
    0
}

#[inline(always)]
fn from_file(b: u64) -> Option<Served> {
    if let Some(page) = first_page(b).and_then(file_page) {
        let key = InodeKey {
            ino: page.ino,
            dev: page.dev,
            pad: 0,
        };
        if let Some(backing) = BACKED.get_ptr(key) {
            return served(backing, page.index << config!(page_shift), 1);
        }
    }
    // Past the page cache: the pages are those of the request, and the transfer leads to the file.
    if off!(dio_iocb) == NO_OFFSET {
        return None;
    }
    let dio: u64 = probe(b, off!(bio_private))?;
    let iocb: u64 = probe(dio, off!(dio_iocb))?;
    let file: u64 = probe(iocb, off!(kiocb_filp))?;
    let backing = BACKED.get_ptr(inode_of(probe(file, off!(file_mapping))?)?)?;
    served(backing, probe(iocb, off!(kiocb_pos))?, 0)
}

#[inline(always)]
fn served(file: *const Backing, position: u64, backing: u32) -> Option<Served> {
    // SAFETY: a map value.
    let file = unsafe { *file };
    Some(Served {
        sector: position.checked_sub(file.offset)? >> SECTOR_SHIFT,
        disk: file.disk,
        backing,
    })
}

/// `(bio, dev, from)`: what was asked of a device from this sector on is asked of another, by this bio.
#[btf_tracepoint]
pub fn block_bio_remap(ctx: BtfTracePointContext) -> i32 {
    if !any(BY_REMAP) {
        return 0;
    }
    let b: u64 = ctx.arg(0);
    let disk: u32 = ctx.arg(1);
    // Partitions are remapped, too, and are no devices of their own here.
    if REMAPPED.get_ptr(disk).is_some() {
        let served = Served {
            sector: ctx.arg(2),
            disk,
            backing: 0,
        };
        let _ = SERVED.insert(b, served, 0);
    }
    0
}
