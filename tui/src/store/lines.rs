//! One program's own source: which of its lines made a call, and what each did up to somewhere.

use std::collections::BTreeMap;

use bytehop_core::annotate::Line;
use bytehop_core::event::Frame;
use bytehop_core::model::CallId;

use super::call::What;
use super::trace::Store;

/// Lines of the source by file and number.
pub type Lines = BTreeMap<String, BTreeMap<u32, Line>>;

impl Store {
    /// From here on calls belong to lines of this file, given by the end of its path: what they pass through on the
    /// way, as helpers of the program, is passed over. Without a line of it in the trace all stays as it is.
    pub fn prefer(&mut self, file: &str) {
        let is_it = |frame: &Frame| frame.line > 0 && frame.file.ends_with(file);
        let mut frames = self.annotator.sources.values().flat_map(|s| &s.frames);
        self.program = frames.any(is_it).then(|| file.to_owned());
    }

    /// The frame on a call's stack that is the program's own line.
    pub(super) fn own(&self, call: CallId) -> Option<&Frame> {
        let Some(file) = &self.program else {
            return self.annotator.own(call);
        };
        let stack = self.annotator.stacks.of(call)?;
        let frames = &self.annotator.sources.get(&stack)?.frames;
        frames
            .iter()
            .find(|frame| frame.line > 0 && frame.file.ends_with(file.as_str()))
    }

    /// The first call that a line of the program made: before it, the loader and the language's runtime are at work.
    pub fn first_of_main(&self) -> Option<usize> {
        (0..self.len()).find(|index| self.line(*index).is_some())
    }

    /// What each line did in the calls up to this one, of which so many hops count; all without a number.
    pub fn lines_until(&self, call: usize, hops: Option<usize>) -> Lines {
        let mut lines = Lines::new();
        for index in 0..=call.min(self.len().saturating_sub(1)) {
            let (Some(frame), Some(made)) = (self.line(index), self.call(index)) else {
                continue;
            };
            let of_file = match lines.get_mut(&frame.file) {
                Some(of_file) => of_file,
                None => lines.entry(frame.file.clone()).or_default(),
            };
            let line = of_file.entry(frame.line).or_default();
            match self.sig(&made).map(|sig| &sig.what) {
                Some(What::Syscall { .. }) => line.syscalls += 1,
                Some(What::Fault { .. }) => line.page_faults += 1,
                Some(What::Later) | None => {}
            }
            if self.crosses(made.sig) {
                line.crossings += 2;
                line.time_ns = line.time_ns.saturating_add(u64::from(made.dur));
            }
            let some = if index == call { hops } else { None };
            for hop in self.hops(index).iter().take(some.unwrap_or(usize::MAX)) {
                let Some(key) = self.key(hop) else {
                    continue;
                };
                let known = key.evidence.known();
                line.moved(key.kind, key.engine, key.deferred, known, hop.bytes);
            }
        }
        lines
    }
}
