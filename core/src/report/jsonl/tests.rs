use serde_json::Value;
use tracer_ebpf::{flag, kind};

use super::*;
use crate::event::{
    Arrival, Block, CalledFrom, Copied, Dirty, Exec, Exit, Extra, Fault, FileRef, Fork, Head,
    KIND_NAMES, Lost, Name, Stack, Start, Switch, Syscall, Uring, Xmit,
};

/// One event alone, without what the reconstruction makes of it.
fn jsonl_event(event: &Event) -> String {
    jsonl_event_of(event, None)
}

fn jsonl_event_of(event: &Event, arch: Option<Arch>) -> String {
    let mut out = Vec::new();
    fields::open(event, &Names { arch, probes: &[] }, &mut out);
    out.push(b'}');
    String::from_utf8(out).expect("UTF-8")
}

fn head(kind: u8) -> Head {
    Head {
        kind,
        tid: 12,
        tgid: 10,
        seq: 3,
        ts: 77,
        ..Head::default()
    }
}

#[test]
fn a_call_on_a_descriptor() {
    let mut call = Syscall {
        head: head(kind::SYSCALL_FILE),
        dur: 5,
        ret: -2,
        args: [3, 0, u64::MAX, 0, 0, 0],
    };
    call.head.flags = flag::COMPAT | flag::IO_THREAD;
    let file = Some(FileRef {
        ino: 9,
        mode: 0o100644,
        ..FileRef::default()
    });
    assert_eq!(
        jsonl_event(&Event::Syscall { call, file }),
        r#"{"event":"syscall","ts":77,"tgid":10,"tid":12,"seq":3,"nr":0,"flags":["compat","io_thread"],"dur":5,"ret":-2,"args":[3,0,18446744073709551615,0,0,0],"file":{"ino":9,"dev":0,"magic":0,"rdev":0,"f_flags":0,"mode":33188,"family":0,"sock_type":0,"protocol":0}}"#
    );
}

#[test]
fn calls_have_names_where_the_table_is_known() {
    let mut call = Syscall {
        head: head(kind::SYSCALL),
        ..Syscall::default()
    };
    call.head.nr = Arch::X86_64
        .syscall_number("read")
        .expect("a call of x86_64");
    let event = |call| Event::Syscall { call, file: None };
    assert!(jsonl_event_of(&event(call), Some(Arch::X86_64)).contains(r#""nr":0,"call":"read","#));
    call.head.flags = flag::COMPAT;
    assert!(!jsonl_event_of(&event(call), Some(Arch::X86_64)).contains("call\":\"read"));
}

#[test]
fn names_are_text() {
    let mut comm = [0; 16];
    comm[..3].copy_from_slice(b"c\"t");
    assert_eq!(
        jsonl_event(&Event::Exec(Exec {
            head: head(kind::EXEC),
            comm
        })),
        r#"{"event":"exec","ts":77,"tgid":10,"tid":12,"seq":3,"comm":"c\"t"}"#
    );
    let full = Xmit {
        name: [b'e'; 16],
        ..Xmit::default()
    };
    assert!(jsonl_event(&Event::Xmit(full)).ends_with(r#""name":"eeeeeeeeeeeeeeee"}"#));
}

#[test]
fn meta_is_named_after_its_variant() {
    let lost = Lost {
        by_kind: vec![0, 4],
        calls: vec![(17, 4)],
    };
    assert_eq!(
        jsonl_event(&Event::Meta(Meta::Lost(lost))),
        r#"{"event":"lost","by_kind":[0,4],"calls":[[17,4]]}"#
    );
    let start = jsonl_event(&Event::Meta(Meta::Start(Start {
        command: vec!["a\nb".into()],
        ..Start::default()
    })));
    assert!(
        start.starts_with(r#"{"event":"start","#) && !start.contains('\n'),
        "{start}"
    );
}

/// Every kind of kernel event gives an object that begins with the kind's own name.
#[test]
fn every_kind_has_its_name() {
    let mut stack = vec![0; size_of::<Stack>()];
    stack[0] = kind::STACK;
    let name = Name {
        head: head(kind::NAME),
        ino: 1,
        dev: 2,
        fd: 3,
        what: 0,
        path: "p".into(),
    };
    let events = [
        Event::Syscall {
            call: Syscall::default(),
            file: None,
        },
        Event::Extra(Extra::default()),
        Event::Fault(Fault::default()),
        Event::Block(Block::default()),
        Event::Xmit(Xmit::default()),
        Event::Uring(Uring::default()),
        Event::Switch(Switch::default()),
        Event::Fork(Fork::default()),
        Event::Exec(Exec::default()),
        Event::Exit(Exit::default()),
        Event::Name(name),
        Event::Dirty(Dirty::default()),
        Event::Copied(Copied::default()),
        crate::decode::decode(&stack).expect("a stack"),
        Event::CalledFrom(CalledFrom::default()),
        Event::Arrival(Arrival::default()),
    ];
    let names: Vec<String> = events
        .iter()
        .map(|event| {
            let value: Value = serde_json::from_str(&jsonl_event(event)).expect("JSON");
            value["event"].as_str().expect("a name").to_owned()
        })
        .collect();
    let expected: Vec<&str> = KIND_NAMES
        .into_iter()
        .filter(|n| !["unknown", "syscall_file"].contains(n))
        .collect();
    assert_eq!(names, expected);
}
