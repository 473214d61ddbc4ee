//! What bytes came from or went to, as advice tells ends apart.

use crate::reconstruct::File;
use crate::rules::FileKind;

/// Which file: device and inode.
pub type Id = (u32, u64);

pub fn id(file: &File) -> Id {
    (file.at.dev, file.at.ino)
}

/// A file by itself; sockets and pipes by their kind, since there may be thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    pub kind: FileKind,
    pub id: Id,
}

impl End {
    pub fn of(file: &File) -> Self {
        let kind = file.class.kind;
        let known = matches!(kind, FileKind::RegularFile | FileKind::Shmem);
        Self {
            kind,
            id: if known { id(file) } else { (0, 0) },
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
