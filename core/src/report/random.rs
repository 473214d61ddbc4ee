//! Random summaries.

use crate::catalogue::{Method, RuleId, Subject, probes};
use crate::event::{DeviceClass, Engine, KIND_NAMES};
use crate::histogram::Histogram;
use crate::ledger::Ledger;
use crate::model::{
    Arrived, Claim, Context, ContextSwitches, Cost, CpuTime, Crossings, DeviceRow, Disagreement,
    Estimate, Evidence, HopKind, HopRow, InterruptRow, IoTotals, Known, PageFaults, Place,
    ProbeCost, ProcessRow, Summary, SyscallRow, Waits,
};
use crate::notice::Notice;

/// A small deterministic generator (xorshift64*): tests need variety, not quality.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Small, large and extreme numbers alike.
    fn number(&mut self) -> u64 {
        let bits = self.below(65) as u32;
        self.next().checked_shr(64 - bits.max(1)).unwrap_or(0)
    }

    fn name(&mut self) -> String {
        const PARTS: [&str; 12] = [
            "a",
            "read",
            "页缓存",
            "-",
            " ",
            "\x1b[31m",
            "é",
            "e\u{301}",
            "👩‍👩‍👧",
            "\u{202e}",
            "，",
            "/very/long/path/without/end",
        ];
        (0..self.below(9))
            .map(|_| PARTS[self.below(PARTS.len() as u64) as usize])
            .collect()
    }

    fn list<T>(&mut self, most: u64, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    fn place(&mut self) -> Place {
        let (device, nic) = (Place::Device(self.name()), Place::Nic(self.name()));
        self.pick(&[
            Place::User,
            Place::PageCache,
            Place::Shmem,
            Place::Pipe,
            Place::Socket,
            Place::Kernel,
            Place::Zero,
            device,
            nic,
        ])
    }

    fn engine(&mut self) -> Engine {
        self.pick(&[
            Engine::Hardware,
            Engine::Paravirtual,
            Engine::Software,
            Engine::Unknown,
        ])
    }

    fn histogram(&mut self) -> Histogram {
        let mut histogram = Histogram::default();
        for _ in 0..self.below(5) {
            histogram.add(self.number());
        }
        histogram
    }

    fn hop(&mut self) -> HopRow {
        HopRow {
            kind: self.pick(&[
                HopKind::Copy,
                HopKind::Dma,
                HopKind::Share,
                HopKind::Map,
                HopKind::Fill,
            ]),
            from: self.place(),
            to: self.place(),
            count: self.number(),
            bytes: self.number(),
            evidence: {
                let measured = Evidence::tracepoint(self.pick(probes::TABLE).id);
                let inferred = Evidence::Inferred(self.pick(RuleId::ALL));
                let estimated = Evidence::Estimated(Method::CpuClock);
                self.pick(&[measured, inferred, estimated])
            },
            deferred: self.below(2) == 0,
            engine: Some(self.engine()),
            cpu_ns: Some(self.number()),
            sizes: self.histogram(),
            times: self.histogram(),
        }
    }

    fn cpu_time(&mut self) -> CpuTime {
        let time = |r: &mut Self| Estimate::of(r.number(), 250_007);
        CpuTime {
            evidence: Known::Estimated,
            method: Method::CpuClock,
            period_ns: 250_007,
            samples: self.number(),
            user: time(self),
            kernel: time(self),
            copy: time(self),
            fill: time(self),
            functions: Vec::new(),
        }
    }

    fn cost(&mut self) -> Cost {
        Cost {
            evidence: Known::Measured,
            time_ns: self.number(),
            runs: self.number(),
            probes: self.list(6, |r| ProbeCost {
                probe: r.name(),
                time_ns: r.number(),
                runs: r.number(),
            }),
        }
    }

    fn io(&mut self) -> IoTotals {
        IoTotals {
            read_requests: self.number(),
            read_bytes: self.number(),
            write_requests: self.number(),
            write_bytes: self.number(),
        }
    }

    /// Any summary, most of them absurd.
    pub fn summary(&mut self) -> Summary {
        Summary {
            ledger: Ledger::default(),
            at_least: Vec::new(),
            requests: Vec::new(),
            schema: 1,
            bytehop: self.name(),
            kernel: self.name(),
            arch: self.name(),
            level: self.name(),
            command: self.list(9, Self::name),
            exit_status: Some(self.next() as i32).filter(|n| n % 5 != 0),
            duration_ns: self.number(),
            lost_events: self.number() * self.below(2),
            lost_by_kind: self.list(4, |r| (r.pick(&KIND_NAMES).to_owned(), r.number())),
            lost_calls: self.list(4, |r| (r.name(), r.number())),
            crossings: Crossings {
                total: self.number(),
                syscall: self.number(),
                page_fault: self.number(),
                interrupt: Some(self.number()),
            },
            context_switches: ContextSwitches {
                voluntary: self.number() / 2,
                involuntary: self.number() / 2,
            },
            syscalls: self.list(30, |r| SyscallRow {
                name: r.name(),
                calls: r.number(),
                errors: r.number(),
                bytes: r.number(),
                time_ns: r.number(),
                time_evidence: if r.number() % 2 == 0 {
                    Known::Measured
                } else {
                    Known::Estimated
                },
                ..SyscallRow::default()
            }),
            page_faults: PageFaults {
                minor: self.number() / 2,
                major: self.number() / 2,
                mapped_pages: self.number(),
                user: self.number(),
            },
            hops: self.list(12, Self::hop),
            disagreements: self.list(3, |r| Disagreement {
                what: r.pick(Subject::ALL),
                by_requests: r.below(2) == 0,
                expected: r.number(),
                found: r.number(),
                claim: Claim::Rule(r.pick(RuleId::ALL)),
                skipped: r.list(2, Self::name),
            }),
            by_name: Default::default(),
            by_process: self.list(14, |r| ProcessRow {
                pid: r.next() as u32,
                comm: r.name(),
                ppid: None,
                syscalls: r.number(),
                user_faults: r.number(),
                copied: r.number(),
            }),
            never_returned: self.list(3, |r| (r.name(), r.number())),
            waits: Waits {
                count: self.number(),
                time_ns: self.number(),
                device_ns: self.number(),
            },
            metadata_io: self.io(),
            unattributed: self.io(),
            untied_arrivals: Arrived {
                packets: self.number(),
                bytes: self.number(),
            },
            interrupts: self.list(5, |r| InterruptRow {
                number: Some(r.next() as u32).filter(|n| n % 3 != 0),
                context: r.pick(&[
                    Context::Handler,
                    Context::Soft,
                    Context::SoftAlone,
                    Context::Thread,
                ]),
                device: r.name(),
                count: r.number(),
                bytes: r.number(),
                woke: r.number(),
            }),
            dirty_bytes: self.number(),
            devices: self.list(4, |r| DeviceRow {
                name: r.name(),
                class: r.pick(&[DeviceClass::Block, DeviceClass::Net]),
                engine: r.engine(),
                driver: r.name(),
                read_bytes: r.number(),
                write_bytes: r.number(),
                mapped_bytes: r.number(),
            }),
            cpu_ns: Some(self.number()),
            cpu_time: Some(self.cpu_time()).filter(|time| time.samples % 3 != 0),
            cost: Some(self.cost()).filter(|cost| cost.runs % 3 != 0),
            missing_probes: self.list(6, |r| (r.name(), r.name())),
            warnings: self.list(3, |r| Notice::Foreign(r.name())),
        }
    }
}
