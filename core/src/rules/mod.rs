//! The inference rules of level T: what a call did with bytes, concluded from what it is.
//!
//! At level T no probe sees most copies. But what a call returned and what its descriptors are is
//! measured, and from these [`table::RULES`] (calls) and [`fault::RULES`] (page faults) conclude
//! where the bytes went. Both are tables, read from top to bottom: the first row of `RULES` that
//! fits a call decides; every row of the fault rules that fits adds its part.
//!
//! Pure: no I/O, no state. The reconstruction asks with all that it saw in a call ([`Seen`]);
//! `bytehop stat` asks with sums over many calls.

pub mod calls;
pub mod fault;
pub mod kind;
pub mod measure;
pub mod pages;
mod table;
#[cfg(test)]
mod tests;

pub use calls::{CallTable, End, Move, Role, Shape, Size, shape_of};
pub use kind::{Class, FileKind, Fs, Kinds};
pub use table::{MSG_TRUNC, RULES};

use crate::catalogue::RuleId;
use crate::model::{HopKind, Place};

/// One row of the table.
pub struct Rule {
    pub id: RuleId,
    /// Calls that it is about.
    pub moves: &'static [Move],
    /// What the bytes come from and go to.
    pub from: Kinds,
    pub to: Kinds,
    /// What else must be true.
    pub when: fn(&Facts) -> bool,
    pub does: Does,
}

/// What a rule says of the bytes that a call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// They went this way.
    Moves(&'static [Step]),
    /// They were thrown away, or were no data: nothing moved, and nothing is missing.
    Discards,
    /// A device moves them, or whatever its driver does instead: requests tell.
    LeavesToDevice,
    /// What became of them can't be told from here.
    CannotTell,
}

impl Does {
    /// The hops that it concludes.
    pub const fn steps(self) -> &'static [Step] {
        match self {
            Self::Moves(steps) => steps,
            Self::Discards | Self::LeavesToDevice | Self::CannotTell => &[],
        }
    }
}

/// A hop that a rule concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(pub HopKind, pub Spot, pub Spot);

/// A place, relative to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Where the bytes of the source, or of the target, are.
    From,
    To,
    /// Pages of the kernel's own, in between.
    Kernel,
}

/// What probes saw inside a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Block I/O straight to or from memory outside the page cache.
    pub direct_io: bool,
    /// Pages were put into the page cache, or made dirty.
    pub cached: bool,
}

/// What is known of a call, or of many alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub moves: Move,
    pub from: Class,
    pub to: Class,
    /// `MSG_*` flags of a socket call.
    pub msg_flags: u32,
    /// `None` if nobody looked (`stat`).
    pub seen: Option<Seen>,
    /// No socket of the program ever had `SO_ZEROCOPY` set, so `MSG_ZEROCOPY` has no effect.
    pub zerocopy_off: bool,
    /// The mapping populated is private and writable.
    pub private: bool,
    /// The kernel encrypts what the socket sends (kTLS).
    pub tls: bool,
    /// The socket sends packets that lie in memory which it shares with the program (`PACKET_TX_RING`).
    pub ring: bool,
    /// The return value is the length of a message, and the buffer may have taken less.
    pub cut: bool,
}

impl Shape {
    /// What the second descriptor must be, where it was not seen; `first`: what the first one is. `None` if it may be
    /// one thing or another.
    pub fn unnamed(&self, first: Class) -> Option<Class> {
        match self.moves {
            // One of the two ends is a pipe.
            Move::Splice if first.kind == FileKind::Pipe => None,
            Move::Splice | Move::Tee => Some(Class::plain(FileKind::Pipe)),
            _ => Some(Class::CLOSED),
        }
    }
}

impl Facts {
    /// The facts of a call of this shape on these descriptors.
    pub fn new(shape: Shape, first: Option<Class>, second: Option<Class>) -> Self {
        let class = |end| match end {
            End::User => Class::USER,
            End::First => first.unwrap_or(Class::CLOSED),
            End::Second => second.unwrap_or(Class::CLOSED),
            End::Random => Class::plain(FileKind::DevRandom),
            End::Zeros => Class::plain(FileKind::DevZero),
            End::Queue => Class::plain(FileKind::Pseudo),
        };
        let (mut from, mut to) = (class(shape.from), class(shape.to));
        // The source of a reflink is named in an argument that may not have been read.
        if shape.moves == Move::Clone && from.kind == FileKind::Closed {
            from = to;
        }
        // Given the pipe's reading end, vmsplice goes the other way.
        if shape.moves == Move::Vmsplice && !to.writable {
            (from, to) = (to, from);
        }
        Self {
            moves: shape.moves,
            from: from.in_call(shape.moves, true),
            to: to.in_call(shape.moves, false),
            msg_flags: 0,
            seen: None,
            zerocopy_off: false,
            private: false,
            tls: false,
            ring: false,
            cut: false,
        }
    }

    /// What a step of a rule means in this call.
    pub fn kind(&self, spot: Spot) -> FileKind {
        match spot {
            Spot::From => self.from.kind,
            Spot::To => self.to.kind,
            Spot::Kernel => FileKind::Pseudo,
        }
    }

    /// The place that a step of a rule means in this call.
    pub fn place(&self, spot: Spot) -> Option<Place> {
        match spot {
            Spot::From => self.from.kind.place(),
            Spot::To => self.to.kind.place(),
            Spot::Kernel => Some(Place::Kernel),
        }
    }
}

/// The rule that decides a call; `None` if nothing is known about such a call.
pub fn conclude(facts: &Facts) -> Option<&'static Rule> {
    RULES.iter().find(|rule| {
        // What is asked of bits comes first: this is done for every call.
        rule.from.has(facts.from.kind)
            && rule.to.has(facts.to.kind)
            && rule.moves.contains(&facts.moves)
            && (rule.when)(facts)
    })
}
