//! How the UI is to look and behave.

use bytehop_core::i18n::Lang;
use bytehop_core::report::top::Column;
use ratatui::style::Color;

use crate::app::App;
use crate::columns::SourceColumn;
#[cfg(feature = "terminal")]
use crate::config::Config;
use crate::keymap::Keymap;
use crate::look::Look;
#[cfg(feature = "terminal")]
use crate::terminal::outside::Editor;
use crate::theme::{Own, Paint, Theme};

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
    /// What keys mean in the path view.
    pub keys: Keymap,
    /// Columns beside the source, and of `top`; `None`: the usual ones.
    pub source_columns: Option<Vec<SourceColumn>>,
    pub top_columns: Option<Vec<Column>>,
    /// A theme with the user's own colours, if there is one.
    pub own: Option<&'static Own>,
    /// What is to be said at first.
    pub note: Option<String>,
}

impl Options {
    /// What the environment asks for: `BYTEHOP_LANG` and the locale, `NO_COLOR`, `BYTEHOP_THEME`
    /// (`dark`, `light`, `contrast`, `plain`), else `theme`, else the terminal's background by `COLORFGBG`;
    /// `BYTEHOP_NO_ANIMATION`; ASCII where the locale is one that has no more.
    pub fn from_env(lang: Option<Lang>, theme: Option<Theme>) -> Self {
        Self {
            lang: Lang::from_env(lang, || None),
            theme: Theme::choose(|name| std::env::var(name).ok(), theme),
            ascii: !speaks_utf8(|name| std::env::var(name).ok()),
            mouse: true,
            animation: std::env::var_os("BYTEHOP_NO_ANIMATION").is_none_or(|set| set.is_empty()),
            #[cfg(feature = "terminal")]
            editor: Editor::from_env(),
            keys: Keymap::default(),
            source_columns: None,
            top_columns: None,
            own: None,
            note: None,
        }
    }

    /// Takes what the user's file says of keys and columns.
    #[cfg(feature = "terminal")]
    pub fn with(mut self, config: &Config) -> Self {
        self.keys = config.keys.clone();
        self.source_columns.clone_from(&config.source_columns);
        self.top_columns.clone_from(&config.top_columns);
        self
    }

    /// Puts the user's own colours over those of the theme; where there are to be none, there are none.
    pub fn paint(&mut self, colors: &[(Paint, Color)]) {
        if !colors.is_empty() && self.theme != Theme::Plain {
            // Themes are compared and passed on as small values: the one that a file makes stays to the end.
            let own: &'static Own = Box::leak(Box::new(Own {
                base: self.theme.base(),
                colors: colors.to_vec(),
            }));
            self.own = Some(own);
            self.theme = Theme::Own(own);
        }
    }

    /// Sets what of it a model has.
    pub fn apply(&self, app: &mut App) {
        app.animation = self.animation;
        app.keys = self.keys.clone();
        app.source_columns.clone_from(&self.source_columns);
        app.note.clone_from(&self.note);
    }

    /// What of it the screens depend on.
    pub fn look(&self) -> Look {
        Look {
            lang: self.lang,
            theme: self.theme,
            ascii: self.ascii,
            own: self.own,
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
