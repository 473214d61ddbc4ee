//! What bytes came from or went to, as advice tells ends apart.

use crate::reconstruct::File;
use crate::rules::FileKind;

/// Which file: device, inode, and how many files of other names had the inode before.
pub type Id = (u32, u64, u32);

/// No file.
pub const NOBODY: Id = (0, 0, 0);

/// A file by itself; sockets and pipes by their kind, since there may be thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    pub kind: FileKind,
    pub id: Id,
}

impl End {
    pub fn of(file: &File, id: Id) -> Self {
        let kind = file.class.kind;
        let known = matches!(kind, FileKind::RegularFile | FileKind::Shmem);
        Self {
            kind,
            id: if known { id } else { NOBODY },
        }
    }

    /// A socket whose bytes can be spliced.
    pub fn is_socket(self) -> bool {
        matches!(self.kind, FileKind::Tcp | FileKind::UnixStream)
    }

    pub fn is_file(self) -> bool {
        matches!(self.kind, FileKind::RegularFile | FileKind::Shmem)
    }
}

/// Where a call came from: the program (its number in the trace), and the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    pub program: Option<usize>,
    pub stack: Option<u64>,
}
