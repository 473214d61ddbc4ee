//! Budgets: what a run may cost, as expressions that have to hold.
//!
//! A trace is read with [`Budgets`] as its sink, so that a broken budget can name the source line that did
//! most of it. What the trace lost makes numbers too small: a verdict that could turn by it is none.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::str::FromStr;

use serde::Serialize;

use crate::annotate::Annotator;
use crate::event::{CalledFrom, Meta};
use crate::expr::value::{Unit, Value};
use crate::expr::{EvalError, Expr, ParseError, Scope, Sight};
use crate::model::{CallId, Hop, Summary};
use crate::notice::Notice;
use crate::reconstruct::{Call, Sink, What};
use crate::record::Warning;

/// An expression that has to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    pub expr: Expr,
    /// What has to hold at the same time, each by itself.
    parts: Vec<Expr>,
}

/// What is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    Parse(#[from] ParseError),
    NoTruth(String),
    Name { text: String, name: String },
    Program { text: String, name: String },
    NotMeasured(String),
}

crate::says! { BudgetError, lang:
    Self::Parse(e) => { e.say(lang) };
    Self::NoTruth(text) => "'{text}' is neither true nor false: compare it with something, such as 'crossings < 500'"
        | "“{text}”没有真假：请与某个值比较，例如“crossings < 500”";
    Self::Name { text, name } => "in '{text}': '{name}' is no measure of a run (docs/labs/format.md lists them)"
        | "“{text}”中的“{name}”不是运行的测量值（见 docs/zh/labs/format.md）";
    Self::Program { text, name } => "in '{text}': '@{name}' names another run; a budget is about one"
        | "“{text}”中的“@{name}”指另一次运行；预算只针对一次运行";
    Self::NotMeasured(text) => "'{text}' is about nothing that was measured" | "“{text}”与任何测量值无关";
}

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let expr: Expr = text.parse()?;
        let text = || expr.to_string();
        if let Some(name) = expr.programs().first() {
            let (text, name) = (text(), (*name).to_owned());
            return Err(BudgetError::Program { text, name });
        }
        if let Some(name) = expr.names().first() {
            let (text, name) = (text(), (*name).to_owned());
            return Err(BudgetError::Name { text, name });
        }
        if !expr.is_truth() {
            return Err(BudgetError::NoTruth(text()));
        }
        if !expr.is_measured() {
            return Err(BudgetError::NotMeasured(text()));
        }
        let parts = expr.parts();
        Ok(Self { expr, parts })
    }
}

/// The budgets of a file: one a line; what follows `#` at the beginning of a line, and empty lines, say nothing.
///
/// # Errors
/// The number of the first line that is none, and what is wrong with it.
pub fn parse_list(text: &str) -> Result<Vec<Budget>, (usize, BudgetError)> {
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let budgets = lines.map(|(at, line)| line.parse().map_err(|e| (at + 1, e)));
    budgets.collect()
}

/// Why a file has no size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSize {
    NotAFile,
    /// The system's error, by its number.
    Error(i32),
}

crate::says! { NoSize, lang:
    Self::NotAFile => "not a regular file" | "不是普通文件";
    Self::Error(number) => { io::Error::from_raw_os_error(*number).say(lang) };
}

impl From<io::Error> for NoSize {
    fn from(e: io::Error) -> Self {
        // Without a number: a path that no system takes.
        const EINVAL: i32 = 22;
        Self::Error(e.raw_os_error().unwrap_or(EINVAL))
    }
}

/// Why a budget was not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Events were lost, and with them it might have come out differently.
    Lost,
    /// A hook that it needs was not attached.
    Unmeasured(String),
    /// The size of this file is not known, and why.
    NoFile(String, NoSize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Held,
    Broken,
    Unknown(Doubt),
}

/// The source line that did most of what a budget counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Culprit {
    pub file: String,
    pub line: u32,
    /// Of all that was counted.
    pub share: f64,
}

/// What came of a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub text: String,
    pub outcome: Outcome,
    /// Both sides of the comparison that decided; `None` if it is none.
    pub sides: Option<(Value, Value)>,
    pub culprit: Option<Culprit>,
}

impl Verdict {
    pub fn held(&self) -> bool {
        self.outcome == Outcome::Held
    }
}

/// What was seen of a budget's measures.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    bytes: u64,
    count: u64,
    time_ns: u64,
}

impl Seen {
    fn add(&mut self, bytes: u64, time_ns: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.count = self.count.saturating_add(1);
        self.time_ns = self.time_ns.saturating_add(time_ns);
    }

    fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Bytes => self.bytes,
            Unit::Time => self.time_ns,
            Unit::Plain | Unit::Ratio | Unit::Truth => self.count,
        }
    }
}

/// A part of a budget, and where in the run it shows.
#[derive(Debug)]
struct Part {
    expr: Expr,
    sight: Option<Sight>,
    by_stack: HashMap<Option<u64>, Seen>,
}

/// Budgets while a trace is read.
#[derive(Debug, Default)]
pub struct Budgets {
    all: Vec<(Budget, Vec<Part>)>,
    lines: Annotator,
}

/// Sizes of files by path, or why one has none.
pub type Sizes = BTreeMap<String, Result<u64, NoSize>>;

impl Budgets {
    pub fn new(budgets: Vec<Budget>) -> Self {
        let all = budgets.into_iter().map(|budget| {
            let parts = budget.parts.iter().map(|expr| Part {
                expr: expr.clone(),
                sight: expr.sight(),
                by_stack: HashMap::new(),
            });
            let parts = parts.collect();
            (budget, parts)
        });
        Self {
            all: all.collect(),
            lines: Annotator::default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Files whose sizes are wanted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.all.iter().flat_map(|(budget, _)| budget.expr.files())
    }

    /// Judges a run of which all was seen.
    pub fn judge(&self, summary: &Summary, sizes: &Sizes) -> Vec<Verdict> {
        let mut scope = Scope::default();
        scope.run = Some(summary);
        for (path, size) in sizes {
            if let Ok(size) = size {
                scope.set_size(path, *size);
            }
        }
        let all = self.all.iter();
        let verdicts = all.map(|(budget, parts)| {
            let verdicts = parts.iter().map(|part| self.part(part, &scope, sizes));
            // The worst: broken, then unknown.
            let worst = verdicts.max_by_key(|verdict| match verdict.outcome {
                Outcome::Held => 0,
                Outcome::Unknown(_) => 1,
                Outcome::Broken => 2,
            });
            let text = budget.expr.to_string();
            match worst {
                Some(verdict) => Verdict { text, ..verdict },
                None => Verdict {
                    text,
                    outcome: Outcome::Held,
                    sides: None,
                    culprit: None,
                },
            }
        });
        verdicts.collect()
    }

    fn part(&self, part: &Part, scope: &Scope<'_>, sizes: &Sizes) -> Verdict {
        let summary = scope.run;
        let sides = part.expr.sides(scope);
        let unmeasured = summary.and_then(|summary| part.expr.unmeasured(summary));
        let outcome = match (part.expr.eval(scope), unmeasured) {
            (_, Some(hook)) => Outcome::Unknown(Doubt::Unmeasured(hook)),
            (Ok(value), None) => {
                let holds = value.is_true();
                match summary.is_some_and(is_incomplete) && part.expr.may_turn(holds) {
                    true => Outcome::Unknown(Doubt::Lost),
                    false if holds => Outcome::Held,
                    false => Outcome::Broken,
                }
            }
            (Err(EvalError::NoFile(path)), None) => {
                let why = sizes.get(&path).and_then(|size| size.clone().err());
                Outcome::Unknown(Doubt::NoFile(path, why.unwrap_or(NoSize::NotAFile)))
            }
            // Names and runs were checked when the budget was read.
            (Err(e), None) => Outcome::Unknown(Doubt::Unmeasured(e.to_string())),
        };
        let unit = sides.as_ref().map_or(Unit::Plain, |(left, _)| left.unit);
        Verdict {
            text: String::new(),
            culprit: match outcome {
                Outcome::Broken => self.culprit(part, unit),
                _ => None,
            },
            outcome,
            sides,
        }
    }

    fn culprit(&self, part: &Part, unit: Unit) -> Option<Culprit> {
        let mut lines: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        let mut all = 0_u64;
        for (stack, seen) in &part.by_stack {
            let n = seen.of(unit);
            all = all.saturating_add(n);
            if let Some(frame) = stack.and_then(|stack| self.lines.frame(stack)) {
                let sum = lines.entry((&frame.file, frame.line)).or_default();
                *sum = sum.saturating_add(n);
            }
        }
        let most = lines.into_iter().max_by_key(|(_, n)| *n);
        let ((file, line), n) = most.filter(|(_, n)| *n > 0)?;
        Some(Culprit {
            file: file.to_owned(),
            line,
            share: n as f64 / all as f64,
        })
    }
}

/// Whether events that were not seen may have made numbers too small.
fn is_incomplete(summary: &Summary) -> bool {
    let mut warnings = summary.warnings.iter();
    summary.lost_events > 0
        || warnings.any(|warning| {
            matches!(
                warning,
                Notice::Skipped { .. }
                    | Notice::NoEnd
                    | Notice::UnsizedMessages(_)
                    | Notice::UnsizedReflinks(_)
                    | Notice::UnknownMeasures(_)
                    | Notice::Recording(
                        Warning::Gap { .. }
                            | Warning::CutOff { .. }
                            | Warning::Io { .. }
                            | Warning::Undecodable { .. }
                    )
            )
        })
}

impl Sink for Budgets {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        let stack = self.lines.stacks.of(call.id);
        for part in self.all.iter_mut().flat_map(|(_, parts)| parts) {
            let Some(sight) = &part.sight else { continue };
            let mut see = |bytes, time_ns| {
                let seen = part.by_stack.entry(stack).or_default();
                seen.add(bytes, time_ns);
            };
            match call.what {
                What::Syscall { name, ret, .. } if sight.has_call(name) => {
                    see(ret.max(0) as u64, call.dur);
                }
                What::Fault { .. } if sight.has_faults() => see(0, call.dur),
                _ => {}
            }
            for hop in hops {
                if sight.has_hop(hop.kind, &hop.from, &hop.to, hop.deferred) {
                    see(hop.bytes, 0);
                }
            }
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        let stack = self.lines.stacks.of(call);
        for part in self.all.iter_mut().flat_map(|(_, parts)| parts) {
            let sight = part.sight.as_ref();
            if sight.is_some_and(|sight| sight.has_hop(hop.kind, &hop.from, &hop.to, hop.deferred))
            {
                part.by_stack.entry(stack).or_default().add(hop.bytes, 0);
            }
        }
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.lines.called_from(from);
    }

    fn meta(&mut self, meta: &Meta) {
        self.lines.meta(meta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Crossings;

    fn budget(text: &str) -> Budget {
        text.parse().expect(text)
    }

    fn summary() -> Summary {
        Summary {
            crossings: Crossings {
                total: 84,
                syscall: 60,
                page_fault: 24,
                ..Crossings::default()
            },
            ..Summary::default()
        }
    }

    fn judge(text: &str, summary: &Summary) -> Verdict {
        let budgets = Budgets::new(vec![budget(text)]);
        let sizes = Sizes::from([
            ("input.bin".to_owned(), Ok(100)),
            ("gone".to_owned(), Err(NoSize::Error(2))),
        ]);
        budgets.judge(summary, &sizes).remove(0)
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        for (text, says) in [
            ("crossings <", "a number or a name expected"),
            ("crossings", "neither true nor false"),
            ("answer < 3", "'answer' is no measure"),
            ("crossings @copy < 3", "'@copy' names another run"),
            ("1 < 2", "nothing that was measured"),
            ("copy < size(", "not closed"),
            ("copy < size()", "the path of a file expected"),
        ] {
            let said = Budget::from_str(text).expect_err(text).to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
        let list = parse_list("# a file\n\ncrossings < 500\n  copy <= 1 MiB \n");
        let texts = list
            .expect("budgets")
            .into_iter()
            .map(|b| b.expr.to_string());
        assert_eq!(
            texts.collect::<Vec<_>>(),
            ["crossings < 500", "copy <= 1 MiB"]
        );
        assert_eq!(
            parse_list("crossings < 5\ncopy").map_err(|(line, _)| line),
            Err(2)
        );
    }

    #[test]
    fn budgets_are_judged() {
        let whole = summary();
        for (text, holds) in [
            ("crossings < 500", true),
            ("crossings < 84", false),
            ("crossings <= size(input.bin)", true),
            ("crossings < 500 and crossings.syscall < 60", false),
            ("crossings > 500 or crossings.syscall == 60", true),
            ("not crossings < 500", false),
        ] {
            let expected = if holds {
                Outcome::Held
            } else {
                Outcome::Broken
            };
            assert_eq!(judge(text, &whole).outcome, expected, "{text}");
        }
        let verdict = judge("crossings < 500 and crossings.syscall < 60", &whole);
        let (came, allowed) = verdict.sides.expect("a comparison");
        assert_eq!((came.number, allowed.number), (60.0, 60.0));
        let file = judge("crossings < size(gone)", &whole).outcome;
        let doubt = Doubt::NoFile("gone".to_owned(), NoSize::Error(2));
        assert_eq!(file, Outcome::Unknown(doubt));
    }

    #[test]
    fn a_loss_leaves_only_what_it_cannot_turn() {
        let lossy = Summary {
            lost_events: 3,
            ..summary()
        };
        for (text, outcome) in [
            ("crossings < 500", Outcome::Unknown(Doubt::Lost)),
            ("crossings < 84", Outcome::Broken),
            ("crossings >= 84", Outcome::Held),
            ("crossings > 500", Outcome::Unknown(Doubt::Lost)),
        ] {
            assert_eq!(judge(text, &lossy).outcome, outcome, "{text}");
        }
        let blind = Summary {
            missing_probes: vec![("tp:page_fault_user".to_owned(), String::new())],
            ..summary()
        };
        let outcome = judge("crossings.page_fault < 50", &blind).outcome;
        assert!(
            matches!(&outcome, Outcome::Unknown(Doubt::Unmeasured(hook)) if hook.ends_with("page_fault_user")),
            "{outcome:?}"
        );
    }
}
