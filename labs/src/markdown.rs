//! Markdown → lines of styled text for a terminal. Chinese characters take two cells.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    #[default]
    Plain,
    Strong,
    Emphasis,
    Code,
    Heading,
}

/// Text in one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub look: Look,
}

pub type Line = Vec<Span>;

/// What guides use.
pub fn options() -> Options {
    Options::ENABLE_TABLES
}

/// Renders Markdown in lines of at most `width` cells.
pub fn render(text: &str, width: usize) -> Vec<Line> {
    rendered(text, width, false)
}

/// The same with lines of code as they are, however long.
pub fn render_verbatim(text: &str, width: usize) -> Vec<Line> {
    rendered(text, width, true)
}

fn rendered(text: &str, width: usize, verbatim: bool) -> Vec<Line> {
    let mut out = Out {
        width: width.max(10),
        verbatim,
        ..Out::default()
    };
    for event in Parser::new_ext(text, options()) {
        out.event(event);
    }
    while out.lines.last().is_some_and(Vec::is_empty) {
        out.lines.pop();
    }
    out.lines
}

/// The lines without looks.
pub fn plain(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        for span in line {
            text.push_str(&span.text);
        }
        text.push('\n');
    }
    text
}

#[derive(Default)]
struct Out {
    width: usize,
    /// Code is not broken.
    verbatim: bool,
    lines: Vec<Line>,
    /// The paragraph so far.
    chars: Vec<(char, Look)>,
    looks: Vec<Look>,
    /// Open lists: the next number, if they are ordered.
    lists: Vec<Option<u64>>,
    /// Mark of the item that begins.
    mark: Option<String>,
    code: bool,
    /// The table's rows so far.
    table: Option<Vec<Vec<String>>>,
}

impl Out {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => self.code_block(&text),
            Event::Text(text) => self.text(&text, self.look()),
            Event::Code(text) => self.text(&text, Look::Code),
            Event::SoftBreak => {
                // A line break between Chinese characters is no space.
                let wide = self.chars.last().is_some_and(|(c, _)| c.width() == Some(2));
                if !wide {
                    self.text(" ", self.look());
                }
            }
            Event::HardBreak => self.flush(),
            Event::Rule => {
                self.lines.push(vec![Span {
                    text: "─".repeat(self.width),
                    look: Look::Plain,
                }]);
            }
            _ => {}
        }
    }

    fn look(&self) -> Look {
        self.looks.last().copied().unwrap_or_default()
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Strong => self.looks.push(Look::Strong),
            Tag::Emphasis => self.looks.push(Look::Emphasis),
            Tag::Heading { .. } => self.looks.push(Look::Heading),
            Tag::List(first) => {
                self.flush();
                self.lists.push(*first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(n)) => {
                        *n += 1;
                        format!("{}. ", *n - 1)
                    }
                    _ => "• ".to_owned(),
                };
                self.mark = Some(mark);
            }
            Tag::CodeBlock(_) => self.code = true,
            Tag::Table(_) => self.table = Some(Vec::new()),
            Tag::TableHead | Tag::TableRow => {
                if let Some(rows) = &mut self.table {
                    rows.push(Vec::new());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis => {
                self.looks.pop();
            }
            TagEnd::Heading(_) => {
                self.flush();
                self.looks.pop();
                self.gap();
            }
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.gap();
            }
            TagEnd::TableCell => {
                let cell: String = self.chars.drain(..).map(|(c, _)| c).collect();
                if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, look: Look) {
        self.chars.extend(text.chars().map(|c| (c, look)));
    }

    fn code_block(&mut self, text: &str) {
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            let room = self.width.saturating_sub(indent + 4).max(20);
            if self.verbatim || line.width() + 4 <= self.width {
                self.code_line(format!("    {line}"));
                continue;
            }
            // What is too long goes on further in; a comment as a comment.
            let code: Vec<(char, Look)> =
                line.trim_start().chars().map(|c| (c, Look::Code)).collect();
            for (i, part) in wrap(&code, room.saturating_sub(4).max(16))
                .iter()
                .enumerate()
            {
                let part: String = part.iter().map(|(c, _)| c).collect();
                let more = if i > 0 { "    " } else { "" };
                self.code_line(format!("{}{more}{part}", " ".repeat(indent + 4)));
            }
        }
    }

    fn code_line(&mut self, text: String) {
        self.lines.push(vec![Span {
            text,
            look: Look::Code,
        }]);
    }

    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    /// Ends a paragraph.
    fn flush(&mut self) {
        let mark = self.mark.take().unwrap_or_default();
        let mut chars = std::mem::take(&mut self.chars);
        close_up(&mut chars);
        if chars.is_empty() && mark.is_empty() {
            return;
        }
        let depth = self.lists.len();
        let indent = "  ".repeat(depth.saturating_sub(1));
        let hang = match depth {
            0 => 0,
            _ => indent.width() + mark.width().max(2),
        };
        for (i, line) in wrap(&chars, self.width.saturating_sub(hang).max(8))
            .iter()
            .enumerate()
        {
            let start = match i {
                0 if !mark.is_empty() => format!("{indent}{mark}"),
                _ => " ".repeat(hang),
            };
            let mut spans = Vec::new();
            if !start.is_empty() {
                spans.push(Span {
                    text: start,
                    look: Look::Plain,
                });
            }
            for (c, look) in line {
                match spans.last_mut() {
                    Some(span) if span.look == *look => span.text.push(*c),
                    _ => spans.push(Span {
                        text: c.to_string(),
                        look: *look,
                    }),
                }
            }
            self.lines.push(spans);
        }
    }

    fn table(&mut self) {
        let rows = self.table.take().unwrap_or_default();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                rows.iter()
                    .filter_map(|row| row.get(i))
                    .map(|c| c.width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (n, row) in rows.iter().enumerate() {
            let mut text = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                text.push_str(cell);
                text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
            }
            let look = if n == 0 { Look::Strong } else { Look::Plain };
            let text = text.trim_end().to_owned();
            self.lines.push(vec![Span { text, look }]);
        }
        self.gap();
    }
}

/// Takes out spaces between Chinese characters: Markdown needs some beside `**`.
fn close_up(chars: &mut Vec<(char, Look)>) {
    let wide = |c: Option<&(char, Look)>| c.is_some_and(|(c, _)| c.width() == Some(2));
    let mut i = 1;
    while i + 1 < chars.len() {
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        if chars[i].0 == ' ' && wide(before) && wide(chars.get(i + 1)) {
            chars.remove(i);
        } else {
            i += 1;
        }
    }
}

/// Marks that no line begins with.
const CLOSING: &str = "，。：；！？）、”’》」,.;:!?)";

/// Breaks at spaces and between Chinese characters.
fn wrap(chars: &[(char, Look)], width: usize) -> Vec<Vec<(char, Look)>> {
    let mut lines = Vec::new();
    let mut line: Vec<(char, Look)> = Vec::new();
    let mut used = 0;
    let mut word: Vec<(char, Look)> = Vec::new();
    let cells = |word: &[(char, Look)]| {
        word.iter()
            .map(|(c, _)| c.width().unwrap_or(0))
            .sum::<usize>()
    };
    let mut flush =
        |word: &mut Vec<(char, Look)>, line: &mut Vec<(char, Look)>, used: &mut usize| {
            let wide = cells(word);
            if *used > 0 && *used + wide > width {
                while line.last().is_some_and(|(c, _)| *c == ' ') {
                    line.pop();
                }
                lines.push(std::mem::take(line));
                *used = 0;
            }
            for (c, look) in word.drain(..) {
                let wide = c.width().unwrap_or(0);
                if *used + wide > width {
                    lines.push(std::mem::take(line));
                    *used = 0;
                }
                line.push((c, look));
                *used += wide;
            }
        };
    for (c, look) in chars.iter().copied() {
        if c == ' ' {
            flush(&mut word, &mut line, &mut used);
            if used > 0 && used < width {
                line.push((c, look));
                used += 1;
            }
        } else if c.width() == Some(2) {
            if !CLOSING.contains(c) {
                flush(&mut word, &mut line, &mut used);
            }
            word.push((c, look));
        } else if !c.is_control() {
            if word.last().is_some_and(|(last, _)| last.width() == Some(2)) && !CLOSING.contains(c)
            {
                flush(&mut word, &mut line, &mut used);
            }
            word.push((c, look));
        }
    }
    flush(&mut word, &mut line, &mut used);
    while line.last().is_some_and(|(c, _)| *c == ' ') {
        line.pop();
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(markdown: &str, width: usize) -> String {
        plain(&render(markdown, width))
    }

    #[test]
    fn paragraphs_and_lists() {
        assert_eq!(text("one two\nthree", 20), "one two three\n");
        assert_eq!(text("one two three", 10), "one two\nthree\n");
        assert_eq!(
            text("- one two three\n- b", 12),
            "• one two\n  three\n• b\n"
        );
        assert_eq!(text("1. a\n2. b\n\nc", 20), "1. a\n2. b\n\nc\n");
        assert_eq!(text("```\nlet x;\n```\n\nb", 20), "    let x;\n\nb\n");
        assert_eq!(
            text("| a | b |\n| - | - |\n| long | c |", 30),
            "a     b\nlong  c\n"
        );
    }

    #[test]
    fn chinese() {
        assert_eq!(text("字节一路上\n会经过", 40), "字节一路上会经过\n");
        assert_eq!(text("拷贝到用户态内存里。", 10), "拷贝到用户\n态内存里。\n");
        assert_eq!(text("**切换少了。** 记住", 30), "切换少了。记住\n");
        assert_eq!(text("拷贝到用户里。好", 12), "拷贝到用户\n里。好\n");
    }

    #[test]
    fn looks() {
        let lines = render("a **b** `c`", 20);
        let looks: Vec<Look> = lines[0].iter().map(|span| span.look).collect();
        assert_eq!(looks, [Look::Plain, Look::Strong, Look::Plain, Look::Code]);
    }
}
