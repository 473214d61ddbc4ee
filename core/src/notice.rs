//! What a trace says of itself: why it is not whole, and what hooks it lacked.
//!
//! Both are shown in the reader's language. Recordings hold the reasons of missing hooks as the text that the
//! recorder had ([`Why::of`] knows those of every version); JSON has the English words.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::i18n::Lang;
use crate::linux::error_name;
use crate::record::{NotThere, Span, Warning};
use crate::units;

mod words {
    crate::messages! {
        failed_requests[n]: "{n} block request failed: its bytes are not counted" / "{n} block requests failed: their bytes are not counted" | "{n} 个块请求失败：其字节不计入";
        unsized_messages[n]: "{n} message of sendmmsg or recvmmsg, or zero-copy receive: its size can't be seen" / "{n} messages of sendmmsg or recvmmsg, or zero-copy receives: their sizes can't be seen" | "sendmmsg、recvmmsg 或零拷贝接收的 {n} 条消息：看不到大小";
        unsized_reflinks[n]: "{n} reflink: the number of bytes is not in the call" / "{n} reflinks: the number of bytes is not in the call" | "{n} 次 reflink：调用中没有字节数";
        untold[n]: "{n} request of Linux AIO: its result was not seen, so the bytes that it asked for are counted" / "{n} requests of Linux AIO: their results were not seen, so the bytes that they asked for are counted" | "{n} 个 Linux AIO 请求：没有看到结果，按请求的字节数计";
        unknown_measures[n]: "{n} measurement of a step that this version does not know: its bytes are in no total (a newer bytehop can tell)" / "{n} measurements of steps that this version does not know: their bytes are in no total (a newer bytehop can tell)" | "{n} 次测量所属的步骤本版本不认识：其字节不在任何总数中（较新的 bytehop 能够识别）";
        scattered[n]: "{n} dirty page was too scattered to be remembered: its write-back is not tied" / "{n} dirty pages were too scattered to be remembered: their write-back is not tied" | "{n} 个脏页过于分散，无法记住：其回写没有归到起因";
        left_running[n]: "tracing ended with the program; threads that it left behind, still running: {n}" / "tracing ended with the program; threads that it left behind, still running: {n}" | "跟踪随程序结束；它留下的、仍在运行的线程：{n}";
        breakpoints_off(hits, ms): "breakpoints were taken off after {hits} hits, at {ms} ms, so as not to slow the program down: copies after that are measured at functions (--level B leaves them on)" | "断点命中 {hits} 次后（第 {ms} 毫秒）已撤下，以免拖慢程序：此后的拷贝在函数处测量（--level B 会保留断点）";
        skipped(program, n): "the kernel skipped probe {program} {n} times: its numbers may be too small by as many events" | "内核跳过了探针 {program} 共 {n} 次：相关数字可能少算这么多个事件";
        part(from, to): "a part of the recording, from {from} to {to}: calls count where they began, and what other times did with the same pages and sockets is not known" | "只含记录的一部分（{from} 至 {to}）：调用按开始时间计入，其他时间对同一页、同一套接字做过什么无从得知";
        of_process(pid): "only what process {pid} did: what others did with the same pages and sockets is not known" | "只含进程 {pid} 所做的事：其他进程对同一页、同一套接字做过什么无从得知";
        in_region(name): "only what was done in region {name}, whose time is the duration; what was done elsewhere with the same pages and sockets is not known" | "只含区域 {name} 里所做的事，用时即该区域的时间；在别处对同一页、同一套接字做过什么无从得知";
        from_main: "only what programs did from main on: what the loader and the language's runtime did before is left out" | "只含各程序从 main 开始所做的事：此前加载器和语言运行时所做的不计入";
        no_process(pid): "no process {pid} in this recording" | "此记录里没有进程 {pid}";
        no_region(name, all): "no region {name} in this recording; there are: {all}" | "此记录里没有区域 {name}；有：{all}";
        no_regions(name): "no region {name} in this recording: the program marked none (docs/regions.md says how)" | "此记录里没有区域 {name}：程序没有标记任何区域（见 docs/zh/regions.md）";
        unended(name, n): "region {name}: begun and not ended ({n} times): it counts up to the end of its thread" | "区域 {name} 有 {n} 次开始后没有结束：一直计到该线程结束";
        unbegun(name, n): "region {name}: ended and not begun ({n} times): that counts for nothing" | "区域 {name} 有 {n} 次未开始就结束：不计";
        odd_mark(path, n): "marks that say nothing: {n}, first {path}; a region's marks are begin/NAME and end/NAME" | "{n} 个标记没有意义（第一个：{path}）：区域的标记是 begin/名字 和 end/名字";
        no_end: "the trace has no end record: it was cut off" | "跟踪没有结束记录：它被截断了";
        stopped: "tracing was stopped before the program ended" | "程序结束之前，跟踪就停止了";
        again(paths): "traced again, because probes had been skipped or events lost: {paths}" | "因探针被跳过或丢失事件而重新跟踪：{paths}";
        header: "the file header is damaged" | "文件头已损坏";
        gap(offset, bytes, records, blocks): "damaged at byte {offset}: {bytes} bytes skipped, {records} records missing (blocks: {blocks})" | "第 {offset} 字节处损坏：跳过 {bytes} 字节，缺少 {records} 条记录（块数：{blocks}）";
        cut_off(offset): "cut off at byte {offset}: what followed is missing (the recorder was killed or is still running, or the file is incomplete)" | "在第 {offset} 字节处截断：其后的内容缺失（记录程序被杀死或仍在运行，或文件不完整）";
        unusable(bytes): "; {bytes} unusable bytes at the end held " | "；末尾 {bytes} 个不可用的字节里有";
        unknown_records: "an unknown number of records" | "数目不明的记录";
        records_or_more(n): "{n} records or more" | "至少 {n} 条记录";
        trailing(bytes, offset): "{bytes} bytes after the end of the recording, at byte {offset}, ignored" | "记录结束之后（第 {offset} 字节起）还有 {bytes} 字节，已忽略";
        io(offset, error): "reading stopped at byte {offset}: {error}" | "在第 {offset} 字节处停止读取：{error}";
        unknown_kinds(n): "{n} records of kinds that this version does not know, ignored" | "{n} 条本版本不认识的记录，已忽略";
        malformed(n): "{n} malformed records, ignored" | "{n} 条格式错误的记录，已忽略";

        refused(errno): "the kernel refuses: {errno}" | "内核拒绝：{errno}";
        absent: "not in this kernel" | "此内核没有";
        hidden_addresses: "the kernel shows no addresses (kptr_restrict)" | "内核不显示地址（kptr_restrict）";
        no_kprobes: "the kernel, built without kprobes, takes no breakpoint on its own text" | "内核编译时没有 kprobes，不接受设在自身代码上的断点";
        functions: "functions (level F)" | "函数（F 级）";
        breakpoints: "breakpoints (level B)" | "断点（B 级）";
        field(name): "field {name}" | "字段 {name}";
    }
}

/// Why numbers of a trace may be too small, or whom it left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Block requests that failed.
    FailedRequests(u64),
    /// Messages whose sizes stand in memory that no probe read.
    UnsizedMessages(u64),
    /// Reflinks whose sizes are not in the call.
    UnsizedReflinks(u64),
    /// Requests of Linux AIO whose results were not seen.
    Untold(u64),
    /// Copies that a newer recorder measured at a step that is not in our tables.
    UnknownMeasures(u64),
    /// Dirty pages that were too scattered to be remembered.
    Scattered(u64),
    /// Threads that the program left behind.
    LeftRunning(u64),
    /// Breakpoints were taken off.
    BreakpointsOff {
        hits: u64,
        ms: u64,
    },
    /// The kernel did not run an eBPF program so many times.
    Skipped {
        program: String,
        times: u64,
    },
    /// Only this part of the recording was read.
    Part(Span),
    /// Only this process's calls are in it.
    OfProcess(u32),
    /// Only calls in this region are in it.
    InRegion(String),
    /// Only what programs did from `main` on is in it.
    FromMain,
    /// What was asked for is not there.
    NotThere(NotThere),
    /// Begins of a region without an end, ends without a begin, and marks that are neither: the first of them.
    Unended(String, u64),
    Unbegun(String, u64),
    OddMark(String, u64),
    /// The trace has no end record.
    NoEnd,
    /// Tracing was stopped before the program ended.
    Stopped,
    /// Paths of `doctor --verify` that were traced again.
    Again(String),
    /// Of the recording.
    Recording(Warning),
    /// An error on the way, in the words of the system that had it.
    Foreign(String),
}

impl Notice {
    /// One line for people.
    pub fn words(&self, lang: Lang) -> String {
        match self {
            Self::FailedRequests(n) => words::failed_requests(lang, *n),
            Self::UnsizedMessages(n) => words::unsized_messages(lang, *n),
            Self::UnsizedReflinks(n) => words::unsized_reflinks(lang, *n),
            Self::Untold(n) => words::untold(lang, *n),
            Self::UnknownMeasures(n) => words::unknown_measures(lang, *n),
            Self::Scattered(n) => words::scattered(lang, *n),
            Self::LeftRunning(n) => words::left_running(lang, *n),
            Self::BreakpointsOff { hits, ms } => words::breakpoints_off(lang, hits, ms),
            Self::Skipped { program, times } => words::skipped(lang, program, times),
            Self::Part(Span { from, to }) => {
                words::part(lang, units::time(*from), units::time(*to))
            }
            Self::OfProcess(pid) => words::of_process(lang, pid),
            Self::InRegion(name) => words::in_region(lang, name),
            Self::FromMain => words::from_main(lang).to_owned(),
            Self::NotThere(NotThere::Process(pid)) => words::no_process(lang, pid),
            Self::NotThere(NotThere::Region(name, all)) if all.is_empty() => {
                words::no_regions(lang, name)
            }
            Self::NotThere(NotThere::Region(name, all)) => {
                words::no_region(lang, name, all.join(lang.list()))
            }
            Self::Unended(name, n) => words::unended(lang, name, n),
            Self::Unbegun(name, n) => words::unbegun(lang, name, n),
            Self::OddMark(path, n) => words::odd_mark(lang, path, n),
            Self::NoEnd => words::no_end(lang).to_owned(),
            Self::Stopped => words::stopped(lang).to_owned(),
            Self::Again(paths) => words::again(lang, paths),
            Self::Recording(warning) => of_recording(warning, lang),
            Self::Foreign(text) => text.clone(),
        }
    }

    /// A program that the kernel did not run so many times.
    pub fn skipped((program, times): &(String, u64)) -> Self {
        Self::Skipped {
            program: program.clone(),
            times: *times,
        }
    }
}

impl From<NotThere> for Notice {
    fn from(none: NotThere) -> Self {
        Self::NotThere(none)
    }
}

impl From<Warning> for Notice {
    fn from(warning: Warning) -> Self {
        Self::Recording(warning)
    }
}

impl From<&Warning> for Notice {
    fn from(warning: &Warning) -> Self {
        Self::Recording(warning.clone())
    }
}

impl Serialize for Notice {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.words(Lang::En))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&of_recording(self, Lang::En))
    }
}

fn of_recording(warning: &Warning, lang: Lang) -> String {
    match warning {
        Warning::Header => words::header(lang).to_owned(),
        Warning::Gap {
            offset,
            bytes,
            blocks,
            records,
        } => words::gap(lang, offset, bytes, records, blocks),
        Warning::CutOff {
            offset,
            bytes,
            records,
        } => {
            let mut text = words::cut_off(lang, offset);
            if *bytes > 0 {
                text += &words::unusable(lang, bytes);
                match records {
                    0 => text += words::unknown_records(lang),
                    n => text += &words::records_or_more(lang, n),
                }
            }
            text
        }
        Warning::Trailing { offset, bytes } => words::trailing(lang, bytes, offset),
        Warning::Io { offset, error } => words::io(lang, offset, error),
        Warning::Undecodable { unknown, malformed } => {
            let mut parts = Vec::new();
            if *unknown > 0 {
                parts.push(words::unknown_kinds(lang, unknown));
            }
            if *malformed > 0 {
                parts.push(words::malformed(lang, malformed));
            }
            parts.join(match lang {
                Lang::En => "; ",
                Lang::Zh => "；",
            })
        }
    }
}

/// Why a hook is not attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The kernel answered with this error: its name.
    Refused(String),
    /// The kernel does not have it.
    Absent,
    /// The kernel shows no addresses (`kptr_restrict`).
    HiddenAddresses,
    /// It takes no breakpoint on its own text (`arch_build_bp_info` asks `within_kprobe_blacklist`, which
    /// says yes to all without `CONFIG_KPROBES`; Linux 6.1 … 7.2).
    NoKprobes,
    /// In words that this version does not know.
    Foreign(String),
}

impl Why {
    /// Understands the text that a recording has: the English words of this version, or of an older one.
    pub fn of(text: &str) -> Self {
        let lang = Lang::En;
        if text == words::absent(lang) {
            return Self::Absent;
        }
        if text == words::hidden_addresses(lang) {
            return Self::HiddenAddresses;
        }
        if text == words::no_kprobes(lang) {
            return Self::NoKprobes;
        }
        if let Some(errno) = text.strip_prefix(&words::refused(lang, "")) {
            return Self::Refused(errno.to_owned());
        }
        // What aya says of it, as the first versions passed it on.
        let number = text
            .rsplit_once("(os error ")
            .and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
        match number.and_then(error_name) {
            Some(errno) => Self::Refused(errno.to_owned()),
            None => Self::Foreign(text.to_owned()),
        }
    }

    pub fn words(&self, lang: Lang) -> String {
        match self {
            Self::Refused(errno) => words::refused(lang, errno),
            Self::Absent => words::absent(lang).to_owned(),
            Self::HiddenAddresses => words::hidden_addresses(lang).to_owned(),
            Self::NoKprobes => words::no_kprobes(lang).to_owned(),
            Self::Foreign(text) => text.clone(),
        }
    }
}

/// As recordings name what is missing where the kernel takes no program on any function.
pub const FUNCTIONS: &str = "functions (level F)";
/// The same of breakpoints.
pub const BREAKPOINTS: &str = "breakpoints (level B)";

/// As recordings name a field that the kernel's structures do not have.
pub fn field(name: &str) -> String {
    words::field(Lang::En, name)
}

/// A hook that is not attached, as people read it; `name` as recordings have it.
pub fn hook(name: &str, lang: Lang) -> String {
    match (name, name.strip_prefix(&field(""))) {
        (FUNCTIONS, _) => words::functions(lang).to_owned(),
        (BREAKPOINTS, _) => words::breakpoints(lang).to_owned(),
        (_, Some(field)) => words::field(lang, field),
        (_, None) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::i18n::{is_english, problems};

    fn notices() -> Vec<Notice> {
        let n = 1234;
        let (offset, bytes, blocks, records) = (81_920, 512, 3, 40);
        let mut all = vec![
            Notice::FailedRequests(n),
            Notice::UnsizedMessages(n),
            Notice::UnsizedReflinks(n),
            Notice::Untold(n),
            Notice::UnknownMeasures(n),
            Notice::Scattered(n),
            Notice::LeftRunning(1),
            Notice::BreakpointsOff { hits: n, ms: 7 },
            Notice::skipped(&("sys_exit".to_owned(), 7)),
            Notice::Part(Span {
                from: 0,
                to: 1_500_000_000,
            }),
            Notice::OfProcess(7),
            Notice::FromMain,
            Notice::InRegion("load".to_owned()),
            Notice::NotThere(NotThere::Process(7)),
            Notice::NotThere(NotThere::Region("load".to_owned(), Vec::new())),
            Notice::NotThere(NotThere::Region(
                "load".to_owned(),
                vec!["a".to_owned(), "b".to_owned()],
            )),
            Notice::Unended("load".to_owned(), 1),
            Notice::Unbegun("load".to_owned(), n),
            Notice::OddMark("/dev/null/bytehop/x".to_owned(), 1),
            Notice::NoEnd,
            Notice::Stopped,
            Notice::Again("pipe (/tmp)".to_owned()),
        ];
        all.extend(
            [
                Warning::Header,
                Warning::Gap {
                    offset,
                    bytes,
                    blocks,
                    records,
                },
                Warning::CutOff {
                    offset,
                    bytes,
                    records,
                },
                Warning::CutOff {
                    offset,
                    bytes,
                    records: 0,
                },
                Warning::Trailing { offset, bytes },
                Warning::Io {
                    offset,
                    error: "EIO".to_owned(),
                },
                Warning::Undecodable {
                    unknown: 2,
                    malformed: 3,
                },
            ]
            .map(Notice::from),
        );
        all.push(Notice::Foreign("of another system".to_owned()));
        all
    }

    const PLACES: usize = 30;

    /// A place for each variant, and for each that a variant holds: a new one does not compile without.
    fn place(notice: &Notice) -> usize {
        match notice {
            Notice::FailedRequests(_) => 0,
            Notice::UnsizedMessages(_) => 1,
            Notice::UnsizedReflinks(_) => 2,
            Notice::Untold(_) => 3,
            Notice::UnknownMeasures(_) => 4,
            Notice::Scattered(_) => 5,
            Notice::LeftRunning(_) => 6,
            Notice::BreakpointsOff { .. } => 7,
            Notice::Skipped { .. } => 8,
            Notice::Part(_) => 9,
            Notice::OfProcess(_) => 10,
            Notice::InRegion(_) => 11,
            Notice::FromMain => 12,
            Notice::NotThere(NotThere::Process(_)) => 13,
            Notice::NotThere(NotThere::Region(_, all)) if all.is_empty() => 14,
            Notice::NotThere(NotThere::Region(..)) => 15,
            Notice::Unended(..) => 16,
            Notice::Unbegun(..) => 17,
            Notice::OddMark(..) => 18,
            Notice::NoEnd => 19,
            Notice::Stopped => 20,
            Notice::Again(_) => 21,
            Notice::Recording(Warning::Header) => 22,
            Notice::Recording(Warning::Gap { .. }) => 23,
            Notice::Recording(Warning::CutOff { records: 0, .. }) => 24,
            Notice::Recording(Warning::CutOff { .. }) => 25,
            Notice::Recording(Warning::Trailing { .. }) => 26,
            Notice::Recording(Warning::Io { .. }) => 27,
            Notice::Recording(Warning::Undecodable { .. }) => 28,
            Notice::Foreign(_) => 29,
        }
    }

    #[test]
    fn every_notice_is_listed() {
        let all = notices();
        let taken: BTreeSet<usize> = all.iter().map(place).collect();
        assert!(taken.into_iter().eq(0..PLACES));
    }

    #[test]
    fn every_notice_speaks_the_readers_language() {
        assert_eq!(problems(words::TABLE), [""; 0]);
        for notice in notices() {
            if let Notice::Foreign(text) = &notice {
                assert_eq!(notice.words(Lang::Zh), *text);
                continue;
            }
            let (en, zh) = (notice.words(Lang::En), notice.words(Lang::Zh));
            assert!(is_english(&en), "{en}");
            assert!(!is_english(&zh), "{zh}");
            assert!(zh.contains(|c: char| c > '\u{2fff}'), "{zh}");
        }
    }

    #[test]
    fn every_reason_of_a_recording_speaks_the_readers_language() {
        let old = "the BPF_PROG_LOAD syscall returned Operation not permitted (os error 1)";
        for (text, why) in [
            (
                "the kernel refuses: EPERM",
                Why::Refused("EPERM".to_owned()),
            ),
            (old, Why::Refused("EPERM".to_owned())),
            ("not in this kernel", Why::Absent),
            (
                "the kernel shows no addresses (kptr_restrict)",
                Why::HiddenAddresses,
            ),
            (
                "the kernel, built without kprobes, takes no breakpoint on its own text",
                Why::NoKprobes,
            ),
        ] {
            let of = Why::of(text);
            assert_eq!(of, why);
            assert!(!is_english(&of.words(Lang::Zh)));
            // What is written today is what is read.
            assert_eq!(Why::of(&of.words(Lang::En)), why);
        }
        let foreign = "of a later version";
        assert_eq!(Why::of(foreign).words(Lang::Zh), foreign);
        assert_eq!(hook("functions (level F)", Lang::Zh), "函数（F 级）");
        for name in [FUNCTIONS, BREAKPOINTS, &field("task.x")] {
            assert_eq!(hook(name, Lang::En), name);
            assert_ne!(hook(name, Lang::Zh), name);
        }
        assert_eq!(hook("field task.x", Lang::Zh), "字段 task.x");
        assert_eq!(hook("tp:sys_exit", Lang::Zh), "tp:sys_exit");
    }
}
