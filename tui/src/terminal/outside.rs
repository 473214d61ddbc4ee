//! What the screens ask of the world around the terminal: its clipboard, an editor.

use std::io::{self, Write, stdout};
use std::path::Path;
use std::process::{Command, ExitStatus};

use bytehop_core::base64::base64;
use bytehop_core::i18n::{Lang, Say};
use bytehop_core::units;

use super::Screen;
use crate::words;

/// Bytes that go to the clipboard at most: terminals drop sequences that are too long for them, whole.
pub const COPY_MAX: usize = 16 << 10;

/// Sends a text to the terminal's clipboard; what to say of it. Nothing tells whether the terminal took it.
///
/// # Errors
/// If the terminal takes nothing.
pub fn copy(text: &str, lang: Lang) -> io::Result<String> {
    let cut = &text[..text.floor_char_boundary(COPY_MAX)];
    let mut out = stdout().lock();
    write!(out, "\x1b]52;c;{}\x07", base64(cut.as_bytes()))?;
    out.flush()?;
    let bytes = units::bytes(cut.len() as u64);
    Ok(match cut.len() == text.len() {
        true => words::copied(lang, bytes),
        false => words::copied_cut(lang, bytes),
    })
}

/// The user's editor.
#[derive(Clone, Debug)]
pub struct Editor {
    /// As `VISUAL` or `EDITOR` has it, which may have arguments.
    pub named: String,
    /// Makes a command that runs a program as the user.
    pub command: fn(&str) -> io::Result<Command>,
}

impl Editor {
    /// Of the environment, as whoever we run as.
    pub fn from_env() -> Option<Self> {
        let env = |name: &str| std::env::var(name).ok();
        Self::choose(env, |program| Ok(Command::new(program)))
    }

    /// Of an environment: what `VISUAL` names, else `EDITOR`.
    pub fn choose(
        env: impl Fn(&str) -> Option<String>,
        command: fn(&str) -> io::Result<Command>,
    ) -> Option<Self> {
        let set = |name| env(name).filter(|named| !named.is_empty());
        let named = set("VISUAL").or_else(|| set("EDITOR"))?;
        Some(Self { named, command })
    }

    /// How to open a file at a line with it.
    fn open(&self, file: &str, line: u32) -> io::Result<Command> {
        let mut words = self.named.split_whitespace();
        let program = words.next().unwrap_or_default();
        let arguments = arguments(program, file, line);
        // As shells do: the variable may quote.
        if cfg!(unix) {
            let mut command = (self.command)("sh")?;
            let script = format!("{} \"$@\"", self.named);
            command.args(["-c", &script, "sh"]).args(arguments);
            return Ok(command);
        }
        let mut command = (self.command)(program)?;
        command.args(words).args(arguments);
        Ok(command)
    }
}

/// What editors are told a line by. The usual way is that of vi.
fn arguments(program: &str, file: &str, line: u32) -> Vec<String> {
    // What a recording calls a file must not be an option.
    let file = match Path::new(file).is_absolute() {
        true => file.to_owned(),
        false => format!("./{file}"),
    };
    let name = Path::new(program).file_stem().unwrap_or_default();
    match name.to_string_lossy().as_ref() {
        "code" | "code-insiders" | "codium" | "cursor" => {
            vec!["-g".to_owned(), format!("{file}:{line}")]
        }
        "hx" | "helix" | "subl" | "zed" | "zeditor" => vec![format!("{file}:{line}")],
        "kate" | "idea" | "clion" | "rustrover" => {
            vec!["--line".to_owned(), line.to_string(), file]
        }
        _ => vec![format!("+{line}"), file],
    }
}

/// Gives the terminal to the editor until it ends; what went wrong.
///
/// # Errors
/// If the terminal cannot be taken again.
pub fn edit(
    screen: &mut Screen,
    editor: Option<&Editor>,
    (file, line): (&str, u32),
    lang: Lang,
) -> io::Result<Option<String>> {
    if !Path::new(file).is_file() {
        return Ok(Some(words::no_such_source(lang, file)));
    }
    let Some(editor) = editor else {
        return Ok(Some(words::no_editor(lang, file, line)));
    };
    let ended = screen.lend(|| editor.open(file, line)?.status())?;
    let why = match ended {
        Ok(status) if status.success() => return Ok(None),
        Ok(status) => failure(status, lang),
        Err(e) => e.say(lang),
    };
    Ok(Some(words::editor_failed(lang, &editor.named, why)))
}

fn failure(status: ExitStatus, lang: Lang) -> String {
    match status.code() {
        Some(code) => words::editor_status(lang, code),
        None => words::editor_killed(lang).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_editors_take_them() {
        for (program, expected) in [
            ("vi", vec!["+7", "/a b.c"]),
            ("/usr/bin/nano", vec!["+7", "/a b.c"]),
            ("code", vec!["-g", "/a b.c:7"]),
            ("/opt/hx", vec!["/a b.c:7"]),
            ("kate", vec!["--line", "7", "/a b.c"]),
            ("", vec!["+7", "/a b.c"]),
        ] {
            assert_eq!(arguments(program, "/a b.c", 7), expected, "{program}");
        }
        assert_eq!(arguments("vi", "-c!sh", 1), ["+1", "./-c!sh"]);
    }
}
