//! What the screen shows, and what changes it.

use bytehop_core::report::top::{Column, View};
use bytehop_core::top::{Frame, Row, Who};

use super::keys::Action;
use crate::look::Look;
use crate::theme::Theme;

/// Rows that a page key moves by.
const PAGE: isize = 10;

/// The model.
#[derive(Debug)]
pub struct Top {
    pub frame: Frame,
    pub view: View,
    /// Totals are wanted, not rates.
    pub total: bool,
    /// Tables stand still.
    pub paused: bool,
    /// The current row's process; `None`: the first row, whoever that is.
    pub current: Option<Who>,
    /// A filter that is being typed.
    pub input: Option<String>,
    pub popup: Option<Popup>,
    pub popup_scroll: usize,
    /// Hooks that are not attached, and why.
    pub missing: Vec<(String, String)>,
    /// The columns; `None`: all, as far as there is room.
    pub columns: Option<Vec<Column>>,
    pub look: Look,
    pub size: (u16, u16),
}

/// What covers the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popup {
    Help,
    Detail,
}

/// What the model asks of whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit,
    Suspend,
    Redraw,
    /// Another table of the same counters.
    Again,
    /// Let less (`-1`) or more time pass between two tables.
    Interval(i8),
}

impl Top {
    pub fn new(view: View, total: bool, look: Look, size: (u16, u16)) -> Self {
        Self {
            frame: Frame::default(),
            view: View { idle: true, ..view },
            total,
            paused: false,
            current: None,
            input: None,
            popup: None,
            popup_scroll: 0,
            missing: Vec::new(),
            columns: None,
            look,
            size,
        }
    }

    /// The rows in their order.
    pub fn rows(&self) -> Vec<&Row> {
        match &self.input {
            // What is typed acts at once.
            Some(input) => View {
                filter: input.clone(),
                ..self.view.clone()
            }
            .rows(&self.frame),
            None => self.view.rows(&self.frame),
        }
    }

    /// Index of the current row.
    pub fn position(&self, rows: &[&Row]) -> usize {
        let is = |row: &&Row| same(Some(row.who), self.current);
        rows.iter().position(is).unwrap_or(0)
    }

    /// Does what a key asks for.
    pub fn update(&mut self, action: Action) -> Option<Effect> {
        if self.popup.is_some() {
            match action {
                Action::Move(by) => return self.scroll(by),
                Action::Page(by) => return self.scroll(by * PAGE),
                _ => {}
            }
        }
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Redraw => return Some(Effect::Redraw),
            Action::Move(by) => self.go(by),
            Action::Page(by) => self.go(by * PAGE),
            Action::First => self.current = None,
            Action::Last => self.go(isize::MAX / 2),
            Action::SortBy(column) => self.sort(column),
            Action::NextColumn(by) => {
                let all = Column::ALL;
                let at = all.iter().position(|c| *c == self.view.sort).unwrap_or(0);
                let next = at.wrapping_add_signed(by).min(all.len() - 1);
                // Left of the first there is nothing.
                if at.checked_add_signed(by).is_some() {
                    self.view.sort = all[next];
                    self.view.reverse = false;
                }
            }
            Action::Reverse => self.view.reverse = !self.view.reverse,
            Action::Total => {
                self.total = !self.total;
                return Some(Effect::Again);
            }
            Action::Idle => self.view.idle = !self.view.idle,
            Action::Pause => self.paused = !self.paused,
            Action::Interval(by) => return Some(Effect::Interval(by)),
            Action::Filter => self.input = Some(self.view.filter.clone()),
            Action::Type(c) => self.input.iter_mut().for_each(|input| input.push(c)),
            Action::Erase => {
                if let Some(input) = &mut self.input {
                    input.pop();
                }
            }
            Action::Enter => match self.input.take() {
                Some(input) => self.view.filter = input,
                None => self.toggle(Popup::Detail),
            },
            Action::Back => {
                if self.input.take().is_none() && self.popup.take().is_none() {
                    self.view.filter.clear();
                }
            }
            Action::Help => self.toggle(Popup::Help),
            Action::Theme => self.look.theme = next(self.look),
            Action::Language => {
                self.look.lang = self.look.lang.other();
            }
        }
        None
    }

    fn sort(&mut self, column: Column) {
        // The same key again turns the order round.
        self.view.reverse = self.view.sort == column && !self.view.reverse;
        self.view.sort = column;
    }

    fn toggle(&mut self, popup: Popup) {
        self.popup_scroll = 0;
        self.popup = (self.popup != Some(popup)).then_some(popup);
    }

    fn scroll(&mut self, by: isize) -> Option<Effect> {
        self.popup_scroll = self.popup_scroll.saturating_add_signed(by).min(1000);
        None
    }

    fn go(&mut self, by: isize) {
        let rows = self.rows();
        let last = rows.len().saturating_sub(1);
        let to = self.position(&rows).saturating_add_signed(by).min(last);
        self.current = rows.get(to).map(|row| row.who);
    }
}

/// Whether two rows are the same one: that of processes which have ended counts them.
fn same(a: Option<Who>, b: Option<Who>) -> bool {
    let same = matches!(
        (a, b),
        (Some(Who::Ended(_)), Some(Who::Ended(_))) | (Some(Who::Others(_)), Some(Who::Others(_)))
    );
    same || a == b
}

/// No colours are a theme here.
fn next(look: Look) -> Theme {
    match look.theme {
        Theme::Contrast => Theme::Plain,
        Theme::Plain => look.own.map_or(Theme::Dark, Theme::Own),
        theme => theme.next(look.own),
    }
}
