//! Every bundled lab can be read and is whole.

use std::collections::BTreeSet;

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
