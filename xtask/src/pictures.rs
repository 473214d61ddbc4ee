//! `cargo xtask pictures`: the pictures of the README and the docs, made by the program itself from
//! recordings.

use std::fs;

use anyhow::{Result, bail};

use crate::command::{cargo, run};
use crate::workspace;

/// Makes the pictures in `docs/pictures`; with `check`, fails if one there is not what would be made.
///
/// # Errors
/// If a picture cannot be made or written, or differs.
pub fn pictures(check: bool) -> Result<()> {
    let folder = workspace().join("docs/pictures");
    let made = match check {
        true => workspace().join("target/pictures"),
        false => folder.clone(),
    };
    fs::create_dir_all(&made)?;
    let mut command = cargo(&workspace());
    command
        .args(["run", "--quiet", "-p", "tui", "--example", "pictures", "--"])
        .arg(&made);
    run(&mut command)?;
    for entry in fs::read_dir(&made)? {
        let name = entry?.file_name();
        if check && fs::read(made.join(&name))? != fs::read(folder.join(&name)).unwrap_or_default()
        {
            bail!(
                "docs/pictures/{} is old: run `cargo xtask pictures`",
                name.display()
            );
        }
    }
    Ok(())
}
