//! Handouts, in a real browser.

use std::path::Path;
use std::process::Command;

use crate::{chosen, not_run, unprivileged};

/// Debian's and Ubuntu's names for it.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Added to a copy of the page: what the browser made of it, as a line of the document.
const PROBE: &str = "<script>
addEventListener('load', () => {
  const all = s => [...document.querySelectorAll(s)];
  const wide = all('svg').every(s => s.getBoundingClientRect().width > 200);
  const shapes = all('svg').every(s => s.querySelectorAll('path, rect, line, polygon').length > 10);
  const out = document.createElement('p');
  out.textContent = ['PROBE', all('h2').length, all('svg').length, wide, shapes,
    document.documentElement.scrollWidth <= innerWidth, all('script, link, img, iframe').length - 1].join(' ');
  document.body.append(out);
});
</script>";

#[test]
fn handouts_in_a_browser() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut pages = Vec::new();
    let mut found = Vec::new();
    for lab in chosen() {
        for lang in ["en", "zh"] {
            let args = [
                "lab",
                "export",
                &lab.id,
                "--lang",
                lang,
                "--solutions",
                "-o",
                "out",
            ];
            let (code, said) = unprivileged(dir.path(), &args);
            assert_eq!(code, 0, "{said}");
            let page = dir
                .path()
                .join("out")
                .join(format!("{}.{lang}.html", lab.id));
            let text = std::fs::read_to_string(&page).expect("the page");
            let markdown =
                std::fs::read_to_string(page.with_extension("md")).expect("the Markdown");
            // Nothing from outside; links are only followed by people.
            for bad in ["src=", "@import", "url(http", "<script"] {
                if text.contains(bad) {
                    found.push(format!("{} ({lang}): {bad} in the page", lab.id));
                }
            }
            for program in &lab.spec.programs {
                let picture = format!("{}.{lang}-{}.svg", lab.id, program.name);
                if !markdown.contains(&picture) || !dir.path().join("out").join(&picture).exists() {
                    found.push(format!("{} ({lang}): no picture {picture}", lab.id));
                }
            }
            let pictures = lab.spec.programs.len() + usize::from(lab.spec.chart.is_some());
            pages.push((lab.id.clone(), pictures, page));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));

    let Some(browser) = BROWSERS.iter().find(|name| is_there(name)) else {
        return not_run("handouts in a browser", "there is no chromium");
    };
    for (id, pictures, page) in pages {
        let text = std::fs::read_to_string(&page).expect("the page");
        std::fs::write(&page, text.replace("</body>", &format!("{PROBE}</body>"))).expect("write");
        let dom = dom(browser, dir.path(), &page);
        let probe = dom
            .split("PROBE ")
            .nth(1)
            .and_then(|rest| rest.split('<').next());
        let expected = format!("5 {pictures} true true true 0");
        if probe != Some(expected.as_str()) {
            found.push(format!(
                "{id}: {}: {probe:?}, expected {expected}",
                page.display()
            ));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

fn dom(browser: &str, dir: &Path, page: &Path) -> String {
    let output = Command::new("timeout")
        .args([
            "60",
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args(["--window-size=1000,1400", "--disable-background-networking"])
        .arg(format!("--user-data-dir={}", dir.join("browser").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
