//! Every view, as a snapshot: 80×24 and 200×50, English and Chinese.

mod common;

use common::{PLAIN, RECORDINGS, app, buffer, press, screen, settle};
use tracer::i18n::Lang;
use tui::app::Look;
use tui::theme::Theme;
use tui::view;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);
const ZH: Look = Look {
    lang: Lang::Zh,
    ..PLAIN
};

/// Goes to a hop of the call that the workload is about, with the whole program in sight.
fn about(name: &str) -> &'static str {
    match name {
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
        for (size, lang, look) in [
            (SMALL, "en", PLAIN),
            (SMALL, "zh", ZH),
            (LARGE, "en", PLAIN),
            (LARGE, "zh", ZH),
        ] {
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
        ("totals", "<Tab><Tab>".to_owned()),
        ("calls", format!("{keys}<Tab>z<Right>")),
        ("path-alone", format!("{keys}z")),
        ("so-far", format!("{keys}v")),
        ("this-call", format!("{keys}vv")),
        ("typing", "/rea".to_owned()),
        ("filtered", "/write dst<Enter>".to_owned()),
        ("no-match", "/nothing like it<Enter>".to_owned()),
    ];
    for (name, keys) in &cases {
        for (lang, look) in [("en", PLAIN), ("zh", ZH)] {
            let shot = screen("copy", look, SMALL, keys);
            insta::assert_snapshot!(format!("view-{name}-{lang}"), shot);
        }
    }
    let ascii = Look {
        ascii: true,
        ..PLAIN
    };
    insta::assert_snapshot!("ascii", screen("sendfile", ascii, SMALL, about("sendfile")));
    insta::assert_snapshot!("too-small", screen("copy", PLAIN, (40, 10), ""));
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
        for keys in [about(name), "?", "<Tab><Tab>z", "n<Enter>"] {
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

/// Each path can be told from the others without colour: the lines between boxes differ.
#[test]
fn lab_paths_differ_at_a_glance() {
    let mut seen = std::collections::BTreeMap::new();
    for name in ["copy", "sendfile", "splice", "mmap", "direct"] {
        let app = app(name, PLAIN, SMALL);
        // What moved at least a tenth of the payload's MiB.
        let big = app.arrows.iter();
        let big = big.filter(|arrow| arrow.amount(&app.total).bytes > 200_000);
        let arrows = big.map(|a| (a.kind.letter(), a.from.to_string(), a.to.to_string()));
        let arrows: Vec<_> = arrows.collect();
        let other = seen.insert(arrows, name);
        assert_eq!(other, None, "they look like {name}");
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
