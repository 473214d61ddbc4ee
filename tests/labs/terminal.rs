//! A new student's way through a lab, in a real terminal of 80×24: menu, questions, path, exercise.

#[path = "../../tui/tests/common/tmux.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod tmux;

use labs::lab;
use labs::work::Whose;

use crate::{one_at_a_time, runner};
use tmux::Tmux;

#[test]
#[ignore = "root"]
fn from_the_menu_to_the_check() {
    let _alone = one_at_a_time();
    let runner = runner();
    let (labs, _) = lab::bundled();
    runner
        .work
        .prepare(labs.iter())
        .expect("the learner's folder");
    let lab = labs
        .iter()
        .find(|lab| lab.id == "first-hops")
        .expect("the lab");
    let program = &lab.spec.change.program;
    runner.work.reset(lab).expect("the lab as it was");
    // What takes long is done before: the test waits only for what it is about.
    for whose in [Whose::Original, Whose::Learner] {
        runner
            .work
            .build(&lab.id, &[program], whose)
            .expect("the programs");
    }
    let state = tempfile::tempdir().expect("a folder");
    let Some(tmux) = Tmux::start("labs", 80, 24) else {
        return;
    };
    let command = format!(
        "XDG_STATE_HOME={} EDITOR= VISUAL= {} lab --lang en --work {}",
        state.path().display(),
        env!("CARGO_BIN_EXE_bytehop"),
        runner.work.dir.display()
    );
    tmux.keys(&[&command, "Enter"]);
    tmux.wait("0 of ");
    tmux.keys(&["g", "Enter"]);
    for n in 1..=lab.spec.questions.len() {
        tmux.wait(&format!("question {n} of"));
        tmux.keys(&["many", "Enter"]);
        tmux.wait("is no number");
        tmux.keys(&["BSpace", "BSpace", "BSpace", "BSpace", "1 MiB", "Enter"]);
    }
    tmux.wait("n observe");
    tmux.keys(&["n"]);
    tmux.wait("a the path");
    tmux.keys(&["a"]);
    tmux.wait("whole run");
    // A hop further: which one that is, the line of the list says.
    tmux.keys(&["n"]);
    tmux.wait("hop 1/");
    tmux.resize(120, 40);
    tmux.resize(80, 24);
    tmux.keys(&["3", "G"]);
    tmux.wait("this run");
    tmux.keys(&["n", "h"]);
    tmux.wait("Hint 1 of");
    tmux.keys(&["e"]);
    tmux.wait("EDITOR is not set");
    tmux.keys(&["c"]);
    tmux.wait("does not pass yet");
    // Saved in another window: checked again by itself.
    let source = runner.work.source(&lab.id, program, Whose::Learner);
    std::fs::write(&source, "this is no Rust").expect("write");
    tmux.wait("does not compile");
    std::fs::write(&source, lab.solution().expect("a solution")).expect("write");
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
