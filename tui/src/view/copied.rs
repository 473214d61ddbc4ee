//! What goes to the clipboard: what one is at, as text.

use bytehop_core::terms;
use bytehop_core::units;

use super::{describe, source};
use crate::app::{App, Pane};
use crate::store::{Hop, HopKey};
use crate::words;

/// The source line where the source has the focus, the hop if one is chosen, else the call with its hops.
pub fn copied(app: &App) -> Option<String> {
    let call = app.cursor.call;
    app.store.call(call)?;
    let lines = match (app.focus, app.hop()) {
        (Pane::Source, _) if source::here(app).is_some() => vec![source::here(app)?],
        (_, Some(hop)) => vec![self::hop(app, hop)?, self::call(app, call)],
        _ => {
            let hops = app.hops().iter().filter_map(|hop| self::hop(app, hop));
            let mut lines = vec![self::call(app, call)];
            lines.extend(source::here(app).map(indented));
            lines.extend(hops.map(indented));
            lines
        }
    };
    let lines: Vec<_> = lines.iter().map(|line| clean(line)).collect();
    Some(lines.join("\n"))
}

fn indented(line: String) -> String {
    format!("  {line}")
}

/// `#7 read(3 in.bin, 64.0 KiB) = 64.0 KiB  thread 12 of process 12, 12.0 µs after the start`.
fn call(app: &App, index: usize) -> String {
    let lang = app.look.lang;
    let text = format!("#{} {}", index + 1, describe::call(app, index));
    let call = app.store.call(index);
    let Some((call, sig)) = call.and_then(|call| Some((call, app.store.sig(&call)?))) else {
        return text;
    };
    let who = words::thread_of(lang, sig.tid, sig.tgid, "");
    let since = call.ts.saturating_sub(app.store.span.0);
    let when = words::at_time(lang, units::time(since));
    format!("{text}  {}{}{when}", who.trim_end(), lang.comma())
}

/// `C copy  page cache → user memory  64.0 KiB ×16  measured fexit:filemap_read`.
fn hop(app: &App, hop: &Hop) -> Option<String> {
    let key: &HopKey = app.store.key(hop)?;
    let lang = app.look.lang;
    let (evidence, by) = describe::evidence(app, key);
    let times = describe::times(app, hop);
    let later = match key.deferred {
        true => format!(" {}", terms::later(lang)),
        false => String::new(),
    };
    Some(format!(
        "{} {}  {}  {}{}{times}  {evidence} {by}{later}",
        key.kind.letter(),
        words::kind(lang, key.kind),
        describe::route(app, key),
        units::bytes(hop.bytes),
        if times.is_empty() { "" } else { " " },
    ))
}

/// A pasted name must not be a command: no new lines, no escapes.
fn clean(text: &str) -> String {
    let visible = |c: char| match c.is_control() {
        true => ' ',
        false => c,
    };
    text.chars().map(visible).collect()
}
