//! `bytehop report`: a recording as text, as data, and for other tools.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use bytehop_core::annotate::Annotator;
use bytehop_core::event::{Event, Meta, Only, Source};
use bytehop_core::model::Summary;
use bytehop_core::notice::Notice;
use bytehop_core::reconstruct::{NoSink, Reconstructor};
use bytehop_core::record::{Events, NotThere, open_events};
use bytehop_core::report::{self, Format, export};

use crate::cli;
use crate::fail::{FAILED, Fail, Trouble, USAGE};
use crate::open::{Watched, events, shown_events};
use crate::output::{complain, judged_json, style};
use crate::resolve::Look;
use crate::show::{host, is_there, summarise, warn};

/// Bytes that wait before they are written.
const CHUNK: usize = 64 << 10;

pub fn report(args: &cli::Report) -> Result<i32, Fail> {
    let format = if args.json { Format::Json } else { args.format };
    let only = &args.part.only()?;
    let weighs = matches!(format, Format::Folded | Format::Flamegraph);
    if args.weight.is_some() && !weighs {
        return Err(Fail::new(USAGE, Trouble::NoStacksToWeigh));
    }
    if args.budgets.is_some() {
        return judged(args, format, only);
    }
    match format {
        Format::Jsonl => lines(args, only)?,
        Format::Perfetto => time_line(args, only)?,
        Format::Parquet => table(args, only)?,
        Format::Html if !only.is_all() => {
            return Err(Fail::new(USAGE, Trouble::PageOfPart));
        }
        Format::Folded | Format::Flamegraph => {
            let mut folded = export::Folded::new(args.weight.unwrap_or_default());
            let summary = summarise(&args.file, only, &mut folded)?;
            warn_of(&summary, args);
            let lang = crate::config::lang(args.style.lang);
            write(
                args,
                &match format {
                    Format::Folded => folded.finish(),
                    _ => export::flame_graph(&folded, lang),
                },
            )?;
        }
        Format::Html => {
            let mut folded = export::Folded::default();
            let summary = summarise(&args.file, only, &mut folded)?;
            let recording = std::fs::read(&args.file)
                .map_err(|e| Fail::new(FAILED, Trouble::Read(args.file.clone(), e)))?;
            let lang = crate::config::lang(args.style.lang);
            write(
                args,
                &bytehop_web::page::page(&recording, &summary, &folded, lang),
            )?;
        }
        _ => {
            let summary = summarise(&args.file, only, &mut NoSink)?;
            write(args, &of_summary(args, format, &summary)?)?;
        }
    }
    Ok(0)
}

/// The summary, and what comes of budgets.
fn judged(args: &cli::Report, format: Format, only: &Only) -> Result<i32, Fail> {
    if !matches!(format, Format::Text | Format::Json) {
        return Err(Fail::new(USAGE, Trouble::NoPlaceForBudgets));
    }
    let Some(mut expected) = args.budgets.read(created)? else {
        return Ok(0);
    };
    let summary = summarise(&args.file, only, &mut expected.sink)?;
    let verdicts = expected.judge(&summary);
    let text = match format {
        Format::Json => judged_json(&summary, &verdicts),
        _ => of_summary(args, format, &summary)?,
    };
    write(args, &text)?;
    let style = style(Look::from(args.style).telling(args.amount), &io::stderr());
    expected.tell(&verdicts, &summary, &style, true)?;
    Ok(0)
}

/// What only needs the summary.
fn of_summary(args: &cli::Report, format: Format, summary: &Summary) -> Result<String, Fail> {
    let lang = crate::config::lang(args.style.lang);
    Ok(match format {
        Format::Json => report::json_string(summary) + "\n",
        Format::Csv => {
            warn_of(summary, args);
            export::csv(summary)
        }
        Format::Markdown => export::markdown(summary, lang),
        Format::Svg => export::svg(summary, lang),
        _ => {
            let look = Look::from(args.style).telling(args.amount);
            let style = match &args.output {
                // As for a pipe.
                Some(path) => style(look, &created(path)?),
                None => style(look, &io::stdout()),
            };
            report::text(summary, &style)
        }
    })
}

fn write(args: &cli::Report, text: &str) -> Result<(), Fail> {
    let mut out = Out::open(args.output.as_deref())?;
    if out.write(text.as_bytes())? {
        out.finish()?;
    }
    Ok(())
}

/// What a reader of numbers alone would not know: that some are too small.
fn warn_of(summary: &Summary, args: &cli::Report) {
    if args.amount.quiet {
        return;
    }
    let lang = crate::config::lang(args.style.lang);
    warn(&summary.warnings, lang);
    if summary.lost_events > 0 {
        complain(&report::lost(summary, lang));
    }
}

/// Where what comes piece by piece goes.
struct Out {
    to: Box<dyn Write>,
    /// None: standard output.
    path: Option<PathBuf>,
}

impl Out {
    fn open(output: Option<&Path>) -> Result<Self, Fail> {
        Ok(match output {
            Some(path) => Self {
                to: Box::new(io::BufWriter::with_capacity(CHUNK, created(path)?)),
                path: Some(path.to_owned()),
            },
            None => Self {
                to: Box::new(io::BufWriter::with_capacity(CHUNK, io::stdout().lock())),
                path: None,
            },
        })
    }

    /// False: the reader has had enough, which is no failure.
    fn all(&self, written: io::Result<()>) -> Result<bool, Fail> {
        match written {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(e) => Err(Fail::new(
                FAILED,
                match &self.path {
                    Some(path) => Trouble::Write(path.clone(), e),
                    None => Trouble::Output(e),
                },
            )),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<bool, Fail> {
        let written = self.to.write_all(bytes);
        self.all(written)
    }

    fn finish(mut self) -> Result<bool, Fail> {
        let flushed = self.to.flush();
        self.all(flushed)
    }
}

/// One event a line, as they come: nothing is kept.
fn lines(args: &cli::Report, only: &Only) -> Result<(), Fail> {
    let mut events = match &args.output {
        Some(_) => events(&args.file, only)?,
        None => shown_events(&args.file, only)?,
    };
    let mut lines = report::Lines::new(host());
    let mut out = Out::open(args.output.as_deref())?;
    while let Some(event) = events.next() {
        let line = lines.event(&event);
        if !events.is_context() && !out.write(line)? {
            return Ok(());
        }
    }
    if out.write(lines.finish())? && out.finish()? && !args.amount.quiet {
        warn(&warnings(&events), crate::config::lang(args.style.lang));
    }
    if let Some((name, regions)) = events.part().regions()
        && regions.find(name).is_none()
    {
        let all = regions.all().iter().map(|region| region.name.clone());
        let none = NotThere::Region(name.to_owned(), all.collect());
        return Err(Fail::new(USAGE, Trouble::NotThere(none.into())));
    }
    Ok(())
}

/// Bytes are not for people.
fn not_on_terminal(args: &cli::Report) -> Result<(), Fail> {
    match args.output.is_none() && io::stdout().is_terminal() {
        true => Err(Fail::new(USAGE, Trouble::BinaryOnTerminal)),
        false => Ok(()),
    }
}

fn table(args: &cli::Report, only: &Only) -> Result<(), Fail> {
    not_on_terminal(args)?;
    let mut annotator = Annotator::default();
    let summary = summarise(&args.file, only, &mut annotator)?;
    warn_of(&summary, args);
    let name = args.file.display().to_string();
    let table = export::parquet(&name, &summary, &annotator.finish());
    let mut out = Out::open(args.output.as_deref())?;
    if out.write(&table)? {
        out.finish()?;
    }
    Ok(())
}

/// A time line: read twice, since the source lines stand at the end.
fn time_line(args: &cli::Report, only: &Only) -> Result<(), Fail> {
    not_on_terminal(args)?;
    let mut perfetto = export::Perfetto::new(sources(&args.file)?);
    let mut events = events(&args.file, only)?;
    let mut reconstructor = Reconstructor::new(host());
    let mut out = Out::open(args.output.as_deref())?;
    for event in events.by_ref() {
        reconstructor.push(&event, &mut perfetto);
        if perfetto.waiting() >= CHUNK && !out.write(&perfetto.take())? {
            return Ok(());
        }
    }
    reconstructor.drain(&mut perfetto);
    if out.write(&perfetto.take())? && out.finish()? {
        let mut summary = reconstructor.finish();
        events
            .warnings()
            .iter()
            .for_each(|damage| summary.warn(damage.into()));
        warn_of(&summary, args);
        is_there(&summary)?;
    }
    Ok(())
}

/// What was wrong with the recording itself.
fn warnings(events: &Events<Watched>) -> Vec<Notice> {
    events.warnings().iter().map(Notice::from).collect()
}

/// The source lines of a recording, by stack.
fn sources(file: &Path) -> Result<HashMap<u64, Source>, Fail> {
    let sources = open_events(file)?.filter_map(|event| match event {
        Event::Meta(Meta::Source(source)) => Some((source.id, source)),
        _ => None,
    });
    Ok(sources.collect())
}

fn created(path: &Path) -> Result<File, Fail> {
    File::create(path).map_err(|e| Fail::new(USAGE, Trouble::Write(path.to_owned(), e)))
}
