use std::process::{Command, Stdio};

use clap::CommandFactory;

use super::{all, date, pages, verbs};
use crate::cli::Cli;

fn visible(command: &clap::Command, found: &mut Vec<clap::Command>) {
    found.push(command.clone());
    verbs(command).for_each(|verb| visible(verb, found));
}

#[test]
fn every_verb_has_a_page_with_each_of_its_options() {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut commands = Vec::new();
    visible(&program, &mut commands);
    let pages = all("");
    assert_eq!(pages.len(), commands.len());
    for command in commands {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let page = pages.iter().find(|page| page.file == format!("{name}.1"));
        let text = page.map(|page| page.text.replace("\\-", "-")).unwrap();
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            if let Some(long) = arg.get_long() {
                assert!(text.contains(&format!("--{long}")), "{name}: --{long}");
            }
        }
        for section in ["NAME", "SYNOPSIS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT"] {
            let heading = [format!(".SH \"{section}\"\n"), format!(".SH {section}\n")];
            let there = heading.iter().any(|heading| text.contains(heading));
            assert!(there, "{name}: {section}");
        }
    }
}

#[test]
fn every_example_is_a_command_line() {
    for told in pages::PAGES {
        for (line, _) in told.examples {
            let words = line.trim_start_matches("sudo ").split(' ');
            let words: Vec<_> = words
                .take_while(|w| *w != ">" && !w.contains('$'))
                .collect();
            // A substitution is not a word that clap could take: the rest of such a line is not tried.
            let whole = !line.contains('$');
            let parsed = Cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok() || !whole, "{line}: {:?}", parsed.err());
        }
    }
}

#[test]
fn days() {
    for (seconds, day) in [
        ("0", "1970-01-01"),
        ("951782400", "2000-02-29"),
        ("1795855631", "2026-11-28"),
        ("4107542400", "2100-03-01"),
        ("-1", "1969-12-31"),
    ] {
        assert_eq!(date(Some(seconds.to_owned())), day);
    }
    assert_eq!(date(None), "");
}

/// By the two programs that show manual pages.
#[test]
fn man_and_mandoc_have_nothing_to_complain_of() {
    let dir = std::env::temp_dir().join(format!("bytehop-man-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let mut tried = Vec::new();
    let mut complaints = String::new();
    for page in all("2026-01-01") {
        let path = dir.join(&page.file);
        std::fs::write(&path, &page.text).unwrap();
        let checks: [(&str, &[&str]); 2] = [
            ("groff", &["-man", "-Tutf8", "-ww", "-rCHECKSTYLE=3"]),
            ("mandoc", &["-Tlint", "-Wwarning"]),
        ];
        for (program, options) in checks {
            let mut check = Command::new(program);
            check.args(options).arg(&path).stdin(Stdio::null());
            let Ok(output) = check.output() else { continue };
            tried.push(program);
            // groff has its complaints on standard error, mandoc -Tlint on standard output.
            complaints += &String::from_utf8_lossy(&output.stderr);
            if program == "mandoc" {
                complaints += &String::from_utf8_lossy(&output.stdout);
            }
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(complaints, "");
    for program in ["groff", "mandoc"] {
        if !tried.contains(&program)
            && let Some(log) = std::env::var_os("BYTEHOP_NOT_RUN")
        {
            use std::io::Write;
            let mut log = std::fs::File::options().append(true).open(log).unwrap();
            writeln!(log, "manual pages by {program}: it is not installed").unwrap();
        }
    }
}
