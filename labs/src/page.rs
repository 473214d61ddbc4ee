//! The five steps as Markdown, with what is known by now: for the terminal UI and for handouts.

use bytehop_core::i18n::Lang;
use bytehop_core::model::{Evidence, HopKind, Summary};

use crate::chart::{self, Chart};
use crate::guide::Step;
use crate::session::{Origin, Outcome, Output, Session, Verdict};
use crate::words;
use bytehop_core::expr::value::{Unit, Value};

/// The guide, and the source that the questions are about.
pub fn predict(session: &Session) -> String {
    let lang = session.lang;
    let spec = &session.lab.spec;
    let mut page = session.section(Step::Predict);
    if let Some(program) = spec.programs.first() {
        let path = format!("`{}`", session.path(&program.name));
        let source = session.lab.source_in(lang, &program.name, session.code);
        page += &format!(
            "\n\n{}\n\n```{}\n{source}```\n",
            words::program_at(lang, path),
            session.code.word()
        );
    }
    let others: Vec<String> = spec
        .programs
        .iter()
        .skip(1)
        .map(|p| format!("`{}.{}`", p.name, session.code.extension()))
        .collect();
    if !others.is_empty() {
        page += &format!(
            "\n{}\n",
            words::other_programs(lang, others.join(words::comma(lang)))
        );
    }
    let n = spec.questions.len();
    for (i, question) in spec.questions.iter().enumerate() {
        let title = words::question(lang, i + 1, n);
        page += &format!("\n\n{} {}", words::lead(lang, title), session.ask(question));
        if let Some(answer) = session.answers.get(&question.id) {
            let answer = answer.show(None, lang);
            page += &format!(
                "\n\n- {}**{answer}**",
                words::label(lang, words::your_answer(lang))
            );
        }
    }
    page
}

/// The guide, and what was run.
pub fn observe(session: &Session) -> String {
    let lang = session.lang;
    let mut page = recorded_notice(session);
    page += &session.section(Step::Observe);
    page += &format!("\n\n**{}**\n\n", words::the_runs(lang));
    for program in &session.lab.spec.programs {
        page += &format!("- **{}** (`{}`)", program.title.get(lang), program.name);
        match session.origins.get(&program.name) {
            Some(Origin::Recorded(Some(why))) => {
                page += &format!("  \n  *{}*", words::because(lang, why))
            }
            Some(Origin::Recorded(None)) => {
                page += &format!("  \n  *{}*", words::from_recording(lang))
            }
            Some(Origin::Live) | None => {}
        }
        page.push('\n');
    }
    page
}

/// What is shown was not run here: said before anything else. Empty if all was.
fn recorded_notice(session: &Session) -> String {
    let recorded = session.origins.values().find_map(|origin| match origin {
        Origin::Recorded(why) => Some(why),
        Origin::Live => None,
    });
    let notice = match recorded {
        Some(Some(why)) => words::because(session.lang, why),
        Some(None) => words::from_recording(session.lang).to_owned(),
        None => return String::new(),
    };
    format!("*{notice}*\n\n")
}

/// Predictions, textbook and measurement side by side, the guide, what is to be said about each
/// question, and the programs side by side.
pub fn explain(session: &Session) -> String {
    let lang = session.lang;
    let verdicts = session.verdicts();
    let mut page = format!(
        "{}\n{}",
        overview(&verdicts, lang),
        session.section(Step::Explain)
    );
    for (i, verdict) in verdicts.iter().enumerate() {
        let title = words::question(lang, i + 1, verdicts.len());
        page += &format!("\n\n{} {}\n\n", words::lead(lang, title), verdict.ask);
        for (label, value) in comparison(verdict, lang) {
            page += &format!("- {}**{}**", words::label(lang, label), value.0);
            if !value.1.is_empty() {
                page += &format!("  {}", value.1);
            }
            page.push('\n');
        }
        page += &format!("\n→ *{}*\n", mark(verdict, lang));
        for (title, case) in [
            (words::why(lang), &verdict.explain),
            (words::differs(lang), &verdict.differs),
        ] {
            if let Some((_, text)) = case {
                page += &format!("\n{} {text}\n", words::lead(lang, title));
            }
        }
    }
    page += &format!("\n\n{}\n\n*{}*\n", table(session), words::legend(lang));
    if let Some(chart) = chart(session, chart::text) {
        page += &format!("\n\n{chart}\n");
    }
    page
}

/// One line for each question.
pub(crate) fn overview(verdicts: &[Verdict], lang: Lang) -> String {
    let measured = match verdicts.iter().all(|verdict| verdict.recorded) {
        true => words::the_recording(lang),
        false => words::this_run(lang),
    };
    let mut text = format!(
        "|  | {} | {} | {measured} |  |\n|---|---|---|---|---|\n",
        words::said(lang),
        words::textbook(lang)
    );
    for (i, verdict) in verdicts.iter().enumerate() {
        let rows = comparison(verdict, lang);
        let cell = |labels: &[&str]| {
            let found = rows.iter().find(|(label, _)| labels.contains(&&**label));
            found.map_or("–", |(_, (value, _))| value)
        };
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            words::question(lang, i + 1, verdicts.len()),
            cell(&[words::said(lang)]),
            cell(&[words::textbook(lang)]),
            cell(&[words::this_run(lang), words::the_recording(lang)]),
            mark(verdict, lang)
        );
    }
    text
}

/// What a question's answer was.
pub(crate) fn mark(verdict: &Verdict, lang: Lang) -> &'static str {
    match (&verdict.answer, verdict.right) {
        (None, _) => words::no_answer(lang),
        (_, true) => words::right(lang),
        (_, false) => words::wrong(lang),
    }
}

/// The lab's chart, if it has one: drawn as text within a code block, or by something else.
pub fn chart(session: &Session, draw: impl Fn(&Chart, Lang) -> String) -> Option<String> {
    let lang = session.lang;
    let (chart, origin) = session.chart.as_ref()?;
    let title = chart.title.get(lang);
    let origin = match origin {
        Origin::Live => words::chart_measured(lang),
        Origin::Recorded(_) => words::chart_recorded(lang),
    };
    let drawn = draw(chart, lang);
    Some(format!("**{title}**\n\n*{origin}*\n\n{drawn}"))
}

/// Programs side by side: crossings, and who moved how many bytes.
pub fn table(session: &Session) -> String {
    type Column = (&'static str, fn(&Summary) -> Value);
    let lang = session.lang;
    let columns: [Column; 5] = [
        (words::crossings(lang), |run| {
            Value::measured(run.crossings.total, Unit::Plain, "")
        }),
        (words::copied(lang), |run| bytes(run, HopKind::Copy)),
        (words::dma(lang), |run| bytes(run, HopKind::Dma)),
        (words::shared(lang), |run| bytes(run, HopKind::Share)),
        (words::zeroed(lang), |run| bytes(run, HopKind::Fill)),
    ];
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!(
        "|  | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for program in &session.lab.spec.programs {
        let Some(run) = session.runs.get(&program.name) else {
            continue;
        };
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, get)| get(run).marked(None, lang))
            .collect();
        text += &format!("| {} | {} |\n", program.name, cells.join(" | "));
    }
    text
}

/// Bytes of one kind, with how they are known.
fn bytes(run: &Summary, kind: HopKind) -> Value {
    let rows = run.hops.iter().filter(|row| row.kind == kind);
    rows.fold(Value::new(0.0, Unit::Bytes), |mut sum, row| {
        sum.number += row.bytes as f64;
        if let Evidence::Inferred(rule) = row.evidence {
            sum.known.rules.insert(rule.name().to_owned());
        }
        sum
    })
}

/// The guide and the task.
pub fn change(session: &Session) -> String {
    let lang = session.lang;
    let change = &session.lab.spec.change;
    let path = format!("`{}`", session.path(&change.program));
    let mut page = session.section(Step::Change);
    let what = match session.editable {
        true => words::edit(lang, path),
        false => words::nothing_to_edit(lang).to_owned(),
    };
    page += &format!(
        "\n\n{} {}\n\n{what}\n",
        words::lead(lang, words::task(lang)),
        session.task(),
    );
    page
}

/// A check's result.
pub fn outcome(session: &Session, outcome: &Outcome) -> String {
    let lang = session.lang;
    let verdict = match outcome.passed() {
        true => words::check_passed(lang),
        false => words::check_failed(lang),
    };
    format!("**{verdict}**\n\n{}", conditions(outcome, lang))
}

/// What the recorded solution did, where nothing can be checked.
pub fn recorded_outcome(session: &Session, outcome: &Outcome) -> String {
    let lang = session.lang;
    format!(
        "**{}**\n\n*{}*\n\n{}",
        words::not_checked(lang),
        words::cannot_check(lang),
        conditions(outcome, lang)
    )
}

fn conditions(outcome: &Outcome, lang: Lang) -> String {
    let lines = outcome_lines(outcome, lang);
    let lines = lines.iter().map(|(passed, text)| {
        let mark = if *passed { "✓" } else { "✗" };
        format!("- {mark} {text}\n")
    });
    lines.collect()
}

/// The last section, and the solution. The section is about what a changed program did: without such a
/// run it would compare the original with itself.
pub fn check(session: &Session, solution: bool) -> String {
    let mut page = match session.last {
        Some(_) => session.section(Step::Check),
        None => String::new(),
    };
    if let Some(source) = session
        .lab
        .solution_in(session.lang, session.code)
        .filter(|_| solution)
    {
        let title = words::solution(session.lang);
        let fence = session.code.word();
        page += &format!("\n\n**{title}**\n\n```{fence}\n{source}```\n");
    }
    page
}

/// Prediction, textbook, measurement: labels, values, and how each is known.
pub fn comparison(verdict: &Verdict, lang: Lang) -> Vec<(String, (String, String))> {
    let mut rows = Vec::new();
    let unit = verdict.measured.as_ref().map(|m| m.unit);
    if let Some(answer) = &verdict.answer {
        rows.push((
            words::said(lang).to_owned(),
            (answer.show(None, lang), String::new()),
        ));
    }
    if let Some(textbook) = &verdict.textbook {
        let mut textbook = textbook.clone();
        if let Some(unit) = unit {
            textbook.unit = unit;
        }
        rows.push((
            words::textbook(lang).to_owned(),
            (textbook.show(None, lang), String::new()),
        ));
    }
    if let Some(measured) = &verdict.measured {
        let label = match verdict.recorded {
            true => words::the_recording(lang),
            false => words::this_run(lang),
        };
        let value = measured.marked(None, lang);
        let known = measured.known.describe(lang);
        rows.push((label.to_owned(), (value, known)));
    }
    rows
}

/// A check's conditions: whether each holds, and its text.
pub fn outcome_lines(outcome: &Outcome, lang: Lang) -> Vec<(bool, String)> {
    let mut lines = Vec::new();
    for condition in &outcome.conditions {
        let mut text = condition.text.clone();
        if let Some(found) = &condition.found {
            text += &words::found(lang, &condition.that, found.marked(None, lang));
        } else {
            text += &words::judged(lang, &condition.that);
        }
        lines.push((condition.passed, text));
    }
    match outcome.output {
        Output::Same => lines.push((true, words::output_same(lang).to_owned())),
        Output::Differs => lines.push((false, words::output_differs(lang).to_owned())),
        Output::NotCompared => {}
    }
    match outcome.exit {
        Some(0) => lines.push((true, words::exit_ok(lang).to_owned())),
        code => {
            let code = code.map_or_else(|| "?".to_owned(), |code| code.to_string());
            lines.push((false, words::exit_bad(lang, code)));
        }
    }
    lines
}
