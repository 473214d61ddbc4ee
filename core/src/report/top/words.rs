//! The messages of `bytehop top`, on screen and as text.

crate::messages! {
    column_pid: "pid" | "pid";
    column_name: "process" | "进程";
    column_crossings: "cross" | "切换";
    column_faults: "faults" | "缺页";
    column_copied: "copied" | "拷贝";
    column_dma: "DMA" | "DMA";
    column_shared: "by ref." | "传引用";
    column_filled: "zeroed" | "清零";
    per_second(what): "{what}/s" | "{what}/s";

    kernel: "(kernel, cause unknown)" | "（内核，起因不明）";
    kernel_short: "(kernel)" | "（内核）";
    ended_processes[n]: "({n} ended)" / "({n} ended)" | "（已结束 {n} 个）";
    others[n]: "(others: {n})" / "(others: {n})" | "（他人：{n}）";
    ended: "(ended)" | "（已结束）";

    title_interval(time): "per second over {time}" | "{time} 内平均每秒";
    title_total(time): "totals of {time}" | "启动以来（{time}）的合计";
    active(n, all): "{n} of {all} processes active" | "{all} 个进程中 {n} 个活动";
    level: "level T" | "T 级";
    nothing: "no process made a call" | "没有进程进行系统调用";
    lost_calls[n]: "{n} call not counted: the kernel's table is full" / "{n} calls not counted: the kernel's table is full" | "{n} 次调用没有计数：内核中的表已满";
    lost_counts[n]: "{n} event not counted: the kernel's table is full" / "{n} events not counted: the kernel's table is full" | "{n} 个事件没有计数：内核中的表已满";
    lost_skipped[n]: "{n} event not seen: its probe was busy" / "{n} events not seen: their probe was busy" | "{n} 个事件没有看到：探针正忙";
    lost_descriptors[n]: "{n} descriptor of unknown kind: the kernel's table is full" / "{n} descriptors of unknown kind: the kernel's table is full" | "{n} 个描述符种类不明：内核中的表已满";
    missing(probe, why): "not measured: {probe} ({why})" | "未测量：{probe}（{why}）";
    legend(mark): "{mark} some of it inferred by a rule; + there may be more; ? not known; blank: none" | "{mark} 其中有规则推断的成分；+ 可能更多；? 不知道；空白：没有";

    more_up_to(what, n, bytes): "{what} ({n} times, at most {bytes})" | "{what}（{n} 次，最多 {bytes}）";
    more_unbounded(what, n): "{what} ({n} times)" | "{what}（{n} 次）";
    unknown_fresh: "new pages, filled by a copy (copy-on-write) or by I/O" | "分配后由拷贝（写时拷贝）或 I/O 填充的页";
    unknown_large: "large pages allocated and zeroed, or filled by I/O" | "分配后清零或由 I/O 填充的大页";
    unknown_messages: "calls that return messages, not bytes" | "返回消息数而非字节数的调用";
    unknown_files: "calls on files of unknown kind" | "对种类不明的文件的调用";
    unknown_undecided: "calls that may have copied or shared" | "可能拷贝、也可能共享的调用";
    unknown_zerocopy: "bytes sent by reference that a software device copies later" | "以引用方式发送、可能被软件设备随后拷贝的字节";
    unknown_table: "32-bit calls, whose numbers belong to another table" | "32 位调用，其编号属于另一张表";
    unknown_received: "bytes that came in by a network interface: by its DMA, if it has one" | "从网络接口进来的字节：若该接口有 DMA，则由 DMA 写入";
    unknown_faults: "page faults: what they mapped, or copied, is not counted" | "缺页：映射或拷贝了什么没有计数";
    unknown_arguments: "calls whose arguments tell whether they share files or packets" | "是否共享文件或数据包要看参数的调用";
    unknown_requests: "disk requests of which neither beginning nor end was seen" | "既没看到开始也没看到结束的磁盘请求";
    metadata(read, written): "file-system metadata: {read} read, {written} written" | "文件系统元数据：读 {read}，写 {written}";
    attach_hint(pid): "its calls one by one: bytehop attach -p {pid}" | "逐次查看它的调用：bytehop attach -p {pid}";
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::i18n::problems;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(problems(TABLE), [""; 0]);
    }
}
