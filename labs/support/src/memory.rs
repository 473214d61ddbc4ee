//! Memory straight from the kernel, without malloc in between.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

const READ_WRITE: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

/// `len` bytes of new private memory, in whole pages; never given back.
pub fn anonymous(len: usize) -> nix::Result<&'static mut [u8]> {
    let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
    // SAFETY: a new mapping, at a place of the kernel's choice, overlaps nothing; it holds zeros,
    // and as nobody unmaps it, it lives as long as the program.
    unsafe {
        let start = mmap_anonymous(None, size, READ_WRITE, MapFlags::MAP_PRIVATE)?;
        Ok(std::slice::from_raw_parts_mut(start.as_ptr().cast(), len))
    }
}

/// The same, but shared with children: after a fork, there is still only one.
pub fn shared(len: usize) -> nix::Result<&'static mut [u8]> {
    let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
    // SAFETY: as in `anonymous`. Who writes when is the programs' affair: they wait for each other.
    unsafe {
        let start = mmap_anonymous(None, size, READ_WRITE, MapFlags::MAP_SHARED)?;
        Ok(std::slice::from_raw_parts_mut(start.as_ptr().cast(), len))
    }
}

/// Tells the kernel how these whole pages will be used.
pub fn advise(memory: &mut [u8], advice: MmapAdvise) -> nix::Result<()> {
    assert!(
        advice != MmapAdvise::MADV_DONTNEED,
        "that would change the bytes"
    );
    let len = memory.len();
    // SAFETY: the range is that of a slice, and its bytes stay as they are.
    unsafe { madvise(NonNull::from(memory).cast(), len, advice) }
}

/// All of a file, for reading; never unmapped. Nobody may shorten the file meanwhile.
pub fn map(file: &File, flags: MapFlags) -> io::Result<&'static [u8]> {
    map_with(file, ProtFlags::PROT_READ, flags).map(|bytes| &*bytes)
}

/// All of a file, for reading and for writing that nobody else will see (`MAP_PRIVATE`).
pub fn map_private(file: &File) -> io::Result<&'static mut [u8]> {
    map_with(file, READ_WRITE, MapFlags::MAP_PRIVATE)
}

fn map_with(file: &File, rights: ProtFlags, flags: MapFlags) -> io::Result<&'static mut [u8]> {
    let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
    // SAFETY: as in `anonymous`; a lab's files belong to this run alone, nobody changes them. Only
    // what was mapped for writing leaves this module as mutable.
    unsafe {
        let start = mmap(None, size, rights, flags, file, 0)?;
        Ok(std::slice::from_raw_parts_mut(start.as_ptr().cast(), len))
    }
}

/// Looks at a part of a file that is mapped for just this long; `at` is a multiple of a page.
pub fn with_mapped<T>(
    file: &File,
    at: usize,
    len: usize,
    look: impl FnOnce(&[u8]) -> T,
) -> nix::Result<T> {
    let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
    let at = i64::try_from(at).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the mapping is whole and unchanged while the slice lives: a lab's files belong to
    // this run alone, and it is undone only after the look.
    unsafe {
        let start = mmap(
            None,
            size,
            ProtFlags::PROT_READ,
            MapFlags::MAP_SHARED,
            file,
            at,
        )?;
        let seen = look(std::slice::from_raw_parts(start.as_ptr().cast(), len));
        munmap(start, len)?;
        Ok(seen)
    }
}
