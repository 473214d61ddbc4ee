//! The learner's program: watched, edited, put back.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use labs::guide::Step;
use labs::work::Whose;

use super::Ui;
use crate::terminal::Screen;
use crate::words;

impl Ui {
    /// The learner's file of the change exercise.
    fn program(&self) -> Option<PathBuf> {
        let lab = &self.labs.open.as_ref()?.session.lab;
        let program = &lab.spec.change.program;
        Some(self.runner.work.source(&lab.id, program, Whose::Learner))
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.program()?.metadata().ok()?.modified().ok()
    }

    /// Checks again when the program was saved.
    pub(super) fn look_at_program(&mut self) {
        let late = self
            .labs
            .open
            .as_ref()
            .is_some_and(|open| open.step >= Step::Change);
        let now = self.modified();
        if now == self.saved || self.running || now.is_none() {
            return;
        }
        self.saved = now;
        if late && self.labs.replay.is_none() {
            self.labs.note = Some(words::lab_saved(self.labs.look.lang).to_owned());
            self.check();
        }
    }

    pub(super) fn edit(&mut self, screen: &mut Screen) -> io::Result<()> {
        let Some(path) = self.program() else {
            return Ok(());
        };
        let identity = &self.runner.identity;
        let editor = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| identity.var(name));
        let editor = editor.filter(|editor| !editor.is_empty());
        let Some(editor) = editor.map(|editor| editor.to_string_lossy().into_owned()) else {
            self.labs.note = Some(words::lab_no_editor(self.labs.look.lang).to_owned());
            if let Some(open) = &mut self.labs.open {
                open.step = Step::Change;
            }
            return Ok(());
        };
        // As shells do: the variable may have arguments.
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(&path);
        if let Some(user) = &identity.credentials {
            use std::os::unix::process::CommandExt;
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let ended = screen.lend(|| command.status())?;
        if let Err(e) = ended {
            self.labs.note = Some(format!("{editor}: {e}"));
        }
        if let Some(open) = &mut self.labs.open {
            open.step = Step::Change;
        }
        Ok(())
    }

    pub(super) fn reset(&mut self) {
        let Some(lab) = self.labs.labs.get(self.labs.at).cloned() else {
            return;
        };
        let folder = self.runner.work.dir.join(&lab.id);
        let put_back = match folder.is_dir() {
            true => self.runner.work.reset(&lab).map_err(|e| e.to_string()),
            false => Ok(()),
        };
        let forgotten = self
            .progress
            .reset(Some(&lab.id))
            .map_err(|e| e.to_string());
        if let Some(state) = self.labs.states.get_mut(self.labs.at) {
            *state = self.progress.of(&lab.id);
        }
        self.labs.note = Some(match put_back.and(forgotten) {
            Ok(()) => words::lab_reset_done(self.labs.look.lang).to_owned(),
            Err(e) => e,
        });
        if self.labs.open.is_some() {
            self.open();
        }
    }
}
