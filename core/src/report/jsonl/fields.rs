//! The fields of each kind of event.

use tracer_ebpf::{flag, kind};

use super::write::{Put, json, list, member};
use crate::arch::{Arch, uring};
use crate::catalogue::{PrimitiveId, primitives};
use crate::event::{
    Arrival, Block, CalledFrom, Copied, Dirty, Event, Exec, Exit, Extra, Fault, FileRef, Fork,
    Head, KIND_NAMES, Meta, Name, Stack, Switch, Syscall, Uring, Xmit,
};
use crate::rules::measure;

const FLAGS: [(u8, &str); 4] = [
    (flag::COMPAT, "compat"),
    (flag::ELSEWHERE, "elsewhere"),
    (flag::IO_THREAD, "io_thread"),
    (flag::KERNEL, "kernel"),
];

/// Adds the named fields of a value to an object. All fields must be named, those to leave out too:
/// one added to a type is a compile error here.
macro_rules! put {
    ($out:expr, $value:expr, $type:ident { $($field:ident),* $(,)? $(; $($skip:ident),*)? }) => {{
        let $type { $($field,)* $($($skip: _,)*)? } = $value;
        $(
            $out.extend_from_slice(concat!(",\"", stringify!($field), "\":").as_bytes());
            $field.put($out);
        )*
    }};
}

/// What numbers of this trace mean.
pub struct Names<'a> {
    /// `None`: system calls have no names.
    pub arch: Option<Arch>,
    /// What is attached: of two names that a primitive has, it tells which.
    pub probes: &'a [String],
}

/// An event as an object without its closing brace.
pub fn open(event: &Event, names: &Names<'_>, out: &mut Vec<u8>) {
    match event {
        Event::Meta(meta) => put_meta(meta, out),
        _ => put_kernel(event, names, out),
    }
}

fn put_meta(meta: &Meta, out: &mut Vec<u8>) {
    const TAG: &[u8] = b"{\"meta\":";
    let start = out.len();
    json(meta, out);
    // The variant's name comes first, under the name that it has in every event.
    if out[start..].starts_with(TAG) {
        out.splice(start..start + TAG.len(), *b"{\"event\":");
    }
    out.pop();
}

fn put_kernel(event: &Event, names: &Names<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event\":\"");
    out.extend_from_slice(KIND_NAMES[usize::from(kind_of(event))].as_bytes());
    out.push(b'"');
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
        member("ts", ts, out);
        member("tgid", tgid, out);
        member("tid", tid, out);
        member("seq", seq, out);
        if matches!(event, Event::Syscall { .. } | Event::Extra(_)) {
            member("nr", nr, out);
            // A 32-bit call's number is of another table.
            if let Some(arch) = names.arch.filter(|_| flags & flag::COMPAT == 0) {
                plain("call", &arch.syscall_name(*nr), out);
            }
        }
        let mut set = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).peekable();
        if set.peek().is_some() {
            out.extend_from_slice(b",\"flags\":");
            list(set.map(|(_, name)| *name), out);
        }
    }
    match event {
        Event::Syscall { call, file } => {
            put!(out, call, Syscall { dur, ret, args; head });
            if let Some(file) = file {
                file_ref("file", file, out);
            }
        }
        Event::Extra(e) => {
            put!(out, e, Extra { skb_copied, cache_pages, meta_pages, min_flt, maj_flt, irqs, irqs_user, iif, zeroed; head, file2, reserved });
            if e.reserved != 0 {
                member("network_pages", e.reserved, out);
            }
            if e.file2 != FileRef::default() {
                file_ref("file2", &e.file2, out);
            }
        }
        Event::Fault(e) => put!(out, e, Fault {
            addr, ip, error_code, min_flt, maj_flt, zeroed, unzeroed, cache_pages, rss, around_pages, filemap, ino,
            dev, pgoff, irqs, irqs_user; head
        }),
        Event::Block(e) => {
            put!(out, e, Block { issued, completed, sector, bytes, disk, bio, status, ino, index, dev, bios, upper_sector, upper; head, reserved });
            if e.reserved != 0 {
                member("interrupt", e.reserved, out);
            }
        }
        Event::Xmit(e) => {
            put!(out, e, Xmit { len, ifindex, data_len, no_parent, sock_ino; head, name });
            member("name", text(&e.name), out);
        }
        Event::Arrival(e) => {
            put!(out, e, Arrival { len, payload, ifindex, interrupt, sock_ino, tcp_seq, packets, protocol; head, reserved });
        }
        Event::Uring(e) => {
            put!(out, e, Uring { completed, user_data, res, opcode, how, cqe_flags, ring; head, file, file2 });
            let name = match e.how & tracer_ebpf::uring::AIO {
                0 => uring::name(e.opcode),
                _ => uring::aio_name(e.opcode),
            };
            member("operation", &*name, out);
            for (name, file) in [("file", &e.file), ("file2", &e.file2)] {
                if *file != FileRef::default() {
                    file_ref(name, file, out);
                }
            }
        }
        Event::Switch(e) => put!(out, e, Switch { off, voluntary; head, reserved }),
        Event::Fork(e) => {
            put!(out, e, Fork { child_tid, child_tgid, clone_flags, io_thread, traced; head })
        }
        Event::Exec(e) => {
            put!(out, e, Exec { ; head, comm });
            member("comm", text(&e.comm), out);
        }
        Event::Exit(e) => {
            put!(out, e, Exit { exit_code, group_dead, min_flt, maj_flt, nvcsw, nivcsw, nr, in_call; head })
        }
        Event::Name(e) => put!(out, e, Name { ino, dev, fd, what, path; head }),
        Event::Dirty(e) => put!(out, e, Dirty { ino, index, dev, pages; head }),
        Event::Copied(e) => {
            put!(out, e, Copied { bytes, count, what, primitive; head });
            if let Some(row) = measure::of(e.what) {
                plain("probe", row.probe.label(), out);
            }
            if e.primitive != 0 {
                let watched = primitives::watched(e.primitive, names.probes);
                member("by", watched.map_or("bp", PrimitiveId::label), out);
            }
        }
        Event::Stack(e) => {
            put!(out, &**e, Stack { id, ip, sp, fp, lr, code, code_end; head, words, reserved, word, at });
            let words = e.word.iter().zip(e.at).take(e.words as usize);
            out.extend_from_slice(b",\"words\":");
            list(words.map(|(word, at)| (at, word)), out);
        }
        Event::CalledFrom(e) => put!(out, e, CalledFrom { id; head }),
        Event::Meta(_) => {}
    }
}

/// A name of our own: it needs no escape.
fn plain(key: &str, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":\"");
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

fn file_ref(key: &str, file: &FileRef, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    let FileRef { ino, .. } = file;
    out.extend_from_slice(b"\":{\"ino\":");
    ino.put(out);
    put!(
        out,
        file,
        FileRef {
            dev, magic, rdev, f_flags, mode, family, sock_type, protocol; ino
        }
    );
    out.push(b'}');
}

fn kind_of(event: &Event) -> u8 {
    match event {
        Event::Syscall { .. } => kind::SYSCALL,
        Event::Extra(_) => kind::EXTRA,
        Event::Fault(_) => kind::FAULT,
        Event::Block(_) => kind::BLOCK,
        Event::Xmit(_) => kind::XMIT,
        Event::Arrival(_) => kind::ARRIVAL,
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
