//! The page cache: pages inserted, pages made dirty.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{Dirty, NO_OFFSET, Proc, Task, count, kind};

use crate::classify::{S_IFBLK, S_IFMT};
use crate::emit::{count, lost, recording, send};
use crate::inner;
use crate::kread::probe;
use crate::maps::{DIRTIED, InodeKey, TOP_DIRTIED, config, off};
use crate::tasks::{traced, traced_or_worker};
use crate::top::{self, everyone, process};

/// `PG_head` (include/linux/page-flags.h: bit 6 from 6.1 on): the folio is larger than a page.
const PG_HEAD: u64 = 1 << 6;

/// A file system that is on no block device has a device number whose major part is 0.
const MINOR_BITS: u32 = 20;
// include/uapi/linux/magic.h
const NFS: u32 = 0x6969;
const SMB: u32 = 0xFF53_4D42;
const SMB2: u32 = 0xFE53_4D42;
const CEPH: u32 = 0x00C3_6400;
const AFS: u32 = 0x5346_414F;
const KAFS: u32 = 0x6B41_4653;

/// Where a page of a file belongs.
#[derive(Clone, Copy)]
pub struct FilePage {
    pub ino: u64,
    pub index: u64,
    pub dev: u32,
    pub mode: u16,
    pub pages: u32,
}

impl FilePage {
    /// Not of a file's own: a block device's, or an inode's that only the file system knows (btrfs keeps its
    /// trees in one, whose mode is 0).
    #[inline(always)]
    pub fn is_metadata(&self) -> bool {
        matches!(self.mode & S_IFMT, S_IFBLK | 0)
    }
}

/// Reads a folio's place in its file; `None` if it belongs to none (anonymous memory).
#[inline(always)]
pub fn file_page(folio: u64) -> Option<FilePage> {
    let mapping: u64 = probe(folio, off!(folio_mapping))?;
    // Low bits mark anonymous and movable pages (PAGE_MAPPING_FLAGS).
    if mapping == 0 || mapping & 3 != 0 {
        return None;
    }
    let host: u64 = probe(mapping, off!(mapping_host))?;
    let sb: u64 = probe(host, off!(inode_sb))?;
    Some(FilePage {
        ino: probe(host, off!(inode_ino))?,
        index: probe(folio, off!(folio_index))?,
        dev: probe(sb, off!(sb_dev))?,
        mode: probe(host, off!(inode_mode))?,
        pages: pages(folio),
    })
}

/// Whether the file is one of a network file system whose client copies what its server sends out of packets. (9p is
/// not among them: its transport may hand the pages themselves to a device.)
#[inline(never)]
fn over_network(folio: u64) -> bool {
    let magic = || {
        let mapping: u64 = probe(folio, off!(folio_mapping))?;
        let host: u64 = probe(mapping, off!(mapping_host))?;
        let sb: u64 = probe(host, off!(inode_sb))?;
        probe::<u32>(sb, off!(sb_magic))
    };
    matches!(magic(), Some(NFS | SMB | SMB2 | CEPH | AFS | KAFS))
}

/// Address of the folio of a bio's first page.
#[inline(always)]
pub fn first_page(b: u64) -> Option<u64> {
    let vecs: u64 = probe(b, off!(bio_io_vec))?;
    let i: u32 = probe(b, off!(bio_idx))?;
    // struct bio_vec { struct page *bv_page; unsigned int bv_len, bv_offset; } is 16 bytes.
    let page: u64 = probe(vecs.wrapping_add(i as u64 * 16), off!(bvec_page))?;
    let compound: u64 = probe(page, off!(page_compound_head))?;
    // A tail page's value is odd: its head, or (in newer kernels, where that saves memory) what its own
    // address is to be masked with: all ones above the size of the largest folio's `struct page`s.
    const MASK: u64 = u64::MAX << 25;
    Some(match compound {
        _ if compound & 1 == 0 => page,
        mask if mask & MASK == MASK => page & mask,
        head => head - 1,
    })
}

/// Whether a bit of a page's flags is set; false if this kernel has no such bit.
#[inline(always)]
fn flagged(page: u64, bit: u32) -> bool {
    let flags: u64 = probe(page, off!(page_flags)).unwrap_or(0);
    bit < u64::BITS && flags >> bit & 1 != 0
}

/// Whether a page goes to swap when there is no room for it: anonymous memory, shmem.
#[inline(always)]
pub fn swap_backed(page: u64) -> bool {
    flagged(page, config!(swap_backed))
}

/// Whether a folio that belongs to no file is on its way to or from a swap device: it is in the swap cache,
/// or (read back past that) in no program's memory yet.
#[inline(always)]
pub fn swapped(folio: u64) -> bool {
    // The bit of the swap cache means other things on pages that are not swapped.
    swap_backed(folio)
        && (flagged(folio, config!(swap_cache)) || probe(folio, off!(folio_mapping)) == Some(0_u64))
}

/// How many pages a folio has.
#[inline(always)]
pub fn pages(folio: u64) -> u32 {
    let flags: u64 = probe(folio, off!(page_flags)).unwrap_or(0);
    if flags & PG_HEAD == 0 {
        return 1;
    }
    let order = if off!(folio_order) != NO_OFFSET {
        probe::<u8>(folio, off!(folio_order)).unwrap_or(0)
    } else {
        probe::<u8>(folio, off!(folio_flags_1)).unwrap_or(0)
    };
    if order > 20 { 1 } else { 1 << order }
}

#[btf_tracepoint]
pub fn mm_filemap_add_to_page_cache(ctx: BtfTracePointContext) -> i32 {
    let folio: u64 = ctx.arg(0);
    if everyone() {
        let pages = pages(folio) as u64;
        let bytes = pages << config!(page_shift);
        top::count(count::CACHED, (pages > 1) as u16, 1, bytes);
        return 0;
    }
    let Some(t) = traced() else { return 0 };
    let Some(page) = file_page(folio) else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        if page.is_metadata() {
            (*t).meta_pages += page.pages;
        } else {
            (*t).cache_pages += page.pages;
            if page.dev >> MINOR_BITS == 0 && over_network(folio) {
                (*t).network_pages += page.pages;
            }
            if let Some(f) = inner::under_way(t) {
                (*f).cache_pages += page.pages;
            }
        }
        (*t).has_extra = 1;
    }
    0
}

#[btf_tracepoint]
pub fn writeback_dirty_folio(ctx: BtfTracePointContext) -> i32 {
    let folio: u64 = ctx.arg(0);
    if everyone() {
        dirtied(folio);
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    let Some(page) = file_page(folio) else {
        return 0;
    };
    if page.is_metadata() {
        return 0;
    }
    // SAFETY: a map value.
    unsafe {
        if !recording() {
            count(
                count::DIRTY,
                0,
                0,
                page.pages as u64,
                (page.pages as u64) << config!(page_shift),
            );
        }
        let n = (*t).dirty_pages;
        if n != 0
            && (*t).dirty_ino == page.ino
            && (*t).dirty_dev == page.dev
            && (*t).dirty_index + n as u64 == page.index
        {
            (*t).dirty_pages = n + page.pages;
            return 0;
        }
        flush_dirty(t);
        (*t).dirty_ino = page.ino;
        (*t).dirty_dev = page.dev;
        (*t).dirty_index = page.index;
        (*t).dirty_pages = page.pages;
        let key = InodeKey {
            ino: page.ino,
            dev: page.dev,
            pad: 0,
        };
        let tgid = (*t).tgid;
        if DIRTIED.insert(key, tgid, 0).is_err() {
            lost(&crate::tasks::head(t, kind::DIRTY, 0));
        }
        // A worker's call has no end of its own that would send it.
        if (*t).flags & tracer_ebpf::task::IO_THREAD != 0 {
            flush_dirty(t);
        }
    }
    0
}

/// `top`: the current process made a page dirty.
#[inline(always)]
fn dirtied(folio: u64) -> Option<()> {
    let proc = process()?;
    let page = file_page(folio)?;
    if proc == Proc::KERNEL || page.is_metadata() {
        return None;
    }
    let key = InodeKey {
        ino: page.ino,
        dev: page.dev,
        pad: 0,
    };
    // SAFETY: a map value.
    let known = TOP_DIRTIED
        .get_ptr(key)
        .is_some_and(|p| unsafe { *p == proc });
    if !known {
        let _ = TOP_DIRTIED.insert(key, proc, 0);
    }
    Some(())
}

/// Sends the range of dirty pages gathered so far.
#[inline(always)]
pub unsafe fn flush_dirty(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        if (*t).dirty_pages != 0 {
            if recording() {
                let head = crate::tasks::head(t, kind::DIRTY, bpf_ktime_get_ns());
                let r = Dirty {
                    head,
                    ino: (*t).dirty_ino,
                    index: (*t).dirty_index,
                    dev: (*t).dirty_dev,
                    pages: (*t).dirty_pages,
                };
                send(&head, &r);
            }
            (*t).dirty_pages = 0;
        }
    }
}
