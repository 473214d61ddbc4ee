//! Level B: execution breakpoints on the primitives that hold the copy loops, for the traced threads and
//! what they make.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::time::{Duration, Instant};

use aya::Ebpf;
use aya::maps::Array;
use aya::programs::ProgramError;
use aya::programs::perf_event::{
    BreakpointConfig, PerfEvent, PerfEventConfig, PerfEventLinkId, PerfEventScope, SamplePolicy,
};
use bytehop_core::catalogue::primitives::{self, Primitive};
use bytehop_core::notice::{BREAKPOINTS, Why};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::counter::total;
use super::error::{LoadError, invalid};
use super::events::on_every_processor;
use super::hooks::{Hooks, no_program};
use super::plan::{OnPrimitive, Stage};
use super::process::for_each_thread;
use super::refusal::{errno, refusal};
use super::retry::persistently;

/// Hits that are allowed at once; a fifth of it comes on top for each second of tracing. A hit is
/// an exception and the program behind it: at a microsecond each, a tenth of a second at once, and 2 %
/// after that.
pub const BUDGET: u64 = 100_000;
const PER_SECOND: f64 = 0.2;
/// How often hits are counted up.
const EVERY: Duration = Duration::from_millis(5);

/// Breakpoints in force.
pub struct Breakpoints {
    links: Vec<(&'static str, PerfEventLinkId)>,
    since: Instant,
    looked: Instant,
    /// Hits that are allowed at once; nothing where somebody asked for level B.
    budget: Option<u64>,
}

/// Puts the breakpoints of a plan on the threads of process `pid`. What is refused or absent goes to `hooks.missing`;
/// `None` if nothing is in force then.
///
/// # Errors
/// If a map cannot be used.
pub(super) fn arm(
    ebpf: &mut Ebpf,
    stage: Stage<OnPrimitive>,
    pid: u32,
    budget: Option<u64>,
    hooks: &mut Hooks,
) -> Result<Option<Breakpoints>, LoadError> {
    let mut links = Vec::new();
    hooks.lack_all(&stage.missing);
    for OnPrimitive {
        row,
        label,
        address,
    } in stage.hooks
    {
        match put(ebpf, row, address, pid) {
            Ok(new) => {
                hooks.attached.push(label.to_owned());
                links.extend(new.into_iter().map(|link| (row.program, link)));
            }
            Err(e) if links.is_empty() => {
                hooks.lack(BREAKPOINTS, refused(&e));
                return Ok(None);
            }
            Err(e) => hooks.lack(label, refused(&e)),
        }
    }
    if links.is_empty() {
        return Ok(None);
    }
    let now = Instant::now();
    watch(ebpf, true)?;
    Ok(Some(Breakpoints {
        links,
        since: now,
        looked: now,
        budget,
    }))
}

/// Tries a breakpoint with a copy of our own, then puts it on every thread of the process; on every processor where
/// the kernel sets none in its own text for a thread (arm64): the program looks at the traced threads only.
fn put(
    ebpf: &mut Ebpf,
    row: &Primitive,
    address: u64,
    pid: u32,
) -> Result<Vec<PerfEventLinkId>, ProgramError> {
    let config = PerfEventConfig::Breakpoint(BreakpointConfig::Instruction { address });
    let attach = |program: &mut PerfEvent, scope, inherit| {
        persistently(|| program.attach(config, scope, SamplePolicy::Period(1), inherit))
    };
    let program = program(ebpf, row.program)?;
    persistently(|| program.load())?;
    let ours = PerfEventScope::CallingProcess { cpu: None };
    let (canary, everywhere) = match attach(program, ours, false) {
        Ok(canary) => (vec![canary], false),
        Err(e) if errno(&e) == Some(Errno::EINVAL) => (on_every_processor(program, config)?, true),
        Err(e) => return Err(e),
    };
    copy_something();
    let silent = hits(ebpf, row).is_ok_and(|n| n == 0);
    if everywhere && !silent {
        return Ok(canary);
    }
    for link in canary {
        self::program(ebpf, row.program)?.detach(link)?;
    }
    if silent {
        let silent = std::io::Error::other("a breakpoint was set but does not fire");
        return Err(ProgramError::IOError(silent));
    }
    let program = self::program(ebpf, row.program)?;
    let mut links = Vec::new();
    let all = for_each_thread(pid, |tid| {
        let scope = PerfEventScope::OneProcess {
            pid: tid,
            cpu: None,
        };
        links.push(attach(program, scope, true)?);
        Ok(())
    });
    if let Err(e) = all {
        // On all threads or on none: some would trap, and nobody would take those off.
        for link in links {
            let _ = program.detach(link);
        }
        return Err(e);
    }
    Ok(links)
}

/// Uses every primitive once.
fn copy_something() {
    let memory = memfd_create(c"bytehop", MFdFlags::MFD_CLOEXEC);
    if let Ok(memory) = memory {
        let mut file = File::from(memory);
        let mut byte = [0];
        // What fails here shows in the count of hits.
        let _ = file.write_all(&byte);
        let _ = file.rewind();
        let _ = file.read(&mut byte);
    }
    if let Ok((_reader, mut writer)) = std::io::pipe() {
        let _ = writer.write_all(&[0]);
    }
}

/// What a kernel means that sets no breakpoint.
fn refused(e: &ProgramError) -> Why {
    match errno(e) {
        Some(Errno::EINVAL) => Why::NoKprobes,
        _ => refusal(e),
    }
}

fn program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut PerfEvent, ProgramError> {
    ebpf.program_mut(name)
        .ok_or_else(|| no_program(name))?
        .try_into()
}

fn hits(ebpf: &Ebpf, row: &Primitive) -> Result<u64, LoadError> {
    total(ebpf, "HITS", u32::from(row.id))
}

fn watch(ebpf: &mut Ebpf, on: bool) -> Result<(), LoadError> {
    let map = ebpf.map_mut("WATCH").ok_or_else(|| invalid("WATCH"))?;
    let mut map: Array<_, u32> = map.try_into()?;
    Ok(map.set(0, u32::from(on), 0)?)
}

impl Breakpoints {
    /// Whether there were more hits than the budget has; asked often, looks now and then.
    ///
    /// # Errors
    /// If the map of hits cannot be read.
    pub fn exceeded(&mut self, ebpf: &Ebpf, now: Instant) -> Result<Option<u64>, LoadError> {
        let Some(budget) = self.budget.filter(|_| now - self.looked >= EVERY) else {
            return Ok(None);
        };
        self.looked = now;
        let mut sum = 0;
        for row in primitives::TABLE {
            sum += hits(ebpf, row)?;
        }
        let seconds = (now - self.since).as_secs_f64();
        let more = budget as f64 * PER_SECOND * seconds;
        let allowed = budget.saturating_add(more as u64);
        Ok((sum > allowed).then_some(sum))
    }

    /// Takes them off. A call in progress is measured without them from its beginning.
    ///
    /// # Errors
    /// If the kernel side cannot be told.
    pub fn disarm(self, ebpf: &mut Ebpf) -> Result<(), LoadError> {
        watch(ebpf, false)?;
        for (name, link) in self.links {
            // One that is gone with its thread is no failure.
            if let Ok(program) = program(ebpf, name) {
                let _ = program.detach(link);
            }
        }
        Ok(())
    }
}
