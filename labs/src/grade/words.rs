//! What the grades say beside the numbers, in both languages.

bytehop_core::messages! {
    // Why a row was not judged, or did not pass.
    not_traced: "not traced: answered on the course's web site" | "未经跟踪：是在课程网站上作答的";
    later: "of a later bytehop" | "来自更新版本的 bytehop";
    no_course: "not a file of the course" | "不是课程网站的文件";
    no_answers: "no question was answered" | "一题也没有作答";
    no_name: "without a name" | "没有署名";
    no_lab(id): "there is no lab '{id}'" | "没有实验“{id}”";
    empty: "an empty file" | "空文件";
    no_result: "not a result file" | "不是结果文件";
    by_hand: "the result was changed by hand" | "结果文件被手工改过";
    other_recording: "the recording is not the one of this result" | "记录文件与这份结果不符";
    labs_recording: "the recording is the lab's own" | "记录文件是实验自带的";
    other_source: "the source is not the one of this result" | "源代码与这份结果不符";
    other_program(name): "the recording of {name} is of another program" | "{name} 的记录文件录的是另一个程序";
    same_run(name): "the recording of {name} is the checked run" | "{name} 的记录文件就是受检验的那次运行";
    labs_observed(name): "the recording of {name} is the lab's own" | "{name} 的记录文件是实验自带的";
    no_recording(name): "there is no recording of {name}, which the check compares with"
        | "没有 {name} 的记录文件，而检验要与它比较";
    no_program_of_lab(command): "the recording is of '{command}', not of this lab's program"
        | "记录文件录的是“{command}”，不是这个实验的程序";
    other_values(name): "the recording of {name} was not made with this student's values"
        | "{name} 的记录文件用的不是这个学生的参数";
    own_values: "the recording was not made with this student's values" | "记录文件用的不是这个学生的参数";
    output_differs: "the result says that the output differs from the original's" | "结果写明输出与原程序不同";
    cannot: "it cannot be judged" | "无法评判";
    not_on_list(id): "{id} is not on the list" | "名单上没有 {id}";
    other_seed: "the seed is not the one of this student (--student gives it)"
        | "种子不是这个学生的（`--student` 会给出）";
    nothing: "nothing was handed in" | "没有提交";
    at_rerun(why): "rerun: {why}" | "重新运行：{why}";
    no_build: "it does not compile" | "无法编译";
    other_output: "what was handed in as its output is not what the original writes for this student"
        | "提交的输出不是原程序为这个学生写出的内容";

    // What is there in place of a result.
    no_folder: "no folder, and no file" | "既不是目录，也不是文件";
    none_inside: "no result in it" | "里面没有结果文件";
    many(n): "more than {n} files: the rest was not looked at" | "超过 {n} 个文件：其余的没有看";
    deep: "too many folders in each other" | "目录嵌套太深";
    link: "a link: not followed" | "是链接：没有跟随";
    special: "no ordinary file" | "不是普通文件";
    packed: "packed: unpack it first" | "是压缩包：请先解开";
    damaged: "a damaged hand-in" | "提交文件已损坏";
    of_file(name, what): "{name}: {what}" | "{name}：{what}";
    too_large(most): "larger than {most} bytes" | "超过 {most} 字节";
    absent: "not there" | "不在其中";

    // What a teacher should look at.
    same(what, others): "the same {what} as {others}" | "与 {others} 的{what}相同";
    recording: "recording" | "记录文件";
    source: "source" | "源代码";
    unchanged: "unchanged program" | "未修改的程序";
    solution: "lab's solution" | "参考答案";
    source_is(what): "the source is the {what}" | "源代码就是{what}";
    no_source: "without the source" | "没有源代码";
    stood_in(name): "the lab's recording stands in for {name}" | "{name} 用的是实验自带的记录文件";
    passes: "the recording passes, the result says otherwise" | "记录文件通过检验，结果却说没有";
    fails: "the recording does not pass, the result says otherwise" | "记录文件没有通过检验，结果却说通过了";
    twice: "handed in more than once: the best counts" | "提交了不止一次：取最好的一次";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_remark_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}
