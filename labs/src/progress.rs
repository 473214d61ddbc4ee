//! What a learner has done so far: one file of theirs, plain text.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::guide::Step;

/// How far one lab is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The furthest step that was reached, 0 (predict) to 4 (check).
    pub step: u8,
    pub solved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// As typed, by question.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct All {
    #[serde(default)]
    labs: BTreeMap<String, State>,
}

/// Where the progress is kept.
pub trait Keep: std::fmt::Debug + Send + Sync {
    /// For people.
    fn path(&self) -> &Path;
    /// # Errors
    /// If there is nothing ([`io::ErrorKind::NotFound`]), or it cannot be read.
    fn read(&self) -> io::Result<String>;
    /// # Errors
    /// If it cannot be written.
    fn write(&self, text: &str) -> io::Result<()>;
    /// Sets aside what is damaged: where it is now.
    /// # Errors
    /// If it stays where it is.
    fn set_aside(&self) -> io::Result<PathBuf>;
}

/// Where the file of a learner with this environment is: `$XDG_STATE_HOME/bytehop/labs.toml`.
pub fn file(var: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name| var(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".local/state"));
    let state = set("XDG_STATE_HOME").or_else(home);
    // What Windows has in its place.
    let state = state.or_else(|| set("LOCALAPPDATA"));
    state.unwrap_or_default().join("bytehop/labs.toml")
}

/// Progress kept in a file.
#[derive(Clone, Debug)]
pub struct InFile(pub PathBuf);

impl Keep for InFile {
    fn path(&self) -> &Path {
        &self.0
    }

    fn read(&self) -> io::Result<String> {
        fs::read_to_string(&self.0)
    }

    /// In one step: a crash leaves the old file or the new one.
    fn write(&self, text: &str) -> io::Result<()> {
        if let Some(parent) = self.0.parent() {
            fs::create_dir_all(parent)?;
        }
        let new = self.0.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.0)
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.0.with_extension("damaged");
        fs::rename(&self.0, &aside)?;
        Ok(aside)
    }
}

/// Why what was kept is not known.
#[derive(Debug, thiserror::Error)]
pub enum NotKnown {
    Read {
        path: PathBuf,
        source: io::Error,
    },
    /// It was damaged, and set aside.
    Damaged {
        path: PathBuf,
        now: PathBuf,
    },
    /// It is damaged, and cannot be set aside.
    InTheWay {
        path: PathBuf,
        source: io::Error,
    },
}

bytehop_core::says! { NotKnown, lang:
    Self::Read { path, source } => "cannot read {path}: {why}" | "无法读取 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::Damaged { path, now } => "{path} was damaged; it is now {now}" | "{path} 已损坏，现改名为 {now}",
        path = path.display(), now = now.display();
    Self::InTheWay { path, source } => "{path} is damaged: {why}" | "{path} 已损坏：{why}",
        path = path.display(), why = source.say(lang);
}

/// What is known of all labs, and where it is kept.
#[derive(Clone, Debug)]
pub struct Progress {
    keep: Arc<dyn Keep>,
    all: All,
    pub warning: Option<Arc<NotKnown>>,
}

impl Progress {
    /// Reads what was kept. A damaged file is set aside.
    pub fn open(keep: impl Keep + 'static) -> Self {
        let (mut all, mut warning) = (All::default(), None);
        match keep.read().map(|text| toml::from_str(&text)) {
            Ok(Ok(kept)) => all = kept,
            Ok(Err(_)) => {
                let path = keep.path().to_owned();
                warning = Some(match keep.set_aside() {
                    Ok(now) => NotKnown::Damaged { path, now },
                    Err(source) => NotKnown::InTheWay { path, source },
                });
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                let path = keep.path().to_owned();
                warning = Some(NotKnown::Read { path, source });
            }
        }
        Self {
            keep: Arc::new(keep),
            all,
            warning: warning.map(Arc::new),
        }
    }

    pub fn of(&self, lab: &str) -> State {
        self.all.labs.get(lab).cloned().unwrap_or_default()
    }

    /// Changes what is known of a lab, and keeps it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn update(&mut self, lab: &str, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let state = self.all.labs.entry(lab.to_owned()).or_default();
        let before = state.clone();
        change(state);
        match *state == before {
            true => Ok(()),
            false => self.save(),
        }
    }

    /// Notes that a step was reached.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn reached(&mut self, lab: &str, step: Step) -> io::Result<()> {
        self.update(lab, |state| state.step = state.step.max(step as u8))
    }

    /// Forgets a lab, or all of them.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn reset(&mut self, lab: Option<&str>) -> io::Result<()> {
        match lab {
            Some(lab) => {
                self.all.labs.remove(lab);
            }
            None => self.all.labs.clear(),
        }
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        self.keep
            .write(&toml::to_string(&self.all).map_err(io::Error::other)?)
    }
}
