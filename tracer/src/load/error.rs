//! Why probes could not be loaded.

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use bytehop_core::i18n::Lang;
use bytehop_core::notice::Why;
use nix::errno::Errno;
use thiserror::Error;

use super::refusal::{errno, refusal, refuses};
use crate::btf::BtfError;
use crate::limits::Limit;

/// Why probes could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Btf(#[from] BtfError),
    #[error("this build of bytehop does not know the architecture {0}")]
    Arch(&'static str),
    #[error("the kernel refused the eBPF object: {0}")]
    Object(#[source] EbpfError),
    #[error("the kernel refused probe {probe}, and bytehop cannot trace without it: {}", refusal(.source).words(Lang::En))]
    Required { probe: String, source: ProgramError },
    #[error("this kernel has no {probe}, and bytehop cannot trace without it")]
    Absent { probe: &'static str },
    #[error("an eBPF map failed: {0}")]
    Map(#[from] MapError),
    #[error("cannot tell our pid namespace (is /proc mounted?): {0}")]
    PidNamespace(#[source] std::io::Error),
    #[error("not allowed to load eBPF programs")]
    NotAllowed,
    #[error(transparent)]
    Limit(#[from] Limit),
    #[error("this kernel does not give level {level}: {why}")]
    Level { level: &'static str, why: String },
}

/// What it means that the kernel does not take our object.
pub(super) fn refused(e: EbpfError) -> LoadError {
    match errno(&e) {
        Some(Errno::EPERM) => LoadError::NotAllowed,
        _ => LoadError::Object(e),
    }
}

/// The limit that loading ran into, if it was one.
pub(super) fn limited(e: LoadError) -> LoadError {
    let what = || match &e {
        LoadError::Required { probe, .. } => format!("probe {probe}"),
        LoadError::Object(EbpfError::MapError(MapError::CreateError { name, .. })) => {
            format!("the eBPF map {name}")
        }
        _ => "the eBPF maps".to_owned(),
    };
    let limit = errno(&e).and_then(|errno| Limit::behind(errno, what));
    limit.map_or(e, LoadError::Limit)
}

/// The same where a probe that tracing can do without is away for want of a descriptor: what it would have
/// seen is not absent from this kernel.
pub(super) fn out_of_files(missing: &[(String, Why)]) -> Option<Limit> {
    let numbers = [Errno::EMFILE, Errno::ENFILE];
    let number = numbers.into_iter().find(|number| {
        let why = refuses(*number);
        missing.iter().any(|(_, reason)| *reason == why)
    })?;
    Limit::behind(number, String::new)
}

pub(super) fn invalid(name: &'static str) -> LoadError {
    LoadError::Map(MapError::InvalidName {
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use aya::sys::SyscallError;

    use super::*;

    #[test]
    fn what_is_said_of_it() {
        let call = |errno: Errno| SyscallError {
            call: "bpf_map_create",
            io_error: errno.into(),
        };
        let refused = |errno| refused(EbpfError::MapError(call(errno).into()));
        assert!(matches!(refused(Errno::EPERM), LoadError::NotAllowed));
        assert!(matches!(refused(Errno::EINVAL), LoadError::Object(_)));
        let object = LoadError::Object(EbpfError::MapError(call(Errno::ESRCH).into()));
        assert_eq!(errno(&object), Some(Errno::ESRCH));
    }

    #[test]
    fn a_limit_is_named() {
        let create = |errno: Errno| MapError::CreateError {
            name: "EVENTS".to_owned(),
            io_error: errno.into(),
        };
        let said = |e: LoadError| limited(e).to_string();
        let map = |errno| LoadError::Object(EbpfError::MapError(create(errno)));
        assert!(said(map(Errno::ENOMEM)).contains("the eBPF map EVENTS (ENOMEM)"));
        assert!(said(map(Errno::EMFILE)).contains("(EMFILE)"));
        assert!(matches!(limited(map(Errno::EINVAL)), LoadError::Object(_)));
        let mmap = MapError::SyscallError(SyscallError {
            call: "mmap",
            io_error: Errno::ENOMEM.into(),
        });
        assert!(said(mmap.into()).contains("(ENOMEM)"));
        let lack = |errno: Errno| ("hook".to_owned(), refuses(errno));
        assert_eq!(out_of_files(&[lack(Errno::EPERM)]), None);
        let missing = [lack(Errno::EPERM), lack(Errno::EMFILE)];
        assert!(matches!(out_of_files(&missing), Some(Limit::Files { .. })));
    }
}
