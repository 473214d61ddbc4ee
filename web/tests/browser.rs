//! The page in a real browser: it draws what the terminal draws, cell by cell, steps as the terminal steps,
//! and takes nothing from anywhere. Where there is no Chromium that is said, and not run.

mod chromium;

use std::path::{Path, PathBuf};

use bytehop_core::decode::{decode, encode};
use bytehop_core::event::{Event, FileRef, Head, Meta, Start, Syscall};
use bytehop_core::i18n::Lang;
use bytehop_core::record::{Reader, Writer};
use bytehop_web::page::page;
use bytehop_web::screen::fingerprint;
use chromium::{Probe, browser, watch};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use terminput::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use tui::action::Action;
use tui::app::App;
use tui::look::Look;
use tui::store::Store;
use tui::theme::Theme;
use tui::{draw, keys, update, view};

fn recording(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tui/tests/recordings");
    folder.join(name).with_extension("bhop")
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn visit(browser: &str, name: &str, page: &str, width: u16, steps: &[&str]) -> Probe {
    let steps: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    let outside = include_str!("outside.html")
        .replace("@STEPS@", &format!("[{}]", steps.join(",")))
        .replace("@WIDTH@", &width.to_string())
        .replace("@PAGE@", &base64(page.as_bytes()));
    let file = folder().join(format!("{name}-{width}.html"));
    std::fs::write(&file, outside).expect("a file");
    let profile = folder().join(format!("profile-{name}-{width}"));
    watch(
        browser,
        name,
        &format!("file://{}", file.display()),
        &profile,
    )
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |part: &[u8]| -> [char; 4] {
        let bits = part
            .iter()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - part.len()));
        std::array::from_fn(|i| match i <= part.len() {
            true => char::from(LETTERS[(bits >> (18 - 6 * i)) as usize & 63]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(group).collect()
}

/// The terminal's side: the same steps, drawn into a test backend.
struct Here {
    app: App,
}

impl Here {
    fn new(store: Store, size: (u16, u16)) -> Self {
        let look = Look {
            lang: Lang::En,
            theme: Theme::Light,
            ascii: false,
            own: None,
        };
        let app = App::new(store, look, size);
        Self { app }
    }

    fn step(&mut self, step: &str) {
        let (what, key) = match step {
            "swipe left" => ("key", "n"),
            "swipe right" => ("key", "p"),
            step => step.split_once(' ').unwrap_or((step, "")),
        };
        let event = match what {
            "click" => {
                let (x, y) = key.split_once(',').expect("x,y");
                let at = |n: &str| n.parse().expect("a number");
                terminput::Event::Mouse(MouseEvent {
                    kind: MouseEventKind::Down(MouseButton::Left),
                    column: at(x),
                    row: at(y),
                    modifiers: terminput::KeyModifiers::NONE,
                })
            }
            _ => {
                let code = match key {
                    "Enter" => KeyCode::Enter,
                    "Escape" => KeyCode::Esc,
                    "Tab" => KeyCode::Tab,
                    "ArrowRight" => KeyCode::Right,
                    key => KeyCode::Char(key.chars().next().unwrap_or(' ')),
                };
                terminput::Event::Key(KeyEvent::new(code))
            }
        };
        if let Some(action) = keys::action(&event, &self.app) {
            update::update(&mut self.app, action);
        }
        while self.app.is_moving() {
            update::update(&mut self.app, Action::Tick);
        }
    }

    fn screen(&self) -> (String, String) {
        let (w, h) = self.app.size;
        let mut terminal = Terminal::new(TestBackend::new(w, h)).expect("a terminal");
        terminal
            .draw(|frame| view::draw(&self.app, frame.buffer_mut()))
            .expect("a frame");
        let buffer = terminal.backend().buffer();
        (draw::text(buffer), format!("{:016x}", fingerprint(buffer)))
    }
}

const STEPS: [&str; 17] = [
    "key n",
    "key n",
    "key N",
    "button Enter",
    "key Escape",
    "click 100,6",
    "button n",
    "swipe left",
    "swipe right",
    "key ArrowRight",
    "key L",
    "key T",
    "button L",
    "key Tab",
    "key z",
    "key z",
    "button ?",
];

/// The same screens here and there, from the first to the last step.
fn compare(name: &str, store: Store, width: u16, probe: &Probe, steps: &[&str]) {
    assert_eq!(probe.get("stuck"), "", "{name}");
    let shown = probe.shown();
    assert_eq!(
        shown.len(),
        steps.len() + 1,
        "{name}: {}",
        probe.get("stuck")
    );
    let size = &shown[0][1];
    let (w, h) = size.split_once('x').expect("a size");
    let size = (w.parse().expect("columns"), h.parse().expect("rows"));
    let mut here = Here::new(store, size);
    for [step, _, cells, text] in &shown {
        if !step.is_empty() {
            here.step(step);
        }
        let (expected, number) = here.screen();
        assert_eq!(*text, expected, "{name}, {width} px, after {step:?}");
        assert_eq!(
            *cells, number,
            "{name}, {width} px, after {step:?}: colours"
        );
    }
    let facts =
        ["loaded", "scripts", "frames", "hit", "fits", "described"].map(|key| probe.get(key));
    assert_eq!(
        facts,
        ["", "1", "0", "no", "true", "true"],
        "{name}, {width} px"
    );
    let letters: usize = probe.get("letters").parse().unwrap_or_default();
    assert!(letters > 200, "{name}: the picture has {letters} letters");
}

/// A recording, and its page.
fn open(file: &Path) -> (Store, String) {
    let store = Store::open(file).expect("a recording");
    let bytes = std::fs::read(file).expect("a recording");
    let page = page(&bytes, &store.summary, Lang::En);
    assert!(
        page.len() < (3 << 20) + bytes.len() * 4 / 3,
        "{} bytes",
        page.len()
    );
    (store, page)
}

#[test]
fn draws_what_the_terminal_draws() {
    let Some(browser) = browser("the page in a browser") else {
        return;
    };
    for (name, width) in [
        ("copy", 1440),
        ("copy", 360),
        ("b-uring", 1440),
        ("sendfile", 800),
    ] {
        let (store, page) = open(&recording(name));
        let probe = visit(browser, name, &page, width, &STEPS);
        compare(name, store, width, &probe, &STEPS);
        assert_eq!(probe.get("lang"), "en");
        assert_ne!(probe.get("tables"), "0");
    }
}

#[test]
fn the_solution_of_every_lab() {
    let Some(browser) = browser("every lab's solution in the page") else {
        return;
    };
    let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs");
    let labs = std::fs::read_dir(labs).expect("the labs");
    let steps = ["key N", "key n", "button Enter"];
    let mut seen = 0;
    for lab in labs {
        let lab = lab.expect("a lab").path();
        let file = lab.join("recordings/solution.bhop");
        if file.is_file() {
            let name = lab.file_name().unwrap_or_default().to_string_lossy();
            let (store, page) = open(&file);
            let probe = visit(browser, &name, &page, 1000, &steps);
            compare(&name, store, 1000, &probe, &steps);
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} labs");
}

#[test]
fn hostile_names_change_nothing() {
    const EVIL: &str = "\u{202e}</script><script>window.hit=1</script><img src=x onerror='parent.hit=hit=2'>\x1b[31m\u{7}&lt;\"";
    let path = folder().join("hostile.bhop");
    let mut reader = Reader::open(&recording("copy")).expect("a recording");
    let mut writer = Writer::create(&path).expect("a file");
    while let Some(record) = reader.next_record() {
        let mut event = decode(record).expect("an event");
        match &mut event {
            Event::Name(name) => name.path = format!("/{EVIL}"),
            Event::Exec(_) => {}
            Event::Meta(Meta::Start(start)) => {
                start.command = vec![EVIL.to_owned(), format!("{EVIL}\n{EVIL}")];
                start.comm = EVIL.to_owned();
                start.kernel = EVIL.to_owned();
                start.missing = vec![(EVIL.to_owned(), EVIL.to_owned())];
            }
            Event::Meta(Meta::Device(device)) => {
                device.name = EVIL.to_owned();
                device.driver = EVIL.to_owned();
            }
            _ => {}
        }
        let mut bytes = Vec::new();
        encode(&event, &mut bytes);
        writer.record(&bytes).expect("write");
    }
    writer.finish().expect("write");

    let (store, page) = open(&path);
    assert!(!page.contains("<img") && !page.contains("\u{202e}") && !page.contains('\x1b'));
    assert_eq!(page.matches("<script").count(), 3);
    let Some(browser) = browser("hostile names in the page") else {
        return;
    };
    let steps = ["key n", "key N", "button Enter", "key Escape"];
    let probe = visit(browser, "hostile", &page, 1440, &steps);
    compare("hostile", store, 1440, &probe, &steps);
    assert!(probe.get("body").contains("<script>window.hit=1</script>"));
}

/// Reads of one file, now and then of another, as a program makes them a million times.
fn million(path: &Path) {
    let mut writer = Writer::create(path).expect("a file");
    writer
        .meta(&Meta::Start(Start {
            command: vec!["a million reads".to_owned()],
            ..Start::default()
        }))
        .expect("write");
    for number in 0..1_000_000u64 {
        let head = Head {
            tid: 1 + number as u32 % 3,
            tgid: 1,
            nr: if number.is_multiple_of(7) { 0 } else { 17 },
            seq: 1 + (number / 3) as u32,
            ts: 1 + number * 1000,
            ..Head::default()
        };
        let call = Syscall {
            head,
            dur: 700,
            ret: (number % 50 * 512) as i64,
            ..Syscall::default()
        };
        let file = FileRef {
            mode: 0o100_644,
            ..FileRef::default()
        };
        let mut bytes = Vec::new();
        let event = Event::Syscall {
            call,
            file: Some(file),
        };
        encode(&event, &mut bytes);
        writer.record(&bytes).expect("write");
    }
    writer.finish().expect("write");
}

#[test]
fn a_million_calls() {
    let Some(browser) = browser("a million calls in the page") else {
        return;
    };
    let path = folder().join("million.bhop");
    million(&path);
    let steps = ["key n", "key G", "key p", "key P"];
    let (store, page) = open(&path);
    let probe = visit(browser, "million", &page, 1440, &steps);
    println!("shown whole after {} ms", probe.get("whole"));
    compare("million", store, 1440, &probe, &steps);
}

#[test]
fn the_program_is_of_these_sources() {
    #[path = "../../tracer/ebpf-object/source_hash.rs"]
    #[allow(dead_code, reason = "the part of the eBPF object")]
    mod source_hash;
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let notes = std::fs::read_to_string(package.join("object/bytehop.toml")).expect("the notes");
    let sources = source_hash::web_hash(&package.join("..")).expect("the sources");
    assert_eq!(
        source_hash::note(&notes, "sources"),
        Some(sources.as_str()),
        "the page's program is older than its sources: run `cargo xtask web`"
    );
}
