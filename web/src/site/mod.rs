//! The guided labs as a folder of static pages: a menu, and a page for each lab and language. Program, script
//! and style are there once; a lab's files are one script, so that pages work from the disk, too.

mod lab;
mod menu;
mod words;

use std::fmt::Write;
use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};
use labs::lab::Lab;
use labs::site::Course;
use labs::site::pack::{Titles, pack};

use crate::page::html::{base64, escape};
use crate::page::{LANGS, PROGRAM, STYLE, both};

const PLAYER: &str = include_str!("../../page/player.js");
const SCRIPT: &str = include_str!("../../page/course.js");
const COURSE_STYLE: &str = include_str!("../../page/course.css");

/// Nothing is loaded but the site's own files, and no script runs that stands in a page. A page that was
/// opened from the disk has no host: its own files are `file:` to some browsers.
const POLICY: &str = "default-src 'none'; script-src 'self' file: 'wasm-unsafe-eval'; style-src 'self' file:; \
     img-src data:; base-uri 'none'; form-action 'none'";

/// The files of a site, by path within its folder, and what is wrong with labs that it is without.
pub struct Site {
    pub files: Vec<(String, String)>,
    pub left_out: Vec<String>,
}

/// A page, before it has a shell.
struct Page {
    title: String,
    /// Leads to the site's folder.
    up: &'static str,
    /// Of the page; the menu has both.
    lang: Lang,
    /// Attributes of its body.
    data: String,
    scripts: Vec<String>,
    content: String,
}

/// The site of labs; its menu opens in `lang` for those who have not chosen.
pub fn site(labs: &[Lab], lang: Lang) -> Site {
    let titles: Titles = labs
        .iter()
        .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
        .collect();
    let mut site = Site {
        files: Vec::new(),
        left_out: Vec::new(),
    };
    let mut courses = Vec::new();
    for lab in labs {
        match Course::new(Arc::new(lab.clone()), titles.clone(), lang) {
            Ok(course) => courses.push(course),
            Err(e) => {
                let why = words::left_out(lang, &lab.id, e.say(lang));
                site.left_out.push(why);
            }
        }
    }
    let labs: Vec<Arc<Lab>> = courses.iter().map(|c| c.session().lab.clone()).collect();
    let shown: Vec<&Lab> = labs.iter().map(|lab| &**lab).collect();
    for (course, lab) in courses.iter().zip(&shown) {
        for (lang, _) in LANGS {
            let page = lab::page(&course.clone().in_lang(lang), &shown);
            site.files.push((path(lang, &lab.id), page.shell()));
        }
        let packed = base64(&pack(lab, &titles));
        let script = format!("globalThis.bytehopLab = '{packed}';\n");
        site.files.push((format!("labs/{}.js", lab.id), script));
    }
    let program = format!("globalThis.bytehopProgram = '{}';\n", base64(PROGRAM));
    for (path, content) in [
        ("index.html", menu::page(&shown, lang).shell()),
        ("assets/program.js", program),
        ("assets/player.js", PLAYER.to_owned()),
        ("assets/course.js", SCRIPT.to_owned()),
        ("assets/style.css", format!("{STYLE}{COURSE_STYLE}")),
    ] {
        site.files.push((path.to_owned(), content));
    }
    site
}

/// A lab's page, from the site's folder. An id is a plain name ([`labs::spec::is_name`]).
fn path(lang: Lang, id: &str) -> String {
    format!("{}/{id}.html", lang.name())
}

fn tag(lang: Lang) -> &'static str {
    LANGS[usize::from(lang == Lang::Zh)].1
}

impl Page {
    fn shell(&self) -> String {
        let (tag, up, title) = (tag(self.lang), self.up, escape(&self.title));
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <link rel=\"stylesheet\" href=\"{up}assets/style.css\">\n\
             <title>{title}</title>\n</head>\n<body class=\"course\" {}>\n",
            self.data
        );
        let _ = write!(out, "<a class=\"skip\" href=\"#main\">");
        both(&mut out, |lang| words::skip(lang).to_owned());
        let _ = write!(out, "</a>\n{}<noscript><p class=\"notice\">", self.content);
        both(&mut out, |lang| words::no_script(lang).to_owned());
        out.push_str("</p></noscript>\n");
        for script in &self.scripts {
            let _ = writeln!(out, "<script src=\"{up}{script}\"></script>");
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labs::lab::bundled;

    #[test]
    fn every_lab_in_both_languages() {
        let (labs, _) = bundled();
        let site = site(&labs, Lang::En);
        assert_eq!(site.left_out, [""; 0]);
        let paths: Vec<&str> = site.files.iter().map(|(path, _)| path.as_str()).collect();
        for lab in &labs {
            for path in ["en/@.html", "zh/@.html", "labs/@.js"] {
                let path = path.replace('@', &lab.id);
                assert!(paths.contains(&path.as_str()), "{path}");
            }
        }
        for (path, text) in &site.files {
            let is_page = path.ends_with(".html");
            assert_eq!(text.contains("Content-Security-Policy"), is_page, "{path}");
            // No answer before it is asked for; a program in C has braces of its own.
            let mut told = text
                .split("<pre")
                .map(|part| part.split_once("</pre>").map_or(part, |(_, told)| told));
            assert!(!is_page || !told.any(|told| told.contains("{{")), "{path}");
            // A link or a script of a page leads to a file of the site.
            let up = path.contains('/');
            for attribute in [" href=\"", " src=\""].iter().filter(|_| is_page) {
                for rest in text.split(attribute).skip(1) {
                    let to = rest.split('"').next().unwrap_or_default();
                    if to.starts_with('#') || to == "data:," || to.starts_with("https://") {
                        continue;
                    }
                    let folder = path.split('/').next().unwrap_or_default();
                    let to = match (up, to.strip_prefix("../")) {
                        (true, Some(rest)) => rest.to_owned(),
                        (true, None) => format!("{folder}/{to}"),
                        (false, _) => to.to_owned(),
                    };
                    assert!(paths.contains(&to.as_str()), "{path}: {to}");
                }
            }
        }
    }
}
