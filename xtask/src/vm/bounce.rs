//! A second boot, in which devices must bounce (`swiotlb=force`): only for the path that needs it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::kernels::Cpu;
use super::machine::Machine;
use super::matrix::FILE;
use super::quoted;

/// Disks whose drivers use the DMA API (the file system on them must show their number: btrfs does not).
const FOLDERS: &[&str] = &["/vm/nvme-ext4", "/vm/ahci-xfs"];
const FOLDERS_THERE: &[&str] = &["/vm/nvme-ext4"];

pub fn job(cpu: Cpu, bytehop: &Path) -> String {
    let folders = match cpu {
        Cpu::X86_64 => FOLDERS,
        Cpu::Aarch64 => FOLDERS_THERE,
    };
    format!(
        "{} doctor --verify --json --only bounced-read --dir {} >/vm/job/{FILE}\n\
         [ $? -le 1 ]\n",
        quoted(&bytehop.display().to_string()),
        folders.join(" "),
    )
}

/// Boots the machine once more, with bounce buffers, and puts what it found among what it found without.
/// Whether it failed.
///
/// # Errors
/// If the machine can't be had, or its results can't be kept.
pub fn run(machine: &Machine<'_>, job: &str) -> Result<bool> {
    let again = Machine {
        folder: machine.beside("-bounced"),
        boot: "swiotlb=force",
        ..*machine
    };
    let status = again.run(job)?;
    let read = |folder: &Path| -> Result<Value> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    };
    let (Ok(mut all), Ok(new)) = (read(&machine.folder), read(&again.folder)) else {
        return Ok(true);
    };
    merge(&mut all, &new);
    fs::write(machine.folder.join(FILE), serde_json::to_string(&all)?)?;
    Ok(status != Some(0))
}

/// Of each level, results of the same path and folder are replaced, others added.
fn merge(all: &mut Value, new: &Value) {
    for level in all["levels"].as_array_mut().into_iter().flatten() {
        let same = |other: &&Value| other["level"] == level["level"];
        let found = new["levels"]
            .as_array()
            .and_then(|levels| levels.iter().find(same));
        let new = found.and_then(|found| found["paths"].as_array()).cloned();
        let (Some(paths), Some(new)) = (level["paths"].as_array_mut(), new) else {
            continue;
        };
        let key = |result: &Value| (result["path"].clone(), result["directory"].clone());
        for result in new {
            match paths.iter_mut().find(|old| key(old) == key(&result)) {
                Some(old) => *old = result,
                None => paths.push(result),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn results_of_the_same_run_are_replaced() {
        let run =
            |path: &str, exact: bool| json!({ "path": path, "directory": "/d", "exact": exact });
        let all = |paths: Vec<_>| json!({ "levels": [{ "level": "T", "paths": paths }] });
        let mut first = all(vec![run("a", false), run("b", false)]);
        merge(&mut first, &all(vec![run("b", true), run("c", true)]));
        assert_eq!(
            first,
            all(vec![run("a", false), run("b", true), run("c", true)])
        );
    }
}
