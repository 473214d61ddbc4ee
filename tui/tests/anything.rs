//! Any events, any keys, any size: the model stays consistent and nothing panics.

mod common;

use std::time::{Duration, Instant};

use bytehop_core::decode::decode;
use bytehop_core::event::{Device, DeviceClass, Engine, Event, Meta};
use bytehop_core::i18n::Lang;
use bytehop_core::record::log;
use proptest::prelude::*;
use proptest::sample::select;
use terminput::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind, ScrollDirection,
};
use tui::action::Action;
use tui::app::{App, Source, Target};
use tui::filter::Filter;
use tui::keymap::Keymap;
use tui::keys::Meaning;
use tui::list::List;
use tui::look::Look;
use tui::store::{Feed, Store};
use tui::theme::Theme;
use tui::{draw, keys, update};

/// A record of some kind with random content, of one of a few threads and calls.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let modes = select(vec![0o100644u16, 0o010600, 0o140777, 0o060660, 0o020666, 0]);
    let numbers = select(vec![
        0u16, 1, 9, 17, 18, 40, 44, 45, 74, 275, 276, 278, 326, 426,
    ]);
    let small = select(vec![
        0u64,
        1,
        4096,
        65536,
        1 << 20,
        u64::MAX,
        (-11i64) as u64,
    ]);
    let head = (1u8..18, 1u32..3, 0u32..6, numbers, modes, small);
    (head, prop::collection::vec(any::<u8>(), 700)).prop_map(
        |((kind, tid, seq, nr, mode, size), mut bytes)| {
            bytes[0] = kind;
            bytes[1] &= 3;
            bytes[2..4].copy_from_slice(&nr.to_le_bytes());
            bytes[4..8].copy_from_slice(&tid.to_le_bytes());
            bytes[8..12].copy_from_slice(&1u32.to_le_bytes());
            bytes[12..16].copy_from_slice(&seq.to_le_bytes());
            // The result of a call, its third argument, its file's mode.
            bytes[32..40].copy_from_slice(&size.to_le_bytes());
            bytes[56..64].copy_from_slice(&size.to_le_bytes());
            bytes[112..114].copy_from_slice(&mode.to_le_bytes());
            bytes
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    record().prop_map(|bytes| {
        decode(&bytes).unwrap_or(Event::Meta(Meta::Device(Device {
            class: DeviceClass::Block,
            name: "a very long name of a device 磁盘".into(),
            id: u32::from(bytes[20]),
            engine: Engine::Software,
            driver: String::new(),
            bus: String::new(),
        })))
    })
}

fn action() -> impl Strategy<Value = Action> {
    let codes = select(vec![
        KeyCode::Char('n'),
        KeyCode::Char('p'),
        KeyCode::Char('N'),
        KeyCode::Char('P'),
        KeyCode::Char('g'),
        KeyCode::Char('G'),
        KeyCode::Char(' '),
        KeyCode::Char('+'),
        KeyCode::Char('z'),
        KeyCode::Char('v'),
        KeyCode::Char('c'),
        KeyCode::Char('?'),
        KeyCode::Char('/'),
        KeyCode::Char('r'),
        KeyCode::Char('缺'),
        KeyCode::Char('f'),
        KeyCode::Char('m'),
        KeyCode::Char('q'),
        KeyCode::Char('L'),
        KeyCode::Char('T'),
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
    ]);
    let key = (codes, any::<bool>()).prop_filter_map("bound", |(code, typing)| {
        keys::mean(&Input::Key(KeyEvent::new(code)), &Keymap::default(), typing)
    });
    let (x, y) = (0u16..300, 0u16..90);
    prop_oneof![
        8 => key,
        1 => (1u16..260, 1u16..75).prop_map(|(w, h)| Action::Resize(w, h)),
        1 => (1u16..30, 1u16..12).prop_map(|(w, h)| Action::Resize(w, h)),
        1 => Just(Action::Resize(80, 24)),
        1 => (x.clone(), y.clone()).prop_map(|(x, y)| Action::Click(x, y)),
        1 => (any::<i8>(), x, y).prop_map(|(n, x, y)| Action::Scroll(n, x, y)),
        3 => Just(Action::Tick),
    ]
}

fn look() -> impl Strategy<Value = Look> {
    let themes = select(vec![
        Theme::Dark,
        Theme::Light,
        Theme::Contrast,
        Theme::Plain,
    ]);
    let langs = select(vec![Lang::En, Lang::Zh]);
    (langs, themes, any::<bool>()).prop_map(|(lang, theme, ascii)| Look {
        lang,
        theme,
        ascii,
        own: None,
    })
}

/// What can happen while a trace goes on.
#[derive(Clone, Debug)]
enum Step {
    Act(Action),
    /// Records come in.
    Records(Vec<Vec<u8>>),
    /// The program writes to its terminal.
    Output(Vec<u8>),
    /// Something is typed, for us or for the program.
    Input(Input),
}

fn step() -> impl Strategy<Value = Step> {
    let codes = select(vec![
        KeyCode::Char(']'),
        KeyCode::Char('a'),
        KeyCode::Char('q'),
        KeyCode::Char('f'),
        KeyCode::Char('z'),
        KeyCode::Enter,
        KeyCode::Up,
        KeyCode::Tab,
        KeyCode::F(7),
    ]);
    let modifiers = select(vec![KeyModifiers::NONE, KeyModifiers::CTRL]);
    let key =
        (codes, modifiers).prop_map(|(code, with)| Input::Key(KeyEvent::new(code).modifiers(with)));
    let mouse = (0u16..220, 0u16..70).prop_map(|(column, row)| {
        Input::Mouse(MouseEvent {
            kind: MouseEventKind::Scroll(ScrollDirection::Up),
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    });
    let text = prop_oneof![
        "[a-z\n\r\t缺é]{0,40}".prop_map(String::into_bytes),
        r"\x1b[\[\]][?0-9;]{0,6}[A-Za-z]".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..80),
    ];
    prop_oneof![
        4 => action().prop_map(Step::Act),
        3 => prop::collection::vec(record(), 0..30).prop_map(Step::Records),
        3 => text.prop_map(Step::Output),
        3 => prop_oneof![4 => key, 1 => mouse, 1 => Just(Input::Paste("a\nb".into()))].prop_map(Step::Input),
    ]
}

/// A live trace, up to its end and beyond.
fn live(look: Look, size: (u16, u16), steps: Vec<Step>, more: Vec<Action>) {
    let (mut writer, log) = log(|_| u64::MAX).expect("a file");
    let (mut feed, store) = Feed::live(log);
    let mut app = App::new(store, look, size).live(Target::Command, true);
    let begin = Instant::now();
    let mut seconds = 0;
    for step in steps {
        match step {
            Step::Act(action) => drop(update::update(&mut app, action)),
            Step::Input(input) => {
                if let Some(Meaning::Ours(action)) = keys::meaning(&input, &app) {
                    update::update(&mut app, action);
                }
            }
            Step::Output(bytes) => drop(update::output(&mut app, &bytes)),
            Step::Records(records) => {
                for record in &records {
                    writer.record(record).expect("written");
                }
                seconds += 1;
                writer
                    .tick(begin + Duration::from_secs(seconds))
                    .expect("written");
                feed.pull(&mut app.store, None);
                update::fed(&mut app, Source::Live(Target::Command), feed.behind());
            }
        }
        check(&app);
    }
    drop(writer);
    feed.finish(&mut app.store);
    update::fed(&mut app, Source::Ended(Target::Command), feed.behind());
    assert!(!app.is_typing() && feed.behind() == 0);
    // A list that grew is the list that is made at once.
    let whole = List::new(&app.store, Filter::parse(&app.filter).unwrap_or_default());
    let entries = |list: &List| (0..).map_while(|n| list.entry(n)).collect::<Vec<_>>();
    assert_eq!(entries(&app.list), entries(&whole));
    assert_eq!(app.total, app.store.sums_of(whole.calls()));
    play(app, more);
}

/// Applies the actions one by one, drawing after each.
fn play(mut app: App, actions: Vec<Action>) {
    for action in actions {
        update::update(&mut app, action);
        check(&app);
    }
}

fn check(app: &App) {
    let screen = draw::text(&common::buffer(app));
    assert_eq!(screen.lines().count(), usize::from(app.size.1));
    for line in screen.lines() {
        assert!(tui::text::width(line) <= usize::from(app.size.0), "{line}");
    }
    assert!(app.store.is_empty() || app.cursor.call < app.store.len());
    let hops = app.hops().len();
    assert!(app.cursor.hop.is_none_or(|hop| hop < hops));
    let rows = app.list.rows(hops);
    assert!(rows == 0 || app.list.row_of(app.cursor) < rows);
    assert!(rows == 0 || app.list.row(rows - 1, app.cursor, hops).is_some());
    assert!(app.list.row(rows, app.cursor, hops).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_and_actions(
        events in prop::collection::vec(event(), 0..120),
        look in look(),
        size in (1u16..220, 1u16..60),
        actions in prop::collection::vec(action(), 1..30),
    ) {
        play(App::new(Store::of_events(&events), look, size), actions);
    }

    #[test]
    fn a_live_trace(
        look in look(),
        size in (1u16..220, 1u16..60),
        steps in prop::collection::vec(step(), 1..30),
        more in prop::collection::vec(action(), 1..8),
    ) {
        live(look, size, steps, more);
    }

    #[test]
    fn a_recording_and_any_actions(
        name in select(common::RECORDINGS.to_vec()),
        look in look(),
        actions in prop::collection::vec(action(), 1..40),
    ) {
        play(common::app(name, look, (80, 24)), actions);
    }
}

/// One size after the other from 1×1 up, with every popup.
#[test]
fn every_small_size() {
    let mut app = common::app("sendfile", common::PLAIN, (1, 1));
    for popup in ["", "?", "<Esc>n<Enter>"] {
        common::press(&mut app, popup);
        for w in (1..90).step_by(3) {
            for h in (1..32).step_by(2) {
                update::update(&mut app, Action::Resize(w, h));
                common::buffer(&app);
            }
        }
    }
}
