//! Writing to the terminal, to files, to closed pipes.

#[cfg(feature = "capture")]
use std::fs::File;
use std::io::{self, IsTerminal, Write};
#[cfg(feature = "capture")]
use std::path::Path;

use bytehop_core::budget::Verdict;
#[cfg(feature = "capture")]
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::report::{self, Style};
#[cfg(feature = "capture")]
use tracer::user::Identity;
#[cfg(feature = "capture")]
use tui::Editor;
use tui::theme::Theme;

#[cfg(feature = "capture")]
use crate::budget::Expected;
#[cfg(feature = "capture")]
use crate::cli::SummaryArgs;
use crate::cli::When;
use crate::config::{complaint, config};
#[cfg(feature = "capture")]
use crate::fail::USAGE;
pub use crate::fail::complain;
use crate::fail::{FAILED, Fail, Trouble};
use crate::resolve::Look;

/// How text looks on `stream`.
pub fn style(look: impl Into<Look>, stream: &impl IsTerminal) -> Style {
    let look = look.into();
    let terminal = stream.is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    Style {
        color: match look.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                terminal && !no_color && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
            }
        },
        width: width(terminal),
        lang: crate::config::lang(look.lang),
        detail: look.detail,
        ascii: look.ascii,
    }
}

/// How the terminal UI looks.
pub fn ui(look: Look) -> tui::Options {
    let config = config();
    let lang = crate::config::lang(look.lang);
    let mut options = tui::Options::from_env(Some(lang), config.theme).with(config);
    options.ascii |= look.ascii;
    if let Some(theme) = look.theme {
        options.theme = theme;
    }
    if look.color == When::Never {
        options.theme = Theme::Plain;
    }
    #[cfg(feature = "capture")]
    {
        options.editor = editor();
    }
    options.paint(&config.colors);
    options.note = complaint(lang);
    options
}

/// The editor of whoever runs us, also through sudo: with their rights.
#[cfg(feature = "capture")]
fn editor() -> Option<Editor> {
    let identity = Identity::invoking().ok()?;
    let env = |name: &str| Some(identity.var(name)?.to_string_lossy().into_owned());
    Editor::choose(env, |program| {
        let identity = Identity::invoking().map_err(io::Error::other)?;
        Ok(labs::own::as_user(program, &identity))
    })
}

/// What the environment says of the width.
pub fn columns() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok()?.parse().ok();
    columns.filter(|n| (1..=10_000).contains(n))
}

/// Cells of a line: as COLUMNS says, else the terminal's, not more than reads well.
fn width(terminal: bool) -> usize {
    const PIPE: usize = 80;
    const MOST: usize = 120;
    if let Some(columns) = columns() {
        return columns;
    }
    if !terminal {
        return PIPE;
    }
    terminal_size::terminal_size().map_or(PIPE, |(w, _)| (w.0 as usize).min(MOST))
}

/// Standard output. A reader that closes its end has had enough: that is no failure.
pub fn print(text: &str) -> Result<(), Fail> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fail::new(FAILED, Trouble::Output(e)))
        }
        _ => Ok(()),
    }
}

/// Where the summary of a live trace goes.
#[cfg(feature = "capture")]
pub struct SummaryOutput {
    file: Option<File>,
    json: bool,
    style: Style,
}

#[cfg(feature = "capture")]
impl SummaryOutput {
    /// Opens the file, if one is wanted, with the rights of `identity`.
    pub fn open(args: &SummaryArgs, identity: &Identity) -> Result<Self, Fail> {
        let file = match &args.summary {
            Some(path) => Some(create(path, identity)?),
            None => None,
        };
        let style = match &file {
            Some(file) => style(args.look(), file),
            None => style(args.look(), &io::stderr()),
        };
        Ok(Self {
            file,
            json: args.json,
            style,
        })
    }

    pub fn lang(&self) -> Lang {
        self.style.lang
    }

    /// Says something before the summary comes, unless it would stand in the way of data.
    pub fn announce(&self, message: impl FnOnce(Lang) -> String) {
        let among_data = self.json && self.file.is_none();
        if !among_data && self.style.detail != report::Detail::Quiet {
            complain(&message(self.style.lang));
        }
    }

    /// Writes the summary, on a line of its own (`at_terminal`: something was typed there).
    pub fn write(&mut self, summary: &Summary, at_terminal: bool) -> Result<(), Fail> {
        let text = if self.json {
            report::json_string(summary) + "\n"
        } else {
            report::text(summary, &self.style)
        };
        self.put(&text, at_terminal)
    }

    /// The same, and below it what came of budgets. Among data they are data.
    pub fn judged(
        &mut self,
        summary: &Summary,
        expected: &mut Expected,
        at_terminal: bool,
    ) -> Result<(), Fail> {
        let verdicts = expected.judge(summary);
        let written = match self.json {
            true => self.put(&judged_json(summary, &verdicts), at_terminal),
            false => self.write(summary, at_terminal),
        };
        let among_data = self.json && self.file.is_none();
        written.and(expected.tell(&verdicts, summary, &self.style, !among_data))
    }

    fn put(&mut self, text: &str, at_terminal: bool) -> Result<(), Fail> {
        let written = match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()),
            None => {
                let start = if at_terminal && io::stderr().is_terminal() {
                    "\n"
                } else {
                    ""
                };
                io::stderr()
                    .lock()
                    .write_all((start.to_owned() + text).as_bytes())
            }
        };
        match written {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fail::new(FAILED, Trouble::Summary(e)))
            }
            _ => Ok(()),
        }
    }
}

/// The summary with what came of budgets, as JSON.
pub fn judged_json(summary: &Summary, verdicts: &[Verdict]) -> String {
    let mut json = report::json(summary);
    json["budgets"] = report::budgets_json(verdicts);
    format!("{json:#}\n")
}

/// Creates a file that belongs to the user.
#[cfg(feature = "capture")]
pub fn create(path: &Path, identity: &Identity) -> Result<File, Fail> {
    identity
        .create_file(path)
        .map_err(|e| Fail::new(USAGE, Trouble::Create(path.to_owned(), e)))
}

/// Creates a recording: whoever it is of decides who else reads it.
#[cfg(feature = "capture")]
pub fn create_recording(path: &Path, identity: &Identity) -> Result<File, Fail> {
    identity
        .create_private_file(path)
        .map_err(|e| Fail::new(USAGE, Trouble::Create(path.to_owned(), e)))
}
