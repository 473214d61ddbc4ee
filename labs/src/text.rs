//! A lab as text: for pipes, screen readers and CI. The same five steps as in the terminal UI.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::report::{self, Detail, Style};

use crate::chart;
use crate::guide::Step;
use crate::markdown::{self, Look};
use crate::page::{comparison, outcome_lines};
use crate::progress::Progress;
use crate::runs::{Checked, RunError, Runs, Whose, WorkError};
use crate::session::{Origin, Outcome, Output, Session, Verdict};
use crate::words;

/// Where answers come from.
pub enum Answers {
    /// One a line, asked for.
    Lines(Box<dyn BufRead>),
    /// From a file: by question, or in order.
    File {
        by_id: BTreeMap<String, String>,
        in_order: Vec<String>,
    },
}

impl Answers {
    /// Reads an answers file: `question = answer` lines, or answers in order; `#` begins a comment.
    pub fn of_file(text: &str) -> Self {
        let mut by_id = BTreeMap::new();
        let mut in_order = Vec::new();
        for line in text.lines().map(str::trim) {
            match line.split_once('=') {
                _ if line.is_empty() || line.starts_with('#') => {}
                Some((id, answer)) => {
                    by_id.insert(id.trim().to_owned(), answer.trim().to_owned());
                }
                None => in_order.push(line.to_owned()),
            }
        }
        Self::File { by_id, in_order }
    }
}

/// The text mode.
pub struct Text<'a> {
    pub session: &'a mut Session,
    pub runner: &'a dyn Runs,
    pub progress: &'a mut Progress,
    pub style: Style,
    /// Somebody is there to be asked.
    pub interactive: bool,
    pub out: &'a mut dyn Write,
}

/// What can end the text mode before its end.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    Io(#[from] io::Error),
    Run(#[from] RunError),
}

bytehop_core::says! { TextError, lang:
    Self::Io(e) => "cannot write: {why}" | "无法写出：{why}", why = e.say(lang);
    Self::Run(e) => { e.say(lang) };
}

impl Text<'_> {
    fn lang(&self) -> Lang {
        self.session.lang
    }

    /// All five steps.
    ///
    /// # Errors
    /// If a program can neither be traced nor replayed, or nobody reads.
    pub fn run(&mut self, answers: &mut Answers) -> Result<(), TextError> {
        let lang = self.lang();
        let spec = &self.session.lab.spec;
        let title = spec.title.get(lang).to_owned();
        let summary = spec.summary.get(lang).to_owned();
        self.heading(&title)?;
        self.markdown(&summary)?;
        self.predict(answers)?;
        self.observe()?;
        self.explain()?;
        self.change(answers)
    }

    fn predict(&mut self, answers: &mut Answers) -> Result<(), TextError> {
        let lang = self.lang();
        self.step(Step::Predict)?;
        let lab = self.session.lab.clone();
        let program = &lab.spec.programs[0].name;
        let path = self.session.path(program);
        writeln!(self.out, "{}\n", words::program_at(lang, path))?;
        let code = self.session.code;
        let source = lab.source_in(lang, program, code);
        self.markdown(&format!("```{}\n{source}```", code.word()))?;
        let n = lab.spec.questions.len();
        for (i, question) in lab.spec.questions.iter().enumerate() {
            let title = words::question(lang, i + 1, n);
            let ask = self.session.ask(question);
            self.markdown(&format!("{} {ask}", words::lead(lang, title)))?;
            let given = match answers {
                Answers::File { by_id, in_order } => {
                    let next = (!in_order.is_empty()).then(|| in_order.remove(0));
                    by_id.get(&question.id).cloned().or(next)
                }
                Answers::Lines(input) => self.ask(question, input.as_mut())?,
            };
            let Some(given) = given.filter(|given| !given.trim().is_empty()) else {
                continue;
            };
            if !self.session.answer(question, &given) {
                writeln!(self.out, "{}", question.refuse(lang, &given))?;
                continue;
            }
            let _ = self.progress.update(&lab.id, |state| {
                state.answers.insert(question.id.clone(), given.clone());
            });
            if !self.interactive {
                writeln!(
                    self.out,
                    "{}{}{}\n",
                    words::your_answer(lang),
                    lang.colon(),
                    given.trim()
                )?;
            }
        }
        Ok(())
    }

    /// Asks until there is an answer that can be understood, or none.
    fn ask(
        &mut self,
        question: &crate::spec::Question,
        input: &mut dyn BufRead,
    ) -> Result<Option<String>, TextError> {
        let lang = self.lang();
        if self.interactive {
            writeln!(self.out, "({})", question.hint(lang))?;
        }
        loop {
            if self.interactive {
                write!(self.out, "{}> ", words::your_answer(lang))?;
                self.out.flush()?;
            }
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim().to_owned();
            if !self.interactive || line.is_empty() || self.session.answer(question, &line) {
                return Ok(Some(line));
            }
            writeln!(self.out, "{}", question.refuse(lang, &line))?;
        }
    }

    /// Traces the programs that conditions compare with, and says nothing.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn observe_quietly(&mut self) -> Result<(), TextError> {
        for name in self.session.compared() {
            self.runner.observe(self.session, &name)?;
        }
        Ok(())
    }

    fn observe(&mut self) -> Result<(), TextError> {
        self.step(Step::Observe)?;
        let lab = self.session.lab.clone();
        self.build()?;
        for program in &lab.spec.programs {
            let name = &program.name;
            self.runner.observe(self.session, name)?;
            let title = words::running(self.lang(), program.title.get(self.lang()));
            self.markdown(&format!("**{title}** (`{name}`)"))?;
            if let Some(Origin::Recorded(why)) = self.session.origins.get(name).cloned() {
                self.say_recorded(why.as_deref())?;
            }
            if let Some(run) = self.session.runs.get(name) {
                let style = Style {
                    detail: Detail::Normal,
                    ..self.style
                };
                writeln!(self.out, "{}", report::text(run, &style))?;
            }
        }
        if let Some(chart) = self.runner.chart(self.session) {
            self.session.chart = Some((chart, Origin::Live));
        }
        let _ = self.progress.reached(&lab.id, Step::Observe);
        Ok(())
    }

    /// Builds the originals, where anything is to be traced; if that fails, nothing is.
    fn build(&mut self) -> Result<(), TextError> {
        if self.runner.cannot().is_some() {
            return Ok(());
        }
        if self.interactive {
            writeln!(self.out, "{} …", words::building(self.lang()))?;
        }
        // Each program's own build says why, and its recording stands in.
        let _ = self.runner.build(self.session);
        Ok(())
    }

    fn say_recorded(&mut self, why: Option<&str>) -> Result<(), TextError> {
        let lang = self.lang();
        let text = match why {
            Some(why) => words::because(lang, why),
            None => words::from_recording(lang).to_owned(),
        };
        self.markdown(&format!("*{text}*"))
    }

    fn explain(&mut self) -> Result<(), TextError> {
        let lang = self.lang();
        self.step(Step::Explain)?;
        let verdicts = self.session.verdicts();
        for verdict in &verdicts {
            self.verdict(verdict)?;
        }
        if self.session.lab.spec.programs.len() > 1 {
            self.markdown(&crate::page::table(self.session))?;
        }
        if let Some(chart) = crate::page::chart(self.session, chart::text) {
            self.markdown(&chart)?;
        }
        let inferred = |v: &Verdict| v.measured.as_ref().is_some_and(|m| m.known.mark() == "⇢");
        if verdicts.iter().any(inferred) {
            self.markdown(words::legend(lang))?;
        }
        let _ = self
            .progress
            .reached(&self.session.lab.id.clone(), Step::Explain);
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<(), TextError> {
        let lang = self.lang();
        self.markdown(&verdict.ask)?;
        let text = comparison(verdict, lang);
        for (label, (value, known)) in text {
            let line = format!("  {}  {value}  {known}", pad(&label, 14));
            writeln!(self.out, "{}", line.trim_end())?;
        }
        let mark = crate::page::mark(verdict, lang);
        writeln!(self.out, "  → {mark}\n")?;
        for (title, case) in [
            (words::why(lang), &verdict.explain),
            (words::differs(lang), &verdict.differs),
        ] {
            if let Some((_, text)) = case {
                self.markdown(&format!("{} {text}", words::lead(lang, title)))?;
            }
        }
        Ok(())
    }

    fn change(&mut self, answers: &mut Answers) -> Result<(), TextError> {
        let lang = self.lang();
        self.step(Step::Change)?;
        let task = self.session.task();
        self.markdown(&format!("{} {task}", words::lead(lang, words::task(lang))))?;
        let _ = self
            .progress
            .reached(&self.session.lab.id.clone(), Step::Change);
        match answers {
            Answers::Lines(input) if self.interactive => self.commands(input.as_mut()),
            _ => self.check(Whose::Learner).map(|_| ()),
        }
    }

    /// Check, hint, solution, until the learner has had enough.
    fn commands(&mut self, input: &mut dyn BufRead) -> Result<(), TextError> {
        let lang = self.lang();
        loop {
            write!(self.out, "{} > ", words::commands(lang))?;
            self.out.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                writeln!(self.out)?;
                return Ok(());
            }
            let done = match line.trim() {
                "c" | "" => self.check(Whose::Learner)?,
                "h" => {
                    let hint = self.session.hint();
                    self.markdown(hint.as_deref().unwrap_or(words::no_hints(lang)))?;
                    false
                }
                "s" => {
                    let solved = self.progress.of(&self.session.lab.id).solved;
                    if solved || self.confirm(words::solution_later(lang), input)? {
                        self.solution()?;
                    }
                    false
                }
                "q" => true,
                _ => false,
            };
            if done {
                return Ok(());
            }
        }
    }

    fn confirm(&mut self, question: &str, input: &mut dyn BufRead) -> Result<bool, TextError> {
        write!(self.out, "{question} ")?;
        self.out.flush()?;
        let mut line = String::new();
        input.read_line(&mut line)?;
        Ok(matches!(line.trim(), "y" | "Y" | "yes" | "是"))
    }

    fn solution(&mut self) -> Result<(), TextError> {
        let lab = self.session.lab.clone();
        let code = self.session.code;
        let Some(solution) = lab.solution_in(self.lang(), code) else {
            return Ok(());
        };
        let title = words::solution(self.lang());
        self.markdown(&format!("**{title}**\n\n```{}\n{solution}```", code.word()))
    }

    /// Checks a program; whether it was checked and passes. Without tracing nothing is checked, and what the
    /// recorded solution did is shown.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn check(&mut self, whose: Whose) -> Result<bool, TextError> {
        let lang = self.lang();
        let lab = self.session.lab.clone();
        if self.runner.cannot().is_some() {
            return self.check_recorded();
        }
        let program = &lab.spec.change.program;
        if whose == Whose::Learner && !self.runner.is_changed(&lab, self.session.code) {
            let path = self.session.path(program);
            self.markdown(&words::unchanged(lang, path))?;
        }
        let checked = match self.runner.check(self.session, whose) {
            Ok(checked) => checked,
            Err(RunError::Work(WorkError::Build(said))) => {
                writeln!(self.out, "{}\n{said}\n", words::cannot_build(lang))?;
                return Ok(false);
            }
            Err(e) if e.is_stopped() => return Err(e.into()),
            Err(e) => {
                writeln!(
                    self.out,
                    "{}\n\n{}\n",
                    words::not_checked(lang),
                    e.say(lang)
                )?;
                return Ok(false);
            }
        };
        let Checked { run, outcome, .. } = &checked;
        if !run.stderr.is_empty() && run.summary.exit_status != Some(0) {
            writeln!(self.out, "{}\n{}\n", words::errors(lang), run.stderr)?;
        }
        self.outcome(outcome)?;
        if outcome.passed() && whose == Whose::Learner {
            let _ = self.progress.update(&lab.id, |state| state.solved = true);
            let _ = self.progress.reached(&lab.id, Step::Check);
        }
        if whose == Whose::Learner
            && let Ok(Some(path)) = self.runner.keep_result(self.session, &checked)
        {
            writeln!(
                self.out,
                "{}\n",
                words::result_written(lang, path.display())
            )?;
        }
        if outcome.passed() {
            self.step(Step::Check)?;
            self.solution()?;
        }
        Ok(outcome.passed())
    }

    fn check_recorded(&mut self) -> Result<bool, TextError> {
        let lang = self.lang();
        writeln!(self.out, "{}\n", words::not_checked(lang))?;
        if let Some(why) = self.runner.cannot().filter(|why| !why.is_empty()) {
            writeln!(self.out, "{why}\n")?;
        }
        if self.session.lab.recording("solution").is_none() {
            return Ok(false);
        }
        self.markdown(&format!("*{}*", words::cannot_check(lang)))?;
        let run = self.runner.replay(self.session, "solution")?;
        let outcome = self.session.judge(&run, Output::NotCompared);
        self.session.last = Some(run);
        self.conditions(&outcome)?;
        writeln!(self.out)?;
        self.step(Step::Check)?;
        Ok(false)
    }

    fn outcome(&mut self, outcome: &Outcome) -> Result<(), TextError> {
        let lang = self.lang();
        self.conditions(outcome)?;
        let verdict = match outcome.passed() {
            true => words::check_passed(lang),
            false => words::check_failed(lang),
        };
        writeln!(self.out, "\n{verdict}\n")?;
        Ok(())
    }

    fn conditions(&mut self, outcome: &Outcome) -> Result<(), TextError> {
        for (passed, text) in outcome_lines(outcome, self.lang()) {
            let mark = if passed { "[x]" } else { "[ ]" };
            writeln!(self.out, "  {mark} {text}")?;
        }
        Ok(())
    }

    fn heading(&mut self, title: &str) -> Result<(), TextError> {
        let line = "=".repeat(unicode_width::UnicodeWidthStr::width(title));
        writeln!(self.out, "{title}\n{line}\n")?;
        Ok(())
    }

    /// A step's title, and its section of the guide.
    fn step(&mut self, step: Step) -> Result<(), TextError> {
        let title = words::step(self.lang(), step as usize + 1, step.title(self.lang()));
        let line = "-".repeat(unicode_width::UnicodeWidthStr::width(title.as_str()));
        writeln!(self.out, "{title}\n{line}\n")?;
        self.markdown(&self.session.section(step))
    }

    fn markdown(&mut self, text: &str) -> Result<(), TextError> {
        for line in markdown::render_verbatim(text, self.style.width) {
            for span in line {
                let (on, off) = match span.look {
                    Look::Code if !self.style.color && !span.text.starts_with("    ") => ("`", "`"),
                    _ if !self.style.color => ("", ""),
                    Look::Plain => ("", ""),
                    Look::Strong | Look::Heading => ("\x1b[1m", "\x1b[0m"),
                    Look::Emphasis => ("\x1b[3m", "\x1b[0m"),
                    Look::Code => ("\x1b[36m", "\x1b[0m"),
                };
                write!(self.out, "{on}{}{off}", span.text)?;
            }
            writeln!(self.out)?;
        }
        writeln!(self.out)?;
        Ok(())
    }
}

/// Padded to a number of cells.
fn pad(text: &str, cells: usize) -> String {
    let used = unicode_width::UnicodeWidthStr::width(text);
    format!("{text}{}", " ".repeat(cells.saturating_sub(used)))
}
