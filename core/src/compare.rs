//! Two runs beside each other: what each did, and what is different, all from their summaries.

use serde::Serialize;

use crate::event::Engine;
use crate::model::{HopKind, HopRow, Known, NamedRow, Place, Summary, Thing};

/// A quantity that runs are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Changes of privilege level.
    Crossings,
    Syscalls,
    /// Taken in user mode.
    PageFaults,
    /// Bytes copied by the CPU in the kernel.
    Copied,
    /// Bytes that it zeroed.
    Zeroed,
    /// Bytes moved by devices.
    Dma,
    /// Bytes passed on by reference.
    Shared,
    /// Bytes mapped.
    Mapped,
    ContextSwitches,
    /// User and system CPU time, ns.
    CpuTime,
    /// Off the CPU, ns.
    Waited,
    /// From the start to the end, ns.
    Duration,
}

impl What {
    pub const ALL: [Self; 12] = [
        Self::Crossings,
        Self::Syscalls,
        Self::PageFaults,
        Self::Copied,
        Self::Zeroed,
        Self::Dma,
        Self::Shared,
        Self::Mapped,
        Self::ContextSwitches,
        Self::CpuTime,
        Self::Waited,
        Self::Duration,
    ];

    pub fn unit(self) -> Unit {
        match self {
            Self::Crossings | Self::Syscalls | Self::PageFaults | Self::ContextSwitches => {
                Unit::Count
            }
            Self::Copied | Self::Zeroed | Self::Dma | Self::Shared | Self::Mapped => Unit::Bytes,
            Self::CpuTime | Self::Waited | Self::Duration => Unit::Time,
        }
    }

    /// The kind of hops that it sums up, if it is bytes.
    pub fn kind(self) -> Option<HopKind> {
        Some(match self {
            Self::Copied => HopKind::Copy,
            Self::Zeroed => HopKind::Fill,
            Self::Dma => HopKind::Dma,
            Self::Shared => HopKind::Share,
            Self::Mapped => HopKind::Map,
            _ => return None,
        })
    }

    /// Its value in a run; `None`: not measured there.
    pub fn of(self, run: &Summary) -> Option<Value> {
        let exact = |n| Some(Value { n, inferred: false });
        let known = run.knows_user_faults();
        match self {
            Self::Crossings | Self::PageFaults if !known => None,
            Self::Crossings => exact(run.crossings.total),
            Self::Syscalls => exact(run.crossings.syscall / 2),
            Self::PageFaults => exact(run.crossings.page_fault / 2),
            Self::ContextSwitches => {
                let switches = run.context_switches;
                exact(switches.voluntary.saturating_add(switches.involuntary))
            }
            Self::CpuTime => exact(run.cpu_ns?),
            Self::Waited => exact(run.waits.time_ns),
            Self::Duration => exact(run.duration_ns),
            Self::Copied | Self::Zeroed | Self::Dma | Self::Shared | Self::Mapped => {
                let kind = self.kind();
                let mut sum = Value::default();
                for row in &run.hops {
                    // A CPU does the work of a device that is only software: no DMA.
                    let none = row.kind == HopKind::Dma && row.engine == Some(Engine::Software);
                    if Some(row.kind) == kind && !none && row.bytes > 0 {
                        sum.n = sum.n.saturating_add(row.bytes);
                        sum.inferred |= row.evidence.known() != Known::Measured;
                    }
                }
                Some(sum)
            }
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Count,
    Bytes,
    /// ns.
    Time,
}

impl Unit {
    /// A number as people read it.
    pub fn write(self, n: u64) -> String {
        match self {
            Self::Count => crate::units::count(n),
            Self::Bytes => crate::units::bytes(n),
            Self::Time => crate::units::time(n),
        }
    }
}

/// A number, and whether some of it is inferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Value {
    pub n: u64,
    pub inferred: bool,
}

/// A quantity in both runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    pub what: What,
    pub unit: Unit,
    pub a: Option<Value>,
    pub b: Option<Value>,
    /// The second in parts of the first; `None` if the first is 0 or one is not known.
    pub ratio: Option<f64>,
}

/// Bytes moved one way, in one of the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    pub bytes: u64,
    pub count: u64,
}

/// How the second run's hops of a kind between two places differ from the first's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Gone,
    New,
    Less,
    More,
    Same,
}

/// Hops of one kind between two places, in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HopChange {
    pub change: Change,
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    pub a: Amount,
    pub b: Amount,
    pub inferred: bool,
}

/// What was done in a region that the program marks itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InRegion {
    pub passes: u64,
    /// From begin to end.
    pub duration_ns: u64,
    /// Changes of privilege level, by calls and by page faults in user mode.
    pub crossings: u64,
    pub copied: u64,
    pub dma: u64,
    /// Some of the bytes are inferred.
    pub inferred: bool,
}

impl InRegion {
    fn of(row: &NamedRow) -> Option<(&str, Self)> {
        let Thing::Region {
            region,
            passes,
            duration_ns,
            user_faults,
        } = &row.thing
        else {
            return None;
        };
        let sum = |kind: HopKind| {
            let hops = row.hops.iter().map(|named| &named.hop);
            let software =
                |hop: &&HopRow| kind == HopKind::Dma && hop.engine == Some(Engine::Software);
            let hops = hops.filter(|hop| hop.kind == kind && hop.bytes > 0 && !software(hop));
            hops.fold((0u64, false), |(bytes, inferred), hop| {
                let inferred = inferred || hop.evidence.known() != Known::Measured;
                (bytes.saturating_add(hop.bytes), inferred)
            })
        };
        let (copied, dma) = (sum(HopKind::Copy), sum(HopKind::Dma));
        let value = Self {
            passes: *passes,
            duration_ns: *duration_ns,
            crossings: row.calls.saturating_add(*user_faults).saturating_mul(2),
            copied: copied.0,
            dma: dma.0,
            inferred: copied.1 || dma.1,
        };
        Some((region, value))
    }
}

/// A region in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionChange {
    pub region: String,
    /// `None`: the run was never in it.
    pub a: Option<InRegion>,
    pub b: Option<InRegion>,
}

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Quantities that at least one of the runs has.
    pub rows: Vec<Row>,
    /// Ways that bytes took, those that moved most first: what is gone, new, less, more, the same.
    pub hops: Vec<HopChange>,
    /// Regions that the programs mark themselves, in the order in which they were met.
    pub regions: Vec<RegionChange>,
}

/// Compares two runs. The difference counts from `a` to `b`.
pub fn compare(a: &Summary, b: &Summary) -> Comparison {
    let rows = What::ALL.into_iter().filter_map(|what| {
        let (a, b) = (what.of(a), what.of(b));
        let n = |value: Option<Value>| value.map_or(0, |value| value.n);
        let ratio = match (a, b) {
            (Some(a), Some(b)) if a.n > 0 => Some(b.n as f64 / a.n as f64),
            _ => None,
        };
        let unit = what.unit();
        let shown = n(a) > 0 || n(b) > 0 || matches!(what, What::Copied | What::Dma);
        shown.then_some(Row {
            what,
            unit,
            a,
            b,
            ratio,
        })
    });
    let mut hops: Vec<HopChange> = Vec::new();
    for (run, second) in [(a, false), (b, true)] {
        for row in &run.hops {
            let same =
                |hop: &HopChange| (hop.kind, &hop.from, &hop.to) == (row.kind, &row.from, &row.to);
            let at = hops.iter().position(same).unwrap_or_else(|| {
                hops.push(HopChange {
                    change: Change::Same,
                    kind: row.kind,
                    from: row.from.clone(),
                    to: row.to.clone(),
                    a: Amount::default(),
                    b: Amount::default(),
                    inferred: false,
                });
                hops.len() - 1
            });
            let hop = &mut hops[at];
            let amount = if second { &mut hop.b } else { &mut hop.a };
            amount.bytes = amount.bytes.saturating_add(row.bytes);
            amount.count = amount.count.saturating_add(row.count);
            hop.inferred |= row.evidence.known() != Known::Measured;
        }
    }
    for hop in &mut hops {
        hop.change = change(hop.a.bytes, hop.b.bytes);
    }
    hops.sort_by_key(|hop| (std::cmp::Reverse(hop.a.bytes.max(hop.b.bytes)), hop.kind));
    Comparison {
        rows: rows.collect(),
        hops,
        regions: regions(a, b),
    }
}

fn regions(a: &Summary, b: &Summary) -> Vec<RegionChange> {
    let mut regions: Vec<RegionChange> = Vec::new();
    for (run, second) in [(a, false), (b, true)] {
        for (name, value) in run.by_name.regions.iter().filter_map(InRegion::of) {
            let known = regions.iter().position(|change| change.region == name);
            let at = known.unwrap_or_else(|| {
                regions.push(RegionChange {
                    region: name.to_owned(),
                    a: None,
                    b: None,
                });
                regions.len() - 1
            });
            let change = &mut regions[at];
            let side = if second { &mut change.b } else { &mut change.a };
            *side = Some(value);
        }
    }
    regions
}

/// What loading and starting a program leaves behind is not what it is compared by: a twentieth of the
/// other run's bytes counts as none, and a tenth more or less as the same.
fn change(a: u64, b: u64) -> Change {
    let (a, b) = (u128::from(a), u128::from(b));
    if b * 20 < a {
        Change::Gone
    } else if a * 20 < b {
        Change::New
    } else if b * 10 < a * 9 {
        Change::Less
    } else if a * 10 < b * 9 {
        Change::More
    } else {
        Change::Same
    }
}

impl Comparison {
    /// The changes worth a sentence: of at least a sixteenth of the bytes that moved most. Zeroing and
    /// mapping are named only where nothing else is.
    pub fn told(&self) -> Vec<&HopChange> {
        let payload = |hop: &&HopChange| !matches!(hop.kind, HopKind::Fill | HopKind::Map);
        let most = |hops: &[&HopChange]| {
            let bytes = hops.iter().map(|hop| hop.a.bytes.max(hop.b.bytes));
            bytes.max().unwrap_or(0)
        };
        let moved: Vec<&HopChange> = self.hops.iter().filter(payload).collect();
        let all: Vec<&HopChange> = self.hops.iter().collect();
        let few = moved.iter().all(|hop| hop.change == Change::Same);
        let hops = if few { all } else { moved };
        let least = most(&hops) / 16;
        let mut told: Vec<&HopChange> = hops;
        told.retain(|hop| hop.a.bytes.max(hop.b.bytes) >= least.max(1));
        told.sort_by_key(|hop| hop.change);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::RuleId;
    use crate::histogram::Histogram;
    use crate::model::{Crossings, Evidence, HopRow};

    fn row(kind: HopKind, from: Place, to: Place, count: u64, bytes: u64) -> HopRow {
        HopRow {
            kind,
            from,
            to,
            count,
            bytes,
            evidence: Evidence::Inferred(RuleId::ReadReturnsCopied),
            deferred: false,
            engine: None,
            cpu_ns: None,
            sizes: Histogram::default(),
            times: Histogram::default(),
        }
    }

    fn runs() -> (Summary, Summary) {
        let disk = || Place::Device("vda".to_owned());
        let run = |total, hops| Summary {
            crossings: Crossings {
                total,
                syscall: total,
                ..Crossings::default()
            },
            hops,
            ..Summary::default()
        };
        let a = run(
            100,
            vec![
                row(HopKind::Copy, Place::PageCache, Place::User, 16, 1 << 20),
                row(HopKind::Copy, Place::User, Place::Socket, 16, 1 << 20),
                row(HopKind::Dma, disk(), Place::PageCache, 9, 1 << 20),
                row(HopKind::Fill, Place::Zero, Place::User, 30, 120 << 10),
            ],
        );
        let b = run(
            25,
            vec![
                row(HopKind::Share, Place::PageCache, Place::Socket, 1, 1 << 20),
                row(HopKind::Copy, Place::PageCache, Place::User, 1, 832),
                row(HopKind::Dma, disk(), Place::PageCache, 8, 1 << 20),
            ],
        );
        (a, b)
    }

    #[test]
    fn quantities() {
        let (a, b) = runs();
        let both = compare(&a, &b);
        let row = |what| both.rows.iter().find(|row| row.what == what).copied();
        let crossings = row(What::Crossings).expect("a row");
        assert_eq!(crossings.ratio, Some(0.25));
        let copied = row(What::Copied).expect("a row");
        let value = |n| Some(Value { n, inferred: true });
        assert_eq!((copied.a, copied.b), (value(2 << 20), value(832)));
        // Neither waited, and no CPU time is known.
        assert_eq!((row(What::Waited), row(What::CpuTime)), (None, None));
    }

    #[test]
    fn changes() {
        let (a, b) = runs();
        let both = compare(&a, &b);
        let told: Vec<_> = both
            .told()
            .iter()
            .map(|hop| (hop.change, hop.kind))
            .collect();
        assert_eq!(
            told,
            [
                (Change::Gone, HopKind::Copy),
                (Change::Gone, HopKind::Copy),
                (Change::New, HopKind::Share),
                (Change::Same, HopKind::Dma),
            ]
        );
        let same = compare(&a, &a);
        assert!(same.hops.iter().all(|hop| hop.change == Change::Same));
        assert!(
            compare(&Summary::default(), &Summary::default())
                .told()
                .is_empty()
        );
    }
}
