//! Names of Linux's error numbers and signals: a recording may be read where the C library has others.
//!
//! The same on every architecture that [`crate::arch`] knows: `include/uapi/asm-generic/errno.h`,
//! `errno-base.h`, `signal.h`.

use std::io::{self, ErrorKind};

use crate::i18n::{Lang, Say};

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

/// What the usual ones mean, in Chinese.
const MEANINGS: &[(&str, &str)] = &[
    ("EPERM", "不允许的操作"),
    ("ENOENT", "没有这个文件或目录"),
    ("ESRCH", "没有这个进程"),
    ("EINTR", "被信号打断"),
    ("EIO", "输入/输出错误"),
    ("ENXIO", "没有这个设备或地址"),
    ("E2BIG", "参数列表过长"),
    ("ENOEXEC", "可执行文件格式不对"),
    ("EBADF", "文件描述符无效"),
    ("ECHILD", "没有子进程"),
    ("EAGAIN", "资源暂时不可用"),
    ("ENOMEM", "内存不足"),
    ("EACCES", "权限不够"),
    ("EFAULT", "地址无效"),
    ("EBUSY", "设备或资源忙"),
    ("EEXIST", "文件已存在"),
    ("EXDEV", "跨越了文件系统"),
    ("ENODEV", "没有这个设备"),
    ("ENOTDIR", "不是目录"),
    ("EISDIR", "是目录"),
    ("EINVAL", "参数无效"),
    ("ENFILE", "系统中打开的文件过多"),
    ("EMFILE", "打开的文件过多"),
    ("ENOTTY", "设备不支持这个操作"),
    ("ETXTBSY", "可执行文件正在使用"),
    ("EFBIG", "文件过大"),
    ("ENOSPC", "磁盘空间不足"),
    ("ESPIPE", "不能在其中定位"),
    ("EROFS", "文件系统只读"),
    ("EPIPE", "管道另一端已关闭"),
    ("ENAMETOOLONG", "文件名过长"),
    ("ENOSYS", "内核没有这个功能"),
    ("ENOTEMPTY", "目录非空"),
    ("ELOOP", "符号链接层数过多"),
    ("EOPNOTSUPP", "不支持这个操作"),
    ("EADDRINUSE", "地址已被占用"),
    ("ENETUNREACH", "网络不可达"),
    ("ECONNRESET", "连接被重置"),
    ("ECONNREFUSED", "连接被拒绝"),
    ("ETIMEDOUT", "超时"),
    ("EDQUOT", "超出磁盘配额"),
];

/// In the order of their numbers, from 1.
const SIGNALS: &str = "\
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 \
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU \
    SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS";

/// Name of an error number (`2` is `ENOENT`); `None` if there is none of that number.
pub fn error_name(number: u32) -> Option<&'static str> {
    nth(ERRORS, number)
}

/// An error by its name, in Chinese.
fn chinese(name: &str) -> String {
    match MEANINGS.iter().find(|(known, _)| *known == name) {
        Some((_, meaning)) => format!("{meaning}（{name}）"),
        None => format!("错误 {name}"),
    }
}

/// What the system answered, in the reader's language; `english` says it in English.
pub fn error_words(number: i32, english: &str, lang: Lang) -> String {
    match (lang, u32::try_from(number).ok().and_then(error_name)) {
        (Lang::Zh, Some(name)) => chinese(name),
        (Lang::Zh, None) => format!("错误 {number}"),
        (Lang::En, _) => english.to_owned(),
    }
}

impl Say for io::Error {
    fn say(&self, lang: Lang) -> String {
        match (lang, self.raw_os_error()) {
            (Lang::Zh, Some(number)) if cfg!(target_os = "linux") => error_words(number, "", lang),
            // A system with other numbers.
            (Lang::Zh, _) => match self.kind() {
                ErrorKind::NotFound => chinese("ENOENT"),
                ErrorKind::PermissionDenied => chinese("EACCES"),
                ErrorKind::AlreadyExists => chinese("EEXIST"),
                ErrorKind::IsADirectory => chinese("EISDIR"),
                ErrorKind::NotADirectory => chinese("ENOTDIR"),
                ErrorKind::StorageFull => chinese("ENOSPC"),
                ErrorKind::ReadOnlyFilesystem => chinese("EROFS"),
                ErrorKind::InvalidInput => chinese("EINVAL"),
                ErrorKind::OutOfMemory => chinese("ENOMEM"),
                ErrorKind::UnexpectedEof => "文件过早结束".to_owned(),
                ErrorKind::WriteZero => "写不下全部字节".to_owned(),
                // In the words of whoever made it.
                _ if self.get_ref().is_some() => self.to_string(),
                ErrorKind::InvalidData => "数据无效".to_owned(),
                kind => format!("错误 {kind:?}"),
            },
            (Lang::En, _) => self.to_string(),
        }
    }
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
    fn errors_speak_the_readers_language() {
        let known: Vec<&str> = ERRORS.split_ascii_whitespace().collect();
        assert!(MEANINGS.iter().all(|(name, _)| known.contains(name)));
        let absent = io::Error::from(ErrorKind::NotFound);
        assert_eq!(absent.say(Lang::Zh), "没有这个文件或目录（ENOENT）");
        assert_eq!(absent.say(Lang::En), absent.to_string());
        assert_eq!(
            error_words(2, "no such file", Lang::Zh),
            absent.say(Lang::Zh)
        );
        assert_eq!(error_words(61, "no data", Lang::Zh), "错误 ENODATA");
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
