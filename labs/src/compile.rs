//! C programs: how they are compiled, and whose fault it is if they are not.
//!
//! Nothing is needed but a C compiler with its headers: no cargo, no library, no network.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Stdio;

use tracer::user::Identity;

use crate::bundle::C_SUPPORT;
use crate::own::{Job, Limits, Owner, Unfinished, guardian, text_of};
use crate::runs::WorkError;

/// Where the learner's folder has what C programs share.
pub const SUPPORT: &str = "support/c";

/// Compilers by name, the first that is there is taken.
const COMPILERS: [&str; 2] = ["cc", "gcc"];

/// With line numbers, and as fast as they need to be; a function that nobody declared is an error, as in newer C.
const FLAGS: [&str; 6] = [
    "-std=gnu17",
    "-O1",
    "-g",
    "-Wall",
    "-Werror=implicit-function-declaration",
    "-fdiagnostics-color=never",
];

/// io_uring's header is newer than some systems': only who names a ring needs it.
const RING: &str = "ring.c";

/// What editors like clangd read, so that they find `support.h`.
pub const EDITOR_FLAGS: &str = "-std=gnu17\n-Isupport/c\n-I../support/c\n";

/// Compiles and links one program, in the learner's folder and with their rights; what the compiler said if it
/// would not.
///
/// # Errors
/// If there is no compiler, or it was kept from its work.
pub fn compile(
    owner: &Owner,
    identity: &Identity,
    dir: &Path,
    source: &Path,
    to: &Path,
) -> Result<(), WorkError> {
    let text = identity.with_file_rights(|| std::fs::read_to_string(source));
    let text = text.map_err(|e| WorkError::Read {
        path: source.to_owned(),
        source: e,
    })?;
    // Named as from the folder: what the compiler says is then short.
    let named = source.strip_prefix(dir).unwrap_or(source);
    let mut args = vec![named.into()];
    let shared = C_SUPPORT
        .iter()
        .filter(|(name, _)| name.ends_with(".c") && (*name != RING || text.contains("ring_")));
    args.extend(shared.map(|(name, _)| Path::new(SUPPORT).join(name).into()));
    args.extend(["-o".into(), to.into()]);
    compiler(owner, identity, dir, args)
}

/// Has the compiler read sources of the learner's folder, and makes nothing of them.
///
/// # Errors
/// As [`compile`].
pub fn read(
    owner: &Owner,
    identity: &Identity,
    dir: &Path,
    sources: &[&Path],
) -> Result<(), WorkError> {
    let named = sources
        .iter()
        .map(|path| path.strip_prefix(dir).unwrap_or(path).into());
    let args = std::iter::once("-fsyntax-only".into()).chain(named);
    compiler(owner, identity, dir, args.collect())
}

/// Runs the first compiler that is there.
fn compiler(
    owner: &Owner,
    identity: &Identity,
    dir: &Path,
    own: Vec<OsString>,
) -> Result<(), WorkError> {
    let failed = WorkError::NoCompilerStart;
    let mut args: Vec<OsString> = FLAGS.map(OsString::from).into();
    args.extend(["-I".into(), SUPPORT.into()]);
    args.extend(own);
    for name in COMPILERS {
        match run_builder(owner, identity, dir, name, args.clone(), failed)? {
            Builder::Done => return Ok(()),
            Builder::NotThere => {}
            Builder::Refused(said) if is_about_program(&said) => {
                return Err(WorkError::Build(said));
            }
            Builder::Refused(said) => return Err(WorkError::Compiler(said)),
        }
    }
    Err(WorkError::NoCompiler)
}

/// How a tool that builds ended.
pub(crate) enum Builder {
    Done,
    /// It is not on this machine.
    NotThere,
    /// It failed: what it said.
    Refused(String),
}

/// Runs cargo or a compiler in the learner's folder, with their rights and within a build's limits.
pub(crate) fn run_builder(
    owner: &Owner,
    identity: &Identity,
    dir: &Path,
    tool: &'static str,
    args: Vec<OsString>,
    failed: fn(io::Error) -> WorkError,
) -> Result<Builder, WorkError> {
    let mut said = tempfile::tempfile().map_err(failed)?;
    let ended = owner.run(Job {
        program: OsStr::new(tool),
        args,
        learner: Some(identity),
        dir: Some(dir),
        stdout: Stdio::null(),
        stderr: said.try_clone().map_err(failed)?.into(),
        limits: match COMPILERS.contains(&tool) {
            true => Limits::of_compiler(),
            false => Limits::of_build(),
        },
        alone: false,
    });
    match ended {
        Ok(0) => Ok(Builder::Done),
        Ok(guardian::NOT_FOUND) => Ok(Builder::NotThere),
        Ok(_) => Ok(Builder::Refused(text_of(&mut said))),
        Err(Unfinished::Start(e)) if e.kind() == io::ErrorKind::NotFound => Ok(Builder::NotThere),
        Err(Unfinished::Start(e)) => Err(failed(e)),
        Err(Unfinished::Stopped(signal)) => Err(WorkError::Stopped(signal)),
        Err(Unfinished::Limit(limit)) => Err(WorkError::Limit(tool, limit)),
    }
}

/// Whether a compiler is on the learner's path.
pub fn is_there(identity: &Identity) -> bool {
    COMPILERS.iter().any(|name| on_path(identity, name))
}

/// Whether a command is on the learner's path.
pub(crate) fn on_path(identity: &Identity, name: &str) -> bool {
    let path = identity.var("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

/// Whether the compiler refused the program. Without the C library's headers, a linker, or room on the disk it is
/// not the program's fault.
fn is_about_program(said: &str) -> bool {
    let elsewhere = [
        "sys/types.h: No such file",
        "stdint.h: No such file",
        "linux/io_uring.h: No such file",
        "crt1.o",
        "cannot find -lc",
        "cannot find 'ld'",
        "cannot execute",
        "No space left on device",
        "Read-only file system",
        "Disk quota exceeded",
        "Cannot allocate memory",
        "out of memory",
    ];
    !elsewhere.iter().any(|what| said.contains(what))
}

#[cfg(test)]
mod tests {
    use super::is_about_program;

    #[test]
    fn whose_fault_it_is() {
        for said in [
            "first-hops/copy.c:12:5: error: expected ';' before 'return'",
            "/usr/bin/ld: /tmp/ccx.o: in function `main':\ncopy.c:9: undefined reference to `raed'",
            "copy.c:3:10: fatal error: stdoi.h: No such file or directory",
        ] {
            assert!(is_about_program(said), "{said}");
        }
        for said in [
            "support/c/support.h:8:10: fatal error: sys/types.h: No such file or directory",
            "/usr/bin/ld: cannot find crt1.o: No such file or directory",
            "fatal error: error writing to /tmp/ccx.s: No space left on device",
            "collect2: fatal error: cannot find 'ld'",
        ] {
            assert!(!is_about_program(said), "{said}");
        }
    }
}
