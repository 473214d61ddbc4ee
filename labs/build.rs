//! Makes the table of the bundled labs' files: a program that is installed needs no others.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&root);
    println!("cargo:rerun-if-changed={}", root.display());
    let mut table = String::from("pub static BUNDLE: &[(&str, &str, &[u8])] = &[\n");
    for dir in sorted(root)? {
        let path = root.join(&dir);
        if path.join("lab.toml").is_file() {
            add(&path, &dir, "", &mut table)?;
        }
    }
    table.push_str("];\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let out = Path::new(&out);
    fs::write(out.join("bundle.rs"), table)?;
    // What programs are built with.
    let mut table = String::from("pub static SUPPORT: &[(&str, &str)] = &[\n");
    let support = root.join("support");
    for name in ["Cargo.toml".to_owned()].into_iter().chain(
        sorted(&support.join("src"))?
            .into_iter()
            .map(|name| format!("src/{name}")),
    ) {
        let path = support.join(&name);
        writeln!(table, "    ({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("];\npub static C_SUPPORT: &[(&str, &str)] = &[\n");
    for name in sorted(&support.join("c"))? {
        let path = support.join("c").join(&name);
        writeln!(table, "    ({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("support.rs"), table)
}

fn add(dir: &Path, id: &str, prefix: &str, table: &mut String) -> io::Result<()> {
    for name in sorted(dir)? {
        let path = dir.join(&name);
        if path.is_dir() {
            add(&path, id, &format!("{prefix}{name}/"), table)?;
        } else {
            writeln!(
                table,
                "    ({id:?}, \"{prefix}{name}\", include_bytes!({path:?})),"
            )
            .map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Names in a folder, in order, without hidden files.
fn sorted(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
