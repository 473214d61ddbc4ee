//! The account of counters: what alike calls returned, and what became of it.
//!
//! Which call a request of a device belongs to is not counted, so what calls left to devices, and what
//! devices moved at once, are compared as sums.

use super::Calls;
use crate::arch::Arch;
use crate::ledger::{Ledger, Open, Unaccounted};
use crate::rules::{Does, Move, Rule, Shape};

/// Sums of alike calls.
#[derive(Debug, Default)]
pub struct Account {
    returned: u64,
    /// By number of the call.
    open: Open<u16>,
    /// What calls left to devices: number, calls, bytes.
    left: Vec<(u16, u64, u64)>,
    /// What devices moved.
    found: u64,
}

impl Account {
    /// Takes `calls` calls that returned `bytes` together; `rule` decides them.
    pub fn take(&mut self, nr: u16, bytes: u64, calls: u64, rule: Option<&Rule>) {
        self.returned = self.returned.saturating_add(bytes);
        let why = match rule.map(|rule| (rule.does, rule.id)) {
            None => Unaccounted::NoRule,
            Some((Does::CannotTell, name)) => Unaccounted::CannotTell(name),
            Some((Does::LeavesToDevice, _)) => return self.left.push((nr, calls, bytes)),
            Some((Does::Moves(_) | Does::Discards, _)) => return,
        };
        self.open.add(nr, why, calls, bytes);
    }

    /// Takes calls of which counters do not tell what decides their way.
    pub fn untold(&mut self, nr: u16, bytes: u64, calls: u64) {
        self.returned = self.returned.saturating_add(bytes);
        self.open.add(nr, Unaccounted::Uncounted, calls, bytes);
    }

    /// Takes calls whose sizes nobody reads.
    pub fn unsized_calls(&mut self, alike: &Calls, shape: Shape, calls: u64) {
        // Which of these calls move bytes their arguments tell, and those are not counted.
        if calls > 0 && !matches!(shape.moves, Move::Clone | Move::RecvZc) {
            self.open.add(alike.nr, Unaccounted::Unsized, calls, 0);
        }
    }

    /// A device moved so many bytes for a call.
    pub fn device(&mut self, bytes: u64) {
        self.found = self.found.saturating_add(bytes);
    }

    /// The ledger, most bytes first.
    pub fn finish(mut self, arch: Arch) -> Ledger {
        let mut found = self.found;
        for (nr, calls, bytes) in self.left {
            let missing = bytes.saturating_sub(found);
            found = found.saturating_sub(bytes);
            if missing > 0 {
                self.open.add(nr, Unaccounted::NoDevice, calls, missing);
            }
        }
        let name = |nr| super::call_name(nr, arch);
        Ledger::of(self.returned, self.open.into_rows(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_pay_for_what_calls_left_to_them() {
        let read = Arch::X86_64.syscall_number("read").expect("a call");
        let direct = crate::rules::RULES
            .iter()
            .find(|rule| rule.does == Does::LeavesToDevice);
        let mut account = Account::default();
        account.take(read, 4096, 1, direct);
        account.take(read, 100, 2, None);
        account.device(1024);
        let ledger = account.finish(Arch::X86_64);
        assert_eq!((ledger.returned, ledger.unaccounted), (4196, 3172));
        let open: Vec<_> = ledger.open.iter().map(|row| (row.bytes, row.why)).collect();
        let expected = [(3072, Unaccounted::NoDevice), (100, Unaccounted::NoRule)];
        assert_eq!(open, expected);
    }
}
