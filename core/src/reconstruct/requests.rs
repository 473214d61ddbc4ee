//! Requests of io_uring and Linux AIO, counted by operation: those that fail too.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tracer_ebpf::{AIO, Uring};

use crate::arch::uring;
use crate::linux::error_name;
use crate::model::RequestRow;

/// What was asked for, and what came of it; the operation as in [`tracer_ebpf::TopKey::nr`].
#[derive(Debug, Default)]
pub struct Made(BTreeMap<u16, Operation>);

/// Completions of one operation.
#[derive(Debug, Default)]
struct Operation {
    count: u64,
    bytes: u64,
    time: u64,
    /// By error number.
    errors: BTreeMap<u32, u64>,
}

impl Made {
    /// Takes a completion; `sized`: its result is a number of bytes.
    pub fn take(&mut self, operation: u16, request: &Uring, sized: bool) {
        let sum = self.0.entry(operation).or_default();
        sum.count += 1;
        // When the program fetched a result of Linux AIO says nothing of when it was there.
        let time = match operation & AIO {
            0 => request.completed.saturating_sub(request.head.ts),
            _ => 0,
        };
        sum.time = sum.time.saturating_add(time);
        match u32::try_from(request.res) {
            Ok(bytes) if sized => sum.bytes = sum.bytes.saturating_add(u64::from(bytes)),
            Ok(_) => {}
            Err(_) => *sum.errors.entry(request.res.unsigned_abs()).or_default() += 1,
        }
    }

    /// Takes what was only counted: completions of one operation, those that failed among them.
    pub fn counted(&mut self, operation: u16, count: u64, bytes: u64) {
        let sum = self.0.entry(operation).or_default();
        sum.count = sum.count.saturating_add(count);
        sum.bytes = sum.bytes.saturating_add(bytes);
    }

    /// So many of them failed with this error.
    pub fn refused(&mut self, operation: u16, error: u32, count: u64) {
        let sum = self.0.entry(operation).or_default();
        let known = sum.errors.entry(error).or_default();
        *known = known.saturating_add(count);
    }

    /// By operation, most bytes first.
    pub fn rows(&self) -> Vec<RequestRow> {
        let rows = self.0.iter().map(|(operation, sum)| {
            let mut errors: Vec<_> = sum.errors.iter().collect();
            errors.sort_by_key(|(number, n)| (Reverse(**n), **number));
            let name = |number: u32| match error_name(number) {
                Some(name) => name.to_owned(),
                None => format!("E{number}"),
            };
            RequestRow {
                name: uring::request_name(*operation),
                count: sum.count,
                errors: errors.iter().map(|(_, n)| **n).sum(),
                errnos: errors.iter().map(|(e, n)| (name(**e), **n)).collect(),
                bytes: sum.bytes,
                time_ns: sum.time,
            }
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|a, b| (b.bytes, b.count, &a.name).cmp(&(a.bytes, a.count, &b.name)));
        rows
    }
}

#[cfg(test)]
mod tests {
    use tracer_ebpf::OPERATION;

    use super::*;

    #[test]
    fn what_failed_is_counted_with_its_error() {
        let mut made = Made::default();
        let operation = |name| uring::opcode(name).expect("an operation");
        for (name, res) in [
            ("read", 4096),
            ("read", -9),
            ("fallocate", -9),
            ("fallocate", -95),
            ("fallocate", -95),
            ("read", -5000),
        ] {
            let request = Uring {
                opcode: operation(name),
                res,
                completed: 5,
                ..Uring::default()
            };
            let operation = OPERATION | u16::from(request.opcode);
            made.take(operation, &request, name == "read");
        }
        let rows = made.rows();
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["io_uring:read", "io_uring:fallocate"]);
        let of = |row: &RequestRow| (row.count, row.errors, row.bytes, row.time_ns);
        assert_eq!(of(&rows[0]), (3, 2, 4096, 15));
        assert_eq!(of(&rows[1]), (3, 3, 0, 15));
        let named = |name: &str, n| (name.to_owned(), n);
        assert_eq!(rows[0].errnos, [named("EBADF", 1), named("E5000", 1)]);
        assert_eq!(rows[1].errnos, [named("EOPNOTSUPP", 2), named("EBADF", 1)]);
    }
}
