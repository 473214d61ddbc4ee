//! `cargo xtask circles`: data flows down only. No module uses one that uses it, however far around,
//! and neither does a crate.
//!
//! What counts: beside each other, modules (each with all that lies in it) form no circle. So `app` and
//! `view` do if `app` uses `view::sight` and `view::calls` uses `app`. A module and what lies in it are
//! one subject: a child may use its parent's items, and the parent its children.
//!
//! A module uses another if its code names an item that is defined there, however often that item is
//! passed on by `pub use` on the way. What is built for tests alone does not count.

mod modules;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{cargo, output};
use modules::{Modules, ROOT};

/// Every circle, a line each: none between the modules of any crate, nor between crates, is well.
///
/// # Errors
/// If the workspace can't be read.
pub fn find(workspace: &Path) -> Result<Vec<String>> {
    let mut command = cargo(workspace);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut command)?)?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("cargo's metadata has no packages")?;
    let mut found = between_crates(packages);
    for package in packages {
        for (name, root) in roots(package) {
            found.extend(within(&name, &root, workspace)?);
        }
    }
    Ok(found)
}

/// The library and the programs of a package, by name and root file.
fn roots(package: &Value) -> Vec<(String, PathBuf)> {
    let targets = package["targets"].as_array().into_iter().flatten();
    let name = package["name"].as_str().unwrap_or_default();
    targets
        .filter_map(|target| {
            let kind = target["kind"][0].as_str()?;
            let path = target["src_path"].as_str()?;
            matches!(kind, "lib" | "bin" | "cdylib" | "rlib").then(|| {
                let name = match kind {
                    "bin" if path.ends_with("src/main.rs") => format!("{name} (program)"),
                    _ => target["name"].as_str().unwrap_or(name).to_owned(),
                };
                (name, PathBuf::from(path))
            })
        })
        .collect()
}

/// cargo itself allows a circle where one of the dependencies is of the tests.
fn between_crates(packages: &[Value]) -> Vec<String> {
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut edges = Edges::new();
    for (from, package) in packages.iter().enumerate() {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = names.iter().position(|name| dependency["name"] == **name);
            if let Some(to) = to {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    circles(&edges)
        .iter()
        .map(|circle| {
            let names: Vec<&str> = circle.iter().map(|at| names[*at]).collect();
            format!("crates: {}", around(&names))
        })
        .collect()
}

fn within(name: &str, root: &Path, workspace: &Path) -> Result<Vec<String>> {
    let modules = Modules::read(root)?;
    let names: BTreeSet<String> = modules.files.iter().map(|file| file.name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut edges = Edges::new();
    let mut places = BTreeMap::new();
    for (from, tos) in modules.uses() {
        for (to, line) in tos {
            let [file, other] = [from, to].map(|at| &modules.files[at]);
            let Some(beside) = beside(&file.name, &other.name) else {
                continue;
            };
            let [a, b] = beside.map(|name| names.partition_point(|other| other.as_str() < name));
            let path = file.path.strip_prefix(workspace).unwrap_or(&file.path);
            edges.entry(a).or_default().insert(b);
            let place = places.entry((a, b));
            place.or_insert_with(|| format!("{}:{line}", path.display()));
        }
    }
    let line = |circle: &Vec<usize>| {
        let modules: Vec<&str> = circle.iter().map(|at| names[*at].as_str()).collect();
        let next = circle.iter().skip(1).chain(circle.first());
        let steps = circle.iter().copied().zip(next.copied());
        let places: Vec<&str> = steps.map(|step| places[&step].as_str()).collect();
        format!("{name}: {}   ({})", around(&modules), places.join(", "))
    };
    Ok(circles(&edges).iter().map(line).collect())
}

/// The modules beside each other that two modules lie in, or are. None if one lies in the other.
fn beside<'a>(a: &'a str, b: &'a str) -> Option<[&'a str; 2]> {
    if a == ROOT || b == ROOT {
        return None;
    }
    let differ = a.split("::").zip(b.split("::")).position(|(a, b)| a != b)?;
    let up_to = |name: &'a str| match name.match_indices("::").nth(differ) {
        Some((end, _)) => &name[..end],
        None => name,
    };
    Some([up_to(a), up_to(b)])
}

fn around(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.extend(names.first().copied());
    names.join(" → ")
}

type Edges = BTreeMap<usize, BTreeSet<usize>>;

/// Circles, the shortest first, no edge in two of them: with one edge gone, others often are too.
fn circles(edges: &Edges) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    for (from, tos) in edges {
        all.extend(tos.iter().filter_map(|to| way(edges, *to, *from)));
    }
    all.sort_by_key(Vec::len);
    let mut named = BTreeSet::new();
    all.retain(|circle| {
        let next = circle.iter().skip(1).chain(circle.first());
        let own: Vec<(usize, usize)> = circle.iter().copied().zip(next.copied()).collect();
        let new = !own.iter().any(|edge| named.contains(edge));
        if new {
            named.extend(own);
        }
        new
    });
    all
}

/// The shortest way round over an edge to `from`, which begins with that edge's own end, `to`.
fn way(edges: &Edges, from: usize, to: usize) -> Option<Vec<usize>> {
    let mut before = BTreeMap::from([(from, None)]);
    let mut next = VecDeque::from([from]);
    while let Some(at) = next.pop_front() {
        if at == to {
            let mut way: Vec<usize> =
                std::iter::successors(Some(at), |at| before.get(at).copied().flatten()).collect();
            way.reverse();
            way.rotate_right(1);
            return Some(way);
        }
        for onward in edges.get(&at).into_iter().flatten() {
            before.entry(*onward).or_insert_with(|| {
                next.push_back(*onward);
                Some(at)
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The circles of a crate of these files.
    fn of(name: &str, files: &[(&str, &str)]) -> Vec<String> {
        let dir = std::env::temp_dir().join(format!("circles-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = within("x", &dir.join("lib.rs"), &dir).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        found
    }

    #[test]
    fn siblings_that_use_each_other() {
        let found = of(
            "siblings",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;\npub struct A;"),
                ("b.rs", "pub struct B;\nfn f() { super::a::A; }"),
            ],
        );
        assert_eq!(found, ["x: a → b → a   (a.rs:1, b.rs:2)"]);
    }

    #[test]
    fn what_is_passed_on_is_where_it_is_defined() {
        let found = of(
            "passed-on",
            &[
                ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;"),
                ("a.rs", "use crate::B; pub struct A;"),
                ("b.rs", "use crate::{self as all}; pub struct B(all::A);"),
            ],
        );
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_module_and_what_lies_in_it_are_one_subject() {
        let parent = "mod child; pub struct Item; fn f() -> child::Child {}";
        let child = "use super::Item; pub struct Child(Item);";
        let files = [
            ("lib.rs", "mod a;"),
            ("a.rs", parent),
            ("a/child.rs", child),
        ];
        assert_eq!(of("parent", &files), [""; 0]);
        let child = "use crate::b::B; pub struct Child(B);";
        let b = "use crate::a::Item; pub struct B(Item);";
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", parent),
            ("a/child.rs", child),
            ("b.rs", b),
        ];
        assert_eq!(
            of("outside", &files),
            ["x: a → b → a   (a/child.rs:1, b.rs:1)"]
        );
    }

    #[test]
    fn tests_and_inline_modules_close_no_circle() {
        let found = of(
            "tests",
            &[
                ("lib.rs", "mod a; mod b; mod c { pub use crate::a::A; }"),
                (
                    "a.rs",
                    "pub struct A; #[cfg(test)] mod tests { use crate::b::B; fn f() { B } }\n#[cfg(test)] use crate::b::{B}; fn g() {}",
                ),
                ("b.rs", "use crate::c::A; pub struct B(A);"),
            ],
        );
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn around_three() {
        let edges = [(0, vec![1]), (1, vec![2, 3]), (2, vec![0])];
        let edges = edges.map(|(from, to)| (from, to.into_iter().collect()));
        assert_eq!(circles(&Edges::from(edges)), [[0, 1, 2]]);
    }
}
