//! Every bundled lab can be read and is whole.

use std::collections::BTreeSet;

use bytehop_core::{advise, probes, rules};
use labs::{lab, lint};

#[test]
fn bundled_labs_are_whole() {
    let (labs, errors) = lab::bundled();
    let mut problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let ids: BTreeSet<&str> = labs.iter().map(|lab| lab.id.as_str()).collect();
    assert!(!ids.is_empty(), "no lab is bundled");
    for lab in &labs {
        problems.extend(lint::lint(lab, &ids));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn labs_that_rules_and_probes_name_are_there() {
    let (labs, _) = lab::bundled();
    let named = rules::all()
        .map(|(name, ..)| name)
        .chain(probes::TABLE.iter().map(|probe| probe.label))
        .filter_map(|by| Some((by, advise::lab(by)?)));
    let named: Vec<_> = named.collect();
    assert!(named.len() > 20, "{named:?}");
    for (by, id) in named {
        assert!(labs.iter().any(|lab| lab.id == id), "{by}: no lab {id}");
    }
}
