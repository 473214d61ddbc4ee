//! What is in every package, beside the binary.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::archive::gzip;
use crate::command::{cargo, cargo_home, output, run};

pub struct Content {
    /// Of the workspace.
    pub version: String,
    /// By their path below `/usr`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What becomes of a file, by its name and content: another name and content, or nothing.
type Each<'a> = dyn Fn(&str, Vec<u8>) -> Result<Option<(String, Vec<u8>)>> + 'a;

/// Where a shell looks for the completions of packages.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/bytehop"),
    ("zsh", "share/zsh/vendor-completions/_bytehop"),
    ("fish", "share/fish/vendor_completions.d/bytehop.fish"),
];
const DOCS: &str = "share/doc/bytehop";
/// Libraries of the labs' programs: cargo takes them from here (`labs/src/work.rs`).
const VENDOR: &str = "share/bytehop/vendor";
/// What those are, beside what they depend on themselves.
const LIBRARIES: [&str; 2] = ["io-uring", "nix"];

impl Content {
    /// `program`: bytehop, as this machine runs it.
    ///
    /// # Errors
    /// If something is missing or cannot be read.
    pub fn gather(workspace: &Path, program: &Path, epoch: u64) -> Result<Self> {
        let said = output(Command::new(program).arg("--version"))?;
        let version = said.rsplit(' ').next().unwrap_or_default().to_owned();
        let mut content = Self {
            version,
            files: BTreeMap::new(),
        };
        let pages = workspace.join("target/dist/man");
        let _ = fs::remove_dir_all(&pages);
        let mut man = Command::new(program);
        man.args(["man", "--dir"]).arg(&pages);
        run(man.env("SOURCE_DATE_EPOCH", epoch.to_string()))?;
        content.folder(&pages, "share/man/man1", &|name, bytes| {
            Ok(Some((format!("{name}.gz"), gzip(&bytes)?)))
        })?;
        for (shell, path) in COMPLETIONS {
            let mut completions = Command::new(program);
            let script = output(completions.args(["completions", shell]))? + "\n";
            content.files.insert(path.to_owned(), script.into_bytes());
        }
        for name in ["README.md", "README.zh.md"] {
            content.copy(&workspace.join(name), &format!("{DOCS}/{name}"))?;
        }
        let changes = gzip(&fs::read(workspace.join("CHANGELOG.md"))?)?;
        content
            .files
            .insert(format!("{DOCS}/changelog.gz"), changes);
        content
            .files
            .insert(format!("{DOCS}/copyright"), copyright(workspace)?);
        // Pictures are large, and the same on the web.
        content.folder(
            &workspace.join("docs"),
            &format!("{DOCS}/docs"),
            &|name, bytes| Ok(name.ends_with(".md").then(|| (name.to_owned(), bytes))),
        )?;
        content.libraries(workspace)?;
        Ok(content)
    }

    fn copy(&mut self, from: &Path, to: &str) -> Result<()> {
        let bytes = fs::read(from).with_context(|| from.display().to_string())?;
        self.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    /// A folder's files, as `each` wants them.
    fn folder(&mut self, from: &Path, to: &str, each: &Each<'_>) -> Result<()> {
        for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                self.folder(&path, &format!("{to}/{name}"), each)?;
            } else if let Some((name, bytes)) = each(&name, fs::read(&path)?)? {
                self.files.insert(format!("{to}/{name}"), bytes);
            }
        }
        Ok(())
    }

    /// The sources of the labs' libraries, as cargo takes them from a folder: beside each its sum in the
    /// lock file.
    fn libraries(&mut self, workspace: &Path) -> Result<()> {
        let lock = fs::read_to_string(workspace.join("Cargo.lock"))?;
        let mut tree = cargo(workspace);
        tree.args([
            "tree",
            "--locked",
            "--target",
            "all",
            "--edges",
            "normal,build",
        ]);
        tree.args(["--prefix", "none", "--format", "{p}"]);
        let named = LIBRARIES.iter().flat_map(|name| ["--package", name]);
        let listed = output(tree.args(named))?;
        let registries = fs::read_dir(cargo_home().join("registry/src"))?;
        let registries: Vec<_> = registries.flatten().map(|entry| entry.path()).collect();
        for package in listed.lines() {
            let mut words = package.split_whitespace();
            let (Some(name), Some(version)) = (words.next(), words.next()) else {
                continue;
            };
            let folder = format!("{name}-{}", version.trim_start_matches('v'));
            let sum = checksum(&lock, name, version.trim_start_matches('v'))
                .with_context(|| format!("Cargo.lock has no sum for {folder}"))?;
            let source = registries.iter().map(|registry| registry.join(&folder));
            let Some(source) = source.into_iter().find(|path| path.is_dir()) else {
                bail!("the source of {folder} is not there: run `cargo fetch`");
            };
            let to = format!("{VENDOR}/{folder}");
            self.folder(&source, &to, &|name, bytes| {
                // Of cargo's own; and what only its authors run.
                let kept = !name.starts_with('.') && name != "Cargo.lock";
                Ok(kept.then(|| (name.to_owned(), bytes)))
            })?;
            let sums = format!("{{\"files\":{{}},\"package\":\"{sum}\"}}\n");
            self.files
                .insert(format!("{to}/.cargo-checksum.json"), sums.into_bytes());
        }
        Ok(())
    }
}

/// What the lock file says of a package's source.
fn checksum(lock: &str, name: &str, version: &str) -> Option<String> {
    let packages = lock.split("[[package]]");
    let mut wanted = packages.filter(|package| {
        package.contains(&format!("\nname = \"{name}\"\n"))
            && package.contains(&format!("\nversion = \"{version}\"\n"))
    });
    let (_, rest) = wanted.next()?.split_once("\nchecksum = \"")?;
    rest.split_once('"').map(|(sum, _)| sum.to_owned())
}

fn copyright(workspace: &Path) -> Result<Vec<u8>> {
    let mut text = String::from(
        "bytehop: MIT OR Apache-2.0. The sources of libraries below /usr/share/bytehop have their own licences beside them.\n",
    );
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        text += &format!("\n{}", fs::read_to_string(workspace.join(licence))?);
    }
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums_are_those_of_name_and_version() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"x\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\nchecksum = \"y\"\n";
        assert_eq!(super::checksum(lock, "a", "2.0.0").as_deref(), Some("y"));
        assert_eq!(super::checksum(lock, "a", "3.0.0"), None);
    }
}
