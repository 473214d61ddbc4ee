//! The path of a run's bytes as a picture: places, and an arrow for each row of the hop table. It needs no script, no
//! font and nothing from anywhere; what it shows stands in its title and description, too.

use std::fmt::Write;

use super::{printable, xml};
use crate::i18n::Lang;
use crate::model::{HopRow, Known, Place, Summary};
use crate::report::layout::width;
use crate::report::ledger;
use crate::report::text::crossed;
use crate::units;

mod words {
    crate::messages! {
        title(command): "Where the bytes of {command} went" | "{command} 的字节去了哪里";
        a_process: "a process" | "一个进程";
        hop(kind, from, to, moved, known): "{kind} from {from} to {to}: {moved}, {known}." | "{kind}，从{from}到{to}：{moved}，{known}。";
        crossings(n): "{n} crossings between user mode and kernel mode." | "用户态与内核态之间切换 {n} 次。";
        lost(n): "{n} events were lost: the numbers are lower bounds." | "丢失 {n} 个事件：这些数字只是下限。";
        nothing: "No bytes were seen to move." | "没有看到字节移动。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// User units: a row's height, a place's box, the room for an arrow, the margin, and a cell of text.
const ROW: usize = 46;
const BOX: (usize, usize) = (130, 30);
const ARROW: usize = 330;
const MARGIN: usize = 16;
const CELL: usize = 8;
/// Cells that a label may take.
const LABEL: usize = 44;

/// What a kind's arrow looks like on light and on dark ground, and how it is dashed if inferred.
const STYLE: &str = "<style>\
svg{background:#fff;color:#1b1f24}\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:currentColor}\
.box{fill:none;stroke:currentColor;stroke-width:1.2}\
.arrow{fill:none;stroke-width:2.4}\
.inferred{stroke-dasharray:6 4}\
.copy,.fill{stroke:#b3400a}.dma{stroke:#1a5fb4}.share,.map{stroke:#2b7a3d}\
@media(prefers-color-scheme:dark){svg{background:#15181c;color:#e6e8eb}\
.copy,.fill{stroke:#ff9a5c}.dma{stroke:#7ab5ff}.share,.map{stroke:#7fd493}}\
</style>";

/// The hops of a run as a picture.
pub fn svg(summary: &Summary, lang: Lang) -> String {
    let rows = summary.hops.len();
    let width = 2 * MARGIN + 2 * BOX.0 + ARROW;
    let height = 2 * MARGIN + 28 + ROW * rows.max(1);
    let title = title(summary, lang);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\" xml:lang=\"{}\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n{STYLE}\n",
        lang.tag(),
        xml(&title),
        xml(&description(summary, lang)),
    );
    let middle = width / 2;
    let _ = writeln!(
        out,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>",
        MARGIN + 12,
        xml(&cut(&title, width / CELL - 4)),
    );
    if rows == 0 {
        let _ = writeln!(
            out,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            MARGIN + 28 + ROW / 2,
            xml(words::nothing(lang)),
        );
    }
    for (i, row) in summary.hops.iter().enumerate() {
        draw(&mut out, row, MARGIN + 28 + i * ROW, lang);
    }
    out + "</svg>\n"
}

/// One row, `top` down from the edge.
fn draw(out: &mut String, row: &HopRow, top: usize, lang: Lang) {
    let middle = top + ROW / 2;
    let (left, right) = (MARGIN + BOX.0, MARGIN + BOX.0 + ARROW);
    for (x, place) in [(MARGIN, &row.from), (right, &row.to)] {
        draw_place(out, place, (x, middle), lang);
    }
    let class = row.kind.word();
    let dashed = if row.evidence.known() == Known::Inferred {
        " inferred"
    } else {
        ""
    };
    // The head is two strokes at the end of the line.
    let (begin, end) = (left + 6, right - 6);
    let _ = writeln!(
        out,
        "<g><title>{}</title><path class=\"arrow {class}{dashed}\" d=\"M{begin} {middle}H{end}\"/>\
         <path class=\"arrow {class}\" d=\"M{h} {up}L{end} {middle}L{h} {down}\"/>",
        xml(&sentence(row, lang)),
        h = end - 9,
        up = middle - 6,
        down = middle + 6,
    );
    let over = format!("{} {}", ledger::kind(row, lang), moved(row));
    let under = known(row, lang);
    for (y, label) in [(middle - 7, over), (middle + 16, under)] {
        let x = left + ARROW / 2;
        let label = xml(&cut(&label, LABEL - 6));
        let _ = write!(
            out,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>"
        );
    }
    out.push_str("</g>\n");
}

fn draw_place(out: &mut String, place: &Place, (x, middle): (usize, usize), lang: Lang) {
    let name = ledger::place(place, lang);
    let _ = writeln!(
        out,
        "<rect class=\"box\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        middle - BOX.1 / 2,
        BOX.0,
        BOX.1,
        x + BOX.0 / 2,
        middle + 5,
        xml(&cut(name, BOX.0 / CELL - 1)),
    );
}

fn title(summary: &Summary, lang: Lang) -> String {
    let command = summary.command.join(" ");
    let command = if command.is_empty() {
        words::a_process(lang)
    } else {
        &command
    };
    words::title(lang, cut(command, 60))
}

/// All that the picture shows, in sentences.
fn description(summary: &Summary, lang: Lang) -> String {
    let mut sentences: Vec<String> = summary.hops.iter().map(|row| sentence(row, lang)).collect();
    if sentences.is_empty() {
        sentences.push(words::nothing(lang).to_owned());
    }
    sentences.push(words::crossings(lang, crossed(summary)));
    if summary.lost_events > 0 {
        sentences.push(words::lost(lang, units::count(summary.lost_events)));
    }
    sentences.join(match lang {
        Lang::En => " ",
        Lang::Zh => "",
    })
}

fn sentence(row: &HopRow, lang: Lang) -> String {
    words::hop(
        lang,
        ledger::kind(row, lang),
        ledger::place(&row.from, lang),
        ledger::place(&row.to, lang),
        moved(row),
        known(row, lang),
    )
}

fn moved(row: &HopRow) -> String {
    format!("{} {}", ledger::amount(row), ledger::times(row))
}

/// How it is known, and whether it ran later.
fn known(row: &HopRow, lang: Lang) -> String {
    let known = format!("{} {}", ledger::evidence(row, lang), row.evidence.by());
    match row.deferred {
        true => format!("{known} · {}", crate::terms::later(lang)),
        false => known,
    }
}

/// At most so many cells; an ellipsis stands for the rest.
pub(super) fn cut(text: &str, cells: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if printable(c) { c } else { '\u{fffd}' })
        .collect();
    if width(&clean) <= cells {
        return clean;
    }
    let mut out = String::new();
    for c in clean.chars() {
        out.push(c);
        if width(&out) >= cells {
            out.pop();
            break;
        }
    }
    out + "…"
}
