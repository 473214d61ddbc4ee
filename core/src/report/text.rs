//! The text report: what the program did, in the words of the domain model.

use super::layout::{Flow, Page, Paint, clean, shorten, span, width};
use super::ledger::{self, Mover};
use super::lists::{self, fold};
use super::section::{painted_section, plain, section};
use super::{Detail, Style, names, words};
use crate::event::DeviceClass;
use crate::i18n::Lang;
use crate::linux::signal_name;
use crate::model::{CpuTime, Estimate, Summary};
use crate::notice::{Why, hook};
use crate::units;

/// Missing probes named before "… more".
const FOLD_MISSING: usize = 3;

/// The report of one run. Every line ends in a newline and fits `style.width`.
pub fn text(summary: &Summary, style: &Style) -> String {
    let mut page = Page::new(style);
    title(&mut page, summary);
    losses(&mut page, summary);
    if style.detail == Detail::Quiet {
        totals(&mut page, summary);
        if !summary.ledger.open.is_empty() {
            account(&mut page, summary);
        }
    } else {
        page.blank();
        ledger::write(&mut page, summary);
        page.blank();
        account(&mut page, summary);
        counters(&mut page, summary);
        lists::calls(&mut page, summary);
        lists::io(&mut page, summary);
        lists::devices(&mut page, summary);
        lists::interrupts(&mut page, summary);
        names::write(&mut page, summary);
        lists::processes(&mut page, summary);
        if style.detail == Detail::Verbose {
            names::histograms(&mut page, summary);
        }
    }
    findings(&mut page, summary);
    page.finish()
}

/// Command, how it ended, and what the numbers rest on: in one line if it is wide enough.
fn title(page: &mut Page, summary: &Summary) {
    let (lang, ascii) = (page.style.lang, page.style.ascii);
    let command = match summary.command.as_slice() {
        [] => match summary.by_process.first() {
            Some(process) => words::attached_to(lang, process.pid, &process.comm),
            None => words::attached(lang).to_owned(),
        },
        command => command_line(command),
    };
    let command = clean(&command, ascii);
    let time = units::time(summary.duration_ns);
    let end = match summary.exit_status {
        None if summary.command.is_empty() => words::running_after(lang, time),
        None => words::end_not_seen(lang, time),
        Some(code) => match code
            .checked_sub(128)
            .and_then(|n| u32::try_from(n).ok())
            .and_then(signal_name)
        {
            Some(signal) => words::exit_signal_in(lang, code, signal, time),
            None => words::exit_in(lang, code, time),
        },
    };
    let end = clean(&end, ascii);
    let lost = match summary.lost_events {
        0 if summary.warnings.is_empty() => span(words::nothing_lost(lang), Paint::Good),
        0 => span(words::not_whole(lang), Paint::Warn),
        n => span(words::lost(lang, n), Paint::Warn),
    };
    // The version; what a distribution adds to it only where everything is told.
    let release = match page.style.detail {
        Detail::Verbose => &summary.kernel,
        _ => version(&summary.kernel),
    };
    let kernel = clean(&words::kernel(lang, release), ascii);
    let level = words::level(lang, &summary.level);
    let facts = [level, kernel];
    let good = matches!(summary.exit_status, Some(0) | None);
    let end_paint = if good { Paint::Plain } else { Paint::Warn };

    let left = width("bytehop: ") + width(&command) + 2 + width(&end);
    let right: usize = facts.iter().map(|fact| width(fact) + 2).sum::<usize>() + width(&lost.text);
    let name = span("bytehop: ", Paint::Quiet);
    if left + 4 + right <= page.width() {
        let gap = " ".repeat(page.width() - left - right);
        let spans = [
            name,
            span(command, Paint::Strong),
            span(format!("  {end}"), end_paint),
            span(gap + &facts.join("  ") + "  ", Paint::Plain),
            lost,
        ];
        page.line(&spans, Flow::default(), 0);
    } else {
        let room = page.width() - width("bytehop: ");
        page.line(
            &[name, span(shorten(&command, room, ascii), Paint::Strong)],
            Flow::default(),
            0,
        );
        let mut parts = vec![Flow::words(&end, end_paint)];
        parts.extend(facts.map(|fact| Flow::solid(fact, Paint::Plain)));
        parts.push(Flow::solid(lost.text, lost.paint));
        page.line(&[span("  ", Paint::Plain)], Flow::join(parts, " ·"), 2);
    }
}

/// `6.12.95` of `6.12.95+deb12-amd64`.
fn version(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.');
    match end.and_then(|end| release.get(..end)) {
        Some("") | None => release,
        Some(version) => version,
    }
}

/// A command as one would type it in a shell.
fn command_line(command: &[String]) -> String {
    let plain = |arg: &str| {
        !arg.is_empty()
            && arg
                .chars()
                .all(|c| c.is_alphanumeric() || "%+,-./:=@^_~".contains(c))
    };
    let quote = |arg: &String| match plain(arg) {
        true => arg.clone(),
        false => format!("'{}'", arg.replace('\'', r"'\''")),
    };
    command.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A trace with gaps says so before any number.
fn losses(page: &mut Page, summary: &Summary) {
    if summary.lost_events == 0 {
        return;
    }
    page.line(
        &[span("  ! ", Paint::Warn)],
        Flow::words(&lost(summary, page.style.lang), Paint::Warn),
        4,
    );
}

/// What was lost, of a trace that lost something.
pub fn lost(summary: &Summary, lang: Lang) -> String {
    let mut text = words::incomplete(lang).to_owned();
    let kinds: Vec<String> = lost_words(&summary.lost_by_kind, lang)
        .into_iter()
        .map(|(kind, n)| words::lost_kind(lang, kind, units::count(n)))
        .collect();
    text.push(' ');
    match kinds.is_empty() {
        true => text.push_str(words::lost_unknown_kinds(lang)),
        false => text.push_str(&(kinds.join(words::comma_space(lang)) + words::full_stop(lang))),
    }
    text
}

/// Kinds of lost records in the reader's words, most lost first.
fn lost_words(by_kind: &[(String, u64)], lang: Lang) -> Vec<(&'static str, u64)> {
    let mut found: Vec<(&'static str, u64)> = Vec::new();
    for (kind, n) in by_kind {
        let word = match kind.as_str() {
            "syscall" | "syscall_file" => words::lost_calls(lang),
            "extra" => words::lost_extras(lang),
            "fault" => words::lost_faults(lang),
            "block" => words::lost_blocks(lang),
            "xmit" => words::lost_packets(lang),
            "uring" => words::lost_uring(lang),
            "switch" => words::lost_switches(lang),
            "fork" | "exec" | "exit" => words::lost_processes(lang),
            "name" => words::lost_names(lang),
            "dirty" => words::lost_dirty(lang),
            _ => words::lost_others(lang),
        };
        match found.iter_mut().find(|(known, _)| *known == word) {
            Some((_, sum)) => *sum = sum.saturating_add(*n),
            None => found.push((word, *n)),
        }
    }
    found.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    found
}

/// Everything in a few words, for `-q`.
fn totals(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let mut parts: Vec<Flow> = [Mover::Cpu, Mover::Device, Mover::Nobody]
        .into_iter()
        .map(|mover| ledger::totals(summary, mover, lang))
        .filter(|part| !part.is_empty())
        .collect();
    parts.push(Flow::solid(
        words::crossings_short(lang, crossed(summary)),
        Paint::Plain,
    ));
    section(page, words::label_totals(lang), Flow::join(parts, " ·"));
}

/// All crossings: `?` where some are not known.
pub(super) fn crossed(summary: &Summary) -> String {
    match summary.knows_user_faults() {
        true => units::count(summary.crossings.total),
        false => "?".to_owned(),
    }
}

/// Crossings, faults, waits.
fn counters(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let list = |parts| Flow::join(parts, words::comma(lang));

    let crossings = &summary.crossings;
    let calls = words::syscalls(lang, crossings.syscall / 2);
    let faults = match summary.knows_user_faults() {
        true => words::faults(lang, crossings.page_fault / 2),
        false => words::faults_unknown(lang).to_owned(),
    };
    let mut parts = vec![plain(words::crossings(
        lang,
        crossed(summary),
        calls,
        faults,
    ))];
    parts.extend(
        crossings
            .interrupt
            .map(|n| Flow::solid(words::interrupts(lang, n), Paint::Plain)),
    );
    section(page, words::label_crossings(lang), list(parts));

    let faults = &summary.page_faults;
    if faults.minor > 0 || faults.major > 0 {
        let kinds =
            words::fault_kinds(lang, units::count(faults.minor), units::count(faults.major));
        let user = match summary.knows_user_faults() {
            true => units::count(faults.user),
            false => "?".to_owned(),
        };
        let mut parts = vec![plain(kinds), plain(words::fault_user(lang, user))];
        if faults.mapped_pages > 0 {
            parts.push(Flow::solid(
                words::fault_pages(lang, faults.mapped_pages),
                Paint::Plain,
            ));
        }
        section(page, words::label_faults(lang), list(parts));
    }

    let waits = &summary.waits;
    let switches = &summary.context_switches;
    let mut parts = Vec::new();
    if waits.count > 0 {
        parts.push(plain(words::waits(
            lang,
            units::time(waits.time_ns),
            words::waits_count(lang, waits.count),
        )));
    }
    if waits.device_ns > 0 {
        let mut disks = summary
            .devices
            .iter()
            .filter(|device| device.class == DeviceClass::Block);
        let device = match (disks.next(), disks.next()) {
            (Some(only), None) => &only.name,
            _ => words::a_device(lang),
        };
        parts.push(plain(words::waits_device(
            lang,
            units::time(waits.device_ns),
            device,
        )));
    }
    section(page, words::label_waits(lang), list(parts));
    if switches.voluntary > 0 || switches.involuntary > 0 {
        let (voluntary, involuntary) = (
            units::count(switches.voluntary),
            units::count(switches.involuntary),
        );
        section(
            page,
            words::label_switches(lang),
            plain(words::switches(lang, voluntary, involuntary)),
        );
    }
    let cpu = summary
        .cpu_ns
        .map(|ns| Flow::solid(units::time(ns), Paint::Plain))
        .unwrap_or_default();
    section(page, words::label_time(lang), cpu);
    if let Some(sampled) = &summary.cpu_time {
        let parts = copying_time(sampled, page.style);
        section(page, words::label_copying(lang), list(parts));
    }
    cost(page, summary);
}

/// What tracing took: the times before it include it.
fn cost(page: &mut Page, summary: &Summary) {
    let (lang, detail) = (page.style.lang, page.style.detail);
    let Some(cost) = &summary.cost else {
        return;
    };
    let total = words::cost(lang, units::time(cost.time_ns), units::count(cost.runs));
    let mut parts = vec![plain(total)];
    let shown = match detail {
        Detail::Verbose => cost.probes.len(),
        _ => fold(cost.probes.len(), FOLD_MISSING),
    };
    parts.extend(cost.probes[..shown].iter().map(|probe| {
        let (time, runs) = (units::time(probe.time_ns), units::count(probe.runs));
        plain(words::cost_probe(lang, &probe.probe, time, runs))
    }));
    if shown < cost.probes.len() {
        let more = words::cost_more(lang, (cost.probes.len() - shown) as u64);
        parts.push(Flow::words(&more, Paint::Quiet));
    }
    parts.push(Flow::words(words::cost_limits(lang), Paint::Quiet));
    section(
        page,
        words::label_cost(lang),
        Flow::join(parts, words::semicolon(lang)),
    );
}

/// What copying took of the CPU time.
fn copying_time(sampled: &CpuTime, style: &Style) -> Vec<Flow> {
    let lang = style.lang;
    if sampled.samples == 0 {
        return Vec::new();
    }
    let times = |time: &Estimate| (units::time(time.ns), units::time(time.error_ns));
    let mut parts = Vec::new();
    let (copy, error) = times(&sampled.copy);
    parts.push(plain(match sampled.copy.samples {
        0 => words::time_copying_none(lang, error),
        _ => words::time_copying(lang, copy, error),
    }));
    if sampled.fill.samples > 0 {
        let (fill, error) = times(&sampled.fill);
        parts.push(plain(words::time_clearing(lang, fill, error)));
    }
    let samples = words::time_samples(lang, sampled.samples);
    parts.push(Flow::words(&samples, Paint::Quiet));
    parts
}

/// Whether hops account for every byte that calls returned.
fn account(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let ledger = &summary.ledger;
    if ledger.returned == 0 && ledger.open.is_empty() && summary.at_least.is_empty() {
        return;
    }
    let paint = match ledger.open.is_empty() {
        true => Paint::Good,
        false => Paint::Warn,
    };
    let mut parts: Vec<Flow> = ledger
        .sentences(lang)
        .iter()
        .map(|sentence| Flow::words(sentence, paint))
        .collect();
    if !summary.at_least.is_empty() {
        let totals = summary.at_least.join(words::comma_space(lang));
        parts.push(Flow::words(&words::at_least(lang, totals), Paint::Warn));
    }
    let list = Flow::join(parts, words::semicolon(lang));
    section(page, words::label_account(lang), list);
}

/// What the reader must know about the numbers: differences, hooks not there, damage.
fn findings(page: &mut Page, summary: &Summary) {
    let (lang, detail) = (page.style.lang, page.style.detail);
    let mut lines: Vec<(&str, Paint, Flow)> = Vec::new();
    for found in &summary.disagreements {
        let (expected, actual) = (units::count(found.expected), units::count(found.found));
        let text = words::disagreement(
            lang,
            found.words(lang),
            expected,
            actual,
            found.claim.name(),
        );
        let mut parts = plain(text);
        if !found.skipped.is_empty() {
            let text = words::disagreement_skipped(lang, found.skipped.join(", "));
            parts = parts.then(plain(text));
        }
        lines.push((words::label_disagree(lang), Paint::Warn, parts));
    }
    if detail != Detail::Quiet && !summary.missing_probes.is_empty() {
        let probes = &summary.missing_probes;
        let shown = if detail == Detail::Verbose {
            probes.len()
        } else {
            fold(probes.len(), FOLD_MISSING)
        };
        let mut parts: Vec<Flow> = probes[..shown]
            .iter()
            .map(|(probe, why)| {
                let (probe, why) = (hook(probe, lang), Why::of(why).words(lang));
                Flow::words(&words::missing(lang, probe, why), Paint::Quiet)
            })
            .collect();
        if shown < probes.len() {
            let more = words::missing_more(lang, (probes.len() - shown) as u64);
            parts.push(Flow::words(&more, Paint::Quiet));
        }
        lines.push((
            words::label_missing(lang),
            Paint::Strong,
            Flow::join(parts, words::semicolon(lang)),
        ));
    }
    for warning in &summary.warnings {
        let text = plain(warning.words(lang));
        lines.push((words::label_warning(lang), Paint::Warn, text));
    }
    let mut last = "";
    for (label, paint, flow) in lines {
        let shown = if label == last { "" } else { label };
        if detail != Detail::Quiet && last.is_empty() {
            page.blank();
        }
        last = label;
        painted_section(page, shown, paint, flow);
    }
}
