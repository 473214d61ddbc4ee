//! The user's own file: where it is, and what of it holds. Read once.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytehop_core::i18n::{Lang, Say};
#[cfg(feature = "capture")]
use tracer::user::Identity;
use tui::config::{Config, SIZE_MAX, Wrong};

/// What the file says, and its path; nothing if there is none.
fn file() -> &'static (PathBuf, Config) {
    static FILE: OnceLock<(PathBuf, Config)> = OnceLock::new();
    FILE.get_or_init(|| read().unwrap_or_default())
}

pub fn config() -> &'static Config {
    &file().1
}

/// The language: what was asked for, else what `BYTEHOP_LANG` says, the file, the locale.
pub fn lang(asked: Option<Lang>) -> Lang {
    Lang::from_env(asked, || config().lang)
}

/// What is wrong with the file, in one line.
pub fn complaint(lang: Lang) -> Option<String> {
    let (path, config) = file();
    config.complaint(&path.display().to_string(), lang)
}

/// Reads it with the rights of whoever runs us, also through sudo. What is no file (a pipe would not end) is not
/// there.
fn read() -> Option<(PathBuf, Config)> {
    #[cfg(feature = "capture")]
    {
        let identity = Identity::invoking().ok()?;
        let path = path(|name| identity.var(name).map(OsString::from))?;
        let text = identity.with_file_rights(|| text(&path));
        whole(path, text)
    }
    #[cfg(not(feature = "capture"))]
    {
        let path = path(|name| std::env::var_os(name))?;
        let text = text(&path);
        whole(path, text)
    }
}

fn whole(path: PathBuf, text: io::Result<Option<Vec<u8>>>) -> Option<(PathBuf, Config)> {
    let config = match text {
        Ok(text) => match String::from_utf8(text?) {
            Ok(text) if text.len() as u64 > SIZE_MAX => Config::unread(Wrong::TooLarge),
            Ok(text) => Config::parse(&text),
            Err(e) => Config::unread(Wrong::Syntax(e.utf8_error().to_string())),
        },
        Err(e) => Config::unread(Wrong::Unreadable {
            en: e.say(Lang::En),
            zh: e.say(Lang::Zh),
        }),
    };
    Some((path, config))
}

/// `None` if it is not there, or in a folder that is not the user's to search: `HOME` may be another user's.
fn text(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    File::open(path)?
        .take(SIZE_MAX + 1)
        .read_to_end(&mut text)?;
    Ok(Some(text))
}

/// `$XDG_CONFIG_HOME/bytehop/config.toml`. As the specification has it, a path that is not absolute is none.
fn path(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = match cfg!(windows) {
        true => folder("APPDATA"),
        false => folder("HOME").map(|home| home.join(".config")),
    };
    let folder = folder("XDG_CONFIG_HOME").or(home)?;
    Some(folder.join("bytehop").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn where_it_is() {
        let at = |set: &[(&str, &str)]| {
            let env = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            path(env).map(|path| path.display().to_string())
        };
        let of_home = Some("/home/ada/.config/bytehop/config.toml".to_owned());
        assert_eq!(at(&[("HOME", "/home/ada")]), of_home);
        let set = [("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "/etc/ada")];
        assert_eq!(at(&set).as_deref(), Some("/etc/ada/bytehop/config.toml"));
        assert_eq!(
            at(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "ada")]),
            of_home
        );
        assert_eq!(
            at(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "")]),
            of_home
        );
        assert_eq!(at(&[]), None);
    }
}
