//! One HTML file: the program, the recording, and below them the summary for whoever reads, prints or
//! searches.

pub(crate) mod html;
pub(crate) mod summary;
pub(crate) mod words;

use std::fmt::Write;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::report::export::Folded;
use sha2::{Digest, Sha256};
use tui::svg::{CELL, MARGIN};

use self::html::{base64, escape};

/// The program, as `cargo xtask web` built it and packed it with gzip; the browser unpacks it.
pub(crate) const PROGRAM: &[u8] = include_bytes!(env!("BYTEHOP_WEB_OBJECT"));
const GLUE: &str = concat!(
    include_str!("../../page/player.js"),
    include_str!("../../page/glue.js")
);
pub(crate) const STYLE: &str = include_str!("../../page/style.css");

/// A key that has a button: its name in browsers, as it is shown, and what it does.
struct Key(&'static str, &'static str, fn(Lang) -> &'static str);

const KEYS: [Key; 13] = [
    Key("g", "g", words::first),
    Key("P", "P", words::previous_call),
    Key("p", "p", words::previous_hop),
    Key("n", "n", words::next_hop),
    Key("N", "N", words::next_call),
    Key(" ", "space", words::play),
    Key("Enter", "Enter", words::explain),
    Key("Tab", "Tab", words::pane),
    Key("z", "z", words::zoom),
    Key("?", "?", words::help),
    Key("Escape", "Esc", words::back),
    Key("L", "L", words::language),
    Key("T", "T", words::theme),
];

pub(crate) const LANGS: [(Lang, &str); 2] = [(Lang::En, "en"), (Lang::Zh, "zh-Hans")];

/// The page of a recording, its summary and its stacks; it opens in `lang`.
pub fn page(recording: &[u8], summary: &Summary, stacks: &Folded, lang: Lang) -> String {
    let mut out = String::with_capacity((PROGRAM.len() + recording.len()) * 4 / 3 + (256 << 10));
    let tag = LANGS[usize::from(lang == Lang::Zh)].1;
    let title = escape(&summary::title(summary, lang));
    // Nothing may be loaded, and no script may run but the one below.
    let glue = base64(&Sha256::digest(GLUE.as_bytes()));
    let policy = format!(
        "default-src 'none'; img-src data:; script-src 'sha256-{glue}' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'"
    );
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1><bdi>{title}</bdi></h1></header>\n<main>\n"
    );
    player(&mut out, lang);
    for (lang, tag) in LANGS {
        let _ = writeln!(out, "<article id=\"summary-{tag}\" lang=\"{tag}\">");
        summary::write(&mut out, summary, stacks, lang);
        out.push_str("</article>\n");
    }
    let _ = write!(
        out,
        "</main>\n<script type=\"text/plain\" id=\"program\">{}</script>\n\
         <script type=\"text/plain\" id=\"recording\">{}</script>\n<script>{GLUE}</script>\n</body>\n</html>\n",
        base64(PROGRAM),
        base64(recording)
    );
    out
}

/// The screen, with a button for each key that matters.
pub(crate) fn player(out: &mut String, lang: Lang) {
    let (w, h) = CELL;
    let label = escape(words::screen(lang));
    let _ = write!(
        out,
        "<div id=\"screen\" tabindex=\"0\" role=\"application\" aria-label=\"{label}\">\
         <svg id=\"picture\" data-cell=\"{w} {h} {MARGIN}\" aria-hidden=\"true\">\
         <rect id=\"back\" width=\"100%\" height=\"100%\" rx=\"8\"/><g id=\"rows\"></g></svg></div>\n\
         <div id=\"keys\">"
    );
    for Key(key, shown, text) in KEYS {
        let key = escape(key);
        let _ = write!(out, "<button type=\"button\" data-key=\"{key}\">");
        both(out, |lang| text(lang).to_owned());
        let _ = writeln!(out, " <kbd>{}</kbd></button>", escape(shown));
    }
    out.push_str("</div>\n<p class=\"hint\">");
    both(out, |lang| words::how(lang).to_owned());
    out.push_str("</p>\n<p id=\"failed\" role=\"alert\" hidden>");
    both(out, |lang| words::failed(lang).to_owned());
    out.push_str(" <code id=\"why\"></code></p>\n<noscript><p>");
    both(out, |lang| words::no_script(lang).to_owned());
    out.push_str("</p></noscript>\n");
}

/// A text in both languages; the page's style shows one.
pub(crate) fn both(out: &mut String, text: impl Fn(Lang) -> String) {
    for (lang, tag) in LANGS {
        let _ = write!(out, "<span lang=\"{tag}\">{}</span>", escape(&text(lang)));
    }
}
