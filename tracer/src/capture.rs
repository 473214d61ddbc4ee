//! Tracing live: from the ring buffer to whoever takes the records, until the program ends.

mod devices;
mod facts;
mod follow;
mod lifetime;
mod target;

use std::mem::offset_of;
use std::os::fd::AsFd;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use bytehop_core::decode::encode;
use bytehop_core::event::{BreakpointsOff, End, Event, Lost, Meta, Skipped};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::time::ClockId;
use thiserror::Error;
use tracer_ebpf::{Head, kind};

use crate::clock::now_ns;
use crate::launch::Exit;
use crate::load::{LoadError, Probes};
use crate::signals::{Reaction, Sender};
use crate::sources::Resolver;
use devices::Introduced;
pub use facts::{Priority, keep_up, start};
pub use follow::{Followed, Member, on_the_host};
use lifetime::Lifetime;
pub use target::{Control, Order, Target};

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
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot wait for the traced program: {0}")]
    Wait(#[from] Errno),
    #[error("no process {0}")]
    NoProcess(u32),
    #[error(
        "a running process cannot be traced from inside a container (a pid namespace): start bytehop on the host"
    )]
    Namespace,
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
    /// Where calls were made, if that is wanted.
    pub sources: Option<Resolver>,
    devices: Introduced,
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
            sources: None,
            devices: Introduced::none(),
            lost: Lost::default(),
            at_terminal: false,
        }
    }

    /// Sends what is known before the program runs: the devices. The caller has sent
    /// [`Start`](bytehop_core::event::Start).
    pub fn introduce(&mut self, out: &mut dyn Output) {
        self.devices.all(out);
    }

    /// Traces until `target` ends, is given up, or its time is over. Sends records of losses and of the end
    /// as well.
    ///
    /// # Errors
    /// If the kernel's maps or the process can't be read any more.
    pub fn run(&mut self, mut target: Target, out: &mut dyn Output) -> Result<Ended, CaptureError> {
        let mut lifetime = match &target {
            Target::Command(running) => Lifetime::of_command(running.began()),
            Target::Process { pid, since, .. } => Lifetime::of_process(*pid, *since),
        };
        let reason = self.follow(&target, &mut lifetime, out)?;
        let last = now_ns(ClockId::CLOCK_MONOTONIC);
        let exit = match &mut target {
            Target::Command(running) if reason == Reason::Exit => Some(running.wait()?),
            _ => None,
        };
        let still_running = self.probes.threads()?.into_keys().collect();
        let last = match (&self.ring, exit) {
            (None, Some(_)) => self.asked_to_end(&target)?.unwrap_or(last),
            _ => last,
        };
        // Others that it made may be busy for ever: from here on there is nothing new, so what is left has
        // an end.
        self.probes.stop()?;
        self.take_rest(reason, &mut lifetime, out)?;
        let programs = self.probes.skipped();
        if !programs.is_empty() {
            out.meta(&Meta::Skipped(Skipped { programs }));
        }
        if let Some(sampled) = self.probes.sampled()? {
            out.meta(&Meta::Sampled(sampled));
        }
        for source in self.sources.take().into_iter().flat_map(Resolver::finish) {
            out.meta(&Meta::Source(source));
        }
        let end = End {
            exit_status: exit.map(|e| e.code()),
            monotonic_ns: last,
            duration_ns: lifetime.duration(last),
            cpu_ns: exit.map(|e| (e.usage.user + e.usage.system).as_nanos() as u64),
            reason: reason.as_str().to_owned(),
            still_running,
        };
        out.meta(&Meta::End(end.clone()));
        let signal = match reason {
            Reason::Interrupted(signal) => signal,
            Reason::Exit | Reason::Duration => None,
        };
        Ok(Ended {
            exit,
            signal,
            end,
            at_terminal: self.at_terminal,
        })
    }

    /// Hands on records as they come, until tracing is over.
    fn follow(
        &mut self,
        target: &Target,
        lifetime: &mut Lifetime,
        out: &mut dyn Output,
    ) -> Result<Reason, CaptureError> {
        let begin = Instant::now();
        let mut looked_for_losses = begin;
        loop {
            let taken = self.drain(lifetime, out);
            for source in self.sources.iter().flat_map(Resolver::resolved) {
                out.meta(&Meta::Source(source));
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
            let pidfd = target.pidfd();
            let signals = match &self.control {
                Control::Signals(signals, _) => signals.as_fd(),
                Control::Orders(_) => pidfd,
            };
            let mut fds = [pidfd, signals].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, PollTimeout::from(sleep)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
            if fds[0].any().unwrap_or(false) {
                return Ok(Reason::Exit);
            }
            if let Target::Process {
                duration: Some(duration),
                ..
            } = target
                && now - begin >= *duration
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
        while !over && self.drain(lifetime, out) > 0 {
            over = begin.elapsed() > time;
        }
        if over && let Some(ring) = &mut self.ring {
            let left = count(ring);
            if left.total() > 0 {
                out.meta(&Meta::Lost(left));
            }
        }
        self.send_unfinished(out)?;
        self.send_lost(out)
    }

    /// Answers signals and orders; why, if tracing is to stop.
    fn give_up(&mut self, target: &Target, now: Instant) -> Result<Option<Reason>, CaptureError> {
        let program = match target {
            Target::Command(running) => Some(running.pid()),
            Target::Process { .. } => None,
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
                        (Ok(Order::Signal(_)), Target::Process { .. }) => {}
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
    fn drain(&mut self, lifetime: &mut Lifetime, out: &mut dyn Output) -> usize {
        let Some(ring) = &mut self.ring else { return 0 };
        let begin = Instant::now();
        let mut n = 0;
        while (n < BATCH && (n % ASK != 0 || begin.elapsed() < BATCH_TIME))
            && let Some(record) = ring.next()
        {
            n += 1;
            self.devices.meet(&record, out);
            lifetime.take(&record);
            if let Some(sources) = &self.sources {
                sources.take(&record);
            }
            out.record(&record);
        }
        n
    }

    /// Block I/O whose completion was not seen: the kernel knows it only as under way. And what else was not told
    /// to its end.
    fn send_unfinished(&mut self, out: &mut dyn Output) -> Result<(), CaptureError> {
        if self.ring.is_none() {
            return Ok(());
        }
        let mut record = Vec::new();
        for block in self.probes.unfinished()? {
            record.clear();
            encode(&Event::Block(block), &mut record);
            self.devices.meet(&record, out);
            out.record(&record);
        }
        for request in self.probes.unfetched()? {
            record.clear();
            encode(&Event::Uring(request), &mut record);
            out.record(&record);
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
