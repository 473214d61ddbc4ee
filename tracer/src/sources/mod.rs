//! The source lines that calls came from.
//!
//! While the trace runs, [`Sources`] keeps the stacks that the kernel sent and learns from `execve` and
//! `mmap` which files lie where in memory. A thread of its own ([`Resolver`]) follows each stack by the
//! files' unwind tables ([`unwind`]) and looks the addresses up in their debug information ([`lines`]):
//! on the machine, and at the time, where the files are. The result is part of the recording.
//!
//! Nothing is guessed: a stack that cannot be followed ends there.

mod lines;
mod resolver;
mod unwind;

pub use resolver::Resolver;

use std::collections::HashMap;
use std::path::PathBuf;

use tracer_ebpf::{Stack, kind, named};

use bytehop_core::decode::decode;
use bytehop_core::event::{Event, Source};

/// A file in a process's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    path: PathBuf,
    /// Where, and from which offset of the file on.
    start: u64,
    end: u64,
    offset: u64,
}

/// The memory of a process from an `execve` to the next.
#[derive(Clone, Debug, Default)]
struct Space {
    program: Option<PathBuf>,
    libraries: Vec<Mapping>,
}

/// Stacks in the making.
#[derive(Default)]
struct Sources {
    /// Those that were not followed yet, and how many have come.
    stacks: Vec<(usize, Box<Stack>)>,
    seen: usize,
    files: lines::Files,
    spaces: Vec<Space>,
    /// The space of each process.
    now: HashMap<u32, usize>,
    /// Paths by `(dev, ino)`.
    names: HashMap<(u32, u64), PathBuf>,
}

/// Stacks that are kept: more than any program has places to call from.
const STACKS_MAX: usize = 1 << 14;
const NAMES_MAX: usize = 1 << 14;
/// `PROT_EXEC`, and the results of calls that are errors.
const PROT_EXEC: u64 = 4;
const ERRORS: std::ops::Range<i64> = -4095..0;

impl Sources {
    /// `attached`: a process that runs already.
    fn new(attached: Option<u32>) -> Self {
        let mut sources = Self::default();
        if let Some(pid) = attached {
            let space = Space {
                program: std::fs::read_link(format!("/proc/{pid}/exe")).ok(),
                libraries: mapped(pid),
            };
            sources.begin(pid, space);
        }
        sources
    }

    fn begin(&mut self, tgid: u32, space: Space) {
        self.now.insert(tgid, self.spaces.len());
        self.spaces.push(space);
    }

    fn learn(&mut self, event: Event) {
        match event {
            // Folders that were entered, marks, ends of sockets: no file that was opened.
            Event::Name(name) if name.what != named::OPENED => {}
            // `execve`: see `name_of_program` in tracer-ebpf.
            Event::Name(name) if name.fd < 0 => {
                let space = Space {
                    program: Some(PathBuf::from(name.path)),
                    libraries: Vec::new(),
                };
                self.begin(name.head.tgid, space);
            }
            Event::Name(name) if self.names.len() < NAMES_MAX => {
                self.names.insert((name.dev, name.ino), name.path.into());
            }
            Event::Fork(fork) if fork.child_tgid != fork.head.tgid => {
                let parent = self.now.get(&fork.head.tgid);
                let space = parent.and_then(|space| self.spaces.get(*space));
                let space = space.cloned().unwrap_or_default();
                self.begin(fork.child_tgid, space);
            }
            Event::Syscall {
                call,
                file: Some(file),
            } => {
                let [_, len, prot, _, _, offset] = call.args;
                let path = self.names.get(&(file.dev, file.ino)).cloned();
                if let Some(path) =
                    path.filter(|_| prot & PROT_EXEC != 0 && !ERRORS.contains(&call.ret))
                    && let Some(space) = self.now.get(&call.head.tgid)
                    && let Some(space) = self.spaces.get_mut(*space)
                {
                    let start = call.ret as u64;
                    space.libraries.push(Mapping {
                        path,
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

    /// The source lines of the stacks that have come since. Reads the programs' files, with the rights
    /// that we have left.
    fn resolve(&mut self) -> Vec<Source> {
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
            let unwinder = unwind::Unwinding::new(space, first.code..first.code_end);
            for (_, stack) in stacks {
                let places = unwinder.follow(stack);
                sources.push(self.files.source(stack.id, &places));
            }
        }
        sources
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

/// Executable files in the memory of a running process.
fn mapped(pid: u32) -> Vec<Mapping> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter_map(mapping).collect()
}

/// A line of `/proc/PID/maps`, if it is of an executable file.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let executable = words.next()?.contains('x');
    let offset = words.next()?;
    let path = words.nth(2).filter(|path| path.starts_with('/'))?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let mapping = Mapping {
        path: path.into(),
        start: hex(start)?,
        end: hex(end)?,
        offset: hex(offset)?,
    };
    executable.then_some(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps() {
        let line = "7f12a0000000-7f12a0155000 r-xp 00026000 fe:00 1234   /usr/lib/libc.so.6";
        let expected = Mapping {
            path: "/usr/lib/libc.so.6".into(),
            start: 0x7f12_a000_0000,
            end: 0x7f12_a015_5000,
            offset: 0x26000,
        };
        assert_eq!(mapping(line), Some(expected));
        for other in [
            "7f12a0000000-7f12a0155000 r--p 00026000 fe:00 1234 /usr/lib/libc.so.6",
            "7ffd1000-7ffd2000 r-xp 00000000 00:00 0 [vdso]",
            "nonsense",
            "",
        ] {
            assert_eq!(mapping(other), None, "{other}");
        }
    }
}
