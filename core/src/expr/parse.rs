//! Text → expression, by recursive descent.

use crate::model::HopKind;

use super::value::Unit;
use super::{Expr, Func, Measure, Node, Op, PlacePattern, eval};

/// An expression that cannot be read. One line, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    pub text: String,
    pub rest: String,
    pub what: Unread,
}

/// What is wrong at that place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    TooLong,
    TooDeep,
    Extra,
    Symbol(String),
    Name,
    Value,
    NoNumber,
    Open,
    Path,
    Arity(String, usize),
    Field(String),
    Hops,
    Place,
    To,
}

crate::says! { Unread, lang:
    Self::TooLong => "longer than {LENGTH_MAX} bytes" | "超过 {LENGTH_MAX} 字节";
    Self::TooDeep => "nested too deeply" | "嵌套过深";
    Self::Extra => "this does not belong here" | "这里不该有这些内容";
    Self::Symbol(symbol) => "'{symbol}' expected" | "应为“{symbol}”";
    Self::Name => "a name expected" | "应为名称";
    Self::Value => "a number or a name expected" | "应为数或名称";
    Self::NoNumber => "not a number" | "不是数";
    Self::Open => "the path is not closed" | "路径没有以括号结束";
    Self::Path => "the path of a file expected" | "应为文件路径";
    Self::Arity(name, n) => "{name} takes {n} values" | "{name} 需要 {n} 个值";
    Self::Field(fields) => "one of {fields} expected" | "应为以下之一：{fields}";
    Self::Hops => "hops expected, such as 'copy page_cache->user'" | "应为跳，例如“copy page_cache->user”";
    Self::Place => "a place expected" | "应为位置";
    Self::To => "'->' and a place expected after the first place" | "第一个位置之后应为“->”和另一个位置";
}

crate::says! { ParseError, lang:
    Self { text, rest, what } => "in '{text}', at '{rest}': {what}" | "“{text}”中的“{rest}”处：{what}", what = what.say(lang);
}

impl std::str::FromStr for Expr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser {
            rest: text.trim(),
            depth: 0,
        };
        // A tree as deep as the text is long would be one for the stack.
        let short = match text.len() <= LENGTH_MAX {
            true => Ok(()),
            false => Err(Unread::TooLong),
        };
        let result = short.and_then(|()| parser.either()).and_then(|node| {
            parser.space();
            match parser.rest.is_empty() {
                true => Ok(node),
                false => Err(Unread::Extra),
            }
        });
        match result {
            Ok(node) => Ok(Self {
                node,
                text: text.trim().to_owned(),
            }),
            Err(what) => Err(ParseError {
                text: text.to_owned(),
                rest: parser.rest.chars().take(20).collect(),
                what,
            }),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
}

type Parsed<T = Node> = Result<T, Unread>;

/// Parentheses and signs within each other.
const DEPTH_MAX: u32 = 64;
/// Bytes of an expression.
const LENGTH_MAX: usize = 4096;

const KINDS: [(&str, HopKind); 5] = [
    ("copy", HopKind::Copy),
    ("dma", HopKind::Dma),
    ("share", HopKind::Share),
    ("map", HopKind::Map),
    ("fill", HopKind::Fill),
];
const PLACES: [&str; 7] = [
    "user",
    "page_cache",
    "shmem",
    "pipe",
    "socket",
    "kernel",
    "zero",
];
const CLASSES: [&str; 2] = ["device", "nic"];
const UNITS: [(&str, f64, Unit); 8] = [
    ("KiB", 1024.0, Unit::Bytes),
    ("MiB", 1048576.0, Unit::Bytes),
    ("GiB", 1073741824.0, Unit::Bytes),
    ("B", 1.0, Unit::Bytes),
    ("ns", 1.0, Unit::Time),
    ("us", 1e3, Unit::Time),
    ("ms", 1e6, Unit::Time),
    ("s", 1e9, Unit::Time),
];
const FUNCS: [(&str, Func, std::ops::RangeInclusive<usize>); 5] = [
    ("near", Func::Near, 3..=3),
    ("ceil", Func::Ceil, 1..=1),
    ("floor", Func::Floor, 1..=1),
    ("min", Func::Min, 1..=8),
    ("max", Func::Max, 1..=8),
];
const SYSCALL_FIELDS: [&str; 4] = ["calls", "bytes", "errors", "time"];
const PROCESS_FIELDS: [&str; 3] = ["copied", "syscalls", "user_faults"];

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `symbol` if it comes next.
    fn eat(&mut self, symbol: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        match self.eat(symbol) {
            true => Ok(()),
            false => Err(Unread::Symbol(symbol.to_string())),
        }
    }

    /// The word that comes next, not taken.
    fn peek_word(&self, also: &[char]) -> &str {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || also.contains(&c)))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn word(&mut self, also: &[char]) -> String {
        let word = self.peek_word(also).to_owned();
        self.space();
        self.rest = &self.rest[word.len()..];
        word
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(&[]) == word;
        if found {
            self.word(&[]);
        }
        found
    }

    /// A name of a program or process: letters, digits, `-`, `_`, `.`.
    fn name(&mut self) -> Parsed<String> {
        match self.word(&['-', '.']) {
            name if name.is_empty() => Err(Unread::Name),
            name => Ok(name),
        }
    }

    fn either(&mut self) -> Parsed {
        let mut node = self.both()?;
        while self.eat_word("or") {
            node = Node::Binary(Op::Or, Box::new(node), Box::new(self.both()?));
        }
        Ok(node)
    }

    fn both(&mut self) -> Parsed {
        let mut node = self.negation()?;
        while self.eat_word("and") {
            node = Node::Binary(Op::And, Box::new(node), Box::new(self.negation()?));
        }
        Ok(node)
    }

    fn negation(&mut self) -> Parsed {
        if self.eat_word("not") {
            return Ok(Node::Not(Box::new(self.deeper(Self::negation)?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        const OPS: [(&str, Op); 8] = [
            ("<=", Op::LessEq),
            (">=", Op::GreaterEq),
            ("==", Op::Equal),
            ("!=", Op::NotEqual),
            ("≤", Op::LessEq),
            ("≥", Op::GreaterEq),
            ("<", Op::Less),
            (">", Op::Greater),
        ];
        let left = self.sum()?;
        for (symbol, op) in OPS {
            if self.eat(symbol) {
                return Ok(Node::Binary(op, Box::new(left), Box::new(self.sum()?)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed {
        let mut node = self.product()?;
        loop {
            let op = if self.eat("+") {
                Op::Add
            } else if self.eat("-") {
                Op::Sub
            } else {
                return Ok(node);
            };
            node = Node::Binary(op, Box::new(node), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed {
        let mut node = self.at()?;
        loop {
            let op = if self.eat("*") {
                Op::Mul
            } else if self.eat("/") {
                Op::Div
            } else {
                return Ok(node);
            };
            node = Node::Binary(op, Box::new(node), Box::new(self.at()?));
        }
    }

    fn at(&mut self) -> Parsed {
        let node = self.atom()?;
        match self.eat("@") {
            true => Ok(Node::At(Box::new(node), self.name()?)),
            false => Ok(node),
        }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unread::TooDeep);
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn atom(&mut self) -> Parsed {
        if self.eat("(") {
            let node = self.deeper(Self::either)?;
            self.expect(")")?;
            return Ok(node);
        }
        if self.eat("-") {
            return Ok(Node::Negative(Box::new(self.deeper(Self::atom)?)));
        }
        self.space();
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        let word = self.word(&[]);
        match word.as_str() {
            "" => Err(Unread::Value),
            "count" => Ok(Node::Measure(self.counted()?)),
            "deferred" => Ok(Node::Measure(self.when(true)?)),
            "prompt" => Ok(Node::Measure(self.when(false)?)),
            "syscall" => self
                .row(&SYSCALL_FIELDS)
                .map(|(name, field)| Node::Measure(Measure::Syscall(name, field))),
            "process" => self
                .row(&PROCESS_FIELDS)
                .map(|(name, field)| Node::Measure(Measure::Process(name, field))),
            word => {
                if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == word) {
                    return Ok(Node::Measure(self.hops(*kind)?));
                }
                if let Some((_, func, arity)) = FUNCS.iter().find(|(name, ..)| *name == word) {
                    return self.call(word, *func, arity.clone());
                }
                if word == "size" && self.eat("(") {
                    return self.file().map(Node::Size);
                }
                self.named(word)
            }
        }
    }

    /// A path and a parenthesis: as it stands, or in quotes if it has a parenthesis of its own.
    fn file(&mut self) -> Parsed<String> {
        let quoted = self.eat("\"");
        let end = self.rest.find(if quoted { '"' } else { ')' });
        let end = end.ok_or(Unread::Open)?;
        let path = self.rest[..end].to_owned();
        let path = if quoted { path } else { path.trim().to_owned() };
        self.rest = &self.rest[end + usize::from(quoted)..];
        self.expect(")")?;
        match path.is_empty() {
            true => Err(Unread::Path),
            false => Ok(path),
        }
    }

    /// A scalar of the summary, or another name.
    fn named(&mut self, word: &str) -> Parsed {
        let mut name = word.to_owned();
        if self.rest.starts_with('.') {
            self.rest = &self.rest[1..];
            name = format!("{name}.{}", self.word(&['-']));
        }
        let scalar = eval::SCALARS.iter().find(|scalar| scalar.name == name);
        Ok(match scalar {
            Some(scalar) => Node::Measure(Measure::Scalar(scalar.name)),
            None => Node::Name(name),
        })
    }

    fn number(&mut self) -> Parsed {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(self.rest.len());
        let number: f64 = self.rest[..end].parse().map_err(|_| Unread::NoNumber)?;
        self.rest = &self.rest[end..];
        let word = self.peek_word(&[]);
        match UNITS.iter().find(|(name, ..)| *name == word) {
            Some((name, factor, unit)) => {
                self.eat(name);
                Ok(Node::Number(number * factor, *unit))
            }
            None => Ok(Node::Number(number, Unit::Plain)),
        }
    }

    fn call(&mut self, name: &str, func: Func, arity: std::ops::RangeInclusive<usize>) -> Parsed {
        self.expect("(")?;
        let mut args = vec![self.deeper(Self::either)?];
        while self.eat(",") {
            args.push(self.deeper(Self::either)?);
        }
        self.expect(")")?;
        match arity.contains(&args.len()) {
            true => Ok(Node::Call(func, args)),
            false => Err(Unread::Arity(name.to_owned(), *arity.start())),
        }
    }

    /// `(NAME).FIELD`
    fn row(&mut self, fields: &[&'static str]) -> Parsed<(String, &'static str)> {
        self.expect("(")?;
        let name = self.name()?;
        self.expect(")")?;
        self.expect(".")?;
        let word = self.word(&[]);
        let field = fields.iter().find(|field| **field == word);
        let field = field.ok_or_else(|| Unread::Field(fields.join(", ")))?;
        Ok((name, field))
    }

    fn counted(&mut self) -> Parsed<Measure> {
        self.within(|measure| {
            if let Measure::Hops { count, .. } = measure {
                *count = true;
            }
        })
    }

    fn when(&mut self, late: bool) -> Parsed<Measure> {
        self.within(|measure| {
            if let Measure::Hops { deferred, .. } = measure {
                *deferred = Some(late);
            }
        })
    }

    /// `(HOPS)`, changed.
    fn within(&mut self, change: impl FnOnce(&mut Measure)) -> Parsed<Measure> {
        self.expect("(")?;
        let node = self.deeper(Self::atom)?;
        self.expect(")")?;
        match node {
            Node::Measure(mut measure @ Measure::Hops { .. }) => {
                change(&mut measure);
                Ok(measure)
            }
            _ => Err(Unread::Hops),
        }
    }

    fn hops(&mut self, kind: HopKind) -> Parsed<Measure> {
        let before = self.rest;
        let from = self.place();
        let path = match from {
            // `copy * 2` is a product.
            Some(from) if self.eat("->") || self.eat("→") => {
                let to = self.place().ok_or(Unread::Place)?;
                Some((from, to))
            }
            from => {
                self.rest = before;
                if matches!(from, Some(PlacePattern::Exact(_) | PlacePattern::Class(_))) {
                    return Err(Unread::To);
                }
                None
            }
        };
        Ok(Measure::Hops {
            kind,
            path,
            count: false,
            deferred: None,
        })
    }

    fn place(&mut self) -> Option<PlacePattern> {
        if self.eat("*") {
            return Some(PlacePattern::Any);
        }
        let word = self.peek_word(&[]).to_owned();
        if let Some(class) = CLASSES.iter().find(|class| **class == word) {
            self.word(&[]);
            if self.rest.starts_with(':') {
                self.rest = &self.rest[1..];
                return Some(PlacePattern::Exact(format!(
                    "{class}:{}",
                    self.word(&['.'])
                )));
            }
            return Some(PlacePattern::Class(class));
        }
        PLACES.contains(&word.as_str()).then(|| {
            self.word(&[]);
            PlacePattern::Exact(word)
        })
    }
}
