//! What would bring the lines that are missing.

use std::fs;
use std::path::Path;

use bytehop_core::modules::{Language, Remedy};

use crate::identity::Identity;

/// Folders that packages install into.
const PACKAGED: [&str; 5] = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/"];
const LISTS: &str = "var/lib/dpkg/info";

/// `root`: of the system that the file is of.
pub fn remedy(path: &Path, identity: &Identity, root: &Path) -> Remedy {
    let text = path.to_string_lossy();
    let packaged =
        PACKAGED.iter().any(|dir| text.starts_with(dir)) && !text.starts_with("/usr/local/");
    if packaged && let Some(package) = package(&text, &root.join(LISTS)) {
        return Remedy::Package(package);
    }
    match identity.language {
        // Go's linker leaves out both together.
        language if identity.symbols || language == Language::Go => Remedy::Build(language),
        language => Remedy::Strip(language),
    }
}

/// Debian's package with the lines of a file.
fn package(path: &str, lists: &Path) -> Option<String> {
    // The same folder under two names.
    let plain = |path: &str| path.strip_prefix("/usr").unwrap_or(path).to_owned();
    let wanted = plain(path);
    let name = wanted.rsplit('/').next()?;
    for entry in fs::read_dir(lists).ok()?.flatten() {
        let list = entry.path();
        if list.extension().is_none_or(|extension| extension != "list") {
            continue;
        }
        let Ok(text) = fs::read_to_string(&list) else {
            continue;
        };
        if text.contains(name) && text.lines().any(|line| plain(line) == wanted) {
            let package = list.file_stem()?.to_string_lossy().into_owned();
            let package = package.split(':').next().unwrap_or_default();
            return Some(match package {
                "libc6" => "libc6-dbg".to_owned(),
                package => format!("{package}-dbgsym"),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do() {
        let root = tempfile::tempdir().expect("a folder");
        let lists = root.path().join(LISTS);
        fs::create_dir_all(&lists).expect("made");
        fs::write(lists.join("nginx-core.list"), "/.\n/usr\n/usr/sbin/nginx\n").expect("written");
        fs::write(
            lists.join("libc6:amd64.list"),
            "/lib/x86_64-linux-gnu/libc.so.6\n",
        )
        .expect("written");
        let gcc = |symbols| Identity {
            symbols,
            language: Language::C,
            ..Identity::default()
        };
        let packages = |name: &str| Remedy::Package(name.to_owned());
        let cases = [
            ("/usr/sbin/nginx", false, packages("nginx-core-dbgsym")),
            (
                "/usr/lib/x86_64-linux-gnu/libc.so.6",
                true,
                packages("libc6-dbg"),
            ),
            ("/usr/sbin/other", false, Remedy::Strip(Language::C)),
            ("/home/me/copy", true, Remedy::Build(Language::C)),
        ];
        for (path, symbols, expected) in cases {
            assert_eq!(
                remedy(Path::new(path), &gcc(symbols), root.path()),
                expected,
                "{path}"
            );
        }
    }
}
