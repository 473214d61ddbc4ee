//! Addresses in the words of the source: functions, files, lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use bytehop_core::event::{Frame, Source};

use super::unwind::Place;

/// Debug information of the files met so far.
#[derive(Default)]
pub struct Files {
    loaded: HashMap<PathBuf, Option<Loader>>,
}

impl Files {
    /// A stack's frames, those that the compiler has inlined among them.
    pub fn source(&mut self, id: u64, places: &[Place]) -> Source {
        let mut frames = Vec::new();
        for place in places {
            self.frames(place, &mut frames);
        }
        let own = frames.iter().position(|frame| is_own(frame, true));
        let own = own.or_else(|| frames.iter().position(|frame| is_own(frame, false)));
        Source { id, frames, own }
    }

    fn frames(&mut self, place: &Place, out: &mut Vec<Frame>) {
        let module = place.path.display().to_string();
        let loader = self.loaded.entry(place.path.clone());
        let loader = loader.or_insert_with(|| Loader::new(&place.path).ok());
        let before = out.len();
        if let Some(loader) = loader
            && let Ok(mut frames) = loader.find_frames(place.address)
        {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref();
                let function = name.and_then(|name| Some(name.demangle().ok()?.into_owned()));
                let at = frame.location;
                out.push(Frame {
                    function: function.unwrap_or_default(),
                    file: at
                        .as_ref()
                        .and_then(|at| at.file)
                        .unwrap_or_default()
                        .to_owned(),
                    line: at.and_then(|at| at.line).unwrap_or_default(),
                    module: module.clone(),
                });
            }
        }
        if out.len() == before {
            let symbol = loader
                .as_ref()
                .and_then(|loader| loader.find_symbol(place.address));
            out.push(Frame {
                function: symbol.unwrap_or_default().to_owned(),
                module,
                ..Frame::default()
            });
        }
    }
}

/// Where sources of compilers, runtimes and dependencies lie.
const FOREIGN: [&str; 6] = [
    "/rustc/",
    "/rustlib/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/usr/",
    "/build/",
];

/// Whether a frame is of the program's own source; `here`: and that can be read on this machine.
fn is_own(frame: &Frame, here: bool) -> bool {
    let file = &frame.file;
    let system = ["/lib", "/usr/lib"]
        .iter()
        .any(|dir| frame.module.starts_with(dir));
    let foreign = FOREIGN.iter().any(|dir| match *dir {
        "/usr/" | "/build/" | "/rustc/" => file.starts_with(dir),
        dir => file.contains(dir),
    });
    !file.is_empty()
        && frame.line > 0
        && !system
        && !foreign
        && (!here || Path::new(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_frames() {
        let frame = |file: &str, module: &str| Frame {
            function: "main".to_owned(),
            file: file.to_owned(),
            line: 3,
            module: module.to_owned(),
        };
        let cases = [
            (
                "/home/me/copy/src/main.rs",
                "/home/me/copy/target/debug/copy",
                true,
            ),
            (
                "/rustc/abc/library/std/src/fs.rs",
                "/home/me/copy/target/debug/copy",
                false,
            ),
            (
                "/home/me/.cargo/registry/src/x/lib.rs",
                "/home/me/copy/target/debug/copy",
                false,
            ),
            (
                "/usr/src/rustc-1.95/library/std/src/io/mod.rs",
                "/tmp/copy",
                false,
            ),
            ("./io/write.c", "/lib/x86_64-linux-gnu/libc.so.6", false),
            ("copy.c", "/tmp/copy", true),
            ("", "/tmp/copy", false),
        ];
        for (file, module, expected) in cases {
            assert_eq!(is_own(&frame(file, module), false), expected, "{file}");
        }
    }
}
