//! Follows stacks while the trace goes on, in a thread of its own: reading debug information takes a
//! while, and the ring buffer does not wait.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytehop_core::arch::Arch;
use bytehop_core::event::{Event, Meta};

use super::{Sources, telling};
use crate::inherited::set_nice;

/// Stacks that come within this time are followed together: each time the files are looked at anew.
const TOGETHER: Duration = Duration::from_millis(200);
/// The program goes first.
const NICE: i32 = 10;

/// Our end of the thread.
pub struct Resolver {
    events: Sender<Event>,
    sources: Receiver<Vec<Meta>>,
    mmap: Option<u16>,
}

impl Resolver {
    /// Starts the thread, with the rights that the caller has left. `attached`: a process that runs
    /// already; `command`: that of the trace.
    pub fn start(attached: Option<u32>, command: &[String]) -> Self {
        let (events, received) = channel();
        let (resolved, sources) = channel();
        let known = Sources::new(attached, command);
        std::thread::spawn(move || {
            // It can only be refused to go first, and this goes last.
            let _ = set_nice(NICE);
            follow(known, &received, &resolved);
        });
        Self {
            events,
            sources,
            mmap: Arch::host().and_then(|arch| arch.syscall_number("mmap")),
        }
    }

    /// Looks at a record of the kernel.
    pub fn take(&self, record: &[u8]) {
        if let Some(event) = telling(record, self.mmap) {
            // A thread that has died resolves nothing more; the calls stay without lines.
            let _ = self.events.send(event);
        }
    }

    /// What has been resolved since.
    pub fn resolved(&self) -> impl Iterator<Item = Meta> {
        self.sources.try_iter().flatten()
    }

    /// Waits for the rest.
    pub fn finish(self) -> impl Iterator<Item = Meta> {
        drop(self.events);
        self.sources.into_iter().flatten()
    }
}

/// Until the other end is gone.
fn follow(mut known: Sources, events: &Receiver<Event>, resolved: &Sender<Vec<Meta>>) {
    let hand_on = |found: Vec<Meta>| found.is_empty() || resolved.send(found).is_ok();
    while let Ok(event) = events.recv() {
        known.learn(event);
        let until = Instant::now() + TOGETHER;
        let left = || until.saturating_duration_since(Instant::now());
        while let Ok(event) = events.recv_timeout(left()) {
            known.learn(event);
        }
        if !hand_on(known.resolve()) {
            return;
        }
    }
    hand_on(known.resolve_rest());
}
