//! Where in the program a call was made: attached only where that was asked for, after the programs
//! that number the calls.

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel_str, bpf_probe_read_user};
use aya_ebpf::macros::{btf_tracepoint, map, perf_event};
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray};
use aya_ebpf::programs::{BtfTracePointContext, PerfEventContext};
use tracer_ebpf::{
    CalledFrom, NAME_FIXED, NAME_MAX, NO_OFFSET, STACK_DEPTH, STACK_WORDS, Stack, Task, kind, task,
};

use crate::emit::{recording, send, send_bytes};
use crate::kread::{load, probe};
use crate::maps::{SCRATCH_NAME, off, reg};
use crate::probes::fault::at_event;
use crate::probes::primitive::registers;
use crate::rounds::rounds;
use crate::tasks::{current, find, head, traced};

/// What is looked at, and what is kept of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scratch {
    raw: [u64; STACK_DEPTH],
    out: Stack,
}

/// A stack that a thread called from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Known {
    tid: u32,
    tgid: u32,
    id: u64,
    /// As [`Stack`] has them.
    ip: u64,
    sp: u64,
    fp: u64,
    lr: u64,
    words: u32,
    /// Bytes of the stack from `sp` up to the last of the words.
    bytes: u32,
    word: [u64; STACK_WORDS],
    at: [u8; STACK_WORDS],
}

#[map]
static SCRATCH_STACK: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);
/// Stacks that were sent whole, by id.
#[map]
static STACKS: LruHashMap<u64, u8> = LruHashMap::with_max_entries(4096, 0);
/// Stacks met lately: a slot for each by its thread and registers, and what comes to a slot that is taken just
/// takes it.
#[map]
static KNOWN_STACKS: Array<Known> = Array::with_max_entries(KNOWN_STACKS_MAX, 0);

/// A power of two.
const KNOWN_STACKS_MAX: u32 = 2048;
/// Addresses in the stack are of use as far as the stack is looked at.
const NEAR: u64 = 8 * STACK_DEPTH as u64;
/// Addresses of code are of use until the program's own function is among them.
const CALLERS: u64 = 24;
/// Where libraries are mapped: this far below `mmap_base`.
const LIBRARIES: u64 = 1 << 36;

#[btf_tracepoint]
pub fn stack_of_call(ctx: BtfTracePointContext) -> i32 {
    let regs: *const u8 = ctx.arg(0);
    from(|field| load(regs, field))
}

#[btf_tracepoint]
pub fn stack_of_fault(ctx: BtfTracePointContext) -> i32 {
    let regs: *const u8 = ctx.arg(1);
    from(|field| load(regs, field))
}

/// Both programs in one, where faults are met by an event: which of two would run first is not said.
#[perf_event]
pub fn page_fault_and_stack(ctx: PerfEventContext) -> i32 {
    at_event(&ctx);
    let regs = registers(&ctx);
    let ip: u64 = probe(regs, reg!(ip)).unwrap_or(0);
    if ip >> 63 != 0 {
        return 0;
    }
    from(|field| probe(regs, field).unwrap_or(0))
}

/// The bits of an address: return addresses may be signed above them (arm64's pointer authentication).
#[inline(always)]
fn address() -> u64 {
    u64::MAX >> ((64 - reg!(address_bits)) & 63)
}

/// `field`: of the user registers, by its offset.
#[inline(always)]
fn from(field: impl Fn(u32) -> u64) -> i32 {
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    let tid = unsafe {
        if !recording() || (*t).flags & (task::COMPAT | task::IO_THREAD) != 0 {
            return 0;
        }
        (*t).tid
    };
    let lr = if reg!(lr) == NO_OFFSET {
        0
    } else {
        field(reg!(lr)) & address()
    };
    called_from(tid, field(reg!(ip)), field(reg!(sp)), field(reg!(fp)), lr);
    0
}

/// A thread makes a call, or a fault, with these registers.
///
/// Global, so that the verifier checks it by itself.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn called_from(tid: u32, ip: u64, sp: u64, fp: u64, lr: u64) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    let Some(scratch) = SCRATCH_STACK.get_ptr_mut(0) else {
        return 0;
    };
    let slot = mix(mix(tid as u64, ip), sp) as u32 & (KNOWN_STACKS_MAX - 1);
    let Some(known) = KNOWN_STACKS.get_ptr_mut(slot) else {
        return 0;
    };
    // SAFETY: map values.
    unsafe {
        let tgid = (*t).tgid;
        if (*known).tid == tid
            && (*known).tgid == tgid
            && (*known).ip == ip
            && (*known).sp == sp
            && (*known).fp == fp
            && (*known).lr == lr
            && is_again(slot) != 0
        {
            let id = (*known).id;
            if (*t).stack != id {
                told(t, id);
            }
            return 0;
        }
        let out = &raw mut (*scratch).out;
        (*out).ip = ip;
        (*out).sp = sp;
        (*out).fp = fp;
        (*out).lr = lr;
        let id = gather(scratch, tgid);
        if id == 0 {
            return 0;
        }
        (*known).tid = tid;
        (*known).tgid = tgid;
        (*known).id = id;
        keep(slot);
        if (*t).stack == id {
            return 0;
        }
        if STACKS.get_ptr(id).is_none() {
            (*out).head = head(t, kind::STACK, 0);
            (*out).id = id;
            let whole = (*out).head;
            send(&whole, out);
            let _ = STACKS.insert(id, 1, 0);
        }
        told(t, id);
    }
    0
}

/// Tells which stack the call came from, whose words are known.
#[inline(never)]
fn told(t: *mut Task, id: u64) -> i32 {
    // SAFETY: a map value.
    unsafe {
        (*t).stack = id;
        let head = head(t, kind::CALLED_FROM, 0);
        send(&head, &CalledFrom { head, id });
    }
    0
}

/// Whether each word that was kept of a stack is still where it was: with the same registers, unwinding
/// goes the same way then, whatever else is on the stack.
///
/// Global, so that the verifier checks it once and not on every path that comes by.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn is_again(slot: u32) -> u64 {
    let (Some(known), Some(scratch)) = (KNOWN_STACKS.get_ptr(slot), SCRATCH_STACK.get_ptr_mut(0))
    else {
        return 0;
    };
    // SAFETY: map values; the helper checks the user address.
    unsafe {
        let raw = &raw mut (*scratch).raw;
        let (words, bytes) = ((*known).words as usize, (*known).bytes);
        if words == 0 || bytes > 8 * STACK_DEPTH as u32 {
            return 0;
        }
        if bpf_probe_read_user(raw.cast(), bytes, (*known).sp as *const _) != 0 {
            return 0;
        }
        let mut i = 0;
        while i < STACK_WORDS {
            if i >= words {
                break;
            }
            let n = i & (STACK_WORDS - 1);
            let at = (*known).at[n] as usize & (STACK_DEPTH - 1);
            if (*raw)[at] & address() != (*known).word[n] {
                return 0;
            }
            i += 1;
        }
    }
    1
}

/// Keeps the stack that was gathered.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn keep(slot: u32) -> u64 {
    let (Some(known), Some(scratch)) = (KNOWN_STACKS.get_ptr_mut(slot), SCRATCH_STACK.get_ptr(0))
    else {
        return 0;
    };
    // SAFETY: map values.
    unsafe {
        let out = &raw const (*scratch).out;
        (*known).ip = (*out).ip;
        (*known).sp = (*out).sp;
        (*known).fp = (*out).fp;
        (*known).lr = (*out).lr;
        let words = (*out).words as usize;
        let mut bytes = 0;
        let mut i = 0;
        while i < STACK_WORDS {
            if i >= words {
                break;
            }
            let n = i & (STACK_WORDS - 1);
            let at = (*out).at[n];
            (*known).at[n] = at;
            (*known).word[n] = (*out).word[n];
            bytes = 8 * (at as u32 + 1);
            i += 1;
        }
        (*known).words = words as u32;
        (*known).bytes = bytes;
    }
    0
}

/// Where the walk along a stack has come to.
struct Walk {
    scratch: *mut Scratch,
    hash: u64,
    sp: u64,
    code: u64,
    code_len: u64,
    base: u64,
    /// Addresses of code met.
    callers: u64,
}

/// Keeps the addresses among the words of the stack; gives the id, 0 if there is no stack.
#[inline(always)]
unsafe fn gather(scratch: *mut Scratch, tgid: u32) -> u64 {
    // SAFETY: map values; the helper checks the user address.
    unsafe {
        let out = &raw mut (*scratch).out;
        let Some(mm) = probe::<u64>(current() as u64, off!(task_mm)) else {
            return 0;
        };
        let code = probe::<u64>(mm, off!(mm_start_code)).unwrap_or(0);
        let code_end = probe::<u64>(mm, off!(mm_end_code)).unwrap_or(0);
        let base = probe::<u64>(mm, off!(mm_mmap_base)).unwrap_or(0);
        (*out).code = code;
        (*out).code_end = code_end;
        (*out).words = 0;
        (*out).reserved = 0;
        let sp = (*out).sp;
        // Near the end of the stack there is less to read. Above where it began are the arguments.
        let raw = &raw mut (*scratch).raw;
        let mut depth = STACK_DEPTH as u64;
        let end = probe::<u64>(mm, off!(mm_start_stack)).unwrap_or(0);
        if bpf_probe_read_user(raw.cast(), 8 * STACK_DEPTH as u32, sp as *const _) != 0 {
            depth = 32;
            if bpf_probe_read_user(raw.cast(), 8 * 32, sp as *const _) != 0 {
                return 0;
            }
        }
        if end > sp && (end - sp) / 8 < depth {
            depth = (end - sp) / 8;
        }
        let mut walk = Walk {
            scratch,
            hash: mix(mix(mix(0, tgid as u64), code), (*out).ip),
            sp,
            code,
            code_len: code_end.wrapping_sub(code),
            base,
            callers: 0,
        };
        rounds(depth as u32, step, &mut walk);
        walk.hash | 1
    }
}

/// Looks at one word.
unsafe extern "C" fn step(i: u32, walk: *mut Walk) -> i64 {
    // SAFETY: of `gather`, and map values.
    unsafe {
        let scratch = (*walk).scratch;
        let out = &raw mut (*scratch).out;
        let word = (*scratch).raw[i as usize & (STACK_DEPTH - 1)] & address();
        let in_code = word.wrapping_sub((*walk).code) < (*walk).code_len
            || (*walk).base.wrapping_sub(word) < LIBRARIES;
        if !in_code && word.wrapping_sub((*walk).sp) >= NEAR {
            return 0;
        }
        let n = (*out).words as usize;
        if n >= STACK_WORDS {
            return 1;
        }
        (*out).word[n & (STACK_WORDS - 1)] = word;
        (*out).at[n & (STACK_WORDS - 1)] = i as u8;
        (*out).words = n as u32 + 1;
        // Addresses in the stack differ from thread to thread.
        if in_code {
            (*walk).hash = mix((*walk).hash, word ^ ((i as u64) << 56));
            (*walk).callers += 1;
        }
        ((*walk).callers >= CALLERS) as i64
    }
}

/// One step of a multiplicative hash (the constant is 2^64 over the golden ratio).
#[inline(always)]
fn mix(hash: u64, word: u64) -> u64 {
    let x = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^ (x >> 29)
}

/// The file that `execve` made the program: a [`tracer_ebpf::Name`] with the descriptor -1.
#[btf_tracepoint]
pub fn name_of_program(ctx: BtfTracePointContext) -> i32 {
    let bprm: u64 = ctx.arg(2);
    let Some(t) = traced() else { return 0 };
    let Some(n) = SCRATCH_NAME.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: map values; the helpers check the kernel addresses.
    unsafe {
        if !recording() {
            return 0;
        }
        let Some(interp) = probe::<u64>(bprm, off!(binprm_interp)) else {
            return 0;
        };
        let path = (&raw mut (*n).path).cast();
        let len = bpf_probe_read_kernel_str(path, NAME_MAX as u32, interp as *const _);
        if len <= 1 || len > NAME_MAX as i64 {
            return 0;
        }
        let inode = probe::<u64>(bprm, off!(binprm_file))
            .and_then(|file| probe::<u64>(file, off!(file_inode)))
            .unwrap_or(0);
        (*n).head = head(t, kind::NAME, 0);
        (*n).ino = probe(inode, off!(inode_ino)).unwrap_or(0);
        (*n).dev = probe::<u64>(inode, off!(inode_sb))
            .and_then(|sb| probe(sb, off!(sb_dev)))
            .unwrap_or(0);
        (*n).fd = -1;
        (*n).len = len as u32 - 1;
        (*n).what = tracer_ebpf::named::OPENED;
        let head = (*n).head;
        send_bytes(&head, n.cast(), (NAME_FIXED + NAME_MAX) as u64);
    }
    0
}
