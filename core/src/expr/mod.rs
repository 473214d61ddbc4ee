//! Expressions over runs: what a lab's question measures, what its check demands, what its text names; and
//! what a budget allows.
//!
//! ```
//! use bytehop_core::expr::{Expr, Scope};
//! let expr: Expr = "2 * size <= 3 MiB".parse().unwrap();
//! let mut scope = Scope::default();
//! scope.set("size", bytehop_core::expr::value::typed("1 MiB").unwrap());
//! assert!(expr.eval(&scope).unwrap().is_true());
//! ```

mod bound;
mod eval;
mod parse;
mod sight;
#[cfg(test)]
mod tests;
pub mod value;
mod words;

use std::collections::BTreeSet;

use crate::model::HopKind;
use serde::Deserialize;

use value::Unit;

pub use eval::{EvalError, Runs, Scope};
pub use parse::{ParseError, Unread};
pub use sight::Sight;
pub use words::truth;

/// A parsed expression, and how it was written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Expr {
    pub(crate) node: Node,
    text: String,
}

/// In TOML: a string, or a bare number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(i64),
}

impl TryFrom<Written> for Expr {
    type Error = ParseError;

    fn try_from(written: Written) -> Result<Self, ParseError> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Number(number) => number.to_string().parse(),
        }
    }
}

impl std::fmt::Display for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Number(f64, Unit),
    /// A parameter, `answer`, `measured` …
    Name(String),
    Measure(Measure),
    /// The size of a file, by its path.
    Size(String),
    /// In the run of another program.
    At(Box<Node>, String),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    Call(Func, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Or,
    And,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Equal,
    NotEqual,
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Func {
    Near,
    Ceil,
    Floor,
    Min,
    Max,
}

/// What is read from a summary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Measure {
    Hops {
        kind: HopKind,
        /// `None`: between any two places.
        path: Option<(PlacePattern, PlacePattern)>,
        count: bool,
        /// Only deferred ones, or only the others.
        deferred: Option<bool>,
    },
    /// One of [`eval::SCALARS`].
    Scalar(&'static str),
    /// A field of a system call's row.
    Syscall(String, &'static str),
    /// A field of the rows of processes of that name.
    Process(String, &'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlacePattern {
    Any,
    /// `user`, `device:vda`.
    Exact(String),
    /// `device`, `nic`: any of them.
    Class(&'static str),
}

impl Expr {
    /// Calls `see` for each node, outermost first.
    fn walk<'a>(node: &'a Node, see: &mut impl FnMut(&'a Node)) {
        see(node);
        match node {
            Node::At(inner, _) | Node::Not(inner) | Node::Negative(inner) => Self::walk(inner, see),
            Node::Binary(_, a, b) => {
                Self::walk(a, see);
                Self::walk(b, see);
            }
            Node::Call(_, args) => args.iter().for_each(|arg| Self::walk(arg, see)),
            Node::Number(..) | Node::Name(_) | Node::Measure(_) | Node::Size(_) => {}
        }
    }

    /// Names that are not measures: parameters, `answer` and so on.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        Self::walk(&self.node, &mut |node| {
            if let Node::Name(name) = node {
                names.insert(name.as_str());
            }
        });
        names
    }

    /// Files whose sizes it reads.
    pub fn files(&self) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        Self::walk(&self.node, &mut |node| {
            if let Node::Size(path) = node {
                files.insert(path.as_str());
            }
        });
        files
    }

    /// Programs named after `@`.
    pub fn programs(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        Self::walk(&self.node, &mut |node| {
            if let Node::At(_, name) = node {
                names.insert(name.as_str());
            }
        });
        names
    }

    /// What has to hold for it to hold, each by itself.
    pub fn parts(&self) -> Vec<Self> {
        fn split(node: &Node, text: &str, parts: &mut Vec<Expr>) {
            match node {
                Node::Binary(Op::And, a, b) => {
                    split(a, text, parts);
                    split(b, text, parts);
                }
                node => parts.push(Expr {
                    node: node.clone(),
                    text: text.to_owned(),
                }),
            }
        }
        let mut parts = Vec::new();
        split(&self.node, &self.text, &mut parts);
        parts
    }

    /// Whether it reads anything of a run.
    pub fn is_measured(&self) -> bool {
        let mut found = false;
        Self::walk(&self.node, &mut |node| {
            found |= matches!(node, Node::Measure(_));
        });
        found
    }

    /// Whether it is yes or no.
    pub fn is_truth(&self) -> bool {
        use Op::{Add, Div, Mul, Sub};
        match &self.node {
            Node::Not(_) | Node::Call(Func::Near, _) => true,
            Node::Binary(op, ..) => !matches!(op, Add | Sub | Mul | Div),
            _ => false,
        }
    }
}
