//! What system calls do with descriptors, by name: the same on every architecture.
//!
//! Bits: [`tracer_ebpf::sysinfo`]. A call that returns a descriptor is described by the one it
//! returns (`accept4`, `openat`), not by the one it was given. A path is named where a descriptor
//! comes of it, where it says what later ones count from, and where it is a mark of the program's own.
//!
//! *Pure* calls cannot change which file an open descriptor refers to. Some reads can *add*
//! descriptors (userfaultfd, fanotify), which takes none away; `recvmsg` and `ioctl` are left
//! out all the same, since they do it in everyday programs.

use tracer_ebpf::sysinfo::{
    BYTES, FD_SHIFT, FD2_SHIFT, FLAGS_SHIFT, FORKS, PATH_SHIFT, PURE, RETURNS_FD,
};

/// `ioctl` request that shares a whole file's extents with another file.
pub const FICLONE: u64 = 0x4004_9409;
/// The same for a range of the file.
pub const FICLONERANGE: u64 = 0x4020_940d;
/// The same where the bytes are equal.
pub const FIDEDUPERANGE: u64 = 0xc018_9436;
/// `ioctl` requests of `userfaultfd`: give a page that is missing these bytes, or zeros.
pub const UFFDIO_COPY: u64 = 0xc028_aa03;
pub const UFFDIO_ZEROPAGE: u64 = 0xc020_aa04;
/// The same of pages that are in the page cache already, or somewhere else in the program's memory.
pub const UFFDIO_CONTINUE: u64 = 0xc020_aa07;
pub const UFFDIO_MOVE: u64 = 0xc028_aa05;

/// Argument `index` is the descriptor that matters.
const fn fd(index: u32) -> u32 {
    (index + 1) << FD_SHIFT
}

/// Argument `index` is a second descriptor.
const fn fd2(index: u32) -> u32 {
    (index + 1) << FD2_SHIFT
}

/// Argument `index` is the path (or name) of the descriptor returned.
const fn opens(index: u32) -> u32 {
    (index + 1) << PATH_SHIFT | RETURNS_FD
}

/// Argument `index` is a path, and no descriptor comes of it.
const fn path(index: u32) -> u32 {
    (index + 1) << PATH_SHIFT | PURE
}

/// Argument `index` holds `MSG_*` flags.
const fn flags(index: u32) -> u32 {
    (index + 1) << FLAGS_SHIFT
}

/// Moves bytes between memory and descriptor argument 0, and returns how many.
const MOVES: u32 = fd(0) | BYTES | PURE;

/// Groups of calls that are described alike.
#[rustfmt::skip] // one group a line
const CALLS: &[(u32, &str)] = &[
    (MOVES,
        "read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 vmsplice"),
    (MOVES | flags(3), "sendto recvfrom"),
    (MOVES | flags(2), "sendmsg"),
    (MOVES | fd2(1), "sendfile tee"),
    (MOVES | fd2(2), "splice copy_file_range"),
    // May bring descriptors along (SCM_RIGHTS).
    (fd(0) | BYTES | flags(2), "recvmsg"),
    (fd(0), "recvmmsg"),
    (fd(0) | PURE, "sendmmsg"),
    // No descriptor, but bytes.
    (BYTES | PURE, "process_vm_readv process_vm_writev getrandom msgrcv"),
    (MOVES, "mq_timedreceive"),
    (fd(0) | PURE, "mq_timedsend mq_notify mq_getsetattr"),

    (fd(4) | PURE, "mmap"),
    (fd(0) | PURE,
        "fsync fdatasync sync_file_range syncfs fadvise64 readahead ftruncate fallocate cachestat \
         lseek fstat fstatfs getdents getdents64 flock fchmod fchown fchdir \
         fgetxattr fsetxattr flistxattr fremovexattr"),
    (fd(0) | PURE,
        "connect bind listen shutdown getsockname getpeername getsockopt setsockopt"),
    (fd(0) | PURE,
        "epoll_wait epoll_pwait epoll_pwait2 timerfd_settime timerfd_gettime \
         inotify_add_watch inotify_rm_watch pidfd_send_signal"),
    (fd(0) | fd2(2) | PURE, "epoll_ctl"),
    (fd(0), "close fcntl ioctl setns finit_module io_uring_enter io_uring_register"),

    (opens(0), "open creat memfd_create mq_open fsopen"),
    (opens(1), "openat openat2 open_tree open_tree_attr fspick"),
    (RETURNS_FD,
        "dup dup2 dup3 socket accept accept4 eventfd eventfd2 timerfd_create epoll_create \
         epoll_create1 signalfd signalfd4 inotify_init inotify_init1 fanotify_init pidfd_open \
         pidfd_getfd io_uring_setup userfaultfd perf_event_open memfd_secret open_by_handle_at \
         fsmount"),

    (path(0), "stat lstat access readlink chdir"),
    (path(1), "newfstatat statx faccessat faccessat2 readlinkat"),

    (FORKS, "clone clone3 fork vfork"),

    (PURE,
        "brk munmap mprotect madvise mremap msync mincore mlock munlock \
         futex futex_waitv futex_wait futex_wake sched_yield nanosleep clock_nanosleep \
         clock_gettime clock_getres gettimeofday time times getrusage sysinfo uname \
         poll ppoll select pselect6 rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend \
         rt_sigtimedwait sigaltstack kill tkill tgkill wait4 waitid pause alarm \
         getpid gettid getppid getuid geteuid getgid getegid getpgid getpgrp getcwd getcpu \
         getrlimit prlimit64 sched_getaffinity membarrier rseq set_robust_list set_tid_address \
         mkdir mkdirat unlink unlinkat rename renameat renameat2 sync"),
];

/// Every described call with its [`tracer_ebpf::sysinfo`] bits.
pub fn rows() -> impl Iterator<Item = (&'static str, u16)> {
    let row = |&(info, names): &(u32, &'static str)| {
        // All bits are below 16: see the test.
        names
            .split_whitespace()
            .map(move |name| (name, info as u16))
    };
    CALLS.iter().flat_map(row)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn bits_fit_and_names_are_unique() {
        assert!(CALLS.iter().all(|(info, _)| *info <= u32::from(u16::MAX)));
        assert_eq!(rows().count(), rows().collect::<HashMap<_, _>>().len());
    }

    #[test]
    fn what_the_path_needs() {
        let info: HashMap<_, _> = rows().map(|(name, info)| (name, u32::from(info))).collect();
        let fds = |name: &str| (info[name] & 7, info[name] >> FD2_SHIFT & 7);
        assert_eq!(fds("sendfile"), (1, 2));
        assert_eq!(fds("splice"), (1, 3));
        assert_eq!(fds("mmap"), (5, 0));
        assert_eq!(info["openat"] >> PATH_SHIFT & 7, 2);
        assert!(info["openat"] & RETURNS_FD != 0 && info["openat"] & PURE == 0);
        for name in [
            "close",
            "dup2",
            "fcntl",
            "ioctl",
            "recvmsg",
            "io_uring_enter",
        ] {
            assert!(info[name] & PURE == 0, "{name} can change descriptors");
        }
        assert_eq!(
            info["sendmmsg"] & BYTES,
            0,
            "it returns a number of messages"
        );
    }
}
