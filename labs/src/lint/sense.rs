//! What can be read and still makes no sense: found in the lab's expressions, and in its own recordings.

use std::collections::BTreeSet;

use bytehop_core::arch::Arch;
use bytehop_core::expr::Expr;
use bytehop_core::expr::value::{Unit, Value};
use bytehop_core::i18n::Lang;

use super::{Lint, words};
use crate::guide::Step;
use crate::recording::summary_of;
use crate::session::{Origin, Session};
use crate::spec::{Case, Question};

/// A lab without a language yet has said so already.
const BOTH: [Lang; 2] = [Lang::En, Lang::Zh];

impl Lint<'_> {
    pub(super) fn sense(&mut self) {
        self.calls();
        self.languages();
        for question in &self.lab.spec.questions {
            let id = &question.id;
            self.shadowed(&format!("questions.{id}.explain"), &question.explain);
            self.shadowed(&format!("questions.{id}.differs"), &question.differs);
        }
        // A hint without a condition leaves room for the next.
        self.recorded();
    }

    /// System calls by names that no kernel has.
    fn calls(&mut self) {
        let (lab, lang) = (self.lab, self.lang);
        for (place, expr, _) in lab.expressions() {
            for name in calls_in(&expr.to_string()) {
                let known = Arch::ALL.iter().any(|a| a.syscall_number(name).is_some());
                if !known && !name.contains(':') {
                    self.at(&place, words::no_call(lang, name));
                }
            }
        }
    }

    /// Explanations that are never shown, because one before them always fits or is the same.
    fn shadowed(&mut self, place: &str, cases: &[Case]) {
        let lang = self.lang;
        let mut before: BTreeSet<Option<String>> = BTreeSet::new();
        for (i, case) in cases.iter().enumerate() {
            let when = case.when.as_ref().map(ToString::to_string);
            if before.contains(&None) || before.contains(&when) {
                self.at(&format!("{place}[{i}]"), words::shadowed(lang));
            }
            before.insert(when);
        }
    }

    /// What one language says with a value, the other does too.
    fn languages(&mut self) {
        let (lab, lang) = (self.lab, self.lang);
        let [en, zh] = BOTH.map(|lang| lab.spec.texts(lang));
        let texts = en
            .iter()
            .zip(&zh)
            .map(|((place, en), (_, zh))| (place.clone(), *en, *zh));
        let steps = Step::ALL.map(|step| {
            let [en, zh] = BOTH.map(|lang| lab.guide(lang).section(step));
            (words::section(lang, "guide", step.title(lang)), en, zh)
        });
        for (place, en, zh) in texts.chain(steps) {
            if en.trim().is_empty() || zh.trim().is_empty() {
                continue;
            }
            let [en, zh] = [en, zh].map(placeholders);
            for (here, there) in [(&en, &zh), (&zh, &en)] {
                for only in here.difference(there) {
                    let only = format!("{{{{{only}}}}}");
                    self.at(&place, words::one_text_only(lang, only));
                }
            }
        }
    }

    /// By what the lab's recordings hold: whose they are, units that do not go together, answers that are never right.
    fn recorded(&mut self) {
        let (lab, lang) = (self.lab, self.lang);
        let (spec, change) = (&lab.spec, &lab.spec.change);
        let mut session = Session::new(lab.clone().into(), Lang::En, None);
        let mut whole = true;
        for program in &spec.programs {
            let run = lab.recording(&program.name).map(summary_of);
            let Some(Ok(run)) = run else {
                whole = false;
                continue;
            };
            self.whose(&program.name, &run.command, &[&program.name]);
            session.observe(&program.name, run, Origin::Recorded(None));
        }
        let solved = lab.recording("solution").map(summary_of);
        if let Some(Ok(run)) = &solved {
            self.whose("solution", &run.command, &["solution", &change.program]);
        }
        // Without all runs, no expression has its value.
        if !whole {
            return;
        }
        for question in &spec.questions {
            let id = &question.id;
            let verdict = session.verdict(question);
            // Shown in the unit of what was measured: so it has to be one of its kind.
            let textbook = question.textbook.as_ref();
            let textbook =
                textbook.and_then(|textbook| textbook.eval(&session.params_scope()).ok());
            if let Some((measured, textbook)) = verdict.measured.as_ref().zip(textbook)
                && clash(measured, &textbook)
            {
                self.at(&format!("questions.{id}.textbook"), words::units(lang));
            }
            if verdict.measured.is_some() && !can_be_right(&mut session, question) {
                self.at(&format!("questions.{id}.right"), words::never_right(lang));
            }
        }
        if let Some(Ok(run)) = &solved {
            for (i, check) in change.checks.iter().enumerate() {
                let clashes =
                    |part: &Expr| session.sides(part, run).is_some_and(|(a, b)| clash(&a, &b));
                if check.that.parts().iter().any(clashes) {
                    self.at(&format!("change.checks[{i}]"), words::units(lang));
                }
            }
        }
    }

    /// A recording is of the program that it is named after.
    fn whose(&mut self, name: &str, command: &[String], programs: &[&str]) {
        let path = command.first().map_or("", String::as_str);
        let file = path.rsplit('/').next().unwrap_or(path);
        let id = &self.lab.id;
        // One that was made in another machine has the program's plain name.
        let is = |program: &&str| file == *program || file.ends_with(&format!("{id}-{program}"));
        if !programs.iter().any(is) {
            let what = words::other_recording(self.lang, file);
            self.at(&format!("recordings/{name}.bhop"), what);
        }
    }
}

/// Names in `syscall(NAME)`.
fn calls_in(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.split("syscall(").skip(1);
    inner.filter_map(|rest| Some(rest.split_once(')')?.0.trim()))
}

/// The insides of a text's placeholders, without formats and blanks.
fn placeholders(text: &str) -> BTreeSet<String> {
    let inner = text.split("{{").skip(1);
    let inner = inner.filter_map(|rest| Some(rest.split_once("}}")?.0));
    inner
        .map(|text| text.split_whitespace().collect())
        .collect()
}

/// Bytes, times and counts are not compared with each other; zero is zero of anything.
fn clash(a: &Value, b: &Value) -> bool {
    let kind = |value: &Value| match value.unit {
        Unit::Bytes => Some(0),
        Unit::Time => Some(1),
        Unit::Plain => Some(2),
        Unit::Ratio | Unit::Truth => None,
    };
    let zero = a.number == 0.0 || b.number == 0.0;
    !zero && kind(a).zip(kind(b)).is_some_and(|(a, b)| a != b)
}

/// Whether any answer that comes to mind is right: what was measured, what books say, and what is near.
fn can_be_right(session: &mut Session, question: &Question) -> bool {
    let verdict = session.verdict(question);
    let told = [verdict.measured, verdict.textbook].into_iter().flatten();
    let mut numbers = vec![0.0, 1.0];
    for value in told {
        numbers.extend([1.0, 0.5, 0.9, 1.1, 2.0].map(|times| value.number * times));
        numbers.extend([value.number - 1.0, value.number + 1.0]);
    }
    let mut answers = numbers.into_iter();
    let right = answers.any(|number| {
        session
            .answers
            .insert(question.id.clone(), Value::plain(number.round()));
        session.verdict(question).right
    });
    session.answers.clear();
    right
}
