//! `docs/claims.md`: made from `labs/claims`, with numbers from the bundled recordings.
//! `BLESS=1 cargo test -p labs --test claims` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use labs::lab;
use labs::result::summary_of;
use labs::session::{Origin, Session};
use tracer::i18n::Lang;

/// Every lab with its recorded runs.
fn sessions(lang: Lang) -> BTreeMap<String, Session> {
    let (labs, errors) = lab::bundled();
    assert!(errors.is_empty(), "{errors:?}");
    let sessions = labs.into_iter().map(|lab| {
        let mut session = Session::new(Arc::new(lab.clone()), lang, None);
        for program in &lab.spec.programs {
            if let Some(bytes) = lab.recording(&program.name) {
                let run = summary_of(bytes).expect("a recording");
                session.observe(&program.name, run, Origin::Recorded(None));
            }
        }
        (lab.id.clone(), session)
    });
    sessions.collect()
}

/// What a line like `<!-- lab: splice -->` says of `key`.
fn directive<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let inner = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    inner.strip_prefix(key)
}

/// The document, and what is wrong with it.
fn render(template: &str, lang: Lang) -> (String, Vec<String>) {
    let sessions = sessions(lang);
    let mut out = String::from(match lang {
        Lang::En => {
            "<!-- Made from labs/claims/en.md by labs/tests/claims.rs: change that one. -->\n\n"
        }
        Lang::Zh => {
            "<!-- 由 labs/tests/claims.rs 根据 labs/claims/zh.md 生成，请改那个文件。 -->\n\n"
        }
    });
    let mut wrong = Vec::new();
    let mut current: Option<&Session> = None;
    for line in template.lines() {
        if line.starts_with("## ") {
            current = None;
        }
        if let Some(id) = directive(line, "lab: ") {
            current = sessions.get(id);
            let Some(session) = current else {
                wrong.push(format!("there is no lab '{id}'"));
                continue;
            };
            let title = session.lab.spec.title.get(lang);
            let made = session.fill_in(match lang {
                Lang::En => "recorded on Linux {{kernel}}, level {{level}}",
                Lang::Zh => "录制于 Linux {{kernel}}，{{level}} 级",
            });
            out += &match lang {
                Lang::En => {
                    format!("*Shown by the lab \"{title}\" (`bytehop lab {id}`), {made}.*\n\n")
                }
                Lang::Zh => format!("*见实验“{title}”（`bytehop lab {id}`），{made}。*\n\n"),
            };
        } else if directive(line, "chart").is_some() {
            let chart = current.and_then(|session| session.chart.as_ref());
            match chart {
                Some((chart, _)) => chart
                    .conclusions(lang)
                    .iter()
                    .for_each(|line| out += &format!("- {line}\n")),
                None => wrong.push(format!("no chart for: {line}")),
            }
        } else {
            let filled = current.map_or_else(|| line.to_owned(), |session| session.fill_in(line));
            // What can't be filled in becomes a question mark.
            if filled.matches('?').count() > line.matches('?').count() || filled.contains("{{") {
                wrong.push(format!("not to be filled in: {line} -> {filled}"));
            }
            out += &filled;
            out.push('\n');
        }
    }
    (out, wrong)
}

#[test]
fn claims_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (lang, template, document) in [
        (Lang::En, "claims/en.md", "../docs/claims.md"),
        (Lang::Zh, "claims/zh.md", "../docs/zh/claims.md"),
    ] {
        let text = fs::read_to_string(root.join(template)).expect("the template");
        let (made, wrong) = render(&text, lang);
        assert!(wrong.is_empty(), "{template}:\n{}", wrong.join("\n"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(root.join(document), &made).expect("write the document");
        }
        let there = fs::read_to_string(root.join(document)).unwrap_or_default();
        assert!(
            there == made,
            "{document} is stale: BLESS=1 cargo test -p labs --test claims"
        );
    }
}

#[test]
fn claims_are_the_same_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |template: &str| -> Vec<String> {
        let text = fs::read_to_string(root.join(template)).expect("the template");
        let claim = |line: &str| match directive(line, "") {
            Some(said) => Some(said.to_owned()),
            None => line.starts_with("## ").then(|| "claim".to_owned()),
        };
        text.lines().filter_map(claim).collect()
    };
    let english = of("claims/en.md");
    assert_eq!(english, of("claims/zh.md"));
    assert!(english.iter().filter(|said| *said == "claim").count() >= 12);
}
