//! `bytehop man`: manual pages, from the same definitions as the command line.
//!
//! What the definitions don't tell (examples, files, environment) stands in [`pages`].

mod pages;
mod roff;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::cli::{self, Cli};
use crate::fail::{Fail, Trouble, USAGE};
use crate::output::print;
use roff::Roff;

/// The section of commands.
const SECTION: &str = "1";
const MANUAL: &str = "bytehop manual";

pub fn man(args: &cli::Man) -> Result<i32, Fail> {
    let pages = all(&date(std::env::var("SOURCE_DATE_EPOCH").ok()));
    let Some(dir) = &args.dir else {
        let names: Vec<_> = pages.iter().map(|page| page.file.as_str()).collect();
        return match pages.iter().find(|page| page.is(&args.page)) {
            Some(page) => print(&page.text).map(|()| 0),
            None => Err(Fail::new(
                USAGE,
                Trouble::NoPage(args.page.clone(), names.join(", ")),
            )),
        };
    };
    let failed = |path: &Path, e| Fail::new(USAGE, Trouble::Write(path.to_owned(), e));
    fs::create_dir_all(dir).map_err(|e| failed(dir, e))?;
    for page in &pages {
        let path = dir.join(&page.file);
        fs::write(&path, &page.text).map_err(|e| failed(&path, e))?;
    }
    Ok(0)
}

/// A manual page.
struct Page {
    /// `bytehop-run.1`
    file: String,
    text: String,
}

impl Page {
    /// By its name, with or without the program's, as `git help` takes it.
    fn is(&self, name: &str) -> bool {
        let own = self.file.trim_end_matches(".1");
        own == name || own.strip_prefix("bytehop-") == Some(name)
    }
}

/// One page for the program, one for each verb that is for people, and for theirs.
fn all(date: &str) -> Vec<Page> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    add(&program, date, &mut pages);
    pages
}

fn add(command: &Command, date: &str, pages: &mut Vec<Page>) {
    pages.push(page(command, date));
    for verb in verbs(command) {
        add(verb, date, pages);
    }
}

/// The verbs that are not hidden.
fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set())
}

fn page(command: &Command, date: &str) -> Page {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Roff::new();
    let source = format!("bytehop {}", env!("CARGO_PKG_VERSION"));
    page.title([&name.to_uppercase(), SECTION, date, &source, MANUAL]);
    page.section("NAME");
    let about = command.get_about().map(ToString::to_string);
    page.text(&format!(
        "{name} - {}",
        one_line(&about.unwrap_or_default())
    ));
    // Into memory: nothing can fail.
    let _ = man.render_synopsis_section(&mut page);
    let _ = man.render_description_section(&mut page);
    let told = pages::of(name);
    for paragraph in told.iter().flat_map(|told| told.more) {
        page.paragraph(paragraph);
    }
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        let _ = man.render_options_section(&mut page);
    }
    if verbs(command).next().is_some() {
        page.section("VERBS");
        for verb in verbs(command) {
            let name = verb.get_display_name().unwrap_or(verb.get_name());
            let about = verb.get_about().map(ToString::to_string);
            page.item(&format!("{name}({SECTION})"), &about.unwrap_or_default());
        }
    }
    if let Some(told) = told {
        page.section("EXAMPLES");
        for (line, what) in told.examples {
            page.example(line, what);
        }
        page.section("EXIT STATUS");
        for (status, what) in pages::STATUS.iter().filter(|(s, _)| told.ends_with(s)) {
            page.item(status, what);
        }
        page.section("FILES");
        for (file, what) in told.files.iter().chain(pages::FILES) {
            page.item(file, what);
        }
        page.section("ENVIRONMENT");
        for (variable, what) in pages::ENVIRONMENT.iter().chain(told.environment) {
            page.item(variable, what);
        }
    }
    page.section("SEE ALSO");
    page.text(&see_also(name));
    Page {
        file: format!("{name}.{SECTION}"),
        text: page.finish(),
    }
}

/// The page of the program refers to all others by itself.
fn see_also(name: &str) -> String {
    match name.rsplit_once('-') {
        Some((above, _)) => format!("{above}({SECTION}), https://docs.kernel.org/bpf/"),
        None => format!("strace({SECTION}), perf({SECTION}), bpf(2), capabilities(7)"),
    }
}

/// A first line is what `whatis` shows.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The day of a time in seconds since 1970, for the foot of a page; none if no time is given, so that the
/// same sources give the same page.
fn date(epoch: Option<String>) -> String {
    let Some(seconds) = epoch.and_then(|text| text.parse::<i64>().ok()) else {
        return String::new();
    };
    // The civil calendar counted from 0000-03-01, where the leap day ends a year, in eras of 400 years.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, turn) = match month {
        0..10 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    format!("{:04}-{month:02}-{of_month:02}", era * 400 + year + turn)
}
