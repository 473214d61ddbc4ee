//! What lint finds, in both languages.

bytehop_core::messages! {
    of_lab(id, what): "{id}: {what}" | "{id}：{what}";
    at(place, what): "{place}: {what}" | "{place}：{what}";
    section(file, title): "{file}, {title}" | "{file}，{title}";
    no_lab_found: "no lab.toml was found" | "没有找到 lab.toml";
    no_c_compiler: "programs in C were not compiled: there is no C compiler here (gcc)"
        | "没有编译 C 程序：这里没有 C 编译器（gcc）";

    questions(n, least, most): "{n} questions; a lab asks {least} to {most}" | "有 {n} 个问题；一个实验应问 {least} 到 {most} 个";
    hints(n, least): "{n} hints; a change exercise has {least} or more" | "有 {n} 条提示；修改练习至少要有 {least} 条";
    last_explain(id): "question {id}: the last 'explain' must fit always: no 'when'"
        | "问题 {id}：最后一个“explain”必须总是适用，不能有“when”";
    choices(id): "question {id}: choices = \"yes-no\" goes with a comparison"
        | "问题 {id}：choices = \"yes-no\" 只用于比较式";
    not_measured(id): "question {id}: 'measure' reads nothing of a run" | "问题 {id}：“measure”没有用到运行的任何结果";
    first_hint: "no hint fits before the first try: one without 'when' is needed"
        | "第一次尝试之前没有可用的提示：需要一条不带“when”的";
    no_check: "no check reads anything of the run" | "没有一个检验条件用到运行的结果";
    nothing_moves: "no check asks that data moves: a program that does nothing could pass"
        | "没有一个检验条件要求数据移动：什么都不做的程序也可能通过";
    next_lab(id): "next: there is no lab '{id}'" | "next：没有实验“{id}”";
    teaches(rule): "teaches: there is no rule '{rule}'" | "teaches：没有规则“{rule}”";

    not_listed(file): "{file} is not in lab.toml" | "lab.toml 里没有 {file}";
    no_file(file): "there is no {file}" | "没有 {file}";
    no_cheat(files): "no {files}: what must fail the check?" | "没有 {files}：什么程序该通不过检验？";
    one_language(cheat): "{cheat} is there in one language only" | "{cheat} 只有一种语言的版本";
    same(one, other): "{one} is {other}" | "{one} 就是 {other}";
    no_program(name): "there is no program '{name}'" | "没有程序“{name}”";
    no_argument(program, name): "program {program}: no file or parameter '{name}'" | "程序 {program}：没有文件或参数“{name}”";

    neither(name, expr): "'{name}' in '{expr}' is neither measure nor parameter" | "“{expr}”中的“{name}”既不是测量值也不是参数";
    program_of(name): "there is no program '{name}' (@{name})" | "没有程序“{name}”（@{name}）";
    too_early(expr): "'{expr}' cannot be known before a run" | "运行之前不可能知道“{expr}”";

    empty: "empty" | "是空的";
    terms: "write 用户态, 内核态" | "请写“用户态”“内核态”";
    typed_in(number, braces): "'{number}' is typed in; name what it is with {braces}"
        | "“{number}”是写死的数；请用 {braces} 写明它是什么";
    told_early(expr): "'{expr}' is told before it is asked" | "“{expr}”在提问之前就说出来了";
    answer_told(id): "the answer to '{id}' is told" | "“{id}”的答案被说出来了";
    no_question(id): "there is no question '{id}'" | "没有问题“{id}”";
    no_parameter(name): "there is no parameter '{name}'" | "没有参数“{name}”";
    no_rule(name): "there is no rule '{name}'" | "没有规则“{name}”";
    no_lab(id): "there is no lab '{id}'" | "没有实验“{id}”";

    no_call(name): "there is no system call '{name}'" | "没有系统调用“{name}”";
    shadowed: "never shown: one before it fits whenever this one does" | "永远不会显示：它适用时，前面的一条总是先适用";
    one_text_only(what): "{what} is said in one language only" | "{what} 只在一种语言里出现";
    units: "compares different units (bytes, times, counts)" | "比较了不同的单位（字节、时间、次数）";
    never_right: "no answer is right, not even what was measured" | "没有哪个回答算对，连测得的值都不算";
    other_recording(program): "is a recording of {program}" | "录的是 {program}";
    no_guide(file): "there is no {file} yet: the other language is shown" | "还没有 {file}：会显示另一种语言";
    stale: "guide.zh.md is stale: guide.en.md has changed (lint --bless)"
        | "guide.zh.md 过期了：guide.en.md 已有改动（lint --bless）";
    unmarked: "guide.zh.md does not say which guide.en.md it was made from (lint --bless)"
        | "guide.zh.md 没有注明译自哪一版 guide.en.md（lint --bless）";
    not_translated(text): "there is no translation of '{text}'" | "没有这条注释的译文：“{text}”";
    no_comment(text): "no program has the comment '{text}'" | "没有哪个程序有这条注释：“{text}”";
    no_recording(file): "there is no {file} ('bytehop lab record')" | "没有 {file}（`bytehop lab record` 可以录制）";
    no_series(name): "chart: there is no series '{name}'" | "chart：没有数据系列“{name}”";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_finding_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}
