//! Expression + runs → value, with how it is known.

use std::collections::BTreeMap;

use crate::arch::Arch;
use crate::catalogue::Tracepoint;
use crate::model::{Evidence, HopKind, HopRow, Place, Summary};

use super::value::{Known, Unit, Value};
use super::{Expr, Func, Measure, Node, Op, PlacePattern};

/// Runs by the program's name.
pub type Runs = BTreeMap<String, Summary>;

/// What an expression can refer to.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// The run that measures without `@` are of.
    pub run: Option<&'a Summary>,
    pub runs: Option<&'a Runs>,
    names: BTreeMap<String, Value>,
    sizes: BTreeMap<String, u64>,
}

impl<'a> Scope<'a> {
    pub fn new(run: Option<&'a Summary>, runs: &'a Runs) -> Self {
        Self {
            run,
            runs: Some(runs),
            ..Self::default()
        }
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.names.insert(name.to_owned(), value);
    }

    /// What `size(path)` is.
    pub fn set_size(&mut self, path: &str, size: u64) {
        self.sizes.insert(path.to_owned(), size);
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.get(name)
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    UnknownName(String),
    NoRun(String),
    NoFile(String),
    NotMeasured,
}

crate::says! { EvalError, lang:
    Self::UnknownName(name) => "'{name}' is neither a parameter nor a measure" | "“{name}”既不是参数也不是测量值";
    Self::NoRun(name) => "there is no run of '{name}'" | "没有运行过“{name}”";
    Self::NoFile(name) => "the size of '{name}' is not known" | "不知道“{name}”的大小";
    Self::NotMeasured => "nothing has been measured yet" | "还没有测量过任何东西";
}

/// A number of the summary.
pub(crate) struct Scalar {
    pub name: &'static str,
    unit: Unit,
    source: Source,
    read: fn(&Summary) -> u64,
}

const fn scalar(
    name: &'static str,
    unit: Unit,
    source: Source,
    read: fn(&Summary) -> u64,
) -> Scalar {
    Scalar {
        name,
        unit,
        source,
        read,
    }
}

/// Where a number with a name comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Probe(Tracepoint),
    /// The system's own account.
    System(&'static str),
}

const CALLS: Source = Source::Probe(Tracepoint::sys_enter);
const FAULTS: Source = Source::Probe(Tracepoint::page_fault_user);
const SWITCH: Source = Source::Probe(Tracepoint::sched_switch);
const BLOCK: Source = Source::Probe(Tracepoint::block_rq_complete);
const RUSAGE: Source = Source::System("getrusage");
const CLOCK: Source = Source::System("clock");

/// Numbers that have a name of their own.
pub(crate) const SCALARS: &[Scalar] = &[
    scalar("crossings", Unit::Plain, CALLS, |s| s.crossings.total),
    scalar("crossings.syscall", Unit::Plain, CALLS, |s| {
        s.crossings.syscall
    }),
    scalar("crossings.page_fault", Unit::Plain, FAULTS, |s| {
        s.crossings.page_fault
    }),
    scalar(
        "crossings.interrupt",
        Unit::Plain,
        Source::Probe(Tracepoint::irq_handler_entry),
        |s| s.crossings.interrupt.unwrap_or(0),
    ),
    scalar("syscalls", Unit::Plain, CALLS, |s| s.crossings.syscall / 2),
    scalar("faults", Unit::Plain, FAULTS, |s| {
        s.page_faults.minor + s.page_faults.major
    }),
    scalar("faults.minor", Unit::Plain, FAULTS, |s| s.page_faults.minor),
    scalar("faults.major", Unit::Plain, FAULTS, |s| s.page_faults.major),
    scalar("faults.user", Unit::Plain, FAULTS, |s| s.page_faults.user),
    scalar("faults.mapped_pages", Unit::Plain, FAULTS, |s| {
        s.page_faults.mapped_pages
    }),
    scalar("switches", Unit::Plain, SWITCH, |s| {
        s.context_switches.voluntary + s.context_switches.involuntary
    }),
    scalar("switches.voluntary", Unit::Plain, SWITCH, |s| {
        s.context_switches.voluntary
    }),
    scalar("switches.involuntary", Unit::Plain, SWITCH, |s| {
        s.context_switches.involuntary
    }),
    scalar("waits", Unit::Plain, SWITCH, |s| s.waits.count),
    scalar("waits.time", Unit::Time, SWITCH, |s| s.waits.time_ns),
    scalar("waits.device", Unit::Time, SWITCH, |s| s.waits.device_ns),
    scalar("duration", Unit::Time, CLOCK, |s| s.duration_ns),
    scalar("cpu", Unit::Time, RUSAGE, |s| s.cpu_ns.unwrap_or(0)),
    scalar("metadata.requests", Unit::Plain, BLOCK, |s| {
        s.metadata_io.read_requests + s.metadata_io.write_requests
    }),
    scalar("metadata.bytes", Unit::Bytes, BLOCK, |s| {
        s.metadata_io.read_bytes + s.metadata_io.write_bytes
    }),
    scalar(
        "dirty",
        Unit::Bytes,
        Source::Probe(Tracepoint::writeback_dirty_folio),
        |s| s.dirty_bytes,
    ),
    scalar("lost", Unit::Plain, CALLS, |s| s.lost_events),
    scalar("exit", Unit::Plain, Source::System("waitid"), |s| {
        s.exit_status.unwrap_or(0).unsigned_abs().into()
    }),
    scalar(
        "processes",
        Unit::Plain,
        Source::Probe(Tracepoint::task_newtask),
        |s| s.by_process.len() as u64,
    ),
];

impl Expr {
    /// Its value.
    ///
    /// # Errors
    /// If it refers to what the scope has not.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, EvalError> {
        eval(&self.node, scope, scope.run)
    }

    /// Whether it holds; an expression without a value does not.
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        self.eval(scope).is_ok_and(|value| value.is_true())
    }

    /// The left side of a comparison: what a condition is about.
    pub fn left(&self, scope: &Scope<'_>) -> Option<Value> {
        let (left, _) = self.compared()?;
        eval(left, scope, scope.run).ok()
    }

    /// Both sides of a comparison.
    pub fn sides(&self, scope: &Scope<'_>) -> Option<(Value, Value)> {
        let (left, right) = self.compared()?;
        let side = |node| eval(node, scope, scope.run).ok();
        Some((side(left)?, side(right)?))
    }

    fn compared(&self) -> Option<(&Node, &Node)> {
        match &self.node {
            Node::Binary(
                Op::Less | Op::LessEq | Op::Greater | Op::GreaterEq | Op::Equal | Op::NotEqual,
                left,
                right,
            ) => Some((left, right)),
            _ => None,
        }
    }
}

fn eval(node: &Node, scope: &Scope<'_>, run: Option<&Summary>) -> Result<Value, EvalError> {
    Ok(match node {
        Node::Number(number, unit) => Value::new(*number, *unit),
        Node::Name(name) => scope
            .get(name)
            .cloned()
            .ok_or_else(|| EvalError::UnknownName(name.clone()))?,
        Node::Measure(what) => measure(what, run.ok_or(EvalError::NotMeasured)?),
        Node::Size(path) => {
            let size = scope.sizes.get(path);
            let size = size.ok_or_else(|| EvalError::NoFile(path.clone()))?;
            Value::new(*size as f64, Unit::Bytes)
        }
        Node::At(inner, name) => {
            let other = scope.runs.and_then(|runs| runs.get(name));
            let other = other.ok_or_else(|| EvalError::NoRun(name.clone()))?;
            eval(inner, scope, Some(other))?
        }
        Node::Not(inner) => {
            let inner = eval(inner, scope, run)?;
            Value::truth(!inner.is_true()).from(&inner.known)
        }
        Node::Negative(inner) => {
            let mut value = eval(inner, scope, run)?;
            value.number = -value.number;
            value
        }
        Node::Binary(op, a, b) => {
            let a = eval(a, scope, run)?;
            // What need not be known is not asked for.
            match op {
                Op::And if !a.is_true() => return Ok(Value::truth(false).from(&a.known)),
                Op::Or if a.is_true() => return Ok(Value::truth(true).from(&a.known)),
                _ => {}
            }
            let b = eval(b, scope, run)?;
            binary(*op, &a, &b).from(&a.known).from(&b.known)
        }
        Node::Call(func, args) => {
            let args: Vec<Value> = args
                .iter()
                .map(|arg| eval(arg, scope, run))
                .collect::<Result<_, _>>()?;
            args.iter()
                .fold(call(*func, &args), |value, arg| value.from(&arg.known))
        }
    })
}

fn binary(op: Op, a: &Value, b: &Value) -> Value {
    let (x, y) = (a.number, b.number);
    // A plain number takes the unit of what it is added to.
    let unit = match a.unit {
        Unit::Plain | Unit::Truth => b.unit,
        unit => unit,
    };
    let unit = if unit == Unit::Truth {
        Unit::Plain
    } else {
        unit
    };
    match op {
        Op::Add => Value::new(x + y, unit),
        Op::Sub => Value::new(x - y, unit),
        Op::Mul => Value::new(x * y, unit),
        Op::Div => {
            let unit = match (a.unit, b.unit) {
                (a, b) if a == b && a != Unit::Plain => Unit::Ratio,
                (a, Unit::Plain | Unit::Truth | Unit::Ratio) => a,
                _ => Unit::Plain,
            };
            Value::new(if y == 0.0 { 0.0 } else { x / y }, unit)
        }
        Op::Less => Value::truth(x < y),
        Op::LessEq => Value::truth(x <= y),
        Op::Greater => Value::truth(x > y),
        Op::GreaterEq => Value::truth(x >= y),
        Op::Equal => Value::truth(x == y),
        Op::NotEqual => Value::truth(x != y),
        Op::And => Value::truth(x != 0.0 && y != 0.0),
        Op::Or => Value::truth(x != 0.0 || y != 0.0),
    }
}

/// The parser has checked the number of arguments.
fn call(func: Func, args: &[Value]) -> Value {
    let first = args.first().cloned().unwrap_or_default();
    let numbers = args.iter().map(|arg| arg.number);
    match func {
        Func::Near => match args {
            [a, b, part] => {
                Value::truth((a.number - b.number).abs() <= (b.number * part.number).abs())
            }
            _ => Value::truth(false),
        },
        Func::Ceil => Value::new(first.number.ceil(), first.unit),
        Func::Floor => Value::new(first.number.floor(), first.unit),
        Func::Min => Value::new(numbers.fold(f64::INFINITY, f64::min), first.unit),
        Func::Max => Value::new(numbers.fold(f64::NEG_INFINITY, f64::max), first.unit),
    }
}

fn measure(what: &Measure, summary: &Summary) -> Value {
    match what {
        Measure::Scalar(name) => {
            let scalar = SCALARS.iter().find(|scalar| scalar.name == *name);
            scalar.map_or_else(Value::default, |scalar| {
                known_by(scalar.source, (scalar.read)(summary), scalar.unit, summary)
            })
        }
        Measure::Syscall(name, field) => {
            let row = summary.syscalls.iter().find(|row| row.name == *name);
            let (read, unit): (fn(&crate::model::SyscallRow) -> u64, Unit) = match *field {
                "bytes" => (|row| row.bytes, Unit::Bytes),
                "errors" => (|row| row.errors, Unit::Plain),
                "time" => (|row| row.time_ns, Unit::Time),
                _ => (|row| row.calls, Unit::Plain),
            };
            let source = Source::Probe(Tracepoint::sys_exit);
            known_by(source, row.map_or(0, read), unit, summary)
        }
        Measure::Process(name, field) => {
            let rows = summary.by_process.iter().filter(|row| row.comm == *name);
            let (sum, unit) = match *field {
                "copied" => (rows.map(|row| row.copied).sum(), Unit::Bytes),
                "user_faults" => (rows.map(|row| row.user_faults).sum(), Unit::Plain),
                _ => (rows.map(|row| row.syscalls).sum(), Unit::Plain),
            };
            known_by(CALLS, sum, unit, summary)
        }
        Measure::Hops { count, .. } => {
            let rows = summary.hops.iter();
            let rows = rows.filter(|row| what.has_hop(row.kind, &row.from, &row.to, row.deferred));
            let unit = if *count { Unit::Plain } else { Unit::Bytes };
            rows.fold(Value::new(0.0, unit), |mut sum, row| {
                sum.number += (if *count { row.count } else { row.bytes }) as f64;
                sum.from(&known(row))
            })
        }
    }
}

impl Source {
    /// As a run on this architecture names it.
    fn name(self, summary: &Summary) -> &'static str {
        match self {
            Self::Probe(id) => {
                Arch::from_name(&summary.arch).map_or(id.label(), |arch| arch.label(id))
            }
            Self::System(name) => name,
        }
    }

    /// A hook that was not attached measured nothing.
    fn is_missing(self, summary: &Summary) -> bool {
        let mut missing = summary.missing_probes.iter();
        missing.any(|(hook, _)| hook == self.name(summary))
    }
}

/// A number that its source measured, if that was there.
fn known_by(source: Source, number: u64, unit: Unit, summary: &Summary) -> Value {
    let name = source.name(summary);
    match source.is_missing(summary) {
        false => Value::measured(number, unit, name),
        true => Value::new(number as f64, unit),
    }
}

fn known(row: &HopRow) -> Known {
    let mut known = Known::default();
    let by = row.evidence.by().to_owned();
    match row.evidence {
        Evidence::Inferred(_) => known.rules.insert(by),
        Evidence::Estimated(_) => known.methods.insert(by),
        Evidence::Measured(_) => known.probes.insert(by),
    };
    known
}

impl Measure {
    /// The hook that would have measured it, if the run had none.
    pub(super) fn missing(&self, summary: &Summary) -> Option<String> {
        let source = match self {
            Self::Scalar(name) => SCALARS.iter().find(|scalar| scalar.name == *name)?.source,
            Self::Syscall(..) => Source::Probe(Tracepoint::sys_exit),
            Self::Process(..) => CALLS,
            Self::Hops { .. } => return None,
        };
        source
            .is_missing(summary)
            .then(|| source.name(summary).to_owned())
    }

    /// Whether such a hop is counted.
    pub(super) fn has_hop(&self, kind: HopKind, from: &Place, to: &Place, deferred: bool) -> bool {
        let Self::Hops {
            kind: wanted,
            path,
            deferred: only,
            ..
        } = self
        else {
            return false;
        };
        kind == *wanted
            && only.is_none_or(|only| deferred == only)
            && path
                .as_ref()
                .is_none_or(|(a, b)| a.fits(from) && b.fits(to))
    }
}

impl PlacePattern {
    fn fits(&self, place: &Place) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => place.to_string() == *name,
            Self::Class("device") => matches!(place, Place::Device(_)),
            Self::Class(_) => matches!(place, Place::Nic(_)),
        }
    }
}
