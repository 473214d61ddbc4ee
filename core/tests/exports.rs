//! Every export of every recording says what the JSON summary says.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bytehop_core::annotate::{Annotator, Line};
use bytehop_core::arch::Arch;
use bytehop_core::event::{Engine, Event, Meta};
use bytehop_core::i18n::Lang;
use bytehop_core::model::{HopKind, HopRow, Summary};
use bytehop_core::reconstruct::{NoSink, Reconstructor, Sink};
use bytehop_core::record::open_events;
use bytehop_core::report::{self, Lines, export};
use common::python::python;
use common::recordings;
use serde_json::Value;

fn read(path: &Path, sink: &mut impl Sink) -> Summary {
    let mut reconstructor = Reconstructor::new(Arch::X86_64);
    for event in open_events(path).expect("a recording") {
        reconstructor.push(&event, sink);
    }
    reconstructor.drain(sink);
    reconstructor.finish()
}

/// What makes a row, as text, and its count and bytes. (Not the engine: a device may be classified after
/// its first hops.)
type Rows = BTreeMap<Vec<String>, (u64, u64)>;

const KEYS: [&str; 5] = ["kind", "from", "to", "evidence", "deferred"];

/// Adds a hop as JSON has it.
fn add(rows: &mut Rows, hop: &Value) {
    let mut key: Vec<String> = KEYS.iter().map(|key| hop[key].to_string()).collect();
    key.push(hop["probe"].to_string() + &hop["rule"].to_string());
    let row = rows.entry(key).or_default();
    row.0 += hop["count"].as_u64().expect("a count");
    row.1 += hop["bytes"].as_u64().expect("bytes");
}

fn of_summary(summary: &Summary) -> Rows {
    let json = report::json(summary);
    let mut rows = Rows::new();
    for hop in json["hops"].as_array().expect("hops") {
        add(&mut rows, hop);
    }
    rows
}

/// What annotate shows by line, elsewhere and as not known, is what the summary shows, column by column.
#[test]
fn sums_by_line_close() {
    for path in recordings() {
        let mut annotator = Annotator::default();
        let summary = read(&path, &mut annotator);
        let annotation = annotator.finish();
        let rest = [annotation.elsewhere, annotation.unknown];
        let lines = annotation.files.iter().flat_map(|file| file.lines.values());
        let lines: Vec<_> = lines.copied().chain(rest).collect();
        let sum = |of: fn(&Line) -> u64| lines.iter().map(of).sum::<u64>();
        let hops = |kind, late: bool| -> u64 {
            let rows = summary.hops.iter().filter(|row| row.kind == kind);
            let software =
                |row: &&HopRow| row.kind == HopKind::Dma && row.engine == Some(Engine::Software);
            let rows = rows.filter(|row| !software(row));
            rows.filter(|row| row.deferred || !late)
                .map(|row| row.bytes)
                .sum()
        };
        let shown = [
            sum(|line| line.copied),
            sum(|line| line.zeroed),
            sum(|line| line.dma),
            sum(|line| line.dma_deferred),
            sum(|line| line.shared),
            sum(|line| line.mapped),
            sum(|line| line.crossings),
        ];
        let summed = [
            hops(HopKind::Copy, false),
            hops(HopKind::Fill, false),
            hops(HopKind::Dma, false),
            hops(HopKind::Dma, true),
            hops(HopKind::Share, false),
            hops(HopKind::Map, false),
            summary.crossings.total,
        ];
        assert_eq!(shown, summed, "{}", path.display());
    }
}

#[test]
fn lines_add_up_to_the_summary() {
    for path in recordings() {
        let mut lines = Lines::new(Arch::X86_64);
        let mut text = Vec::new();
        for event in open_events(&path).expect("a recording") {
            text.extend_from_slice(lines.event(&event));
        }
        text.extend_from_slice(lines.finish());
        let text = String::from_utf8(text).expect("UTF-8");
        let summary = read(&path, &mut NoSink);
        let mut rows = Rows::new();
        let mut calls: HashMap<String, u64> = HashMap::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let hops = line["hops"].as_array();
            hops.into_iter()
                .flatten()
                .for_each(|hop| add(&mut rows, hop));
            if line["event"] == "hop" {
                add(&mut rows, &line);
            }
            if let (true, Some(name)) = (line["event"] == "syscall", line["call"].as_str()) {
                *calls.entry(name.to_owned()).or_default() += 1;
            }
        }
        assert_eq!(rows, of_summary(&summary), "{}", path.display());
        for row in &summary.syscalls {
            assert_eq!(calls.get(&row.name), Some(&row.calls), "{}", path.display());
        }
    }
}

/// Splits a line of our own CSV, which has no line ends within cells.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("a cell").push(c),
        }
    }
    cells
}

#[test]
fn a_table_has_the_rows_of_the_summary() {
    for path in recordings() {
        let summary = read(&path, &mut NoSink);
        let csv = export::csv(&summary);
        let mut lines = csv.split_terminator("\r\n").map(cells);
        let head = lines.next().expect("a head");
        let at = |name: &str| head.iter().position(|h| h == name).expect("a column");
        let (mut hops, mut calls) = (Vec::new(), Vec::new());
        for line in lines {
            assert_eq!(line.len(), head.len());
            let number = |name: &str| line[at(name)].parse::<u64>().expect("a number");
            match line[at("row")].as_str() {
                "hop" => hops.push((
                    line[at("from")].clone(),
                    line[at("to")].clone(),
                    number("count"),
                    number("bytes"),
                )),
                _ => calls.push((line[at("name")].clone(), number("count"), number("bytes"))),
            }
        }
        let expected: Vec<_> = summary
            .hops
            .iter()
            .map(|r| (r.from.to_string(), r.to.to_string(), r.count, r.bytes))
            .collect();
        assert_eq!(hops, expected);
        let expected: Vec<_> = summary
            .syscalls
            .iter()
            .map(|r| (r.name.clone(), r.calls, r.bytes))
            .collect();
        assert_eq!(calls, expected);
    }
}

/// What each weight of stacks adds up to, by the JSON.
fn weighed(summary: &Summary, weight: export::Weight) -> u64 {
    let json = report::json(summary);
    let sum = |rows: &str, of: &str, counts: fn(&Value) -> bool| -> u64 {
        let rows = json[rows].as_array().expect("rows").iter();
        let rows = rows.filter(|row| counts(row));
        rows.map(|row| row[of].as_u64().expect("a number")).sum()
    };
    match weight {
        export::Weight::Copied => sum("hops", "bytes", |hop| hop["kind"] == "copy"),
        export::Weight::Dma => sum("hops", "bytes", |hop| {
            hop["kind"] == "dma" && hop["engine"] != "software"
        }),
        export::Weight::Time => sum("syscalls", "time_ns", |_| true),
    }
}

fn stacks(path: &Path, weight: export::Weight) -> (Summary, String) {
    let mut folded = export::Folded::new(weight);
    let summary = read(path, &mut folded);
    (summary, folded.finish())
}

/// Frames of a picture: from each title, what `told` makes of it.
fn frames(svg: &str, told: impl Fn(&str, &str) -> (String, u64)) -> Vec<(String, u64)> {
    let titles = svg.split("<title>").collect::<Vec<_>>();
    let frames = titles.windows(2).filter_map(|pair| {
        let (title, _) = pair[1].split_once("</title>")?;
        title.ends_with(')').then(|| told(pair[0], title))
    });
    let mut frames: Vec<(String, u64)> = frames
        .map(|(name, n)| {
            let plain = [
                ("&lt;", "<"),
                ("&gt;", ">"),
                ("&quot;", "\""),
                ("&apos;", "'"),
                ("&#39;", "'"),
                ("&amp;", "&"),
            ];
            (
                plain
                    .iter()
                    .fold(name, |name, (from, to)| name.replace(from, to)),
                n,
            )
        })
        .collect();
    frames.sort();
    frames
}

/// `all (12,345 units, 100%)`
fn by_inferno(_: &str, title: &str) -> (String, u64) {
    let (name, rest) = title.rsplit_once(" (").expect("a number");
    let (n, _) = rest.split_once(" units").expect("units");
    (
        name.to_owned(),
        n.replace(',', "").parse().expect("a number"),
    )
}

/// `all: 12.1 KiB (100.0 %)` behind `data-weight="12345">`
fn by_us(before: &str, title: &str) -> (String, u64) {
    let (name, _) = title.rsplit_once(": ").expect("an amount");
    let (_, n) = before.rsplit_once("data-weight=\"").expect("a weight");
    (
        name.to_owned(),
        n.trim_end_matches("\">").parse().expect("a number"),
    )
}

/// inferno (crates.io) draws the stacks of every recording as flame graphs, whose whole is the JSON's; our own
/// have the same frames.
#[test]
fn flame_graphs_are_drawn_by_inferno() {
    let program =
        std::env::var("BYTEHOP_INFERNO").unwrap_or_else(|_| "inferno-flamegraph".to_owned());
    let draw = |stacks: &str| -> std::io::Result<String> {
        let mut child = Command::new(&program)
            .args(["--countname", "units", "--factor", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(stacks.as_bytes())?;
        drop(stdin);
        let out = child.wait_with_output()?;
        assert!(out.status.success(), "inferno refuses:\n{stacks}");
        Ok(String::from_utf8(out.stdout).expect("UTF-8"))
    };
    if draw("a;b 1\n").is_err() {
        return common::python::not_run("there is no inferno-flamegraph (`cargo xtask setup`)");
    }
    let mut drawn = [0; 3];
    for path in recordings() {
        for ((name, weight), drawn) in export::Weight::ALL.into_iter().zip(&mut drawn) {
            let (summary, stacks) = stacks(&path, weight);
            let total = weighed(&summary, weight);
            if stacks.is_empty() {
                assert_eq!(total, 0, "{}: {name}", path.display());
                continue;
            }
            *drawn += 1;
            let svg = draw(&stacks).expect("inferno runs");
            // `<title>all (12,345 units, 100%)</title>`
            let all = svg
                .split_once("<title>all (")
                .and_then(|(_, rest)| rest.split_once(" units"));
            let all = all.expect("the whole").0.replace(',', "");
            assert_eq!(all, total.to_string(), "{}: {name}", path.display());

            let mut folded = export::Folded::new(weight);
            read(&path, &mut folded);
            let own = frames(&export::flame_graph(&folded, Lang::En), by_us);
            let mut theirs = frames(&svg, by_inferno);
            // Half a unit of 1,200 is seen.
            theirs.retain(|(_, n)| *n as f64 * 1200.0 / total as f64 >= 0.5);
            assert_eq!(own, theirs, "{}: {name}", path.display());
        }
    }
    assert!(drawn.iter().all(|n| *n > 20), "{drawn:?} graphs");
}

#[test]
fn stacks_add_up_to_the_summary() {
    let mut with_lines = 0;
    for path in recordings() {
        for (name, weight) in export::Weight::ALL {
            let (summary, text) = stacks(&path, weight);
            let mut sum = 0;
            for line in text.lines() {
                let (stack, weight) = line.rsplit_once(' ').expect("a weight");
                assert!(stack.split(';').all(|frame| !frame.is_empty()), "{line}");
                sum += weight.parse::<u64>().expect("a number");
            }
            let total = weighed(&summary, weight);
            assert_eq!(sum, total, "{}: {name}", path.display());
            with_lines += usize::from(text.contains("main;"));
        }
    }
    assert!(with_lines > 0, "recordings with stacks");
}

#[test]
fn text_for_people_has_every_row() {
    for path in recordings() {
        let summary = read(&path, &mut NoSink);
        for lang in [Lang::En, Lang::Zh] {
            let markdown = export::markdown(&summary, lang);
            let rows: Vec<Vec<&str>> = markdown
                .lines()
                .filter(|line| line.starts_with("| "))
                .map(|line| line.split(" | ").collect())
                .collect();
            let hops = rows.iter().filter(|row| row.len() == 6).skip(2);
            let bytes: Vec<u64> = hops.map(|row| row[3].parse().expect("a number")).collect();
            let expected: Vec<u64> = summary.hops.iter().map(|row| row.bytes).collect();
            assert_eq!(bytes, expected, "{markdown}");

            let svg = export::svg(&summary, lang);
            assert_eq!(svg.matches("<g>").count(), summary.hops.len());
            assert!(svg.contains("<title id=\"title\">") && svg.contains("<desc id=\"desc\">"));
            // It asks for nothing from anywhere.
            assert_eq!(svg.matches("http").count(), 1, "the name space");
        }
    }
}

/// What someone else named cannot be markup.
#[test]
fn hostile_names_are_text() {
    let mut summary = Summary {
        command: vec![
            "</title><script>alert(1)</script>".into(),
            "\u{202e}|`".into(),
        ],
        kernel: "<b>&\u{1b}[31m".into(),
        ..Summary::default()
    };
    summary.warnings.push(bytehop_core::notice::Notice::Foreign(
        "| <img src=x> `".to_owned(),
    ));
    for lang in [Lang::En, Lang::Zh] {
        let svg = export::svg(&summary, lang);
        assert!(
            !svg.contains("<script") && !svg.contains('\u{202e}'),
            "{svg}"
        );
        let markdown = export::markdown(&summary, lang);
        assert!(
            !markdown.contains("<img") && !markdown.contains('\u{1b}'),
            "{markdown}"
        );
        assert!(!markdown.contains("\n<") && !markdown.contains('\u{202e}'));
    }
}

fn time_line(path: &Path) -> Vec<u8> {
    let sources = open_events(path)
        .expect("a recording")
        .filter_map(|event| match event {
            Event::Meta(Meta::Source(source)) => Some((source.id, source)),
            _ => None,
        })
        .collect();
    let mut perfetto = export::Perfetto::new(sources);
    read(path, &mut perfetto);
    perfetto.take()
}

/// Perfetto's own protocol buffers (PyPI: `perfetto`, `protobuf`) read every time line, and find the
/// numbers of the summary in it.
#[test]
fn time_lines_are_read_by_perfettos_own_protocol() {
    let script = format!("{}/tests/time_line.py", env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("a directory");
    for (i, path) in recordings().iter().enumerate() {
        let summary = read(path, &mut NoSink);
        let base = dir.path().join(i.to_string());
        std::fs::write(base.with_extension("pftrace"), time_line(path)).expect("written");
        std::fs::write(base.with_extension("json"), report::json_string(&summary))
            .expect("written");
    }
    python(&script, &["perfetto", "google.protobuf"], dir.path());
    if std::env::var_os("BYTEHOP_TRACE_PROCESSOR").is_none() {
        // Debian's package `perfetto` is without it, and PyPI's downloads it from outside the registry.
        let why = "time_line_sql.py: BYTEHOP_TRACE_PROCESSOR names no trace_processor";
        return common::python::not_run(why);
    }
    let script = format!("{}/tests/time_line_sql.py", env!("CARGO_MANIFEST_DIR"));
    python(&script, &["perfetto"], dir.path());
}

/// DuckDB (PyPI: `duckdb`) reads all recordings as one table, with the numbers of their JSON; every query of
/// docs/exports.md is run, and those of the Chinese document are the same.
#[test]
fn recordings_are_one_table() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let document = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).expect(path);
    let document = [document("docs/exports.md"), document("docs/zh/exports.md")];
    let queries = document.each_ref().map(|text| {
        let blocks = text.split("```sql\n").skip(1);
        blocks
            .map(|block| block.split("```").next())
            .collect::<Vec<_>>()
    });
    assert_eq!(queries[0], queries[1]);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("exports.md"), &document[0]).expect("written");
    for (i, path) in recordings().iter().enumerate() {
        let mut annotator = Annotator::default();
        let summary = read(path, &mut annotator);
        let name = i.to_string();
        let table = export::parquet(&name, &summary, &annotator.finish());
        let base = dir.path().join(&name);
        std::fs::write(base.with_extension("parquet"), table).expect("written");
        std::fs::write(base.with_extension("json"), report::json_string(&summary))
            .expect("written");
    }
    let script = format!("{}/tests/tables.py", env!("CARGO_MANIFEST_DIR"));
    python(&script, &["duckdb"], dir.path());
}
