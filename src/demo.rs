//! `bytehop demo`: a first look on real input.

use std::ffi::OsString;
use std::io::Write;

use bytehop_core::i18n::Lang;
use bytehop_core::report;

use crate::cli::{self, CommandArgs, Follow, SummaryArgs, Tracing};
use crate::fail::{FAILED, Fail, Trouble};
use crate::output::{complain, print, style};
use crate::resolve::Look;
use crate::trace;

/// A copy of 1 MiB from disk to disk, recorded on a level-T machine.
const RECORDING: &[u8] = include_bytes!("../labs/recordings/demo.bhop");
const SIZE: usize = 1 << 20;

pub fn demo(args: cli::Demo) -> Result<i32, Fail> {
    let lang = crate::config::lang(args.style.lang);
    if args.replay {
        return replay(&args);
    }
    let failure = match trace::require_rights().and_then(|()| live(&args)) {
        Ok(code) => return Ok(code),
        Err(failure) => failure,
    };
    failure.complain(lang);
    complain(match lang {
        Lang::En => "shown instead: a recording of the same copy, made on another machine",
        Lang::Zh => "改为显示在另一台机器上录制的同一次复制",
    });
    replay(&args)
}

fn live(args: &cli::Demo) -> Result<i32, Fail> {
    let fail = |e: std::io::Error| Fail::new(FAILED, Trouble::PrepareDemo(e));
    let dir = tempfile::Builder::new()
        .prefix("bytehop-demo-")
        .tempdir_in("/var/tmp")
        .map_err(fail)?;
    let source = dir.path().join("source");
    let mut file = std::fs::File::create(&source).map_err(fail)?;
    file.write_all(&vec![b'b'; SIZE])
        .and_then(|()| file.sync_all())
        .map_err(fail)?;
    // Out of the page cache, so that the disk has to work.
    let _ = nix::fcntl::posix_fadvise(
        &file,
        0,
        0,
        nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED,
    );
    let mut input = OsString::from("if=");
    input.push(&source);
    let mut output = OsString::from("of=");
    output.push(dir.path().join("copy"));
    trace::run(cli::Run {
        output: args.output.clone(),
        ui: cli::Ui {
            tui: false,
            no_tui: true,
        },
        tracing: Tracing {
            follow: Follow {
                follow_forks: true,
                no_follow: false,
                elevate: false,
            },
            stacks: false,
            level: None,
            breakpoint_budget: None,
            buffer_size: tracer::load::DEFAULT_BUFFER,
            no_sampling: false,
            cost: false,
            region: None,
            from_main: false,
        },
        theme: None,
        budgets: cli::BudgetArgs::default(),
        summary: SummaryArgs {
            json: false,
            summary: None,
            amount: args.amount,
            style: args.style,
        },
        command: CommandArgs {
            argv: vec![
                "dd".into(),
                input,
                output,
                "bs=64k".into(),
                "conv=fsync".into(),
                "status=none".into(),
            ],
        },
    })
}

fn replay(args: &cli::Demo) -> Result<i32, Fail> {
    let summary = labs::recording::summary_of(RECORDING)?;
    let look = Look::from(args.style).telling(args.amount);
    print(&report::text(&summary, &style(look, &std::io::stdout())))?;
    Ok(0)
}
