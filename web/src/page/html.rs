//! Text and bytes as HTML takes them.

pub use bytehop_core::base64::base64;
pub use labs::site::html::escape;

/// A name that is not ours: its letters may run the other way.
pub fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_text() {
        let text = escape("</p><script>alert('\"&\u{202e}\x1b[31m\n");
        assert_eq!(
            text,
            "&lt;/p&gt;&lt;script&gt;alert(&#39;&quot;&amp;\\u{1b}[31m "
        );
    }
}
