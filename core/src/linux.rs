//! Names of Linux's error numbers and signals: a recording may be read where the C library has others.
//!
//! The same on every architecture that [`crate::arch`] knows: `include/uapi/asm-generic/errno.h`,
//! `errno-base.h`, `signal.h`.

/// In the order of their numbers, from 1; `-` where there is none.
const ERRORS: &str = "\
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT \
    ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG \
    ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP \
    - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL \
    ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV \
    ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD \
    ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE \
    EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT \
    EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN \
    ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY \
    EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE \
    ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL \
    EHWPOISON";

/// In the order of their numbers, from 1.
const SIGNALS: &str = "\
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 \
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU \
    SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS";

/// Name of an error number (`2` is `ENOENT`); `None` if there is none of that number.
pub fn error_name(number: u32) -> Option<&'static str> {
    nth(ERRORS, number)
}

/// Name of a signal (`9` is `SIGKILL`); `None` if there is none of that number, or it is a real-time signal.
pub fn signal_name(number: u32) -> Option<&'static str> {
    nth(SIGNALS, number)
}

/// The word of this number, counted from 1.
fn nth(names: &'static str, number: u32) -> Option<&'static str> {
    let at = usize::try_from(number.checked_sub(1)?).ok()?;
    names
        .split_ascii_whitespace()
        .nth(at)
        .filter(|name| *name != "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_have_no_name() {
        for number in [0, 41, 134, u32::MAX] {
            assert_eq!(error_name(number), None);
        }
        for number in [0, 32, u32::MAX] {
            assert_eq!(signal_name(number), None);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn names_are_those_of_the_c_library() {
        use nix::errno::Errno;
        use nix::sys::signal::Signal;
        for number in 1..134 {
            let theirs = match Errno::from_raw(number) {
                Errno::UnknownErrno => None,
                errno => Some(format!("{errno:?}")),
            };
            assert_eq!(error_name(number as u32), theirs.as_deref(), "{number}");
        }
        for signal in Signal::iterator() {
            assert_eq!(signal_name(signal as u32), Some(signal.as_str()));
        }
    }
}
