//! Advice as text.

use serde_json::{Value, json};

use super::layout::{Flow, Page, Paint, span};
use super::section::{plain, section};
use super::{Detail, Style};
use crate::advise::Advised;
use crate::units;

mod words {
    crate::messages! {
        how: "how" | "怎样改";
        but: "but" | "注意";
        saves: "saves" | "可省去";
        copied(bytes): "up to {bytes} copied by the CPU" | "最多 {bytes} 的 CPU 拷贝";
        zeroed(bytes): "up to {bytes} zeroed by the CPU" | "最多 {bytes} 的清零";
        crossings(n): "up to {n} crossings" | "最多 {n} 次特权级切换";
        left_out: "not advised" | "不作建议";
        where_is: "where" | "位置";
        in_program(name): "in {name}" | "程序 {name}";
        lab: "lab" | "实验";
        nothing: "Nothing worth changing: no copy or crossing of this run stands out." | "没有值得改的地方：这次运行没有突出的拷贝或切换。";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
    }
}

/// The advice as JSON, schema 1.
pub fn advice_json(advised: &Advised) -> Value {
    json!({ "schema": 1, "advice": advised.advice, "left_out": advised.left_out })
}

/// Advice, what saves most first; quiet: what was seen, and what could be saved.
pub fn advice(advised: &Advised, style: &Style) -> String {
    let all = &advised.advice;
    let lang = style.lang;
    let mut page = Page::new(style);
    if all.is_empty() {
        page.line(&[], plain(words::nothing(lang)), 0);
    }
    for (i, advice) in all.iter().enumerate() {
        page.blank();
        let number = span(format!(" {}. ", i + 1), Paint::Strong);
        page.line(&[number], Flow::words(&advice.seen, Paint::Strong), 4);
        let mut saves = Vec::new();
        if advice.saves_copied > 0 {
            saves.push(plain(words::copied(
                lang,
                units::bytes(advice.saves_copied),
            )));
        }
        if advice.saves_zeroed > 0 {
            saves.push(plain(words::zeroed(
                lang,
                units::bytes(advice.saves_zeroed),
            )));
        }
        if advice.saves_crossings > 0 {
            saves.push(plain(words::crossings(
                lang,
                units::count(advice.saves_crossings),
            )));
        }
        let quiet = style.detail == Detail::Quiet;
        if !quiet {
            section(&mut page, words::how(lang), plain(&advice.how));
        }
        if !saves.is_empty() {
            section(&mut page, words::saves(lang), Flow::join(saves, " ·"));
        }
        if quiet {
            continue;
        }
        section(&mut page, words::but(lang), plain(&advice.unless));
        let line = advice.file.as_ref().zip(advice.line);
        let line = line.map(|(file, line)| Flow::solid(format!("{file}:{line}"), Paint::Plain));
        let program = advice.program.as_deref();
        let program = program.map(|name| plain(words::in_program(lang, name)));
        let place: Vec<Flow> = [line, program].into_iter().flatten().collect();
        if !place.is_empty() {
            section(&mut page, words::where_is(lang), Flow::join(place, " ·"));
        }
        let lab = Flow::solid(format!("bytehop lab {}", advice.lab), Paint::Quiet);
        section(
            &mut page,
            words::lab(lang),
            lab.then(Flow::solid(format!("({})", advice.rule), Paint::Quiet)),
        );
    }
    let left_out = match style.detail {
        Detail::Quiet => &[][..],
        _ => &advised.left_out,
    };
    if !left_out.is_empty() {
        page.blank();
    }
    for text in left_out {
        section(&mut page, words::left_out(lang), plain(text));
    }
    page.finish()
}
