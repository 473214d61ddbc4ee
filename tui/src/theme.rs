//! Colours. Nothing is said by colour alone: kinds have letters and line bodies, evidence has line
//! styles, the current hop has a mark.

use std::str::FromStr;

use bytehop_core::model::HopKind;
use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Dark,
    Light,
    Contrast,
    /// No colours (`NO_COLOR`).
    Plain,
    /// One of the others, with colours of the user's own.
    Own(&'static Own),
}

/// Colours of the user's own, over those of a theme. Read once, and kept to the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Own {
    pub base: Theme,
    pub colors: Vec<(Paint, Color)>,
}

/// What is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Text,
    /// What is there for completeness.
    Dim,
    Strong,
    Border,
    /// Border of the pane with the focus.
    Focus,
    /// A key in a hint.
    Key,
    Warning,
    /// Where one is.
    Current,
    Kind(HopKind),
}

/// What is painted, by the names that a user's file has for it.
pub const PAINTS: [(&str, Paint); 13] = [
    ("text", Paint::Text),
    ("dim", Paint::Dim),
    ("strong", Paint::Strong),
    ("border", Paint::Border),
    ("focus", Paint::Focus),
    ("key", Paint::Key),
    ("warning", Paint::Warning),
    ("current", Paint::Current),
    ("copy", Paint::Kind(HopKind::Copy)),
    ("dma", Paint::Kind(HopKind::Dma)),
    ("share", Paint::Kind(HopKind::Share)),
    ("map", Paint::Kind(HopKind::Map)),
    ("fill", Paint::Kind(HopKind::Fill)),
];

/// Not the name of a theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownTheme(String);

bytehop_core::says! { UnknownTheme, lang:
    Self(name) => "unknown theme '{name}': dark, light, contrast or plain"
        | "未知的配色“{name}”：可用 dark、light、contrast 或 plain";
}

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(name: &str) -> Result<Self, UnknownTheme> {
        match name {
            "dark" => Ok(Self::Dark),
            "light" => Ok(Self::Light),
            "contrast" => Ok(Self::Contrast),
            "plain" => Ok(Self::Plain),
            other => Err(UnknownTheme(other.to_owned())),
        }
    }
}

impl Theme {
    /// The theme that environment variables ask for, else a file: see
    /// [`Options::from_env`](crate::Options::from_env).
    pub fn choose(env: impl Fn(&str) -> Option<String>, file: Option<Theme>) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            return Self::Plain;
        }
        if let Some(theme) = set("BYTEHOP_THEME").and_then(|name| name.parse().ok()) {
            return theme;
        }
        if let Some(theme) = file {
            return theme;
        }
        // "15;0": foreground, background; 7 and 15 are light.
        let background = set("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse().ok());
        match background {
            Some(7 | 9..=15u8) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// The next theme, the user's own among them; without colours there is none.
    pub fn next(self, own: Option<&'static Own>) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Contrast,
            Self::Contrast => own.map_or(Self::Dark, Self::Own),
            Self::Own(_) => Self::Dark,
            Self::Plain => Self::Plain,
        }
    }

    /// Without the user's own colours.
    pub fn base(self) -> Self {
        match self {
            Self::Own(own) => own.base,
            theme => theme,
        }
    }

    pub fn style(self, paint: Paint) -> Style {
        let style = Style::new();
        let style = match paint {
            Paint::Strong | Paint::Focus | Paint::Key => style.add_modifier(Modifier::BOLD),
            Paint::Current => style.add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Paint::Dim if self.base() != Self::Contrast => style.add_modifier(Modifier::DIM),
            Paint::Warning => style.add_modifier(Modifier::BOLD),
            _ => style,
        };
        match self.color(paint) {
            Some(color) => style.fg(color),
            None => style,
        }
    }

    fn color(self, paint: Paint) -> Option<Color> {
        use Color::*;
        if let Self::Own(own) = self {
            let mut colors = own.colors.iter().rev();
            let of_own = colors.find(|(of, _)| *of == paint);
            return of_own.map(|(_, color)| *color).or(own.base.color(paint));
        }
        // Dark, light, high contrast.
        let [dark, light, contrast] = match paint {
            Paint::Text | Paint::Dim | Paint::Strong | Paint::Current => return None,
            Paint::Border => [DarkGray, Gray, White],
            Paint::Focus => [LightCyan, Blue, LightYellow],
            Paint::Key => [LightCyan, Blue, LightYellow],
            Paint::Warning => [LightRed, Red, LightRed],
            // Warm: the CPU works. Green: a device does. Cold: nobody moves anything.
            Paint::Kind(HopKind::Copy) => [LightRed, Red, LightRed],
            Paint::Kind(HopKind::Fill) => [LightYellow, Magenta, LightYellow],
            Paint::Kind(HopKind::Dma) => [LightGreen, Green, LightGreen],
            Paint::Kind(HopKind::Share) => [LightCyan, Blue, LightCyan],
            Paint::Kind(HopKind::Map) => [LightBlue, Cyan, White],
        };
        match self {
            Self::Dark => Some(dark),
            Self::Light => Some(light),
            Self::Contrast => Some(contrast),
            Self::Plain | Self::Own(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_by_the_environment() {
        let cases: [(&[(&str, &str)], Theme); 7] = [
            (&[], Theme::Dark),
            (
                &[("NO_COLOR", "1"), ("BYTEHOP_THEME", "light")],
                Theme::Plain,
            ),
            (&[("NO_COLOR", "")], Theme::Dark),
            (&[("BYTEHOP_THEME", "contrast")], Theme::Contrast),
            (&[("COLORFGBG", "0;15")], Theme::Light),
            (&[("COLORFGBG", "15;default;0")], Theme::Dark),
            (&[("COLORFGBG", "nonsense")], Theme::Dark),
        ];
        for (env, expected) in cases {
            let lookup = |name: &str| Some(env.iter().find(|(key, _)| *key == name)?.1.to_owned());
            assert_eq!(Theme::choose(lookup, None), expected, "{env:?}");
            // What speaks to us wins over a file, what is only guessed does not.
            let told = env
                .iter()
                .any(|(name, value)| *name != "COLORFGBG" && !value.is_empty());
            let with_file = if told { expected } else { Theme::Contrast };
            assert_eq!(
                Theme::choose(lookup, Some(Theme::Contrast)),
                with_file,
                "{env:?}"
            );
        }
    }

    #[test]
    fn colours_of_ones_own() {
        let own: &'static Own = Box::leak(Box::new(Own {
            base: Theme::Light,
            colors: vec![
                (Paint::Kind(HopKind::Copy), Color::Green),
                (Paint::Text, Color::Indexed(208)),
            ],
        }));
        let theme = Theme::Own(own);
        assert_eq!(
            theme.style(Paint::Kind(HopKind::Copy)).fg,
            Some(Color::Green)
        );
        assert_eq!(theme.style(Paint::Text).fg, Some(Color::Indexed(208)));
        for paint in [
            Paint::Border,
            Paint::Dim,
            Paint::Current,
            Paint::Kind(HopKind::Dma),
        ] {
            assert_eq!(theme.style(paint), Theme::Light.style(paint));
        }
        let mut all = vec![theme];
        while all.len() < 5 {
            all.extend(all.last().map(|theme| theme.next(Some(own))));
        }
        assert_eq!(
            all,
            [theme, Theme::Dark, Theme::Light, Theme::Contrast, theme]
        );
    }
}
