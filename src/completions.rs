//! `bytehop completions`: what a shell needs to complete our verbs and flags.

use std::io::Write;

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
        Shell::Fish => {
            generate(shells::Fish, &mut command, "bytehop", &mut script);
            words_without_a_flag(&command, &mut script);
        }
    }
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// `clap_complete` offers files to fish where a verb takes one of a few words without a flag before it.
fn words_without_a_flag(command: &clap::Command, script: &mut Vec<u8>) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        for argument in verb.get_positionals() {
            let values = argument.get_possible_values();
            let words: Vec<_> = values.iter().map(|value| value.get_name()).collect();
            if !words.is_empty() {
                // Writing to a vector cannot fail.
                let _ = writeln!(
                    script,
                    "complete -c bytehop -n \"__fish_bytehop_using_subcommand {}\" -f -a \"{}\"",
                    verb.get_name(),
                    words.join(" ")
                );
            }
        }
    }
}
