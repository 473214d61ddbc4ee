//! Rule against measurement against what happened: as a table, and as JSON.

use bytehop_core::i18n::Lang;
use bytehop_core::ledger::Ledger;
use bytehop_core::model::{Disagreement, HopKind, Summary};
use bytehop_core::notice::Notice;
use bytehop_core::report::layout::{Align, Flow, Page, Paint, pad, span};
use bytehop_core::report::{Detail, Style};
use bytehop_core::{terms, units};
use serde::Serialize;
use serde_json::{Value, json};

use crate::judge::{Found, Judge, Verdict};
use crate::scene::Done;
use crate::table::{PATHS, Row};

/// All paths, traced at one level.
#[derive(Debug)]
pub struct Run {
    /// `T`, `F` or `B`.
    pub level: String,
    /// Why the level could not be had.
    pub refused: Option<String>,
    pub results: Vec<Outcome>,
    pub disagreements: Vec<Disagreement>,
    pub lost: u64,
    /// What calls returned, and what is known of it.
    pub ledger: Ledger,
    /// What else the trace says of itself: skipped probes, for one.
    pub warnings: Vec<Notice>,
}

/// One path at one level.
#[derive(Debug, Serialize)]
pub struct Outcome {
    #[serde(flatten)]
    pub(crate) done: Done,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(skip)]
    level_t: bool,
}

impl Outcome {
    /// It ran.
    fn ran(&self) -> bool {
        self.done.not_offered.is_none() && self.done.failed.is_none()
    }

    fn exact(&self) -> bool {
        self.ran() && self.verdict.exact()
    }

    /// Level T has no means to know a number of it; all that it does say is right.
    fn untold(&self) -> bool {
        let row = PATHS.iter().find(|row| row.name == self.done.path);
        let Some(lack) = row.and_then(|row| row.lacks.as_ref()) else {
            return false;
        };
        let mut wrong = self.verdict.hops.iter().filter(|hop| !hop.exact);
        let lacks = self.level_t && wrong.all(|hop| lack.hops.contains(&hop.kind));
        lacks && self.ran() && !self.exact() && self.verdict.unexpected.is_empty()
    }

    /// Bytes that its calls returned and that may stand open for that reason: a page fault returns none.
    fn open(&self) -> u64 {
        let hops = self.verdict.hops.iter().filter(|_| self.untold());
        let by_calls = hops.filter(|hop| hop.kind != HopKind::Map);
        let open = by_calls.map(|hop| self.done.payload.saturating_sub(hop.bytes));
        open.max().unwrap_or(0)
    }

    pub(crate) fn wrong(&self) -> bool {
        self.done.not_offered.is_none() && !self.exact() && !self.untold()
    }
}

impl Run {
    /// A level that could not be had.
    pub fn refused(level: &str, why: String) -> Self {
        Self {
            level: level.to_owned(),
            refused: Some(why),
            results: Vec::new(),
            disagreements: Vec::new(),
            lost: 0,
            ledger: Ledger::default(),
            warnings: Vec::new(),
        }
    }

    /// What the programs said of themselves, and what was seen.
    pub fn new(level: &str, done: Vec<Done>, judge: &Judge, summary: Summary) -> Self {
        let mut run = Self {
            level: level.to_owned(),
            refused: None,
            results: Vec::new(),
            disagreements: summary.disagreements,
            lost: summary.lost_events,
            ledger: summary.ledger,
            warnings: summary.warnings,
        };
        run.add(done, judge);
        run
    }

    pub(crate) fn add(&mut self, done: Vec<Done>, judge: &Judge) {
        let level_t = self.level == "T";
        let outcome = |done: Done| {
            let row = PATHS.iter().find(|row| row.name == done.path)?;
            let verdict = judge.verdict(row, &done);
            Some(Outcome {
                done,
                verdict,
                level_t,
            })
        };
        self.results.extend(done.into_iter().filter_map(outcome));
    }

    fn of(&self, row: &Row, dir: &str) -> Option<&Outcome> {
        let mut results = self.results.iter();
        results.find(|outcome| outcome.done.path == row.name && outcome.done.dir == dir)
    }

    /// The folders that were worked in.
    fn dirs(&self) -> Vec<&str> {
        let mut dirs: Vec<&str> = self.results.iter().map(|o| o.done.dir.as_str()).collect();
        dirs.dedup();
        dirs
    }

    fn count(&self, test: fn(&Outcome) -> bool) -> usize {
        self.results.iter().filter(|outcome| test(outcome)).count()
    }

    /// Something was not as it was.
    pub fn wrong(&self) -> bool {
        self.lost > 0 || self.open() || self.count(Outcome::wrong) > 0
    }

    /// Bytes that calls returned stand open, though no probe was skipped: more than those that level T has no
    /// means to know.
    fn open(&self) -> bool {
        let untold: u64 = self.results.iter().map(Outcome::open).sum();
        self.ledger.unaccounted > untold && !self.doubt()
    }
}

/// For programs.
pub fn json(kernel: &str, runs: &[Run]) -> Value {
    let levels = runs.iter().map(|run| {
        json!({
            "level": run.level,
            "refused": run.refused,
            "exact": run.count(Outcome::exact),
            "measured": run.count(|o| o.exact() && o.verdict.measured()),
            "untold": run.count(Outcome::untold),
            "wrong": run.count(Outcome::wrong),
            "not_offered": run.count(|o| o.done.not_offered.is_some()),
            "lost_events": run.lost,
            "ledger": run.ledger,
            "warnings": run.warnings,
            "disagreements": run.disagreements,
            "paths": run.results.iter().map(|outcome| {
                let mut value = serde_json::to_value(outcome).unwrap_or_default();
                let row = PATHS.iter().find(|row| row.name == outcome.done.path);
                if let Some(row) = row {
                    let title = |lang| row.title(lang);
                    value["title"] = json!({ "en": title(Lang::En), "zh": title(Lang::Zh) });
                }
                value["exact"] = outcome.exact().into();
                value["untold"] = outcome.untold().into();
                value["measured"] = outcome.verdict.measured().into();
                value
            }).collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": 1,
        "bytehop": env!("CARGO_PKG_VERSION"),
        "kernel": kernel,
        "levels": levels.collect::<Vec<_>>(),
    })
}

/// Cells of the columns: path, hop, payload, each level. With three levels a terminal of 80 is full.
const PATH: usize = 18;
const HOP: usize = 26;
const BYTES: usize = 8;
const LEVEL: usize = 9;

/// For people.
pub fn text(kernel: &str, runs: &[Run], style: &Style) -> String {
    let lang = style.lang;
    let mut page = Page::new(style);
    page.line(
        &[],
        Flow::words(&words::title(lang, kernel), Paint::Strong),
        2,
    );
    page.blank();
    let ascii = style.ascii;
    let mut heading = vec![
        span(
            pad(words::path(lang), PATH, Align::Left, ascii),
            Paint::Quiet,
        ),
        span(pad(words::hop(lang), HOP, Align::Left, ascii), Paint::Quiet),
        span(
            pad(words::happened(lang), BYTES, Align::Right, ascii),
            Paint::Quiet,
        ),
    ];
    let all = runs;
    let runs: &[&Run] = &runs
        .iter()
        .filter(|run| run.refused.is_none())
        .collect::<Vec<_>>();
    for run in runs {
        let level = format!(" {}", run.level);
        heading.push(span(pad(&level, LEVEL, Align::Left, ascii), Paint::Strong));
    }
    for dir in runs.first().map(|run| run.dirs()).unwrap_or_default() {
        page.line(&[], Flow::words(&words::dir(lang, dir), Paint::Strong), 2);
        page.line(&heading, Flow::default(), 0);
        for row in PATHS {
            path(&mut page, row, dir, runs);
        }
        page.blank();
    }
    page.line(&[], Flow::words(words::legend(lang), Paint::Quiet), 2);
    for run in all {
        totals(&mut page, run);
    }
    absent(&mut page, runs);
    page.finish()
}

fn path(page: &mut Page, row: &Row, dir: &str, runs: &[&Run]) {
    let Style {
        lang,
        ascii,
        detail,
        ..
    } = *page.style;
    let outcomes: Vec<Option<&Outcome>> = runs.iter().map(|run| run.of(row, dir)).collect();
    // The run that has most to say: all expect the same but where the kernel chose.
    let Some(first) = outcomes.iter().flatten().find(|outcome| outcome.ran()) else {
        for failed in outcomes
            .iter()
            .flatten()
            .filter_map(|o| o.done.failed.as_ref())
        {
            let name = pad(row.name, PATH, Align::Left, ascii);
            page.line(
                &[span(name, Paint::Plain)],
                Flow::words(failed, Paint::Warn),
                PATH,
            );
        }
        return;
    };
    if detail == Detail::Quiet && !outcomes.iter().flatten().any(|o| o.wrong()) {
        return;
    }
    let mut name = row.name;
    for (index, hop) in first.verdict.hops.iter().enumerate() {
        let arrow = if ascii { "->" } else { "→" };
        let what = format!("{} {}{arrow}{}", letters(hop), hop.from, hop.to);
        let mut spans = vec![
            span(pad(name, PATH, Align::Left, ascii), Paint::Plain),
            span(pad(&what, HOP, Align::Left, ascii), Paint::Quiet),
            span(
                pad(&units::bytes(hop.payload), BYTES, Align::Right, ascii),
                Paint::Plain,
            ),
        ];
        for outcome in &outcomes {
            let found = outcome.and_then(|outcome| outcome.verdict.hops.get(index));
            let untold = outcome.is_some_and(Outcome::untold);
            let (cell, paint) = cell(found, untold, lang, ascii);
            spans.push(span(
                pad(&format!(" {cell}"), LEVEL, Align::Left, ascii),
                paint,
            ));
        }
        page.line(&spans, Flow::default(), 0);
        name = "";
    }
    for (run, outcome) in runs.iter().zip(&outcomes) {
        for stray in outcome
            .iter()
            .flat_map(|outcome| &outcome.verdict.unexpected)
        {
            let hop = format!(
                "{:?} {} → {} {}",
                stray.kind, stray.from, stray.to, stray.bytes
            );
            let text = words::unexpected(lang, &run.level, hop, stray.by);
            let start = pad(name, PATH, Align::Left, ascii);
            page.line(
                &[span(start, Paint::Plain)],
                Flow::words(&text, Paint::Warn),
                PATH,
            );
        }
    }
    if detail == Detail::Verbose {
        let start = pad("", PATH, Align::Left, ascii);
        let title = Flow::words(row.title(lang), Paint::Quiet);
        page.line(&[span(&start, Paint::Plain)], title, PATH);
        if let Some(lacks) = row.lacks(lang) {
            page.line(
                &[span(start, Paint::Plain)],
                Flow::words(lacks, Paint::Quiet),
                PATH,
            );
        }
    }
}

fn letters(hop: &Found) -> String {
    format!("{:?}", hop.kind).to_lowercase()
}

fn cell(found: Option<&Found>, untold: bool, lang: Lang, ascii: bool) -> (String, Paint) {
    let Some(found) = found else {
        return ((if ascii { "-" } else { "–" }).to_owned(), Paint::Quiet);
    };
    if !found.exact && untold {
        return (words::untold(lang).to_owned(), Paint::Quiet);
    }
    if !found.exact {
        let mark = if ascii { "!" } else { "✗" };
        return (format!("{mark}{}", found.bytes), Paint::Warn);
    }
    let how = match found.evidence[..] {
        [known] => terms::evidence(known, lang),
        _ => words::mixed(lang),
    };
    (how.to_owned(), Paint::Good)
}

fn plain(text: &str) -> Flow {
    Flow::words(text, Paint::Plain)
}

fn totals(page: &mut Page, run: &Run) {
    let lang = page.style.lang;
    let label = span(format!("{}  ", run.level), Paint::Strong);
    if let Some(why) = &run.refused {
        let text = words::refused(lang, why);
        return page.line(&[label], Flow::words(&text, Paint::Quiet), 3);
    }
    let (exact, wrong) = (run.count(Outcome::exact), run.count(Outcome::wrong));
    let untold = run.count(Outcome::untold);
    let text = words::totals(lang, exact, exact + wrong + untold);
    let paint = if run.wrong() {
        Paint::Warn
    } else {
        Paint::Good
    };
    let mut flow = Flow::words(&text, paint);
    if run.lost > 0 {
        flow = flow.then(Flow::words(&words::lost(lang, run.lost), Paint::Warn));
    }
    if untold > 0 {
        flow = flow.then(plain(&words::untold_paths(lang, untold)));
    }
    if run.disagreements.is_empty() {
        flow = flow.then(plain(words::agreed(lang)));
    }
    page.line(&[label], flow, 3);
    for sentence in run.ledger.sentences(lang) {
        let paint = if run.open() {
            Paint::Warn
        } else {
            Paint::Quiet
        };
        page.line(
            &[span("   ", Paint::Plain)],
            Flow::words(&sentence, paint),
            3,
        );
    }
    for warning in &run.warnings {
        let text = Flow::words(&warning.words(lang), Paint::Quiet);
        page.line(&[span("   ", Paint::Plain)], text, 3);
    }
    for d in &run.disagreements {
        let mut text = words::disagreed(lang, d.words(lang), d.claim.name(), d.expected, d.found);
        if !d.skipped.is_empty() {
            text += &words::skipped(lang, d.skipped.join(", "));
        }
        page.line(
            &[span("   ", Paint::Plain)],
            Flow::words(&text, Paint::Warn),
            3,
        );
    }
}

fn absent(page: &mut Page, runs: &[&Run]) {
    let lang = page.style.lang;
    let mut known: Vec<(&str, &str)> = Vec::new();
    for outcome in runs.iter().flat_map(|run| &run.results) {
        let Some(why) = &outcome.done.not_offered else {
            continue;
        };
        let key = (outcome.done.dir.as_str(), outcome.done.path.as_str());
        if known.contains(&key) {
            continue;
        }
        known.push(key);
        let text = words::not_offered(lang, key.1, why);
        page.line(&[], Flow::words(&text, Paint::Quiet), 2);
    }
}

mod words {
    bytehop_core::messages! {
        title(kernel): "Every path on Linux {kernel}: what happened, and what bytehop saw of it" | "Linux {kernel} 上的每条路径：实际发生的，与 bytehop 看到的";
        dir(dir): "Files in {dir}" | "文件位于 {dir}";
        path: "path" | "路径";
        hop: "hop" | "一跳";
        happened: "payload" | "载荷";
        mixed: "both" | "两者";
        untold: "untold" | "未知";
        legend: "measured, inferred: exact to the byte, and how it is known. untold: this level cannot know (--verbose says why). A number is what bytehop saw, and it is wrong." | "实测、推断：逐字节准确，以及依据。未知：这一级无从得知（--verbose 说明原因）。数字：看到的数目，与实际不符。";
        untold_paths(n): "For {n} of them it cannot know every number." | "其中 {n} 条的部分数目无从得知。";
        refused(why): "not here: {why}" | "此处不行：{why}";
        totals(exact, all): "{exact} of {all} paths are exact to the byte." | "{all} 条路径中有 {exact} 条逐字节准确。";
        agreed: "Rules and measurements agree." | "规则与实测一致。";
        lost(n): "{n} events were lost." | "丢失了 {n} 个事件。";
        disagreed(what, rule, expected, found): "{what}: the rule {rule} said {expected}, the probes measured {found}" | "{what}：规则 {rule} 认为 {expected}，实测 {found}";
        skipped(probes): " (the kernel skipped some runs of {probes}, so the count may be too low)" | "（内核跳过了 {probes} 的若干次执行，计数可能偏低）";
        unexpected(level, hop, by): "{level}: {hop} did not happen ({by})" | "{level}：{hop} 并未发生（{by}）";
        not_offered(path, why): "not available here: {path} ({why})" | "此处没有：{path}（{why}）";
    }
}

#[cfg(test)]
#[path = "../../core/tests/common/python.rs"]
mod python;
#[cfg(test)]
#[path = "../../core/tests/common/schema.rs"]
mod schema;
#[cfg(test)]
mod tests {
    use bytehop_core::ledger::Ledger;
    use bytehop_core::model::{Hop, HopKind, Place};

    use super::Run;
    use crate::judge::{Judge, hop};
    use crate::scene::Done;

    /// One path that moved 100 bytes, and what was seen of it.
    fn run(level: &str, path: &str, hops: &[Hop]) -> Run {
        let done = Done {
            path: path.to_owned(),
            payload: 100,
            ..Done::default()
        };
        let mut judge = Judge::default();
        for hop in hops {
            judge.add(0, hop, false);
        }
        let mut run = Run::refused(level, String::new());
        run.add(vec![done], &judge);
        run
    }

    /// Whether an account does not close of which so many bytes stand open.
    fn open(mut run: Run, unaccounted: u64) -> bool {
        run.ledger = Ledger {
            unaccounted,
            ..Ledger::default()
        };
        run.open()
    }

    #[test]
    fn only_what_level_t_cannot_know_may_stand_open() {
        let hole = |level| run(level, "direct-read-hole", &[]);
        assert!(!hole("T").wrong());
        assert!(hole("F").wrong());
        assert!(!open(hole("T"), 100));
        assert!(open(hole("T"), 101));
        assert!(open(hole("F"), 100));
        assert!(open(run("T", "read-cached", &[]), 100));
        // No call returned these.
        assert!(open(run("T", "map-read", &[]), 1));
    }

    #[test]
    fn what_level_t_can_know_of_a_path_must_be_right() {
        assert!(run("T", "uring-splice", &[]).wrong());
        let mapped = hop(HopKind::Map, Place::PageCache, Place::User, 99);
        let read = hop(
            HopKind::Dma,
            Place::Device("vda".into()),
            Place::PageCache,
            100,
        );
        assert!(!run("T", "map-read-cold", &[mapped.clone(), read]).wrong());
        assert!(run("T", "map-read-cold", &[mapped]).wrong());
    }

    #[test]
    fn every_message_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(super::words::TABLE), [""; 0]);
    }

    /// Levels that were refused, paths that were seen whole, in part, not at all, and more than was there.
    #[test]
    fn json_follows_its_schema() {
        let mapped = hop(HopKind::Map, Place::PageCache, Place::User, 99);
        let disk = Place::Device("vda".into());
        let read = hop(HopKind::Dma, disk, Place::PageCache, 100);
        let stray = hop(HopKind::Copy, Place::User, Place::Pipe, 7);
        let mut absent = Run::refused("B", String::new());
        let done = |path: &str, not_offered: Option<&str>| Done {
            path: path.to_owned(),
            region: Some((4096, 100)),
            not_offered: not_offered.map(str::to_owned),
            failed: not_offered.is_none().then(|| "no".to_owned()),
            ..Done::default()
        };
        absent.add(
            vec![done("map-read", None), done("read-cached", Some("no disk"))],
            &Judge::default(),
        );
        let runs = [
            run("T", "map-read-cold", &[mapped, read, stray]),
            Run::refused("F", "not permitted".to_owned()),
            absent,
        ];
        let dir = tempfile::tempdir().expect("a directory");
        let text = super::json("6.12", &runs).to_string();
        std::fs::write(dir.path().join("verify.json"), text).expect("written");
        super::schema::follows(dir.path());
    }
}
