//! How values are said.

use crate::i18n::Lang;

/// Yes or no.
pub fn truth(lang: Lang, truth: bool) -> &'static str {
    match truth {
        true => yes(lang),
        false => no(lang),
    }
}

crate::messages! {
    yes: "yes" | "是";
    no: "no" | "否";
    semicolon: "; " | "；";
    measured_by(probes): "measured ({probes})" | "实测（{probes}）";
    inferred_by(rules): "inferred ({rules})" | "推断（{rules}）";
    estimated_by(methods): "estimated ({methods})" | "估计（{methods}）";
}

#[cfg(test)]
#[test]
fn every_message_is_whole() {
    for texts in [TABLE, super::Unread::TEXTS, crate::budget::NoSize::TEXTS] {
        assert_eq!(crate::i18n::problems(texts), [""; 0]);
    }
}
