//! The `bytehop` command: flags and dispatch. `tracer` measures, `bytehop_core` says what it means, `tui` shows it,
//! `labs` teaches it.
#![forbid(unsafe_code)]

mod budget;
mod cli;
mod completions;
mod config;
mod cut;
#[cfg(feature = "capture")]
mod demo;
mod fail;
mod help;
mod lab;
mod man;
mod open;
mod output;
mod report;
mod resolve;
#[cfg(feature = "capture")]
mod setup;
mod show;
#[cfg(feature = "capture")]
mod top;
#[cfg(feature = "capture")]
mod trace;
#[cfg(feature = "capture")]
mod verify;

use std::process::ExitCode;

use bytehop_core::i18n::Lang;
use clap::FromArgMatches;
use cli::{Cli, Verb};
use fail::Fail;

fn main() -> ExitCode {
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let lang = crate::config::lang(help::asked(args));
    let parsed = help::command(lang).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(e) => return ended(&e, lang),
    };
    let lang = crate::config::lang(cli.lang());
    if cli.talks()
        && let Some(complaint) = config::complaint(lang)
    {
        output::complain(&complaint);
    }
    let result = match cli.verb {
        Some(verb) => dispatch(verb),
        None => lab::menu(),
    };
    match result {
        Ok(code) => ExitCode::from(code as u8),
        Err(fail) => {
            fail.complain(lang);
            ExitCode::from(fail.code)
        }
    }
}

/// What is not to be done: help is shown, or what is wrong is said.
fn ended(e: &clap::Error, lang: Lang) -> ExitCode {
    let complaint = match lang {
        Lang::Zh => help::complaint(e),
        Lang::En => None,
    };
    match complaint {
        Some(said) => eprint!("{said}"),
        None => {
            let _ = e.print();
        }
    }
    // Help and version go to standard output and are no failure.
    ExitCode::from(if e.use_stderr() { fail::USAGE } else { 0 })
}

fn dispatch(verb: Verb) -> Result<i32, Fail> {
    match verb {
        Verb::Report(args) => report::report(&args),
        Verb::Cut(args) => cut::cut(&args),
        Verb::Annotate(args) => show::annotate(&args),
        Verb::Diff(args) => show::diff(&args),
        Verb::Advise(args) => show::advise(&args),
        Verb::View(args) => show::view(&args),
        Verb::Completions(args) => completions::completions(&args),
        Verb::Man(args) => man::man(&args),
        #[cfg(feature = "capture")]
        Verb::Run(args) => trace::run(args),
        #[cfg(feature = "capture")]
        Verb::Record(args) => trace::record(args),
        #[cfg(feature = "capture")]
        Verb::Attach(args) => trace::attach(args),
        #[cfg(feature = "capture")]
        Verb::Stat(args) => trace::stat(args),
        #[cfg(feature = "capture")]
        Verb::Top(args) => top::top(&args),
        #[cfg(feature = "capture")]
        Verb::Doctor(args) if args.verify => verify::verify(&args),
        #[cfg(feature = "capture")]
        Verb::Doctor(args) => show::doctor(&args),
        Verb::Lab(args) => lab::lab(&args),
        #[cfg(feature = "capture")]
        Verb::VerifyPaths(args) => verify::paths(&args),
        #[cfg(feature = "capture")]
        Verb::Setup(args) => setup::setup(&args),
        #[cfg(feature = "capture")]
        Verb::Demo(args) => demo::demo(args),
        #[cfg(not(feature = "capture"))]
        _ => Err(fail::cannot_trace()),
    }
}
