//! Page faults.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::libc;
use nix::sys::mman::{
    MapFlags, MlockAllFlags, MmapAdvise, MsFlags, ProtFlags, madvise, mlockall, mmap, msync,
};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::scene::{Done, PAGE, PAYLOAD, Scene, anonymous, drop_cache, not_offered, offered};

/// A huge page of x86_64, and of aarch64 with small pages.
pub const HUGE: usize = 2 << 20;
const READ: ProtFlags = ProtFlags::PROT_READ;
const BOTH: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

fn map(file: &File, prot: ProtFlags, flags: MapFlags) -> Result<NonNull<u8>> {
    let size = NonZeroUsize::new(PAYLOAD).context("nothing to map")?;
    // SAFETY: the kernel chooses a free address; nobody truncates the file meanwhile.
    Ok(unsafe { mmap(None, size, prot, flags, file, 0)? }.cast())
}

fn read_pages(start: NonNull<u8>, length: usize) -> usize {
    for at in (0..length).step_by(PAGE) {
        // SAFETY: inside a readable mapping.
        unsafe { start.add(at).read_volatile() };
    }
    length
}

fn write_pages(start: NonNull<u8>, length: usize) -> usize {
    for at in (0..length).step_by(PAGE) {
        // SAFETY: inside a writable mapping.
        unsafe { start.add(at).write_volatile(1) };
    }
    length
}

fn advise(start: NonNull<u8>, length: usize, advice: MmapAdvise) -> Result<()> {
    // SAFETY: the range is mapped, and its content is not relied on.
    offered("madvise", unsafe { madvise(start.cast(), length, advice) })
}

pub fn zero_fill(scene: &mut Scene) -> Result<Done> {
    let start = anonymous(PAYLOAD, MapFlags::MAP_PRIVATE)?;
    advise(start, PAYLOAD, MmapAdvise::MADV_NOHUGEPAGE)?;
    scene.watch(start, PAYLOAD);
    scene.shot(|| Ok(write_pages(start, PAYLOAD)))
}

pub fn huge_page(scene: &mut Scene) -> Result<Done> {
    let start = anonymous(2 * HUGE, MapFlags::MAP_PRIVATE)?;
    let aligned = start.as_ptr().align_offset(HUGE);
    // SAFETY: twice the size was mapped.
    let start = unsafe { start.add(aligned) };
    advise(start, HUGE, MmapAdvise::MADV_HUGEPAGE)?;
    scene.watch(start, HUGE);
    let before = huge_allocated();
    let done = scene.shot(|| {
        // SAFETY: inside the mapping.
        unsafe { start.write_volatile(1) };
        Ok(HUGE)
    });
    match huge_allocated() > before {
        true => done,
        false => not_offered("no huge page was free"),
    }
}

fn huge_allocated() -> u64 {
    let text = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("thp_fault_alloc "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn mapped(scene: &mut Scene, prot: ProtFlags, flags: MapFlags) -> Result<(File, NonNull<u8>)> {
    let file = scene.file("source", PAYLOAD)?;
    let file = File::options().read(true).write(true).open(file)?;
    let start = map(&file, prot, flags)?;
    scene.watch(start, PAYLOAD);
    Ok((file, start))
}

pub fn map_read(scene: &mut Scene) -> Result<Done> {
    let (_file, start) = mapped(scene, READ, MapFlags::MAP_SHARED)?;
    scene.shot(|| Ok(read_pages(start, PAYLOAD)))
}

pub fn map_read_cold(scene: &mut Scene) -> Result<Done> {
    let (file, start) = mapped(scene, READ, MapFlags::MAP_SHARED)?;
    drop_cache(&file)?;
    scene.shot(|| Ok(read_pages(start, PAYLOAD)))
}

pub fn map_shared_write(scene: &mut Scene) -> Result<Done> {
    let (_file, start) = mapped(scene, BOTH, MapFlags::MAP_SHARED)?;
    scene.shot(|| {
        write_pages(start, PAYLOAD);
        // SAFETY: the whole mapping.
        unsafe { msync(start.cast(), PAYLOAD, MsFlags::MS_SYNC)? };
        Ok(PAYLOAD)
    })
}

pub fn map_private_write(scene: &mut Scene) -> Result<Done> {
    let (_file, start) = mapped(scene, BOTH, MapFlags::MAP_PRIVATE)?;
    scene.shot(|| Ok(write_pages(start, PAYLOAD)))
}

pub fn populate(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    scene.shot(|| map(&file, READ, MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE).map(|_| PAYLOAD))
}

pub fn populate_private(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    scene.shot(|| map(&file, BOTH, MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE).map(|_| PAYLOAD))
}

pub fn copy_after_fork(scene: &mut Scene) -> Result<Done> {
    let start = anonymous(PAYLOAD, MapFlags::MAP_PRIVATE)?;
    advise(start, PAYLOAD, MmapAdvise::MADV_NOHUGEPAGE)?;
    write_pages(start, PAYLOAD);
    scene.watch(start, PAYLOAD);
    scene.shot(|| {
        // SAFETY: the child only writes to memory, and leaves.
        match unsafe { fork()? } {
            ForkResult::Child => {
                write_pages(start, PAYLOAD);
                // SAFETY: ends the child without running what belongs to the parent.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => {
                let status = waitpid(child, None)?;
                ensure!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
                Ok(PAYLOAD)
            }
        }
    })
}

/// Pages of a private mapping that are on a swap device, touched again.
pub fn swap_in(scene: &mut Scene) -> Result<Done> {
    if std::fs::read_to_string("/proc/swaps").map_or(0, |text| text.lines().count()) < 2 {
        return not_offered("no swap");
    }
    // Only the pages that are watched go: the kernel counts what else is read in again, and on some file
    // systems (9p) a program's own text, too. An ordinary user may not lock as much; then it is tried anyway.
    let _ = mlockall(MlockAllFlags::MCL_CURRENT);
    let start = anonymous(PAYLOAD, MapFlags::MAP_PRIVATE)?;
    advise(start, PAYLOAD, MmapAdvise::MADV_NOHUGEPAGE)?;
    write_pages(start, PAYLOAD);
    scene.watch(start, PAYLOAD);
    let begin = Instant::now();
    // Pages on their way to the device stay in the swap cache: until all have been dropped.
    while resident(start) > 0 {
        // MADV_PAGEOUT
        // SAFETY: the content stays.
        let out = unsafe { libc::madvise(start.as_ptr().cast(), PAYLOAD, 21) };
        offered("MADV_PAGEOUT", nix::errno::Errno::result(out))?;
        // A page whose write is done stays in the swap cache until somebody needs room.
        let _ = std::fs::write("/sys/fs/cgroup/memory.reclaim", "16M");
        if begin.elapsed() > Duration::from_secs(10) {
            return not_offered("the kernel does not swap these pages out");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    scene.shot(|| Ok(read_pages(start, PAYLOAD)))
}

/// Pages of [`PAYLOAD`] bytes that are in memory, the swap cache included.
fn resident(start: NonNull<u8>) -> usize {
    let mut present = [0_u8; PAYLOAD / PAGE];
    // SAFETY: the vector has a byte for each page of the range.
    unsafe { libc::mincore(start.as_ptr().cast(), PAYLOAD, present.as_mut_ptr()) };
    present.iter().filter(|page| *page & 1 != 0).count()
}
