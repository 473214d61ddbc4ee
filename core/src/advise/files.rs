//! What files are called. An inode that was given to another file is another file.

use std::collections::{HashMap, HashSet};

use tracer_ebpf::named;

use super::end::Id;
use crate::event::Name;

#[derive(Debug, Default)]
pub struct Files {
    /// How often an inode's name became another one.
    renamed: HashMap<(u32, u64), u32>,
    paths: HashMap<Id, String>,
    /// Folders of shared libraries.
    libraries: HashSet<String>,
}

/// What a program's start reads.
const START: [&str; 4] = [
    "/etc/ld.so",
    "/usr/lib/locale/",
    "/usr/share/locale/",
    "/usr/lib/x86_64-linux-gnu/gconv/",
];

/// A path's folder and its last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_library(path: &str) -> bool {
    path.ends_with(".so") || path.contains(".so.")
}

impl Files {
    pub fn id(&self, dev: u32, ino: u64) -> Id {
        let renamed = self.renamed.get(&(dev, ino));
        (dev, ino, renamed.copied().unwrap_or_default())
    }

    pub fn named(&mut self, name: &Name) {
        if name.what == named::OPENED {
            self.put(name.dev, name.ino, &name.path);
        }
    }

    /// A file has this path now.
    pub fn put(&mut self, dev: u32, ino: u64, path: &str) {
        let path = path.trim_end_matches('/');
        let (folder, name) = split(path);
        if is_library(path) && folder.starts_with('/') {
            self.libraries.insert(folder.to_owned());
        }
        let id = self.id(dev, ino);
        let old = self.paths.get(&id);
        // The same name by another way is the same file; a whole path says more.
        let id = match old.map(|old| split(old).1 == name) {
            Some(true) if !path.starts_with('/') => return,
            Some(true) | None => id,
            Some(false) => {
                let renamed = self.renamed.entry((dev, ino)).or_default();
                *renamed = renamed.saturating_add(1);
                (dev, ino, *renamed)
            }
        };
        self.paths.insert(id, path.to_owned());
    }

    /// The last name of a path, if the file was opened while we looked.
    pub fn name(&self, id: Id) -> Option<&str> {
        self.paths.get(&id).map(|path| split(path).1)
    }

    /// Whether a file is a library, or what a program's start reads.
    pub fn is_start(&self, id: Id) -> bool {
        self.paths.get(&id).is_some_and(|path| {
            is_library(path) || START.iter().any(|start| path.starts_with(start))
        })
    }

    /// Whether a file lies beside shared libraries: it came with them, as a language's archive of classes does.
    pub fn is_beside_libraries(&self, id: Id) -> bool {
        let path = self.paths.get(&id);
        path.is_some_and(|path| self.libraries.contains(split(path).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inode_that_is_used_again_is_another_file() {
        let mut files = Files::default();
        let id = |files: &Files| files.id(8, 1);
        files.put(8, 1, "data");
        let first = id(&files);
        files.put(8, 1, "/tmp/data");
        assert_eq!(id(&files), first);
        files.put(8, 1, "./data");
        files.put(8, 1, "/tmp/dump/");
        assert_ne!(id(&files), first);
        assert_eq!(files.name(first), Some("data"));
        assert_eq!(files.name(id(&files)), Some("dump"));
    }

    #[test]
    fn what_comes_with_libraries_is_not_the_programs_data() {
        let mut files = Files::default();
        files.put(8, 1, "/usr/lib/jvm/lib/server/libjvm.so");
        files.put(8, 2, "/usr/lib/jvm/lib/server/classes.jsa");
        files.put(8, 3, "/home/me/big");
        files.put(8, 4, "plugin.so");
        files.put(8, 5, "big");
        let beside = [2, 3, 5].map(|ino| files.is_beside_libraries(files.id(8, ino)));
        assert_eq!(beside, [true, false, false]);
        assert!(files.is_start(files.id(8, 1)) && !files.is_start(files.id(8, 2)));
    }
}
