//! What each line of the program's source did: the hops and calls of a trace, added up by the line
//! that they came from.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::event::{CalledFrom, Engine, Frame, Meta, Source};
use crate::model::{CallId, End, Hop, HopKind, HopRow, Known, NamedHop, NamedRow};
use crate::modules::{Module, Runtime};
use crate::reconstruct::{Call, Sink, What};

/// Which stack each call came from: kept where it changes.
#[derive(Debug, Default)]
pub struct Stacks {
    /// By thread: from the call with this number on, this stack.
    threads: HashMap<u32, Vec<(u32, u64)>>,
}

impl Stacks {
    pub fn learn(&mut self, from: &CalledFrom) {
        let changes = self.threads.entry(from.head.tid).or_default();
        match changes.last() {
            // A thread id that is used again counts its calls anew.
            Some((seq, _)) if *seq > from.head.seq => changes.clear(),
            _ => {}
        }
        changes.push((from.head.seq, from.id));
    }

    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// The stack of a call; `None` if it is not known.
    pub fn of(&self, call: CallId) -> Option<u64> {
        let changes = self.threads.get(&call.tid)?;
        let after = changes.partition_point(|(seq, _)| *seq <= call.seq);
        changes.get(after.checked_sub(1)?).map(|(_, id)| *id)
    }
}

/// The text of a source file that a recording names; `None` if it is not here, or no plain file of a
/// size that sources have: the recording may be someone else's.
pub fn read_source(path: &str) -> Option<String> {
    const LARGEST: u64 = 8 << 20;
    let meta = std::fs::metadata(path).ok()?;
    let plain = meta.is_file() && meta.len() <= LARGEST;
    let bytes = plain.then(|| std::fs::read(path).ok())??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What was done on behalf of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Bytes: copied by the CPU, zeroed by it, moved by DMA, passed on by reference, mapped.
    pub copied: u64,
    pub zeroed: u64,
    pub dma: u64,
    /// Of the DMA, what ran after the call that caused it: write-back, readahead.
    pub dma_deferred: u64,
    pub shared: u64,
    pub mapped: u64,
    pub syscalls: u64,
    pub page_faults: u64,
    /// Two for each call and page fault.
    pub crossings: u64,
    /// Time from the entries of its calls to their exits, ns; page faults have none measured.
    pub time_ns: u64,
    /// Some of the bytes are inferred, not measured.
    pub inferred: bool,
}

impl Line {
    fn add(&mut self, other: &Self) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.copied, other.copied);
        sum(&mut self.zeroed, other.zeroed);
        sum(&mut self.dma, other.dma);
        sum(&mut self.dma_deferred, other.dma_deferred);
        sum(&mut self.shared, other.shared);
        sum(&mut self.mapped, other.mapped);
        sum(&mut self.syscalls, other.syscalls);
        sum(&mut self.page_faults, other.page_faults);
        sum(&mut self.crossings, other.crossings);
        sum(&mut self.time_ns, other.time_ns);
        self.inferred |= other.inferred;
    }

    /// Adds bytes of a hop to the column of its kind.
    pub fn moved(
        &mut self,
        kind: HopKind,
        engine: Option<Engine>,
        deferred: bool,
        known: Known,
        bytes: u64,
    ) {
        let sum = match (kind, engine) {
            (HopKind::Copy, _) => &mut self.copied,
            (HopKind::Fill, _) => &mut self.zeroed,
            // A CPU does the work of a device that is only software.
            (HopKind::Dma, Some(Engine::Software)) => return,
            (HopKind::Dma, _) => &mut self.dma,
            (HopKind::Share, _) => &mut self.shared,
            (HopKind::Map, _) => &mut self.mapped,
        };
        *sum = sum.saturating_add(bytes);
        if kind == HopKind::Dma && deferred {
            self.dma_deferred = self.dma_deferred.saturating_add(bytes);
        }
        self.inferred |= known != Known::Measured;
    }

    /// The bytes of a named thing in columns; what stays in one file or socket stands once.
    pub fn of(named: &NamedRow) -> Self {
        let mut line = Self {
            syscalls: named.calls,
            time_ns: named.time_ns,
            ..Self::default()
        };
        let left = |hop: &HopRow| {
            let mut others = named.hops.iter();
            others.any(|other| other.end == Some(End::From) && other.hop.is_like(hop))
        };
        for NamedHop { end, hop } in &named.hops {
            if *end == Some(End::To) && hop.from == hop.to && left(hop) {
                continue;
            }
            let known = hop.evidence.known();
            line.moved(hop.kind, hop.engine, hop.deferred, known, hop.bytes);
        }
        line
    }

    fn hop(&mut self, hop: &Hop) {
        self.moved(
            hop.kind,
            hop.engine,
            hop.deferred,
            hop.evidence.known(),
            hop.bytes,
        );
    }
}

/// A source file and its lines that did something.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct File {
    pub path: String,
    pub lines: BTreeMap<u32, Line>,
    pub total: Line,
}

/// What is known of the source of a trace.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Annotation {
    /// Those that did most first.
    pub files: Vec<File>,
    /// Of calls whose stack leads to no line of the program's own: the loader, the runtime, code
    /// without debug information.
    pub elsewhere: Line,
    /// Of calls whose stack is not known.
    pub unknown: Line,
    /// Records of stacks were lost: lines may have too little, or their neighbours' calls.
    pub incomplete: bool,
    /// Of what is elsewhere: calls through files that have no lines, those with most crossings first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_lines: Vec<Without>,
    /// Of what is elsewhere: calls of programs that a runtime ran whose functions it did not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unnamed: Vec<(Runtime, Line)>,
    /// It named some: the rest of the stacks did not reach that far.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    /// Some lines are those on which a function begins.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub begins: bool,
}

/// What was done through a file without lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Without {
    pub module: Module,
    pub line: Line,
}

/// Adds up while a trace is read.
#[derive(Debug, Default)]
pub struct Annotator {
    pub stacks: Stacks,
    pub sources: HashMap<u64, Source>,
    /// The files that their frames lie in, by number.
    pub modules: BTreeMap<u32, Module>,
    by_stack: HashMap<Option<u64>, Line>,
    incomplete: bool,
}

impl Annotator {
    fn line(&mut self, call: CallId) -> &mut Line {
        let stack = self.stacks.of(call);
        self.by_stack.entry(stack).or_default()
    }

    /// The line of a call.
    pub fn own(&self, call: CallId) -> Option<&Frame> {
        self.frame(self.stacks.of(call)?)
    }

    /// The program's own line on a stack.
    pub fn frame(&self, stack: u64) -> Option<&Frame> {
        let source = self.sources.get(&stack)?;
        source.frames.get(source.own?)
    }

    /// The sums so far.
    pub fn finish(&self) -> Annotation {
        let mut files: HashMap<&str, File> = HashMap::new();
        let mut annotation = Annotation {
            incomplete: self.incomplete,
            named: self.modules.values().any(Module::is_of_a_runtime),
            ..Annotation::default()
        };
        for (stack, line) in &self.by_stack {
            let Some(stack) = stack else {
                annotation.unknown.add(line);
                continue;
            };
            let Some(frame) = self.frame(*stack) else {
                annotation.elsewhere.add(line);
                self.why(*stack, line, &mut annotation);
                continue;
            };
            annotation.begins |= frame.begins;
            let file = files.entry(&frame.file).or_insert_with(|| File {
                path: frame.file.clone(),
                ..File::default()
            });
            file.lines.entry(frame.line).or_default().add(line);
            file.total.add(line);
        }
        annotation.files = files.into_values().collect();
        let rank = |file: &File| file.total.copied.max(file.total.dma).max(file.total.shared);
        annotation.files.sort_by(|a, b| {
            let by = |file: &File| std::cmp::Reverse((rank(file), file.total.crossings));
            by(a).cmp(&by(b)).then_with(|| a.path.cmp(&b.path))
        });
        let without =
            |without: &Without| (std::cmp::Reverse(without.line.crossings), without.module.id);
        annotation.without_lines.sort_by_key(without);
        annotation.unnamed.sort_by_key(|(runtime, _)| *runtime);
        annotation
    }

    /// Why a stack leads to no line of the program's own.
    fn why(&self, stack: u64, line: &Line, annotation: &mut Annotation) {
        let Some(source) = self.sources.get(&stack) else {
            return;
        };
        let mut paths = source.frames.iter().map(|frame| {
            let module = self.modules.get(&frame.of);
            module.map_or(frame.module.as_str(), Module::real)
        });
        let named = source.frames.iter().any(|frame| frame.begins);
        if let Some(runtime) = paths.find_map(Runtime::of).filter(|_| !named) {
            let mut all = annotation.unnamed.iter_mut();
            match all.find(|(known, _)| *known == runtime) {
                Some((_, sum)) => sum.add(line),
                None => annotation.unnamed.push((runtime, *line)),
            }
            return;
        }
        let modules = source
            .frames
            .iter()
            .filter_map(|frame| self.modules.get(&frame.of));
        let mut programs = modules.filter(|module| !module.is_of_the_system());
        let Some(module) = programs.find(|module| module.lines.is_empty()) else {
            return;
        };
        let mut all = annotation.without_lines.iter_mut();
        match all.find(|known| known.module.id == module.id) {
            Some(without) => without.line.add(line),
            None => annotation.without_lines.push(Without {
                module: module.clone(),
                line: *line,
            }),
        }
    }
}

impl Sink for Annotator {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        let line = self.line(call.id);
        match call.what {
            What::Syscall { .. } => line.syscalls += 1,
            What::Fault { .. } => line.page_faults += 1,
        }
        line.crossings += 2;
        line.time_ns = line.time_ns.saturating_add(call.dur);
        for hop in hops {
            line.hop(hop);
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        self.line(call).hop(hop);
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.stacks.learn(from);
    }

    fn meta(&mut self, meta: &Meta) {
        match meta {
            Meta::Source(source) => {
                self.sources.insert(source.id, source.clone());
            }
            Meta::Module(module) => {
                self.modules.insert(module.id, module.clone());
            }
            Meta::Lost(lost) => {
                let stacks = [tracer_ebpf::kind::STACK, tracer_ebpf::kind::CALLED_FROM];
                let lost = stacks.map(|kind| lost.by_kind.get(usize::from(kind)).copied());
                self.incomplete |= lost.iter().flatten().any(|n| *n > 0);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tracer_ebpf::Head;

    use super::*;

    fn from(seq: u32, id: u64) -> CalledFrom {
        let head = Head {
            tid: 7,
            seq,
            ..Head::default()
        };
        CalledFrom { head, id }
    }

    #[test]
    fn a_stack_holds_until_the_next() {
        let mut stacks = Stacks::default();
        for (seq, id) in [(2, 20), (5, 50), (6, 20)] {
            stacks.learn(&from(seq, id));
        }
        let of = |seq| stacks.of(CallId { tid: 7, seq });
        let expected = [
            None,
            None,
            Some(20),
            Some(20),
            Some(20),
            Some(50),
            Some(20),
            Some(20),
        ];
        for (seq, stack) in (0..).zip(expected) {
            assert_eq!(of(seq), stack, "call {seq}");
        }
        assert_eq!(stacks.of(CallId { tid: 8, seq: 3 }), None);
    }
}
