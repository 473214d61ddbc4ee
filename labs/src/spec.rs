//! `lab.toml`: the types, and what can be wrong with them apart from syntax.

use std::collections::BTreeMap;

use bytehop_core::i18n::Lang;
use serde::{Deserialize, Serialize};

use bytehop_core::expr::Expr;

use crate::words;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    #[serde(default)]
    pub en: String,
    #[serde(default)]
    pub zh: String,
}

impl Text {
    /// In this language; a lab that has only the other is shown in that.
    pub fn get(&self, lang: Lang) -> &str {
        written(&self.en, &self.zh, lang)
    }

    /// As it was written.
    fn own(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

fn written<'a>(en: &'a str, zh: &'a str, lang: Lang) -> &'a str {
    match (lang, en, zh) {
        (Lang::En, "", other) | (Lang::Zh, other, "") => other,
        (Lang::En, own, _) | (Lang::Zh, _, own) => own,
    }
}

/// The language that programs are written in: the learner's choice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    #[default]
    Rust,
    C,
}

impl Code {
    pub const ALL: [Self; 2] = [Self::Rust, Self::C];

    /// What names of its sources end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::C => "c",
        }
    }

    /// How people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::C => "C",
        }
    }

    /// How it is called on the command line, in files, and in Markdown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Rust => Self::C,
            Self::C => Self::Rust,
        }
    }

    pub fn is_rust(&self) -> bool {
        *self == Self::Rust
    }

    /// The language of a file, by its name.
    pub fn of_file(path: &std::path::Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL
            .into_iter()
            .find(|code| code.extension() == extension)
    }
}

/// What `lab.toml` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Place in the menu.
    pub order: u32,
    pub title: Text,
    pub summary: Text,
    /// Rules that it teaches.
    #[serde(default)]
    pub teaches: Vec<String>,
    /// The lab that follows.
    pub next: Option<String>,
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Values to choose from, by name; the first is taken without a seed.
    #[serde(default)]
    pub params: BTreeMap<String, Vec<Expr>>,
    #[serde(default)]
    pub files: Vec<File>,
    pub programs: Vec<Program>,
    pub questions: Vec<Question>,
    pub change: Change,
    /// A measuring program whose output is drawn as a chart.
    pub chart: Option<Chart>,
}

/// A file made before a program starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: String,
    #[serde(default = "zero")]
    pub size: Expr,
    #[serde(default)]
    pub cache: Cache,
    #[serde(default)]
    pub on: On,
    #[serde(default)]
    pub fill: Fill,
}

fn zero() -> Expr {
    "0".parse().unwrap_or_else(|_| unreachable!("a number"))
}

/// Whether a file is in the page cache when the program starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    #[default]
    Warm,
    Cold,
}

/// Where a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    #[default]
    Disk,
    Tmpfs,
    /// A loop device; the name is the device's.
    Loop,
    /// A zram device; the name is the device's.
    Zram,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    #[default]
    Random,
    /// A name only: the program makes the file.
    None,
}

/// What a machine must have. See `docs/labs/format.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Need {
    #[serde(rename = "io_uring")]
    IoUring,
    #[serde(rename = "disk")]
    Disk,
    #[serde(rename = "loop")]
    Loop,
    #[serde(rename = "zram")]
    Zram,
    #[serde(rename = "reflink")]
    Reflink,
    #[serde(rename = "ktls")]
    Ktls,
    #[serde(rename = "polled-disk")]
    PolledDisk,
    #[serde(rename = "level-F")]
    LevelF,
    #[serde(rename = "level-B")]
    LevelB,
    #[serde(rename = "recorded")]
    Recorded,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    #[serde(default)]
    pub args: Vec<String>,
    pub title: Text,
    #[serde(default)]
    pub needs: Vec<Need>,
    /// In place of what the files say.
    pub cache: Option<Cache>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Choices {
    #[serde(rename = "yes-no")]
    YesNo,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub id: String,
    pub ask: Text,
    /// The program whose run it is about; the first without it.
    pub program: Option<String>,
    pub measure: Expr,
    pub textbook: Option<Expr>,
    #[serde(default = "near")]
    pub right: Expr,
    pub choices: Option<Choices>,
    /// About the answer; the first that fits is shown.
    #[serde(default)]
    pub explain: Vec<Case>,
    /// About textbook and measurement; the first that fits is shown.
    #[serde(default)]
    pub differs: Vec<Case>,
}

impl Question {
    /// What is to be typed.
    pub fn hint(&self, lang: Lang) -> &'static str {
        match self.choices {
            Some(_) => words::answer_hint_choice(lang),
            None => words::answer_hint(lang),
        }
    }

    /// What to say of a text that is no answer to it.
    pub fn refuse(&self, lang: Lang, text: &str) -> String {
        match self.choices {
            Some(_) => words::not_a_choice(lang, text),
            None => words::not_a_number(lang, text),
        }
    }
}

fn near() -> Expr {
    "near(answer, measured, 0.05)"
        .parse()
        .unwrap_or_else(|_| unreachable!("a comparison"))
}

/// A text for when an expression holds; without one it always fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub when: Option<Expr>,
    #[serde(default)]
    pub en: String,
    #[serde(default)]
    pub zh: String,
    /// In place of these, for those who write C: where lines of the program are told.
    pub c: Option<Text>,
}

impl Case {
    pub fn text(&self, lang: Lang, code: Code) -> &str {
        match (code, &self.c, lang) {
            (Code::C, Some(text), lang) => text.get(lang),
            _ => written(&self.en, &self.zh, lang),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The program that the learner edits.
    pub program: String,
    pub task: Text,
    /// What it writes must be what the original writes.
    #[serde(default = "yes")]
    pub output: bool,
    pub checks: Vec<Condition>,
    pub hints: Vec<Case>,
}

fn yes() -> bool {
    true
}

/// A condition on the run of a changed program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub that: Expr,
    #[serde(default)]
    pub en: String,
    #[serde(default)]
    pub zh: String,
}

impl Condition {
    pub fn text(&self, lang: Lang) -> &str {
        written(&self.en, &self.zh, lang)
    }

    /// As it was written.
    fn own(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// It isn't traced; its standard output is the chart's data, and `recordings/NAME.csv` is what
    /// it wrote once. Its title is the chart's.
    pub program: Program,
    pub series: Vec<Series>,
}

/// A line of a chart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// As the measuring program calls it.
    pub name: String,
    pub title: Text,
    /// The series with which it is compared: from which size on is it faster?
    pub against: Option<String>,
}

impl Spec {
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.sources().find(|program| program.name == name)
    }

    /// All programs with a source of their own: the traced ones, and the one that measures.
    pub fn sources(&self) -> impl Iterator<Item = &Program> {
        let measuring = self.chart.iter().map(|chart| &chart.program);
        self.programs.iter().chain(measuring)
    }

    /// The program that a question is about.
    pub fn program_of<'a>(&'a self, question: &'a Question) -> &'a str {
        let first = self.programs.first().map_or("", |p| p.name.as_str());
        question.program.as_deref().unwrap_or(first)
    }

    /// All texts with a name for messages: everything that a learner reads but the guides.
    pub fn texts(&self, lang: Lang) -> Vec<(String, &str)> {
        let mut all = vec![
            ("title".to_owned(), self.title.own(lang)),
            ("summary".to_owned(), self.summary.own(lang)),
            ("change.task".to_owned(), self.change.task.own(lang)),
        ];
        for program in &self.programs {
            all.push((
                format!("programs.{}", program.name),
                program.title.own(lang),
            ));
        }
        for question in &self.questions {
            let id = &question.id;
            all.push((format!("questions.{id}.ask"), question.ask.own(lang)));
            for (what, cases) in [
                ("explain", &question.explain),
                ("differs", &question.differs),
            ] {
                for (i, case) in cases.iter().enumerate() {
                    let name = format!("questions.{id}.{what}[{i}]");
                    all.extend(case_texts(name, case, lang));
                }
            }
        }
        for (i, check) in self.change.checks.iter().enumerate() {
            all.push((format!("change.checks[{i}]"), check.own(lang)));
        }
        for (i, hint) in self.change.hints.iter().enumerate() {
            all.extend(case_texts(format!("change.hints[{i}]"), hint, lang));
        }
        if let Some(chart) = &self.chart {
            all.push((
                "chart.program.title".to_owned(),
                chart.program.title.own(lang),
            ));
            for series in &chart.series {
                all.push((format!("chart.{}", series.name), series.title.own(lang)));
            }
        }
        all
    }
}

/// A case's text, and the one for C if that is another.
fn case_texts(name: String, case: &Case, lang: Lang) -> Vec<(String, &str)> {
    let mut all = Vec::new();
    if let Some(text) = &case.c {
        all.push((format!("{name}.c"), text.own(lang)));
    }
    let own = match lang {
        Lang::En => &case.en,
        Lang::Zh => &case.zh,
    };
    all.push((name, own));
    all
}

/// Whether something may be the name of a file, a program or a lab: a plain name, that leads nowhere else.
/// Labs come from strangers, too.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Names in braces in a program's argument.
pub(crate) fn braced(arg: &str) -> impl Iterator<Item = &str> {
    arg.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}
