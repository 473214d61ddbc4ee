//! bytehop against oracles that we did not write: strace, `getrusage`, `/proc/PID/io`,
//! `/proc/diskstats`, the kernel's lists of BPF objects, and a fixture with known workloads.
//!
//! These tests load probes: they need root on a kernel of level T, and strace. They are ignored by
//! a plain `cargo test` and run by the README's test command (`--include-ignored`); without root or
//! BPF they fail, with bytehop's own reason. They run one at a time ([`harness::serial`]).

mod accounting;
mod advice;
mod agree;
mod attach;
mod breakpoints;
mod budgets;
mod clock;
mod cost;
mod devices;
mod files;
mod fixture;
mod fleet;
mod from_main;
mod harness;
mod isolation;
mod kinds;
mod leftovers;
mod lent;
mod limits;
mod losses;
mod memory;
mod odd;
mod paths;
#[path = "../../tui/tests/common/pty.rs"]
#[expect(dead_code, reason = "shared: each uses a part")]
mod pty;
mod recording;
mod refusals;
mod regions;
mod schemas;
mod screen;
mod sockets;
mod source;
mod status;
mod summary;
mod symbols;
mod syscalls;
#[path = "../../tui/tests/common/tmux.rs"]
#[expect(dead_code, reason = "shared: each uses a part")]
mod tmux;
mod top;
mod ways;
mod which;
