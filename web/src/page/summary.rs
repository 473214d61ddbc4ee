//! A run in words and tables: what the screens show, for whoever does not see them.

use std::fmt::Write;

use bytehop_core::i18n::Lang;
use bytehop_core::model::{HopRow, Known, Summary};
use bytehop_core::notice::{Why, hook};
use bytehop_core::units;
use tui::svg::path_svg;
use tui::theme::Theme;
use tui::words as common;

use super::html::{escape, name};
use super::words;

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
pub fn write(out: &mut String, summary: &Summary, lang: Lang) {
    heading(out, words::bytes_went(lang));
    path(out, summary, lang);
    hops(out, summary, lang);
    heading(out, words::run(lang));
    facts(out, summary, lang);
    calls(out, summary, lang);
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
        let _ = writeln!(out, "<figure class=\"{class}\">{picture}</figure>");
    }
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
    let how = match row.evidence.known() {
        Known::Measured => common::measured(lang),
        Known::Inferred => common::inferred(lang),
        Known::Estimated => common::estimated(lang),
    };
    words::known_by(lang, how, row.evidence.by())
}

/// A cell: text, or a number at the right.
enum Cell {
    Text(String),
    Name(String),
    Number(String),
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
        (words::deferred(lang), false),
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
                true => words::deferred(lang).to_owned(),
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
