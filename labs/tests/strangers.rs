//! Labs come from strangers, too: what they name stays within their folder and the run's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytehop_core::expr::Expr;
use labs::lab::{Lab, LabError};

type Files = BTreeMap<String, Cow<'static, [u8]>>;

fn first_hops() -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("first-hops");
    let names = ["lab.toml", "guide.en.md", "guide.zh.md", "programs/copy.rs"];
    let read = |name: &str| fs::read(dir.join(name)).expect("read").into();
    names.map(|name| (name.to_owned(), read(name))).into()
}

fn with(from: &str, to: &str) -> Result<Lab, LabError> {
    let mut files = first_hops();
    let text = String::from_utf8(files["lab.toml"].to_vec()).expect("text");
    assert!(text.contains(from), "{from} is not there");
    files.insert(
        "lab.toml".to_owned(),
        text.replace(from, to).into_bytes().into(),
    );
    Lab::new("first-hops", files)
}

#[test]
fn names_lead_nowhere_else() {
    assert!(with("name = \"copy\"", "name = \"copy\"").is_ok());
    let evil = [
        "../../../x",
        "/etc/passwd",
        "..",
        ".",
        ".bashrc",
        "a/b",
        "a\\\\b",
        "",
        " ",
        "-rf",
        "a b",
        "\\u0000",
        "名",
    ];
    for name in evil {
        for what in ["copy", "source"] {
            let from = format!("name = \"{what}\"");
            let wrong = with(&from, &format!("name = \"{name}\"")).err();
            let said = wrong.map(|e| e.to_string()).unwrap_or_default();
            assert!(
                said.contains("no name") || said.contains("lab.toml"),
                "{name:?}: {said:?}"
            );
        }
    }
    assert!(Lab::new("../first-hops", first_hops()).is_err());
}

#[test]
fn links_are_not_followed() {
    for (name, target) in [("guide.en.md", "/etc/passwd"), ("extra", "/etc")] {
        let dir = tempfile::tempdir().expect("a folder");
        let lab = dir.path().join("lab");
        fs::create_dir_all(lab.join("programs")).expect("a folder");
        for (name, bytes) in first_hops() {
            fs::write(lab.join(name), bytes).expect("write");
        }
        assert!(Lab::open(&lab).is_ok());
        let _ = fs::remove_file(lab.join(name));
        symlink(target, lab.join(name)).expect("a link");
        let said = Lab::open(&lab).err().map(|e| e.to_string());
        assert!(
            said.as_deref().is_some_and(|said| said.contains("a link")),
            "{said:?}"
        );
    }
}

#[test]
fn expressions_have_limits() {
    for text in [
        "1+".repeat(100_000) + "1",
        "(".repeat(100_000),
        "not ".repeat(100_000),
    ] {
        assert!(text.parse::<Expr>().is_err());
    }
    assert!("not ".repeat(900).parse::<Expr>().is_err());
    assert!("-".repeat(4000).parse::<Expr>().is_err());
}

/// Texts are read as a whole and shown: they have less room than recordings.
#[test]
fn texts_have_limits() {
    for (name, fits) in [
        ("guide.en.md", false),
        ("programs/copy.rs", false),
        ("recordings/copy.bhop", true),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let lab = dir.path().join("lab");
        for (file, bytes) in first_hops() {
            let path = lab.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("write");
        }
        let path = lab.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let mut text = fs::read(&path).unwrap_or_default();
        text.resize(2 << 20, b' ');
        fs::write(path, text).expect("write");
        assert_eq!(Lab::open(&lab).is_ok(), fits, "{name}");
    }
}
