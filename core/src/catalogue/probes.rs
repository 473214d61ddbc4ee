//! The hooks of level T: what the loader attaches, and what `doctor` shows.
//!
//! One row per eBPF program. A kernel that lacks an optional hook lacks just what the row measures.

use crate::i18n::Lang;

/// An eBPF program and where it attaches.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    pub id: Tracepoint,
    /// Name of the program in the eBPF object.
    pub program: &'static str,
    /// Names of the tracepoint, newest first: the first that the kernel has is used.
    pub tracepoints: &'static [&'static str],
    /// As evidence names it: `tp:block_rq_complete`.
    pub label: &'static str,
    pub group: Group,
    /// What it tells, in English and Chinese.
    pub measures: [&'static str; 2],
    /// Without it there is no tracing at all.
    pub required: bool,
    /// Counters (`stat`) have no use for it.
    pub only_record: bool,
    /// `top` needs it, too.
    pub top: bool,
}

/// Which part of a program's life a hook belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Calls,
    Faults,
    PageCache,
    Block,
    Network,
    Uring,
    Scheduling,
    Interrupts,
}

impl Group {
    /// In the order of [`TABLE`].
    pub const ALL: [Self; 8] = [
        Self::Calls,
        Self::Faults,
        Self::PageCache,
        Self::Block,
        Self::Network,
        Self::Uring,
        Self::Scheduling,
        Self::Interrupts,
    ];
}

impl Tracepoint {
    /// Its row.
    pub fn row(self) -> &'static Probe {
        // The rows are made in the order of the ids.
        &TABLE[self as usize]
    }
}

impl Probe {
    /// What it tells.
    pub fn measures(&self, lang: Lang) -> &'static str {
        let [en, zh] = self.measures;
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// The tracepoint to attach to, if `exists` finds one.
    pub fn tracepoint(&self, exists: impl Fn(&str) -> bool) -> Option<&'static str> {
        self.tracepoints.iter().copied().find(|name| exists(name))
    }
}

macro_rules! probes {
    ($($group:ident { $($name:ident $(| $older:ident)* $([$($mark:ident),+])?: $en:literal, $zh:literal;)* })*) => {
        /// A hook of level T, as the kernel names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(non_camel_case_types, reason = "named as the kernel names them")]
        pub enum Tracepoint {
            $($(#[doc = $en] $name,)*)*
        }

        impl Tracepoint {
            /// As evidence names it: `tp:block_rq_complete`.
            pub const fn label(self) -> &'static str {
                match self { $($(Self::$name => concat!("tp:", stringify!($name)),)*)* }
            }
        }

        /// Every hook, grouped.
        pub const TABLE: &[Probe] = &[$($(Probe {
            id: Tracepoint::$name,
            program: stringify!($name),
            tracepoints: &[stringify!($name) $(, stringify!($older))*],
            label: Tracepoint::$name.label(),
            group: Group::$group,
            measures: [$en, $zh],
            required: false $($(|| probes!(@is required $mark))+)?,
            only_record: false $($(|| probes!(@is only_record $mark))+)?,
            top: false $($(|| probes!(@is top $mark))+)?,
        },)*)*];
    };
    (@is required required) => { true };
    (@is only_record only_record) => { true };
    (@is top top) => { true };
    (@is $wanted:ident $mark:ident) => { false };
}

probes! {
    Calls {
        sys_enter [required]: "system calls: arguments, what the descriptor is", "系统调用：参数、描述符是什么";
        sys_exit [required]: "system calls: result, time taken", "系统调用：返回值、用时";
        task_newtask [required]: "new threads and processes", "新线程和新进程";
        sched_process_exec [required]: "execve: a new program begins", "execve：新程序开始";
        sched_process_exit [required]: "ends of threads and processes", "线程和进程结束";
    }
    Faults {
        page_fault_user [top]: "page faults taken in user mode", "用户态缺页";
        page_fault_kernel [only_record]: "page faults taken in kernel mode: they are not the program's own", "内核态缺页：不算程序自己的缺页";
        mm_page_alloc [top]: "pages that the kernel zeroed for the program", "内核为程序清零的页";
        rss_stat [only_record]: "whether a fault's page was anonymous, file or shmem", "缺页得到的是匿名页、文件页还是 shmem 页";
        mm_filemap_fault [only_record]: "which file a page fault was on", "缺页落在哪个文件上";
        mm_filemap_map_pages [only_record]: "fault-around: pages mapped beside the faulting one", "fault-around：顺带映射的页";
    }
    PageCache {
        mm_filemap_add_to_page_cache [only_record, top]: "page-cache misses and readahead", "页缓存未命中与预读";
        writeback_dirty_folio [top]: "pages made dirty, to tie write-back to its cause", "写脏的页（用于把回写归到起因）";
    }
    Block {
        block_bio_queue [top]: "block I/O, in the context of its cause", "块 I/O（在起因的上下文中）";
        block_bio_remap: "what the device mapper asks of other devices, for whom", "device mapper 替谁向其他设备发出的 I/O";
        block_split [top]: "block I/O split into parts", "被拆分的块 I/O";
        block_rq_issue [top]: "requests given to the driver", "交给驱动的请求";
        dma_map_phys | dma_map_page [only_record]: "pages that the driver mapped for DMA", "驱动为 DMA 映射的页";
        dma_map_sg [only_record]: "the same, lists of pages", "同上（页的列表）";
        swiotlb_bounced [only_record]: "copies to and from bounce buffers", "与反弹缓冲区之间的拷贝";
        block_rq_complete [top]: "DMA between disk and memory: bytes, time", "磁盘与内存之间的 DMA：字节、用时";
        block_bio_complete [top]: "I/O of drivers without requests (zram, dm, md)", "不使用请求的驱动的 I/O（zram、dm、md）";
    }
    Network {
        net_dev_start_xmit [top]: "packets handed to a device", "交给网络设备的数据包";
        tcp_probe [only_record]: "packets that devices brought for TCP sockets", "设备送来的、属于 TCP 套接字的数据包";
        netif_receive_skb [only_record]: "the same of UDP sockets that have sent something, by their port", "同上，发送过数据的 UDP 套接字的（按端口）";
        skb_copy_datagram_iovec [top]: "copies socket → user (measured)", "CPU 拷贝：套接字 → 用户（实测）";
    }
    Uring {
        io_uring_submit_req | io_uring_submit_sqe [top]: "io_uring requests submitted", "提交的 io_uring 请求";
        io_uring_queue_async_work [only_record]: "io_uring requests handed to a worker", "转给工作线程的 io_uring 请求";
        io_uring_complete [top]: "io_uring requests completed", "完成的 io_uring 请求";
    }
    Scheduling {
        sched_switch: "context switches and waits", "上下文切换与等待";
    }
    Interrupts {
        irq_handler_entry: "device interrupts that land on the program", "落在程序上的设备中断";
        irq_handler_exit [only_record]: "which interrupt completed a request or brought a packet", "由哪个中断完成请求或送来数据包";
        softirq_raise [only_record]: "what a handler leaves to a soft interrupt", "中断处理程序留给软中断的工作";
        softirq_entry [only_record]: "soft interrupts: beginnings", "软中断开始";
        softirq_exit [only_record]: "soft interrupts: ends", "软中断结束";
        local_timer_entry: "timer interrupts", "定时器中断";
        reschedule_entry: "rescheduling interrupts from other CPUs", "其他 CPU 发来的重新调度中断";
        call_function_entry: "function-call interrupts from other CPUs", "其他 CPU 发来的函数调用中断";
        call_function_single_entry: "the same, to one CPU", "同上，只发给一个 CPU";
    }
}

/// A program beside that of a row, on the same tracepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Name of the program in the eBPF object.
    pub program: &'static str,
    pub on: Tracepoint,
}

impl Beside {
    /// Name of the tracepoint.
    pub fn tracepoint(&self) -> &'static str {
        self.on.row().tracepoints[0]
    }
}

macro_rules! beside {
    ($($program:ident on $tracepoint:ident),+) => {
        [$(Beside {
            program: stringify!($program),
            on: Tracepoint::$tracepoint,
        }),+]
    };
}

/// Programs that do what the two of system calls could not: for kernels that skip a program while another
/// thread is in its middle.
pub const AGAIN: [Beside; 2] = beside![sys_enter_again on sys_enter, sys_exit_again on sys_exit];

/// Programs that tell where in the program a call was made.
pub const STACKS: [Beside; 3] = beside![
    name_of_program on sched_process_exec,
    stack_of_call on sys_enter,
    stack_of_fault on page_fault_user
];

/// Programs on the software event of page faults, where no tracepoint tells of them; the second tells where in the
/// program they were taken, too.
pub const PAGE_FAULT: &str = "page_fault";
pub const PAGE_FAULT_AND_STACK: &str = "page_fault_and_stack";

/// The row whose work a program does.
pub fn of_program(program: &str) -> Option<&'static Probe> {
    match program {
        PAGE_FAULT | PAGE_FAULT_AND_STACK => Some(Tracepoint::page_fault_user.row()),
        _ => TABLE.iter().find(|probe| probe.program == program),
    }
}

/// `top`: the program that counts the calls of every process.
pub const CALL_OF_ANYONE: Beside = beside![call_of_anyone on sys_exit][0];

/// Programs that do nothing, on the hooks of system calls (for the benchmark).
pub const NULL: [Beside; 2] = beside![null_enter on sys_enter, null_exit on sys_exit];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_are_distinct_and_complete() {
        let programs: HashSet<_> = TABLE.iter().map(|probe| probe.program).collect();
        assert_eq!(programs.len(), TABLE.len());
        for probe in TABLE {
            assert_eq!(probe.id.row().id, probe.id);
            assert!(!probe.measures(Lang::En).is_empty() && !probe.measures(Lang::Zh).is_empty());
            assert!(!(probe.required && probe.only_record), "{}", probe.program);
        }
        assert!(
            TABLE.is_sorted_by_key(|probe| probe.group),
            "groups are contiguous"
        );
    }

    #[test]
    fn an_older_name_is_used_where_the_newer_is_absent() {
        let submit = TABLE
            .iter()
            .find(|probe| probe.id == Tracepoint::io_uring_submit_req);
        let submit = submit.expect("in the table");
        assert_eq!(submit.tracepoint(|_| true), Some("io_uring_submit_req"));
        assert_eq!(
            submit.tracepoint(|name| name.ends_with("sqe")),
            Some("io_uring_submit_sqe")
        );
        assert_eq!(submit.tracepoint(|_| false), None);
    }
}
