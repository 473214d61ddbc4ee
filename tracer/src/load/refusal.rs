//! What the kernel answered, out of aya's errors.

use std::error::Error;
use std::io;

use aya::maps::MapError;
use aya::programs::ProgramError;
use bytehop_core::notice::Why;
use nix::errno::Errno;

/// The number that the kernel answered with, if it is the kernel that failed us.
pub(super) fn errno(e: &(dyn Error + 'static)) -> Option<Errno> {
    // What aya passes on without a word of its own (`error(transparent)`) is no source of it: the
    // source's own is.
    let held: &(dyn Error + 'static) = match (e.downcast_ref(), e.downcast_ref()) {
        (Some(ProgramError::MapError(e)), _) => return errno(e),
        (Some(ProgramError::IOError(e)), _) | (_, Some(MapError::IoError(e))) => e,
        _ => e,
    };
    match held.downcast_ref().and_then(io::Error::raw_os_error) {
        Some(number) => Some(Errno::from_raw(number)),
        None => errno(e.source()?),
    }
}

pub(super) fn refuses(errno: Errno) -> Why {
    Why::Refused(format!("{errno:?}"))
}

/// Why the kernel does not take a program, as `doctor` says it.
pub(super) fn refusal(e: &ProgramError) -> Why {
    match errno(e) {
        Some(errno) => refuses(errno),
        None => Why::Foreign(one_line(e)),
    }
}

/// An error and its causes, the first line of each (a verifier log has thousands).
fn one_line(e: &(dyn Error + 'static)) -> String {
    let mut out = String::new();
    let mut next = Some(e);
    while let Some(e) = next {
        let text = e.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.split(". Verifier output:").next().unwrap_or_default();
        if !out.contains(first) {
            if !out.is_empty() {
                out.push_str(": ");
            }
            out.push_str(first);
        }
        next = e.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use aya::EbpfError;
    use aya::sys::SyscallError;
    use bytehop_core::i18n::Lang;

    use super::*;

    /// All that aya wraps the kernel's answer in, on the ways that we go.
    #[test]
    fn the_number_is_found_wherever_it_is() {
        let io = || io::Error::from_raw_os_error(Errno::ESRCH as i32);
        let call = || SyscallError {
            call: "perf_event_open",
            io_error: io(),
        };
        let create = || MapError::CreateError {
            name: "MAP".to_owned(),
            io_error: io(),
        };
        let errors: Vec<Box<dyn Error>> = vec![
            Box::new(io()),
            Box::new(call()),
            Box::new(create()),
            Box::new(MapError::IoError(io())),
            Box::new(MapError::SyscallError(call())),
            Box::new(ProgramError::IOError(io())),
            Box::new(ProgramError::SyscallError(call())),
            Box::new(ProgramError::MapError(create())),
            Box::new(ProgramError::MapError(MapError::IoError(io()))),
            Box::new(ProgramError::MapError(MapError::SyscallError(call()))),
            Box::new(EbpfError::MapError(create())),
            Box::new(EbpfError::MapError(MapError::IoError(io()))),
            Box::new(EbpfError::ProgramError(ProgramError::IOError(io()))),
            Box::new(EbpfError::ProgramError(ProgramError::SyscallError(call()))),
            Box::new(EbpfError::FileError {
                path: "/none".into(),
                error: io(),
            }),
        ];
        for e in errors {
            assert_eq!(errno(e.as_ref()), Some(Errno::ESRCH), "{e:?}");
        }
        for e in [ProgramError::NotLoaded, io::Error::other("no").into()] {
            assert_eq!(errno(&e), None, "{e:?}");
        }
    }

    #[test]
    fn what_is_said_of_it() {
        let call = |errno: Errno| SyscallError {
            call: "bpf_map_create",
            io_error: errno.into(),
        };
        let said = |e: &ProgramError| refusal(e).words(Lang::En);
        assert_eq!(
            said(&call(Errno::EBUSY).into()),
            "the kernel refuses: EBUSY"
        );
        assert_eq!(said(&ProgramError::NotLoaded), "the program is not loaded");
    }
}
