//! Handouts: a lab as Markdown and as one page of HTML, from its recordings.

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use pulldown_cmark::{Event, Parser, html};

use crate::chart::{self, Chart};
use crate::guide::Step;
use crate::markdown::options;
use crate::page::{self, comparison};
use crate::session::Session;
use crate::words;

/// A picture of a run, by the program's name.
pub type Picture<'a> = &'a dyn Fn(&str, &Summary) -> String;

/// Room for an answer, on paper.
const BLANK: &str = "\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_";

/// The handout as Markdown. For students it has questions, room for answers, and the task; with `solutions`, what the
/// recordings show and what is to be said about it, too.
/// `picture` gives what stands for a run (an image link, an SVG).
pub fn markdown(session: &Session, solutions: bool, picture: Picture<'_>) -> String {
    handout(session, solutions, picture, &chart::text)
}

fn handout(
    session: &Session,
    solutions: bool,
    picture: Picture<'_>,
    chart: &dyn Fn(&Chart, Lang) -> String,
) -> String {
    let lang = session.lang;
    let spec = &session.lab.spec;
    let mut out = format!("# {}\n\n{}\n", spec.title.get(lang), spec.summary.get(lang));
    let heading = |step: Step| format!("\n## {}\n\n", step.title(lang));

    out += &heading(Step::Predict);
    out += &page::predict(session);
    if !solutions {
        for i in 0..spec.questions.len() {
            let title = words::question(lang, i + 1, spec.questions.len());
            let (answer, why) = (words::your_answer(lang), words::why(lang));
            let colon = lang.colon();
            out += &format!(
                "\n\n{title}{}{answer}{colon}{BLANK}\n\n{why}{colon}{BLANK}{BLANK}\n",
                lang.comma()
            );
        }
    }
    out += &heading(Step::Observe);
    out += &session.section(Step::Observe);
    if solutions {
        out += &measured(session, picture, chart);
    }
    out += &heading(Step::Change);
    out += &page::change(session);
    out.push('\n');
    for check in &spec.change.checks {
        out += &format!("- {} (`{}`)\n", check.text(lang), check.that);
    }
    if solutions {
        out += &heading(Step::Check);
        for (i, hint) in session.fitting_hints().iter().enumerate() {
            out += &format!("{}. {hint}\n", i + 1);
        }
        out.push('\n');
        out += &page::check(session, true);
        out.push('\n');
    }
    out
}

/// What the runs showed, and what is to be said about it: not for those who are still to predict it.
fn measured(
    session: &Session,
    picture: Picture<'_>,
    chart: &dyn Fn(&Chart, Lang) -> String,
) -> String {
    let lang = session.lang;
    let spec = &session.lab.spec;
    let mut out = String::new();
    out += &format!("\n\n{}\n", page::table(session));
    for program in &spec.programs {
        let Some(run) = session.runs.get(&program.name) else {
            continue;
        };
        let title = program.title.get(lang);
        let made = words::recorded_on(lang, &run.kernel, &run.level);
        out += &format!("\n### {title} (`{}`)\n\n{made}\n\n", program.name);
        out += &format!("{}\n", picture(&program.name, run));
    }
    out += &format!("\n## {}\n\n", Step::Explain.title(lang));
    out += &session.section(Step::Explain);
    out.push('\n');
    for (i, verdict) in session.verdicts().iter().enumerate() {
        let title = words::question(lang, i + 1, spec.questions.len());
        out += &format!("\n{} {}\n\n", words::lead(lang, title), verdict.ask);
        for (label, (value, known)) in comparison(verdict, lang) {
            out += &format!("- {}**{value}** {known}\n", words::label(lang, label));
        }
        if let Some((_, text)) = &verdict.differs {
            out += &format!("\n{} {text}\n", words::lead(lang, words::differs(lang)));
        }
        out += &format!("\n{}\n\n", words::usual_answers(lang));
        for (when, text) in session.explanations(i) {
            let when = when.map_or_else(|| words::otherwise(lang).to_owned(), |w| format!("`{w}`"));
            out += &format!("- {when}: {text}\n");
        }
    }
    if let Some(drawn) = page::chart(session, chart) {
        out += &format!("\n{drawn}\n");
    }
    out
}

/// The handout as a page that needs nothing from outside.
pub fn html(session: &Session, solutions: bool, svg: Picture<'_>) -> String {
    // Pictures are put in afterwards: Markdown would take their lines for text.
    let pictures = std::cell::RefCell::new(Vec::new());
    let put = |picture: String| {
        let mut pictures = pictures.borrow_mut();
        pictures.push(picture);
        format!("@@picture {}@@", pictures.len() - 1)
    };
    let text = handout(
        session,
        solutions,
        &|name, run| put(svg(name, run)),
        &|chart, lang| put(chart::svg(chart, lang)),
    );
    // A guide is text, not HTML: what looks like a tag is shown.
    let events = Parser::new_ext(&text, options()).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        event => event,
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    for (i, picture) in pictures.borrow().iter().enumerate() {
        let picture = format!("<figure>{picture}</figure>");
        body = body.replace(&format!("<p>@@picture {i}@@</p>"), &picture);
    }
    let lang = session.lang.tag();
    let title = session
        .lab
        .spec
        .title
        .get(session.lang)
        .replace('&', "&amp;")
        .replace('<', "&lt;");
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

const STYLE: &str = "
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; color: #1b1f24; background: #fff; }
h1, h2, h3 { line-height: 1.25; break-after: avoid; }
h2 { border-bottom: 1px solid #d0d7de; padding-bottom: .2rem; margin-top: 2.5rem; }
pre, code { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace; font-size: .9em; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid #d0d7de; padding: .25rem .6rem; text-align: left; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
@media screen and (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; }
  pre { background: #161b22; }
  h2, td, th { border-color: #444c56; }
  figure { background: #fff; padding: .5rem; }
}
@media print { pre, figure, table { break-inside: avoid; } }
";
