//! The executable files in memory, opened as soon as they are met: by the process, so that neither its root folder
//! nor its mount namespace matters, and a file that is replaced or removed later is still the one that runs.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytehop_core::event::Frame;
use bytehop_core::modules::{Looked, Module, Why};
use nix::fcntl::OFlag;
use symbols::{Found, Identity, Lines, Place, Search, Wanted, remedy};

use crate::device;
use crate::opened::opens;

/// Files that are kept open; others are opened by their name again.
const HELD_MAX: usize = 256;

/// A file by the names that the kernel has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inode {
    pub dev: u32,
    pub ino: u64,
}

/// Who maps a file, and what it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Program(u32),
    Library(u32),
}

/// A file that is, or was, in memory.
struct Executable {
    name: PathBuf,
    inode: Inode,
    file: Option<File>,
    /// Where it was looked for in vain.
    looked: Vec<Looked>,
    /// Which root folder its process has, if another than ours.
    root: Option<usize>,
    described: Option<Described>,
}

/// What is known of it once a stack leads there.
struct Described {
    module: Module,
    lines: Lines,
}

/// All of them.
#[derive(Default)]
pub struct Files {
    known: Vec<Executable>,
    roots: Vec<Foreign>,
    /// Folders that the command line names: one may be the root folder of what has ended already.
    pub folders: Vec<PathBuf>,
    search: Option<Search>,
    /// Modules that stacks lead to and that were not handed on yet.
    met: Vec<Module>,
    modules: u32,
}

/// A root folder that is not ours.
struct Foreign {
    /// Its mount namespace, and the folder there.
    key: (PathBuf, u64, u64),
    folder: File,
    name: PathBuf,
}

impl Files {
    /// A file that a process maps: its number.
    pub fn met(&mut self, name: PathBuf, inode: Inode, by: By) -> usize {
        let same = |file: &Executable| file.name == name && file.inode == inode;
        if let Some(known) = self.known.iter().position(same) {
            return known;
        }
        let (By::Program(pid) | By::Library(pid)) = by;
        let mut root = self.root_of(pid);
        let mut looked = Vec::new();
        let file = self.open(&name, inode, by, root).map(|(file, folder)| {
            if root.is_none() {
                root = folder.and_then(|folder| self.folder(folder));
            }
            file
        });
        let file = match file {
            Ok(file) => Some(file),
            Err(no) => {
                looked.push(no);
                None
            }
        };
        self.known.push(Executable {
            name,
            inode,
            file: file.filter(|_| self.known.len() < HELD_MAX),
            looked,
            root,
            described: None,
        });
        self.known.len() - 1
    }

    /// What opens a file.
    pub fn path(&self, file: usize) -> Option<PathBuf> {
        self.known.get(file)?.path()
    }

    pub fn name(&self, file: usize) -> String {
        let known = self.known.get(file);
        known.map_or_else(String::new, |known| known.name.display().to_string())
    }

    /// The frames at an address in a file.
    pub fn frames(&mut self, file: usize, address: u64, out: &mut Vec<Frame>) {
        self.describe(file);
        let known = self.known.get(file);
        if let Some(described) = known.and_then(|known| known.described.as_ref()) {
            described.lines.frames(&described.module, address, out);
        }
    }

    /// A module that names its functions itself.
    pub fn named(&mut self, path: String) -> Module {
        self.modules += 1;
        let module = Module {
            id: self.modules,
            lines: path.clone(),
            path,
            ..Module::default()
        };
        self.met.push(module.clone());
        module
    }

    /// Modules that stacks have led to since.
    pub fn modules(&mut self) -> Vec<Module> {
        std::mem::take(&mut self.met)
    }

    /// What opens the root folder of a process, and what that is called; `None`: it has ours.
    pub fn root(&self, root: Option<usize>) -> Option<Place> {
        let foreign = self.roots.get(root?)?;
        Some(Place {
            path: opens(&foreign.folder),
            name: foreign.name.clone(),
        })
    }

    /// The root folder of a process, if it is not ours.
    pub fn root_of(&mut self, pid: u32) -> Option<usize> {
        let name = PathBuf::from(format!("/proc/{pid}/root"));
        let key = |root: &Path, namespace: &str| {
            let meta = std::fs::metadata(root).ok()?;
            let namespace = std::fs::read_link(namespace).ok()?;
            Some((namespace, meta.dev(), meta.ino()))
        };
        let theirs = key(&name, &format!("/proc/{pid}/ns/mnt"))?;
        if Some(&theirs) == key("/".as_ref(), "/proc/self/ns/mnt").as_ref() {
            return None;
        }
        self.foreign(theirs, name)
    }

    /// A folder that turned out to be the root of a process that has ended.
    fn folder(&mut self, name: PathBuf) -> Option<usize> {
        let meta = std::fs::metadata(&name).ok()?;
        self.foreign((PathBuf::new(), meta.dev(), meta.ino()), name)
    }

    fn foreign(&mut self, key: (PathBuf, u64, u64), name: PathBuf) -> Option<usize> {
        let known = self.roots.iter().position(|root| root.key == key);
        known.or_else(|| {
            let folder = OpenOptions::new()
                .read(true)
                .custom_flags((OFlag::O_PATH | OFlag::O_DIRECTORY).bits())
                .open(&name);
            let folder = folder.ok()?;
            self.roots.push(Foreign { key, folder, name });
            Some(self.roots.len() - 1)
        })
    }

    /// Opens a file; by a folder of the command line, tells that, too.
    fn open(
        &self,
        name: &Path,
        inode: Inode,
        by: By,
        root: Option<usize>,
    ) -> Result<(File, Option<PathBuf>), Looked> {
        let mut places: Vec<(PathBuf, Option<PathBuf>)> = Vec::new();
        let (By::Program(pid) | By::Library(pid)) = by;
        if let By::Program(pid) = by {
            places.push((format!("/proc/{pid}/exe").into(), None));
        }
        let inside = name.strip_prefix("/").unwrap_or(name);
        let named = match (name.is_absolute(), self.root(root)) {
            (true, Some(root)) => root.path.join(inside),
            (true, None) => name.to_owned(),
            (false, _) => Path::new(&format!("/proc/{pid}/cwd")).join(name),
        };
        places.push((named, None));
        let folders = self.folders.iter();
        places.extend(folders.map(|folder| (folder.join(inside), Some(folder.clone()))));
        // Where the process has ended: its working directory was ours, perhaps.
        if root.is_none() && !name.is_absolute() {
            places.push((name.to_owned(), None));
        }
        let opened = places.into_iter().filter_map(|(place, folder)| {
            let (file, meta) = plain(&place)?;
            Some((file, meta, folder))
        });
        let mut opened: Vec<(File, Metadata, Option<PathBuf>)> = opened.collect();
        // File systems like btrfs tell a folder's device, not the one that the kernel knows.
        let same = |meta: &Metadata| inode.ino == 0 || meta.ino() == inode.ino;
        let exactly = |meta: &Metadata| same(meta) && device::number(meta.dev()) == inode.dev;
        let best = opened.iter().position(|(_, meta, _)| exactly(meta));
        let best = best.or_else(|| opened.iter().position(|(_, meta, _)| same(meta)));
        if let Some(best) = best {
            let (file, _, folder) = opened.swap_remove(best);
            return Ok((file, folder));
        }
        let error = File::open(name).err();
        let error = error.filter(|e| e.kind() != io::ErrorKind::NotFound);
        Err(Looked {
            place: name.display().to_string(),
            why: match (opened.is_empty(), &error) {
                (false, _) => Why::Replaced,
                (_, Some(_)) => Why::Unreadable,
                (_, None) => Why::NotThere,
            },
            detail: error.map(|e| e.to_string()).unwrap_or_default(),
        })
    }

    /// Reads what a file says of itself, and looks for its lines.
    fn describe(&mut self, file: usize) {
        let Some(known) = self
            .known
            .get(file)
            .filter(|known| known.described.is_none())
        else {
            return;
        };
        let path = known.path();
        let identity = path.as_deref().and_then(Identity::of);
        let roots: Vec<Place> = self
            .root(known.root)
            .into_iter()
            .chain([Place::ours()])
            .collect();
        let mut found = Found::default();
        if let Some(identity) = &identity {
            let search = self.search.get_or_insert_with(Search::here);
            found = search.find(&Wanted {
                name: &known.name,
                file: path.as_deref(),
                identity,
                roots: &roots,
            });
        }
        let lines = Lines::open(&found, path.as_deref());
        let real = path
            .as_deref()
            .and_then(|path| std::fs::read_link(path).ok());
        let real = real.filter(|real| real.is_file() && known.root.is_none());
        let mut module = Module {
            id: self.modules + 1,
            real: match &real {
                Some(real) if *real != known.name => real.display().to_string(),
                _ => String::new(),
            },
            path: known.name.display().to_string(),
            build_id: identity
                .as_ref()
                .map(|id| id.build_id.clone())
                .unwrap_or_default(),
            lines: found.name,
            ..Module::default()
        };
        module.looked.clone_from(&known.looked);
        module.looked.extend(found.looked);
        if let (Some(identity), true, Some(root)) =
            (&identity, module.lines.is_empty(), roots.first())
        {
            module.remedy = remedy(module.real().as_ref(), identity, &root.path);
        }
        self.modules += 1;
        self.met.push(module.clone());
        if let Some(known) = self.known.get_mut(file) {
            known.described = Some(Described { module, lines });
        }
    }
}

impl Executable {
    fn path(&self) -> Option<PathBuf> {
        match &self.file {
            Some(file) => Some(opens(file)),
            None if self.looked.is_empty() => Some(self.name.clone()),
            None => None,
        }
    }
}

/// A plain file: nothing that waits for somebody to write into it.
pub fn plain(path: &Path) -> Option<(File, Metadata)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .ok()?;
    let meta = file.metadata().ok()?;
    meta.is_file().then_some((file, meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inode(path: &Path) -> Inode {
        let meta = std::fs::metadata(path).expect("its inode");
        Inode {
            dev: device::number(meta.dev()),
            ino: meta.ino(),
        }
    }

    #[test]
    fn the_file_that_runs_and_no_other() {
        let dir = std::env::temp_dir().join(format!("bytehop-files-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let path = dir.join("library");
        std::fs::write(&path, "old").expect("written");
        let old = inode(&path);
        let pid = std::process::id();
        let mut files = Files::default();
        let file = files.met(path.clone(), old, By::Library(pid));
        // Replaced as installers do it.
        std::fs::write(dir.join("new"), "new").expect("written");
        std::fs::rename(dir.join("new"), &path).expect("replaced");
        let opened = files.path(file).expect("still open");
        assert_eq!(std::fs::read(opened).expect("read"), b"old");

        // Met only afterwards.
        let mut files = Files::default();
        let file = files.met(path.clone(), old, By::Library(pid));
        assert_eq!(files.path(file), None);
        files.describe(file);
        let module = files.modules().pop().expect("described");
        assert_eq!(module.looked[0].why, Why::Replaced);
        std::fs::remove_dir_all(&dir).expect("removed");

        // Ourselves: by the process, under whatever name.
        let exe = inode("/proc/self/exe".as_ref());
        let file = files.met("/no/such/name".into(), exe, By::Program(pid));
        assert!(files.path(file).is_some());
    }
}
