//! Text for `man`: a few of its macros, everything else escaped.

use std::io::{self, Write};

/// A page in the making. What clap_mangen renders is written to it as it is.
pub struct Roff(Vec<u8>);

impl Roff {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn title(&mut self, words: [&str; 5]) {
        let words = words.map(|word| format!("\"{}\"", word.replace('"', "\\(dq")));
        self.raw(&format!(".TH {}\n", words.join(" ")));
    }

    pub fn section(&mut self, title: &str) {
        self.raw(&format!(".SH \"{title}\"\n"));
    }

    /// Text of the paragraph that has begun.
    pub fn text(&mut self, text: &str) {
        self.raw(&(escaped(text) + "\n"));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.raw(".PP\n");
        self.text(text);
    }

    /// A word, and what it is.
    pub fn item(&mut self, word: &str, what: &str) {
        self.raw(".TP\n");
        self.raw(&format!("\\fB{}\\fR\n", escaped(word)));
        self.text(what);
    }

    /// A command line, below what it does.
    pub fn example(&mut self, line: &str, what: &str) {
        if !self.at_section() {
            self.raw(".PP\n");
        }
        self.text(what);
        self.raw(&format!(".PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", escaped(line)));
    }

    /// The page. A line break beside an empty line, which clap_mangen writes, is one too many.
    pub fn finish(self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines: Vec<&str> = text.lines().collect();
        let is_empty = |i: usize| lines.get(i).is_some_and(|line| line.is_empty());
        let kept = lines.iter().enumerate().filter(|(i, line)| {
            let beside = is_empty(i + 1) || i.checked_sub(1).is_some_and(is_empty);
            !(**line == ".br" && beside)
        });
        let kept = kept.map(|(_, line)| match line.is_empty() {
            true => ".sp\n".to_owned(),
            false => format!("{line}\n"),
        });
        kept.collect()
    }

    fn at_section(&self) -> bool {
        let text = self.0.strip_suffix(b"\n").unwrap_or(&self.0);
        let last = text.rsplit(|byte| *byte == b'\n').next();
        last.is_some_and(|line| line.starts_with(b".SH"))
    }

    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }
}

impl Write for Roff {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No backslash is an escape of ours, no hyphen a dash, no line a macro.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\(rs").replace('-', "\\-");
        match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_in_a_text_is_a_command_to_man() {
        assert_eq!(
            escaped(".SH x\n'br\na-b\\c"),
            "\\&.SH x\n\\&'br\na\\-b\\(rsc"
        );
    }
}
