//! The eBPF programs: one thin function per hook, reads of kernel memory in [`kread`], what is
//! remembered of a traced thread in [`tasks`], sending in [`emit`].
//!
//! Every program first asks whether the current task is traced and returns if not: that is the
//! filter. `CONFIG` is read-only after load, so the verifier removes what the mode does not need.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![allow(
    clippy::missing_safety_doc,
    reason = "every function here runs under the verifier, which checks each access"
)]

mod aio;
mod cells;
mod claims;
mod classify;
mod emit;
mod gather;
mod inner;
mod iter;
mod kread;
mod lane;
mod maps;
mod multishot;
mod names;
mod probes;
mod requests;
mod rounds;
mod sizes;
mod special;
mod sums;
mod tasks;
mod top;
mod under_way;

/// Some helpers are GPL-only (`bpf_probe_read_kernel`); the kernel compares this string.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
