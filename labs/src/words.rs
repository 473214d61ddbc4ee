//! What the labs say, in both languages.

use tracer::i18n::Lang;

/// Yes or no.
pub fn truth(lang: Lang, truth: bool) -> &'static str {
    match truth {
        true => yes(lang),
        false => no(lang),
    }
}

tracer::messages! {
    yes: "yes" | "是";
    no: "no" | "否";
    semicolon: "; " | "；";
    measured_alone: "measured" | "实测";
    measured_by(probes): "measured ({probes})" | "实测（{probes}）";
    inferred_by(rules): "inferred ({rules})" | "推断（{rules}）";
    estimated_by(methods): "estimated ({methods})" | "估计（{methods}）";
    rule(name, text): "`{name}`: {text}" | "`{name}`：{text}";
    hint(n, of): "Hint {n} of {of}" | "提示 {n}/{of}";
    next_lab(id): "`bytehop lab {id}`" | "`bytehop lab {id}`";
    all_labs: "`bytehop lab list`" | "`bytehop lab list`";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(tracer::i18n::problems(TABLE), [""; 0]);
    }
}
