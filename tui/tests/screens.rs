//! Every view, as a snapshot: 80×24 and 200×50, English and Chinese.

mod common;

use std::time::{Duration, Instant};

use bytehop_core::i18n::Lang;
use bytehop_core::model::Evidence;
use bytehop_core::record::{Reader, log};
use tui::action::Action;
use tui::app::{App, Other, Source, Target};
use tui::look::Look;
use tui::store::Feed;
use tui::theme::Theme;
use tui::{draw, view};

use common::{PLAIN, RECORDINGS, app, buffer, press, screen, settle};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);
const ZH: Look = Look {
    lang: Lang::Zh,
    ..PLAIN
};

/// What a recording's name begins with: one of this machine's level (T), and one of level B.
const LEVELS: [&str; 2] = ["", "b-"];

/// Goes to a hop of the call that the workload is about, with the whole program in sight.
fn about(name: &str) -> &'static str {
    match name.trim_start_matches("b-") {
        "copy" => "/read src<Enter>Nn<Esc>",
        "sendfile" => "/sendfile<Enter>nn<Esc>",
        "splice" => "/splice<Enter>nn<Esc>",
        "mmap" => "/fault src<Enter>n<Esc>",
        "direct" => "/read src<Enter>n<Esc>",
        "uring" => "/io_uring_enter<Enter>nn<Esc>",
        "write-fsync" => "/fsync<Enter>n<Esc>",
        "cow" => "/fault<Enter>Gn<Esc>",
        _ => "/write<Enter>n<Esc>",
    }
}

#[test]
fn paths() {
    for name in RECORDINGS {
        for (size, lang, look) in sizes_and_languages() {
            let shot = screen(name, look, size, about(name));
            insta::assert_snapshot!(format!("{name}-{}x{}-{lang}", size.0, size.1), shot);
        }
    }
}

#[test]
fn views() {
    let keys = about("copy");
    let cases = [
        ("explain", format!("{keys}<Enter>")),
        ("explain-call", format!("{keys}P<Enter>")),
        ("help", "?".to_owned()),
        ("totals", "<Tab><Tab><Tab><Tab>".to_owned()),
        ("timeline", format!("{keys}<Tab><Tab><Tab>")),
        (
            "timeline-closer",
            format!("{keys}<Tab><Tab><Tab><Up><Up><Up>"),
        ),
        ("no-source", format!("{keys}<Tab><Tab>")),
        ("calls", format!("{keys}<Tab>z<Right>")),
        ("path-alone", format!("{keys}z")),
        ("so-far", format!("{keys}v")),
        ("this-call", format!("{keys}vv")),
        ("typing", "/rea".to_owned()),
        ("filtered", "/write dst<Enter>".to_owned()),
        ("no-match", "/nothing like it<Enter>".to_owned()),
        ("by-size", "/read >= 64K<Enter>N".to_owned()),
        ("no-number", "/>= many<Enter>".to_owned()),
        ("no-line", "e".to_owned()),
        ("histogram", format!("{keys}H")),
        ("histogram-call", format!("{keys}PH")),
    ];
    for level in LEVELS {
        for (name, keys) in &cases {
            for (size, lang, look) in sizes_and_languages() {
                let shot = screen(&format!("{level}copy"), look, size, keys);
                let size = if size == SMALL { "" } else { "200x50-" };
                insta::assert_snapshot!(format!("{level}view-{name}-{size}{lang}"), shot);
            }
        }
    }
    let ascii = Look {
        ascii: true,
        ..PLAIN
    };
    insta::assert_snapshot!("ascii", screen("sendfile", ascii, SMALL, about("sendfile")));
    insta::assert_snapshot!("too-small", screen("copy", PLAIN, (40, 10), ""));
}

/// Goes to a call of the recordings `source`.
const SOURCE: &str = "/read in.bin<Enter>NN<Esc>";

/// The source of a program, beside the call that is looked at.
#[test]
fn source() {
    for level in LEVELS {
        let name = format!("{level}source");
        for (size, lang, look) in sizes_and_languages() {
            let focus = if size == SMALL { "<Tab><Tab>" } else { "" };
            let shot = screen(&name, look, size, &format!("{SOURCE}{focus}"));
            insta::assert_snapshot!(format!("{name}-{}x{}-{lang}", size.0, size.1), shot);
        }
        // Of a call without a line the pane says so, whatever it shows.
        let shot = screen(&name, PLAIN, SMALL, "<Tab><Tab>");
        assert!(
            shot.contains("no source line is known of this call ─┤"),
            "{shot}"
        );
        // The program's own source file is where the recording says.
        let shot = screen(&name, PLAIN, SMALL, &format!("{SOURCE}<Tab><Tab>"));
        assert!(shot.contains("let n = from.read(&mut"), "{shot}");
        let app = app(&name, PLAIN, SMALL);
        let annotation = &app.store.annotation;
        let file = annotation.files.first().expect("a file");
        let copied = |line: u32| file.lines.get(&line).map_or(0, |line| line.copied);
        // 256 KiB in and out, by the lines that call read and write.
        assert_eq!((copied(7), copied(11)), (256 << 10, 256 << 10));
    }
}

/// Keys and columns of one's own, where they are told: help, hints, the heads beside the source.
#[test]
fn configured() {
    let text = include_str!("../../docs/config.toml");
    let config = tui::config::Config::parse(text);
    let mut options = tui::Options::from_env(Some(Lang::En), config.theme).with(&config);
    options.note = config.complaint("config.toml", Lang::En);
    for (size, lang, look) in sizes_and_languages() {
        for (view, keys) in [("help", "?"), ("columns", SOURCE)] {
            let mut app = app("source", look, size);
            options.apply(&mut app);
            app.animation = true;
            assert_eq!(app.note, None);
            press(&mut app, keys);
            if size == SMALL && view == "columns" {
                press(&mut app, "<Tab><Tab>");
            }
            settle(&mut app);
            let name = format!("configured-{view}-{}x{}-{lang}", size.0, size.1);
            insta::assert_snapshot!(name, draw::text(&buffer(&app)));
        }
    }
}

/// The recording of sendfile at a level, beside that of read and write.
fn comparison(level: &str, look: Look, size: (u16, u16)) -> App {
    let mut app = app(&format!("{level}sendfile"), look, size);
    app.compare_with(Other {
        summary: common::store(&format!("{level}copy")).summary,
        names: ["copy.bhop", "sendfile.bhop"].map(str::to_owned),
    });
    app
}

/// Two runs side by side.
#[test]
fn compared() {
    for level in LEVELS {
        for (size, lang, look) in sizes_and_languages() {
            let mut app = comparison(level, look, size);
            settle(&mut app);
            let shot = draw::text(&buffer(&app));
            insta::assert_snapshot!(format!("{level}compare-{}x{}-{lang}", size.0, size.1), shot);
            press(&mut app, "c");
            assert!(!draw::text(&buffer(&app)).contains("B / A"));
        }
    }
}

fn sizes_and_languages() -> [((u16, u16), &'static str, Look); 4] {
    [
        (SMALL, "en", PLAIN),
        (SMALL, "zh", ZH),
        (LARGE, "en", PLAIN),
        (LARGE, "zh", ZH),
    ]
}

/// Colours and modifiers, as runs of cells: what a text snapshot does not show.
fn styles(buffer: &ratatui::buffer::Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let style = |x: u16| {
            let cell = buffer.cell((x, y)).expect("a cell");
            format!("{:?} {:?}", cell.fg, cell.modifier)
        };
        let mut x = 0;
        while x < buffer.area.width {
            let from = x;
            let now = style(x);
            while x < buffer.area.width && style(x) == now {
                x += 1;
            }
            if now != "Reset NONE" {
                out += &format!("{y}:{from}-{} {now}\n", x - 1);
            }
        }
    }
    out
}

/// Every view in the dark theme: the text is that of the other snapshots, here are the colours.
#[test]
fn dark() {
    let keys = about("copy");
    let cases = [
        ("path", "copy", keys.to_owned()),
        ("calls", "copy", format!("{keys}<Tab>z")),
        ("source", "source", format!("{SOURCE}<Tab><Tab>")),
        ("timeline", "copy", format!("{keys}<Tab><Tab><Tab>")),
        ("totals", "copy", "<Tab><Tab><Tab><Tab>z".to_owned()),
        ("explain", "copy", format!("{keys}<Enter>")),
        ("help", "copy", "?".to_owned()),
    ];
    for level in LEVELS {
        for (size, lang, look) in sizes_and_languages() {
            let look = Look {
                theme: Theme::Dark,
                ..look
            };
            let shoot = |view: &str, mut app: App, keys: &str| {
                press(&mut app, keys);
                settle(&mut app);
                let name = format!("{level}dark-{view}-{}x{}-{lang}", size.0, size.1);
                insta::assert_snapshot!(name, styles(&buffer(&app)));
            };
            for (view, recording, keys) in &cases {
                shoot(view, app(&format!("{level}{recording}"), look, size), keys);
            }
            shoot("compare", comparison(level, look, size), "");
        }
    }
}

/// A live trace whose program waits: what has come of a recording, and what the program wrote.
fn live(name: &str, look: Look, size: (u16, u16), keys: &str) -> App {
    let (mut writer, log) = log(|_| u64::MAX).expect("a file");
    let (mut feed, store) = Feed::live(log);
    let mut app = App::new(store, look, size).live(Target::Command, true);
    let reader = || Reader::open(&common::path(name)).expect("a recording");
    let mut all = reader();
    let records = std::iter::from_fn(|| all.next_record().map(drop)).count();
    let mut some = reader();
    for _ in 0..records * 3 / 4 {
        let record = some.next_record().expect("it was there");
        writer.record(record).expect("written");
    }
    let begin = Instant::now();
    for seconds in 1..4 {
        let now = begin + Duration::from_secs(seconds);
        writer.tick(now).expect("written");
        feed.pull(&mut app.store, None);
    }
    assert_eq!((feed.behind(), app.store.is_empty()), (0, false));
    tui::update::fed(&mut app, Source::Live(Target::Command), 0);
    tui::update::output(
        &mut app,
        b"reading src.bin\r\n\x1b[1;32mgo on?\x1b[m [y/N] ",
    );
    for key in keys.chars() {
        tui::update::update(&mut app, action(key));
    }
    settle(&mut app);
    app
}

fn action(key: char) -> Action {
    match key {
        ']' => Action::Program,
        'z' => Action::Zoom,
        'q' => Action::Quit,
        other => panic!("no such key: {other}"),
    }
}

/// The program's own terminal below the path view, alone, and after a look at the rest; what is asked
/// before it is ended.
#[test]
fn program() {
    for level in LEVELS {
        let name = format!("{level}copy");
        for (size, lang, look) in sizes_and_languages() {
            for (view, keys) in [
                ("typing", ""),
                ("looking", "]"),
                ("alone", "z"),
                ("end", "]q"),
            ] {
                let size_of = format!("{}x{}-{lang}", size.0, size.1);
                let plain = live(&name, look, size, keys);
                let shot = draw::text(&buffer(&plain));
                insta::assert_snapshot!(format!("{level}program-{view}-{size_of}"), shot);
                let theme = Theme::Dark;
                let dark = live(&name, Look { theme, ..look }, size, keys);
                let shot = styles(&buffer(&dark));
                insta::assert_snapshot!(format!("{level}dark-program-{view}-{size_of}"), shot);
            }
        }
    }
}

/// Live, what a device does is told with what its thread did meanwhile, for a moment.
#[test]
fn a_device_at_work_live() {
    let (mut writer, log) = log(|_| u64::MAX).expect("a file");
    let (mut feed, store) = Feed::live(log);
    let mut app = App::new(store, PLAIN, SMALL).live(Target::Command, false);
    let mut reader = Reader::open(&common::path("direct")).expect("a recording");
    let told = "read: in this call the thread is off the CPU for";
    let mut seconds = (0..).map(Duration::from_secs);
    let begin = Instant::now();
    let is_told = |app: &App| draw::text(&buffer(app)).contains(told);
    while !is_told(&app) {
        let record = reader.next_record().expect("a device worked");
        writer.record(record).expect("written");
        let now = begin + seconds.next().expect("endless");
        writer.tick(now).expect("written");
        feed.pull(&mut app.store, None);
        tui::update::fed(&mut app, Source::Live(Target::Command), 0);
    }
    settle(&mut app);
    assert!(!is_told(&app));
}

/// A click on an arrow goes to the next hop that it stands for.
#[test]
fn arrows_can_be_clicked() {
    let mut app = app("copy", PLAIN, SMALL);
    let inner = (1, 2);
    for (number, path) in app.layout.paths.clone().iter().enumerate() {
        let middle = path.get(path.len() / 2).expect("a way");
        let (x, y) = (inner.0 + middle.x as u16, inner.1 + middle.y as u16);
        if view::hit(&app, x, y) != Some(view::Hit::Arrow(number)) {
            // Two lines cross there.
            continue;
        }
        tui::update::update(&mut app, Action::Click(x, y));
        let hop = app.hop().expect("a hop");
        assert!(app.arrows[number].is_of(hop));
    }
    assert!(app.hop().is_some());
}

/// What a theme adds is colour: nothing is said by it alone.
#[test]
fn themes_differ_in_colour_only() {
    for name in ["copy", "sendfile"] {
        let plain = screen(name, PLAIN, SMALL, about(name));
        for theme in [Theme::Dark, Theme::Light, Theme::Contrast] {
            let look = Look { theme, ..PLAIN };
            assert_eq!(screen(name, look, SMALL, about(name)), plain);
        }
        let mut app = app(name, PLAIN, SMALL);
        press(&mut app, about(name));
        settle(&mut app);
        let colours = buffer(&app).content.iter().any(|cell| {
            use ratatui::style::Color::Reset;
            (cell.fg, cell.bg) != (Reset, Reset)
        });
        assert!(!colours);
    }
}

#[test]
fn ascii_is_ascii() {
    for name in RECORDINGS {
        for keys in [
            about(name),
            "?",
            "<Tab><Tab>",
            "<Tab><Tab><Tab>",
            "<Tab><Tab><Tab><Tab>z",
            "n<Enter>",
        ] {
            for size in [SMALL, LARGE] {
                let ascii = Look {
                    ascii: true,
                    ..PLAIN
                };
                let shot = screen(name, ascii, size, keys);
                let other: Vec<char> = shot.chars().filter(|c| !c.is_ascii()).collect();
                assert_eq!(other, [], "{name} {keys}\n{shot}");
            }
        }
    }
}

#[test]
fn a_comparison_in_ascii() {
    let ascii = Look {
        ascii: true,
        ..PLAIN
    };
    let mut app = comparison("", ascii, SMALL);
    for _ in 0..20 {
        let shot = draw::text(&buffer(&app));
        assert!(shot.is_ascii(), "{shot}");
        press(&mut app, "<Down>");
    }
}

/// The pictures of paths in the docs are what the recordings give today.
#[test]
fn pictures_are_fresh() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    for name in ["copy", "sendfile", "splice", "mmap", "direct", "uring"] {
        let summary = common::store(name).summary;
        for (theme, file) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
            let made = tui::svg::path_svg(&summary, Lang::En, theme);
            let path = docs.join(format!("path-{name}-{file}.svg"));
            let there = std::fs::read_to_string(&path).expect("a picture");
            assert!(made == there, "{}: cargo xtask pictures", path.display());
        }
    }
}

/// What level T infers, level B measures: the same bytes, drawn solid.
#[test]
fn level_b_measures() {
    for name in ["copy", "sendfile", "splice", "mmap", "direct", "uring"] {
        let store = common::store(&format!("b-{name}"));
        assert_eq!(store.summary.level, "B", "{name}");
        let copies = store.keys().iter().filter(|key| key.kind.letter() == 'C');
        let measured = copies
            .clone()
            .filter(|key| matches!(key.evidence, Evidence::Measured(_)));
        assert!(measured.count() * 2 >= copies.count(), "{name}");
    }
}

/// Each path of the labs can be told from the others in a picture without colour: which boxes there are,
/// and the line bodies between them, as they are drawn, for what moved most of the payload.
#[test]
fn lab_paths_differ_at_a_glance() {
    let mut seen = std::collections::BTreeMap::new();
    for name in ["copy", "sendfile", "splice", "mmap", "direct", "uring"] {
        for ascii in [false, true] {
            let app = app(name, Look { ascii, ..PLAIN }, SMALL);
            let buffer = buffer(&app);
            let mut drawn = Vec::new();
            for (arrow, path) in app.arrows.iter().zip(&app.layout.paths) {
                // What moved at least a fifth of the payload's MiB.
                if arrow.amount(&app.total).bytes < 200_000 {
                    continue;
                }
                let inner = path.get(1..path.len() - 1).expect("a way");
                let glyphs = inner.iter().map(|at| {
                    let cell = buffer.cell((1 + at.x as u16, 2 + at.y as u16));
                    cell.map_or("", |cell| cell.symbol()).to_owned()
                });
                let mut glyphs: Vec<String> = glyphs.collect();
                glyphs.sort();
                // The body is what most of its cells show.
                let body = glyphs.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
                let body = body
                    .and_then(|run| run.first().cloned())
                    .unwrap_or_default();
                drawn.push((body, arrow.from.to_string(), arrow.to.to_string()));
            }
            assert!(!drawn.is_empty(), "{name} moves something");
            drawn.sort();
            let other = seen.insert((ascii, drawn), name);
            assert_eq!(other, None, "{name} looks like {other:?}");
        }
    }
}

/// Every arrow of these paths finds a way at 80×24, and no two labels or boxes overlap.
#[test]
fn layouts_are_whole() {
    for name in RECORDINGS {
        for size in [(60, 20), SMALL, (120, 40), LARGE, (250, 70)] {
            for lang in [Lang::En, Lang::Zh] {
                let app = app(name, Look { lang, ..PLAIN }, size);
                let layout = &app.layout;
                assert_eq!(layout.paths.len(), app.arrows.len());
                if size.0 >= 80 {
                    for (path, arrow) in layout.paths.iter().zip(&app.arrows) {
                        assert!(!path.is_empty(), "{name} {size:?}: {arrow:?}");
                    }
                }
                let wish = view::wish(&app).expect("a path view");
                let mut taken = std::collections::HashSet::new();
                for b in &layout.boxes {
                    for x in b.left..=b.right() {
                        for y in b.top..=b.bottom() {
                            assert!(taken.insert((x, y)), "{name} {size:?}: boxes overlap");
                        }
                    }
                    assert!(
                        b.left >= 0 && b.right() < i32::from(wish.width),
                        "{name} {size:?}"
                    );
                }
                let lines: std::collections::HashSet<_> = layout
                    .paths
                    .iter()
                    .flat_map(|path| path.iter().map(|at| (at.x, at.y)))
                    .collect();
                for label in layout.labels.iter().flatten() {
                    for dx in 0..label.cells as i32 {
                        let at = (label.at.x + dx, label.at.y);
                        assert!(!lines.contains(&at), "{name} {size:?}: text on a line");
                        assert!(taken.insert(at), "{name} {size:?}: text on text");
                    }
                }
            }
        }
    }
}
