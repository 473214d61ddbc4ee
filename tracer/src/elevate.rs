//! `--elevate`: start again through sudo. The traced command still runs as the user, who is found
//! again by [`Identity::invoking`](crate::user::Identity::invoking).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd;
use thiserror::Error;

/// The option that is left out the second time.
const OPTION: &str = "--elevate";

/// For all of them the exit status is 3.
#[derive(Debug, Error)]
pub enum ElevateError {
    NoSudo,
    Sudo(#[source] io::Error),
    Own(#[source] io::Error),
}

bytehop_core::says! { ElevateError, lang:
    Self::NoSudo =>
        "--elevate needs sudo, which is not installed: start bytehop as root, or let root run `bytehop setup --group GROUP` once"
        | "--elevate 需要 sudo，但没有安装：请以 root 启动 bytehop，或由 root 执行一次 `bytehop setup --group GROUP`";
    Self::Sudo(e) => "cannot start sudo: {why}" | "无法启动 sudo：{why}", why = e.say(lang);
    Self::Own(e) => "cannot find bytehop's own file: {why}" | "找不到 bytehop 自己的文件：{why}", why = e.say(lang);
}

/// Replaces this process by sudo running the same command line. Returns only if there is nothing to
/// do (we are root) or on failure.
///
/// Descriptors, directory and terminal are kept; the environment is found again in sudo's own.
pub fn elevate() -> Result<(), ElevateError> {
    if unistd::geteuid().is_root() {
        return Ok(());
    }
    let exe = std::env::current_exe().map_err(ElevateError::Own)?;
    let error = Command::new("sudo")
        .arg("--")
        .arg(exe)
        .args(without_option(std::env::args_os().skip(1)))
        .exec();
    Err(match error.kind() {
        io::ErrorKind::NotFound => ElevateError::NoSudo,
        _ => ElevateError::Sudo(error),
    })
}

/// The first `--elevate` is ours; what stands after `--` belongs to the traced command.
fn without_option(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let ours = args.iter().take_while(|arg| *arg != OsStr::new("--"));
    if let Some(at) = ours.into_iter().position(|arg| arg == OPTION) {
        args.remove(at);
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_option_is_left_out() {
        let rest = |line: &str| {
            let args = without_option(line.split(' ').map(OsString::from));
            args.join(OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(rest("run --elevate -- x"), "run -- x");
        assert_eq!(rest("run --elevate -- x --elevate"), "run -- x --elevate");
        assert_eq!(rest("run -- x --elevate"), "run -- x --elevate");
        assert_eq!(rest("run -o f -- x"), "run -o f -- x");
    }
}
