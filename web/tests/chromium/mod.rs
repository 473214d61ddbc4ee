//! A browser that is watched: what pages say on the console, and nothing else that they may say there.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long the browser may say nothing, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Debian's and Ubuntu's names for it.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

pub fn browser(test: &str) -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let found = BROWSERS.into_iter().find(|name| is_there(name));
    if found.is_none() {
        not_run(test, "there is no chromium");
    }
    found
}

pub fn not_run(test: &str, why: &str) {
    eprintln!("NOT RUN: {test}: {why}");
    if let Some(log) = std::env::var_os("BYTEHOP_NOT_RUN") {
        let mut log = File::options().append(true).open(log).expect("the log");
        writeln!(log, "web, {test}: {why}").expect("write the log");
    }
}

/// What the probe wrote down: keys and values, in order.
pub struct Probe(Vec<(String, String)>);

impl Probe {
    pub fn get(&self, key: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value)
    }

    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Of several pages each, from where its name is told.
    pub fn pages(&self) -> Vec<Self> {
        let pages = self.0.split(|(key, _)| key == "page").skip(1);
        let names = self.all("page");
        pages
            .zip(names)
            .map(|(told, name)| {
                let name = ("page".to_owned(), name.to_owned());
                Self([&[name], told].concat())
            })
            .collect()
    }

    /// Step, size, number and text of each screen.
    pub fn shown(&self) -> Vec<[String; 4]> {
        let shown = self.0.iter().filter(|(name, _)| name == "shown");
        shown
            .map(|(_, json)| serde_json::from_str(json).expect("four texts"))
            .collect()
    }
}

/// What the system's settings say of colours.
pub const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
pub const DARK: &str = "--blink-settings=preferredColorScheme=0";

/// The accessibility checker, from npm; why not, else.
pub fn axe() -> Result<String, String> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
    let file = prefix.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        let npm = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&prefix)
            .arg("axe-core@4.10.3")
            .output();
        match npm {
            Ok(output) if output.status.success() => {}
            Ok(_) => return Err("npm cannot get axe-core".to_owned()),
            Err(_) => return Err("there is no npm".to_owned()),
        }
    }
    std::fs::read_to_string(file).map_err(|e| e.to_string())
}

/// Opens an address, and gathers what is told until the page says that it is over.
pub fn watch(browser: &str, name: &str, url: &str, profile: &Path, more: &[&str]) -> Probe {
    let mut browser = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
        ])
        .args(["--disable-background-networking", "--window-size=1500,1000"])
        .args(more)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the browser starts");
    let said = BufReader::new(browser.stderr.take().expect("its standard error"));
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        // Ends with the browser, or when nobody listens any more.
        said.lines()
            .map_while(Result::ok)
            .all(|line| sender.send(line).is_ok())
    });
    let mut told: BTreeMap<usize, (String, String)> = BTreeMap::new();
    let mut strange = Vec::new();
    while !told.values().any(|(key, _)| key == "over") {
        let Ok(line) = lines.recv_timeout(PATIENCE) else {
            strange.push(format!("no end after {told:?}"));
            break;
        };
        let probe = line
            .split("\"PROBE ")
            .nth(1)
            .and_then(|rest| rest.split(" END").next());
        let mut words = probe.unwrap_or_default().splitn(3, ' ');
        match (words.next().map(str::parse), words.next(), words.next()) {
            (Some(Ok(number)), Some(key), Some(piece)) => {
                let (_, text) = told
                    .entry(number)
                    .or_insert_with(|| (key.to_owned(), String::new()));
                text.push_str(piece);
            }
            _ if line.contains("CONSOLE") => strange.push(line),
            _ => {}
        }
    }
    let _ = browser.kill();
    let _ = browser.wait();
    assert!(strange.is_empty(), "{name}: {strange:#?}");
    Probe(
        told.into_values()
            .map(|(key, text)| (key, decoded(&text)))
            .collect(),
    )
}

/// Undoes `encodeURIComponent`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
