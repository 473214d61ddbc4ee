//! How the UI is to look and behave.

use bytehop_core::i18n::Lang;

use crate::look::Look;
#[cfg(feature = "terminal")]
use crate::terminal::outside::Editor;
use crate::theme::Theme;

/// How the UI is to look and behave.
#[derive(Clone, Debug)]
pub struct Options {
    pub lang: Lang,
    pub theme: Theme,
    /// No characters outside ASCII of our own, apart from the words of a language.
    pub ascii: bool,
    /// Take clicks and the wheel; without it the terminal's own selection works as usual.
    pub mouse: bool,
    /// Bytes travel along the arrows; without it what is current is only marked.
    pub animation: bool,
    /// `None`: neither `VISUAL` nor `EDITOR` is set.
    #[cfg(feature = "terminal")]
    pub editor: Option<Editor>,
}

impl Options {
    /// What the environment asks for: `BYTEHOP_LANG` and the locale, `NO_COLOR`, `BYTEHOP_THEME`
    /// (`dark`, `light`, `contrast`, `plain`), else the terminal's background by `COLORFGBG`;
    /// `BYTEHOP_NO_ANIMATION`; ASCII where the locale is one that has no more.
    pub fn from_env(lang: Option<Lang>) -> Self {
        Self {
            lang: Lang::from_env(lang),
            theme: Theme::choose(|name| std::env::var(name).ok()),
            ascii: !speaks_utf8(|name| std::env::var(name).ok()),
            mouse: true,
            animation: std::env::var_os("BYTEHOP_NO_ANIMATION").is_none_or(|set| set.is_empty()),
            #[cfg(feature = "terminal")]
            editor: Editor::from_env(),
        }
    }

    /// What of it the screens depend on.
    pub fn look(&self) -> Look {
        Look {
            lang: self.lang,
            theme: self.theme,
            ascii: self.ascii,
        }
    }
}

/// Whether the terminal is likely to show more than ASCII: the first variable that is set decides, as
/// `setlocale` does. Where nothing is said, terminals of today do.
fn speaks_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let mut names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let locale = names.find_map(|name| env(name).filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
