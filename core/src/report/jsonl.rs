//! Events as lines of JSON.
//!
//! Each line is an object. It begins with `event`, the kind's name ([`KIND_NAMES`], but `syscall` for
//! every system call). An event made in the kernel goes on with its head:
//!
//! | field | meaning |
//! | --- | --- |
//! | `ts` | when it happened (a call: when it began), ns of `CLOCK_MONOTONIC` |
//! | `tgid`, `tid` | process and thread |
//! | `seq` | number of the call within the thread, 0 outside any call |
//! | `nr` | system call number; of `syscall` and `extra` only |
//! | `call` | the system call's name, if the architecture is known ([`jsonl_event_of`]) |
//! | `flags` | names of the bits of [`tracer_ebpf::flag`], left out if none is set |
//!
//! and with the fields of its type in [`crate::event`], under their names and in their units. Of a
//! `syscall` on a descriptor, `file` says what the descriptor is. An event made in user space goes on
//! with the fields of its type in [`crate::event::Meta`]; its `event` is the name of the variant.

use serde_json::{Map, Value, json};
use tracer_ebpf::{flag, kind};

use crate::arch::Arch;
use crate::event::{
    Block, CalledFrom, Copied, Dirty, Event, Exec, Exit, Extra, Fault, FileRef, Fork, Head,
    KIND_NAMES, Meta, Name, Stack, Switch, Syscall, Uring, Xmit,
};
use crate::rules::measure;

const FLAGS: [(u8, &str); 3] = [
    (flag::COMPAT, "compat"),
    (flag::ELSEWHERE, "elsewhere"),
    (flag::IO_THREAD, "io_thread"),
];

/// Adds the named fields of a value to an object. All fields must be named, those to leave out too:
/// one added to a type is a compile error here.
macro_rules! put {
    ($object:expr, $value:expr, $type:ident { $($field:ident),* $(; $($skip:ident),*)? }) => {{
        let $type { $($field,)* $($($skip: _,)*)? } = $value;
        $($object.insert(stringify!($field).to_owned(), json!($field));)*
    }};
}

/// One event as one line of JSON, without a newline at its end.
pub fn jsonl_event(event: &Event) -> String {
    jsonl_event_of(event, None)
}

/// The same; if the architecture of the trace is known, `call` is the system call's name.
pub fn jsonl_event_of(event: &Event, arch: Option<Arch>) -> String {
    let mut line = Map::new();
    match event {
        Event::Meta(meta) => put_meta(&mut line, meta),
        _ => put_kernel(&mut line, event, arch),
    }
    Value::Object(line).to_string()
}

fn put_meta(line: &mut Map<String, Value>, meta: &Meta) {
    // Nothing in these can fail to serialise.
    if let Ok(Value::Object(fields)) = serde_json::to_value(meta) {
        line.extend(fields.into_iter().map(|(key, value)| match key.as_str() {
            "meta" => ("event".to_owned(), value),
            _ => (key, value),
        }));
    }
}

fn put_kernel(line: &mut Map<String, Value>, event: &Event, arch: Option<Arch>) {
    line.insert(
        "event".to_owned(),
        json!(KIND_NAMES[usize::from(kind_of(event))]),
    );
    if let Some(Head {
        kind: _,
        flags,
        nr,
        tid,
        tgid,
        seq,
        ts,
    }) = event.head()
    {
        line.insert("ts".to_owned(), json!(ts));
        line.insert("tgid".to_owned(), json!(tgid));
        line.insert("tid".to_owned(), json!(tid));
        line.insert("seq".to_owned(), json!(seq));
        if matches!(event, Event::Syscall { .. } | Event::Extra(_)) {
            line.insert("nr".to_owned(), json!(nr));
            // A 32-bit call's number is of another table.
            if let Some(arch) = arch.filter(|_| flags & flag::COMPAT == 0) {
                line.insert("call".to_owned(), json!(arch.syscall_name(*nr)));
            }
        }
        let names: Vec<&str> = FLAGS
            .iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        if !names.is_empty() {
            line.insert("flags".to_owned(), json!(names));
        }
    }
    match event {
        Event::Syscall { call, file } => {
            put!(line, call, Syscall { dur, ret, args; head });
            if let Some(file) = file {
                line.insert("file".to_owned(), file_ref(file));
            }
        }
        Event::Extra(e) => {
            put!(line, e, Extra { skb_copied, cache_pages, meta_pages, min_flt, maj_flt, irqs, irqs_user, iif, zeroed; head, file2, reserved });
            if e.file2 != FileRef::default() {
                line.insert("file2".to_owned(), file_ref(&e.file2));
            }
        }
        Event::Fault(e) => put!(line, e, Fault {
            addr, ip, error_code, min_flt, maj_flt, zeroed, unzeroed, cache_pages, rss, around_pages, filemap, ino,
            dev, pgoff, irqs, irqs_user; head
        }),
        Event::Block(e) => {
            put!(line, e, Block { issued, completed, sector, bytes, disk, bio, status, ino, index, dev, bios; head });
        }
        Event::Xmit(e) => {
            put!(line, e, Xmit { len, ifindex, data_len, no_parent, sock_ino; head, name });
            line.insert("name".to_owned(), json!(text(&e.name)));
        }
        Event::Uring(e) => {
            put!(line, e, Uring { completed, user_data, res, opcode, how, cqe_flags, ring; head, file });
            if e.file != FileRef::default() {
                line.insert("file".to_owned(), file_ref(&e.file));
            }
        }
        Event::Switch(e) => put!(line, e, Switch { off, voluntary; head, reserved }),
        Event::Fork(e) => {
            put!(line, e, Fork { child_tid, child_tgid, clone_flags, io_thread, traced; head })
        }
        Event::Exec(e) => {
            put!(line, e, Exec { ; head, comm });
            line.insert("comm".to_owned(), json!(text(&e.comm)));
        }
        Event::Exit(e) => {
            put!(line, e, Exit { exit_code, group_dead, min_flt, maj_flt, nvcsw, nivcsw, nr, in_call; head })
        }
        Event::Name(e) => put!(line, e, Name { ino, dev, fd, path; head }),
        Event::Dirty(e) => put!(line, e, Dirty { ino, index, dev, pages; head }),
        Event::Copied(e) => {
            put!(line, e, Copied { bytes, count, what, primitive; head });
            if let Some(row) = measure::of(e.what) {
                line.insert("probe".to_owned(), json!(row.probe.label()));
            }
        }
        Event::Stack(e) => {
            put!(line, &**e, Stack { id, ip, sp, fp, lr, code, code_end; head, words, reserved, word, at });
            let words = e.word.iter().zip(e.at).take(e.words as usize);
            let words: Vec<_> = words.map(|(word, at)| json!([at, word])).collect();
            line.insert("words".to_owned(), json!(words));
        }
        Event::CalledFrom(e) => put!(line, e, CalledFrom { id; head }),
        Event::Meta(_) => {}
    }
}

fn file_ref(file: &FileRef) -> Value {
    let mut fields = Map::new();
    put!(
        fields,
        file,
        FileRef {
            ino,
            dev,
            magic,
            rdev,
            f_flags,
            mode,
            family,
            sock_type,
            protocol
        }
    );
    Value::Object(fields)
}

fn kind_of(event: &Event) -> u8 {
    match event {
        Event::Syscall { .. } => kind::SYSCALL,
        Event::Extra(_) => kind::EXTRA,
        Event::Fault(_) => kind::FAULT,
        Event::Block(_) => kind::BLOCK,
        Event::Xmit(_) => kind::XMIT,
        Event::Uring(_) => kind::URING,
        Event::Switch(_) => kind::SWITCH,
        Event::Fork(_) => kind::FORK,
        Event::Exec(_) => kind::EXEC,
        Event::Exit(_) => kind::EXIT,
        Event::Name(_) => kind::NAME,
        Event::Dirty(_) => kind::DIRTY,
        Event::Copied(_) => kind::COPY,
        Event::Stack(_) => kind::STACK,
        Event::CalledFrom(_) => kind::CALLED_FROM,
        Event::Meta(_) => 0,
    }
}

/// A NUL-padded name; invalid UTF-8 is replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Lost, Start};

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
        assert!(
            jsonl_event_of(&event(call), Some(Arch::X86_64)).contains(r#""nr":0,"call":"read","#)
        );
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
}
