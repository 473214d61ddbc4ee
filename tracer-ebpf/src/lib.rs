//! The types that the eBPF programs and user space share.
//!
//! Everything here is `#[repr(C)]`, made of fixed-width integers and byte arrays, without implicit
//! padding, and little-endian on the wire (both supported architectures are). User space never
//! casts a pointer to these: `bytehop_core::decode` reads field by field from checked slices.
//!
//! A record in the ring buffer starts with a [`Head`]; `Head::kind` is one of [`kind`]. All times
//! are nanoseconds of `CLOCK_MONOTONIC` (`bpf_ktime_get_ns`), all sizes bytes unless a name says
//! pages.
//!
//! **Calls.** Each thread numbers its calls (system calls and user page faults) from 1: `Head::seq`.
//! A record that belongs to a call carries the call's thread and `seq`, whichever task was current
//! when it was made. The record *of* the call comes last, when the call has ended, so a reader meets
//! a call's parts before the call (except for what completes after it).
#![no_std]
#![forbid(unsafe_code)]

mod wire;

pub use wire::*;
