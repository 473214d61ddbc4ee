//! The words of advice.

use super::{Found, bytes};
use crate::i18n::Lang;
use crate::report::units;

crate::messages! {
    a_file: "a file" | "某个文件";
    pair_is(calls, from, to, bytes): "{bytes} read from {from} went straight on to {to}, in {calls} writes" | "从 {from} 读出的 {bytes} 随即写到 {to}，共写 {calls} 次";
    sendfile_how: "sendfile (or splice through a pipe) passes the file's pages to the socket. It saves the copies to and from user memory, and the reads." | "用 sendfile（或经管道 splice）把文件的页直接交给套接字：拷到用户态再拷回去的两次拷贝和那些 read 都不再需要。";
    sendfile_unless: "Not if the program looks at or changes the bytes (compression, TLS without kTLS), or the file may be changed while it is sent. On loopback the receiver still copies." | "如果程序要查看或修改这些字节（压缩、不用 kTLS 的 TLS），或发送期间文件可能被改动，就不要用。回环上接收方仍要拷贝。";
    copy_range_how: "copy_file_range lets the kernel copy from page cache to page cache: one copy instead of two. On xfs and btrfs it can share the extents and copy nothing." | "用 copy_file_range 让内核在页缓存之间拷贝，两次变一次；在 xfs、btrfs 上还可以共享 extent，完全不拷贝。";
    copy_range_unless: "Not if the bytes are changed on the way. Across file systems it falls back to a copy in the kernel." | "如果途中要修改这些字节就不要用。跨文件系统时会退回到内核内拷贝。";
    splice_how: "splice passes references to pages between the pipe and the other end. The bytes do not go through user memory." | "用 splice 在管道与另一端之间传递页的引用，不必拷到用户态内存。";
    splice_unless: "Not if the program needs the bytes. Into a file splice still copies once." | "如果程序需要这些字节就不要用。splice 写入文件时仍要拷贝一次。";
    small_is(calls, call, file, size): "{calls} calls of {call} on {file}, {size} each on average" | "在 {file} 上调用 {call} {calls} 次，平均每次 {size}";
    small_how: "Use a buffer (BufReader, stdio; 64 KiB is a good size): each call crosses into the kernel and back, whatever its size." | "使用缓冲（BufReader、stdio；64 KiB 是合适的大小）：无论大小，每次调用都要进出内核一次。";
    small_unless: "Not if each message must arrive at once because the other side waits for it. The number of bytes copied stays the same." | "如果每条消息必须立即送达、对方在等待，就不要合并。拷贝的字节数不变。";
    many_is(calls, call, file, size): "{calls} calls of {call} on {file}, {size} each" | "在 {file} 上调用 {call} {calls} 次，每次 {size}";
    many_how: "io_uring submits many requests with one system call, and the device can work on them at the same time." | "用 io_uring 一次系统调用提交许多请求，还能让设备同时处理它们。";
    many_unless: "Not if each request depends on the one before. It saves crossings, not copies: the bytes are still copied." | "如果每个请求都依赖前一个，就没有好处。切换少了，拷贝并不会少。";
    synced_is(calls, file, size, time): "{calls} writes to {file} ({size} each) were each forced to the device, {time} in those calls" | "对 {file} 的 {calls} 次写入（每次 {size}）每次都强制落盘，这些调用用时 {time}";
    synced_how: "Write several records, then call fdatasync once (group commit): the device gets fewer, larger requests." | "写入多条记录后再做一次 fdatasync（组提交）：设备写的请求更少、更大。";
    synced_unless: "Not if each record must survive a crash before the next step: the wait is what that guarantee costs." | "如果每条记录都必须在下一步之前持久化，就不要这样做：等待正是这个保证的代价。";
    faults_is(calls, file, bytes): "{calls} page faults mapped {bytes} of {file}" | "{calls} 次缺页映射了 {file} 的 {bytes}";
    faults_how: "MAP_POPULATE (or madvise MADV_POPULATE_READ) maps the whole range in one call; MADV_SEQUENTIAL makes readahead larger." | "用 MAP_POPULATE（或 madvise MADV_POPULATE_READ）一次映射全部；MADV_SEQUENTIAL 会加大预读。";
    faults_unless: "Not if the program touches only a small part of the file: then faults are cheaper." | "如果只访问文件的一小部分，就不要用：那样缺页反而更省。";
    zeroed_is(calls, bytes): "{calls} page faults zeroed {bytes} of new memory" | "{calls} 次缺页清零了 {bytes} 新内存";
    zeroed_how: "Reuse memory instead of allocating it again, or ask for huge pages (madvise MADV_HUGEPAGE): one fault for 2 MiB." | "重复使用内存而不是重新分配，或使用大页（madvise MADV_HUGEPAGE）：2 MiB 只缺页一次。";
    zeroed_unless: "Huge pages zero all 2 MiB even if little of it is used." | "即使只用到一点，大页也会清零整个 2 MiB。";
    cow_is(calls, bytes): "{calls} page faults copied {bytes}: copy-on-write" | "{calls} 次缺页拷贝了 {bytes}：写时拷贝";
    cow_how: "Use MAP_SHARED where the other side should see the writes. Or fork before the memory is filled. If the child only calls exec, use posix_spawn or vfork." | "需要对方看到的内存用 MAP_SHARED；或在填充内存之前 fork；子进程只调用 exec 时用 posix_spawn/vfork。";
    cow_unless: "Not if the private copy is what you want (a snapshot by fork, say)." | "如果要的正是私有副本（例如用 fork 做快照），就不要改。";
    zerocopy_small_is(calls, size): "{calls} zero-copy sends of {size} each on average" | "{calls} 次零拷贝发送，平均每次 {size}";
    zerocopy_small_how: "Use a plain send: below about 10 KB, pinning the pages and the notification cost more than the copy." | "改用普通 send：小于约 10 KB 时，固定页和通知的开销比拷贝还大。";
    zerocopy_small_unless: "Not if most sends are larger in real use." | "如果实际使用中以大块发送为主，就保留。";
    zerocopy_late_is(bytes): "{bytes} sent with zero-copy were copied after all" | "用零拷贝发送的 {bytes} 最终还是被拷贝了";
    zerocopy_late_how: "On loopback and veth, or while packets are captured, the kernel copies later. Use a plain send there; SO_EE_CODE_ZEROCOPY_COPIED tells you when it happens." | "在回环、veth 上或正在抓包时，内核会稍后再拷贝：这时用普通 send；SO_EE_CODE_ZEROCOPY_COPIED 会告诉你何时如此。";
    zerocopy_late_unless: "Over a real network device the copy does not happen." | "经过真实网络设备时不会有这次拷贝。";
}

fn file(lang: Lang, found: &Found, i: usize) -> String {
    match found.files.get(i).map(String::as_str) {
        None | Some("") => a_file(lang).to_owned(),
        Some(name) => name.to_owned(),
    }
}

pub fn pair(lang: Lang, found: &Found) -> String {
    let end = |i| match found.files.get(i).map(String::as_str) {
        None | Some("") if i == 1 && lang == Lang::En => "the other end".to_owned(),
        None | Some("") if i == 1 => "另一端".to_owned(),
        _ => file(lang, found, i),
    };
    pair_is(
        lang,
        units::count(found.calls),
        end(0),
        end(1),
        bytes(found.bytes),
    )
}

pub fn small(lang: Lang, found: &Found) -> String {
    small_is(
        lang,
        units::count(found.calls),
        &found.call,
        file(lang, found, 0),
        bytes(found.size),
    )
}

pub fn many(lang: Lang, found: &Found) -> String {
    many_is(
        lang,
        units::count(found.calls),
        &found.call,
        file(lang, found, 0),
        bytes(found.size),
    )
}

pub fn synced(lang: Lang, found: &Found) -> String {
    synced_is(
        lang,
        units::count(found.calls),
        file(lang, found, 0),
        bytes(found.size),
        units::time(found.time_ns),
    )
}

pub fn faults(lang: Lang, found: &Found) -> String {
    faults_is(
        lang,
        units::count(found.calls),
        file(lang, found, 0),
        bytes(found.bytes),
    )
}

pub fn zeroed(lang: Lang, found: &Found) -> String {
    zeroed_is(lang, units::count(found.calls), bytes(found.bytes))
}

pub fn cow(lang: Lang, found: &Found) -> String {
    cow_is(lang, units::count(found.calls), bytes(found.bytes))
}

pub fn zerocopy_small(lang: Lang, found: &Found) -> String {
    zerocopy_small_is(lang, units::count(found.calls), bytes(found.size))
}

pub fn zerocopy_late(lang: Lang, found: &Found) -> String {
    zerocopy_late_is(lang, bytes(found.bytes))
}
