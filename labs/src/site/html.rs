//! Text and Markdown as HTML takes them: whatever a lab's author wrote stays text.

use bytehop_core::report::layout::clean;
use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html};

use crate::markdown::options;

/// Text that is text wherever it stands in a page: no tags, no quotes, nothing that turns lines around.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text, false).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Markdown in a section of a page: its headings are of the third level or below, what looks like HTML is
/// text, pictures are their descriptions, and a link leads to the web or is none.
pub fn markdown(text: &str) -> String {
    let mut links = Vec::new();
    let events = Parser::new_ext(text, options()).filter_map(|event| one(event, &mut links));
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events);
    // What is wider than its place is scrolled, by keys, too. Text has no tags by now.
    out.replace("<pre>", "<pre tabindex=\"0\">")
        .replace("<table>", "<div class=\"wide\" tabindex=\"0\"><table>")
        .replace("</table>", "</table></div>")
        .replace("<th></th>", "<td></td>")
        .replace("<th>", "<th scope=\"col\">")
}

/// A line of Markdown, without the paragraph around it.
pub fn line(text: &str) -> String {
    let html = markdown(text);
    let inner = html
        .trim()
        .strip_prefix("<p>")
        .and_then(|rest| rest.strip_suffix("</p>"))
        .filter(|rest| !rest.contains("<p>"));
    inner.map_or(html.clone(), str::to_owned)
}

/// Program text, as it is.
pub fn code(text: &str) -> String {
    let text: Vec<String> = text.lines().map(|line| escape(&tabs(line))).collect();
    format!(
        "<pre tabindex=\"0\"><code>{}\n</code></pre>",
        text.join("\n")
    )
}

fn one<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(plain(&text)),
        Event::Text(text) => Event::Text(plain(&text)),
        Event::Code(text) => Event::Code(plain(&text)),
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Event::Start(Tag::Heading {
            level: level.max(HeadingLevel::H3),
            id,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => {
            Event::End(TagEnd::Heading(level.max(HeadingLevel::H3)))
        }
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let kept = ["https://", "http://"]
                .iter()
                .any(|scheme| dest_url.starts_with(scheme));
            links.push(kept);
            return kept.then_some(event);
        }
        Event::End(TagEnd::Link) => {
            let kept = links.pop().unwrap_or_default();
            return kept.then_some(event);
        }
        // An alignment would be a style, and pages allow none of their own.
        Event::Start(Tag::Table(columns)) => {
            Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))
        }
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        event => event,
    })
}

fn plain(text: &str) -> CowStr<'static> {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| clean(&tabs(line), false))
        .collect();
    lines.join("\n").into()
}

fn tabs(line: &str) -> String {
    line.trim_end_matches('\r').replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_author_wrote_stays_text() {
        let html = markdown(
            "# A <b>title</b>\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> \u{202e}x \
             [here](javascript:alert(1)) [there](https://example.org/) ![a picture](https://example.org/x.png)\n\n\
             ```\n</code></pre><script>\u{202e}\n```\n\n| | a |\n|---|--:|\n| `b\u{202e}` | <i> |\n",
        );
        for gone in [
            "<script",
            "<img",
            "<b>",
            "<i>",
            "javascript",
            "x.png",
            "<h1",
            "style=",
            "\u{202e}",
        ] {
            assert!(!html.contains(gone), "{gone}: {html}");
        }
        for there in [
            "<h3>A &lt;b&gt;title",
            "&lt;script&gt;alert(1)",
            "here",
            "<a href=\"https://example.org/\">there</a>",
            "a picture",
            "<pre tabindex=\"0\">",
            "<th scope=\"col\">a</th>",
        ] {
            assert!(html.contains(there), "{there}: {html}");
        }
        assert_eq!(line("a `b` *c*"), "a <code>b</code> <em>c</em>");
        assert_eq!(
            code("a\n\t<b>"),
            "<pre tabindex=\"0\"><code>a\n    &lt;b&gt;\n</code></pre>"
        );
    }
}
