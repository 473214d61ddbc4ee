//! System calls and io_uring requests: the rules applied to them.

use tracer_ebpf::{AIO, FileRef, OPERATION, Syscall, Uring, bio, flag, uring};

use super::account::Fate;
use super::again::is_plain;
use super::holes::By;
use super::io::Context;
use super::lengths::{Length, is_error};
use super::measured::Outcome;
use super::sink::{Call, File, What};
use super::sums::Calls;
use super::tally::{At, Key, Moved, Object};
use super::threads::{Open, Took};
use super::{Part, Reconstructor, SOCKETS_MAX, Sink, hop};
use crate::catalogue::{RuleId, Subject};
use crate::ledger::Unaccounted;
use crate::model::{CallId, Claim, Evidence, HopKind};
use crate::rules::measure::FILL_HOLES;
use crate::rules::pages;
use crate::rules::{
    self, Class, End, Facts, FileKind, Kinds, MSG_TRUNC, Move, Role, Rule, Seen, Shape, Size,
};

const MSG_PEEK: u32 = 2;
const MSG_OOB: u32 = 1;
const SOL_SOCKET: u64 = 1;
const SO_ZEROCOPY: u64 = 60;
const SOL_TLS: u64 = 282;
const TLS_TX: u64 = 1;
const SOL_PACKET: u64 = 263;
const PACKET_RX_RING: u64 = 5;
const PACKET_TX_RING: u64 = 13;
const SOL_XDP: u64 = 283;
const XDP_RX_RING: u64 = 2;
/// `IORING_CQE_F_NOTIF`: the end of a zero-copy send, not a result.
const CQE_F_NOTIF: u16 = 1 << 3;

/// The flags that a socket's call was given.
fn msg_flags(shape: Option<Shape>, call: &Syscall) -> u32 {
    let arg = shape.and_then(|shape| shape.msg_flags);
    let flags = arg.and_then(|arg| call.args.get(arg));
    flags.map_or(0, |flags| *flags as u32)
}

/// As [`tracer_ebpf::TopKey::nr`] numbers it.
fn operation(request: &Uring) -> u16 {
    let aio = match request.how & uring::AIO {
        0 => 0,
        _ => AIO,
    };
    OPERATION | aio | u16::from(request.opcode)
}

impl Reconstructor {
    pub(super) fn syscall<S: Sink>(
        &mut self,
        call: &Syscall,
        file: Option<&FileRef>,
        sink: &mut S,
    ) {
        let head = &call.head;
        let slot = self.thread(head.tid, head.tgid);
        let mut open = self.take_open(slot, head.seq, sink);
        let process = self.threads.at(slot).process;
        let compat = head.flags & flag::COMPAT != 0;
        let (sized, role, shape) = match self.setup.table.call(head.nr) {
            Some(info) if !compat => (info.sized, info.role, info.shape),
            _ => (false, Role::Ordinary, None),
        };
        match role {
            Role::Pages if !is_error(call.ret) => {
                let name = self.setup.name(compat, head.nr);
                let magic = file.map_or(0, |file| file.magic);
                if let Some(why) = pages::untold(&name, &call.args, magic) {
                    self.sums.account.unknown((compat, head.nr), why);
                }
            }
            Role::Ordinary | Role::Alters | Role::Truncates | Role::Pages => {}
            Role::AsyncIo => {
                if let Some(process) = self.sums.processes.get(process) {
                    process.async_io = true;
                }
            }
            Role::SocketOption if call.ret == 0 => match (call.args[1], call.args[2], file) {
                (SOL_SOCKET, SO_ZEROCOPY, _) => self.zerocopy_on = true,
                (SOL_TLS, TLS_TX, Some(file)) => {
                    self.tls.insert(file.ino);
                }
                (SOL_PACKET, PACKET_TX_RING, Some(file)) => {
                    self.rings.insert(file.ino);
                }
                (SOL_PACKET, PACKET_RX_RING, _) | (SOL_XDP, XDP_RX_RING, _) => {
                    let which = (compat, head.nr);
                    self.sums.account.unknown(which, Unaccounted::SharedRing);
                }
                _ => {}
            },
            Role::SocketOption => {}
        }
        if open.seq == 0 && self.again.of(call).is(call, file) {
            self.once_more(call, file, process, &open, sink);
            self.threads.put_back(open);
            return;
        }

        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        let one = file.map(|file| Class::of(file, self.setup.arch));
        let file2 = open
            .extra
            .as_ref()
            .map(|extra| extra.file2)
            .filter(|file| file.mode != 0);
        let two = file2.as_ref().map(|file| Class::of(file, self.setup.arch));
        // What the call itself says of its size stands for a return value.
        let told = open.told();
        let shape = shape.map(|shape| {
            let shape = shape.requested(&call.args);
            match told {
                Some(_) if shape.size == Size::Unknown => shape.size(Size::Returned),
                _ => shape,
            }
        });
        self.nearest(&mut open);
        let mut length = shape.map_or(Length::default(), |shape| {
            Length::of(shape, call, told, one, &open, &self.setup)
        });
        let listed = match shape {
            Some(shape) if sized || told.is_some() => length.listed(one, shape, call),
            None if sized => u64::try_from(call.ret).unwrap_or(0),
            _ => 0,
        };
        self.count(call, compat, listed, process);
        let on = [file, file2.as_ref()]
            .map(|file| file.map_or(Object::NONE, |file| self.names.of(file)));
        self.name(call, file, process, on);
        let populates =
            shape.is_some_and(|shape| shape.moves == Move::Populate && shape.applies(&call.args));
        if populates {
            length.moved = self.populated(call, one, &mut open);
        }
        let inner = self.inner_faults(&mut open, head.ts);
        // A look at bytes that stay takes none.
        let peeks = msg_flags(shape, call) & MSG_PEEK != 0;
        let is = |kind| one.is_some_and(|one| one.kind == kind) && !peeks;
        let socket = file.filter(|_| is(FileKind::Tcp));
        let receives = shape.is_some_and(|shape| shape.from == End::First) && is(FileKind::Udp);
        if receives {
            open.seq = head.seq;
        }
        if open.seq != 0 {
            open.began = head.ts;
            if let Some(socket) = socket {
                open.took.push((socket.ino, Took::Copied));
            }
            if let (Some(socket), Some(sizes)) = (file.filter(|_| receives), length.moved) {
                open.took
                    .push((socket.ino, Took::Datagrams(sizes.0, sizes.1)));
            }
            let context = Context {
                peeks,
                ..Context::of_call(shape, role == Role::AsyncIo, one, two)
            };
            if context.raw {
                self.raw.extend(open.inodes.iter().take(4));
            }
            self.parts(&open, context, &mut moved);
        }
        let (mut unaccounted, mut returned, mut is_known) = (None, 0, true);
        if let Some(shape) = shape
            && let Some((bytes, _)) = length.moved
        {
            let fate = self.conclude(shape, call, (one, two), length, &mut open, file, &mut moved);
            if shape.returns_bytes() {
                let id = CallId {
                    tid: head.tid,
                    seq: head.seq,
                };
                let hole = file.filter(|_| shape.moves == Move::Read);
                let hole = hole.filter(|file| self.may_be_hole(file, one, &moved));
                let hole = hole.map(|file| (file.dev, file.ino));
                let account = &mut self.sums.account;
                account.take((compat, head.nr), id, bytes, fate);
                if let Some(hole) = hole {
                    account.may_be_hole(id, process, hole);
                }
                unaccounted = fate.open();
                returned = bytes;
            }
            is_known = fate == Fate::Closed;
        } else {
            let inserted = open.extra.as_ref().map_or(0, |extra| extra.cache_pages);
            let inserted = u64::from(inserted);
            let copied = match role {
                Role::Alters => open.dirtied,
                // Any file system may clear the end of the new last page, and then it is dirty, too.
                Role::Truncates if (2..=open.dirtied).contains(&inserted) => inserted,
                Role::Pages if file.is_some_and(|file| pages::alters(&call.args, file.magic)) => {
                    open.dirtied
                }
                _ => 0,
            };
            self.copied_up(copied, &mut open, head.ts, &mut moved);
            if !open.found.is_empty() {
                let requests = role == Role::AsyncIo;
                self.unexpected(&open.found, None, requests, head.ts, &mut moved);
            }
        }
        if role == Role::AsyncIo {
            self.sums.account.beside(&moved);
            let seen = seen(&open, None);
            if seen.cached && !seen.direct_io {
                self.threads.at(slot).fell_back = head.seq;
            }
        }
        let fills =
            !shape.is_some_and(|shape| matches!(shape.moves, Move::Write | Move::CopyRange));
        if let Some(extra) = open.extra.as_ref().filter(|_| fills) {
            self.over_network(extra.reserved, head.ts, &mut moved);
        }
        self.locate(&mut moved, shape, (on[0], one), (on[1], two));
        if let Some(socket) = socket {
            self.brought_pages(socket.ino, head.ts, &mut moved);
        }
        moved.extend(inner);
        let id = CallId {
            tid: head.tid,
            seq: head.seq,
        };
        self.came_by_call(
            shape,
            (file, one),
            (file2.as_ref(), two),
            &open,
            By {
                id,
                process,
                ts: head.ts,
            },
        );
        Self::woken(&open.sleeps, &mut moved);
        self.settle(head.ts, &open, sink);
        self.add_all::<S>(process, id, &moved);
        if open.seq == 0 && is_known && !compat && is_plain(role, shape, one) {
            let again = self.again.of(call);
            again.remember(call, file, &moved);
            (again.class, again.on) = (one, on);
            (again.listed, again.returned) = (listed, returned);
        }
        if S::WANTED {
            self.hand_out(
                call,
                compat,
                (file, one),
                (file2.as_ref(), two),
                &open,
                (unaccounted, listed),
                sink,
            );
        }
        self.moved = moved;
        self.threads.put_back(open);
    }

    /// Counts a call for the things that have names.
    pub(super) fn name(
        &mut self,
        call: &Syscall,
        file: Option<&FileRef>,
        process: usize,
        on: [Object; 2],
    ) {
        let head = &call.head;
        self.names.call(process, head.tid, on, call.dur);
        for region in self.regions.of(head.tid, head.seq) {
            self.names.region(*region).call(call.dur);
        }
        self.names.paths().call(call, file);
    }

    pub(super) fn count(&mut self, call: &Syscall, compat: bool, bytes: u64, process: usize) {
        let nr = usize::from(call.head.nr);
        let sums = &mut self.sums;
        sums.syscalls += 1;
        if let Some(process) = sums.processes.get(process) {
            process.row.syscalls += 1;
        }
        if sums.calls.is_empty() {
            sums.calls
                .resize(tracer_ebpf::SYSCALLS_MAX, Calls::default());
        }
        let row = match sums.calls.get_mut(nr) {
            Some(row) if !compat => row,
            _ => sums.other_calls.entry((compat, call.head.nr)).or_default(),
        };
        row.calls += 1;
        row.errors += u64::from(is_error(call.ret));
        row.time = row.time.saturating_add(call.dur);
        row.bytes = row.bytes.saturating_add(bytes);
        row.times.add(call.dur);
        if bytes > 0 {
            row.sizes.add(bytes);
        }
    }

    /// Which of a call's descriptors its hops begin and end in.
    fn locate(
        &self,
        moved: &mut [Moved],
        shape: Option<Shape>,
        first: (Object, Option<Class>),
        second: (Object, Option<Class>),
    ) {
        let is = |(object, class): (Object, Option<Class>), at: At| {
            let place = class.and_then(|class| class.kind.place());
            object != Object::NONE && place.is_some_and(|place| At::from(&place) == at)
        };
        for hop in moved {
            let Key { from, to, .. } = hop.key;
            for (end, at) in [from, to].into_iter().enumerate() {
                if hop.of[end] != Object::NONE
                    || !matches!(at, At::PageCache | At::Shmem | At::Socket)
                {
                    continue;
                }
                let side = shape.map(|shape| if end == 0 { shape.from } else { shape.to });
                hop.of[end] = match (is(first, at), is(second, at)) {
                    (true, true) if side == Some(End::Second) => second.0,
                    (true, _) => first.0,
                    (false, true) => second.0,
                    (false, false) => Object::NONE,
                };
            }
        }
    }

    /// Applies the rules to a call, and compares them with what was measured.
    #[expect(clippy::too_many_arguments, reason = "all that is known of one call")]
    fn conclude(
        &mut self,
        shape: Shape,
        call: &Syscall,
        (one, two): (Option<Class>, Option<Class>),
        length: Length,
        open: &mut Open,
        file: Option<&FileRef>,
        moved: &mut Vec<Moved>,
    ) -> Fate {
        let (bytes, count) = length.moved.unwrap_or_default();
        let mut facts = Facts::new(shape, one, two);
        facts.cut = length.cut;
        facts.msg_flags = msg_flags(Some(shape), call);
        facts.zerocopy_off = !self.zerocopy_on && !self.setup.start.attached;
        facts.private = shape.moves == Move::Populate && Shape::populates_copies(&call.args);
        facts.tls = shape.to == End::First && self.encrypts(file);
        facts.ring = file.is_some_and(|file| self.rings.contains(&file.ino));
        facts.seen = Some(seen(open, file));
        let ts = call.head.ts;
        let Some(rule) = rules::conclude(&facts) else {
            self.unexpected(&open.found, Some(Claim::NoRule), false, ts, moved);
            return Fate::Open(bytes, Unaccounted::NoRule);
        };
        if let Some(file) = file.filter(|_| rule.id == RuleId::DirectReadFellBack) {
            self.sums.account.fell_back((file.dev, file.ino));
        }
        let by_tracepoint = self.measured(&facts, rule, bytes, shape, open);
        let outcome = match by_tracepoint {
            Some(found) => Outcome::Measured(found),
            None => self.apply_measured(
                rule,
                shape,
                &facts,
                (bytes, count),
                file,
                &mut open.found,
                ts,
                moved,
            ),
        };
        if facts.tls {
            // The encrypted records are handed to TCP by reference: between two parts of the kernel.
            open.found
                .retain(|found| found.what != tracer_ebpf::moved::SKB_SPLICE);
        }
        self.unexpected(&open.found, Some(Claim::Rule(rule.id)), false, ts, moved);
        let unsized_call = shape.size == Size::Unknown && !rule.does.steps().is_empty();
        if unsized_call && !matches!(outcome, Outcome::Measured(_)) {
            match shape.moves {
                Move::Clone => self.sums.unsized_reflinks += count,
                _ => {
                    self.sums.unsized_messages += count;
                    let which = (false, call.head.nr);
                    self.sums.account.unsized_messages(which, count);
                }
            }
        }
        let fate = Fate::by_rule(rule, outcome, bytes, moved);
        if by_tracepoint.is_some() || shape.size == Size::Unknown && count == 0 {
            return fate;
        }
        if let Some(file) = file.filter(|_| by_reference(rule, &facts))
            && let Some(bytes) = self.by_reference.sent(file.ino, bytes)
        {
            self.late_copy(bytes, moved);
        }
        fate
    }

    /// Whether a direct read of this file that no device serves can have been of nothing but a hole. Other file
    /// systems may read through the page cache instead: at level F that is seen.
    fn may_be_hole(&self, file: &FileRef, class: Option<Class>, moved: &[Moved]) -> bool {
        let fills =
            FILL_HOLES.contains(&file.magic) || self.measures(tracer_ebpf::moved::FILE_READ);
        class.is_some_and(|class| class.kind == FileKind::RegularFile)
            && fills
            && !moved.iter().any(|hop| hop.key.kind == HopKind::Copy)
    }

    fn encrypts(&self, file: Option<&FileRef>) -> bool {
        file.is_some_and(|file| self.tls.contains(&file.ino))
    }

    /// Bytes that a probe measured of the very copy that a rule concludes; reports it if they differ.
    fn measured(
        &mut self,
        facts: &Facts,
        rule: &Rule,
        bytes: u64,
        shape: Shape,
        open: &Open,
    ) -> Option<u64> {
        let receives = facts.to.kind == FileKind::User && Kinds::SOCKET.has(facts.from.kind);
        if !receives {
            return None;
        }
        let found = open.extra.as_ref().map_or(0, |extra| extra.skb_copied);
        // Only these receive through the probe always, but for urgent data. What was cut off, or looked at twice, may
        // differ rightly; and io_uring may have received in between.
        let exact = matches!(facts.from.kind, FileKind::Tcp | FileKind::UnixStream)
            && facts.msg_flags & (MSG_OOB | MSG_PEEK | MSG_TRUNC) == 0
            && shape.size != Size::Unknown
            && facts.moves != Move::RecvZc
            && self.setup.skb
            && !rule.does.steps().is_empty()
            && open.hops.is_empty();
        if exact && found != bytes && !self.sums.async_used {
            let what = Subject::ReceivedFromSockets;
            self.sums
                .differences
                .add(what, Claim::Rule(rule.id), bytes, found);
        }
        (found > 0).then_some(found)
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of one call")]
    pub(super) fn hand_out<S: Sink>(
        &self,
        call: &Syscall,
        compat: bool,
        (file, one): (Option<&FileRef>, Option<Class>),
        (file2, two): (Option<&FileRef>, Option<Class>),
        open: &Open,
        (unaccounted, bytes): (Option<Unaccounted>, u64),
        sink: &mut S,
    ) {
        let head = &call.head;
        let made = |file: Option<&FileRef>, class: Option<Class>| {
            Some(File {
                at: *file?,
                class: class?,
            })
        };
        let name = self.setup.name(compat, head.nr);
        let call = Call {
            id: CallId {
                tid: head.tid,
                seq: head.seq,
            },
            tgid: head.tgid,
            ts: head.ts,
            dur: call.dur,
            waited: open.waited,
            irqs: open.extra.as_ref().map_or(0, |extra| extra.irqs),
            open: unaccounted,
            bytes,
            regions: self.regions_of(head.tid, head.seq),
            what: What::Syscall {
                name: &name,
                nr: head.nr,
                compat,
                ret: call.ret,
                args: call.args,
                file: made(file, one),
                file2: made(file2, two),
            },
        };
        sink.call(&call, &self.hops);
    }

    /// A request of io_uring or Linux AIO is the call that it replaces, done at another time or by another thread.
    pub(super) fn uring<S: Sink>(&mut self, request: &Uring, sink: &mut S) {
        let head = &request.head;
        let part = self.part(head, sink);
        let slot = match part {
            Part::Open(slot) | Part::Late(slot) => slot,
        };
        let process = self.threads.at(slot).process;
        self.sums.async_used = true;
        if let Some(process) = self.sums.processes.get(process) {
            process.async_io = true;
        }
        self.sums.untold += u64::from(request.how & uring::UNTOLD != 0);
        if request.cqe_flags & CQE_F_NOTIF != 0 {
            return;
        }
        let operation = operation(request);
        let shape = self.setup.table.operation(operation);
        self.sums.made.take(operation, request, shape.is_some());
        let Some(shape) = shape else {
            return;
        };
        let Ok(bytes @ 1..) = u64::try_from(request.res) else {
            return;
        };
        let class = Class::of(&request.file, self.setup.arch);
        let source = (request.file2.mode != 0).then(|| Class::of(&request.file2, self.setup.arch));
        let Some(second) = source.or_else(|| shape.unnamed(class)) else {
            self.account_of_request(request, bytes, Fate::Open(bytes, Unaccounted::NoSource));
            return;
        };
        let mut facts = Facts::new(shape, Some(class), Some(second));
        facts.tls = self.encrypts(Some(&request.file));
        // The call of Linux AIO is over: it is known whether it left anything to a device.
        if request.how & uring::AIO != 0 && self.threads.at(slot).fell_back == head.seq {
            facts.seen = Some(Seen {
                direct_io: false,
                cached: true,
            });
        }
        let deferred = request.how & (uring::ASYNC | uring::SQPOLL | uring::ELSEWHERE) != 0;
        // Received by the thread itself: the probe has measured it, in the call that it was in.
        let probed = matches!(
            class.kind,
            FileKind::Tcp | FileKind::UnixStream | FileKind::UnixDgram
        );
        let took = match (class.kind, shape.moves) {
            (FileKind::Tcp, Move::Recv | Move::Read) => Some(Took::Bytes(bytes)),
            (FileKind::Udp, Move::Recv) => Some(Took::Datagrams(bytes, 1)),
            _ => None,
        };
        let mut took = took.map(|took| (request.file.ino, took));
        // What its call is seen to copy out of packets is not told apart by request: neither is what brought it.
        if let (false, Part::Open(slot)) = (deferred, &part)
            && self.threads.open(*slot).took.len() < SOCKETS_MAX
        {
            self.threads.open(*slot).took.extend(took.take());
        }
        if shape.moves == Move::Recv && probed && self.setup.skb && !deferred {
            self.account_of_request(request, bytes, Fate::Closed);
            return;
        }
        let Some(rule) = rules::conclude(&facts) else {
            self.account_of_request(request, bytes, Fate::Open(bytes, Unaccounted::NoRule));
            return;
        };
        let mut moved = Vec::new();
        if !self.expect_of_request(rule, &facts, &request.file, bytes) {
            apply(rule, &facts, (bytes, 1), head.ts, &mut moved);
        }
        let fate = Fate::by_rule(rule, Outcome::Unmeasured, bytes, &[]);
        self.account_of_request(request, bytes, fate);
        for hop in &mut moved {
            hop.key.deferred = deferred;
            // When the program fetched a result of Linux AIO says nothing of when it was there.
            if request.how & uring::AIO == 0 {
                hop.dur = request.completed.saturating_sub(head.ts);
            }
        }
        if by_reference(rule, &facts)
            && let Some(bytes) = self.by_reference.sent(request.file.ino, bytes)
        {
            self.late_copy(bytes, &mut moved);
        }
        let on = self.names.of(&request.file);
        let from = match source {
            Some(_) => self.names.of(&request.file2),
            None => Object::NONE,
        };
        self.locate(&mut moved, Some(shape), (on, Some(class)), (from, source));
        if let Some(took) = took {
            self.brought(took, 0, head.ts, &mut moved);
        }
        match part {
            Part::Open(slot) => self.threads.open(slot).hops.extend(moved),
            Part::Late(slot) => {
                let id = CallId {
                    tid: self.threads.at(slot).tid,
                    seq: head.seq,
                };
                for hop in &moved {
                    self.late(id, process, hop, sink);
                }
            }
        }
    }
}

impl Reconstructor {
    fn account_of_request(&mut self, request: &Uring, bytes: u64, fate: Fate) {
        let which = (false, operation(request));
        self.sums.account.take_request(which, bytes, fate);
    }
}

impl Open {
    /// Takes out what the call itself says it moved: bytes, operations.
    fn told(&mut self) -> Option<(u64, u64)> {
        let at = self
            .found
            .iter()
            .position(|found| found.what == tracer_ebpf::moved::SIZE)?;
        let told = self.found.swap_remove(at);
        Some((told.bytes, told.count))
    }
}

/// What probes saw in a call.
fn seen(open: &Open, file: Option<&FileRef>) -> Seen {
    let inserted = open.extra.as_ref().map_or(0, |extra| extra.cache_pages);
    // The program's memory may be pages of another file that it has mapped.
    let others = |io: &super::threads::Io| {
        let own = file.filter(|file| FILL_HOLES.contains(&file.magic));
        io.bio & bio::FILE != 0 && own.is_some_and(|file| io.inode != (file.dev, file.ino))
    };
    let direct = |io: &super::threads::Io| {
        (io.bio & bio::ANON != 0 || others(io)) && io.bio & bio::META == 0
    };
    Seen {
        direct_io: open.ios.iter().any(direct),
        cached: inserted > 0 || open.dirtied > 0,
    }
}

/// The program's memory is handed to a socket by reference.
fn by_reference(rule: &Rule, facts: &Facts) -> bool {
    let shares = rule
        .does
        .steps()
        .iter()
        .any(|step| step.0 == HopKind::Share);
    shares && facts.from.kind == FileKind::User && Kinds::INET.has(facts.to.kind)
}

/// The hops that a rule concludes.
fn apply(rule: &Rule, facts: &Facts, (bytes, count): (u64, u64), ts: u64, moved: &mut Vec<Moved>) {
    for &rules::Step(kind, from, to) in rule.does.steps() {
        let (Some(from), Some(to)) = (facts.place(from), facts.place(to)) else {
            continue;
        };
        let one = hop(
            kind,
            At::from(&from),
            At::from(&to),
            Evidence::Inferred(rule.id),
            bytes,
        );
        moved.push(Moved { count, ts, ..one });
    }
}
