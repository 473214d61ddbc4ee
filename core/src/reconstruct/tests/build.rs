//! Synthetic traces.

use tracer_ebpf::{
    Arrival, Block, Dirty, Exec, Exit, Extra, Fault, FileRef, Fork, Head, Switch, Syscall, Uring,
    Xmit, bio, flag, interrupt, kind,
};

use crate::arch::Arch;
use crate::event::{Device, DeviceClass, End, Engine, Event, Lost, Meta, Start};
use crate::model::{CallId, Hop, Summary};
use crate::reconstruct::{Call, NoSink, Reconstructor, Sink, What};

pub const PAGE: u64 = 4096;
/// The program's first thread.
pub const PID: u32 = 100;
/// Device numbers, kernel encoding.
pub const VDA: u32 = 254 << 20;
pub const NVME: u32 = 259 << 20;
pub const LOOP: u32 = 7 << 20;
pub const DM: u32 = 253 << 20;
pub const LO: u32 = 1;
pub const ETH: u32 = 2;

/// A file on ext4, whose file system has device number 5.
pub fn ext4(ino: u64) -> FileRef {
    FileRef {
        ino,
        dev: 5,
        magic: 0xEF53,
        mode: 0o100644,
        ..FileRef::default()
    }
}

pub fn direct(ino: u64) -> FileRef {
    FileRef {
        f_flags: 0o40000,
        ..ext4(ino)
    }
}

pub fn tmpfs() -> FileRef {
    FileRef {
        ino: 9,
        magic: 0x0102_1994,
        mode: 0o100644,
        ..FileRef::default()
    }
}

pub fn pipe(write: bool) -> FileRef {
    FileRef {
        ino: 8,
        f_flags: u32::from(write),
        mode: 0o010600,
        ..FileRef::default()
    }
}

pub fn tcp(ino: u64) -> FileRef {
    FileRef {
        ino,
        mode: 0o140777,
        family: 2,
        sock_type: 1,
        protocol: 6,
        ..FileRef::default()
    }
}

pub fn udp() -> FileRef {
    FileRef {
        sock_type: 2,
        protocol: 17,
        ..tcp(7)
    }
}

/// Builds a trace event by event. Calls are numbered by [`Trace::next`].
pub struct Trace {
    pub events: Vec<Event>,
    /// Thread and process of what comes next.
    pub tid: u32,
    pub tgid: u32,
    seq: u32,
    pub now: u64,
}

impl Trace {
    pub fn new() -> Self {
        let mut trace = Self {
            events: Vec::new(),
            tid: PID,
            tgid: PID,
            seq: 1,
            now: 1000,
        };
        trace.meta(Meta::Start(Start {
            arch: "x86_64".into(),
            kernel: "6.18.0".into(),
            level: "T".into(),
            page_size: 4096,
            pid: PID,
            ..Start::default()
        }));
        let devices = [
            (
                DeviceClass::Block,
                "vda",
                VDA,
                Engine::Paravirtual,
                "virtio_blk",
            ),
            (
                DeviceClass::Block,
                "nvme0n1",
                NVME,
                Engine::Hardware,
                "nvme",
            ),
            (DeviceClass::Block, "loop0", LOOP, Engine::Software, "loop"),
            (
                DeviceClass::Block,
                "dm-0",
                DM,
                Engine::Software,
                "device-mapper",
            ),
            (DeviceClass::Net, "lo", LO, Engine::Software, "loopback"),
            (
                DeviceClass::Net,
                "eth0",
                ETH,
                Engine::Paravirtual,
                "virtio_net",
            ),
        ];
        for (class, name, id, engine, driver) in devices {
            let (name, driver, bus) = (name.to_owned(), driver.to_owned(), String::new());
            trace.meta(Meta::Device(Device {
                class,
                name,
                id,
                engine,
                driver,
                bus,
            }));
        }
        trace
    }

    /// Goes on in another thread, with its next call.
    pub fn on(&mut self, tid: u32, tgid: u32, seq: u32) -> &mut Self {
        (self.tid, self.tgid, self.seq) = (tid, tgid, seq);
        self
    }

    /// The next call's number.
    pub fn next(&self) -> u32 {
        self.seq
    }

    pub fn head(&mut self, kind: u8) -> Head {
        self.now += 1000;
        Head {
            kind,
            tid: self.tid,
            tgid: self.tgid,
            seq: self.seq,
            ts: self.now,
            ..Head::default()
        }
    }

    pub fn meta(&mut self, meta: Meta) -> &mut Self {
        self.events.push(Event::Meta(meta));
        self
    }

    /// A system call ends.
    pub fn call(
        &mut self,
        name: &str,
        ret: i64,
        args: [u64; 6],
        file: Option<FileRef>,
    ) -> &mut Self {
        let nr = Arch::X86_64.syscall_number(name).expect("a system call");
        let head = Head {
            nr,
            ..self.head(kind::SYSCALL)
        };
        self.events.push(Event::Syscall {
            call: Syscall {
                head,
                dur: 500,
                ret,
                args,
            },
            file,
        });
        self.seq += 1;
        self
    }

    /// A read-like call without arguments that matter.
    pub fn io(&mut self, name: &str, ret: i64, file: FileRef) -> &mut Self {
        self.call(name, ret, [0; 6], Some(file))
    }

    pub fn extra(&mut self, change: impl Fn(&mut Extra)) -> &mut Self {
        let mut extra = Extra {
            head: self.head(kind::EXTRA),
            ..Extra::default()
        };
        change(&mut extra);
        self.events.push(Event::Extra(extra));
        self
    }

    pub fn block(&mut self, bits: u32, pages: u64, change: impl Fn(&mut Block)) -> &mut Self {
        let head = self.head(kind::BLOCK);
        self.now += 10_000;
        let mut block = Block {
            head,
            issued: head.ts,
            completed: self.now,
            bytes: (pages * PAGE) as u32,
            disk: VDA,
            bio: bits,
            bios: 1,
            ..Block::default()
        };
        if bits & (bio::FILE | bio::BDEV) != 0 {
            (block.ino, block.dev) = (1, 5);
        }
        change(&mut block);
        self.events.push(Event::Block(block));
        self
    }

    /// Write-back of pages of file 1 by a kernel worker.
    pub fn worker(&mut self, index: u64, pages: u64) -> &mut Self {
        let tgid = self.tgid;
        self.block(bio::WRITE | bio::FILE, pages, |block| {
            block.head.flags = flag::ELSEWHERE;
            (block.head.tid, block.head.seq, block.head.tgid) = (0, 0, tgid);
            block.index = index;
        })
    }

    /// Pages of file 1 become dirty.
    pub fn dirty(&mut self, index: u64, pages: u32) -> &mut Self {
        let head = self.head(kind::DIRTY);
        self.events.push(Event::Dirty(Dirty {
            head,
            ino: 1,
            index,
            dev: 5,
            pages,
        }));
        self
    }

    pub fn fault(&mut self, fault: Fault) -> &mut Self {
        let head = self.head(kind::FAULT);
        let min_flt = u16::from(fault.maj_flt == 0);
        self.events.push(Event::Fault(Fault {
            head,
            min_flt,
            ..fault
        }));
        self.seq += 1;
        self
    }

    pub fn xmit(&mut self, ifindex: u32, len: u32, sock_ino: u64, elsewhere: bool) -> &mut Self {
        let mut head = self.head(kind::XMIT);
        if elsewhere {
            (head.flags, head.seq) = (flag::ELSEWHERE, 0);
        }
        let mut name = [0; 16];
        let text: &[u8] = if ifindex == LO { b"lo" } else { b"eth0" };
        name[..text.len()].copy_from_slice(text);
        self.events.push(Event::Xmit(Xmit {
            head,
            len,
            ifindex,
            sock_ino,
            name,
            // TCP: its headers are in front.
            data_len: len.saturating_sub(66),
            ..Xmit::default()
        }));
        self
    }

    /// A packet of TCP has arrived: frame, payload, number of its first byte.
    pub fn arrival(&mut self, sock_ino: u64, len: u32, payload: u32, tcp_seq: u32) -> &mut Self {
        let mut head = self.head(kind::ARRIVAL);
        (head.flags, head.seq) = (flag::ELSEWHERE, 0);
        self.events.push(Event::Arrival(Arrival {
            head,
            len,
            payload,
            ifindex: ETH,
            interrupt: interrupt::SOFT | 38,
            sock_ino,
            tcp_seq,
            packets: 1,
            protocol: 6,
            reserved: 0,
        }));
        self
    }

    /// Of the packet that has arrived last.
    pub fn protocol(&mut self, protocol: u32) -> &mut Self {
        if let Some(Event::Arrival(arrival)) = self.events.last_mut() {
            arrival.protocol = protocol;
        }
        self
    }

    pub fn uring(&mut self, change: impl Fn(&mut Uring)) -> &mut Self {
        let mut uring = Uring {
            head: self.head(kind::URING),
            ..Uring::default()
        };
        change(&mut uring);
        self.events.push(Event::Uring(uring));
        self
    }

    /// Off the CPU for `off` ns, until now.
    pub fn switch(&mut self, off: u64, voluntary: bool) -> &mut Self {
        let mut head = self.head(kind::SWITCH);
        head.ts = self.now - off;
        self.events.push(Event::Switch(Switch {
            head,
            off,
            voluntary: u32::from(voluntary),
            reserved: 0,
        }));
        self
    }

    pub fn fork(&mut self, tid: u32, tgid: u32) -> &mut Self {
        let head = self.head(kind::FORK);
        let fork = Fork {
            head,
            child_tid: tid,
            child_tgid: tgid,
            clone_flags: 0,
            io_thread: 0,
            traced: 1,
        };
        self.events.push(Event::Fork(fork));
        self
    }

    pub fn exec(&mut self, name: &str) -> &mut Self {
        let mut comm = [0; 16];
        comm.iter_mut()
            .zip(name.bytes())
            .for_each(|(to, from)| *to = from);
        let head = self.head(kind::EXEC);
        self.events.push(Event::Exec(Exec { head, comm }));
        self
    }

    /// The thread ends in `exit_group`, with these faults by the kernel's count.
    pub fn exit(&mut self, min_flt: u64) -> &mut Self {
        let nr = Arch::X86_64
            .syscall_number("exit_group")
            .expect("a system call");
        let head = self.head(kind::EXIT);
        let exit = Exit {
            head,
            group_dead: 1,
            min_flt,
            nr: u32::from(nr),
            in_call: 1,
            ..Exit::default()
        };
        self.events.push(Event::Exit(exit));
        self
    }

    pub fn lost(&mut self, calls: &[(u16, u64)]) -> &mut Self {
        let mut by_kind = vec![0; kind::COUNT];
        by_kind[usize::from(kind::SYSCALL)] = calls.iter().map(|(_, n)| n).sum();
        self.meta(Meta::Lost(Lost {
            by_kind,
            calls: calls.to_vec(),
        }))
    }

    pub fn end(&mut self) -> &mut Self {
        self.meta(Meta::End(End {
            exit_status: Some(0),
            reason: "exit".into(),
            ..End::default()
        }))
    }

    /// The summary, the same with and without a sink.
    pub fn summary(&self) -> Summary {
        self.run(&mut NoSink)
    }

    pub fn run(&self, sink: &mut impl Sink) -> Summary {
        let mut reconstructor = Reconstructor::new(Arch::X86_64);
        for event in &self.events {
            reconstructor.push(event, sink);
        }
        reconstructor.drain(sink);
        reconstructor.finish()
    }

    /// The hop table, one line a row; checks that sink and summary agree.
    pub fn hops(&self) -> Vec<String> {
        let summary = self.summary();
        let mut story = Story::default();
        assert_eq!(self.run(&mut story), summary);
        let total: u64 = summary.hops.iter().map(|row| row.bytes).sum();
        assert_eq!(story.bytes, total, "the sink's hops add up to the table");
        summary
            .hops
            .iter()
            .map(|row| {
                let by = row.evidence.by();
                let deferred = if row.deferred { " deferred" } else { "" };
                let (kind, from, to) = (row.kind.letter(), &row.from, &row.to);
                format!(
                    "{kind} {from}→{to} {}/{} {by}{deferred}",
                    row.count, row.bytes
                )
            })
            .collect()
    }

    /// What the sink hears, one line a call.
    pub fn story(&self) -> Vec<String> {
        let mut story = Story::default();
        self.run(&mut story);
        story.lines
    }
}

/// Writes down what it hears.
#[derive(Default)]
pub struct Story {
    pub lines: Vec<String>,
    pub bytes: u64,
}

impl Story {
    fn hop(&mut self, hop: &Hop) -> String {
        self.bytes = self.bytes.saturating_add(hop.bytes);
        format!(
            " {}:{}→{} {}",
            hop.kind.letter(),
            hop.from,
            hop.to,
            hop.bytes
        )
    }
}

impl Sink for Story {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        let mut line = match call.what {
            What::Syscall { name, ret, .. } => {
                format!("{}.{} {name}={ret}", call.id.tid, call.id.seq)
            }
            What::Fault { .. } => format!("{}.{} fault", call.id.tid, call.id.seq),
        };
        for hop in hops {
            line += &self.hop(hop);
        }
        self.lines.push(line);
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        let line = format!("late {}.{}{}", call.tid, call.seq, self.hop(hop));
        self.lines.push(line);
    }
}
