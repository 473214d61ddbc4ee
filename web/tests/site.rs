//! The course's site in a real browser: one learner from the menu to the solution and back, in both languages,
//! and every page. What the pages say is what the labs say elsewhere.

mod chromium;
#[path = "../../core/tests/common/python.rs"]
mod python;
#[path = "../../core/tests/common/schema.rs"]
mod schema;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytehop_core::i18n::Lang;
use bytehop_web::screen::{Screen, fingerprint};
use bytehop_web::site::site;
use chromium::{DARK, LIGHT, Probe, axe, browser, not_run, watch};
use labs::grade::grade;
use labs::lab::{Lab, bundled};
use labs::site::Course;
use labs::site::pack::Titles;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui::look::Look;
use tui::theme::Theme;
use tui::{draw, view};

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("course");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Serves files by path until the test's process ends; what was asked for is noted.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn of(files: BTreeMap<String, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (files, noted) = (Arc::new(files), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, noted) = (files.clone(), noted.clone());
                std::thread::spawn(move || {
                    let _ = serve(stream, &files, &noted);
                });
            }
        });
        Self { port, asked }
    }
}

fn serve(
    mut stream: TcpStream,
    files: &BTreeMap<String, String>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    let (status, body) = match files.get(&path) {
        Some(body) => ("200 OK", body.as_str()),
        None => ("404 Not Found", ""),
    };
    if !path.is_empty() {
        asked.lock().expect("the list").push(path);
    }
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A site, visited as `config` says, in the dark or the light theme.
fn visit(
    browser: &str,
    name: &str,
    labs: &[Lab],
    config: &str,
    theme: Theme,
    axe: Option<&String>,
) -> Probe {
    let site = site(labs, Lang::En);
    assert_eq!(site.left_out, [""; 0]);
    let files = site.files.into_iter();
    let mut files: BTreeMap<String, String> = files
        .map(|(path, text)| (format!("/site/{path}"), text))
        .collect();
    let config = format!("{{{config},axe:{}}}", axe.is_some());
    let outside = include_str!("course.html").replace("@CONFIG@", &config);
    files.insert("/outside.html".to_owned(), outside);
    files.insert("/axe.js".to_owned(), axe.cloned().unwrap_or_default());
    let known: Vec<String> = files.keys().cloned().collect();
    let server = Server::of(files);
    let profile = folder().join(format!("profile-{name}"));
    let _ = std::fs::remove_dir_all(&profile);
    let url = format!("http://127.0.0.1:{}/outside.html", server.port);
    let probe = watch(
        browser,
        name,
        &url,
        &profile,
        &[match theme {
            Theme::Dark => DARK,
            _ => LIGHT,
        }],
    );
    assert_eq!(probe.get("stuck"), "", "{name}");
    for path in server.asked.lock().expect("the list").iter() {
        assert!(
            known.contains(path) || path == "/favicon.ico",
            "{name}: {path}"
        );
    }
    for fact in ["foreign", "wide", "hit", "axe"] {
        let found: Vec<&str> = probe.all(fact).filter(|value| !value.is_empty()).collect();
        assert_eq!(found, [""; 0], "{name}: {fact}");
    }
    let passes: Vec<u32> = probe
        .all("passes")
        .map(|n| n.parse().unwrap_or(0))
        .collect();
    assert_eq!(passes.is_empty(), axe.is_none(), "{name}");
    assert!(
        passes.iter().all(|n| *n > 15),
        "{name}: axe-core looked at little: {passes:?}"
    );
    assert!(probe.all("frames").all(|count| count == "0"), "{name}");
    probe
}

/// What the terminal would draw first of a recording.
fn drawn(recording: &[u8], size: &str, lang: Lang, theme: Theme) -> (String, String) {
    let (w, h) = size.split_once('x').expect("a size");
    let size = (w.parse().expect("columns"), h.parse().expect("rows"));
    let look = Look {
        lang,
        theme,
        ascii: false,
    };
    let mut screen = Screen::open(recording.into(), look, size).expect("a recording");
    while !screen.read(100_000) {}
    screen.draw();
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    view::draw(screen.app(), &mut buffer);
    (
        draw::text(&buffer),
        format!("{:016x}", fingerprint(&buffer)),
    )
}

fn same_screen(shown: &[String; 4], recording: &[u8], lang: Lang, theme: Theme) {
    let [which, size, cells, text] = shown;
    let (expected, number) = drawn(recording, size, lang, theme);
    assert_eq!(*text, expected, "{which}");
    assert_eq!(*cells, number, "{which}: colours");
}

fn labs_and_titles() -> (Vec<Lab>, Titles) {
    let (labs, _) = bundled();
    let titles = labs
        .iter()
        .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
        .collect();
    (labs, titles)
}

const STEPS: [&str; 2] = ["predict", "predict observe explain change check"];

#[test]
fn one_learner_in_both_languages() {
    const TEST: &str = "the course in a browser";
    let Some(browser) = browser(TEST) else {
        return;
    };
    let axe = axe();
    if let Err(why) = &axe {
        not_run("the course's accessibility (axe-core)", why);
    }
    let (labs, titles) = labs_and_titles();
    for (lang, theme, tag, width, id) in [
        (Lang::En, Theme::Light, "en", 1440, "first-hops"),
        (Lang::Zh, Theme::Dark, "zh", 360, "page-cache"),
    ] {
        let lab = labs.iter().find(|lab| lab.id == id).expect("a lab");
        let questions = lab.spec.questions.iter();
        let answers: Vec<&str> = questions
            .map(|question| {
                if question.choices.is_some() {
                    "yes"
                } else {
                    "2 MiB"
                }
            })
            .collect();
        let config = format!(
            "lang:'{tag}',lab:'{id}',width:{width},student:'学生 7 <b>',answers:{answers:?}"
        );
        let probe = visit(browser, tag, &labs, &config, theme, axe.as_ref().ok());

        let mut course = Course::new(Arc::new(lab.clone()), titles.clone(), lang).expect("a lab");
        let wrong = course.answer(0, "many").expect_err("no number");
        assert_eq!(probe.get("wrong"), wrong);
        for (i, answer) in answers.iter().enumerate() {
            course.answer(i, answer).expect("an answer");
        }
        let sections: Vec<&str> = probe.all("sections").collect();
        let expected = [STEPS[0], STEPS[0], "predict observe", STEPS[1], STEPS[1]];
        assert_eq!(sections, expected);
        assert_eq!(probe.get("focus"), "h-observe");
        let shown = probe.shown();
        same_screen(&shown[0], course.recording(0).expect("one"), lang, theme);
        let solution = course.recording(lab.spec.programs.len()).expect("one");
        same_screen(&shown[1], solution, lang, theme);
        assert_ne!(probe.get("stepped"), shown[0][3]);

        let told = course.told();
        assert!(probe.all("told").eq([told.as_str(), &told]), "{told}");
        for verdict in course.session().verdicts() {
            let (_, text) = verdict.explain.expect("an explanation");
            let text = labs::site::html::line(&text);
            // As the browser writes it.
            let text = text.replace("&quot;", "\"").replace("&#39;", "'");
            assert!(probe.get("explained").contains(&text), "{text}");
        }
        assert!(probe.get("solution").matches('✓').count() >= lab.spec.change.checks.len());
        assert!(!probe.get("solution").contains('✗'));
        let hints: Vec<&str> = probe.all("hints").collect();
        assert!(hints.len() == 2 && hints[0] == hints[1] && !hints[0].is_empty());

        let kept: Vec<&str> = answers.clone();
        assert_eq!(probe.get("kept"), kept.join(" "));
        assert_eq!(probe.get("state"), "done");
        assert!(
            probe
                .all("menu")
                .last()
                .is_some_and(|lang| lang.starts_with(tag))
        );

        let dir = folder().join(format!("handed-{tag}"));
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join("x.course.json"), probe.get("file")).expect("a file");
        let kept = folder().join(format!("kept-{tag}"));
        std::fs::create_dir_all(&kept).expect("a folder");
        std::fs::write(kept.join("course.json"), probe.get("file")).expect("a file");
        schema::follows(&kept);
        let rows = grade(&[dir], &labs, None, Lang::En);
        let right = course
            .session()
            .verdicts()
            .iter()
            .filter(|v| v.right)
            .count();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.student.as_str(), row.lab.as_str()), ("学生 7 <b>", id));
        assert_eq!(
            (row.right, row.questions, row.passed),
            (right, answers.len(), false)
        );
        assert_eq!(row.remarks.len(), 1);
        assert!(row.remarks[0].starts_with("not traced"));
    }
}

#[test]
fn every_page() {
    let Some(browser) = browser("every page of the course in a browser") else {
        return;
    };
    let axe = axe().ok();
    let (labs, _) = labs_and_titles();
    for (lang, theme, tag) in [
        (Lang::En, Theme::Light, "en"),
        (Lang::Zh, Theme::Dark, "zh"),
    ] {
        let pages: Vec<String> = labs
            .iter()
            .map(|lab| format!("{tag}/{}.html", lab.id))
            .collect();
        let config = format!("width:360,wider:1440,pages:{pages:?}");
        let name = format!("every-{tag}");
        let probe = visit(browser, &name, &labs, &config, theme, axe.as_ref());
        let shown = probe.shown();
        assert_eq!(shown.len(), labs.len());
        for (shown, lab) in shown.iter().zip(&labs) {
            let recording = lab.recording(&lab.spec.programs[0].name).expect("one");
            same_screen(shown, recording, lang, theme);
        }
        assert!(probe.all("sections").all(|sections| sections == STEPS[1]));
    }
}

/// A lab of somebody who means harm: every text of it is one.
#[test]
fn hostile_texts_change_nothing() {
    const EVIL: &str = "\u{202e}</script><script>parent.hit=1</script><img src=x onerror=\"parent.hit=2\">\
        [x](javascript:parent.hit=3) ![y](https://example.org/y.png)<style>*{display:none}</style>";
    let (labs, _) = labs_and_titles();
    let lab = labs
        .iter()
        .find(|lab| lab.id == "first-hops")
        .expect("a lab");
    let mut files: BTreeMap<String, Vec<u8>> = lab
        .files()
        .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
        .collect();
    let quoted = EVIL.replace('"', "\\\"");
    for (path, bytes) in &mut files {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let evil: Option<String> = match path.as_str() {
            "lab.toml" => Some(
                // Not `when`.
                text.replace("\nen = \"", &format!("\nen = \"{quoted} "))
                    .replace(".en = \"", &format!(".en = \"{quoted} ")),
            ),
            path if path.starts_with("guide.") => text.split_once("## ").map(|(head, rest)| {
                let rest = rest.replace("\n\n", &format!("\n\n{EVIL}\n\n"));
                format!("{head}## {rest}")
            }),
            path if path.ends_with(".rs") => Some(format!("// {EVIL}\n{text}")),
            _ => None,
        };
        if let Some(evil) = evil {
            *bytes = evil.into_bytes();
        }
    }
    let owned = files.into_iter().map(|(path, bytes)| (path, bytes.into()));
    let evil = match Lab::new("first-hops", owned.collect()) {
        Ok(lab) => lab,
        Err(e) => panic!("{e}"),
    };
    let site = site(std::slice::from_ref(&evil), Lang::En);
    for (path, text) in site
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".html"))
    {
        for gone in [
            "<img",
            "parent.hit=1</script>",
            "<style",
            "javascript:parent.hit=3\"",
            "\u{202e}",
        ] {
            assert!(!text.contains(gone), "{path}: {gone}");
        }
    }
    let Some(browser) = browser("hostile texts in the course") else {
        return;
    };
    let pages = ["index.html", "en/first-hops.html", "zh/first-hops.html"];
    let config = format!("width:1000,pages:{pages:?}");
    let probe = visit(browser, "hostile", &[evil], &config, Theme::Light, None);
    assert_eq!(probe.shown().len(), 2);
}

/// A page opened from the disk finds its files; no server is asked.
#[test]
fn from_the_disk() {
    let Some(browser) = browser("the course from the disk") else {
        return;
    };
    let (labs, _) = labs_and_titles();
    let dir = folder().join("disk");
    for (path, text) in site(&labs[..2], Lang::En).files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let page = dir.join(format!("zh/{}.html", labs[1].id));
    let text = std::fs::read_to_string(&page).expect("the page");
    let text = text.replace("</body>", "<script src=\"../probe.js\"></script></body>");
    std::fs::write(&page, text).expect("the page");
    std::fs::write(dir.join("probe.js"), READY).expect("a script");
    let url = format!("file://{}", page.display());
    let profile = folder().join("profile-disk");
    let probe = watch(browser, "the course from the disk", &url, &profile, &[]);
    assert_eq!(probe.get("over"), "yes");
}

/// Tells when a page is ready.
const READY: &str = "const wait = () => {
  if (document.body.dataset.ready) console.log('PROBE 0 over yes END');
  else setTimeout(wait, 50);
};
wait();
";

/// A teacher's lab without recordings is left out, and that is said.
#[test]
fn a_lab_without_recordings() {
    let (labs, _) = labs_and_titles();
    let files = labs[0]
        .files()
        .filter(|(path, _)| !path.starts_with("recordings/"));
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec().into()));
    let bare = Lab::new("mine", files.collect()).expect("a lab");
    let site = site(&[labs[0].clone(), bare.clone()], Lang::En);
    assert_eq!(site.left_out.len(), 1);
    assert!(site.left_out[0].starts_with("lab mine: "));
    let index = &site
        .files
        .iter()
        .find(|(path, _)| path == "index.html")
        .expect("the menu")
        .1;
    assert!(!index.contains("mine.html"));
    let told = bytehop_web::site::site(&[bare], Lang::Zh).left_out;
    assert!(told[0].starts_with("实验 mine："), "{told:?}");
}

/// No link leads to a lab that is left out.
#[test]
fn the_next_lab_is_left_out() {
    let (labs, _) = labs_and_titles();
    let next = labs[0].spec.next.as_deref().expect("a next lab");
    let files = labs[0].files();
    let files = files.filter(|(path, _)| !path.starts_with("recordings/"));
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec().into()));
    let bare = Lab::new(next, files.collect()).expect("a lab");
    let site = site(&[labs[0].clone(), bare], Lang::En);
    let link = format!("{next}.html\"");
    for (path, text) in &site.files {
        assert!(!text.contains(&link), "{path}");
    }
}
