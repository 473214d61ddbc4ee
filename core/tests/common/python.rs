//! Python with packages that read what we write; `cargo xtask setup` brings it.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// A test that cannot run here, and why.
pub fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
    if let Some(log) = std::env::var_os("BYTEHOP_NOT_RUN") {
        let log = std::fs::File::options().append(true).open(log);
        writeln!(log.expect("the log of tests that did not run"), "{why}").expect("written");
    }
}

/// Runs a script of the tests over what is in `folder`; says so loudly where `modules` are missing.
pub fn python(script: &str, modules: &[&str], folder: &Path) {
    let python = std::env::var("BYTEHOP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = format!("import {}", modules.join(", "));
    let have = Command::new(&python).args(["-c", &import]).output();
    if !have.is_ok_and(|out| out.status.success()) {
        let name = Path::new(script).file_name().unwrap_or_default();
        let why = format!(
            "{}: python3 lacks {} (`cargo xtask setup`)",
            name.display(),
            modules.join(", ")
        );
        return not_run(&why);
    }
    let out = Command::new(&python)
        .arg(script)
        .arg(folder)
        .output()
        .expect("python3 runs");
    assert!(
        out.status.success(),
        "{script}:\n{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}
