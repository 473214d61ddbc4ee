//! Failures of our own: one line, and the exit status of the command line's contract.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use bytehop_core::budget::BudgetError;
use bytehop_core::i18n::{Lang, Say};
use bytehop_core::notice::Notice;
use bytehop_core::record::RecordError;
#[cfg(feature = "capture")]
use tracer::btf::BtfError;
#[cfg(feature = "capture")]
use tracer::capture::CaptureError;
#[cfg(feature = "capture")]
use tracer::elevate::ElevateError;
#[cfg(feature = "capture")]
use tracer::launch::LaunchError;
#[cfg(feature = "capture")]
use tracer::limits::Limit;
#[cfg(feature = "capture")]
use tracer::load::LoadError;
#[cfg(feature = "capture")]
use tracer::privileges::{DropError, Missing};
#[cfg(feature = "capture")]
use tracer::share::ShareError;
#[cfg(feature = "capture")]
use tracer::user::IdentityError;

/// Wrong usage, or a file that cannot be opened or created.
pub const USAGE: u8 = 2;
/// The kernel or our privileges don't allow it.
pub const NOT_ALLOWED: u8 = 3;
/// The command could not be started, or tracing broke off.
pub const FAILED: u8 = 125;

/// The status of what the signal of this number ended, as a shell says it.
pub fn signalled(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(FAILED)
}

/// One line on standard error; nothing can be done if that cannot be written.
pub fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "bytehop: {message}");
}

/// A failure that ends bytehop.
#[derive(Debug)]
pub struct Fail {
    pub code: u8,
    /// One line that says what to do; none if all has been said.
    pub what: Option<Box<dyn Say + Send>>,
}

impl Fail {
    pub fn new(code: u8, what: impl Say + Send + 'static) -> Self {
        Self {
            code,
            what: Some(Box::new(what)),
        }
    }

    /// All has been said.
    pub fn silent(code: u8) -> Self {
        Self { code, what: None }
    }

    /// Says it on standard error, if there is anything to say.
    pub fn complain(&self, lang: Lang) {
        let line = self.what.as_ref().map(|what| what.say(lang));
        if let Some(line) = line.filter(|line| !line.is_empty()) {
            complain(&line);
        }
    }
}

/// What a build without the capture side says of all that traces.
#[cfg(not(feature = "capture"))]
pub fn cannot_trace() -> Fail {
    Fail::new(NOT_ALLOWED, Trouble::Viewer)
}

/// What goes wrong in the program itself.
#[derive(Debug)]
#[allow(
    dead_code,
    reason = "some of it happens only where something is traced, some only where nothing is"
)]
pub enum Trouble {
    Read(PathBuf, io::Error),
    Write(PathBuf, io::Error),
    Create(PathBuf, io::Error),
    WriteIn(PathBuf, io::Error),
    Output(io::Error),
    Summary(io::Error),
    Capabilities(io::Error),
    Signals(io::Error),
    Wait(io::Error),
    Terminal(io::Error),
    PrepareDemo(io::Error),
    PrepareLab(io::Error),
    Progress(io::Error),
    Choice(io::Error),
    CompileC(io::Error),
    Guide(io::Error),
    Again(io::Error),
    Own(io::Error),
    BrokeOff,
    /// A signal came before there was anything to trace.
    WhileLoading(&'static str),
    NothingToTrace,
    Untraceable,
    NoPath(String),
    NoFolder,
    Nonsense(String),
    BinaryOnTerminal,
    PageOfPart,
    NoTimeLeft,
    /// A process or a region that is in no record.
    NotThere(Notice),
    /// The recording that is read would be written over.
    OntoItself(PathBuf),
    NothingToCut,
    LabAndVerb(String),
    NoFlag {
        verb: &'static str,
        flag: &'static str,
    },
    NoOneToAsk,
    /// The folder where results would be.
    NoResults(PathBuf),
    WhichLab,
    JunitAlone,
    NoBudget,
    NoPlaceForBudgets,
    /// `doctor -v` or `-q` without `--verify`.
    NothingToFold,
    /// `--weight` without `--format folded` or `flamegraph`.
    NoStacksToWeigh,
    ExpectAndTui,
    NoPage(String, String),
    Listed(String, BudgetError),
    Junit(io::Error),
    ThemeOfNothing,
    Viewer,
    Listen(SocketAddr, io::Error),
    Thread(io::Error),
}

bytehop_core::says! { Trouble, lang:
    Self::Read(path, e) => "cannot read {path}: {why}" | "无法读取 {path}：{why}",
        path = path.display(), why = e.say(lang);
    Self::Write(path, e) => "cannot write {path}: {why}" | "无法写入 {path}：{why}",
        path = path.display(), why = e.say(lang);
    Self::Create(path, e) => "cannot create {path}: {why}" | "无法创建 {path}：{why}",
        path = path.display(), why = e.say(lang);
    Self::WriteIn(path, e) => "cannot write in {path}: {why}" | "无法在 {path} 中写入：{why}",
        path = path.display(), why = e.say(lang);
    Self::WhileLoading(signal) => "ended by {signal} while probes were loaded: nothing was traced" | "装载探针期间收到 {signal} 而结束：没有跟踪任何东西";
    Self::Output(e) => "cannot write to standard output: {why}" | "无法写入标准输出：{why}", why = e.say(lang);
    Self::Summary(e) => "cannot write the summary: {why}" | "无法写出摘要：{why}", why = e.say(lang);
    Self::Capabilities(e) => "cannot read our capabilities: {why}" | "无法读取自己的能力：{why}", why = e.say(lang);
    Self::Signals(e) => "cannot receive signals: {why}" | "无法接收信号：{why}", why = e.say(lang);
    Self::Wait(e) => "cannot wait: {why}" | "无法等待：{why}", why = e.say(lang);
    Self::Terminal(e) => "the terminal: {why}" | "终端：{why}", why = e.say(lang);
    Self::PrepareDemo(e) => "cannot prepare the demo's file: {why}" | "无法准备演示用的文件：{why}", why = e.say(lang);
    Self::PrepareLab(e) => "cannot prepare the lab: {why}" | "无法准备实验：{why}", why = e.say(lang);
    Self::Progress(e) => "cannot keep the progress: {why}" | "无法保存进度：{why}", why = e.say(lang);
    Self::Choice(e) => "cannot keep the choice of a language: {why}" | "无法保存所选的编程语言：{why}", why = e.say(lang);
    Self::CompileC(e) => "cannot compile C programs: {why}" | "无法编译 C 程序：{why}", why = e.say(lang);
    Self::Guide(e) => "cannot write the guide: {why}" | "无法写入指南：{why}", why = e.say(lang);
    Self::Again(e) => "cannot run bytehop again: {why}" | "无法再次运行 bytehop：{why}", why = e.say(lang);
    Self::Own(e) => "cannot find bytehop's own file: {why}" | "找不到 bytehop 自己的文件：{why}", why = e.say(lang);
    Self::BrokeOff => "tracing broke off" | "跟踪中断了";
    Self::NothingToTrace => "nothing to trace" | "没有可跟踪的内容";
    Self::Untraceable => "nothing can be traced here: `bytehop doctor` says why"
        | "这里无法跟踪：`bytehop doctor` 说明原因";
    Self::NoPath(name) => "no such path: {name}; `bytehop doctor --verify` lists them"
        | "没有这条路径：{name}；`bytehop doctor --verify` 会列出所有路径";
    Self::NoFolder => "no folder to work in" | "没有可用的工作目录";
    Self::Nonsense(e) => "a program of the table said nonsense: {e}" | "表中的一个程序输出了无法理解的内容：{e}";
    Self::BinaryOnTerminal => "this format is not for a terminal: give a file with -o, or a pipe"
        | "这种格式不适合终端：请用 -o 指定文件，或接管道";
    Self::PageOfPart => "a page holds the whole recording: write a smaller one first (`bytehop cut`)"
        | "网页包含整个记录文件：请先用 `bytehop cut` 写出较小的记录文件";
    Self::NoTimeLeft => "--from is not before --to: no time is left between them"
        | "--from 不早于 --to：两者之间没有时间";
    Self::NotThere(notice) => { notice.words(lang) };
    Self::OntoItself(path) => "{path} is the recording that is read: give another name with -o"
        | "{path} 正是要读取的记录文件：请用 -o 给出另一个名字", path = path.display();
    Self::NothingToCut => "nothing to leave out: say what to keep, with --from, --to, --pid, --region or --from-main"
        | "没有要去掉的内容：请用 --from、--to、--pid、--region 或 --from-main 说明保留什么";
    Self::LabAndVerb(id) => "'{id}' and another verb: one of them" | "“{id}”和另一个子命令只能二选一";
    Self::NoFlag { verb, flag } => "`lab {verb}` has no --{flag}" | "`lab {verb}` 没有 --{flag}";
    Self::NoOneToAsk => "there is no terminal to ask on: add --yes" | "没有可供询问的终端：请加 --yes";
    Self::NoResults(dir) => "there is nothing to hand in: no check has left a result in {dir} (`bytehop lab ID --student YOU`)"
        | "没有可提交的内容：{dir} 里没有检验留下的结果（`bytehop lab ID --student YOU`）", dir = dir.display();
    Self::WhichLab => "which lab? Or --site DIR for all of them" | "哪一个实验？或用 --site DIR 导出全部";
    Self::JunitAlone => "--junit needs budgets: give --expect or --expect-file as well"
        | "--junit 需要预算：请同时给出 --expect 或 --expect-file";
    Self::NoBudget => "--expect-file: there is no budget in it" | "--expect-file：文件里没有预算";
    Self::NothingToFold => "--quiet and --verbose go with --verify: what doctor says without it has one length"
        | "--quiet 和 --verbose 只能与 --verify 同用：不带它时 doctor 的输出只有一种";
    Self::NoStacksToWeigh => "--weight goes with --format folded or flamegraph: only their stacks have a weight"
        | "--weight 只能用于 --format folded 或 flamegraph：只有它们的调用栈带权重";
    Self::NoPlaceForBudgets => "--expect goes with --format text or json: other formats have no place for it"
        | "--expect 只能用于 --format text 或 json：其他格式没有放它的地方";
    Self::ExpectAndTui => "--expect judges at the end, as text: it does not go with --tui"
        | "--expect 在结束时以文本判定：不能与 --tui 同用";
    Self::NoPage(name, all) => "no page '{name}': {all}" | "没有手册页“{name}”：{all}";
    Self::Listed(place, e) => "{place}: {why}" | "{place}：{why}", why = e.say(lang);
    Self::Junit(e) => "cannot write the JUnit XML: {why}" | "无法写入 JUnit XML：{why}", why = e.say(lang);
    Self::ThemeOfNothing =>
            "--theme is of the terminal UI, which --json and --summary turn off: add --tui, or leave it out"
            | "--theme 属于终端界面，而 --json 和 --summary 会关闭它：请加 --tui，或去掉 --theme";
    Self::Listen(address, e) => "cannot listen on {address}: {why}" | "无法在 {address} 上监听：{why}", why = e.say(lang);
    Self::Thread(e) => "cannot start a thread: {why}" | "无法启动线程：{why}", why = e.say(lang);
    Self::Viewer => "this build shows recordings and cannot trace: use a build for Linux with the capture side"
        | "这个版本只能查看记录，不能跟踪：请在 Linux 上使用带跟踪功能的版本";
}

macro_rules! fails_with {
    ($($error:ty => $code:expr;)*) => {
        $(impl From<$error> for Fail {
            fn from(e: $error) -> Self {
                let code: fn(&$error) -> u8 = $code;
                Self { code: code(&e), what: Some(Box::new(e)) }
            }
        })*
    };
}

fails_with! {
    RecordError => |e| e.exit_code().unwrap_or(FAILED);
    labs::lab::LabError => |_| USAGE;
    labs::runs::WorkError => |_| FAILED;
    labs::runs::RunError => |e| match e {
        labs::runs::RunError::NoRecording(_) => NOT_ALLOWED,
        labs::runs::RunError::Stopped(signal) => signalled(*signal),
        labs::runs::RunError::Work(labs::runs::WorkError::Stopped(signal)) => signalled(*signal),
        labs::runs::RunError::Record(e) => e.exit_code().unwrap_or(FAILED),
        _ => FAILED,
    };
    tui::ViewError => |e| match e {
        tui::ViewError::Recording(e) => e.exit_code().unwrap_or(FAILED),
        tui::ViewError::NotATerminal => USAGE,
        tui::ViewError::Ended(signal) => signalled(*signal),
        tui::ViewError::Source(_) | tui::ViewError::Terminal(_) => FAILED,
    };
}

#[cfg(feature = "capture")]
fails_with! {
    Missing => |_| NOT_ALLOWED;
    ElevateError => |_| NOT_ALLOWED;
    BtfError => |_| NOT_ALLOWED;
    LoadError => |_| NOT_ALLOWED;
    ShareError => |e| match e {
        ShareError::NoGroup(_) | ShareError::File { .. } => USAGE,
        _ => NOT_ALLOWED,
    };
    Limit => |_| NOT_ALLOWED;
    DropError => |_| FAILED;
    IdentityError => |_| FAILED;
    LaunchError => |e| e.exit_code() as u8;
    CaptureError => |e| match e {
        CaptureError::NoProcess(_) | CaptureError::NoneOf(_) => USAGE,
        CaptureError::Namespace | CaptureError::NotYours(_) | CaptureError::AllDumpable => {
            NOT_ALLOWED
        }
        CaptureError::Load(_) | CaptureError::Wait(_) | CaptureError::Blind => FAILED,
    };
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use super::Trouble;
    use crate::cli::BadValue;

    #[test]
    fn failures_speak_the_readers_language() {
        for texts in [Trouble::TEXTS, BadValue::TEXTS] {
            assert_eq!(problems(texts), [""; 0]);
        }
    }
}
