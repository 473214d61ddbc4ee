//! The calls that move data through the program's memory: which way, and where their arguments stand.

use super::end::Site;
use crate::reconstruct::Call;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    In,
    Out,
}

/// A call that moved data.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub call: &'a Call<'a>,
    pub data: &'static Data,
    pub args: &'a [u64; 6],
    /// What it moved, and what of that the CPU copied.
    pub bytes: u64,
    pub copied: u64,
    /// Where in the file it began.
    pub position: Option<u64>,
    pub site: Site,
}

/// A call by its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    pub name: &'static str,
    pub way: Way,
    /// The buffer is a single one: address and length are arguments 1 and 2. Else they stand in memory.
    pub plain: bool,
    /// The argument that is a position in the file; without one, the descriptor's own counts.
    pub offset: Option<usize>,
    /// The argument of `MSG_…` flags.
    pub flags: Option<usize>,
}

const fn row(
    name: &'static str,
    way: Way,
    plain: bool,
    offset: Option<usize>,
    flags: Option<usize>,
) -> Data {
    Data {
        name,
        way,
        plain,
        offset,
        flags,
    }
}

#[rustfmt::skip] // a table
const CALLS: &[Data] = &[
    row("read",     Way::In,  true,  None,    None),
    row("write",    Way::Out, true,  None,    None),
    row("pread64",  Way::In,  true,  Some(3), None),
    row("pwrite64", Way::Out, true,  Some(3), None),
    row("readv",    Way::In,  false, None,    None),
    row("writev",   Way::Out, false, None,    None),
    row("preadv",   Way::In,  false, Some(3), None),
    row("pwritev",  Way::Out, false, Some(3), None),
    row("preadv2",  Way::In,  false, Some(3), None),
    row("pwritev2", Way::Out, false, Some(3), None),
    row("recvfrom", Way::In,  true,  None,    Some(3)),
    row("sendto",   Way::Out, true,  None,    Some(3)),
    row("recvmsg",  Way::In,  false, None,    Some(2)),
    row("sendmsg",  Way::Out, false, None,    Some(2)),
];

pub fn data_call(name: &str) -> Option<&'static Data> {
    CALLS.iter().find(|call| call.name == name)
}

impl Data {
    /// The buffer and its length.
    pub fn buffer(&self, args: &[u64; 6]) -> Option<(u64, u64)> {
        self.plain.then_some((args[1], args[2]))
    }

    /// The position that the call names.
    pub fn position(&self, args: &[u64; 6]) -> Option<u64> {
        self.offset.map(|arg| args[arg])
    }

    /// Whether bytes were looked at and left where they were.
    pub fn peeks(&self, args: &[u64; 6]) -> bool {
        const MSG_PEEK: u64 = 2;
        self.flags.is_some_and(|arg| args[arg] & MSG_PEEK != 0)
    }
}
