//! Colours. Nothing is said by colour alone: kinds have letters and line bodies, evidence has line
//! styles, the current hop has a mark.

use ratatui::style::{Color, Modifier, Style};
use tracer::model::HopKind;

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

impl Theme {
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
