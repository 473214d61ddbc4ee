//! Programs on events of the whole machine, one for each processor; they look only at the threads that are traced.

use std::io;

use aya::Ebpf;
use aya::programs::ProgramError;
use aya::programs::perf_event::{
    PerfEvent, PerfEventConfig, PerfEventLinkId, PerfEventScope, SamplePolicy, SoftwareEvent,
};
use aya::util::online_cpus;

use super::hooks::no_program;
use super::retry::persistently;

/// Puts a program on the software event of page faults, which the kernel counts where a fault begins.
///
/// # Errors
/// If the kernel refuses; then it is on no processor.
pub(super) fn page_faults(ebpf: &mut Ebpf, program: &str) -> Result<(), ProgramError> {
    let program: &mut PerfEvent = ebpf
        .program_mut(program)
        .ok_or_else(|| no_program(program))?
        .try_into()?;
    persistently(|| program.load())?;
    let event = PerfEventConfig::Software(SoftwareEvent::PageFaults);
    on_every_processor(program, event).map(drop)
}

/// Puts a program on an event, each time that it happens; the links, one for each processor.
///
/// # Errors
/// If the kernel refuses; then it is on no processor.
pub(super) fn on_every_processor(
    program: &mut PerfEvent,
    event: PerfEventConfig,
) -> Result<Vec<PerfEventLinkId>, ProgramError> {
    let cpus = online_cpus().map_err(|(what, e)| {
        ProgramError::IOError(io::Error::new(e.kind(), format!("{what}: {e}")))
    })?;
    let mut links = Vec::new();
    for cpu in cpus {
        let scope = PerfEventScope::AllProcessesOneCpu { cpu };
        let link = persistently(|| program.attach(event, scope, SamplePolicy::Period(1), false));
        match link {
            Ok(link) => links.push(link),
            Err(e) => {
                for link in links {
                    let _ = program.detach(link);
                }
                return Err(e);
            }
        }
    }
    Ok(links)
}
