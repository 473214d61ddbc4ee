//! A new student's way through a lab, in a real terminal of 80×24: menu, questions, path, exercise.

#[path = "../../tui/tests/common/tmux.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
pub mod tmux;

use std::path::Path;

use bytehop_core::i18n::Lang;
use labs::lab::{self, Lab};
use labs::run::Runner;
use labs::runs::{Runs, Whose};
use labs::spec::Code;

use crate::{one_at_a_time, runner, session};
use tmux::Tmux;

/// What the screen says, in the language of the walk.
struct Words {
    lang: &'static str,
    question: fn(usize) -> String,
    ran: &'static str,
    this_run: &'static str,
    here: fn(usize, usize) -> String,
    hint: &'static str,
    fails: &'static str,
    passes: &'static str,
    yours: &'static str,
}

const EN: Words = Words {
    lang: "en",
    question: |n| format!("question {n} of"),
    ran: "It has run.",
    this_run: "this run",
    here: |n, of| format!("Question {n} of {of}:"),
    hint: "Hint 1 of",
    fails: "does not pass yet",
    passes: "The check passes.",
    yours: "your program",
};

const ZH: Words = Words {
    lang: "zh",
    question: |n| format!("第 {n}/"),
    ran: "已运行。",
    this_run: "这次运行",
    here: |n, of| format!("第 {n}/{of} 题："),
    hint: "提示 1/",
    fails: "检验尚未通过",
    passes: "检验通过。",
    yours: "你的程序",
};

/// A lab whose programs are built: the test waits only for what it is about.
fn ready(runner: &Runner, id: &str) -> Lab {
    let (labs, _) = lab::bundled();
    let prepared = runner.work.prepare(labs.iter(), Code::Rust);
    prepared.expect("the learner's folder");
    let lab = labs.iter().find(|lab| lab.id == id).expect("the lab");
    runner.work.reset(lab).expect("the lab as it was");
    runner
        .build(&session(lab, Lang::En))
        .expect("the originals");
    let program = &lab.spec.change.program;
    let built = runner
        .work
        .build(&lab.id, &[program], Whose::Learner, Code::Rust);
    built.expect("the learner's program");
    lab.clone()
}

/// Starts bytehop's menu; its state is kept in a folder of the test.
fn menu(tmux: &Tmux, runner: &Runner, state: &Path, lang: &str) {
    let command = format!(
        "XDG_STATE_HOME={} EDITOR= VISUAL= {} lab --lang {lang} --work {}",
        state.display(),
        env!("CARGO_BIN_EXE_bytehop"),
        runner.work.dir.display()
    );
    tmux.keys(&[&command, "Enter"]);
    tmux.wait("▸");
}

/// Opens a lab from the menu, and walks to its end. Nothing on the way is cut off.
fn walk(tmux: &Tmux, runner: &Runner, lab: &Lab, words: &Words) {
    let (labs, _) = lab::bundled();
    let at = labs.iter().position(|other| other.id == lab.id);
    tmux.keys(&["g"]);
    (0..at.expect("a place in the menu")).for_each(|_| tmux.keys(&["j"]));
    tmux.keys(&["Enter"]);
    let questions = lab.spec.questions.len();
    for n in 1..=questions {
        let screen = tmux.wait(&(words.question)(n));
        // The whole question, and then an empty line, or the answer's.
        assert!(!screen.contains('…'), "cut off:\n{screen}");
        tmux.keys(&["0", "Enter"]);
    }
    tmux.until("all answered", |screen| !screen.contains("> "));
    tmux.keys(&["n"]);
    tmux.wait(words.ran);
    tmux.keys(&["a"]);
    tmux.wait("Tab");
    for _ in 1..lab.spec.programs.len() {
        let before = tmux.screen();
        tmux.keys(&["]"]);
        tmux.until("another program", |screen| screen != before);
    }
    tmux.keys(&["3", "G"]);
    tmux.wait(words.this_run);
    // Where each number is from.
    for n in 1..=questions {
        tmux.keys(&["w"]);
        tmux.wait(&(words.here)(n, questions));
    }
    tmux.keys(&["4", "h"]);
    tmux.wait(words.hint);
    tmux.keys(&["c"]);
    tmux.wait(words.fails);
    // Saved in another window: checked again by itself.
    let program = &lab.spec.change.program;
    let source = runner
        .work
        .source(&lab.id, program, Whose::Learner, Code::Rust);
    std::fs::write(&source, lab.solution(Code::Rust).expect("a solution")).expect("write");
    tmux.wait(words.passes);
    // Before and after, beside each other.
    tmux.keys(&["v"]);
    tmux.wait(words.yours);
    tmux.keys(&["5"]);
    tmux.wait(words.passes);
}

#[test]
#[ignore = "root"]
fn a_new_student_at_80_by_24() {
    let _alone = one_at_a_time();
    let runner = runner();
    for (id, words) in [("sendfile", EN), ("io-uring", EN), ("io-uring", ZH)] {
        let lab = ready(&runner, id);
        let state = tempfile::tempdir().expect("a folder");
        let Some(tmux) = Tmux::start("student", 80, 24) else {
            return;
        };
        menu(&tmux, &runner, state.path(), words.lang);
        walk(&tmux, &runner, &lab, &words);
        tmux.keys(&["q"]);
        tmux.is_restored();
        runner.work.reset(&lab).expect("the lab as it was");
    }
}

#[test]
#[ignore = "root"]
fn from_the_menu_to_the_check() {
    let _alone = one_at_a_time();
    let runner = runner();
    let lab = &ready(&runner, "first-hops");
    let program = &lab.spec.change.program;
    let state = tempfile::tempdir().expect("a folder");
    let Some(tmux) = Tmux::start("labs", 80, 24) else {
        return;
    };
    menu(&tmux, &runner, state.path(), "en");
    tmux.wait("0 of ");
    tmux.keys(&["g", "Enter"]);
    for n in 1..=lab.spec.questions.len() {
        tmux.wait(&format!("question {n} of"));
        tmux.keys(&["many", "Enter"]);
        tmux.wait("is not an answer");
        tmux.keys(&["BSpace", "BSpace", "BSpace", "BSpace", "1 MiB", "Enter"]);
    }
    tmux.wait("n observe");
    tmux.keys(&["n"]);
    tmux.wait("It has run.");
    tmux.keys(&["a"]);
    tmux.wait("whole run");
    // A hop further: which one that is, the line of the list says.
    tmux.keys(&["n"]);
    tmux.wait("hop 1/");
    tmux.resize(120, 40);
    tmux.resize(80, 24);
    tmux.keys(&["3", "G"]);
    tmux.wait("this run");
    tmux.keys(&["w"]);
    tmux.wait("Question 1 of 3:");
    tmux.keys(&["4"]);
    tmux.keys(&["h"]);
    tmux.wait("Hint 1 of");
    tmux.keys(&["e"]);
    tmux.wait("EDITOR is not set");
    tmux.keys(&["c"]);
    tmux.wait("does not pass yet");
    // Saved in another window: checked again by itself.
    let source = runner
        .work
        .source(&lab.id, program, Whose::Learner, Code::Rust);
    std::fs::write(&source, "this is no Rust").expect("write");
    tmux.wait("does not compile");
    std::fs::write(&source, lab.solution(Code::Rust).expect("a solution")).expect("write");
    tmux.wait("The check passes.");
    tmux.keys(&["v"]);
    tmux.wait("your program");
    tmux.keys(&["5"]);
    tmux.wait("The check passes.");
    tmux.keys(&["x"]);
    tmux.wait("y/n");
    tmux.keys(&["n", "l"]);
    tmux.wait("1 of ");
    tmux.keys(&["q"]);
    tmux.is_restored();
    // What was done is kept.
    let kept = std::fs::read_to_string(state.path().join("bytehop/labs.toml")).expect("progress");
    assert!(kept.contains("solved = true"), "{kept}");
    let results = runner.work.dir.join("results/first-hops.result.toml");
    let result = std::fs::read_to_string(results).expect("a result");
    assert!(result.contains("passed = true"), "{result}");
    runner.work.reset(lab).expect("the lab as it was");
}
