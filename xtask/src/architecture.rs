//! ARCHITECTURE.md against the workspace: its picture is the crate graph, and its code map names modules
//! that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::command::{cargo, output};
use crate::workspace;

/// Crates that nothing depends on, and that depend on none: they stand in the table alone.
const APART: [&str; 3] = ["bytehop-fixture", "support", "xtask"];

fn document() -> String {
    let path = workspace().join("ARCHITECTURE.md");
    std::fs::read_to_string(path).expect("ARCHITECTURE.md")
}

/// A package's name in the picture.
fn short(name: &str) -> &str {
    match name {
        "bytehop" => name,
        name => name.trim_start_matches("bytehop-"),
    }
}

/// Which of our crates each uses, by cargo.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let mut command = cargo(&workspace());
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value =
        serde_json::from_str(&output(&mut command).expect("metadata")).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |package: &Value| package["name"].as_str().expect("a name").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let mut graph = BTreeMap::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let uses = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(name)
            .filter(|dependency| ours.contains(dependency))
            .map(|dependency| short(&dependency).to_owned());
        graph.insert(short(&name(package)).to_owned(), uses.collect());
    }
    graph
}

#[test]
fn the_picture_is_the_crate_graph() {
    let document = document();
    let picture = document.split("```").nth(1).expect("a picture");
    let mut drawn = BTreeMap::new();
    for line in picture.lines() {
        let Some((from, to)) = line.split_once("─►") else {
            continue;
        };
        let from = from.trim_start_matches([' ', '│', '├', '└', '─']);
        let from = from.split(' ').next().expect("a crate");
        let to = to.split("  ").next().unwrap_or_default();
        let to = to.split(',').map(|name| name.trim().to_owned());
        drawn.insert(from.to_owned(), to.collect::<BTreeSet<_>>());
    }
    let mut graph = graph();
    for name in APART {
        let uses = graph.remove(short(name)).expect("a crate");
        assert!(uses.is_empty(), "{name} uses {uses:?}");
    }
    graph.retain(|_, uses| !uses.is_empty());
    assert_eq!(drawn, graph);
}

/// The modules at the top of a library.
fn modules(root: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root).expect("a library");
    let names = text.lines().filter_map(|line| {
        let line = line
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    names.map(str::to_owned).collect()
}

#[test]
fn the_code_map_names_modules_that_there_are() {
    let document = document();
    let map = document.split("## Code map").nth(1).expect("a code map");
    let map = map.split("\n## ").next().expect("its end");
    let mut found = Vec::new();
    for section in map.split("\n### ").skip(1) {
        let Some(name) = section
            .strip_prefix('`')
            .and_then(|rest| rest.split('`').next())
        else {
            continue;
        };
        let source = workspace().join(name).join("src");
        let modules = modules(&source.join("lib.rs"));
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells = rows.filter_map(|row| row.split('|').next());
        let named: BTreeSet<&str> = cells
            .flat_map(|cell| cell.split('`').step_by(2))
            .filter(|name| !name.trim().is_empty() && !name.starts_with([',', ' ']))
            .collect();
        if named.is_empty() {
            continue;
        }
        for module in &named {
            let path = source.join(module.replace("::", "/"));
            // The eBPF programs lie beside their library.
            if !path.with_extension("rs").is_file() && !path.is_dir() {
                found.push(format!("{name}: there is no {module}"));
            }
        }
        if matches!(name, "core" | "tracer" | "tui" | "labs") {
            let whole: BTreeSet<&str> = named.iter().filter_map(|m| m.split("::").next()).collect();
            for module in modules
                .iter()
                .filter(|module| !whole.contains(module.as_str()))
            {
                found.push(format!("{name}: {module} is not in the map"));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
