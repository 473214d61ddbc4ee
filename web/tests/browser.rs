//! The page in a real browser: it draws what the terminal draws, cell by cell, steps as the terminal steps,
//! and takes nothing from anywhere. Where there is no Chromium that is said, and not run.

mod chromium;

use std::path::{Path, PathBuf};

use bytehop_core::arch::Arch;
use bytehop_core::base64::base64;
use bytehop_core::decode::{decode, encode};
use bytehop_core::event::{Event, FileRef, Head, Meta, Start, Syscall};
use bytehop_core::i18n::Lang;
use bytehop_core::reconstruct::summarise;
use bytehop_core::record::{EXTENSION, Reader, Writer, open_events};
use bytehop_core::report::export::Folded;
use bytehop_web::page::page;
use bytehop_web::screen::fingerprint;
use chromium::{DARK, LIGHT, Probe, axe, browser, not_run, watch};
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
    let folder = workspace().join("tui/tests/recordings");
    folder.join(name).with_extension(EXTENSION)
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the workspace").to_owned()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// How pages are visited.
#[derive(Clone, Copy, Default)]
struct Visit<'a> {
    width: u16,
    steps: &'a [&'a str],
    dark: bool,
    /// The screens before all is read, too.
    early: bool,
    /// All text of the page, too.
    body: bool,
    axe: Option<&'a str>,
}

/// Pages, one after the other in the same browser; what each has shown.
fn visit(browser: &str, name: &str, pages: &[(String, String)], how: Visit<'_>) -> Vec<Probe> {
    let open = "<script type=\"text/plain\" id=\"program\">";
    let mut program = "";
    // The program is the same in all: it stands there once.
    let pages: Vec<[String; 2]> = pages
        .iter()
        .map(|(name, page)| {
            let (head, rest) = page.split_once(open).expect("the program");
            let (code, rest) = rest.split_once('<').expect("its end");
            program = code;
            let page = format!("{head}{open}@PROGRAM@<{rest}");
            [name.clone(), base64(page.as_bytes())]
        })
        .collect();
    let config = serde_json::json!({
        "program": program,
        "pages": pages,
        "steps": how.steps,
        "width": how.width,
        "early": how.early,
        "body": how.body,
        "axe": how.axe.map(|axe| base64(axe.as_bytes())),
    });
    let outside = include_str!("outside.html").replace("@CONFIG@", &config.to_string());
    let name = format!("{name}-{}", how.width);
    let file = folder().join(format!("{name}.html"));
    std::fs::write(&file, outside).expect("a file");
    let profile = folder().join(format!("profile-{name}"));
    let url = format!("file://{}", file.display());
    let theme = if how.dark { DARK } else { LIGHT };
    let probe = watch(browser, &name, &url, &profile, &[theme]);
    let found = probe.pages();
    assert_eq!(found.len(), pages.len(), "{name}: {}", probe.get("stuck"));
    found
}

/// One page.
fn look(browser: &str, name: &str, page: String, how: Visit<'_>) -> Probe {
    let pages = [(name.to_owned(), page)];
    visit(browser, name, &pages, how).remove(0)
}

/// The terminal's side: the same steps, drawn into a test backend.
struct Here {
    app: App,
}

impl Here {
    fn new(store: Store, size: (u16, u16), lang: Lang, theme: Theme) -> Self {
        let look = Look {
            lang,
            theme,
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
fn compare(name: &str, store: Store, probe: &Probe, how: Visit<'_>) {
    compare_in(name, store, probe, how, Lang::En);
}

fn compare_in(name: &str, store: Store, probe: &Probe, how: Visit<'_>, lang: Lang) {
    assert_eq!(probe.get("stuck"), "", "{name}");
    let shown = probe.shown();
    let count = how.steps.len() + 1;
    assert_eq!(shown.len(), count, "{name}: {}", probe.get("stuck"));
    let size = &shown[0][1];
    let (w, h) = size.split_once('x').expect("a size");
    let size = (w.parse().expect("columns"), h.parse().expect("rows"));
    let theme = if how.dark { Theme::Dark } else { Theme::Light };
    let mut here = Here::new(store, size, lang, theme);
    let at = format!("{name}, {} px", how.width);
    for [step, _, cells, text] in &shown {
        if !step.is_empty() {
            here.step(step);
        }
        let (expected, number) = here.screen();
        assert_eq!(*text, expected, "{at}, after {step:?}");
        assert_eq!(*cells, number, "{at}, after {step:?}: colours");
    }
    let facts =
        ["loaded", "scripts", "frames", "hit", "fits", "described"].map(|key| probe.get(key));
    assert_eq!(facts, ["", "1", "0", "no", "true", "true"], "{at}");
    let letters: usize = probe.get("letters").parse().unwrap_or_default();
    assert!(letters > 200, "{name}: the picture has {letters} letters");
}

/// A recording, and its page.
fn open(file: &Path) -> (Store, String) {
    open_in(file, Lang::En)
}

fn open_in(file: &Path, lang: Lang) -> (Store, String) {
    let store = Store::open(file).expect("a recording");
    let bytes = std::fs::read(file).expect("a recording");
    let mut stacks = Folded::default();
    let events = open_events(file).expect("a recording");
    summarise(events, Arch::X86_64, &mut stacks);
    let page = page(&bytes, &store.summary, &stacks, lang);
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
        let how = Visit {
            width,
            steps: &STEPS,
            ..Visit::default()
        };
        let probe = look(browser, name, page, how);
        compare(name, store, &probe, how);
        assert_eq!(probe.get("lang"), "en");
        assert_ne!(probe.get("tables"), "0");
    }
}

/// Every recording of a real run in the tree: those of the labs, their solutions', and the terminal UI's.
#[test]
fn every_recording() {
    let Some(browser) = browser("every recording in the page") else {
        return;
    };
    let (mut labs, mut others) = (Vec::new(), Vec::new());
    recordings(&workspace().join("labs"), &mut labs);
    recordings(&workspace().join("tui"), &mut others);
    let folders = std::fs::read_dir(workspace().join("labs")).expect("the labs");
    let folders = folders.map(|lab| lab.expect("a lab").path().join("recordings"));
    let without: Vec<PathBuf> = folders
        .filter(|folder| folder.is_dir() && !labs.iter().any(|file| file.starts_with(folder)))
        .collect();
    assert_eq!(without, [""; 0].map(PathBuf::from));
    assert!(labs.len() >= 90 && others.len() >= 10);
    let how = Visit {
        width: 1000,
        steps: &["key N", "key n", "button Enter"],
        ..Visit::default()
    };
    let all: Vec<PathBuf> = labs.into_iter().chain(others).collect();
    let parts = all.chunks(all.len().div_ceil(2)).enumerate();
    std::thread::scope(|scope| {
        for (i, files) in parts {
            scope.spawn(move || every(browser, &format!("every-{i}"), files, how));
        }
    });
}

fn every(browser: &str, name: &str, files: &[PathBuf], how: Visit<'_>) {
    let (mut stores, mut pages) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.strip_prefix(workspace()).expect("below it");
        let (store, page) = open(file);
        stores.push(store);
        pages.push((name.display().to_string(), page));
    }
    let probes = visit(browser, name, &pages, how);
    for ((probe, store), (name, _)) in probes.iter().zip(stores).zip(&pages) {
        assert_eq!(probe.get("page"), name);
        compare(name, store, probe, how);
    }
}

/// The recordings below a folder.
fn recordings(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut inside: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    inside.sort();
    for path in inside {
        if path.is_dir() {
            recordings(&path, found);
        } else if path.extension().is_some_and(|e| e == EXTENSION) {
            found.push(path);
        }
    }
}

/// In both languages and themes, narrow and wide: no serious finding of axe-core, and the terminal's cells.
#[test]
fn everyone_can_read_it() {
    const TEST: &str = "the page's accessibility (axe-core)";
    let Some(browser) = browser(TEST) else {
        return;
    };
    let axe = match axe() {
        Ok(axe) => axe,
        Err(why) => return not_run(TEST, &why),
    };
    for (name, lang, dark, width) in [
        ("source", Lang::En, false, 360),
        ("source", Lang::Zh, true, 360),
        ("write-fsync", Lang::En, true, 1440),
        ("write-fsync", Lang::Zh, false, 1440),
    ] {
        let (store, page) = open_in(&recording(name), lang);
        // The policy lets no other script in, the checker neither.
        let (head, rest) = page
            .split_once("<meta http-equiv=\"Content-Security-Policy\"")
            .expect("the policy");
        let (_, rest) = rest.split_once('>').expect("its end");
        let page = format!("{head}{rest}");
        let how = Visit {
            width,
            steps: &["key N", "key Enter"],
            dark,
            axe: Some(&axe),
            ..Visit::default()
        };
        let probe = look(browser, &format!("axe-{name}-{lang:?}"), page, how);
        compare_in(name, store, &probe, how, lang);
        let at = format!("{name}, {lang:?}, {width} px, dark: {dark}");
        assert_eq!(probe.get("axe"), "", "{at}");
        assert!(probe.all("fits").all(|fits| fits == "true"), "{at}");
        let passes: u32 = probe.get("passes").parse().unwrap_or(0);
        assert!(passes > 15, "{at}: axe-core looked at little: {passes}");
        let (tag, theme) = (
            if lang == Lang::En { "en" } else { "zh-Hans" },
            if dark { "dark" } else { "light" },
        );
        assert_eq!((probe.get("lang"), probe.get("theme")), (tag, theme));
    }
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
    let how = Visit {
        width: 1440,
        steps: &["key n", "key N", "button Enter", "key Escape"],
        body: true,
        ..Visit::default()
    };
    let probe = look(browser, "hostile", page, how);
    compare("hostile", store, &probe, how);
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

/// The first screen is there, and keys are answered, while most of the recording is still to be read.
#[test]
fn a_million_calls() {
    let Some(browser) = browser("a million calls in the page") else {
        return;
    };
    let path = folder().join("million.bhop");
    million(&path);
    let (store, page) = open(&path);
    let how = Visit {
        width: 1440,
        steps: &["key n", "key G", "key p", "key P"],
        early: true,
        ..Visit::default()
    };
    let probe = look(browser, "million", page, how);
    let ms = |key: &str| probe.get(key).parse::<u32>().expect("a time");
    let (first, answered, whole) = (ms("first"), ms("answered"), ms("whole"));
    println!(
        "shown after {first} ms, a key answered after {answered} ms, read whole after {whole} ms"
    );
    assert_eq!(probe.get("busy"), "true");
    let progress = probe.get("progress");
    let percent = progress.split('%').next().unwrap_or_default();
    let digits = percent.trim_end().rsplit(|c: char| !c.is_ascii_digit());
    let percent: u32 = digits
        .clone()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100);
    assert!(
        percent < 50,
        "{percent} % were read when a key was answered: {progress}"
    );
    compare("million", store, &probe, how);
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
