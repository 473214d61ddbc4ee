//! The lines above and below the panes: where one is, the slider, the sums so far, the keys.

use bytehop_core::model::HopKind;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::describe;
use crate::action::Action;
use crate::app::{App, SPEEDS, Scope, Source};
use crate::draw::{popup, put, put_line};
use crate::store::Sums;
use crate::text::{fit, width};
use crate::theme::Paint;
use crate::words;

/// The command, the current call, and how complete the trace is.
pub fn title(app: &App, area: Rect, buf: &mut Buffer) {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let summary = &app.store.summary;
    let complete = summary.lost_events == 0 && summary.warnings.is_empty();
    let play = match (app.playing, ascii) {
        (false, _) => String::new(),
        (true, _) => format!("> {}/s  ", SPEEDS.get(app.speed).copied().unwrap_or(1)),
    };
    let health = if summary.lost_events > 0 || complete {
        words::lost(lang, summary.lost_events)
    } else {
        words::not_whole(lang).to_owned()
    };
    let right = format!(
        "{}{play}{}  {health} ",
        source(app),
        words::level(lang, &summary.level)
    );
    let program = summary.command.first().map_or("bytehop", String::as_str);
    let program = program.rsplit('/').next().unwrap_or(program);
    let rest = summary.command.get(1).map_or("", String::as_str);
    // The call is what one looks for here.
    let room = usize::from(area.width / 4).min(28);
    let program = format!(" {}", fit(&format!("{program} {rest}"), room, ascii));
    let mut left = vec![(program, Paint::Strong)];
    if !app.list.is_empty() {
        let all = units::count(app.list.len() as u64);
        let n = units::count(app.list.position(app.cursor.call) as u64 + 1);
        left.push((format!("  {}  ", words::call_of(lang, n, all)), Paint::Text));
        if let Some(hop) = app.cursor.hop {
            let text = words::hop_of(lang, hop + 1, app.hops().len());
            left.push((format!("{text}  "), Paint::Text));
        }
        left.push((describe::call(app, app.cursor.call), Paint::Strong));
    }
    let end = (width(&right) as u16 + 2).min(area.width);
    let room = Rect {
        width: area.width - end,
        ..area
    };
    put_line(&app.look, room, buf, &left);
    let paint = if complete { Paint::Dim } else { Paint::Warning };
    let style = app.look.theme.style(paint);
    put(
        buf,
        area.right() - end + 1,
        area.y,
        area.right(),
        &right,
        style,
    );
}

/// Where the events come from, and whether all of them are in the numbers.
fn source(app: &App) -> String {
    let lang = app.look.lang;
    let mut text = match app.source {
        Source::File(100) => String::new(),
        Source::File(percent) => words::reading(lang, percent),
        Source::Live(_) if app.follow => format!("● {}", words::live(lang)),
        Source::Live(_) => format!("○ {}", words::held(lang)),
        Source::Ended(_) => match app.store.summary.exit_status {
            Some(status) => words::ended_with(lang, status),
            None => words::ended(lang).to_owned(),
        },
    };
    if app.behind > BEHIND {
        text += &format!(" {}", words::behind(lang, crate::text::compact(app.behind)));
    }
    if !text.is_empty() {
        text += "  ";
    }
    text
}

/// Records that may wait for the next frame without a word about it.
const BEHIND: u64 = 50_000;

/// Who the keys are for, and where one is in what the program wrote.
pub fn program(app: &App) -> String {
    let lang = app.look.lang;
    match &app.program {
        Some(program) if program.scrolled() > 0 => {
            words::program_scrolled(lang, program.scrolled())
        }
        Some(_) if app.is_typing() => words::program_typing(lang).to_owned(),
        Some(_) if !app.is_live() => words::program_ended(lang).to_owned(),
        _ => String::new(),
    }
}

/// Asks whether to end the program.
pub fn quit(app: &App, buf: &mut Buffer) {
    let lang = app.look.lang;
    let mut lines: Vec<Vec<(String, Paint)>> = crate::text::wrap(
        words::quit_text(lang),
        usize::from(app.size.0.saturating_sub(6)).min(60),
    )
    .into_iter()
    .map(|line| vec![(line, Paint::Text)])
    .collect();
    lines.push(Vec::new());
    for (key, text) in [("q", words::quit_yes(lang)), ("Esc", words::quit_no(lang))] {
        lines.push(vec![
            (format!(" {key}  "), Paint::Key),
            (text.to_owned(), Paint::Text),
        ]);
    }
    popup(
        &app.look,
        app.popup_scroll,
        words::quit_title(lang),
        &lines,
        buf,
    );
}

/// What the arrows count.
pub fn scope(app: &App) -> String {
    let lang = app.look.lang;
    match app.scope {
        Scope::Run => words::scope_run(lang),
        Scope::SoFar => words::scope_so_far(lang),
        Scope::Call => words::scope_call(lang),
    }
    .to_owned()
}

/// Where the current call lies among all, and in time.
pub fn slider(app: &App, area: Rect, buf: &mut Buffer) {
    let calls = app.list.len();
    if calls == 0 || area.width < 4 {
        return;
    }
    let position = app.list.position(app.cursor.call) as u64;
    let last = (calls as u64 - 1).max(1);
    let x = area.x + (u64::from(area.width - 1) * position / last) as u16;
    let theme = app.look.theme;
    let line = if app.look.ascii { "=" } else { "━" };
    for x in area.x..x {
        put(
            buf,
            x,
            area.y,
            area.right(),
            line,
            theme.style(Paint::Focus),
        );
    }
    let knob = if app.look.ascii { "O" } else { "●" };
    put(
        buf,
        x,
        area.y,
        area.right(),
        knob,
        theme.style(Paint::Focus),
    );
    let ts = app.store.call(app.cursor.call).map_or(0, |call| call.ts);
    let since = ts.saturating_sub(app.store.span.0);
    let whole = app.store.span.1.saturating_sub(app.store.span.0);
    let text = format!(" {} / {} ", units::time(since), units::time(whole));
    let cells = width(&text) as u16;
    // On the side where the knob is not.
    let right = area.right().saturating_sub(cells + 2);
    let at = if x < right { right } else { area.x + 2 };
    put(
        buf,
        at,
        area.y,
        area.right(),
        &text,
        theme.style(Paint::Text),
    );
}

fn bytes_of(app: &App, sums: &Sums, kind: HopKind) -> u64 {
    let keys = app.store.keys().iter().enumerate();
    let of = keys.filter(|(_, key)| key.kind == kind);
    of.map(|(i, _)| sums.of(i).bytes)
        .fold(0, u64::saturating_add)
}

/// What was done up to the current call, of the whole run.
pub fn sums(app: &App, area: Rect, buf: &mut Buffer) {
    let lang = app.look.lang;
    if let Some(note) = &app.note {
        return put_line(
            &app.look,
            area,
            buf,
            &[(format!(" {note}"), Paint::Warning)],
        );
    }
    if let Some(input) = &app.input {
        let text = words::filter_prompt(lang, input);
        return put_line(&app.look, area, buf, &[(format!(" {text}"), Paint::Strong)]);
    }
    let sums = &app.so_far;
    let bar = if app.look.ascii { " | " } else { " │ " };
    let mut pieces = vec![
        (format!(" {} ", words::so_far(lang)), Paint::Dim),
        (format!("{} ", words::crossings(lang)), Paint::Text),
        (units::count(sums.crossings()), Paint::Strong),
    ];
    let mut used: usize = pieces.iter().map(|(text, _)| width(text)).sum();
    type Name = fn(bytehop_core::i18n::Lang) -> &'static str;
    let shown: [(Name, HopKind); 5] = [
        (words::cpu_copies, HopKind::Copy),
        (words::dma, HopKind::Dma),
        (words::by_reference, HopKind::Share),
        (words::mapped, HopKind::Map),
        (words::zeroed, HopKind::Fill),
    ];
    for (name, kind) in shown {
        let bytes = bytes_of(app, sums, kind);
        // What never happens in this run takes no room, but 0 copies and 0 DMA are an answer.
        let answer = matches!(kind, HopKind::Copy | HopKind::Dma);
        if answer || bytes_of(app, &app.total, kind) > 0 {
            let item = [
                (bar.to_owned(), Paint::Border),
                (format!("{} ", name(lang)), Paint::Kind(kind)),
                (units::bytes(bytes), Paint::Strong),
            ];
            // Whole or not at all.
            used += item.iter().map(|(text, _)| width(text)).sum::<usize>();
            if used <= usize::from(area.width) {
                pieces.extend(item);
            }
        }
    }
    put_line(&app.look, area, buf, &pieces);
}

/// The keys that are needed most; quit is always among them.
pub fn keys(app: &App, area: Rect, buf: &mut Buffer) {
    let lang = app.look.lang;
    let play = if app.playing {
        words::hint_pause(lang)
    } else {
        words::hint_play(lang)
    };
    if app.is_typing() {
        return put_line(
            &app.look,
            area,
            buf,
            &[
                (" Ctrl-] ".to_owned(), Paint::Key),
                (words::take_back(lang).to_owned(), Paint::Text),
            ],
        );
    }
    let live = app.is_live();
    let space = match (live, app.follow) {
        (true, true) => (&[Action::PlayPause][..], "space", words::hint_hold(lang)),
        (true, false) => (&[Action::Follow][..], "f", words::hint_live(lang)),
        (false, _) => (&[Action::PlayPause][..], "space", play),
    };
    let hints: [(&[Action], &str, &str); 10] = [
        (&[Action::Quit], "q", words::hint_quit(lang)),
        (&[Action::Program], "Ctrl-]", words::hint_program(lang)),
        (
            &[Action::NextHop, Action::PrevHop],
            "n p",
            words::hint_hop(lang),
        ),
        (
            &[Action::NextCall, Action::PrevCall],
            "N P",
            words::hint_call(lang),
        ),
        space,
        (&[Action::Explain], "Enter", words::explain(lang)),
        (&[Action::Help], "?", words::help(lang)),
        (&[Action::NextPane], "Tab", words::hint_pane(lang)),
        (&[Action::Zoom], "z", words::hint_zoom(lang)),
        (&[Action::Filter], "/", words::hint_filter(lang)),
    ];
    let mut pieces = Vec::new();
    let mut used = 0;
    let to_program = live && app.program.is_some();
    for (actions, usual, text) in hints {
        let key = app.keys.hint(actions, usual);
        if key.is_empty() || actions == [Action::Program] && !to_program {
            continue;
        }
        let cells = width(&key) + width(text) + 4;
        used += cells;
        if used > usize::from(area.width) {
            break;
        }
        pieces.push((format!(" {key} "), Paint::Key));
        pieces.push((format!("{text} "), Paint::Text));
    }
    put_line(&app.look, area, buf, &pieces);
}
