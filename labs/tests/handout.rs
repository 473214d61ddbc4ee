//! A handout for students asks, and does not answer.

use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::guide::Step;
use labs::recording::summary_of;
use labs::session::{Origin, Session};
use labs::spec::Code;
use labs::{export, lab};

#[test]
fn students_get_no_answers() {
    let (labs, _) = lab::bundled();
    for lab in labs {
        for lang in [Lang::En, Lang::Zh] {
            let mut session = Session::new(Arc::new(lab.clone()), lang, None);
            for program in &lab.spec.programs {
                let bytes = lab.recording(&program.name).expect("a recording");
                let run = summary_of(bytes).expect("a summary");
                session.observe(&program.name, run, Origin::Recorded(None));
            }
            let picture = |_: &str, _: &_| "a picture".to_owned();
            let theirs = export::markdown(&session, false, &picture);
            let all = export::markdown(&session, true, &picture);
            let explain = format!("## {}", Step::Explain.title(lang));
            assert!(
                all.contains("a picture") && all.contains(&explain),
                "{}",
                lab.id
            );
            // What was run makes no difference to it.
            let nothing = Session::new(Arc::new(lab.clone()), lang, None);
            assert_eq!(
                theirs,
                export::markdown(&nothing, false, &picture),
                "{}",
                lab.id
            );
            assert!(!theirs.contains(&explain), "{}", lab.id);
            let rooms = theirs.matches(&"\\_".repeat(20)).count();
            assert_eq!(rooms, lab.spec.questions.len() * 3, "{}", lab.id);
        }
    }
}

/// What the guide says: the same source, to the letter.
#[test]
fn one_source_on_every_device() {
    let (labs, _) = lab::bundled();
    let lab = labs
        .iter()
        .find(|lab| lab.id == "is-it-dma")
        .expect("the lab");
    let first = lab.source(&lab.spec.programs[0].name, Code::Rust);
    assert!(
        lab.spec
            .programs
            .iter()
            .all(|program| lab.source(&program.name, Code::Rust) == first)
    );
}
