//! Two runs compared, as text and as JSON.

use serde_json::{Value as Json, json};

use super::layout::{Align, Flow, Page, Paint, clean, pad, span, width};
use super::ledger::{INFERRED, place};
use super::{Detail, Style};
use crate::compare::{
    Change, Comparison, HopChange, InRegion, RegionChange, Row, Unit, Value, What, compare,
};
use crate::i18n::Lang;
use crate::model::{HopKind, Summary};
use crate::units;

mod words {
    crate::messages! {
        crossings: "crossings" | "特权级切换";
        syscalls: "system calls" | "系统调用";
        page_faults: "page faults" | "缺页";
        copied: "CPU copies" | "CPU 拷贝";
        zeroed: "zeroed" | "清零填充";
        dma: "DMA" | "DMA 传输";
        shared: "by reference" | "传引用";
        mapped: "mapped" | "映射";
        context_switches: "context switches" | "上下文切换";
        cpu_time: "CPU time" | "CPU 时间";
        waited: "time waiting" | "等待时间";
        duration: "duration" | "总用时";
        not_known: "–" | "–";
        in_region(name): "region {name}" | "区域 {name}";
        region_of_both(name, a, b): "region {name}: A {a}; B {b}" | "区域 {name}：A {a}；B {b}";
        passes[n]: "{n} pass" / "{n} passes" | "{n} 次";
        region_numbers(passes, time, crossings, copied, dma): "{passes}, {time}, {crossings} crossings, {copied} copied, {dma} by DMA" | "{passes}，{time}，特权级切换 {crossings} 次，拷贝 {copied}，DMA {dma}";
        never_in_it: "not in it" | "没有进入";
        what_changed: "what changed" | "有何变化";
        nothing_moved: "Neither run moved payload." | "两次运行都没有搬运数据。";
        all_same: "The bytes take the same ways." | "字节走的路径相同。";
        copies[n]: "{n} copy by the CPU" / "{n} copies by the CPU" | "{n} 次 CPU 拷贝";
        dmas[n]: "{n} DMA transfer" / "{n} DMA transfers" | "{n} 次 DMA 传输";
        shares[n]: "pages by reference in {n} operation" / "pages by reference in {n} operations" | "{n} 次传引用";
        maps[n]: "pages mapped {n} time" / "pages mapped {n} times" | "{n} 次映射";
        fills[n]: "pages zeroed {n} time" / "pages zeroed {n} times" | "{n} 次清零";
        gone(what, way, bytes): "gone: {what}, {way}, {bytes}" | "不再有：{what}，{way}，{bytes}";
        new(what, way, bytes): "new: {what}, {way}, {bytes}" | "新增：{what}，{way}，{bytes}";
        less(what, way, a, b): "less: {what}, {way}, {b} instead of {a}" | "减少：{what}，{way}，由 {a} 变为 {b}";
        more(what, way, a, b): "more: {what}, {way}, {b} instead of {a}" | "增加：{what}，{way}，由 {a} 变为 {b}";
        same_device: "the same: the devices' work" | "不变：设备的工作";
        same(what, way, bytes): "the same: {what}, {way}, {bytes}" | "不变：{what}，{way}，{bytes}";
        inferred(mark): "{mark} before a number: some of it is inferred, not measured." | "数字前的 {mark}：其中有推断的成分，并非全部实测。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// The name of a quantity.
pub fn quantity(what: What, lang: Lang) -> &'static str {
    match what {
        What::Crossings => words::crossings(lang),
        What::Syscalls => words::syscalls(lang),
        What::PageFaults => words::page_faults(lang),
        What::Copied => words::copied(lang),
        What::Zeroed => words::zeroed(lang),
        What::Dma => words::dma(lang),
        What::Shared => words::shared(lang),
        What::Mapped => words::mapped(lang),
        What::ContextSwitches => words::context_switches(lang),
        What::CpuTime => words::cpu_time(lang),
        What::Waited => words::waited(lang),
        What::Duration => words::duration(lang),
    }
}

/// Cells that the longest name of a comparison's quantities takes.
pub fn names_width(comparison: &Comparison, lang: Lang) -> usize {
    let names = comparison.rows.iter().map(|row| quantity(row.what, lang));
    names.map(width).max().unwrap_or(0)
}

/// A number as it stands in a comparison, with the mark of what is inferred.
pub fn value(value: Option<Value>, unit: Unit, lang: Lang) -> String {
    match value {
        None => words::not_known(lang).to_owned(),
        Some(Value { n, inferred }) => {
            let mark = if inferred {
                INFERRED.to_string()
            } else {
                String::new()
            };
            format!("{mark}{}", unit.write(n))
        }
    }
}

/// `×0.25`, `×12`; nothing where there is no ratio.
pub fn ratio(row: &Row) -> String {
    match row.ratio {
        None => String::new(),
        Some(ratio) if ratio < 0.005 && ratio > 0.0 => "×0.00…".to_owned(),
        Some(ratio) if ratio < 10.0 => format!("×{ratio:.2}"),
        Some(ratio) => format!("×{}", units::count(ratio.round() as u64)),
    }
}

/// What changed, in sentences.
pub fn changes(comparison: &Comparison, lang: Lang) -> Vec<String> {
    let told = comparison.told();
    if told.is_empty() {
        return vec![words::nothing_moved(lang).to_owned()];
    }
    if told.iter().all(|hop| hop.change == Change::Same) {
        return vec![words::all_same(lang).to_owned()];
    }
    let mut sentences: Vec<String> = Vec::new();
    for hop in told {
        let sentence = sentence(hop, lang);
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

fn sentence(hop: &HopChange, lang: Lang) -> String {
    let way = format!("{} → {}", place(&hop.from, lang), place(&hop.to, lang));
    let many = |n: u64| match hop.kind {
        HopKind::Copy => words::copies(lang, n),
        HopKind::Dma => words::dmas(lang, n),
        HopKind::Share => words::shares(lang, n),
        HopKind::Map => words::maps(lang, n),
        HopKind::Fill => words::fills(lang, n),
    };
    let bytes = units::bytes;
    match hop.change {
        Change::Gone => words::gone(lang, many(hop.a.count), way, bytes(hop.a.bytes)),
        Change::New => words::new(lang, many(hop.b.count), way, bytes(hop.b.bytes)),
        Change::Less => words::less(
            lang,
            many(hop.b.count),
            way,
            bytes(hop.a.bytes),
            bytes(hop.b.bytes),
        ),
        Change::More => words::more(
            lang,
            many(hop.b.count),
            way,
            bytes(hop.a.bytes),
            bytes(hop.b.bytes),
        ),
        Change::Same if hop.kind == HopKind::Dma => words::same_device(lang).to_owned(),
        Change::Same => words::same(lang, many(hop.b.count), way, bytes(hop.b.bytes)),
    }
}

/// What both runs did in each region, as sentences.
pub fn regions(comparison: &Comparison, lang: Lang) -> Vec<String> {
    let both = |region: &RegionChange| {
        let [a, b] = [region.a, region.b].map(|value| in_region(value, lang));
        words::region_of_both(lang, &region.region, a, b)
    };
    comparison.regions.iter().map(both).collect()
}

/// What a run did in a region, as one line.
fn in_region(value: Option<InRegion>, lang: Lang) -> String {
    let Some(value) = value else {
        return words::never_in_it(lang).to_owned();
    };
    let inferred = match value.inferred {
        true => INFERRED.to_string(),
        false => String::new(),
    };
    words::region_numbers(
        lang,
        words::passes(lang, value.passes),
        units::time(value.duration_ns),
        units::count(value.crossings),
        format!("{inferred}{}", units::bytes(value.copied)),
        format!("{inferred}{}", units::bytes(value.dma)),
    )
}

/// How long the bars of a row are, in eighths of a cell, of `cells` cells: to the scale of the larger.
pub fn bars(row: &Row, cells: usize) -> [usize; 2] {
    let both = [row.a, row.b].map(|value| value.map_or(0, |value| value.n));
    let most = both[0].max(both[1]);
    both.map(|n| eighths(n, most, cells))
}

/// How long the bar of `n` is beside that of `most`, which has `cells` cells, in eighths of a cell. What is there at
/// all is seen.
pub fn eighths(n: u64, most: u64, cells: usize) -> usize {
    let whole = 8 * cells;
    let part = u128::from(n) * whole as u128 / u128::from(most.max(1));
    (part as usize).max(usize::from(n > 0)).min(whole)
}

/// A bar of so many eighths.
pub fn bar(eighths: usize, ascii: bool) -> String {
    if ascii {
        return "#".repeat(eighths.div_ceil(8));
    }
    let mut out = "█".repeat(eighths / 8);
    let parts = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    out.extend(parts.get((eighths % 8).wrapping_sub(1)).copied());
    out
}

/// Two runs, side by side, as text; quiet: the numbers alone. `names`: how the runs are called.
pub fn comparison(a: &Summary, b: &Summary, names: [&str; 2], style: &Style) -> String {
    let lang = style.lang;
    let both = compare(a, b);
    let mut page = Page::new(style);
    for (mark, name, run) in [("A", names[0], a), ("B", names[1], b)] {
        let start = [
            span(format!(" {mark}  "), Paint::Strong),
            span(format!("{name}  "), Paint::Strong),
        ];
        let command = Flow::words(&run.command.join(" "), Paint::Quiet);
        page.line(&start, command, 4);
    }
    page.blank();
    let ascii = style.ascii;
    let name = |row: &Row| quantity(row.what, lang);
    let label = names_width(&both, lang);
    const NUMBER: usize = 12;
    const RATIO: usize = 9;
    let cells = page.width().saturating_sub(label + 2 * NUMBER + RATIO + 3) / 2;
    let cells = cells.clamp(4, 20);
    for row in &both.rows {
        let paint = row.what.kind().map_or(Paint::Plain, Paint::Kind);
        let [left, right] = bars(row, cells);
        let mut spans = vec![span(
            format!(" {}", pad(name(row), label, Align::Left, ascii)),
            Paint::Strong,
        )];
        for (shown, eighths) in [(row.a, left), (row.b, right)] {
            let number = value(shown, row.unit, lang);
            spans.push(span(
                pad(&number, NUMBER, Align::Right, ascii),
                Paint::Plain,
            ));
            let bar = bar(eighths, ascii);
            spans.push(span(
                format!(" {}", pad(&bar, cells, Align::Left, ascii)),
                paint,
            ));
        }
        spans.push(span(
            pad(&ratio(row), RATIO, Align::Right, ascii),
            Paint::Quiet,
        ));
        page.line(&spans, Flow::default(), 0);
    }
    if style.detail == Detail::Quiet {
        return page.finish();
    }
    for region in &both.regions {
        page.blank();
        let head = words::in_region(lang, clean(&region.region, ascii));
        let head = [span(format!(" {head}"), Paint::Strong)];
        page.line(&head, Flow::default(), 0);
        for (mark, value) in [("A", region.a), ("B", region.b)] {
            let flow = Flow::words(&in_region(value, lang), Paint::Plain);
            page.line(&[span(format!("  {mark}  "), Paint::Strong)], flow, 5);
        }
    }
    page.blank();
    page.line(
        &[span(
            format!(" {}", words::what_changed(lang)),
            Paint::Strong,
        )],
        Flow::default(),
        0,
    );
    for sentence in changes(&both, lang) {
        page.line(
            &[span("  · ", Paint::Quiet)],
            Flow::words(&sentence, Paint::Plain),
            4,
        );
    }
    let inferred = |row: &Row| [row.a, row.b].iter().flatten().any(|value| value.inferred);
    if both.rows.iter().any(inferred) {
        page.blank();
        let text = words::inferred(lang, INFERRED);
        page.line(
            &[span(" ", Paint::Plain)],
            Flow::words(&text, Paint::Quiet),
            1,
        );
    }
    page.finish()
}

/// The comparison as JSON, schema 1.
pub fn comparison_json(a: &Summary, b: &Summary, names: [&str; 2]) -> Json {
    let both = compare(a, b);
    let run = |name: &str, run: &Summary| {
        json!({
            "name": name, "command": run.command, "level": run.level, "kernel": run.kernel,
            "exit_status": run.exit_status, "lost_events": run.lost_events,
        })
    };
    json!({
        "schema": 1,
        "a": run(names[0], a),
        "b": run(names[1], b),
        "rows": both.rows,
        "hops": both.hops,
        "regions": both.regions,
        "changes": changes(&both, Lang::En),
    })
}
