//! Which of `lab`'s flags its verbs have.

use crate::cli::{self, LabVerb, When};
use crate::fail::{Fail, Trouble, USAGE};

/// The flags of `lab` that its verbs have. All are `lab`'s own; those that open a lab stand for none.
fn has(verb: &LabVerb, flag: &str) -> bool {
    let flags: &[&str] = match verb {
        // As text and without a trace is how it always is.
        LabVerb::List => &["labs-dir", "lang", "no-tui", "replay"],
        LabVerb::Reset { .. } => &["labs-dir", "lang", "work"],
        LabVerb::Lint { .. } => &["lang"],
        // The site's programs are in Rust, as its recordings are.
        LabVerb::Export { site: Some(_), .. } => &["labs-dir", "lang"],
        LabVerb::Export { .. } => &["labs-dir", "lang", "code"],
        LabVerb::Grade { .. } => &["labs-dir", "work", "lang"],
        LabVerb::HandIn { .. } => &["labs-dir", "work", "lang"],
        // Started by ourselves.
        LabVerb::Own { .. } | LabVerb::Tidy => &["labs-dir", "lang", "work"],
        LabVerb::Record { .. } => &["labs-dir", "work", "elevate"],
    };
    flags.contains(&flag)
}

fn name(verb: &LabVerb) -> &'static str {
    match verb {
        LabVerb::List => "list",
        LabVerb::Reset { .. } => "reset",
        LabVerb::Lint { .. } => "lint",
        LabVerb::Export { .. } => "export",
        LabVerb::Grade { .. } => "grade",
        LabVerb::HandIn { .. } => "hand-in",
        LabVerb::Own { .. } => "own",
        LabVerb::Tidy => "tidy",
        LabVerb::Record { .. } => "record",
    }
}

/// Refuses what a verb of `lab` would ignore.
///
/// # Errors
/// In one line that names the flag.
pub fn check(args: &cli::Lab) -> Result<(), Fail> {
    match &args.verb {
        Some(verb) => refuse(args, verb),
        None => Ok(()),
    }
}

/// The same, of what comes to this verb.
///
/// # Errors
/// As [`check`].
pub fn refuse(args: &cli::Lab, verb: &LabVerb) -> Result<(), Fail> {
    let typed = [
        ("replay", args.replay),
        ("no-tui", args.no_tui),
        ("answers", args.answers.is_some()),
        ("seed", args.seed.is_some()),
        ("check", args.check),
        ("program", args.program.is_some()),
        ("code", args.code.is_some()),
        ("labs-dir", !args.labs_dir.is_empty()),
        ("work", args.work.is_some()),
        ("student", args.student.is_some()),
        ("elevate", args.elevate),
        ("color", args.look.color != When::Auto),
        ("lang", args.look.lang.is_some()),
        ("ascii", args.look.ascii),
    ];
    match typed
        .iter()
        .find(|(flag, typed)| *typed && !has(verb, flag))
    {
        Some((flag, _)) => Err(Fail::new(
            USAGE,
            Trouble::NoFlag {
                verb: name(verb),
                flag,
            },
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Verb};
    use clap::Parser;

    #[test]
    fn verbs_of_lab_refuse_what_opens_a_lab() {
        let lab = |line: &str| {
            let words = std::iter::once("bytehop").chain(line.split(' '));
            match Cli::try_parse_from(words).unwrap().verb {
                Some(Verb::Lab(lab)) => check(&lab),
                _ => unreachable!("a line of `lab`"),
            }
        };
        for line in [
            "lab --seed x list",
            "lab --student x grade d",
            "lab lint --work w",
            "lab grade --no-tui d",
            "lab lint --code c",
            "lab export --site s --code c",
            "lab --elevate export x",
            "lab list --ascii",
            "lab list --color always",
        ] {
            assert_eq!(lab(line).err().map(|fail| fail.code), Some(2), "{line}");
        }
        for line in [
            "lab list --lang zh",
            "lab lint --lang zh",
            "lab grade --lang zh d",
            "lab --lang zh export x",
            "lab export x --code c",
            "lab reset --work w",
            "lab --seed x first-hops",
        ] {
            assert!(lab(line).is_ok(), "{line}");
        }
    }
}
