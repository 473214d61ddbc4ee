//! Stacks as a flame graph: a picture that needs no script, no font and nothing from anywhere.
//!
//! Each frame is as wide as what was done below it; callers stand below what they called. Frames too narrow to be
//! seen are left out, and the description says how many and how much that is.

use std::fmt::Write;

use super::folded::{Folded, Weight};
use super::svg::cut;
use super::{printable, xml};
use crate::i18n::Lang;
use crate::units;

mod words {
    crate::messages! {
        copied: "Bytes that the CPU copied in the kernel, by call stack" | "CPU 在内核中拷贝的字节，按调用栈";
        dma: "Bytes that devices moved, by call stack" | "设备搬运的字节，按调用栈";
        time: "Time in system calls, by call stack" | "系统调用所用的时间，按调用栈";
        all: "all" | "全部";
        frame(name, amount, percent): "{name}: {amount} ({percent} %)" | "{name}：{amount}（{percent}%）";
        stacks[n]: "{n} stack" / "{n} stacks" | "{n} 个调用栈";
        described(total, stacks, largest, amount): "{total} in {stacks}, callers below what they called. The largest: {largest}, {amount}." | "{stacks}共 {total}，调用者在被调用者下方。最大的是 {largest}，{amount}。";
        left_out[n]: "{n} frame too narrow to be seen is left out" / "{n} frames too narrow to be seen are left out" | "省略了 {n} 个窄得看不见的栈帧";
        narrow(left_out, amount): "{left_out}, {amount} at most each." | "{left_out}，每个至多 {amount}。";
        nothing: "No stack has any of this." | "没有调用栈有此权重。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// User units: the whole, a frame's height, the margin, the heading, a cell of text.
const WIDTH: u64 = 1200;
const ROW: usize = 20;
const MARGIN: usize = 10;
const HEAD: usize = 30;
const CELL: f64 = 7.25;
/// What is narrower is not drawn.
const LEAST: f64 = 0.5;

/// What a page that holds the picture says of it as well.
const STYLE: &str = "<style>svg{background:#fff;color:#1b1f24}\
@media(prefers-color-scheme:dark){svg{background:#15181c;color:#e6e8eb}}</style>";

/// A frame: how deep, and from where to where of the whole.
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    name: &'a str,
    depth: usize,
    from: u64,
    to: u64,
}

/// The picture as a file of its own.
pub fn flame_graph(folded: &Folded, lang: Lang) -> String {
    draw(folded, lang, "flame", STYLE)
}

/// The picture as a part of a page, with `id` before the names of its parts.
pub fn flame_graph_in_page(folded: &Folded, lang: Lang, id: &str) -> String {
    draw(folded, lang, id, "")
}

fn draw(folded: &Folded, lang: Lang, id: &str, style: &str) -> String {
    let lines = folded.lines();
    let stacks: Vec<(Vec<&str>, u64)> = lines
        .iter()
        .map(|(stack, n)| (stack.split(';').collect(), *n))
        .collect();
    let frames = frames(&stacks, words::all(lang));
    let whole = frames.iter().map(|frame| frame.to).max().unwrap_or(0);
    let amount = |n: u64| match folded.weight() {
        Weight::Time => units::time(n),
        Weight::Copied | Weight::Dma => units::bytes(n),
    };
    let wide =
        |frame: &Frame<'_>| WIDTH as f64 * ((frame.to - frame.from) as f64 / whole.max(1) as f64);
    let (seen, narrow): (Vec<_>, Vec<_>) = frames.iter().partition(|frame| wide(frame) >= LEAST);
    let deepest = seen.iter().map(|frame| frame.depth).max().unwrap_or(0);

    let title = match folded.weight() {
        Weight::Copied => words::copied(lang),
        Weight::Dma => words::dma(lang),
        Weight::Time => words::time(lang),
    };
    let mut told = match stacks.iter().max_by_key(|(_, n)| *n) {
        Some((stack, n)) => {
            let largest = stack.join(" → ");
            let stacks = words::stacks(lang, stacks.len() as u64);
            words::described(lang, amount(whole), stacks, largest, amount(*n))
        }
        None => words::nothing(lang).to_owned(),
    };
    if let Some(most) = narrow.iter().map(|frame| frame.to - frame.from).max() {
        let left_out = words::left_out(lang, narrow.len() as u64);
        let narrow = words::narrow(lang, left_out, amount(most));
        let _ = write!(told, " {narrow}");
    }

    let width = WIDTH as usize + 2 * MARGIN;
    let height = HEAD + ROW * (deepest + 1) + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-t\" aria-describedby=\"{id}-d\" xml:lang=\"{}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"12\">\n\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\n{style}\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\" font-size=\"14\" \
         fill=\"currentColor\">{}</text>\n",
        lang.tag(),
        xml(title),
        xml(&told),
        width / 2,
        MARGIN + 16,
        xml(title),
    );
    for frame in seen {
        let n = frame.to - frame.from;
        let x = MARGIN as f64 + WIDTH as f64 * (frame.from as f64 / whole.max(1) as f64);
        let y = MARGIN + HEAD + ROW * (deepest - frame.depth);
        let percent = format!("{:.1}", n as f64 * 100.0 / whole.max(1) as f64);
        let tip = words::frame(lang, frame.name, amount(n), percent);
        let _ = write!(
            out,
            "<g data-weight=\"{n}\"><title>{}</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{:.2}\" height=\"{}\" rx=\"2\" fill=\"{}\"/>",
            xml(&tip),
            wide(frame),
            ROW - 1,
            colour(frame.name),
        );
        let cells = ((wide(frame) - 6.0) / CELL) as usize;
        if cells >= 3 {
            let _ = write!(
                out,
                "<text x=\"{:.2}\" y=\"{}\" fill=\"#1b1f24\">{}</text>",
                x + 3.0,
                y + 14,
                xml(&cut(frame.name, cells - 1)),
            );
        }
        out.push_str("</g>\n");
    }
    if whole == 0 {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"currentColor\">{}</text>",
            width / 2,
            MARGIN + HEAD + 14,
            xml(words::nothing(lang)),
        );
    }
    out + "</svg>\n"
}

/// The frames of all stacks beside each other, equal neighbours as one; the first is the whole.
fn frames<'a>(stacks: &[(Vec<&'a str>, u64)], all: &'a str) -> Vec<Frame<'a>> {
    let mut sorted: Vec<&(Vec<&str>, u64)> = stacks.iter().collect();
    sorted.sort();
    let mut done = Vec::new();
    let mut open: Vec<(&str, u64)> = Vec::new();
    let mut at = 0u64;
    let mut close = |open: &mut Vec<(&'a str, u64)>, keep: usize, to: u64| {
        while open.len() > keep
            && let Some((name, from)) = open.pop()
        {
            let depth = open.len() + 1;
            done.push(Frame {
                name,
                depth,
                from,
                to,
            });
        }
    };
    for (stack, n) in sorted {
        let same = open
            .iter()
            .zip(stack)
            .take_while(|((open, _), name)| open == *name);
        let same = same.count();
        close(&mut open, same, at);
        open.extend(stack[same..].iter().map(|name| (*name, at)));
        at = at.saturating_add(*n);
    }
    close(&mut open, 0, at);
    done.push(Frame {
        name: all,
        depth: 0,
        from: 0,
        to: at,
    });
    done.reverse();
    done
}

/// A warm colour that dark letters are read on, always the same for a name.
fn colour(name: &str) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    for c in name.chars().filter(|c| printable(*c)) {
        hash = (hash ^ u32::from(c)).wrapping_mul(0x0100_0193);
    }
    let part = |shift: u32, of: u32| (hash >> shift) % of;
    format!(
        "#{:02x}{:02x}{:02x}",
        215 + part(0, 41),
        145 + part(8, 80),
        70 + part(16, 50)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_are_equal_are_one_frame() {
        let stacks = [
            (vec!["main", "copy", "read"], 30),
            (vec!["main", "copy", "write"], 20),
            (vec!["main", "write"], 10),
            (vec!["idle", "read"], 5),
        ];
        let told: Vec<(&str, usize, u64, u64)> = frames(&stacks, "all")
            .iter()
            .map(|frame| (frame.name, frame.depth, frame.from, frame.to))
            .collect();
        let mut expected = vec![
            ("all", 0, 0, 65),
            ("main", 1, 5, 65),
            ("write", 2, 55, 65),
            ("copy", 2, 5, 55),
            ("write", 3, 35, 55),
            ("read", 3, 5, 35),
            ("idle", 1, 0, 5),
            ("read", 2, 0, 5),
        ];
        expected.sort_unstable();
        let mut told = told;
        told.sort_unstable();
        assert_eq!(told, expected);
    }

    #[test]
    fn sums_at_their_limit_stay_in_the_picture() {
        let stacks = [(vec!["a"], u64::MAX), (vec!["b"], 7)];
        let frames = frames(&stacks, "all");
        assert!(frames.iter().all(|frame| frame.from <= frame.to));
        let empty = draw(&Folded::default(), Lang::En, "x", "");
        assert!(empty.contains("No stack has any of this."));
    }
}
