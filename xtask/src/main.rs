//! Chores of this repository: `cargo xtask` lists them.
//!
//! This crate depends on none of the others, so that it builds when they don't.

#[cfg(test)]
mod architecture;
mod bench;
mod book;
mod circles;
mod command;
mod dist;
mod ebpf;
mod instructions;
#[cfg(test)]
mod links;
mod pictures;
mod programs;
mod readme;
mod setup;
mod targets;
mod test;
mod toolchain;
mod vm;
mod web;

#[path = "../../tracer/ebpf-object/source_hash.rs"]
mod source_hash;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask CHORE

  setup           install what `ebpf` and `test` need (Debian and Ubuntu, through apt)
  test            install what is missing, then run every check and every test
      --no-setup      install nothing
      --strict        fail if a step could not run (the default where CI is set)
  ebpf            rebuild tracer/ebpf-object/ from the sources of tracer-ebpf
      --check         write nothing; fail if the object there is not what the sources give
  web             rebuild web/object/, the program of `report --format html` (adds the target
                  wasm32-unknown-unknown)
      --check         write nothing; fail if the program there is not what the sources give
  dist [TARGET…]  make packages: static binaries for x86_64 and aarch64 as .tar.gz and .deb, with manual
                  pages, completions and the labs' libraries; a viewer for Windows; SHA-256 sums
      --to DIR        where to (target/packages if not given)
      --try           then install the .deb in bare systems of Debian 12 and 13, and try it (needs
                      root, debootstrap and a network)
      --built         only that, with what is there
  circles         name every circle of imports, between modules and between crates
  bench           what tracing costs, beside other tools (needs root; see docs/benchmark.md)
      --rounds N      how often (5 if not given)
      WORKLOAD…       only these
  instructions    how many instructions reading and writing a recording take, beside what was agreed upon
      --agree         write that down anew
  vm [--arch aarch64] [KERNEL…] [-- COMMAND…]
                  run COMMAND (if not given: `doctor --verify`, which tries every path at every level,
                  and the oracle tests) inside Debian's stock kernels, in QEMU
      --arch aarch64  Debian's arm64 kernels, with an initramfs of static programs: the paths, or a command
      KERNEL…         of 6.1, 6.12, 7.2, and for arm64 6.12-16k (all if not given)
      --paths         without the oracle tests
      --tests         only those
      --all           every test on every disk (if not given: what depends on the kernel)
      --only NAMES    tests with one of these words in their name, on one disk; with --tests as --tests does it;
                      with --labs, these labs
      --labs          the guided labs, end to end, in place of all these
      --machines N    that many machines share them (as many as there are processors if not given)
      --doc           put the table of results into docs/kernels.md
      --last          run nothing: the results of each kernel's last run
      --limit SECONDS a boot may take (900 if not given)
      --update        download the newest kernel of each series
      --kvm           do not emulate the processor
      --boot WORDS    words more on the kernel's command line
  programs [WORD…]
                  trace programs of Debian's packages (fio with all its engines, nginx, PostgreSQL …), and say
                  of each whether its account closes (needs root; installs what is missing)
      WORD…           only those with one of these words in their name
      --level L       at this level (the best if not given)
      --doc           put the table of all into docs/programs.md and its translation
      --no-setup      install nothing
  book DIR        the documents in both languages as a book with search (mdbook), with the labs' site and pages of
                  recorded runs in it; fails if a link leads nowhere
  pictures        make docs/pictures/ anew, from recordings
      --check         write nothing; fail if a picture there is not what would be made
  readme          run the commands quoted in README.md and put in what they print";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<ExitCode> {
    match args {
        [] | ["-h" | "--help" | "help"] => println!("{USAGE}"),
        ["setup"] => setup::setup()?,
        ["ebpf"] => ebpf::rebuild()?,
        ["ebpf", "--check"] => println!("{}", ebpf::check()?),
        ["web"] => web::rebuild()?,
        ["web", "--check"] => match web::check()? {
            web::Proof::Same(what) => println!("{what}"),
            web::Proof::NotRun(why) => println!("NOT RUN: {why}"),
        },
        ["circles"] => {
            let found = circles::find(&workspace())?;
            found.iter().for_each(|circle| println!("{circle}"));
            return Ok(ExitCode::from(u8::from(!found.is_empty())));
        }
        ["bench", options @ ..] => bench::run(options)?,
        ["instructions"] => match instructions::check()? {
            instructions::Proof::Same(what) => println!("{what}"),
            instructions::Proof::NotRun(why) => println!("NOT RUN: {why}"),
        },
        ["instructions", "--agree"] => instructions::agree()?,
        ["dist", options @ ..] => dist::dist(&dist::Options::parse(options)?)?,
        ["vm", options @ ..] => return vm::vm(&vm::Options::parse(options)?),
        ["programs", options @ ..] => programs::run(&programs::Options::parse(options)?)?,
        ["book", to] => {
            println!(
                "{to}: {} links, each leads somewhere",
                book::book(to.as_ref())?
            );
            match book::look(to.as_ref())? {
                None => println!("{to}: its search finds words of both languages"),
                Some(why) => println!("NOT RUN: {why}"),
            }
        }
        ["pictures"] => pictures::pictures(false)?,
        ["pictures", "--check"] => pictures::pictures(true)?,
        ["readme"] => readme::refresh()?,
        ["test", options @ ..] => return test::test(&test::Options::parse(options)?),
        _ => bail!("no such chore: {}\n{USAGE}", args.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

/// The workspace's folder.
fn workspace() -> PathBuf {
    // Set by `cargo run`; the built-in value serves an xtask that is started by hand.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    match package.parent() {
        Some(workspace) => workspace.to_path_buf(),
        None => package,
    }
}
