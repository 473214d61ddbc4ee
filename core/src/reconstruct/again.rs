//! Calls like one before: a loop reads one file and writes another in pieces of one size, and what a rule said of the
//! first piece it says of every other.
//!
//! Only what follows from the call and its descriptor alone is remembered. Whatever a probe saw inside a call is
//! concluded anew.

use tracer_ebpf::{FileRef, Syscall};

use super::account::Fate;
use super::tally::{Moved, Object};
use super::threads::Open;
use super::{Reconstructor, Sink};
use crate::model::CallId;
use crate::rules::{Class, Kinds, Move, Role, Shape, Size};

/// Calls that are remembered: those of a loop take turns.
const TURNS: usize = 16;

/// What calls came to, the last of some numbers.
#[derive(Default)]
pub struct Remembered([Again; TURNS]);

/// What a call came to.
#[derive(Default)]
pub struct Again {
    call: Alike,
    pub class: Option<Class>,
    pub on: [Object; 2],
    /// Bytes as lists of calls add them up.
    pub listed: u64,
    /// Payload bytes that it returned.
    pub returned: u64,
    pub moved: Vec<Moved>,
}

/// What makes calls come to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Alike {
    /// Something is remembered.
    known: bool,
    nr: u16,
    flags: u8,
    ret: i64,
    file: Option<FileRef>,
}

impl Alike {
    fn of(call: &Syscall, file: Option<&FileRef>) -> Self {
        Self {
            known: true,
            nr: call.head.nr,
            flags: call.head.flags,
            ret: call.ret,
            file: file.copied(),
        }
    }
}

/// Whether nothing but the returned size and the first descriptor says what such calls do.
pub fn is_plain(role: Role, shape: Option<Shape>, class: Option<Class>) -> bool {
    let plain = |shape: Shape| {
        matches!(shape.moves, Move::Read | Move::Write) && shape.size == Size::Returned
    };
    role == Role::Ordinary
        && shape.is_none_or(plain)
        && !class.is_some_and(|class| Kinds::SOCKET.has(class.kind))
}

impl Remembered {
    pub fn of(&mut self, call: &Syscall) -> &mut Again {
        &mut self.0[usize::from(call.head.nr) % TURNS]
    }

    /// What was remembered was concluded from other facts.
    pub fn forget(&mut self) {
        for again in &mut self.0 {
            again.call.known = false;
        }
    }
}

impl Again {
    pub fn is(&self, call: &Syscall, file: Option<&FileRef>) -> bool {
        self.call == Alike::of(call, file)
    }

    /// Remembers a call that is accounted for.
    pub fn remember(&mut self, call: &Syscall, file: Option<&FileRef>, moved: &[Moved]) {
        self.call = Alike::of(call, file);
        self.moved.clear();
        self.moved.extend_from_slice(moved);
    }
}

impl Reconstructor {
    /// The call comes to the same as the one that is remembered. Nothing is in `open`.
    pub(super) fn once_more<S: Sink>(
        &mut self,
        call: &Syscall,
        file: Option<&FileRef>,
        process: usize,
        open: &Open,
        sink: &mut S,
    ) {
        let mut again = std::mem::take(self.again.of(call));
        let head = &call.head;
        let id = CallId {
            tid: head.tid,
            seq: head.seq,
        };
        self.count(call, false, again.listed, process);
        self.name(call, file, process, again.on);
        let account = &mut self.sums.account;
        account.take((false, head.nr), id, again.returned, Fate::Closed);
        for hop in &mut again.moved {
            hop.ts = head.ts;
        }
        self.add_all::<S>(process, id, &again.moved);
        if S::WANTED {
            let ends = ((file, again.class), (None, None));
            self.hand_out(
                call,
                false,
                ends.0,
                ends.1,
                open,
                (None, again.listed),
                sink,
            );
        }
        *self.again.of(call) = again;
    }
}
