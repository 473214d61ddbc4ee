//! What an executable file says of itself.

use std::fs::File;
use std::path::{Path, PathBuf};

use bytehop_core::modules::Language;
use object::read::ReadCache;
use object::{Object, ObjectSection, SectionKind};

/// An executable file, or one with debug information.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// In hexadecimal; empty if it has none.
    pub build_id: String,
    /// `.gnu_debuglink`: the name of the file with the debug information, and its checksum.
    pub link: Option<(String, u32)>,
    /// `.gnu_debugaltlink`: what several such files have in common, and its build id.
    pub common: Option<(PathBuf, String)>,
    /// It has line numbers.
    pub lines: bool,
    /// It has a symbol table of its own, not only the one for the loader.
    pub symbols: bool,
    pub language: Language,
}

impl Identity {
    /// `None` if it cannot be read, or is no object file.
    pub fn of(path: &Path) -> Option<Self> {
        let cache = ReadCache::new(File::open(path).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let link = file.gnu_debuglink().ok().flatten();
        let common = file.gnu_debugaltlink().ok().flatten();
        Some(Self {
            build_id: hex(file.build_id().ok().flatten().unwrap_or_default()),
            link: link.map(|(name, crc)| (text(name), crc)),
            common: common.map(|(path, id)| (text(path).into(), hex(id))),
            lines: has(&file, ".debug_line") || has(&file, ".zdebug_line"),
            symbols: has(&file, ".symtab"),
            language: language(&file),
        })
    }
}

/// Whether a section is in this very file: where debug information was split off, some are named only.
fn has<'a>(file: &impl Object<'a>, name: &str) -> bool {
    let section = file.section_by_name(name);
    section.is_some_and(|section| {
        section.size() > 0 && section.kind() != SectionKind::UninitializedData
    })
}

fn language<'a>(file: &impl Object<'a>) -> Language {
    if has(file, ".go.buildinfo") {
        return Language::Go;
    }
    let comment = file.section_by_name(".comment");
    let comment = comment.and_then(|section| section.data().ok());
    let comment = String::from_utf8_lossy(comment.unwrap_or_default()).into_owned();
    // The C start-up files of the system are in every program.
    match comment {
        text if text.contains("rustc") => Language::Rust,
        text if text.contains("GCC") || text.contains("clang") => Language::C,
        _ => Language::Unknown,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
