//! What a hop is, who moved it, how that is known, and why it happened.

use bytehop_core::event::Engine;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{Evidence, HopKind};
use bytehop_core::report::units;
use bytehop_core::{probes, rules};
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
    let much = format!(
        "{} ({}), {many}",
        units::bytes(hop.bytes),
        units::count(hop.bytes)
    );
    page.say(words::how_much(lang), &much, Paint::Text);

    let (text, because) = match &key.evidence {
        Evidence::Measured { probe } => {
            let probe_row = probes::TABLE.iter().find(|row| row.label == probe);
            let measures = probe_row.map(|row| row.measures(lang).to_owned());
            (words::seen_by(lang, probe), measures)
        }
        Evidence::Inferred { rule } => (
            words::concluded_by(lang, rule),
            rules::explain(rule, lang).map(str::to_owned),
        ),
        Evidence::Estimated { method } => (words::estimated_by(lang, method), None),
    };
    page.say(words::known_by(lang), &text, Paint::Text);
    if let Some(because) = because {
        page.say(words::why(lang), &because, Paint::Text);
    }
    if let Some(function) = function(key) {
        page.say(words::runs_in(lang), function, Paint::Text);
    }
    if let Some(lab) = bytehop_core::advise::lab(key.evidence.by()) {
        page.say(words::lab(lang), &format!("bytehop lab {lab}"), Paint::Key);
    }
    let began = app.store.call(app.cursor.call).map_or(0, |call| call.ts);
    let mut when = String::new();
    if hop.dur > 0 {
        let since = began + u64::from(hop.after);
        let since = units::time(since.saturating_sub(app.store.span.0));
        let took = words::took(lang, units::time(u64::from(hop.dur)));
        when = format!("{}, {took}", words::at_time(lang, since));
    }
    if key.deferred {
        let sep = if when.is_empty() { "" } else { "; " };
        when = format!("{when}{sep}{}", words::deferred_why(lang));
    }
    if !when.is_empty() {
        page.say(words::when(lang), &when, Paint::Text);
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
    let by = key.evidence.by();
    let known = FUNCTIONS.iter().find(|(name, _)| *name == by);
    known.map(|(_, functions)| *functions)
}

/// By probe or rule. Names of Linux 6.x; they may differ in other versions.
const FUNCTIONS: &[(&str, &str)] = &[
    ("read-returns-copied", "copy_folio_to_iter < filemap_read"),
    ("direct-read-fell-back", "copy_folio_to_iter < filemap_read"),
    (
        "shmem-read-copied",
        "copy_page_to_iter < shmem_file_read_iter",
    ),
    ("pipe-read-copied", "copy_page_to_iter < pipe_read"),
    ("pipe-write-copied", "copy_page_from_iter < pipe_write"),
    (
        "write-copied",
        "copy_folio_from_iter_atomic < generic_perform_write",
    ),
    (
        "direct-write-fell-back",
        "copy_folio_from_iter_atomic < generic_perform_write",
    ),
    (
        "shmem-write-copied",
        "copy_folio_from_iter_atomic < generic_perform_write",
    ),
    (
        "send-copied",
        "skb_do_copy_data_nocache < tcp_sendmsg_locked",
    ),
    ("receive-copied", "skb_copy_datagram_iter"),
    (
        "sendfile-shared",
        "filemap_splice_read, then splice_to_socket < do_sendfile",
    ),
    (
        "sendfile-copied",
        "filemap_splice_read, then iter_file_splice_write < do_sendfile",
    ),
    (
        "splice-file-shared",
        "filemap_splice_read < splice_file_to_pipe",
    ),
    (
        "splice-pipe-to-socket-shared",
        "splice_to_socket < do_splice",
    ),
    (
        "splice-pipe-to-pipe-shared",
        "splice_pipe_to_pipe < do_splice",
    ),
    (
        "splice-pipe-to-file-copied",
        "iter_file_splice_write < do_splice",
    ),
    ("tee-shared", "link_pipe < do_tee"),
    ("vmsplice-shared", "iter_to_pipe < vmsplice_to_pipe"),
    ("vmsplice-copied", "pipe_to_user < vmsplice_to_user"),
    (
        "copy-range-copied",
        "splice_copy_file_range < vfs_copy_file_range",
    ),
    ("process-vm-copied", "process_vm_rw_core"),
    ("cow-fault-copied", "wp_page_copy"),
    ("cow-file-page-copied", "wp_page_copy"),
    ("private-file-write-copied", "do_cow_fault"),
    ("fault-around-range", "filemap_map_pages < do_fault_around"),
    ("file-page-mapped", "finish_fault < do_read_fault"),
    ("zero-page-mapped", "do_anonymous_page"),
    ("zerocopy-late-copy", "skb_copy_ubufs"),
    (
        "tp:mm_page_alloc",
        "clear_user_highpage, or post_alloc_hook",
    ),
    ("tp:block_rq_complete", "blk_update_request"),
    ("tp:net_dev_start_xmit", "xmit_one < dev_hard_start_xmit"),
    ("tp:skb_copy_datagram_iovec", "skb_copy_datagram_iter"),
];

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
    let mut when = words::at_time(lang, units::time(since));
    if call.dur > 0 {
        let took = words::took(lang, units::time(u64::from(call.dur)));
        when = format!("{when}, {took}");
    }
    if call.waited > 0 {
        let within = words::within(lang, units::time(u64::from(call.waited)));
        when = format!("{when}, {within}");
    }
    page.say(words::when(lang), &when, Paint::Text);
}
