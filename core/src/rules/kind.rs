//! What a descriptor is, as far as the path of its bytes depends on it.

use tracer_ebpf::{FileRef, special};

use super::calls::Move;
use crate::arch::Arch;
use crate::model::Place;

/// Kind of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// The program's own memory: the other end of a `read` or `write`.
    User,
    /// A file whose data goes through the page cache (ext4, xfs, btrfs, overlay, nfs, fuse …).
    RegularFile,
    /// tmpfs, memfd, hugetlbfs: memory is all the storage there is.
    Shmem,
    /// The device itself; without `O_DIRECT` it has a page cache of its own.
    BlockDevice,
    Pipe,
    Tcp,
    Udp,
    UnixStream,
    /// Datagrams and sequenced packets.
    UnixDgram,
    /// netlink, packet, vsock …
    OtherSocket,
    /// `AF_ALG`: what is sent is hashed where it lies; is enciphered, or deciphered, when it is received.
    Hash,
    Cipher,
    /// The same, of which it is not known.
    Crypto,
    Tty,
    DevNull,
    DevZero,
    DevFull,
    DevRandom,
    /// Any other character device.
    OtherChar,
    /// proc, sysfs, cgroup, debugfs …: the kernel makes the content up.
    Pseudo,
    /// eventfd, epoll, io_uring, timerfd …
    AnonInode,
    Directory,
    /// The descriptor was not open, or not read.
    Closed,
    /// `/proc/PID/mem`: the memory of a process.
    Memory,
    /// A file of FUSE in a call that its server answers: the bytes are in that process's memory.
    Served,
}

/// What a file system can do with extents and `O_DIRECT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fs {
    /// On a block device of this machine.
    Local,
    /// The same, and files can share extents (xfs, btrfs, bcachefs, ocfs2).
    Reflink,
    /// The data is elsewhere: a server, or a user-space process.
    Remote,
    /// FUSE, and its server answers every read and write of this open file, instead of the page cache
    /// (`FOPEN_DIRECT_IO`, `O_DIRECT`); `spliced`: every splice from it, too.
    Served { spliced: bool },
    /// FUSE, and it is not known which.
    Unasked,
    /// Not a file system for data.
    None,
}

/// One end of a call: kind, and what of the open mode matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    pub kind: FileKind,
    pub fs: Fs,
    /// Opened with `O_DIRECT`.
    pub direct: bool,
    /// Opened for writing.
    pub writable: bool,
}

/// A set of [`FileKind`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u32::MAX);
    pub const USER: Self = Self::of(&[FileKind::User]);
    /// Data that goes through the page cache.
    pub const FILE: Self = Self::of(&[FileKind::RegularFile, FileKind::BlockDevice]);
    pub const SHMEM: Self = Self::of(&[FileKind::Shmem]);
    pub const PIPE: Self = Self::of(&[FileKind::Pipe]);
    pub const TCP: Self = Self::of(&[FileKind::Tcp]);
    /// Sockets whose sender can pass pages on (`MSG_ZEROCOPY`).
    pub const INET: Self = Self::of(&[FileKind::Tcp, FileKind::Udp]);
    pub const UDP: Self = Self::of(&[FileKind::Udp]);
    pub const UNIX: Self = Self::of(&[FileKind::UnixStream, FileKind::UnixDgram]);
    pub const SOCKET: Self = Self::of(&[
        FileKind::Tcp,
        FileKind::Udp,
        FileKind::UnixStream,
        FileKind::UnixDgram,
        FileKind::OtherSocket,
        FileKind::Hash,
        FileKind::Cipher,
        FileKind::Crypto,
    ]);
    pub const HASH: Self = Self::of(&[FileKind::Hash]);
    pub const CIPHER: Self = Self::of(&[FileKind::Cipher]);
    pub const CRYPTO: Self = Self::of(&[FileKind::Crypto]);
    pub const SERVED: Self = Self::of(&[FileKind::Served]);
    /// Sockets whose receive queue can be spliced by reference.
    pub const STREAM: Self = Self::of(&[FileKind::Tcp, FileKind::UnixStream]);
    /// A buffer somewhere else in the kernel.
    pub const KERNEL: Self = Self::of(&[
        FileKind::Tty,
        FileKind::DevRandom,
        FileKind::OtherChar,
        FileKind::Pseudo,
        FileKind::AnonInode,
    ]);
    pub const ZERO: Self = Self::of(&[FileKind::DevZero, FileKind::DevFull]);
    pub const MEMORY: Self = Self::of(&[FileKind::Memory]);
    /// What swallows everything written to it.
    pub const SINK: Self = Self::of(&[FileKind::DevNull, FileKind::DevZero]);
    /// Pages that can be passed on.
    pub const PAGES: Self = Self::FILE.or(Self::SHMEM);

    const fn of(kinds: &[FileKind]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < kinds.len() {
            bits |= 1 << kinds[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    /// The union of two sets.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `kind` is in the set.
    pub const fn has(self, kind: FileKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }
}

impl FileKind {
    /// Where the bytes of such a file are; `None` if it has none.
    pub fn place(self) -> Option<Place> {
        Some(match self {
            Self::User | Self::Memory | Self::Served => Place::User,
            Self::RegularFile | Self::BlockDevice => Place::PageCache,
            Self::Shmem => Place::Shmem,
            Self::Pipe => Place::Pipe,
            Self::Tcp
            | Self::Udp
            | Self::UnixStream
            | Self::UnixDgram
            | Self::OtherSocket
            | Self::Hash
            | Self::Cipher
            | Self::Crypto => Place::Socket,
            Self::Tty | Self::DevRandom | Self::OtherChar | Self::Pseudo | Self::AnonInode => {
                Place::Kernel
            }
            Self::DevZero | Self::DevFull => Place::Zero,
            Self::DevNull | Self::Directory | Self::Closed => return None,
        })
    }
}

impl Class {
    /// The program's memory.
    pub const USER: Self = Self::plain(FileKind::User);
    /// No file, or one that could not be read.
    pub const CLOSED: Self = Self::plain(FileKind::Closed);

    /// A kind without anything special about how it was opened.
    pub const fn plain(kind: FileKind) -> Self {
        Self {
            kind,
            fs: Fs::None,
            direct: false,
            writable: false,
        }
    }

    /// Classifies a descriptor of a program on `arch`.
    pub fn of(file: &FileRef, arch: Arch) -> Self {
        let (kind, fs) = kind_of(file);
        let mut class = Self {
            kind,
            fs,
            direct: file.f_flags & arch.open_flags().direct != 0,
            writable: file.f_flags & O_ACCMODE != 0,
        };
        if kind == FileKind::RegularFile && file.magic == FUSE {
            class.on_fuse(file.protocol);
        }
        class
    }

    /// As what was read of the open file tells.
    fn on_fuse(&mut self, what: u16) {
        match what {
            special::FUSE_DIRECT_SPLICED => self.fs = Fs::Served { spliced: true },
            special::FUSE_DIRECT => {
                let spliced = self.direct;
                self.fs = Fs::Served { spliced };
            }
            special::FUSE_CACHED if self.direct => self.fs = Fs::Served { spliced: true },
            special::FUSE_UNASKED => self.fs = Fs::Unasked,
            special::VIRTIOFS_DIRECT => self.direct = true,
            // Of an older recording, too.
            _ => {}
        }
    }

    /// What it is to such a call; `source`: to one that takes bytes from it.
    pub fn in_call(self, moves: Move, source: bool) -> Self {
        let served = match (self.fs, moves) {
            (Fs::Served { .. }, Move::Read | Move::Write) => true,
            (Fs::Served { spliced }, Move::Sendfile | Move::Splice) => spliced || !source,
            _ => false,
        };
        match served {
            true => Self {
                kind: FileKind::Served,
                ..self
            },
            false => self,
        }
    }

    /// Whether its data is with somebody else.
    pub fn is_remote(&self) -> bool {
        matches!(self.fs, Fs::Remote | Fs::Served { .. } | Fs::Unasked)
    }
}

/// `FUSE_SUPER_MAGIC`
const FUSE: u32 = 0x6573_5546;

/// The same on all architectures; 0 under it is `O_RDONLY`.
const O_ACCMODE: u32 = 3;

/// File type bits of `i_mode` (`include/uapi/linux/stat.h`).
mod ifmt {
    pub const MASK: u16 = 0o170000;
    pub const FIFO: u16 = 0o010000;
    pub const CHR: u16 = 0o020000;
    pub const DIR: u16 = 0o040000;
    pub const BLK: u16 = 0o060000;
    pub const REG: u16 = 0o100000;
    pub const SOCK: u16 = 0o140000;
}

fn kind_of(file: &FileRef) -> (FileKind, Fs) {
    let kind = match file.mode & ifmt::MASK {
        _ if file.mode == 0 => FileKind::Closed,
        ifmt::FIFO => FileKind::Pipe,
        ifmt::CHR => character(file),
        ifmt::DIR => FileKind::Directory,
        ifmt::BLK => return (FileKind::BlockDevice, Fs::Local),
        ifmt::SOCK => socket(file),
        ifmt::REG if file.protocol == special::MEMORY => FileKind::Memory,
        ifmt::REG => return regular(file.magic),
        // Anonymous inodes have no type before Linux 6.16.
        _ => FileKind::AnonInode,
    };
    (kind, Fs::None)
}

/// By `s_magic` (`include/uapi/linux/magic.h`); what is not listed keeps data in the page cache.
fn regular(magic: u32) -> (FileKind, Fs) {
    match magic {
        // ext4 first: the most common.
        0xEF53 => (FileKind::RegularFile, Fs::Local),
        // xfs, btrfs, bcachefs, ocfs2; overlay passes the request to the file system below.
        0x5846_5342 | 0x9123_683E | 0xCA45_1A4E | 0x7461_636F | 0x794C_7630 => {
            (FileKind::RegularFile, Fs::Reflink)
        }
        // nfs, cifs, smb2, fuse, 9p, ceph, afs, afs (kAFS), vboxsf.
        0x6969 | 0xFF53_4D42 | 0xFE53_4D42 | 0x6573_5546 | 0x0102_1997 | 0x00C3_6400
        | 0x5346_414F | 0x6B41_4653 | 0x786F_4256 => (FileKind::RegularFile, Fs::Remote),
        // tmpfs (also memfd and shared anonymous memory), hugetlbfs.
        0x0102_1994 | 0x9584_58F6 => (FileKind::Shmem, Fs::None),
        // proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, selinuxfs, bpf, pstore,
        // efivarfs, mqueue, configfs, binfmt_misc, nsfs, devpts, smackfs, rpc_pipefs, resctrl,
        // xenfs, fusectl.
        0x9FA0 | 0x6265_6572 | 0x0027_E0EB | 0x6367_7270 | 0x6462_6720 | 0x7472_6163
        | 0x7363_6673 | 0xF97C_FF8C | 0xCAFE_4A11 | 0x6165_676C | 0xDE5E_81E4 | 0x1980_0202
        | 0x6265_6570 | 0x4249_4E4D | 0x6E73_6673 | 0x1CD1 | 0x4341_5D53 | 0x6759_6969
        | 0x0765_5821 | 0xABBA_1974 | 0x6573_5543 => (FileKind::Pseudo, Fs::None),
        // anon_inode, pidfs, dma-buf, secretmem.
        0x0904_1934 | 0x5049_4446 | 0x444D_4142 | 0x5345_434D => (FileKind::AnonInode, Fs::None),
        _ => (FileKind::RegularFile, Fs::Local),
    }
}

/// By device number (`Documentation/admin-guide/devices.txt`), kernel encoding.
fn character(file: &FileRef) -> FileKind {
    match (file.rdev >> 20, file.rdev & 0xF_FFFF) {
        (1, 3) => FileKind::DevNull,
        (1, 5) => FileKind::DevZero,
        (1, 7) => FileKind::DevFull,
        (1, 8 | 9) => FileKind::DevRandom,
        // Virtual consoles and serial ports, /dev/tty and /dev/console, pseudo-terminals.
        (4 | 5 | 128..=143, _) => FileKind::Tty,
        _ => FileKind::OtherChar,
    }
}

fn socket(file: &FileRef) -> FileKind {
    const AF_UNIX: u16 = 1;
    const AF_INET: u16 = 2;
    const AF_INET6: u16 = 10;
    const STREAM: u16 = 1;
    const TCP: u16 = 6;
    const UDP: u16 = 17;
    const UDPLITE: u16 = 136;
    const MPTCP: u16 = 262;
    const AF_ALG: u16 = 38;
    match (file.family, file.sock_type, file.protocol) {
        (AF_ALG, _, special::ALG_HASH) => FileKind::Hash,
        (AF_ALG, _, special::ALG_CIPHER | special::ALG_AEAD) => FileKind::Cipher,
        (AF_ALG, _, special::ALG_RANDOM) => FileKind::DevRandom,
        (AF_ALG, _, _) => FileKind::Crypto,
        (AF_UNIX, STREAM, _) => FileKind::UnixStream,
        (AF_UNIX, _, _) => FileKind::UnixDgram,
        (AF_INET | AF_INET6, STREAM, TCP | MPTCP) => FileKind::Tcp,
        (AF_INET | AF_INET6, _, UDP | UDPLITE) => FileKind::Udp,
        _ => FileKind::OtherSocket,
    }
}
