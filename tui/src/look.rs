//! How it looks.

use bytehop_core::i18n::Lang;

use crate::theme::{Own, Theme};

/// How it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub lang: Lang,
    pub theme: Theme,
    /// No characters outside ASCII of our own, apart from the words of a language.
    pub ascii: bool,
    /// A theme with the user's own colours, if there is one.
    pub own: Option<&'static Own>,
}

impl Look {
    /// Goes to the next theme.
    pub fn next_theme(&mut self) {
        self.theme = self.theme.next(self.own);
    }
}
