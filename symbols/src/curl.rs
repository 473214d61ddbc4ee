//! What is not plain HTTP is fetched by curl, where that is installed: no TLS of our own, and the proxies and
//! certificates that the system is set up for.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use bytehop_core::modules::Why;

use crate::http::{Limits, No};

/// What curl says by its exit status (curl(1), EXIT CODES).
const LATE: i32 = 28;
const TOO_LARGE: i32 = 63;

pub fn fetch(url: &str, limits: Limits, to: &Path) -> Result<(), No> {
    if !url.starts_with("https://") {
        return Err((Why::Failed, "http://, https://".to_owned()));
    }
    let seconds = limits.left()?.as_secs().max(1).to_string();
    let bytes = limits.bytes.to_string();
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--location",
        "--proto",
        "=http,https",
    ]);
    curl.args([
        "--max-redirs",
        "5",
        "--max-time",
        &seconds,
        "--max-filesize",
        &bytes,
    ]);
    curl.args(["--write-out", "%{http_code}", "--output"]);
    curl.arg(to).arg("--").arg(url).stdin(Stdio::null());
    let output = curl.output().map_err(|e| match e.kind() {
        ErrorKind::NotFound => (Why::Failed, "https: curl is not installed".to_owned()),
        _ => (Why::Failed, format!("curl: {e}")),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let status = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(match (output.status.code(), status.trim()) {
        (_, "404") => (Why::NotServed, String::new()),
        (Some(LATE), _) => (Why::Late, String::new()),
        (Some(TOO_LARGE), _) => (Why::TooLarge, String::new()),
        _ => (Why::Failed, said),
    })
}
