//! The numbers in `docs/claims.md` and its translation are those of the bundled recordings:
//! `<!--= LAB: EXPRESSION -->number<!--/-->`. With `BLESS=1`, they are written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytehop_core::expr::Expr;
use bytehop_core::i18n::Lang;
use labs::session::{Origin, Session};
use labs::{lab, recording};

const OPEN: &str = "<!--= ";
const CLOSE: &str = "<!--/-->";

/// All bundled labs, every program observed in its recording.
fn sessions(lang: Lang) -> BTreeMap<String, Session> {
    let (labs, errors) = lab::bundled();
    assert!(errors.is_empty(), "{errors:?}");
    let open = |lab: lab::Lab| {
        let mut session = Session::new(Arc::new(lab.clone()), lang, None);
        for program in &lab.spec.programs {
            if let Some(bytes) = lab.recording(&program.name) {
                let summary = recording::summary_of(bytes).expect("a recording");
                session.observe(&program.name, summary, Origin::Recorded(None));
            }
        }
        (lab.id.clone(), session)
    };
    labs.into_iter().map(open).collect()
}

/// The text with every number as the recordings have it, and how many there are.
fn renewed(text: &str, lang: Lang) -> (String, usize) {
    let sessions = sessions(lang);
    let mut parts = text.split(OPEN);
    let (mut out, mut numbers) = (parts.next().unwrap_or_default().to_owned(), 0);
    for part in parts {
        let (what, rest) = part.split_once(" -->").expect("an end of the comment");
        let (_, rest) = rest.split_once(CLOSE).expect("an end of the number");
        let (lab, expr) = what.split_once(": ").expect("a lab and an expression");
        let expr: Expr = expr.parse().unwrap_or_else(|e| panic!("{what}: {e}"));
        let session = sessions
            .get(lab)
            .unwrap_or_else(|| panic!("no lab '{lab}'"));
        let value = expr.eval(&session.params_scope());
        let value = value.unwrap_or_else(|e| panic!("{what}: {e}"));
        out += &format!("{OPEN}{what} -->{}{CLOSE}{rest}", value.marked(None, lang));
        numbers += 1;
    }
    (out, numbers)
}

fn check(file: &str, lang: Lang) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(file);
    let text = std::fs::read_to_string(&path).expect("the page");
    let (renewed, numbers) = renewed(&text, lang);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &renewed).expect("write the page");
        return numbers;
    }
    let stale = text
        .lines()
        .zip(renewed.lines())
        .find(|(old, new)| old != new);
    assert_eq!(stale, None, "{file} (BLESS=1 writes the numbers)");
    numbers
}

#[test]
fn the_numbers_are_those_of_the_recordings() {
    let english = check("claims.md", Lang::En);
    let chinese = check("zh/claims.md", Lang::Zh);
    assert!(english > 0, "there are no numbers");
    assert_eq!(english, chinese, "numbers in the two languages");
}
