//! The help screen, made from the table of keys.

use ratatui::buffer::Buffer;

use crate::app::App;
use crate::draw::popup;
use crate::keymap::GROUPS;
use crate::text::pad;
use crate::theme::Paint;
use crate::words;

pub fn draw(app: &App, buf: &mut Buffer) {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let mut lines = vec![
        vec![(words::legend_kinds(lang).to_owned(), Paint::Text)],
        vec![(words::legend_lines(lang).to_owned(), Paint::Text)],
    ];
    for group in GROUPS {
        lines.push(vec![((group.name)(lang).to_owned(), Paint::Strong)]);
        for binding in group.bindings {
            lines.push(vec![
                (
                    pad(&format!("  {}", app.keys.shown(binding)), 14, ascii),
                    Paint::Key,
                ),
                ((binding.text)(lang).to_owned(), Paint::Text),
            ]);
        }
    }
    lines.push(vec![(words::mouse(lang).to_owned(), Paint::Text)]);
    popup(&app.look, app.popup_scroll, words::help(lang), &lines, buf);
}
