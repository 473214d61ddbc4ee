//! Text by terminal cells: Chinese characters take two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` in at most `cells`, cut with an ellipsis; control characters become spaces.
pub fn fit(text: &str, cells: usize, ascii: bool) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if width(text) <= cells {
        return text.chars().map(clean).collect();
    }
    let (ellipsis, len) = if ascii { ("..", 2) } else { ("…", 1) };
    let Some(room) = cells.checked_sub(len) else {
        return " ".repeat(cells);
    };
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars().map(clean) {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push(c);
    }
    out.push_str(ellipsis);
    out
}

/// `text` in exactly `cells`, from the left.
pub fn pad(text: &str, cells: usize, ascii: bool) -> String {
    let mut out = fit(text, cells, ascii);
    out.push_str(&" ".repeat(cells.saturating_sub(width(&out))));
    out
}

/// The same from the right.
pub fn pad_left(text: &str, cells: usize, ascii: bool) -> String {
    let text = fit(text, cells, ascii);
    " ".repeat(cells.saturating_sub(width(&text))) + &text
}

/// Lines of at most `cells`: broken at spaces, and anywhere in words that are longer and in Chinese.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    let mut word = String::new();
    let flush = |word: &mut String, lines: &mut Vec<String>, used: &mut usize| {
        let wide = width(word);
        if *used > 0 && *used + wide > cells {
            lines.push(String::new());
            *used = 0;
        }
        for c in word.drain(..) {
            let wide = c.width().unwrap_or(0);
            if *used + wide > cells {
                lines.push(String::new());
                *used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            *used += wide;
        }
    };
    for c in text.chars() {
        if c == ' ' {
            flush(&mut word, &mut lines, &mut used);
            if used > 0 && used < cells {
                if let Some(line) = lines.last_mut() {
                    line.push(' ');
                }
                used += 1;
            }
        } else if c.width() == Some(2) {
            // Closing marks stay with what they close.
            if !"，。：；）、".contains(c) {
                flush(&mut word, &mut lines, &mut used);
            }
            word.push(c);
        } else if !c.is_control() {
            word.push(c);
        }
    }
    flush(&mut word, &mut lines, &mut used);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// A count in few cells: `4096`, `12k`, `3.1M`.
pub fn compact(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1000),
        1_000_000..10_000_000 => format!("{}.{}M", n / 1_000_000, n / 100_000 % 10),
        10_000_000..1_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{}G", n / 1_000_000_000),
    }
}

/// Cells of the widest text.
pub fn widest<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        assert_eq!(width("页缓存 a"), 8);
        assert_eq!(fit("页缓存", 5, false), "页缓…");
        assert_eq!(fit("页缓存", 4, false), "页…");
        assert_eq!(fit("abc", 1, true), " ");
        assert_eq!(pad("页", 4, false), "页  ");
        assert_eq!(pad_left("ab", 4, false), "  ab");
    }

    #[test]
    fn wrapped() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("拷贝到内存。", 10), ["拷贝到内", "存。"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
