//! What lint finds: each finding, made on purpose in a lab that has none.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bytehop_core::i18n::{Lang, is_english};
use labs::lab::{Lab, bundled};
use labs::lint::lint;
use labs::spec::Code;

type Files = BTreeMap<String, Cow<'static, [u8]>>;

fn first_hops() -> Files {
    let (labs, _) = bundled();
    let lab = labs.iter().find(|lab| lab.id == "first-hops");
    let files = lab.expect("the lab").files();
    let own = |(path, bytes): (&str, &[u8])| (path.to_owned(), bytes.to_vec().into());
    files.map(own).collect()
}

/// What lint says of the lab after a change, in both languages.
fn found(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = first_hops();
    change(&mut files);
    let lab = Lab::new("first-hops", files).expect("a lab");
    let ids = BTreeSet::from(["first-hops", "modes", "write-back"]);
    for said in lint(&lab, &ids, Lang::Zh) {
        assert!(!is_english(&said), "{said}");
    }
    lint(&lab, &ids, Lang::En)
}

fn edit(file: &'static str, from: &'static str, to: &'static str) -> impl FnOnce(&mut Files) {
    move |files| {
        let text = String::from_utf8(files[file].to_vec()).expect("text");
        assert!(text.contains(from), "{file} has no {from}");
        files.insert(
            file.to_owned(),
            text.replacen(from, to, 1).into_bytes().into(),
        );
    }
}

fn toml(from: &'static str, to: &'static str) -> Vec<String> {
    found(edit("lab.toml", from, to))
}

#[track_caller]
fn only(said: &[String], wanted: &str) {
    assert_eq!(said, [format!("first-hops: {wanted}")]);
}

#[test]
fn a_lab_without_flaws() {
    assert_eq!(found(|_| {}), [""; 0]);
}

#[test]
fn bytes_compared_with_a_count() {
    let said = toml("textbook = \"2 * size\"", "textbook = \"2097152\"");
    only(
        &said,
        "questions.copied.textbook: compares different units (bytes, times, counts)",
    );
    let said = toml(
        "that = \"copy page_cache->user >= size and",
        "that = \"copy page_cache->user >= 2097152 and",
    );
    only(
        &said,
        "change.checks[1]: compares different units (bytes, times, counts)",
    );
}

#[test]
fn calls_that_no_kernel_has() {
    let said = toml(
        "measure = \"syscall(read).calls",
        "measure = \"syscall(raed).calls",
    );
    assert!(
        said.contains(
            &"first-hops: questions.calls.measure: there is no system call 'raed'".to_owned()
        ),
        "{said:?}"
    );
}

#[test]
fn an_answer_that_can_never_be_right() {
    let said = toml(
        "right = \"near(answer, measured, 0.1)\"",
        "right = \"answer < 0\"",
    );
    only(
        &said,
        "questions.copied.right: no answer is right, not even what was measured",
    );
}

#[test]
fn explanations_that_are_never_shown() {
    let said = toml(
        "when = \"near(answer, size, 0.1)\"",
        "when = \"near(answer, measured, 0.1)\"",
    );
    only(
        &said,
        "questions.copied.explain[1]: never shown: one before it fits whenever this one does",
    );
    let said = toml("when = \"near(answer, size, 0.1)\"\n", "");
    let shadowed = said.iter().filter(|what| what.contains("never shown"));
    assert_eq!(shadowed.count(), 3, "{said:?}");
}

#[test]
fn values_that_one_language_tells() {
    let said = toml("你只数了一次拷贝", "{{crossings}} 你只数了一次拷贝");
    only(
        &said,
        "questions.copied.explain[1]: {{crossings}} is said in one language only",
    );
    let said = found(edit("guide.zh.md", "{{fill}}", "{{fill zero->user}}"));
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn recordings_that_were_swapped() {
    let said = found(|files| {
        let (labs, _) = bundled();
        let modes = labs.iter().find(|lab| lab.id == "modes").expect("the lab");
        let other = modes.recording("clock").expect("a recording").to_vec();
        files.insert("recordings/copy.bhop".to_owned(), other.into());
    });
    let wanted = "first-hops: recordings/copy.bhop: is a recording of modes-clock";
    assert!(said.iter().any(|what| what == wanted), "{said:?}");
}

#[test]
fn one_language_comes_first() {
    for (gone, shown) in [("guide.zh.md", Lang::Zh), ("guide.en.md", Lang::En)] {
        let mut files = first_hops();
        files.remove(gone);
        let lab = Lab::new("first-hops", files).expect("a lab");
        assert_eq!(lab.guide(shown), lab.guide(shown.other()));
        let said = found(|files| drop(files.remove(gone)));
        only(
            &said,
            &format!("there is no {gone} yet: the other language is shown"),
        );
    }
    let said = toml("title.zh = \"第一跳\"\n", "");
    only(&said, "title.zh: empty");
}

#[test]
fn comments_without_a_translation() {
    let said = found(edit(
        "programs/copy.c",
        "// one system call\n",
        "// one single call\n",
    ));
    only(
        &said,
        "comments.zh.toml: there is no translation of 'one single call'",
    );
    let said = found(edit(
        "comments.zh.toml",
        "\"one system call\" =",
        "\"no such\" =",
    ));
    assert_eq!(said.len(), 2, "{said:?}");
}

/// Each program has its comments in Chinese, on the same lines, and the code is the same.
#[test]
fn programs_are_told_in_chinese() {
    let code = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| match line.trim_start().starts_with("//") {
                true => String::new(),
                false => line
                    .split(" // ")
                    .next()
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned(),
            });
        lines.collect()
    };
    let (labs, _) = bundled();
    for lab in &labs {
        for wanted in Code::ALL {
            for program in lab.spec.sources() {
                let en = lab.source(&program.name, wanted);
                let zh = lab.source_in(Lang::Zh, &program.name, wanted);
                assert_eq!(code(en), code(&zh), "{}", lab.id);
                assert_eq!(lab.source_in(Lang::En, &program.name, wanted), en);
                let told = zh
                    .lines()
                    .filter(|line| line.trim_start().starts_with("//"));
                let told: String = told.collect();
                assert!(told.is_empty() || !is_english(&told), "{}: {told}", lab.id);
            }
            let (en, zh) = (lab.solution(wanted), lab.solution_in(Lang::Zh, wanted));
            assert_eq!(
                code(en.expect("a solution")),
                code(&zh.expect("a solution")),
                "{}",
                lab.id
            );
        }
    }
}
