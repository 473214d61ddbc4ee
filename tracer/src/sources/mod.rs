//! The source lines that calls came from.
//!
//! While the trace runs, [`Sources`] keeps the stacks that the kernel sent and learns from `execve` and
//! `mmap` which files lie where in memory. A thread of its own ([`Resolver`]) follows each stack by the
//! files' unwind tables ([`unwind`]) and looks the addresses up in their debug information ([`symbols`]), those of
//! code that a runtime has made in the map that it writes ([`perf`]): on the machine, and at the time, where the
//! files are. The result is part of the recording.
//!
//! Nothing is guessed: a stack that cannot be followed ends there.

mod files;
mod perf;
mod resolver;
mod unwind;

pub use resolver::Resolver;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tracer_ebpf::{Stack, kind, named};

use bytehop_core::decode::decode;
use bytehop_core::event::{Event, Meta, Name, Source};

use files::{By, Files, Inode};
use perf::{Map, Process, Texts};
use unwind::{Place, Unwinding};

/// A file in a process's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    /// Its number among [`Files`].
    file: usize,
    /// Where, and from which offset of the file on.
    start: u64,
    end: u64,
    offset: u64,
}

/// The memory of a process from an `execve` to the next.
#[derive(Clone, Debug, Default)]
struct Space {
    program: Option<usize>,
    libraries: Vec<Mapping>,
    process: Process,
    /// Its root folder, if it is not ours.
    root: Option<usize>,
}

/// Stacks in the making.
#[derive(Default)]
struct Sources {
    /// Those that were not followed yet, and how many have come.
    stacks: Vec<(usize, Box<Stack>)>,
    seen: usize,
    files: Files,
    spaces: Vec<Space>,
    /// The space of each process.
    now: HashMap<u32, usize>,
    /// Paths.
    names: HashMap<Inode, PathBuf>,
    /// What runtimes have written, by space.
    maps: HashMap<usize, Map>,
    texts: Texts,
    /// Stacks with places that nobody has named yet: some runtimes write at their end.
    open: Vec<Open>,
}

/// A stack with places without names.
struct Open {
    space: usize,
    id: u64,
    places: Vec<Place>,
    /// What was known of its space's map by then.
    known: u64,
}

/// Stacks that are kept: more than any program has places to call from.
const STACKS_MAX: usize = 1 << 14;
const NAMES_MAX: usize = 1 << 14;
/// `PROT_EXEC`, and the results of calls that are errors.
const PROT_EXEC: u64 = 4;
const ERRORS: std::ops::Range<i64> = -4095..0;

impl Sources {
    /// `attached`: a process that runs already. `command`: the words of the command, of which some may be folders.
    fn new(attached: Option<u32>, command: &[String]) -> Self {
        let mut sources = Self::default();
        let folders = command.iter().map(PathBuf::from);
        sources.files.folders = folders.filter(|path| path.is_dir()).collect();
        if let Some(pid) = attached {
            let files = &mut sources.files;
            let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
            let program = exe.map(|name| files.met(name, Inode::default(), By::Program(pid)));
            let libraries = mapped(pid).into_iter();
            let libraries = libraries.map(|mapped| mapped.of(pid, files)).collect();
            sources.begin(pid, program, libraries);
        }
        sources
    }

    fn begin(&mut self, tgid: u32, program: Option<usize>, libraries: Vec<Mapping>) {
        self.now.insert(tgid, self.spaces.len());
        self.spaces.push(Space {
            program,
            libraries,
            process: Process::of(tgid),
            root: self.files.root_of(tgid),
        });
    }

    fn learn(&mut self, event: Event) {
        match event {
            // Folders that were entered, marks, ends of sockets: no file that was opened.
            Event::Name(name) if name.what != named::OPENED => {}
            // `execve`: see `name_of_program` in tracer-ebpf.
            Event::Name(name) if name.fd < 0 => {
                let Name { head, dev, ino, .. } = name;
                let by = By::Program(head.tgid);
                let program = self.files.met(name.path.into(), Inode { dev, ino }, by);
                self.begin(head.tgid, Some(program), Vec::new());
            }
            Event::Name(name) if self.names.len() < NAMES_MAX => {
                let Name { dev, ino, .. } = name;
                self.names.insert(Inode { dev, ino }, name.path.into());
            }
            Event::Fork(fork) if fork.child_tgid != fork.head.tgid => {
                let parent = self.now.get(&fork.head.tgid);
                let space = parent.and_then(|space| self.spaces.get(*space));
                let Space {
                    program, libraries, ..
                } = space.cloned().unwrap_or_default();
                self.begin(fork.child_tgid, program, libraries);
            }
            Event::Syscall {
                call,
                file: Some(file),
            } => {
                let [_, len, prot, _, _, offset] = call.args;
                let inode = Inode {
                    dev: file.dev,
                    ino: file.ino,
                };
                let path = self.names.get(&inode).cloned();
                if let Some(path) =
                    path.filter(|_| prot & PROT_EXEC != 0 && !ERRORS.contains(&call.ret))
                    && let Some(space) = self.now.get(&call.head.tgid)
                    && let Some(space) = self.spaces.get_mut(*space)
                {
                    let start = call.ret as u64;
                    let by = By::Library(call.head.tgid);
                    space.libraries.push(Mapping {
                        file: self.files.met(path, inode, by),
                        start,
                        end: start.saturating_add(len),
                        offset,
                    });
                }
            }
            Event::Stack(stack) if self.seen < STACKS_MAX => {
                self.seen += 1;
                if let Some(space) = self.now.get(&stack.head.tgid) {
                    self.stacks.push((*space, stack));
                }
            }
            _ => {}
        }
    }

    /// The source lines of the stacks that have come since, after the modules that they lead to. Reads the programs'
    /// files, with the rights that we have left.
    fn resolve(&mut self) -> Vec<Meta> {
        let mut stacks = std::mem::take(&mut self.stacks);
        let mut sources = Vec::with_capacity(stacks.len());
        stacks.sort_by_key(|(space, _)| *space);
        for stacks in stacks.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((number, first)) = stacks.first() else {
                continue;
            };
            let Some(space) = self.spaces.get(*number) else {
                continue;
            };
            let unwinding = Unwinding::new(space, first.code..first.code_end, &self.files);
            self.read_map(*number);
            for (_, stack) in stacks {
                let mut map = self.maps.get_mut(number);
                let trampoline = |address| {
                    let map = map.as_mut();
                    map.is_some_and(|map| map.is_trampoline(address))
                };
                let places = unwinding.follow(stack, trampoline);
                sources.push(self.source(*number, stack.id, &places));
                let other = |place: &Place| matches!(place, Place::Elsewhere(_));
                if places.iter().any(other) {
                    self.open.push(Open {
                        space: *number,
                        id: stack.id,
                        places,
                        known: self.known(*number),
                    });
                }
            }
        }
        self.told(sources)
    }

    /// The same of stacks that were not understood, now that the programs have written all that they will write.
    fn resolve_rest(&mut self) -> Vec<Meta> {
        let mut open = std::mem::take(&mut self.open);
        open.sort_by_key(|open| open.space);
        let mut sources = Vec::new();
        for stacks in open.chunk_by(|a, b| a.space == b.space) {
            if let Some(first) = stacks.first() {
                self.read_map(first.space);
            }
            for open in stacks {
                // Also what was read meanwhile for other stacks.
                if self.known(open.space) > open.known {
                    sources.push(self.source(open.space, open.id, &open.places));
                }
            }
        }
        self.told(sources)
    }

    fn told(&mut self, sources: Vec<Source>) -> Vec<Meta> {
        let modules = self.files.modules().into_iter().map(Meta::Module);
        modules
            .chain(sources.into_iter().map(Meta::Source))
            .collect()
    }

    /// Reads what a runtime has written since.
    fn read_map(&mut self, number: usize) {
        let Some(space) = self.spaces.get(number) else {
            return;
        };
        let root = self.files.root(space.root);
        let root = root.map_or_else(|| Path::new("/").to_owned(), |root| root.path);
        let map = self.maps.entry(number).or_default();
        let before = map.is_empty();
        map.read(&root, space.process);
        if before && !map.is_empty() {
            let path = format!("/tmp/perf-{}.map", space.process.pid);
            map.module = self.files.named(path);
        }
    }

    /// How often there was something new in the map of a space.
    fn known(&self, space: usize) -> u64 {
        self.maps.get(&space).map_or(0, |map| map.readings)
    }

    fn source(&mut self, space: usize, id: u64, places: &[Place]) -> Source {
        let mut frames = Vec::new();
        let mut map = self.maps.get_mut(&space).filter(|map| !map.is_empty());
        for place in places {
            match (place, &mut map) {
                (Place::File(file, address), _) => self.files.frames(*file, *address, &mut frames),
                // Runtimes that write such a file keep frame pointers, in what they do not name, too.
                (Place::Elsewhere(address), Some(map)) => {
                    frames.extend(map.frame(*address, &mut self.texts));
                }
                (Place::Elsewhere(_), None) => break,
            }
        }
        let own = symbols::own(&frames);
        Source { id, frames, own }
    }
}

/// What a record tells of stacks and memory, if it does.
fn telling(record: &[u8], mmap: Option<u16>) -> Option<Event> {
    let wanted = match *record.first()? {
        kind::STACK | kind::NAME | kind::FORK => true,
        // The call's number is the third field of its head.
        kind::SYSCALL_FILE => {
            let nr = record.get(2..).and_then(|bytes| bytes.first_chunk());
            nr.map(|nr| u16::from_le_bytes(*nr)) == mmap
        }
        _ => false,
    };
    wanted.then(|| decode(record).ok())?
}

/// A file in the memory of a running process.
#[derive(Debug, PartialEq, Eq)]
struct Mapped {
    path: PathBuf,
    ino: u64,
    start: u64,
    end: u64,
    offset: u64,
}

impl Mapped {
    fn of(self, pid: u32, files: &mut Files) -> Mapping {
        // Not the device: /proc/PID/maps tells it as the file system likes.
        let inode = Inode {
            dev: 0,
            ino: self.ino,
        };
        let Self {
            start, end, offset, ..
        } = self;
        Mapping {
            file: files.met(self.path, inode, By::Library(pid)),
            start,
            end,
            offset,
        }
    }
}

/// Executable files in the memory of a running process.
fn mapped(pid: u32) -> Vec<Mapped> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter_map(mapping).collect()
}

/// A line of `/proc/PID/maps`, if it is of an executable file.
fn mapping(line: &str) -> Option<Mapped> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let executable = words.next()?.contains('x');
    let offset = words.next()?;
    let ino = words.nth(1)?.parse().ok()?;
    let path = words.next()?.trim_start();
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let mapping = Mapped {
        path: path.into(),
        ino,
        start: hex(start)?,
        end: hex(end)?,
        offset: hex(offset)?,
    };
    (executable && path.starts_with('/')).then_some(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_written_between_two_stacks() {
        let own = std::process::id();
        let mut sources = Sources::default();
        sources.spaces.push(Space {
            process: Process::of(own),
            ..Space::default()
        });
        let open = |id, known| Open {
            space: 0,
            id,
            places: vec![Place::Elsewhere(0x1010)],
            known,
        };
        sources.open.push(open(1, 0));
        let path = format!("/tmp/perf-{own}.map");
        std::fs::write(&path, "1000 100 JS:put /app/x.js:2:13\n").expect("written");
        // A later stack has it read.
        sources.read_map(0);
        std::fs::remove_file(&path).expect("removed");
        sources.open.push(open(2, sources.known(0)));
        let told = sources.resolve_rest();
        let told = told.iter().filter_map(|meta| match meta {
            Meta::Source(source) => Some((source.id, source.frames.len())),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), [(1, 1)]);
    }

    #[test]
    fn lines_of_maps() {
        let line =
            "7f12a0000000-7f12a0155000 r-xp 00026000 fe:00 1234   /usr/lib/my libc.so.6 (deleted)";
        let expected = Mapped {
            path: "/usr/lib/my libc.so.6".into(),
            ino: 1234,
            start: 0x7f12_a000_0000,
            end: 0x7f12_a015_5000,
            offset: 0x26000,
        };
        assert_eq!(mapping(line), Some(expected));
        for other in [
            "7f12a0000000-7f12a0155000 r--p 00026000 fe:00 1234 /usr/lib/libc.so.6",
            "7ffd1000-7ffd2000 r-xp 00000000 00:00 0 [vdso]",
            "7ffd1000-7ffd2000 r-xp 00000000 00:00 0 ",
            "nonsense",
            "",
        ] {
            assert_eq!(mapping(other), None, "{other}");
        }
    }
}
