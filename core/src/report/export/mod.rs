//! A recording for other tools: tables, flame graphs, bug reports, pictures, time lines.
//!
//! All say what the summary says: their totals are those of `--format json`, and each number stands with its
//! evidence.

mod csv;
mod flame;
mod folded;
mod markdown;
mod parquet;
mod perfetto;
mod svg;

pub use csv::csv;
pub use flame::{flame_graph, flame_graph_in_page};
pub use folded::{Folded, UnknownWeight, Weight};
pub use markdown::markdown;
pub use parquet::parquet;
pub use perfetto::Perfetto;
pub use svg::svg;

/// `text` for XML: markup and what XML does not allow are replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if printable(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

/// Whether a character shows as itself: no control, nothing that turns the direction of the text around.
pub fn printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}
