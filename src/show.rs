//! The verbs that show: view, annotate, advise, diff, doctor.

use std::io::{self, IsTerminal};
use std::path::Path;

use bytehop_core::advise::{self, Facts};
use bytehop_core::annotate::{Annotator, read_source};
use bytehop_core::arch::Arch;
use bytehop_core::event::Only;
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::notice::Notice;
use bytehop_core::reconstruct::{self, NoSink, Sink};
use bytehop_core::report;
#[cfg(feature = "capture")]
use labs::spec::Need;
#[cfg(feature = "capture")]
use tracer::{caps, doctor};

use crate::cli::{self, Amount};
#[cfg(feature = "capture")]
use crate::fail::NOT_ALLOWED;
use crate::fail::{Fail, Trouble, USAGE};
use crate::open::events;
use crate::output::{columns, complain, print, style};
use crate::resolve::Look;

/// `bytehop` alone.
pub fn help() -> Result<i32, Fail> {
    let lang = crate::config::lang(None);
    print(&crate::help::command(lang).render_help().ansi().to_string())?;
    Ok(0)
}

/// The architecture of a recording that does not say.
pub fn host() -> Arch {
    Arch::host().unwrap_or(Arch::X86_64)
}

/// Reads a recording from its beginning to its end, or to where it is damaged; or a part of it.
pub fn summarise(path: &Path, only: &Only, sink: &mut impl Sink) -> Result<Summary, Fail> {
    let summary = summed_up(path, only, sink)?;
    is_there(&summary)?;
    Ok(summary)
}

/// The same, whether or not there is what is asked for.
pub fn summed_up(path: &Path, only: &Only, sink: &mut impl Sink) -> Result<Summary, Fail> {
    Ok(reconstruct::summarise(events(path, only)?, host(), sink))
}

/// Refuses what was asked for in vain.
pub fn is_there(summary: &Summary) -> Result<(), Fail> {
    let mut notices = summary.warnings.iter();
    let none = |notice: &&Notice| matches!(notice, Notice::NotThere(_));
    match notices.find(none) {
        Some(none) => Err(Fail::new(USAGE, Trouble::NotThere(none.clone()))),
        None => Ok(()),
    }
}

/// Says what is not whole, where what is written does not.
pub fn warn<'a>(notices: impl IntoIterator<Item = &'a Notice>, lang: Lang) {
    for notice in notices {
        complain(&notice.words(lang));
    }
}

/// The same, unless only results are wanted.
fn warn_unless<'a>(amount: Amount, notices: impl IntoIterator<Item = &'a Notice>, lang: Lang) {
    if !amount.quiet {
        warn(notices, lang);
    }
}

/// Cells of annotated source in a pipe.
const WIDE: usize = 200;

/// Source lines with what each of them did.
pub fn annotate(args: &cli::Annotate) -> Result<i32, Fail> {
    let lang = crate::config::lang(args.style.lang);
    let mut annotator = Annotator::default();
    let summary = summarise(&args.file, &args.part.only()?, &mut annotator)?;
    if !args.debug_dir.is_empty() {
        symbols::again(
            &mut annotator.sources,
            &mut annotator.modules,
            &args.debug_dir,
        );
    }
    let annotation = annotator.finish();
    let only = args.source.as_deref();
    warn_unless(args.amount, &summary.warnings, lang);
    if args.json {
        print(&format!(
            "{:#}\n",
            report::annotation_json(&annotation, only)
        ))?;
    } else {
        let mut style = style(Look::from(args.style).telling(args.amount), &io::stdout());
        // Columns and source beside each other: a pipe has no edge.
        if !io::stdout().is_terminal() && columns().is_none() {
            style.width = style.width.max(WIDE);
        }
        print(&report::annotation(&annotation, only, &read_source, &style))?;
    }
    Ok(0)
}

/// Which copies and crossings could go.
pub fn advise(args: &cli::Advise) -> Result<i32, Fail> {
    let lang = crate::config::lang(args.style.lang);
    let mut facts = Facts::default();
    let summary = summarise(&args.file, &args.part.only()?, &mut facts)?;
    warn_unless(args.amount, &summary.warnings, lang);
    let style = style(Look::from(args.style).telling(args.amount), &io::stdout());
    let advised = advise::advise(&facts, style.lang);
    if args.json {
        print(&format!("{:#}\n", report::advice_json(&advised)))?;
    } else {
        print(&report::advice(&advised, &style))?;
        // The numbers that it rests on.
        if args.amount.verbose {
            print(&format!("\n{}", report::text(&summary, &style)))?;
        }
    }
    Ok(0)
}

/// Two recordings side by side.
pub fn diff(args: &cli::Diff) -> Result<i32, Fail> {
    let only = &args.part.only()?;
    if args.tui {
        tui::diff(
            &args.a,
            &args.b,
            only,
            &crate::output::ui(Look::from(args.style).themed(args.theme)),
        )?;
        return Ok(0);
    }
    let lang = crate::config::lang(args.style.lang);
    let [a, b] = [&args.a, &args.b];
    let (first, second) = (
        summarise(a, only, &mut NoSink)?,
        summarise(b, only, &mut NoSink)?,
    );
    let names = [a, b].map(|path| path.display().to_string());
    let names = [names[0].as_str(), names[1].as_str()];
    for (name, run) in names.iter().zip([&first, &second]) {
        for warning in run.warnings.iter().filter(|_| !args.amount.quiet) {
            complain(&format!("{name}: {}", warning.words(lang)));
        }
    }
    if args.json {
        print(&format!(
            "{:#}\n",
            report::comparison_json(&first, &second, names)
        ))?;
    } else {
        let style = style(Look::from(args.style).telling(args.amount), &io::stdout());
        print(&report::comparison(&first, &second, names, &style))?;
        // The numbers that it rests on.
        for run in [&first, &second].iter().filter(|_| args.amount.verbose) {
            print(&format!("\n{}", report::text(run, &style)))?;
        }
    }
    Ok(0)
}

/// The terminal UI; text where there is no terminal.
pub fn view(args: &cli::View) -> Result<i32, Fail> {
    let look = Look::from(args.style).telling(args.amount);
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return show(&args.file, &args.part.only()?, look);
    }
    let only = &args.part.only()?;
    tui::view(
        &args.file,
        only,
        &crate::output::ui(look.themed(args.theme)),
    )?;
    Ok(0)
}

fn show(file: &Path, only: &Only, look: Look) -> Result<i32, Fail> {
    let summary = summarise(file, only, &mut NoSink)?;
    print(&report::text(&summary, &style(look, &io::stdout())))?;
    Ok(0)
}

#[cfg(feature = "capture")]
pub fn doctor(args: &cli::Doctor) -> Result<i32, Fail> {
    if args.amount.quiet || args.amount.verbose {
        return Err(Fail::new(USAGE, Trouble::NothingToFold));
    }
    let facts = caps::facts();
    let plan = caps::plan(&facts);
    let labs = labs_about_dma();
    let text = if args.json {
        let value = doctor::json(&facts, &plan, Some(&labs));
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    } else {
        doctor::text(
            &facts,
            &plan,
            Some(&labs),
            &style(Look::from(args.style), &io::stdout()),
        )
    };
    print(&text)?;
    Ok(if plan.level.is_some() {
        0
    } else {
        NOT_ALLOWED.into()
    })
}

/// The bundled labs that need a disk, and the one that they have here.
#[cfg(feature = "capture")]
fn labs_about_dma() -> doctor::Labs {
    let (all, _) = labs::lab::bundled();
    let about = all
        .into_iter()
        .filter(|lab| lab.spec.needs.contains(&Need::Disk));
    let (folder, disk) = labs::prepare::disk_below();
    doctor::Labs {
        about_dma: about.map(|lab| lab.id).collect(),
        folder,
        disk,
    }
}
