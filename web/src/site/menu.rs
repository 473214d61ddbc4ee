//! The menu: both languages in one page, of which the style shows one.

use std::fmt::Write;

use bytehop_core::i18n::Lang;
use labs::lab::Lab;
use labs::site::html::{escape, line};

use super::{Page, path, words};
use crate::page::{LANGS, both};

pub fn page(labs: &[&Lab], lang: Lang) -> Page {
    let mut out = String::from("<header><h1>");
    both(&mut out, |lang| words::course(lang).to_owned());
    out.push_str("</h1>");
    looks(&mut out);
    out.push_str("</header>\n<main id=\"main\">\n<p class=\"lead\">");
    both(&mut out, |lang| words::about(lang).to_owned());
    out.push_str("</p>\n<ol class=\"labs\">\n");
    for lab in labs {
        let id = escape(&lab.id);
        let _ = write!(
            out,
            "<li data-lab=\"{id}\" data-of=\"{}\">",
            lab.spec.questions.len()
        );
        for (lang, tag) in LANGS {
            let _ = write!(
                out,
                "<div lang=\"{tag}\"><h2><a href=\"{}\">{}</a></h2><p>{}</p></div>",
                path(lang, &id),
                escape(lab.spec.title.get(lang)),
                line(lab.spec.summary.get(lang))
            );
        }
        // The script chooses one.
        out.push_str("<p class=\"state\">");
        for (state, text) in [
            ("none", words::not_begun as fn(Lang) -> &'static str),
            ("some", words::begun),
            ("done", words::done),
        ] {
            let _ = write!(out, "<span data-state=\"{state}\" hidden>");
            both(&mut out, |lang| text(lang).to_owned());
            out.push_str("</span>");
        }
        out.push_str("</p></li>\n");
    }
    out.push_str("</ol>\n");
    progress(&mut out);
    out.push_str("</main>\n");
    Page {
        title: format!("{} · {}", words::course(lang), words::course(lang.other())),
        up: "",
        lang,
        data: "data-menu".to_owned(),
        scripts: vec!["assets/course.js".to_owned()],
        content: out,
    }
}

/// Buttons for the language and the colours.
fn looks(out: &mut String) {
    out.push_str("<div class=\"looks\"><button type=\"button\" id=\"language\">");
    both(out, |lang| words::other_language(lang).to_owned());
    out.push_str("</button> <button type=\"button\" id=\"theme\">");
    both(out, |lang| words::colours(lang).to_owned());
    out.push_str("</button></div>");
}

/// What is kept of the learner, to take along and to hand in.
fn progress(out: &mut String) {
    out.push_str("<section class=\"keep\" aria-labelledby=\"h-keep\"><h2 id=\"h-keep\">");
    both(out, |lang| words::progress(lang).to_owned());
    out.push_str("</h2>\n<p>");
    both(out, |lang| words::kept_here(lang).to_owned());
    out.push_str("</p>\n<p id=\"not-kept\" class=\"notice\" hidden>");
    both(out, |lang| words::not_kept(lang).to_owned());
    out.push_str("</p>\n<p><label for=\"student\">");
    both(out, |lang| words::student(lang).to_owned());
    out.push_str(
        "</label> <input id=\"student\" maxlength=\"64\" autocomplete=\"off\" spellcheck=\"false\"></p>\n\
         <p class=\"row\"><button type=\"button\" id=\"save\">",
    );
    both(out, |lang| words::save(lang).to_owned());
    out.push_str("</button> <label class=\"button\">");
    both(out, |lang| words::load(lang).to_owned());
    out.push_str(
        "<input type=\"file\" id=\"load\" class=\"away\" accept=\".json\"></label> \
         <button type=\"button\" id=\"forget\">",
    );
    both(out, |lang| words::forget(lang).to_owned());
    out.push_str("</button></p>\n<p id=\"said\" role=\"status\">");
    for (what, text) in [
        ("saved", words::saved as fn(Lang) -> &'static str),
        ("loaded", words::loaded),
        ("refused", words::refused),
        ("forgotten", words::forgotten),
        ("sure", words::sure),
    ] {
        let _ = write!(out, "<span data-said=\"{what}\" hidden>");
        both(out, |lang| text(lang).to_owned());
        out.push_str("</span>");
    }
    out.push_str("</p></section>\n");
}
