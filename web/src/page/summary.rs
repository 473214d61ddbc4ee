//! A run in words and tables: what the screens show, for whoever does not see them.

use std::fmt::Write;

use bytehop_core::histogram::Histogram;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{HopRow, Summary};
use bytehop_core::notice::{Why, hook};
use bytehop_core::report::compare::{bar, eighths};
use bytehop_core::report::export::{Folded, flame_graph_in_page};
use bytehop_core::terms;
use bytehop_core::units;
use tui::svg::path_svg;
use tui::theme::Theme;
use tui::words as common;

use super::html::{escape, name};
use super::words;

/// Cells of the longest bar of a histogram.
const BAR: usize = 24;

/// What was run.
pub fn title(summary: &Summary, lang: Lang) -> String {
    let what = match (summary.command.as_slice(), summary.by_process.first()) {
        ([], Some(process)) => words::process(lang, process.pid, &process.comm),
        // As the screens call it: without the folder.
        ([program, args @ ..], _) => {
            let name = program.rsplit('/').next().unwrap_or(program);
            [&[name.to_owned()], args].concat().join(" ")
        }
        ([], None) => String::new(),
    };
    format!("bytehop: {what}")
}

/// The summary, as the content of an article in one language.
pub fn write(out: &mut String, summary: &Summary, stacks: &Folded, lang: Lang) {
    heading(out, words::bytes_went(lang));
    path(out, summary, lang);
    hops(out, summary, lang);
    flames(out, stacks, lang);
    heading(out, words::run(lang));
    facts(out, summary, lang);
    calls(out, summary, lang);
    histograms(out, summary, lang);
    devices(out, summary, lang);
    processes(out, summary, lang);
    findings(out, summary, lang);
    let _ = writeln!(
        out,
        "<p class=\"hint\">{}</p>",
        escape(&words::made_by(lang, &summary.bytehop))
    );
}

/// Where the bytes went and by which calls, as tables alone.
pub(crate) fn tables(out: &mut String, summary: &Summary, lang: Lang) {
    hops(out, summary, lang);
    calls(out, summary, lang);
    devices(out, summary, lang);
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "<h2>{}</h2>", escape(text));
}

/// The path as a picture, with a title and every arrow in words.
fn path(out: &mut String, summary: &Summary, lang: Lang) {
    if summary.hops.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(words::no_hops(lang)));
        return;
    }
    let told: Vec<String> = summary.hops.iter().map(|row| told(row, lang)).collect();
    let (title, told) = (
        escape(&words::path_of(lang, title(summary, lang))),
        escape(&told.join("; ")),
    );
    let tag = match lang {
        Lang::En => "en",
        Lang::Zh => "zh",
    };
    for (theme, class) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let id = format!("path-{tag}-{class}");
        let words =
            format!("<title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{told}</desc>");
        let picture = path_svg(summary, lang, theme).replacen(
            " role=\"img\"",
            &format!(" role=\"img\" aria-labelledby=\"{id}-t\" aria-describedby=\"{id}-d\""),
            1,
        );
        let picture = picture.replacen(">\n", &format!(">\n{words}"), 1);
        let _ = writeln!(
            out,
            "<figure class=\"{class}\" tabindex=\"0\">{picture}</figure>"
        );
    }
}

/// From where in the program the kernel's copies come, if stacks were recorded.
fn flames(out: &mut String, stacks: &Folded, lang: Lang) {
    heading(out, words::flames(lang));
    if !stacks.has_stacks() {
        let _ = writeln!(out, "<p>{}</p>", escape(words::no_stacks(lang)));
        return;
    }
    let id = match lang {
        Lang::En => "flame-en",
        Lang::Zh => "flame-zh",
    };
    let picture = flame_graph_in_page(stacks, lang, id);
    let _ = writeln!(out, "<figure tabindex=\"0\">{picture}</figure>");
}

fn told(row: &HopRow, lang: Lang) -> String {
    words::hop_told(
        lang,
        common::kind(lang, row.kind),
        common::place(lang, &row.from),
        common::place(lang, &row.to),
        units::bytes(row.bytes),
        units::count(row.count),
        known(row, lang),
    )
}

/// `measured: tp:block_rq_complete`.
fn known(row: &HopRow, lang: Lang) -> String {
    let how = terms::evidence(row.evidence.known(), lang);
    words::known_by(lang, how, row.evidence.by())
}

/// A cell: text, or a number at the right.
enum Cell {
    Text(String),
    Name(String),
    Number(String),
    /// A bar beside a number that says the same.
    Bar(String),
}

fn table(out: &mut String, caption: &str, head: &[(&str, bool)], rows: Vec<Vec<Cell>>) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<div class=\"wide\" tabindex=\"0\"><table><caption>{}</caption><thead><tr>",
        escape(caption)
    );
    for (title, number) in head {
        if title.is_empty() {
            // A heading without a word is none.
            out.push_str("<td></td>");
            continue;
        }
        let class = if *number { " class=\"n\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(title));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = match cell {
                Cell::Text(text) => write!(out, "<td>{}</td>", escape(&text)),
                Cell::Name(text) => write!(out, "<td>{}</td>", name(&text)),
                Cell::Number(text) => write!(out, "<td class=\"n\">{}</td>", escape(&text)),
                Cell::Bar(bar) => write!(out, "<td class=\"bar\" aria-hidden=\"true\">{bar}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn number(n: u64) -> Cell {
    Cell::Number(units::count(n))
}

fn bytes(n: u64) -> Cell {
    Cell::Number(units::bytes(n))
}

fn hops(out: &mut String, summary: &Summary, lang: Lang) {
    let head = [
        (words::kind(lang), false),
        (words::from(lang), false),
        (words::to(lang), false),
        (words::bytes(lang), true),
        (words::count(lang), true),
        (words::known(lang), false),
        (terms::later(lang), false),
    ];
    let rows = summary.hops.iter().map(|row| {
        let kind = common::kind(lang, row.kind);
        let kind = match row.engine {
            Some(engine) => words::kind_by(lang, kind, common::engine(lang, engine)),
            None => kind.to_owned(),
        };
        vec![
            Cell::Text(kind),
            Cell::Name(common::place(lang, &row.from)),
            Cell::Name(common::place(lang, &row.to)),
            bytes(row.bytes),
            number(row.count),
            Cell::Text(known(row, lang)),
            Cell::Text(match row.deferred {
                true => terms::later(lang).to_owned(),
                false => String::new(),
            }),
        ]
    });
    table(out, words::hops(lang), &head, rows.collect());
}

fn facts(out: &mut String, summary: &Summary, lang: Lang) {
    let exit = summary.exit_status;
    let (crossings, faults) = (&summary.crossings, &summary.page_faults);
    let switches = &summary.context_switches;
    let count = units::count;
    let mut list = vec![
        (words::command(lang), summary.command.join(" ")),
        (
            words::ended(lang),
            exit.map_or_else(|| words::not_seen(lang).to_owned(), |code| code.to_string()),
        ),
        (words::duration(lang), units::time(summary.duration_ns)),
        (
            words::machine(lang),
            format!("Linux {} {}", summary.kernel, summary.arch),
        ),
        (words::level(lang), summary.level.clone()),
        (words::lost(lang), count(summary.lost_events)),
    ];
    let told = |n| match summary.knows_user_faults() {
        true => count(n),
        false => "?".to_owned(),
    };
    let account = summary.ledger.sentences(lang).into_iter();
    list.extend(account.map(|sentence| (words::account(lang), sentence)));
    list.extend([
        (
            words::crossings(lang),
            words::crossings_of(
                lang,
                told(crossings.total),
                count(crossings.syscall / 2),
                told(crossings.page_fault / 2),
            ),
        ),
        (
            words::faults(lang),
            words::faults_of(lang, count(faults.minor), count(faults.major)),
        ),
        (
            words::switches(lang),
            words::switches_of(lang, count(switches.voluntary), count(switches.involuntary)),
        ),
        (words::waited(lang), units::time(summary.waits.time_ns)),
    ]);
    let cpu = summary.cpu_ns.into_iter();
    list.extend(cpu.map(|ns| (words::cpu_time(lang), units::time(ns))));
    out.push_str("<dl>\n");
    for (term, text) in list {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(term), name(&text));
    }
    out.push_str("</dl>\n");
}

fn calls(out: &mut String, summary: &Summary, lang: Lang) {
    let head = [
        (words::call(lang), false),
        (words::count(lang), true),
        (words::errors(lang), true),
        (words::bytes(lang), true),
        (words::time(lang), true),
    ];
    let rows = summary.syscalls.iter().map(|row| {
        vec![
            Cell::Name(row.name.clone()),
            number(row.calls),
            number(row.errors),
            bytes(row.bytes),
            Cell::Number(units::time(row.time_ns)),
        ]
    });
    table(out, words::calls(lang), &head, rows.collect());
}

/// Calls and hops by how much they moved and how long they took: tables for each name.
fn histograms(out: &mut String, summary: &Summary, lang: Lang) {
    let calls = summary.syscalls.iter();
    let calls: Vec<_> = calls
        .map(|row| (row.name.clone(), &row.sizes, &row.times))
        .collect();
    spread(out, words::calls_by_size(lang), calls, lang);
    let hops = summary.hops.iter();
    let hops: Vec<_> = hops
        .map(|row| (hop(row, lang), &row.sizes, &row.times))
        .collect();
    spread(out, words::hops_by_size(lang), hops, lang);
}

/// `copy, page cache → user memory (read-returns-copied)`.
fn hop(row: &HopRow, lang: Lang) -> String {
    let kind = common::kind(lang, row.kind);
    let (from, to) = (common::place(lang, &row.from), common::place(lang, &row.to));
    let name = words::hop_named(lang, kind, from, to, row.evidence.by());
    match row.deferred {
        true => words::later(lang, name),
        false => name,
    }
}

/// Tables that are opened by whoever wants them.
fn spread(out: &mut String, title: &str, all: Vec<(String, &Histogram, &Histogram)>, lang: Lang) {
    let told = |histogram: &Histogram| !histogram.is_empty();
    if !all
        .iter()
        .any(|(_, sizes, times)| told(sizes) || told(times))
    {
        return;
    }
    let _ = writeln!(out, "<details><summary>{}</summary>", escape(title));
    for (name, sizes, times) in all {
        let parts = [
            (words::bytes(lang), sizes, units::bytes as fn(u64) -> String),
            (words::time(lang), times, units::time),
        ];
        for (what, histogram, text) in parts {
            let head = [(what, true), (words::count(lang), true), ("", false)];
            let most = histogram.buckets().map(|(_, n)| n).max().unwrap_or(1);
            let rows = histogram.buckets().map(|(from, n)| {
                vec![
                    Cell::Number(format!("≥ {}", text(from))),
                    number(n),
                    Cell::Bar(bar(eighths(n, most, BAR), false)),
                ]
            });
            let caption = words::histogram_of(lang, &name, what);
            table(out, &caption, &head, rows.collect());
        }
    }
    out.push_str("</details>\n");
}

fn devices(out: &mut String, summary: &Summary, lang: Lang) {
    let head = [
        (words::device(lang), false),
        (words::driver(lang), false),
        (words::kind(lang), false),
        (words::read(lang), true),
        (words::written(lang), true),
    ];
    let rows = summary.devices.iter().map(|row| {
        vec![
            Cell::Name(row.name.clone()),
            Cell::Name(row.driver.clone()),
            Cell::Text(common::engine(lang, row.engine).to_owned()),
            bytes(row.read_bytes),
            bytes(row.write_bytes),
        ]
    });
    table(out, words::devices(lang), &head, rows.collect());
}

fn processes(out: &mut String, summary: &Summary, lang: Lang) {
    let head = [
        ("pid", true),
        (words::comm(lang), false),
        (words::calls(lang), true),
        (words::faults(lang), true),
        (words::copied(lang), true),
    ];
    let rows = summary.by_process.iter().map(|row| {
        vec![
            Cell::Number(row.pid.to_string()),
            Cell::Name(row.comm.clone()),
            number(row.syscalls),
            number(row.user_faults),
            bytes(row.copied),
        ]
    });
    table(out, words::processes(lang), &head, rows.collect());
}

/// What is not whole, differs, or could not be seen.
fn findings(out: &mut String, summary: &Summary, lang: Lang) {
    let mut list: Vec<String> = summary
        .warnings
        .iter()
        .map(|notice| notice.words(lang))
        .collect();
    list.extend(summary.disagreements.iter().map(|found| {
        let (expected, seen) = (units::count(found.expected), units::count(found.found));
        words::disagreement(lang, found.words(lang), expected, seen, found.claim.name())
    }));
    let never = summary.never_returned.iter();
    list.extend(never.map(|(call, n)| words::never_returned(lang, call, n)));
    let missing = summary.missing_probes.iter();
    list.extend(
        missing
            .map(|(probe, why)| words::missing(lang, hook(probe, lang), Why::of(why).words(lang))),
    );
    heading(out, words::findings(lang));
    if list.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(words::nothing_lost(lang)));
        return;
    }
    out.push_str("<ul>\n");
    for text in list {
        let _ = writeln!(out, "<li>{}</li>", name(&text));
    }
    out.push_str("</ul>\n");
}

#[cfg(test)]
mod tests {
    use bytehop_core::catalogue::Tracepoint;
    use bytehop_core::model::{Evidence, HopKind, Place, SyscallRow};

    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    #[test]
    fn tables_of_sizes_and_times_have_what_the_summary_has() {
        let call = SyscallRow {
            name: "<read>".to_owned(),
            sizes: of(&[4096, 5000, 0]),
            times: of(&[1500, 1600, 3_000_000]),
            ..SyscallRow::default()
        };
        let hop = HopRow {
            kind: HopKind::Dma,
            from: Place::PageCache,
            to: Place::Device("vda".to_owned()),
            count: 1,
            bytes: 1 << 20,
            evidence: Evidence::tracepoint(Tracepoint::block_rq_complete),
            deferred: true,
            engine: None,
            cpu_ns: None,
            sizes: of(&[1 << 20]),
            times: Histogram::default(),
        };
        let summary = Summary {
            syscalls: vec![call],
            hops: vec![hop],
            ..Summary::default()
        };
        let mut out = String::new();
        histograms(&mut out, &summary, Lang::En);
        // Captions, and rows without their bars, one after the other.
        let text = out.replace("</td><td class=\"n\">", " × ");
        let told: Vec<&str> = text
            .split('<')
            .filter_map(|part| {
                let (tag, text) = part.split_once('>')?;
                let wanted = tag == "caption" || text.contains('×') || tag == "summary";
                wanted.then_some(text.trim())
            })
            .collect();
        assert_eq!(
            told,
            [
                "System calls by size and by time",
                "&lt;read&gt;: bytes",
                "≥ 0 B × 1",
                "≥ 4.00 KiB × 2",
                "&lt;read&gt;: time",
                "≥ 1.02 µs × 2",
                "≥ 2.10 ms × 1",
                "Hops by size and by time",
                "dma, page cache → vda (tp:block_rq_complete), later: bytes",
                "≥ 1.00 MiB × 1",
            ]
        );
        // Half of the longest bar beside it.
        assert_eq!(out.matches('█').count(), 12 + 24 + 24 + 12 + 24);

        let mut none = String::new();
        histograms(&mut none, &Summary::default(), Lang::Zh);
        assert_eq!(none, "");
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let cells = |n, most| {
            let bar = bar(eighths(n, most, BAR), false);
            bar.chars()
                .map(|c| u32::from('█') + 8 - u32::from(c))
                .collect::<Vec<_>>()
        };
        let long = |n, most| cells(n, most).iter().sum::<u32>();
        assert_eq!((long(5, 5), long(1, 2), long(1, 192)), (24 * 8, 12 * 8, 1));
        // Few among many are seen, and nothing is longer than the longest.
        assert_eq!((long(1, u64::MAX), long(9, 0)), (1, 24 * 8));
        let mut last = 0;
        for n in 1..=1000 {
            let now = long(n, 1000);
            assert!(now >= last);
            last = now;
        }
    }
}
