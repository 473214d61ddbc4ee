//! Full paths: what files are called, from the paths that programs open them by and the directories that these
//! count from.

use std::collections::HashMap;
use std::sync::Arc;

use tracer_ebpf::{FileRef, Syscall, named};

use crate::arch::Arch;
use crate::event::{Name, Start};

/// Names that are remembered: of files, of open directories, and of sockets' ends.
const NAMES_MAX: usize = 1 << 16;
/// `AT_FDCWD`
const HERE: i32 = -100;
const S_IFMT: u16 = 0o170_000;
const S_IFDIR: u16 = 0o040_000;
/// `F_DUPFD`, `F_DUPFD_CLOEXEC`
const DUPLICATE: [u64; 2] = [0, 1030];

type Inode = (u32, u64);

/// Calls that say which directory paths count from.
#[derive(Debug)]
struct Numbers {
    /// Opened from a directory's descriptor.
    openat: [Option<u16>; 2],
    open: Option<u16>,
    fchdir: Option<u16>,
    dup: [Option<u16>; 3],
    fcntl: Option<u16>,
}

impl Numbers {
    fn of(arch: Arch) -> Self {
        let nr = |name| arch.syscall_number(name);
        Self {
            openat: ["openat", "openat2"].map(nr),
            open: nr("open"),
            fchdir: nr("fchdir"),
            dup: ["dup", "dup2", "dup3"].map(nr),
            fcntl: nr("fcntl"),
        }
    }
}

/// Where paths of a process count from.
#[derive(Clone, Debug, Default)]
struct Where {
    /// Its working directory, if that is known.
    cwd: Option<Arc<str>>,
    /// Directories that it has open.
    open: HashMap<i32, Arc<str>>,
}

/// What files are called.
#[derive(Debug)]
pub struct Paths {
    numbers: Numbers,
    of: HashMap<Inode, Arc<str>>,
    processes: HashMap<u32, Where>,
    /// Relative paths whose call has not ended: the call tells what they are relative to.
    pending: Vec<Name>,
}

impl Paths {
    pub fn new(arch: Arch, start: &Start) -> Self {
        let mut paths = Self {
            numbers: Numbers::of(arch),
            of: HashMap::new(),
            processes: HashMap::new(),
            pending: Vec::new(),
        };
        for (dev, ino, path) in &start.there.files {
            paths.of.insert((*dev, *ino), path.as_str().into());
        }
        for (pid, cwd) in &start.there.cwds {
            let process = paths.processes.entry(*pid).or_default();
            process.cwd = Some(cwd.as_str().into());
        }
        paths
    }

    /// The path of a file, if it is known.
    pub fn get(&self, inode: Inode) -> Option<&str> {
        // Of a call that never came: what the path is relative to is not known, so it stays as it is.
        let waits = |name: &&Name| (name.dev, name.ino) == inode;
        let pending = || Some(self.pending.iter().find(waits)?.path.as_str());
        self.of.get(&inode).map(|path| &**path).or_else(pending)
    }

    fn put(&mut self, inode: Inode, path: Arc<str>) {
        if self.of.len() < NAMES_MAX || self.of.contains_key(&inode) {
            self.of.insert(inode, path);
        }
    }

    /// A path that the kernel was given.
    pub fn name(&mut self, name: &Name) {
        match name.what {
            named::OPENED if name.path.starts_with('/') => {
                self.put((name.dev, name.ino), clean(&name.path).into());
            }
            named::OPENED => {
                let of = |old: &&Name| old.head.tid == name.head.tid;
                if let Some(old) = self.pending.iter().find(of) {
                    let (inode, path) = ((old.dev, old.ino), old.path.as_str().into());
                    if !self.of.contains_key(&inode) {
                        self.put(inode, path);
                    }
                }
                self.pending.retain(|old| old.head.tid != name.head.tid);
                // As many as threads can be in a call; of lost calls they stay.
                if self.pending.len() < 1024 {
                    self.pending.push(name.clone());
                }
            }
            named::ENTERED => {
                let process = self.processes.entry(name.head.tgid).or_default();
                process.cwd = join(process.cwd.as_deref(), &name.path);
            }
            _ => {}
        }
    }

    /// A call has ended: it may say what paths are relative to.
    pub fn call(&mut self, call: &Syscall, file: Option<&FileRef>) {
        if call.ret < 0 {
            return;
        }
        let (nr, head) = (Some(call.head.nr), &call.head);
        let returned = i32::try_from(call.ret).unwrap_or(-1);
        if !self.pending.is_empty()
            && let Some(at) = self
                .pending
                .iter()
                .position(|name| (name.head.tid, name.head.seq) == (head.tid, head.seq))
        {
            let name = self.pending.swap_remove(at);
            let process = self.processes.get(&head.tgid);
            let from = match call.args[0] as i32 {
                fd if self.numbers.openat.contains(&nr) && fd != HERE => {
                    process.and_then(|process| process.open.get(&fd).cloned())
                }
                _ => process.and_then(|process| process.cwd.clone()),
            };
            // What it is relative to may not be known: then it stays as it is.
            let path = join(from.as_deref(), &name.path).unwrap_or_else(|| name.path.into());
            self.put((name.dev, name.ino), path);
        }
        let Some(file) = file else {
            return;
        };
        let inode = (file.dev, file.ino);
        if file.mode & S_IFMT != S_IFDIR {
            return;
        }
        let opens = self.numbers.openat.contains(&nr)
            || self.numbers.open == nr
            || self.numbers.dup.contains(&nr)
            || self.numbers.fcntl == nr && DUPLICATE.contains(&call.args[1]);
        if !opens && self.numbers.fchdir != nr {
            return;
        }
        let path = self.of.get(&inode).cloned();
        let process = self.processes.entry(head.tgid).or_default();
        if !opens {
            process.cwd = path;
        } else if let Some(path) = path
            && process.open.len() < NAMES_MAX
        {
            process.open.insert(returned, path);
        } else {
            // Whatever had this number is closed: no path counts from there.
            process.open.remove(&returned);
        }
    }

    /// A child begins where its parent is.
    pub fn fork(&mut self, parent: u32, child: u32) {
        if let Some(parent) = self.processes.get(&parent) {
            let child_is = parent.clone();
            self.processes.insert(child, child_is);
        }
    }

    pub fn gone(&mut self, process: u32) {
        self.processes.remove(&process);
    }
}

/// A path from a directory on; `None` if the directory is not known.
fn join(from: Option<&str>, path: &str) -> Option<Arc<str>> {
    match path.starts_with('/') {
        true => Some(clean(path).into()),
        false => Some(clean(&format!("{}/{path}", from?)).into()),
    }
}

/// Without `.` and empty parts. `..` stays: what it leads to depends on links.
fn clean(path: &str) -> String {
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    let clean = parts.fold(String::new(), |path, part| path + "/" + part);
    match clean.as_str() {
        "" => "/".to_owned(),
        _ => clean,
    }
}

#[cfg(test)]
mod tests {
    use tracer_ebpf::Head;

    use super::*;
    use crate::event::There;

    const DIR: FileRef = FileRef {
        dev: 1,
        ino: 100,
        mode: S_IFDIR,
        ..FileRef::NONE
    };

    fn paths() -> Paths {
        let start = Start {
            there: Box::new(There {
                cwds: vec![(7, "/home/me".to_owned())],
                files: vec![(1, 5, "/dev/shm/in".to_owned())],
                ..There::default()
            }),
            ..Start::default()
        };
        Paths::new(Arch::X86_64, &start)
    }

    fn open(paths: &mut Paths, tgid: u32, dirfd: i64, path: &str, ino: u64, mode: u16, fd: i64) {
        let head = Head {
            tid: tgid,
            tgid,
            nr: Arch::X86_64.syscall_number("openat").unwrap(),
            ..Head::default()
        };
        paths.name(&Name {
            head,
            ino,
            dev: 1,
            fd: fd as i32,
            what: named::OPENED,
            path: path.to_owned(),
        });
        let call = Syscall {
            head,
            ret: fd,
            args: [dirfd as u64, 0, 0, 0, 0, 0],
            ..Syscall::default()
        };
        let file = FileRef { ino, mode, ..DIR };
        paths.call(&call, Some(&file));
    }

    /// A directory of which no path is known takes the place of one that had the same descriptor.
    #[test]
    fn a_descriptor_that_is_another_directory_now() {
        let mut paths = paths();
        open(&mut paths, 7, -100, "src", 100, S_IFDIR, 4);
        let call = Syscall {
            head: Head {
                tid: 7,
                tgid: 7,
                nr: Arch::X86_64.syscall_number("open").unwrap(),
                ..Head::default()
            },
            ret: 4,
            ..Syscall::default()
        };
        paths.call(&call, Some(&FileRef { ino: 200, ..DIR }));
        open(&mut paths, 7, 4, "main.c", 11, 0, 5);
        assert_eq!(paths.get((1, 11)), Some("main.c"));
    }

    #[test]
    fn relative_paths_become_full() {
        let mut paths = paths();
        assert_eq!(paths.get((1, 5)), Some("/dev/shm/in"));
        open(&mut paths, 7, -100, "./a//b", 10, 0, 3);
        assert_eq!(paths.get((1, 10)), Some("/home/me/a/b"));
        open(&mut paths, 7, -100, "src", 100, S_IFDIR, 4);
        open(&mut paths, 7, 4, "main.c", 11, 0, 5);
        assert_eq!(paths.get((1, 11)), Some("/home/me/src/main.c"));
        // Of a descriptor that is not known nothing is made up.
        open(&mut paths, 7, 9, "main.h", 12, 0, 5);
        assert_eq!(paths.get((1, 12)), Some("main.h"));
        open(&mut paths, 7, 9, "/etc/passwd", 13, 0, 5);
        assert_eq!(paths.get((1, 13)), Some("/etc/passwd"));
    }

    #[test]
    fn directories_are_a_process_s_own() {
        let mut paths = paths();
        paths.fork(7, 8);
        let head = Head {
            tid: 8,
            tgid: 8,
            ..Head::default()
        };
        paths.name(&Name {
            head,
            ino: 0,
            dev: 0,
            fd: -1,
            what: named::ENTERED,
            path: "../you".to_owned(),
        });
        open(&mut paths, 8, -100, "x", 20, 0, 3);
        open(&mut paths, 7, -100, "x", 21, 0, 3);
        assert_eq!(paths.get((1, 20)), Some("/home/me/../you/x"));
        assert_eq!(paths.get((1, 21)), Some("/home/me/x"));
        paths.gone(8);
        open(&mut paths, 8, -100, "x", 22, 0, 3);
        assert_eq!(paths.get((1, 22)), Some("x"));
    }
}
