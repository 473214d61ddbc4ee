//! Tables added up: nothing is lost, nothing shrinks, and there are never more rows than allowed.

use bytehop_core::top::{Amount, Lost, Proc, Unknown};

use super::*;

fn row(tgid: u32, name: &str, calls: u64) -> Row {
    let nothing = Amount::default();
    Row {
        who: Who::Process(Proc { tgid, start: 1 }),
        name: name.to_owned(),
        command: String::new(),
        cgroup: format!("/{name}.service"),
        ended: false,
        calls,
        errors: 0,
        faults: Some(calls / 2),
        copied: Amount {
            bytes: calls * 10,
            inferred: calls * 4,
            ..nothing
        },
        dma: nothing,
        shared: nothing,
        filled: nothing,
        hops: Vec::new(),
        syscalls: Vec::new(),
        unknown: vec![Unknown {
            what: What::Messages,
            count: 1,
            up_to: None,
        }],
        ledger: bytehop_core::ledger::Ledger::default(),
        at_least: Vec::new(),
        metadata_io: bytehop_core::model::IoTotals::default(),
    }
}

fn frame(round: u64, rows: Vec<Row>) -> Frame {
    Frame {
        round,
        realtime_ns: 1000 * round,
        rows,
        lost: Lost::default(),
        ..Frame::default()
    }
}

fn calls(rows: &Rows, group: &Group) -> Option<u64> {
    rows.groups()
        .find_map(|(g, counted)| (g == group).then_some(counted.totals.calls))
}

fn named(name: &str) -> Group {
    Group::Processes(name.to_owned())
}

#[test]
fn intervals_add_up_by_name_or_cgroup() {
    for (key, group) in [(Key::Name, named("a")), (Key::Cgroup, named("/a.service"))] {
        let mut rows = Rows::new(key, 10, 10, 0);
        rows.add(&frame(
            1,
            vec![row(1, "a", 10), row(2, "a", 5), row(3, "b", 1)],
        ));
        rows.add(&frame(2, vec![row(1, "a", 100), row(4, "", 7)]));
        let found = rows.groups().find(|(g, _)| **g == group).expect("a group");
        let totals = found.1.totals;
        assert_eq!(totals.calls, 115);
        assert_eq!(totals.bytes[0], [115 * 6, 115 * 4]);
        assert_eq!(totals.crossings, 2 * (115 + 5 + 2 + 50));
        assert_eq!(found.1.since_ns, 0);
        assert_eq!(rows.unknown().collect::<Vec<_>>(), [(What::Messages, 5)]);
        if key == Key::Name {
            assert_eq!(calls(&rows, &Group::Unseen), Some(7));
        }
    }
}

/// However many names there are, and whatever they are: the sum is whole while no row is given away, and no
/// series shrinks.
#[test]
fn what_has_no_row_is_in_the_rest() {
    let mut rows = Rows::new(Key::Name, 3, 1000, 0);
    let mut sum = 0;
    let mut before: BTreeMap<Group, u64> = BTreeMap::new();
    for round in 1..50u64 {
        let all: Vec<_> = (0..20)
            .map(|i| {
                row(
                    i,
                    &format!("n{}", (u64::from(i) * round) % 61),
                    round + u64::from(i),
                )
            })
            .collect();
        sum += all.iter().map(|row| row.calls).sum::<u64>();
        rows.add(&frame(round, all));
        let now: BTreeMap<Group, u64> = rows
            .groups()
            .map(|(group, counted)| (group.clone(), counted.totals.calls))
            .collect();
        let theirs = now.keys().filter(|g| matches!(g, Group::Processes(_)));
        assert_eq!(theirs.count(), 3.min(now.len()), "round {round}");
        assert_eq!(now.values().sum::<u64>(), sum, "round {round}");
        for (group, was) in &before {
            assert!(now[group] >= *was, "{group:?}");
        }
        before = now;
    }
    assert!(calls(&rows, &Group::Rest).is_some_and(|calls| calls > 0));
}

#[test]
fn those_that_do_most_get_the_rows() {
    let mut rows = Rows::new(Key::Name, 1, 10, 0);
    rows.add(&frame(
        1,
        vec![row(1, "a", 1), row(2, "b", 9), row(3, "c", 3)],
    ));
    assert_eq!(calls(&rows, &named("b")), Some(9));
    assert_eq!(calls(&rows, &Group::Rest), Some(4));
}

#[test]
fn an_idle_row_is_given_away_and_begins_anew() {
    let mut rows = Rows::new(Key::Name, 1, 2, 5);
    rows.add(&frame(1, vec![row(1, "a", 7)]));
    rows.add(&frame(2, vec![row(2, "b", 1)]));
    rows.add(&frame(3, vec![row(2, "b", 1)]));
    assert_eq!(calls(&rows, &Group::Rest), Some(2));
    rows.add(&frame(4, vec![row(2, "b", 3)]));
    assert_eq!(calls(&rows, &named("a")), None);
    let b = rows.groups().find(|(g, _)| **g == named("b")).expect("b").1;
    assert_eq!((b.totals.calls, b.since_ns), (3, 3000));
    // The rest does not take what "a" had counted: that would look like work done now.
    assert_eq!(calls(&rows, &Group::Rest), Some(2));
}

#[test]
fn no_name_passes_for_another_row_or_breaks_the_text() {
    let mut rows = Rows::new(Key::Name, 10, 10, 0);
    let evil = "a\"} 1\n# EOF\\\u{202e}\u{1b}[2J";
    let long = "é".repeat(4000);
    rows.add(&frame(
        1,
        vec![
            row(1, "rest", 1),
            row(2, evil, 1),
            row(3, &long, 1),
            Row {
                who: Who::Kernel,
                ..row(0, "", 2)
            },
        ],
    ));
    for dialect in [crate::Dialect::OpenMetrics, crate::Dialect::Prometheus] {
        let text = crate::openmetrics::text(&rows, &crate::About::default(), dialect);
        assert!(
            text.chars()
                .all(|c| c == '\n' || bytehop_core::report::printable(c))
        );
        let is_whole = |line: &str| {
            line.starts_with("# ")
                || (line.starts_with("bytehop_")
                    && line
                        .rsplit(' ')
                        .next()
                        .is_some_and(|n| n.parse::<f64>().is_ok()))
        };
        assert!(text.lines().all(is_whole), "{text}");
        assert_eq!(
            text.matches("\n# EOF\n").count(),
            usize::from(dialect == crate::Dialect::OpenMetrics)
        );
        assert!(
            text.contains("bytehop_syscalls_total{what=\"process\",name=\"rest\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("bytehop_syscalls_total{what=\"kernel\"} 2\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() < 1200));
    }
}
