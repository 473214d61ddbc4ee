//! Tracing live: from the ring buffer to whoever takes the records, until the program ends.

mod cputime;
mod devices;
mod facts;
mod follow;
mod gate;
mod lifetime;
mod onward;
mod rings;
mod target;
mod which;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::offset_of;
use std::os::fd::AsFd;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use bytehop_core::decode::encode;
use bytehop_core::event::{BreakpointsOff, Cut, End, Event, Lost, Meta, Skipped};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::time::ClockId;
use thiserror::Error;
use tracer_ebpf::{Head, kind};

use crate::clock::now_ns;
use crate::errors::words;
use crate::launch::Exit;
use crate::lent;
use crate::load::{Left, LoadError, Probes};
use crate::signals::{Reaction, Sender};
use crate::sources::Resolver;
use cputime::CpuTime;
pub(crate) use facts::words_of;
pub use facts::{Priority, first, keep_up, start, whereabouts};
pub use follow::{Followed, Member, on_the_host};
use gate::Gate;
use lifetime::Lifetime;
use onward::Onward;
pub use target::{Control, Order, Target};
pub use which::Which;

/// Takes a trace, live, record by record.
pub trait Output {
    /// A record made in the kernel, as it came.
    fn record(&mut self, record: &[u8]);
    /// A record made in user space.
    fn meta(&mut self, meta: &Meta);
    /// Called often, also when nothing happens.
    fn tick(&mut self, _now: Instant) {}
}

#[derive(Debug, Error)]
pub enum CaptureError {
    Load(#[from] LoadError),
    Wait(#[from] Errno),
    NoProcess(u32),
    NoneOf(Which),
    NotYours(u32),
    Blind,
    AllDumpable,
    Namespace,
}

bytehop_core::says! { CaptureError, lang:
    Self::Load(e) => { e.say(lang) };
    Self::Wait(errno) => "cannot wait for the traced program: {why}" | "无法等待被跟踪的程序：{why}",
        why = words(*errno, lang);
    Self::NoProcess(pid) => "no process {pid}" | "没有进程 {pid}";
    Self::NoneOf(Which::Pid(pid)) => "no process {pid}" | "没有进程 {pid}";
    Self::NoneOf(Which::Comm(name)) => "no process is called {name} (`ps -e -o comm` lists their names), or none that is yours to trace"
        | "没有名为 {name} 的进程（`ps -e -o comm` 列出所有名字），或者没有你可以跟踪的";
    Self::NoneOf(Which::Cgroup(path)) => "no process in cgroup {path} (`systemd-cgls` lists them), or none that is yours to trace"
        | "cgroup {path} 中没有进程（`systemd-cgls` 列出所有 cgroup），或者没有你可以跟踪的";
    Self::NoneOf(Which::Container(id)) => "no process in container {id}: give its id, at least 4 characters of it (`docker ps`, `podman ps`, `crictl ps`), or start bytehop on the host"
        | "容器 {id} 中没有进程：请给出容器的 id（至少前 4 个字符；`docker ps`、`podman ps`、`crictl ps`），或在主机上启动 bytehop";
    Self::NotYours(pid) =>
        "process {pid} is not yours to trace: bytehop lends its rights only for what the kernel shows you anyway (as `strace -p {pid}` would be refused)"
        | "进程 {pid} 不是你可以跟踪的：bytehop 只在内核本来就允许你看的范围内出借权限（`strace -p {pid}` 同样会被拒绝）";
    Self::Blind =>
        "so much was lost that it is not known whether the process has become another program: it is traced no longer (more room: --buffer-size)"
        | "丢失的事件太多，无法知道该进程是否已变成另一个程序：不再跟踪它（用 --buffer-size 加大缓冲区）";
    Self::AllDumpable =>
        "with fs.suid_dumpable = 1 bytehop lends nobody its rights for a running process: `sysctl fs.suid_dumpable=0`, or start bytehop as root"
        | "fs.suid_dumpable = 1 时，bytehop 不为正在运行的进程出借权限：请执行 `sysctl fs.suid_dumpable=0`，或以 root 启动 bytehop";
    Self::Namespace =>
        "a running process cannot be traced from inside a container (a pid namespace): start bytehop on the host"
        | "不能从容器（pid 命名空间）内部跟踪正在运行的进程：请在主机上启动 bytehop";
}

/// Reads the ring buffer until the target ends.
///
/// The kernel side never wakes us, which would cost the traced program more than all else; we look
/// every few milliseconds, more often while there is much.
pub struct Capture<'a> {
    pub probes: &'a mut Probes,
    /// `None` where the kernel only counts.
    pub ring: Option<RingBuf<MapData>>,
    pub control: Control,
    onward: Onward,
    /// Of a running process, where our rights are only lent.
    gate: Option<Gate>,
    lost: Lost,
    at_terminal: bool,
}

/// Time to sleep when there was little, and when there was much.
const IDLE: u16 = 10;
const BUSY: u16 = 1;
/// Records taken, and how long, before looking at signals and clocks again.
const BATCH: usize = 65_536;
const BATCH_TIME: Duration = Duration::from_millis(20);
/// After so many records the time is asked for.
const ASK: usize = 256;
/// Records in a batch after which there is no sleep, or a short one.
const MUCH: usize = 8192;
const SOME: usize = 1024;
const LOST_EVERY: Duration = Duration::from_millis(500);
/// How long what is left in the ring buffer is taken when tracing is over: to the end, however slow we are,
/// where the program has ended; no longer than somebody waits where it was cut off.
const AFTER_END: Duration = Duration::from_secs(60);
const AFTER_CUT: Duration = Duration::from_millis(250);

/// Why tracing is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// The target has ended.
    Exit,
    /// Its time is over.
    Duration,
    /// A signal, or an order.
    Interrupted(Option<Signal>),
}

impl Reason {
    /// As the end record has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Duration => "duration",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

impl<'a> Capture<'a> {
    pub fn new(probes: &'a mut Probes, ring: Option<RingBuf<MapData>>, control: Control) -> Self {
        Self {
            probes,
            ring,
            control,
            onward: Onward::new(),
            gate: None,
            lost: Lost::default(),
            at_terminal: false,
        }
    }

    /// Tells where calls were made.
    pub fn tell_sources(&mut self, resolver: Resolver) {
        self.onward.sources = Some(resolver);
    }

    /// Sends what is known before the program runs: the devices. The caller has sent
    /// [`Start`](bytehop_core::event::Start).
    pub fn introduce(&mut self, out: &mut dyn Output) {
        self.onward.devices.all(out);
    }

    /// Traces until `target` ends, is given up, or its time is over. Sends records of losses and of the end
    /// as well.
    ///
    /// # Errors
    /// If the kernel's maps or the process can't be read any more.
    pub fn run(&mut self, mut target: Target, out: &mut dyn Output) -> Result<Ended, CaptureError> {
        let mut lifetime = match &target {
            Target::Command(running) => Lifetime::of_command(running.began()),
            // The end of one is not the end of all.
            Target::Processes(all) if all.several => Lifetime::of_processes(all.since),
            Target::Processes(all) => Lifetime::of_process(target.pid(), all.since),
        };
        let attached = matches!(target, Target::Processes(_));
        self.gate = (attached && lent::caller().is_some()).then(Gate::default);
        // In a pid namespace of a container their numbers are others.
        let clocks = match attached && follow::is_on_the_host() {
            true => Some(CpuTime::of(&processes(&self.probes.threads()?))),
            false => None,
        };
        let reason = self.follow(&mut target, &mut lifetime, out)?;
        let last = now_ns(ClockId::CLOCK_MONOTONIC);
        let exit = match &mut target {
            Target::Command(running) if reason == Reason::Exit => Some(running.wait()?),
            _ => None,
        };
        let left = self.probes.threads()?;
        // Before the rest is read: they go on meanwhile.
        let cpu = clocks.map(|before| (before, CpuTime::of(&processes(&left))));
        let last = match (&self.ring, exit) {
            (None, Some(_)) => self.asked_to_end(&target)?.unwrap_or(last),
            _ => last,
        };
        // Others that it made may be busy for ever: from here on there is nothing new, so what is left has
        // an end.
        self.probes.stop()?;
        self.take_rest(reason, &mut lifetime, out)?;
        // Only now is it known what each had become.
        let hidden = |process| {
            let gate = self.gate.as_ref();
            gate.is_some_and(|gate| gate.is_closed(process))
        };
        let cpu_ns = match (exit, &cpu) {
            (Some(exit), _) => Some((exit.usage.user + exit.usage.system).as_nanos() as u64),
            (None, Some((before, after))) => after.since(before, &lifetime.ended, hidden),
            (None, None) => None,
        };
        let (still_running, cut) = remain(left, hidden);
        let programs = self.probes.skipped();
        if !programs.is_empty() {
            out.meta(&Meta::Skipped(Skipped { programs }));
        }
        if let Some(cost) = self.probes.cost() {
            out.meta(&Meta::Cost(cost));
        }
        if let Some(sampled) = self.probes.sampled()? {
            out.meta(&Meta::Sampled(sampled));
        }
        for source in self
            .onward
            .sources
            .take()
            .into_iter()
            .flat_map(Resolver::finish)
        {
            out.meta(&source);
        }
        let end = End {
            exit_status: exit.map(|e| e.code()),
            monotonic_ns: last,
            duration_ns: lifetime.duration(last),
            cpu_ns,
            reason: reason.as_str().to_owned(),
            still_running,
            cut,
        };
        out.meta(&Meta::End(end.clone()));
        let not_shown = self.gate.take().map_or(0, |gate| gate.programs);
        let signal = match reason {
            Reason::Interrupted(signal) => signal,
            Reason::Exit | Reason::Duration => None,
        };
        Ok(Ended {
            exit,
            signal,
            end,
            at_terminal: self.at_terminal,
            not_shown,
        })
    }

    /// Hands on records as they come, until tracing is over.
    fn follow(
        &mut self,
        target: &mut Target,
        lifetime: &mut Lifetime,
        out: &mut dyn Output,
    ) -> Result<Reason, CaptureError> {
        let begin = Instant::now();
        let mut looked_for_losses = begin;
        loop {
            let taken = self.drain(lifetime, out)?;
            for source in self.onward.sources.iter().flat_map(Resolver::resolved) {
                out.meta(&source);
            }
            let now = Instant::now();
            out.tick(now);
            if let Some(hits) = self.probes.check_breakpoints(now)? {
                out.meta(&Meta::Breakpoints(BreakpointsOff {
                    hits,
                    monotonic_ns: now_ns(ClockId::CLOCK_MONOTONIC),
                }));
            }
            if now - looked_for_losses > LOST_EVERY {
                looked_for_losses = now;
                self.send_lost(out)?;
            }
            let sleep = match taken {
                MUCH.. => 0,
                SOME.. => BUSY,
                _ => IDLE,
            };
            // Orders are looked for as often as records; signals end the wait.
            let Some(pidfd) = target.pidfd() else {
                return Ok(Reason::Exit);
            };
            let signals = match &self.control {
                Control::Signals(signals, _) => signals.as_fd(),
                Control::Orders(_) => pidfd,
            };
            let mut fds = [pidfd, signals].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, PollTimeout::from(sleep)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
            let ended = fds[0].any().unwrap_or(false);
            if ended && target.has_ended() {
                return Ok(Reason::Exit);
            }
            if let Target::Processes(all) = target
                && all.duration.is_some_and(|duration| now - begin >= duration)
            {
                return Ok(Reason::Duration);
            }
            if let Some(reason) = self.give_up(target, now)? {
                return Ok(reason);
            }
        }
    }

    /// When the command asked to end, where no record tells.
    fn asked_to_end(&self, target: &Target) -> Result<Option<u64>, CaptureError> {
        // In a pid namespace of a container its number is another one.
        match target {
            Target::Command(running) if follow::is_on_the_host() => {
                let asked = self.probes.asked_to_end(running.pid())?;
                Ok(asked.filter(|asked| *asked > running.began()))
            }
            _ => Ok(None),
        }
    }

    /// Hands on what is left in the ring buffer; what there is no time for is counted as lost.
    fn take_rest(
        &mut self,
        reason: Reason,
        lifetime: &mut Lifetime,
        out: &mut dyn Output,
    ) -> Result<(), CaptureError> {
        let time = match reason {
            Reason::Exit => AFTER_END,
            Reason::Duration | Reason::Interrupted(_) => AFTER_CUT,
        };
        let begin = Instant::now();
        let mut over = false;
        while !over && self.drain(lifetime, out)? > 0 {
            over = begin.elapsed() > time;
        }
        if over && let Some(ring) = &mut self.ring {
            let left = count(ring);
            if left.total() > 0 {
                out.meta(&Meta::Lost(left));
            }
        }
        self.send_unfinished(lifetime, out)?;
        self.send_lost(out)
    }

    /// Answers signals and orders; why, if tracing is to stop.
    fn give_up(&mut self, target: &Target, now: Instant) -> Result<Option<Reason>, CaptureError> {
        let program = match target {
            Target::Command(running) => Some(running.pid()),
            Target::Processes(_) => None,
        };
        let (signals, policy) = match &mut self.control {
            Control::Signals(signals, policy) => (signals, policy),
            Control::Orders(orders) => {
                loop {
                    match (orders.try_recv(), target) {
                        (Ok(Order::Stop), _) => return Ok(Some(Reason::Interrupted(None))),
                        (Ok(Order::Signal(signal)), Target::Command(running)) => {
                            // It may be another user's by now (setuid).
                            let _ = running.signal_group(signal);
                        }
                        (Ok(Order::Signal(_)), Target::Processes(_)) => {}
                        (Err(TryRecvError::Empty | TryRecvError::Disconnected), _) => {
                            return Ok(None);
                        }
                    }
                }
            }
        };
        while let Some(received) = signals.receive()? {
            self.at_terminal |= received.sender == Sender::Terminal;
            match policy.react(received, program, now) {
                Reaction::Wait => {}
                Reaction::Forward(signal) => {
                    if let Target::Command(running) = target {
                        // It may be another user's by now (setuid): then the sender has to do it.
                        let _ = running.signal(signal);
                    }
                }
                Reaction::GiveUp => return Ok(Some(Reason::Interrupted(Some(received.signal)))),
            }
        }
        Ok(None)
    }

    /// Hands on what is in the ring buffer, at most a batch; returns how many records.
    fn drain(
        &mut self,
        lifetime: &mut Lifetime,
        out: &mut dyn Output,
    ) -> Result<usize, CaptureError> {
        let Some(ring) = &mut self.ring else {
            return Ok(0);
        };
        let begin = Instant::now();
        let mut n = 0;
        while (n < BATCH && (n % ASK != 0 || begin.elapsed() < BATCH_TIME))
            && let Some(record) = ring.next()
        {
            n += 1;
            match &mut self.gate {
                Some(gate) => gate.take(&record),
                None => self.onward.hand_on(&record, lifetime, out),
            }
        }
        if let Some(gate) = &mut self.gate {
            let lost = self.probes.lost_by_kind()?;
            let shown = gate.open(&lost).ok_or(CaptureError::Blind)?;
            for record in shown {
                self.onward.hand_on(&record, lifetime, out);
            }
        }
        Ok(n)
    }

    /// Block I/O whose completion was not seen: the kernel knows it only as under way. And what else was not told
    /// to its end.
    fn send_unfinished(
        &mut self,
        lifetime: &mut Lifetime,
        out: &mut dyn Output,
    ) -> Result<(), CaptureError> {
        if self.ring.is_none() {
            return Ok(());
        }
        let blocks = self.probes.unfinished()?.into_iter();
        let requests = self.probes.unfetched()?.into_iter();
        let blocks = blocks.map(|block| (block.head.tgid, Event::Block(block)));
        let requests = requests.map(|request| (request.head.tgid, Event::Uring(request)));
        let mut record = Vec::new();
        for (process, event) in blocks.chain(requests) {
            let closed = |gate: &Gate| gate.is_closed(process);
            if self.gate.as_ref().is_some_and(closed) {
                continue;
            }
            record.clear();
            encode(&event, &mut record);
            self.onward.hand_on(&record, lifetime, out);
        }
        Ok(())
    }

    fn send_lost(&mut self, out: &mut dyn Output) -> Result<(), CaptureError> {
        if self.ring.is_none() {
            return Ok(());
        }
        let now = self.probes.lost()?;
        let since = now.since(&self.lost);
        if since.total() > 0 {
            out.meta(&Meta::Lost(since));
        }
        self.lost = now;
        Ok(())
    }
}

/// How tracing ended.
#[derive(Debug)]
pub struct Ended {
    /// `None`: the program still runs, or was never ours.
    pub exit: Option<Exit>,
    /// The signal that ended tracing before the target's end.
    pub signal: Option<Signal>,
    pub end: End,
    /// A key at the terminal sent a signal: the cursor stands behind its `^C`.
    pub at_terminal: bool,
    /// Programs that a running process became, and that rights which are only lent do not show.
    pub not_shown: u64,
}

/// The processes of threads.
fn processes(threads: &BTreeMap<u32, Left>) -> BTreeSet<u32> {
    threads.values().map(|left| left.process).collect()
}

/// The threads that go on, and the calls that they are in; nothing of processes that are not shown.
fn remain(left: BTreeMap<u32, Left>, hidden: impl Fn(u32) -> bool) -> (Vec<u32>, Cut) {
    let mut cut = Cut::default();
    let mut tids = Vec::new();
    for (tid, left) in left {
        if hidden(left.process) {
            continue;
        }
        if let Some(nr) = left.call {
            cut.add(u16::try_from(nr).unwrap_or(u16::MAX));
        }
        tids.push(tid);
    }
    (tids, cut)
}

/// What is in the ring buffer, counted and thrown away.
fn count(ring: &mut RingBuf<MapData>) -> Lost {
    let mut by_kind = vec![0; kind::COUNT];
    let mut calls = vec![0; tracer_ebpf::SYSCALLS_MAX];
    while let Some(record) = ring.next() {
        let kind = record.first().copied().unwrap_or_default();
        if let Some(n) = by_kind.get_mut(usize::from(kind)) {
            *n += 1;
        }
        let nr = u16_at(&record, offset_of!(Head, nr)).map(usize::from);
        let is_call = matches!(kind, kind::SYSCALL | kind::SYSCALL_FILE);
        if let Some(n) = nr.filter(|_| is_call).and_then(|nr| calls.get_mut(nr)) {
            *n += 1;
        }
    }
    let calls = (0u16..).zip(calls).filter(|(_, n)| *n > 0);
    Lost {
        by_kind,
        calls: calls.collect(),
    }
}

fn bytes_at<const N: usize>(record: &[u8], at: usize) -> Option<[u8; N]> {
    record.get(at..)?.first_chunk().copied()
}

fn u16_at(record: &[u8], at: usize) -> Option<u16> {
    bytes_at(record, at).map(u16::from_le_bytes)
}

fn u32_at(record: &[u8], at: usize) -> Option<u32> {
    bytes_at(record, at).map(u32::from_le_bytes)
}

fn u64_at(record: &[u8], at: usize) -> Option<u64> {
    bytes_at(record, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who was only lent our rights learns of a hidden program neither that it runs nor what it is doing.
    #[test]
    fn nothing_remains_of_hidden_programs() {
        let left = |process, call| Left { process, call };
        let threads = BTreeMap::from([
            (10, left(10, Some(0))),
            (11, left(10, None)),
            (20, left(20, Some(230))),
        ]);
        let (tids, cut) = remain(threads.clone(), |process| process == 20);
        assert_eq!(tids, [10, 11]);
        assert_eq!(cut.calls, [(0, 1)]);
        assert_eq!(remain(threads, |_| false).0, [10, 11, 20]);
    }
}
