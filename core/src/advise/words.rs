//! The words of advice.

use super::flow::Tried;
use super::{Found, Variant};
use crate::i18n::Lang;
use crate::linux::error_name;
use crate::rules::FileKind;
use crate::units;

crate::messages! {
    a_file: "a file" | "某个文件";
    a_memory_file: "a file in memory" | "某个内存文件";
    a_pipe: "a pipe" | "管道";
    a_tcp_socket: "a TCP socket" | "TCP 套接字";
    a_unix_socket: "a UNIX socket" | "UNIX 套接字";
    comma: ", " | "、";
    and_more(names, n): "{names} and {n} more" | "{names} 等（另有 {n} 个）";
    pair_is(calls, from, to, bytes): "{bytes} read from {from} went on to {to} as they were, in {calls} writes" | "从 {from} 读出的 {bytes} 原样写到 {to}，共写 {calls} 次";
    pair_once(from, to, bytes): "{bytes} read from {from} went on to {to} as they were, in one write" | "从 {from} 读出的 {bytes} 原样写到 {to}，一次写完";
    tried(call, errno): "; {call} was tried and failed with {errno}" | "；试过 {call}，失败：{errno}";
    sendfile_how: "sendfile (or splice through a pipe) passes the file's pages to the socket. It saves the copies to and from user memory, and the reads." | "用 sendfile（或经管道 splice）把文件的页直接交给套接字：拷到用户态再拷回去的两次拷贝和那些 read 都不再需要。";
    sendfile_unless: "Not if the program looks at or changes the bytes (compression, TLS without kTLS), or the file may be changed while it is sent. On loopback the receiver still copies." | "如果程序要查看或修改这些字节（压缩、不用 kTLS 的 TLS），或发送期间文件可能被改动，就不要用。回环上接收方仍要拷贝。";
    copy_range_how: "copy_file_range lets the kernel copy from page cache to page cache: one copy instead of two. On xfs and btrfs it can share the extents and copy nothing." | "用 copy_file_range 让内核在页缓存之间拷贝，两次变一次；在 xfs、btrfs 上还可以共享 extent，完全不拷贝。";
    other_fs_how: "copy_file_range does not go from one file system to another. sendfile does, and copies inside the kernel: one copy instead of two." | "copy_file_range 不能跨文件系统；sendfile 可以，它在内核里拷贝：两次变一次。";
    append_how: "copy_file_range and sendfile refuse a destination that was opened with O_APPEND. Open it without, and write at its end: then copy_file_range copies inside the kernel, once instead of twice." | "目标以 O_APPEND 打开时，copy_file_range 和 sendfile 都会拒绝。请不用 O_APPEND 打开，并写到文件末尾：这样 copy_file_range 在内核里拷贝，两次变一次。";
    copy_range_unless: "Not if the bytes are looked at or changed on the way, or if several programs append to the file." | "如果途中要查看或修改这些字节，或有多个程序向这个文件追加，就不要用。";
    splice_how: "splice passes references to pages between the pipe and the other end. The bytes do not go through user memory." | "用 splice 在管道与另一端之间传递页的引用，不必拷到用户态内存。";
    splice_unless: "Not if the program needs the bytes. Into a file splice still copies once." | "如果程序需要这些字节就不要用。splice 写入文件时仍要拷贝一次。";
    relay_how: "splice the socket into a pipe, and the pipe into the other end: references to the received pages are passed on, and the bytes do not go through user memory." | "先用 splice 把套接字接到管道，再从管道接到另一端：传递的是收到的页的引用，字节不经过用户态内存。";
    relay_unless: "Not if the program needs the bytes. Into a file splice still copies once. It does not save calls." | "如果程序需要这些字节就不要用。splice 写入文件时仍要拷贝一次。调用次数不会减少。";
    small_is(calls, call, file, size): "{calls} calls of {call} on {file}, one after the other, {size} each on average" | "在 {file} 上接连调用 {call} {calls} 次，平均每次 {size}";
    small_how: "Use a buffer (BufReader, stdio; 64 KiB is a good size): each call crosses into the kernel and back, whatever its size." | "使用缓冲（BufReader、stdio；64 KiB 是合适的大小）：无论大小，每次调用都要进出内核一次。";
    small_unless: "Not if each message must arrive at once because the other side waits for it. The number of bytes copied stays the same." | "如果每条消息必须立即送达、对方在等待，就不要合并。拷贝的字节数不变。";
    again_is(bytes, file, calls): "{bytes} of {file} had been read before, and were read again, in {calls} calls" | "{file} 中的 {bytes} 之前读过，又在 {calls} 次调用里重新读取";
    again_how: "Keep what was read, or map the file once (mmap): then no call copies it again." | "保留读到的内容，或用 mmap 映射一次：就不会再有调用去拷贝它。";
    again_unless: "Not if others may have changed the file in between, or it is too large to be kept." | "如果期间别的程序可能改动文件，或文件太大、无法保留，就不要改。";
    many_is(calls, call, file, size, waits): "{calls} calls of {call} all over {file}, {size} each; {waits} of them had to wait" | "在 {file} 各处调用 {call} {calls} 次，每次 {size}；其中 {waits} 次需要等待";
    many_how: "io_uring submits many requests with one system call, and the device can work on them at the same time." | "用 io_uring 一次系统调用提交许多请求，还能让设备同时处理它们。";
    many_unless: "Not if each request depends on the one before. It saves crossings, not copies: the bytes are still copied." | "如果每个请求都依赖前一个，就没有好处。切换少了，拷贝并不会少。";
    synced_is(calls, file, size, time): "{calls} writes to {file} ({size} each) were each forced to the device, {time} in those calls" | "对 {file} 的 {calls} 次写入（每次 {size}）每次都强制落盘，这些调用用时 {time}";
    synced_how: "Write several records, then call fdatasync once (group commit): the device gets fewer, larger requests." | "写入多条记录后再做一次 fdatasync（组提交）：设备写的请求更少、更大。";
    synced_unless: "Not if each record must survive a crash before the next step: the wait is what that guarantee costs." | "如果每条记录都必须在下一步之前持久化，就不要这样做：等待正是这个保证的代价。";
    fell_back_is(bytes, file): "{bytes} of {file}, opened with O_DIRECT, were copied through the page cache after all" | "{file} 以 O_DIRECT 打开，其中 {bytes} 最终仍经页缓存拷贝";
    fell_back_how: "The file system does this where it cannot do direct I/O: journaled data, compressed, inline or encrypted files, and requests that are not aligned (statx tells STATX_DIOALIGN). Put the file where direct I/O works; or leave O_DIRECT out, and have readahead." | "文件系统做不了直接 I/O 时就会这样：数据日志、压缩、内联或加密的文件，以及没有对齐的请求（statx 的 STATX_DIOALIGN 会说明）。请把文件放到支持直接 I/O 的地方；或不用 O_DIRECT，还能得到预读。";
    fell_back_unless: "Without O_DIRECT the copy stays." | "去掉 O_DIRECT 并不会省去拷贝。";
    faults_is(calls, file, bytes): "{calls} page faults mapped {bytes} of {file}" | "{calls} 次缺页映射了 {file} 的 {bytes}";
    faults_how: "MAP_POPULATE (or madvise MADV_POPULATE_READ; for pages that are written, MADV_POPULATE_WRITE) maps the whole range in one call; MADV_SEQUENTIAL makes readahead larger." | "用 MAP_POPULATE（或 madvise MADV_POPULATE_READ；要写入的页用 MADV_POPULATE_WRITE）一次映射全部；MADV_SEQUENTIAL 会加大预读。";
    faults_unless: "Not if the program touches only a small part of the file: then faults are cheaper." | "如果只访问文件的一小部分，就不要用：那样缺页反而更省。";
    zeroed_is(calls, bytes): "{calls} page faults zeroed {bytes} of new memory, page by page" | "{calls} 次缺页逐页清零了 {bytes} 新内存";
    zeroed_how: "Ask for huge pages (madvise MADV_HUGEPAGE): one fault for 2 MiB; glibc's malloc does it with GLIBC_TUNABLES=glibc.malloc.hugetlb=1. Or use memory again that the program has already." | "使用大页（madvise MADV_HUGEPAGE）：2 MiB 只缺页一次；glibc 的 malloc 可用 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 做到。或重复使用已有的内存。";
    zeroed_unless: "Huge pages zero all 2 MiB even if little of it is used, and after a fork a write copies all of it." | "即使只用到一点，大页也会清零整个 2 MiB；fork 之后写一次就要拷贝整页。";
    zeroed_again_is(calls, bytes): "{calls} page faults zeroed {bytes} of memory that the program had had, and had given back" | "{calls} 次缺页清零了 {bytes} 内存，程序此前用过这些内存，又还给了内核";
    zeroed_again_how: "Keep the memory, and use it again: one buffer for all rounds, or an allocator that returns less to the kernel (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of glibc)." | "保留内存并重复使用：各轮共用一个缓冲区，或让分配器少归还内存（glibc 的 M_MMAP_THRESHOLD、M_TRIM_THRESHOLD）。";
    zeroed_again_unless: "Memory that is kept is not there for other programs." | "保留的内存别的程序就用不了。";
    cow_is(calls, bytes): "{calls} page faults copied {bytes} after a fork: copy-on-write" | "fork 之后，{calls} 次缺页拷贝了 {bytes}：写时拷贝";
    cow_how: "Use MAP_SHARED where the other side should see the writes. Or fork before the memory is filled. If the child only calls exec, use posix_spawn or vfork." | "需要对方看到的内存用 MAP_SHARED；或在填充内存之前 fork；子进程只调用 exec 时用 posix_spawn/vfork。";
    cow_unless: "Not if the private copy is what you want (a snapshot by fork, say)." | "如果要的正是私有副本（例如用 fork 做快照），就不要改。";
    zerocopy_small_is(calls, size): "{calls} zero-copy sends of {size} each on average" | "{calls} 次零拷贝发送，平均每次 {size}";
    zerocopy_small_how: "Use a plain send: below about 10 KB, pinning the pages and the notification cost more than the copy." | "改用普通 send：小于约 10 KB 时，固定页和通知的开销比拷贝还大。";
    zerocopy_small_unless: "Not if most sends are larger in real use." | "如果实际使用中以大块发送为主，就保留。";
    zerocopy_late_is(bytes): "{bytes} sent with zero-copy were copied after all" | "用零拷贝发送的 {bytes} 最终还是被拷贝了";
    zerocopy_late_how: "On loopback and veth, or while packets are captured, the kernel copies later. Use a plain send there; SO_EE_CODE_ZEROCOPY_COPIED tells you when it happens." | "在回环、veth 上或正在抓包时，内核会稍后再拷贝：这时用普通 send；SO_EE_CODE_ZEROCOPY_COPIED 会告诉你何时如此。";
    zerocopy_late_unless: "Over a real network device the copy does not happen." | "经过真实网络设备时不会有这次拷贝。";
    left_out_is(bytes, from, to): "{bytes} were read from {from}, and as many went to {to}; but in between there was time to look at each byte, or to change it (a checksum, compression, encryption): nothing is advised" | "从 {from} 读出 {bytes}，又有同样多的字节到了 {to}；但其间的时间足够查看或改动每个字节（校验和、压缩、加密）：不作建议";
    again_sent_is(bytes, file, calls): "{bytes} of {file} were read again, in {calls} calls, by a process that sent as much through sockets: these bytes, encrypted or compressed, perhaps. Nothing is advised" | "{file} 中的 {bytes} 又读了一遍（{calls} 次调用），而该进程经套接字发出了同样多的字节，也许就是它们（加密或压缩后）：不作建议";
    snapshot_is(calls, bytes, saved): "{calls} page faults copied {bytes} after a fork, while the child wrote {saved} to files: a snapshot by fork, whose price these copies are. Nothing is advised" | "fork 之后，{calls} 次缺页拷贝了 {bytes}，同时子进程向文件写了 {saved}：这是用 fork 做快照，这些拷贝就是它的代价。不作建议";
}

/// Names that are listed, those with most bytes first; more are counted.
const NAMES: usize = 3;

/// One end, by name if it has one.
fn end(lang: Lang, found: &Found, i: usize) -> String {
    let mut names = found.names.get(i).cloned().unwrap_or_default();
    names.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    let first = names.iter().take(NAMES).map(|(name, _)| name.as_str());
    let listed = first.collect::<Vec<_>>().join(comma(lang));
    match (names.len(), found.ends.get(i)) {
        (0, Some(FileKind::Shmem)) => a_memory_file(lang).to_owned(),
        (0, Some(FileKind::Pipe)) => a_pipe(lang).to_owned(),
        (0, Some(FileKind::Tcp)) => a_tcp_socket(lang).to_owned(),
        (0, Some(FileKind::UnixStream)) => a_unix_socket(lang).to_owned(),
        (0, _) => a_file(lang).to_owned(),
        (n, _) if n > NAMES => and_more(lang, listed, n - NAMES),
        _ => listed,
    }
}

/// `copy_file_range: EXDEV`
pub fn error(tried: Tried) -> String {
    format!("{}: {}", tried.call, errno(tried))
}

fn errno(tried: Tried) -> String {
    error_name(tried.errno).map_or_else(|| tried.errno.to_string(), str::to_owned)
}

pub fn pair(lang: Lang, found: &Found) -> String {
    let (from, to) = (end(lang, found, 0), end(lang, found, 1));
    let bytes = units::bytes(found.bytes);
    let said = match found.calls {
        1 => pair_once(lang, from, to, bytes),
        calls => pair_is(lang, units::count(calls), from, to, bytes),
    };
    let tried = found
        .tried
        .map(|failed| tried(lang, failed.call, errno(failed)));
    said + &tried.unwrap_or_default()
}

pub fn left_out(lang: Lang, found: &Found) -> String {
    left_out_is(
        lang,
        units::bytes(found.bytes),
        end(lang, found, 0),
        end(lang, found, 1),
    )
}

pub fn again_sent(lang: Lang, found: &Found) -> String {
    again_sent_is(
        lang,
        units::bytes(found.bytes),
        end(lang, found, 0),
        units::count(found.calls),
    )
}

pub fn snapshot(lang: Lang, found: &Found) -> String {
    snapshot_is(
        lang,
        units::count(found.calls),
        units::bytes(found.bytes),
        units::bytes(found.saved),
    )
}

pub fn sendfile(lang: Lang, _: &Found) -> String {
    sendfile_how(lang).to_owned()
}

pub fn copy_range(lang: Lang, found: &Found) -> String {
    let how = match found.variant {
        Variant::Usual => copy_range_how(lang),
        Variant::OtherFs => other_fs_how(lang),
        Variant::Append => append_how(lang),
    };
    how.to_owned()
}

/// A message that needs nothing.
macro_rules! plainly {
    ($($name:ident => $message:ident;)*) => {
        $(pub fn $name(lang: Lang, _: &Found) -> String {
            $message(lang).to_owned()
        })*
    };
}

plainly! {
    splice => splice_how;
    relay => relay_how;
    small_do => small_how;
    again_do => again_how;
    many_do => many_how;
    synced_do => synced_how;
    fell_back_do => fell_back_how;
    faults_do => faults_how;
    zeroed_do => zeroed_how;
    zeroed_again_do => zeroed_again_how;
    cow_do => cow_how;
    zerocopy_small_do => zerocopy_small_how;
    zerocopy_late_do => zerocopy_late_how;
}

pub fn small(lang: Lang, found: &Found) -> String {
    small_is(
        lang,
        units::count(found.calls),
        found.call,
        end(lang, found, 0),
        units::bytes(found.size()),
    )
}

pub fn again(lang: Lang, found: &Found) -> String {
    again_is(
        lang,
        units::bytes(found.bytes),
        end(lang, found, 0),
        units::count(found.calls),
    )
}

pub fn many(lang: Lang, found: &Found) -> String {
    many_is(
        lang,
        units::count(found.calls),
        found.call,
        end(lang, found, 0),
        units::bytes(found.size()),
        units::count(found.waits),
    )
}

pub fn synced(lang: Lang, found: &Found) -> String {
    synced_is(
        lang,
        units::count(found.calls),
        end(lang, found, 0),
        units::bytes(found.size()),
        units::time(found.time_ns),
    )
}

pub fn fell_back(lang: Lang, found: &Found) -> String {
    fell_back_is(lang, units::bytes(found.bytes), end(lang, found, 0))
}

pub fn faults(lang: Lang, found: &Found) -> String {
    faults_is(
        lang,
        units::count(found.calls),
        end(lang, found, 0),
        units::bytes(found.bytes),
    )
}

pub fn zeroed(lang: Lang, found: &Found) -> String {
    zeroed_is(lang, units::count(found.calls), units::bytes(found.bytes))
}

pub fn zeroed_again(lang: Lang, found: &Found) -> String {
    zeroed_again_is(lang, units::count(found.calls), units::bytes(found.bytes))
}

pub fn cow(lang: Lang, found: &Found) -> String {
    cow_is(lang, units::count(found.calls), units::bytes(found.bytes))
}

pub fn zerocopy_small(lang: Lang, found: &Found) -> String {
    zerocopy_small_is(lang, units::count(found.calls), units::bytes(found.size()))
}

pub fn zerocopy_late(lang: Lang, found: &Found) -> String {
    zerocopy_late_is(lang, units::bytes(found.bytes))
}
