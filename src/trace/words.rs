//! What is said before a trace's summary.

use bytehop_core::i18n::Lang;
use tracer::capture::{Followed, Member};

bytehop_core::messages! {
    ready_for(process, threads): "ready: tracing process {process}, {threads}" | "就绪：正在追踪进程 {process}，共{threads}";
    ready_for_several(processes, threads, names): "ready: tracing {processes}, {threads}: {names}" | "就绪：正在追踪{processes}，共{threads}：{names}";
    with_children(threads, names): ", {threads} of that in processes that it made: {names}" | "，其中{threads}属于它创建的进程：{names}";
    left_out(processes, names): "; not traced (--no-follow): {processes} made by what is traced: {names}" | "；不追踪（--no-follow）由它创建的{processes}：{names}";
    not_yours(processes): "; not traced (not yours): {processes}" | "；不追踪不属于您的{processes}";
    without_rights(program): "{program} runs without the rights that it has of its own (setuid, setgid or capabilities): bytehop shows you what it does" | "{program} 不带它自身的权限（setuid、setgid 或文件能力）运行：bytehop 会显示它的行为";
    not_shown[n]: "{n} program that it became is not shown: trace that one with `bytehop run`" / "{n} programs that it became are not shown: trace those with `bytehop run`" | "它变成的 {n} 个程序未显示：请用 `bytehop run` 追踪";
    threads[n]: "{n} thread" / "{n} threads" | " {n} 个线程";
    processes[n]: "{n} process" / "{n} processes" | " {n} 个进程";
    member(name, pid): "{name} ({pid})" | "{name}（{pid}）";
    comma: ", " | "，";
    more(n): "… {n} more" | "… 另有 {n} 个";
}

/// Tracing has begun, of so many threads.
pub fn ready(lang: Lang, followed: &Followed) -> String {
    let Some((process, children)) = followed.processes.split_first() else {
        return String::new();
    };
    let all = threads(lang, followed.threads() as u64);
    let several = followed.asked > 1;
    let mut line = match several {
        true => {
            let number = processes(lang, followed.processes.len() as u64);
            ready_for_several(lang, number, all, names(lang, &followed.processes))
        }
        false => ready_for(lang, named(lang, process), all),
    };
    if !several && !children.is_empty() {
        let theirs = followed.threads() - process.threads;
        let theirs = threads(lang, theirs as u64);
        line += &with_children(lang, theirs, names(lang, children));
    }
    if !followed.left_out.is_empty() {
        let left = processes(lang, followed.left_out.len() as u64);
        line += &left_out(lang, left, names(lang, &followed.left_out));
    }
    if followed.not_yours > 0 {
        line += &not_yours(lang, processes(lang, followed.not_yours as u64));
    }
    line
}

fn named(lang: Lang, process: &Member) -> String {
    member(lang, &process.comm, process.pid)
}

/// The first few by name.
fn names(lang: Lang, members: &[Member]) -> String {
    const MOST: usize = 8;
    let first = members.iter().take(MOST);
    let mut names: Vec<_> = first.map(|process| named(lang, process)).collect();
    if members.len() > MOST {
        names.push(more(lang, members.len() - MOST));
    }
    names.join(comma(lang))
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use super::*;

    #[test]
    fn both_languages() {
        assert_eq!(problems(TABLE), [""; 0]);
        let process = |pid, comm: &str, threads| Member {
            pid,
            comm: comm.to_owned(),
            threads,
        };
        let mut followed = Followed {
            processes: vec![process(7, "nginx", 1)],
            left_out: vec![process(8, "nginx", 1)],
            ..Followed::default()
        };
        assert_eq!(
            ready(Lang::En, &followed),
            "ready: tracing process nginx (7), 1 thread; not traced (--no-follow): 1 process made by what is traced: nginx (8)"
        );
        followed.processes.append(&mut followed.left_out);
        assert_eq!(
            ready(Lang::Zh, &followed),
            "就绪：正在追踪进程 nginx（7），共 2 个线程，其中 1 个线程属于它创建的进程：nginx（8）"
        );
    }
}
