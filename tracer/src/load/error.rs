//! Why probes could not be loaded.

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use nix::errno::Errno;
use thiserror::Error;

use super::refusal::{errno, refusal};
use crate::btf::BtfError;

/// Why probes could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Btf(#[from] BtfError),
    #[error("this build of bytehop does not know the architecture {0}")]
    Arch(&'static str),
    #[error("the kernel refused the eBPF object: {0}")]
    Object(#[source] EbpfError),
    #[error("probe {probe}, which nothing works without: {}", refusal(.source))]
    Required { probe: String, source: ProgramError },
    #[error("this kernel has no {probe}, which nothing works without")]
    Absent { probe: &'static str },
    #[error("an eBPF map failed: {0}")]
    Map(#[from] MapError),
    #[error("cannot tell our pid namespace (is /proc mounted?): {0}")]
    PidNamespace(#[source] std::io::Error),
    #[error("not allowed to load eBPF programs")]
    NotAllowed,
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
}
