//! Loading: what the plan says, carried out.

use std::thread;
use std::time::Instant;

use aya::{Btf, Ebpf, EbpfError, EbpfLoader, Endianness};
use bytehop_core::arch::{Arch, PAGE_FAULTS};
use bytehop_core::catalogue::probes;
use bytehop_core::event::{Cost, Sampled};
use bytehop_core::notice::{self, BREAKPOINTS, FUNCTIONS, Why};
use bytehop_core::rules::CallTable;

use super::breakpoints::{self, Breakpoints};
use super::error::{LoadError, limited, out_of_files};
use super::events;
use super::functions;
use super::hooks::{self, Hooks};
use super::kernel::{Running, config, page_size};
use super::object::{self, Settings};
use super::plan::{self, Absent, Verb, Wanted};
use super::samples::{self, Sampling};
use super::statistics::{ProgramInfo, Statistics};
use crate::btf::{self, KernelBtf};
use crate::caps::Level;
use crate::inherited::{is_first, set_first};
use crate::ksyms::Symbols;

/// Default size of the ring buffer, bytes: about half a second of the fastest system calls.
pub const DEFAULT_BUFFER: u32 = 64 << 20;

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub verb: Verb,
    /// Trace children too.
    pub follow: bool,
    /// Size of the ring buffer; rounded up to a power of two of at least a page.
    pub buffer: u32,
    /// `None`: the best that the kernel gives, breakpoints within their budget.
    pub level: Option<Level>,
    /// Hits of breakpoints that are allowed at once, see [`breakpoints::BUDGET`].
    pub budget: u64,
    /// The process that will be traced, in our pid namespace.
    pub pid: u32,
    /// Sample where the program's CPU time goes.
    pub sampling: bool,
    /// Tell where in the program each call was made.
    pub stacks: bool,
    /// Let the kernel take the time of each program's runs.
    pub cost: bool,
}

impl Default for Options {
    /// A trace with records of nothing in particular, at the best level.
    fn default() -> Self {
        Self {
            verb: Verb::Record,
            follow: true,
            buffer: DEFAULT_BUFFER,
            level: None,
            budget: breakpoints::BUDGET,
            pid: 0,
            sampling: false,
            stacks: false,
            cost: false,
        }
    }
}

impl Options {
    /// Size of the ring buffer that is made: of pages, a power of two.
    pub fn ring_size(&self) -> u32 {
        let wanted = match self.verb {
            Verb::Record => self.buffer.max(page_size()),
            Verb::Stat | Verb::Top | Verb::Null => page_size(),
        };
        wanted.checked_next_power_of_two().unwrap_or(1 << 31)
    }
}

/// Loaded programs and their maps. Dropping it detaches everything: the kernel holds the programs
/// only through our descriptors, so a crash detaches them too.
pub struct Probes {
    pub(super) ebpf: Ebpf,
    /// What is in force.
    pub level: Level,
    /// Labels of the hooks that are attached.
    pub attached: Vec<String>,
    /// Labels of those that are not, with the reason.
    pub missing: Vec<(String, Why)>,
    breakpoints: Option<Breakpoints>,
    sampling: Option<Sampling>,
    /// All of [`probes::AGAIN`] are attached.
    again: bool,
    pub(super) statistics: Statistics,
}

impl Probes {
    /// Loads and attaches what the verb needs and this kernel offers. Nothing is traced until
    /// [`Probes::trace`].
    ///
    /// # Errors
    /// If a hook that nothing works without is missing or refused, or a limit of ours kept one away.
    pub fn load(kernel: &KernelBtf, options: Options) -> Result<Self, LoadError> {
        let probes = Self::load_what_there_is(kernel, options).map_err(limited)?;
        match out_of_files(&probes.missing) {
            Some(limit) => Err(limit.into()),
            None => Ok(probes),
        }
    }

    fn load_what_there_is(kernel: &KernelBtf, options: Options) -> Result<Self, LoadError> {
        let arch = Arch::host().ok_or(LoadError::Arch(std::env::consts::ARCH))?;
        // A loader of aya's begins by building all of the kernel's types, which nobody asks it for; meanwhile ours
        // are read.
        let first = is_first();
        let loader = thread::spawn(move || {
            if first {
                let _ = set_first(true);
            }
            EbpfLoader::new()
        });
        let (offsets, absent) = btf::offsets(kernel);
        let symbols = match options.verb {
            Verb::Record => Symbols::load().ok(),
            _ => None,
        };
        let symbols = symbols.as_ref();
        let wanted = Wanted {
            verb: options.verb,
            level: options.level,
            sampling: options.sampling,
            stacks: options.stacks,
        };
        let running = Running::new(kernel, options.verb, symbols);
        let plan =
            plan::plan(wanted, &running).map_err(|Absent(probe)| LoadError::Absent { probe })?;
        let settings = Settings {
            config: config(kernel, arch, options.verb, options.follow),
            offsets,
            regs: kernel.regs(arch)?,
            syscalls: match options.verb {
                Verb::Stat => CallTable::counted(arch),
                _ => arch.syscall_table(),
            },
        };
        let tracepoints = plan.tracepoints.hooks.iter();
        let tracepoints: Vec<_> = tracepoints.map(|hook| hook.tracepoint).collect();
        let btf = Btf::parse(
            &kernel.only(&running.typed, &tracepoints),
            Endianness::default(),
        );
        let btf = btf.map_err(|e| LoadError::Object(EbpfError::BtfError(e)))?;
        let loader = loader.join().unwrap_or_else(|_| EbpfLoader::new());
        let mut ebpf = object::open(loader, &settings, options.ring_size(), options.stacks)?;

        let mut hooks = Hooks::default();
        let again = hooks::tracepoints(&mut ebpf, &btf, plan.tracepoints, &mut hooks)?;
        if let Some(program) = plan.page_faults {
            let attached = events::page_faults(&mut ebpf, program);
            hooks.optional(PAGE_FAULTS, attached);
        }
        let mut level = functions::attach(&mut ebpf, &btf, plan.functions, &mut hooks);
        let mut breakpoints = None;
        if level == Level::F {
            let budget = options.level.is_none().then_some(options.budget);
            let stage = plan.breakpoints;
            breakpoints = breakpoints::arm(&mut ebpf, stage, options.pid, budget, &mut hooks)?;
            if breakpoints.is_some() {
                level = Level::B;
            }
        }
        if let Some(wanted) = options.level
            && options.verb == Verb::Record
            && level < wanted
        {
            return Err(LoadError::Level {
                level: wanted.as_str(),
                why: hooks.why(&[FUNCTIONS, BREAKPOINTS]).cloned(),
            });
        }
        let sampling = match plan.sampling {
            true => samples::begin(&mut ebpf, symbols, options.pid, &mut hooks)?,
            false => None,
        };
        for field in absent {
            hooks.lack(&notice::field(field), Why::Absent);
        }
        let Hooks { attached, missing } = hooks;
        Ok(Self {
            ebpf,
            level,
            attached,
            missing,
            breakpoints,
            sampling,
            again,
            statistics: Statistics::begin(options.cost)?,
        })
    }

    /// Takes the breakpoints off if they were hit more often than their budget allows; tells how often.
    /// Asked often, looks now and then.
    ///
    /// # Errors
    /// If a map cannot be used.
    pub fn check_breakpoints(&mut self, now: Instant) -> Result<Option<u64>, LoadError> {
        let Some(breakpoints) = &mut self.breakpoints else {
            return Ok(None);
        };
        let exceeded = breakpoints.exceeded(&self.ebpf, now)?;
        if exceeded.is_some()
            && let Some(breakpoints) = self.breakpoints.take()
        {
            breakpoints.disarm(&mut self.ebpf)?;
        }
        Ok(exceeded)
    }

    /// Programs that the kernel skipped, and how often: it runs none while the same runs already on that
    /// processor, for another thread. It counts them since Linux 5.12.
    ///
    /// Those of [`probes::AGAIN`] stand in for each other, and a call that one told of and another did not is
    /// counted as lost. Only what all missed is not known at all: no more than the one with the fewest.
    pub fn skipped(&self) -> Vec<(String, u64)> {
        let programs = self.ebpf.programs();
        let programs = programs.filter_map(|(name, program)| {
            let misses = ProgramInfo::of(program)?.number("recursion_misses")?;
            Some((name, misses))
        });
        let of_calls = |(name, _): &(&str, u64)| {
            let mut rows = probes::AGAIN.iter();
            self.again && rows.any(|row| *name == row.program || *name == row.tracepoint())
        };
        let (calls, others): (Vec<_>, Vec<_>) = programs.partition(of_calls);
        let all_missed = calls.iter().min_by_key(|(_, n)| *n);
        let skipped = others.into_iter().chain(all_missed.copied());
        let skipped = skipped.filter(|(_, n)| *n > 0);
        skipped.map(|(name, n)| (name.to_owned(), n)).collect()
    }

    /// What each program took so far, if that is wanted.
    pub fn cost(&self) -> Option<Cost> {
        self.statistics.cost(self.ebpf.programs())
    }

    /// Where the program's CPU time went so far, if it is sampled.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn sampled(&self) -> Result<Option<Sampled>, LoadError> {
        let sampling = self.sampling.as_ref();
        sampling
            .map(|sampling| sampling.read(&self.ebpf))
            .transpose()
    }
}
