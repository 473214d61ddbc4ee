//! The screens of the labs: a lab of the tests' own over real recordings, driven by keys.

mod common;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::lab::Lab;
use labs::progress::State;
use labs::recording::summarise;
use labs::session::{Origin, Output, Session};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use terminput::{Event, KeyCode, KeyEvent};
use tui::app::App;
use tui::lab::model::{Labs, Open};
use tui::lab::update::{self, Effect};
use tui::lab::{run, view};
use tui::look::Look;

use common::PLAIN;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);

fn lab() -> Arc<Lab> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
    let names = [
        "lab.toml",
        "guide.en.md",
        "guide.zh.md",
        "programs/copy.rs",
        "programs/sendfile.rs",
        "solution/copy.rs",
    ];
    let files: BTreeMap<String, Cow<'static, [u8]>> = names
        .into_iter()
        .map(|name| {
            let bytes = std::fs::read(dir.join(name)).expect("a file of the lab");
            (name.to_owned(), Cow::Owned(bytes))
        })
        .collect();
    Arc::new(Lab::new("copying", files).expect("a lab"))
}

fn labs(lang: Lang, size: (u16, u16)) -> Labs {
    let look = Look { lang, ..PLAIN };
    let mut other = Lab::clone(&lab());
    other.id = "another".to_owned();
    let other = Arc::new(other);
    let solved = State {
        solved: true,
        ..State::default()
    };
    Labs::new(
        vec![lab(), other],
        vec![State::default(), solved],
        look,
        size,
    )
}

/// Types keys, and does what the loop would do, from recordings.
fn press(labs: &mut Labs, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let code = match name {
            Some((name, after)) => {
                rest = after;
                match name {
                    "Enter" => KeyCode::Enter,
                    "Esc" => KeyCode::Esc,
                    "Tab" => KeyCode::Tab,
                    "Down" => KeyCode::Down,
                    "PgDn" => KeyCode::PageDown,
                    other => panic!("no such key: {other}"),
                }
            }
            None => {
                rest = &rest[c.len_utf8()..];
                KeyCode::Char(c)
            }
        };
        let event = Event::Key(KeyEvent::new(code));
        let effect = update::event(labs, &event);
        perform(labs, effect);
    }
}

fn perform(labs: &mut Labs, effect: Option<Effect>) {
    let load = |labs: &mut Labs, name: &str| {
        let app = App::new(common::store(name), labs.look, (0, 0));
        update::load(labs, Some(app));
    };
    match effect {
        Some(Effect::Open) => {
            let lab = labs.labs[labs.at].clone();
            let mut session = Session::new(lab, labs.look.lang, None);
            session.folder = "~/bytehop-labs/copying".to_owned();
            labs.open = Some(Open::new(session, &State::default()));
        }
        Some(Effect::Observe) => {
            if let Some(open) = &mut labs.open {
                for name in ["copy", "sendfile"] {
                    let summary = summarise(&common::path(name)).expect("a recording");
                    open.session.observe(name, summary, Origin::Live);
                }
                open.observed = true;
            }
            load(labs, "copy");
        }
        Some(Effect::Load) => {
            let Some(open) = &labs.open else { return };
            // The learner's run: the one of the program that is not looked at otherwise.
            let name = match open.checked {
                true => "sendfile",
                false => ["copy", "sendfile"][open.program],
            };
            let mut app = App::new(common::store(name), labs.look, (0, 0));
            if let Some(other) = run::original(open, labs.look.lang) {
                app.compare_with(other);
            }
            update::load(labs, Some(app));
        }
        Some(Effect::Check) => {
            if let Some(open) = &mut labs.open {
                let run = summarise(&common::path("copy")).expect("a recording");
                open.outcome = Some(open.session.judge(&run, Output::Same));
                open.session.last = Some(run);
                if labs.replay.is_none() {
                    open.step = labs::guide::Step::Change;
                }
            }
        }
        _ => {}
    }
}

fn screen(labs: &Labs) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, labs.size.0, labs.size.1));
    view::draw(labs, &mut buffer);
    tui::draw::text(&buffer)
}

#[test]
fn screens() {
    for (size, lang, name) in [
        (SMALL, Lang::En, "80x24-en"),
        (SMALL, Lang::Zh, "80x24-zh"),
        (LARGE, Lang::En, "200x50-en"),
        (LARGE, Lang::Zh, "200x50-zh"),
    ] {
        let mut labs = labs(lang, size);
        let mut shots = Vec::new();
        for (title, keys) in [
            ("menu", ""),
            ("predict", "<Enter>"),
            ("typing", "1 miles<Enter>"),
        ] {
            press(&mut labs, keys);
            shots.push(format!("== {title}\n{}", screen(&labs)));
        }
        // What is no number stays to be corrected.
        if let Some(open) = &mut labs.open {
            open.input.clear();
        }
        for (title, keys) in [
            ("second question", "1 MiB<Enter>"),
            ("all answered", "yes<Enter>"),
            ("observe", "n"),
            ("path", "an"),
            ("another program", "]"),
            ("explain", "3"),
            ("where", "w"),
            ("change", "4"),
            ("checked", "chh"),
            ("before and after", "v"),
            ("back", "4"),
            ("solution?", "s"),
            ("solution", "y"),
            ("help", "?"),
        ] {
            press(&mut labs, keys);
            shots.push(format!("== {title}\n{}", screen(&labs)));
        }
        insta::assert_snapshot!(format!("lab-{name}"), shots.join("\n"));
    }
}

/// The learner's own line beside the path: a lab begins at `main`, and lines grow with each step.
#[test]
fn own_lines() {
    for (size, lang, name) in [
        (SMALL, Lang::En, "80x24-en"),
        (SMALL, Lang::Zh, "80x24-zh"),
        (LARGE, Lang::En, "200x50-en"),
        (LARGE, Lang::Zh, "200x50-zh"),
    ] {
        let mut labs = labs(lang, size);
        press(&mut labs, "<Enter><Esc>n");
        let app = App::new(common::store("source"), labs.look, (0, 0));
        update::load(&mut labs, Some(app));
        let mut shots = Vec::new();
        for (title, keys) in [
            ("main", if size == SMALL { "a" } else { "" }),
            ("a step", "N"),
            ("another", "NNN"),
            ("its calls", "<Tab><Tab><Tab><Tab>"),
        ] {
            press(&mut labs, keys);
            shots.push(format!("== {title}\n{}", screen(&labs)));
        }
        insta::assert_snapshot!(format!("own-lines-{name}"), shots.join("\n"));
    }
}

#[test]
fn lines_grow_to_what_they_are_in_the_end() {
    for name in ["source", "b-source"] {
        let mut store = common::store(name);
        let sum = |lines: &tui::store::Lines| -> u64 {
            let lines = lines.values().flat_map(BTreeMap::values);
            lines.map(|line| line.copied + line.crossings).sum()
        };
        let mut before = 0;
        for call in 0..store.len() {
            let now = sum(&store.lines_until(call, None));
            assert!(now >= before && sum(&store.lines_until(call, Some(0))) <= now);
            before = now;
        }
        // In the end they are what the core says of the whole trace.
        let last = store.len() - 1;
        let whole = |store: &tui::store::Store| {
            let files = store.annotation.files.iter();
            files
                .map(|file| (file.path.clone(), file.lines.clone()))
                .collect::<tui::store::Lines>()
        };
        assert_eq!(store.lines_until(last, None), whole(&store));
        let main = store.first_of_main().expect("a line of main");
        assert!(main > 10, "the loader comes first: {main}");
        // The file by name is the only one that has lines; one that is not there changes nothing.
        store.prefer("/nothing.rs");
        assert_eq!(store.first_of_main(), Some(main));
        store.prefer("source.rs");
        assert_eq!(store.first_of_main(), Some(main));
        assert_eq!(store.lines_until(last, None), whole(&store));
    }
}

#[test]
fn answers_are_kept_and_questions_can_be_skipped() {
    let mut labs = labs(Lang::En, SMALL);
    press(&mut labs, "<Enter><Tab>no<Enter>");
    let open = labs.open.as_ref().expect("a lab");
    assert_eq!(open.session.answers.len(), 1);
    assert!(!open.is_typing());
    press(&mut labs, "l");
    assert!(labs.open.is_none());
}

#[test]
fn reset_and_solution_ask_first() {
    let mut labs = labs(Lang::En, SMALL);
    press(&mut labs, "<Enter><Esc>4x");
    assert!(labs.confirm.is_some());
    press(&mut labs, "n");
    assert!(labs.confirm.is_none());
    press(&mut labs, "sn");
    assert!(!labs.open.as_ref().expect("a lab").solution);
}

/// What its text compares, the last step knows only of a run after the change.
#[test]
fn the_last_step_compares_two_runs_or_none() {
    for (lang, compared, before, replayed) in [
        (
            Lang::En,
            "As many copies",
            "Solved before",
            "not possible here",
        ),
        (Lang::Zh, "拷贝和以前一样多", "之前已完成", "这里做不到"),
    ] {
        // Solved on another day.
        let mut labs = labs(lang, SMALL);
        press(&mut labs, "<Enter><Esc>");
        labs.open.as_mut().expect("a lab").solved = true;
        press(&mut labs, "5");
        let shown = screen(&labs);
        assert!(
            shown.contains(before) && !shown.contains(compared),
            "{shown}"
        );
        press(&mut labs, "c5");
        assert!(screen(&labs).contains(compared));
        // Where nothing can be traced, there is what the solution did.
        let mut labs = self::labs(lang, SMALL);
        labs.replay = Some(String::new());
        press(&mut labs, "<Enter><Esc>4<Enter>");
        let shown = screen(&labs);
        assert!(
            shown.contains(compared) && shown.contains(replayed),
            "{shown}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    /// Any keys, at any size: nothing panics.
    #[test]
    fn anything(
        keys in "([a-z0-9\\[\\]LTGN?/ ]|<Enter>|<Esc>|<Tab>|<PgDn>){0,40}",
        sizes in proptest::collection::vec((1u16..220, 1u16..70), 1..6),
    ) {
        let mut labs = labs(Lang::Zh, SMALL);
        for (i, size) in sizes.iter().enumerate() {
            update::resize(&mut labs, *size);
            let part: Vec<char> = keys.chars().collect();
            let cut = part.len() / sizes.len();
            // Names are cut at will: only whole ones count.
            let part: String = part.iter().skip(i * cut).take(cut).filter(|c| !"<>".contains(**c)).collect();
            press(&mut labs, &part);
            screen(&labs);
        }
        press(&mut labs, &keys);
        screen(&labs);
    }
}
