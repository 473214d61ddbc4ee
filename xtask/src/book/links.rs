//! Links of the finished site: each leads to a file of it, and to what has that name there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What one page has and wants.
#[derive(Default)]
struct Html {
    names: BTreeSet<String>,
    links: Vec<String>,
    /// Of them, what a browser loads by itself.
    loads: usize,
}

/// The values of an attribute, wherever it stands in a tag.
fn values<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let found = text.split(start).skip(1);
    found.filter_map(|rest| rest.split_once('"').map(|(value, _)| value))
}

fn parse(text: &str) -> Html {
    // What scripts write is not there yet.
    let pieces = text.split("<script").enumerate();
    let pieces = pieces.map(|(n, piece)| match piece.split_once("</script>") {
        Some((script, after)) if n > 0 => script.split('>').next().unwrap_or("").to_owned() + after,
        _ => piece.to_owned(),
    });
    let text: String = pieces.collect();
    let loads = [" src=\"", " srcset=\""];
    let mut links: Vec<String> = loads
        .iter()
        .flat_map(|start| values(&text, start))
        .map(decoded)
        .collect();
    let heads = text.split("<link ").skip(1);
    let heads = heads.filter_map(|head| values(head.split('>').next()?, "href=\"").next());
    links.extend(heads.map(decoded));
    let loads = links.len();
    links.extend(values(&text, " href=\"").map(decoded));
    Html {
        names: values(&text, " id=\"").map(decoded).collect(),
        links,
        loads,
    }
}

/// As the browser reads a link: `%E4` and `&amp;` are characters.
fn decoded(link: &str) -> String {
    let link = link.replace("&amp;", "&").replace("&quot;", "\"");
    let mut bytes = Vec::new();
    let mut rest = link.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let hex = hex.and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Every file below `folder`.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What is wrong with links of the site, and how many there are. What it loads from elsewhere is wrong, too.
///
/// # Errors
/// If a page cannot be read.
pub fn check(site: &Path) -> Result<(usize, Vec<String>)> {
    let mut pages: BTreeMap<PathBuf, Html> = BTreeMap::new();
    for path in files(site)? {
        if path.extension().is_some_and(|end| end == "html") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            pages.insert(path, parse(&text));
        }
    }
    let (mut all, mut wrong) = (0, Vec::new());
    for (path, page) in &pages {
        let name = path.strip_prefix(site).unwrap_or(path).display();
        for (n, link) in page.links.iter().enumerate() {
            let elsewhere = ["http:", "https:", "mailto:", "data:", "//"];
            if elsewhere.iter().any(|start| link.starts_with(start)) {
                if n < page.loads && !link.starts_with("data:") {
                    wrong.push(format!("{name}: loads {link}"));
                }
                continue;
            }
            all += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = file.split('?').next().unwrap_or(file);
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap_or(site).join(file),
            };
            let known = fs::canonicalize(&target)
                .ok()
                .filter(|target| target.is_file());
            let there = match (&known, anchor) {
                (None, _) => false,
                (Some(_), "") => true,
                (Some(target), anchor) => {
                    pages.get(target).is_none_or(|p| p.names.contains(anchor))
                }
            };
            if !there {
                wrong.push(format!("{name}: {link}"));
            }
        }
    }
    Ok((all, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found() {
        let dir = std::env::temp_dir().join(format!("bytehop-links-{}", std::process::id()));
        fs::create_dir_all(dir.join("a")).unwrap();
        let site = fs::canonicalize(&dir).unwrap();
        let one = "<h1 id=\"内核\">x</h1><a href=\"two.html#%E5%86%85\">y</a><a href=\"#内核\">z</a>\
                   <script src=\"gone.js\">'<a href=\"no.html\">'</script><a href=\"../a\">folder</a>\
                   <img src=\"https://x/y.png\">";
        fs::write(site.join("a/one.html"), one).unwrap();
        fs::write(
            site.join("a/two.html"),
            "<a href=\"one.html#内核\" id=\"内\">w</a>",
        )
        .unwrap();
        let (all, wrong) = check(&site).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(all, 5);
        assert_eq!(
            wrong,
            [
                "a/one.html: gone.js",
                "a/one.html: loads https://x/y.png",
                "a/one.html: ../a"
            ]
        );
    }
}
