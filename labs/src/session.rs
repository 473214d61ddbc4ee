//! One learner in one lab: answers, runs, verdicts, hints. Pure: runs come from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytehop_core::catalogue::RuleId;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{Place, Summary};
use sha2::{Digest, Sha256};

use crate::chart::Chart;
use crate::guide::{self, Placeholder, Step};
use crate::lab::Lab;
use crate::spec::{Case, Code, Question, Text};
use crate::words;
use bytehop_core::expr::value::{Unit, Value};
use bytehop_core::expr::{Expr, Runs, Scope};

/// Where a run comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Traced just now, on this machine.
    Live,
    /// The lab's recording: why, if it is not what was asked for.
    Recorded(Option<String>),
}

/// Values of the parameters, by name.
pub type Params = BTreeMap<String, Value>;

#[derive(Clone)]
pub struct Session {
    pub lab: Arc<Lab>,
    pub lang: Lang,
    /// The language of the programs.
    pub code: Code,
    /// Given by a teacher, or by the learner.
    pub seed: Option<String>,
    pub params: Params,
    /// Parameters of the bundled recordings.
    recorded_params: Params,
    /// By program.
    pub runs: Runs,
    pub origins: BTreeMap<String, Origin>,
    /// By question.
    pub answers: BTreeMap<String, Value>,
    /// Hints shown so far.
    pub hints: usize,
    /// What the learner's program did last.
    pub last: Option<Summary>,
    /// Where the learner's copies of the programs are.
    pub folder: String,
    /// Whether there are programs of the learner that can be changed and checked.
    pub editable: bool,
    /// Titles of other labs, by id.
    pub titles: BTreeMap<String, Text>,
    /// What the lab's measuring program found, and whether that was here.
    pub chart: Option<(Chart, Origin)>,
}

/// What is to be said about one question after the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub id: String,
    pub ask: String,
    pub answer: Option<Value>,
    pub textbook: Option<Value>,
    pub measured: Option<Value>,
    pub right: bool,
    /// Number of the case that fits the answer, and its text.
    pub explain: Option<(usize, String)>,
    /// The same for textbook against measurement.
    pub differs: Option<(usize, String)>,
    pub recorded: bool,
}

/// How the output of a changed program compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Same,
    Differs,
    /// The lab does not ask for it, or there is nothing to compare with.
    NotCompared,
}

/// One condition, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub text: String,
    /// As written in the lab.
    pub that: String,
    pub passed: bool,
    /// What was found in the run.
    pub found: Option<Value>,
}

/// A check's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub conditions: Vec<Judged>,
    pub exit: Option<i32>,
    pub output: Output,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.exit == Some(0)
            && self.output != Output::Differs
            && self.conditions.iter().all(|condition| condition.passed)
    }
}

impl Session {
    pub fn new(lab: Arc<Lab>, lang: Lang, seed: Option<String>) -> Self {
        Self {
            params: params(&lab, seed.as_deref()),
            recorded_params: params(&lab, None),
            chart: lab.recorded_chart().and_then(|chart| {
                let chart = chart.ok()?;
                Some((chart, Origin::Recorded(None)))
            }),
            code: lab.code(Code::Rust),
            lab,
            lang,
            seed,
            runs: Runs::new(),
            origins: BTreeMap::new(),
            answers: BTreeMap::new(),
            hints: 0,
            last: None,
            folder: String::new(),
            editable: true,
            titles: BTreeMap::new(),
        }
    }

    /// With programs in this language, if the lab has them.
    #[must_use]
    pub fn in_code(mut self, code: Code) -> Self {
        self.code = self.lab.code(code);
        self
    }

    /// Where a program of the learner's is, for people.
    pub fn path(&self, program: &str) -> String {
        format!("{}/{program}.{}", self.folder, self.code.extension())
    }

    /// Takes a run of a program of the lab.
    pub fn observe(&mut self, program: &str, summary: Summary, origin: Origin) {
        self.runs.insert(program.to_owned(), summary);
        self.origins.insert(program.to_owned(), origin);
    }

    /// Whether a program's run was made elsewhere.
    pub fn is_recorded(&self, program: &str) -> bool {
        matches!(self.origins.get(program), Some(Origin::Recorded(_)))
    }

    /// Answers a question, in words or digits; `false` if it cannot be understood.
    pub fn answer(&mut self, question: &Question, text: &str) -> bool {
        let value = bytehop_core::expr::value::typed(text).or_else(|| {
            // `2 * size` is an answer, too.
            let expr: Expr = text.parse().ok()?;
            let plain = !expr.is_measured() && expr.programs().is_empty();
            plain.then(|| expr.eval(&self.scope(None)).ok())?
        });
        // "No" is no number of bytes; to what is yes or no, 1 and 0 are answers, too.
        let fits = |value: &Value| match question.choices {
            Some(_) => value.unit == Unit::Truth || value.number == 0.0 || value.number == 1.0,
            None => value.unit != Unit::Truth,
        };
        let Some(value) = value.filter(fits) else {
            return false;
        };
        self.answers.insert(question.id.clone(), value);
        true
    }

    /// Names for expressions about the run of `program`.
    fn scope<'a>(&'a self, program: Option<&str>) -> Scope<'a> {
        let mut scope = Scope::new(program.and_then(|name| self.runs.get(name)), &self.runs);
        let params = match program.is_some_and(|name| self.is_recorded(name)) {
            true => &self.recorded_params,
            false => &self.params,
        };
        for (name, value) in params {
            scope.set(name, value.clone());
        }
        for (id, value) in &self.answers {
            scope.set(&format!("answer.{id}"), value.clone());
        }
        scope
    }

    fn first_program(&self) -> &str {
        self.lab.spec.programs.first().map_or("", |p| &p.name)
    }

    /// The parameters, alone: for sizes of files.
    pub fn params_scope(&self) -> Scope<'_> {
        self.scope(None)
    }

    /// A question's text.
    pub fn ask(&self, question: &Question) -> String {
        let scope = self.scope(Some(self.lab.spec.program_of(question)));
        self.fill(question.ask.get(self.lang), &scope)
    }

    /// A section of the guide, filled in: before the change exercise about the lab's first program,
    /// in it about the one to be changed, after it about what the learner's program did.
    pub fn section(&self, step: Step) -> String {
        let program = match step {
            Step::Change | Step::Check => &self.lab.spec.change.program,
            _ => self.first_program(),
        };
        let mut scope = self.scope(Some(program));
        if step == Step::Check && self.last.is_some() {
            scope = self.change_scope(self.last.as_ref());
        }
        self.fill(self.lab.guide(self.lang).section(step), &scope)
    }

    /// Any text with placeholders, filled in about the lab's first program.
    pub fn fill_in(&self, text: &str) -> String {
        self.fill(text, &self.scope(Some(self.first_program())))
    }

    /// The task of the change exercise.
    pub fn task(&self) -> String {
        let scope = self.scope(Some(&self.lab.spec.change.program));
        self.fill(self.lab.spec.change.task.get(self.lang), &scope)
    }

    /// Predictions, textbook and measurement side by side.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let questions = self.lab.spec.questions.iter();
        questions.map(|question| self.verdict(question)).collect()
    }

    pub fn verdict(&self, question: &Question) -> Verdict {
        let program = self.lab.spec.program_of(question);
        let mut scope = self.scope(Some(program));
        let measured = question.measure.eval(&scope).ok();
        let textbook = textbook(question, &scope);
        // A number without a unit is meant in the unit of what was asked for.
        let answer = self.answers.get(&question.id).map(|answer| {
            let mut answer = answer.clone();
            let wanted = measured.as_ref().map_or(answer.unit, |m| m.unit);
            if matches!(answer.unit, Unit::Plain | Unit::Truth) || wanted == Unit::Ratio {
                answer.unit = wanted;
            }
            answer
        });
        for (name, value) in [
            ("answer", &answer),
            ("textbook", &textbook),
            ("measured", &measured),
        ] {
            if let Some(value) = value {
                scope.set(name, value.clone());
            }
        }
        let pick = |cases: &[Case]| {
            let fits = |case: &&Case| case.when.as_ref().is_none_or(|when| when.holds(&scope));
            let found = cases.iter().enumerate().find(|(_, case)| fits(case));
            found.map(|(i, case)| (i, self.fill(case.text(self.lang, self.code), &scope)))
        };
        Verdict {
            id: question.id.clone(),
            ask: self.fill(question.ask.get(self.lang), &scope),
            right: answer.is_some() && question.right.holds(&scope),
            explain: answer.as_ref().and_then(|_| pick(&question.explain)),
            differs: pick(&question.differs),
            recorded: self.is_recorded(program),
            answer,
            textbook,
            measured,
        }
    }

    /// All explanations of a question's answers, with the conditions for them, filled in.
    pub fn explanations(&self, question: usize) -> Vec<(Option<String>, String)> {
        let Some(question) = self.lab.spec.questions.get(question) else {
            return Vec::new();
        };
        let program = self.lab.spec.program_of(question);
        let mut scope = self.scope(Some(program));
        if let Ok(measured) = question.measure.eval(&scope) {
            scope.set("measured", measured);
        }
        if let Some(textbook) = self.textbook(&question.id) {
            scope.set("textbook", textbook);
        }
        let cases = question.explain.iter();
        cases
            .map(|case| {
                let when = case.when.as_ref().map(ToString::to_string);
                (when, self.fill(case.text(self.lang, self.code), &scope))
            })
            .collect()
    }

    /// The programs with which a changed one is compared: by conditions, hints, and the guide's
    /// last section.
    pub fn compared(&self) -> BTreeSet<String> {
        let change = &self.lab.spec.change;
        let checks = change.checks.iter().map(|check| check.that.clone());
        let hints = change.hints.iter().filter_map(|hint| hint.when.clone());
        let guide = self.lab.guide(self.lang).section(Step::Check);
        let told = guide::pieces(guide).filter_map(|piece| match piece {
            Ok(Placeholder::Measured(expr, _) | Placeholder::Evidence(expr)) => Some(expr),
            _ => None,
        });
        let all = checks.chain(hints).chain(told);
        all.flat_map(|expr| {
            expr.programs()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
    }

    /// Both sides of a comparison, in a run of the changed program.
    pub(crate) fn sides(&self, that: &Expr, run: &Summary) -> Option<(Value, Value)> {
        that.sides(&self.change_scope(Some(run)))
    }

    /// Judges a run of the learner's program.
    pub fn judge(&self, run: &Summary, output: Output) -> Outcome {
        let scope = self.change_scope(Some(run));
        let checks = self.lab.spec.change.checks.iter();
        let conditions = checks.map(|check| Judged {
            text: self.fill(check.text(self.lang), &scope),
            that: check.that.to_string(),
            passed: check.that.holds(&scope),
            found: check.that.left(&scope),
        });
        Outcome {
            conditions: conditions.collect(),
            exit: run.exit_status,
            output,
        }
    }

    fn change_scope<'a>(&'a self, run: Option<&'a Summary>) -> Scope<'a> {
        let mut scope = self.scope(None);
        scope.run = run;
        scope
    }

    /// Hints that fit what the learner did last, filled in.
    pub fn fitting_hints(&self) -> Vec<String> {
        let scope = self.change_scope(self.last.as_ref());
        let hints = self.lab.spec.change.hints.iter();
        let fits = |hint: &&Case| hint.when.as_ref().is_none_or(|when| when.holds(&scope));
        let hints = hints.filter(fits);
        hints
            .map(|hint| self.fill(hint.text(self.lang, self.code), &scope))
            .collect()
    }

    /// The next hint, with "hint 2 of 3" before it; the last again when there are no more.
    pub fn hint(&mut self) -> Option<String> {
        let hints = self.fitting_hints();
        self.hints = (self.hints + 1).min(hints.len());
        let hint = hints.get(self.hints.checked_sub(1)?)?;
        let number = words::hint(self.lang, self.hints, hints.len());
        Some(words::label(self.lang, number) + hint)
    }

    /// Fills a text's placeholders in.
    fn fill(&self, text: &str, scope: &Scope<'_>) -> String {
        let unknown = || "?".to_owned();
        let show = |value: Option<&Value>, format| {
            value.map_or_else(unknown, |value| value.show(format, self.lang))
        };
        guide::fill(text, &|placeholder| match placeholder {
            Placeholder::Measured(expr, format) => match expr.eval(scope) {
                Ok(value) => value.marked(*format, self.lang),
                Err(_) => unknown(),
            },
            Placeholder::Evidence(expr) => match expr.eval(scope) {
                Ok(value) => value.known.describe(self.lang),
                Err(_) => unknown(),
            },
            Placeholder::Textbook(id, format) => show(self.textbook(id).as_ref(), *format),
            Placeholder::Answer(id, format) => show(self.answers.get(id), *format),
            Placeholder::Param(name, format) => show(scope.get(name), *format),
            Placeholder::Rule(name) => match RuleId::of_name(name).map(|rule| rule.says(self.lang))
            {
                Some(text) => words::rule(self.lang, name, text),
                None => unknown(),
            },
            Placeholder::Program(name) => self.path(name),
            Placeholder::Lab(id) => {
                let title = self
                    .titles
                    .get(id)
                    .map(|title| title.get(self.lang).to_owned());
                title.unwrap_or_else(unknown)
            }
            Placeholder::Kernel => scope.run.map_or_else(unknown, |run| run.kernel.clone()),
            Placeholder::Level => scope.run.map_or_else(unknown, |run| run.level.clone()),
            Placeholder::Device => scope.run.and_then(device).unwrap_or_else(unknown),
            Placeholder::Next => match &self.lab.spec.next {
                Some(id) => words::next_lab(self.lang, id),
                None => words::all_labs(self.lang).to_owned(),
            },
        })
    }

    fn textbook(&self, id: &str) -> Option<Value> {
        let mut questions = self.lab.spec.questions.iter();
        let question = questions.find(|question| question.id == id)?;
        textbook(
            question,
            &self.scope(Some(self.lab.spec.program_of(question))),
        )
    }
}

/// What a book would say, in the unit of what is measured: `size / 4 KiB` are so many requests.
fn textbook(question: &Question, scope: &Scope<'_>) -> Option<Value> {
    let mut value = question.textbook.as_ref()?.eval(scope).ok()?;
    if let Ok(measured) = question.measure.eval(scope) {
        value.unit = measured.unit;
    }
    Some(value)
}

/// The block device that most of a run's bytes met.
fn device(run: &Summary) -> Option<String> {
    let rows = run
        .hops
        .iter()
        .filter_map(|row| match (&row.from, &row.to) {
            (Place::Device(name), _) | (_, Place::Device(name)) => Some((row.bytes, name)),
            _ => None,
        });
    rows.max().map(|(_, name)| name.clone())
}

/// The values that a seed draws; the first ones without.
fn params(lab: &Lab, seed: Option<&str>) -> Params {
    let params = lab.spec.params.iter();
    params
        .filter_map(|(name, values)| {
            let chosen = match seed {
                Some(seed) => draw(&[seed, &lab.id, name], values.len()),
                None => 0,
            };
            let value = values.get(chosen)?.eval(&Scope::default()).ok()?;
            Some((name.clone(), value))
        })
        .collect()
}

/// A number below `n` that depends on nothing but the words.
fn draw(words: &[&str], n: usize) -> usize {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let number = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    (number % n.max(1) as u64) as usize
}
