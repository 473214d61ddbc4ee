//! Every bundled lab can be read and is whole.

use std::collections::BTreeSet;

use bytehop_core::advise;
use bytehop_core::catalogue::{RuleId, probes};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Evidence;
use labs::{lab, lint};

#[test]
fn bundled_labs_are_whole() {
    let (labs, errors) = lab::bundled();
    let mut problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let ids: BTreeSet<&str> = labs.iter().map(|lab| lab.id.as_str()).collect();
    assert!(!ids.is_empty(), "no lab is bundled");
    for lab in &labs {
        problems.extend(lint::lint(lab, &ids, Lang::En));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn labs_that_rules_and_probes_name_are_there() {
    let (labs, _) = lab::bundled();
    let rules = RuleId::ALL.iter().map(|rule| Evidence::Inferred(*rule));
    let probes = probes::TABLE
        .iter()
        .map(|probe| Evidence::tracepoint(probe.id));
    let named = rules.chain(probes);
    let named = named.filter_map(|evidence| Some((evidence.by(), advise::lab(evidence)?)));
    let named: Vec<_> = named.collect();
    assert!(named.len() > 20, "{named:?}");
    for (by, id) in named {
        assert!(labs.iter().any(|lab| lab.id == id), "{by}: no lab {id}");
    }
}
