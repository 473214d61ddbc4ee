//! `bytehop completions`: what a shell needs to complete our verbs and flags.

use clap::CommandFactory;
use clap_complete::{generate, shells};

use crate::cli::{Cli, Completions, Shell};
use crate::fail::Fail;
use crate::output::print;

pub fn completions(args: &Completions) -> Result<i32, Fail> {
    let mut command = Cli::command();
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => generate(shells::Bash, &mut command, "bytehop", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "bytehop", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "bytehop", &mut script),
    }
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
