//! Every text of the terminal UI. Terms follow the domain model.

use bytehop_core::event::Engine;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{HopKind, Place};
use bytehop_core::terms::{self, Form};

bytehop_core::messages! {
    // The guided labs.
    lab_title: "bytehop · guided labs" | "bytehop · 引导实验";
    lab_solved(n, of): "{n} of {of} solved" | "已完成 {n}/{of}";
    lab_menu_keys(code): "↑↓ choose  Enter open  C code: {code}  L 中文  T theme  x reset  ? help  q quit" | "↑↓ 选择  Enter 打开  C 程序语言：{code}  L English  T 主题  x 重置  ? 帮助  q 退出";
    lab_code(code): "Programs are in {code} from now on; C changes it." | "程序从现在起用 {code}；按 C 可切换。";
    lab_code_busy: "A program is running: Esc stops it first." | "有程序正在运行：先按 Esc 停止。";
    lab_answer_keys: "Enter answer  Tab skip  ↑↓ scroll  Esc leave the questions" | "Enter 作答  Tab 跳过  ↑↓ 滚动  Esc 离开问题";
    lab_predict_keys: "n observe  i answer  l list  ? help  q quit" | "n 观察  i 作答  l 列表  ? 帮助  q 退出";
    lab_guide_keys: "a walk the path  3 explain  [ ] program  l list  ? help  q quit" | "a 走一遍路径  3 解释  [ ] 换程序  l 列表  ? 帮助  q 退出";
    lab_path_keys: "a guide  [ ] other program  w show me where  3 explain  0 list" | "a 指南  [ ] 换程序  w 指给我看  3 解释  0 列表";
    lab_explain_keys: "n change  w show me where  p back  r run again  l list  ? help  q quit" | "n 修改  w 指给我看  p 返回  r 重新运行  l 列表  ? 帮助  q 退出";
    lab_where(n, of): "Question {n} of {of}: most of its number comes from here. w next  3 back" | "第 {n}/{of} 题：它的数字主要来自这里。w 下一题  3 返回";
    lab_none(n, of): "Question {n} of {of}: this run has none of it. w next  3 back" | "第 {n}/{of} 题：这次运行里一个也没有。w 下一题  3 返回";
    lab_nowhere(n, of): "Question {n} of {of}: it is about the run as a whole. w next" | "第 {n}/{of} 题：问的是整个运行。w 下一题";
    lab_ran: "It has run. a: walk its path  3: explain" | "已运行。a 走一遍路径  3 解释";
    lab_recorded: "Its recording is shown, nothing was run. a: walk its path  3: explain" | "显示的是记录文件，没有运行程序。a 走一遍路径  3 解释";
    lab_stop: "Esc: stop" | "Esc 停止";
    lab_change_replay_keys: "c what the solution did  h hint  s solution  l list  ? help  q quit" | "c 参考答案的表现  h 提示  s 答案  l 列表  ? 帮助  q 退出";
    lab_not_checked: "Your program has not been checked yet: press c." | "你的程序还没有检验过：按 c 检验。";
    lab_change_keys: "e edit  c check  h hint  v before/after  s solution  x reset  l list  q quit" | "e 编辑  c 检验  h 提示  v 前后对比  s 答案  x 重置  l 列表  q 退出";
    lab_check_keys: "n next lab  v before/after  p back  s solution  l list  ? help  q quit" | "n 下一个实验  v 前后对比  p 返回  s 答案  l 列表  ? 帮助  q 退出";
    lab_reset_ask(id): "Restore the programs of {id} and forget its answers? y/n" | "把 {id} 的程序恢复原样，并清除答案？y/n";
    lab_solution_ask: "The solution comes after success. Show it now? y/n" | "通过检验后才显示答案。现在就看吗？y/n";
    lab_question(n, of): "question {n} of {of}" | "第 {n}/{of} 题";
    lab_no_hints: "There are no hints." | "没有提示。";
    lab_replay: "recorded" | "记录";
    lab_replay_why(why): "Tracing is not possible here, so recordings are shown: {why}" | "这里无法跟踪，显示记录文件：{why}";
    lab_running(what): "running {what} …" | "正在运行 {what} …";
    lab_building: "building the programs … (the first time takes a while)" | "正在编译程序……（第一次需要一会儿）";
    lab_checking: "checking your program …" | "正在检验你的程序……";
    lab_learner: "your program" | "你的程序";
    lab_solved_before: "Solved before: c checks your program again, and says what it does now." | "之前已完成：按 c 重新检验，并说明你的程序现在的表现。";
    lab_not_replayed: "With recordings nothing is checked: c shows what the solution did when it was recorded." | "只看记录文件时不做检验：按 c 查看参考答案在录制时的表现。";
    lab_unsolved: "Not solved yet: change the program until its check passes." | "尚未完成：修改程序，直到检验通过。";
    lab_saved: "The program was saved: checked again." | "程序已保存：重新检验。";
    lab_no_editor: "EDITOR is not set: edit the file in another window; saving it checks it" | "没有设置 EDITOR：请在另一个窗口编辑上面的文件，保存后自动检验";
    lab_reset_done: "Restored." | "已恢复原样。";
    lab_small(w, h): "The labs need {w}×{h} cells: make the window larger, or use --no-tui." | "实验需要 {w}×{h} 个字符的窗口：请放大窗口，或使用 --no-tui。";
    lab_help: "The five steps: predict what the program does, observe what it really did, see why (w: where in the run), change the program, and let a trace check the change.\n\n1 to 5 go to a step, n and p to the next and the one before. The program in your folder is yours: edit it with e or in another window; it is checked again whenever you save it. h gives a hint, v puts your program's run beside the original's (Esc: step through yours), s shows the solution, x restores everything (and asks first).\n\nWhere a run is shown: n and p step from hop to hop, N and P from call to call, Enter explains a hop, ? lists all keys of the path view, a switches between guide and path, [ and ] switch programs.\n\nl lists the labs, C changes between Rust and C, L the language, T the colours, q quits; what you did is kept." | "五个步骤：预测程序会做什么，观察它实际做了什么，看看为什么（w：在运行中的哪里），修改程序，再用跟踪来检验修改。\n\n1 到 5 跳到某一步，n 和 p 是下一步和上一步。你目录里的程序是你自己的：用 e 或在另一个窗口编辑，保存后会自动重新检验。h 给提示，v 把你的程序那次运行和原程序的并排对比（按 Esc 后可逐跳查看你的），s 看参考答案，x 全部恢复原样（会先询问）。\n\n显示运行时：n 和 p 逐跳前进和后退，N 和 P 逐次调用，Enter 说明这一跳是什么，? 列出路径视图的所有按键，a 在指南和路径之间切换，[ 和 ] 切换程序。\n\nl 列出实验，C 在 Rust 和 C 之间切换，L 切换界面语言，T 切换配色，q 退出；进度会保存。";

    call_of(n, all): "call {n} of {all}" | "调用 {n}/{all}";
    hop_of(n, all): "hop {n}/{all}" | "第 {n}/{all} 跳";
    no_calls: "nothing was recorded" | "没有记录到任何调用";
    no_match: "no call matches the filter (Esc clears it)" | "没有符合筛选条件的调用（按 Esc 清除）";
    level(level): "level {level}" | "{level} 级";
    lost(n): "lost {n}" | "丢失 {n}";
    not_whole: "not complete" | "不完整";

    band_user: "user mode" | "用户态";
    band_kernel: "kernel" | "内核态";
    band_devices: "devices" | "设备";
    no_user: "no payload reached user mode" | "没有数据到达用户态";
    no_kernel: "no bytes stayed in the kernel" | "没有字节停留在内核态";
    no_devices: "no device took part" | "没有设备参与";
    software_device(name): "{name}: software, no DMA" | "{name}：纯软件，没有 DMA";
    not_drawn[n]: "{n} arrow has no room here" / "{n} arrows have no room here" | "{n} 条箭头画不下";
    scope_run: "whole run" | "整个运行";
    scope_so_far: "so far" | "到目前为止";
    scope_call: "this call" | "本次调用";

    hardware: "hardware" | "硬件";
    paravirtual: "paravirtual" | "半虚拟化";
    software: "software" | "纯软件";
    engine_unknown: "engine unknown" | "不知是否为 DMA";
    at_least: "at least" | "至少";
    at_least_totals(totals): "may be too small, since not everything was seen: {totals}" | "可能偏小（并非一切都看到了）：{totals}";

    calls: "calls" | "调用";
    before_main(n): "before main: {n} calls of the loader and the runtime" | "main 之前：加载器和运行时的 {n} 次调用";
    source: "source" | "源代码";
    no_source: "This recording has no source lines. Record with --stacks, and build the program with debug information (-g; cargo build)." | "这个记录文件没有源代码行：请用 --stacks 记录带调试信息的程序（-g；cargo build）。";
    source_not_here: "(the source is not on this machine)" | "（本机没有这个源文件）";
    column_crossings: "cross" | "切换";
    column_time: "in calls" | "调用用时";
    timeline: "timeline" | "时间线";
    timeline_keys: "↑↓ zoom  ←→ pan" | "↑↓ 缩放  ←→ 平移";
    lane_waiting: "waiting" | "等待";
    lane_later: "deferred" | "延后执行";
    lane_software(name): "{name}: no DMA" | "{name}：无 DMA";
    every_call(n): "1 of {n} calls" | "每 {n} 次取 1 次";
    small_left_out[n]: "{n} small arrow left out" / "{n} small arrows left out" | "略去 {n} 条小箭头";
    compare_keys: "Esc back  ↑↓ scroll" | "Esc 返回  ↑↓ 滚动";
    more_rows(n): "({n} more rows)" | "（还有 {n} 行）";
    key_compare: "the run beside the other (diff --tui)" | "与另一次运行对比（diff --tui）";
    lab: "lab" | "实验";
    cpu_waits(time): "in this call the thread is off the CPU for {time}" | "本次调用中线程离开 CPU {time}";
    cpu_runs_on: "the thread does not wait for it" | "线程没有等它";
    nobody_waits: "no call waits for this" | "没有调用在等它";
    program: "program" | "程序";
    program_typing: "keys go to the program · Ctrl-] takes them back" | "按键发给程序 · 按 Ctrl-] 收回";
    take_back: "take the keyboard back from the program" | "从程序收回键盘";
    program_scrolled(n): "{n} rows up" | "向上 {n} 行";
    program_ended: "it has ended" | "已结束";
    live: "live" | "实时";
    held: "held" | "已定格";
    ended_with(status): "ended: exit {status}" | "已结束：退出码 {status}";
    ended: "ended" | "已结束";
    reading(percent): "reading {percent}%" | "正在读取 {percent}%";
    behind(n): "{n} behind" | "落后 {n}";
    quit_title: "end the program?" | "结束程序吗？";
    quit_text: "The traced program still runs. Leaving bytehop closes the program's terminal and ends it." | "被跟踪的程序仍在运行。退出 bytehop 会关闭它的终端，程序随之结束。";
    quit_yes: "end it and quit" | "结束它并退出";
    quit_no: "go on" | "继续";
    totals: "totals" | "合计";
    by_region: "regions" | "区域";
    by_file: "files" | "文件";
    by_socket: "sockets" | "套接字";
    by_thread: "threads" | "线程";
    by_cgroup: "cgroups" | "cgroup";
    fault: "page fault" | "缺页";
    major_fault: "major page fault" | "主缺页";
    later_of(what): "later, for {what}" | "延后执行，起因是 {what}";
    later_unknown: "later, for an unknown call" | "延后执行，起因不明";
    a_loop: "loop" | "循环";
    no_hops: "no payload moved" | "没有搬运数据";
    filter_is(filter): "filter: {filter}" | "筛选：{filter}";
    filter_prompt(input): "filter: {input}_  (name, file, thread, region, EAGAIN, >= 64K; Enter, Esc)" | "筛选：{input}_（名称、文件、线程号、区域、EAGAIN、>= 64K；Enter 确定，Esc 取消）";
    config_more(n): " (and {n} more)" | "（另有 {n} 处）";
    histogram: "sizes and times" | "大小与用时";
    by_bytes: "by bytes moved" | "按搬运的字节数";
    by_time: "by time taken" | "按用时";
    all_calls[n]: "{n} call" / "{n} calls" | "共 {n} 次";
    no_histogram: "nothing is counted of this" | "对此没有统计";
    no_line: "no source line is known of this call" | "这次调用没有已知的源代码行";
    copied(bytes): "{bytes} sent to the terminal's clipboard (OSC 52)" | "已把 {bytes} 送到终端的剪贴板（OSC 52）";
    copied_cut(bytes): "the first {bytes} sent to the terminal's clipboard (OSC 52)" | "已把前 {bytes} 送到终端的剪贴板（OSC 52）";
    page_copies_not: "A page does not copy: select the text below the screens." | "网页不能复制：请在屏幕下方选取文字。";
    page_edits_not(file, line): "A page opens no editor: it is {file}:{line}" | "网页不能打开编辑器：位置是 {file}:{line}";
    no_editor(file, line): "VISUAL and EDITOR are not set: it is {file}:{line}" | "没有设置 VISUAL 或 EDITOR：位置是 {file}:{line}";
    no_such_source(file): "{file} is not on this machine" | "本机没有 {file}";
    editor_failed(editor, why): "{editor}: {why}" | "{editor}：{why}";
    editor_status(status): "it ended with status {status}" | "它以状态 {status} 结束";
    editor_killed: "a signal ended it" | "它被信号终止";

    so_far: "so far" | "至此";
    crossings: "crossings" | "特权级切换";
    cpu_copies: "copied" | "CPU 拷贝";
    dma: "DMA" | "DMA";
    by_reference: "by ref." | "传引用";
    mapped: "mapped" | "映射";
    zeroed: "zeroed" | "清零";
    account: "account" | "账目";
    open_bytes(why): "not all that it returned is accounted for: {why}" | "它返回的字节没有全部查明去向：{why}";
    total_crossings(total, calls, faults): "crossings {total} = 2 × ({calls} system calls + {faults} page faults)" | "特权级切换 {total} = 2 ×（{calls} 次系统调用 + {faults} 次缺页）";
    total_switches(voluntary, involuntary): "context switches {voluntary} voluntary, {involuntary} involuntary" | "上下文切换：主动 {voluntary}，被动 {involuntary}";
    total_waits(time, device): "waited {time}, {device} of it for a device" | "等待 {time}，其中等待设备 {device}";
    total_cost(time, runs): "tracing itself: up to {time} in probes, {runs} runs (in the times above)" | "跟踪自身：探针内至多 {time}，运行 {runs} 次（上面的用时包含它）";
    total_cpu(time): "CPU time {time}" | "CPU 时间 {time}";
    still_dirty(bytes): "{bytes} still dirty: the DMA comes later" | "{bytes} 尚未回写：DMA 在以后发生";
    metadata(bytes): "file-system metadata {bytes}" | "文件系统元数据 {bytes}";

    explain: "explain" | "解释";
    help: "help" | "帮助";
    what: "what" | "是什么";
    moved_by: "moved by" | "谁搬运字节";
    mover_copy: "the CPU, byte by byte" | "CPU，逐字节拷贝";
    mover_dma: "a device, without the CPU touching the bytes" | "设备，CPU 不碰这些字节";
    mover_dma_paravirtual: "the hypervisor's device: free for this CPU, though the hypervisor may copy on its side" | "虚拟机监控器的设备：不占本机 CPU，但监控器那一侧可能拷贝";
    mover_share: "nobody: a reference to the same pages is passed on" | "无人搬运：只传递同样这些页的引用";
    mover_map: "nobody: page-table entries are installed" | "无人搬运：只是建立页表项";
    mover_fill: "the CPU writes zeros" | "CPU 写零";
    how_much: "how much" | "多少";
    much(bytes, exact, many): "{bytes} ({exact}), {many}" | "{bytes}（{exact}），{many}";
    in_operations[n]: "in {n} operation" / "in {n} operations" | "共 {n} 次操作";
    when: "when" | "何时";
    at_time(time): "{time} after the start" | "开始后 {time}";
    took(time): "took {time}" | "用时 {time}";
    within(time): "of which {time} blocked" | "其中阻塞 {time}";
    interrupt(n): "interrupt {n}" | "中断 {n}";
    no_interrupt: "done, by no interrupt here" | "完成（非本处理器的中断）";
    wakes: "wakes it" | "唤醒它";
    told_by: "told by" | "由何得知完成";
    then: "then" | "随后";
    woke: "the thread woke: it had slept until then, and nothing else came that it waited for" | "线程被唤醒：它一直睡到此时，等待的内容没有别的在其后到来";
    deferred_why: "deferred: it ran after or outside the call that caused it" | "延后执行：在引起它的调用之后或之外";
    known_by: "known by" | "怎样得知";
    seen_by(probe): "measured by {probe}" | "由 {probe} 实测";
    concluded_by(rule): "inferred by the rule {rule}: no probe here sees these bytes" | "由规则 {rule} 推断：本机没有探针能看到这些字节";
    estimated_by(method): "estimated by {method}" | "由 {method} 估计";
    why: "why" | "为什么";
    runs_in: "in the kernel" | "内核函数";
    the_call: "the call" | "这次调用";
    arguments: "arguments" | "参数";
    returned: "returned" | "返回";
    address: "address" | "地址";
    thread_of(tid, tgid, name): "thread {tid} of process {tgid} {name}" | "进程 {tgid} {name} 的线程 {tid}";
    unreadable: "its record cannot be read any more" | "它的记录已无法读取";
    no_record: "not kept" | "没有保存";

    too_small(w, h, nw, nh): "{w}×{h} is too small: bytehop needs {nw}×{nh}" | "{w}×{h} 太小：bytehop 需要 {nw}×{nh}";
    hint_live: "follow" | "跟随";
    hint_hold: "hold" | "定格";
    hint_program: "program" | "程序";
    hint_hop: "hop" | "跳";
    hint_call: "call" | "调用";
    hint_play: "play" | "播放";
    hint_pause: "pause" | "暂停";
    hint_pane: "pane" | "窗格";
    hint_zoom: "zoom" | "放大";
    hint_quit: "quit" | "退出";
    hint_filter: "filter" | "筛选";

    group_step: "Stepping" | "单步";
    group_look: "Looking" | "查看";
    group_other: "Other" | "其他";
    key_next_hop: "next / previous hop" | "下一跳 / 上一跳";
    key_next_call: "next / previous call" | "下一次 / 上一次调用";
    key_first_last: "first / last call" | "第一次 / 最后一次调用";
    key_play: "play, pause" | "播放、暂停";
    key_speed: "faster, slower" | "加快、减慢";
    key_pane: "next / previous pane" | "下一个 / 上一个窗格";
    key_move: "move in the pane; calls: ←→ close and open runs; timeline: ↑↓ zoom" | "在窗格中移动；调用列表：←→ 收起和展开；时间线：↑↓ 缩放";
    key_page: "a page up, down" | "上翻、下翻一页";
    key_follow: "live: stay at the last call (space holds still)" | "实时：停在最新的调用（空格定格）";
    key_program: "live: give the keyboard to the program, and take it back" | "实时：把键盘交给程序、再收回";
    key_animation: "show bytes moving, or not" | "显示或不显示字节移动";
    key_zoom: "the pane alone, and back" | "只看这个窗格，再按恢复";
    key_scope: "arrows count: the whole run, so far, this call" | "箭头统计：整个运行、到目前为止、本次调用";
    key_explain: "explain the hop" | "解释这一跳";
    key_histogram: "sizes and times of calls and hops like this one" | "同类调用和同类跳的大小与用时分布";
    key_filter: "find calls: words, EAGAIN, >= 64K, < 1ms" | "查找调用：词、EAGAIN、>= 64K、< 1ms";
    key_back: "back: popup, filter, zoom" | "返回：弹窗、筛选、放大";
    key_copy: "copy the call, the hop or the source line (OSC 52)" | "复制这次调用、这一跳或源代码行（OSC 52）";
    key_edit: "open the source line in $VISUAL or $EDITOR" | "用 $VISUAL 或 $EDITOR 打开源代码行";
    key_theme: "dark, light, high contrast (--theme)" | "深色、浅色、高对比度（--theme）";
    key_language: "English, Chinese" | "英文、中文";
    key_help: "this help" | "本帮助";
    key_redraw: "redraw" | "重画";
    mouse: "Mouse: click an arrow, a row, a time or the slider; the wheel steps, scrolls, zooms." | "鼠标：点击箭头、行、时间或进度条；滚轮单步、滚动、缩放。";
    key_suspend: "suspend; live: the program too" | "挂起；实时跟踪时程序一同挂起";
    key_quit: "quit; Ctrl-C goes to the program while the keyboard does" | "退出；键盘交给程序时，Ctrl-C 也发给程序";
    legend_kinds: "C copy ━  D dma ═  S share ─  M map ┈  F fill ░   ▂▅█ bytes, on a log scale" | "C 拷贝 ━  D DMA ═  S 传引用 ─  M 映射 ┈  F 清零 ░   ▂▅█ 字节数（对数）";
    legend_lines: "solid: measured by a probe   broken: inferred by a rule   ~ estimated" | "实线：探针实测   断线：规则推断   ~ 估计";
}

/// The name of a place, as it stands in a box.
pub fn place(lang: Lang, place: &Place) -> String {
    terms::place(place, lang, Form::Whole).to_owned()
}

pub fn kind(lang: Lang, kind: HopKind) -> &'static str {
    terms::kind(kind, lang, Form::Whole)
}

pub fn engine(lang: Lang, engine: Engine) -> &'static str {
    match engine {
        Engine::Hardware => hardware(lang),
        Engine::Paravirtual => paravirtual(lang),
        Engine::Software => software(lang),
        Engine::Unknown => engine_unknown(lang),
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
