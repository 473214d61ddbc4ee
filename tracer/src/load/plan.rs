//! What to load, decided before anything is: a pure function of the verb, the options, and what the kernel
//! has.

use bytehop_core::arch::Elsewhere;
use bytehop_core::catalogue::functions::{self, Function, Hook};
use bytehop_core::catalogue::primitives::{self, Primitive};
use bytehop_core::catalogue::{Tracepoint, probes};
use bytehop_core::notice::{BREAKPOINTS, Why};

use crate::caps::Level;

/// What the trace is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    /// Records go to the ring buffer.
    #[default]
    Record,
    /// Counted in the kernel only.
    Stat,
    /// The same, of every process apart.
    Top,
    /// Programs that do nothing, on the two system call hooks (for the benchmark).
    Null,
}

/// What a plan depends on beside the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub verb: Verb,
    /// `None`: the best that the kernel gives.
    pub level: Option<Level>,
    pub sampling: bool,
    pub stacks: bool,
}

/// What the kernel has, asked before loading.
pub trait Kernel {
    fn has_tracepoint(&self, name: &str) -> bool;
    /// Whether a function's types are known: only then can fentry meet it.
    fn has_type(&self, function: &str) -> bool;
    fn address(&self, function: &str) -> Address;
    /// Whether programs of system calls can be interrupted by another thread, for which they are skipped then.
    fn preemptible(&self) -> bool;
    fn fentry(&self) -> bool;
    /// Where kernels of its architecture tell what others tell at a tracepoint.
    fn elsewhere(&self, hook: Tracepoint) -> Option<Elsewhere>;
}

/// Where a kernel function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Absent,
    /// There, but where is not shown to us (`kptr_restrict`).
    Hidden,
    At(u64),
}

/// A program on a tracepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnTracepoint {
    pub program: &'static str,
    pub tracepoint: &'static str,
    /// As the trace names it.
    pub label: String,
    pub need: Need,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it nothing works.
    Required,
    /// What it measures is missing without it.
    Optional,
    /// Tells what the one of the same tracepoint could not.
    Again,
}

/// Programs on a function of level F.
#[derive(Clone, Copy, Debug)]
pub struct OnFunction {
    pub row: &'static Function,
    pub name: &'static str,
    /// By fentry or fexit; where the kernel refuses that, and else, by kprobes.
    pub fentry: bool,
}

impl OnFunction {
    /// Programs of the object that kprobes would need, in the order to attach them.
    pub fn halves(&self) -> &'static [&'static str] {
        match self.row.hook {
            Hook::Entry => &["in"],
            // The return first: one without a beginning counts nothing.
            Hook::Exit => &["out", "in"],
        }
    }
}

/// A breakpoint of level B.
#[derive(Clone, Copy, Debug)]
pub struct OnPrimitive {
    pub row: &'static Primitive,
    pub label: &'static str,
    pub address: u64,
}

/// What to load, in this order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub tracepoints: Stage<OnTracepoint>,
    /// The program on the software event of page faults, where that stands in for tracepoints.
    pub page_faults: Option<&'static str>,
    pub functions: Stage<OnFunction>,
    /// Only where all that level F needs is attached.
    pub breakpoints: Stage<OnPrimitive>,
    pub sampling: bool,
}

/// Hooks of one level.
#[derive(Clone, Debug)]
pub struct Stage<T> {
    pub hooks: Vec<T>,
    /// What the kernel lacks: hook, reason.
    pub missing: Vec<(&'static str, Why)>,
}

impl<T> Default for Stage<T> {
    fn default() -> Self {
        Self {
            hooks: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// A tracepoint that nothing works without is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent(pub &'static str);

/// Decides what to load.
///
/// # Errors
/// If the kernel lacks a tracepoint that nothing works without.
pub fn plan(wanted: Wanted, kernel: &dyn Kernel) -> Result<Plan, Absent> {
    let mut plan = Plan::default();
    match wanted.verb {
        Verb::Null => {
            for row in probes::NULL {
                plan.tracepoint(row.program, row.tracepoint(), "null", Need::Required);
            }
            return Ok(plan);
        }
        Verb::Top => {
            let row = probes::CALL_OF_ANYONE;
            plan.tracepoint(
                row.program,
                row.tracepoint(),
                row.on.label(),
                Need::Required,
            );
        }
        Verb::Record | Verb::Stat => {}
    }
    for probe in probes::TABLE {
        let needed = match wanted.verb {
            Verb::Record => true,
            Verb::Stat => !probe.only_record,
            Verb::Top => probe.top,
            Verb::Null => false,
        };
        if !needed {
            continue;
        }
        match kernel.elsewhere(probe.id) {
            None => {}
            Some(Elsewhere::Among(_)) => continue,
            Some(Elsewhere::PageFaults) => {
                plan.page_faults = Some(match wanted.verb == Verb::Record && wanted.stacks {
                    true => probes::PAGE_FAULT_AND_STACK,
                    false => probes::PAGE_FAULT,
                });
                continue;
            }
        }
        match probe.tracepoint(|name| kernel.has_tracepoint(name)) {
            Some(tracepoint) => {
                let need = match probe.required {
                    true => Need::Required,
                    false => Need::Optional,
                };
                plan.tracepoint(probe.program, tracepoint, probe.label, need);
            }
            None if probe.required => return Err(Absent(probe.label)),
            None => plan.tracepoints.missing.push((probe.label, Why::Absent)),
        }
    }
    if wanted.verb != Verb::Top && kernel.preemptible() {
        for row in probes::AGAIN {
            let tracepoint = row.tracepoint();
            let label = format!("{tracepoint}, again");
            plan.tracepoint(row.program, tracepoint, &label, Need::Again);
        }
    }
    if wanted.verb != Verb::Record {
        return Ok(plan);
    }
    if wanted.stacks {
        // After the programs that number the calls.
        for row in probes::STACKS {
            // That program is another one's, too.
            if kernel.elsewhere(row.on).is_some() {
                continue;
            }
            let tracepoint = row.tracepoint();
            let label = format!("stacks: {tracepoint}");
            plan.tracepoint(row.program, tracepoint, &label, Need::Optional);
        }
    }
    let level = wanted.level.unwrap_or(Level::B);
    if level >= Level::F {
        plan.functions(kernel);
    }
    if level == Level::B {
        plan.breakpoints(kernel);
    }
    plan.sampling = wanted.sampling;
    Ok(plan)
}

impl Plan {
    fn tracepoint(
        &mut self,
        program: &'static str,
        tracepoint: &'static str,
        label: &str,
        need: Need,
    ) {
        self.tracepoints.hooks.push(OnTracepoint {
            program,
            tracepoint,
            label: label.to_owned(),
            need,
        });
    }

    fn functions(&mut self, kernel: &dyn Kernel) {
        // Functions of modules have their types elsewhere.
        let has = |name: &str| kernel.has_type(name) || kernel.address(name) != Address::Absent;
        let known = |program: &str| {
            let row = functions::TABLE.iter().find(|row| row.program == program);
            row.is_some_and(|row| row.name(has).is_some())
        };
        for row in functions::TABLE {
            match row.name(has) {
                Some(name) => {
                    self.functions.hooks.push(OnFunction {
                        row,
                        name,
                        fentry: kernel.has_type(name) && kernel.fentry(),
                    });
                }
                None if row.or.is_none_or(|or| !known(or)) => {
                    self.functions.missing.push((row.label, Why::Absent));
                }
                None => {}
            }
        }
    }

    fn breakpoints(&mut self, kernel: &dyn Kernel) {
        for row in primitives::TABLE {
            let mut found = row
                .names
                .iter()
                .map(|name| (name.label(), kernel.address(name.function())));
            match found.find(|(_, address)| *address != Address::Absent) {
                Some((label, Address::At(address))) => self.breakpoints.hooks.push(OnPrimitive {
                    row,
                    label,
                    address,
                }),
                Some(_) => {
                    self.breakpoints.hooks.clear();
                    self.breakpoints
                        .missing
                        .push((BREAKPOINTS, Why::HiddenAddresses));
                    return;
                }
                None => self
                    .breakpoints
                    .missing
                    .push((row.names[0].function(), Why::Absent)),
            }
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
