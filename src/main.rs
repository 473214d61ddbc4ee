//! The `bytehop` command: flags and dispatch. The work is done in the `tracer` library.
#![forbid(unsafe_code)]

mod cli;
mod demo;
mod fail;
mod lab;
mod output;
mod report;
mod show;
mod top;
mod trace;
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
        Some(Verb::Run(args)) => trace::run(args),
        Some(Verb::Record(args)) => trace::record(args),
        Some(Verb::Attach(args)) => trace::attach(args),
        Some(Verb::Stat(args)) => trace::stat(args),
        Some(Verb::Top(args)) => top::top(&args),
        Some(Verb::Report(args)) => report::report(&args),
        Some(Verb::Annotate(args)) => show::annotate(&args),
        Some(Verb::Diff(args)) => show::diff(&args),
        Some(Verb::Advise(args)) => show::advise(&args),
        Some(Verb::View(args)) => show::view(&args),
        Some(Verb::Doctor(args)) if args.verify => verify::verify(&args),
        Some(Verb::Doctor(args)) => show::doctor(&args),
        Some(Verb::Lab(args)) => lab::lab(&args),
        Some(Verb::VerifyPaths(args)) => verify::paths(&args),
        Some(Verb::Demo(args)) => demo::demo(args),
        None => lab::menu(),
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
