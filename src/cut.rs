//! `bytehop cut`: a part of a recording as a recording of its own.

use std::fs::{File, OpenOptions};
use std::path::Path;

use bytehop_core::notice::Notice;
use bytehop_core::record::{Look, Writer};
use bytehop_core::units;

use crate::cli;
use crate::fail::{Fail, Trouble, USAGE};
use crate::open::{reader, wanted};
use crate::output::print;
use crate::show::warn;

mod words {
    bytehop_core::messages! {
        written(path, records, bytes): "{path}: {records} records, {bytes}" | "{path}：{records} 条记录，{bytes}";
    }

    #[cfg(test)]
    #[test]
    fn every_message_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}

pub fn cut(args: &cli::Cut) -> Result<i32, Fail> {
    let lang = crate::config::lang(args.lang);
    let only = args.part.only()?;
    if only.is_all() {
        return Err(Fail::new(USAGE, Trouble::NothingToCut));
    }
    // Read once before anything is written: what is asked for may not be there.
    let wanted = wanted(&args.file, &only)?;
    let look = Look::at(&mut reader(&args.file, &wanted)?, &only);
    if let Some(none) = look.not_there(&only) {
        return Err(Fail::new(USAGE, Trouble::NotThere(none.into())));
    }
    let path = &args.output;
    if is_same(&args.file, path) {
        return Err(Fail::new(USAGE, Trouble::OntoItself(path.clone())));
    }
    let writer = Writer::new(created(path)?, path)?;
    let stats = look.write(&mut reader(&args.file, &wanted)?, writer)?;
    let damage: Vec<Notice> = look.warnings.iter().map(Notice::from).collect();
    warn(&damage, lang);
    let (records, bytes) = (units::count(stats.records), units::bytes(stats.bytes));
    print(&(words::written(lang, path.display(), records, bytes) + "\n"))?;
    Ok(0)
}

/// A recording is for whoever made it.
fn created(path: &Path) -> Result<File, Fail> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    file.map_err(|e| Fail::new(USAGE, Trouble::Create(path.to_owned(), e)))
}

/// Whether two names are of one file.
fn is_same(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
        matches!((id(a), id(b)), (Ok(a), Ok(b)) if a == b)
    }
    #[cfg(not(unix))]
    {
        let full = std::fs::canonicalize::<&Path>;
        matches!((full(a), full(b)), (Ok(a), Ok(b)) if a == b)
    }
}
