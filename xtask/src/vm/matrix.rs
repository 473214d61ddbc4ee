//! Every path of `bytehop doctor --verify` by kernel and level, from what the machines left behind.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::disks;
use super::kernels::Cpu;
use super::quoted;
use super::row;

pub const LEVELS: [&str; 3] = ["T", "F", "B"];

/// Who swallows TCP beyond the machine's network card; see `machine.rs`.
const PEER: &str = "10.0.2.100:9";

/// What `doctor --verify` says.
pub const FILE: &str = "verify.json";

/// The command: every path in the first folder, in the others those that a disk is part of.
pub fn job(cpu: Cpu, bytehop: &Path, all: bool) -> String {
    let folders: Vec<String> = disks::tested(cpu, all)
        .map(|folder| format!("/vm/{folder}"))
        .collect();
    format!(
        "{} doctor --verify --json --dir {} --peer {PEER} >/vm/job/{FILE}\n\
         [ $? -le 1 ] || failed=1\n",
        quoted(&bytehop.display().to_string()),
        folders.join(" "),
    )
}

/// How a path went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    NotRun,
    NotOffered,
    Untold,
    /// Every byte was seen by a probe.
    Measured,
    /// Some were concluded by a rule.
    Inferred,
    Wrong,
}

impl Sign {
    fn text(self) -> &'static str {
        match self {
            Self::NotRun => "?",
            Self::NotOffered => "–",
            Self::Untold => "·",
            Self::Measured => "●",
            Self::Inferred => "○",
            Self::Wrong => "✗",
        }
    }

    fn of(path: &Value) -> Self {
        let is = |name: &str| path[name] == true;
        match path {
            _ if path["not_offered"].is_string() => Self::NotOffered,
            _ if is("untold") => Self::Untold,
            _ if !is("exact") => Self::Wrong,
            _ if is("measured") => Self::Measured,
            _ => Self::Inferred,
        }
    }
}

/// What one kernel showed.
#[derive(Default)]
pub struct Paths(Value);

impl Paths {
    pub fn read(folder: &Path) -> Self {
        let read = fs::read(folder.join(FILE)).unwrap_or_default();
        Self(serde_json::from_slice(&read).unwrap_or_default())
    }

    fn level<'a>(&'a self, level: &'a str) -> impl Iterator<Item = &'a Value> {
        let levels = self.0["levels"].as_array().into_iter().flatten();
        levels.filter(move |l| l["level"] == level)
    }

    /// Every result at a level, with its folder.
    fn at<'a>(&'a self, level: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let paths = self.level(level);
        let paths = paths.flat_map(|l| l["paths"].as_array().into_iter().flatten());
        paths.map(|path| {
            let folder = path["directory"].as_str().unwrap_or_default();
            (folder.trim_start_matches("/vm/"), path)
        })
    }

    /// Results that are not exact.
    pub fn wrong(&self) -> usize {
        let results = LEVELS.into_iter().flat_map(|level| self.at(level));
        let signs = results.map(|(_, result)| Sign::of(result));
        signs.filter(|sign| *sign == Sign::Wrong).count()
    }

    fn sign(&self, level: &str, path: &str) -> Sign {
        let results = self.at(level).filter(|(_, result)| result["path"] == path);
        let signs = results.map(|(folder, result)| match Sign::of(result) {
            // What a device does that is only software is always inferred.
            Sign::Inferred if disks::SOFTWARE.contains(&folder) => Sign::Measured,
            sign => sign,
        });
        signs.max().unwrap_or(Sign::NotRun)
    }

    /// Levels that the kernel was traced at.
    fn levels(&self) -> impl Iterator<Item = &'static str> {
        LEVELS
            .into_iter()
            .filter(|level| self.at(level).next().is_some())
    }
}

/// Headings and sentences of one language.
pub struct Words {
    pub path: &'static str,
    pub disk: &'static str,
    pub language: &'static str,
    /// Above the list of what is not exact, and where there is nothing to list.
    pub wrong: &'static str,
    pub none_wrong: &'static str,
    pub disagreements: &'static str,
    /// Behind one of them: the probes that the kernel skipped.
    pub skipped: fn(&str) -> String,
}

/// The matrix, and what is not exact, as Markdown.
pub fn render(kernels: &[(&str, &Paths)], words: &Words) -> String {
    let mut text = String::new();
    let columns: Vec<(&str, &Paths, &str)> = kernels
        .iter()
        .flat_map(|(release, paths)| paths.levels().map(move |l| (*release, *paths, l)))
        .collect();
    let short = |release: &str| {
        let number = release.split(['-', '+']).next().unwrap_or_default();
        match release.split_once("-arm64") {
            Some((_, flavour)) => format!("{number} arm64{}", flavour.replace('-', " ")),
            None => number.to_owned(),
        }
    };
    let heads = columns
        .iter()
        .map(|(release, _, level)| format!("{} {level}", short(release)));
    let heads: Vec<String> = heads.collect();
    row(
        &mut text,
        [words.path.to_owned(), String::new()]
            .into_iter()
            .chain(heads.clone()),
    );
    row(&mut text, vec!["---".to_owned(); columns.len() + 2]);
    for (path, title) in names(kernels, words.language) {
        let signs = columns
            .iter()
            .map(|(_, paths, level)| paths.sign(level, &path).text().to_owned());
        row(
            &mut text,
            [format!("`{path}`"), title].into_iter().chain(signs),
        );
    }
    text.push('\n');

    row(
        &mut text,
        std::iter::once(words.disk.to_owned()).chain(heads),
    );
    row(&mut text, vec!["---".to_owned(); columns.len() + 1]);
    for folder in disks::tested(Cpu::X86_64, true) {
        let ran =
            |(_, paths, level): &(&str, &Paths, &str)| paths.at(level).any(|(at, _)| at == folder);
        if !columns.iter().any(ran) {
            continue;
        }
        let counts = columns.iter().map(|(_, paths, level)| {
            let results = paths.at(level).filter(|(at, _)| *at == folder);
            let signs: Vec<Sign> = results.map(|(_, result)| Sign::of(result)).collect();
            let exact = |sign: &&Sign| matches!(sign, Sign::Measured | Sign::Inferred);
            let offered = signs
                .iter()
                .filter(|sign| **sign != Sign::NotOffered)
                .count();
            match offered {
                0 => "–".to_owned(),
                _ => format!("{}/{offered}", signs.iter().filter(exact).count()),
            }
        });
        row(&mut text, std::iter::once(folder.clone()).chain(counts));
    }
    text.push('\n');
    list(&mut text, kernels, words);
    text
}

/// Names and titles of all paths, in the table's order.
fn names(kernels: &[(&str, &Paths)], language: &str) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    let results = kernels
        .iter()
        .flat_map(|(_, paths)| LEVELS.map(|level| paths.at(level)));
    for (_, result) in results.flatten() {
        let name = result["path"].as_str().unwrap_or_default();
        if !names.iter().any(|(known, _)| known == name) {
            let title = result["title"][language].as_str().unwrap_or_default();
            names.push((name.to_owned(), title.to_owned()));
        }
    }
    names
}

/// What is not exact, and where rules and measurements differ.
fn list(text: &mut String, kernels: &[(&str, &Paths)], words: &Words) {
    let mut lines: Vec<String> = Vec::new();
    for (release, paths) in kernels {
        for level in LEVELS {
            for (folder, result) in paths
                .at(level)
                .filter(|(_, result)| Sign::of(result) == Sign::Wrong)
            {
                let name = result["path"].as_str().unwrap_or_default();
                lines.push(format!(
                    "- {release} {level}, {folder}: `{name}`: {}",
                    wrong(result)
                ));
            }
        }
    }
    match lines.is_empty() {
        true => text.push_str(&format!("{}\n", words.none_wrong)),
        false => text.push_str(&format!("{}\n\n{}\n", words.wrong, lines.join("\n"))),
    }
    let mut lines: Vec<String> = Vec::new();
    for (release, paths) in kernels {
        for level in LEVELS {
            let found = paths
                .level(level)
                .flat_map(|l| l["disagreements"].as_array());
            for d in found.flatten() {
                let word = |name: &str| d[name].as_str().unwrap_or_default();
                let skipped = d["skipped"].as_array().into_iter().flatten();
                let skipped = skipped.filter_map(Value::as_str);
                let skipped = match skipped.collect::<Vec<_>>() {
                    none if none.is_empty() => String::new(),
                    names => (words.skipped)(&format!("`{}`", names.join("`, `"))),
                };
                lines.push(format!(
                    "- {release} {level}: {}, `{}`: {} / {}{skipped}",
                    word("what"),
                    word("rule"),
                    d["expected"],
                    d["found"]
                ));
            }
        }
    }
    if !lines.is_empty() {
        text.push_str(&format!(
            "\n{}\n\n{}\n",
            words.disagreements,
            lines.join("\n")
        ));
    }
}

/// The hops that are not exact: found / payload.
fn wrong(result: &Value) -> String {
    if let Some(failed) = result["failed"].as_str() {
        return failed.to_owned();
    }
    let hops = result["hops"].as_array().into_iter().flatten();
    let hops = hops.filter(|hop| hop["exact"] != true).map(|hop| {
        let word = |name: &str| hop[name].as_str().unwrap_or_default();
        format!(
            "{} {} → {} {} / {}",
            word("kind"),
            word("from"),
            word("to"),
            hop["bytes"],
            hop["payload"]
        )
    });
    let strays = result["unexpected"].as_array().into_iter().flatten();
    let strays = strays.map(|hop| {
        let word = |name: &str| hop[name].as_str().unwrap_or_default();
        format!(
            "{} {} → {} {} / 0 ({})",
            word("kind"),
            word("from"),
            word("to"),
            hop["bytes"],
            word("by")
        )
    });
    hops.chain(strays).collect::<Vec<_>>().join("; ")
}
