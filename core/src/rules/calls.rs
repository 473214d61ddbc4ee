//! Which calls move bytes, between which ends, and where their number stands.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use tracer_ebpf::SYSCALLS_MAX;
use tracer_ebpf::sysinfo::{FD_SHIFT, FD2_SHIFT};

use super::pages;
use crate::arch::{Arch, calls, uring};

/// Groups of calls that behave alike: the first column of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    Read,
    Write,
    Recv,
    Send,
    Sendfile,
    Splice,
    Tee,
    Vmsplice,
    CopyRange,
    /// `ioctl(FICLONE)`, `ioctl(FICLONERANGE)`.
    Clone,
    ProcessVm,
    /// A word of another process's memory by `ptrace`: read, written.
    Peek,
    Poke,
    /// `ioctl(UFFDIO_COPY)`, `ioctl(UFFDIO_ZEROPAGE)`.
    FaultCopy,
    FaultZero,
    /// `mmap` with `MAP_POPULATE`.
    Populate,
    /// io_uring's zero-copy send and receive.
    SendZc,
    RecvZc,
}

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The program's memory.
    User,
    /// The call's first or second descriptor.
    First,
    Second,
    /// The kernel's random numbers.
    Random,
    /// Its page of zeros.
    Zeros,
    /// A message queue, or another buffer of the kernel's.
    Queue,
}

/// Where the number of bytes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Returned,
    /// The same, but no more than this argument: a datagram may be longer than what was copied.
    AtMost(usize),
    /// In this argument, if the call succeeded.
    Arg(usize),
    /// A word, if the call succeeded.
    Word,
    /// In memory that no probe reads: messages are returned, not bytes.
    Unknown,
}

/// How one call moves bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub moves: Move,
    pub from: End,
    pub to: End,
    pub size: Size,
    /// Index of the argument that holds `MSG_*` flags.
    pub msg_flags: Option<usize>,
}

const fn shape(moves: Move, from: End, to: End) -> Shape {
    Shape {
        moves,
        from,
        to,
        size: Size::Returned,
        msg_flags: None,
    }
}

impl Shape {
    const fn flags(self, arg: usize) -> Self {
        Self {
            msg_flags: Some(arg),
            ..self
        }
    }

    /// The same with another size.
    pub const fn size(self, size: Size) -> Self {
        Self { size, ..self }
    }
}

#[rustfmt::skip] // one row a line
const CALLS: &[(&str, Shape)] = &[
    ("read pread64 readv preadv preadv2",      shape(Move::Read, End::First, End::User)),
    ("mq_timedreceive",                        shape(Move::Read, End::First, End::User)),
    ("msgrcv",                                 shape(Move::Read, End::Queue, End::User)),
    ("getrandom",                              shape(Move::Read, End::Random, End::User)),
    ("write pwrite64 writev pwritev pwritev2", shape(Move::Write, End::User, End::First)),
    ("mq_timedsend",                           shape(Move::Write, End::User, End::First).size(Size::Arg(2))),
    ("msgsnd",                                 shape(Move::Write, End::User, End::Queue).size(Size::Arg(2))),
    ("recvfrom",                               shape(Move::Recv, End::First, End::User).flags(3).size(Size::AtMost(2))),
    ("recvmsg",                                shape(Move::Recv, End::First, End::User).flags(2)),
    ("recvmmsg",                               shape(Move::Recv, End::First, End::User).flags(3).size(Size::Unknown)),
    ("sendto",                                 shape(Move::Send, End::User, End::First).flags(3)),
    ("sendmsg",                                shape(Move::Send, End::User, End::First).flags(2)),
    ("sendmmsg",                               shape(Move::Send, End::User, End::First).flags(3).size(Size::Unknown)),
    ("sendfile",                               shape(Move::Sendfile, End::Second, End::First)),
    ("splice",                                 shape(Move::Splice, End::First, End::Second)),
    ("tee",                                    shape(Move::Tee, End::First, End::Second)),
    ("vmsplice",                               shape(Move::Vmsplice, End::User, End::First)),
    ("copy_file_range",                        shape(Move::CopyRange, End::First, End::Second)),
    ("process_vm_readv process_vm_writev",     shape(Move::ProcessVm, End::User, End::User)),
    ("ptrace",                                 shape(Move::Peek, End::User, End::User).size(Size::Word)),
    // Which of their calls these are depends on the arguments: see `applies`.
    ("mmap",                                   shape(Move::Populate, End::First, End::User).size(Size::Arg(1))),
    ("getsockopt",                             shape(Move::RecvZc, End::First, End::User).size(Size::Unknown)),
    ("ioctl",                                  shape(Move::Clone, End::Second, End::First).size(Size::Unknown)),
];

/// io_uring's operations as the calls that they replace.
#[rustfmt::skip] // one row a line
const OPERATIONS: &[(&str, Shape)] = &[
    ("read readv read_fixed readv_fixed read_multishot", shape(Move::Read, End::First, End::User)),
    ("write writev write_fixed writev_fixed",            shape(Move::Write, End::User, End::First)),
    ("recv recvmsg",                                     shape(Move::Recv, End::First, End::User)),
    ("send sendmsg",                                     shape(Move::Send, End::User, End::First)),
    ("send_zc sendmsg_zc",                               shape(Move::SendZc, End::User, End::First)),
    ("recv_zc",                                          shape(Move::RecvZc, End::First, End::User)),
    ("tee",                                              shape(Move::Tee, End::Second, End::First)),
    ("splice",                                           shape(Move::Splice, End::Second, End::First)),
];

/// The same of Linux AIO.
#[rustfmt::skip] // one row a line
const AIO_OPERATIONS: &[(&str, Shape)] = &[
    ("pread preadv",   shape(Move::Read, End::First, End::User)),
    ("pwrite pwritev", shape(Move::Write, End::User, End::First)),
];

/// See [`Role::Alters`]. On any other file system none of them makes pages of a file dirty.
const ALTERS: &str = "\
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat setxattr \
    lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat link linkat rename \
    renameat renameat2 open openat openat2 creat";

// include/uapi/linux/ptrace.h
const PTRACE_PEEK: [u64; 2] = [1, 2];
const PTRACE_POKE: [u64; 2] = [4, 5];

const IPPROTO_TCP: u64 = 6;
const TCP_ZEROCOPY_RECEIVE: u64 = 35;
const MAP_PRIVATE: u64 = 2;
const MAP_POPULATE: u64 = 0x8000;
const MAP_NONBLOCK: u64 = 0x1_0000;
const PROT_WRITE: u64 = 2;

impl Shape {
    /// Whether the call returns how many payload bytes it moved.
    pub fn returns_bytes(&self) -> bool {
        matches!(self.size, Size::Returned | Size::AtMost(_))
    }

    /// What this call does, where that depends on an argument: `ioctl`, `ptrace`.
    pub fn requested(self, args: &[u64; 6]) -> Self {
        if self.moves == Move::Peek && PTRACE_POKE.contains(&args[0]) {
            // The word is an argument: the kernel has it.
            return shape(Move::Poke, End::Queue, End::User).size(Size::Word);
        }
        if self.moves != Move::Clone {
            return self;
        }
        match args[1] & 0xFFFF_FFFF {
            calls::UFFDIO_COPY => shape(Move::FaultCopy, End::User, End::User).size(Size::Unknown),
            calls::UFFDIO_ZEROPAGE => {
                shape(Move::FaultZero, End::Zeros, End::User).size(Size::Unknown)
            }
            _ => self,
        }
    }

    /// Whether a call with these arguments does move bytes: `ioctl` and `mmap` rarely do.
    pub fn applies(&self, args: &[u64; 6]) -> bool {
        match self.moves {
            Move::Clone => {
                let request = args[1] & 0xFFFF_FFFF;
                [calls::FICLONE, calls::FICLONERANGE, calls::FIDEDUPERANGE].contains(&request)
            }
            // Only the system call has such arguments.
            Move::RecvZc if self.size == Size::Unknown => {
                (args[1], args[2]) == (IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE)
            }
            Move::Peek => PTRACE_PEEK.contains(&args[0]),
            Move::Populate => args[3] & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE,
            _ => true,
        }
    }

    /// `MAP_POPULATE` of a private writable mapping: the pages are copied at once.
    pub fn populates_copies(args: &[u64; 6]) -> bool {
        args[2] & PROT_WRITE != 0 && args[3] & 0xF == MAP_PRIVATE
    }
}

/// What the reader of a trace must know about a system call.
#[derive(Clone, Debug)]
pub struct CallInfo {
    pub name: Cow<'static, str>,
    /// The return value is a number of bytes.
    pub sized: bool,
    pub shape: Option<Shape>,
    pub role: Role,
}

/// Calls that move no bytes themselves, but change what others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Ordinary,
    /// Starts I/O that ends at another time.
    AsyncIo,
    /// `setsockopt`.
    SocketOption,
    /// Changes a file's name or attributes, or opens it to be written: on an overlay, it is copied up first.
    Alters,
    /// `truncate`: the same, but on any file system it may make the new last page dirty.
    Truncates,
    /// Moves pages, if its arguments say so: see [`super::pages`].
    Pages,
}

/// Calls that may be the first on a socket: packets that come before its first bytes are read are the program's, too.
const MEET_SOCKETS: &str =
    "connect bind listen shutdown getsockname getpeername setsockopt epoll_ctl fcntl";

/// [`CallInfo`] by system call number, and shapes by io_uring operation.
#[derive(Clone, Debug)]
pub struct CallTable {
    calls: Vec<CallInfo>,
    operations: Vec<Option<Shape>>,
    aio: Vec<Option<Shape>>,
}

impl CallTable {
    /// The table of an architecture; made once.
    pub fn of(arch: Arch) -> &'static Self {
        static X86_64: LazyLock<CallTable> = LazyLock::new(|| CallTable::new(Arch::X86_64));
        static AARCH64: LazyLock<CallTable> = LazyLock::new(|| CallTable::new(Arch::Aarch64));
        match arch {
            Arch::X86_64 => &X86_64,
            Arch::Aarch64 => &AARCH64,
        }
    }

    fn new(arch: Arch) -> Self {
        let bits = arch.syscall_table();
        let (shapes, alters) = (
            by_name(CALLS),
            HashSet::<_>::from_iter(ALTERS.split_whitespace()),
        );
        let calls = (0u16..).zip(bits).map(|(nr, bits)| {
            let name = arch.syscall_name(nr);
            let sized = u32::from(bits) & tracer_ebpf::sysinfo::BYTES != 0;
            let role = match name.as_ref() {
                "io_uring_setup" | "io_uring_enter" | "io_submit" => Role::AsyncIo,
                "setsockopt" => Role::SocketOption,
                "truncate" => Role::Truncates,
                name if alters.contains(name) => Role::Alters,
                name if pages::moves(name) => Role::Pages,
                _ => Role::Ordinary,
            };
            CallInfo {
                shape: shapes.get(name.as_ref()).copied(),
                name,
                sized,
                role,
            }
        });
        let (of_uring, of_aio) = (by_name(OPERATIONS), by_name(AIO_OPERATIONS));
        let mut names = uring::names();
        let operations = (0..=u8::MAX).map(|_| of_uring.get(names.next()?).copied());
        let aio = (0..=u8::MAX).map(|opcode| of_aio.get(uring::aio_name(opcode).as_ref()).copied());
        Self {
            calls: calls.collect(),
            operations: operations.collect(),
            aio: aio.collect(),
        }
    }

    /// [`Arch::syscall_table`] where calls are only counted: of those that move no bytes it does not matter which
    /// file they are on, and describing that costs more than all else.
    pub fn counted(arch: Arch) -> [u16; SYSCALLS_MAX] {
        let descriptors = (7u16 << FD_SHIFT) | (7 << FD2_SHIFT);
        let mut table = arch.syscall_table();
        for (bits, call) in table.iter_mut().zip(&Self::of(arch).calls) {
            let meets = || {
                MEET_SOCKETS
                    .split_whitespace()
                    .any(|name| name == call.name)
            };
            if call.shape.is_none() && !meets() {
                *bits &= !descriptors;
            }
        }
        table
    }

    /// `None` if the number is outside every table.
    pub fn call(&self, nr: u16) -> Option<&CallInfo> {
        self.calls.get(usize::from(nr))
    }

    /// How an operation of io_uring or Linux AIO moves bytes, as [`tracer_ebpf::TopKey::nr`] numbers them; `None`
    /// if it moves none.
    pub fn operation(&self, operation: u16) -> Option<Shape> {
        let table = match operation & tracer_ebpf::AIO {
            0 => &self.operations,
            _ => &self.aio,
        };
        let opcode = usize::from(operation as u8);
        table.get(opcode).copied().flatten()
    }
}

/// The shape of a call, by name.
pub fn shape_of(name: &str) -> Option<Shape> {
    find(CALLS, name)
}

/// The rows by each of their names.
fn by_name(table: &'static [(&str, Shape)]) -> HashMap<&'static str, Shape> {
    let rows = table.iter();
    rows.flat_map(|(names, shape)| names.split_whitespace().map(|name| (name, *shape)))
        .collect()
}

fn find(table: &[(&str, Shape)], name: &str) -> Option<Shape> {
    let row = table
        .iter()
        .find(|(names, _)| names.split_whitespace().any(|n| n == name));
    row.map(|(_, shape)| *shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_looks_at_the_files_of_calls_that_move_bytes() {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let (whole, counted) = (arch.syscall_table(), CallTable::counted(arch));
            let row = |name: &str| {
                let nr = usize::from(arch.syscall_number(name).expect(name));
                (whole[nr], counted[nr])
            };
            for name in [
                "read",
                "sendmmsg",
                "splice",
                "ioctl",
                "mmap",
                "mq_timedsend",
                "connect",
            ] {
                let (whole, counted) = row(name);
                assert_eq!(counted, whole, "{name}");
            }
            for name in ["close", "fstat", "lseek", "epoll_pwait", "fsync"] {
                let (whole, counted) = row(name);
                assert_eq!(counted, whole & !0o77, "{name}");
                assert_ne!(counted, whole, "{name}");
            }
        }
    }
}
