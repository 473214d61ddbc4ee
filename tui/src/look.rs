//! How it looks.

use bytehop_core::i18n::Lang;

use crate::theme::Theme;

/// How it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub lang: Lang,
    pub theme: Theme,
    /// No characters outside ASCII of our own, apart from the words of a language.
    pub ascii: bool,
}
