//! Where the fields of kernel structures lie.

/// Offset that means "this kernel has no such field": whatever needs it is off.
pub const NO_OFFSET: u32 = u32::MAX;

macro_rules! offsets {
    ($($(#[$doc:meta])* $name:ident = $ty:literal . $path:literal $(| $ty2:literal . $path2:literal)*;)*) => {
        /// Byte offsets of kernel struct fields, filled in from the running kernel's BTF before load.
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct Offsets { $($(#[$doc])* pub $name: u32,)* }

        impl Offsets {
            /// All fields absent.
            pub const NONE: Self = Self { $($name: NO_OFFSET,)* };
            /// For each field: its name here, and the kernel `(struct, path)` places it may have,
            /// in the order to try.
            pub const FIELDS: &'static [(&'static str, &'static [(&'static str, &'static str)])] =
                &[$((stringify!($name), &[($ty, $path) $(, ($ty2, $path2))*]),)*];
            /// Sets the `i`th field of [`Self::FIELDS`].
            pub fn set(&mut self, i: usize, value: u32) {
                let mut n = 0;
                $(if n == i { self.$name = value; } n += 1;)*
                let _ = n;
            }
        }
    };
}

offsets! {
    task_pid = "task_struct"."pid";
    task_tgid = "task_struct"."tgid";
    task_flags = "task_struct"."flags";
    task_status = "task_struct"."thread_info.status";
    task_leader = "task_struct"."group_leader";
    /// When it began, ns since boot.
    task_start = "task_struct"."start_boottime" | "task_struct"."real_start_time";
    task_files = "task_struct"."files";
    task_min_flt = "task_struct"."min_flt";
    task_maj_flt = "task_struct"."maj_flt";
    task_nvcsw = "task_struct"."nvcsw";
    task_nivcsw = "task_struct"."nivcsw";
    task_exit_code = "task_struct"."exit_code";
    task_signal = "task_struct"."signal";
    task_pagefault_disabled = "task_struct"."pagefault_disabled";
    signal_flags = "signal_struct"."flags";
    signal_core = "signal_struct"."core_state";
    signal_exit_code = "signal_struct"."group_exit_code";
    task_comm = "task_struct"."comm";
    files_fdt = "files_struct"."fdt";
    fdt_max_fds = "fdtable"."max_fds";
    fdt_fd = "fdtable"."fd";
    file_inode = "file"."f_inode";
    file_mapping = "file"."f_mapping";
    file_flags = "file"."f_flags";
    file_private = "file"."private_data";
    file_dentry = "file"."f_path.dentry";
    /// Of FUSE, which may be a module.
    fuse_open_flags = "fuse_file"."open_flags";
    sb_type = "super_block"."s_type";
    fs_type_name = "file_system_type"."name";
    dentry_name = "dentry"."d_name.name";
    kiocb_filp = "kiocb"."ki_filp";
    /// Behind the context of a program of a perf event.
    perf_regs = "bpf_perf_event_data_kern"."regs";
    perf_data = "bpf_perf_event_data_kern"."data";
    sample_addr = "perf_sample_data"."addr";
    iter_type = "iov_iter"."iter_type";
    iter_count = "iov_iter"."count";
    msg_flags = "msghdr"."msg_flags";
    msg_iter = "msghdr"."msg_iter";
    inode_mode = "inode"."i_mode";
    inode_size = "inode"."i_size";
    inode_ino = "inode"."i_ino";
    inode_rdev = "inode"."i_rdev";
    inode_sb = "inode"."i_sb";
    sb_dev = "super_block"."s_dev";
    sb_magic = "super_block"."s_magic";
    mapping_host = "address_space"."host";
    folio_mapping = "folio"."mapping" | "page"."mapping";
    folio_index = "folio"."index" | "page"."index";
    page_flags = "page"."flags";
    /// `_flags_1` of a large folio holds the order in its low byte (Linux 6.6 on).
    folio_flags_1 = "folio"."_flags_1";
    /// Before that the order had a byte of its own.
    folio_order = "folio"."_folio_order";
    page_compound_head = "page"."compound_head" | "page"."compound_info";
    bio_next = "bio"."bi_next";
    bio_bdev = "bio"."bi_bdev";
    bio_opf = "bio"."bi_opf";
    bio_sector = "bio"."bi_iter.bi_sector";
    bio_size = "bio"."bi_iter.bi_size";
    bio_idx = "bio"."bi_iter.bi_idx";
    bio_io_vec = "bio"."bi_io_vec";
    bio_private = "bio"."bi_private";
    bio_status = "bio"."bi_status";
    bvec_page = "bio_vec"."bv_page";
    bdev_disk = "block_device"."bd_disk";
    disk_major = "gendisk"."major";
    disk_minor = "gendisk"."first_minor";
    disk_private = "gendisk"."private_data";
    disk_fops = "gendisk"."fops";
    /// Set for drivers that take bios, not requests.
    fops_submit_bio = "block_device_operations"."submit_bio";
    /// The loop driver may be a module: its types are its own.
    loop_file = "loop_device"."lo_backing_file";
    loop_offset = "loop_device"."lo_offset";
    loop_flags = "loop_device"."lo_flags";
    /// A direct transfer's bios lead to it by `bi_private`.
    dio_iocb = "iomap_dio"."iocb";
    kiocb_pos = "kiocb"."ki_pos";
    rq_bio = "request"."bio";
    rq_sector = "request"."__sector";
    rq_len = "request"."__data_len";
    rq_opf = "request"."cmd_flags";
    socket_sk = "socket"."sk";
    /// What comes behind a `struct sock` in a larger one that begins with it.
    sock_end = "unix_sock"."addr" | "netlink_sock"."flags";
    /// Where the socket lies in its inode's container.
    socket_alloc_socket = "socket_alloc"."socket";
    socket_alloc_inode = "socket_alloc"."vfs_inode";
    sk_family = "sock"."__sk_common.skc_family";
    sk_state = "sock"."__sk_common.skc_state";
    sk_num = "sock"."__sk_common.skc_num";
    sk_dport = "sock"."__sk_common.skc_dport";
    sk_saddr = "sock"."__sk_common.skc_rcv_saddr";
    sk_daddr = "sock"."__sk_common.skc_daddr";
    sk_saddr6 = "sock"."__sk_common.skc_v6_rcv_saddr";
    sk_daddr6 = "sock"."__sk_common.skc_v6_daddr";
    sk_type = "sock"."sk_type";
    sk_protocol = "sock"."sk_protocol";
    sk_socket = "sock"."sk_socket";
    skb_len = "sk_buff"."len";
    skb_data_len = "sk_buff"."data_len";
    skb_sk = "sk_buff"."sk";
    skb_iif = "sk_buff"."skb_iif";
    skb_cb = "sk_buff"."cb";
    skb_head = "sk_buff"."head";
    skb_end = "sk_buff"."end";
    skb_data = "sk_buff"."data";
    skb_mac = "sk_buff"."mac_header";
    skb_protocol = "sk_buff"."protocol";
    skb_dev = "sk_buff"."dev";
    /// Network namespaces.
    dev_net = "net_device"."nd_net.net";
    sk_net = "sock"."__sk_common.skc_net.net";
    skb_segments = "skb_shared_info"."gso_segs";
    skb_destructor_arg = "skb_shared_info"."destructor_arg";
    dev_ifindex = "net_device"."ifindex";
    dev_name = "net_device"."name";
    dev_parent = "net_device"."dev.parent";
    zerocopy_length = "tcp_zerocopy_receive"."length";
    req_opcode = "io_kiocb"."opcode";
    req_file = "io_kiocb"."file";
    req_flags = "io_kiocb"."flags";
    req_ctx = "io_kiocb"."ctx";
    /// The operation's own part, and what of it `splice` and `tee` have.
    req_cmd = "io_kiocb"."cmd";
    splice_in = "io_splice"."splice_fd_in";
    splice_flags = "io_splice"."flags";
    /// Files that were registered with a ring: nodes (Linux 6.13 on), or the files themselves.
    ring_nodes = "io_ring_ctx"."file_table.data.nodes";
    ring_files = "io_ring_ctx"."file_table.files";
    node_file = "io_rsrc_node"."file_ptr";
    /// Whose request it is: its task, or (Linux 6.13 on) what io_uring knows of that task.
    req_task = "io_kiocb"."task";
    req_tctx = "io_kiocb"."tctx";
    tctx_task = "io_uring_task"."task";
    task_io_uring = "task_struct"."io_uring";
    req_user_data = "io_kiocb"."cqe.user_data";
    cqe_user_data = "io_uring_cqe"."user_data";
    cqe_res = "io_uring_cqe"."res";
    cqe_flags = "io_uring_cqe"."flags";
    task_mm = "task_struct"."mm";
    mm_start_code = "mm_struct"."start_code";
    mm_end_code = "mm_struct"."end_code";
    mm_mmap_base = "mm_struct"."mmap_base";
    mm_start_stack = "mm_struct"."start_stack";
    binprm_file = "linux_binprm"."file";
    binprm_interp = "linux_binprm"."interp";
}
