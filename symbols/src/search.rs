//! Where debug information is looked for: the places of gdb, in its order, then debuginfod.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bytehop_core::modules::{Looked, Why};

use crate::debuginfod::Debuginfod;
use crate::identity::Identity;

/// Where distributions keep debug information.
const SYSTEM: &str = "/usr/lib/debug";

/// What is looked for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The file as the program named it.
    pub name: &'a Path,
    /// The file itself, if it is here: a path that opens it.
    pub file: Option<&'a Path>,
    /// What is known of it.
    pub identity: &'a Identity,
    /// Root folders, in the order in which they are looked through: the program's, and ours.
    pub roots: &'a [Place],
}

/// A place: what opens it, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    pub name: PathBuf,
}

impl Place {
    /// The root folder that we have ourselves.
    pub fn ours() -> Self {
        Self::plain("/".into())
    }

    fn plain(path: PathBuf) -> Self {
        Self {
            name: path.clone(),
            path,
        }
    }

    fn join(&self, part: impl AsRef<Path>) -> Self {
        Self {
            path: self.path.join(&part),
            name: self.name.join(&part),
        }
    }

    /// A path as it is below this root.
    fn under(&self, path: &Path) -> Self {
        let inside = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part),
            _ => None,
        });
        self.join(inside.collect::<PathBuf>())
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// A path that opens the file with the lines, if there is one.
    pub lines: Option<PathBuf>,
    /// What that is called.
    pub name: String,
    /// What it has in common with others, if that lies in a file of its own.
    pub common: Option<PathBuf>,
    /// Where it was looked for in vain.
    pub looked: Vec<Looked>,
}

/// How it is looked for.
#[derive(Debug, Default)]
pub struct Search {
    /// Folders that were named for it.
    pub dirs: Vec<PathBuf>,
    /// Whether the places of this system are looked at.
    pub system: bool,
    pub server: Option<Debuginfod>,
}

impl Search {
    /// On the machine of the program: the system's places, and debuginfod where the environment names servers.
    pub fn here() -> Self {
        Self {
            dirs: Vec::new(),
            system: true,
            server: Debuginfod::from_env(),
        }
    }

    /// Looks until there are lines.
    pub fn find(&mut self, wanted: &Wanted<'_>) -> Found {
        let mut found = Found::default();
        if let Some(file) = wanted.file {
            let place = Place {
                path: file.to_owned(),
                name: wanted.name.to_owned(),
            };
            if wanted.identity.lines {
                self.take(wanted, &mut found, &place);
                return found;
            }
            found.in_vain(&place.name, Why::NoLines);
        }
        for (place, by) in self.places(wanted) {
            // Several ways may lead to one place.
            let known = |other: &Looked| Path::new(&other.place) == place.name;
            if found.looked.iter().any(known) {
                continue;
            }
            match by.fits(&place.path, wanted.identity) {
                Ok(()) => {
                    self.take(wanted, &mut found, &place);
                    return found;
                }
                Err((why, detail)) => found.looked.push(Looked {
                    place: place.name.display().to_string(),
                    why,
                    detail,
                }),
            }
        }
        if let Some(server) = &mut self.server
            && !wanted.identity.build_id.is_empty()
        {
            match server.debug(&wanted.identity.build_id) {
                Ok(file) if Identity::of(&file).is_some_and(|file| file.lines) => {
                    self.take(wanted, &mut found, &Place::plain(file));
                }
                Ok(file) => found.in_vain(&file, Why::NoLines),
                Err(looked) => found.looked.extend(looked),
            }
        }
        found
    }

    fn take(&self, wanted: &Wanted<'_>, found: &mut Found, place: &Place) {
        found.lines = Some(place.path.clone());
        found.name = place.name.display().to_string();
        let Some((path, id)) = Identity::of(&place.path).and_then(|file| file.common) else {
            return;
        };
        let beside = place.path.parent().map(|dir| dir.join(&path));
        let by_id = self.folders(wanted).into_iter();
        let by_id = by_id.filter_map(|dir| Some(dir.path.join(id_path(&id)?)));
        let is_it = |path: &PathBuf| Identity::of(path).is_some_and(|file| file.build_id == id);
        found.common = beside.into_iter().chain(by_id).find(is_it);
    }

    /// Folders with debug information for a whole system.
    fn folders(&self, wanted: &Wanted<'_>) -> Vec<Place> {
        let named = self.dirs.iter().cloned().map(Place::plain);
        let roots = wanted.roots.iter().filter(|_| self.system);
        let system = roots.map(|root| root.under(SYSTEM.as_ref()));
        named.chain(system).collect()
    }

    fn places(&self, wanted: &Wanted<'_>) -> Vec<(Place, By)> {
        let identity = wanted.identity;
        let folders = self.folders(wanted);
        let mut places = Vec::new();
        if let Some(path) = id_path(&identity.build_id) {
            places.extend(folders.iter().map(|dir| (dir.join(&path), By::BuildId)));
        }
        // The file under its own name, in a folder that was named: a build that was kept, with its lines.
        let named = || self.dirs.iter().cloned().map(Place::plain);
        let file_name = wanted.name.file_name().map(Path::new);
        for dir in named() {
            let names = [Some(wanted.name), file_name].into_iter().flatten();
            places.extend(names.map(|name| (dir.under(name), By::BuildId)));
        }
        // A name, not a path: what the file says may be anyone's.
        let link = identity.link.as_ref();
        let link = link.and_then(|(name, crc)| Some((Path::new(name).file_name()?, *crc)));
        let Some((link, crc)) = link else {
            return places;
        };
        let mut beside: Vec<Place> = Vec::new();
        for dir in self.dirs_of(wanted) {
            beside.extend([dir.join(link), dir.join(".debug").join(link)]);
        }
        if let Some(dir) = wanted.name.parent() {
            beside.extend(folders.iter().map(|folder| folder.under(dir).join(link)));
        }
        beside.extend(named().map(|dir| dir.join(link)));
        places.extend(beside.into_iter().map(|place| (place, By::Checksum(crc))));
        places
    }

    /// The folders that the file lies in: as the program named it, and where it really is.
    fn dirs_of(&self, wanted: &Wanted<'_>) -> Vec<Place> {
        let mut dirs = Vec::new();
        if !self.system {
            return dirs;
        }
        if let Some(dir) = wanted.name.parent().filter(|dir| dir.is_absolute()) {
            dirs.extend(wanted.roots.iter().map(|root| root.under(dir)));
        }
        let real = wanted.file.and_then(|file| file.canonicalize().ok());
        let real = real.and_then(|real| Some(Place::plain(real.parent()?.to_owned())));
        dirs.extend(real);
        dirs
    }
}

impl Found {
    fn in_vain(&mut self, place: &Path, why: Why) {
        self.looked.push(Looked {
            place: place.display().to_string(),
            why,
            detail: String::new(),
        });
    }
}

/// How a file is known to be of the program.
enum By {
    BuildId,
    Checksum(u32),
}

impl By {
    fn fits(&self, place: &Path, of: &Identity) -> Result<(), (Why, String)> {
        if let Err(e) = File::open(place) {
            return Err(match e.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    (Why::NotThere, String::new())
                }
                _ => (Why::Unreadable, e.to_string()),
            });
        }
        let no = |why| Err((why, String::new()));
        let Some(found) = Identity::of(place) else {
            return no(Why::Unreadable);
        };
        let same_build = !of.build_id.is_empty() && found.build_id == of.build_id;
        match self {
            Self::BuildId if !same_build => return no(Why::OtherBuild),
            Self::Checksum(_)
                if !same_build && !found.build_id.is_empty() && !of.build_id.is_empty() =>
            {
                return no(Why::OtherBuild);
            }
            Self::Checksum(crc) if checksum(place).ok() != Some(*crc) => {
                return no(Why::OtherChecksum);
            }
            _ => {}
        }
        match found.lines {
            true => Ok(()),
            false => no(Why::NoLines),
        }
    }
}

/// CRC-32 of a file.
fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = File::open(path)?;
    let mut sum = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum.finalize()),
            n => sum.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

/// `.build-id/xx/yyyy.debug`
fn id_path(build_id: &str) -> Option<PathBuf> {
    let (first, rest) = build_id.split_at_checked(2)?;
    let plain = build_id.bytes().all(|b| b.is_ascii_hexdigit());
    (plain && !rest.is_empty()).then(|| {
        Path::new(".build-id")
            .join(first)
            .join(format!("{rest}.debug"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |id| id_path(id).map(|path| path.display().to_string());
        assert_eq!(path("bb041e").as_deref(), Some(".build-id/bb/041e.debug"));
        for wrong in ["", "b", "bb", "../../etc"] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
        let root = Place::plain("/proc/7/root".into());
        let inside = root.under("/../usr/x".as_ref());
        assert_eq!(inside.path, Path::new("/proc/7/root/usr/x"));
    }
}
