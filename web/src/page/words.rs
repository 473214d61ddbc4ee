//! The page's messages.

bytehop_core::messages! {
    screen: "The recording, hop by hop; the summary below says the same in words" | "逐跳查看记录；下方的摘要用文字说明同样的内容";
    first: "First" | "开头";
    previous_call: "‹‹ Call" | "‹‹ 调用";
    previous_hop: "‹ Hop" | "‹ 跳";
    next_hop: "Hop ›" | "跳 ›";
    next_call: "Call ››" | "调用 ››";
    play: "Play" | "播放";
    explain: "Explain" | "解释";
    pane: "Pane" | "窗格";
    zoom: "Zoom" | "放大";
    help: "Help" | "帮助";
    back: "Back" | "返回";
    language: "中文" | "English";
    theme: "Colours" | "配色";
    how: "Keys as in the terminal (? lists them). Click at an arrow, a call, the timeline. On a touch screen swipe to step. Shift+Tab leaves the screen." | "按键与终端中相同（? 列出全部）。可点击箭头、调用和时间线。触摸屏上左右滑动即可单步。Shift+Tab 离开画面。";
    failed: "This browser cannot show the screens; the summary is below." | "此浏览器无法显示画面；摘要在下方。";
    no_script: "The screens need JavaScript; the summary below does not." | "画面需要 JavaScript；下方的摘要不需要。";

    process(pid, comm): "process {pid} ({comm})" | "进程 {pid}（{comm}）";
    run: "The run" | "运行";
    command: "command" | "命令";
    ended: "exit status" | "退出码";
    not_seen: "not seen" | "未看到";
    duration: "duration" | "时长";
    machine: "kernel" | "内核";
    level: "level" | "级别";
    lost: "events lost" | "丢失的事件";
    crossings: "crossings" | "特权级切换";
    crossings_of(total, calls, faults): "{total} = 2 × ({calls} system calls + {faults} page faults in user mode)" | "{total} = 2 ×（{calls} 次系统调用 + {faults} 次用户态缺页）";
    faults: "page faults" | "缺页";
    faults_of(minor, major): "{minor} minor, {major} major" | "次缺页 {minor}，主缺页 {major}";
    switches: "context switches" | "上下文切换";
    switches_of(voluntary, involuntary): "{voluntary} voluntary, {involuntary} involuntary" | "主动 {voluntary}，被动 {involuntary}";
    waited: "waited" | "等待";
    cpu_time: "CPU time" | "CPU 时间";
    account: "account" | "账目";

    bytes_went: "Where the bytes went" | "字节去了哪里";
    path_of(title): "The path of the bytes of {title}" | "{title} 的字节所走的路径";
    hop_told(kind, from, to, bytes, count, known): "{kind} from {from} to {to}: {bytes} in {count}, {known}" | "{kind}，从{from}到{to}：{bytes}，{count} 次，{known}";
    no_hops: "No bytes moved." | "没有字节移动。";
    hops: "Hops" | "跳";
    kind: "kind" | "种类";
    kind_by(kind, engine): "{kind} ({engine})" | "{kind}（{engine}）";
    from: "from" | "从";
    to: "to" | "到";
    bytes: "bytes" | "字节";
    count: "times" | "次数";
    known: "how it is known" | "依据";
    known_by(how, by): "{how}: {by}" | "{how}：{by}";

    flames: "Copied bytes by call stack" | "按调用栈划分的拷贝字节";
    no_stacks: "The recording has no stacks: record with --stacks for a flame graph of the program's lines." | "记录中没有调用栈：用 --stacks 记录即可得到程序各处的火焰图。";
    calls: "System calls" | "系统调用";
    call: "call" | "调用";
    errors: "errors" | "出错";
    time: "time" | "时间";
    calls_by_size: "System calls by size and by time" | "按大小和用时划分的系统调用";
    hops_by_size: "Hops by size and by time" | "按大小和用时划分的跳";
    hop_named(kind, from, to, by): "{kind}, {from} → {to} ({by})" | "{kind}，{from} → {to}（{by}）";
    later(hop): "{hop}, later" | "{hop}，延后";
    histogram_of(call, what): "{call}: {what}" | "{call}：{what}";
    processes: "Processes" | "进程";
    comm: "name" | "名称";
    copied: "copied for it" | "为它拷贝";
    devices: "Devices" | "设备";
    device: "device" | "设备";
    driver: "driver" | "驱动";
    read: "read" | "读";
    written: "written" | "写";
    findings: "What to know about these numbers" | "关于这些数字";
    nothing_lost: "Nothing was lost." | "没有丢失事件。";
    disagreement(what, expected, found, rule): "{what}: expected {expected}, found {found} ({rule})" | "{what}：应为 {expected}，实为 {found}（{rule}）";
    missing(probe, why): "Missing: {probe} ({why})" | "缺少：{probe}（{why}）";
    never_returned(name, n): "{name}: {n} not ended" | "{name}：{n} 次未返回";
    made_by(version): "Made by bytehop {version}." | "由 bytehop {version} 生成。";
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
