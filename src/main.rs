//! The `bytehop` command: flags and dispatch. The work is done in the `tracer` library.
#![forbid(unsafe_code)]

mod cli;
mod completions;
#[cfg(feature = "capture")]
mod demo;
mod fail;
#[cfg(feature = "capture")]
mod lab;
mod open;
mod output;
mod report;
mod resolve;
mod show;
#[cfg(feature = "capture")]
mod top;
#[cfg(feature = "capture")]
mod trace;
#[cfg(feature = "capture")]
mod verify;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Verb};
use fail::Fail;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to standard output and are no failure.
            let code = if e.use_stderr() { fail::USAGE } else { 0 };
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let result = match cli.verb {
        Some(verb) => dispatch(verb),
        None => alone(),
    };
    match result {
        Ok(code) => ExitCode::from(code as u8),
        Err(Fail { code, message }) => {
            if !message.is_empty() {
                output::complain(&message);
            }
            ExitCode::from(code)
        }
    }
}

fn dispatch(verb: Verb) -> Result<i32, Fail> {
    match verb {
        Verb::Report(args) => report::report(&args),
        Verb::Annotate(args) => show::annotate(&args),
        Verb::Diff(args) => show::diff(&args),
        Verb::Advise(args) => show::advise(&args),
        Verb::View(args) => show::view(&args),
        Verb::Completions(args) => completions::completions(&args),
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
        #[cfg(feature = "capture")]
        Verb::Lab(args) => lab::lab(&args),
        #[cfg(feature = "capture")]
        Verb::VerifyPaths(args) => verify::paths(&args),
        #[cfg(feature = "capture")]
        Verb::Demo(args) => demo::demo(args),
        #[cfg(not(feature = "capture"))]
        _ => Err(Fail::new(
            fail::NOT_ALLOWED,
            "this build shows recordings and cannot trace: use a build for Linux with the capture side",
        )),
    }
}

/// `bytehop` alone.
fn alone() -> Result<i32, Fail> {
    #[cfg(feature = "capture")]
    return lab::menu();
    #[cfg(not(feature = "capture"))]
    show::help()
}
