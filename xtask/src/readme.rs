//! `cargo xtask readme`: puts what the quoted commands really print into the READMEs.
//!
//! A block to fill looks like this; everything between the two comments is replaced:
//!
//! ````text
//! <!-- output of: bytehop run --no-tui -- cat README.md -->
//! ```text
//! ```
//! <!-- end of output -->
//! ````

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, output};
use crate::workspace;

const FILES: &[&str] = &["README.md", "README.zh.md"];
const BEGIN: &str = "<!-- output of: ";
const CLOSE: &str = " -->\n";
const END: &str = "<!-- end of output -->";

/// Refreshes every block.
///
/// # Errors
/// If a command fails, or a file's comments do not pair.
pub fn refresh() -> Result<()> {
    let workspace = workspace();
    output(cargo(&workspace).args(["build", "--quiet", "--release"]))?;
    let bytehop = workspace.join("target/release/bytehop");
    for name in FILES {
        let path = workspace.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let filled = fill(&text, |words| {
            let Some(("bytehop", arguments)) = words.split_once(' ') else {
                bail!("{name}: not a bytehop command: {words}");
            };
            // The summary of `run` goes to standard error: both streams, as in a terminal.
            let script = format!("exec \"$0\" {arguments} 2>&1");
            output(
                Command::new("sh")
                    .args(["-c", &script])
                    .arg(&bytehop)
                    .current_dir(&workspace),
            )
        })?;
        fs::write(&path, filled).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// `text` with each marked block replaced by what `run` gives for its command.
fn fill(text: &str, run: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (command, block) = block
            .split_once(CLOSE)
            .context("unclosed `output of` comment")?;
        let (_, after) = block
            .split_once(END)
            .with_context(|| format!("no `end of output` after {command}"))?;
        filled += &format!(
            "{before}{BEGIN}{command}{CLOSE}```text\n{}\n```\n{END}",
            run(command)?
        );
        rest = after;
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn blocks_are_replaced_and_the_rest_is_kept() {
        let text = "a\n<!-- output of: bytehop x -->\nold\n<!-- end of output -->\nb\n";
        let filled = fill(text, |command| Ok(format!("<{command}>"))).unwrap();
        let want = "a\n<!-- output of: bytehop x -->\n```text\n<bytehop x>\n```\n<!-- end of output -->\nb\n";
        assert_eq!(filled, want);
        assert_eq!(
            fill(&filled, |command| Ok(format!("<{command}>"))).unwrap(),
            want
        );
    }

    #[test]
    fn a_block_without_end_is_an_error() {
        assert!(fill("<!-- output of: bytehop x -->\n", |_| Ok(String::new())).is_err());
    }
}
