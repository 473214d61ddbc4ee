//! Everything that is only added up.

use std::collections::HashMap;

use super::account::Account;
use super::interrupts::Interrupts;
use super::measured::Requests;
use super::requests::Made;
use super::tally::{Devices, Differences, Processes, Rows};
use crate::event::{BreakpointsOff, End, Lost, Sampled};
use crate::histogram::Histogram;
use crate::model::{ContextSwitches, Cost, IoTotals, PageFaults, Waits};

/// Calls of one number.
#[derive(Clone, Default)]
pub struct Calls {
    pub calls: u64,
    pub errors: u64,
    pub bytes: u64,
    pub time: u64,
    pub sizes: Histogram,
    pub times: Histogram,
}

/// Everything that is only added up.
#[derive(Default)]
pub struct Sums {
    pub rows: Rows,
    pub interrupts: Interrupts,
    pub account: Account,
    pub devices: Devices,
    pub processes: Processes,
    pub differences: Differences,
    pub requests: Requests,
    /// By number; the last for numbers beyond the table.
    pub calls: Vec<Calls>,
    /// 32-bit calls, and numbers outside the table.
    pub other_calls: HashMap<(bool, u16), Calls>,
    pub syscalls: u64,
    /// Requests of io_uring.
    pub made: Made,
    pub faults: PageFaults,
    pub switches: ContextSwitches,
    pub waits: Waits,
    pub irqs_user: u64,
    pub never_returned: HashMap<(bool, u16), u64>,
    pub metadata: IoTotals,
    pub unattributed: IoTotals,
    pub failed_io: u64,
    /// Messages whose sizes are in memory that no probe reads.
    pub unsized_messages: u64,
    /// Reflinks, whose sizes are not in the call.
    pub unsized_reflinks: u64,
    /// Of steps that are not in the table.
    pub unknown_measures: u64,
    /// Requests of Linux AIO whose results were not seen.
    pub untold: u64,
    /// Some request was made through io_uring.
    pub async_used: bool,
    pub lost: Lost,
    pub lost_calls: HashMap<u16, u64>,
    pub end: Option<End>,
    pub breakpoints_off: Option<BreakpointsOff>,
    pub sampled: Option<Sampled>,
    /// Programs that the kernel skipped, and how often.
    pub skipped: Vec<(String, u64)>,
    /// What tracing took.
    pub cost: Option<Cost>,
    /// Bytes sent by reference and copied late: expected, found.
    pub late_copies: (u64, u64),
    /// How the process traced ended, where it is not our child.
    pub leader_exit: Option<i32>,
}
