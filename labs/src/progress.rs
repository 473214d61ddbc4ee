//! What a learner has done so far: one file of theirs, plain text.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tracer::user::Identity;

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

/// The progress file.
#[derive(Clone, Debug)]
pub struct Progress {
    path: PathBuf,
    identity: Identity,
    all: All,
    /// Something to say about the file: it was damaged, and set aside.
    pub warning: Option<String>,
}

impl Progress {
    /// `$XDG_STATE_HOME/bytehop/labs.toml`. A damaged file is set aside.
    pub fn open(identity: &Identity) -> Self {
        let state = identity.var("XDG_STATE_HOME").filter(|dir| !dir.is_empty());
        let home = || {
            let home = identity.var("HOME").unwrap_or_default();
            PathBuf::from(home).join(".local/state")
        };
        let path = state
            .map_or_else(home, PathBuf::from)
            .join("bytehop/labs.toml");
        let mut progress = Self {
            path,
            identity: identity.clone(),
            all: All::default(),
            warning: None,
        };
        let read = identity.with_file_rights(|| fs::read_to_string(&progress.path));
        match read.map(|text| toml::from_str(&text)) {
            Ok(Ok(all)) => progress.all = all,
            Ok(Err(_)) => {
                let aside = progress.path.with_extension("damaged");
                let _ = identity.with_file_rights(|| fs::rename(&progress.path, &aside));
                let (from, to) = (progress.path.display(), aside.display());
                progress.warning = Some(format!("{from} was damaged; it is now {to}"));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => {
                progress.warning = Some(format!("cannot read {}: {e}", progress.path.display()));
            }
        }
        progress
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

    /// In one step: a crash leaves the old file or the new one.
    fn save(&self) -> io::Result<()> {
        let text = toml::to_string(&self.all).map_err(io::Error::other)?;
        self.identity.with_file_rights(|| {
            if let Some(parent) = self.path.parent() {
                fs::create_dir_all(parent)?;
            }
            let new = self.path.with_extension("new");
            fs::write(&new, &text)?;
            fs::rename(&new, &self.path)
        })
    }
}
