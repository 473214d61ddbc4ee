//! The learner's program: watched, edited, put back.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use bytehop_core::i18n::Say;
use labs::guide::Step;

use super::Ui;
use crate::terminal::Screen;
use crate::words;

impl Ui {
    /// The learner's file of the change exercise.
    fn program(&self) -> Option<PathBuf> {
        let session = &self.labs.open.as_ref()?.session;
        self.runner.source(&session.lab, session.code)
    }

    /// From here on the programs are in the other language; an open lab begins again.
    pub(super) fn other_code(&mut self) {
        let lang = self.labs.look.lang;
        if self.running {
            self.labs.note = Some(words::lab_code_busy(lang).to_owned());
            return;
        }
        let code = self.labs.code.other();
        let prepared = self.runner.prepare(&self.labs.labs, code);
        if let Err(e) = prepared {
            self.labs.note = Some(e.say(lang));
            return;
        }
        self.labs.code = code;
        let kept = self.progress.choose(code);
        if self.labs.open.is_some() {
            self.open();
        }
        self.labs.note = Some(match kept {
            Ok(()) => words::lab_code(lang, code.name()),
            Err(e) => e.say(lang),
        });
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
        let session = self.labs.open.as_ref().map(|open| &open.session);
        let Some((lab, code)) = session.map(|session| (session.lab.clone(), session.code)) else {
            return Ok(());
        };
        let Some((editor, mut command)) = self.runner.editor(&lab, code) else {
            self.labs.note = Some(words::lab_no_editor(self.labs.look.lang).to_owned());
            if let Some(open) = &mut self.labs.open {
                open.step = Step::Change;
            }
            return Ok(());
        };
        let ended = screen.lend(|| command.status())?;
        if let Err(e) = ended {
            self.labs.note = Some(format!("{editor}: {}", e.say(self.labs.look.lang)));
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
        let lang = self.labs.look.lang;
        let put_back = self.runner.reset(&lab).map_err(|e| e.say(lang));
        let forgotten = self.progress.reset(Some(&lab.id)).map_err(|e| e.say(lang));
        if let Some(state) = self.labs.states.get_mut(self.labs.at) {
            *state = self.progress.of(&lab.id);
        }
        self.labs.note = Some(match put_back.and(forgotten) {
            Ok(()) => words::lab_reset_done(lang).to_owned(),
            Err(e) => e,
        });
        if self.labs.open.is_some() {
            self.open();
        }
    }
}
