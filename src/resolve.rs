//! What was typed becomes what holds, once.

use bytehop_core::i18n::Lang;
use bytehop_core::report::Detail;
#[cfg(feature = "capture")]
use tracer::load::{BREAKPOINT_BUDGET, Options};
use tui::theme::Theme;

#[cfg(feature = "capture")]
use crate::cli;
use crate::cli::{Amount, LabLook, Style, When};

/// How text and screens look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub color: When,
    /// None: as the environment says.
    pub lang: Option<Lang>,
    pub ascii: bool,
    pub detail: Detail,
    /// None: as the environment says.
    pub theme: Option<Theme>,
}

impl Look {
    pub fn themed(self, theme: Option<Theme>) -> Self {
        Self { theme, ..self }
    }

    pub fn telling(self, amount: Amount) -> Self {
        let detail = match (amount.quiet, amount.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        Self { detail, ..self }
    }
}

impl From<Style> for Look {
    fn from(style: Style) -> Self {
        Self {
            color: style.color,
            lang: style.lang,
            ascii: style.ascii,
            detail: Detail::Normal,
            theme: None,
        }
    }
}

impl From<&LabLook> for Look {
    fn from(look: &LabLook) -> Self {
        Self::from(Style {
            color: look.color,
            lang: look.lang,
            ascii: look.ascii,
        })
    }
}

#[cfg(feature = "capture")]
impl cli::SummaryArgs {
    pub fn look(&self) -> Look {
        Look::from(self.style).telling(self.amount)
    }
}

#[cfg(feature = "capture")]
impl From<cli::Level> for tracer::caps::Level {
    fn from(level: cli::Level) -> Self {
        match level {
            cli::Level::T => Self::T,
            cli::Level::F => Self::F,
            cli::Level::B => Self::B,
        }
    }
}

/// What is loaded into the kernel, but for the process id.
#[cfg(feature = "capture")]
impl From<&cli::Tracing> for Options {
    fn from(tracing: &cli::Tracing) -> Self {
        Options {
            buffer: tracing.buffer_size,
            level: tracing.level.map(Into::into),
            budget: tracing.breakpoint_budget.unwrap_or(BREAKPOINT_BUDGET),
            stacks: tracing.stacks || tracing.from_main,
            sampling: !tracing.no_sampling,
            cost: tracing.cost,
            ..Options::from(&tracing.follow)
        }
    }
}

#[cfg(feature = "capture")]
impl From<&cli::Follow> for Options {
    fn from(follow: &cli::Follow) -> Self {
        Options {
            follow: !follow.no_follow,
            ..Options::default()
        }
    }
}
