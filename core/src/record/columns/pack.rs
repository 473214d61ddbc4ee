//! From records to columns.

use super::{
    HEAD, NONE, PLAIN, Ref, SAME, SPARSE, Slots, Thread, Threads, by_call, by_key, end, fold,
};
use crate::decode::widths;
use crate::record::format::next_frame;

/// Rows that are looked at to choose what a column refers to.
const SAMPLE: usize = 192;
/// A column is sparse if one value in so many, at most, is another than the rest.
const SPARSE_FROM: usize = 8;
/// Blocks for which the choice is kept.
const KEPT: u32 = 16;

/// Makes columns of the frames of blocks, one block after the other. What it keeps from block to block is
/// memory and choices: each block is made of itself alone.
pub struct Packer {
    groups: Vec<Group>,
    /// Group by kind of record.
    of_kind: [Option<u8>; 256],
    /// Groups of this block, in the order in which they are met.
    used: Vec<u8>,
    /// For each record its group's place in `used`.
    order: Vec<u64>,
    heads: Heads,
    threads: Threads,
    values: Vec<u64>,
    out: Vec<u8>,
    /// Bytes of frames in the blocks before.
    base: u64,
}

/// The columns of heads, but for the kind.
#[derive(Default)]
struct Heads {
    tid: Vec<u64>,
    tgid: Vec<u64>,
    nr: Vec<u64>,
    flags: Vec<u64>,
    seq: Vec<u64>,
    ts: Vec<u64>,
}

struct Group {
    kind: u8,
    /// Bytes of a record that are columns.
    len: usize,
    columns: Vec<Column>,
    /// Which of them is the key.
    key: usize,
    rows: Vec<Row>,
    /// Bytes of each record behind its columns.
    tails: Vec<u64>,
    by_call: Slots,
    by_key: Slots,
    changes: Changes,
    /// Place in `used`, in this block.
    place: Option<u64>,
    /// Blocks until columns are chosen anew.
    kept: u32,
}

struct Column {
    at: usize,
    width: usize,
    by: Ref,
}

/// A record, and those before it: where they begin in the frames.
#[derive(Clone, Copy)]
struct Row {
    at: u32,
    refs: [u32; 4],
}

/// Field by which a kind of record repeats: its offset.
fn key_of(kind: u8) -> usize {
    use tracer_ebpf::kind;
    match kind {
        // The first argument: mostly a descriptor.
        kind::SYSCALL | kind::SYSCALL_FILE => 40,
        // The instruction.
        kind::FAULT => 32,
        kind::COPY => 36,
        _ => HEAD,
    }
}

impl Group {
    fn new(kind: u8) -> Self {
        let (mut at, mut columns) = (0, Vec::new());
        let widths = widths(kind).unwrap_or_default();
        for width in widths.into_iter().map(usize::from) {
            if at >= HEAD {
                let by = Ref::Call;
                columns.push(Column { at, width, by });
            }
            at += width;
        }
        let key = columns.iter().position(|c| c.at == key_of(kind));
        Self {
            kind,
            len: at,
            columns,
            key: key.unwrap_or_default(),
            rows: Vec::new(),
            tails: Vec::new(),
            by_call: Slots::default(),
            by_key: Slots::default(),
            changes: Changes::default(),
            place: None,
            kept: 0,
        }
    }

    fn begin(&mut self, place: u64) {
        self.place = Some(place);
        self.rows.clear();
        self.tails.clear();
    }
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            groups: vec![Group::new(PLAIN)],
            of_kind: [None; 256],
            used: Vec::new(),
            order: Vec::new(),
            heads: Heads::default(),
            threads: Threads::default(),
            values: Vec::new(),
            out: Vec::new(),
            base: 0,
        }
    }
}

impl Packer {
    /// The columns of `frames`.
    pub fn pack(&mut self, frames: &[u8]) -> &[u8] {
        self.clear();
        self.split(frames);
        self.write(frames);
        self.base += frames.len() as u64;
        &self.out
    }

    /// Threads that the last block's records are of.
    pub fn threads(&self) -> u32 {
        self.threads.len() as u32
    }

    fn clear(&mut self) {
        for &group in &self.used {
            self.groups[usize::from(group)].place = None;
        }
        self.used.clear();
        self.order.clear();
        self.threads.clear();
        self.out.clear();
        let Heads {
            tid,
            tgid,
            nr,
            flags,
            seq,
            ts,
        } = &mut self.heads;
        for column in [tid, tgid, nr, flags, seq, ts] {
            column.clear();
        }
    }

    /// The group of a record.
    fn group(&mut self, record: &[u8]) -> u8 {
        let kind = record[0];
        let group = match self.of_kind[usize::from(kind)] {
            Some(group) => group,
            None => {
                let known = kind != PLAIN && widths(kind).is_some();
                let group = if known { self.groups.len() as u8 } else { 0 };
                if known {
                    self.groups.push(Group::new(kind));
                }
                self.of_kind[usize::from(kind)] = Some(group);
                group
            }
        };
        match record.len() < self.groups[usize::from(group)].len {
            true => 0,
            false => group,
        }
    }

    /// Finds each record's group, and the columns of heads.
    fn split(&mut self, frames: &[u8]) {
        let (mut at, mut last_tid, mut last) = (0, 0, Thread::default());
        while let Some((start, next)) = next_frame(frames, at) {
            at = next;
            let record = &frames[start..next];
            let number = self.group(record);
            let group = &mut self.groups[usize::from(number)];
            let place = match group.place {
                Some(place) => place,
                None => {
                    let place = self.used.len() as u64;
                    self.used.push(number);
                    group.begin(place);
                    place
                }
            };
            self.order.push(place);
            group.tails.push((record.len() - group.len) as u64);
            let mut row = Row {
                at: start as u32,
                refs: [NONE; 4],
            };
            if group.len >= HEAD {
                let (tid, tgid, nr) = (u32_at(record, 4), u32_at(record, 8), u16_at(record, 2));
                let (seq, ts) = (u32_at(record, 12), u64_at(record, 16));
                let first = Thread { seq: 0, ..last };
                let thread = self.threads.of(tid, first);
                let heads = &mut self.heads;
                heads.tid.push(fold(tid.into(), last_tid, 4));
                heads.tgid.push(fold(tgid.into(), thread.tgid.into(), 4));
                heads.nr.push(nr.into());
                heads.flags.push(record[1].into());
                heads.seq.push(fold(seq.into(), thread.seq.into(), 4));
                heads.ts.push(fold(ts, thread.end, 8));
                let dur = record.get(HEAD..).map_or(0, |body| u64_at(body, 0));
                *thread = Thread {
                    tgid,
                    seq,
                    end: end(group.kind, ts, dur),
                };
                (last, last_tid) = (Thread { end: ts, ..*thread }, tid.into());
                let slot = by_call(nr, tid);
                row.refs[Ref::Call as usize] = group.by_call.replace(slot, self.base, row.at);
                if let Some(before) = group.rows.last() {
                    row.refs[Ref::Before as usize] = before.at;
                }
                if let Some(key) = group.columns.get(group.key) {
                    let slot = by_key(nr, int(record, key.at, key.width));
                    row.refs[Ref::Key as usize] = group.by_key.replace(slot, self.base, row.at);
                }
            }
            group.rows.push(row);
        }
    }

    fn write(&mut self, frames: &[u8]) {
        let Self {
            groups,
            used,
            order,
            heads,
            values,
            out,
            ..
        } = self;
        put_number(out, used.len() as u64);
        for &group in used.iter() {
            let group = &groups[usize::from(group)];
            out.push(group.kind);
            put_number(out, group.rows.len() as u64);
            put_number(out, group.columns.len() as u64);
            out.extend(group.columns.iter().map(|column| column.width as u8));
            put_number(out, group.key as u64);
        }
        put_column(out, Ref::Zero, order);
        for &group in used.iter() {
            put_column(out, Ref::Zero, &groups[usize::from(group)].tails);
        }
        let Heads {
            tid,
            tgid,
            nr,
            flags,
            seq,
            ts,
        } = heads;
        for column in [tid, tgid, nr, flags, seq] {
            put_column(out, Ref::Zero, column);
        }
        for &group in used.iter() {
            groups[usize::from(group)].write(frames, values, out);
        }
        put_column(out, Ref::Zero, ts);
    }
}

impl Group {
    fn write(&mut self, frames: &[u8], values: &mut Vec<u64>, out: &mut Vec<u8>) {
        if self.kept == 0 {
            self.kept = KEPT;
            self.choose(frames, values);
        }
        self.kept -= 1;
        self.changes
            .find(frames, &self.rows, &self.columns, self.len);
        let key = self.columns.get(self.key).map(|_| self.key);
        let rest = (0..self.columns.len()).filter(|&c| c != self.key);
        for column in key.into_iter().chain(rest) {
            let column = &self.columns[column];
            if !self.changes.put(frames, &self.rows, column, out) {
                column.values(frames, &self.rows, column.by, values);
                put_column(out, column.by, values);
            }
        }
        if self.tails.iter().all(|tail| *tail == 0) {
            return;
        }
        for (row, tail) in self.rows.iter().zip(&self.tails) {
            out.extend_from_slice(&frames[row.at as usize + self.len..][..*tail as usize]);
        }
    }

    /// Chooses for each column what its differences are smallest from, and most alike.
    fn choose(&mut self, frames: &[u8], values: &mut Vec<u64>) {
        // From the middle: there something has been before.
        let rows = self.rows.len();
        let from = rows.saturating_sub(SAMPLE) / 2;
        let sample = &self.rows[from..rows.min(from + SAMPLE)];
        for (number, column) in self.columns.iter_mut().enumerate() {
            let mut best = f32::INFINITY;
            for by in Ref::ALL {
                if by == Ref::Key && number == self.key {
                    continue;
                }
                column.values(frames, sample, by, values);
                let cost = cost(values);
                if cost < best {
                    best = cost;
                    column.by = by;
                }
            }
        }
    }
}

impl Column {
    /// What is stored of each row.
    fn values(&self, frames: &[u8], rows: &[Row], by: Ref, values: &mut Vec<u64>) {
        match self.width {
            1 => differences::<1>(frames, rows, self.at, by, values),
            2 => differences::<2>(frames, rows, self.at, by, values),
            4 => differences::<4>(frames, rows, self.at, by, values),
            _ => differences::<8>(frames, rows, self.at, by, values),
        }
    }
}

fn differences<const WIDTH: usize>(
    frames: &[u8],
    rows: &[Row],
    at: usize,
    by: Ref,
    values: &mut Vec<u64>,
) {
    values.clear();
    values.extend(rows.iter().map(|row| {
        let from = match row.refs[by as usize] {
            NONE => 0,
            from => int(frames, from as usize + at, WIDTH),
        };
        fold(int(frames, row.at as usize + at, WIDTH), from, WIDTH as u32)
    }));
}

/// Where the records of a group differ at all from those that they refer to: most columns do not, and are not
/// looked at one by one.
#[derive(Default)]
struct Changes {
    of: [Of; 4],
}

/// By one [`Ref`].
#[derive(Default)]
struct Of {
    /// The bits that differ in any row.
    bits: Vec<u8>,
    /// The rows that refer to none.
    first: Vec<u32>,
}

impl Changes {
    fn find(&mut self, frames: &[u8], rows: &[Row], columns: &[Column], len: usize) {
        for by in Ref::ALL {
            if !columns.iter().any(|column| column.by == by) {
                continue;
            }
            let Of { bits, first } = &mut self.of[by as usize];
            first.clear();
            bits.clear();
            bits.resize(len.saturating_sub(HEAD), 0);
            match len.saturating_sub(HEAD) {
                16 => gather::<16>(frames, rows, by, bits, first),
                64 => gather::<64>(frames, rows, by, bits, first),
                80 => gather::<80>(frames, rows, by, bits, first),
                96 => gather::<96>(frames, rows, by, bits, first),
                // Of the rest there are few, or they are of another length each: whatever their columns are.
                _ => bits.fill(u8::MAX),
            }
        }
    }

    /// Appends the column, as [`put_column`] does, if no row differs but the few that refer to none.
    fn put(&self, frames: &[u8], rows: &[Row], column: &Column, out: &mut Vec<u8>) -> bool {
        let Of { bits, first } = &self.of[column.by as usize];
        let bits = &bits[column.at - HEAD..][..column.width];
        let most = rows.len() / SPARSE_FROM;
        if bits.iter().any(|bits| *bits != 0) || first.len() > most {
            return false;
        }
        let value = |row: &u32| {
            let value = int(
                frames,
                rows[*row as usize].at as usize + column.at,
                column.width,
            );
            (*row as usize, fold(value, 0, column.width as u32))
        };
        let others = || first.iter().map(value).filter(|(_, value)| *value != 0);
        put_mostly(out, column.by, 0, others().count(), others());
        true
    }
}

/// Fills in [`Of`] for bodies of this length: for each, a loop of a few instructions.
fn gather<const LEN: usize>(
    frames: &[u8],
    rows: &[Row],
    by: Ref,
    bits: &mut [u8],
    first: &mut Vec<u32>,
) {
    let body = |at: u32| -> &[u8; LEN] {
        let bytes = frames[at as usize + HEAD..].first_chunk();
        bytes.unwrap_or(&[0; LEN])
    };
    let mut all = [0; LEN];
    let mut add = |new: &[u8; LEN], old: &[u8; LEN]| {
        for (all, (new, old)) in all.iter_mut().zip(new.iter().zip(old)) {
            *all |= new ^ old;
        }
    };
    for (number, row) in rows.iter().enumerate() {
        match row.refs[by as usize] {
            NONE if by == Ref::Zero => add(body(row.at), &[0; LEN]),
            NONE => first.push(number as u32),
            from => add(body(row.at), body(from)),
        }
    }
    bits.copy_from_slice(&all);
}

/// About how many bits such numbers take up: each different one once, and which one it is each time.
fn cost(values: &mut [u64]) -> f32 {
    values.sort_unstable();
    let all = values.len() as f32;
    values
        .chunk_by(|a, b| a == b)
        .map(|same| {
            let n = same.len() as f32;
            n * (all / n).log2() + (64 - same[0].leading_zeros()) as f32 + 1.0
        })
        .sum()
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// One byte that says how, then the numbers: the first byte of each, then the second of those that have
/// one, and so on; or what most of them are, and the others.
fn put_column(out: &mut Vec<u8>, by: Ref, values: &[u64]) {
    if values.is_empty() {
        return;
    }
    let (most, same) = majority(values);
    let others = values.len() - same;
    if others <= values.len() / SPARSE_FROM {
        // Most pieces have no other: they are passed over as a whole.
        const PIECE: usize = 32;
        let pieces = values.chunks(PIECE).zip((0..).step_by(PIECE));
        let other = pieces.filter(|(piece, _)| piece.iter().fold(0, |any, v| any | v ^ most) != 0);
        let other = other.flat_map(|(piece, at)| (at..).zip(piece.iter().copied()));
        put_mostly(
            out,
            by,
            most,
            others,
            other.filter(|(_, value)| *value != most),
        );
    } else {
        out.push(by as u8);
        put_dense(out, values);
    }
}

/// The same where they are all the same, or nearly.
fn put_mostly(
    out: &mut Vec<u8>,
    by: Ref,
    most: u64,
    number: usize,
    others: impl Iterator<Item = (usize, u64)>,
) {
    let how = if number == 0 { SAME } else { SPARSE };
    out.push(by as u8 | how);
    put_number(out, most);
    if number == 0 {
        return;
    }
    put_number(out, number as u64);
    let mut next = 0;
    for (at, value) in others {
        put_number(out, (at - next) as u64);
        put_number(out, value);
        next = at + 1;
    }
}

fn put_dense(out: &mut Vec<u8>, values: &[u64]) {
    let byte = |value: u64, shift: u32| {
        let rest = value >> shift;
        rest as u8 & 0x7f | if rest >= 0x80 { 0x80 } else { 0 }
    };
    let mut any = 0;
    out.extend(values.iter().map(|value| {
        any |= value;
        byte(*value, 0)
    }));
    let mut shift = 7;
    while shift < 64 && any >> shift > 0 {
        let long = values.iter().filter(|value| **value >> shift > 0);
        out.extend(long.map(|value| byte(*value, shift)));
        shift += 7;
    }
}

/// What more than half of the values are, if there is such a value; how many are what it says.
fn majority(values: &[u64]) -> (u64, usize) {
    let count = |most: u64| values.iter().filter(|value| **value == most).count();
    let guess = values.get(values.len() / 2).copied().unwrap_or_default();
    let guessed = count(guess);
    if guessed > values.len() / 2 {
        return (guess, guessed);
    }
    let (mut most, mut votes) = (0, 0u32);
    for &value in values {
        match (votes, value == most) {
            (0, _) => (most, votes) = (value, 1),
            (_, true) => votes += 1,
            (_, false) => votes -= 1,
        }
    }
    (most, count(most))
}

#[inline]
fn int(bytes: &[u8], at: usize, width: usize) -> u64 {
    match width {
        1 => bytes[at].into(),
        2 => u16_at(bytes, at).into(),
        4 => u32_at(bytes, at).into(),
        _ => u64_at(bytes, at),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |b| u64::from_le_bytes(*b))
}
