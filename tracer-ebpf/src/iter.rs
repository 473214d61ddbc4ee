//! Arguments of kernel functions, and the iterators among them.

use crate::kread::probe;
use crate::maps::{config, off, reg};

/// An argument of a kernel function, from the registers at its beginning.
#[inline(always)]
pub fn argument(regs: u64, n: usize) -> u64 {
    let at = match n {
        0 => reg!(function[0]),
        1 => reg!(function[1]),
        2 => reg!(function[2]),
        _ => reg!(function[3]),
    };
    probe(regs, at).unwrap_or(0)
}

/// What is at the other end of a function's iterator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    User,
    Kernel,
    Pipe,
}

#[inline(always)]
pub fn end(iter: u64) -> End {
    let Some(kind) = probe::<u8>(iter, off!(iter_type)) else {
        return End::Kernel;
    };
    let kind = kind as u32;
    if kind == config!(iter_iovec) || kind == config!(iter_ubuf) {
        End::User
    } else if kind == config!(iter_pipe) {
        End::Pipe
    } else {
        End::Kernel
    }
}

/// Whether the other end is pages of the page cache that a network file system fills.
#[inline(always)]
pub fn into_cache(iter: u64) -> bool {
    let Some(kind) = probe::<u8>(iter, off!(iter_type)) else {
        return false;
    };
    let kind = kind as u32;
    kind == config!(iter_xarray) || kind == config!(iter_folioq)
}

/// The iterator of a `struct msghdr`.
#[inline(always)]
pub fn iter_of(msg: u64) -> u64 {
    msg.wrapping_add(off!(msg_iter) as u64)
}

#[inline(always)]
pub fn msg_end(msg: u64) -> End {
    end(iter_of(msg))
}
