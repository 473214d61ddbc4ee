//! Bytes ↔ [`Event`]: one record of the ring buffer (or of a recording) at a time.
//!
//! Fields are read one by one, little-endian, at the offsets that `tracer-ebpf` declares, from
//! slices whose length was checked: no casts, so any bytes at all are safe input. A record may be
//! longer than its type (a newer bytehop appended fields, the ring buffer padded it). It may be
//! shorter by fields that are declared as appended (an older bytehop did not have them yet): these
//! get their declared default. One that is shorter still is an error.

use std::mem::offset_of;

use tracer_ebpf::{NAME_FIXED, NAME_MAX, kind};

use crate::event::{
    Arrival, Block, CalledFrom, Copied, Dirty, Event, Exec, Exit, Extra, Fault, FileRef, Fork,
    Head, META, Meta, Name, Stack, Switch, Syscall, SyscallFile, Uring, Xmit,
};

/// Why a record cannot be decoded. The stream it came from is not affected.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    Empty,
    /// A later version's record, or damage.
    UnknownKind(u8),
    Short {
        kind: u8,
        len: usize,
        need: usize,
    },
    /// The length inside a `NAME` record exceeds [`NAME_MAX`].
    Path(u32),
    Meta(#[from] serde_json::Error),
}

crate::says! { DecodeError, lang:
    Self::Empty => "empty record" | "空记录";
    Self::UnknownKind(kind) => "record of unknown kind {kind}" | "记录的类型 {kind} 未知";
    Self::Short { kind, len, need } => "record of kind {kind} has {len} bytes, needs {need}"
        | "类型为 {kind} 的记录有 {len} 字节，应有 {need} 字节";
    Self::Path(len) => "path of {len} bytes in a record that holds at most {NAME_MAX}"
        | "路径长 {len} 字节，而记录最多容纳 {NAME_MAX} 字节";
    Self::Meta(e) => "metadata record: {e}" | "元数据记录：{e}";
}

/// Decodes one record. Allocates only for paths ([`Event::Name`]) and JSON ([`Event::Meta`]).
pub fn decode(bytes: &[u8]) -> Result<Event, DecodeError> {
    match bytes {
        [] => Err(DecodeError::Empty),
        [META, json @ ..] => Ok(Event::Meta(serde_json::from_slice(json)?)),
        [kind, ..] => decode_kernel(*kind, bytes),
    }
}

/// Appends the record of `event` to `out`: the inverse of [`decode`]. The kind is that of the
/// variant, whatever `head.kind` says; a path is cut to what a record holds.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Meta(meta) => encode_meta(meta, out),
        event => encode_kernel(event, out),
    }
}

/// Appends the record of `meta` to `out`.
pub fn encode_meta(meta: &Meta, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(META);
    // Writing to memory does not fail, and no type in `Meta` refuses to be JSON.
    if serde_json::to_writer(&mut *out, meta).is_err() {
        out.truncate(start);
    }
}

/// A value at the start of a slice, little-endian.
trait Wire: Sized {
    /// The bytes that it needs: its size without the fields that were appended later.
    const NEEDS: usize = size_of::<Self>();
    /// `None` if `bytes` is too short.
    fn get(bytes: &[u8]) -> Option<Self>;
    /// Writes nothing if `out` is too short.
    fn put(&self, out: &mut [u8]);
    /// Appends the sizes of the integers that it consists of, in their order.
    fn widths(to: &mut Vec<u8>);
}

macro_rules! wire_int {
    ($($int:ty)*) => {$(
        impl Wire for $int {
            #[inline]
            fn get(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk().map(|b| Self::from_le_bytes(*b))
            }
            #[inline]
            fn put(&self, out: &mut [u8]) {
                if let Some(b) = out.first_chunk_mut() {
                    *b = self.to_le_bytes();
                }
            }
            fn widths(to: &mut Vec<u8>) {
                to.push(size_of::<Self>() as u8);
            }
        }
    )*};
}

wire_int!(u8 u16 u32 u64 i32 i64);

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    #[inline]
    fn get(bytes: &[u8]) -> Option<Self> {
        let mut array = [T::default(); N];
        for (i, item) in array.iter_mut().enumerate() {
            *item = T::get(bytes.get(i * size_of::<T>()..)?)?;
        }
        Some(array)
    }
    #[inline]
    fn put(&self, out: &mut [u8]) {
        for (item, out) in self.iter().zip(out.chunks_exact_mut(size_of::<T>())) {
            item.put(out);
        }
    }
    fn widths(to: &mut Vec<u8>) {
        (0..N).for_each(|_| T::widths(to));
    }
}

/// Implements [`Wire`] for a struct of `tracer-ebpf`. The offsets are the struct's own, and the
/// compiler refuses a list that misses a field.
///
/// A field that is appended to a record stands behind the list, with what a record has that was
/// made before: `Fork { head, … } + { cgroup = 0 }`. It stays there for good.
macro_rules! wire_struct {
    ($name:ident { $($field:ident),* $(,)? } + { $($new:ident = $default:expr),* $(,)? }) => {
        impl Wire for $name {
            const NEEDS: usize = smallest(&[size_of::<$name>(), $(offset_of!($name, $new)),*]);

            #[inline]
            fn get(bytes: &[u8]) -> Option<Self> {
                Some(Self {
                    $($field: Wire::get(bytes.get(offset_of!($name, $field)..)?)?,)*
                    $($new: bytes
                        .get(offset_of!($name, $new)..)
                        .and_then(Wire::get)
                        .unwrap_or($default),)*
                })
            }
            #[inline]
            fn put(&self, out: &mut [u8]) {
                $(if let Some(out) = out.get_mut(offset_of!($name, $field)..) {
                    self.$field.put(out);
                })*
                $(if let Some(out) = out.get_mut(offset_of!($name, $new)..) {
                    self.$new.put(out);
                })*
            }
            fn widths(to: &mut Vec<u8>) {
                $(widths_of(|s: &$name| &s.$field, to);)*
                $(widths_of(|s: &$name| &s.$new, to);)*
            }
        }

        // What follows a struct within another one would be taken for its appended fields.
        const _: () = {
            $(assert!(never_grew(|s: &$name| &s.$field));)*
            $(assert!(never_grew(|s: &$name| &s.$new));)*
        };
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        wire_struct!($name { $($field),* } + {});
    };
}

const fn smallest(sizes: &[usize]) -> usize {
    let mut smallest = usize::MAX;
    let mut i = 0;
    while i < sizes.len() {
        if sizes[i] < smallest {
            smallest = sizes[i];
        }
        i += 1;
    }
    smallest
}

const fn never_grew<T, F: Wire>(_: fn(&T) -> &F) -> bool {
    F::NEEDS == size_of::<F>()
}

fn widths_of<T, F: Wire>(_: fn(&T) -> &F, to: &mut Vec<u8>) {
    F::widths(to);
}

/// The structs of all records.
macro_rules! wire_structs {
    ($($name:ident { $($field:ident),* $(,)? } $(+ { $($new:ident = $default:expr),* $(,)? })?)*) => {
        $(wire_struct!($name { $($field),* } $(+ { $($new = $default),* })?);)*

        /// Every struct: name, size, and its fields with their offsets, types and defaults.
        #[cfg(test)]
        fn layouts() -> Vec<(&'static str, usize, Vec<tests::Field>)> {
            fn type_name<T, F>(_: fn(&T) -> &F) -> &'static str {
                std::any::type_name::<F>()
            }
            vec![$((stringify!($name), size_of::<$name>(), vec![
                $((
                    stringify!($field),
                    offset_of!($name, $field),
                    type_name(|s: &$name| &s.$field),
                    None,
                ),)*
                $($((
                    stringify!($new),
                    offset_of!($name, $new),
                    type_name(|s: &$name| &s.$new),
                    Some(stringify!($default)),
                ),)*)?
            ])),*]
        }
    };
}

wire_structs! {
    Head { kind, flags, nr, tid, tgid, seq, ts }
    FileRef { ino, dev, magic, rdev, f_flags, mode, family, sock_type, protocol }
    Syscall { head, dur, ret, args }
    SyscallFile { call, file }
    Extra {
        head, file2, skb_copied, cache_pages, meta_pages, min_flt, maj_flt, irqs, irqs_user, iif,
        reserved, zeroed,
    }
    Fault {
        head, addr, ip, error_code, min_flt, maj_flt, zeroed, unzeroed, cache_pages, rss,
        around_pages, filemap, ino, dev, pgoff, irqs, irqs_user,
    }
    Block { head, issued, completed, sector, bytes, disk, bio, status, ino, index, dev, bios }
        + { upper_sector = 0, upper = 0, reserved = 0 }
    Xmit { head, len, ifindex, data_len, no_parent, sock_ino, name }
    Arrival { head, len, payload, ifindex, interrupt, sock_ino, tcp_seq, packets, protocol, reserved }
    Uring { head, completed, user_data, res, opcode, how, cqe_flags, file, ring } + { file2 = FileRef::NONE }
    Switch { head, off, voluntary, reserved }
    Fork { head, child_tid, child_tgid, clone_flags, io_thread, traced }
    Exec { head, comm }
    Exit { head, exit_code, group_dead, min_flt, maj_flt, nvcsw, nivcsw, nr, in_call }
    Dirty { head, ino, index, dev, pages }
    Copied { head, bytes, count, what, primitive }
    Stack { head, id, ip, sp, fp, lr, code, code_end, words, reserved, word, at }
    CalledFrom { head, id }
    NameFixed { head, ino, dev, fd, len, what }
}

/// [`tracer_ebpf::Name`] without its path.
#[repr(C)]
struct NameFixed {
    head: Head,
    ino: u64,
    dev: u32,
    fd: i32,
    len: u32,
    what: u32,
}

// The path follows at once.
const _: () = assert!(size_of::<NameFixed>() == NAME_FIXED && NameFixed::NEEDS == NAME_FIXED);

/// The kinds whose record is one struct, and the variant that holds it.
macro_rules! plain_kinds {
    ($($kind:ident $name:ident,)*) => {
        #[inline]
        fn decode_kernel(kind: u8, bytes: &[u8]) -> Result<Event, DecodeError> {
            Ok(match kind {
                kind::SYSCALL_FILE => {
                    let SyscallFile { call, file } = get(bytes)?;
                    Event::Syscall { call, file: Some(file) }
                }
                kind::SYSCALL => Event::Syscall { call: get(bytes)?, file: None },
                kind::NAME => Event::Name(decode_name(bytes)?),
                kind::STACK => Event::Stack(Box::new(get(bytes)?)),
                $(kind::$kind => Event::$name(get(bytes)?),)*
                _ => return Err(DecodeError::UnknownKind(kind)),
            })
        }

        /// The sizes of the integers that a record of this kind consists of, one after the other; of a
        /// `NAME`, without its path. `None` for a kind that this version does not know.
        pub(crate) fn widths(kind: u8) -> Option<Vec<u8>> {
            let mut widths = Vec::new();
            match kind {
                kind::SYSCALL_FILE => SyscallFile::widths(&mut widths),
                kind::SYSCALL => Syscall::widths(&mut widths),
                kind::NAME => NameFixed::widths(&mut widths),
                kind::STACK => Stack::widths(&mut widths),
                $(kind::$kind => $name::widths(&mut widths),)*
                _ => return None,
            }
            Some(widths)
        }

        fn encode_kernel(event: &Event, out: &mut Vec<u8>) {
            match event {
                Event::Syscall { call, file: Some(file) } => {
                    put(kind::SYSCALL_FILE, &SyscallFile { call: *call, file: *file }, out);
                }
                Event::Syscall { call, file: None } => put(kind::SYSCALL, call, out),
                Event::Name(name) => encode_name(name, out),
                Event::Stack(stack) => put(kind::STACK, &**stack, out),
                $(Event::$name(e) => put(kind::$kind, e, out),)*
                Event::Meta(meta) => encode_meta(meta, out),
            }
        }
    };
}

plain_kinds! {
    EXTRA Extra,
    FAULT Fault,
    BLOCK Block,
    XMIT Xmit,
    ARRIVAL Arrival,
    URING Uring,
    SWITCH Switch,
    FORK Fork,
    EXEC Exec,
    EXIT Exit,
    DIRTY Dirty,
    COPY Copied,
    CALLED_FROM CalledFrom,
}

#[inline]
fn get<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::get(bytes).ok_or_else(|| short(bytes, T::NEEDS))
}

#[cold]
fn short(bytes: &[u8], need: usize) -> DecodeError {
    DecodeError::Short {
        kind: bytes.first().copied().unwrap_or_default(),
        len: bytes.len(),
        need,
    }
}

fn put<T: Wire>(kind: u8, value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + size_of::<T>(), 0);
    value.put(&mut out[start..]);
    out[start] = kind;
}

fn decode_name(bytes: &[u8]) -> Result<Name, DecodeError> {
    let NameFixed {
        head,
        ino,
        dev,
        fd,
        len,
        what,
    } = get(bytes)?;
    if len as usize > NAME_MAX {
        return Err(DecodeError::Path(len));
    }
    let need = NAME_FIXED + len as usize;
    let path = bytes
        .get(NAME_FIXED..need)
        .ok_or_else(|| short(bytes, need))?;
    Ok(Name {
        head,
        ino,
        dev,
        fd,
        what,
        path: String::from_utf8_lossy(path).into_owned(),
    })
}

fn encode_name(name: &Name, out: &mut Vec<u8>) {
    let Name {
        head,
        ino,
        dev,
        fd,
        what,
        ..
    } = *name;
    let path = &name.path[..name.path.floor_char_boundary(NAME_MAX - 1)];
    put(
        kind::NAME,
        &NameFixed {
            head,
            ino,
            dev,
            fd,
            len: path.len() as u32,
            what,
        },
        out,
    );
    out.extend_from_slice(path.as_bytes());
}

#[cfg(test)]
mod tests;
