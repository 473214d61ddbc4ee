//! Where what stands in the repository is on the site, and documents with their links changed to that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// A document: its path in the repository, and in its language's book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub lang: &'static str,
    pub file: String,
}

impl Page {
    /// Of a document of the repository.
    pub fn of(path: &str) -> Self {
        let (lang, file) = match path {
            "README.zh.md" => ("zh", "README.md"),
            _ => match path.strip_prefix("docs/zh/") {
                Some(file) => ("zh", file),
                None => ("en", path.strip_prefix("docs/").unwrap_or(path)),
            },
        };
        let file = file.to_owned();
        Self { lang, file }
    }

    /// Where it is on the site.
    fn url(&self) -> String {
        let stem = self.file.strip_suffix(".md").unwrap_or(&self.file);
        let stem = match stem.strip_suffix("README") {
            Some(folder) => format!("{folder}index"),
            None => stem.to_owned(),
        };
        format!("{}/{stem}.html", self.lang)
    }
}

/// What the documents of the book lead to.
#[derive(Debug, Default)]
pub struct Site {
    /// Documents in the book, by path in the repository.
    pub pages: BTreeMap<String, Page>,
    /// Files that documents show or offer: to be copied, by path.
    pub files: BTreeSet<String>,
    /// Recordings, by path: each gets a page.
    pub recordings: BTreeSet<String>,
}

impl Site {
    /// Where on the site a path of the repository is; `None`: it is not there.
    fn url(&mut self, path: &str) -> Option<String> {
        if let Some(page) = self.pages.get(path) {
            return Some(page.url());
        }
        if path == "labs" {
            return Some("course/index.html".to_owned());
        }
        if path.ends_with(".bhop") {
            self.recordings.insert(path.to_owned());
            return Some(recorded(path));
        }
        let kept = ["docs/pictures/", "docs/schema/", "docs/fleet/"];
        if kept.iter().any(|folder| path.starts_with(folder)) {
            self.files.insert(path.to_owned());
            return Some(shown(path));
        }
        None
    }

    /// A document's text for the book: links lead to where things are on the site, or are plain text where they
    /// are not.
    pub fn text(&mut self, path: &str, text: &str) -> String {
        let blocks = text.split("```").enumerate();
        let blocks = blocks.map(|(n, block)| match n % 2 {
            0 => self.prose(path, block),
            _ => block.to_owned(),
        });
        blocks.collect::<Vec<_>>().join("```")
    }

    fn prose(&mut self, path: &str, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        loop {
            let starts = [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')];
            let found = starts.iter().filter_map(|(start, end)| {
                let at = rest.find(start)? + start.len();
                Some((at, *end))
            });
            let Some((at, end)) = found.min() else {
                return out + rest;
            };
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = rest.find(end).unwrap_or(rest.len());
            let link = &rest[..length];
            match self.link(path, link) {
                Some(link) => out.push_str(&link),
                None => {
                    unlink(&mut out);
                    rest = &rest[(length + 1).min(rest.len())..];
                    continue;
                }
            }
            rest = &rest[length..];
        }
    }

    /// A link of `path` as it is on the site.
    fn link(&mut self, path: &str, link: &str) -> Option<String> {
        if link.is_empty() || link.contains(':') || link.starts_with('#') {
            return Some(link.to_owned());
        }
        let (target, anchor) = match link.split_once('#') {
            Some((target, anchor)) => (target, format!("#{anchor}")),
            None => (link, String::new()),
        };
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let url = self.url(&resolved(&folder.join(target)))?;
        let from = self.pages.get(path)?.url();
        Some(relative(&from, &url) + &anchor)
    }
}

/// Where the page of a recording is.
pub fn recorded(path: &str) -> String {
    let path = path.strip_suffix(".bhop").unwrap_or(path);
    let words = path
        .split('/')
        .filter(|word| !["recordings", "tests"].contains(word));
    format!("recordings/{}.html", words.collect::<Vec<_>>().join("-"))
}

/// Where a file of `docs` is.
pub fn shown(path: &str) -> String {
    path.replacen("docs/", "files/", 1)
}

/// Makes plain text of the link whose text `out` ends with.
fn unlink(out: &mut String) {
    out.truncate(out.len() - "](".len());
    let mut open = 0;
    let begin = out.char_indices().rev().find(|(_, c)| {
        open += match c {
            '[' => -1,
            ']' => 1,
            _ => 0,
        };
        open < 0
    });
    if let Some((at, _)) = begin {
        out.remove(at);
    }
}

/// Without `..`.
pub fn resolved(path: &Path) -> String {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out.to_string_lossy().into_owned()
}

/// From one page of the site to another.
fn relative(from: &str, to: &str) -> String {
    let up = from.matches('/').count();
    let (from, target) = (from.split('/'), to.split('/'));
    let same = from
        .take(up)
        .zip(target)
        .take_while(|(a, b)| a == b)
        .count();
    let down: Vec<&str> = to.split('/').skip(same).collect();
    "../".repeat(up - same) + &down.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_site() {
        let mut site = Site::default();
        for path in [
            "README.md",
            "docs/top.md",
            "docs/labs/site.md",
            "docs/zh/top.md",
        ] {
            site.pages.insert(path.to_owned(), Page::of(path));
        }
        let text = "[a](../top.md#x) [b](../../README.md) [`c` [d]](../../core/src) [e](http://x) \
                    ```\n[f](../top.md)\n``` [g](../../labs/a/recordings/b.bhop) [h](../../labs)\n\
                    <img src=\"../pictures/p.svg\"> [i](../zh/top.md) [j](#k)";
        let expected = "[a](../top.html#x) [b](../index.html) `c` [d] [e](http://x) \
                        ```\n[f](../top.md)\n``` [g](../../recordings/labs-a-b.html) [h](../../course/index.html)\n\
                        <img src=\"../../files/pictures/p.svg\"> [i](../../zh/top.html) [j](#k)";
        assert_eq!(site.text("docs/labs/site.md", text), expected);
        assert!(site.recordings.contains("labs/a/recordings/b.bhop"));
        assert!(site.files.contains("docs/pictures/p.svg"));
        assert_eq!(site.text("README.md", "[x](docs/top.md)"), "[x](top.html)");
    }
}
