//! Help and usage errors in Chinese: the English texts are the command line's own, in `cli`.

use std::error::Error as _;

use bytehop_core::address::AddressError;
use bytehop_core::budget::BudgetError;
use bytehop_core::i18n::{Lang, Say, UnknownLang};
use bytehop_core::report::UnknownFormat;
use bytehop_core::report::export::UnknownWeight;
use bytehop_core::report::top::UnknownColumn;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error};
use tui::theme::UnknownTheme;

use crate::cli::{BadValue, Cli};

/// Each command, by its place in the tree.
const COMMANDS: &[(&str, &str)] = &[
    (
        "bytehop",
        "展示字节在 Linux 内核里经过的每一跳：哪些由 CPU 拷贝，哪些由设备用 DMA 传输，哪些只是传递页的引用，以及用户态与内核态之间的每次切换。",
    ),
    ("run", "跟踪一条命令，说明它做了什么"),
    ("attach", "跟踪正在运行的进程，直到它结束或时间到"),
    ("stat", "运行一条命令，只在内核里计数：开销最低"),
    ("top", "实时显示每个进程的字节代价"),
    ("record", "为一条命令或正在运行的进程写记录文件"),
    ("view", "在终端里逐步查看记录文件；不需要权限"),
    ("report", "把完成的记录文件显示为文本或数据"),
    ("cut", "把记录文件的一部分写成较小的记录文件"),
    (
        "annotate",
        "源代码行及每行的代价：CPU 拷贝的字节、DMA 的字节、特权级切换、用时",
    ),
    ("advise", "记录文件中哪些拷贝和特权级切换可以省去，怎样省"),
    ("diff", "并排比较两个记录文件：各做了什么，有什么变化"),
    ("doctor", "说明此内核允许测量什么，以及为什么不能更多"),
    ("lab", "引导实验：预测、观察、解释、修改、检验"),
    ("lab list", "列出所有实验和进度"),
    ("lab reset", "恢复实验的程序，并忘记答案"),
    ("lab lint", "说明实验有哪些错误"),
    (
        "lab export",
        "写出讲义（Markdown，以及带路径图的 HTML 页面），或把课程写成网站",
    ),
    (
        "lab grade",
        "为学生提交的文件和课程网站上的答案评分，输出 CSV",
    ),
    ("lab hand-in", "把你的结果打包成一个文件，用来提交"),
    (
        "lab own",
        "运行一条命令，并结束它留下的一切：实验用它启动程序",
    ),
    ("lab tidy", "清除一次实验留下的东西"),
    ("lab record", "重新录制实验的程序，写入它的目录"),
    ("verify-paths", "`doctor --verify` 所跟踪的程序"),
    ("completions", "写出 shell 的补全脚本"),
    ("man", "写出手册页"),
    (
        "setup",
        "供 root 在共享服务器上使用：让一个用户组跟踪属于他们自己的程序",
    ),
    ("demo", "跟踪一个小的复制程序；不能跟踪时显示它的记录"),
    ("help", "显示命令的帮助"),
];

/// Each argument, by command and name, or by name where several commands share it.
const ARGUMENTS: &[(&str, &str)] = &[
    ("help", "显示帮助"),
    ("version", "显示版本"),
    ("color", "颜色：auto、always 或 never（遵从 NO_COLOR）"),
    ("lang", "语言：en 或 zh（默认按环境变量）"),
    ("ascii", "只用 ASCII 字符"),
    ("quiet", "只显示总计"),
    ("verbose", "显示全部，不折叠"),
    ("json", "输出 JSON"),
    ("summary", "把摘要写入此文件，而不是标准错误"),
    ("output", "同时写记录文件"),
    (
        "tui",
        "终端界面（在终端上是默认，除非给了 --json 或 --summary）",
    ),
    ("no_tui", "结束时输出文本，不用终端界面"),
    (
        "theme",
        "终端界面的配色：dark、light、contrast 或 plain（默认按环境变量）",
    ),
    ("follow_forks", "也跟踪子进程（默认）"),
    ("no_follow", "只跟踪该进程自己（包括它的所有线程）"),
    ("elevate", "经 sudo 重新启动；命令仍以你的身份运行"),
    (
        "buffer_size",
        "内核环形缓冲区的大小（可用 K、M、G）；向上取到 2 的幂",
    ),
    (
        "level",
        "只在此级测量，否则不测：T（跟踪点）、F（函数）或 B（断点，不限命中次数）。默认用内核允许的最高级",
    ),
    (
        "breakpoint_budget",
        "不带 --level 时：断点命中这么多次后撤下；每跟踪一秒再加五分之一",
    ),
    ("stacks", "记录每次调用的源代码行（程序需要调试信息）"),
    (
        "cost",
        "说明每个探针用了多少时间（各项用时都包含它）；统计本身也略有开销",
    ),
    ("no_sampling", "不采样程序的 CPU 时间花在哪里"),
    ("argv", "命令及其参数，写在 `--` 之后"),
    ("file", "记录文件"),
    (
        "from",
        "只看从此时间起发生的事；时间从跟踪开始算起：1.5s、200ms、30us",
    ),
    ("to", "只看此时间之前发生的事"),
    ("pid", "只看此进程（包括它的所有线程）所做的事"),
    (
        "region",
        "只看在此区域里所做的事；区域由程序自己标记（docs/zh/regions.md）",
    ),
    (
        "from_main",
        "只看各程序从 main 开始所做的事，不含加载器和语言运行时的启动（要求记录时加了 --stacks）",
    ),
    ("cut output", "较小的记录文件写到哪里"),
    ("comm", "所有叫这个名字的进程"),
    (
        "cgroup",
        "此 cgroup 及其下的所有进程，例如 /system.slice/nginx.service",
    ),
    (
        "container",
        "此容器中的所有进程：容器的 id 或其开头（Docker、Podman、containerd、CRI-O），或名字（nspawn、LXC）",
    ),
    ("attach pid", "要跟踪的进程（包括它的所有线程）"),
    ("duration", "这么多秒后停止"),
    (
        "stat null_probes",
        "改为挂上什么都不做的程序：任何跟踪工具的最低开销（用于基准测试）",
    ),
    ("top delay", "两张表之间的时间"),
    ("top rounds", "显示 N 张表后停止"),
    ("top filter", "只看名字或命令行包含此文本的进程，或此进程号"),
    (
        "top sort",
        "按此列排序：pid、crossings、faults、copied、dma、shared、filled 或 name",
    ),
    ("top reverse", "最小的在前"),
    ("top total", "显示开始以来的总计，而不是速率"),
    (
        "top tui",
        "在屏幕上显示表格（在终端上是默认，除非给了 --json）",
    ),
    ("top no_tui", "文本：每张表一段"),
    ("top json", "每张表一行 JSON"),
    (
        "top openmetrics",
        "不显示表格：在 http://ADDR/metrics 应答 Prometheus 的抓取。ADDR 写 PORT、IP 或 IP:PORT；不写 IP 则只应答本机",
    ),
    (
        "top otlp",
        "不显示表格：每次读数都以 OTLP（HTTP 上的 protocol buffers）发给采集器",
    ),
    (
        "top by",
        "--openmetrics 和 --otlp 按什么区分：name（进程名）或 cgroup",
    ),
    ("top rows", "这么多个名字或 cgroup 各有一行；其余合为一行"),
    ("top elevate", "经 sudo 重新启动"),
    ("record output", "记录文件写到哪里"),
    ("record pid", "跟踪此进程，而不是一条命令"),
    ("record duration", "这么多秒后停止（用于已在运行的进程）"),
    (
        "report format",
        "text、json、jsonl（每行一个事件）、html（带各个界面的网页，任何浏览器都能看）、csv、folded（带权重的调用栈）、flamegraph（同样内容的火焰图）、markdown（用于缺陷报告）、svg（路径图）、perfetto（ui.perfetto.dev 的时间线）或 parquet（表格，用于 DuckDB）",
    ),
    ("report json", "等同于 --format json"),
    (
        "report weight",
        "配合 --format folded 或 flamegraph：调用栈的权重，copied（拷贝的字节，默认）、dma（DMA 的字节）或 time（调用中的时间，ns）",
    ),
    ("report output", "写入此文件，而不是标准输出"),
    ("annotate file", "用 --stacks 录制的记录文件"),
    (
        "annotate source",
        "显示此源文件的每一行（写出路径末尾即可）；默认只显示做了事的行",
    ),
    (
        "annotate debug_dir",
        "到这个目录里查找记录时缺少的调试信息（按 build id）；可以重复使用这个选项",
    ),
    ("diff a", "第一个记录文件"),
    ("diff b", "第二个记录文件：变化从第一个算到这一个"),
    ("diff tui", "在终端界面里显示两者"),
    (
        "doctor verify",
        "证明：在每条路径上跟踪载荷已知的程序，并比较",
    ),
    (
        "doctor dir",
        "配合 --verify：放程序文件的目录，测试它所在的磁盘。更多目录则加上它们的磁盘",
    ),
    (
        "doctor only",
        "配合 --verify：只测这些路径（`disk`：所有用到磁盘的路径）",
    ),
    ("doctor level", "配合 --verify：只测此级"),
    (
        "doctor peer",
        "配合 --verify：网络设备另一侧的一个 TCP 服务器，它读取并丢弃收到的一切",
    ),
    (
        "doctor keep",
        "配合 --verify：把记录文件留在此目录，以级别命名",
    ),
    ("verify-paths dir", "程序的文件放在哪里"),
    ("verify-paths peer", "丢弃所收数据的 TCP 服务器"),
    ("verify-paths names", "不写则为全部"),
    ("demo replay", "显示内置的记录，不跟踪"),
    ("demo output", "同时写记录文件（内置的那个就是这样录制的）"),
    ("completions shell", "为哪个 shell"),
    ("setup group", "用户组：只有其成员能启动 bytehop"),
    (
        "setup undo",
        "撤销：bytehop 重新对所有人开放，不出借任何权限",
    ),
    ("setup program", "要改变的程序（默认：正在运行的这个）"),
    ("man page", "哪一页：一个命令"),
    ("man dir", "把所有手册页写入此目录"),
    (
        "expect",
        "必须成立的预算，例如“crossings < 500”或“copy page_cache->user <= 2 * size(in.bin)”；不成立则状态为 1（见 docs/zh/ci.md）",
    ),
    ("expect_file", "从文件读取预算，每行一个；以 # 开头的行不算"),
    ("junit", "把预算的判定结果以 JUnit XML 写入此文件"),
    (
        "lab export site",
        "把整个课程写入此目录：静态网页，可放在任何网页服务器上，也可从磁盘打开",
    ),
    ("lab id", "要打开的实验；不写则显示菜单"),
    ("lab replay", "使用实验的记录文件：不需要权限"),
    ("lab no_tui", "用文本：适合管道、读屏软件和 CI"),
    (
        "lab answers",
        "问题的答案：`问题 = 答案` 的行，或每行一个答案",
    ),
    ("lab seed", "改变程序的大小和次数；同一个词得到同样的数"),
    ("lab check", "只检验修改练习；没有通过则状态为 1"),
    ("lab program", "检验此文件，而不是你的副本"),
    ("lab code", "程序语言：rust 或 c；保留到下次选择"),
    (
        "lab labs_dir",
        "你自己的实验：由实验目录组成的目录（docs/labs/format.md）",
    ),
    (
        "lab work",
        "你的程序副本在哪里（默认：./bytehop-labs，否则 ~/bytehop-labs）",
    ),
    ("lab student", "结果文件中你的名字（默认：用户名）"),
    ("lab elevate", "经 sudo 重新启动；程序仍以你的身份运行"),
    ("lab reset id", "哪个实验；不写则为全部"),
    ("lab reset yes", "不询问"),
    ("lab lint dir", "实验目录所在的目录；不写则为内置实验"),
    ("lab lint bless", "把译文标记为最新"),
    ("lab export id", "哪个实验"),
    ("lab export output", "写到哪个目录"),
    ("lab export solutions", "带答案，供教师使用"),
    (
        "lab grade roster",
        "学生名单，每行一个：第一列是学号，也是该学生的种子",
    ),
    (
        "lab grade rerun",
        "在这里编译并运行提交的程序：别人的程序，以 nobody 身份运行，不给网络（需要 root）",
    ),
    (
        "lab grade format",
        "每个结果一行，或按课程系统导入的格式每个学生一行",
    ),
    (
        "lab grade dirs",
        "提交的文件，或放有它们的目录，或放有结果文件及其记录文件的目录",
    ),
    (
        "lab hand-in output",
        "要写的文件（默认：当前目录下，你的名字加 .hand-in.tar）",
    ),
    ("lab own learner", "以学习者的身份"),
    ("lab own alone", "不给网络"),
    ("lab own command", "命令及其参数"),
    ("lab record to", "实验目录所在的目录"),
    ("lab record ids", "哪些实验"),
    ("help subcommand", "哪个命令"),
];

fn find(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let row = table.iter().find(|(name, _)| *name == key);
    row.map(|(_, text)| *text)
}

/// The text of the command at this place; below `help`, clap has all of them again.
fn about(place: &str) -> Option<&'static str> {
    match place.ends_with("help") {
        true => find(COMMANDS, "help"),
        false => find(COMMANDS, &place.replace("help ", "")),
    }
}

/// The text of an argument of the command at this place, or of one above it.
fn argument(place: &str, name: &str) -> Option<&'static str> {
    find(ARGUMENTS, &format!("{place} {name}")).or_else(|| match place.rsplit_once(' ') {
        Some((above, _)) => argument(above, name),
        None => find(ARGUMENTS, name),
    })
}

/// The command line, with help in this language.
pub fn command(lang: Lang) -> Command {
    let mut command = Cli::command();
    match lang {
        Lang::En => command,
        Lang::Zh => {
            // Adds what clap adds by itself: that has texts, too.
            command.build();
            chinese(command, "bytehop")
        }
    }
}

fn chinese(command: Command, place: &str) -> Command {
    let below = |name: &str| match place {
        "bytehop" => name.to_owned(),
        _ => format!("{place} {name}"),
    };
    let mut command = command
        .mut_args(|arg| chinese_argument(arg, place))
        .mut_subcommands(|sub| {
            let place = below(sub.get_name());
            chinese(sub, &place)
        })
        .subcommand_help_heading("命令")
        .help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}");
    if let Some(text) = about(place) {
        command = command.about(text).long_about(text);
    }
    let usage = usage(&command.render_usage());
    command.override_usage(usage)
}

fn chinese_argument(arg: Arg, place: &str) -> Arg {
    let Some(text) = argument(place, arg.get_id().as_str()) else {
        return arg;
    };
    let mut text = text.to_owned();
    if arg.get_action().takes_values() && !arg.is_hide_default_value_set() {
        let defaults = arg.get_default_values().iter();
        let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
        if !defaults.is_empty() {
            text += &format!(" [默认：{}]", defaults.join(" "));
        }
    }
    if arg.get_action().takes_values() {
        let values: Vec<_> = arg
            .get_possible_values()
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        if !values.is_empty() {
            text += &format!(" [可选：{}]", values.join("、"));
        }
    }
    let heading = match arg.is_positional() {
        true => "参数",
        false => "选项",
    };
    arg.help(text.clone())
        .long_help(text)
        .hide_default_value(true)
        .hide_possible_values(true)
        .help_heading(heading)
}

/// A usage line without its heading.
fn usage(line: &StyledStr) -> String {
    let line = line.to_string();
    let line = line
        .trim_start_matches("Usage:")
        .trim_start_matches("用法：");
    let words = [
        ("[OPTIONS]", "[选项]"),
        ("[COMMAND]", "[命令]"),
        ("<COMMAND>", "<命令>"),
    ];
    words.iter().fold(line.trim().to_owned(), |line, (en, zh)| {
        line.replace(en, zh)
    })
}

/// The language that the command line asks for, before it is parsed.
pub fn asked(args: impl Iterator<Item = String>) -> Option<Lang> {
    let mut args = args.take_while(|arg| arg != "--");
    let mut lang = None;
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--lang") {
            Some("") => args.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        lang = value.and_then(|value| value.parse().ok()).or(lang);
    }
    lang
}

/// What is wrong with a command line, in Chinese; `None` for help, which is no error.
pub fn complaint(e: &Error) -> Option<String> {
    let get = |kind| match e.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("、"),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    let arg = get(ContextKind::InvalidArg);
    let value = get(ContextKind::InvalidValue);
    let mut text = match e.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::UnknownArgument => format!("没有“{arg}”这个参数"),
        ErrorKind::InvalidSubcommand => {
            format!("没有“{}”这个命令", get(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{arg}"),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::InvalidValue if value.is_empty() => format!("“{arg}”缺少值"),
        ErrorKind::InvalidValue => format!("“{value}”不是“{arg}”的有效值"),
        ErrorKind::ValueValidation => match why(e) {
            Some(why) => format!("“{arg}”的值“{value}”无效：{why}"),
            None => format!("“{arg}”的值“{value}”无效"),
        },
        ErrorKind::ArgumentConflict => match get(ContextKind::PriorArg) {
            prior if prior.is_empty() || prior == arg => {
                format!("“{arg}”不能这样使用，或只能给一次")
            }
            prior => format!("“{arg}”不能与“{prior}”一起使用"),
        },
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("“{arg}”的值的个数不对")
        }
        ErrorKind::NoEquals => format!("“{arg}”的值要用等号给出"),
        ErrorKind::InvalidUtf8 => "命令行里有无效的 UTF-8".to_owned(),
        kind => format!("命令行有误（{kind:?}）"),
    };
    for (kind, what) in [
        (ContextKind::ValidValue, "可用："),
        (ContextKind::SuggestedArg, "是否想用："),
        (ContextKind::SuggestedSubcommand, "是否想用："),
        (ContextKind::SuggestedValue, "是否想用："),
    ] {
        let suggested = get(kind);
        if !suggested.is_empty() {
            text += &format!("；{what}{suggested}");
        }
    }
    let line = match e.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(line)) => format!("\n\n用法：{}", usage(line)),
        _ => String::new(),
    };
    Some(format!("错误：{text}{line}\n\n更多信息见 --help\n"))
}

/// Why a value is none, if one of our types says so.
fn why(e: &Error) -> Option<String> {
    let source = e.source()?;
    let lang = Lang::Zh;
    let ours: [Option<&dyn Say>; 8] = [
        source.downcast_ref::<UnknownLang>().map(|e| e as _),
        source.downcast_ref::<UnknownFormat>().map(|e| e as _),
        source.downcast_ref::<UnknownWeight>().map(|e| e as _),
        source.downcast_ref::<UnknownColumn>().map(|e| e as _),
        source.downcast_ref::<AddressError>().map(|e| e as _),
        source.downcast_ref::<UnknownTheme>().map(|e| e as _),
        source.downcast_ref::<BadValue>().map(|e| e as _),
        source.downcast_ref::<BudgetError>().map(|e| e as _),
    ];
    ours.into_iter().flatten().next().map(|e| e.say(lang))
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::is_english;

    use super::*;

    /// All commands, each with its place.
    fn walk(command: &Command, place: &str, visit: &mut impl FnMut(&Command, &str)) {
        visit(command, place);
        for sub in command.get_subcommands() {
            let below = match place {
                "bytehop" => sub.get_name().to_owned(),
                _ => format!("{place} {}", sub.get_name()),
            };
            walk(sub, &below, visit);
        }
    }

    #[test]
    fn every_command_and_argument_has_a_chinese_text() {
        let mut english = Cli::command();
        english.build();
        walk(&english, "bytehop", &mut |command, place| {
            assert!(about(place).is_some(), "`{place}` has no text");
            for arg in command.get_arguments() {
                let name = arg.get_id().as_str();
                assert!(
                    argument(place, name).is_some(),
                    "`{place}`: {name} has no text"
                );
            }
        });
        let all = COMMANDS.iter().chain(ARGUMENTS);
        for (key, text) in all {
            assert!(!is_english(text), "{key}: {text}");
            assert!(text.contains(|c: char| c > '\u{2fff}'), "{key}: {text}");
        }
    }

    #[test]
    fn chinese_help_has_no_english() {
        let chinese = command(Lang::Zh);
        walk(&chinese, "bytehop", &mut |command, place| {
            for help in [
                command.clone().render_help().to_string(),
                command.clone().render_long_help().to_string(),
            ] {
                for line in help.lines() {
                    // A usage line is typed as it is.
                    assert!(
                        line.starts_with("用法：") || !is_english(line),
                        "{place}: {line}"
                    );
                    for word in [
                        "Usage", "Options", "Commands", "Print", "default:", "OPTIONS",
                    ] {
                        assert!(!line.contains(word), "{place}: {line}");
                    }
                }
            }
        });
    }

    #[test]
    fn wrong_command_lines_are_told_in_chinese() {
        for (line, has) in [
            ("report", "缺少必需的参数"),
            ("report --nonsense x", "没有“--nonsense”这个参数"),
            ("raport x", "没有“raport”这个命令；是否想用：report"),
            ("report x --format nonsense", "未知的格式“nonsense”"),
            ("report x --color blue", "可用：auto、always、never"),
            ("report x --lang de", "未知的语言"),
            ("report x --format", "缺少值"),
            ("report -q -v x", "不能与“--verbose”一起使用"),
            ("run --level Z -- true", "不是级别"),
            ("attach -p x", "“--pid <PID>”的值“x”无效"),
            ("attach -p 1 -d soon", "不是秒数"),
            ("top -d 0", "至少 0.1"),
            ("top --sort x", "没有“x”这一列"),
            ("top --openmetrics x", "不是地址"),
            ("top --otlp x", "不是 URL"),
            ("top --otlp https://x", "不支持 https"),
            ("top --openmetrics --json", "不能与"),
            ("run --buffer-size 9T -- true", "不是大小"),
            ("view x --theme blue", "未知的配色"),
            ("run --expect copy -- true", "“copy”没有真假"),
            ("run --expect copy< -- true", "应为数或名称"),
            ("report --from soon x", "不是时间"),
            ("report --from -1s x", "不是时间"),
            ("view --to 1h x", "不是时间"),
            ("stat --cost --null-probes -- true", "不能与"),
        ] {
            let words = std::iter::once("bytehop").chain(line.split(' '));
            let e = command(Lang::Zh).try_get_matches_from(words);
            let said = complaint(&e.expect_err(line)).expect("an error");
            assert!(said.contains(has), "{line}: {said}");
            assert!(said.lines().all(|line| !is_english(line)), "{line}: {said}");
            assert!(!said.contains("Usage"), "{line}: {said}");
        }
        let help = command(Lang::Zh).try_get_matches_from(["bytehop", "run", "--help"]);
        assert!(complaint(&help.expect_err("help")).is_none());
    }

    #[test]
    fn the_language_is_known_before_the_line_is_understood() {
        let asked = |line: &str| asked(line.split(' ').map(str::to_owned));
        assert_eq!(asked("report --lang zh --nonsense"), Some(Lang::Zh));
        assert_eq!(asked("report --lang=zh"), Some(Lang::Zh));
        assert_eq!(asked("run -- ls --lang zh"), None);
        assert_eq!(asked("report --lang"), None);
    }
}
