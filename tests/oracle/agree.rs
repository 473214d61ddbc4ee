//! `record`, `stat` and `top` say the same of every path of `doctor --verify`: the same rows, or one of them says
//! that a total is no more than a lower bound.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use bytehop_core::arch::Arch;
use bytehop_core::event::Meta;
use bytehop_core::model::{CallId, Hop, HopKind};
use bytehop_core::reconstruct::{Call, Sink, summarise};
use bytehop_core::record::open_events;
use serde_json::Value;
use verify::table::PATHS;

use crate::harness::{BYTEHOP, Scratch, command, not_run, output, serial};
use crate::summary::Summary;
use crate::top::Top;

/// Pages of the stack and of page tables differ from run to run.
const STACK: u64 = 128 << 10;

/// Texts of `/proc` and of the program itself have numbers in them, which are longer at times.
const TEXTS: u64 = 4096;
/// A huge page that was to be had in one run, and not in the other.
const HUGE: u64 = 4 << 20;
/// Paths of which `stat` claims another way, since the kernel side keeps no `MSG_*` flags for it.
const FLAGS: [&str; 0] = [];
/// What the kernel does inside a call that is no data call: counters do not tell (docs/top.md).
const INSIDE: &str = "copy-up";

/// Bytes of hops by kind and places.
type Rows = BTreeMap<(String, String, String), u64>;

/// What one verb says.
#[derive(Debug, Default)]
struct Said {
    rows: Rows,
    at_least: BTreeSet<String>,
    /// Bytes that it says it cannot account for.
    open: u64,
}

impl Said {
    fn take(&mut self, summary: &Value) {
        self.open += summary["ledger"]["unaccounted"].as_u64().unwrap_or(0);
        for hop in summary["hops"].as_array().into_iter().flatten() {
            let text = |key: &str| hop[key].as_str().expect("a word").to_owned();
            // What a device does later is seen as far as it does it meanwhile.
            if hop["deferred"] == false || hop["kind"] != "dma" {
                let row = self.rows.entry((text("kind"), text("from"), text("to")));
                *row.or_default() += hop["bytes"].as_u64().expect("bytes");
            }
        }
        let names = summary["at_least"].as_array().into_iter().flatten();
        self.at_least
            .extend(names.map(|name| name.as_str().expect("a name").to_owned()));
    }

    /// Whether a total may be larger than it is.
    fn bounds(&self, (kind, from, to): &(String, String, String)) -> bool {
        let whole = format!("{kind} {from}->{to}");
        self.at_least.contains(kind) || self.at_least.contains(&whole)
    }

    /// Totals of which `self`, which knows all, and another say different things.
    fn against(&self, other: &Self, slack: impl Fn(&str) -> Option<u64>) -> Vec<String> {
        let keys: BTreeSet<_> = self.rows.keys().chain(other.rows.keys()).collect();
        let mut differ = Vec::new();
        for key in keys {
            let of = |said: &Self| said.rows.get(key).copied().unwrap_or(0);
            let (all, some) = (of(self), of(other));
            let Some(slack) = slack(&key.0) else { continue };
            let less = some <= all.saturating_add(slack)
                && (other.bounds(key) || all - some.min(all) <= other.open.saturating_add(slack));
            let more = all <= some.saturating_add(slack)
                && (self.bounds(key) || some - all.min(some) <= self.open.saturating_add(slack));
            if all.abs_diff(some) > slack && !less && !more {
                differ.push(format!("{key:?}: {all}, and {some}"));
            }
        }
        differ
    }
}

/// The hops of all processes of a recording but the first: that was bytehop itself before it ran, as `top` saw it.
#[derive(Default)]
struct Children {
    leader: u32,
    processes: HashSet<u32>,
    of_thread: HashMap<u32, u32>,
    said: Said,
}

impl Children {
    fn add(&mut self, process: u32, hop: &Hop) {
        if process != self.leader && !(hop.deferred && hop.kind == HopKind::Dma) {
            let key = (
                hop.kind.word().to_owned(),
                hop.from.to_string(),
                hop.to.to_string(),
            );
            *self.said.rows.entry(key).or_default() += hop.bytes;
        }
    }
}

impl Sink for Children {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        self.of_thread.insert(call.id.tid, call.tgid);
        if call.tgid != self.leader {
            self.processes.insert(call.tgid);
        }
        for hop in hops {
            self.add(call.tgid, hop);
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        // A thread of the kernel's own (SQPOLL) makes no call; the first process has made some.
        let process = self.of_thread.get(&call.tid).copied().unwrap_or(0);
        self.add(process, hop);
    }

    fn meta(&mut self, meta: &Meta) {
        if let Meta::Start(start) = meta {
            self.leader = start.pid;
        }
    }
}

/// Traces a path; `None` if it is not offered here.
fn traced(verb: &[&str], dir: &str, path: &str, summary: &str) -> Option<Summary> {
    let mut line = vec![BYTEHOP];
    line.extend(verb);
    line.extend(["--json", "--summary", summary, "--"]);
    line.extend([BYTEHOP, "verify-paths", "--dir", dir, path]);
    let ran = output(command(&line)).expect(0);
    let done: Value = serde_json::from_str(ran.stdout.trim())
        .unwrap_or_else(|e| panic!("{path}: {e}: {} {}", ran.stdout, ran.stderr));
    assert!(done["failed"].is_null(), "{path}: {done}");
    let offered = done["not_offered"].is_null();
    offered.then(|| Summary::read(summary, &ran))
}

#[test]
#[ignore = "root"]
fn every_verb_tells_the_same_of_every_path() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (dir, json) = (scratch.path(""), scratch.path("summary.json"));
    let recording = scratch.path("trace.bhop");
    let top = Top::start(&scratch, &[]);
    let mut of_top = Vec::new();
    let (mut wrong, mut agreed) = (Vec::new(), 0);
    for path in PATHS {
        let record = ["record", "-o", &recording, "--level", "T"];
        let (Some(record), Some(stat)) = (
            traced(&record, &dir, path.name, &json),
            traced(&["stat"], &dir, path.name, &json),
        ) else {
            continue;
        };
        if [&record, &stat]
            .iter()
            .any(|s| s.number("/lost_events") > 0)
        {
            not_run(path.name, "events were lost");
            continue;
        }
        let (mut all, mut counted) = (Said::default(), Said::default());
        all.take(&record.0);
        counted.take(&stat.0);
        // Two runs: what a device reads ahead, or writes back meanwhile, is another thing each time.
        let slack = |kind: &str| match kind {
            "dma" => None,
            "fill" if path.name == "huge-page" => Some(HUGE),
            "fill" => Some(STACK),
            _ => Some(TEXTS),
        };
        let differ = all.against(&counted, slack);
        let returned = [&record, &stat].map(|summary| summary.number("/ledger/returned"));
        // Sizes that stand in memory `stat` does not read.
        let unsized_calls = counted.bounds(&("copy".into(), "user".into(), "socket".into()))
            || counted.bounds(&("share".into(), "socket".into(), "user".into()));
        if returned[0].abs_diff(returned[1]) > TEXTS && !unsized_calls {
            wrong.push(format!("{}: stat: returned {returned:?}", path.name));
        }
        match differ.is_empty() {
            true => agreed += 1,
            false if FLAGS.contains(&path.name) || path.name == INSIDE => {}
            false => wrong.push(format!("{}: stat: {differ:#?}", path.name)),
        }
        let mut theirs = Children {
            said: Said {
                at_least: all.at_least,
                ..Said::default()
            },
            ..Children::default()
        };
        let events = open_events(Path::new(&recording)).expect("a recording");
        summarise(events, Arch::host().expect("an architecture"), &mut theirs);
        of_top.push((path.name, theirs));
    }
    let lines = top.finish();
    for (name, theirs) in of_top {
        let mut seen = Said::default();
        let rows = lines.iter().flat_map(|line| line["processes"].as_array());
        for row in rows.flatten() {
            let pid = row["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            if pid.is_some_and(|pid| theirs.processes.contains(&pid)) {
                seen.take(row);
            }
        }
        let differ = theirs.said.against(&seen, |kind| match kind {
            "map" => None,
            _ => Some(0),
        });
        if !differ.is_empty() && name != INSIDE {
            wrong.push(format!("{name}: top: {differ:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed >= 40, "only {agreed} paths");
}
