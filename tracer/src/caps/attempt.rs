//! What can only be known by trying: each function does a harmless thing once and undoes it.

use std::ffi::CStr;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

// include/uapi/linux/bpf.h
const BPF_PROG_LOAD: u32 = 5;
const BPF_RAW_TRACEPOINT_OPEN: u32 = 17;
const BPF_PROG_TYPE_TRACING: u32 = 26;

/// `enum bpf_attach_type`: how a tracing program is attached.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Attach {
    /// `BPF_TRACE_RAW_TP`
    Tracepoint = 23,
    /// `BPF_TRACE_FENTRY`
    FunctionEntry = 24,
}

/// `union bpf_attr`, as `BPF_PROG_LOAD` has it, up to `attach_prog_fd`.
#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
    attach_prog_fd: u32,
    reserved: u32,
}

/// The same for `BPF_RAW_TRACEPOINT_OPEN`.
#[repr(C)]
#[derive(Default)]
struct RawTracepoint {
    name: u64,
    prog_fd: u32,
    reserved: u32,
}

/// `struct perf_event_attr`, up to `bp_len` (PERF_ATTR_SIZE_VER1).
#[repr(C)]
#[derive(Default)]
struct PerfEvent {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    bp_addr: u64,
    bp_len: u64,
}

/// A bit of `PerfEvent::flags`.
const DISABLED: u64 = 1;

/// Takes the result of a system call that returns a descriptor.
fn descriptor(result: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = RawFd::try_from(Errno::result(result)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just given this descriptor to us, and to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// # Safety
/// `T` must be what the kernel takes for `command`, and its addresses valid.
unsafe fn bpf<T>(command: u32, attr: &T) -> Result<OwnedFd, Errno> {
    // SAFETY: `attr` is as large as we say; the caller vouches for its contents.
    descriptor(unsafe { libc::syscall(libc::SYS_bpf, command, attr, size_of::<T>()) })
}

/// An eBPF instruction: operation, registers (destination in the low half), offset 0, constant.
const fn insn(op: u8, regs: u8, imm: i32) -> u64 {
    op as u64 | (regs as u64) << 8 | (imm as u32 as u64) << 32
}

/// Reads kernel memory, as all our programs do (a kernel in lockdown may refuse just that), here
/// from address 0, which gives nothing: `bpf_probe_read_kernel(stack, 8, 0); return 0`.
const PROGRAM: [u64; 7] = [
    insn(0xbf, 0xa1, 0),  // r1 = r10
    insn(0x07, 0x01, -8), // r1 += -8
    insn(0xb7, 0x02, 8),  // r2 = 8
    insn(0xb7, 0x03, 0),  // r3 = 0
    insn(0x85, 0, 113),   // call bpf_probe_read_kernel
    insn(0xb7, 0x00, 0),  // r0 = 0
    insn(0x95, 0, 0),     // exit
];

/// Loads a program without effect, attaches it to what `btf_id` names, and takes it off again.
pub fn attach_program(how: Attach, btf_id: u32) -> Result<(), Errno> {
    let mut prog_name = [0; 16];
    prog_name[..12].copy_from_slice(b"bytehop_test");
    let load = ProgLoad {
        prog_type: BPF_PROG_TYPE_TRACING,
        insn_cnt: PROGRAM.len() as u32,
        insns: PROGRAM.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        prog_name,
        expected_attach_type: how as u32,
        attach_btf_id: btf_id,
        ..ProgLoad::default()
    };
    // SAFETY: the attribute of this command; program and licence live throughout the call.
    let program = unsafe { bpf(BPF_PROG_LOAD, &load)? };
    let open = RawTracepoint {
        prog_fd: program.as_raw_fd() as u32,
        ..RawTracepoint::default()
    };
    // SAFETY: the attribute of this command; no name, because the program says where it attaches.
    let _link = unsafe { bpf(BPF_RAW_TRACEPOINT_OPEN, &open)? };
    Ok(())
}

/// Sets an execution breakpoint at a kernel address, for this thread only (or, where the kernel takes none for a
/// thread, for one processor) and switched off.
pub fn kernel_breakpoint(address: u64, len: u64) -> Result<(), Errno> {
    // include/uapi/linux/{perf_event,hw_breakpoint}.h
    const PERF_TYPE_BREAKPOINT: u32 = 5;
    const HW_BREAKPOINT_X: u32 = 4;
    let attr = PerfEvent {
        kind: PERF_TYPE_BREAKPOINT,
        size: size_of::<PerfEvent>() as u32,
        sample_period: 1,
        flags: DISABLED,
        bp_type: HW_BREAKPOINT_X,
        bp_addr: address,
        bp_len: len,
        ..PerfEvent::default()
    };
    // SAFETY: no address but the kernel's own.
    unsafe {
        match event(&attr, THIS_THREAD) {
            Err(Errno::EINVAL) => event(&attr, FIRST_PROCESSOR),
            other => other,
        }
    }
}

/// Sets a kprobe at a kernel function, for this thread only and switched off.
pub fn kprobe(function: &CStr) -> Result<(), Errno> {
    // What the kernel calls the kind of these events.
    let kind = fs::read_to_string("/sys/bus/event_source/devices/kprobe/type");
    let kind = kind.ok().and_then(|kind| kind.trim().parse().ok());
    let attr = PerfEvent {
        kind: kind.ok_or(Errno::ENOENT)?,
        size: size_of::<PerfEvent>() as u32,
        sample_period: 1,
        flags: DISABLED,
        // `kprobe_func`, `probe_offset`
        bp_addr: function.as_ptr() as u64,
        bp_len: 0,
        ..PerfEvent::default()
    };
    // SAFETY: the name lives throughout the call.
    unsafe { event(&attr, THIS_THREAD) }
}

/// Thread and processor of an event.
type Scope = (libc::pid_t, libc::c_int);
const THIS_THREAD: Scope = (0, -1);
const FIRST_PROCESSOR: Scope = (-1, 0);

/// Makes an event, and takes it away again.
///
/// # Safety
/// The addresses in `attr` must be valid.
unsafe fn event(attr: &PerfEvent, (thread, processor): Scope) -> Result<(), Errno> {
    const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;
    let no_group = -1;
    // SAFETY: `attr` is a `perf_event_attr` of the size that it names; the caller vouches for the rest.
    let event = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            attr as *const PerfEvent,
            thread,
            processor,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    descriptor(event).map(drop)
}

/// Asks for an io_uring in a way that cannot succeed, to see how it is refused.
pub fn io_uring() -> Result<(), Errno> {
    let none = std::ptr::null::<u8>();
    // SAFETY: the kernel refuses the null pointer with EFAULT, after it has checked for permission.
    let result = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, none) };
    match descriptor(result) {
        Err(Errno::EFAULT | Errno::EINVAL) | Ok(_) => Ok(()),
        Err(other) => Err(other),
    }
}
