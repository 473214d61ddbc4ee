//! The model: everything that the screen shows. [`update`](crate::update) is its only writer.

use std::collections::HashMap;

use bytehop_core::model::Summary;

use crate::arrows::{Arrow, arrows};
use crate::columns::SourceColumn;
use crate::filter::Filter;
use crate::flow::Flow;
use crate::keymap::Keymap;
use crate::lanes::Lanes;
use crate::layout::{Layout, Wish};
use crate::list::{Cursor, List};
use crate::look::Look;
use crate::program::Program;
use crate::store::{Detail, Hop, Lines, Store, Sums};

/// A part of the screen that keys can be meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Path,
    Calls,
    /// The program's source.
    Source,
    Timeline,
    Totals,
    /// The traced program's own terminal.
    Program,
}

/// What lies over the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popup {
    Help,
    Explain,
    /// How large and how long calls and hops like the current one are.
    Histogram,
    /// The run beside another.
    Compare,
    /// Whether to end the program, which still runs.
    Quit,
}

/// What the numbers at the arrows count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The whole run.
    #[default]
    Run,
    /// Up to the current call.
    SoFar,
    /// The current call alone.
    Call,
}

/// What is traced live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A command that we have started.
    Command,
    /// A process that was there before us.
    Process,
}

/// Where the events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A recording, of which so much is read, in hundredths.
    File(u8),
    /// A trace that goes on.
    Live(Target),
    /// A trace that has ended.
    Ended(Target),
}

/// Steps a second, by speed.
pub const SPEEDS: [u32; 7] = [1, 2, 4, 8, 16, 64, 256];
/// Ticks a second.
pub const TICKS: u32 = 30;
/// Live: of the calls that have come in at once, how many are looked at for what a device did; the last.
const CHECKED: usize = 256;

/// Calls of a run up to which lines are added up with each step.
const LINES_MAX: usize = 100_000;

/// Ticks for which a step is shown moving.
pub const MOVING: u32 = 18;
/// A run to compare with.
#[derive(Clone, Debug)]
pub struct Other {
    pub summary: Summary,
    /// What the runs are called: the other, which is the first, and this one.
    pub names: [String; 2],
}

pub struct App {
    pub store: Store,
    pub look: Look,
    pub list: List,
    /// Arrows of the calls in `list`.
    pub arrows: Vec<Arrow>,
    /// Sums of the calls in `list`.
    pub total: Sums,
    /// The same up to the cursor.
    pub so_far: Sums,
    pub cursor: Cursor,
    /// Hops of the call at the cursor.
    hops: Vec<Hop>,
    pub focus: Pane,
    /// The pane with the focus has the screen to itself.
    pub zoom: bool,
    pub scope: Scope,
    pub popup: Option<Popup>,
    /// Rows that the popup, or the totals, are scrolled by.
    pub popup_scroll: usize,
    pub totals_scroll: usize,
    /// Rows that the source is scrolled away from the current line.
    pub source_scroll: isize,
    /// The part of the time that the timeline shows, ns; `None`: all of it.
    pub window: Option<(u64, u64)>,
    /// All of the time, for the timeline, and how many calls there were when that was looked at: while
    /// a trace grows it is looked at now and then, not with every frame.
    pub span: (u64, u64),
    pub span_of: usize,
    /// What the timeline shows, and what that was made for.
    pub lanes: Lanes,
    /// Source files in sight; `None`: not on this machine.
    pub texts: HashMap<String, Option<Vec<String>>>,
    /// The first call of `main`, where a lab begins: what is before it is folded, and lines of the source have what
    /// they did up to the cursor.
    pub main: Option<usize>,
    /// What each line did so far; `None`: the whole trace is told.
    pub lines: Option<Lines>,
    /// Another run to compare with, and the names of both.
    pub other: Option<Other>,
    /// The filter in force.
    pub filter: String,
    /// The filter being typed.
    pub input: Option<String>,
    /// What keys mean.
    pub keys: Keymap,
    /// Columns beside the source; `None`: as many as there is room for.
    pub source_columns: Option<Vec<SourceColumn>>,
    /// What came of the last key, until the next.
    pub note: Option<String>,
    pub playing: bool,
    /// Index into [`SPEEDS`].
    pub speed: usize,
    /// Parts of a step that are due, in 1/[`TICKS`].
    pub due: u32,
    /// Ticks since the last step.
    pub ticks: u32,
    /// Whether bytes travel and borders flash. What is current is marked in any case.
    pub animation: bool,
    pub size: (u16, u16),
    pub source: Source,
    /// Records that have come and are not in the numbers yet.
    pub behind: u64,
    /// The cursor stays at the last call, whatever comes.
    pub follow: bool,
    /// What has come in with the last frame, live.
    pub flow: Flow,
    /// The program's terminal, if it has one of ours.
    pub program: Option<Program>,
    /// Arguments and results of the calls in sight.
    pub details: HashMap<usize, Detail>,
    /// Where the path view has its boxes and arrows, and what that was made for.
    pub layout: Layout,
    pub(crate) wish: Option<Wish>,
}

impl App {
    /// Nothing of it is made or read yet.
    pub(crate) fn bare(store: Store, look: Look, size: (u16, u16)) -> Self {
        Self {
            list: List::default(),
            arrows: Vec::new(),
            total: Sums::default(),
            so_far: Sums::default(),
            cursor: Cursor::default(),
            hops: Vec::new(),
            focus: Pane::default(),
            zoom: false,
            scope: Scope::default(),
            popup: None,
            popup_scroll: 0,
            totals_scroll: 0,
            source_scroll: 0,
            window: None,
            span: store.span,
            span_of: store.len(),
            lanes: Lanes::default(),
            texts: HashMap::new(),
            main: None,
            lines: None,
            other: None,
            filter: String::new(),
            input: None,
            keys: Keymap::default(),
            source_columns: None,
            note: None,
            playing: false,
            speed: 2,
            due: 0,
            ticks: MOVING,
            animation: true,
            size,
            source: Source::File(100),
            behind: 0,
            follow: false,
            flow: Flow::default(),
            program: None,
            details: HashMap::new(),
            layout: Layout::default(),
            wish: None,
            store,
            look,
        }
    }

    /// Puts another run beside this one, and shows both.
    pub fn compare_with(&mut self, other: Other) {
        self.other = Some(other);
        self.popup = Some(Popup::Compare);
    }

    /// Hops of the current call; none if there is no call to be at.
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The current hop.
    pub fn hop(&self) -> Option<&Hop> {
        self.hops().get(self.cursor.hop?)
    }

    /// Whether something on the screen moves by itself.
    pub fn is_moving(&self) -> bool {
        let step = self.ticks < MOVING && self.animation;
        self.playing || step || (self.flow.is_moving() && self.animation)
    }

    /// Whether keys go to the program.
    pub fn is_typing(&self) -> bool {
        self.focus == Pane::Program && self.program.as_ref().is_some_and(|program| program.typing)
    }

    /// Whether the traced program still runs, as far as is known.
    pub fn is_live(&self) -> bool {
        matches!(self.source, Source::Live(_))
    }

    /// Makes the list and what depends on it, after the filter has changed.
    pub(crate) fn refilter(&mut self) {
        // Only one that can be read is taken.
        let filter = Filter::parse(&self.filter).unwrap_or_default();
        self.list = List::new(&self.store, filter);
        if let Some(main) = self.main {
            self.list.fold_head(&self.store, main);
        }
        self.total = if self.list.is_filtered() {
            self.store.sums_of(self.list.calls())
        } else {
            self.store.sums()
        };
        self.arrows = arrows(&self.store, &self.total);
        let position = self.list.position(self.cursor.call);
        self.go(position, None);
    }

    /// Begins at the first call of `main`, with the source of the program beside the path; `false` if the trace
    /// has no lines.
    pub(crate) fn begin_at_main(&mut self) -> bool {
        self.main = self.store.first_of_main();
        let Some(main) = self.main else {
            return false;
        };
        self.list.fold_head(&self.store, main);
        self.go(self.list.position(main), None);
        self.fetch();
        true
    }

    /// Takes what has come to the store.
    pub(crate) fn grow(&mut self) {
        let growing = !matches!(self.source, Source::Ended(_) | Source::File(100));
        if !growing || self.store.len() >= self.span_of + self.span_of / 4 {
            (self.span, self.span_of) = (self.store.span, self.store.len());
        }
        let total = self.total.clone();
        let new = self.list.grow(&self.store);
        if self.list.is_filtered() {
            let calls = new.clone().filter_map(|position| self.list.call(position));
            self.store.add_to(&mut self.total, calls);
        } else {
            self.total = self.store.sums();
        }
        let before = std::mem::replace(&mut self.arrows, arrows(&self.store, &self.total));
        if self.is_live() {
            let now = (self.arrows.as_slice(), &self.total);
            self.flow.grew((&before, &total), now);
            let mut last = new.rev().take(CHECKED);
            let last = last.find_map(|position| {
                let call = self.list.call(position)?;
                let hops = self.store.hops(call);
                let moved = hops.iter().any(|hop| self.store.is_dma(hop));
                moved.then_some(call)
            });
            if let Some(call) = last {
                self.flow.device_moved(call);
            }
        }
        if self.follow {
            self.go(self.list.len().saturating_sub(1), None);
        } else if !self.list.is_empty() && self.hops.is_empty() {
            // The first calls have come, or one waits at the first.
            self.go(self.list.position(self.cursor.call), self.cursor.hop);
        }
    }

    /// Puts the cursor on the call at a position of the list.
    pub(crate) fn go(&mut self, position: usize, hop: Option<usize>) {
        let Some(call) = self.list.call(position) else {
            self.cursor = Cursor::default();
            self.hops.clear();
            self.so_far = Sums::default();
            return;
        };
        self.hops = self.store.hops(call);
        let hops = self.hops.len();
        let hop = hop.filter(|_| hops > 0).map(|hop| hop.min(hops - 1));
        let before = std::mem::replace(&mut self.cursor, Cursor { call, hop });
        if before != self.cursor && !self.follow {
            self.ticks = 0;
            self.source_scroll = 0;
        }
        self.so_far = if self.list.is_filtered() {
            let calls = self.list.calls();
            self.store.sums_of(calls.take(position + 1))
        } else {
            self.store.sums_until(call)
        };
        let few = self.main.is_some() && self.store.len() <= LINES_MAX;
        self.lines = few.then(|| self.store.lines_until(call, hop.map(|hop| hop + 1)));
    }
}
