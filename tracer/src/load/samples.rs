//! The CPU time of copying, by sampling: a clock of the traced threads counts where it meets them.

use aya::Ebpf;
use aya::maps::Array;
use aya::programs::ProgramError;
use aya::programs::perf_event::{
    PerfEvent, PerfEventConfig, PerfEventScope, SamplePolicy, SoftwareEvent,
};
use bytehop_core::catalogue::primitives;
use bytehop_core::event::Sampled;
use bytehop_core::notice::Why;
use tracer_ebpf::{RANGES_MAX, Range, sample};

use super::counter::total;
use super::error::{LoadError, invalid};
use super::hooks::{Hooks, no_program};
use super::process::for_each_thread;
use super::retry::persistently;
use super::wire::WireRange;
use crate::ksyms::Symbols;

pub const LABEL: &str = "perf:cpu-clock";

/// Time between two samples, ns: not a fraction of what the kernel or programs use as intervals. In a
/// virtual machine a sample costs up to 20 µs (its timer takes the hypervisor), so this costs up to 2 %; four
/// times as many made `record` of cached 4 KiB preads a sixth slower.
const PERIOD: u64 = 1_000_003;

/// The functions whose samples are counted apart, in order.
pub struct Sampling(Vec<String>);

/// Begins to sample the threads of process `pid`, and what they make. `None` if the kernel does not let
/// us: then `hooks.missing` says why.
///
/// # Errors
/// If a map cannot be written.
pub(super) fn begin(
    ebpf: &mut Ebpf,
    symbols: Option<&Symbols>,
    pid: u32,
    hooks: &mut Hooks,
) -> Result<Option<Sampling>, LoadError> {
    let ranges = symbols.map(|s| s.ranges(|name| primitives::work(name).is_some()));
    let mut ranges = ranges.unwrap_or_default();
    if ranges.is_empty() {
        hooks.lack(LABEL, Why::HiddenAddresses);
        return Ok(None);
    }
    ranges.truncate(RANGES_MAX);
    let map = ebpf.map_mut("RANGES").ok_or_else(|| invalid("RANGES"))?;
    let mut map: Array<_, WireRange> = map.try_into()?;
    for i in 0..RANGES_MAX {
        let range = match ranges.get(i) {
            Some(&(_, start, end)) => Range { start, end },
            None => Range {
                start: u64::MAX,
                end: u64::MAX,
            },
        };
        map.set(i as u32, WireRange(range), 0)?;
    }
    if let Err(e) = sample(ebpf, pid) {
        hooks.refused(LABEL, &e);
        return Ok(None);
    }
    hooks.attached.push(LABEL.to_owned());
    let names = ranges.iter().map(|(name, ..)| (*name).to_owned());
    Ok(Some(Sampling(names.collect())))
}

fn sample(ebpf: &mut Ebpf, pid: u32) -> Result<(), ProgramError> {
    const NAME: &str = "cpu_clock";
    let program: &mut PerfEvent = ebpf
        .program_mut(NAME)
        .ok_or_else(|| no_program(NAME))?
        .try_into()?;
    persistently(|| program.load())?;
    let clock = PerfEventConfig::Software(SoftwareEvent::CpuClock);
    let all = for_each_thread(pid, |tid| {
        let scope = PerfEventScope::OneProcess {
            pid: tid,
            cpu: None,
        };
        persistently(|| program.attach(clock, scope, SamplePolicy::Period(PERIOD), true))?;
        Ok(())
    });
    if all.is_err() {
        // On all threads or on none: some would be sampled, and nobody would read it.
        let _ = program.unload();
    }
    all
}

impl Sampling {
    /// What was sampled so far.
    ///
    /// # Errors
    /// If the map of samples cannot be read.
    pub fn read(&self, ebpf: &Ebpf) -> Result<Sampled, LoadError> {
        let sum = |i| total(ebpf, "SAMPLES", i);
        let mut functions = Vec::new();
        for (i, name) in (sample::FIRST..).zip(&self.0) {
            let samples = sum(i)?;
            if samples > 0 {
                functions.push((name.clone(), samples));
            }
        }
        Ok(Sampled {
            period_ns: PERIOD,
            user: sum(sample::USER)?,
            kernel: sum(sample::KERNEL)?,
            functions,
        })
    }
}
