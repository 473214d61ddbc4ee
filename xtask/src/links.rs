//! Links of the documents to each other: each leads to a file that there is, and to a heading in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::book::links::files;
use crate::workspace;

/// All Markdown at the root and below `docs`.
fn documents(root: &Path) -> Vec<PathBuf> {
    let top = fs::read_dir(root).expect("a folder");
    let top = top.map(|entry| entry.expect("an entry").path());
    let below = files(&root.join("docs")).expect("a folder");
    let is_one = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|end| end == "md");
    let mut found: Vec<PathBuf> = top.chain(below).filter(is_one).collect();
    found.sort();
    found
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Where its links lead, but for other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.split("](").skip(1);
    ends.filter_map(|rest| rest.split([')', ' ', '\n']).next())
        .filter(|link| !link.is_empty() && !link.contains(':'))
}

/// The names of headings, as GitHub and mdbook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// What is wrong with a link of `document`.
fn wrong(document: &Path, own: &str, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = document.parent().expect("a folder");
    let target = match path {
        "" => document.to_owned(),
        path => folder.join(path),
    };
    if !target.exists() {
        return Some("no such file".to_owned());
    }
    let is_page = target.extension().is_some_and(|end| end == "md");
    if anchor.is_empty() || !is_page {
        return None;
    }
    let text = match path {
        "" => own.to_owned(),
        _ => prose(&fs::read_to_string(target).expect("a document")),
    };
    (!anchors(&text).contains(anchor)).then(|| "no such heading".to_owned())
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = Vec::new();
    let mut all = 0;
    for document in documents(&workspace()) {
        let text = prose(&fs::read_to_string(&document).expect("a document"));
        for link in links(&text) {
            all += 1;
            if let Some(why) = wrong(&document, &text, link) {
                found.push(format!("{}: {link}: {why}", document.display()));
            }
        }
    }
    assert!(all > 100, "{all} links");
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_wrong_is_found() {
    let text = prose(
        "# One, two\n[a](x.md) `[b]`\n```\n[c](y.md)\n```\n[d](#one-two) [e](http://x) [f](#no)",
    );
    assert_eq!(
        links(&text).collect::<Vec<_>>(),
        ["x.md", "#one-two", "#no"]
    );
    let here = workspace().join("README.md");
    assert_eq!(wrong(&here, &text, "#one-two"), None);
    assert_eq!(wrong(&here, &text, "docs/top.md#json"), None);
    assert!(wrong(&here, &text, "#no").is_some());
    assert!(wrong(&here, &text, "x.md").is_some());
    assert!(wrong(&here, &text, "docs/top.md#nothing").is_some());
}
