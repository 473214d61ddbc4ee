use crate::catalogue::{RuleId, Tracepoint};
use crate::histogram::Histogram;
use crate::model::{Crossings, Evidence, HopKind, HopRow, Place, Summary, SyscallRow};

use super::value::{Unit, Value};
use super::{EvalError, Expr, Runs, Scope};

const RULE: Evidence = Evidence::Inferred(RuleId::ReadReturnsCopied);
const PROBE: Evidence = Evidence::tracepoint(Tracepoint::block_rq_complete);

fn row(kind: HopKind, from: Place, to: Place, bytes: u64, evidence: Evidence) -> HopRow {
    HopRow {
        kind,
        from,
        to,
        count: 16,
        bytes,
        evidence,
        deferred: kind == HopKind::Dma,
        engine: None,
        cpu_ns: None,
        sizes: Histogram::default(),
        times: Histogram::default(),
    }
}

fn summary() -> Summary {
    let vda = Place::Device("vda".into());
    Summary {
        crossings: Crossings {
            total: 84,
            syscall: 60,
            page_fault: 24,
            interrupt: None,
        },
        syscalls: vec![SyscallRow {
            name: "read".into(),
            calls: 17,
            bytes: 1 << 20,
            ..SyscallRow::default()
        }],
        hops: vec![
            row(HopKind::Copy, Place::PageCache, Place::User, 1 << 20, RULE),
            row(HopKind::Copy, Place::User, Place::PageCache, 1 << 20, PROBE),
            row(HopKind::Dma, vda, Place::PageCache, 1_179_648, PROBE),
        ],
        ..Summary::default()
    }
}

fn value(text: &str) -> Result<Value, EvalError> {
    let run = summary();
    let runs: Runs = [("other".to_owned(), Summary::default())].into();
    let mut scope = Scope::new(Some(&run), &runs);
    scope.set("size", Value::new(1048576.0, Unit::Bytes));
    let expr: Expr = text.parse().unwrap_or_else(|e| panic!("{e}"));
    expr.eval(&scope)
}

#[test]
fn values() {
    for (text, number, unit) in [
        ("1 + 2 * 3", 7.0, Unit::Plain),
        ("(1 + 2) * 3", 9.0, Unit::Plain),
        ("2 * size", 2097152.0, Unit::Bytes),
        ("-size + size", 0.0, Unit::Bytes),
        ("copy page_cache->user", 1048576.0, Unit::Bytes),
        ("copy page_cache → user", 1048576.0, Unit::Bytes),
        ("copy", 2097152.0, Unit::Bytes),
        ("copy * 2", 4194304.0, Unit::Bytes),
        ("copy *->user", 1048576.0, Unit::Bytes),
        ("copy *->*", 2097152.0, Unit::Bytes),
        ("count(copy)", 32.0, Unit::Plain),
        ("dma device->page_cache", 1179648.0, Unit::Bytes),
        ("dma device:vda->page_cache", 1179648.0, Unit::Bytes),
        ("dma device:sda->page_cache", 0.0, Unit::Bytes),
        ("deferred(dma)", 1179648.0, Unit::Bytes),
        ("prompt(dma)", 0.0, Unit::Bytes),
        ("count(deferred(dma))", 16.0, Unit::Plain),
        ("crossings", 84.0, Unit::Plain),
        ("syscalls", 30.0, Unit::Plain),
        ("syscall(read).calls", 17.0, Unit::Plain),
        ("syscall(read).bytes", 1048576.0, Unit::Bytes),
        ("syscall(write).calls", 0.0, Unit::Plain),
        ("crossings @other", 0.0, Unit::Plain),
        ("crossings - crossings @other", 84.0, Unit::Plain),
        ("(syscalls - 3) @other", -3.0, Unit::Plain),
        ("ceil(size / 64 KiB)", 16.0, Unit::Ratio),
        ("max(1, 2, 3)", 3.0, Unit::Plain),
        ("size / (2 * size)", 0.5, Unit::Ratio),
        ("1 / 0", 0.0, Unit::Plain),
        (
            "copy == 2 * size and not (syscalls > 100)",
            1.0,
            Unit::Truth,
        ),
        ("near(dma, size, 0.05)", 0.0, Unit::Truth),
        ("near(dma, size, 0.2)", 1.0, Unit::Truth),
        ("size == 1 MiB or nothing", 1.0, Unit::Truth),
    ] {
        let value = value(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((value.number, value.unit), (number, unit), "{text}");
    }
}

#[test]
fn evidence_goes_along() {
    let marks = |text| value(text).map(|value| value.known.mark());
    assert_eq!(marks("copy user->page_cache"), Ok(""));
    assert_eq!(marks("copy page_cache->user"), Ok("⇢"));
    assert_eq!(marks("crossings + copy"), Ok("⇢"));
    let known = value("copy").unwrap_or_default().known;
    assert!(known.rules.contains(RULE.by()) && known.probes.contains(PROBE.by()));
}

#[test]
fn what_is_not_there() {
    assert_eq!(
        value("nothing"),
        Err(EvalError::UnknownName("nothing".into()))
    );
    assert_eq!(
        value("copy @missing"),
        Err(EvalError::NoRun("missing".into()))
    );
    let expr: Expr = "copy > 0".parse().expect("an expression");
    assert_eq!(expr.eval(&Scope::default()), Err(EvalError::NotMeasured));
}

#[test]
fn errors_say_where() {
    for text in [
        "",
        "1 +",
        "copy page_cache",
        "copy page_cache->",
        "syscall(read)",
        "syscall(read).size",
        "near(1, 2)",
        "(1",
        "1 2",
        "count(crossings)",
        "1 < 2 < 3",
        "@x",
    ] {
        assert!(text.parse::<Expr>().is_err(), "{text}");
    }
    let deep = "(".repeat(100_000);
    assert!(deep.parse::<Expr>().is_err());
}

proptest::proptest! {
    /// Any text is an expression or an error.
    #[test]
    fn never_panics(text in "[a-z_ 0-9.()@*<>=,+/→-]{0,40}") {
        let _ = text.parse::<Expr>();
    }
}
