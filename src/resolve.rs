//! What was typed becomes what holds, once.

use bytehop_core::i18n::Lang;
use bytehop_core::report::Detail;
use tracer::load::Options;
use tui::theme::Theme;

use crate::cli::{self, Amount, LabLook, LabVerb, Style, When};
use crate::fail::{Fail, USAGE};

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

impl cli::SummaryArgs {
    pub fn look(&self) -> Look {
        Look::from(self.style).telling(self.amount)
    }
}

/// What is loaded into the kernel, but for the process id.
impl From<&cli::Tracing> for Options {
    fn from(tracing: &cli::Tracing) -> Self {
        Options {
            buffer: tracing.buffer_size,
            level: tracing.level,
            budget: tracing.breakpoint_budget,
            stacks: tracing.stacks,
            sampling: !tracing.no_sampling,
            ..Options::from(&tracing.follow)
        }
    }
}

impl From<&cli::Follow> for Options {
    fn from(follow: &cli::Follow) -> Self {
        Options {
            follow: !follow.no_follow,
            ..Options::default()
        }
    }
}

/// The flags of `lab` that its verbs have. All are `lab`'s own; those that open a lab stand for none.
fn has(verb: &LabVerb, flag: &str) -> bool {
    let flags: &[&str] = match verb {
        // As text and without a trace is how it always is.
        LabVerb::List => &["labs-dir", "color", "lang", "ascii", "no-tui", "replay"],
        LabVerb::Reset { .. } => &["labs-dir", "lang", "work"],
        LabVerb::Lint { .. } => &[],
        LabVerb::Export { .. } => &["labs-dir", "lang"],
        LabVerb::Grade { .. } => &["labs-dir"],
        LabVerb::Record { .. } => &["labs-dir", "work", "elevate"],
    };
    flags.contains(&flag)
}

fn name(verb: &LabVerb) -> &'static str {
    match verb {
        LabVerb::List => "list",
        LabVerb::Reset { .. } => "reset",
        LabVerb::Lint { .. } => "lint",
        LabVerb::Export { .. } => "export",
        LabVerb::Grade { .. } => "grade",
        LabVerb::Record { .. } => "record",
    }
}

/// Refuses what a verb of `lab` would ignore.
///
/// # Errors
/// In one line that names the flag.
pub fn lab(args: &cli::Lab) -> Result<(), Fail> {
    let Some(verb) = &args.verb else {
        return Ok(());
    };
    let typed = [
        ("replay", args.replay),
        ("no-tui", args.no_tui),
        ("answers", args.answers.is_some()),
        ("seed", args.seed.is_some()),
        ("check", args.check),
        ("program", args.program.is_some()),
        ("labs-dir", !args.labs_dir.is_empty()),
        ("work", args.work.is_some()),
        ("student", args.student.is_some()),
        ("elevate", args.elevate),
        ("color", args.look.color != When::Auto),
        ("lang", args.look.lang.is_some()),
        ("ascii", args.look.ascii),
    ];
    match typed
        .iter()
        .find(|(flag, typed)| *typed && !has(verb, flag))
    {
        Some((flag, _)) => Err(Fail::new(
            USAGE,
            format!("`lab {}` has no --{flag}", name(verb)),
        )),
        None => Ok(()),
    }
}
