//! The messages of `doctor`.

use bytehop_core::catalogue::probes::Group;
use bytehop_core::event::Engine;
use bytehop_core::i18n::Lang;

bytehop_core::messages! {
    comma: "," | "，";
    virtual_machine: "virtual machine" | "虚拟机";
    container: "container" | "容器";
    wsl: "Windows (WSL2)" | "Windows（WSL2）";

    label_here: "here" | "所在环境";
    here_container: "In a container bytehop needs CAP_BPF and CAP_PERFMON of the host: `docker run --cap-add BPF --cap-add PERFMON` as root, not rootless. Running processes are traced from the host (docs/install.md)." | "在容器中，bytehop 需要宿主机的 CAP_BPF 与 CAP_PERFMON：以 root（非 rootless）执行 `docker run --cap-add BPF --cap-add PERFMON`。运行中的进程须在宿主机上跟踪（docs/zh/install.md）。";
    here_confined: "A rootless container (a user namespace) cannot trace, whatever capabilities it has: run bytehop on the host, or in a container that root started (docs/install.md)." | "rootless 容器（用户命名空间）无论有哪些能力都不能跟踪：请在宿主机上，或在 root 启动的容器中运行 bytehop（docs/zh/install.md）。";
    here_wsl: "WSL2: its disk is a virtual one, so a read from it is DMA by the hypervisor's device. Without type information (BTF) run `wsl --update` in Windows (docs/install.md)." | "WSL2：磁盘是虚拟的，从它读取即是虚拟机监控器设备的 DMA。若没有类型信息（BTF），请在 Windows 中运行 `wsl --update`（docs/zh/install.md）。";
    here_vm: "A virtual machine: tracing goes as anywhere; its disks are paravirtual (see devices), so DMA is by the hypervisor's device, not by a real one." | "虚拟机：跟踪与在物理机上相同；但磁盘是半虚拟化的（见“设备”），DMA 由虚拟机监控器的设备完成，而非真实硬件。";
    rights_lent: "CAP_BPF and CAP_PERFMON are lent to you, for commands that you start and processes that you may trace" | "CAP_BPF 与 CAP_PERFMON 借给您使用，限于您启动的命令与您有权跟踪的进程";
    open_to_all(path): "{path} has capabilities and everyone on this machine can start it: `sudo bytehop setup --group GROUP` lends them to a group only." | "{path} 带有文件能力，本机人人可以启动：`sudo bytehop setup --group 组名` 可只借给一个用户组。";

    level(level): "level {level}" | "{level} 级";
    no_level: "no level" | "无法跟踪";
    level_t: "Tracepoints: system calls, page faults, I/O, packets and waits are measured. Copies are inferred by named rules, except where a tracepoint counts them (TCP and UNIX receive)." | "跟踪点：系统调用、缺页、I/O、数据包与等待为实测；CPU 拷贝按具名规则推断，有跟踪点之处为实测（TCP 与 UNIX 套接字接收）。";
    in_force_f: "Functions and tracepoints: most copies and shared pages are measured at the kernel function that handles them. System calls, page faults, I/O, packets and waits are measured. Named rules infer the rest." | "函数与跟踪点：多数 CPU 拷贝与引用传递在执行它们的内核函数处实测；系统调用、缺页、I/O、数据包与等待也为实测；其余按具名规则推断。";
    in_force_b: "Breakpoints, functions and tracepoints: copies are measured at the copy primitives themselves, or at the functions around them. System calls, shared pages, page faults, I/O, packets and waits are measured. Named rules infer the rest. A program that copies very often is measured at functions only, unless `--level B` is given." | "断点、函数与跟踪点：CPU 拷贝在拷贝原语处或其外层函数处实测；系统调用、引用传递、缺页、I/O、数据包与等待也为实测；其余按具名规则推断。拷贝极频繁的程序只在函数处测量，除非指定 `--level B`。";
    level_f: "It would measure copies at the functions that do them." | "这一级在执行拷贝的函数处实测 CPU 拷贝。";
    level_b: "It would measure copies at the copy primitives themselves." | "这一级在拷贝原语处实测 CPU 拷贝。";
    built: "The best level that the kernel allows is used; `--level` forces one." | "自动采用内核允许的最高级别；`--level` 可强制指定。";
    nothing_traced: "Nothing can be traced here." | "此处无法跟踪。";

    works: "Allowed by this kernel." | "本内核允许。";
    works_not(why): "Not here: {why}." | "此处不行：{why}。";
    untried(why): "Not tried: {why}." | "未尝试：{why}。";
    why_rights: "bytehop lacks the rights" | "缺少所需权限";
    why_no_btf: "the kernel has no type information (BTF)" | "内核没有类型信息（BTF）";
    why_absent(what): "the kernel has no {what}" | "内核没有 {what}";
    why_refused(errno): "the kernel refuses ({errno})" | "内核拒绝（{errno}）";
    why_hidden: "the kernel hides its addresses" | "内核隐藏了地址";
    why_arch: "bytehop does not know this architecture" | "不认识这种体系结构";

    needs_kprobes: "It needs a kernel with kprobes (CONFIG_KPROBES); the kernels of all distributions have them." | "需要带 kprobes（CONFIG_KPROBES）的内核，各发行版的内核都有。";
    locked_down(mode): "The kernel is locked down ({mode}): a boot without Secure Boot or without lockdown= may allow it." | "内核处于 lockdown（{mode}）：关闭 Secure Boot 或去掉 lockdown= 后重启也许可行。";
    stock_kernels: "Stock kernels of Debian, Ubuntu and Fedora allow it." | "Debian、Ubuntu、Fedora 的标准内核允许。";
    try_as_root: "Run `sudo bytehop doctor` to find out." | "运行 `sudo bytehop doctor` 可得知。";
    show_addresses: "`sudo sysctl kernel.kptr_restrict=1` shows them to root." | "`sudo sysctl kernel.kptr_restrict=1` 可让 root 看到。";

    unknown_arch(arch): "bytehop traces on x86_64 and aarch64, not on {arch}; recordings open anywhere." | "bytehop 可在 x86_64 与 aarch64 上跟踪，不支持 {arch}；记录文件在哪里都能打开。";
    hook_absent(hook): "The kernel has no {hook}, and bytehop cannot trace without it: use Linux 6.1 or later with CONFIG_FTRACE_SYSCALLS." | "内核没有 {hook}，缺了它就无法跟踪：请用 Linux 6.1 或更高版本，并启用 CONFIG_FTRACE_SYSCALLS。";
    programs_refused(errno): "The kernel refuses BPF programs on tracepoints: {errno}." | "内核拒绝跟踪点上的 BPF 程序：{errno}。";

    label_hooks: "hooks" | "跟踪点";
    hooks_present(present, all): "{present} of {all} are in this kernel" | "本内核有 {present} 个，共 {all} 个";
    hooks_unknown: "unknown without type information" | "没有类型信息，无从得知";
    label_functions: "functions" | "函数";
    label_primitives: "copying" | "拷贝原语";
    absent_here: "(not in this kernel)" | "（本内核没有）";
    field_absent(field): "This kernel has no struct field for {field}: what depends on it is off." | "内核结构中没有 {field} 对应的字段：依赖它的功能关闭。";

    label_labs: "labs" | "实验";
    labs_hardware(disk, labs): "Real DMA, by {disk}: {labs}." | "{disk} 做真正的 DMA，可在这些实验中看到：{labs}。";
    labs_paravirtual(labs, disk): "No lab shows real DMA on this machine. {labs} use {disk}, a device of the hypervisor: it is shown as DMA, but whether hardware moves the bytes is the hypervisor's affair." | "本机上没有实验显示真正的 DMA。{labs} 使用 {disk}，它是虚拟机监控器的设备：显示为 DMA，但字节是否由硬件搬运，取决于虚拟机监控器。";
    labs_software(labs, disk): "No lab shows real DMA on this machine. {labs} use {disk}, which is software: a CPU moves the bytes." | "本机上没有实验显示真正的 DMA。{labs} 使用 {disk}，它由软件实现：字节由 CPU 搬运。";
    labs_unknown(labs, folder): "{labs} use the disk below {folder}; what moves its bytes is not known here." | "{labs} 使用 {folder} 所在的磁盘；此处无从得知由谁搬运字节。";
    labs_memory(folder, labs): "No lab shows real DMA on this machine: {folder} is in memory, not on a disk. {labs} show their recordings." | "本机上没有实验显示真正的 DMA：{folder} 在内存中，不在磁盘上。{labs} 只显示记录文件。";
    labs_others: " The other labs are about what CPUs do: no device has a part in them, on any machine." | "其余实验讲的是 CPU 的工作：在任何机器上都没有设备参与。";

    label_devices: "devices" | "设备";
    with_driver(name, driver): "{name} ({driver})" | "{name}（{driver}）";
    hardware: "with a DMA engine:" | "有 DMA 引擎：";
    paravirtual: "paravirtual (free for this CPU; the hypervisor may copy):" | "半虚拟化（不占本机 CPU；虚拟机监控器可能拷贝）：";
    software: "in software (no DMA, a CPU does the work):" | "纯软件（没有 DMA，由 CPU 完成）：";
    unknown: "unknown (sysfs does not tell):" | "未知（sysfs 没有说明）：";

    label_rights: "rights" | "权限";
    rights_held: "CAP_BPF and CAP_PERFMON are held" | "已有 CAP_BPF 与 CAP_PERFMON";
    rights_lacking(names): "missing: {names}" | "缺少：{names}";
    label_settings: "kernel" | "内核";
    kprobes_yes: "kprobes" | "有 kprobes";
    kprobes_no: "no kprobes" | "没有 kprobes";
    uring_yes: "io_uring" | "可用 io_uring";
    uring_no: "no io_uring" | "不可用 io_uring";

    group_calls: "calls" | "调用";
    group_faults: "page faults" | "缺页";
    group_cache: "page cache" | "页缓存";
    group_block: "disk" | "磁盘";
    group_net: "network" | "网络";
    group_uring: "io_uring" | "io_uring";
    group_sched: "waits" | "等待";
    group_irq: "interrupts" | "中断";
}

/// What kind of devices follow.
pub fn engine(engine: Engine, lang: Lang) -> &'static str {
    match engine {
        Engine::Hardware => hardware(lang),
        Engine::Paravirtual => paravirtual(lang),
        Engine::Software => software(lang),
        Engine::Unknown => unknown(lang),
    }
}

/// Name of a group of hooks.
pub fn group(group: Group, lang: Lang) -> &'static str {
    match group {
        Group::Calls => group_calls(lang),
        Group::Faults => group_faults(lang),
        Group::PageCache => group_cache(lang),
        Group::Block => group_block(lang),
        Group::Network => group_net(lang),
        Group::Uring => group_uring(lang),
        Group::Scheduling => group_sched(lang),
        Group::Interrupts => group_irq(lang),
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use bytehop_core::i18n::problems;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(problems(TABLE), [""; 0]);
    }
}
