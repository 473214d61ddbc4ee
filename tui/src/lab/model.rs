//! What the screens of the labs show.

use std::sync::Arc;

use bytehop_core::expr::Sight;
use bytehop_core::expr::value::Unit;
use labs::guide::Step;
use labs::lab::Lab;
use labs::progress::State;
use labs::session::{Outcome, Session};
use labs::spec::Code;
use ratatui::layout::Rect;

use super::seek::Baseline;
use crate::app::App;
use crate::look::Look;

/// From this width on the guide stands beside the path.
pub const WIDE: u16 = 130;
/// Cells of the guide beside the path.
pub const GUIDE: u16 = 46;
/// Where the path view is; nowhere while the guide is read on a narrow screen.
pub fn path_area(size: (u16, u16), guide: bool) -> Rect {
    let (w, h) = size;
    let body = Rect::new(0, 1, w, h.saturating_sub(2));
    match (guide, w >= WIDE) {
        (false, _) => body,
        (true, true) => Rect::new(GUIDE, 1, w - GUIDE, body.height),
        (true, false) => Rect::default(),
    }
}

/// The labs, and the one that is open.
pub struct Labs {
    pub labs: Vec<Arc<Lab>>,
    /// How far each is.
    pub states: Vec<State>,
    /// The one that the menu is at, or that is open.
    pub at: usize,
    pub open: Option<Open>,
    pub look: Look,
    /// The language of the programs, as the learner chose.
    pub code: Code,
    pub size: (u16, u16),
    /// Only recordings are shown: why, if it was not asked for.
    pub replay: Option<String>,
    pub help: bool,
    /// Rows that the help is scrolled by.
    pub confirm: Option<Confirm>,
    /// What goes on in the background.
    pub busy: Option<String>,
    /// The last thing to say: an error, or a word of thanks.
    pub note: Option<String>,
}

/// What a question on the screen is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    Reset,
    Solution,
}

/// Who said what is shown with a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The compiler, about the learner's program.
    NotBuilt,
    /// We: why there is no verdict.
    NotChecked,
    /// The program, on its standard error.
    Errors,
}

/// An open lab.
pub struct Open {
    pub session: Session,
    pub step: Step,
    /// Rows that the text is scrolled by.
    pub scroll: usize,
    /// Rows that the text had when it was drawn last.
    pub rows: std::cell::Cell<(usize, usize)>,
    /// The question that is asked; `None` once all were.
    pub question: Option<usize>,
    /// The answer being typed.
    pub input: String,
    /// The programs were run, or the recordings taken.
    pub observed: bool,
    /// The program whose path is shown.
    pub program: usize,
    /// The question that was asked last where its number comes from.
    pub sought: Option<usize>,
    /// Its path view.
    pub path: Option<Box<App>>,
    /// The guide beside the path view, not the path view alone.
    pub guide: bool,
    /// Hints shown so far.
    pub hints: Vec<String>,
    pub outcome: Option<Outcome>,
    /// What was said in place of a verdict, or beside it.
    pub said: Option<(Said, String)>,
    /// The path view is of the learner's program.
    pub checked: bool,
    pub solution: bool,
    pub solved: bool,
}

impl Open {
    pub fn new(session: Session, state: &State) -> Self {
        let first = (!session.lab.spec.questions.is_empty()).then_some(0);
        Self {
            session,
            step: Step::Predict,
            scroll: 0,
            rows: std::cell::Cell::default(),
            question: first,
            input: String::new(),
            observed: false,
            program: 0,
            sought: None,
            path: None,
            guide: true,
            hints: Vec::new(),
            outcome: None,
            said: None,
            checked: false,
            solution: false,
            solved: state.solved,
        }
    }

    /// Whether keys are for an answer.
    pub fn is_typing(&self) -> bool {
        self.step == Step::Predict && self.question.is_some()
    }

    /// What the question that was asked about counts, if that can be shown.
    pub fn sight(&self) -> Option<Sight> {
        let question = self.lab().spec.questions.get(self.sought?)?;
        question.measure.sight()
    }

    /// Whether the number of the question that was asked about is 0: then there is no place of it.
    pub fn counts_nothing(&self) -> bool {
        let question = self.sought.and_then(|n| self.lab().spec.questions.get(n));
        let measured = question.and_then(|question| self.session.verdict(question).measured);
        measured.is_some_and(|value| value.unit != Unit::Truth && value.number == 0.0)
    }

    /// Calls and faults of the runs that a question subtracts: these are not what it counts.
    pub fn baseline(&self, sight: &Sight) -> Baseline {
        let mut baseline = Baseline::default();
        for run in sight
            .less
            .iter()
            .filter_map(|name| self.session.runs.get(name))
        {
            for row in &run.syscalls {
                *baseline.calls.entry(row.name.clone()).or_default() += row.calls;
            }
            baseline.faults += run.page_faults.minor + run.page_faults.major;
        }
        baseline
    }

    pub fn lab(&self) -> &Lab {
        &self.session.lab
    }
}

impl Labs {
    pub fn new(labs: Vec<Arc<Lab>>, states: Vec<State>, look: Look, size: (u16, u16)) -> Self {
        // Where one left off.
        let at = states.iter().position(|state| !state.solved).unwrap_or(0);
        Self {
            labs,
            states,
            at,
            open: None,
            look,
            code: Code::default(),
            size,
            replay: None,
            help: false,
            confirm: None,
            busy: None,
            note: None,
        }
    }

    /// Where the path view is in the observe step, if it is shown: x, y, width, height.
    pub fn path_area(&self) -> Option<Rect> {
        let open = self.open.as_ref()?;
        (open.step == Step::Observe && open.path.is_some())
            .then(|| path_area(self.size, open.guide))
    }
}
