//! What the model needs of the screen: what is in sight is read and laid out before it is drawn.

use crate::app::{App, Pane, Source, Target};
use crate::layout::Layout;
use crate::look::Look;
use crate::program::Program;
use crate::store::Store;
use crate::{areas, view};

/// Details of calls kept at most.
const DETAILS_MAX: usize = 4096;

impl App {
    pub fn new(store: Store, look: Look, size: (u16, u16)) -> Self {
        let mut app = Self::bare(store, look, size);
        app.refilter();
        app.fetch();
        app
    }

    /// With a live trace in place of a recording.
    pub fn live(mut self, target: Target, terminal: bool) -> Self {
        self.source = Source::Live(target);
        self.follow = true;
        if terminal {
            self.program = Some(Program::new(self.size));
            self.focus = Pane::Program;
            self.fit_program();
        }
        self
    }

    /// Gives the program's terminal the size that its pane has now.
    pub(crate) fn fit_program(&mut self) {
        let room = areas::program_size(self);
        if let Some(program) = &mut self.program {
            program.resize(room);
        }
    }

    /// Reads the details of what is in sight, and lays the path view out anew if it has to be.
    pub(crate) fn fetch(&mut self) {
        let wish = view::wish(self);
        if let Some(wish) = wish.filter(|wish| self.wish.as_ref() != Some(wish)) {
            self.layout = Layout::new(&wish);
            self.wish = Some(wish);
        }
        self.lanes.fit(&self.store, view::lanes_wish(self));
        if let Some(path) = view::source_in_sight(self)
            && !self.texts.contains_key(&path)
        {
            let text = bytehop_core::annotate::read_source(&path);
            let lines = text.map(|text| text.lines().map(str::to_owned).collect());
            self.texts.insert(path, lines);
        }
        if self.details.len() > DETAILS_MAX {
            self.details.clear();
        }
        for index in view::calls_in_sight(self) {
            if self.details.contains_key(&index) {
                continue;
            }
            let Some(call) = self.store.call(index) else {
                continue;
            };
            let Some(what) = self.store.sig(&call).map(|sig| sig.what.clone()) else {
                continue;
            };
            if let Some(detail) = self.store.details.read(&call, &what) {
                self.details.insert(index, detail);
            }
        }
    }
}
