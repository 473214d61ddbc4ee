//! Any sequence of events at all.

use proptest::collection::vec;
use proptest::prelude::*;
use tracer_ebpf::{
    Arrival, Block, Copied, Dirty, Exec, Exit, Extra, Fault, FileRef, Fork, Head, Switch, Syscall,
    Uring, Xmit, flag,
};

use super::build::Story;
use crate::arch::Arch;
use crate::event::{Device, DeviceClass, End, Engine, Event, Lost, Meta, Start};
use crate::reconstruct::{NoSink, Reconstructor};
use crate::rules::measure::MEASURES;

/// Small numbers, so that records meet; and extremes.
fn n64() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..40u64, 2 => Just(u64::MAX), 1 => any::<u64>(), 1 => Just(4096u64)]
}

fn n32() -> impl Strategy<Value = u32> {
    n64().prop_map(|n| n as u32)
}

fn head() -> impl Strategy<Value = Head> {
    (
        0..4u32,
        0..3u32,
        n32(),
        n64(),
        prop_oneof![4 => Just(0u8), 1 => any::<u8>()],
        0..600u16,
    )
        .prop_map(|(tid, tgid, seq, ts, flags, nr)| Head {
            kind: 0,
            flags,
            nr,
            tid,
            tgid,
            seq,
            ts,
        })
}

fn file() -> impl Strategy<Value = FileRef> {
    let mode = prop_oneof![
        Just(0u16),
        Just(0o100644),
        Just(0o010600),
        Just(0o140777),
        Just(0o020666),
        Just(0o060660),
        any::<u16>()
    ];
    let magic = prop_oneof![
        Just(0xEF53u32),
        Just(0x5846_5342),
        Just(0x0102_1994),
        Just(0x9FA0),
        any::<u32>()
    ];
    let flags = prop_oneof![Just(0u32), Just(1), Just(0o40000), any::<u32>()];
    (
        mode,
        magic,
        flags,
        0..4u64,
        0..4u32,
        prop_oneof![Just((2, 1, 6)), Just((2, 2, 17)), Just((1, 1, 0))],
    )
        .prop_map(
            |(mode, magic, f_flags, ino, dev, (family, sock_type, protocol))| FileRef {
                ino,
                dev,
                magic,
                rdev: 1 << 20 | dev,
                f_flags,
                mode,
                family,
                sock_type,
                protocol,
            },
        )
}

fn call() -> impl Strategy<Value = Event> {
    let ret = prop_oneof![0..100_000i64, Just(-9i64), any::<i64>()];
    let args = [n64(), n64(), n64(), n64(), n64(), n64()];
    (head(), n64(), ret, args, proptest::option::of(file())).prop_map(
        |(head, dur, ret, args, file)| Event::Syscall {
            call: Syscall {
                head,
                dur,
                ret,
                args,
            },
            file,
        },
    )
}

fn block() -> impl Strategy<Value = Event> {
    (
        head(),
        [n64(), n64(), n64(), n64()],
        [n32(), n32(), n32(), n32()],
        any::<u16>(),
        0..8u8,
    )
        .prop_map(
            |(mut head, [issued, completed, ino, index], [bytes, disk, dev, bios], bio, fate)| {
                if fate < 3 {
                    head.flags |= flag::ELSEWHERE;
                }
                let (bio, status) = (u32::from(bio), u32::from(fate == 7));
                Event::Block(Block {
                    head,
                    issued,
                    completed,
                    sector: index,
                    bytes,
                    disk,
                    bio,
                    status,
                    ino,
                    index,
                    dev,
                    bios,
                    upper_sector: ino,
                    // Some serve a device that hands on what it is asked for.
                    upper: match fate {
                        0 => super::build::LOOP,
                        1 => super::build::DM,
                        _ => 0,
                    },
                    reserved: bytes,
                })
            },
        )
}

fn fault() -> impl Strategy<Value = Event> {
    (
        head(),
        [n64(), n64(), n64()],
        [n32(), n32(), n32(), n32(), n32()],
        any::<u16>(),
        any::<u16>(),
    )
        .prop_map(
            |(
                head,
                [zeroed, unzeroed, ino],
                [error_code, cache_pages, rss, around_pages, filemap],
                min_flt,
                maj_flt,
            )| {
                Event::Fault(Fault {
                    head,
                    error_code,
                    min_flt,
                    maj_flt,
                    zeroed,
                    unzeroed,
                    cache_pages,
                    rss,
                    around_pages,
                    filemap,
                    ino,
                    ..Fault::default()
                })
            },
        )
}

fn other() -> impl Strategy<Value = Event> {
    let two = (n32(), n32());
    prop_oneof![
        (head(), file(), n64(), [n32(), n32(), n32(), n32()]).prop_map(
            |(head, file2, skb_copied, [cache_pages, min_flt, iif, irqs_user])| {
                Event::Extra(Extra {
                    head,
                    file2,
                    skb_copied,
                    cache_pages,
                    min_flt,
                    iif,
                    irqs_user,
                    ..Extra::default()
                })
            }
        ),
        (head(), n32(), 0..4u32, n64()).prop_map(|(head, len, ifindex, sock_ino)| {
            Event::Xmit(Xmit {
                head,
                len,
                ifindex,
                sock_ino,
                ..Xmit::default()
            })
        }),
        (head(), n32(), n32(), any::<u32>(), 0..4u64, n32()).prop_map(
            |(head, len, payload, interrupt, sock_ino, tcp_seq)| {
                Event::Arrival(Arrival {
                    head,
                    len,
                    payload,
                    ifindex: len % 4,
                    interrupt,
                    sock_ino,
                    tcp_seq,
                    packets: payload % 3,
                    protocol: [6, 17][len as usize % 2],
                    reserved: 0,
                })
            }
        ),
        (
            head(),
            any::<i32>(),
            0..70u8,
            any::<u8>(),
            any::<u16>(),
            file()
        )
            .prop_map(|(head, res, opcode, how, cqe_flags, file)| {
                Event::Uring(Uring {
                    head,
                    res,
                    opcode,
                    how,
                    cqe_flags,
                    file,
                    ..Uring::default()
                })
            }),
        (head(), n64(), 0..2u32).prop_map(|(head, off, voluntary)| Event::Switch(Switch {
            head,
            off,
            voluntary,
            reserved: 0
        })),
        (head(), 0..4u32, 0..3u32, 0..2u32).prop_map(|(head, child_tid, child_tgid, traced)| {
            Event::Fork(Fork {
                head,
                child_tid,
                child_tgid,
                clone_flags: 0,
                io_thread: 0,
                traced,
            })
        }),
        (head(), any::<[u8; 16]>()).prop_map(|(head, comm)| Event::Exec(Exec { head, comm })),
        (head(), n64(), n32(), 0..2u32, 0..2u32).prop_map(
            |(head, min_flt, nr, in_call, group_dead)| {
                Event::Exit(Exit {
                    head,
                    min_flt,
                    nr,
                    in_call,
                    group_dead,
                    ..Exit::default()
                })
            }
        ),
        (head(), 0..4u64, n64(), 0..4u32, n32()).prop_map(|(head, ino, index, dev, pages)| {
            Event::Dirty(Dirty {
                head,
                ino,
                index,
                dev,
                pages,
            })
        }),
        (head(), 0..40u16, n64(), n32()).prop_map(|(head, what, bytes, count)| {
            Event::Copied(Copied {
                head,
                bytes,
                count,
                what,
                primitive: 0,
            })
        }),
        (two, vec(n64(), 0..20), vec((0..600u16, n64()), 0..3)).prop_map(|(_, by_kind, calls)| {
            Event::Meta(Meta::Lost(Lost {
                by_kind: by_kind.iter().map(|n| n % 1000).collect(),
                calls,
            }))
        }),
        (n32(), any::<bool>()).prop_map(|(id, block)| {
            let class = if block {
                DeviceClass::Block
            } else {
                DeviceClass::Net
            };
            let (name, driver, bus) = (format!("d{id}"), String::new(), String::new());
            Event::Meta(Meta::Device(Device {
                class,
                name,
                id,
                engine: Engine::Hardware,
                driver,
                bus,
            }))
        }),
        (
            n32(),
            prop_oneof![Just("x86_64"), Just("aarch64"), Just("vax")]
        )
            .prop_map(|(page_size, arch)| {
                Event::Meta(Meta::Start(Start {
                    page_size,
                    arch: arch.into(),
                    probes: MEASURES
                        .iter()
                        .map(|row| row.probe.label().to_owned())
                        .collect(),
                    ..Start::default()
                }))
            }),
        Just(Event::Meta(Meta::End(End::default()))),
        Just(Event::Meta(Meta::Unknown)),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    vec(
        prop_oneof![4 => call(), 3 => block(), 2 => fault(), 4 => other()],
        0..120,
    )
}

proptest! {
    #[test]
    fn nothing_panics_and_every_call_is_counted(events in events()) {
        let mut quiet = Reconstructor::new(Arch::X86_64);
        let mut told = Reconstructor::new(Arch::X86_64);
        let mut story = Story::default();
        let (mut calls, mut faults) = (0u64, 0u64);
        for event in &events {
            calls += u64::from(matches!(event, Event::Syscall { .. }));
            // One that the kernel took in a call is a part of that.
            let alone = |fault: &Fault| fault.head.flags & flag::KERNEL == 0;
            faults += u64::from(matches!(event, Event::Fault(fault) if alone(fault)));
            quiet.push(event, &mut NoSink);
            told.push(event, &mut story);
        }
        told.drain(&mut story);
        let summary = quiet.finish();
        prop_assert_eq!(&told.finish(), &summary);
        prop_assert_eq!(summary.syscalls.iter().map(|row| row.calls).sum::<u64>(), calls);
        prop_assert_eq!(summary.page_faults.user, faults);
        prop_assert_eq!(summary.crossings.total, 2 * calls + 2 * faults);
        let ledger = &summary.ledger;
        prop_assert_eq!(ledger.returned, ledger.accounted + ledger.unaccounted);
        let open = ledger.open.iter().fold(0u64, |sum, row| sum.saturating_add(row.bytes));
        prop_assert_eq!(ledger.unaccounted, open.min(ledger.returned));
        let told = story.lines.iter().filter(|line| !line.starts_with("late")).count();
        prop_assert_eq!(told as u64, calls + faults);
    }

    #[test]
    fn what_is_remembered_of_a_call_is_what_would_be_concluded(
        events in vec((events(), call(), 1..4u32, 0..40u16), 1..6),
    ) {
        let mut remembers = Reconstructor::new(Arch::X86_64);
        let mut forgets = Reconstructor::new(Arch::X86_64);
        let (mut one, mut two) = (Story::default(), Story::default());
        for (others, call, times, nr) in events {
            // Reads, writes and the like, again and again, by a thread that may have parts of calls open.
            let again = (0..times).map(|time| {
                let mut call = call.clone();
                if let Event::Syscall { call, .. } = &mut call {
                    call.head.nr = nr;
                    call.head.seq = call.head.seq.wrapping_add(time);
                    call.head.ts = call.head.ts.saturating_add(time.into());
                    call.dur = time.into();
                }
                call
            });
            for event in others.into_iter().chain(again) {
                forgets.again.forget();
                remembers.push(&event, &mut one);
                forgets.push(&event, &mut two);
            }
        }
        prop_assert_eq!(&one.lines, &two.lines);
        prop_assert_eq!(remembers.finish(), forgets.finish());
    }
}
