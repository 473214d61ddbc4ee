//! Reading memory: all of the programs' loads through kernel pointers, and of numbers in the traced program's
//! memory, are here.

use core::mem::MaybeUninit;

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::helpers::generated::{
    bpf_probe_read_kernel as bpf_probe_read_kernel_raw, bpf_probe_read_user,
};
use tracer_ebpf::NO_OFFSET;

use crate::maps::reg;

/// A load through a pointer that the verifier knows the type of (an argument of the tracepoint, the
/// current task, or a pointer reached from one). A fault reads as 0.
///
/// The offset must be an [`off!`](crate::maps::off) or [`reg!`](crate::maps::reg) value: the
/// verifier has to know it.
#[inline(always)]
pub fn load<T: Copy>(base: *const u8, offset: u32) -> T {
    // SAFETY: the verifier checks type and bounds, and turns the load into one that cannot fault.
    unsafe { core::ptr::read_volatile(base.wrapping_add(offset as usize).cast::<T>()) }
}

/// The same of a field that some kernels lack: 0 there.
#[inline(always)]
pub fn typed<T: Copy + Default>(base: *const u8, offset: u32) -> T {
    if offset == NO_OFFSET {
        return T::default();
    }
    load(base, offset)
}

/// A checked read at any kernel address. `None` if the field does not exist here or the read faults.
#[inline(always)]
pub fn probe<T: Copy>(base: u64, offset: u32) -> Option<T> {
    if offset == NO_OFFSET || base == 0 {
        return None;
    }
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel(base.wrapping_add(offset as u64) as *const T) }.ok()
}

/// The beginning of a kernel structure, read at once: a read costs more than what it reads. As many words as are
/// needed, and no more: the stack of Linux 6.1, for all that call each other, is short.
pub struct Span<const WORDS: usize> {
    bytes: [MaybeUninit<u64>; WORDS],
    base: u64,
    read: bool,
}

impl<const WORDS: usize> Span<WORDS> {
    const LEN: usize = WORDS * 8;

    #[inline(always)]
    pub const fn new() -> Self {
        Self {
            bytes: [MaybeUninit::uninit(); WORDS],
            base: 0,
            read: false,
        }
    }

    /// Reads the structure at this address.
    #[inline(always)]
    pub fn read(&mut self, base: u64) {
        self.base = base;
        // SAFETY: the helper checks the address, and writes as many bytes as it is told.
        let failed = unsafe {
            let to = (&raw mut self.bytes).cast();
            bpf_probe_read_kernel_raw(to, Self::LEN as u32, base as *const _)
        };
        self.read = failed == 0;
    }

    /// A field of it; behind the beginning it takes a read of its own. 0 where it cannot be read.
    #[inline(always)]
    pub fn field<T: Copy + Default>(&self, offset: u32) -> T {
        if offset as usize > Self::LEN - size_of::<T>() {
            return probe(self.base, offset).unwrap_or_default();
        }
        if !self.read {
            return T::default();
        }
        let at = (&raw const self.bytes).cast::<T>();
        // SAFETY: it lies within what was read.
        unsafe { core::ptr::read_volatile(at.wrapping_byte_add(offset as usize)) }
    }
}

/// Argument register `i` of a system call. The offset has to be a constant for each path that the verifier follows.
#[inline(always)]
pub fn arg(regs: *const u8, i: u32) -> u64 {
    match i {
        0 => load(regs, reg!(args[0])),
        1 => load(regs, reg!(args[1])),
        2 => load(regs, reg!(args[2])),
        3 => load(regs, reg!(args[3])),
        4 => load(regs, reg!(args[4])),
        _ => load(regs, reg!(args[5])),
    }
}

/// The same of four bytes; `None` where they cannot be read.
#[inline(always)]
pub fn user_word(at: u64) -> Option<u32> {
    let mut value = 0u32;
    // SAFETY: the helper checks the address, and writes as many bytes as it is told.
    let failed = unsafe { bpf_probe_read_user((&raw mut value).cast(), 4, at as *const _) };
    (failed == 0).then_some(value)
}

/// A number in the program's memory, 0 where that cannot be read. (Set before it is read: the verifier wants no
/// path on which it might not be.)
#[inline(always)]
pub fn user<T: Default>(at: u64) -> T {
    let mut value = T::default();
    // SAFETY: the helper checks the address, and writes as many bytes as it is told.
    unsafe {
        bpf_probe_read_user(
            (&raw mut value).cast(),
            size_of::<T>() as u32,
            at as *const _,
        );
    }
    value
}
