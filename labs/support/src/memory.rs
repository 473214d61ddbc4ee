//! Memory straight from the kernel, without malloc in between.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::FromRawFd;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{
    MRemapFlags, MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, mremap, munmap,
};

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

/// The same `len` bytes of new memory at two addresses: what is written at one is there at the other.
pub fn twice(len: usize) -> io::Result<[&'static [Cell<u8>]; 2]> {
    // SAFETY: the name ends with a zero; the descriptor is new, and ours alone.
    let file = unsafe {
        let fd = nix::libc::memfd_create(c"views".as_ptr(), 0);
        File::from_raw_fd(Errno::result(fd)?)
    };
    file.set_len(len as u64)?;
    let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
    let view = || -> nix::Result<&'static [Cell<u8>]> {
        // SAFETY: new mappings, never undone; that there are two of them, `Cell` allows.
        unsafe {
            let start = mmap(None, size, READ_WRITE, MapFlags::MAP_SHARED, &file, 0)?;
            Ok(std::slice::from_raw_parts(start.as_ptr().cast(), len))
        }
    };
    Ok([view()?, view()?])
}

/// Gives memory of [`anonymous`] back.
pub fn unmap(memory: &'static mut [u8]) -> nix::Result<()> {
    let len = memory.len();
    // SAFETY: the mapping is the caller's alone, who gives it away.
    unsafe { munmap(NonNull::from(memory).cast(), len) }
}

/// Makes memory of [`anonymous`] larger: in its place, or at another address. Its pages stay what they are.
pub fn resized(memory: &'static mut [u8], len: usize) -> nix::Result<&'static mut [u8]> {
    let (start, old) = (NonNull::from(&mut *memory).cast(), memory.len());
    // SAFETY: the mapping is the caller's alone, who gives it away; what is new of it holds zeros.
    unsafe {
        let start = mremap(start, old, len, MRemapFlags::MREMAP_MAYMOVE, None)?;
        Ok(std::slice::from_raw_parts_mut(start.as_ptr().cast(), len))
    }
}
