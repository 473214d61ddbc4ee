//! The screens of the labs, as a function of the model and its size.

use labs::guide::Step;
use labs::markdown::{self, Line, Look as Face, Span};
use labs::session::Origin;
use labs::{page, words as texts};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::model::{Confirm, GUIDE, Labs, Open, Said, path_area};
use crate::draw::{frame, put};
use crate::look::Look;
use crate::text::{fit, width};
use crate::theme::Paint;
use crate::view;
use crate::words;

/// The smallest screen that everything fits on.
pub const MIN: (u16, u16) = (60, 22);
/// Cells of a line that reads well.
const LINE: u16 = 96;

/// Draws the screen.
pub fn draw(labs: &Labs, buf: &mut Buffer) {
    let area = buf.area;
    if area.width < MIN.0 || area.height < MIN.1 {
        let text = words::lab_small(labs.look.lang, MIN.0, MIN.1);
        let lines = crate::text::wrap(&text, usize::from(area.width));
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            put(buf, area.x, y, area.right(), &line, Style::new());
        }
        return;
    }
    match &labs.open {
        None => menu(labs, buf),
        Some(open) => lab(labs, open, buf),
    }
    footer(labs, buf);
    if labs.help {
        help(labs, buf);
    }
}

fn menu(labs: &Labs, buf: &mut Buffer) {
    let (lang, theme) = (labs.look.lang, labs.look.theme);
    let area = buf.area;
    let solved = labs.states.iter().filter(|state| state.solved).count();
    let right = words::lab_solved(lang, solved, labs.labs.len());
    title(
        labs,
        buf,
        &[(words::lab_title(lang).to_owned(), Paint::Strong)],
        &right,
    );
    // The summary of the chosen one is below the list.
    let below = 4;
    let rows = usize::from(area.height.saturating_sub(4 + below));
    let from = (labs.at + 1).saturating_sub(rows);
    let ids = labs
        .labs
        .iter()
        .map(|lab| width(&lab.id))
        .max()
        .unwrap_or(0);
    for (i, lab) in labs.labs.iter().enumerate().skip(from).take(rows) {
        let y = area.y + 2 + (i - from) as u16;
        let state = labs.states.get(i).cloned().unwrap_or_default();
        let mark = match (state.solved, state.step > 0 || !state.answers.is_empty()) {
            (true, _) => "[x]",
            (false, true) => "[~]",
            (false, false) => "[ ]",
        };
        let chosen = i == labs.at;
        let pointer = match (chosen, labs.look.ascii) {
            (true, false) => "▸",
            (true, true) => ">",
            (false, _) => " ",
        };
        let id = crate::text::pad(&lab.id, ids, labs.look.ascii);
        let line = format!(" {pointer} {mark} {id}  {}", lab.spec.title.get(lang));
        let style = theme.style(if chosen { Paint::Current } else { Paint::Text });
        let line = match chosen {
            true => crate::text::pad(&line, usize::from(area.width), labs.look.ascii),
            false => line,
        };
        put(buf, area.x, y, area.right(), &line, style);
    }
    let list = Rect::new(area.x, area.y + 2, area.width, rows as u16);
    more(labs, buf, list, from > 0, from + rows < labs.labs.len());
    if let Some(lab) = labs.labs.get(labs.at) {
        let y = area.bottom() - 1 - below;
        rule(labs, buf, y);
        let wide = usize::from(area.width.min(LINE)).saturating_sub(2);
        let lines = markdown::render(lab.spec.summary.get(lang), wide);
        let room = Rect::new(area.x + 1, y + 1, area.width - 1, below - 2);
        paint(labs, buf, room, &lines, 0);
        if let Some(why) = labs.replay.as_ref().filter(|why| !why.is_empty()) {
            let text = words::lab_replay_why(lang, why);
            let text = fit(&text, usize::from(area.width) - 2, labs.look.ascii);
            put(
                buf,
                area.x + 1,
                area.bottom() - 2,
                area.right(),
                &text,
                theme.style(Paint::Warning),
            );
        }
    }
}

fn lab(labs: &Labs, open: &Open, buf: &mut Buffer) {
    let lang = labs.look.lang;
    let mut pieces = vec![(
        format!("{}  ", open.lab().spec.title.get(lang)),
        Paint::Strong,
    )];
    for step in Step::ALL {
        let paint = if step == open.step {
            Paint::Current
        } else {
            Paint::Dim
        };
        let text = format!(" {} {} ", step as usize + 1, step.title(lang));
        pieces.push((text, paint));
    }
    let right = match (recorded(labs, open), open.solved) {
        (true, true) => format!("{} [x]", words::lab_replay(lang)),
        (true, false) => words::lab_replay(lang).to_owned(),
        (false, true) => "[x]".to_owned(),
        (false, false) => String::new(),
    };
    title(labs, buf, &pieces, &right);
    let screen = buf.area;
    let body = Rect::new(screen.x, screen.y + 1, screen.width, screen.height - 2);
    match open.step {
        Step::Observe if open.path.is_some() => observe(labs, open, buf, body),
        Step::Predict if open.is_typing() => {
            let (above, below) = (body.height - 6, 6);
            text(
                labs,
                open,
                buf,
                Rect {
                    height: above,
                    ..body
                },
            );
            let below = Rect::new(body.x, body.y + above, body.width, below);
            question(labs, open, buf, below);
        }
        _ => text(labs, open, buf, body),
    }
}

/// Whether what is shown comes from recordings, and not from runs on this machine.
fn recorded(labs: &Labs, open: &Open) -> bool {
    let is_recorded = |name: &str| {
        let origin = open.session.origins.get(name);
        matches!(origin, Some(Origin::Recorded(_)))
    };
    let programs = &open.lab().spec.programs;
    labs.replay.is_some()
        || match open.step {
            Step::Observe => programs
                .get(open.program)
                .is_some_and(|p| is_recorded(&p.name)),
            Step::Explain => programs.iter().any(|p| is_recorded(&p.name)),
            Step::Predict | Step::Change | Step::Check => false,
        }
}

/// The path, and the guide beside it where there is room.
fn observe(labs: &Labs, open: &Open, buf: &mut Buffer, body: Rect) {
    let area = path_area((buf.area.width, buf.area.height), open.guide);
    if area.width == 0 {
        return text(labs, open, buf, body);
    }
    if open.guide {
        let beside = Rect {
            width: GUIDE - 1,
            ..body
        };
        text(labs, open, buf, beside);
        for y in body.y..body.bottom() {
            let bar = if labs.look.ascii { "|" } else { "│" };
            put(
                buf,
                GUIDE - 1,
                y,
                GUIDE,
                bar,
                labs.look.theme.style(Paint::Border),
            );
        }
    }
    let Some(path) = &open.path else {
        return;
    };
    let mut inner = Buffer::empty(Rect::new(0, 0, area.width, area.height));
    view::draw(path, &mut inner);
    for y in 0..area.height {
        for x in 0..area.width {
            if let (Some(to), Some(from)) =
                (buf.cell_mut((area.x + x, area.y + y)), inner.cell((x, y)))
            {
                *to = from.clone();
            }
        }
    }
}

/// What a step shows, as Markdown.
fn document(labs: &Labs, open: &Open) -> String {
    let lang = labs.look.lang;
    let session = &open.session;
    match open.step {
        Step::Predict => page::predict(session),
        Step::Observe => page::observe(session),
        Step::Explain => page::explain(session),
        Step::Change => {
            let mut text = page::change(session);
            if let Some((who, said)) = &open.said {
                let title = match who {
                    Said::NotBuilt => texts::cannot_build(lang),
                    Said::NotChecked => texts::not_checked(lang),
                    Said::Errors => texts::errors(lang),
                };
                text += &format!("\n\n**{title}**\n\n```\n{said}\n```\n");
            }
            if let Some(outcome) = outcome(labs, open) {
                text += &format!("\n\n{outcome}\n");
            }
            for hint in &open.hints {
                text += &format!("\n\n{hint}\n");
            }
            text
        }
        Step::Check => {
            let mut text = String::new();
            match outcome(labs, open) {
                Some(outcome) => text += &format!("{outcome}\n\n"),
                None if labs.replay.is_some() => text += words::lab_not_replayed(lang),
                None if open.solved => text += words::lab_solved_before(lang),
                None => text += words::lab_unsolved(lang),
            }
            if open.solved || open.solution || labs.replay.is_some() {
                text += &page::check(session, open.solution);
            }
            text
        }
    }
}

/// A check's result, in the language of the moment.
fn outcome(labs: &Labs, open: &Open) -> Option<String> {
    let outcome = open.outcome.as_ref()?;
    let run = open.session.last.as_ref()?;
    let again = open.session.judge(run, outcome.output);
    Some(match labs.replay {
        Some(_) => page::recorded_outcome(&open.session, &again),
        None => page::outcome(&open.session, &again),
    })
}

fn text(labs: &Labs, open: &Open, buf: &mut Buffer, area: Rect) {
    let area = Rect::new(
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        area.height,
    );
    let lines = markdown::render(&document(labs, open), usize::from(area.width.min(LINE)));
    let height = usize::from(area.height);
    open.rows.set((lines.len(), height));
    let from = open.scroll.min(lines.len().saturating_sub(height));
    paint(labs, buf, area, &lines, from);
    let beside = Rect {
        width: area.width + 1,
        ..area
    };
    more(labs, buf, beside, from > 0, from + height < lines.len());
}

/// That there is more above, more below: at the right edge.
fn more(labs: &Labs, buf: &mut Buffer, area: Rect, above: bool, below: bool) {
    let theme = labs.look.theme.style(Paint::Key);
    let (up, down) = match labs.look.ascii {
        true => ("^", "v"),
        false => ("▲", "▼"),
    };
    let x = area.right().saturating_sub(1);
    if above {
        put(buf, x, area.y, area.right(), up, theme);
    }
    if below {
        put(buf, x, area.bottom() - 1, area.right(), down, theme);
    }
}

/// The question that is asked, and the answer so far.
fn question(labs: &Labs, open: &Open, buf: &mut Buffer, area: Rect) {
    let (lang, theme) = (labs.look.lang, labs.look.theme);
    let spec = &open.lab().spec;
    let Some((number, question)) = open
        .question
        .and_then(|n| Some((n, spec.questions.get(n)?)))
    else {
        return;
    };
    rule(labs, buf, area.y);
    let title = format!(
        " {} ",
        words::lab_question(lang, number + 1, spec.questions.len())
    );
    put(
        buf,
        area.x + 2,
        area.y,
        area.right(),
        &title,
        theme.style(Paint::Focus),
    );
    let wide = usize::from(area.width.min(LINE)).saturating_sub(2);
    let lines = markdown::render(&open.session.ask(question), wide);
    let room = Rect::new(area.x + 1, area.y + 1, area.width - 1, area.height - 2);
    paint(labs, buf, room, &lines, 0);
    let cursor = if labs.look.ascii { "_" } else { "▏" };
    let y = area.bottom() - 1;
    let x = put(
        buf,
        area.x + 1,
        y,
        area.right(),
        "> ",
        theme.style(Paint::Key),
    );
    let text = format!("{}{cursor}", open.input);
    let x = put(buf, x, y, area.right(), &text, theme.style(Paint::Strong));
    if open.input.is_empty() {
        let hint = fit(
            question.hint(lang),
            usize::from(area.right().saturating_sub(x + 1)),
            labs.look.ascii,
        );
        put(
            buf,
            x + 1,
            y,
            area.right(),
            &hint.replace('`', ""),
            theme.style(Paint::Dim),
        );
    }
}

/// The keys, or what is asked, or what has happened.
fn footer(labs: &Labs, buf: &mut Buffer) {
    let (lang, theme) = (labs.look.lang, labs.look.theme);
    let area = buf.area;
    let id = labs.labs.get(labs.at).map_or("", |lab| lab.id.as_str());
    let (text, paint) = match (&labs.confirm, &labs.busy, &labs.note) {
        (Some(Confirm::Reset), ..) => (words::lab_reset_ask(lang, id), Paint::Warning),
        (Some(Confirm::Solution), ..) => (words::lab_solution_ask(lang).to_owned(), Paint::Warning),
        (None, Some(busy), _) => (format!("{busy}  {}", words::lab_stop(lang)), Paint::Key),
        (None, None, Some(note)) => (note.clone(), Paint::Warning),
        (None, None, None) => (keys(labs), Paint::Dim),
    };
    let text = fit(
        &text,
        usize::from(area.width).saturating_sub(2),
        labs.look.ascii,
    );
    put(
        buf,
        area.x + 1,
        area.bottom() - 1,
        area.right(),
        &text,
        theme.style(paint),
    );
}

fn keys(labs: &Labs) -> String {
    let lang = labs.look.lang;
    match &labs.open {
        None => words::lab_menu_keys(lang, labs.code.name()),
        Some(open) => step_keys(labs, open).to_owned(),
    }
}

fn step_keys(labs: &Labs, open: &Open) -> &'static str {
    let lang = labs.look.lang;
    match open.step {
        Step::Predict if open.is_typing() => words::lab_answer_keys(lang),
        Step::Predict => words::lab_predict_keys(lang),
        Step::Observe if open.path.is_some() && path_area(labs.size, open.guide).width > 0 => {
            words::lab_path_keys(lang)
        }
        Step::Observe => words::lab_guide_keys(lang),
        Step::Explain => words::lab_explain_keys(lang),
        Step::Change if labs.replay.is_some() => words::lab_change_replay_keys(lang),
        Step::Change => words::lab_change_keys(lang),
        Step::Check => words::lab_check_keys(lang),
    }
}

fn help(labs: &Labs, buf: &mut Buffer) {
    let screen = buf.area;
    let wide = screen.width.min(78);
    let lines = markdown::render(words::lab_help(labs.look.lang), usize::from(wide) - 4);
    let high = (lines.len() as u16 + 2).min(screen.height);
    let area = Rect::new(
        (screen.width - wide) / 2,
        (screen.height - high) / 2,
        wide,
        high,
    );
    for y in area.y..area.bottom() {
        put(
            buf,
            area.x,
            y,
            area.right(),
            &" ".repeat(usize::from(wide)),
            Style::reset(),
        );
    }
    frame(buf, area, &labs.look, true, false, ["?", "Esc"]);
    let inner = Rect::new(area.x + 2, area.y + 1, area.width - 3, area.height - 2);
    paint(labs, buf, inner, &lines, 0);
}

/// The top line.
fn title(labs: &Labs, buf: &mut Buffer, pieces: &[(String, Paint)], right: &str) {
    let area = buf.area;
    let theme = labs.look.theme;
    let mut x = area.x + 1;
    for (text, paint) in pieces {
        x = put(buf, x, area.y, area.right(), text, theme.style(*paint));
    }
    let start = area.right().saturating_sub(width(right) as u16 + 1);
    if start > x {
        put(
            buf,
            start,
            area.y,
            area.right(),
            right,
            theme.style(Paint::Dim),
        );
    }
}

fn rule(labs: &Labs, buf: &mut Buffer, y: u16) {
    let line = if labs.look.ascii { "-" } else { "─" };
    let style = labs.look.theme.style(Paint::Border);
    let area = buf.area;
    put(
        buf,
        area.x,
        y,
        area.right(),
        &line.repeat(usize::from(area.width)),
        style,
    );
}

fn paint(labs: &Labs, buf: &mut Buffer, area: Rect, lines: &[Line], from: usize) {
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(from)) {
        let mut x = area.x;
        for Span { text, look } in line {
            x = put(buf, x, y, area.right(), text, face(&labs.look, *look));
        }
    }
}

fn face(look: &Look, face: Face) -> Style {
    let theme = look.theme;
    match face {
        Face::Plain => theme.style(Paint::Text),
        Face::Strong | Face::Heading => theme.style(Paint::Strong),
        Face::Emphasis => theme.style(Paint::Text).add_modifier(Modifier::ITALIC),
        Face::Code => theme.style(Paint::Key).remove_modifier(Modifier::BOLD),
    }
}
