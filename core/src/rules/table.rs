//! The rules for calls.

use super::Spot::{From, Kernel, To};
use super::{Does, Facts, Fs, Kinds, Move, Rule, Step};
use crate::model::HopKind;

const COPY: Does = Does::Moves(&[Step(HopKind::Copy, From, To)]);
const SHARE: Does = Does::Moves(&[Step(HopKind::Share, From, To)]);
const MAP: Does = Does::Moves(&[Step(HopKind::Map, From, To)]);
const FILL: Does = Does::Moves(&[Step(HopKind::Fill, From, To)]);
/// Pages of the kernel's own, which a device has filled, are passed on.
const SHARE_KERNEL: Does = Does::Moves(&[Step(HopKind::Share, Kernel, To)]);
/// Pages of zeros are made, and copied.
const FILL_COPY: Does = Does::Moves(&[
    Step(HopKind::Fill, From, Kernel),
    Step(HopKind::Copy, Kernel, To),
]);

const MSG_TRUNC: u32 = 0x20;
const MSG_ERRQUEUE: u32 = 0x2000;
const MSG_ZEROCOPY: u32 = 0x400_0000;

fn always(_: &Facts) -> bool {
    true
}

/// `O_DIRECT` on a file system that would honour it, yet pages of the page cache were used and no
/// direct I/O happened: the file system fell back to buffered I/O.
fn fell_back(facts: &Facts) -> bool {
    let unused = facts
        .seen
        .is_some_and(|seen| seen.cached && !seen.direct_io);
    unused && (direct(facts) || to_direct(facts))
}

fn direct(facts: &Facts) -> bool {
    facts.from.direct
}

fn to_direct(facts: &Facts) -> bool {
    facts.to.direct
}

fn discards(facts: &Facts) -> bool {
    facts.msg_flags & MSG_TRUNC != 0
}

fn errors_only(facts: &Facts) -> bool {
    facts.msg_flags & MSG_ERRQUEUE != 0
}

fn zerocopy(facts: &Facts) -> bool {
    facts.msg_flags & MSG_ZEROCOPY != 0 && !facts.zerocopy_off
}

fn remote(facts: &Facts) -> bool {
    facts.from.fs == Fs::Remote || facts.to.fs == Fs::Remote
}

fn remote_direct(facts: &Facts) -> bool {
    remote(facts) && (direct(facts) || to_direct(facts))
}

/// The file system can share extents, and the call touched no page of the page cache.
fn reflinked(facts: &Facts) -> bool {
    facts.to.fs == Fs::Reflink
        && facts
            .seen
            .is_some_and(|seen| !seen.cached && !seen.direct_io)
}

fn undecided(facts: &Facts) -> bool {
    facts.to.fs == Fs::Reflink && facts.seen.is_none()
}

fn encrypted(facts: &Facts) -> bool {
    facts.tls
}

fn private(facts: &Facts) -> bool {
    facts.private
}

const READ: &[Move] = &[Move::Read];
const WRITE: &[Move] = &[Move::Write];
const RECV: &[Move] = &[Move::Recv, Move::Read];
const SEND: &[Move] = &[Move::Send, Move::Write];
const SENDFILE: &[Move] = &[Move::Sendfile];
const SPLICE: &[Move] = &[Move::Splice];
const SPLICES: &[Move] = &[Move::Sendfile, Move::Splice];
const TEE: &[Move] = &[Move::Tee];
const VMSPLICE: &[Move] = &[Move::Vmsplice];
const RANGE: &[Move] = &[Move::CopyRange];

use Kinds as K;

/// The rules for calls. The first row that fits decides.
#[rustfmt::skip] // a table: what a row says stands on its first line
pub static RULES: &[Rule] = &[
    Rule { name: "direct-remote-not-seen", moves: &[Move::Read, Move::Write], from: K::FILE.or(K::USER), to: K::FILE.or(K::USER), when: remote_direct, does: Does::CannotTell,
        en: "O_DIRECT on a network or user-space file system: how the bytes travel can't be seen from this call.",
        zh: "网络或用户态文件系统上的 O_DIRECT：从这个调用看不出字节怎样传送。" },

    // read, pread64, readv …
    Rule { name: "direct-read-fell-back", moves: READ, from: K::FILE, to: K::USER, when: fell_back, does: COPY,
        en: "O_DIRECT was asked for, but the file system read through the page cache: the CPU copied what the call returned.",
        zh: "程序要求 O_DIRECT，但文件系统仍经页缓存读取：CPU 拷贝了返回值那么多字节。" },
    Rule { name: "direct-read-not-copied", moves: READ, from: K::FILE, to: K::USER, when: direct, does: Does::LeavesToDevice,
        en: "O_DIRECT: the device writes into the program's memory (measured as DMA), the CPU copies nothing.",
        zh: "O_DIRECT：设备直接写入程序的内存（实测为 DMA），CPU 不拷贝。" },
    Rule { name: "read-returns-copied", moves: READ, from: K::FILE, to: K::USER, when: always, does: COPY,
        en: "A read without O_DIRECT copies what it returns from the page cache to the program's memory.",
        zh: "不带 O_DIRECT 的读，把返回值那么多字节从页缓存拷贝到程序内存。" },
    Rule { name: "shmem-read-copied", moves: READ, from: K::SHMEM, to: K::USER, when: always, does: COPY,
        en: "tmpfs and memfd: the data is in memory already, a read copies what it returns.",
        zh: "tmpfs 和 memfd：数据本来就在内存里，读操作拷贝返回值那么多字节。" },
    Rule { name: "pipe-read-copied", moves: READ, from: K::PIPE, to: K::USER, when: always, does: COPY,
        en: "Reading a pipe copies what it returns to the program's memory.",
        zh: "读管道会把返回值那么多字节拷贝到程序内存。" },
    Rule { name: "zeros-filled", moves: READ, from: K::ZERO, to: K::USER, when: always, does: FILL,
        en: "Reading /dev/zero: the CPU writes zeros, there is nothing to copy from.",
        zh: "读 /dev/zero：CPU 直接写零，没有源数据可拷贝。" },
    Rule { name: "kernel-read-copied", moves: READ, from: K::KERNEL, to: K::USER, when: always, does: COPY,
        en: "The kernel made these bytes itself (proc, sysfs, terminal, random, eventfd …) and copies them out.",
        zh: "这些字节由内核自己产生（proc、sysfs、终端、随机数、eventfd 等），再拷贝给程序。" },

    // Sockets: recv*, and read; send*, and write.
    Rule { name: "error-queue-read", moves: RECV, from: K::SOCKET, to: K::USER, when: errors_only, does: Does::Discards,
        en: "MSG_ERRQUEUE reads notices (such as zero-copy completions), not data.",
        zh: "MSG_ERRQUEUE 读取的是通知（例如零拷贝完成通知），不是数据。" },
    Rule { name: "receive-discarded", moves: RECV, from: K::TCP, to: K::USER, when: discards, does: Does::Discards,
        en: "MSG_TRUNC on TCP throws the bytes away without copying them.",
        zh: "TCP 上的 MSG_TRUNC 直接丢弃字节，不拷贝。" },
    Rule { name: "receive-copied", moves: RECV, from: K::SOCKET, to: K::USER, when: always, does: COPY,
        en: "Receiving copies what the call returns out of the socket's packets.",
        zh: "接收会把返回值那么多字节从套接字的数据包中拷贝出来。" },
    Rule { name: "receive-zerocopy", moves: &[Move::RecvZc], from: K::SOCKET, to: K::USER, when: always, does: SHARE,
        en: "Zero-copy receive: the pages of the packets are mapped into the program, nothing is copied.",
        zh: "零拷贝接收：数据包所在的页直接映射给程序，不拷贝。" },
    Rule { name: "send-zerocopy-shared", moves: SEND, from: K::USER, to: K::INET, when: zerocopy, does: SHARE,
        en: "MSG_ZEROCOPY: the socket takes references to the program's pages, nothing is copied at the send.",
        zh: "MSG_ZEROCOPY：套接字只引用程序的页，发送时不拷贝。" },
    Rule { name: "send-zc-shared", moves: &[Move::SendZc], from: K::USER, to: K::INET, when: always, does: SHARE,
        en: "io_uring SEND_ZC: the socket takes references to the program's pages, nothing is copied at the send.",
        zh: "io_uring SEND_ZC：套接字只引用程序的页，发送时不拷贝。" },
    Rule { name: "send-copied", moves: SEND, from: K::USER, to: K::SOCKET, when: always, does: COPY,
        en: "Sending copies the program's bytes into the socket's packets.",
        zh: "发送会把程序的字节拷贝到套接字的数据包里。" },

    // write, pwrite64, writev …
    Rule { name: "direct-write-fell-back", moves: WRITE, from: K::USER, to: K::FILE, when: fell_back, does: COPY,
        en: "O_DIRECT was asked for, but the file system wrote through the page cache: the CPU copied what the call returned.",
        zh: "程序要求 O_DIRECT，但文件系统仍经页缓存写入：CPU 拷贝了返回值那么多字节。" },
    Rule { name: "direct-write-not-copied", moves: WRITE, from: K::USER, to: K::FILE, when: to_direct, does: Does::LeavesToDevice,
        en: "O_DIRECT: the device reads the program's memory (measured as DMA), the CPU copies nothing.",
        zh: "O_DIRECT：设备直接读取程序的内存（实测为 DMA），CPU 不拷贝。" },
    Rule { name: "write-copied", moves: WRITE, from: K::USER, to: K::FILE, when: always, does: COPY,
        en: "A write without O_DIRECT copies what it returns into the page cache; the device gets it later.",
        zh: "不带 O_DIRECT 的写，把返回值那么多字节拷贝到页缓存，稍后才交给设备。" },
    Rule { name: "shmem-write-copied", moves: WRITE, from: K::USER, to: K::SHMEM, when: always, does: COPY,
        en: "tmpfs and memfd: a write copies what it returns into memory, and no device is involved.",
        zh: "tmpfs 和 memfd：写操作把返回值那么多字节拷贝到内存，不涉及任何设备。" },
    Rule { name: "pipe-write-copied", moves: WRITE, from: K::USER, to: K::PIPE, when: always, does: COPY,
        en: "Writing to a pipe copies the program's bytes into it.",
        zh: "写管道会把程序的字节拷贝进去。" },
    Rule { name: "write-discarded", moves: WRITE, from: K::USER, to: K::SINK, when: always, does: Does::Discards,
        en: "/dev/null does not even look at the bytes.",
        zh: "/dev/null 根本不看这些字节。" },
    Rule { name: "kernel-write-copied", moves: WRITE, from: K::USER, to: K::KERNEL, when: always, does: COPY,
        en: "Writing to a terminal, proc, sysfs, eventfd … copies the bytes into a buffer of the kernel.",
        zh: "写终端、proc、sysfs、eventfd 等，会把字节拷贝到内核缓冲区。" },

    Rule { name: "tls-encrypted", moves: &[Move::Sendfile, Move::Splice, Move::Send, Move::Write], from: K::USER.or(K::PAGES).or(K::PIPE), to: K::TCP, when: encrypted, does: COPY,
        en: "kTLS: the CPU reads every byte and writes it encrypted into the socket's packets, so sendfile and splice do not pass references either.",
        zh: "kTLS：CPU 读出每个字节，加密后写进套接字的数据包，所以 sendfile 和 splice 也不能只传引用。" },

    // sendfile and splice. The pipe that sendfile uses inside the kernel is no place.
    Rule { name: "splice-discarded", moves: SPLICES, from: K::PAGES.or(K::PIPE).or(K::KERNEL).or(K::ZERO), to: K::SINK, when: always, does: Does::Discards,
        en: "References to the pages were taken and dropped again: /dev/null takes no bytes.",
        zh: "只是取得页的引用后又放掉：/dev/null 不要任何字节。" },
    Rule { name: "splice-to-direct-not-copied", moves: SPLICES, from: K::PAGES.or(K::PIPE), to: K::FILE, when: to_direct, does: Does::LeavesToDevice,
        en: "The target is open with O_DIRECT: the device reads the very pages (measured as DMA).",
        zh: "目标以 O_DIRECT 打开：设备直接读取这些页（实测为 DMA）。" },
    Rule { name: "splice-from-direct-shared", moves: SPLICES, from: K::FILE, to: K::SOCKET.or(K::PIPE), when: direct, does: SHARE_KERNEL,
        en: "The source is open with O_DIRECT: the device fills pages of the kernel's own, which are passed on.",
        zh: "源以 O_DIRECT 打开：设备写满内核自己的页，再把这些页传引用。" },
    Rule { name: "sendfile-shared", moves: SENDFILE, from: K::PAGES, to: K::SOCKET.or(K::PIPE), when: always, does: SHARE,
        en: "sendfile passes references to the file's pages on: the CPU copies nothing.",
        zh: "sendfile 只传递文件页的引用：CPU 不拷贝。" },
    Rule { name: "sendfile-copied", moves: SENDFILE, from: K::PAGES, to: K::PAGES.or(K::KERNEL), when: always, does: COPY,
        en: "sendfile from file to file copies once, inside the kernel.",
        zh: "sendfile 从文件到文件，会在内核里拷贝一次。" },
    Rule { name: "splice-file-shared", moves: SPLICE, from: K::PAGES, to: K::PIPE, when: always, does: SHARE,
        en: "splice puts references to the file's pages into the pipe: the CPU copies nothing.",
        zh: "splice 把文件页的引用放进管道：CPU 不拷贝。" },
    Rule { name: "splice-pipe-to-socket-shared", moves: SPLICE, from: K::PIPE, to: K::SOCKET, when: always, does: SHARE,
        en: "splice hands the pipe's pages to the socket by reference.",
        zh: "splice 把管道里的页以引用方式交给套接字。" },
    Rule { name: "splice-pipe-to-pipe-shared", moves: SPLICE, from: K::PIPE, to: K::PIPE, when: always, does: SHARE,
        en: "splice moves references from one pipe to the other.",
        zh: "splice 把引用从一个管道移到另一个管道。" },
    Rule { name: "splice-pipe-to-file-copied", moves: SPLICE, from: K::PIPE, to: K::PAGES.or(K::KERNEL), when: always, does: COPY,
        en: "splice from a pipe to a file copies: the file keeps pages of its own.",
        zh: "splice 从管道到文件会拷贝：文件要保留自己的页。" },
    Rule { name: "splice-socket-shared", moves: SPLICE, from: K::STREAM, to: K::PIPE, when: always, does: SHARE,
        en: "splice passes the packets' pages to the pipe by reference (the first bytes of a packet may be copied).",
        zh: "splice 把数据包的页以引用方式交给管道（数据包开头的少量字节可能被拷贝）。" },
    Rule { name: "splice-source-copied", moves: SPLICES, from: K::SOCKET.or(K::KERNEL), to: K::PIPE.or(K::SOCKET).or(K::PAGES), when: always, does: COPY,
        en: "This source has no pages to pass on: its bytes are copied into fresh ones.",
        zh: "这种源没有可传引用的页：字节要拷贝到新的页里。" },
    Rule { name: "splice-zeros-filled", moves: SPLICES, from: K::ZERO, to: K::PIPE.or(K::SOCKET), when: always, does: FILL,
        en: "Pages of zeros are made and passed on.",
        zh: "内核生成全零的页再传引用。" },
    Rule { name: "splice-zeros-copied", moves: SPLICES, from: K::ZERO, to: K::PAGES, when: always, does: FILL_COPY,
        en: "Pages of zeros are made, and copied into the file.",
        zh: "内核生成全零的页，再拷贝进文件。" },
    Rule { name: "tee-shared", moves: TEE, from: K::PIPE, to: K::PIPE, when: always, does: SHARE,
        en: "tee gives the second pipe references to the same pages.",
        zh: "tee 让第二个管道引用同样的页。" },
    Rule { name: "vmsplice-shared", moves: VMSPLICE, from: K::USER, to: K::PIPE, when: always, does: SHARE,
        en: "vmsplice puts references to the program's pages into the pipe.",
        zh: "vmsplice 把程序内存页的引用放进管道。" },
    Rule { name: "vmsplice-copied", moves: VMSPLICE, from: K::PIPE, to: K::USER, when: always, does: COPY,
        en: "vmsplice out of a pipe copies, like a read.",
        zh: "从管道 vmsplice 到内存会拷贝，和 read 一样。" },

    // copy_file_range and reflinks.
    Rule { name: "copy-range-remote", moves: RANGE, from: K::FILE, to: K::FILE, when: remote, does: Does::CannotTell,
        en: "The server, or the process behind the file system, may have copied: this machine can't see it.",
        zh: "可能由服务器或文件系统背后的进程完成拷贝：本机看不到。" },
    Rule { name: "copy-range-reflinked", moves: RANGE, from: K::FILE, to: K::FILE, when: reflinked, does: SHARE,
        en: "copy_file_range touched no page on a file system that can share extents: the files now share them.",
        zh: "copy_file_range 没有触及任何页，而文件系统能共享区段：两个文件现在共享这些区段。" },
    Rule { name: "copy-range-undecided", moves: RANGE, from: K::FILE, to: K::FILE, when: undecided, does: Does::CannotTell,
        en: "This file system may have shared extents or copied; without the event stream it can't be told.",
        zh: "文件系统可能共享了区段，也可能拷贝了；没有事件流就无法判断。" },
    Rule { name: "copy-range-copied", moves: RANGE, from: K::PAGES, to: K::PAGES, when: always, does: COPY,
        en: "copy_file_range without shared extents copies once, inside the kernel.",
        zh: "copy_file_range 在不能共享区段时，会在内核里拷贝一次。" },
    Rule { name: "reflink-shared", moves: &[Move::Clone], from: K::FILE, to: K::FILE, when: always, does: SHARE,
        en: "FICLONE makes the files share their extents: no data moves.",
        zh: "FICLONE 让两个文件共享区段：数据没有移动。" },

    Rule { name: "process-vm-copied", moves: &[Move::ProcessVm], from: K::USER, to: K::USER, when: always, does: COPY,
        en: "process_vm_readv and process_vm_writev copy from one process's memory to the other's, once.",
        zh: "process_vm_readv 和 process_vm_writev 在两个进程的内存之间拷贝一次。" },
    Rule { name: "userfault-copied", moves: &[Move::FaultCopy], from: K::USER, to: K::USER, when: always, does: COPY,
        en: "UFFDIO_COPY copies the bytes into a new page, for whoever waits for it.",
        zh: "UFFDIO_COPY 把字节拷贝进新页，交给正在等待的一方。" },
    Rule { name: "userfault-zero-page-mapped", moves: &[Move::FaultZero], from: K::ZERO, to: K::USER, when: always, does: MAP,
        en: "UFFDIO_ZEROPAGE maps the shared page of zeros: a page of its own is made at the first write.",
        zh: "UFFDIO_ZEROPAGE 映射共享的零页：首次写入时才分配自己的页。" },
    Rule { name: "populate-copied", moves: &[Move::Populate], from: K::PAGES, to: K::USER, when: private, does: COPY,
        en: "MAP_POPULATE of a private writable mapping makes the private copies at once.",
        zh: "对私有可写映射用 MAP_POPULATE，会立即做好私有副本。" },
    Rule { name: "populate-mapped", moves: &[Move::Populate], from: K::PAGES, to: K::USER, when: always, does: MAP,
        en: "MAP_POPULATE maps the whole range at once.",
        zh: "MAP_POPULATE 一次映射整个范围。" },
];
