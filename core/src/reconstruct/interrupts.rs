//! Interrupts: which of them told that a device was done, and which woke the thread that had asked.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tracer_ebpf::interrupt;

use super::tally::{At, Moved};
use super::{Reconstructor, Setup};
use crate::model::{Context, Interrupt};

/// Sleeps of one call that are remembered.
pub(super) const SLEEPS_MAX: usize = 64;

/// What interrupts did, by what they were and by device.
#[derive(Debug, Default)]
pub(super) struct Interrupts(BTreeMap<(Interrupt, usize), Told>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub count: u64,
    pub bytes: u64,
    pub woke: u64,
}

impl Interrupts {
    pub fn add(&mut self, moved: &Moved) {
        let Some(of) = moved.interrupt else { return };
        let device = [moved.key.from, moved.key.to]
            .into_iter()
            .find_map(|at| match at {
                At::Disk(i) | At::Nic(i) => Some(i),
                _ => None,
            });
        let Some(device) = device else { return };
        let woke = u64::from(of.woke);
        let of = Interrupt { woke: false, ..of };
        let told = self.0.entry((of, device)).or_default();
        told.count = told.count.saturating_add(moved.count);
        told.bytes = told.bytes.saturating_add(moved.bytes);
        told.woke += woke;
    }

    /// With the device of each; most bytes first.
    pub fn rows(&self) -> Vec<(Interrupt, usize, Told)> {
        let rows = self.0.iter();
        let mut rows: Vec<_> = rows
            .map(|((of, device), told)| (*of, *device, *told))
            .collect();
        rows.sort_by_key(|(.., told)| Reverse(told.bytes));
        rows
    }
}

impl Setup {
    /// What a record says of the interrupt that it was made in.
    pub(super) fn interrupt(&self, bits: u32) -> Option<Interrupt> {
        let number = Some(bits & interrupt::NUMBER);
        let (context, number) = match bits & interrupt::CONTEXT {
            _ if !self.handlers => return None,
            interrupt::HANDLER => (Context::Handler, number),
            interrupt::SOFT => (Context::Soft, number),
            interrupt::SOFT_ALONE => (Context::SoftAlone, None),
            interrupt::THREAD => (Context::Thread, None),
            _ => return None,
        };
        Some(Interrupt {
            context,
            number,
            woke: false,
        })
    }
}

impl Reconstructor {
    /// Of what came while a thread slept, the last is what it slept for: then it went on.
    pub(super) fn woken(sleeps: &[(u64, u64)], moved: &mut [Moved]) {
        for (from, until) in sleeps {
            let came = |hop: &&mut Moved| {
                let at = hop.ts.saturating_add(hop.dur);
                hop.interrupt.is_some() && (*from..=*until).contains(&at)
            };
            let last = moved.iter_mut().filter(came);
            let last = last.max_by_key(|hop| hop.ts.saturating_add(hop.dur));
            if let Some(interrupt) = last.and_then(|hop| hop.interrupt.as_mut()) {
                interrupt.woke = true;
            }
        }
    }
}
