//! Source lines with what each of them did.

use serde_json::{Value, json};

use super::layout::{Align, Flow, Page, Paint, clean, pad, span, width};
use super::ledger::INFERRED;
use super::section::{plain, section};
use super::{Detail, Style};
use crate::annotate::{Annotation, File, Line, Without};
use crate::i18n::{Lang, Say};
use crate::model::HopKind;
use crate::modules::Remedy;
use crate::units;

mod words {
    crate::messages! {
        copied: "copied" | "CPU 拷贝";
        dma: "DMA" | "DMA";
        deferred: "DMA later" | "其中延后";
        shared: "by ref." | "传引用";
        crossings: "crossings" | "切换";
        time: "in calls" | "调用用时";
        elsewhere: "elsewhere" | "其他位置";
        elsewhere_why(copied, dma, shared, crossings): "copied {copied}, DMA {dma}, by reference {shared}, crossings {crossings}: in the loader, the runtime, or code without debug information" | "拷贝 {copied}，DMA {dma}，传引用 {shared}，切换 {crossings}：加载器、运行时或没有调试信息的代码";
        unknown: "not known" | "未知";
        unknown_why(copied, dma, shared, crossings): "copied {copied}, DMA {dma}, by reference {shared}, crossings {crossings}: of calls whose stack is not in the recording" | "拷贝 {copied}，DMA {dma}，传引用 {shared}，切换 {crossings}：记录文件中没有这些调用的调用栈";
        no_stacks: "This recording does not tell where calls were made: record with --stacks, and build the program with debug information (-g; cargo build)." | "这个记录文件没有保存调用位置：请用 --stacks 记录，并让程序带调试信息（-g；cargo build）。";
        no_lines: "No call leads to a source line of the program's own." | "没有调用能对应到程序自己的源代码行。";
        without: "no lines" | "无行号";
        without_why(path, crossings): "{path} has no line numbers; crossings that came through it: {crossings}." | "{path} 没有行号信息；经过它的切换：{crossings}。";
        build(id): "Its build id is {id}." | "它的构建标识（build id）是 {id}。";
        no_build: "It has no build id." | "它没有构建标识（build id）。";
        looked: "Looked in:" | "查找过：";
        place(place, why): "{place}: {why}" | "{place}：{why}";
        place_detail(place, why, detail): "{place}: {why} ({detail})" | "{place}：{why}（{detail}）";
        to_get(remedy): "To get them: {remedy}." | "要得到行号：{remedy}。";
        later: "Lines can be added to this recording, too: annotate --debug-dir DIR." | "也可以事后给这个记录文件补上行号：annotate --debug-dir 目录。";
        runtime(what, crossings): "{what}. Crossings: {crossings}." | "{what}。切换：{crossings}。";
        deeper(crossings): "Crossings that came from deeper in the runtime than stacks are recorded: {crossings}." | "有些调用来自运行时的更深处，超出了记录的调用栈深度；切换：{crossings}。";
        begins: "Lines of interpreted or just-in-time compiled functions are those on which the function begins." | "解释执行或即时编译的函数只对应到函数开始的那一行。";
        no_such(path): "No call came from {path}." | "没有来自 {path} 的调用。";
        not_here: "The source is not on this machine: lines by number." | "本机没有这个源文件：只显示行号。";
        incomplete: "Stacks were lost: lines may have too little, or their neighbours' calls." | "丢失了部分调用栈：某些行的数字可能偏小，或算到了相邻的调用上。";
        inferred(mark): "{mark} before a number: some of it is inferred, not measured." | "数字前的 {mark}：其中有推断的成分，并非全部实测。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// Lines shown above and below one that did something.
const AROUND: u32 = 2;

/// The annotation as text: lines that did something; verbose, all lines of their files; quiet, nothing of
/// other places. `only`: the end of a file's path; then all lines of that file. `read` gives a
/// file's text.
pub fn annotation(
    annotation: &Annotation,
    only: Option<&str>,
    read: &dyn Fn(&str) -> Option<String>,
    style: &Style,
) -> String {
    let lang = style.lang;
    let mut page = Page::new(style);
    let wanted = |file: &&File| only.is_none_or(|only| file.path.ends_with(only));
    let files: Vec<&File> = annotation.files.iter().filter(wanted).collect();
    for file in &files {
        page.blank();
        let all = only.is_some() || style.detail == Detail::Verbose;
        write_file(&mut page, file, all, read(&file.path).as_deref());
    }
    page.blank();
    if files.iter().any(|file| file.total.inferred) {
        page.line(
            &[],
            Flow::words(&words::inferred(lang, INFERRED), Paint::Quiet),
            0,
        );
    }
    if files.is_empty() {
        let stacks = annotation.elsewhere.crossings > 0;
        let text = match only {
            Some(only) if !annotation.files.is_empty() => words::no_such(lang, only),
            _ if stacks => words::no_lines(lang).to_owned(),
            _ => words::no_stacks(lang).to_owned(),
        };
        page.line(&[], plain(text), 0);
    }
    type Say = fn(Lang, String, String, String, String) -> String;
    let rest: [(&Line, &str, Say); 2] = [
        (
            &annotation.elsewhere,
            words::elsewhere(lang),
            words::elsewhere_why,
        ),
        (
            &annotation.unknown,
            words::unknown(lang),
            words::unknown_why,
        ),
    ];
    for (line, label, why) in rest {
        let did = *line != Line::default() && style.detail > Detail::Quiet;
        if did && !(files.is_empty() && annotation.elsewhere.crossings == 0) {
            let count = units::count(line.crossings);
            let text = why(
                lang,
                units::bytes(line.copied),
                units::bytes(line.dma),
                units::bytes(line.shared),
                count,
            );
            section(&mut page, label, plain(text));
        }
    }
    if only.is_none() && style.detail > Detail::Quiet {
        for without in &annotation.without_lines {
            let text = why_without(without, lang, style.detail == Detail::Verbose);
            section(&mut page, words::without(lang), plain(text));
        }
        for (runtime, line) in &annotation.unnamed {
            let crossings = units::count(line.crossings);
            let text = match annotation.named {
                true => words::deeper(lang, crossings),
                false => words::runtime(lang, runtime.say(lang), crossings),
            };
            section(&mut page, words::without(lang), plain(text));
        }
        if annotation
            .without_lines
            .iter()
            .any(|w| !w.module.build_id.is_empty())
        {
            page.line(&[], Flow::words(words::later(lang), Paint::Quiet), 0);
        }
    }
    if annotation.begins {
        page.line(&[], Flow::words(words::begins(lang), Paint::Quiet), 0);
    }
    if annotation.incomplete {
        page.line(&[], Flow::words(words::incomplete(lang), Paint::Warn), 0);
    }
    page.finish()
}

/// Which file has no lines, where they were looked for, and what brings them.
fn why_without(without: &Without, lang: Lang, all: bool) -> String {
    let module = &without.module;
    let crossings = units::count(without.line.crossings);
    let mut said = vec![words::without_why(lang, &module.path, crossings)];
    said.push(match module.build_id.as_str() {
        "" => words::no_build(lang).to_owned(),
        id => words::build(lang, id),
    });
    let looked = module.looked.iter().map(|looked| {
        let (place, why) = (&looked.place, looked.why.say(lang));
        match looked.detail.as_str() {
            "" => words::place(lang, place, why),
            detail => words::place_detail(lang, place, why, detail),
        }
    });
    let looked: Vec<String> = looked.collect();
    if !looked.is_empty() {
        let (stop, comma) = match lang {
            Lang::En => (".", "; "),
            Lang::Zh => ("。", "；"),
        };
        let shown = match all {
            true => looked.len(),
            false => LOOKED,
        };
        let mut places = looked
            .get(..shown.min(looked.len()))
            .unwrap_or_default()
            .join(comma);
        if shown < looked.len() {
            places += &format!("{comma}… ({})", looked.len() - shown);
        }
        said.push(format!("{} {places}{stop}", words::looked(lang)));
    }
    if module.remedy != Remedy::Unknown {
        said.push(words::to_get(lang, module.remedy.say(lang)));
    }
    said.join(match lang {
        Lang::En => " ",
        Lang::Zh => "",
    })
}

/// Places that are told of each file, if not all are wanted.
const LOOKED: usize = 8;

fn write_file(page: &mut Page, file: &File, all: bool, text: Option<&str>) {
    let lang = page.style.lang;
    page.line(
        &[span(file.path.clone(), Paint::Strong)],
        Flow::default(),
        0,
    );
    if text.is_none() {
        page.line(&[], Flow::words(words::not_here(lang), Paint::Quiet), 0);
    }
    let ascii = page.style.ascii;
    let columns = columns(file);
    let heads = columns
        .iter()
        .map(|column| pad((column.name)(lang), CELLS, Align::Right, ascii));
    page.line(
        &[span(heads.collect::<String>(), Paint::Quiet)],
        Flow::default(),
        0,
    );
    let lines: Vec<&str> = text.map(|text| text.lines().collect()).unwrap_or_default();
    let numbers: Vec<u32> = match (all, text) {
        (true, Some(_)) => (1..=lines.len() as u32).collect(),
        (false, Some(_)) => around(file, lines.len() as u32),
        (_, None) => file.lines.keys().copied().collect(),
    };
    let mut before = 0;
    for number in numbers {
        if before > 0 && number > before + 1 {
            let dots = if ascii { "..." } else { "⋮" };
            let gap = " ".repeat(columns.len() * CELLS + 6);
            page.line(
                &[span(format!("{gap}{dots}"), Paint::Quiet)],
                Flow::default(),
                0,
            );
        }
        before = number;
        let source = lines
            .get((number as usize).wrapping_sub(1))
            .copied()
            .unwrap_or_default();
        write_line(page, &columns, number, file.lines.get(&number), source);
    }
}

/// Cells of a column.
const CELLS: usize = 11;

/// A column: its name, its number in a line, how that is written, and whether it may be inferred.
struct Column {
    name: fn(Lang) -> &'static str,
    of: fn(&Line) -> u64,
    write: fn(u64) -> String,
    paint: Paint,
    inferable: bool,
    /// Also where it is 0 in all lines.
    always: bool,
}

/// The columns that say something about a file.
fn columns(file: &File) -> Vec<Column> {
    let bytes = |name, of, kind| Column {
        name,
        of,
        write: units::bytes,
        paint: Paint::Kind(kind),
        inferable: kind != HopKind::Dma,
        always: true,
    };
    let plain = |name, of, write| Column {
        name,
        of,
        write,
        paint: Paint::Plain,
        inferable: false,
        always: true,
    };
    let optional = |column| Column {
        always: false,
        ..column
    };
    let mut columns = vec![
        bytes(words::copied, |line| line.copied, HopKind::Copy),
        bytes(words::dma, |line| line.dma, HopKind::Dma),
        optional(bytes(
            words::deferred,
            |line| line.dma_deferred,
            HopKind::Dma,
        )),
        optional(bytes(words::shared, |line| line.shared, HopKind::Share)),
        plain(words::crossings, |line| line.crossings, units::count),
        plain(words::time, |line| line.time_ns, units::time),
    ];
    // What was copied and what went by DMA is the question: 0 is an answer.
    columns.retain(|column| column.always || (column.of)(&file.total) > 0);
    columns
}

fn write_line(page: &mut Page, columns: &[Column], number: u32, line: Option<&Line>, source: &str) {
    let ascii = page.style.ascii;
    let mut spans = Vec::new();
    for column in columns {
        let text = match line.map(|line| ((column.of)(line), line.inferred && column.inferable)) {
            None | Some((0, _)) => String::new(),
            Some((n, true)) => format!("{INFERRED}{}", (column.write)(n)),
            Some((n, false)) => (column.write)(n),
        };
        spans.push(span(pad(&text, CELLS, Align::Right, ascii), column.paint));
    }
    let paint = if line.is_some() {
        Paint::Strong
    } else {
        Paint::Quiet
    };
    spans.push(span(format!("{number:>6}  "), Paint::Quiet));
    let room = page.width().saturating_sub(columns.len() * CELLS + 8);
    spans.push(span(
        cut(&clean(&source.replace('\t', "    "), false), room),
        paint,
    ));
    page.line(&spans, Flow::default(), 0);
}

/// The beginning of a line of source.
fn cut(text: &str, cells: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if width(&out) > cells {
            out.pop();
            break;
        }
    }
    out
}

/// The lines that did something, with their neighbours.
pub fn around(file: &File, last: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> = Vec::new();
    for line in file.lines.keys() {
        let first = line.saturating_sub(AROUND).max(1);
        let end = line.saturating_add(AROUND).min(last.max(*line));
        numbers.extend(first..=end);
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The annotation as JSON: the files, each with its lines.
pub fn annotation_json(annotation: &Annotation, only: Option<&str>) -> Value {
    let wanted = |file: &&File| only.is_none_or(|only| file.path.ends_with(only));
    let files = annotation.files.iter().filter(wanted).map(|file| {
        let lines = file.lines.iter().map(|(number, line)| {
            let mut row = json!({ "line": number });
            if let (Some(row), Ok(Value::Object(line))) =
                (row.as_object_mut(), serde_json::to_value(line))
            {
                row.extend(line);
            }
            row
        });
        json!({ "path": file.path, "lines": lines.collect::<Vec<_>>(), "total": file.total })
    });
    let unnamed = annotation.unnamed.iter();
    let unnamed = unnamed.map(|(runtime, line)| json!({ "runtime": runtime, "line": line }));
    json!({
        "schema": 1,
        "files": files.collect::<Vec<_>>(),
        "elsewhere": annotation.elsewhere,
        "unknown": annotation.unknown,
        "incomplete": annotation.incomplete,
        "without_lines": annotation.without_lines,
        "unnamed": unnamed.collect::<Vec<_>>(),
        "named": annotation.named,
        "begins": annotation.begins,
    })
}
