//! `bytehop lab lint`: what is wrong with labs.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use bytehop_core::i18n::{Lang, Say};
use labs::lab::{self as catalogue, Lab};
use labs::lint::{self, words};
use labs::work::Work;
use labs::{compile, guide};
use tracer::user::Identity;

use crate::fail::{FAILED, Fail, Trouble};
use crate::output::{complain, print};

pub fn lint(dir: Option<&Path>, bless: bool, lang: Lang) -> Result<i32, Fail> {
    let (mut labs, mut errors) = match dir {
        Some(dir) => catalogue::in_folder(dir)?,
        None => catalogue::bundled(),
    };
    // A folder may itself be one lab.
    if let Some(dir) = dir.filter(|dir| dir.join("lab.toml").is_file()) {
        (labs, errors) = match Lab::open(dir) {
            Ok(lab) => (vec![lab], Vec::new()),
            Err(e) => (Vec::new(), vec![e]),
        };
    }
    if let Some(dir) = dir.filter(|_| bless) {
        for lab in &mut labs {
            let folder = match dir.join("lab.toml").is_file() {
                true => dir.to_owned(),
                false => dir.join(&lab.id),
            };
            let blessed = guide::bless(&folder);
            blessed.map_err(|e| Fail::new(FAILED, Trouble::Guide(e)))?;
            *lab = Lab::open(&folder)?;
        }
    }
    let (bundled, _) = catalogue::bundled();
    let ids: BTreeSet<&str> = bundled
        .iter()
        .chain(&labs)
        .map(|lab| lab.id.as_str())
        .collect();
    let mut problems: Vec<String> = errors.iter().map(|e| e.say(lang)).collect();
    for lab in &labs {
        problems.extend(lint::lint(lab, &ids, lang));
    }
    problems.extend(lint_c(&labs, lang)?);
    if labs.is_empty() && problems.is_empty() {
        problems.push(words::no_lab_found(lang).to_owned());
    }
    let mut text = problems.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    print(&text)?;
    let _ = io::stdout().flush();
    Ok(i32::from(!problems.is_empty()))
}

/// Compiles what labs have in C, with the learner's rights; what the compiler says.
fn lint_c(labs: &[Lab], lang: Lang) -> Result<Vec<String>, Fail> {
    let failed = |e: io::Error| Fail::new(FAILED, Trouble::CompileC(e));
    let identity = Identity::invoking()?;
    if !compile::is_there(&identity) {
        complain(words::no_c_compiler(lang));
        return Ok(Vec::new());
    }
    let dir = identity
        .with_file_rights(tempfile::tempdir)
        .map_err(failed)?;
    let mut work = Work::locate(Some(dir.path()), &identity);
    work.owner.bytehop = Some(std::env::current_exe().map_err(failed)?);
    let mut problems = Vec::new();
    for lab in labs {
        problems.extend(work.read_c(lab)?);
    }
    Ok(problems)
}
