//! A run for a bug report: what was run, where its bytes went, what is not known.

use super::printable;
use crate::i18n::Lang;
use crate::model::{HopKind, HopRow, Summary};
use crate::report::text::crossed;
use crate::report::{ledger, words};
use crate::units;

mod headings {
    crate::messages! {
        title: "Where the bytes went" | "字节去了哪里";
        command: "command" | "命令";
        machine: "machine" | "机器";
        run: "run" | "运行";
        hops: "Hops" | "搬运";
        kind: "kind" | "种类";
        from: "from" | "从";
        to: "to" | "到";
        operations: "operations" | "次数";
        evidence: "evidence" | "依据";
        calls: "System calls" | "系统调用";
        call: "call" | "调用";
        account: "Account" | "账目";
        unknown: "Not complete" | "不完整之处";
        made_by(version): "Made by bytehop {version}." | "由 bytehop {version} 生成。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// The summary as GitHub's Markdown.
pub fn markdown(summary: &Summary, lang: Lang) -> String {
    let mut out = format!("## {}\n\n", headings::title(lang));
    let command = match summary.command.is_empty() {
        true => words::attached(lang).to_owned(),
        false => code(&summary.command.join(" ")),
    };
    out += &format!("- {}{}{command}\n", headings::command(lang), lang.colon());
    out += &format!(
        "- {}{}Linux {}\n",
        headings::machine(lang),
        lang.colon(),
        [
            text(&summary.kernel),
            text(&summary.arch),
            words::level(lang, text(&summary.level)),
        ]
        .join(lang.comma()),
    );
    let time = units::time(summary.duration_ns);
    let end = match summary.exit_status {
        Some(code) => words::exit_in(lang, code, time),
        None => words::end_not_seen(lang, time),
    };
    let crossings = words::crossings_short(lang, crossed(summary));
    out += &format!(
        "- {}{}{end}{}{crossings}\n",
        headings::run(lang),
        lang.colon(),
        lang.of(&["; ", "；"])
    );
    for sentence in summary.ledger.sentences(lang) {
        out += &format!(
            "- {}{}{}\n",
            headings::account(lang),
            lang.colon(),
            text(&sentence)
        );
    }
    out += &format!("\n### {}\n\n", headings::hops(lang));
    out += &table(
        [
            headings::kind(lang),
            headings::from(lang),
            headings::to(lang),
            words::column_bytes(lang),
            headings::operations(lang),
            headings::evidence(lang),
        ],
        summary.hops.iter().map(|row| hop(row, lang)),
    );
    out += &format!("\n### {}\n\n", headings::calls(lang));
    out += &table(
        [
            headings::call(lang),
            words::column_calls(lang),
            words::column_errors(lang),
            words::column_bytes(lang),
            words::column_time(lang),
        ],
        summary.syscalls.iter().map(|row| {
            [
                text(&row.name),
                row.calls.to_string(),
                row.errors.to_string(),
                row.bytes.to_string(),
                units::time(row.time_ns),
            ]
        }),
    );
    let mut missing: Vec<String> = Vec::new();
    if summary.lost_events > 0 {
        missing.push(words::lost(lang, summary.lost_events));
    }
    missing.extend(
        summary
            .warnings
            .iter()
            .map(|warning| text(&warning.words(lang))),
    );
    if !missing.is_empty() {
        out += &format!("\n### {}\n\n", headings::unknown(lang));
        missing
            .iter()
            .for_each(|line| out += &format!("- {line}\n"));
    }
    out += &format!("\n{}\n", headings::made_by(lang, text(&summary.bytehop)));
    out
}

fn hop(row: &HopRow, lang: Lang) -> [String; 6] {
    let mut evidence = format!(
        "{} {}",
        ledger::evidence(row, lang),
        code(row.evidence.by())
    );
    if row.deferred {
        evidence += &format!(" · {}", crate::terms::later(lang));
    }
    if row.kind == HopKind::Dma {
        evidence += &format!(" · {}", ledger::engine(row, lang, true));
    }
    [
        ledger::kind(row, lang).to_owned(),
        text(ledger::place(&row.from, lang)),
        text(ledger::place(&row.to, lang)),
        row.bytes.to_string(),
        row.count.to_string(),
        evidence,
    ]
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(N));
    for row in rows {
        out += &format!("| {} |\n", row.join(" | "));
    }
    out
}

/// `text` as it is: nothing in it is markup.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if printable(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

/// `text` as code, in a table, too.
fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if printable(c) { c } else { '\u{fffd}' })
        .collect();
    let text = text.replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match text.starts_with('`') || text.ends_with('`') {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}
