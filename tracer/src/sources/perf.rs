//! Code that a runtime makes while it runs: it writes the names of its functions into a file, `perf-PID.map`, in the
//! `/tmp` of its own mount namespace, by the number that it has in its own PID namespace.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytehop_core::event::Frame;
use bytehop_core::modules::Module;
use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::files::plain;

/// A larger file is read so far.
const SIZE_MAX: u64 = 256 << 20;

/// A process, as it names itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its number in its own namespace.
    pub pid: u32,
    /// Its user, if it was there to be asked.
    pub uid: Option<u32>,
}

impl Process {
    pub fn of(pid: u32) -> Self {
        let dir = format!("/proc/{pid}");
        let status = std::fs::read_to_string(format!("{dir}/status")).unwrap_or_default();
        let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let inner = inner.and_then(|line| line.split_ascii_whitespace().last()?.parse().ok());
        Self {
            pid: inner.unwrap_or(pid),
            uid: std::fs::metadata(dir).ok().map(|meta| meta.uid()),
        }
    }
}

/// The names in such a file.
#[derive(Debug, Default)]
pub struct Map {
    functions: Vec<Function>,
    /// Addresses that were asked for, and the functions there.
    found: HashMap<u64, Option<usize>>,
    /// Bytes that are read: whole lines.
    read: u64,
    /// Times that something new was read.
    pub readings: u64,
    /// What it is in the recording.
    pub module: Module,
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    start: u64,
    size: u64,
    name: String,
}

impl Map {
    /// Reads what has been added since. `root`: of the process.
    pub fn read(&mut self, root: &Path, process: Process) {
        let path = root.join(format!("tmp/perf-{}.map", process.pid));
        let open = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(path);
        let Ok((mut file, meta)) = open.and_then(|file| file.metadata().map(|meta| (file, meta)))
        else {
            return;
        };
        // As perf does it: what anyone else writes into /tmp says nothing. It is the process's own, too.
        let owners = [Some(0), Some(geteuid().as_raw()), process.uid];
        if !meta.is_file() || !owners.contains(&Some(meta.uid())) {
            return;
        }
        if meta.len() < self.read {
            // It was begun anew.
            *self = Self {
                module: std::mem::take(&mut self.module),
                readings: self.readings,
                ..Self::default()
            };
        }
        let mut bytes = Vec::new();
        let rest = SIZE_MAX.saturating_sub(self.read);
        let whole = file
            .seek(SeekFrom::Start(self.read))
            .and_then(|_| file.take(rest).read_to_end(&mut bytes));
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let (Ok(_), Some(end)) = (whole, end) else {
            return;
        };
        let lines = &bytes[..=end];
        self.read += lines.len() as u64;
        self.found.clear();
        let text = String::from_utf8_lossy(lines);
        self.functions.extend(text.lines().filter_map(function));
        self.readings += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The function at an address.
    pub fn frame(&mut self, address: u64, texts: &mut Texts) -> Option<Frame> {
        let known = frame(&self.at(address)?.name, texts);
        Some(Frame {
            module: self.module.path.clone(),
            of: self.module.id,
            ..known
        })
    }

    /// Whether an address is in what CPython makes for a function: it only calls the interpreter.
    pub fn is_trampoline(&mut self, address: u64) -> bool {
        let function = self.at(address);
        function.is_some_and(|function| function.name.starts_with(PYTHON))
    }

    /// Memory is used again: what was written last holds.
    fn at(&mut self, address: u64) -> Option<&Function> {
        let functions = &self.functions;
        let holds = |function: &Function| address.wrapping_sub(function.start) < function.size;
        let find = || functions.iter().rposition(holds);
        let index = (*self.found.entry(address).or_insert_with(find))?;
        functions.get(index)
    }
}

/// What names of CPython begin with.
const PYTHON: &str = "py::";

/// `START SIZE NAME`, numbers in hexadecimal.
fn function(line: &str) -> Option<Function> {
    let mut words = line.splitn(3, ' ');
    let mut number = || {
        let word = words.next()?;
        u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
    };
    Some(Function {
        start: number()?,
        size: number()?,
        name: words.next()?.trim().to_owned(),
    })
}

/// Source files of the program that were looked into.
pub type Texts = HashMap<PathBuf, Option<String>>;
const TEXT_MAX: u64 = 8 << 20;

/// What a runtime's name for a function tells.
fn frame(name: &str, texts: &mut Texts) -> Frame {
    let known = python(name, texts).or_else(|| node(name));
    known.unwrap_or_else(|| Frame {
        function: name.to_owned(),
        begins: true,
        ..Frame::default()
    })
}

/// CPython: `py::QUALIFIED.NAME:FILE`.
fn python(name: &str, texts: &mut Texts) -> Option<Frame> {
    let (function, file) = name.strip_prefix(PYTHON)?.split_once(':')?;
    let text = texts.entry(file.into()).or_insert_with(|| {
        let (file, meta) = plain(file.as_ref()).filter(|(_, meta)| meta.len() <= TEXT_MAX)?;
        let mut bytes = Vec::with_capacity(meta.len() as usize);
        file.take(TEXT_MAX).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    });
    let line = text.as_deref().and_then(|text| definition(text, function));
    Some(Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line: line.unwrap_or_default(),
        begins: true,
        ..Frame::default()
    })
}

/// The line on which a Python function begins: of those that a qualified name leads through, each below the one before.
fn definition(text: &str, qualified: &str) -> Option<u32> {
    if qualified == "<module>" {
        return Some(1);
    }
    let mut lines = (1..).zip(text.lines());
    let mut found = None;
    for name in qualified.split('.').filter(|name| *name != "<locals>") {
        let defines = |line: &str| {
            let line = line.trim_start();
            let line = line.strip_prefix("async ").unwrap_or(line);
            let rest = line
                .strip_prefix("def ")
                .or_else(|| line.strip_prefix("class "));
            let rest = rest.and_then(|rest| rest.trim_start().strip_prefix(name));
            rest.is_some_and(|rest| rest.trim_start().starts_with(['(', ':', '[']))
        };
        found = Some(lines.find(|(_, line)| defines(line))?.0);
    }
    found
}

/// V8: `JS:*NAME FILE:LINE:COLUMN`; the sign, if any, is the tier of its compiler, and other words stand for `JS`.
fn node(name: &str) -> Option<Frame> {
    let (kind, rest) = name.split_once(':')?;
    if !["JS", "Eval", "Script", "Function", "LazyCompile"].contains(&kind) {
        return None;
    }
    let (function, place) = rest.split_once(' ')?;
    let function = function.trim_start_matches(['*', '~', '^', '+']);
    let mut parts = place.rsplitn(3, ':');
    let (_column, line) = (parts.next()?, parts.next()?);
    let file = parts.next()?;
    Some(Frame {
        function: match function {
            "" => "(anonymous)".to_owned(),
            function => function.to_owned(),
        },
        file: file.strip_prefix("file://").unwrap_or(file).to_owned(),
        line: line.parse().ok()?,
        begins: true,
        ..Frame::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runtimes() {
        let mut texts = Texts::new();
        let source = "import os\n\nclass A:\n    def put(self):\n        pass\n\nclass B:\n    async def put(self): pass\n\ndef run():\n    def put(x): pass\n";
        texts.insert("/app/x.py".into(), Some(source.to_owned()));
        let cases = [
            ("JS:*put /app/x.js:2:13", "put", "/app/x.js", 2),
            ("JS:~ file:///app/x.mjs:1:1", "(anonymous)", "/app/x.mjs", 1),
            (
                "LazyCompile:~writeSync node:fs:893:19",
                "writeSync",
                "node:fs",
                893,
            ),
            ("py::A.put:/app/x.py", "A.put", "/app/x.py", 4),
            ("py::B.put:/app/x.py", "B.put", "/app/x.py", 8),
            (
                "py::run.<locals>.put:/app/x.py",
                "run.<locals>.put",
                "/app/x.py",
                11,
            ),
            ("py::<module>:/app/x.py", "<module>", "/app/x.py", 1),
            ("py::gone:/app/x.py", "gone", "/app/x.py", 0),
            (
                "Ljava/io/FileOutputStream;::write",
                "Ljava/io/FileOutputStream;::write",
                "",
                0,
            ),
            (
                "Builtin:InterpreterEntryTrampoline",
                "Builtin:InterpreterEntryTrampoline",
                "",
                0,
            ),
        ];
        for (name, function, file, line) in cases {
            let frame = frame(name, &mut texts);
            let found = (frame.function.as_str(), frame.file.as_str(), frame.line);
            assert_eq!(found, (function, file, line), "{name}");
            assert!(frame.begins);
        }
    }

    #[test]
    fn what_was_written_last_holds() {
        let mut map = Map {
            functions: ["1000 100 one", "0x1000 20 two", "x 1 y", "", "2000 10"]
                .into_iter()
                .filter_map(function)
                .collect(),
            ..Map::default()
        };
        let mut texts = Texts::new();
        let mut name = |address| map.frame(address, &mut texts).map(|frame| frame.function);
        assert_eq!(name(0x1000).as_deref(), Some("two"));
        assert_eq!(name(0x1020).as_deref(), Some("one"));
        assert_eq!(name(0x1100), None);
        assert_eq!(name(0xfff), None);
    }

    #[test]
    fn a_map_of_anyone_elses_is_not_read() {
        let root = std::env::temp_dir().join(format!("bytehop-perf-{}", std::process::id()));
        std::fs::create_dir_all(root.join("tmp")).expect("a folder");
        let path = root.join("tmp/perf-7.map");
        let process = Process { pid: 7, uid: None };
        let more = |map: &mut Map, process| {
            let before = map.readings;
            map.read(&root, process);
            map.readings > before
        };
        let mut map = Map::default();
        assert!(!more(&mut map, process));
        std::fs::write(&path, "1000 100 one\n").expect("written");
        assert!(more(&mut map, process));
        assert!(!more(&mut map, process), "nothing new");
        std::fs::rename(&path, root.join("tmp/real")).expect("moved");
        std::os::unix::fs::symlink(root.join("tmp/real"), &path).expect("linked");
        assert!(!more(&mut Map::default(), process), "a link");
        std::fs::remove_file(&path).expect("removed");
        if geteuid().is_root() {
            std::fs::write(&path, "1000 100 one\n").expect("written");
            std::os::unix::fs::chown(&path, Some(12345), None).expect("given away");
            assert!(!more(&mut Map::default(), process), "another's");
            let theirs = Process {
                uid: Some(12345),
                ..process
            };
            assert!(more(&mut Map::default(), theirs), "the process's own");
        }
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
