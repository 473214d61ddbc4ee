//! What is wrong with a lab that can be read: what `bytehop lab lint` prints.

mod sense;
pub mod words;

use std::collections::BTreeSet;

use bytehop_core::catalogue::RuleId;
use bytehop_core::expr::Expr;
use bytehop_core::i18n::{Lang, Say};

use crate::comments::{FILE, paragraphs};
use crate::guide::{Placeholder, Step, pieces};
use crate::lab::{Lab, Place, guide_name, hash_of_original};
use crate::spec::{Code, braced};

/// Hints that a change exercise has at least.
const HINTS_MIN: usize = 3;
/// Questions of a lab.
const QUESTIONS: std::ops::RangeInclusive<usize> = 2..=4;

/// All that is wrong, one line each, in the author's language. `ids` are the ids of all labs.
pub fn lint(lab: &Lab, ids: &BTreeSet<&str>, lang: Lang) -> Vec<String> {
    let mut lint = Lint {
        lab,
        lang,
        ids,
        found: Vec::new(),
    };
    lint.structure();
    lint.names();
    lint.texts();
    lint.translation();
    lint.comments();
    lint.sense();
    lint.recordings();
    let id = &lab.id;
    lint.found
        .iter()
        .map(|what| words::of_lab(lang, id, what))
        .collect()
}

struct Lint<'a> {
    lab: &'a Lab,
    lang: Lang,
    ids: &'a BTreeSet<&'a str>,
    found: Vec<String>,
}

impl Lint<'_> {
    fn say(&mut self, what: impl Into<String>) {
        self.found.push(what.into());
    }

    fn at(&mut self, place: &str, what: impl std::fmt::Display) {
        self.say(words::at(self.lang, place, what));
    }

    fn structure(&mut self) {
        let lang = self.lang;
        let spec = &self.lab.spec;
        let n = spec.questions.len();
        if !QUESTIONS.contains(&n) {
            let (least, most) = (QUESTIONS.start(), QUESTIONS.end());
            self.say(words::questions(lang, n, least, most));
        }
        for question in &spec.questions {
            let id = &question.id;
            if question
                .explain
                .last()
                .is_none_or(|case| case.when.is_some())
            {
                self.say(words::last_explain(lang, id));
            }
            if question.choices.is_some() != question.measure.is_truth() {
                self.say(words::choices(lang, id));
            }
            if !question.measure.is_measured() {
                self.say(words::not_measured(lang, id));
            }
        }
        let change = &spec.change;
        if change.hints.len() < HINTS_MIN {
            let n = change.hints.len();
            self.say(words::hints(lang, n, HINTS_MIN));
        }
        if change
            .hints
            .iter()
            .filter(|hint| hint.when.is_none())
            .count()
            == 0
        {
            self.say(words::first_hint(lang));
        }
        if change
            .checks
            .iter()
            .filter(|check| check.that.is_measured())
            .count()
            == 0
        {
            self.say(words::no_check(lang));
        }
        if !change.output
            && !change
                .checks
                .iter()
                .any(|check| asks_for_bytes(&check.that))
        {
            self.say(words::nothing_moves(lang));
        }
        for code in Code::ALL {
            self.programs(code);
        }
        if spec
            .next
            .as_deref()
            .is_some_and(|next| !self.ids.contains(next))
        {
            self.say(words::next_lab(lang, spec.next.as_deref().unwrap_or("")));
        }
        for rule in &spec.teaches {
            if RuleId::of_name(rule).is_none() {
                self.say(words::teaches(lang, rule));
            }
        }
    }

    /// Programs in one language: all or none are there, and what is judged differs.
    fn programs(&mut self, code: Code) {
        let (lab, lang) = (self.lab, self.lang);
        let (spec, end) = (&lab.spec, code.extension());
        let listed: BTreeSet<&str> = spec.sources().map(|p| p.name.as_str()).collect();
        let there = lab.stems("programs/", &format!(".{end}"));
        let cheats: Vec<(&str, &str)> = lab.cheats(code).collect();
        if there.is_empty() && cheats.is_empty() && lab.solution(code).is_none() {
            return;
        }
        for stem in there.difference(&listed) {
            self.say(words::not_listed(lang, format!("programs/{stem}.{end}")));
        }
        for stem in listed.difference(&there) {
            self.say(words::no_file(lang, format!("programs/{stem}.{end}")));
        }
        let program = &spec.change.program;
        if lab.solution(code).is_none() {
            self.say(words::no_file(lang, format!("solution/{program}.{end}")));
        }
        if cheats.is_empty() {
            self.say(words::no_cheat(lang, format!("cheat/*.{end}")));
        }
        if code == Code::C && lab.has(Code::Rust) {
            let of = |end| lab.stems("cheat/", end);
            for stem in of(".c").symmetric_difference(&of(".rs")) {
                self.say(words::one_language(lang, format!("cheat/{stem}")));
            }
        }
        // Whatever the layout: programs that say the same are the same.
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let start = (
            format!("programs/{program}.{end}"),
            lab.source(program, code),
        );
        let solution = lab.solution(code).unwrap_or_default();
        let solution = (format!("solution/{program}.{end}"), solution);
        let cheats = cheats
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text));
        let judged: Vec<(String, &str)> = [start, solution].into_iter().chain(cheats).collect();
        for (i, (name, text)) in judged.iter().enumerate() {
            for (other, same) in &judged[..i] {
                if !text.is_empty() && words(text) == words(same) {
                    self.say(words::same(lang, name, other));
                }
            }
        }
    }

    /// Names that expressions and arguments refer to.
    fn names(&mut self) {
        let (lab, lang) = (self.lab, self.lang);
        let spec = &lab.spec;
        let questions = spec.questions.iter();
        let answers: BTreeSet<String> = questions.map(|q| format!("answer.{}", q.id)).collect();
        for (place, expr, context) in lab.expressions() {
            self.expression(&place, expr, context, &answers);
        }
        let of_questions = spec.questions.iter().map(|q| spec.program_of(q));
        for name in of_questions.chain([spec.change.program.as_str()]) {
            if spec.program(name).is_none() {
                self.say(words::no_program(lang, name));
            }
        }
        for program in spec.sources() {
            for arg in &program.args {
                for name in braced(arg) {
                    let known = name == "out"
                        || spec.params.contains_key(name)
                        || spec.files.iter().any(|file| file.name == name);
                    if !known {
                        let program = &program.name;
                        let name = format!("{{{name}}}");
                        self.say(words::no_argument(lang, program, name));
                    }
                }
            }
        }
    }

    fn expression(&mut self, place: &str, expr: &Expr, context: Place, answers: &BTreeSet<String>) {
        let (spec, lang) = (&self.lab.spec, self.lang);
        for name in expr.names() {
            let known = match name {
                "answer" | "measured" | "textbook" => context == Place::Question,
                name => {
                    context != Place::Constant && spec.params.contains_key(name)
                        || context == Place::Question && answers.contains(name)
                }
            };
            if !known {
                self.at(place, words::neither(lang, name, expr));
            }
        }
        for name in expr.programs() {
            if spec.program(name).is_none() {
                self.at(place, words::program_of(lang, name));
            }
        }
        let runs = matches!(context, Place::Run | Place::Question);
        if !runs && (expr.is_measured() || !expr.programs().is_empty()) {
            self.at(place, words::too_early(lang, expr));
        }
    }

    fn texts(&mut self) {
        for lang in [Lang::En, Lang::Zh] {
            let name = match lang {
                Lang::En => "en",
                Lang::Zh => "zh",
            };
            for (place, text) in self.lab.spec.texts(lang) {
                let early = place.ends_with(".ask") || place.starts_with("programs");
                self.text(&format!("{place}.{name}"), text, early);
            }
            for step in Step::ALL {
                let place = words::section(self.lang, format!("guide.{name}.md"), step.title(lang));
                let text = self.lab.guide(lang).section(step);
                self.text(&place, text, step == Step::Predict);
            }
        }
    }

    /// One text; `early`: it is shown before anything is measured.
    fn text(&mut self, place: &str, text: &str, early: bool) {
        if text.trim().is_empty() {
            return self.at(place, words::empty(self.lang));
        }
        for term in ["用户模式", "内核模式"] {
            if text.contains(term) {
                self.at(place, words::terms(self.lang));
            }
        }
        if let Some(number) = typed_number(text) {
            self.at(place, words::typed_in(self.lang, number, "{{…}}"));
        }
        for piece in pieces(text) {
            match piece {
                Ok(placeholder) => self.placeholder(place, &placeholder, early),
                Err(what) => self.at(place, what.say(self.lang)),
            }
        }
    }

    fn placeholder(&mut self, place: &str, placeholder: &Placeholder, early: bool) {
        let (spec, lang) = (&self.lab.spec, self.lang);
        let is_question = |id: &String| spec.questions.iter().any(|question| question.id == *id);
        let problem = match placeholder {
            Placeholder::Measured(expr, _) | Placeholder::Evidence(expr) => {
                let context = match place.starts_with("questions") {
                    true => Place::Question,
                    false => Place::Run,
                };
                let answers = BTreeSet::new();
                self.expression(place, expr, context, &answers);
                let measured = expr.is_measured() || !expr.programs().is_empty();
                (early && measured).then(|| words::told_early(lang, expr))
            }
            Placeholder::Textbook(id, _) if early => Some(words::answer_told(lang, id)),
            Placeholder::Textbook(id, _) | Placeholder::Answer(id, _) => {
                (!is_question(id)).then(|| words::no_question(lang, id))
            }
            Placeholder::Param(name, _) => {
                (!spec.params.contains_key(name)).then(|| words::no_parameter(lang, name))
            }
            Placeholder::Rule(name) => RuleId::of_name(name)
                .is_none()
                .then(|| words::no_rule(lang, name)),
            Placeholder::Program(name) => spec
                .program(name)
                .is_none()
                .then(|| words::no_program(lang, name)),
            Placeholder::Lab(id) => {
                (!self.ids.contains(id.as_str())).then(|| words::no_lab(lang, id))
            }
            Placeholder::Kernel | Placeholder::Level | Placeholder::Device | Placeholder::Next => {
                None
            }
        };
        if let Some(problem) = problem {
            self.at(place, problem);
        }
    }

    fn translation(&mut self) {
        let lang = self.lang;
        let missing = [Lang::En, Lang::Zh].map(guide_name);
        let missing = missing
            .into_iter()
            .find(|name| self.lab.file(name).is_none());
        if let Some(name) = missing {
            return self.say(words::no_guide(lang, name));
        }
        let hash = hash_of_original(self.lab);
        match &self.lab.guide(Lang::Zh).of {
            Some(of) if *of == hash => {}
            Some(_) => self.say(words::stale(self.lang)),
            None => self.say(words::unmarked(self.lang)),
        }
    }

    /// Each paragraph of the programs' comments has a translation, and each translation a paragraph; if there are any.
    fn comments(&mut self) {
        let (lab, lang) = (self.lab, self.lang);
        if lab.comments().is_empty() {
            return;
        }
        let codes = Code::ALL.into_iter();
        let sources = codes.flat_map(|code| lab.sources(code));
        let shown = sources.filter(|(name, _)| !name.starts_with("cheat/"));
        let there: BTreeSet<String> = shown.flat_map(|(_, text)| paragraphs(text)).collect();
        for text in there
            .iter()
            .filter(|text| !lab.comments().contains_key(*text))
        {
            self.at(FILE, words::not_translated(lang, text));
        }
        for text in lab.comments().keys().filter(|text| !there.contains(*text)) {
            self.at(FILE, words::no_comment(lang, text));
        }
    }

    fn recordings(&mut self) {
        let lang = self.lang;
        let names = self.lab.spec.programs.iter().map(|p| p.name.as_str());
        for name in names.chain(["solution"]) {
            if self.lab.recording(name).is_none() {
                let file = format!("recordings/{name}.bhop");
                self.say(words::no_recording(lang, file));
            }
        }
        if let Some(chart) = &self.lab.spec.chart {
            let path = format!("recordings/{}.csv", chart.program.name);
            match self.lab.recorded_chart() {
                None => self.say(words::no_recording(lang, path)),
                Some(Err(e)) => self.at(&path, e.say(lang)),
                Some(Ok(_)) => {}
            }
            for name in chart.series.iter().filter_map(|s| s.against.as_ref()) {
                if !chart.series.iter().any(|s| s.name == *name) {
                    self.say(words::no_series(lang, name));
                }
            }
        }
    }
}

/// Whether a condition wants something to be there, and not only something to be gone: as it is written, for a
/// comparison with at least so much, or nearly so much, of a hop.
fn asks_for_bytes(that: &Expr) -> bool {
    let text = that.to_string();
    let hops = ["copy ", "share ", "dma ", "map ", "fill ", "deferred("];
    let some = [" >= ", " > ", " == ", "near("];
    hops.iter().any(|hop| text.contains(hop)) && some.iter().any(|sign| text.contains(sign))
}

/// The first number that stands in a text outside of code, placeholders, list numbers, link targets
/// and `Linux 6.x`.
fn typed_number(text: &str) -> Option<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let trimmed = line.trim_start();
        let digits = trimmed.len()
            - trimmed
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        let item = digits > 0 && trimmed[digits..].starts_with(". ");
        prose.push_str(if item { &trimmed[digits..] } else { trimmed });
        prose.push('\n');
    }
    let prose = without(&prose, "{{", "}}");
    let prose = without(&prose, "`", "`");
    let prose = without(&prose, "](", ")");
    let mut before = ' ';
    let mut rest = prose.as_str();
    while let Some(c) = rest.chars().next() {
        // Part of a word (x86, ext4) is no number; Chinese needs no spaces.
        let in_word = before.is_ascii_alphanumeric() || before == '_';
        if c.is_ascii_digit() && !in_word {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            let number = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            let so_far = &prose[..prose.len() - rest.len()];
            if !so_far.trim_end().ends_with("Linux") {
                return Some(number.to_owned());
            }
            rest = &rest[number.len()..];
            before = ' ';
            continue;
        }
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    None
}

/// A text without what stands between two marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        out.push_str(before);
        out.push(' ');
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::typed_number;

    #[test]
    fn numbers_in_texts() {
        for text in [
            "no number",
            "`read` returns `4096`",
            "x86_64, ext4 and io_uring",
            "1. first\n2. second",
            "since Linux 6.5, and Linux 7.2 too",
            "{{copy * 2}} bytes",
            "```\n4096\n```",
            "[a](https://example.org/2024)",
            "{{param:size}} 是文件大小",
        ] {
            assert_eq!(typed_number(text), None, "{text}");
        }
        for (text, number) in [
            ("copies 4096 bytes", "4096"),
            ("拷贝4096字节", "4096"),
            ("about 2.5 MiB", "2.5"),
            ("1. has 3 pages", "3"),
            ("Linux does 2 copies", "2"),
        ] {
            assert_eq!(typed_number(text).as_deref(), Some(number), "{text}");
        }
    }
}
