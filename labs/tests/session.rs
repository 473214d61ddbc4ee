//! One learner in one lab, over its recordings.

use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::lab::{self, Lab};
use labs::recording::summary_of;
use labs::session::{Origin, Output, Session};

fn session(id: &str, seed: Option<&str>) -> Session {
    let (labs, _) = lab::bundled();
    let lab: Lab = labs.into_iter().find(|lab| lab.id == id).expect("the lab");
    Session::new(Arc::new(lab), Lang::En, seed.map(str::to_owned))
}

/// With all recordings taken.
fn observed(id: &str) -> Session {
    let mut session = session(id, None);
    for program in session.lab.spec.programs.clone() {
        let bytes = session.lab.recording(&program.name).expect("a recording");
        let summary = summary_of(bytes).expect("a summary");
        session.observe(&program.name, summary, Origin::Recorded(None));
    }
    session
}

#[test]
fn seeds_draw_other_values_and_always_the_same() {
    let drawn: std::collections::BTreeSet<String> = (0..40)
        .map(|n| {
            format!(
                "{:?}",
                session("first-hops", Some(&format!("student {n}"))).params
            )
        })
        .collect();
    assert!(drawn.len() > 1, "{drawn:?}");
    let a = session("first-hops", Some("class of 2026"));
    let b = session("first-hops", Some("class of 2026"));
    assert_eq!(a.params, b.params);
}

#[test]
fn answers_as_people_type_them() {
    let mut session = observed("first-hops");
    let question = session.lab.spec.questions[0].clone();
    for text in ["1 MiB", "1M", "size", "2 * size", "0", "1,024"] {
        assert!(session.answer(&question, text), "{text}");
    }
    for text in ["yes", "no", "lots", "copy", "1 MiB @copy", "", "2 *"] {
        assert!(!session.answer(&question, text), "{text}");
    }
    assert!(question.refuse(session.lang, "no").contains("1 MiB"));
    // What is yes or no is no number.
    let (labs, _) = labs::lab::bundled();
    let questions = labs.iter().flat_map(|lab| &lab.spec.questions);
    let chosen: Vec<_> = questions.filter(|q| q.choices.is_some()).collect();
    assert!(!chosen.is_empty());
    for question in chosen {
        for text in ["yes", "no", "是", "0", "1"] {
            assert!(session.answer(question, text), "{text}");
        }
        for text in ["64", "1 MiB"] {
            assert!(!session.answer(question, text), "{text}");
        }
        assert!(question.hint(session.lang).starts_with("yes or no"));
    }
}

#[test]
fn verdicts_say_right_and_why() {
    let mut session = observed("first-hops");
    // What was measured is the right answer to every question; far off is wrong and explained.
    let measured: Vec<(String, f64)> = session
        .verdicts()
        .into_iter()
        .map(|verdict| (verdict.id, verdict.measured.expect("a value").number))
        .collect();
    for (factor, right) in [(1.0, true), (1000.0, false)] {
        for (id, number) in &measured {
            let question = session.lab.spec.questions.iter().find(|q| q.id == *id);
            let question = question.expect("the question").clone();
            assert!(session.answer(&question, &(number * factor).to_string()));
        }
        for verdict in session.verdicts() {
            assert_eq!(verdict.right, right, "{verdict:?}");
            assert!(verdict.explain.is_some(), "{verdict:?}");
        }
    }
}

#[test]
fn hints_fit_what_was_tried() {
    let mut session = observed("first-hops");
    let before = session.fitting_hints().len();
    assert!(
        session
            .hint()
            .is_some_and(|hint| hint.starts_with("Hint 1 of "))
    );
    session.last = session.runs.get("copy").cloned();
    let unsolved = session.fitting_hints().len();
    let solution = session.lab.recording("solution").expect("a recording");
    session.last = summary_of(solution).ok();
    let solved = session.fitting_hints().len();
    assert!(
        unsolved >= before && solved <= unsolved,
        "{before} {unsolved} {solved}"
    );
    // Beyond the last hint, the last one stays.
    let last: Vec<_> = (0..9).filter_map(|_| session.hint()).skip(7).collect();
    assert_eq!(last[0], last[1]);
}

#[test]
fn a_check_needs_everything() {
    let session = observed("first-hops");
    let run = summary_of(session.lab.recording("solution").expect("a recording")).expect("a run");
    assert!(session.judge(&run, Output::Same).passed());
    assert!(!session.judge(&run, Output::Differs).passed());
    let mut crashed = run.clone();
    crashed.exit_status = Some(139);
    assert!(!session.judge(&crashed, Output::Same).passed());
    let unchanged = session.runs["copy"].clone();
    assert!(!session.judge(&unchanged, Output::Same).passed());
}
