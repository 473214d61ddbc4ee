//! The rules: what each is called, where in the kernel its step runs, how sure it is, and what it says.
//!
//! What makes a rule apply stands beside the tables in [`crate::rules`]; here is what people read of it.

use crate::i18n::Lang;

/// How sure a rule is of the bytes that it concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// They went this way.
    Known,
    /// They may have gone one way or another: with more events it could be told.
    Undecided,
    /// Passed on by reference; up to as many may be copied later, by a software device.
    UpTo,
}

macro_rules! rules {
    ($($id:ident $name:literal $certainty:ident, $function:literal, $en:literal, $zh:literal;)*) => {
        /// A rule, by its stable name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RuleId {
            $(#[doc = $name] $id,)*
        }

        impl RuleId {
            /// Every rule, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// As reports, recordings of other tools, labs and JSON name it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The kernel functions in which its step happens, innermost first (`inner < outer`,
            /// `this / that` caller, `first, then`, `one way; another`); names of Linux 6.12, which may
            /// differ in other versions.
            pub const fn function(self) -> &'static str {
                match self { $(Self::$id => $function,)* }
            }

            pub const fn certainty(self) -> Certainty {
                match self { $(Self::$id => Certainty::$certainty,)* }
            }

            /// One line for people on what it concludes, and why.
            pub const fn says(self, lang: Lang) -> &'static str {
                match (self, lang) { $(
                    (Self::$id, Lang::En) => $en,
                    (Self::$id, Lang::Zh) => $zh,
                )* }
            }
        }
    };
}

// Compared with the source of Linux 6.12.117; a table of operations may stand between caller and called. Reads and
// writes of files are in mm/filemap.c, mm/shmem.c, fs/iomap/{buffered-io,direct-io}.c, fs/btrfs/{file,direct-io}.c,
// block/fops.c; pipes and splices in fs/pipe.c, fs/splice.c; sockets in net/ipv4/{tcp,udp,ip_output}.c,
// net/unix/af_unix.c, net/core/{datagram,skbuff}.c; faults in mm/memory.c, mm/huge_memory.c; copies between files in
// fs/remap_range.c, fs/read_write.c.
#[rustfmt::skip] // a table
mod table {
    use super::*;

    rules! {
        // Of calls.
        DirectRemoteNotSeen "direct-remote-not-seen" Undecided, "fuse_direct_io / nfs_file_direct_read / nfs_file_direct_write",
            "O_DIRECT on a network or user-space file system: how the bytes travel can't be seen from this call.",
            "网络或用户态文件系统上的 O_DIRECT：从这个调用看不出字节怎样传送。";
        FuseNotAsked "fuse-not-asked" Undecided, "fuse_file_read_iter / fuse_file_write_iter",
            "This kernel's types do not tell whether the FUSE server answers the call itself or the page cache does: how the bytes travel can't be told.",
            "从此内核的类型信息看不出这个调用由 FUSE 服务进程回答，还是由页缓存回答：无法判断字节怎样传送。";
        FuseReadCopied "fuse-read-copied" Known, "fuse_copy_do < fuse_dev_do_write; fuse_direct_io < fuse_file_read_iter",
            "The FUSE server answers this read itself (FOPEN_DIRECT_IO, O_DIRECT), without the page cache: when it writes its answer, the CPU copies from its memory to the program's. A trace of the server shows the same copy as its write to /dev/fuse.",
            "FUSE 服务进程亲自回答这次读（FOPEN_DIRECT_IO、O_DIRECT），不经页缓存：它写回答时，CPU 从它的内存拷贝到程序的内存。跟踪服务进程时，同一次拷贝显示为它对 /dev/fuse 的写。";
        FuseWriteCopied "fuse-write-copied" Known, "fuse_copy_do < fuse_dev_do_read; fuse_direct_io < fuse_file_write_iter",
            "The FUSE server gets this write itself (FOPEN_DIRECT_IO, O_DIRECT), without the page cache: when it reads the request, the CPU copies from the program's memory to the server's. A trace of the server shows the same copy as its read of /dev/fuse.",
            "FUSE 服务进程亲自接收这次写（FOPEN_DIRECT_IO、O_DIRECT），不经页缓存：它读取请求时，CPU 从程序的内存拷贝到它的内存。跟踪服务进程时，同一次拷贝显示为它对 /dev/fuse 的读。";
        FuseSplicedFrom "fuse-spliced-from" Known, "fuse_copy_do < fuse_dev_do_write; fuse_direct_io < copy_splice_read / generic_file_splice_read",
            "The FUSE server answers without the page cache: the CPU copies its bytes into pages of the kernel's own, which are then passed on.",
            "FUSE 服务进程的回答不经页缓存：CPU 先把字节拷贝到内核自己的页里，再传给对方。";
        FuseSplicedTo "fuse-spliced-to" Known, "fuse_copy_do < fuse_dev_do_read; fuse_direct_io < iter_file_splice_write",
            "The FUSE server gets these pages without the page cache: when it reads the request, the CPU copies them to its memory.",
            "FUSE 服务进程直接取得这些页，不经页缓存：它读取请求时，CPU 把内容拷贝到它的内存。";
        CryptoNotTold "crypto-not-told" Undecided, "sock_sendmsg / sock_recvmsg",
            "A socket of AF_ALG, and this kernel does not tell whether it hashes or enciphers: how the bytes travel can't be told.",
            "AF_ALG 套接字，而此内核看不出它是算哈希还是加解密：无法判断字节怎样传送。";
        HashedInPlace "hashed-in-place" Known, "crypto_ahash_update / crypto_ahash_finup < hash_sendmsg",
            "AF_ALG hash: the kernel takes references to the pages, and the CPU reads every byte of them to compute the hash. Nothing is copied.",
            "AF_ALG 哈希：内核只引用这些页，CPU 读取其中每个字节来计算哈希，不拷贝。";
        HashRead "hash-read" Known, "memcpy_to_msg < hash_recvmsg",
            "AF_ALG hash: the result is copied to the program's memory.",
            "AF_ALG 哈希：把结果拷贝到程序内存。";
        Ciphered "ciphered" Known, "crypto_skcipher_encrypt / crypto_skcipher_decrypt < skcipher_recvmsg; crypto_aead_encrypt / crypto_aead_decrypt < aead_recvmsg",
            "AF_ALG cipher: the CPU reads what was sent, enciphers or deciphers it, and writes the result into the program's memory.",
            "AF_ALG 加解密：CPU 读出已发送的字节，加密或解密后把结果写进程序内存。";
        DirectReadFellBack "direct-read-fell-back" Known, "copy_folio_to_iter < filemap_read",
            "O_DIRECT was asked for, but the file system read through the page cache: the CPU copied what the call returned.",
            "程序要求 O_DIRECT，但文件系统仍经页缓存读取：CPU 拷贝了返回值那么多字节。";
        DirectReadNotCopied "direct-read-not-copied" Known, "__iomap_dio_rw < ext4_dio_read_iter / xfs_file_dio_read / btrfs_direct_read; blkdev_direct_IO < blkdev_read_iter",
            "O_DIRECT: the device writes into the program's memory (measured as DMA), the CPU copies nothing.",
            "O_DIRECT：设备直接写入程序的内存（实测为 DMA），CPU 不拷贝。";
        ReadReturnsCopied "read-returns-copied" Known, "copy_folio_to_iter < filemap_read",
            "A read without O_DIRECT copies what it returns from the page cache to the program's memory.",
            "不带 O_DIRECT 的读，把返回值那么多字节从页缓存拷贝到程序内存。";
        ShmemReadCopied "shmem-read-copied" Known, "copy_page_to_iter < shmem_file_read_iter",
            "tmpfs and memfd: the data is in memory already, a read copies what it returns.",
            "tmpfs 和 memfd：数据本来就在内存里，读操作拷贝返回值那么多字节。";
        PipeReadCopied "pipe-read-copied" Known, "copy_page_to_iter < pipe_read",
            "Reading a pipe copies what it returns to the program's memory.",
            "读管道会把返回值那么多字节拷贝到程序内存。";
        ZerosFilled "zeros-filled" Known, "iov_iter_zero < read_iter_zero",
            "Reading /dev/zero: the CPU writes zeros, there is nothing to copy from.",
            "读 /dev/zero：CPU 直接写零，没有源数据可拷贝。";
        KernelReadCopied "kernel-read-copied" Known, "copy_to_iter / copy_to_user",
            "The kernel made these bytes itself (proc, sysfs, terminal, random, eventfd …) and copies them out.",
            "这些字节由内核自己产生（proc、sysfs、终端、随机数、eventfd 等），再拷贝给程序。";
        ErrorQueueRead "error-queue-read" Known, "ip_recv_error < inet_recv_error",
            "MSG_ERRQUEUE reads notices (such as zero-copy completions), not data.",
            "MSG_ERRQUEUE 读取的是通知（例如零拷贝完成通知），不是数据。";
        ReceiveDiscarded "receive-discarded" Known, "tcp_recvmsg_locked",
            "MSG_TRUNC on TCP throws the bytes away without copying them.",
            "TCP 上的 MSG_TRUNC 直接丢弃字节，不拷贝。";
        ReceiveCutUndecided "receive-cut-undecided" Undecided, "udp_recvmsg",
            "With MSG_TRUNC the call returns the length of the message, however much of it the buffer took: how much was copied can't be told from here.",
            "带 MSG_TRUNC 时，返回值是整条消息的长度，与缓冲区装下多少无关：从这里看不出拷贝了多少。";
        ReceiveCopied "receive-copied" Known, "skb_copy_datagram_iter < tcp_recvmsg_locked / udp_recvmsg / unix_stream_read_generic / __unix_dgram_recvmsg",
            "Receiving copies what the call returns out of the socket's packets.",
            "接收会把返回值那么多字节从套接字的数据包中拷贝出来。";
        ReceiveZerocopy "receive-zerocopy" Known, "vm_insert_pages < tcp_zerocopy_receive",
            "Zero-copy receive: the pages of the packets are mapped into the program, nothing is copied.",
            "零拷贝接收：数据包所在的页直接映射给程序，不拷贝。";
        SendZerocopyShared "send-zerocopy-shared" UpTo, "skb_zerocopy_iter_stream < tcp_sendmsg_locked; skb_zerocopy_iter_dgram < udp_sendmsg",
            "MSG_ZEROCOPY: the socket takes references to the program's pages, nothing is copied at the send.",
            "MSG_ZEROCOPY：套接字只引用程序的页，发送时不拷贝。";
        SendZcShared "send-zc-shared" UpTo, "io_sg_from_iter < io_send_zc",
            "io_uring SEND_ZC: the socket takes references to the program's pages, nothing is copied at the send.",
            "io_uring SEND_ZC：套接字只引用程序的页，发送时不拷贝。";
        SendCopied "send-copied" Known, "skb_do_copy_data_nocache < tcp_sendmsg_locked; ip_generic_getfrag < udp_sendmsg; skb_copy_datagram_from_iter < unix_stream_sendmsg / unix_dgram_sendmsg",
            "Sending copies the program's bytes into the socket's packets.",
            "发送会把程序的字节拷贝到套接字的数据包里。";
        DirectWriteFellBack "direct-write-fell-back" Known, "copy_page_from_iter_atomic < generic_perform_write / iomap_file_buffered_write / btrfs_buffered_write",
            "O_DIRECT was asked for, but the file system wrote through the page cache: the CPU copied what the call returned.",
            "程序要求 O_DIRECT，但文件系统仍经页缓存写入：CPU 拷贝了返回值那么多字节。";
        DirectWriteNotCopied "direct-write-not-copied" Known, "__iomap_dio_rw < ext4_dio_write_iter / xfs_file_dio_write / btrfs_direct_write; blkdev_direct_IO < blkdev_write_iter",
            "O_DIRECT: the device reads the program's memory (measured as DMA), the CPU copies nothing.",
            "O_DIRECT：设备直接读取程序的内存（实测为 DMA），CPU 不拷贝。";
        WriteCopied "write-copied" Known, "copy_page_from_iter_atomic < generic_perform_write / iomap_file_buffered_write / btrfs_buffered_write",
            "A write without O_DIRECT copies what it returns into the page cache; the device gets it later.",
            "不带 O_DIRECT 的写，把返回值那么多字节拷贝到页缓存，稍后才交给设备。";
        ShmemWriteCopied "shmem-write-copied" Known, "copy_page_from_iter_atomic < generic_perform_write",
            "tmpfs and memfd: a write copies what it returns into memory, and no device is involved.",
            "tmpfs 和 memfd：写操作把返回值那么多字节拷贝到内存，不涉及任何设备。";
        PipeWriteCopied "pipe-write-copied" Known, "copy_page_from_iter < pipe_write",
            "Writing to a pipe copies the program's bytes into it.",
            "写管道会把程序的字节拷贝进去。";
        WriteDiscarded "write-discarded" Known, "write_iter_null",
            "/dev/null does not even look at the bytes.",
            "/dev/null 根本不看这些字节。";
        KernelWriteCopied "kernel-write-copied" Known, "copy_from_iter / copy_from_user",
            "Writing to a terminal, proc, sysfs, eventfd … copies the bytes into a buffer of the kernel.",
            "写终端、proc、sysfs、eventfd 等，会把字节拷贝到内核缓冲区。";
        TlsEncrypted "tls-encrypted" Known, "tls_do_encryption < tls_push_record < tls_sw_sendmsg",
            "kTLS: the CPU reads every byte and writes it encrypted into the socket's packets, so sendfile and splice do not pass references either.",
            "kTLS：CPU 读出每个字节，加密后写进套接字的数据包，所以 sendfile 和 splice 也不能只传引用。";
        SpliceDiscarded "splice-discarded" Known, "pipe_to_null < splice_write_null",
            "References to the pages were taken and dropped again: /dev/null takes no bytes.",
            "只是取得页的引用后又放掉：/dev/null 不要任何字节。";
        SpliceToDirectNotCopied "splice-to-direct-not-copied" Known, "iter_file_splice_write < do_splice",
            "The target is open with O_DIRECT: the device reads the very pages (measured as DMA).",
            "目标以 O_DIRECT 打开：设备直接读取这些页（实测为 DMA）。";
        SpliceFromDirectShared "splice-from-direct-shared" Known, "copy_splice_read < splice_file_to_pipe",
            "The source is open with O_DIRECT: the device fills pages of the kernel's own, which are passed on.",
            "源以 O_DIRECT 打开：设备写满内核自己的页，再把这些页传引用。";
        SendfileShared "sendfile-shared" Known, "filemap_splice_read / shmem_file_splice_read, splice_to_socket < do_sendfile",
            "sendfile passes references to the file's pages on: the CPU copies nothing.",
            "sendfile 只传递文件页的引用：CPU 不拷贝。";
        SendfileCopied "sendfile-copied" Known, "filemap_splice_read / shmem_file_splice_read, iter_file_splice_write < do_sendfile",
            "sendfile from file to file copies once, inside the kernel.",
            "sendfile 从文件到文件，会在内核里拷贝一次。";
        SpliceFileShared "splice-file-shared" Known, "filemap_splice_read / shmem_file_splice_read < splice_file_to_pipe",
            "splice puts references to the file's pages into the pipe: the CPU copies nothing.",
            "splice 把文件页的引用放进管道：CPU 不拷贝。";
        RingShared "ring-shared" Known, "tpacket_fill_skb < tpacket_snd",
            "PACKET_TX_RING: packets get references to the pages of the ring, which the program has mapped. Only the link header is copied.",
            "PACKET_TX_RING：数据包引用环形缓冲区的页（程序已映射），只拷贝链路层头部。";
        SplicePipeToSocketShared "splice-pipe-to-socket-shared" Known, "splice_to_socket < do_splice",
            "splice hands the pipe's pages to the socket by reference.",
            "splice 把管道里的页以引用方式交给套接字。";
        SplicePipeToPipeShared "splice-pipe-to-pipe-shared" Known, "splice_pipe_to_pipe < do_splice",
            "splice moves references from one pipe to the other.",
            "splice 把引用从一个管道移到另一个管道。";
        SplicePipeToFileCopied "splice-pipe-to-file-copied" Known, "iter_file_splice_write < do_splice",
            "splice from a pipe to a file copies: the file keeps pages of its own.",
            "splice 从管道到文件会拷贝：文件要保留自己的页。";
        SpliceSocketShared "splice-socket-shared" Known, "skb_splice_bits < tcp_splice_read / unix_stream_splice_read",
            "splice passes the packets' pages to the pipe by reference (the first bytes of a packet may be copied).",
            "splice 把数据包的页以引用方式交给管道（数据包开头的少量字节可能被拷贝）。";
        SpliceSourceCopied "splice-source-copied" Known, "copy_splice_read < splice_file_to_pipe",
            "This source has no pages to pass on: its bytes are copied into fresh ones.",
            "这种源没有可传引用的页：字节要拷贝到新的页里。";
        SpliceZerosFilled "splice-zeros-filled" Known, "iov_iter_zero < read_iter_zero < copy_splice_read",
            "Pages of zeros are made and passed on.",
            "内核生成全零的页再传引用。";
        SpliceZerosCopied "splice-zeros-copied" Known, "iov_iter_zero < read_iter_zero < copy_splice_read, iter_file_splice_write",
            "Pages of zeros are made, and copied into the file.",
            "内核生成全零的页，再拷贝进文件。";
        TeeShared "tee-shared" Known, "link_pipe < do_tee",
            "tee gives the second pipe references to the same pages.",
            "tee 让第二个管道引用同样的页。";
        VmspliceShared "vmsplice-shared" Known, "iter_to_pipe < vmsplice_to_pipe",
            "vmsplice puts references to the program's pages into the pipe.",
            "vmsplice 把程序内存页的引用放进管道。";
        VmspliceCopied "vmsplice-copied" Known, "pipe_to_user < vmsplice_to_user",
            "vmsplice out of a pipe copies, like a read.",
            "从管道 vmsplice 到内存会拷贝，和 read 一样。";
        CopyRangeRemote "copy-range-remote" Undecided, "nfs4_copy_file_range / fuse_copy_file_range < vfs_copy_file_range",
            "The server, or the process behind the file system, may have copied: this machine can't see it.",
            "可能由服务器或文件系统背后的进程完成拷贝：本机看不到。";
        CopyRangeReflinked "copy-range-reflinked" Known, "btrfs_remap_file_range / xfs_file_remap_range < vfs_copy_file_range",
            "copy_file_range touched no page on a file system that can share extents: the files now share them.",
            "copy_file_range 没有触及任何页，而文件系统能共享区段：两个文件现在共享这些区段。";
        CopyRangeUndecided "copy-range-undecided" Undecided, "vfs_copy_file_range",
            "This file system may have shared extents or copied; without the event stream it can't be told.",
            "文件系统可能共享了区段，也可能拷贝了；没有事件流就无法判断。";
        CopyRangeCopied "copy-range-copied" Known, "splice_file_range < vfs_copy_file_range",
            "copy_file_range without shared extents copies once, inside the kernel.",
            "copy_file_range 在不能共享区段时，会在内核里拷贝一次。";
        ReflinkShared "reflink-shared" Known, "btrfs_remap_file_range / xfs_file_remap_range < vfs_clone_file_range",
            "FICLONE makes the files share their extents: no data moves.",
            "FICLONE 让两个文件共享区段：数据没有移动。";
        ProcessVmCopied "process-vm-copied" Known, "process_vm_rw_core",
            "process_vm_readv and process_vm_writev copy from one process's memory to the other's, once.",
            "process_vm_readv 和 process_vm_writev 在两个进程的内存之间拷贝一次。";
        ProcessMemoryCopied "process-memory-copied" Known, "copy_from_user_page / copy_to_user_page < access_remote_vm < mem_rw",
            "/proc/PID/mem and ptrace go through a page of the kernel: the CPU copies into it, and from there on. process_vm_readv copies once.",
            "/proc/PID/mem 和 ptrace 要经过内核的一页：CPU 先拷贝进去，再从那里拷贝出来。process_vm_readv 只拷贝一次。";
        ProcessWordPoked "process-word-poked" Known, "copy_to_user_page < ptrace_access_vm",
            "ptrace writes one word, which is an argument, into the other process's memory.",
            "ptrace 把参数中的一个字写进另一个进程的内存。";
        CopiedUp "copied-up" Known, "ovl_copy_up_file < ovl_copy_up_flags",
            "A file on an overlay is copied to the upper layer as a whole before the call changes it: page cache to page cache.",
            "overlay 上的文件在被这个调用修改之前，先整个拷贝到上层：页缓存 → 页缓存。";
        CoreDumped "core-dumped" Known, "dump_user_range < elf_core_dump",
            "The dying thread copies the program's memory into the core file.",
            "线程终止时，把程序的内存拷贝到 core 文件。";
        UserfaultCopied "userfault-copied" Known, "mfill_atomic_pte_copy < userfaultfd_copy",
            "UFFDIO_COPY copies the bytes into a new page, for whoever waits for it.",
            "UFFDIO_COPY 把字节拷贝进新页，交给正在等待的一方。";
        UserfaultZeroPageMapped "userfault-zero-page-mapped" Known, "mfill_atomic_pte_zeropage < userfaultfd_zeropage",
            "UFFDIO_ZEROPAGE maps the shared page of zeros: a page of its own is made at the first write.",
            "UFFDIO_ZEROPAGE 映射共享的零页：首次写入时才分配自己的页。";
        PopulateCopied "populate-copied" Known, "do_cow_fault < populate_vma_page_range < __mm_populate",
            "MAP_POPULATE of a private writable mapping makes the private copies at once.",
            "对私有可写映射用 MAP_POPULATE，会立即做好私有副本。";
        PopulateMapped "populate-mapped" Known, "filemap_map_pages < populate_vma_page_range < __mm_populate",
            "MAP_POPULATE maps the whole range at once.",
            "MAP_POPULATE 一次映射整个范围。";

        // Of page faults.
        FirstTouchZeroed "first-touch-zeroed" Known, "clear_user_highpage / post_alloc_hook < do_anonymous_page",
            "The first touch of anonymous memory: the CPU fills the new page with zeros.",
            "首次访问匿名内存：CPU 把新页清零。";
        LargeFolioZeroed "large-folio-zeroed" Known, "folio_zero_user < do_anonymous_page / do_huge_pmd_anonymous_page",
            "The first touch of anonymous memory got a large or huge page, which the CPU fills with zeros.",
            "首次访问匿名内存得到大页，CPU 把它清零。";
        CowFaultCopied "cow-fault-copied" Known, "wp_page_copy",
            "Copy-on-write: the first write to a page shared since fork copies it.",
            "写时拷贝：fork 之后首次写共享页时拷贝该页。";
        CowFilePageCopied "cow-file-page-copied" Known, "wp_page_copy",
            "Copy-on-write: the first write to a private file page that was already mapped copies it.",
            "写时拷贝：首次写已映射的私有文件页时拷贝该页。";
        CowShmemPageCopied "cow-shmem-page-copied" Known, "wp_page_copy",
            "Copy-on-write: the first write to a private page of tmpfs or a memfd that was already mapped copies it.",
            "写时拷贝：首次写 tmpfs 或 memfd 的已映射私有页时拷贝该页。";
        CowUnknownPageCopied "cow-unknown-page-copied" Known, "wp_page_copy",
            "Copy-on-write copied a page; this kernel does not tell whether it was a file's or another process's.",
            "写时拷贝拷贝了一页；此内核不能说明该页原属文件还是其他进程。";
        PrivateFileWriteCopied "private-file-write-copied" Known, "do_cow_fault",
            "The first access to a private file page was a write: the page is copied for this process.",
            "对私有文件页的首次访问就是写：为本进程拷贝该页。";
        PrivateShmemWriteCopied "private-shmem-write-copied" Known, "do_cow_fault",
            "The first access to a private page of tmpfs or a memfd was a write: the page is copied for this process.",
            "对 tmpfs 或 memfd 私有页的首次访问就是写：为本进程拷贝该页。";
        ShmemPageZeroed "shmem-page-zeroed" Known, "shmem_get_folio_gfp < shmem_fault",
            "A new page of shared memory: the CPU fills it with zeros.",
            "共享内存的新页：CPU 把它清零。";
        ShmemPageMapped "shmem-page-mapped" Known, "finish_fault < do_shared_fault",
            "A page of shared memory was mapped: no bytes move.",
            "映射了共享内存的页：字节没有移动。";
        FaultAroundRange "fault-around-range" Known, "filemap_map_pages < do_fault_around",
            "Fault-around mapped the cached pages near the fault: this range was asked for, no bytes move. Where pages lie in a large folio, the kernel may map all of it (Linux 6.18 on).",
            "fault-around 映射了缺页地址附近已缓存的页：请求的是这个范围，字节没有移动。若这些页属于大 folio，内核可能一次映射整个 folio（Linux 6.18 起）。";
        FilePageMapped "file-page-mapped" Known, "finish_fault < do_read_fault",
            "A page of the page cache was mapped: at least this one, no bytes move.",
            "映射了页缓存中的页：至少这一页，字节没有移动。";
        ZeroPageMapped "zero-page-mapped" Known, "do_anonymous_page",
            "Untouched anonymous memory was only read: the shared page of zeros was mapped.",
            "只读了未写过的匿名内存：映射共享的零页。";

        // Of more than one event.
        ReceivedFromNic "received-from-nic" Known, "napi_gro_receive < napi_poll",
            "The bytes copied out of the socket came in through this device, which had written them to memory.",
            "从套接字拷出的字节来自这个网络设备，是它把字节写进内存的。";
        ArrivedAtPort "arrived-at-port" Known, "__netif_receive_skb < napi_poll",
            "This device brought a datagram for the port of this socket: its size was measured, whose it is follows from the port. Where several sockets share the port, another of them may have got it.",
            "这个网络设备送来一个数据报，目的端口是这个套接字的：大小是实测的，属于谁则由端口得出。若多个套接字共用这个端口，收到它的也可能是另一个。";
        NetworkFileCopied "network-file-copied" Known, "skb_copy_datagram_iter < tcp_recvmsg < xs_read_bvec (NFS)",
            "These pages are a network file system's: its server sent them, and the CPU copied them out of the packets into the page cache (but over RDMA), in deferred work of the kernel. Whole pages: the last one of a file may hold less. No disk of this machine took part.",
            "这些页属于网络文件系统：内容由服务器发来，CPU 把它们从数据包拷贝到页缓存（RDMA 除外），在内核的延后工作中进行。按整页计：文件的最后一页可能装不满。本机的磁盘没有参与。";
        ZerocopyLateCopy "zerocopy-late-copy" Known, "skb_copy_ubufs",
            "A MSG_ZEROCOPY send over loopback (or another software device) is copied after all, when the packet is delivered.",
            "MSG_ZEROCOPY 发送若经过回环（或其他纯软件设备），数据包投递时仍会被拷贝。";
        SoftwareDeviceCopied "software-device-copied" Known, "lo_rw_aio / zram_submit_bio / brd_submit_bio",
            "This block device is only software (loop, ram disk): a CPU moved the bytes, there was no DMA at this step. What a loop device asks of the disk below its file is a step of its own, and later.",
            "这个块设备只是软件（loop、内存盘）：字节由 CPU 搬运，这一步没有 DMA。loop 设备再向文件所在的磁盘请求的内容另算一步，并且更晚。";
        ZramCompressed "zram-compressed" Known, "zram_write_page / zram_read_page",
            "zram keeps pages compressed in memory: a CPU compressed or decompressed these bytes (a page of one repeated word is only noted). How much memory they take is in mm_stat; there was no DMA.",
            "zram 把页压缩后放在内存里：这些字节由 CPU 压缩或解压（内容全为同一个字的页只作标记）。占用多少内存见 mm_stat；没有 DMA。";
        LoopByReference "loop-by-reference" Known, "lo_rw_aio",
            "This loop device does direct I/O: it hands these very pages to the file system below, and no CPU copies them. The transfer is that of the disk below.",
            "这个 loop 设备使用直接 I/O：它把这些页本身交给下层文件系统，CPU 不拷贝。真正的传输由下层磁盘完成。";
        HandedOn "handed-on" Known, "loop_process_work / dm_submit_bio_remap",
            "A worker of the kernel asked this of the disk for a device that is only software, and a request of this program was under way there. (Readahead of a loop device's file goes beyond what was asked.)",
            "内核的工作线程替一个纯软件设备向磁盘提出了这个请求，当时本程序在那个设备上的请求正在进行。（对 loop 设备所用文件的预读会超出所请求的范围。）";
        TargetBuffered "target-buffered" Known, "crypt_convert < kcryptd_crypt_write_convert",
            "The device mapper wrote other pages than those it was given: a CPU encrypted (or copied) the bytes into memory of its own first.",
            "device mapper 写出的不是交给它的那些页：CPU 先把字节加密（或拷贝）到它自己的内存里。";
        DirectHoleFilled "direct-hole-filled" Known, "iov_iter_zero < iomap_dio_hole_iter < __iomap_dio_rw",
            "O_DIRECT, but no device was asked for these bytes: a hole of the file, or blocks never written. The CPU filled zeros in. (A file system that keeps the file's data in its journal copies cached pages instead.)",
            "使用了 O_DIRECT，但没有向设备请求这些字节：它们是文件空洞，或从未写过的块，由 CPU 填零。（若文件系统把文件数据放在日志里，则会改为拷贝已缓存的页。）";
        HoleReadFilled "hole-read-filled" Known, "folio_zero_segment < ext4_mpage_readpages; folio_zero_range < iomap_readpage_iter",
            "These pages came into the page cache, and no device was asked for them: a hole of the file, or blocks never written. The CPU filled zeros in. The last call that had pages of this file come stands for all.",
            "这些页进了页缓存，但没有向任何设备请求过：它们是文件空洞，或从未写过的块，由 CPU 填零。这里记在最后一个使该文件的页进入页缓存的调用上。";
        IssuedRequestDone "issued-request-done" Known, "blk_mq_start_request",
            "The request was given to the device, but no probe saw it complete: tracing ended before that, or it completed where this kernel runs no probe.",
            "请求已交给设备，但没有探针看到它完成：跟踪在此之前就结束了，或者它完成时这个内核不运行探针。";
    }
}

pub use table::RuleId;

impl RuleId {
    /// The rule of this name; `None` if there is none (any more, or yet).
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_every_cell_is_filled() {
        let names: HashSet<_> = RuleId::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), RuleId::ALL.len());
        for &rule in RuleId::ALL {
            assert_eq!(RuleId::of_name(rule.name()), Some(rule));
            assert!(!rule.function().is_empty(), "{rule}");
            assert!(!rule.says(Lang::En).is_empty() && !rule.says(Lang::Zh).is_empty());
            assert!(
                !rule.says(Lang::En).contains(|c: char| c > '\u{2fff}'),
                "{rule}"
            );
            assert!(
                rule.says(Lang::Zh).contains(|c: char| c > '\u{2fff}'),
                "{rule}"
            );
        }
        assert_eq!(RuleId::of_name("no-such-rule"), None);
    }
}
