//! Every lab, from its first question to its check: traced here, and replayed without privileges.
//!
//! Nothing here knows a lab: what is asked, right and wrong comes from its data.

mod class;
mod ending;
mod export;
mod terminal;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytehop_core::expr::value::{Unit, Value};
use bytehop_core::i18n::Lang;
use labs::compile;
use labs::lab::{self, Lab};
use labs::run::Runner;
use labs::runs::{RunError, Runs, Whose, WorkError};
use labs::session::{Origin, Session, Verdict};
use labs::spec::Code;
use labs::work::Work;
use tracer::user::Identity;

const NOBODY: u32 = 65534;

/// Says that a part could not run here, where `cargo xtask test` shows it; fails if nobody asked.
fn not_run(test: &str, reason: &str) {
    let log = std::env::var_os("BYTEHOP_NOT_RUN").unwrap_or_else(|| panic!("{test}: {reason}"));
    let mut log = std::fs::File::options()
        .append(true)
        .open(log)
        .expect("the log");
    writeln!(log, "labs, {test}: {reason}").expect("write the log");
}

/// The learner's folder of the tests: kept, so that libraries are built once.
fn work() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("labs-work")
}

/// Tests that use the learner's folder do so one after the other.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static FOLDER: Mutex<()> = Mutex::new(());
    FOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runner() -> Runner {
    let identity = Identity::invoking().expect("who we are");
    let work = Work::locate(Some(&work()), &identity);
    let runner = Runner::new(env!("CARGO_BIN_EXE_bytehop").into(), identity, work);
    let mut runner = runner.expect("a runner");
    runner.level = level();
    runner
}

/// The level that all runs must have, where the kernel is known to give it.
fn level() -> Option<String> {
    std::env::var("BYTEHOP_LABS_LEVEL").ok()
}

/// With the sizes and counts that `BYTEHOP_LABS_SEED` draws, if it is set.
fn session(lab: &Lab, lang: Lang) -> Session {
    let seed = std::env::var("BYTEHOP_LABS_SEED").ok();
    Session::new(Arc::new(lab.clone()), lang, seed)
}

/// Which labs: all, or those in `BYTEHOP_LABS`.
fn chosen() -> Vec<Lab> {
    let (labs, errors) = lab::bundled();
    assert!(errors.is_empty(), "{errors:?}");
    let only = std::env::var("BYTEHOP_LABS").unwrap_or_default();
    let wanted = |lab: &Lab| only.is_empty() || only.split(',').any(|id| id == lab.id);
    labs.into_iter().filter(wanted).collect()
}

/// Answers all questions with what was measured, or with something else.
fn answer(session: &mut Session, right: bool) {
    session.answers.clear();
    for verdict in session.verdicts() {
        let mut value = verdict.measured.expect("a measured value");
        if !right {
            value.number = match value.unit {
                Unit::Truth => 1.0 - value.number,
                _ => value.number * 1000.0 + 1e12,
            };
        }
        session
            .answers
            .insert(verdict.id, Value::new(value.number, value.unit));
    }
}

/// What is wrong with the verdicts for right, or for wrong answers.
fn verdicts(session: &mut Session, right: bool, found: &mut Vec<String>) {
    answer(session, right);
    for verdict in session.verdicts() {
        let id = &verdict.id;
        if verdict.right != right {
            found.push(format!(
                "{id}: {:?} is taken for {}",
                verdict.answer, !right
            ));
        }
        if verdict.explain.is_none() {
            found.push(format!("{id}: no explanation of {:?}", verdict.answer));
        }
        let texts = [&verdict.explain, &verdict.differs].into_iter().flatten();
        for (_, text) in texts {
            if text.contains('?') && text.contains("{{") {
                found.push(format!("{id}: not filled in: {text}"));
            }
        }
    }
}

#[test]
#[ignore = "root"]
fn every_lab_end_to_end() {
    every_lab(&chosen(), Code::Rust);
}

/// The same with the programs in C. In CI these labs only, which between them take every way of the C programs'
/// support; all of them with `BYTEHOP_LABS_C=all`, `BYTEHOP_LABS_C=all cargo xtask vm 6.12 --labs` runs them in another kernel, too.
const IN_C: [&str; 8] = [
    "first-hops",
    "mmap",
    "sendfile",
    "io-uring",
    "zerocopy-send",
    "encrypted",
    "device-side",
    "web-server",
];

fn compiles() -> bool {
    compile::is_there(&Identity::invoking().expect("who we are"))
}

#[test]
#[ignore = "root"]
fn labs_end_to_end_in_c() {
    let all = std::env::var_os("BYTEHOP_LABS_C").is_some_and(|what| what == "all");
    // An emulated machine has none either, but was handed what was compiled.
    if !compiles() && level().is_none() {
        return not_run("labs in C", "there is no C compiler");
    }
    let chosen = chosen().into_iter();
    let labs: Vec<Lab> = chosen
        .filter(|lab| all || IN_C.contains(&lab.id.as_str()))
        .collect();
    every_lab(&labs, Code::C);
}

/// Every C program of every lab compiles without a warning worth an error; the linter says so, too.
#[test]
fn every_lab_has_both_languages() {
    for lab in chosen() {
        for code in Code::ALL {
            assert!(lab.has(code), "{}: programs in {}", lab.id, code.name());
            assert!(lab.solution(code).is_some(), "{}", lab.id);
        }
    }
}

fn every_lab(labs: &[Lab], code: Code) {
    let _alone = one_at_a_time();
    let runner = runner();
    let (all, _) = lab::bundled();
    runner
        .work
        .prepare(all.iter(), code)
        .expect("the learner's folder");
    if std::env::var_os("BYTEHOP_LABS_BUILD").is_some() {
        labs.iter().for_each(|lab| build_all(&runner, lab, code));
        return println!("built in {}", runner.work.dir.display());
    }
    let mut found = Vec::new();
    for lab in labs {
        let start = Instant::now();
        let mut problems = Vec::new();
        end_to_end(&runner, lab, code, &mut problems);
        // A machine short of memory drops pages that a run counts on: what is wrong is so twice.
        if !problems.is_empty() {
            eprintln!("{}, once more: {problems:#?}", lab.id);
            problems.clear();
            end_to_end(&runner, lab, code, &mut problems);
        }
        let took = start.elapsed().as_secs();
        eprintln!(
            "{} in {}: {} wrong, {took} s",
            lab.id,
            code.name(),
            problems.len()
        );
        found.extend(
            problems
                .into_iter()
                .map(|what| format!("{} in {}: {what}", lab.id, code.name())),
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Builds all that the test needs, for a machine that has no cargo (`cargo xtask vm --labs`).
fn build_all(runner: &Runner, lab: &Lab, code: Code) {
    runner
        .build(&session(lab, Lang::En).in_code(code))
        .expect("the originals");
    let program = &lab.spec.change.program;
    let build = |whose| {
        let built = runner.work.build(&lab.id, &[program], whose, code);
        built.expect("a program for the check");
    };
    build(Whose::Learner);
    for (_, source) in variants(lab, code) {
        give(runner, lab, code, source);
        build(Whose::Given);
    }
}

/// Programs that are judged: the unchanged one, the solution, and cheats.
fn variants(lab: &Lab, code: Code) -> Vec<(&str, &str)> {
    let program = &lab.spec.change.program;
    let own = [
        ("the unchanged program", lab.source(program, code)),
        ("the solution", lab.solution(code).unwrap_or_default()),
    ];
    own.into_iter().chain(lab.cheats(code)).collect()
}

fn give(runner: &Runner, lab: &Lab, code: Code, source: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), source).expect("write");
    let given = runner
        .work
        .give(&lab.id, &lab.spec.change.program, code, file.path());
    given.expect("the given program");
}

fn end_to_end(runner: &Runner, lab: &Lab, code: Code, found: &mut Vec<String>) {
    let mut session = session(lab, Lang::En).in_code(code);
    if let Err(e) = runner.build(&session) {
        return found.push(format!("does not build: {e}"));
    }
    for program in &lab.spec.programs {
        if let Err(e) = runner.observe(&mut session, &program.name) {
            return found.push(format!("{}: {e}", program.name));
        }
        let run = session.runs.get(&program.name);
        let live = session.origins.get(&program.name) == Some(&Origin::Live);
        if let (true, Some(run), Some(wanted)) = (live, run, level())
            && run.level != wanted
        {
            found.push(format!("{}: traced at level {}", program.name, run.level));
        }
        if let Some(Origin::Recorded(Some(why))) = session.origins.get(&program.name) {
            let reserved = program.needs.iter().chain(&lab.spec.needs);
            // A machine may lack something; a program that fails is never fine.
            let failed = why.starts_with(&format!("{} failed", program.name));
            let expected = reserved.count() > 0 && !failed;
            match expected {
                true => not_run(&format!("{}/{}", lab.id, program.name), why),
                false => found.push(format!("{} was not traced: {why}", program.name)),
            }
        }
    }
    verdicts(&mut session, true, found);
    verdicts(&mut session, false, found);
    // A recording has its own sizes.
    if session.seed.is_none() {
        same_as_replay(runner, lab, &session, found);
    }

    // The exercise begins unsolved, is solved by the solution, and not by cheats.
    let program = &lab.spec.change.program;
    let learners = runner.work.build(&lab.id, &[program], Whose::Learner, code);
    if let Err(e) = learners {
        found.push(format!("the learner's copy does not build: {e}"));
    }
    if session.is_recorded(program) {
        return not_run(
            &format!("{}, the check", lab.id),
            "its program was not traced",
        );
    }
    for (what, source) in variants(lab, code) {
        let pass = what == "the solution";
        give(runner, lab, code, source);
        match runner.check(&mut session, Whose::Given) {
            Ok(checked) if checked.outcome.passed() == pass => {}
            Ok(checked) => {
                let verb = if pass { "must pass" } else { "must not pass" };
                found.push(format!("{what} {verb}: {:#?}", checked.outcome));
            }
            Err(RunError::Work(WorkError::Build(said))) => found.push(format!("{what}: {said}")),
            Err(e) => found.push(format!("{what}: {e}")),
        }
    }
}

/// The recordings lead to the same explanations as the run here, for the same answers. Of two CPU times another
/// machine may have the other one as the smaller: what is said then is another explanation.
fn same_as_replay(runner: &Runner, lab: &Lab, live: &Session, found: &mut Vec<String>) {
    let mut replay = session(lab, Lang::En);
    for program in &lab.spec.programs {
        match runner.replay(&replay, &program.name) {
            Ok(summary) => replay.observe(&program.name, summary, Origin::Recorded(None)),
            Err(e) => return found.push(format!("replay of {}: {e}", program.name)),
        }
    }
    let timed = |id: &str| {
        let mut questions = lab.spec.questions.iter();
        questions.any(|question| question.id == id && question.measure.to_string().contains("cpu "))
    };
    let mut live = live.clone();
    for right in [true, false] {
        answer(&mut replay, right);
        live.answers = replay.answers.clone();
        for (a, b) in live.verdicts().iter().zip(replay.verdicts()) {
            let measured = |verdict: &Verdict| verdict.measured.as_ref().map(|value| value.number);
            if timed(&a.id) && measured(a) != measured(&b) {
                continue;
            }
            let which = |case: &Option<(usize, String)>| case.as_ref().map(|(n, _)| *n);
            let live = (a.right, which(&a.explain), which(&a.differs));
            let replayed = (b.right, which(&b.explain), which(&b.differs));
            if live != replayed {
                found.push(format!(
                    "{}: live {live:?}, replayed {replayed:?}; measured {:?}, recorded {:?}",
                    a.id,
                    a.measured.as_ref().map(|v| v.number),
                    b.measured.as_ref().map(|v| v.number),
                ));
            }
        }
    }
}

/// bytehop as an ordinary user without rights, in a folder of its own.
fn unprivileged(dir: &Path, args: &[&str]) -> (i32, String) {
    // Where that user may read it.
    let binary = dir.join("bytehop");
    if !binary.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_bytehop"), &binary).expect("copy bytehop");
    }
    let mut command = Command::new(&binary);
    command
        .args(args)
        .env_clear()
        .env("HOME", dir)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(dir);
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(dir, Some(NOBODY), Some(NOBODY)).expect("chown");
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("bytehop starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), text + &errors)
}

#[test]
fn every_lab_replays_without_privileges() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut found = Vec::new();
    for lab in chosen() {
        for lang in ["en", "zh"] {
            // All that a learner could answer: nothing, zero, and too much.
            let answers: BTreeMap<&str, &str> = lab
                .spec
                .questions
                .iter()
                .zip(["0", "1 GiB", "", "12"])
                .map(|(question, answer)| (question.id.as_str(), answer))
                .collect();
            let text: String = answers
                .iter()
                .map(|(id, a)| format!("{id} = {a}\n"))
                .collect();
            let file = dir.path().join("answers");
            std::fs::write(&file, text).expect("write the answers");
            let file = file.display().to_string();
            let args = [
                "lab",
                &lab.id,
                "--replay",
                "--no-tui",
                "--lang",
                lang,
                "--answers",
                &file,
            ];
            let (code, text) = unprivileged(dir.path(), &args);
            let id = &lab.id;
            if code != 0 {
                found.push(format!("{id} ({lang}): status {code}: {text}"));
            }
            // What the solution did when it was recorded is shown; the learner's program was not checked.
            let end = if lang == "en" {
                "The program was not checked."
            } else {
                "程序没有检验。"
            };
            let failed = text.lines().any(|line| line.starts_with("  [ ]"));
            if !text.contains(end) || failed || !text.contains("  [x]") {
                found.push(format!(
                    "{id} ({lang}): the recorded solution does not pass: {text}"
                ));
            }
            for bad in ["{{", "}}"] {
                if text
                    .lines()
                    .any(|line| line.contains(bad) && !line.starts_with("    "))
                {
                    found.push(format!("{id} ({lang}): a placeholder is left: {text}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn menu_and_list_without_a_terminal() {
    let dir = tempfile::tempdir().expect("a folder");
    let (code, text) = unprivileged(dir.path(), &["lab", "list"]);
    assert_eq!(code, 0, "{text}");
    for lab in chosen() {
        assert!(text.contains(&lab.id), "{text}");
    }
    let (code, text) = unprivileged(dir.path(), &["lab", "nothing-like-it"]);
    assert_eq!((code, text.lines().count()), (2, 1), "{text}");
    let (code, text) = unprivileged(dir.path(), &["lab", "reset"]);
    assert_eq!((code, text.lines().count()), (2, 1), "{text}");
    let (code, text) = unprivileged(dir.path(), &["lab", "lint"]);
    assert_eq!(code, 0, "{text}");
}
