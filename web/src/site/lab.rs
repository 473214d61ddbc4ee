//! A lab's page in one language: the five steps, each shown when the one before it is done.

use std::fmt::Write;

use bytehop_core::expr::truth;
use bytehop_core::i18n::Lang;
use labs::guide::Step;
use labs::lab::Lab;
use labs::site::Course;
use labs::site::course::SOLUTION;
use labs::site::html::{code, escape, line, markdown};
use labs::spec::{Choices, Code, Program};
use labs::words as common;

use super::{Page, path, tag, words};
use crate::page::{player, summary};

/// What a step's section is called in the page.
const NAMES: [&str; 5] = ["predict", "observe", "explain", "change", "check"];

pub fn page(course: &Course, labs: &[&Lab]) -> Page {
    let session = course.session();
    let (lang, lab) = (session.lang, &session.lab);
    let title = lab.spec.title.get(lang);
    let other = lang.other();
    let mut out = format!(
        "<header><p class=\"up\"><a href=\"../index.html\">{}</a></p><h1>{}</h1>\
         <div class=\"looks\"><a class=\"button keep-lang\" id=\"language\" lang=\"{}\" hreflang=\"{}\" \
         href=\"../{}\">{}</a> <button type=\"button\" id=\"theme\">{}</button></div></header>\n",
        escape(words::course(lang)),
        escape(title),
        tag(other),
        tag(other),
        path(other, &escape(&lab.id)),
        escape(words::other_language(lang)),
        escape(words::colours(lang)),
    );
    steps(&mut out, lang);
    let _ = writeln!(
        out,
        "<main id=\"main\">\n<div class=\"lead\">{}</div>",
        markdown(lab.spec.summary.get(lang))
    );
    predict(&mut out, course);
    observe(&mut out, course);
    begin(&mut out, Step::Explain, lang);
    out.push_str(
        "<p id=\"told\" class=\"told\" role=\"status\"></p>\n<div id=\"explained\"></div>\n",
    );
    end(&mut out, Some((Step::Change, words::go_change(lang))));
    change(&mut out, course);
    begin(&mut out, Step::Check, lang);
    let _ = writeln!(
        out,
        "<p>{}</p>\n<p class=\"row\"><button type=\"button\" id=\"show-solution\">{}</button></p>\n\
         <div id=\"solution\"></div>",
        line(&words::check_here(lang, &lab.id)),
        escape(words::show_solution(lang)),
    );
    if lab.recording(SOLUTION).is_some() {
        let _ = writeln!(
            out,
            "<p class=\"row\"><button type=\"button\" id=\"step-solution\" hidden>{}</button></p>",
            escape(words::step_solution(lang))
        );
    }
    let there = labs
        .iter()
        .find(|other| Some(&other.id) == lab.spec.next.as_ref());
    let next = match there {
        Some(next) => (format!("{}.html", next.id), next.spec.title.get(lang)),
        None => ("../index.html".to_owned(), words::course(lang)),
    };
    let _ = writeln!(
        out,
        "<p class=\"row\">{} <a href=\"{}\">{}</a></p>",
        escape(words::next(lang)),
        escape(&next.0),
        escape(next.1)
    );
    end(&mut out, None);
    let _ = writeln!(
        out,
        "<p class=\"row\"><button type=\"button\" id=\"again\" hidden>{}</button></p>\n\
         <p id=\"sure\" hidden>{}</p>\n</main>",
        escape(words::again(lang)),
        escape(words::sure(lang)),
    );
    Page {
        title: format!("{title} · {}", words::course(lang)),
        up: "../",
        lang,
        data: format!(
            "data-lab=\"{}\" data-programs=\"{}\"",
            escape(&lab.id),
            lab.spec.programs.len()
        ),
        scripts: vec![
            "assets/program.js".to_owned(),
            format!("labs/{}.js", lab.id),
            "assets/player.js".to_owned(),
            "assets/course.js".to_owned(),
        ],
        content: out,
    }
}

/// Where in the lab one is; a step that is still to come has no link.
fn steps(out: &mut String, lang: Lang) {
    let label = escape(words::steps(lang));
    let _ = write!(out, "<nav aria-label=\"{label}\"><ol class=\"steps\">");
    for (step, name) in Step::ALL.into_iter().zip(NAMES) {
        let _ = write!(
            out,
            "<li><a data-to=\"{name}\">{}</a></li>",
            escape(step.title(lang))
        );
    }
    out.push_str("</ol></nav>\n");
}

fn begin(out: &mut String, step: Step, lang: Lang) {
    let name = NAMES[step as usize];
    let hidden = if step == Step::Predict { "" } else { " hidden" };
    let title = common::step(lang, step as usize + 1, step.title(lang));
    let _ = writeln!(
        out,
        "<section id=\"{name}\" class=\"step\" aria-labelledby=\"h-{name}\"{hidden}>\n\
         <h2 id=\"h-{name}\" tabindex=\"-1\">{}</h2>",
        escape(&title)
    );
}

/// The end of a step, with the button that shows the next one.
fn end(out: &mut String, next: Option<(Step, &str)>) {
    if let Some((step, text)) = next {
        let _ = writeln!(
            out,
            "<p class=\"row go\"><button type=\"button\" class=\"main\" data-go=\"{}\">{}</button></p>",
            step as usize,
            escape(text)
        );
    }
    out.push_str("</section>\n");
}

fn predict(out: &mut String, course: &Course) {
    let session = course.session();
    let (lang, lab) = (session.lang, &session.lab);
    begin(out, Step::Predict, lang);
    out.push_str(&course.section(Step::Predict));
    sources(out, lab.spec.sources(), lab, lang);
    if Code::ALL.into_iter().all(|code| lab.has(code)) {
        let recorded = words::recorded_in(lang, session.code.name());
        let _ = writeln!(out, "<p class=\"hint\">{}</p>", escape(&recorded));
    }
    out.push_str("<form id=\"questions\" novalidate>\n");
    let n = lab.spec.questions.len();
    for (i, question) in lab.spec.questions.iter().enumerate() {
        let title = escape(&common::question(lang, i + 1, n));
        let ask = course.ask(question);
        let _ = write!(
            out,
            "<fieldset class=\"question\" data-question=\"{}\">",
            escape(&question.id)
        );
        let _ = match question.choices {
            Some(Choices::YesNo) => {
                let choice = |value: &str, text: &str| {
                    format!(
                        "<label><input type=\"radio\" name=\"q{i}\" value=\"{value}\"> {}</label> ",
                        escape(text)
                    )
                };
                write!(
                    out,
                    "<legend>{title}</legend><p id=\"a{i}\">{ask}</p><div class=\"row\" role=\"radiogroup\" \
                     aria-labelledby=\"a{i}\">{}{}</div>",
                    choice("yes", truth(lang, true)),
                    choice("no", truth(lang, false))
                )
            }
            None => write!(
                out,
                "<legend>{title}</legend><p><label for=\"q{i}\">{ask}</label></p>\
                 <p><input id=\"q{i}\" name=\"q{i}\" autocomplete=\"off\" spellcheck=\"false\" \
                 aria-describedby=\"how e{i}\"></p>"
            ),
        };
        let _ = writeln!(
            out,
            "<p class=\"error\" id=\"e{i}\" role=\"alert\"></p></fieldset>"
        );
    }
    let _ = writeln!(
        out,
        "<p id=\"how\" class=\"hint\">{}</p>\n\
         <p class=\"row go\"><button type=\"submit\" class=\"main\">{}</button></p>\n</form>",
        line(words::how_to_answer(lang)),
        escape(words::go_observe(lang))
    );
    end(out, None);
}

/// Programs' texts in each language that the lab has them in, each behind its name.
fn sources<'a>(
    out: &mut String,
    programs: impl Iterator<Item = &'a Program>,
    lab: &Lab,
    lang: Lang,
) {
    let mut open = " open";
    for program in programs {
        for language in Code::ALL.into_iter().filter(|code| lab.has(*code)) {
            let _ = writeln!(
                out,
                "<details{open}><summary><code>{}.{}</code> {}</summary>{}</details>",
                escape(&program.name),
                language.extension(),
                escape(program.title.get(lang)),
                code(lab.source(&program.name, language))
            );
            open = "";
        }
    }
}

fn observe(out: &mut String, course: &Course) {
    let session = course.session();
    let (lang, spec) = (session.lang, &session.lab.spec);
    begin(out, Step::Observe, lang);
    out.push_str(&course.section(Step::Observe));
    let _ = write!(
        out,
        "<div id=\"runs\" role=\"group\" aria-label=\"{}\">",
        escape(words::which_run(lang))
    );
    for (i, program) in spec.programs.iter().enumerate() {
        let _ = write!(
            out,
            "<button type=\"button\" data-run=\"{i}\" aria-pressed=\"false\">{}</button> ",
            escape(program.title.get(lang))
        );
    }
    // Behind the programs: there once the solution is shown.
    let _ = writeln!(
        out,
        "<button type=\"button\" data-run=\"{}\" aria-pressed=\"false\" hidden>{}</button></div>\n<div id=\"player\">",
        spec.programs.len(),
        escape(common::solution(lang))
    );
    player(out, lang);
    out.push_str("</div>\n");
    for (i, program) in spec.programs.iter().enumerate() {
        let Some(run) = session.runs.get(&program.name) else {
            continue;
        };
        let made = common::recorded_on(lang, &run.kernel, &run.level);
        let _ = write!(
            out,
            "<div data-of-run=\"{i}\" hidden><p class=\"hint\">{}</p><details><summary>{}</summary>",
            escape(&made),
            escape(words::in_words(lang))
        );
        summary::tables(out, run, lang);
        out.push_str("</details></div>\n");
    }
    end(out, Some((Step::Explain, words::go_explain(lang))));
}

fn change(out: &mut String, course: &Course) {
    let session = course.session();
    let (lang, lab) = (session.lang, &session.lab);
    begin(out, Step::Change, lang);
    out.push_str(&course.section(Step::Change));
    out.push_str(&course.task());
    let program = lab.spec.program(&lab.spec.change.program);
    sources(out, program.into_iter(), lab, lang);
    let _ = writeln!(
        out,
        "<p>{}</p>\n<p class=\"row\"><button type=\"button\" id=\"hint-button\">{}</button></p>\n<ul id=\"hints\" aria-live=\"polite\"></ul>",
        line(&words::change_there(lang, &lab.id)),
        escape(words::hint(lang))
    );
    end(out, Some((Step::Check, words::go_check(lang))));
}
