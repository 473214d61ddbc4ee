//! The text report's messages.

crate::messages! {
    // Punctuation between parts.
    comma: "," | "，";
    comma_space: ", " | "，";
    semicolon: ";" | "；";
    colon: ":" | "：";
    full_stop: "." | "。";

    // The title.
    attached: "a running process" | "运行中的进程";
    attached_to(pid, command): "process {pid} ({command})" | "进程 {pid}（{command}）";
    exit_in(code, time): "exit {code} in {time}" | "退出码 {code}，用时 {time}";
    exit_signal_in(code, signal, time): "exit {code} (128 + {signal}) in {time}" | "退出码 {code}（128 + {signal}），用时 {time}";
    end_not_seen(time): "end not seen, {time}" | "未看到结束，{time}";
    running_after(time): "still running after {time}" | "{time} 后仍在运行";
    level(level): "level {level}" | "{level} 级";
    kernel(release): "Linux {release}" | "Linux {release}";
    nothing_lost: "nothing lost" | "无丢失";
    not_whole: "not complete, see below" | "不完整，见下";
    lost[n]: "{n} event lost" / "{n} events lost" | "丢失 {n} 个事件";
    /// Followed by [`lost_kind`]s.
    incomplete: "This ledger is incomplete: its numbers are lower bounds. Lost:" | "这份账目不完整，其中的数字只是下限。丢失：";
    lost_kind(kind, n): "{kind} {n}" | "{kind} {n}";
    lost_unknown_kinds: "events of unknown kinds, so any number can be too small." | "种类不明的事件，因此任何数字都可能偏小。";
    lost_calls: "system calls" | "系统调用";
    lost_extras: "details of calls" | "调用的细节";
    lost_faults: "page faults" | "缺页";
    lost_blocks: "block requests" | "块设备请求";
    lost_packets: "packets" | "网络包";
    lost_uring: "io_uring requests" | "io_uring 请求";
    lost_switches: "context switches" | "上下文切换";
    lost_processes: "forks, execs and exits" | "进程的创建、execve 与退出";
    lost_names: "file names" | "文件名";
    lost_dirty: "dirtied pages" | "变脏的页";
    lost_others: "others" | "其他";

    // The account.
    label_account: "account" | "账目";
    no_less(bytes): "at least {bytes}" | "至少 {bytes}";
    at_least_row: "at least" | "下限";
    at_least(totals): "may be too small, since not everything was seen: {totals}" | "可能偏小（并非一切都看到了）：{totals}";

    // The hop table.
    who_moved: "who moved the bytes" | "谁搬运了字节";
    by_cpu: "CPU" | "CPU";
    by_device: "device" | "设备";
    by_nobody: "nobody" | "无人搬运";
    copied(bytes): "{bytes} copied in the kernel" | "内核中拷贝 {bytes}";
    copied_none: "0 bytes copied by the kernel" | "内核拷贝 0 字节";
    copied_none_seen: "no copy by the kernel among the events that were kept" | "保留下来的事件中没有内核拷贝";
    zeroed(bytes): "{bytes} zeroed" | "清零 {bytes}";
    moved_software(bytes): "{bytes} moved for a device that is only software" | "为纯软件设备搬运 {bytes}";
    moved_dma(bytes): "{bytes} moved by DMA" | "DMA 传输 {bytes}";
    moved_dma_none: "no DMA" | "没有 DMA";
    moved_dma_none_tied: "no DMA of the program's bytes (other DMA: see below)" | "没有传输程序数据的 DMA（其他 DMA 见下）";
    moved_dma_none_seen: "no DMA seen" | "没有看到 DMA";
    moved_unknown(bytes): "{bytes} moved by a device that may or may not use DMA" | "不知是否用 DMA 的设备搬运 {bytes}";
    shared(bytes): "{bytes} passed on by reference" | "传引用 {bytes}";
    mapped(bytes): "{bytes} mapped" | "映射 {bytes}";
    not_moved: "not moved" | "字节没有移动";
    cpu_time(time): "{time} of CPU" | "CPU {time}";
    hardware: "hardware" | "硬件设备";
    paravirtual: "paravirtual: free for this CPU, the hypervisor may copy" | "半虚拟化：不占本机 CPU，虚拟机监控器可能拷贝";
    paravirtual_short: "paravirtual" | "半虚拟化";
    software: "software: no DMA, a CPU does the work" | "软件设备：没有 DMA，由 CPU 完成";
    software_short: "software" | "软件设备";
    engine_unknown: "by DMA? unknown" | "不知是否为 DMA";
    /// The line below the table, if the program mapped files.
    user_mode: "What the program does with mapped pages in user mode is CPU work that no kernel probe sees." | "程序在用户态对映射页的读写也是 CPU 的工作，内核探针看不到。";
    legend_inferred(mark): "{mark} inferred: concluded by the rule named, because no probe here sees the bytes." | "{mark} 推断：本机没有探针能看到这些字节，由所列规则得出。";
    legend_later: "later: deferred, it ran after or outside the call that caused it." | "延后：在引起它的调用之后或之外执行。";

    // The other lines: labels, then what they say.
    label_crossings: "crossings" | "特权级切换";
    label_faults: "page faults" | "缺页";
    label_waits: "waited" | "等待";
    label_switches: "switches" | "上下文切换";
    label_time: "CPU time" | "CPU 时间";
    label_cost: "own cost" | "自身开销";
    cost(time, runs): "up to {time} in probes ({runs} runs), which the times of the run, of calls, of waits and of the CPU include" | "探针内至多 {time}（运行 {runs} 次），整个运行、调用、等待和 CPU 的用时都包含它";
    cost_probe(probe, time, runs): "{probe} {time} ({runs})" | "{probe} {time}（{runs} 次）";
    cost_more[n]: "{n} more probe" / "{n} more probes" | "另有 {n} 个探针";
    cost_limits: "runs for other processes are in it; entering and leaving a probe, reading its records and what it drives out of caches are not" | "含为其他进程运行的部分；不含进出探针、读取记录以及对缓存的影响";
    label_copying: "  of it" | "  其中";
    time_copying(time, error): "≈ {time} ± {error} copying in the kernel" | "内核拷贝 ≈ {time} ± {error}";
    time_copying_none(time): "no sample fell on copying in the kernel: less than {time}" | "内核拷贝未被采样到：少于 {time}";
    time_clearing(time, error): "≈ {time} ± {error} zeroing" | "清零 ≈ {time} ± {error}";
    time_samples[n]: "estimated from {n} sample" / "estimated from {n} samples" | "估计，共 {n} 个样本";
    label_calls: "calls" | "系统调用";
    label_requests: "requests" | "请求";
    label_never: "not ended" | "未返回";
    label_dirty: "still dirty" | "尚未回写";
    label_metadata: "metadata" | "元数据";
    label_unattributed: "unattributed" | "未归属";
    label_arrived: "not tied" | "未归入调用";
    arrived(n, bytes): "{n}, {bytes}" | "{n}，{bytes}";
    packets[n]: "{n} packet arrived" / "{n} packets arrived" | "到达 {n} 个数据包";
    arrived_why: "no call took bytes of them: acknowledgements, repetitions, data that was not read" | "没有调用取走其中的字节：确认、重传，或未被读取的数据";
    label_interrupts: "interrupts" | "中断";
    in_handler(n): "interrupt {n}, in its handler" | "中断 {n}（处理程序中）";
    in_soft(n): "interrupt {n}, in a soft interrupt that it raised" | "中断 {n}（由它触发的软中断中）";
    in_soft_alone: "in a soft interrupt that no device's handler on that processor had raised" | "软中断（并非该处理器上的设备中断触发）";
    in_thread: "in a thread" | "线程中";
    told_of(where_, what, device, bytes): "{where_}: {what} of {device} done, {bytes}" | "{where_}：{device} 完成 {what}，{bytes}";
    transfers[n]: "{n} transfer" / "{n} transfers" | "{n} 次传输";
    woke[n]: "the thread that slept went on after {n} of them" / "the thread that slept went on after {n} of them" | "其中 {n} 次之后睡眠的线程继续运行";
    interrupts_more[n]: "{n} more" / "{n} more" | "另有 {n} 项";
    label_devices: "devices" | "设备";
    label_processes: "processes" | "进程";
    label_files: "files" | "文件";
    label_sockets: "sockets" | "套接字";
    label_threads: "threads (thread, process)" | "线程（线程号，进程号）";
    label_cgroups: "cgroups" | "cgroup";
    label_regions: "regions (passes, time)" | "区域（次数，时间）";
    a_region(name, passes, time): "{name} (×{passes}, {time})" | "{name}（×{passes}，{time}）";
    a_file(device, inode): "inode {inode} on {device}" | "{device} 上的 inode {inode}";
    a_socket(protocol, inode): "{protocol} socket {inode}" | "{protocol} 套接字 {inode}";
    unnamed: "(no name seen)" | "（没有看到名字）";
    sizes: "sizes" | "大小";
    times: "times" | "用时";
    calls_by_size: "calls by size and time" | "按大小和用时划分的调用";
    hops_by_size: "hops by size and time" | "按大小和用时划分的跳";
    label_disagree: "disagree" | "不一致";
    label_missing: "missing" | "缺少探针";
    label_warning: "warning" | "警告";
    label_totals: "totals" | "合计";
    syscalls[n]: "{n} system call" / "{n} system calls" | "{n} 次系统调用";
    faults[n]: "{n} page fault" / "{n} page faults" | "{n} 次缺页";
    crossings(total, calls, faults): "{total} = 2 × ({calls} + {faults})" | "{total} = 2 ×（{calls} + {faults}）";
    crossings_short(total): "{total} crossings" | "{total} 次特权级切换";
    interrupts[n]: "interrupts on top: {n}" / "interrupts on top: {n}" | "另有中断 {n}";
    fault_kinds(minor, major): "{minor} minor, {major} major" | "次缺页 {minor}，主缺页 {major}";
    faults_unknown: "an unknown number of page faults" | "缺页次数未知";
    fault_user(n): "{n} of them in user mode" | "其中用户态 {n}";
    fault_pages[n]: "{n} page mapped" / "{n} pages mapped" | "映射 {n} 页";
    waits(time, n): "{time} off the CPU in {n}" | "离开 CPU 共 {time}（{n}）";
    waits_count[n]: "{n} wait" / "{n} waits" | "{n} 次";
    waits_device(time, device): "{time} of it for {device}" | "其中等待 {device} {time}";
    a_device: "a device" | "设备";
    switches(voluntary, involuntary): "{voluntary} voluntary, {involuntary} involuntary" | "主动 {voluntary}，被动 {involuntary}";
    failed_with(n, errors): " ({n} failed: {errors})" | "（失败 {n}：{errors}）";
    failed(n): " ({n} failed)" | "（失败 {n}）";
    more_calls[n]: "… {n} more" / "… {n} more" | "… 另有 {n} 种";
    never_why: "(began, did not return)" | "（已开始，未返回）";
    dirty(bytes): "{bytes} written by the program, not written back yet: the DMA comes later" | "程序写入的 {bytes} 尚未回写：DMA 在以后发生";
    io_read(bytes, n): "{bytes} read in {n}" | "读 {bytes}（{n}）";
    io_written(bytes, n): "{bytes} written in {n}" | "写 {bytes}（{n}）";
    requests[n]: "{n} request" / "{n} requests" | "{n} 个请求";
    metadata_why: "the file system's own, not payload" | "文件系统自身的数据，不是程序的数据";
    unattributed_why: "no call of the program could be found for it" | "找不到对应的调用";
    device_none(name): "{name} is no device: no DMA, a CPU does the work" | "{name} 不是设备：没有 DMA，由 CPU 完成";
    device_hands_on(name, what): "{name} is {what} in software: no DMA of its own, a CPU does the work; what it asks of the device below is told there" | "{name} 是软件实现的{what}：自己没有 DMA，由 CPU 完成；它向下层设备请求的 I/O 记在下层设备上";
    device_software(name, what): "{name} is {what} in software: no DMA, a CPU does the work" | "{name} 是软件实现的{what}：没有 DMA，由 CPU 完成";
    device_veth(name): "{name} is a veth: no device, no DMA, no copy; the packet itself goes to the other end" | "{name} 是 veth：没有设备，没有 DMA，也不拷贝；数据包本身直接交给另一端";
    device_hardware(name, what): "{name} is {what} with DMA of its own" | "{name} 是自带 DMA 的{what}";
    device_paravirtual(name, what): "{name} is {what} of the hypervisor: free for this CPU, the hypervisor may copy" | "{name} 是虚拟机监控器提供的{what}：不占本机 CPU，虚拟机监控器可能拷贝";
    device_unknown(name, what): "{name} is {what}; sysfs does not tell if it does DMA" | "{name} 是{what}；sysfs 没有说明它是否用 DMA";
    a_disk: "a block device" | "块设备";
    a_nic: "a network device" | "网络设备";
    with_driver(what, driver): "{what} ({driver})" | "{what}（{driver}）";
    read_from(bytes): "{bytes} read" | "读 {bytes}";
    mapped_for(bytes): "{bytes} of it seen mapped for DMA" | "其中 {bytes} 观察到 DMA 映射";
    written_to(bytes): "{bytes} written" | "写 {bytes}";
    column_pid: "pid" | "pid";
    column_calls: "calls" | "调用";
    column_faults: "faults" | "缺页";
    column_copied: "copied for it" | "为它拷贝";
    column_errors: "errors" | "出错";
    column_bytes: "bytes" | "字节";
    column_time: "time" | "时间";
    more_processes[n]: "… {n} more" / "… {n} more" | "… 另有 {n} 个";
    disagreement(what, expected, found, rule): "{what}: expected {expected}, found {found} ({rule})" | "{what}：应为 {expected}，实为 {found}（{rule}）";
    disagreement_skipped(probes): "The kernel skipped some runs of {probes}, so the count may be too low." | "内核跳过了 {probes} 的若干次执行，因此计数可能偏低。";
    missing(probe, why): "{probe} ({why})" | "{probe}（{why}）";
    missing_more[n]: "… {n} more, see bytehop doctor" / "… {n} more, see bytehop doctor" | "… 另有 {n} 个，见 bytehop doctor";
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::i18n::problems;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(problems(TABLE), [""; 0]);
    }

    /// The English report is ASCII when asked for: whatever is not, [`super::super::layout`] spells.
    #[test]
    fn english_has_an_ascii_spelling() {
        for entry in TABLE {
            for text in &entry.texts[..entry.texts.len() - 1] {
                let spelt = super::super::layout::clean(text, true);
                assert!(spelt.is_ascii(), "{}: {spelt}", entry.name);
            }
        }
    }
}
