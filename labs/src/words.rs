//! What the labs say, in both languages.

bytehop_core::messages! {
    rule(name, text): "`{name}`: {text}" | "`{name}`：{text}";
    hint(n, of): "Hint {n} of {of}" | "提示 {n}/{of}";
    next_lab(id): "`bytehop lab {id}`" | "`bytehop lab {id}`";
    all_labs: "`bytehop lab list`" | "`bytehop lab list`";

    crossings: "crossings" | "特权级切换";
    copied: "copied by the CPU" | "CPU 拷贝";
    dma: "by DMA" | "DMA 传输";
    shared: "by reference" | "传引用";
    zeroed: "zeroed" | "清零";

    recorded_on(kernel, level): "Recorded on Linux {kernel}, level {level}." | "录制于 Linux {kernel}，{level} 级。";
    usual_answers: "Common answers, and the reply to each:" | "常见的答案，以及对它们的说明：";
    otherwise: "otherwise" | "其他";

    /// What a paragraph begins with.
    lead(title): "**{title}.**" | "**{title}。**";
    label(label): "{label}: " | "{label}：";
    the_runs: "What was run:" | "运行了：";

    // The steps, as text.
    labs: "Guided labs" | "引导实验";
    step(n, title): "{n}. {title}" | "{n}. {title}";
    program_at(path): "The program: {path}" | "程序：{path}";
    other_programs(list): "The others are in the same folder: {list}" | "其余程序在同一目录：{list}";
    comma: ", " | "、";
    question(n, of): "Question {n} of {of}" | "第 {n}/{of} 题";
    your_answer: "your answer" | "你的答案";
    answer_hint: "a number (`1 MiB`, `64k`, `12`); empty to skip" | "数字（`1 MiB`、`64k`、`12`）；直接回车跳过";
    answer_hint_choice: "yes or no; empty to skip" | "是 或 否；直接回车跳过";
    not_a_number(text): "'{text}' is not an answer: write `1 MiB`, `64k` or `12`" | "“{text}”不是答案：请写成 `1 MiB`、`64k` 或 `12`";
    not_a_choice(text): "'{text}' is not an answer: write yes or no" | "“{text}”不是答案：请写 是 或 否";
    no_answer: "no answer" | "未作答";
    running(what): "running: {what}" | "运行：{what}";
    building: "building the programs" | "正在编译程序";
    no_cargo: "cargo was not found: install Rust (https://rustup.rs) to build the labs' programs" | "没有找到 cargo：请安装 Rust（https://rustup.rs）来编译实验的程序";
    no_rustc: "cargo is here, but no Rust compiler (rustc) that works: install Rust (https://rustup.rs), or with rustup run `rustup default stable`" | "有 cargo，但没有可用的 Rust 编译器（rustc）：请安装 Rust（https://rustup.rs）；已有 rustup 的，运行 `rustup default stable`";
    no_libraries: "libraries of the labs' programs are missing: connect to the network once" | "缺少编译实验程序所需的库，请联网一次后重试";
    no_build(said): "cargo could not build the program: {said}" | "cargo 无法编译程序：{said}";
    no_compiler: "no C compiler was found: install gcc (on Debian and Ubuntu: `apt install gcc libc6-dev`)" | "没有找到 C 编译器：请安装 gcc（Debian、Ubuntu 上：`apt install gcc libc6-dev`）";
    no_c_build(said): "the C compiler could not compile the program: {said}" | "C 编译器无法编译程序：{said}";
    in_code(code): "Programs in {code}" | "程序语言：{code}";
    no_code(lab, code): "{lab} has no programs in {code}: the other language is shown" | "{lab} 没有 {code} 的程序，以下是另一种语言的程序";
    too_long(program, seconds): "{program} did not end within {seconds} s, and was ended with all that it started" | "{program} 在 {seconds} 秒内没有结束，已连同它启动的所有进程一起终止";
    too_much_memory(program, size): "{program} used more than {size} of memory, and was ended with all that it started" | "{program} 使用了超过 {size} 的内存，已连同它启动的所有进程一起终止";
    too_many_tasks(program, n): "{program} had more than {n} processes and threads, and was ended with all that it started" | "{program} 的进程和线程超过 {n} 个，已连同它启动的所有进程一起终止";
    stopped: "stopped" | "已停止";
    no_program(name): "there is no program '{name}' in this lab" | "这个实验里没有程序“{name}”";
    no_recording(name): "the lab has no recording of '{name}'" | "实验没有“{name}”的记录文件";
    from_recording: "from the lab's recording" | "来自实验自带的记录文件";
    because(why): "This is the lab's recording, because the program cannot be traced here: {why}" | "以下来自实验自带的记录文件，因为这里无法跟踪：{why}";
    said: "you said" | "你的答案";
    textbook: "textbook" | "教科书";
    this_run: "this run" | "这次运行";
    the_recording: "the recording" | "记录文件";
    right: "right" | "正确";
    wrong: "not this time" | "这次不对";
    right_of(n, of): "{n} of {of} right" | "{of} 题中答对 {n} 题";
    side_by_side: "The programs side by side" | "各程序对照";
    solution_run: "The solution's run" | "参考答案的运行";
    why: "Why" | "为什么";
    differs: "Textbook and run differ" | "教科书与实测不同";
    legend: "⇢ before a number: inferred by a rule, not measured" | "数字前的 ⇢：由规则推断，不是实测";
    task: "Your task" | "任务";
    edit(path): "Edit {path}" | "编辑 {path}";
    check_passed: "The check passes." | "检验通过。";
    check_failed: "The check does not pass yet." | "检验尚未通过。";
    judged(that): " (`{that}`)" | "（`{that}`）";
    found(that, value): " (`{that}`; found {value})" | "（`{that}`；实为 {value}）";
    exit_ok: "the program ends without an error" | "程序正常结束";
    exit_bad(code): "the program ended with status {code}" | "程序以状态 {code} 结束";
    output_same: "the output is identical" | "输出完全相同";
    output_differs: "the output differs from the original's" | "输出与原程序不同";
    cannot_check: "The check needs a traced run, which is not possible here; the lines below are about the solution as it was recorded, not about your program." | "检验需要跟踪运行，这里做不到；下面说的是录制时的参考答案，不是你的程序。";
    solution: "A solution" | "参考答案";
    commands: "c check · h hint · s solution · q quit" | "c 检验 · h 提示 · s 参考答案 · q 退出";
    solution_later: "The solution is shown after success. Show it now? [y/N]" | "通过检验后才显示参考答案。现在就看吗？[y/N]";
    no_hints: "There are no hints." | "没有提示。";
    unchanged(path): "{path} is unchanged: this check shows what the original does." | "{path} 尚未修改：这次检验的是原程序。";
    handed_in(path, list): "{path}: {list}" | "{path}：{list}";
    several_students(list): "the results are of several students ({list}): run the labs with --student"
        | "这些结果属于几个学生（{list}）：请用 --student 运行实验";
    result_written(path): "result: {path}" | "结果文件：{path}";
    not_checked: "The program was not checked." | "程序没有检验。";
    nothing_to_edit: "Only recordings are shown here: there is no program to change. Without --replay, on Linux and with the rights to trace, there is." | "这里只显示记录文件，没有可修改的程序。在 Linux 上、有跟踪权限且不加 --replay 时才有。";
    errors: "The program wrote to standard error:" | "程序写到标准错误的内容：";
    cannot_build: "The program does not compile:" | "程序无法编译：";
    level_of(level): "level {level}" | "{level} 级";
    read_further: "go on with Enter" | "按回车继续";
    chart_axis: "up: CPU time for each byte, in ns; right: size of one part; both logarithmic" | "纵轴：每字节花费的 CPU 时间（纳秒）；横轴：一次发送的大小；两轴都是对数刻度";
    chart_spread(n): "the middle half of the samples ({n} at each size)" | "中间一半样本的范围（每个大小 {n} 个样本）";
    chart_table: "Medians in ns per byte; ±: half the width of the middle half of the samples." | "中位数，单位为纳秒/字节；± 为中间一半样本范围的一半。";
    chart_size: "size" | "大小";
    chart_always(one, two): "{one} costs less than {two} at every size." | "无论多大，{one}都比{two}省。";
    chart_from(one, two, size): "{one} costs less than {two} from {size} on." | "从 {size} 起，{one}比{two}省。";
    chart_never(one, two): "{one} costs more than {two} at every size." | "无论多大，{one}都比{two}费。";
    chart_slower_from(one, two, size): "{one} costs more than {two} from {size} on." | "从 {size} 起，{one}比{two}费。";
    chart_none(one, two): "There is no crossover between {one} and {two}: even at the largest size they cannot be told apart." | "{one}和{two}之间没有交叉点：到最大的大小，两者仍分不出高下。";
    chart_measured: "Measured on this machine just now, untraced." | "刚刚在这台机器上实测，未加跟踪。";
    chart_recorded: "From the lab's recording: this was measured on another machine, or earlier." | "来自实验自带的记录：是早先或在别的机器上测得的。";
    solved_all(n, of): "{n} of {of} solved" | "已完成 {n}/{of}";
    reset_ask(id): "Restore the programs of {id} and forget its answers? [y/N]" | "把 {id} 的程序恢复原样，并清除已有答案？[y/N]";
    reset_done(id): "{id} is restored." | "{id} 已恢复原样。";
    nothing_reset: "Nothing was changed." | "没有改动。";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}
