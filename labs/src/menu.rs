//! The list of labs, as text.

use bytehop_core::report::Style;
use unicode_width::UnicodeWidthStr;

use crate::guide::Step;
use crate::lab::Lab;
use crate::progress::{Progress, State};
use crate::words;

/// How far a lab is, in one mark and in words.
pub fn mark(state: &State, style: &Style) -> (&'static str, String) {
    let step = Step::ALL
        .get(state.step as usize)
        .copied()
        .unwrap_or_default();
    match (state.solved, state.step) {
        (true, _) => ("[x]", Step::Check.title(style.lang).to_owned()),
        (false, 0) if state.answers.is_empty() => ("[ ]", String::new()),
        (false, _) => ("[~]", step.title(style.lang).to_owned()),
    }
}

/// All labs, one a line.
pub fn text(labs: &[Lab], progress: &Progress, style: &Style) -> String {
    let lang = style.lang;
    let solved = labs
        .iter()
        .filter(|lab| progress.of(&lab.id).solved)
        .count();
    let mut out = format!(
        "{}  {}\n\n",
        words::labs(lang),
        words::solved_all(lang, solved, labs.len())
    );
    let ids = labs.iter().map(|lab| lab.id.width()).max().unwrap_or(0);
    for lab in labs {
        let (mark, _) = mark(&progress.of(&lab.id), style);
        let gap = " ".repeat(ids - lab.id.width());
        let title = lab.spec.title.get(lang);
        let summary = lab.spec.summary.get(lang);
        out += &format!("  {mark} {}{gap}  {title}\n", lab.id);
        let indent = 8 + ids;
        for line in crate::markdown::render(summary, style.width.saturating_sub(indent)) {
            let text: String = line.iter().map(|span| span.text.as_str()).collect();
            out += &format!("{}{text}\n", " ".repeat(indent));
        }
    }
    out
}
