//! Rust's source as tokens: only as fine as finding modules and paths needs.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// What stands in a string.
    Text(String),
    /// `::`
    Path,
    Mark(char),
}

impl Token {
    pub fn is(&self, mark: char) -> bool {
        *self == Token::Mark(mark)
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// Tokens with their lines, without comments. Lifetimes are left out, characters are empty texts.
pub fn tokens(source: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = source.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        at: 0,
        line: 1,
    };
    let mut found = Vec::new();
    while reader.at < chars.len() {
        let line = reader.line;
        if let Some(token) = reader.next() {
            found.push((token, line));
        }
    }
    found
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn bump(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        self.line += usize::from(c == '\n');
        c
    }

    fn ended(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn next(&mut self) -> Option<Token> {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while !self.ended() && self.peek(0) != '\n' {
                    self.bump();
                }
                None
            }
            ('/', '*') => {
                self.comment();
                None
            }
            (':', ':') => {
                self.at += 2;
                Some(Token::Path)
            }
            ('"', _) => Some(self.quoted(None)),
            ('\'', next) => self.character(next),
            (c, _) if c.is_alphabetic() || c == '_' => Some(self.word()),
            (c, _) if c.is_ascii_digit() => {
                // `1_000u32`; in `0..n` the points are marks.
                while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                    self.bump();
                }
                None
            }
            (c, _) => {
                self.bump();
                (!c.is_whitespace()).then_some(Token::Mark(c))
            }
        }
    }

    /// Block comments nest.
    fn comment(&mut self) {
        let mut depth = 0;
        while !self.ended() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }

    /// A string, from its quotation mark on: raw with so many `#`, or with escapes.
    fn quoted(&mut self, raw: Option<usize>) -> Token {
        let mut text = String::new();
        self.bump();
        while !self.ended() {
            let c = self.bump();
            if c == '\\' && raw.is_none() {
                self.bump();
            } else if c == '"' && (0..raw.unwrap_or(0)).all(|i| self.peek(i) == '#') {
                self.at += raw.unwrap_or(0);
                break;
            } else {
                text.push(c);
            }
        }
        Token::Text(text)
    }

    /// `'c'`, `'\n'`, or a lifetime.
    fn character(&mut self, next: char) -> Option<Token> {
        self.bump();
        if next == '\\' {
            self.at += 2;
        } else if self.peek(1) == '\'' {
            self.bump();
        } else {
            while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                self.bump();
            }
            return None;
        }
        while !self.ended() && self.bump() != '\'' {}
        Some(Token::Text(String::new()))
    }

    /// A word, or the string that it is the prefix of: `r"…"`, `br#"…"#`, `c"…"`, `b'…'`.
    fn word(&mut self) -> Token {
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.bump());
        }
        let hashes = (0..).take_while(|i| self.peek(*i) == '#').count();
        let prefix = matches!(word.as_str(), "r" | "b" | "br" | "c" | "cr");
        match self.peek(hashes) {
            '"' if prefix && word.ends_with('r') => {
                self.at += hashes;
                self.quoted(Some(hashes))
            }
            '"' if prefix && hashes == 0 => self.quoted(None),
            '\'' if word == "b" && hashes == 0 => {
                self.character(self.peek(1));
                Token::Text(String::new())
            }
            // `r#type`
            _ if word == "r" && hashes == 1 => {
                self.bump();
                self.word()
            }
            _ => Token::Word(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_lifetimes_hold_no_paths() {
        let source = r##"
            // crate::a
            /* crate::b /* crate::c */ crate::d */
            fn f<'a>(x: &'a str) -> char { g("crate::e \" crate::f", r#"crate::"g"#, '"', b'\'', '\\'); h::i }
        "##;
        let words: Vec<String> = tokens(source)
            .iter()
            .filter_map(|(token, _)| token.word().map(str::to_owned))
            .collect();
        assert_eq!(words, ["fn", "f", "x", "str", "char", "g", "h", "i"]);
    }
}
