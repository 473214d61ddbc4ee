//! Lines of bounded width from painted words: measures in terminal cells, wraps, shortens, colours.
//!
//! All text enters through [`clean`], so nothing in a trace (a command line, a file name) can reach
//! the terminal as a control sequence.

use anstyle::AnsiColor;
use unicode_width::UnicodeWidthChar;

use super::Style;
use crate::model::HopKind;

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    /// Headings, and the numbers that matter.
    Strong,
    /// What one need not read.
    Quiet,
    Good,
    Warn,
    Kind(HopKind),
}

impl Paint {
    fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let fg = |color: AnsiColor| plain.fg_color(Some(color.into()));
        match self {
            Paint::Plain => plain,
            Paint::Strong => plain.bold(),
            Paint::Quiet => plain.dimmed(),
            Paint::Good => fg(AnsiColor::Green),
            Paint::Warn => fg(AnsiColor::Yellow).bold(),
            // Warm where a CPU works, cold where it does not.
            Paint::Kind(HopKind::Copy) => fg(AnsiColor::Red),
            Paint::Kind(HopKind::Fill) => fg(AnsiColor::Yellow),
            Paint::Kind(HopKind::Dma) => fg(AnsiColor::Cyan),
            Paint::Kind(HopKind::Share) => fg(AnsiColor::Green),
            Paint::Kind(HopKind::Map) => fg(AnsiColor::Magenta),
        }
    }
}

/// Text with one paint.
#[derive(Clone, Debug)]
pub struct Span {
    pub text: String,
    pub paint: Paint,
}

/// What a line break does not split, and whether a space sets it off from what stands before it.
#[derive(Clone, Debug)]
struct Atom {
    spans: Vec<Span>,
    spaced: bool,
}

/// Text that may be broken between its atoms.
#[derive(Clone, Debug, Default)]
pub struct Flow(Vec<Atom>);

impl Flow {
    /// Text that breaks at its spaces and beside Chinese characters.
    pub fn words(text: &str, paint: Paint) -> Self {
        let mut flow = Self::default();
        for word in text.split_whitespace() {
            let mut spaced = true;
            let mut atom = String::new();
            let mut last = ' ';
            for c in word.chars() {
                if !atom.is_empty() && breaks_between(last, c) {
                    flow.0.push(Atom {
                        spans: vec![span(std::mem::take(&mut atom), paint)],
                        spaced,
                    });
                    spaced = false;
                }
                atom.push(c);
                last = c;
            }
            flow.0.push(Atom {
                spans: vec![span(atom, paint)],
                spaced,
            });
        }
        flow
    }

    /// One piece that is never broken (though shortened where a line is too narrow for it).
    pub fn solid(text: impl Into<String>, paint: Paint) -> Self {
        Self(vec![Atom {
            spans: vec![span(text, paint)],
            spaced: true,
        }])
    }

    /// Appends, after a space.
    pub fn then(mut self, next: Flow) -> Self {
        self.0.extend(next.0);
        self
    }

    /// Appends `text` to the last atom.
    pub fn glue(mut self, text: &str, paint: Paint) -> Self {
        match self.0.last_mut() {
            Some(atom) => atom.spans.push(span(text, paint)),
            None => self = Self::solid(text, paint),
        }
        self
    }

    /// Cells that it takes in one line.
    pub fn width(&self) -> usize {
        let cells = |atom: &Atom| {
            usize::from(atom.spaced) + atom.spans.iter().map(|s| width(&s.text)).sum::<usize>()
        };
        self.0.iter().map(cells).sum::<usize>().saturating_sub(1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts in a row, with `separator` glued to the end of all but the last.
    pub fn join(parts: Vec<Flow>, separator: &str) -> Self {
        let mut out = Self::default();
        for part in parts {
            if !out.is_empty() {
                out = out.glue(separator, Paint::Quiet);
            }
            out = out.then(part);
        }
        out
    }
}

pub fn span(text: impl Into<String>, paint: Paint) -> Span {
    Span {
        text: text.into(),
        paint,
    }
}

const CLOSING: &str = "，。、：；！？）」』》”%";
const OPENING: &str = "（「『《“";

/// May a line end between these two characters of a word? Beside a Chinese character yes, but no
/// closing mark begins a line and no opening one ends it.
fn breaks_between(before: char, after: char) -> bool {
    let wide = |c| char_width(c) == 2;
    (wide(before) || wide(after)) && !CLOSING.contains(after) && !OPENING.contains(before)
}

/// Chinese punctuation holds its own space: none is set beside it.
fn own_space(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(|c| char_width(c) == 2 && CLOSING.contains(c))
        || after.is_some_and(|c| OPENING.contains(c))
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cells that `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// `text` without anything that a terminal would act on; with `ascii`, our own marks spelt in ASCII.
pub fn clean(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' => out.push(' '),
            // Control characters; marks that change the direction or join what stands apart.
            _ if c.is_control() => out.extend(c.escape_default()),
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' => {}
            '→' if ascii => out.push_str("->"),
            '⇢' if ascii => out.push_str("..>"),
            '×' if ascii => out.push('x'),
            '≥' if ascii => out.push_str(">="),
            '≈' if ascii => out.push('~'),
            '±' if ascii => out.push_str("+-"),
            'µ' if ascii => out.push('u'),
            '·' if ascii => out.push('|'),
            '…' if ascii => out.push_str("..."),
            '–' | '—' if ascii => out.push('-'),
            _ => out.push(c),
        }
    }
    out
}

/// `text` in at most `max` cells: what is too long loses its middle.
pub fn shorten(text: &str, max: usize, ascii: bool) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let gap = if ascii { "..." } else { "…" };
    let Some(room) = max.checked_sub(width(gap)) else {
        return take(text.chars(), max).into_iter().collect();
    };
    let tail = take(text.chars().rev(), room / 2);
    let head = take(text.chars(), room - room / 2);
    head.into_iter()
        .chain(gap.chars())
        .chain(tail.into_iter().rev())
        .collect()
}

/// The first of `chars` that fit in `max` cells.
fn take(chars: impl Iterator<Item = char>, max: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += char_width(*c);
            used <= max
        })
        .collect()
}

/// Where a column's text stands.
#[derive(Clone, Copy)]
pub enum Align {
    Left,
    Right,
}

/// `text` in exactly `cells` cells.
pub fn pad(text: &str, cells: usize, align: Align, ascii: bool) -> String {
    let text = shorten(&clean(text, ascii), cells, ascii);
    let space = " ".repeat(cells - width(&text));
    match align {
        Align::Left => text + &space,
        Align::Right => space + &text,
    }
}

/// The report as it grows.
pub struct Page<'a> {
    pub style: &'a Style,
    width: usize,
    out: String,
}

impl<'a> Page<'a> {
    pub fn new(style: &'a Style) -> Self {
        Self {
            style,
            width: style.width.max(Style::MIN_WIDTH),
            out: String::new(),
        }
    }

    pub fn finish(mut self) -> String {
        let end = self.out.trim_end_matches('\n').len();
        self.out.truncate(end);
        self.out.push('\n');
        self.out
    }

    /// Cells in a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// An empty line, unless there is one, or nothing to set apart.
    pub fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// `start` as it is, then `flow`, whose further lines begin `hang` cells in.
    pub fn line(&mut self, start: &[Span], flow: Flow, hang: usize) {
        let ascii = self.style.ascii;
        let mut line: Vec<Span> = Vec::new();
        let mut used = 0;
        for Span { text, paint } in start {
            let text = shorten(&clean(text, ascii), self.width - used, ascii);
            used += width(&text);
            line.push(span(text, *paint));
        }
        // At the beginning of what can be filled, no space comes before an atom.
        let mut fresh = true;
        for Atom { spans, spaced } in flow.0 {
            let spans: Vec<Span> = spans
                .into_iter()
                .map(|s| span(clean(&s.text, ascii), s.paint))
                .collect();
            let cells: usize = spans.iter().map(|s| width(&s.text)).sum();
            let last = line.last().and_then(|s| s.text.chars().last());
            let first = spans.first().and_then(|s| s.text.chars().next());
            let space = usize::from(spaced && !fresh && !own_space(last, first));
            if used + space + cells > self.width && used > hang {
                self.emit(std::mem::take(&mut line));
                line.push(span(" ".repeat(hang), Paint::Plain));
                used = hang;
            } else if space > 0 {
                let paint = spans.first().map_or(Paint::Plain, |s| s.paint);
                line.push(span(" ", paint));
                used += 1;
            }
            for Span { text, paint } in spans {
                let text = shorten(&text, self.width - used, ascii);
                used += width(&text);
                line.push(span(text, paint));
            }
            fresh = false;
        }
        self.emit(line);
    }

    fn emit(&mut self, spans: Vec<Span>) {
        // Neighbours of one paint become one: fewer escape sequences.
        let mut line: Vec<Span> = Vec::new();
        for Span { text, paint } in spans {
            match line.last_mut() {
                Some(last) if last.paint == paint => last.text.push_str(&text),
                _ => line.push(Span { text, paint }),
            }
        }
        while let Some(last) = line.last_mut() {
            last.text.truncate(last.text.trim_end().len());
            if !last.text.is_empty() {
                break;
            }
            line.pop();
        }
        for Span { text, paint } in line {
            if self.style.color && paint != Paint::Plain && !text.trim().is_empty() {
                let style = paint.style();
                self.out.push_str(&format!("{style}{text}{style:#}"));
            } else {
                self.out.push_str(&text);
            }
        }
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: usize, start: &str, flow: Flow, hang: usize) -> String {
        let style = Style {
            width,
            ..Style::default()
        };
        let mut page = Page::new(&style);
        page.line(&[span(start, Paint::Plain)], flow, hang);
        page.finish()
    }

    #[test]
    fn wraps_with_a_hanging_indent() {
        let text = Flow::words("one two three four five six seven eight nine", Paint::Plain);
        assert_eq!(
            lines(40, "label  ", text, 7),
            "label  one two three four five six seven\n       eight nine\n"
        );
    }

    #[test]
    fn wraps_chinese_by_cells_and_keeps_marks_with_their_words() {
        let text = Flow::words(&"二十个字的一句话，".repeat(3), Paint::Plain);
        assert_eq!(
            lines(40, "", text, 2),
            "二十个字的一句话，二十个字的一句话，二十\n  个字的一句话，\n"
        );
        assert!(
            !breaks_between('话', '，') && !breaks_between('（', '字') && breaks_between('a', '字')
        );
    }

    #[test]
    fn shortens_in_the_middle() {
        for (text, max, expected) in [
            ("abcdefghij", 10, "abcdefghij"),
            ("abcdefghij", 7, "abc…hij"),
            ("abcdefghij", 1, "…"),
            ("abcdefghij", 0, ""),
            ("页缓存页缓存", 12, "页缓存页缓存"),
            ("页缓存页缓存", 8, "页缓…存"),
        ] {
            assert_eq!(shorten(text, max, false), expected);
        }
        assert_eq!(shorten("abcdefghij", 8, true), "abc...ij");
    }

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\nd", false), "a\\u{1b}[31mbc d");
        assert_eq!(clean("1.00 µs → 3 × 4 …", true), "1.00 us -> 3 x 4 ...");
    }

    #[test]
    fn colour_changes_no_text() {
        let plain = lines(40, "x ", Flow::words("red", Paint::Kind(HopKind::Copy)), 0);
        let style = Style {
            color: true,
            ..Style::default()
        };
        let mut page = Page::new(&style);
        page.line(
            &[span("x ", Paint::Plain)],
            Flow::words("red", Paint::Kind(HopKind::Copy)),
            0,
        );
        let painted = page.finish();
        assert_eq!(plain, "x red\n");
        assert_eq!(painted, "x \u{1b}[31mred\u{1b}[0m\n");
    }
}
