//! How many bytes a call says it moved: return values that are no sizes are found out here.

use tracer_ebpf::{Syscall, moved};

use super::Setup;
use super::threads::Open;
use crate::rules::{Class, FileKind, MSG_TRUNC, Move, Shape, Size};

/// Results from −4095 to −1 are error numbers.
pub fn is_error(ret: i64) -> bool {
    (-4095..0).contains(&ret)
}

/// What a call says it moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// Bytes, operations; `None` if nothing.
    pub moved: Option<(u64, u64)>,
    /// The bytes are those of a message, and the buffer may have taken fewer.
    pub cut: bool,
}

impl Length {
    /// `told`: what the call left in memory of that.
    pub fn of(
        shape: Shape,
        call: &Syscall,
        told: Option<(u64, u64)>,
        file: Option<Class>,
        open: &Open,
        setup: &Setup,
    ) -> Self {
        let whole = Self {
            moved: moved_by(shape, call, told),
            cut: false,
        };
        let (Some((bytes, count)), Some(file)) = (whole.moved, file) else {
            return whole;
        };
        let flags = shape.msg_flags.and_then(|arg| call.args.get(arg));
        let cuts = flags.is_some_and(|flags| *flags as u32 & MSG_TRUNC != 0);
        // Of streams that flag throws away what is returned: a rule knows.
        if shape.moves != Move::Recv || !cuts || file.kind == FileKind::Tcp {
            return whole;
        }
        match kept(shape, file, bytes, open, setup) {
            Some(bytes) => Self {
                moved: (bytes > 0).then_some((bytes, count)),
                cut: false,
            },
            None => Self { cut: true, ..whole },
        }
    }

    /// As lists of calls add it up.
    pub fn listed(self, file: Option<Class>, shape: Shape, call: &Syscall) -> u64 {
        let flags = shape.msg_flags.and_then(|arg| call.args.get(arg));
        let thrown = shape.moves == Move::Recv
            && file.is_some_and(|file| file.kind == FileKind::Tcp)
            && flags.is_some_and(|flags| *flags as u32 & MSG_TRUNC != 0);
        match self.moved {
            Some((bytes, _)) if !self.cut && !thrown => bytes,
            _ => 0,
        }
    }
}

/// Of a message of so many bytes, what the buffer took; `None` if nobody saw that.
fn kept(shape: Shape, file: Class, bytes: u64, open: &Open, setup: &Setup) -> Option<u64> {
    let copied = open.extra.as_ref().map_or(0, |extra| extra.skb_copied);
    let of_function = open.found.iter().find(|f| f.what == moved::UDP_RECEIVE);
    if let Some(found) = of_function {
        return Some(found.bytes);
    }
    if copied > 0 {
        return Some(copied.min(bytes));
    }
    // The argument is the buffer's size.
    if matches!(shape.size, Size::AtMost(_)) {
        return Some(bytes);
    }
    // A packet in one piece is copied without that tracepoint (`copy_linear_skb`).
    (file.kind != FileKind::Udp && setup.skb).then_some(0)
}

/// What a call moved: bytes, operations; `None` if nothing.
fn moved_by(shape: Shape, call: &Syscall, told: Option<(u64, u64)>) -> Option<(u64, u64)> {
    if is_error(call.ret) || !shape.applies(&call.args) {
        return None;
    }
    let returned = u64::try_from(call.ret).ok()?;
    let arg = |index: usize| call.args.get(index).copied().unwrap_or(0);
    let (bytes, count) = match shape.size {
        Size::Returned if told.is_some() => told?,
        Size::Returned => (returned, 1),
        Size::AtMost(index) => (returned.min(arg(index)), 1),
        Size::Arg(index) => (arg(index), 1),
        Size::Word => (8, 1),
        // Messages; a reflink returns 0.
        Size::Unknown => {
            let one = matches!(shape.moves, Move::Clone | Move::RecvZc);
            return Some((0, returned.max(u64::from(one))));
        }
    };
    (bytes > 0).then_some((bytes, count))
}
