//! One learner in one lab on a web page: over its recordings, judged as everywhere.

use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};

use super::html::{code, escape, line, markdown};
use super::pack::{Titles, unpack};
use crate::chart;
use crate::guide::Step;
use crate::lab::Lab;
use crate::page::{self, comparison};
use crate::recording::summary_of;
use crate::runs::{Replay, RunError};
use crate::session::{Output, Session, Verdict};
use crate::spec::Question;
use crate::words;

/// What stands for the solution where programs are named.
pub const SOLUTION: &str = "solution";

#[derive(Clone)]
pub struct Course {
    session: Session,
}

impl Course {
    /// A lab with the runs of all its programs.
    ///
    /// # Errors
    /// If a program has no recording, or one that cannot be read.
    pub fn new(lab: Arc<Lab>, titles: Titles, lang: Lang) -> Result<Self, RunError> {
        let mut session = Replay::session(lab, lang)?;
        session.folder.clone_from(&session.lab.id);
        session.titles = titles;
        session.editable = false;
        Ok(Self { session })
    }

    /// The same in another language; recordings are not read again.
    #[must_use]
    pub fn in_lang(mut self, lang: Lang) -> Self {
        self.session.lang = lang;
        self
    }

    /// The same from what [`pack`](super::pack::pack) made.
    ///
    /// # Errors
    /// In one line.
    pub fn open(bytes: &[u8], lang: Lang) -> Result<Self, String> {
        let (lab, titles) = unpack(bytes)?;
        Self::new(Arc::new(lab), titles, lang).map_err(|e| e.say(lang))
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// A question by its place.
    fn question(&self, number: usize) -> Option<Question> {
        self.session.lab.spec.questions.get(number).cloned()
    }

    /// Takes an answer, or takes it back if it is empty.
    ///
    /// # Errors
    /// What to say if it is no answer.
    pub fn answer(&mut self, number: usize, text: &str) -> Result<(), String> {
        let Some(question) = self.question(number) else {
            return Ok(());
        };
        self.session.answers.remove(&question.id);
        match text.trim().is_empty() || self.session.answer(&question, text) {
            true => Ok(()),
            false => Err(question.refuse(self.session.lang, text.trim())),
        }
    }

    /// A program's recording, by its place; behind the last one is the solution's.
    pub fn recording(&self, number: usize) -> Option<&[u8]> {
        let lab = &self.session.lab;
        let program = lab.spec.programs.get(number);
        let name = match program {
            Some(program) => program.name.as_str(),
            None if number == lab.spec.programs.len() => SOLUTION,
            None => return None,
        };
        lab.recording(name)
    }

    /// A section of the guide.
    pub fn section(&self, step: Step) -> String {
        markdown(&self.session.section(step))
    }

    /// A question's text, as one line.
    pub fn ask(&self, question: &Question) -> String {
        line(&self.session.ask(question))
    }

    /// The task, and the conditions by which a trace judges it.
    pub fn task(&self) -> String {
        let lang = self.session.lang;
        let task = words::lead(lang, words::task(lang)) + " " + &self.session.task();
        let mut out = markdown(&task) + "<ul class=\"conditions\">\n";
        for check in &self.session.lab.spec.change.checks {
            let (text, that) = (line(check.text(lang)), escape(&check.that.to_string()));
            out += &format!("<li>{text} <code class=\"that\">{that}</code></li>\n");
        }
        out + "</ul>\n"
    }

    /// How the answers did, in one line.
    pub fn told(&self) -> String {
        let verdicts = self.session.verdicts();
        let right = verdicts.iter().filter(|verdict| verdict.right).count();
        words::right_of(self.session.lang, right, verdicts.len())
    }

    /// Predictions beside what a textbook says and what was measured, and what is to be said about each.
    pub fn explain(&self) -> String {
        let session = &self.session;
        let lang = session.lang;
        let verdicts = session.verdicts();
        let mut out = markdown(&page::overview(&verdicts, lang));
        out += &self.section(Step::Explain);
        for (i, verdict) in verdicts.iter().enumerate() {
            out += &judged(verdict, &words::question(lang, i + 1, verdicts.len()), lang);
        }
        let table = format!("{}\n\n*{}*", page::table(session), words::legend(lang));
        out += &format!("<h3>{}</h3>\n", escape(words::side_by_side(lang)));
        out += &markdown(&table);
        if let Some((chart, _)) = &session.chart {
            let (title, origin) = (chart.title.get(lang), words::chart_recorded(lang));
            out += &format!(
                "<h3>{}</h3>\n<p>{}</p>\n<figure class=\"chart\" tabindex=\"0\">{}</figure>\n",
                escape(title),
                escape(origin),
                chart::svg(chart, lang)
            );
        }
        out
    }

    /// One hint more: its number, how many there are, and the hint.
    pub fn hint(&mut self) -> (usize, usize, String) {
        let of = self.session.fitting_hints().len();
        let text = self.session.hint();
        let text = text.unwrap_or_else(|| words::no_hints(self.session.lang).to_owned());
        (self.session.hints, of, markdown(&text))
    }

    /// A solution, what its recorded run shows of the conditions, and what there is to learn from it.
    pub fn solution(&self) -> String {
        let lang = self.session.lang;
        let lab = &self.session.lab;
        let mut session = self.session.clone();
        let mut out = String::new();
        if let Some(source) = lab.solution_in(lang, session.code) {
            out += &format!("<h3>{}</h3>\n", escape(words::solution(lang)));
            out += &code(&source);
        }
        let run = lab
            .recording(SOLUTION)
            .and_then(|bytes| summary_of(bytes).ok());
        if let Some(run) = run {
            let outcome = session.judge(&run, Output::NotCompared);
            let made = words::recorded_on(lang, &run.kernel, &run.level);
            out += &format!(
                "<h3>{}</h3>\n<p>{}</p>\n<ul class=\"conditions\">\n",
                escape(words::solution_run(lang)),
                escape(&made)
            );
            for (passed, text) in page::outcome_lines(&outcome, lang) {
                let mark = if passed { "✓" } else { "✗" };
                out += &format!(
                    "<li class=\"{}\">{mark} {}</li>\n",
                    class(passed),
                    line(&text)
                );
            }
            out += "</ul>\n";
            session.last = Some(run);
            out += &markdown(&page::check(&session, false));
        }
        out
    }
}

/// One question's verdict.
fn judged(verdict: &Verdict, title: &str, lang: Lang) -> String {
    let state = match verdict.answer {
        Some(_) => class(verdict.right),
        None => "open",
    };
    let mut out = format!(
        "<section class=\"verdict {state}\" data-question=\"{}\">\n<h3>{}</h3>\n<p>{}</p>\n<dl>\n",
        escape(&verdict.id),
        escape(title),
        line(&verdict.ask)
    );
    for (label, (value, known)) in comparison(verdict, lang) {
        out += &format!(
            "<dt>{}</dt><dd><strong>{}</strong> <span class=\"known\">{}</span></dd>\n",
            escape(&label),
            escape(&value),
            escape(&known)
        );
    }
    let mark = match state {
        "right" => "✓ ",
        "wrong" => "✗ ",
        _ => "",
    };
    let told = escape(page::mark(verdict, lang));
    out += &format!("</dl>\n<p class=\"mark\">{mark}{told}</p>\n");
    for (title, case) in [
        (words::why(lang), &verdict.explain),
        (words::differs(lang), &verdict.differs),
    ] {
        if let Some((_, text)) = case {
            out += &markdown(&format!("{} {text}", words::lead(lang, title)));
        }
    }
    out + "</section>\n"
}

fn class(good: bool) -> &'static str {
    match good {
        true => "right",
        false => "wrong",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::bundled;
    use crate::runs::Runs;
    use crate::session::Origin;

    /// The same verdict on a page as in a terminal that replays the recordings.
    #[test]
    fn one_judge() {
        let (labs, _) = bundled();
        for lab in labs {
            let lab = Arc::new(lab);
            let mut there = Session::new(lab.clone(), Lang::En, None);
            for program in &lab.spec.programs {
                let run = Replay::default().replay(&there, &program.name).unwrap();
                there.observe(&program.name, run, Origin::Recorded(None));
            }
            let mut here = Course::new(lab.clone(), Titles::new(), Lang::En).unwrap();
            for typed in ["0", "1 MiB", "yes", "2 * 3"] {
                for (i, question) in lab.spec.questions.iter().enumerate() {
                    there.answers.remove(&question.id);
                    let taken = there.answer(question, typed);
                    assert_eq!(here.answer(i, typed).is_ok(), taken, "{typed}");
                }
                let verdicts = there.verdicts();
                let shown = here.explain();
                for verdict in &verdicts {
                    // What was refused is not answered.
                    let answered = verdict.answer.is_some();
                    let class = if answered {
                        class(verdict.right)
                    } else {
                        "open"
                    };
                    let begin = format!("verdict {class}\" data-question=\"{}\"", verdict.id);
                    assert!(shown.contains(&begin), "{}: {begin}", lab.id);
                    let known = verdict.measured.as_ref().unwrap().known.describe(Lang::En);
                    assert!(shown.contains(&escape(&known)), "{}: {known}", lab.id);
                }
                let right = verdicts.iter().filter(|verdict| verdict.right).count();
                assert_eq!(
                    here.told(),
                    words::right_of(Lang::En, right, verdicts.len())
                );
            }
            assert!(here.answer(0, "many").is_err());
            here.answer(0, "").unwrap();
            assert!(here.session.answers.len() < lab.spec.questions.len());
            let solution = here.solution();
            assert!(!solution.contains('✗'), "{}: {solution}", lab.id);
            let (n, of, hint) = here.hint();
            assert!(n == 1 && of >= 1 && !hint.is_empty(), "{}", lab.id);
        }
    }
}
