//! The account of a run: what calls said they moved, and what became of those bytes.

use std::cmp::Reverse;

use serde::{Serialize, Serializer};

use crate::catalogue::RuleId;
use crate::i18n::Lang;
use crate::units;

mod words {
    crate::messages! {
        closes(bytes): "every byte that calls returned is accounted for ({bytes})" | "系统调用返回的字节全部有去向（{bytes}）";
        open(bytes, returned): "{bytes} of {returned} that calls returned are unaccounted for" | "系统调用返回的 {returned} 中，有 {bytes} 去向不明";
        row(bytes, call, why): "{bytes} of {call}: {why}" | "{call} 的 {bytes}：{why}";
        messages(count, call, why): "{count} messages of {call}: {why}" | "{call} 的 {count} 条消息：{why}";
        rings(call, count, why): "{call} ×{count}: {why}" | "{call} ×{count}：{why}";
        shared_ring: "the kernel puts packets into memory that the program has mapped, and no call tells how many" | "内核把数据包放进程序映射的内存，没有调用说明有多少";
        pages_copied: "the kernel may copy pages to others in such a call, and nothing tells how many" | "这种调用可能让内核把一些页拷贝到别的页，没有信息说明有多少";
        pages_mapped: "pages are mapped, and their number stands in memory that no probe reads" | "映射了一些页，数目存放在探针不读的内存里";
        huge_pages: "pages of hugetlbfs come from a pool of their own: no probe sees them filled, copied or mapped" | "hugetlbfs 的页来自专用的池：探针看不到它们被清零、拷贝或映射";
        no_rule: "no rule knows such a call on such a file" | "没有规则适用于这种文件上的这种调用";
        cannot_tell(rule): "where they went can't be seen from here ({rule})" | "从这里看不到它们的去向（{rule}）";
        no_device: "a device was to move them, and none was seen to" | "本应由设备搬运，却没有看到设备搬运";
        silent(rule): "a probe on their path saw nothing (rule: {rule})" | "路径上的探针什么也没看到（规则：{rule}）";
        less(rule): "a probe on their path saw fewer (rule: {rule})" | "路径上的探针看到的更少（规则：{rule}）";
        no_source: "the file that they were spliced from was closed before a probe could look at it" | "它们所来自的文件，在探针查看之前就已关闭";
        no_file: "counters do not tell what decides their way (record does)" | "计数器没有决定其去向的信息（record 有）";
        no_sizes: "their sizes stand in memory that no probe reads" | "大小存放在探针不读的内存里";
    }
}

/// Payload bytes that calls said they moved, and what became of them: `returned` = `accounted` +
/// `unaccounted`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    pub returned: u64,
    /// Those that hops, or a rule that says they went nowhere, account for.
    pub accounted: u64,
    pub unaccounted: u64,
    /// The rest, by call and reason; most bytes first.
    pub open: Vec<OpenRow>,
}

impl Ledger {
    /// The account in sentences: whether it closes, then what stands open, most bytes first. Nothing if no
    /// call returned bytes.
    pub fn sentences(&self, lang: Lang) -> Vec<String> {
        let returned = units::bytes(self.returned);
        let head = match self.unaccounted {
            0 if self.returned == 0 => None,
            0 => Some(words::closes(lang, returned)),
            bytes => Some(words::open(lang, units::bytes(bytes), returned)),
        };
        let rows = self.open.iter().map(|row| {
            let why = row.why.words(lang);
            match row.why {
                Unaccounted::Unsized => {
                    words::messages(lang, units::count(row.count), &row.call, why)
                }
                Unaccounted::SharedRing
                | Unaccounted::PagesCopied
                | Unaccounted::PagesMapped
                | Unaccounted::HugePages => {
                    words::rings(lang, &row.call, units::count(row.count), why)
                }
                _ => words::row(lang, units::bytes(row.bytes), &row.call, why),
            }
        });
        head.into_iter().chain(rows).collect()
    }

    /// Of what calls returned, with what stands open of it.
    pub fn of(returned: u64, open: Vec<OpenRow>) -> Self {
        let unaccounted = open
            .iter()
            .fold(0u64, |sum, row| sum.saturating_add(row.bytes))
            .min(returned);
        Self {
            returned,
            accounted: returned - unaccounted,
            unaccounted,
            open,
        }
    }
}

/// Bytes that some calls returned and that no hop accounts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenRow {
    /// As `syscalls` names it; `io_uring:read` for a request.
    pub call: String,
    pub bytes: u64,
    /// Calls, or messages, that are meant.
    pub count: u64,
    pub why: Unaccounted,
}

/// What stands open so far, one row for each call (as its account tells calls apart) and reason.
#[derive(Clone, Debug, Default)]
pub struct Open<W> {
    /// Call, reason, how many calls, bytes.
    rows: Vec<(W, Unaccounted, u64, u64)>,
}

impl<W: Copy + Ord> Open<W> {
    pub fn add(&mut self, which: W, why: Unaccounted, calls: u64, bytes: u64) {
        let mut known = self.rows.iter_mut();
        match known.find(|(w, y, ..)| (*w, *y) == (which, why)) {
            Some((_, _, count, sum)) => {
                *count = count.saturating_add(calls);
                *sum = sum.saturating_add(bytes);
            }
            None => self.rows.push((which, why, calls, bytes)),
        }
    }

    /// The rows, most bytes first.
    pub fn into_rows(mut self, name: impl Fn(W) -> String) -> Vec<OpenRow> {
        self.rows
            .sort_by_key(|&(which, why, _, bytes)| (Reverse(bytes), which, why));
        let rows = self.rows.into_iter();
        rows.map(|(which, why, count, bytes)| OpenRow {
            call: name(which),
            bytes,
            count,
            why,
        })
        .collect()
    }
}

/// Why bytes stand open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unaccounted {
    /// No rule knows such a call on such a file.
    NoRule,
    /// The rule that fits says that it can't be told from here.
    CannotTell(RuleId),
    /// A device was to move them, and none was seen to: a hole, a file system that does otherwise.
    NoDevice,
    /// A probe stands where they would have gone by this rule, and saw nothing.
    Silent(RuleId),
    /// That probe saw fewer.
    Less(RuleId),
    /// Their number stands in memory that no probe reads.
    Unsized,
    /// The kernel puts packets into memory that the program has mapped, and no call tells of them.
    SharedRing,
    /// Pages are copied to others (collapsed into a huge one, moved to another node).
    PagesCopied,
    /// Pages that userfaultfd maps without a copy.
    PagesMapped,
    /// Pages that come from hugetlbfs.
    HugePages,
    /// The file that a request took its bytes from was not seen.
    NoSource,
    /// Counters do not tell what decides their way: the file, its open mode.
    Uncounted,
}

impl Unaccounted {
    /// One clause for people.
    pub fn words(self, lang: Lang) -> String {
        match self {
            Self::NoRule => words::no_rule(lang).to_owned(),
            Self::CannotTell(rule) => words::cannot_tell(lang, rule),
            Self::NoDevice => words::no_device(lang).to_owned(),
            Self::Silent(rule) => words::silent(lang, rule),
            Self::Less(rule) => words::less(lang, rule),
            Self::Unsized => words::no_sizes(lang).to_owned(),
            Self::SharedRing => words::shared_ring(lang).to_owned(),
            Self::PagesCopied => words::pages_copied(lang).to_owned(),
            Self::PagesMapped => words::pages_mapped(lang).to_owned(),
            Self::HugePages => words::huge_pages(lang).to_owned(),
            Self::NoSource => words::no_source(lang).to_owned(),
            Self::Uncounted => words::no_file(lang).to_owned(),
        }
    }
}

impl Serialize for Unaccounted {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.words(Lang::En))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::problems;

    #[test]
    fn messages_are_whole() {
        assert_eq!(problems(words::TABLE), [""; 0]);
    }

    #[test]
    fn what_is_open_is_never_more_than_what_was_returned() {
        let row = |bytes| OpenRow {
            call: "read".to_owned(),
            bytes,
            count: 1,
            why: Unaccounted::NoRule,
        };
        let ledger = Ledger::of(10, vec![row(u64::MAX), row(7)]);
        assert_eq!((ledger.accounted, ledger.unaccounted), (0, 10));
        let ledger = Ledger::of(10, vec![row(3)]);
        assert_eq!((ledger.accounted, ledger.unaccounted), (7, 3));
    }
}
