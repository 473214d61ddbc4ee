//! `top`: calls, counted where they end. The other hooks serve `top` too, where they stand.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{FileRef, Proc, SYSCALLS_MAX, TopKey, how, sysinfo, top_lost};

use crate::aio;
use crate::classify::{class, describe, file_of, how_of};
use crate::kread::{arg, load};
use crate::lane::Lane;
use crate::maps::{config, reg, sysinfo as info_of};
use crate::probes::syscall::cut_off;
use crate::sizes;
use crate::tasks::{current, is_compat};
use crate::top::{call, lost, process, remember};

#[btf_tracepoint]
pub fn call_of_anyone(ctx: BtfTracePointContext) -> i32 {
    let regs: *const u8 = ctx.arg(0);
    let ret: i64 = ctx.arg(1);
    if let Some(proc) = process() {
        ended(proc, regs, ret);
    }
    0
}

#[inline(always)]
fn ended(proc: Proc, regs: *const u8, ret: i64) {
    let nr: u32 = load(regs, reg!(nr));
    // `sigreturn` leaves no number.
    let nr = if (nr as i32) < 0 {
        config!(nr_sigreturn)
    } else {
        nr
    };
    let mut key = TopKey {
        proc,
        nr: if nr as usize >= SYSCALLS_MAX {
            SYSCALLS_MAX as u16
        } else {
            nr as u16
        },
        ..TopKey::NONE
    };
    let failed = (-4095..0).contains(&ret);
    if is_compat(current(), regs) {
        key.how = how::COMPAT;
        return call(&key, failed, 0);
    }
    let info = info_of(nr);
    // A new thread or process returns from a call that it never made.
    if (info & sysinfo::FORKS != 0 && ret == 0) || cut_off(ret) {
        return;
    }
    if (nr == config!(nr_execve) || nr == config!(nr_execveat)) && ret == 0 {
        remember(&proc, true);
    }
    let mut bytes = 0;
    if info & sysinfo::BYTES != 0 && ret > 0 {
        bytes = sizes::kept(info, regs, ret as u64);
        let fd = (info >> sysinfo::FD_SHIFT) & 7;
        if fd != 0 {
            key.class = class_of(arg(regs, fd - 1) as i32);
        }
        let fd2 = (info >> sysinfo::FD2_SHIFT) & 7;
        if fd2 != 0 {
            key.class2 = class_of(arg(regs, fd2 - 1) as i32);
        }
        key.how = how_of(info, regs);
    } else if info & sysinfo::RETURNS_FD != 0 && ret >= 0 && (info >> sysinfo::PATH_SHIFT) & 7 == 0
    {
        // A socket is known as its process's before it sends.
        class_of(ret as i32);
    }
    if aio::concerns(nr) && ret > 0 {
        aio::tell(nr, regs, ret as u64, Lane::First);
    }
    call(&key, failed, bytes);
}

/// The class of an open descriptor of the current process, 0 if it has none.
#[inline(never)]
fn class_of(fd: i32) -> u16 {
    let mut file = FileRef::NONE;
    describe(file_of(fd), &mut file);
    if file.mode == 0 {
        return 0;
    }
    let id = class(&file);
    if id == 0 {
        lost(top_lost::CLASSES, 1);
    }
    id as u16
}
