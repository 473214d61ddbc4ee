//! Every path, and the hops that tracing it must show.

use anyhow::Result;
use bytehop_core::i18n::Lang;
use bytehop_core::model::HopKind;

use crate::scene::{Done, Scene};
use crate::work::{
    aio, crypto, files, inner, memory, overlay, pipes, sockets, uring, veth, writeback, zerocopy,
};

/// One path.
pub struct Row {
    pub name: &'static str,
    en: &'static str,
    zh: &'static str,
    pub work: fn(&mut Scene) -> Result<Done>,
    /// Its files are on tmpfs, whatever folder was named.
    pub in_memory: bool,
    /// What must be seen; where a kernel may rightly do one thing or another, the alternatives.
    pub ways: &'static [&'static [Expect]],
    /// What level T may not know of it.
    pub lacks: Option<Lack>,
}

/// Hops whose number level T may not know.
pub struct Lack {
    /// Their kinds: what it says of the row's others is exact.
    pub hops: &'static [HopKind],
    /// In English and Chinese.
    why: [&'static str; 2],
}

/// The fault's tracepoint tells a range.
const RANGE: Lack = Lack {
    hops: &[HopKind::Map],
    why: [
        "of fault-around level T knows the range, not which of its pages were mapped already; and a large folio may be mapped whole",
        "对于 fault-around，T 级只知道范围，不知道其中哪些页早已映射；大 folio 还可能整个映射",
    ],
};
/// Nothing tells a page of the cache that is read from one that was never there.
const HOLE: Lack = Lack {
    hops: &[HopKind::Fill, HopKind::Copy],
    why: [
        "on btrfs and overlayfs level T does not know a hole from cached pages",
        "在 btrfs 和 overlayfs 上，T 级分不清空洞与已缓存的页",
    ],
};
/// No tracepoint of level T tells of a segment that is sent again.
const RESENT: Lack = Lack {
    hops: &[HopKind::Copy],
    why: [
        "what TCP sends again is copied again: level T does not see it",
        "TCP 重传的数据会再拷贝一次：T 级看不到",
    ],
};

impl Row {
    /// A disk is part of it: it is worth a run on each.
    pub fn on_disk(&self) -> bool {
        let mut hops = self.ways.iter().flat_map(|way| way.iter());
        !self.in_memory && hops.any(|hop| [hop.from, hop.to].iter().any(|spot| spot.on_disk()))
    }

    /// Why level T may not know all of it.
    pub fn lacks(&self, lang: Lang) -> Option<&'static str> {
        Some(lang.of(&self.lacks.as_ref()?.why))
    }

    pub fn title(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

/// A hop that must be seen.
#[derive(Clone, Copy, Debug)]
pub struct Expect {
    pub kind: HopKind,
    pub from: Spot,
    pub to: Spot,
    pub bytes: Bytes,
}

/// A place, devices without their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    User,
    Cache,
    Shmem,
    Pipe,
    Socket,
    Disk,
    Nic,
    Zero,
    /// Memory of the kernel's that is none of these.
    Kernel,
}

impl Spot {
    fn on_disk(self) -> bool {
        matches!(self, Self::Cache | Self::Disk)
    }
}

/// Each of the two threads has its number of `rseq` in one, and may have its own number in another.
pub const FEW_PAGES: u64 = 4;

/// How many bytes a hop must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// The payload.
    All,
    /// So many times the payload.
    Times(u64),
    /// What the kernel's own account of the process says that it read from disks.
    Accounted,
    /// The payload, and what TCP sent once more, as far as that was copied again: a packet that had not arrived is
    /// copied once.
    Resent,
    /// The payload, and headers or whole blocks around it.
    AtLeast,
    /// The payload, and no more than [`FEW_PAGES`] of the program that the kernel writes to meanwhile (the
    /// processor's number, of `rseq`) and copies since a fork.
    AndPages,
    /// Perhaps, at any time: not compared.
    Maybe,
}

macro_rules! paths {
    ($($name:literal $([$memory:ident])? $((lacks $lacks:ident))? $en:literal $zh:literal $module:ident::$work:ident
        $({ $($kind:ident $from:ident > $to:ident $bytes:ident $(($n:literal))?),* })|+;)*) => {
        /// Every path.
        pub static PATHS: &[Row] = &[$(Row {
            name: $name,
            en: $en,
            zh: $zh,
            work: $module::$work,
            in_memory: paths!(@memory $($memory)?),
            ways: &[$(&[$(Expect {
                kind: HopKind::$kind,
                from: Spot::$from,
                to: Spot::$to,
                bytes: Bytes::$bytes $(($n))?,
            }),*]),+],
            lacks: paths!(@lacks $($lacks)?),
        }),*];
    };
    (@lacks $why:ident) => { Some($why) };
    (@lacks) => { None };
    (@memory memory) => { true };
    (@memory) => { false };
}

paths! {
    // Files.
    "read-cached" "read a cached file" "读已在页缓存中的文件" files::read_cached
        { Copy Cache > User All };
    "read-cold" "read a file that is not in the page cache" "读不在页缓存中的文件" files::read_cold
        { Dma Disk > Cache All, Copy Cache > User All };
    "readahead" "read one page of a cold file" "读冷文件的一页（预读）" files::readahead
        { Dma Disk > Cache Accounted, Copy Cache > User All };
    "write" "write a file" "写文件" files::write
        { Copy User > Cache All, Dma Cache > Disk Maybe };
    "write-fsync" "write a file, and fsync" "写文件并 fsync" files::write_fsync
        { Copy User > Cache All, Dma Cache > Disk All };
    "write-back" "write a file, written back by another thread's sync" "写文件，由另一线程的 sync 回写" files::write_back
        { Copy User > Cache All, Dma Cache > Disk All };
    "write-back-time" "write a file, written back because time has passed" "写文件，到期后由内核回写" writeback::by_time
        { Copy User > Cache All, Dma Cache > Disk All };
    "write-back-memory" "write a file, written back because memory is short" "写文件，因内存不足由内核回写" writeback::by_memory
        // It asks the kernel for its control group's account.
        { Copy User > Cache All, Dma Cache > Disk All, Copy Kernel > User Maybe };
    "direct-read" "read with O_DIRECT" "O_DIRECT 读" files::direct_read
        { Dma Disk > User All } | { Dma Disk > Cache All, Copy Cache > User All };
    "direct-write" "write with O_DIRECT" "O_DIRECT 写" files::direct_write
        { Dma User > Disk All } | { Copy User > Cache All, Dma Cache > Disk All };
    "direct-read-hole" (lacks HOLE) "read a hole with O_DIRECT: filled with zeros" "O_DIRECT 读文件空洞：填零" files::direct_read_hole
        { Fill Zero > User All } | { Fill Zero > Cache All, Copy Cache > User All } | { Copy Cache > User All };
    "direct-unaligned" "read with O_DIRECT, unaligned: through the page cache after all" "未对齐的 O_DIRECT 读：仍经页缓存" files::direct_unaligned
        { Dma Disk > Cache Accounted, Copy Cache > User All };
    "direct-hole" "write with O_DIRECT into a hole: ext4 without extents goes through the page cache after all" "O_DIRECT 写文件空洞：无 extents 的 ext4 仍经页缓存" files::direct_hole
        { Dma User > Disk All } | { Copy User > Cache All, Dma Cache > Disk All };
    "bounced-read" "read with O_DIRECT, through bounce buffers (swiotlb)" "O_DIRECT 读，经反弹缓冲区（swiotlb）" files::bounced
        { Dma Disk > User All, Copy Kernel > Kernel All };
    "block-device" "read the block device itself" "直接读块设备" files::block_device
        { Copy Cache > User All };
    "sendfile-file" "sendfile from file to file" "sendfile：文件 → 文件" files::sendfile_file
        { Copy Cache > Cache All, Dma Cache > Disk Maybe };
    "copy-file-range" "copy_file_range" "copy_file_range" files::copy_range
        { Copy Cache > Cache All, Dma Cache > Disk Maybe } | { Share Cache > Cache All };
    "reflink" "FICLONE" "FICLONE（reflink）" files::reflink
        { Share Cache > Cache All };
    "copy-up" "chmod on an overlay: the file is copied up" "overlay 上的 chmod：文件先拷贝到上层" overlay::copy_up
        { Copy Cache > Cache All, Dma Cache > Disk Maybe };
    "tmpfs-read" [memory] "read a file on tmpfs" "读 tmpfs 上的文件" files::read_cached
        { Copy Shmem > User All };
    "tmpfs-write" [memory] "write a file on tmpfs" "写 tmpfs 上的文件" files::write
        { Copy User > Shmem All };
    "tmpfs-sendfile" [memory] "sendfile from tmpfs to TCP" "sendfile：tmpfs → TCP" sockets::sendfile_tcp
        { Share Shmem > Socket All, Copy Socket > User All };

    // Memory.
    "zero-fill" "first touch of anonymous memory" "首次触碰匿名内存" memory::zero_fill
        { Fill Zero > User All };
    "huge-page" "first touch of a huge page" "首次触碰大页" memory::huge_page
        { Fill Zero > User All };
    "map-read" (lacks RANGE) "read a mapped, cached file" "读已映射且已缓存的文件" memory::map_read
        { Map Cache > User All };
    "map-read-cold" (lacks RANGE) "read a mapped file that is not in the page cache" "读已映射但不在页缓存中的文件" memory::map_read_cold
        { Dma Disk > Cache All, Map Cache > User All };
    "map-shared-write" (lacks RANGE) "write to a shared mapping, and msync" "写共享映射并 msync" memory::map_shared_write
        { Map Cache > User All, Dma Cache > Disk All };
    "map-private-write" "write to a private mapping of a file" "写文件的私有映射" memory::map_private_write
        { Copy Cache > User All };
    "populate" "MAP_POPULATE, shared" "MAP_POPULATE（共享）" memory::populate
        { Map Cache > User All };
    "populate-private" "MAP_POPULATE, private and writable" "MAP_POPULATE（私有可写）" memory::populate_private
        { Copy Cache > User All };
    "copy-after-fork" "write to memory that is shared with the parent" "fork 后写与父进程共享的内存" memory::copy_after_fork
        { Copy User > User All };
    "swap-in" "touch memory that is on a swap device" "触碰已换出的内存" memory::swap_in
        { Dma Disk > User Accounted };

    // Faults that the kernel takes inside a call.
    "pinned-after-fork" "write with O_DIRECT from memory that is shared since a fork: copied before it is pinned" "用 fork 后仍共享的内存做 O_DIRECT 写：固定页之前先拷贝" inner::pinned_after_fork
        { Copy User > User AndPages, Dma User > Disk All };
    "read-after-fork" "read a file into memory that is shared since a fork" "把文件读进 fork 后仍共享的内存" inner::read_after_fork
        { Copy Cache > User All, Copy User > User AndPages };
    "userfault-copy" "UFFDIO_COPY" "UFFDIO_COPY" inner::userfault
        { Copy User > User All };

    // Pipes.
    "pipe" "write to a pipe, and read it" "写管道再读出" pipes::pipe_copy
        { Copy User > Pipe All, Copy Pipe > User All };
    "splice-file-pipe" "splice from file to pipe" "splice：文件 → 管道" pipes::splice_from_file
        { Share Cache > Pipe All, Copy Pipe > User All };
    "splice-pipe-file" "splice from pipe to file" "splice：管道 → 文件" pipes::splice_to_file
        { Copy User > Pipe All, Copy Pipe > Cache All, Dma Cache > Disk Maybe };
    "sendfile-pipe" "sendfile from file to pipe" "sendfile：文件 → 管道" pipes::sendfile_pipe
        { Share Cache > Pipe All, Copy Pipe > User All };
    "tee" "tee from pipe to pipe" "tee：管道 → 管道" pipes::tee
        { Copy User > Pipe All, Share Pipe > Pipe All, Copy Pipe > User Times(2) };
    "vmsplice" "vmsplice into a pipe" "vmsplice 进管道" pipes::vmsplice
        { Share User > Pipe All, Copy Pipe > User All };
    "vmsplice-gift" "vmsplice pages as a gift, and splice them to a file: copied after all" "vmsplice 赠页，再 splice 到文件：仍会拷贝" pipes::vmsplice_gift
        { Share User > Pipe All, Copy Pipe > Cache All, Dma Cache > Disk Maybe };
    "vmsplice-out" "vmsplice out of a pipe" "vmsplice 从管道取出" pipes::vmsplice_out
        { Copy User > Pipe All, Copy Pipe > User All };
    "process-vm" "process_vm_readv" "process_vm_readv" pipes::process_vm
        { Copy User > User All };

    "process-vm-write" "process_vm_writev" "process_vm_writev" pipes::process_vm_write
        { Copy User > User All };

    "proc-mem" "read memory through /proc/PID/mem" "通过 /proc/PID/mem 读内存" pipes::proc_mem
        { Copy User > Kernel All, Copy Kernel > User All };
    "proc-mem-write" "write memory through /proc/PID/mem" "通过 /proc/PID/mem 写内存" pipes::proc_mem_write
        { Copy User > Kernel All, Copy Kernel > User All };

    // Sockets.
    "read-write-tcp" "read and write to TCP" "read 加 write：文件 → TCP" sockets::read_write_tcp
        { Copy Cache > User All, Copy User > Socket All, Copy Socket > User All };
    "map-write-tcp" "mmap and write to TCP" "mmap 加 write：文件 → TCP" sockets::map_write_tcp
        { Copy User > Socket All, Copy Socket > User All };
    "sendfile-tcp" "sendfile to TCP" "sendfile：文件 → TCP" sockets::sendfile_tcp
        { Share Cache > Socket All, Copy Socket > User All };
    "splice-tcp" "splice through a pipe to TCP" "splice：文件 → 管道 → TCP" sockets::splice_tcp
        { Share Cache > Pipe All, Share Pipe > Socket All, Copy Socket > User All };
    "splice-from-tcp" "splice from TCP through a pipe to a file" "splice：TCP → 管道 → 文件" sockets::splice_from_tcp
        { Copy User > Socket All, Share Socket > Pipe All, Copy Pipe > Cache All, Dma Cache > Disk Maybe };
    "sendfile-unix" "sendfile to a UNIX socket" "sendfile：文件 → UNIX 套接字" sockets::sendfile_unix
        { Share Cache > Socket All, Copy Socket > User All };
    "unix-stream" "UNIX stream socket" "UNIX 流套接字" sockets::unix_stream
        { Copy User > Socket All, Copy Socket > User All };
    "unix-datagram" "UNIX datagram socket" "UNIX 数据报套接字" sockets::unix_datagram
        { Copy User > Socket All, Copy Socket > User All };
    "udp" "UDP" "UDP" sockets::udp
        { Copy User > Socket All, Copy Socket > User All };
    "udp-many" "UDP with sendmmsg and recvmmsg" "UDP（sendmmsg、recvmmsg）" sockets::udp_many
        { Copy User > Socket All, Copy Socket > User All };
    "zerocopy" (lacks RESENT) "MSG_ZEROCOPY over loopback: copied late" "经回环的 MSG_ZEROCOPY：延后拷贝" zerocopy::send_by_reference
        { Share User > Socket All, Copy User > Socket Resent, Copy Socket > User All };
    "zerocopy-receive" "TCP receive zero-copy: the packets' pages are mapped" "TCP 零拷贝接收：映射数据包的页" zerocopy::receive_by_reference
        { Share User > Socket All, Copy User > Socket Resent, Share Socket > User All };
    "veth" "read and write to TCP between network namespaces, through veth" "经 veth 在两个网络命名空间之间 read 加 write：文件 → TCP" veth::read_write
        { Copy Cache > User All, Copy User > Socket All, Copy Socket > User All };
    "veth-sendfile" "sendfile to TCP between network namespaces, through veth" "经 veth 在两个网络命名空间之间 sendfile：文件 → TCP" veth::sendfile
        { Share Cache > Socket All, Copy Socket > User All };
    "ktls-sendfile" "sendfile to a socket with kTLS: encrypted by a CPU" "sendfile 到 kTLS 套接字：由 CPU 加密" sockets::ktls_sendfile
        { Copy Cache > Socket All, Copy Socket > User AtLeast };
    "sendfile-nic" "sendfile of a cold file to a peer beyond a network device" "sendfile 冷文件到网卡之外的对端" sockets::sendfile_peer
        { Dma Disk > Cache All, Share Cache > Socket All, Dma Socket > Nic AtLeast, Dma Nic > Socket Maybe };

    // io_uring.
    "uring-read" "io_uring: read" "io_uring：读" uring::read
        { Copy Cache > User All };
    "uring-worker" "io_uring: read by a worker thread" "io_uring：由工作线程读" uring::read_worker
        { Copy Cache > User All };
    "uring-sqpoll" "io_uring: read found by the polling thread (SQPOLL)" "io_uring：由轮询线程读（SQPOLL）" uring::read_polled
        { Copy Cache > User All };
    "uring-direct" "io_uring: read with O_DIRECT" "io_uring：O_DIRECT 读" uring::direct
        { Dma Disk > User All } | { Dma Disk > Cache All, Copy Cache > User All };
    "uring-iopoll" "io_uring: completion polled from the device (IOPOLL)" "io_uring：轮询设备完成（IOPOLL）" uring::direct_io_polled
        { Dma Disk > User All };
    "uring-fixed" "io_uring: registered buffer and file" "io_uring：注册缓冲区与文件" uring::read_fixed
        { Copy Cache > User All };
    "uring-provided" "io_uring: provided buffers" "io_uring：预供缓冲区" uring::read_provided
        { Copy Cache > User All };
    "uring-linked" "io_uring: a write linked to a read" "io_uring：链接的读与写" uring::linked
        { Copy Cache > User All, Copy User > Cache All, Dma Cache > Disk Maybe };
    "uring-send" "io_uring: send" "io_uring：发送" uring::send
        { Copy User > Socket All, Copy Socket > User All };
    "uring-receive" "io_uring: receive" "io_uring：接收" uring::receive
        { Copy User > Socket All, Copy Socket > User All };
    "uring-fault" "io_uring: receive on the way back to user mode, before a page fault" "io_uring：返回用户态途中接收，随后缺页" uring::receive_before_fault
        { Copy User > Socket All, Copy Socket > User All, Fill Zero > User Maybe };
    "uring-send-zc" (lacks RESENT) "io_uring: zero-copy send over loopback: copied late" "io_uring：经回环的零拷贝发送，延后拷贝" uring::send_zerocopy
        { Share User > Socket All, Copy User > Socket Resent, Copy Socket > User All };
    "uring-splice" "io_uring: splice from file to pipe" "io_uring：splice 文件 → 管道" uring::splice
        { Share Cache > Pipe All, Copy Pipe > User All };
    "uring-tee" "io_uring: tee" "io_uring：tee" uring::tee
        { Copy User > Pipe All, Share Pipe > Pipe All, Copy Pipe > User Times(2) };

    // The kernel's cryptography.
    "hash" "AF_ALG: hash" "AF_ALG：哈希" crypto::hash
        { Share User > Socket All };
    "cipher" "AF_ALG: encipher" "AF_ALG：加密" crypto::cipher
        { Copy User > Socket All, Copy Socket > User All };

    // Linux AIO.
    "aio-read" "Linux AIO: read" "Linux AIO：读" aio::read
        { Copy Cache > User All };
    "aio-write" "Linux AIO: write" "Linux AIO：写" aio::write
        { Copy User > Cache All, Dma Cache > Disk Maybe };
    "aio-direct-read" "Linux AIO: read with O_DIRECT" "Linux AIO：O_DIRECT 读" aio::direct_read
        { Dma Disk > User All } | { Dma Disk > Cache All, Copy Cache > User All };
    "aio-direct-write" "Linux AIO: write with O_DIRECT" "Linux AIO：O_DIRECT 写" aio::direct_write
        { Dma User > Disk All } | { Copy User > Cache All, Dma Cache > Disk All };
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::PATHS;

    #[test]
    fn names_are_distinct() {
        let names: HashSet<_> = PATHS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), PATHS.len());
    }
}
