//! Verdicts on budgets: a line each, JSON, and JUnit XML for CI.

use serde_json::{Value, json};

use super::Style;
use super::layout::clean;
use crate::budget::{Doubt, Outcome, Verdict};
use crate::expr::value;
use crate::i18n::{Lang, Say};
use crate::notice;
use crate::units;

mod words {
    crate::messages! {
        broken(budget): "budget broken: {budget}" | "超出预算：{budget}";
        unknown(budget): "budget not judged: {budget}" | "无法判断预算：{budget}";
        came(left, right): ": came {left}, against {right}" | "：实为 {left}，对照 {right}";
        most(share, file, line): "; {share} of it at {file}:{line}" | "；其中 {share} 来自 {file}:{line}";
        lost: ": events were lost, and with them it might have come out differently" | "：丢失了事件，补上后结论可能不同";
        unmeasured(hook): ": {hook} was not attached" | "：{hook} 没有挂载";
        no_file(path, why): ": the size of {path} is not known: {why}" | "：不知道 {path} 的大小：{why}";
        held[n]: "{n} budget holds" / "all {n} budgets hold" | "{n} 条预算全部满足";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// One line for a budget that does not hold; nothing for one that does.
pub fn budget(verdict: &Verdict, style: &Style) -> Option<String> {
    let lang = style.lang;
    let mut line = match &verdict.outcome {
        Outcome::Held => return None,
        Outcome::Broken => words::broken(lang, &verdict.text),
        Outcome::Unknown(_) => words::unknown(lang, &verdict.text),
    };
    if let Some((left, right)) = &verdict.sides {
        line += &words::came(lang, exact(left, lang), exact(right, lang));
    }
    line += &match &verdict.outcome {
        Outcome::Held | Outcome::Broken => String::new(),
        Outcome::Unknown(Doubt::Lost) => words::lost(lang).to_owned(),
        Outcome::Unknown(Doubt::Unmeasured(hook)) => {
            words::unmeasured(lang, notice::hook(hook, lang))
        }
        Outcome::Unknown(Doubt::NoFile(path, why)) => words::no_file(lang, path, why.say(lang)),
    };
    if let Some(culprit) = &verdict.culprit {
        let share = format!("{:.0}%", culprit.share * 100.0);
        line += &words::most(lang, share, &culprit.file, culprit.line);
    }
    Some(clean(&line, style.ascii))
}

/// That all of them hold.
pub fn budgets_hold(n: usize, lang: Lang) -> String {
    words::held(lang, n as u64)
}

/// With all digits where rounding would hide by how little a budget broke.
fn exact(value: &value::Value, lang: Lang) -> String {
    let shown = value.marked(None, lang);
    let bytes = value.number.round().max(0.0) as u64;
    match value.unit {
        value::Unit::Bytes if bytes >= 1024 => format!("{shown} ({} B)", units::count(bytes)),
        _ => shown,
    }
}

/// The verdicts as JSON.
pub fn budgets_json(verdicts: &[Verdict]) -> Value {
    let rows = verdicts.iter().map(|verdict| {
        let mut row = json!({
            "expect": verdict.text,
            "outcome": match verdict.outcome {
                Outcome::Held => "held",
                Outcome::Broken => "broken",
                Outcome::Unknown(_) => "unknown",
            },
        });
        if let Some((left, right)) = &verdict.sides {
            row["came"] = number(left.number);
            row["against"] = number(right.number);
        }
        if let Some(culprit) = &verdict.culprit {
            row["most_at"] = json!(culprit);
        }
        if matches!(verdict.outcome, Outcome::Unknown(_)) {
            row["why"] = json!(budget(verdict, &Style::default()));
        }
        row
    });
    Value::Array(rows.collect())
}

/// Counts and bytes are whole.
fn number(n: f64) -> Value {
    match n.fract() == 0.0 && (0.0..9e15).contains(&n) {
        true => json!(n as u64),
        false => json!(n),
    }
}

/// The verdicts as a test suite in JUnit's XML: `name` is the command, `seconds` how long it ran.
pub fn junit(verdicts: &[Verdict], name: &str, seconds: f64, lang: Lang) -> String {
    let style = Style {
        lang,
        ..Style::default()
    };
    let count = |wanted: fn(&Outcome) -> bool| {
        let all = verdicts.iter();
        all.filter(|verdict| wanted(&verdict.outcome)).count()
    };
    let failures = count(|outcome| *outcome == Outcome::Broken);
    let errors = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    let sums = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.6}\"",
        verdicts.len()
    );
    let name = escape(name);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {sums}>\n  <testsuite name=\"bytehop: {name}\" skipped=\"0\" {sums}>\n"
    );
    for verdict in verdicts {
        let mut case = format!(
            "    <testcase classname=\"bytehop.budget\" name=\"{}\" time=\"0\"",
            escape(&verdict.text)
        );
        if let Some(culprit) = &verdict.culprit {
            case += &format!(
                " file=\"{}\" line=\"{}\"",
                escape(&culprit.file),
                culprit.line
            );
        }
        let element = match verdict.outcome {
            Outcome::Unknown(_) => "error",
            _ => "failure",
        };
        xml += &match budget(verdict, &style) {
            None => case + "/>\n",
            Some(line) => format!(
                "{case}>\n      <{element} type=\"budget\" message=\"{0}\">{0}</{element}>\n    </testcase>\n",
                escape(&line)
            ),
        };
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

/// Text in XML 1.0, which has no way to say most control characters.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Culprit;
    use crate::expr::value::{Unit, Value};

    fn broken() -> Verdict {
        Verdict {
            text: "copy page_cache->user <= 2 * size(a&b)".to_owned(),
            outcome: Outcome::Broken,
            sides: Some((
                Value::new(2_097_153.0, Unit::Bytes),
                Value::new(2_097_152.0, Unit::Bytes),
            )),
            culprit: Some(Culprit {
                file: "src/copy.c".to_owned(),
                line: 31,
                share: 0.997,
            }),
        }
    }

    #[test]
    fn a_line_says_what_came_and_where() {
        let style = |lang, ascii| Style {
            lang,
            ascii,
            ..Style::default()
        };
        assert_eq!(
            budget(&broken(), &style(Lang::En, true)).expect("a line"),
            "budget broken: copy page_cache->user <= 2 * size(a&b): came 2.00 MiB (2,097,153 B), against 2.00 MiB (2,097,152 B); 100% of it at src/copy.c:31"
        );
        assert_eq!(
            budget(&broken(), &style(Lang::Zh, false)).expect("a line"),
            "超出预算：copy page_cache->user <= 2 * size(a&b)：实为 2.00 MiB (2,097,153 B)，对照 2.00 MiB (2,097,152 B)；其中 100% 来自 src/copy.c:31"
        );
    }

    #[test]
    fn junit_is_escaped_and_counts() {
        let held = Verdict {
            outcome: Outcome::Held,
            culprit: None,
            ..broken()
        };
        let unknown = Verdict {
            outcome: Outcome::Unknown(Doubt::Lost),
            ..held.clone()
        };
        let xml = junit(&[broken(), held, unknown], "cp \"a\"\u{1b}", 0.25, Lang::En);
        assert!(xml.contains("tests=\"3\" failures=\"1\" errors=\"1\" time=\"0.250000\""));
        assert!(xml.contains("name=\"bytehop: cp &quot;a&quot;\u{fffd}\""));
        assert!(xml.contains("page_cache-&gt;user &lt;= 2 * size(a&amp;b)"));
        assert_eq!(xml.matches("<testcase").count(), 3);
        assert_eq!(xml.matches("<failure").count(), 1);
        assert_eq!(xml.matches("<error").count(), 1);
    }
}
