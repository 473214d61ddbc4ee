//! Sizes and times of hops and calls in the summary, beside what the hops and calls handed out one by one say.

mod common;

use std::collections::BTreeMap;

use bytehop_core::arch::Arch;
use bytehop_core::histogram::Histogram;
use bytehop_core::model::{CallId, Hop};
use bytehop_core::reconstruct::{Call, Sink, What, summarise};
use bytehop_core::record::open_events;

/// Values by the number of their binary digits.
type Digits = BTreeMap<u32, u64>;

#[derive(Default)]
struct Seen {
    hops: BTreeMap<String, [Digits; 2]>,
    times: BTreeMap<String, Digits>,
}

fn digits(value: u64) -> u32 {
    (0..64).filter(|bit| value >> bit > 0).count() as u32
}

fn row(hop: &Hop) -> String {
    let Hop {
        kind,
        from,
        to,
        evidence,
        deferred,
        ..
    } = hop;
    format!("{kind:?} {from} {to} {} {deferred}", evidence.by())
}

impl Seen {
    fn hop(&mut self, hop: &Hop) {
        let [sizes, times] = self.hops.entry(row(hop)).or_default();
        *sizes.entry(digits(hop.bytes)).or_default() += 1;
        if hop.dur > 0 {
            *times.entry(digits(hop.dur)).or_default() += 1;
        }
    }
}

impl Sink for Seen {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        if let What::Syscall { name, .. } = call.what {
            let times = self.times.entry(name.to_owned()).or_default();
            *times.entry(digits(call.dur)).or_default() += 1;
        }
        hops.iter().for_each(|hop| self.hop(hop));
    }

    fn late_hop(&mut self, _: CallId, hop: &Hop) {
        self.hop(hop);
    }
}

fn told(histogram: &Histogram) -> Digits {
    let buckets = histogram.buckets();
    buckets.map(|(from, n)| (digits(from), n)).collect()
}

#[test]
fn every_hop_and_call_stands_in_one_bucket() {
    let (mut timed, mut several) = (0, 0);
    for path in common::recordings() {
        let mut seen = Seen::default();
        let events = open_events(&path).expect("a recording");
        let summary = summarise(events, Arch::X86_64, &mut seen);
        let mut hops = BTreeMap::<String, [Digits; 2]>::new();
        for hop in &summary.hops {
            let name = format!(
                "{:?} {} {} {} {}",
                hop.kind,
                hop.from,
                hop.to,
                hop.evidence.by(),
                hop.deferred
            );
            let sums = hops.entry(name).or_default();
            for (sum, part) in sums.iter_mut().zip([&hop.sizes, &hop.times]) {
                for (digits, n) in told(part) {
                    *sum.entry(digits).or_default() += n;
                }
            }
            let least = hop.sizes.buckets().map(|(from, n)| from * n).sum::<u64>();
            assert!(least <= hop.bytes, "{path:?}: {hop:?}");
            timed += usize::from(!hop.times.is_empty());
            several += usize::from(hop.sizes.buckets().count() > 1);
        }
        assert_eq!(hops, seen.hops, "{path:?}");
        for call in &summary.syscalls {
            let times = seen.times.get(&call.name);
            assert_eq!(Some(&told(&call.times)), times, "{path:?}: {}", call.name);
        }
    }
    assert!(timed > 10 && several > 100, "{timed}, {several}");
}
