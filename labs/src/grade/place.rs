//! Where a result and what goes with it lie: a folder, or one file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytehop_core::i18n::{Lang, Say};

use super::words;
use crate::hand_in;

/// The most that a result file, or a program's source, may have.
pub(super) const TEXT_MAX: u64 = 1 << 20;
/// The most that a recording may have, and all of a hand-in.
pub(super) const RECORDING_MAX: u64 = 256 << 20;

/// What lies beside a result. Names have no folders: what a result names is beside it, or nowhere.
pub(super) enum Place<'a> {
    /// The folder of this file.
    Beside(&'a Path),
    In(&'a BTreeMap<String, Vec<u8>>),
}

impl Place<'_> {
    pub(super) fn read(&self, name: &str, most: u64, lang: Lang) -> Result<Cow<'_, [u8]>, String> {
        let name = Path::new(name).file_name().unwrap_or_default();
        match self {
            Self::Beside(file) => read(&file.with_file_name(name), most, lang).map(Cow::Owned),
            Self::In(files) => {
                let name = name.to_string_lossy();
                let said = |what: String| words::of_file(lang, &name, what);
                match files.get(&*name) {
                    None => Err(said(words::absent(lang).to_owned())),
                    Some(bytes) if bytes.len() as u64 > most => {
                        Err(said(words::too_large(lang, most)))
                    }
                    Some(bytes) => Ok(Cow::Borrowed(bytes)),
                }
            }
        }
    }
}

/// Reads an ordinary file that is not too large; why not, else.
pub(super) fn read(path: &Path, most: u64, lang: Lang) -> Result<Vec<u8>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let failed = |e: io::Error| words::of_file(lang, &name, e.say(lang));
    let data = path.symlink_metadata().map_err(failed)?;
    if !data.is_file() {
        return Err(words::of_file(lang, &name, words::special(lang)));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    // It may grow while it is read.
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match bytes.len() as u64 > most {
        true => Err(words::of_file(lang, &name, words::too_large(lang, most))),
        false => Ok(bytes),
    }
}

/// What a hand-in has. Of files of the same name, the last counts, as for tar.
pub(super) fn unpack(path: &Path, lang: Lang) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let bytes = read(path, RECORDING_MAX, lang)?;
    if bytes.is_empty() {
        return Err(words::empty(lang).to_owned());
    }
    let entries = hand_in::read(&*bytes, |_, _| true);
    let entries = entries.map_err(|_| words::damaged(lang).to_owned())?;
    let named = entries.into_iter().map(|entry| (entry.name, entry.bytes));
    Ok(named.collect())
}
