//! What counters (`stat`, `top`) cannot tell.

use serde::Serialize;

use crate::model::HopKind;

/// Something that counters alone cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    pub what: What,
    /// How many times.
    pub count: u64,
    /// Bytes that it can have been at most.
    pub up_to: Option<u64>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Single pages allocated to be filled: by a copy (copy-on-write), or by I/O.
    FreshPages,
    /// Larger ones: zeroed, or filled by I/O.
    LargePages,
    /// Calls that return messages, not bytes.
    Messages,
    /// Calls on what is no file that we know.
    UnknownFiles,
    /// The rule that decides asks for more than counters hold.
    Undecided,
    /// Sent by reference; a software device makes them a copy later.
    ZeroCopySends,
    /// Calls of a 32-bit program.
    OtherTable,
    /// Came in by a network interface.
    Received,
    /// Requests to disks of which neither beginning nor end was seen.
    Requests,
    /// Page faults of which it is not counted what they mapped, or copied.
    Faults,
    /// `ioctl` and `getsockopt` where they may share files or packets, or give out pages.
    Arguments,
}

impl What {
    /// The amount that there may be more of.
    pub fn kinds(self) -> &'static [HopKind] {
        match self {
            Self::FreshPages | Self::Messages | Self::Undecided | Self::ZeroCopySends => {
                &[HopKind::Copy]
            }
            Self::LargePages => &[HopKind::Fill],
            Self::UnknownFiles => &[HopKind::Copy],
            Self::OtherTable => &[HopKind::Copy, HopKind::Share],
            Self::Received | Self::Requests => &[HopKind::Dma],
            // New pages are counted apart, and mappings are in no column.
            Self::Faults => &[],
            Self::Arguments => &[HopKind::Share],
        }
    }
}
