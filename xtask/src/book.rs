//! `cargo xtask book`: the documents in both languages, the labs and pages of recorded runs as one site.

pub mod links;
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, output, run, target_dir};
use crate::{setup, workspace};
use site::{Page, Site, recorded, shown};

/// A book: its language, its table of contents, and its title.
const BOOKS: [(&str, &str, &str); 2] = [
    ("en", "docs/SUMMARY.md", "bytehop"),
    ("zh", "docs/zh/SUMMARY.md", "bytehop：字节在内核中走过的路"),
];

const SEARCH: &str = include_str!("book/search.zh.js");

/// mdbook has its own words in English alone.
#[rustfmt::skip] // a table
const WORDS: &[(&str, &str)] = &[
    ("Search this book ...", "搜索本书……"),
    ("Toggle Table of Contents", "显示或隐藏目录"),
    ("Toggle Searchbar", "显示或隐藏搜索框"),
    ("Change theme", "切换主题"),
    ("Search (`/`)", "搜索（`/`）"),
    ("Previous chapter", "上一章"),
    ("Next chapter", "下一章"),
    ("Table of contents", "目录"),
];

/// The same in its script.
#[rustfmt::skip] // a table
const SAID: &[(&str, &str)] = &[
    ("count + ' search result for \\'' + searchterm + '\\':'", "'“' + searchterm + '”的 ' + count + ' 个结果：'"),
    ("count + ' search results for \\'' + searchterm + '\\':'", "'“' + searchterm + '”的 ' + count + ' 个结果：'"),
    ("'No search results for \\'' + searchterm + '\\'.'", "'没有找到“' + searchterm + '”。'"),
];

const INDEX: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>bytehop</title>
<style>body { font: 1.1em/1.6 sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em } a { margin-right: 1em }</style>
</head>
<body>
<main>
<h1>bytehop</h1>
<p>The way of a program's bytes through the Linux kernel.</p>
<p><a href=\"en/index.html\">Documents</a> <a href=\"en/examples.html\">Recorded runs</a> <a href=\"course/index.html\">Labs</a></p>
<p lang=\"zh\">程序的字节在 Linux 内核中走过的路。</p>
<p lang=\"zh\"><a href=\"zh/index.html\">文档</a> <a href=\"zh/examples.html\">记录</a> <a href=\"course/index.html\">实验</a></p>
</main>
</body>
</html>
";

/// mdbook, where `cargo xtask setup` puts it, or in `PATH`.
pub fn mdbook() -> Option<PathBuf> {
    let own = setup::python().and_then(|python| Some(python.parent()?.join("mdbook")));
    own.filter(|file| file.is_file()).or_else(|| find("mdbook"))
}

/// The documents that a table of contents names, by their paths in the repository.
fn contents(summary: &str, text: &str) -> Vec<String> {
    let folder = Path::new(summary).parent().unwrap_or(Path::new(""));
    let links = text.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
    links
        .map(|link| site::resolved(&folder.join(link)))
        .collect()
}

/// Writes the site to `to`, and returns how many links it has.
///
/// # Errors
/// If there is no mdbook, something cannot be made, or a link leads nowhere.
pub fn book(to: &Path) -> Result<usize> {
    let workspace = workspace();
    let mdbook = mdbook().context("there is no mdbook: run `cargo xtask setup`")?;
    let read = |path: &str| {
        let path = workspace.join(path);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let write = |path: PathBuf, text: &[u8]| {
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(&path, text).with_context(|| path.display().to_string())
    };
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    let to = &fs::canonicalize(to)?;
    let mut site = Site::default();
    for (_, summary, _) in BOOKS {
        for path in contents(summary, &read(summary)?) {
            let page = Page::of(&path);
            site.pages.insert(path, page);
        }
    }
    for (lang, summary, title) in BOOKS {
        let staged = target_dir(&workspace).join("book").join(lang);
        if staged.exists() {
            fs::remove_dir_all(&staged)?;
        }
        let texts = site.pages.clone();
        for (path, page) in texts.iter().filter(|(_, page)| page.lang == lang) {
            let text = site.text(path, &read(path)?);
            write(staged.join("src").join(&page.file), text.as_bytes())?;
        }
        let text = read(summary)?;
        let toc = contents(summary, &text)
            .into_iter()
            .zip(text.split("](").skip(1));
        let mut out = text.split("](").next().unwrap_or_default().to_owned();
        for (path, after) in toc {
            let file = &site.pages[&path].file;
            let after = after.split_once(')').map_or("", |(_, after)| after);
            out += &format!("]({file}){after}");
        }
        write(staged.join("src/SUMMARY.md"), out.as_bytes())?;
        let settings = format!(
            "[book]\ntitle = \"{title}\"\nlanguage = \"{lang}\"\nsrc = \"src\"\n\n[output.html]\n\
             no-section-label = true\npreferred-dark-theme = \"navy\"\ninput-404 = \"\"\n\n\
             [output.html.print]\nenable = false\n\n[output.html.search]\nuse-boolean-and = true\n"
        );
        write(staged.join("book.toml"), settings.as_bytes())?;
        output(
            Command::new(&mdbook)
                .arg("build")
                .arg(&staged)
                .arg("--dest-dir")
                .arg(to.join(lang)),
        )?;
    }
    translate(&to.join("zh"))?;
    for path in &site.files {
        let bytes = fs::read(workspace.join(path)).with_context(|| path.clone())?;
        write(to.join(shown(path)), &bytes)?;
    }
    write(to.join("index.html"), INDEX.as_bytes())?;
    run(&mut bytehop(
        &workspace,
        &["lab", "export", "--site"],
        &to.join("course"),
    ))?;
    fs::create_dir_all(to.join("recordings"))?;
    for path in &site.recordings {
        let words = ["report", path, "--format", "html", "-o"];
        run(&mut bytehop(&workspace, &words, &to.join(recorded(path))))?;
    }
    let (all, wrong) = links::check(to)?;
    match wrong.as_slice() {
        [] => Ok(all),
        wrong => bail!("{} links lead nowhere:\n{}", wrong.len(), wrong.join("\n")),
    }
}

/// What a browser's search finds: a page of the site, what is looked for there, and what must be found.
#[rustfmt::skip] // a table
const LOOKED_FOR: &[(&str, &str, &str)] = &[
    ("en/top.html", "vmsplice", "href=\"teaching/solutions.html?highlight=vmsplice#ipc\""),
    ("en/teaching/sessions.html", "page%20cache", "href=\"../teaching/"),
    ("zh/top.html", "%E7%BC%BA%E9%A1%B5", "<em>缺页</em>"),
    ("zh/teaching/sessions.html", "%E9%9B%B6%E6%8B%B7%E8%B4%9D", "<em>零拷贝</em>"),
];

/// Looks for words of both languages on a site in headless Chromium; `Some`: it cannot be done here, and why.
///
/// # Errors
/// If a search finds nothing.
pub fn look(site: &Path) -> Result<Option<String>> {
    let site = fs::canonicalize(site)?;
    let Some(browser) = ["chromium", "chromium-browser"].into_iter().find_map(find) else {
        return Ok(Some("there is no chromium to search it in".to_owned()));
    };
    let profile = target_dir(&workspace()).join("book/profile");
    for (page, words, found) in LOOKED_FOR {
        let url = format!("file://{}/{page}?search={words}", site.display());
        let dom = output(
            Command::new(&browser)
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
                .args(["--virtual-time-budget=10000"])
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg(&url),
        )?;
        let results = dom
            .split("id=\"mdbook-searchresults\"")
            .nth(1)
            .unwrap_or_default();
        let results = results.split("</ul>").next().unwrap_or_default();
        if !results.contains(found) {
            bail!("{page}: looking for {words} does not find {found}, but: {results:.2000}");
        }
    }
    Ok(None)
}

/// bytehop itself, without what traces.
fn bytehop(workspace: &Path, words: &[&str], to: &Path) -> Command {
    let mut command = cargo(workspace);
    command
        .args(["run", "--quiet", "--package", "bytehop", "--"])
        .args(words)
        .arg(to);
    command
}

/// Puts mdbook's own words into Chinese, and a search in the place of its own: that one knows words by the spaces
/// between them, and drops all that is not ASCII.
fn translate(book: &Path) -> Result<()> {
    let (mut words, mut said) = (vec![0; WORDS.len()], vec![0; SAID.len()]);
    let mut searches = 0;
    for path in links::files(book)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (table, seen) = match path.extension().and_then(|end| end.to_str()) {
            Some("html") => (WORDS, &mut words),
            Some("js") if name.starts_with("searcher") => (SAID, &mut said),
            // In its file: before anything can ask it.
            Some("js") if name.starts_with("elasticlunr") => {
                searches += 1;
                let text = fs::read_to_string(&path)?;
                fs::write(&path, format!("{text}\n{SEARCH}"))?;
                continue;
            }
            _ => continue,
        };
        let mut text = fs::read_to_string(&path)?;
        for ((english, chinese), seen) in table.iter().zip(seen) {
            *seen += text.matches(english).count();
            text = text.replace(english, chinese);
        }
        fs::write(&path, text)?;
    }
    let tables = WORDS.iter().zip(&words).chain(SAID.iter().zip(&said));
    if searches != 1 {
        bail!("mdbook has another search now: {searches} files of elasticlunr");
    }
    match tables.into_iter().find(|(_, seen)| **seen == 0) {
        Some(((english, _), _)) => bail!("mdbook says no longer: {english}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every document for users is in its language's book, in the same order.
    #[test]
    fn both_books_have_every_document() {
        let workspace = workspace();
        let read = |path: &str| fs::read_to_string(workspace.join(path)).unwrap();
        let [en, zh] = BOOKS.map(|(lang, summary, _)| {
            let paths = contents(summary, &read(summary));
            let pages: Vec<Page> = paths.iter().map(|path| Page::of(path)).collect();
            assert!(pages.iter().all(|page| page.lang == lang), "{pages:?}");
            pages.into_iter().map(|page| page.file).collect::<Vec<_>>()
        });
        let translated =
            |file: &&String| workspace.join("docs/zh").join(file).exists() || *file == "README.md";
        assert_eq!(
            en.iter().filter(translated).collect::<Vec<_>>(),
            zh.iter().collect::<Vec<_>>()
        );
        for path in links::files(&workspace.join("docs")).unwrap() {
            let path = path.strip_prefix(&workspace).unwrap().to_string_lossy();
            if path.ends_with(".md") && !path.ends_with("SUMMARY.md") {
                let page = Page::of(&path);
                let book = if page.lang == "en" { &en } else { &zh };
                assert!(book.contains(&page.file), "{path} is in no book");
            }
        }
    }
}
