//! Tracing live: from the ring buffer to whoever takes the records, until the program ends.

use std::collections::HashSet;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::utsname::uname;
use nix::time::{ClockId, clock_gettime};
use thiserror::Error;
use tracer_ebpf::{Block, Xmit, kind};

use crate::device::Sysfs;
use crate::launch::{Exit, Running};
use crate::load::{LoadError, Probes, page_size};
use crate::signals::{Policy, Reaction, Sender, Signals};
use crate::sources::Resolver;
use bytehop_core::arch::Arch;
use bytehop_core::decode::encode;
use bytehop_core::event::{
    BreakpointsOff, Device, DeviceClass, End, Event, Lost, Meta, Skipped, Start,
};

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

/// What is traced.
pub enum Target {
    /// A command that was started for it.
    Command(Running),
    /// A process that was there before, until it ends or the time is over.
    Process {
        pid: u32,
        pidfd: OwnedFd,
        duration: Option<Duration>,
    },
}

impl Target {
    /// A running process. `duration`: stop after it.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn process(pid: u32, duration: Option<Duration>) -> Result<Self, CaptureError> {
        let pidfd = crate::launch::pidfd_open(nix::unistd::Pid::from_raw(pid as i32))
            .map_err(|_| CaptureError::NoProcess(pid))?;
        Ok(Self::Process {
            pid,
            pidfd,
            duration,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Command(running) => running.pid(),
            Self::Process { pid, .. } => *pid,
        }
    }

    fn pidfd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Command(running) => running.pidfd(),
            Self::Process { pidfd, .. } => pidfd.as_fd(),
        }
    }
}

/// Who says when to stop before the target's end.
pub enum Control {
    /// Signals that we get.
    Signals(Signals, Policy),
    /// Another thread, which holds the other end of [`Control::remote`].
    Orders(Receiver<Order>),
}

/// What another thread asks of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send a signal to the command and its process group. A process that is not ours gets none.
    Signal(Signal),
    /// Stop tracing, and leave the target to itself.
    Stop,
}

impl Control {
    pub fn signals(signals: Signals) -> Self {
        Self::Signals(signals, Policy::default())
    }

    /// Orders by another thread. When it drops its end, tracing goes on to the target's end.
    pub fn remote() -> (mpsc::Sender<Order>, Self) {
        let (sender, orders) = mpsc::channel();
        (sender, Self::Orders(orders))
    }
}

/// Whether process ids mean the same to us and to the kernel side.
///
/// # Errors
/// If we are in a pid namespace of a container.
pub fn on_the_host() -> Result<(), CaptureError> {
    // Inode of the first pid namespace (PROC_PID_INIT_INO in include/linux/proc_ns.h).
    const FIRST: u64 = 0xEFFF_FFFC;
    match std::fs::metadata("/proc/self/ns/pid").is_ok_and(|ns| ns.ino() != FIRST) {
        true => Err(CaptureError::Namespace),
        false => Ok(()),
    }
}

/// Begins to trace all threads of a running process, those that it makes meanwhile included.
///
/// # Errors
/// If the process is gone or a map cannot be written.
pub fn trace_threads(probes: &mut Probes, pid: u32) -> Result<(), CaptureError> {
    on_the_host()?;
    let mut known = HashSet::new();
    loop {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
            .map_err(|_| CaptureError::NoProcess(pid))?;
        let new: Vec<u32> = threads
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|tid| known.insert(*tid))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        for tid in new {
            probes.trace(tid, pid)?;
        }
    }
}

/// Lets us go first where programs compete for the CPU: what the ring buffer cannot hold is lost. The
/// command is a process already and keeps its own priority. Without the right to it nothing changes.
///
/// It holds for the calling thread, and those that it starts.
pub fn keep_up() -> Priority {
    const NICE: i32 = -10;
    // SAFETY: an ordinary system call, about ourselves (0).
    let before = unsafe { nix::libc::getpriority(nix::libc::PRIO_PROCESS, 0) };
    set_nice(NICE);
    Priority(before)
}

/// The priority that a thread had.
#[derive(Clone, Copy, Debug)]
pub struct Priority(i32);

impl Priority {
    /// Gives the calling thread this priority again.
    pub fn restore(self) {
        set_nice(self.0);
    }
}

/// Gives the calling thread this priority. Without the right to it nothing changes.
pub(crate) fn set_nice(nice: i32) {
    // SAFETY: an ordinary system call, about ourselves (0): Linux means the thread.
    unsafe { nix::libc::setpriority(nix::libc::PRIO_PROCESS, 0, nice) };
}

/// The record that begins a trace.
pub fn start(probes: &Probes, command: &[String], pid: u32, attached: bool, follow: bool) -> Start {
    let name = uname();
    let text = |s: Result<&std::ffi::OsStr, ()>| {
        s.map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    Start {
        bytehop: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: text(name.as_ref().map(|n| n.release()).map_err(drop)),
        arch: Arch::host().map_or_else(
            || std::env::consts::ARCH.to_owned(),
            |a| a.as_str().to_owned(),
        ),
        level: probes.level.as_str().to_owned(),
        command: command.to_vec(),
        pid,
        comm: if attached {
            comm_of(pid)
        } else {
            String::new()
        },
        attached,
        follow,
        realtime_ns: now_ns(ClockId::CLOCK_REALTIME),
        monotonic_ns: now_ns(ClockId::CLOCK_MONOTONIC),
        page_size: page_size(),
        probes: probes.attached.clone(),
        missing: probes.missing.clone(),
    }
}

/// Name of a running process.
fn comm_of(pid: u32) -> String {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    comm.unwrap_or_default().trim_end().to_owned()
}

/// A clock's time, ns.
pub fn now_ns(clock: ClockId) -> u64 {
    clock_gettime(clock).map_or(0, |t| {
        t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64
    })
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
    sysfs: Sysfs,
    known: Known,
    lost: Lost,
    at_terminal: bool,
}

/// Time to sleep when there was little, and when there was much.
const IDLE: u16 = 10;
const BUSY: u16 = 1;
/// Records taken before looking at signals and clocks again.
const BATCH: usize = 65_536;
const LOST_EVERY: Duration = Duration::from_millis(500);

impl<'a> Capture<'a> {
    pub fn new(probes: &'a mut Probes, ring: Option<RingBuf<MapData>>, control: Control) -> Self {
        Self {
            probes,
            ring,
            control,
            sources: None,
            sysfs: Sysfs::host(),
            known: HashSet::new(),
            lost: Lost::default(),
            at_terminal: false,
        }
    }

    /// Sends what is known before the program runs: the devices. The caller has sent [`Start`].
    pub fn introduce(&mut self, out: &mut dyn Output) {
        for device in self.sysfs.all() {
            self.known.insert(known_by(&device));
            out.meta(&Meta::Device(device));
        }
    }

    /// Traces until `target`, which runs since `begin`, ends, is given up, or its time is over. Sends
    /// records of losses and of the end as well.
    ///
    /// # Errors
    /// If the kernel's maps or the process can't be read any more.
    pub fn run(
        &mut self,
        mut target: Target,
        begin: Instant,
        out: &mut dyn Output,
    ) -> Result<Ended, CaptureError> {
        let mut looked_for_losses = begin;
        let reason = loop {
            let taken = self.drain(out);
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
                BATCH.. => 0,
                1024.. => BUSY,
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
                break "exit";
            }
            if let Target::Process {
                duration: Some(duration),
                ..
            } = target
                && now - begin >= duration
            {
                break "duration";
            }
            if self.give_up(&target, now)? {
                break "interrupted";
            }
        };
        let duration = begin.elapsed();
        let exit = match &mut target {
            Target::Command(running) if reason == "exit" => Some(running.wait()?),
            _ => None,
        };
        while self.drain(out) > 0 {}
        self.send_unfinished(out)?;
        self.send_lost(out)?;
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
        let still_running = self.probes.threads()?.into_keys().collect();
        let end = End {
            exit_status: exit.map(|e| e.code()),
            monotonic_ns: now_ns(ClockId::CLOCK_MONOTONIC),
            duration_ns: duration.as_nanos() as u64,
            cpu_ns: exit.map(|e| (e.usage.user + e.usage.system).as_nanos() as u64),
            reason: reason.to_owned(),
            still_running,
        };
        out.meta(&Meta::End(end.clone()));
        Ok(Ended {
            exit,
            end,
            at_terminal: self.at_terminal,
        })
    }

    /// Answers signals and orders; true if tracing is to stop.
    fn give_up(&mut self, target: &Target, now: Instant) -> Result<bool, CaptureError> {
        let program = match target {
            Target::Command(running) => Some(running.pid()),
            Target::Process { .. } => None,
        };
        let (signals, policy) = match &mut self.control {
            Control::Signals(signals, policy) => (signals, policy),
            Control::Orders(orders) => {
                loop {
                    match (orders.try_recv(), target) {
                        (Ok(Order::Stop), _) => return Ok(true),
                        (Ok(Order::Signal(signal)), Target::Command(running)) => {
                            // It may be another user's by now (setuid).
                            let _ = running.signal_group(signal);
                        }
                        (Ok(Order::Signal(_)), Target::Process { .. }) => {}
                        (Err(TryRecvError::Empty | TryRecvError::Disconnected), _) => {
                            return Ok(false);
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
                Reaction::GiveUp => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Hands on what is in the ring buffer, at most a batch; returns how many records.
    fn drain(&mut self, out: &mut dyn Output) -> usize {
        let Some(ring) = &mut self.ring else { return 0 };
        let mut n = 0;
        while n < BATCH
            && let Some(record) = ring.next()
        {
            n += 1;
            name_device(&mut self.known, &mut self.sysfs, &record, out);
            if let Some(sources) = &self.sources {
                sources.take(&record);
            }
            out.record(&record);
        }
        n
    }

    /// Block I/O whose completion was not seen: the kernel knows it only as under way.
    fn send_unfinished(&mut self, out: &mut dyn Output) -> Result<(), CaptureError> {
        if self.ring.is_none() {
            return Ok(());
        }
        let mut record = Vec::new();
        for block in self.probes.unfinished()? {
            record.clear();
            encode(&Event::Block(block), &mut record);
            name_device(&mut self.known, &mut self.sysfs, &record, out);
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
    pub end: End,
    /// A key at the terminal sent a signal: the cursor stands behind its `^C`.
    pub at_terminal: bool,
}

/// Devices that were introduced. Numbers of interfaces repeat in other network namespaces, so names are part
/// of what they are known by; disks have none here.
type Known = HashSet<(DeviceClass, u32, String)>;

fn known_by(device: &Device) -> (DeviceClass, u32, String) {
    let name = match device.class {
        DeviceClass::Block => String::new(),
        DeviceClass::Net => device.name.clone(),
    };
    (device.class, device.id, name)
}

/// Sends the record of the device that `record` names, if it is the first to do so.
fn name_device(known: &mut Known, sysfs: &mut Sysfs, record: &[u8], out: &mut dyn Output) {
    match record.first() {
        Some(&kind::BLOCK) => {
            if let Some(id) = u32_at(record, offset_of!(Block, disk))
                && known.insert((DeviceClass::Block, id, String::new()))
            {
                out.meta(&Meta::Device(sysfs.block(id)));
            }
        }
        Some(&kind::XMIT) => {
            let name = nic_of(record);
            if let Some(id) = u32_at(record, offset_of!(Xmit, ifindex))
                && known.insert((DeviceClass::Net, id, name.clone()))
            {
                let device = match u32_at(record, offset_of!(Xmit, no_parent)) {
                    Some(1) => sysfs.net_without_hardware(&name, id),
                    _ => sysfs.net(&name, id),
                };
                out.meta(&Meta::Device(device));
            }
        }
        _ => {}
    }
}

fn u32_at(record: &[u8], at: usize) -> Option<u32> {
    record
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_le_bytes(*b))
}

fn nic_of(record: &[u8]) -> String {
    let name = record.get(offset_of!(Xmit, name)..).unwrap_or_default();
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}
