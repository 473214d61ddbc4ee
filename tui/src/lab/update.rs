//! Keys → what happens to the model, and what the rest of the program is to do.

use labs::guide::Step;
use labs::words as texts;
use terminput::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind, ScrollDirection,
};

use super::model::{Confirm, Labs, Open, path_area};
use super::seek::seek;
use crate::action::{Action, Effect as PathEffect};
use crate::app::{App, Pane};
use crate::areas::is_large;
use crate::keys::{self, Meaning};
use crate::update::update as update_path;
use crate::words;

/// What the model cannot do itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open the lab that the menu is at.
    Open,
    /// Keep what was answered and how far the learner is.
    Save,
    /// Run the programs, or take their recordings.
    Observe,
    /// Load the path of the chosen program.
    Load,
    Check,
    /// End what runs.
    Stop,
    Edit,
    /// Open a file at a line.
    EditAt(String, u32),
    /// Put a text into the clipboard.
    Copy(String),
    /// The programs in the other language.
    Code,
    Reset,
    Quit,
    Suspend,
    Redraw,
}

/// Applies an event of the terminal.
pub fn event(labs: &mut Labs, event: &Event) -> Option<Effect> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(labs, key, event),
        Event::Mouse(mouse) => {
            match mouse.kind {
                MouseEventKind::Scroll(ScrollDirection::Up) => scroll(labs, -3),
                MouseEventKind::Scroll(ScrollDirection::Down) => scroll(labs, 3),
                _ => {}
            }
            None
        }
        Event::Paste(text) => {
            if let Some(open) = labs.open.as_mut().filter(|open| open.is_typing()) {
                open.input
                    .extend(text.chars().filter(|c| !c.is_control()).take(40));
            }
            None
        }
        _ => None,
    }
}

/// Gives the model, and the path view in it, a new size.
pub fn resize(labs: &mut Labs, size: (u16, u16)) {
    labs.size = size;
    fit(labs);
}

/// Gives the path view the room that it has.
fn fit(labs: &mut Labs) {
    let Some(area) = labs.path_area() else {
        return;
    };
    if let Some(path) = labs.open.as_mut().and_then(|open| open.path.as_mut())
        && path.size != (area.width, area.height)
    {
        update_path(path, Action::Resize(area.width, area.height));
    }
}

/// The clock: a thirtieth of a second.
pub fn tick(labs: &mut Labs) {
    let path = labs.open.as_mut().and_then(|open| open.path.as_mut());
    if let Some(path) = path {
        update_path(path, Action::Tick);
    }
}

/// Shows the path of a program.
pub fn load(labs: &mut Labs, path: Option<App>) {
    let mut has_lines = false;
    if let Some(open) = &mut labs.open {
        open.path = path.map(Box::new);
        if let Some(path) = &mut open.path {
            has_lines = path.begin_at_main();
        }
    }
    fit(labs);
    if let Some(open) = &mut labs.open
        && let Some(path) = open.path.as_mut().filter(|_| has_lines)
        && !is_large(path.size)
    {
        // The learner's own line is what the step is about.
        path.focus = Pane::Source;
        path.fetch();
    }
    if let Some(open) = &mut labs.open
        && let Some(sight) = open.sight()
        && let Some(number) = open.sought
        && let is_none = open.counts_nothing()
        && let baseline = open.baseline(&sight)
        && let Some(path) = &mut open.path
        && (is_none || !seek(path, &sight, &baseline))
    {
        let questions = open.lab().spec.questions.len();
        labs.note = Some(words::lab_none(labs.look.lang, number + 1, questions));
    }
}

fn pressed(labs: &mut Labs, key: &KeyEvent, event: &Event) -> Option<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CTRL);
    match key.code {
        KeyCode::Char('c') if control => return Some(Effect::Quit),
        KeyCode::Char('z') if control => return Some(Effect::Suspend),
        KeyCode::Char('l') if control => return Some(Effect::Redraw),
        _ => {}
    }
    labs.note = None;
    // Also while another lab is looked at: what runs is one thing, and this ends it.
    if key.code == KeyCode::Esc && labs.busy.is_some() {
        return Some(Effect::Stop);
    }
    if labs.help {
        labs.help = false;
        return None;
    }
    if let Some(confirm) = labs.confirm.take() {
        let yes = matches!(key.code, KeyCode::Char('y' | 'Y'));
        return match (confirm, yes) {
            (Confirm::Reset, true) => Some(Effect::Reset),
            (Confirm::Solution, true) => {
                if let Some(open) = &mut labs.open {
                    open.solution = true;
                    open.step = Step::Check;
                    open.scroll = 0;
                }
                None
            }
            (_, false) => None,
        };
    }
    let Some(open) = &mut labs.open else {
        return menu(labs, key);
    };
    if open.is_typing() {
        return answer(labs, key);
    }
    // The path view has most keys to itself.
    if open.step == Step::Observe
        && path_area(labs.size, open.guide).width > 0
        && let Some(path) = &mut open.path
    {
        let ours = matches!(
            key.code,
            KeyCode::Char('0'..='5' | '[' | ']' | 'a' | 'q' | 'w') | KeyCode::Esc
        );
        // A popup has its own keys, but to where one goes from it is always the same.
        let leaves = matches!(key.code, KeyCode::Char('0'..='5' | 'q'));
        let busy = path.popup.is_some() || path.input.is_some() || path.zoom;
        if !ours || busy && !leaves || path.input.is_some() {
            return match keys::meaning(event, path) {
                Some(Meaning::Ours(action)) => match update_path(path, action) {
                    Some(PathEffect::Quit) => Some(Effect::Quit),
                    Some(PathEffect::Suspend) => Some(Effect::Suspend),
                    Some(PathEffect::Redraw) => Some(Effect::Redraw),
                    Some(PathEffect::Copy(text)) => Some(Effect::Copy(text)),
                    Some(PathEffect::Edit(file, line)) => Some(Effect::EditAt(file, line)),
                    None => {
                        labs.look = path.look;
                        open.session.lang = path.look.lang;
                        None
                    }
                },
                _ => None,
            };
        }
    }
    step_key(labs, key)
}

fn menu(labs: &mut Labs, key: &KeyEvent) -> Option<Effect> {
    let last = labs.labs.len().saturating_sub(1);
    match key.code {
        KeyCode::Down | KeyCode::Char('j' | 'n') => labs.at = (labs.at + 1).min(last),
        KeyCode::Up | KeyCode::Char('k' | 'p') => labs.at = labs.at.saturating_sub(1),
        KeyCode::PageDown => labs.at = (labs.at + 10).min(last),
        KeyCode::PageUp => labs.at = labs.at.saturating_sub(10),
        KeyCode::Home | KeyCode::Char('g') => labs.at = 0,
        KeyCode::End | KeyCode::Char('G') => labs.at = last,
        KeyCode::Enter | KeyCode::Right => return Some(Effect::Open),
        KeyCode::Char('x') => labs.confirm = Some(Confirm::Reset),
        KeyCode::Char('C') => return Some(Effect::Code),
        KeyCode::Char('q') | KeyCode::Esc => return Some(Effect::Quit),
        other => common(labs, other),
    }
    None
}

/// Keys that mean the same everywhere.
fn common(labs: &mut Labs, code: KeyCode) {
    match code {
        KeyCode::Char('?') | KeyCode::F(1) => labs.help = true,
        KeyCode::Char('T') => labs.look.next_theme(),
        KeyCode::Char('L') => {
            labs.look.lang = labs.look.lang.other();
            if let Some(open) = &mut labs.open {
                open.session.lang = labs.look.lang;
            }
        }
        _ => {}
    }
    let look = labs.look;
    if let Some(path) = labs.open.as_mut().and_then(|open| open.path.as_mut()) {
        path.look = look;
        update_path(path, Action::Resize(path.size.0, path.size.1));
    }
}

/// A key while an answer is typed.
fn answer(labs: &mut Labs, key: &KeyEvent) -> Option<Effect> {
    let lang = labs.look.lang;
    let open = labs.open.as_mut()?;
    match key.code {
        KeyCode::Enter => {
            let number = open.question?;
            let question = open.session.lab.spec.questions.get(number)?.clone();
            let text = std::mem::take(&mut open.input);
            if !text.trim().is_empty() && !open.session.answer(&question, &text) {
                labs.note = Some(question.refuse(lang, text.trim()).replace('`', ""));
                open.input = text;
                return None;
            }
            next_question(open);
            return Some(Effect::Save);
        }
        KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => {
            open.question = Some(open.question?.saturating_sub(1));
        }
        KeyCode::Tab => next_question(open),
        KeyCode::Backspace => {
            open.input.pop();
        }
        KeyCode::Esc => open.question = None,
        KeyCode::Up => scroll(labs, -1),
        KeyCode::Down => scroll(labs, 1),
        KeyCode::PageUp => scroll(labs, -10),
        KeyCode::PageDown => scroll(labs, 10),
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CTRL) => open.input.clear(),
        KeyCode::Char(c) if open.input.chars().count() < 40 => open.input.push(c),
        _ => {}
    }
    None
}

fn next_question(open: &mut Open) {
    let next = open.question.map_or(0, |number| number + 1);
    open.input.clear();
    open.question = (next < open.lab().spec.questions.len()).then_some(next);
}

fn step_key(labs: &mut Labs, key: &KeyEvent) -> Option<Effect> {
    let replay = labs.replay.is_some();
    let open = labs.open.as_mut()?;
    match key.code {
        KeyCode::Char(c @ '1'..='5') => {
            let step = Step::ALL.get(c as usize - '1' as usize).copied()?;
            return go(open, step, replay);
        }
        KeyCode::Char('n') | KeyCode::Enter | KeyCode::Right => {
            if let Some(step) = open.step.next() {
                return go(open, step, replay);
            }
            // On to the next lab.
            let next = open.session.lab.spec.next.clone();
            let next = next.and_then(|id| labs.labs.iter().position(|lab| lab.id == id));
            labs.at = next.unwrap_or(labs.at);
            labs.open = None;
            return next.map(|_| Effect::Open);
        }
        KeyCode::Char('p') | KeyCode::Left => {
            if let Some(step) = open.step.before() {
                return go(open, step, replay);
            }
        }
        KeyCode::Char('0' | 'l') | KeyCode::Esc => {
            labs.open = None;
            return labs.busy.is_some().then_some(Effect::Stop);
        }
        KeyCode::Char('a') => {
            open.guide = !open.guide;
            fit(labs);
        }
        KeyCode::Char('[') => return choose(open, -1),
        KeyCode::Char(']') => return choose(open, 1),
        KeyCode::Char('i') if open.step == Step::Predict => open.question = Some(0),
        KeyCode::Char('r') if open.step <= Step::Explain => {
            open.step = Step::Observe;
            return Some(Effect::Observe);
        }
        KeyCode::Char('h') => hint(labs),
        KeyCode::Char('c') => return Some(Effect::Check),
        KeyCode::Char('e') if replay => {
            labs.note = Some(texts::nothing_to_edit(labs.look.lang).to_owned());
        }
        KeyCode::Char('e') => return Some(Effect::Edit),
        KeyCode::Char('w') if open.observed => return next_sight(labs),
        KeyCode::Char('v') => {
            if open.outcome.is_none() {
                labs.note = Some(words::lab_not_checked(labs.look.lang).to_owned());
                return None;
            }
            open.checked = true;
            open.sought = None;
            return show_path(labs);
        }
        KeyCode::Char('s') => match open.solved || open.solution {
            true => {
                open.solution = true;
                open.step = Step::Check;
                open.scroll = 0;
            }
            false => labs.confirm = Some(Confirm::Solution),
        },
        KeyCode::Char('x') => labs.confirm = Some(Confirm::Reset),
        KeyCode::Char('C') => return Some(Effect::Code),
        KeyCode::Char('q') => return Some(Effect::Quit),
        KeyCode::Up | KeyCode::Char('k') => scroll(labs, -1),
        KeyCode::Down | KeyCode::Char('j') => scroll(labs, 1),
        KeyCode::PageUp => scroll(labs, -10),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll(labs, 10),
        KeyCode::Home | KeyCode::Char('g') => open.scroll = 0,
        // How long the text is, the next frame finds out.
        KeyCode::End | KeyCode::Char('G') => open.scroll = usize::MAX / 2,
        other => common(labs, other),
    }
    None
}

/// Goes to a step; what it shows is made when it is first needed.
fn go(open: &mut Open, step: Step, replay: bool) -> Option<Effect> {
    open.step = step;
    open.scroll = 0;
    match step {
        Step::Predict => {}
        Step::Observe | Step::Explain if !open.observed => return Some(Effect::Observe),
        Step::Observe if open.path.is_none() => return Some(Effect::Load),
        // There is nothing that the learner could do for it.
        Step::Check if replay && open.outcome.is_none() => return Some(Effect::Check),
        _ => {}
    }
    Some(Effect::Save)
}

/// Shows the path view, if need be instead of the guide.
fn show_path(labs: &mut Labs) -> Option<Effect> {
    let size = labs.size;
    let open = labs.open.as_mut()?;
    open.step = Step::Observe;
    open.guide &= path_area(size, true).width > 0;
    Some(Effect::Load)
}

/// Shows where the next question has its number from.
fn next_sight(labs: &mut Labs) -> Option<Effect> {
    let lang = labs.look.lang;
    let open = labs.open.as_mut()?;
    let questions = open.lab().spec.questions.len();
    let number = open.sought.map_or(0, |number| number + 1) % questions.max(1);
    open.sought = Some(number);
    let Some(sight) = open.sight() else {
        labs.note = Some(words::lab_nowhere(lang, number + 1, questions));
        return None;
    };
    let spec = &open.lab().spec;
    let question = spec.questions.get(number)?;
    let name = sight.program.as_deref();
    let name = name.unwrap_or_else(|| spec.program_of(question));
    open.program = spec.programs.iter().position(|p| p.name == name)?;
    open.checked = false;
    labs.note = Some(words::lab_where(lang, number + 1, questions));
    show_path(labs)
}

/// Another program's path.
fn choose(open: &mut Open, by: isize) -> Option<Effect> {
    let n = open.lab().spec.programs.len() as isize;
    let before = (open.program, open.checked);
    open.sought = None;
    open.program = (open.program as isize + by).rem_euclid(n.max(1)) as usize;
    open.checked = false;
    (before != (open.program, false) && open.step == Step::Observe).then_some(Effect::Load)
}

fn hint(labs: &mut Labs) {
    let lang = labs.look.lang;
    let Some(open) = &mut labs.open else {
        return;
    };
    open.step = Step::Change;
    match open.session.hint() {
        Some(hint) => {
            if open.hints.last() != Some(&hint) {
                open.hints.push(hint);
            }
            // It is at the end of the text.
            open.scroll = usize::MAX / 2;
        }
        None => labs.note = Some(words::lab_no_hints(lang).to_owned()),
    }
}

fn scroll(labs: &mut Labs, by: isize) {
    if let Some(open) = &mut labs.open {
        let (rows, height) = open.rows.get();
        let most = rows.saturating_sub(height);
        open.scroll = open.scroll.min(most).saturating_add_signed(by).min(most);
    }
}
