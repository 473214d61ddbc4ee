//! A program's comments in another language, line for line: a recording's source lines fit both.
//!
//! A lab's `comments.zh.toml` has each paragraph of its programs' comments, joined to one line, and what it is in
//! Chinese. Without the file, or without a paragraph's entry, the comment stays as it is.

use std::collections::{BTreeMap, BTreeSet};

/// Where a lab has them.
pub const FILE: &str = "comments.zh.toml";

/// By the paragraph in the program.
pub type Comments = BTreeMap<String, String>;

/// A program with its comments translated. It has as many lines as before.
pub fn translate(source: &str, comments: &Comments) -> String {
    let mut out = String::with_capacity(source.len());
    for piece in pieces(source) {
        match comments.get(&piece.paragraph()) {
            Some(text) => {
                for (line, part) in piece.lines.iter().zip(spread(text, piece.lines.len())) {
                    let before = &line[..line.len() - piece.text_of(line).len()];
                    out += format!("{before}{part}").trim_end();
                    out.push('\n');
                }
            }
            None => piece.lines.iter().for_each(|line| {
                out += line;
                out.push('\n');
            }),
        }
    }
    out
}

/// The paragraphs of a program's comments.
pub fn paragraphs(source: &str) -> BTreeSet<String> {
    let all = pieces(source).into_iter().map(|piece| piece.paragraph());
    all.filter(|paragraph| !paragraph.is_empty()).collect()
}

/// Lines that belong together: a paragraph of a comment, or one line with or without a comment at its end.
struct Piece<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Piece<'a> {
    fn text_of(&self, line: &'a str) -> &'a str {
        comment(line).map_or("", |(_, text)| text)
    }

    fn paragraph(&self) -> String {
        let texts: Vec<&str> = self.lines.iter().map(|line| self.text_of(line)).collect();
        texts.join(" ")
    }
}

fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    // What stands before the text of the paragraph that goes on.
    let mut open = None;
    for line in source.lines() {
        let whole = comment(line)
            .filter(|(before, text)| !text.is_empty() && before.trim_start().starts_with("//"));
        match (pieces.last_mut(), whole) {
            (Some(piece), Some((before, _))) if open == Some(before) => piece.lines.push(line),
            _ => pieces.push(Piece { lines: vec![line] }),
        }
        open = whole.map(|(before, _)| before);
    }
    pieces
}

/// A line's comment: all that stands before its text, and the text.
fn comment(line: &str) -> Option<(&str, &str)> {
    let at = match line.trim_start().starts_with("//") {
        true => line.len() - line.trim_start().len(),
        false => line.find(" // ")? + 1,
    };
    let marks = line[at..].trim_start_matches(['/', '!']);
    let text = marks.trim_start();
    Some((&line[..line.len() - text.len()], text))
}

/// A text on so many lines of about one width. Chinese may break between any two characters, but no line begins with
/// a closing mark or ends with an opening one.
fn spread(text: &str, n: usize) -> Vec<String> {
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    let total: usize = text.chars().map(width).sum();
    let mut lines = vec![String::new()];
    let (mut done, mut before) = (0, ' ');
    for c in text.chars() {
        let wide = |c: char| !c.is_ascii() && c != '…';
        let may = before == ' ' || wide(before) || wide(c);
        let must_not = "，。；：、？！）》”’".contains(c) || "（《“‘".contains(before) || c == ' ';
        let full = done * n >= total * lines.len();
        if full && may && !must_not && lines.len() < n {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
        done += width(c);
        before = c;
    }
    lines
        .iter_mut()
        .for_each(|line| line.truncate(line.trim_end().len()));
    lines.resize(n, String::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! Copies a file, as `cat FROM > TO` does,
//! and says nothing.
//!
//! It is small.

fn main() {
    // one system call
    read(); // as much
    say(\"http://x\");
}
";

    #[test]
    fn every_line_stays_where_it_is() {
        let comments: Comments = [
            (
                "Copies a file, as `cat FROM > TO` does, and says nothing.",
                "像 `cat FROM > TO` 那样复制文件，什么也不说。",
            ),
            ("one system call", "一次系统调用"),
            ("as much", "有多少要多少"),
        ]
        .map(|(en, zh)| (en.to_owned(), zh.to_owned()))
        .into();
        let zh = translate(SOURCE, &comments);
        assert_eq!(
            zh,
            "\
//! 像 `cat FROM > TO` 那样
//! 复制文件，什么也不说。
//!
//! It is small.

fn main() {
    // 一次系统调用
    read(); // 有多少要多少
    say(\"http://x\");
}
"
        );
        assert_eq!(translate(SOURCE, &Comments::new()), SOURCE);
        assert_eq!(paragraphs(SOURCE).len(), 4);
    }

    #[test]
    fn text_fills_the_lines_there_are() {
        for n in 1..6 {
            let lines = spread("把一个很小的文件读两遍，再写一遍。", n);
            assert_eq!(lines.len(), n);
            assert_eq!(lines.concat(), "把一个很小的文件读两遍，再写一遍。");
            assert!(
                lines.iter().all(|line| !line.starts_with(['，', '。'])),
                "{lines:?}"
            );
        }
        assert_eq!(spread("好", 3), ["好", "", ""]);
    }
}
