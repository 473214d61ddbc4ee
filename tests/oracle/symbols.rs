//! Debug information that is not in the program: the same lines, wherever it lies, and what is said where it is not to
//! be found. The oracle is the program's source, whose comments say which line does what.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{BYTEHOP, Scratch, command, eventually, not_run, output, serial};

const SOURCE: &str = include_str!("symbols/lines.c");
const GONE: &str = include_str!("symbols/gone.c");
const MIB: u64 = 1 << 20;

/// Runs a command that has to succeed; false if it is not installed.
fn done(words: &[&str]) -> bool {
    match command(words).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => true,
        Ok(status) => panic!("{words:?}: {status}"),
        Err(_) => false,
    }
}

/// The program, built with these words more; false without a compiler.
fn built(scratch: &Scratch, to: &str, words: &[&str]) -> bool {
    let source = scratch.path("lines.c");
    fs::write(&source, SOURCE).expect("write the source");
    let mut line = vec!["gcc", "-g", "-o", to, &source];
    line.extend(words);
    done(&line)
}

/// Splits the debug information of a program off.
fn split(program: &str) -> String {
    let lines = format!("{program}.debug");
    assert!(done(&["objcopy", "--only-keep-debug", program, &lines]));
    assert!(done(&["strip", program]));
    lines
}

fn build_id(program: &str) -> String {
    let notes = output(command(&["readelf", "-n", program])).expect(0);
    let id = notes.stdout.split("Build ID: ").nth(1);
    id.and_then(|id| id.split_whitespace().next())
        .expect("a build id")
        .to_owned()
}

fn record(scratch: &Scratch, words: &[&str], variables: &[(&str, &str)]) -> String {
    let recording = scratch.path("trace.bhop");
    let mut line = vec![BYTEHOP, "record", "--stacks", "-q", "-o", &recording, "--"];
    line.extend(words);
    let mut record = command(&line);
    // Node.js writes a log where it is started.
    record.current_dir(scratch.dir());
    record.envs(variables.iter().copied());
    output(record).expect(0);
    recording
}

fn annotation(recording: &str, more: &[&str]) -> Value {
    let mut line = vec![BYTEHOP, "annotate", recording, "--json"];
    line.extend(more);
    let output = output(command(&line)).expect(0);
    serde_json::from_str(&output.stdout).expect("JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The number of the line with this comment.
#[track_caller]
fn line_of(source: &str, comment: &str) -> u64 {
    let mut lines = (1u64..).zip(source.lines());
    let line = lines.find(|(_, line)| line.contains(comment));
    line.expect("its line").0
}

/// The numbers of the line whose comment begins with this; 0 where the line is not there.
#[track_caller]
fn numbers(annotation: &Value, comment: &str, keys: &[&str]) -> Vec<u64> {
    let line = line_of(SOURCE, &format!("/* {comment}"));
    let mut files = list(annotation, "files").iter();
    let file = files.find(|file| {
        file["path"]
            .as_str()
            .is_some_and(|path| path.ends_with("lines.c"))
    });
    let file = file.unwrap_or_else(|| panic!("no line of lines.c: {annotation:#}"));
    let row = list(file, "lines").iter().find(|row| row["line"] == line);
    keys.iter()
        .map(|key| row.and_then(|row| row[key].as_u64()).unwrap_or_default())
        .collect()
}

/// What the comments of the source say.
#[track_caller]
fn as_the_comments_say(annotation: &Value) {
    let numbers = |comment, keys: &[&str]| numbers(annotation, comment, keys);
    assert_eq!(numbers("L10", &["copied", "syscalls"]), [MIB, 16]);
    assert_eq!(numbers("L13", &["copied", "syscalls"]), [MIB, 17]);
    assert_eq!(numbers("L20", &["page_faults", "syscalls"]), [256, 0]);
    assert!(numbers("L28", &["page_faults"]) > vec![0], "{annotation:#}");
    assert_eq!(numbers("L29", &["syscalls"]), [1]);
}

/// Removes a file that is not in the scratch directory.
struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        if let Some(dir) = self.0.parent() {
            let _ = fs::remove_dir(dir);
        }
    }
}

#[test]
#[ignore = "root"]
fn the_same_lines_in_five_builds() {
    let _serial = serial();
    for build in ["plain", "O2", "debuglink", "build-id", "chroot"] {
        let scratch = Scratch::new();
        let (program, data) = (scratch.path("program"), scratch.path("data"));
        let words: &[&str] = match build {
            "plain" => &[],
            "O2" => &["-O2"],
            "debuglink" => &["-O2", "-Wl,--build-id=none"],
            "build-id" => &["-O2", "-Wl,--build-id=sha1"],
            _ => &["-O2", "-static", "-Wl,--build-id=none"],
        };
        if !built(&scratch, &program, words) {
            return not_run("the_same_lines_in_five_builds", "gcc is not installed");
        }
        let mut line = vec![program.as_str(), &data];
        let (mut remove, mut name) = (None, String::new());
        let root = scratch.path("root");
        match build {
            "debuglink" => {
                let lines = split(&program);
                // In `.debug` beside it, the second place of gdb.
                let dir = scratch.dir().join(".debug");
                fs::create_dir(&dir).expect("a folder");
                assert!(done(&["objcopy", "--add-gnu-debuglink", &lines, &program]));
                fs::rename(lines, dir.join("program.debug")).expect("moved");
            }
            "build-id" => {
                let (lines, id) = (split(&program), build_id(&program));
                let dir = Path::new("/usr/lib/debug/.build-id").join(&id[..2]);
                let to = dir.join(format!("{}.debug", &id[2..]));
                fs::create_dir_all(dir).expect("a folder");
                remove = Some(Remove(to.clone()));
                fs::copy(&lines, &to).expect("copied");
                fs::remove_file(lines).expect("removed");
                name = to.display().to_string();
            }
            "chroot" => {
                let dir = scratch.dir().join("root/usr/lib/debug/bin");
                fs::create_dir_all(&dir).expect("a folder");
                fs::create_dir_all(scratch.dir().join("root/bin")).expect("a folder");
                let lines = split(&program);
                assert!(done(&["objcopy", "--add-gnu-debuglink", &lines, &program]));
                fs::rename(lines, dir.join("program.debug")).expect("moved");
                fs::rename(&program, scratch.dir().join("root/bin/program")).expect("moved");
                line = vec!["chroot", &root, "/bin/program", "/data"];
            }
            _ => {}
        }
        let annotation = annotation(&record(&scratch, &line, &[]), &[]);
        println!("{build}");
        as_the_comments_say(&annotation);
        drop(remove);
        assert!(name.is_empty() || !Path::new(&name).exists());
    }
}

#[test]
#[ignore = "root"]
fn a_program_whose_file_is_gone() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (program, data, gone) = (
        scratch.path("program"),
        scratch.path("data"),
        scratch.path("gone.c"),
    );
    fs::write(&gone, GONE).expect("write the source");
    if !built(&scratch, &program, &["-O2", &gone]) {
        return not_run("a_program_whose_file_is_gone", "gcc is not installed");
    }
    let recording = record(&scratch, &[&program, &data], &[]);
    assert!(!Path::new(&program).exists());
    as_the_comments_say(&annotation(&recording, &[]));
}

#[test]
#[ignore = "root"]
fn what_is_missing_is_named_and_can_be_added_later() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (program, data) = (scratch.path("program"), scratch.path("data"));
    if !built(&scratch, &program, &["-O2", "-Wl,--build-id=sha1"]) {
        return not_run(
            "what_is_missing_is_named_and_can_be_added_later",
            "gcc is not installed",
        );
    }
    let (lines, id) = (split(&program), build_id(&program));
    let folder = scratch.dir().join("kept");
    fs::create_dir(&folder).expect("a folder");
    let kept = folder.join("program.debug");
    fs::rename(lines, &kept).expect("moved");
    let recording = record(&scratch, &[&program, &data], &[]);

    let missing = annotation(&recording, &[]);
    let without = &list(&missing, "without_lines")[0]["module"];
    assert_eq!(without["path"], program);
    assert_eq!(without["build_id"], id);
    assert_eq!(
        without["remedy"],
        serde_json::json!({ "do": "strip", "name": "c" })
    );
    let text = output(command(&[BYTEHOP, "annotate", &recording]))
        .expect(0)
        .stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = format!(
        "/usr/lib/debug/.build-id/{}/{}.debug: not there",
        &id[..2],
        &id[2..]
    );
    for part in [
        &format!("{program} has no line numbers") as &str,
        &format!("Its build id is {id}."),
        &place,
        "it is stripped: build it with -g, and without -s or strip",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("was the program built with"), "{text}");

    // The machine of the program is not needed any more, and another build is refused.
    fs::remove_file(&program).expect("removed");
    let dir = scratch.path("debug");
    let by_id = Path::new(&dir).join(".build-id").join(&id[..2]);
    fs::create_dir_all(&by_id).expect("a folder");
    let by_id = by_id.join(format!("{}.debug", &id[2..]));
    assert!(built(
        &scratch,
        &scratch.path("other"),
        &["-O0", "-Wl,--build-id=sha1"]
    ));
    fs::copy(scratch.path("other"), &by_id).expect("copied");
    let refused = annotation(&recording, &["--debug-dir", &dir]);
    let looked = list(&list(&refused, "without_lines")[0]["module"], "looked");
    let refusal = looked
        .iter()
        .find(|looked| looked["place"] == by_id.display().to_string());
    assert_eq!(refusal.expect("looked there")["why"], "other_build");

    fs::copy(&kept, &by_id).expect("copied");
    as_the_comments_say(&annotation(
        &recording,
        &["--debug-dir", "/nowhere", "--debug-dir", &dir],
    ));
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a server on this machine has something.
fn serves(port: u16, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let mut status = [0; 12];
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut status).is_ok()
        && status.ends_with(b"200")
}

#[test]
#[ignore = "root"]
fn lines_from_a_server() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (program, data) = (scratch.path("program"), scratch.path("data"));
    if !built(&scratch, &program, &["-O2", "-Wl,--build-id=sha1"]) {
        return not_run("lines_from_a_server", "gcc is not installed");
    }
    let (lines, id) = (split(&program), build_id(&program));
    let served = scratch.path("served");
    fs::create_dir(&served).expect("a folder");
    fs::rename(lines, Path::new(&served).join("program.debug")).expect("moved");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a free port").port();
    let number = port.to_string();
    let mut server = command(&["debuginfod", "-p", &number, "-d", ":memory:", "-F", &served]);
    let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(server) = server.map(Server) else {
        return not_run("lines_from_a_server", "debuginfod is not installed");
    };
    let path = format!("/buildid/{id}/debuginfo");
    eventually("debuginfod has the file", || serves(port, &path));

    // Nobody is asked unless the variable is set.
    let cache = scratch.path("cache");
    let kept = ("DEBUGINFOD_CACHE_PATH", cache.as_str());
    let unasked = annotation(&record(&scratch, &[&program, &data], &[kept]), &[]);
    assert!(!Path::new(&cache).exists());
    assert_eq!(list(&unasked, "without_lines")[0]["module"]["build_id"], id);

    let url = format!("http://127.0.0.1:{port}/");
    let variables = [kept, ("DEBUGINFOD_URLS", url.as_str())];
    as_the_comments_say(&annotation(
        &record(&scratch, &[&program, &data], &variables),
        &[],
    ));
    // Kept where elfutils would: no server is needed for it again.
    drop(server);
    assert!(Path::new(&cache).join(&id).join("debuginfo").is_file());
    as_the_comments_say(&annotation(
        &record(&scratch, &[&program, &data], &variables),
        &[],
    ));
}

/// The lines of the file with this name, by number; nothing if there is none.
fn lines<'a>(annotation: &'a Value, name: &str) -> Vec<&'a Value> {
    let mut files = list(annotation, "files").iter();
    let file = files.find(|file| {
        file["path"]
            .as_str()
            .is_some_and(|path| path.ends_with(name))
    });
    file.map(|file| list(file, "lines").iter().collect())
        .unwrap_or_default()
}

#[test]
#[ignore = "root"]
fn lines_of_go() {
    const GO: &str = include_str!("symbols/lines.go");
    let _serial = serial();
    let scratch = Scratch::new();
    let (source, program, data) = (
        scratch.path("lines.go"),
        scratch.path("program"),
        scratch.path("data"),
    );
    fs::write(&source, GO).expect("write the source");
    let mut build = command(&["go", "build", "-o", &program, &source]);
    match build.status() {
        Ok(status) => assert!(status.success(), "{status}"),
        Err(_) => return not_run("lines_of_go", "go is not installed"),
    }
    let annotation = annotation(&record(&scratch, &[&program, &data], &[]), &[]);
    let lines = lines(&annotation, "lines.go");
    // The first is called by a wrapper that the compiler has generated.
    for (comment, copied, calls) in [("/* L11", MIB, 16), ("/* L18", MIB, 17), ("/* L32", 0, 1)] {
        let number = line_of(GO, comment);
        let line = lines.iter().find(|line| line["line"] == number);
        let line = line.unwrap_or_else(|| panic!("{comment}: {annotation:#}"));
        assert_eq!(
            (&line["copied"], &line["syscalls"]),
            (&copied.into(), &calls.into()),
            "{comment}"
        );
    }
    let generated = list(&annotation, "files").iter();
    let mut generated = generated.filter_map(|file| file["path"].as_str());
    assert!(
        !generated.any(|path| path.contains("autogenerated")),
        "{annotation:#}"
    );
}

/// Removes the maps that runtimes have written since, at its end.
struct Maps(Vec<PathBuf>);

impl Maps {
    fn there() -> Vec<PathBuf> {
        let all = fs::read_dir("/tmp").expect("listed").flatten();
        let all = all.map(|entry| entry.path());
        let map = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("perf-") && name.ends_with(".map"))
        };
        all.filter(map).collect()
    }
}

impl Drop for Maps {
    fn drop(&mut self) {
        let there = Self::there();
        for path in there.iter().filter(|path| !self.0.contains(path)) {
            let _ = fs::remove_file(path);
        }
    }
}

#[test]
#[ignore = "root"]
fn functions_of_node() {
    const NODE: &str = include_str!("symbols/lines.js");
    let _serial = serial();
    let _maps = Maps(Maps::there());
    let scratch = Scratch::new();
    let (source, data) = (scratch.path("lines.js"), scratch.path("data"));
    fs::write(&source, NODE).expect("write the source");
    if !done(&["node", "--version"]) {
        return not_run("functions_of_node", "node is not installed");
    }
    let words = [
        "node",
        "--perf-basic-prof",
        "--interpreted-frames-native-stack",
        &source,
        &data,
    ];
    let told = annotation(&record(&scratch, &words, &[]), &[]);
    let number = line_of(NODE, "put begins");
    let lines = lines(&told, "lines.js");
    assert!(lines.iter().any(|line| line["line"] == number), "{told:#}");
    assert_eq!(
        (&told["begins"], &told["named"]),
        (&true.into(), &true.into())
    );

    // Without, one line says what to start it with.
    let recording = record(&scratch, &["node", &source, &data], &[]);
    let text = output(command(&[BYTEHOP, "annotate", &recording]))
        .expect(0)
        .stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("start it with node --perf-basic-prof"),
        "{text}"
    );
    assert!(!text.contains("lines.js"), "{text}");
}

#[test]
#[ignore = "root"]
fn functions_of_python() {
    const PYTHON: &str = include_str!("symbols/lines.py");
    let _serial = serial();
    let _maps = Maps(Maps::there());
    let scratch = Scratch::new();
    let (source, data) = (scratch.path("lines.py"), scratch.path("data"));
    fs::write(&source, PYTHON).expect("write the source");
    let version = ["python3", "-c", "import sys; print(sys.version_info[1])"];
    let Ok(version) = command(&version).output() else {
        return not_run("functions_of_python", "python3 is not installed");
    };
    let version: u32 = String::from_utf8_lossy(&version.stdout)
        .trim()
        .parse()
        .expect("a version");
    let words: &[&str] = match version {
        12.. => &["python3", "-X", "perf", &source, &data],
        _ => &["python3", &source, &data],
    };
    let recording = record(&scratch, words, &[]);
    let told = annotation(&recording, &[]);
    if version < 12 {
        let runtime = list(&told, "unnamed")[0]["runtime"].as_str();
        assert!(matches!(runtime, Some("old_python" | "python")), "{told:#}");
        return not_run("functions_of_python", "python3 is older than 3.12");
    }
    // Its map is read; a line is one of the program's, or none.
    assert_eq!(told["named"], true, "{told:#}");
    let number = line_of(PYTHON, "put begins");
    let lines = lines(&told, "lines.py");
    let line = lines.iter().find(|line| line["line"] == number);
    let copied = line.and_then(|line| line["copied"].as_u64());
    if copied != Some(200 << 16) {
        let reason = "what is kept of Python's stacks ends inside the interpreter";
        not_run("functions_of_python", reason);
    }
}
