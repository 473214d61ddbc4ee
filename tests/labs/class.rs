//! A class: honest work that really ran here, with the values of many students, and what some hand in in place of
//! work. No honest row fails; what passes without `--rerun` is listed here and in docs/teaching, and nothing of it
//! passes with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::grade::{self, Grade, Roster, System};
use labs::hand_in;
use labs::lab::Lab;
use labs::result::{BUNDLED, Result};
use labs::run::Runner;
use labs::runs::{Runs, Whose};
use labs::session::Session;
use labs::spec::Code;
use labs::work::Work;
use tracer::user::Identity;

use super::{compiles, not_run};

/// Labs that check different things: bytes and calls, comparison with a program of the lab, requests, faults.
const LABS: [&str; 4] = ["first-hops", "io-uring", "mmap", "address-space"];
/// The lab that is cheated in.
const CHEATED: &str = "first-hops";

/// A machine of the class, which everybody uses in turn.
struct Machine {
    _dir: tempfile::TempDir,
    work: PathBuf,
    labs: Vec<Lab>,
    /// The list of students.
    ids: Vec<String>,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").expect("a folder");
        let (labs, _) = labs::lab::bundled();
        Self {
            work: dir.path().join("work"),
            _dir: dir,
            labs,
            ids: Vec::new(),
        }
    }

    fn lab(&self, id: &str) -> Arc<Lab> {
        let found = self.labs.iter().find(|lab| lab.id == id);
        Arc::new(found.expect("the lab").clone())
    }

    fn runner(&self, student: &str) -> Runner {
        let identity = Identity::invoking().expect("who we are");
        let work = Work::locate(Some(&self.work), &identity);
        let mut runner =
            Runner::new(env!("CARGO_BIN_EXE_bytehop").into(), identity, work).expect("a runner");
        runner.student = student.to_owned();
        let chosen = LABS.map(|id| self.lab(id));
        Runs::prepare(&runner, &chosen, Code::C).expect("programs");
        runner
    }

    /// A student works on a lab: observes, answers, changes the program to this, and has it checked. What `--student`
    /// leaves goes to a folder.
    fn works(&mut self, student: &str, lab: &str, source: &str, to: &Path) {
        let id = student.to_owned();
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
        self.works_with(student, Some(student), lab, source, to);
    }

    fn works_with(&self, student: &str, seed: Option<&str>, lab: &str, source: &str, to: &Path) {
        let runner = self.runner(student);
        let lab = self.lab(lab);
        let seed = seed.map(str::to_owned);
        let mut session = Session::new(lab.clone(), Lang::En, seed).in_code(Code::C);
        for program in &lab.spec.programs {
            runner.observe(&mut session, &program.name).expect("a run");
        }
        for verdict in session.verdicts() {
            let measured = verdict.measured.expect("a number");
            session.answers.insert(verdict.id, measured);
        }
        let program = &lab.spec.change.program;
        let file = self.work.join(&lab.id).join(format!("{program}.c"));
        fs::write(file, source).expect("write");
        let results = self.work.join("results");
        let _ = fs::remove_dir_all(&results);
        let checked = runner.check(&mut session, Whose::Learner).expect("a check");
        runner.keep_result(&session, &checked).expect("a result");
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(&results).expect("results").flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copy");
        }
    }

    /// The solution as somebody would write it who has understood it.
    fn solution(&self, lab: &str, student: &str) -> String {
        let lab = self.lab(lab);
        let solution = lab.solution(Code::C).expect("a solution");
        let name = student.replace('/', " ");
        format!("// {name}\n{}", without_comments(solution))
    }

    /// The program that was checked last.
    fn built(&self) -> PathBuf {
        let found = Command::new("find")
            .arg(&self.work)
            .args(["-name", "my-first-hops-copy", "-type", "f"])
            .output()
            .expect("find");
        let found = String::from_utf8(found.stdout).expect("text");
        PathBuf::from(found.lines().next().expect("the program"))
    }

    fn grade(&self, dir: &Path) -> Vec<Grade> {
        let roster = Roster::of(&(self.ids.join("\n") + "\n"));
        grade::grade(&[dir.to_owned()], &self.labs, Some(&roster), Lang::En)
    }
}

fn without_comments(source: &str) -> String {
    let lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copy");
    }
}

fn packed(from: &Path, to: &Path) {
    let file = fs::File::create(to).expect("a file");
    hand_in::write(file, from).expect("packed");
}

#[test]
#[ignore = "root"]
fn no_honest_row_fails() {
    if !compiles() {
        return not_run("a class", "there is no C compiler");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut class = Machine::new();
    // All of 200 with BYTEHOP_CLASS=200.
    let students = std::env::var("BYTEHOP_CLASS").ok();
    let students: usize = students.and_then(|n| n.parse().ok()).unwrap_or(4);
    for n in 0..students {
        let id = format!("s{n:03}");
        let lab = LABS[n % LABS.len()];
        let to = dir.path().join(&id);
        let source = class.solution(lab, &id);
        class.works(&id, lab, &source, &to);
        // Half of them hand in one file.
        if n % 2 == 0 {
            packed(&to, &dir.path().join(hand_in::name_of(&id)));
            fs::remove_dir_all(&to).expect("remove");
        }
    }
    let begin = std::time::Instant::now();
    let grades = class.grade(dir.path());
    eprintln!("{students} graded in {:?}", begin.elapsed());
    assert_eq!(grades.len(), students);
    for grade in &grades {
        assert!(grade.passed && grade.remarks.is_empty(), "{grade:#?}");
        assert_eq!(grade.right, grade.questions, "{grade:#?}");
        let alike = grade.notes.iter().find(|note| note.contains("the same"));
        assert_eq!(alike, None, "{grade:#?}");
    }
    let roster = Roster::of("s000,\"Ada\"\ns001,=Bo\n");
    let moodle = grade::by_student(&grades, &class.labs, &roster, System::Moodle);
    assert_eq!(moodle.lines().count(), students + 1, "{moodle}");
    assert!(
        moodle.starts_with("\u{feff}ID number,address-space,"),
        "{moodle}"
    );
    let canvas = grade::by_student(&grades, &class.labs, &roster, System::Canvas);
    assert!(
        canvas.contains("Student,ID,SIS User ID,SIS Login ID,Section,"),
        "{canvas}"
    );
    assert!(canvas.contains("\r\nAda,,s000,,,,1,,\r\n"), "{canvas}");
    assert!(canvas.contains("\r\n'=Bo,,s001,,"), "{canvas}");
}

/// What becomes of a cheat without `--rerun`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The row does not pass; what it says.
    Fails(&'static str),
    /// It passes, and `--rerun` finds it: what that says.
    Passes(&'static str),
}
use Then::{Fails, Passes};

/// What cheats start from.
struct Base {
    /// Honest work of `eve`, with a program that passes; of `ada`, another student; of `eve` with the program
    /// unchanged.
    eve: PathBuf,
    ada: PathBuf,
    unchanged: PathBuf,
    /// `cp`, under the name of the lab's program, on files of the lab's size; and the solution, as its owner lends it.
    cp: Vec<u8>,
    lent: Vec<u8>,
    labs: BTreeMap<&'static str, Vec<u8>>,
}

type Do = fn(&Base, &Path);

const RESULT: &str = "first-hops.result.toml";
const RUN: &str = "first-hops.bhop";
const SOURCE: &str = "first-hops.c";

/// Changes a result, and makes its checksum and those of the files right again.
fn forged(dir: &Path, change: impl FnOnce(&mut Result)) {
    edited(dir, |result| {
        change(result);
        let sum = |name: &str| {
            let bytes = fs::read(dir.join(name)).unwrap_or_default();
            sha256(&bytes)
        };
        result.recording_sha256 = sum(&result.recording);
        result.program = sum(SOURCE);
        result.signature = result.sign();
    });
}

fn edited(dir: &Path, change: impl FnOnce(&mut Result)) {
    let path = dir.join(RESULT);
    let mut result: Result =
        toml::from_str(&fs::read_to_string(&path).expect("read")).expect("a result");
    change(&mut result);
    fs::write(path, toml::to_string(&result).expect("text")).expect("write");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn put(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let _ = fs::remove_file(dir.join(name));
    fs::write(dir.join(name), bytes).expect("write");
}

fn linked(dir: &Path, name: &str, target: &str) {
    let _ = fs::remove_file(dir.join(name));
    symlink(target, dir.join(name)).expect("a link");
}

/// Every kind of cheating. Each begins with eve's folder.
const CHEATS: &[(&str, Then, Do)] = &[
    ("passed typed in", Fails("changed by hand"), |base, dir| {
        copied(&base.unchanged, dir);
        edited(dir, |result| result.passed = true);
    }),
    (
        "passed typed in, with its checksum",
        Fails("at most"),
        |base, dir| {
            copied(&base.unchanged, dir);
            forged(dir, |result| result.passed = true);
        },
    ),
    (
        "all questions right, typed in",
        Fails("changed by hand"),
        |_, dir| {
            edited(dir, |result| result.questions = 99);
        },
    ),
    ("a failing output", Fails("output differs"), |_, dir| {
        forged(dir, |result| result.output = "differs".to_owned());
    }),
    (
        "another recording",
        Fails("not the one of this result"),
        |base, dir| {
            put(dir, RUN, fs::read(base.ada.join(RUN)).expect("read"));
        },
    ),
    (
        "the lab's recording",
        Fails("the lab's own"),
        |base, dir| {
            put(dir, RUN, &base.labs["solution"]);
            forged(dir, |_| {});
        },
    ),
    (
        "the recording of the original",
        Fails("not of this lab's program"),
        |base, dir| {
            put(
                dir,
                RUN,
                fs::read(base.eve.join("first-hops.copy.bhop")).expect("read"),
            );
            forged(dir, |_| {});
        },
    ),
    (
        "another lab's recording",
        Fails("not of this lab's program"),
        |base, dir| {
            put(dir, RUN, &base.labs["mmap"]);
            forged(dir, |_| {});
        },
    ),
    ("a recording cut off", Fails(""), |_, dir| {
        let bytes = fs::read(dir.join(RUN)).expect("read");
        put(dir, RUN, &bytes[..bytes.len() / 2]);
        forged(dir, |_| {});
    }),
    ("a recording with other bytes", Fails(""), |_, dir| {
        let mut bytes = fs::read(dir.join(RUN)).expect("read");
        for byte in bytes.iter_mut().skip(600).step_by(701) {
            *byte ^= 0x55;
        }
        put(dir, RUN, bytes);
        forged(dir, |_| {});
    }),
    ("no recording at all", Fails("No such file"), |_, dir| {
        fs::remove_file(dir.join(RUN)).expect("remove");
    }),
    ("an empty recording", Fails(""), |_, dir| {
        put(dir, RUN, "");
        forged(dir, |_| {});
    }),
    ("a recording elsewhere", Fails("No such file"), |_, dir| {
        forged(dir, |result| {
            result.recording = "../../../etc/passwd".to_owned()
        });
    }),
    (
        "a recording that is a device",
        Fails("no ordinary file"),
        |_, dir| {
            linked(dir, RUN, "/dev/zero");
        },
    ),
    (
        "a recording that is a link",
        Fails("no ordinary file"),
        |_, dir| {
            linked(dir, RUN, "/etc/shadow");
        },
    ),
    (
        "the lab's run of the original as one's own",
        Fails("copy is the lab's own"),
        |base, dir| {
            put(dir, "first-hops.copy.bhop", &base.labs["copy"]);
        },
    ),
    (
        "the checked run as the original's",
        Fails("of another program"),
        |base, dir| {
            put(
                dir,
                "first-hops.copy.bhop",
                fs::read(base.eve.join(RUN)).expect("read"),
            );
        },
    ),
    (
        "no run of the original",
        Fails("no recording of copy"),
        |_, dir| {
            forged(dir, |result| result.observed.clear());
        },
    ),
    (
        "another source",
        Fails("source is not the one"),
        |_, dir| {
            put(dir, SOURCE, "int main(void) { return 0; }\n");
        },
    ),
    (
        "the lab's solution",
        Fails("the source is the lab's solution"),
        |_, dir| {
            let (labs, _) = labs::lab::bundled();
            let lab = labs.iter().find(|lab| lab.id == CHEATED).expect("the lab");
            put(dir, SOURCE, lab.solution(Code::C).expect("a solution"));
            forged(dir, |_| {});
        },
    ),
    (
        "the program unchanged",
        Fails("the source is the unchanged program"),
        |_, dir| {
            let (labs, _) = labs::lab::bundled();
            let lab = labs.iter().find(|lab| lab.id == CHEATED).expect("the lab");
            put(dir, SOURCE, lab.source("copy", Code::C));
            forged(dir, |_| {});
        },
    ),
    ("another's folder", Fails("changed by hand"), |base, dir| {
        copied(&base.ada, dir);
        edited(dir, |result| result.student = "eve".to_owned());
    }),
    (
        "another's folder, with its checksum",
        Fails("not the one of this student"),
        |base, dir| {
            copied(&base.ada, dir);
            forged(dir, |result| result.student = "eve".to_owned());
        },
    ),
    (
        "the values of the recordings",
        Fails("not the one of this student"),
        |_, dir| {
            forged(dir, |result| result.seed = String::new());
        },
    ),
    (
        "somebody who is not of the class",
        Fails("not on the list"),
        |_, dir| {
            forged(dir, |result| {
                result.student = "mallory".to_owned();
                result.seed = "mallory".to_owned();
            });
        },
    ),
    (
        "a formula for a name",
        Fails("not on the list"),
        |_, dir| {
            forged(dir, |result| {
                result.student = "  =HYPERLINK(\"x\")".to_owned()
            });
        },
    ),
    ("a lab that there is not", Fails("no lab"), |_, dir| {
        forged(dir, |result| result.lab = "../first-hops".to_owned());
    }),
    ("another lab's name", Fails(""), |_, dir| {
        forged(dir, |result| result.lab = "copy-files".to_owned());
    }),
    ("an empty result", Fails("an empty file"), |_, dir| {
        put(dir, RESULT, "")
    }),
    ("no result", Fails("no result in it"), |_, dir| {
        fs::remove_file(dir.join(RESULT)).expect("remove");
    }),
    (
        "a result that waits",
        Fails("no ordinary file"),
        |_, dir| {
            fs::remove_file(dir.join(RESULT)).expect("remove");
            let made = Command::new("mkfifo").arg(dir.join(RESULT)).status();
            assert!(made.expect("mkfifo").success());
        },
    ),
    ("a result without end", Fails("not followed"), |_, dir| {
        linked(dir, RESULT, "/dev/zero")
    }),
    ("a huge result", Fails("larger than"), |_, dir| {
        let file = fs::File::create(dir.join(RESULT)).expect("a file");
        file.set_len(1 << 40).expect("a hole");
    }),
    ("deep TOML", Fails("not a result file"), |_, dir| {
        put(dir, RESULT, "a=".to_owned() + &"[".repeat(200_000))
    }),
    ("a bomb of a tar", Fails("larger than"), |_, dir| {
        fs::remove_dir_all(dir).expect("remove");
        fs::create_dir(dir).expect("a folder");
        let file = fs::File::create(dir.join("eve.hand-in.tar")).expect("a file");
        file.set_len(1 << 40).expect("a hole");
    }),
    ("half a tar", Fails("a damaged hand-in"), |base, dir| {
        fs::remove_dir_all(dir).expect("remove");
        fs::create_dir(dir).expect("a folder");
        let tar = dir.join("eve.hand-in.tar");
        packed(&base.eve, &tar);
        let bytes = fs::read(&tar).expect("read");
        put(dir, "eve.hand-in.tar", &bytes[..bytes.len() / 2]);
    }),
    ("zipped", Fails("packed"), |_, dir| {
        fs::remove_dir_all(dir).expect("remove");
        fs::create_dir(dir).expect("a folder");
        put(dir, "all.zip", "PK");
    }),
    ("folders in folders", Fails("too many folders"), |_, dir| {
        fs::remove_dir_all(dir).expect("remove");
        fs::create_dir_all(dir.join("a/b/c/d/e/f/g/h/i/j")).expect("folders");
    }),
    // These pass, for the machine that made the evidence is theirs.
    (
        "another's work, with name, seed and checksum",
        Passes("not what the original writes"),
        |base, dir| {
            copied(&base.ada, dir);
            forged(dir, |result| {
                result.student = "eve".to_owned();
                result.seed = "eve".to_owned();
            });
        },
    ),
    ("output typed in", Passes("output differs"), |_, dir| {
        // Reads and writes as many bytes, of its own.
        let text = fs::read_to_string(dir.join(SOURCE)).expect("read");
        put(
            dir,
            SOURCE,
            text.replace(
                "write_all(to, buffer, n);",
                "buffer[0] ^= 1; write_all(to, buffer, n);",
            ),
        );
        forged(dir, |_| {});
    }),
    (
        "a hash of the output typed in",
        Passes("not what the original writes"),
        |_, dir| {
            forged(dir, |result| result.wrote.sha256 = "0".repeat(64));
        },
    ),
    (
        "cp under the program's name",
        // It asks for copy_file_range, and nothing comes up to its buffer.
        Fails("into your buffer"),
        |base, dir| {
            put(dir, RUN, &base.cp);
            put(dir, SOURCE, "int main(void) { return 0; }\n");
            forged(dir, |_| {});
        },
    ),
    (
        "another program under the program's name",
        Passes("rerun:"),
        |base, dir| {
            put(dir, RUN, &base.lent);
            put(dir, SOURCE, "int main(void) { return 0; }\n");
            forged(dir, |_| {});
        },
    ),
    (
        "a recording without its source",
        Passes("rerun:"),
        |_, dir| {
            fs::remove_file(dir.join(SOURCE)).expect("remove");
        },
    ),
    (
        "a source that does not compile",
        Passes("does not compile"),
        |_, dir| {
            put(dir, SOURCE, "int main(void) { return }\n");
            forged(dir, |_| {});
        },
    ),
    ("a program that does nothing", Passes("rerun:"), |_, dir| {
        put(dir, SOURCE, "int main(void) { return 0; }\n");
        forged(dir, |result| {
            result
                .observed
                .insert("copy".to_owned(), BUNDLED.to_owned());
        });
    }),
    ("processes without end", Passes("rerun:"), |_, dir| {
        put(
            dir,
            SOURCE,
            "#include <unistd.h>\nint main(void) { for (;;) fork(); }\n",
        );
        forged(dir, |_| {});
    }),
    ("a source without end", Passes("rerun:"), |_, dir| {
        put(
            dir,
            SOURCE,
            "__asm__(\".incbin \\\"/dev/zero\\\"\");\nint main(void) { return 0; }\n",
        );
        forged(dir, |_| {});
    }),
];

#[test]
#[ignore = "root"]
fn no_cheat_passes() {
    if !compiles() {
        return not_run("cheats", "there is no C compiler");
    }
    assert!(CHEATS.len() >= 40, "{}", CHEATS.len());
    let dir = tempfile::tempdir().expect("a folder");
    let (bases, all) = (dir.path().join("bases"), dir.path().join("all"));
    let mut class = Machine::new();
    // Somebody who has drawn the same values as eve.
    let size = |id: &str| {
        let session = Session::new(class.lab(CHEATED), Lang::En, Some(id.to_owned()));
        session.params["size"].number
    };
    let other = (0..).map(|n| format!("ada{n}"));
    let ada = other
        .into_iter()
        .find(|id| size(id) == size("eve"))
        .expect("an id");
    let size = size("eve") as u64;
    let mut base = Base {
        eve: bases.join("eve"),
        ada: bases.join("ada"),
        unchanged: bases.join("unchanged"),
        cp: Vec::new(),
        lent: Vec::new(),
        labs: BTreeMap::from([
            (
                "solution",
                class
                    .lab(CHEATED)
                    .recording("solution")
                    .expect("one")
                    .to_vec(),
            ),
            (
                "copy",
                class.lab(CHEATED).recording("copy").expect("one").to_vec(),
            ),
            (
                "mmap",
                class
                    .lab("mmap")
                    .recording("solution")
                    .expect("one")
                    .to_vec(),
            ),
        ]),
    };
    let original = class.lab(CHEATED).source("copy", Code::C).to_owned();
    class.works(
        "eve",
        CHEATED,
        &format!("// mine\n{original}"),
        &base.unchanged,
    );
    class.works("eve", CHEATED, &class.solution(CHEATED, "eve"), &base.eve);
    class.works(&ada, CHEATED, &class.solution(CHEATED, &ada), &base.ada);

    base.cp = traced(&bases, Path::new("/bin/cp"), size);
    base.lent = traced(&bases, &class.built(), size);

    // Honest ones among them: what the others hand in does not touch them.
    copied(&base.ada, &all.join("honest"));
    packed(&base.ada, &all.join("honest.hand-in.tar"));
    for (n, (_, _, cheat)) in CHEATS.iter().enumerate() {
        let to = all.join(format!("{n:02}"));
        copied(&base.eve, &to);
        cheat(&base, &to);
    }
    let grades = class.grade(&all);
    let rows = |name: &str| -> Vec<&Grade> {
        let at = all.join(name);
        grades
            .iter()
            .filter(|grade| grade.file.starts_with(&at))
            .collect()
    };
    for name in ["honest", "honest.hand-in.tar"] {
        let rows = rows(name);
        assert!(rows.len() == 1 && rows[0].passed, "{rows:#?}");
    }
    let (mut passing, mut wrong) = (Vec::new(), Vec::new());
    for (n, (name, then, _)) in CHEATS.iter().enumerate() {
        let rows = rows(&format!("{n:02}"));
        let passed = rows.iter().any(|grade| grade.passed);
        let said = rows.iter().flat_map(|grade| &grade.remarks);
        let said: Vec<&str> = said.map(String::as_str).collect();
        let right = match then {
            Fails(why) => !passed && said.iter().any(|said| said.contains(why)),
            Passes(_) => passed,
        };
        if !right {
            wrong.push(format!("{name}: {then:?}, but passed: {passed}, {said:?}"));
        }
        if let Passes(why) = then {
            passing.push((n, *name, *why));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // The documents list them.
    for page in ["docs/teaching/README.md"] {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page");
        for (_, name, _) in &passing {
            assert!(text.contains(name), "{page} does not list '{name}'");
        }
    }
    // What uses up a machine takes a minute to be stopped: with BYTEHOP_CLASS.
    if std::env::var_os("BYTEHOP_CLASS").is_none() {
        passing.retain(|(_, name, _)| !name.ends_with("without end"));
    }
    again(&class, &all, &passing);
}

/// A program traced under the name of the lab's, on files of this size.
fn traced(dir: &Path, program: &Path, size: u64) -> Vec<u8> {
    let dir = dir.join(program.file_name().expect("a name"));
    fs::create_dir_all(dir.join("out")).expect("a folder");
    let named = dir.join("my-first-hops-copy");
    fs::copy(program, &named).expect("a copy");
    fs::write(dir.join("source"), vec![7; size as usize]).expect("write");
    let file = dir.join("run.bhop");
    let said = Command::new(env!("CARGO_BIN_EXE_bytehop"))
        .args(["record", "-q", "-o"])
        .arg(&file)
        .arg("--")
        .args([&named, &dir.join("source"), &dir.join("out/copy")])
        .output()
        .expect("bytehop");
    assert!(said.status.success(), "{said:?}");
    fs::read(file).expect("read")
}

/// With `--rerun`, what passed does not, and the honest ones do.
fn again(class: &Machine, all: &Path, passing: &[(usize, &str, &str)]) {
    let list = all.join("../students.csv");
    fs::write(&list, class.ids.join("\n")).expect("write");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bytehop"));
    command
        .args(["lab", "grade", "--rerun", "--work"])
        .arg(&class.work)
        .arg("--roster")
        .arg(&list);
    command
        .arg(all.join("honest"))
        .arg(all.join("honest.hand-in.tar"));
    for (n, ..) in passing {
        command.arg(all.join(format!("{n:02}")));
    }
    let said = command.output().expect("bytehop");
    assert!(said.status.success(), "{said:?}");
    let csv = String::from_utf8(said.stdout).expect("text");
    let row = |end: &str| {
        let found = csv.lines().find(|line| line.contains(end));
        found.unwrap_or_else(|| panic!("{end}: {csv}"))
    };
    for honest in ["/honest/", "/honest.hand-in.tar/"] {
        assert!(row(honest).contains(",yes,"), "{csv}");
    }
    for (n, name, why) in passing {
        let row = row(&format!("/{n:02}/"));
        assert!(row.contains(",no,") && row.contains(why), "{name}: {row}");
    }
}
