//! The rules for page faults, after `mm/memory.c`.
//!
//! What a fault did is told by what it allocated (the allocator zeroed the pages, or left them to be
//! filled), by which counters of the address space it moved, and by the `filemap` tracepoints. Some
//! facts about Linux 6.1 … 6.18 that the rows rest on:
//!
//! - `do_anonymous_page` takes single pages zeroed from the allocator. Large folios and huge pages
//!   come from it unzeroed, and are zeroed afterwards (`folio_zero_user`): they look like pages to be
//!   filled by a copy, but no copy of user memory ever makes more than one page.
//! - A read of untouched anonymous memory maps the shared page of zeros and counts nothing.
//! - `do_cow_fault` (first write to a private file page) and `wp_page_copy` (write to a page that is
//!   mapped read-only) copy exactly one page. The first retries after waiting for I/O and allocates
//!   again, so one page is right even where two were allocated.
//! - `wp_page_copy` moves the file (or shmem) and the anonymous counter when the page was a file's,
//!   and none when it was anonymous.
//! - Pages that the fault put into the page cache were allocated unzeroed, too: they are subtracted.
//! - shmem zeroes its new pages itself, and tells no page-cache tracepoint of them.

use tracer_ebpf::{Fault, NO_ERROR_CODE, esr, rss};

use crate::arch::Arch;
use crate::catalogue::{RuleId, Tracepoint};
use crate::model::{HopKind, Place};

/// What is known of one fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultFacts {
    /// The page was mapped, but did not allow the access.
    pub present: bool,
    pub write: bool,
    /// Nobody touched the page: the kernel asked for it, and no exception says when that began.
    pub asked: bool,
    /// Bytes that the allocator zeroed.
    pub zeroed: u64,
    /// Bytes allocated for the program's own pages, not zeroed by the allocator.
    pub fresh: u64,
    /// Pages were put into the page cache.
    pub cached: bool,
    pub filemap: bool,
    pub around_pages: u64,
    /// Bits of [`rss`]; `None` if this kernel does not tell.
    pub rss: Option<u32>,
    /// The kernel has the `filemap` fault tracepoints.
    pub filemap_known: bool,
    /// The fault was handled (a counter of the task moved).
    pub handled: bool,
    /// It waited for I/O.
    pub major: bool,
    pub page: u64,
}

/// Which hooks for faults are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultProbes {
    /// `rss_stat`, telling every change (from Linux 6.2).
    pub rss: bool,
    /// `mm_filemap_fault`, `mm_filemap_map_pages`.
    pub filemap: bool,
}

impl FaultFacts {
    pub fn of(fault: &Fault, arch: Arch, page_size: u64, probes: FaultProbes) -> Self {
        let cached = u64::from(fault.cache_pages).saturating_mul(page_size);
        let fresh = fault.unzeroed.saturating_sub(cached);
        // Where nobody tells whether the page was there: it was if another one took its place.
        let replaced = || {
            let more = fault.rss == rss::ANON || !probes.rss && fault.filemap & 1 != 0;
            !more && fresh > 0
        };
        let (present, write) = match fault.error_code {
            // Nobody touched the page.
            NO_ERROR_CODE => (replaced(), fresh > 0),
            code => {
                let (present, write) = access(arch, code);
                (present.unwrap_or_else(|| write && replaced()), write)
            }
        };
        Self {
            present,
            write,
            asked: fault.error_code == NO_ERROR_CODE,
            zeroed: fault.zeroed,
            fresh,
            cached: cached != 0,
            filemap: fault.filemap & 1 != 0,
            around_pages: u64::from(fault.around_pages),
            rss: probes.rss.then_some(fault.rss),
            filemap_known: probes.filemap,
            handled: fault.min_flt != 0 || fault.maj_flt != 0,
            major: fault.maj_flt != 0,
            page: page_size,
        }
    }

    /// Exactly these counters moved.
    fn moved(&self, members: u32) -> bool {
        self.rss == Some(members)
    }
}

/// `(present, write)` from an architecture's error code; `None`: it does not tell.
fn access(arch: Arch, code: u32) -> (Option<bool>, bool) {
    match arch {
        // X86_PF_PROT, X86_PF_WRITE.
        Arch::X86_64 => (Some(code & 1 != 0), code & 2 != 0),
        // ESR_EL1: fault status 0b0011xx is a permission fault; WnR.
        Arch::Aarch64 => {
            let told = code & esr::STATUS != 0;
            let present = told.then_some(code & 0x3C == 0x0C);
            (present, code & esr::WRITE != 0)
        }
    }
}

/// One row of the table.
pub struct FaultRule {
    pub id: RuleId,
    pub when: fn(&FaultFacts) -> bool,
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    /// Bytes.
    pub bytes: fn(&FaultFacts) -> u64,
    /// The probe that measured it; otherwise the rule inferred it.
    pub probe: Option<Tracepoint>,
}

/// Large folios have at least this many pages (`do_anonymous_page` uses order 2 and up).
const LARGE_PAGES: u64 = 4;
/// A huge page of 4 KiB pages, for kernels that don't tell the counters.
const HUGE_PAGES: u64 = 512;

fn zeroed(f: &FaultFacts) -> bool {
    f.zeroed > 0
}

fn large_folio(f: &FaultFacts) -> bool {
    let alone = !f.filemap && f.around_pages == 0 && !f.cached;
    let large = match f.rss {
        Some(moved) => moved == rss::ANON && f.fresh >= LARGE_PAGES * f.page,
        None => f.fresh >= HUGE_PAGES * f.page,
    };
    alone && large
}

/// A write to a page that was mapped read-only got a page of its own.
fn write_protected(f: &FaultFacts) -> bool {
    f.present && f.write && f.fresh >= f.page && !large_folio(f)
}

fn cow_of_file(f: &FaultFacts) -> bool {
    write_protected(f) && f.moved(rss::FILE | rss::ANON)
}

fn cow_of_shmem(f: &FaultFacts) -> bool {
    write_protected(f) && f.moved(rss::SHMEM | rss::ANON)
}

fn cow_of_anonymous(f: &FaultFacts) -> bool {
    write_protected(f) && (f.moved(0) || f.moved(rss::ANON))
}

fn cow_of_unknown(f: &FaultFacts) -> bool {
    write_protected(f) && f.rss.is_none()
}

/// The first access to a page of a private mapping was a write that got a page of its own.
fn first_write(f: &FaultFacts) -> bool {
    !f.present && f.write && f.fresh >= f.page && !large_folio(f)
}

fn private_file(f: &FaultFacts) -> bool {
    let file = f.filemap || !f.filemap_known;
    first_write(f) && file && f.rss.is_none_or(|moved| moved == rss::ANON)
}

fn private_shmem(f: &FaultFacts) -> bool {
    first_write(f) && f.filemap_known && !f.filemap && f.moved(rss::ANON)
}

fn shmem_new(f: &FaultFacts) -> bool {
    f.moved(rss::SHMEM) && f.fresh > 0 && !f.major
}

fn shmem_mapped(f: &FaultFacts) -> bool {
    f.moved(rss::SHMEM)
}

fn file_mapped(f: &FaultFacts) -> bool {
    match f.rss {
        // What begins with fault-around itself begins too late for the counter, which moved just before.
        Some(0) if f.asked && f.around_pages > 0 => true,
        Some(moved) => moved & rss::FILE != 0 && !f.present,
        None => (f.around_pages > 0 || f.filemap) && !first_write(f),
    }
}

fn around(f: &FaultFacts) -> bool {
    file_mapped(f) && f.around_pages > 0
}

fn single(f: &FaultFacts) -> bool {
    file_mapped(f) && f.around_pages == 0
}

fn zero_page(f: &FaultFacts) -> bool {
    let untouched = f.zeroed == 0 && f.fresh == 0 && !f.filemap && f.around_pages == 0;
    f.handled && !f.present && !f.write && !f.major && untouched && f.filemap_known && f.moved(0)
}

fn one_page(f: &FaultFacts) -> u64 {
    f.page
}

fn range(f: &FaultFacts) -> u64 {
    f.around_pages.max(1).saturating_mul(f.page)
}

/// A new page was not among those around: what was, another fault had mapped.
fn shmem_range(f: &FaultFacts) -> u64 {
    match shmem_new(f) {
        true => f.fresh.max(f.page),
        false => range(f),
    }
}

/// The rules for page faults. Every row that fits adds a hop.
#[rustfmt::skip] // a table
pub static RULES: &[FaultRule] = &[
    FaultRule { id: RuleId::FirstTouchZeroed, when: zeroed, kind: HopKind::Fill, from: Place::Zero, to: Place::User,
        bytes: |f| f.zeroed, probe: Some(Tracepoint::mm_page_alloc) },
    FaultRule { id: RuleId::LargeFolioZeroed, when: large_folio, kind: HopKind::Fill, from: Place::Zero, to: Place::User,
        bytes: |f| f.fresh, probe: None },
    FaultRule { id: RuleId::CowFaultCopied, when: cow_of_anonymous, kind: HopKind::Copy, from: Place::User, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::CowFilePageCopied, when: cow_of_file, kind: HopKind::Copy, from: Place::PageCache, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::CowShmemPageCopied, when: cow_of_shmem, kind: HopKind::Copy, from: Place::Shmem, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::CowUnknownPageCopied, when: cow_of_unknown, kind: HopKind::Copy, from: Place::User, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::PrivateFileWriteCopied, when: private_file, kind: HopKind::Copy, from: Place::PageCache, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::PrivateShmemWriteCopied, when: private_shmem, kind: HopKind::Copy, from: Place::Shmem, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::ShmemPageZeroed, when: shmem_new, kind: HopKind::Fill, from: Place::Zero, to: Place::Shmem,
        bytes: |f| f.fresh, probe: None },
    FaultRule { id: RuleId::ShmemPageMapped, when: shmem_mapped, kind: HopKind::Map, from: Place::Shmem, to: Place::User,
        bytes: shmem_range, probe: None },
    FaultRule { id: RuleId::FaultAroundRange, when: around, kind: HopKind::Map, from: Place::PageCache, to: Place::User,
        bytes: range, probe: None },
    FaultRule { id: RuleId::FilePageMapped, when: single, kind: HopKind::Map, from: Place::PageCache, to: Place::User,
        bytes: one_page, probe: None },
    FaultRule { id: RuleId::ZeroPageMapped, when: zero_page, kind: HopKind::Map, from: Place::Zero, to: Place::User,
        bytes: one_page, probe: None },
];

/// The hops of a fault.
pub fn conclude(facts: &FaultFacts) -> impl Iterator<Item = &'static FaultRule> {
    let facts = *facts;
    RULES.iter().filter(move |rule| (rule.when)(&facts))
}
