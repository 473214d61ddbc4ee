//! Names of io_uring's operations (`IORING_OP_*`) and of Linux AIO's (`IOCB_CMD_*`), the same on every
//! architecture.

use std::borrow::Cow;

/// In the order of their numbers, from 0.
const OPCODES: &str = "\
    nop readv writev fsync read_fixed write_fixed poll_add poll_remove sync_file_range sendmsg \
    recvmsg timeout timeout_remove accept async_cancel link_timeout connect fallocate openat \
    close files_update statx read write fadvise madvise send recv openat2 epoll_ctl splice \
    provide_buffers remove_buffers tee shutdown renameat unlinkat mkdirat symlinkat linkat \
    msg_ring fsetxattr setxattr fgetxattr getxattr socket uring_cmd send_zc sendmsg_zc \
    read_multishot waitid futex_wait futex_wake futex_waitv fixed_fd_install ftruncate bind \
    listen recv_zc epoll_wait readv_fixed writev_fixed pipe nop128 uring_cmd128";

/// The names of all operations that are known, by their numbers.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPCODES.split_whitespace()
}

/// Name of an operation, without its prefix, in lower case; `op_90` if newer than this build.
pub fn name(opcode: u8) -> Cow<'static, str> {
    match names().nth(usize::from(opcode)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("op_{opcode}")),
    }
}

/// Linux AIO's, in the order of their numbers, from 0; the fourth was never used.
const AIO_OPCODES: [&str; 9] = [
    "pread", "pwrite", "fsync", "fdsync", "op_4", "poll", "noop", "preadv", "pwritev",
];

/// Name of an operation of Linux AIO, without its prefix, in lower case; `op_90` if newer than this build.
pub fn aio_name(opcode: u8) -> Cow<'static, str> {
    match AIO_OPCODES.get(usize::from(opcode)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("op_{opcode}")),
    }
}

/// A request, as summaries name calls: `io_uring:read`, `io_submit:pread`. The operation as in
/// [`tracer_ebpf::TopKey::nr`].
pub fn request_name(operation: u16) -> String {
    let opcode = operation as u8;
    match operation & tracer_ebpf::AIO {
        0 => format!("io_uring:{}", name(opcode)),
        _ => format!("io_submit:{}", aio_name(opcode)),
    }
}

/// Number of an operation, by the name that [`name`] gives.
pub fn opcode(name: &str) -> Option<u8> {
    let at = OPCODES.split_whitespace().position(|known| known == name)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_opcodes() {
        for (number, op) in [
            (0, "nop"),
            (22, "read"),
            (23, "write"),
            (47, "send_zc"),
            (62, "pipe"),
        ] {
            assert_eq!(name(number), op);
            assert_eq!(opcode(op), Some(number));
        }
        assert_eq!(name(200), "op_200");
        assert_eq!(opcode("op_200"), None);
        let aio = tracer_ebpf::OPERATION | tracer_ebpf::AIO;
        assert_eq!(request_name(aio | 8), "io_submit:pwritev");
        assert_eq!(request_name(tracer_ebpf::OPERATION | 22), "io_uring:read");
    }
}
