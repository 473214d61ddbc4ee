//! What a descriptor refers to, by what name it was opened, and which of a file's pages became dirty.

use super::head::Head;

/// What a descriptor refers to, read from the `struct file` itself. 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileRef {
    /// `inode->i_ino`.
    pub ino: u64,
    /// `super_block->s_dev` in the kernel's encoding (major << 20 | minor).
    pub dev: u32,
    /// Low 32 bits of `super_block->s_magic` (`EXT4_SUPER_MAGIC`, `TMPFS_MAGIC`, …).
    pub magic: u32,
    /// `inode->i_rdev` of a character or block device (kernel encoding), else 0.
    pub rdev: u32,
    /// `file->f_flags` (`O_DIRECT`, `O_APPEND`, …, the architecture's values).
    pub f_flags: u32,
    /// `inode->i_mode`: file type and permissions. 0: the descriptor was not open.
    pub mode: u16,
    /// Sockets: `sk_family` (`AF_INET` …), else 0.
    pub family: u16,
    /// Sockets: `sk_type` (`SOCK_STREAM` …), else 0.
    pub sock_type: u16,
    /// Sockets: `sk_protocol` (`IPPROTO_TCP` …); those of `AF_ALG`, and regular files: one of [`special`], else 0.
    pub protocol: u16,
}

/// Regular files that are not what they seem, and what sockets of `AF_ALG` do: the value of [`FileRef::protocol`].
pub mod special {
    /// `/proc/PID/mem`: the memory of a process.
    pub const MEMORY: u16 = 1;
    /// A file of FUSE that goes through the page cache.
    pub const FUSE_CACHED: u16 = 2;
    /// One whose server answers every `read` and `write` (`FOPEN_DIRECT_IO`); splices go through the page cache.
    pub const FUSE_DIRECT: u16 = 3;
    /// The same of splices, too (before Linux 6.5).
    pub const FUSE_DIRECT_SPLICED: u16 = 4;
    /// The server is another machine's.
    pub const VIRTIOFS: u16 = 5;
    pub const VIRTIOFS_DIRECT: u16 = 6;
    /// A file of FUSE of which the kernel's types do not tell which it is.
    pub const FUSE_UNASKED: u16 = 7;

    pub const ALG_HASH: u16 = 1;
    pub const ALG_CIPHER: u16 = 2;
    pub const ALG_AEAD: u16 = 3;
    pub const ALG_RANDOM: u16 = 4;
}

impl FileRef {
    /// No file, or not read.
    pub const NONE: Self = Self {
        ino: 0,
        dev: 0,
        magic: 0,
        rdev: 0,
        f_flags: 0,
        mode: 0,
        family: 0,
        sock_type: 0,
        protocol: 0,
    };
}

/// Longest path kept of an `open`, with its NUL.
pub const NAME_MAX: usize = 256;

/// A name that the kernel was given or has ([`Name::what`]): [`NAME_FIXED`] + `len` bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub head: Head,
    pub ino: u64,
    pub dev: u32,
    /// The descriptor returned; −1 where none is.
    pub fd: i32,
    /// Bytes of `path` that are set, NUL not counted.
    pub len: u32,
    /// One of [`named`].
    pub what: u32,
    pub path: [u8; NAME_MAX],
}

/// What a [`Name`] is of: the value of [`Name::what`].
pub mod named {
    /// A file: the path given to `open`, `openat`, `openat2`, `creat`.
    pub const OPENED: u32 = 0;
    /// The working directory from here on: the path given to `chdir`.
    pub const ENTERED: u32 = 1;
    /// A mark of the program's own: a path below [`MARKS`] that a call looked for in vain (ENOTDIR).
    pub const MARK: u32 = 2;
    /// A socket's two ends, as [`ENDS`] bytes in hexadecimal.
    pub const SOCKET: u32 = 3;

    /// Nothing can be below `/dev/null`, so the kernel refuses a look-up there at once, on any machine.
    pub const MARKS: &str = "/dev/null/bytehop/";

    /// Family (2 bytes, little-endian), local port (the same), peer's port (2, big-endian), the local and the
    /// peer's address (16 each; of IPv4 the first 4).
    pub const ENDS: usize = 38;
}

/// Bytes of a [`Name`] before its path.
pub const NAME_FIXED: usize = 48;

/// Pages of a file that the current call made dirty. 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    pub head: Head,
    pub ino: u64,
    /// First page offset.
    pub index: u64,
    /// `s_dev`, kernel encoding.
    pub dev: u32,
    /// Number of pages from `index` on.
    pub pages: u32,
}
