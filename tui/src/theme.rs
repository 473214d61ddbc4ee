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
    /// The theme that environment variables ask for: see
    /// [`Options::from_env`](crate::Options::from_env).
    pub fn choose(env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            return Self::Plain;
        }
        if let Some(theme) = set("BYTEHOP_THEME").and_then(|name| name.parse().ok()) {
            return theme;
        }
        // "15;0": foreground, background; 7 and 15 are light.
        let background = set("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse().ok());
        match background {
            Some(7 | 9..=15u8) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// The next theme; without colours there is none.
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Contrast,
            Self::Contrast => Self::Dark,
            Self::Plain => Self::Plain,
        }
    }

    pub fn style(self, paint: Paint) -> Style {
        let style = Style::new();
        let style = match paint {
            Paint::Strong | Paint::Focus | Paint::Key => style.add_modifier(Modifier::BOLD),
            Paint::Current => style.add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Paint::Dim if self != Self::Contrast => style.add_modifier(Modifier::DIM),
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
            Self::Plain => None,
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
            assert_eq!(Theme::choose(lookup), expected, "{env:?}");
        }
    }
}
