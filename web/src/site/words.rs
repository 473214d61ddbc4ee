//! The site's messages.

bytehop_core::messages! {
    course: "bytehop: guided labs" | "bytehop：引导实验";
    about: "Which part of a program's work does the CPU do, and which a device? Each lab asks you first, then shows every hop of a recorded run, and tells you why it went that way." | "一个程序的工作，哪些由 CPU 做，哪些由设备做？每个实验先请你预测，再逐跳展示一次录制的运行，最后解释为什么如此。";
    skip: "To the content" | "跳到正文";
    no_script: "Answers and runs need JavaScript; nothing is sent anywhere." | "答题和查看运行需要 JavaScript；不会向任何地方发送数据。";
    other_language: "中文" | "English";
    colours: "Colours" | "配色";
    not_begun: "not begun" | "未开始";
    begun: "begun" | "进行中";
    done: "read to the end" | "已读完";
    left_out(id, why): "lab {id}: {why}; it is left out. `bytehop lab record --to DIR {id}` records its programs" | "实验 {id}：{why}；已略过。用 `bytehop lab record --to 目录 {id}` 可录制它的程序";

    progress: "Your progress" | "你的进度";
    kept_here: "It is kept in this browser alone. Save it as a file to go on elsewhere, or to hand it in: the answers count, but nothing was traced." | "进度只保存在这个浏览器里。存成文件后可以换一处继续，也可以上交：答案会计入，但会注明没有跟踪过程序。";
    not_kept: "This browser keeps nothing for this page: save your progress as a file before you leave." | "这个浏览器不为本页保存数据：离开前请把进度存成文件。";
    student: "Your name or number" | "姓名或学号";
    save: "Save as a file" | "存成文件";
    load: "Read a file" | "读取文件";
    forget: "Forget all" | "全部清除";
    saved: "Saved." | "已保存。";
    loaded: "The file was read." | "文件已读取。";
    refused: "This is no file of the course." | "这不是课程的进度文件。";
    forgotten: "Nothing is kept any more." | "已全部清除。";
    sure: "Forget the answers?" | "清除已有答案？";

    recorded_in(code): "The runs here were recorded of the programs in {code}." | "这里的运行录制自 {code} 程序。";
    steps: "Steps" | "步骤";
    how_to_answer: "A number (`1 MiB`, `64k`, `12`, `2 * size`), or yes or no; a question may be left empty. Answers stay as they are once you have seen the run." | "填数字（`1 MiB`、`64k`、`12`、`2 * size`）或是/否，也可以留空。看过运行之后，答案不再改动。";
    go_observe: "Show what happened" | "看看发生了什么";
    go_explain: "Compare with my predictions" | "与我的预测对照";
    go_change: "On to the change" | "下一步：修改";
    go_check: "On to the check" | "下一步：检验";
    which_run: "Recorded runs" | "录制的运行";
    in_words: "The same in words and numbers" | "用文字和数字说明";
    change_there(id): "A page cannot trace programs. On Linux, with bytehop: `bytehop lab {id}` gives you the program to edit, and checks it by a trace." | "网页无法跟踪程序。在装有 bytehop 的 Linux 上，运行 `bytehop lab {id}`：它给出可修改的程序，并用一次跟踪来检验。";
    check_here(id): "`bytehop lab {id} --check` judges your program by what its trace shows. Here is what a solution does, as it was recorded." | "`bytehop lab {id} --check` 根据跟踪结果检验你的程序。这里可以看一份参考答案及其录制的运行。";
    hint: "Show a hint" | "看一条提示";
    show_solution: "Show a solution" | "看参考答案";
    step_solution: "Step through this run" | "逐跳查看这次运行";
    next: "Next:" | "下一个：";
    again: "Start this lab again" | "重做这个实验";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}
