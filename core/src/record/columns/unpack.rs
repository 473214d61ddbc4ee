//! From columns to records.

use super::{
    HEAD, MAX_COLUMNS, NONE, PLAIN, Ref, SAME, SPARSE, Slots, Thread, Threads, by_call, by_key,
    end, unfold,
};

/// Makes frames of columns again, one block after the other. Takes any bytes at all.
#[derive(Default)]
pub struct Unpacker {
    /// Of this block, in the order in which it lists them.
    groups: Vec<Group>,
    threads: Threads,
    /// Slots of groups, by kind.
    by_call: Vec<Slots>,
    by_key: Vec<Slots>,
    /// Bytes of frames in the blocks before.
    base: u64,
}

/// The columns of heads.
struct Heads {
    tid: Numbers,
    tgid: Numbers,
    nr: Numbers,
    flags: Numbers,
    seq: Numbers,
    ts: Numbers,
}

struct Group {
    kind: u8,
    /// Bytes of a record that are columns.
    len: usize,
    rows: u32,
    columns: Vec<Column>,
    key: usize,
    tails: Numbers,
    /// Where the bytes of the next tail are.
    tail: usize,
    /// What the bytes of a record are first copied from.
    copied: Ref,
    /// Columns that are more than copied, in most rows.
    active: Vec<usize>,
    /// Columns that are copied but for some rows, and the first row that is not.
    quiet: Vec<usize>,
    quiet_until: u32,
    row: u32,
    before: u32,
}

struct Column {
    at: usize,
    width: usize,
    by: Ref,
    numbers: Numbers,
}

/// The numbers of a column, one after the other.
#[derive(Clone)]
struct Numbers {
    form: Form,
    row: u32,
}

#[derive(Clone)]
enum Form {
    Same(u64),
    Sparse {
        most: u64,
        /// The row of the next other number, where it stands, and how many there are from it on.
        next: u32,
        at: usize,
        left: u64,
    },
    /// Where the next first, second … byte of a number stands.
    Dense([u32; 10]),
}

/// Reads what comes before the rows.
struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Unpacker {
    /// Fills `out`, which is as long as the frames are to be; `None` if they are not exactly that, or not
    /// exactly `records`.
    pub fn unpack(&mut self, packed: &[u8], records: u32, out: &mut [u8]) -> Option<()> {
        let mut parser = Parser {
            bytes: packed,
            at: 0,
        };
        let (mut order, mut heads) = self.parse(&mut parser, records)?;
        if parser.at != packed.len() {
            return None;
        }
        self.threads.clear();
        let base = self.base;
        self.base += out.len() as u64;
        let (mut at, mut last_tid, mut last) = (0, 0, Thread::default());
        for _ in 0..records {
            let number = usize::try_from(order.next(packed)?).ok()?;
            let group = self.groups.get_mut(number)?;
            let tail = usize::try_from(group.tails.next(packed)?).ok()?;
            let len = group.len.checked_add(tail)?;
            at = put_length(out, at, len)?;
            let end_at = at.checked_add(len).filter(|end| *end <= out.len())?;
            if group.kind != PLAIN {
                let tid = unfold(heads.tid.next(packed)?, last_tid) as u32;
                let first = Thread { seq: 0, ..last };
                let thread = self.threads.of(tid, first);
                let tgid = unfold(heads.tgid.next(packed)?, thread.tgid.into()) as u32;
                let nr = heads.nr.next(packed)? as u16;
                let flags = heads.flags.next(packed)? as u8;
                let seq = unfold(heads.seq.next(packed)?, thread.seq.into()) as u32;
                let kind = usize::from(group.kind);
                let by_call =
                    self.by_call
                        .get_mut(kind)?
                        .replace(by_call(nr, tid), base, at as u32);
                let slots = Rows {
                    by_call,
                    by_key: self.by_key.get_mut(kind)?,
                    base,
                    nr,
                };
                group.fill(packed, out, at, slots)?;
                let record = out.get_mut(at..end_at)?;
                let (head, body) = record.split_at_mut_checked(HEAD)?;
                let ts = unfold(heads.ts.next(packed)?, thread.end);
                head[0] = group.kind;
                head[1] = flags;
                head[2..4].copy_from_slice(&nr.to_le_bytes());
                head[4..8].copy_from_slice(&tid.to_le_bytes());
                head[8..12].copy_from_slice(&tgid.to_le_bytes());
                head[12..16].copy_from_slice(&seq.to_le_bytes());
                head[16..24].copy_from_slice(&ts.to_le_bytes());
                let dur = body.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
                let end = end(group.kind, ts, dur);
                *thread = Thread { tgid, seq, end };
                (last, last_tid) = (Thread { end: ts, ..*thread }, tid.into());
            }
            if tail > 0 {
                let from = group.tail;
                group.tail = from.checked_add(tail)?;
                let bytes = packed.get(from..group.tail)?;
                out.get_mut(end_at - tail..end_at)?.copy_from_slice(bytes);
            }
            at = end_at;
        }
        (at == out.len()).then_some(())
    }

    fn parse(&mut self, parser: &mut Parser<'_>, records: u32) -> Option<(Numbers, Heads)> {
        self.groups.clear();
        let groups = parser.number()?;
        let (mut kinds, mut rows, mut headed) = ([false; 256], 0, 0);
        for _ in 0..groups {
            let group = parser.group()?;
            let known = &mut kinds[usize::from(group.kind)];
            if std::mem::replace(known, true) {
                return None;
            }
            rows += u64::from(group.rows);
            if group.kind != PLAIN {
                headed += group.rows;
                let slots = usize::from(group.kind) + 1;
                for tables in [&mut self.by_call, &mut self.by_key] {
                    if tables.len() < slots {
                        tables.resize_with(slots, Slots::default);
                    }
                }
            }
            self.groups.push(group);
            if rows > u64::from(records) {
                return None;
            }
        }
        if rows != u64::from(records) {
            return None;
        }
        let order = parser.column(records)?.1;
        for group in &mut self.groups {
            group.tails = parser.column(group.rows)?.1;
        }
        let mut head = || parser.column(headed).map(|column| column.1);
        let (tid, tgid, nr, flags, seq) = (head()?, head()?, head()?, head()?, head()?);
        for group in &mut self.groups {
            group.parse(parser)?;
        }
        let ts = parser.column(headed)?.1;
        let heads = Heads {
            tid,
            tgid,
            nr,
            flags,
            seq,
            ts,
        };
        Some((order, heads))
    }
}

/// What a record may be predicted from.
struct Rows<'a> {
    by_call: u32,
    by_key: &'a mut Slots,
    base: u64,
    nr: u16,
}

impl Group {
    fn parse(&mut self, parser: &mut Parser<'_>) -> Option<()> {
        let mut key = None;
        let rest = (0..self.columns.len()).filter(|&c| c != self.key);
        let order: Vec<usize> = (!self.columns.is_empty())
            .then_some(self.key)
            .into_iter()
            .chain(rest)
            .collect();
        for number in order {
            let (by, numbers) = parser.column(self.rows)?;
            let column = self.columns.get_mut(number)?;
            if key.is_none() && by == Ref::Key {
                return None;
            }
            key.get_or_insert(number);
            (column.by, column.numbers) = (by, numbers);
        }
        self.plan();
        // The bytes of tails: as many as the column of their lengths says.
        let mut tails = self.tails.clone();
        self.tail = parser.at;
        let tails = match tails.form {
            Form::Same(len) => len.checked_mul(self.rows.into())?,
            _ => (0..self.rows)
                .try_fold(0u64, |sum, _| sum.checked_add(tails.next(parser.bytes)?))?,
        };
        parser.skip(usize::try_from(tails).ok()?)
    }

    /// Decides what is copied as a whole.
    fn plan(&mut self) {
        let mut copied = [0; 4];
        for column in &self.columns {
            if column.numbers.is_mostly(0) {
                copied[column.by as usize] += column.width;
            }
        }
        let best = Ref::ALL.into_iter().max_by_key(|by| copied[*by as usize]);
        self.copied = best.unwrap_or(Ref::Zero);
        for (number, column) in self.columns.iter().enumerate() {
            // The key comes first, by itself.
            if number == self.key {
                continue;
            }
            // Nothing but differences of 0, whatever they are from: it is 0 in all rows, also where it is copied
            // from.
            if let Form::Same(0) = column.numbers.form {
                continue;
            }
            if column.by == self.copied && column.numbers.is_mostly(0) {
                if let Form::Sparse { .. } = column.numbers.form {
                    self.quiet.push(number);
                }
            } else {
                self.active.push(number);
            }
        }
        self.next_other();
    }

    fn next_other(&mut self) {
        let next = self
            .quiet
            .iter()
            .filter_map(|&c| self.columns.get(c)?.numbers.next_other());
        self.quiet_until = next.min().unwrap_or(u32::MAX);
    }

    /// Fills in the body of the record that begins at `at`.
    #[inline]
    fn fill(&mut self, packed: &[u8], out: &mut [u8], at: usize, rows: Rows<'_>) -> Option<()> {
        let row = self.row;
        let mut refs = [NONE, self.before, rows.by_call, NONE];
        (self.before, self.row) = (at as u32, row + 1);
        let mut key = None;
        if let Some(column) = self.columns.get_mut(self.key) {
            let value = column.fill(packed, out, at, &refs)?;
            let slot = by_key(rows.nr, value);
            refs[Ref::Key as usize] = rows.by_key.replace(slot, rows.base, at as u32);
            key = Some((column.at, column.width, value));
        }
        match refs[self.copied as usize] {
            NONE => out.get_mut(at + HEAD..at + self.len)?.fill(0),
            from => {
                let from = from as usize;
                if from + self.len > at {
                    return None;
                }
                out.copy_within(from + HEAD..from + self.len, at + HEAD);
            }
        }
        if let Some((column, width, value)) = key {
            put_int(out, at + column, width, value)?;
        }
        for &number in &self.active {
            self.columns.get_mut(number)?.fill(packed, out, at, &refs)?;
        }
        if row == self.quiet_until {
            for &number in &self.quiet {
                let column = self.columns.get_mut(number)?;
                if column.numbers.next_other() == Some(row) {
                    column.numbers.row = row;
                    column.fill(packed, out, at, &refs)?;
                }
            }
            self.next_other();
        }
        Some(())
    }
}

impl Column {
    #[inline]
    fn fill(&mut self, packed: &[u8], out: &mut [u8], at: usize, refs: &[u32; 4]) -> Option<u64> {
        let from = match refs[self.by as usize] {
            NONE => 0,
            from => int(out, from as usize + self.at, self.width)?,
        };
        let value = unfold(self.numbers.next(packed)?, from);
        put_int(out, at + self.at, self.width, value)?;
        // As it is read again.
        Some(value & u64::MAX >> (64 - 8 * self.width as u32))
    }
}

impl Numbers {
    const NONE: Self = Self {
        form: Form::Same(0),
        row: 0,
    };

    #[inline(always)]
    fn next(&mut self, packed: &[u8]) -> Option<u64> {
        match &self.form {
            Form::Same(value) => Some(*value),
            Form::Sparse { most, next, .. } if *next != self.row => {
                self.row += 1;
                Some(*most)
            }
            _ => self.next_stored(packed),
        }
    }

    /// The next number where it stands by itself.
    #[inline(never)]
    fn next_stored(&mut self, packed: &[u8]) -> Option<u64> {
        match &mut self.form {
            Form::Same(value) => Some(*value),
            Form::Sparse { next, at, left, .. } => {
                let mut parser = Parser {
                    bytes: packed,
                    at: *at,
                };
                let value = parser.number()?;
                self.row += 1;
                *left -= 1;
                *next = match *left {
                    0 => u32::MAX,
                    _ => self.row.checked_add(parser.number()?.try_into().ok()?)?,
                };
                *at = parser.at;
                Some(value)
            }
            Form::Dense(places) => {
                let (mut value, mut shift) = (0, 0);
                for place in places {
                    let byte = *packed.get(*place as usize)?;
                    *place += 1;
                    value |= u64::from(byte & 0x7f) << shift;
                    if byte & 0x80 == 0 {
                        break;
                    }
                    shift += 7;
                }
                Some(value)
            }
        }
    }

    /// Whether all but some are this number.
    fn is_mostly(&self, number: u64) -> bool {
        match self.form {
            Form::Same(value) => value == number,
            Form::Sparse { most, .. } => most == number,
            Form::Dense(_) => false,
        }
    }

    /// The next row with another number.
    fn next_other(&self) -> Option<u32> {
        match self.form {
            Form::Sparse { next, left, .. } if left > 0 => Some(next),
            _ => None,
        }
    }
}

impl Parser<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift += 7;
            if shift > 63 {
                return None;
            }
        }
    }

    fn skip(&mut self, len: usize) -> Option<()> {
        self.at = self
            .at
            .checked_add(len)
            .filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn group(&mut self) -> Option<Group> {
        let kind = self.byte()?;
        let rows = u32::try_from(self.number()?)
            .ok()
            .filter(|rows| *rows > 0)?;
        let columns = usize::try_from(self.number()?).ok()?;
        if columns > MAX_COLUMNS || kind == PLAIN && columns > 0 {
            return None;
        }
        let mut group = Group {
            kind,
            len: if kind == PLAIN { 0 } else { HEAD },
            rows,
            columns: Vec::with_capacity(columns),
            key: 0,
            tails: Numbers::NONE,
            tail: 0,
            copied: Ref::Zero,
            active: Vec::new(),
            quiet: Vec::new(),
            quiet_until: u32::MAX,
            row: 0,
            before: NONE,
        };
        for _ in 0..columns {
            let width = usize::from(self.byte().filter(|width| matches!(width, 1 | 2 | 4 | 8))?);
            group.columns.push(Column {
                at: group.len,
                width,
                by: Ref::Zero,
                numbers: Numbers::NONE,
            });
            group.len += width;
        }
        group.key = usize::try_from(self.number()?).ok()?;
        (group.key < columns.max(1)).then_some(group)
    }

    /// Finds where the numbers of a column stand, and what they are differences from.
    fn column(&mut self, rows: u32) -> Option<(Ref, Numbers)> {
        if rows == 0 {
            return Some((Ref::Zero, Numbers::NONE));
        }
        let how = self.byte()?;
        let by = *Ref::ALL.get(usize::from(how & !(SAME | SPARSE)))?;
        let form = match how & (SAME | SPARSE) {
            SAME => Form::Same(self.number()?),
            SPARSE => self.sparse(rows)?,
            0 => self.dense(rows)?,
            _ => return None,
        };
        Some((by, Numbers { form, row: 0 }))
    }

    fn sparse(&mut self, rows: u32) -> Option<Form> {
        let most = self.number()?;
        let left = self.number()?;
        if left == 0 || left > rows.into() {
            return None;
        }
        let mut end = self.number()?;
        let (next, at) = (u32::try_from(end).ok()?, self.at);
        self.number()?;
        for _ in 1..left {
            end = end.checked_add(1)?.checked_add(self.number()?)?;
            self.number()?;
        }
        (end < rows.into()).then_some(Form::Sparse {
            most,
            next,
            at,
            left,
        })
    }

    fn dense(&mut self, rows: u32) -> Option<Form> {
        let mut places = [0; 10];
        let mut long = rows as usize;
        for place in &mut places {
            *place = u32::try_from(self.at).ok()?;
            let from = self.at;
            self.skip(long)?;
            let bytes = self.bytes.get(from..self.at)?;
            long = bytes.iter().map(|byte| usize::from(byte >> 7)).sum();
            if long == 0 {
                return Some(Form::Dense(places));
            }
        }
        None
    }
}

/// Writes the length that begins a frame; where the record is then.
#[inline]
fn put_length(out: &mut [u8], mut at: usize, mut len: usize) -> Option<usize> {
    if len == 0 {
        return None;
    }
    while len >= 0x80 {
        *out.get_mut(at)? = len as u8 | 0x80;
        len >>= 7;
        at += 1;
    }
    *out.get_mut(at)? = len as u8;
    Some(at + 1)
}

#[inline]
fn int(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?;
    Some(match width {
        1 => (*bytes.first()?).into(),
        2 => u16::from_le_bytes(*bytes.first_chunk()?).into(),
        4 => u32::from_le_bytes(*bytes.first_chunk()?).into(),
        _ => u64::from_le_bytes(*bytes.first_chunk()?),
    })
}

#[inline]
fn put_int(bytes: &mut [u8], at: usize, width: usize, value: u64) -> Option<()> {
    let bytes = bytes.get_mut(at..)?;
    match width {
        1 => *bytes.first_mut()? = value as u8,
        2 => *bytes.first_chunk_mut()? = (value as u16).to_le_bytes(),
        4 => *bytes.first_chunk_mut()? = (value as u32).to_le_bytes(),
        _ => *bytes.first_chunk_mut()? = value.to_le_bytes(),
    }
    Some(())
}
