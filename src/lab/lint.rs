//! `bytehop lab lint`: what is wrong with labs.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use labs::lab::{self as catalogue, Lab};
use labs::{guide, lint};

use crate::fail::{FAILED, Fail, Trouble};
use crate::output::print;

pub fn lint(dir: Option<&Path>, bless: bool) -> Result<i32, Fail> {
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
    let mut problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for lab in &labs {
        problems.extend(lint::lint(lab, &ids));
    }
    if labs.is_empty() && problems.is_empty() {
        problems.push("no lab.toml was found".to_owned());
    }
    let mut text = problems.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    print(&text)?;
    let _ = io::stdout().flush();
    Ok(i32::from(!problems.is_empty()))
}
