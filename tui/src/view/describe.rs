//! Calls and hops in a line of text.

use bytehop_core::linux::error_name;
use bytehop_core::model::{Known, Place};
use bytehop_core::terms;
use bytehop_core::units;

use crate::app::App;
use crate::store::{Call, Detail, FileId, Hop, HopKey, NONE, Sig, What};
use crate::text::compact;
use crate::words;

/// Which argument is a descriptor of a file, a second one, and a number of bytes.
fn arguments(name: &str) -> (Option<usize>, Option<usize>, Option<usize>) {
    match name {
        "read" | "write" | "pread64" | "pwrite64" | "sendto" | "recvfrom" => {
            (Some(0), None, Some(2))
        }
        "readv" | "writev" | "preadv" | "pwritev" | "preadv2" | "pwritev2" | "sendmsg"
        | "recvmsg" | "vmsplice" => (Some(0), None, None),
        "sendfile" => (Some(0), Some(1), Some(3)),
        "splice" => (Some(0), Some(2), Some(4)),
        "tee" => (Some(0), Some(1), Some(2)),
        "copy_file_range" => (Some(0), Some(2), Some(4)),
        "mmap" => (Some(4), None, Some(1)),
        "munmap" | "mprotect" | "madvise" | "mremap" => (None, None, Some(1)),
        "openat" | "open" | "creat" | "openat2" => (None, None, None),
        _ => (Some(0), None, None),
    }
}

/// Whether a call returns a number of bytes.
fn returns_bytes(name: &str) -> bool {
    arguments(name).2.is_some() && !name.starts_with('m')
        || matches!(
            name,
            "readv" | "writev" | "preadv" | "pwritev" | "sendmsg" | "recvmsg" | "vmsplice"
        )
}

/// The name of a call: `read`, `page fault`.
pub fn name(app: &App, sig: &Sig) -> String {
    let lang = app.look.lang;
    match &sig.what {
        What::Syscall { name, .. } => name.to_string(),
        What::Fault { major: true, .. } => words::major_fault(lang).to_owned(),
        What::Fault { .. } => words::fault(lang).to_owned(),
        What::Later => terms::later(lang).to_owned(),
    }
}

/// A call with its arguments and result, as far as they are known.
pub fn call(app: &App, index: usize) -> String {
    let lang = app.look.lang;
    let Some((call, sig)) = app
        .store
        .call(index)
        .and_then(|call| Some((call, app.store.sig(&call)?)))
    else {
        return String::new();
    };
    let detail = app.details.get(&index);
    match &sig.what {
        What::Syscall { name, .. } => match detail {
            Some(Detail::Syscall { args, ret, .. }) => syscall(app, sig, name, args, *ret),
            _ => format!(
                "{name}({})",
                file(app, sig.file.as_ref()).unwrap_or_default()
            ),
        },
        What::Fault { write, .. } => {
            let how = if *write { "write" } else { "read" };
            let name = self::name(app, sig);
            let file = file(app, sig.file.as_ref()).map(|file| format!(" {file}"));
            let file = file.unwrap_or_default();
            match detail {
                Some(Detail::Fault { addr, .. }) => format!("{name}{file} {how} @{addr:#x}"),
                _ => format!("{name}{file} {how}"),
            }
        }
        What::Later => later(app, &call, lang),
    }
}

/// What caused later hops.
fn later(app: &App, call: &Call, lang: bytehop_core::i18n::Lang) -> String {
    let owner = (call.record != NONE).then_some(call.record as usize);
    let sig = owner.and_then(|owner| app.store.sig(&app.store.call(owner)?));
    match (owner, sig) {
        (Some(owner), Some(sig)) => {
            let what = format!("{} #{}", name(app, sig), owner + 1);
            words::later_of(lang, what)
        }
        _ => words::later_unknown(lang).to_owned(),
    }
}

fn syscall(app: &App, sig: &Sig, name: &str, args: &[u64; 6], ret: i64) -> String {
    let (fd, fd2, bytes) = arguments(name);
    let mut parts = Vec::new();
    let arg = |i: usize| args.get(i).copied().unwrap_or_default() as i32;
    for (fd, id) in [(fd, sig.file), (fd2, sig.file2)] {
        let Some(id) = id else { continue };
        let path = file(app, Some(&id));
        match (fd, path) {
            (Some(fd), Some(path)) => parts.push(format!("{} {path}", arg(fd))),
            (Some(fd), None) => parts.push(arg(fd).to_string()),
            (None, Some(path)) => parts.push(path),
            (None, None) => {}
        }
    }
    if let Some(bytes) = bytes {
        parts.push(units::bytes(args.get(bytes).copied().unwrap_or_default()));
    }
    let result = match ret {
        -4095..0 => match error_name(ret.unsigned_abs() as u32) {
            None => ret.to_string(),
            Some(error) => format!("-{error}"),
        },
        n if returns_bytes(name) => units::bytes(n.unsigned_abs()),
        // Addresses.
        n if !(0..1 << 31).contains(&n) => format!("{n:#x}"),
        n => n.to_string(),
    };
    format!("{name}({}) = {result}", parts.join(", "))
}

/// The last part of a file's path.
pub fn file(app: &App, file: Option<&FileId>) -> Option<String> {
    let file = file?;
    match app.store.name(file) {
        Some(path) => Some(path.rsplit('/').next().unwrap_or(path).to_owned()),
        None => {
            let place = file.class.kind.place()?;
            (!matches!(place, Place::PageCache)).then(|| words::place(app.look.lang, &place))
        }
    }
}

/// `page cache → user memory`.
pub fn route(app: &App, key: &HopKey) -> String {
    let arrow = match (app.look.ascii, key.evidence.known()) {
        (true, Known::Measured) => "->",
        (true, _) => "~>",
        (false, Known::Measured) => "→",
        (false, _) => "⇢",
    };
    let lang = app.look.lang;
    format!(
        "{} {arrow} {}",
        words::place(lang, &key.from),
        words::place(lang, &key.to)
    )
}

/// `measured`, `inferred`, and by what.
pub fn evidence(app: &App, key: &HopKey) -> (&'static str, String) {
    let lang = app.look.lang;
    let word = terms::evidence(key.evidence.known(), lang);
    (word, key.evidence.by().to_owned())
}

/// ` ×16`, nothing for one.
pub fn times(app: &App, hop: &Hop) -> String {
    let times = if app.look.ascii { 'x' } else { '×' };
    match hop.count {
        0 | 1 => String::new(),
        n => format!("{times}{}", compact(u64::from(n))),
    }
}
