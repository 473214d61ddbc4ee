//! The functions of level F: what the loader attaches where the kernel allows it, and what `doctor`
//! shows.
//!
//! One row per eBPF program. Every function is optional: kernels rename and inline them, and refuse
//! some. What each measurement means to a trace is in [`crate::rules::measure`].

use crate::i18n::Lang;

/// An eBPF program and the function that it attaches to.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub id: FunctionId,
    /// Name of the program in the eBPF object.
    pub program: &'static str,
    /// Names of the function, the usual one first: the first that the kernel has is used.
    pub names: &'static [&'static str],
    pub hook: Hook,
    /// As evidence names it: `fexit:filemap_read`.
    pub label: &'static str,
    /// The same where kprobes stand in: `kretprobe:filemap_read`.
    pub kprobe_label: &'static str,
    /// What it tells, in English and Chinese.
    pub measures: [&'static str; 2],
    /// A trace is of level F if these are attached, as far as the kernel has them.
    pub core: bool,
    /// A program that measures the same where the kernel lacks this function: nothing is missing then.
    pub or: Option<&'static str>,
}

/// Where in a function its program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    Entry,
    Exit,
}

impl FunctionId {
    /// Its row.
    pub fn row(self) -> &'static Function {
        // The rows are made in the order of the ids.
        &TABLE[self as usize]
    }
}

impl Function {
    /// What it tells.
    pub fn measures(&self, lang: Lang) -> &'static str {
        let [en, zh] = self.measures;
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// The function to attach to, if `exists` finds one.
    pub fn name(&self, exists: impl Fn(&str) -> bool) -> Option<&'static str> {
        self.names.iter().copied().find(|name| exists(name))
    }
}

macro_rules! functions {
    ($($hook:ident { $($name:ident $(| $other:ident)* $([$core:ident])? $(or $or:ident)?: $en:literal, $zh:literal;)* })*) => {
        /// A function of the kernel that a program is attached to, as the kernel names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(non_camel_case_types, reason = "named as the kernel names them")]
        pub enum FunctionId {
            $($(#[doc = $en] $name,)*)*
        }

        /// Every function; core ones first.
        pub const TABLE: &[Function] = &[$($(Function {
            id: FunctionId::$name,
            program: stringify!($name),
            names: &[stringify!($name) $(, stringify!($other))*],
            hook: Hook::$hook,
            label: functions!(@label $hook $name),
            kprobe_label: functions!(@kprobe $hook $name),
            measures: [$en, $zh],
            core: functions!(@core $($core)?),
            or: functions!(@or $($or)?),
        },)*)*];
    };
    (@label Entry $name:ident) => { concat!("fentry:", stringify!($name)) };
    (@label Exit $name:ident) => { concat!("fexit:", stringify!($name)) };
    (@kprobe Entry $name:ident) => { concat!("kprobe:", stringify!($name)) };
    (@kprobe Exit $name:ident) => { concat!("kretprobe:", stringify!($name)) };
    (@core core) => { true };
    (@core) => { false };
    (@or $or:ident) => { Some(stringify!($or)) };
    (@or) => { None };
}

functions! {
    Exit {
        filemap_read [core]: "copies page cache → user", "拷贝：页缓存 → 用户";
        generic_perform_write [core]: "copies user → page cache or tmpfs", "拷贝：用户 → 页缓存或 tmpfs";
        tcp_sendmsg_locked [core]: "copies user → TCP socket", "拷贝：用户 → TCP 套接字";
        shmem_file_read_iter: "copies tmpfs → user", "拷贝：tmpfs → 用户";
        iomap_file_buffered_write: "copies user → page cache (xfs, block devices)", "拷贝：用户 → 页缓存（xfs、块设备）";
        // Not there where the module is not loaded: then nothing is missing.
        btrfs_buffered_write or generic_perform_write: "copies user → page cache (btrfs)", "拷贝：用户 → 页缓存（btrfs）";
        pipe_read | anon_pipe_read: "copies pipe → user", "拷贝：管道 → 用户";
        pipe_write | anon_pipe_write: "copies user → pipe", "拷贝：用户 → 管道";
        udp_recvmsg: "copies UDP socket → user", "拷贝：UDP 套接字 → 用户";
        udpv6_recvmsg: "the same over IPv6", "同上（IPv6）";
        ip_generic_getfrag: "copies user → UDP socket", "拷贝：用户 → UDP 套接字";
        skb_copy_datagram_from_iter: "copies user → UNIX socket", "拷贝：用户 → UNIX 套接字";
        process_vm_rw: "copies from process to process", "拷贝：进程 → 进程";
        // As above.
        fuse_direct_io or filemap_read: "copies between the program and the server of a FUSE file", "拷贝：程序 ↔ FUSE 文件的服务进程";
        pipe_to_user: "copies pipe → user by vmsplice", "拷贝：管道 → 用户（vmsplice）";
        splice_folio_into_pipe or filemap_read: "references to file pages, put into a pipe", "引用：文件页 → 管道";
        skb_splice_from_iter or tcp_sendpage: "references to pages, put into a packet", "引用：页 → 数据包";
        tcp_sendpage or skb_splice_from_iter: "the same before Linux 6.5", "同上（Linux 6.5 之前）";
        unix_stream_sendpage or skb_splice_from_iter: "the same on UNIX sockets", "同上（UNIX 套接字）";
        skb_zerocopy_iter_stream: "MSG_ZEROCOPY: references to the program's pages", "MSG_ZEROCOPY：引用程序的页";
        splice_to_pipe: "references to packets' pages, put into a pipe", "引用：数据包的页 → 管道";
        tcp_zerocopy_receive: "TCP zero-copy receive: packets' pages mapped into the program", "TCP 零拷贝接收：把数据包的页映射给程序";
        add_to_pipe: "references to the program's pages, put into a pipe", "引用：程序的页 → 管道";
        do_tee: "references from pipe to pipe", "引用：管道 → 管道";
        vfs_copy_file_range: "copy_file_range: copied, or extents shared", "copy_file_range：拷贝还是共享区段";
        vfs_clone_file_range: "reflinks: bytes", "reflink：字节数";
    }
    Entry {
        skb_copy_ubufs: "the late copy of a MSG_ZEROCOPY send", "MSG_ZEROCOPY 发送的延迟拷贝";
        copy_mc_to_kernel or copy_user_highpage: "copy-on-write: bytes", "写时拷贝：字节数";
        copy_user_highpage or copy_mc_to_kernel: "the same on arm64", "同上（arm64）";
        set_pte_range or do_set_pte: "page faults: file pages mapped", "缺页：映射的文件页";
        do_set_pte or set_pte_range: "the same before Linux 6.6", "同上（Linux 6.6 之前）";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_are_distinct_and_refer_to_each_other() {
        let programs: HashSet<_> = TABLE.iter().map(|row| row.program).collect();
        assert_eq!(programs.len(), TABLE.len());
        for row in TABLE {
            assert_eq!(row.id.row().id, row.id);
            assert!(row.or.is_none_or(|or| programs.contains(or)), "{row:?}");
            assert!(!row.measures(Lang::En).is_empty() && !row.measures(Lang::Zh).is_empty());
        }
        assert!(TABLE.is_sorted_by_key(|row| !row.core), "core ones first");
    }

    #[test]
    fn another_name_is_used_where_the_usual_one_is_absent() {
        let row = TABLE.iter().find(|row| row.id == FunctionId::pipe_read);
        let row = row.expect("in the table");
        assert_eq!(row.name(|_| true), Some("pipe_read"));
        let newer = row.name(|name| name.starts_with("anon"));
        assert_eq!(newer, Some("anon_pipe_read"));
        assert_eq!(row.name(|_| false), None);
    }
}
