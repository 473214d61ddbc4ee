//! The report's lists: calls, bytes that are not in the hop table, devices, processes.

use super::layout::{Flow, Page, Paint, span};
use super::section::{plain, section, write_table};
use super::{Detail, words};
use crate::event::{DeviceClass, Engine};
use crate::i18n::Lang;
use crate::model::{
    Arrived, Context, DeviceRow, IoTotals, Known, ProcessRow, RequestRow, Summary, SyscallRow,
};
use crate::units;

/// Calls named in the folded line, and rows of other lists, before "… more".
const FOLD: usize = 10;
/// The same of interrupts.
const INTERRUPTS: usize = 3;

/// The calls by name: folded into a few lines, or one line each.
pub fn calls(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let mut rows: Vec<&SyscallRow> = summary.syscalls.iter().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse((row.bytes, row.calls)), row.name.as_str()));
    if page.style.detail == Detail::Verbose {
        let table: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let or_blank = |n: u64, text: String| if n == 0 { String::new() } else { text };
                vec![
                    row.name.clone(),
                    units::count(row.calls),
                    or_blank(row.errors, units::count(row.errors)),
                    or_blank(row.bytes, units::bytes(row.bytes)),
                    if row.time_evidence == Known::Estimated {
                        format!("~{}", units::time(row.time_ns))
                    } else {
                        units::time(row.time_ns)
                    },
                ]
            })
            .collect();
        let header = [
            words::label_calls(lang),
            words::column_calls(lang),
            words::column_errors(lang),
            words::column_bytes(lang),
            words::column_time(lang),
        ];
        write_table(page, &header, &[0], &table);
    } else {
        let shown = fold(rows.len(), FOLD);
        let mut parts: Vec<Flow> = rows[..shown].iter().map(|row| call(row, lang)).collect();
        if shown < rows.len() {
            parts.push(Flow::solid(
                words::more_calls(lang, (rows.len() - shown) as u64),
                Paint::Quiet,
            ));
        }
        section(page, words::label_calls(lang), Flow::join(parts, " ·"));
    }
    requests(page, summary);
    let never: Vec<Flow> = summary
        .never_returned
        .iter()
        .map(|(name, n)| Flow::solid(times(name, *n), Paint::Plain))
        .collect();
    if !never.is_empty() {
        let flow = Flow::join(never, " ·").then(Flow::words(words::never_why(lang), Paint::Quiet));
        section(page, words::label_never(lang), flow);
    }
}

/// What was asked of io_uring: by operation, with the errors of what failed.
fn requests(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let shown = match page.style.detail {
        Detail::Verbose => summary.requests.len(),
        _ => fold(summary.requests.len(), FOLD),
    };
    let (rows, more) = summary.requests.split_at(shown);
    let mut parts: Vec<Flow> = rows.iter().map(|row| request(row, lang)).collect();
    if !more.is_empty() {
        let more = words::more_calls(lang, more.len() as u64);
        parts.push(Flow::solid(more, Paint::Quiet));
    }
    if !parts.is_empty() {
        section(page, words::label_requests(lang), Flow::join(parts, " ·"));
    }
}

fn request(row: &RequestRow, lang: Lang) -> Flow {
    let mut flow = Flow::solid(times(&row.name, row.count), Paint::Plain);
    if row.bytes > 0 {
        flow = flow.glue(&format!(" {}", units::bytes(row.bytes)), Paint::Strong);
    }
    if row.errors > 0 {
        let errors = row.errnos.iter().map(|(name, n)| times(name, *n));
        let errors: Vec<String> = errors.collect();
        let errors = errors.join(words::comma_space(lang));
        let failed = words::failed_with(lang, units::count(row.errors), errors);
        flow = flow.glue(&failed, Paint::Warn);
    }
    flow
}

/// How many of `n` to show: all, or `limit` and a line that says how many more.
pub fn fold(n: usize, limit: usize) -> usize {
    if n <= limit + 1 { n } else { limit }
}

fn call(row: &SyscallRow, lang: Lang) -> Flow {
    let mut flow = Flow::solid(times(&row.name, row.calls), Paint::Plain);
    if row.bytes > 0 {
        flow = flow.glue(&format!(" {}", units::bytes(row.bytes)), Paint::Strong);
    }
    if row.errors > 0 {
        flow = flow.glue(&words::failed(lang, units::count(row.errors)), Paint::Warn);
    }
    flow
}

fn times(name: &str, n: u64) -> String {
    if n == 1 {
        name.to_owned()
    } else {
        format!("{name} ×{}", units::count(n))
    }
}

/// Bytes that are not in the hop table, or not yet.
pub fn io(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    if summary.dirty_bytes > 0 {
        let text = words::dirty(lang, units::bytes(summary.dirty_bytes));
        section(page, words::label_dirty(lang), plain(text));
    }
    let lines = [
        (
            words::label_metadata(lang),
            &summary.metadata_io,
            words::metadata_why(lang),
        ),
        (
            words::label_unattributed(lang),
            &summary.unattributed,
            words::unattributed_why(lang),
        ),
    ];
    for (label, totals, why) in lines {
        let parts = io_totals(totals, lang);
        if !parts.is_empty() {
            let flow = Flow::join(parts, words::comma(lang)).glue(words::colon(lang), Paint::Plain);
            section(page, label, flow.then(Flow::words(why, Paint::Quiet)));
        }
    }
}

/// Where the kernel was when a device was done.
pub fn interrupted(context: Context, number: Option<u32>, lang: Lang) -> String {
    let number = number.unwrap_or_default();
    match context {
        Context::Handler => words::in_handler(lang, number),
        Context::Soft => words::in_soft(lang, number),
        Context::SoftAlone => words::in_soft_alone(lang).to_owned(),
        Context::Thread => words::in_thread(lang).to_owned(),
    }
}

/// Packets that belong to no call, and how the kernel was told of what devices did.
pub fn interrupts(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let Arrived { packets, bytes } = summary.untied_arrivals;
    if packets > 0 {
        let what = words::arrived(lang, words::packets(lang, packets), units::bytes(bytes));
        let flow = plain(what).glue(words::colon(lang), Paint::Plain);
        let why = Flow::words(words::arrived_why(lang), Paint::Quiet);
        section(page, words::label_arrived(lang), flow.then(why));
    }
    let rows = &summary.interrupts;
    let shown = match page.style.detail {
        Detail::Verbose => rows.len(),
        _ => fold(rows.len(), INTERRUPTS),
    };
    for (i, row) in rows.iter().take(shown).enumerate() {
        let label = match i {
            0 => words::label_interrupts(lang),
            _ => "",
        };
        let at = interrupted(row.context, row.number, lang);
        let what = words::transfers(lang, row.count);
        let text = words::told_of(lang, at, what, &row.device, units::bytes(row.bytes));
        let mut parts = vec![plain(text)];
        if row.woke > 0 {
            parts.push(plain(words::woke(lang, row.woke)));
        }
        section(page, label, Flow::join(parts, words::semicolon(lang)));
    }
    if shown < rows.len() {
        let more = words::interrupts_more(lang, (rows.len() - shown) as u64);
        section(page, "", Flow::words(&more, Paint::Quiet));
    }
}

fn io_totals(io: &IoTotals, lang: Lang) -> Vec<Flow> {
    let mut parts = Vec::new();
    if io.read_requests > 0 {
        parts.push(plain(words::io_read(
            lang,
            units::bytes(io.read_bytes),
            words::requests(lang, io.read_requests),
        )));
    }
    if io.write_requests > 0 {
        let requests = words::requests(lang, io.write_requests);
        parts.push(plain(words::io_written(
            lang,
            units::bytes(io.write_bytes),
            requests,
        )));
    }
    parts
}

/// The devices met, and what they are.
pub fn devices(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    for (i, device) in summary.devices.iter().enumerate() {
        let label = if i == 0 {
            words::label_devices(lang)
        } else {
            ""
        };
        let mut parts = vec![plain(device_words(device, lang))];
        let moved = [
            (
                device.read_bytes,
                words::read_from(lang, units::bytes(device.read_bytes)),
            ),
            (
                device.write_bytes,
                words::written_to(lang, units::bytes(device.write_bytes)),
            ),
            (
                device.mapped_bytes,
                words::mapped_for(lang, units::bytes(device.mapped_bytes)),
            ),
        ];
        parts.extend(
            moved
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(_, text)| Flow::solid(text, Paint::Strong)),
        );
        section(page, label, Flow::join(parts, words::semicolon(lang)));
    }
}

/// Drivers that ask other devices for what they are asked for.
const HAND_ON: [&str; 3] = ["loop", "device-mapper", "md"];

fn device_words(device: &DeviceRow, lang: Lang) -> String {
    let name = &device.name;
    let what = match device.class {
        DeviceClass::Block => words::a_disk(lang),
        DeviceClass::Net => words::a_nic(lang),
    };
    let what = match device.driver.as_str() {
        "" => what.to_owned(),
        driver => words::with_driver(lang, what, driver),
    };
    match device.engine {
        Engine::Software if device.class == DeviceClass::Net && name == "lo" => {
            words::device_none(lang, name)
        }
        Engine::Software if device.driver == "veth" => words::device_veth(lang, name),
        Engine::Software if HAND_ON.contains(&device.driver.as_str()) => {
            words::device_hands_on(lang, name, what)
        }
        Engine::Software => words::device_software(lang, name, what),
        Engine::Hardware => words::device_hardware(lang, name, what),
        Engine::Paravirtual => words::device_paravirtual(lang, name, what),
        Engine::Unknown => words::device_unknown(lang, name, what),
    }
}

/// Who did it, if there were several.
pub fn processes(page: &mut Page, summary: &Summary) {
    if summary.by_process.len() < 2 {
        return;
    }
    let (lang, verbose) = (page.style.lang, page.style.detail == Detail::Verbose);
    let mut rows: Vec<&ProcessRow> = summary.by_process.iter().collect();
    let shown = if verbose {
        rows.len()
    } else {
        fold(rows.len(), FOLD)
    };
    // In order of appearance; where not all fit, those with the most to tell.
    if shown < rows.len() {
        rows.sort_by_key(|row| std::cmp::Reverse((row.copied, row.syscalls)));
    }
    let table: Vec<Vec<String>> = rows[..shown]
        .iter()
        .map(|row| {
            vec![
                row.comm.clone(),
                row.pid.to_string(),
                units::count(row.syscalls),
                units::count(row.user_faults),
                units::bytes(row.copied),
            ]
        })
        .collect();
    let header = [
        words::label_processes(lang),
        words::column_pid(lang),
        words::column_calls(lang),
        words::column_faults(lang),
        words::column_copied(lang),
    ];
    write_table(page, &header, &[0], &table);
    if shown < rows.len() {
        let more = words::more_processes(lang, (rows.len() - shown) as u64);
        page.line(
            &[span("   ", Paint::Plain)],
            Flow::solid(more, Paint::Quiet),
            3,
        );
    }
}
