//! The verbs that show: report, view, doctor.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use bytehop_core::advise::{self, Facts};
use bytehop_core::annotate::{Annotator, read_source};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::{NoSink, Reconstructor, Sink};
use bytehop_core::record::open_events;
use bytehop_core::report::{self, Format};
use clap::CommandFactory;
#[cfg(feature = "capture")]
use tracer::{caps, doctor};

use crate::cli::{self, Cli};
#[cfg(feature = "capture")]
use crate::fail::NOT_ALLOWED;
use crate::fail::{FAILED, Fail, USAGE};
use crate::output::{print, style};
use crate::resolve::Look;

/// `bytehop` alone.
pub fn help() -> Result<i32, Fail> {
    print(&Cli::command().render_help().ansi().to_string())?;
    Ok(0)
}

/// Reads a recording from its beginning to its end, or to where it is damaged.
pub fn summarise(path: &Path, sink: &mut impl Sink) -> Result<Summary, Fail> {
    let mut events = open_events(path)?;
    let mut reconstructor = Reconstructor::new(
        bytehop_core::arch::Arch::host().unwrap_or(bytehop_core::arch::Arch::X86_64),
    );
    for event in events.by_ref() {
        reconstructor.push(&event, sink);
    }
    let mut summary = reconstructor.finish();
    summary
        .warnings
        .extend(events.warnings().iter().map(ToString::to_string));
    Ok(summary)
}

pub fn report(args: &cli::Report) -> Result<i32, Fail> {
    let look = Look::from(args.style).telling(args.amount);
    let format = if args.json { Format::Json } else { args.format };
    let text = match format {
        Format::Jsonl => return lines(&args.file, args.output.as_deref()),
        Format::Text => {
            let summary = summarise(&args.file, &mut NoSink)?;
            let style = match &args.output {
                // As for a pipe.
                Some(path) => style(look, &created(path)?),
                None => style(look, &io::stdout()),
            };
            report::text(&summary, &style)
        }
        Format::Json => {
            let summary = summarise(&args.file, &mut NoSink)?;
            report::json_string(&summary) + "\n"
        }
        Format::Html => {
            let summary = summarise(&args.file, &mut NoSink)?;
            let recording = std::fs::read(&args.file).map_err(|e| {
                Fail::new(FAILED, format!("cannot read {}: {e}", args.file.display()))
            })?;
            bytehop_web::page::page(&recording, &summary, Lang::from_env(look.lang))
        }
    };
    match &args.output {
        None => print(&text)?,
        Some(path) => {
            let written = created(path)?.write_all(text.as_bytes());
            written.map_err(|e| cannot_write(path, &e))?;
        }
    }
    Ok(0)
}

fn created(path: &Path) -> Result<File, Fail> {
    File::create(path).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, e: &io::Error) -> Fail {
    Fail::new(USAGE, format!("cannot write {}: {e}", path.display()))
}

/// Source lines with what each of them did.
pub fn annotate(args: &cli::Annotate) -> Result<i32, Fail> {
    let mut annotator = Annotator::default();
    let summary = summarise(&args.file, &mut annotator)?;
    let annotation = annotator.finish();
    let only = args.source.as_deref();
    for warning in &summary.warnings {
        crate::output::complain(warning);
    }
    if args.json {
        print(&format!(
            "{:#}\n",
            report::annotation_json(&annotation, only)
        ))?;
    } else {
        let style = style(args.style, &io::stdout());
        print(&report::annotation(&annotation, only, &read_source, &style))?;
    }
    Ok(0)
}

/// Which copies and crossings could go.
pub fn advise(args: &cli::Advise) -> Result<i32, Fail> {
    let mut facts = Facts::default();
    let summary = summarise(&args.file, &mut facts)?;
    for warning in &summary.warnings {
        crate::output::complain(warning);
    }
    let style = style(args.style, &io::stdout());
    let advice = advise::advise(&facts, &summary, style.lang);
    if args.json {
        let json = serde_json::json!({ "schema": 1, "advice": advice });
        print(&format!("{json:#}\n"))?;
    } else {
        print(&report::advice(&advice, &style))?;
    }
    Ok(0)
}

/// Two recordings side by side.
pub fn diff(args: &cli::Diff) -> Result<i32, Fail> {
    if args.tui {
        tui::diff(
            &args.a,
            &args.b,
            &crate::output::ui(Look::from(args.style).themed(args.theme)),
        )?;
        return Ok(0);
    }
    let [a, b] = [&args.a, &args.b];
    let (first, second) = (summarise(a, &mut NoSink)?, summarise(b, &mut NoSink)?);
    let names = [a, b].map(|path| path.display().to_string());
    let names = [names[0].as_str(), names[1].as_str()];
    for (name, run) in names.iter().zip([&first, &second]) {
        for warning in &run.warnings {
            crate::output::complain(&format!("{name}: {warning}"));
        }
    }
    if args.json {
        print(&format!(
            "{:#}\n",
            report::comparison_json(&first, &second, names)
        ))?;
    } else {
        let style = style(args.style, &io::stdout());
        print(&report::comparison(&first, &second, names, &style))?;
    }
    Ok(0)
}

/// The terminal UI; text where there is no terminal.
pub fn view(args: &cli::View) -> Result<i32, Fail> {
    let look = Look::from(args.style).telling(args.amount);
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return show(&args.file, look);
    }
    tui::view(&args.file, &crate::output::ui(look.themed(args.theme)))?;
    Ok(0)
}

fn show(file: &Path, look: Look) -> Result<i32, Fail> {
    let summary = summarise(file, &mut NoSink)?;
    print(&report::text(&summary, &style(look, &io::stdout())))?;
    Ok(0)
}

/// One event a line, as they come: nothing is kept.
fn lines(file: &Path, output: Option<&Path>) -> Result<i32, Fail> {
    let mut events = open_events(file)?;
    let out: Box<dyn Write> = match output {
        Some(path) => Box::new(created(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = io::BufWriter::new(out);
    for event in events.by_ref() {
        let line = report::jsonl_event(&event);
        match writeln!(out, "{line}") {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
            Err(e) => {
                return Err(Fail::new(FAILED, format!("cannot write the events: {e}")));
            }
        }
    }
    let flushed = out.flush();
    for warning in events.warnings() {
        crate::output::complain(&warning.to_string());
    }
    match flushed {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fail::new(FAILED, format!("cannot write the events: {e}")))
        }
        _ => Ok(0),
    }
}

#[cfg(feature = "capture")]
pub fn doctor(args: &cli::Doctor) -> Result<i32, Fail> {
    let facts = caps::facts();
    let plan = caps::plan(&facts);
    let text = if args.json {
        serde_json::to_string_pretty(&doctor::json(&facts, &plan)).unwrap_or_default() + "\n"
    } else {
        doctor::text(
            &facts,
            &plan,
            &style(Look::from(args.style).telling(args.amount), &io::stdout()),
        )
    };
    print(&text)?;
    Ok(if plan.level.is_some() {
        0
    } else {
        NOT_ALLOWED.into()
    })
}
