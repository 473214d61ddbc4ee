//! What a hop is, who moved it, how that is known, and why it happened.

use bytehop_core::event::Engine;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{Evidence, HopKind};
use bytehop_core::report::interrupted;
use bytehop_core::units;
use ratatui::buffer::Buffer;

use super::describe;
use crate::app::App;
use crate::draw::popup;
use crate::store::{Detail, Hop, HopKey, What};
use crate::text::{pad, wrap};
use crate::theme::Paint;
use crate::words;

type Line = Vec<(String, Paint)>;

/// Label and text, wrapped.
struct Page {
    lines: Vec<Line>,
    room: usize,
    ascii: bool,
}

const LABEL: usize = 14;

impl Page {
    fn say(&mut self, label: &str, text: &str, paint: Paint) {
        for (i, line) in wrap(text, self.room).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            // The longest label stands on a line of its own.
            if crate::text::width(label) >= LABEL {
                self.lines.push(vec![(label.to_owned(), Paint::Dim)]);
                self.lines
                    .push(vec![(" ".repeat(LABEL), Paint::Dim), (line, paint)]);
            } else {
                let label = pad(label, LABEL, self.ascii);
                self.lines.push(vec![(label, Paint::Dim), (line, paint)]);
            }
        }
    }
}

pub fn draw(app: &App, buf: &mut Buffer) {
    let lang = app.look.lang;
    let room = usize::from(buf.area.width).saturating_sub(6).min(100);
    let mut page = Page {
        lines: Vec::new(),
        room: room.saturating_sub(LABEL).max(10),
        ascii: app.look.ascii,
    };
    // Without a hop chosen, every hop of the call.
    let hops: &[Hop] = match app.hop() {
        Some(hop) => std::slice::from_ref(hop),
        None => app.hops(),
    };
    for hop in hops {
        if let Some(key) = app.store.key(hop) {
            explain(app, &mut page, hop, key);
            page.lines.push(Vec::new());
        }
    }
    if hops.is_empty() {
        page.say(words::what(lang), words::no_hops(lang), Paint::Text);
    }
    call(app, &mut page);
    popup(
        &app.look,
        app.popup_scroll,
        words::explain(lang),
        &page.lines,
        buf,
    );
}

fn explain(app: &App, page: &mut Page, hop: &Hop, key: &HopKey) {
    let lang = app.look.lang;
    let kind = key.kind;
    let what = format!(
        "{} {}  {}",
        kind.letter(),
        words::kind(lang, kind),
        describe::route(app, key)
    );
    page.say(words::what(lang), &what, Paint::Kind(kind));
    page.say(words::moved_by(lang), mover(lang, key), Paint::Text);
    let many = words::in_operations(lang, u64::from(hop.count.max(1)));
    let (bytes, exact) = (units::bytes(hop.bytes), units::count(hop.bytes));
    let much = words::much(lang, bytes, exact, many);
    page.say(words::how_much(lang), &much, Paint::Text);

    let by = key.evidence.by();
    let (text, because) = match key.evidence {
        Evidence::Measured(probe) => (words::seen_by(lang, by), Some(probe.measures(lang))),
        Evidence::Inferred(rule) => (words::concluded_by(lang, by), Some(rule.says(lang))),
        Evidence::Estimated(_) => (words::estimated_by(lang, by), None),
    };
    page.say(words::known_by(lang), &text, Paint::Text);
    if let Some(because) = because {
        page.say(words::why(lang), because, Paint::Text);
    }
    if let Some(function) = function(key) {
        page.say(words::runs_in(lang), function, Paint::Text);
    }
    if let Some(lab) = bytehop_core::advise::lab(key.evidence) {
        page.say(words::lab(lang), &format!("bytehop lab {lab}"), Paint::Key);
    }
    let began = app.store.call(app.cursor.call).map_or(0, |call| call.ts);
    let (mut when, comma) = (String::new(), lang.comma());
    if hop.dur > 0 {
        let since = began + u64::from(hop.after);
        let since = units::time(since.saturating_sub(app.store.span.0));
        let took = words::took(lang, units::time(u64::from(hop.dur)));
        when = format!("{}{comma}{took}", words::at_time(lang, since));
    }
    if key.deferred {
        let sep = if when.is_empty() {
            ""
        } else {
            lang.of(&["; ", "；"])
        };
        when = format!("{when}{sep}{}", words::deferred_why(lang));
    }
    if !when.is_empty() {
        page.say(words::when(lang), &when, Paint::Text);
    }
    if let Some(interrupt) = key.interrupt {
        let at = interrupted(interrupt.context, interrupt.number, lang);
        page.say(words::told_by(lang), &at, Paint::Text);
        if interrupt.woke {
            page.say(words::then(lang), words::woke(lang), Paint::Text);
        }
    }
}

fn mover(lang: Lang, key: &HopKey) -> &'static str {
    match key.kind {
        HopKind::Copy => words::mover_copy(lang),
        HopKind::Dma if key.engine == Some(Engine::Paravirtual) => {
            words::mover_dma_paravirtual(lang)
        }
        HopKind::Dma => words::mover_dma(lang),
        HopKind::Share => words::mover_share(lang),
        HopKind::Map => words::mover_map(lang),
        HopKind::Fill => words::mover_fill(lang),
    }
}

/// The kernel functions in which such a hop happens, innermost first: where to read on.
fn function(key: &HopKey) -> Option<&'static str> {
    match key.evidence {
        Evidence::Measured(probe) => probe.function(),
        Evidence::Inferred(rule) => Some(rule.function()),
        Evidence::Estimated(_) => None,
    }
}

/// The call that the hops belong to.
fn call(app: &App, page: &mut Page) {
    let lang = app.look.lang;
    let index = app.cursor.call;
    let Some((call, sig)) = app
        .store
        .call(index)
        .and_then(|call| Some((call, app.store.sig(&call)?)))
    else {
        return;
    };
    let text = describe::call(app, index);
    page.say(words::the_call(lang), &text, Paint::Strong);
    let process = app.store.summary.by_process.iter();
    let comm = process
        .filter(|process| process.pid == sig.tgid)
        .map(|process| process.comm.as_str())
        .next();
    let who = words::thread_of(lang, sig.tid, sig.tgid, comm.unwrap_or_default());
    page.say("", who.trim_end(), Paint::Text);
    for file in [sig.file, sig.file2].into_iter().flatten() {
        if let Some(path) = app.store.name(&file) {
            page.say("", path, Paint::Text);
        }
    }
    if let Some(frame) = app.store.line(index) {
        let text = format!("{}:{}  {}", frame.file, frame.line, frame.function);
        page.say(words::source(lang), text.trim_end(), Paint::Text);
    }
    match app.details.get(&index) {
        Some(Detail::Syscall { args, ret, .. }) => {
            let args: Vec<_> = args.iter().map(|arg| format!("{arg:#x}")).collect();
            page.say(words::arguments(lang), &args.join(" "), Paint::Text);
            page.say(words::returned(lang), &ret.to_string(), Paint::Text);
        }
        Some(Detail::Fault { addr, ip }) => {
            let text = format!("{addr:#x}  (ip {ip:#x})");
            page.say(words::address(lang), &text, Paint::Text);
        }
        Some(Detail::Lost) => {
            page.say(words::arguments(lang), words::unreadable(lang), Paint::Text)
        }
        None if sig.what != What::Later => {
            page.say(words::arguments(lang), words::no_record(lang), Paint::Text);
        }
        None => {}
    }
    if let Some(why) = sig.open {
        let text = words::open_bytes(lang, why.words(lang));
        page.say(words::account(lang), &text, Paint::Warning);
    }
    let since = call.ts.saturating_sub(app.store.span.0);
    let (mut when, comma) = (words::at_time(lang, units::time(since)), lang.comma());
    if call.dur > 0 {
        let took = words::took(lang, units::time(u64::from(call.dur)));
        when = format!("{when}{comma}{took}");
    }
    if call.waited > 0 {
        let within = words::within(lang, units::time(u64::from(call.waited)));
        when = format!("{when}{comma}{within}");
    }
    page.say(words::when(lang), &when, Paint::Text);
}
