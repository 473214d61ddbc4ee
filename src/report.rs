//! `bytehop report`: a recording as text, as data, and for other tools.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use bytehop_core::event::{Event, Meta, Source};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::notice::Notice;
use bytehop_core::reconstruct::{NoSink, Reconstructor, narrow};
use bytehop_core::record::{Events, Span, open_events};
use bytehop_core::report::{self, Format, export};

use crate::cli;
use crate::fail::{FAILED, Fail, USAGE};
use crate::open::{Watched, events, shown_events};
use crate::output::{complain, style};
use crate::resolve::Look;
use crate::show::{host, summarise, warn};

/// Bytes that wait before they are written.
const CHUNK: usize = 64 << 10;

pub fn report(args: &cli::Report) -> Result<i32, Fail> {
    let format = if args.json { Format::Json } else { args.format };
    let span = args.part.span()?;
    match format {
        Format::Jsonl => lines(args, span)?,
        Format::Perfetto => time_line(args, span)?,
        Format::Html if span.is_some() => {
            let message = "a page holds the whole recording: leave out --from and --to";
            return Err(Fail::new(USAGE, message));
        }
        Format::Folded => {
            let lang = Lang::from_env(args.style.lang);
            let mut folded = export::Folded::default();
            let summary = summarise(&args.file, span, &mut folded)?;
            warn_of(&summary, lang);
            write(args, &folded.finish())?;
        }
        _ => write(args, &of_summary(args, format, span)?)?,
    }
    Ok(0)
}

/// What only needs the summary.
fn of_summary(args: &cli::Report, format: Format, span: Option<Span>) -> Result<String, Fail> {
    let summary = summarise(&args.file, span, &mut NoSink)?;
    let lang = Lang::from_env(args.style.lang);
    Ok(match format {
        Format::Json => report::json_string(&summary) + "\n",
        Format::Csv => {
            warn_of(&summary, lang);
            export::csv(&summary)
        }
        Format::Markdown => export::markdown(&summary, lang),
        Format::Svg => export::svg(&summary, lang),
        Format::Html => {
            let recording = std::fs::read(&args.file).map_err(|e| {
                Fail::new(FAILED, format!("cannot read {}: {e}", args.file.display()))
            })?;
            bytehop_web::page::page(&recording, &summary, lang)
        }
        _ => {
            let look = Look::from(args.style).telling(args.amount);
            let style = match &args.output {
                // As for a pipe.
                Some(path) => style(look, &created(path)?),
                None => style(look, &io::stdout()),
            };
            report::text(&summary, &style)
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
fn warn_of(summary: &Summary, lang: Lang) {
    warn(&summary.warnings, lang);
    if summary.lost_events > 0 {
        complain(&report::lost(summary, lang));
    }
}

/// Where what comes piece by piece goes.
struct Out {
    to: Box<dyn Write>,
    name: String,
}

impl Out {
    fn open(output: Option<&Path>) -> Result<Self, Fail> {
        Ok(match output {
            Some(path) => Self {
                to: Box::new(io::BufWriter::with_capacity(CHUNK, created(path)?)),
                name: path.display().to_string(),
            },
            None => Self {
                to: Box::new(io::BufWriter::with_capacity(CHUNK, io::stdout().lock())),
                name: "to standard output".to_owned(),
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
                format!("cannot write {}: {e}", self.name),
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
fn lines(args: &cli::Report, span: Option<Span>) -> Result<(), Fail> {
    let mut events = match &args.output {
        Some(_) => events(&args.file, span)?,
        None => shown_events(&args.file, span)?,
    };
    let mut lines = report::Lines::new(host()).of_part(&events.part());
    let mut out = Out::open(args.output.as_deref())?;
    while let Some(event) = events.next() {
        let line = lines.event(&event);
        if !events.is_context() && !out.write(line)? {
            return Ok(());
        }
    }
    if out.write(lines.finish())? && out.finish()? {
        warn(&warnings(&events), Lang::from_env(args.style.lang));
    }
    Ok(())
}

/// A time line: read twice, since the source lines stand at the end.
fn time_line(args: &cli::Report, span: Option<Span>) -> Result<(), Fail> {
    if args.output.is_none() && io::stdout().is_terminal() {
        let message = "perfetto's format is not for a terminal: give a file with -o, or a pipe";
        return Err(Fail::new(USAGE, message));
    }
    let mut perfetto = export::Perfetto::new(sources(&args.file)?);
    let mut events = events(&args.file, span)?;
    let mut reconstructor = Reconstructor::new(host()).of_part(&events.part());
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
        summary.warnings.extend(warnings(&events));
        narrow(&mut summary, &events.part());
        warn_of(&summary, Lang::from_env(args.style.lang));
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
    File::create(path).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, e: &io::Error) -> Fail {
    Fail::new(USAGE, format!("cannot write {}: {e}", path.display()))
}
