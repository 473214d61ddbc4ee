//! Which copies and crossings of a run could go, and how: rules over what was seen.
//!
//! Each piece of advice names its evidence, what it would save, when not to follow it, and the lab that
//! teaches it. What only the programmer knows (whether the bytes are looked at, whether a crash may lose
//! them) is said as a condition, never assumed.

mod facts;
mod words;

use serde::Serialize;

use crate::catalogue::{FunctionId, ProbeId, RuleId, Tracepoint};
use crate::model::Evidence;

pub use facts::{Ends, Facts, Tally};

use crate::i18n::Lang;
use crate::model::Summary;
use crate::rules::FileKind;
use crate::units;

/// What was found: the numbers that the words are filled with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Calls, bytes, and bytes of a call.
    pub calls: u64,
    pub bytes: u64,
    pub size: u64,
    pub time_ns: u64,
    /// Names of the call, and of the files.
    pub call: String,
    pub files: Vec<String>,
    /// What would go, at most: bytes copied by the CPU, crossings.
    pub saves_copied: u64,
    pub saves_crossings: u64,
    pub stack: Option<u64>,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The rule's name.
    pub rule: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub how: String,
    /// When not to.
    pub unless: String,
    /// The lab that teaches it.
    pub lab: &'static str,
    /// What would go, at most: bytes copied by the CPU, crossings.
    pub saves_copied: u64,
    pub saves_crossings: u64,
    /// Where in the source, if the trace tells: the last such place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

type Say = fn(Lang, &Found) -> String;

/// A rule: where it fits, and its words.
struct Rule {
    name: &'static str,
    lab: &'static str,
    find: fn(&Facts, &Summary) -> Vec<Found>,
    seen: Say,
    how: fn(Lang) -> &'static str,
    unless: fn(Lang) -> &'static str,
}

/// Every rule. Each may find several places.
#[rustfmt::skip] // a table
const RULES: &[Rule] = &[
    Rule { name: "file-to-socket", lab: "sendfile", find: |f, _| pairs(f, |from, to| is_file(from) && is_socket(to)), seen: words::pair, how: words::sendfile_how, unless: words::sendfile_unless },
    Rule { name: "file-to-file", lab: "copy-files", find: |f, _| file_to_file(f), seen: words::pair, how: words::copy_range_how, unless: words::copy_range_unless },
    Rule { name: "through-a-pipe", lab: "splice", find: |f, _| pairs(f, through_pipe), seen: words::pair, how: words::splice_how, unless: words::splice_unless },
    Rule { name: "small-calls", lab: "modes", find: |f, _| small(f), seen: words::small, how: words::small_how, unless: words::small_unless },
    Rule { name: "many-reads", lab: "io-uring", find: |f, _| many(f), seen: words::many, how: words::many_how, unless: words::many_unless },
    Rule { name: "sync-per-write", lab: "write-back", find: |f, _| synced(f), seen: words::synced, how: words::synced_how, unless: words::synced_unless },
    Rule { name: "mapped-faults", lab: "mmap", find: |f, _| file_faults(f), seen: words::faults, how: words::faults_how, unless: words::faults_unless },
    Rule { name: "zero-fill", lab: "memory", find: |f, _| zeroed(f), seen: words::zeroed, how: words::zeroed_how, unless: words::zeroed_unless },
    Rule { name: "copy-on-write", lab: "memory", find: |f, _| cow(f), seen: words::cow, how: words::cow_how, unless: words::cow_unless },
    Rule { name: "zerocopy-too-small", lab: "zerocopy-send", find: |f, _| zerocopy_small(f), seen: words::zerocopy_small, how: words::zerocopy_small_how, unless: words::zerocopy_small_unless },
    Rule { name: "zerocopy-copied", lab: "zerocopy-send", find: |f, _| zerocopy_late(f), seen: words::zerocopy_late, how: words::zerocopy_late_how, unless: words::zerocopy_late_unless },
];

/// Advice for a run: what would save most first.
pub fn advise(facts: &Facts, summary: &Summary, lang: Lang) -> Vec<Advice> {
    let mut all = Vec::new();
    for rule in RULES {
        for found in (rule.find)(facts, summary) {
            let line = found.stack.and_then(|stack| facts.line(stack));
            all.push(Advice {
                rule: rule.name,
                seen: (rule.seen)(lang, &found),
                how: (rule.how)(lang).to_owned(),
                unless: (rule.unless)(lang).to_owned(),
                lab: rule.lab,
                saves_copied: found.saves_copied,
                saves_crossings: found.saves_crossings,
                file: line.map(|frame| frame.file.clone()),
                line: line.map(|frame| frame.line),
            });
        }
    }
    // A crossing costs about as much as the copy of a page.
    all.sort_by_key(|advice| {
        std::cmp::Reverse(
            advice
                .saves_copied
                .saturating_add(advice.saves_crossings.saturating_mul(4096)),
        )
    });
    all
}

/// Fewer bytes than this are not worth a change.
const WORTH: u64 = 64 << 10;
/// Nor are fewer calls than this.
const OFTEN: u64 = 64;
/// A call of fewer bytes costs more for crossing than for copying.
const SMALL: u64 = 4096;
/// Below about this size a zero-copy send costs more than the copy (msg_zerocopy.rst: "around 10 KB").
const ZEROCOPY_PAYS: u64 = 10 << 10;

fn is_file(kind: FileKind) -> bool {
    matches!(kind, FileKind::RegularFile | FileKind::Shmem)
}

fn is_socket(kind: FileKind) -> bool {
    matches!(kind, FileKind::Tcp | FileKind::UnixStream)
}

fn found(tally: &Tally) -> Found {
    Found {
        calls: tally.calls,
        bytes: tally.bytes,
        size: tally.size(),
        time_ns: tally.time_ns,
        stack: tally.stack,
        ..Found::default()
    }
}

fn named(facts: &Facts, ids: &[facts::Id]) -> Vec<String> {
    let names = ids.iter().map(|id| facts.name(*id).unwrap_or_default());
    names.map(str::to_owned).collect()
}

/// Pairs of a read and a write that a single call could stand for.
fn pairs(facts: &Facts, fits: fn(FileKind, FileKind) -> bool) -> Vec<Found> {
    let fits = facts
        .pairs
        .iter()
        .filter(|(ends, tally)| fits(ends.from, ends.to) && tally.bytes >= WORTH);
    let found = fits.map(|(ends, tally)| Found {
        files: named(facts, &[ends.from_id, ends.to_id]),
        saves_copied: tally.copied,
        // One call moves what a read and a write did; and more at a time.
        saves_crossings: 2 * tally.calls,
        ..found(tally)
    });
    found.collect()
}

fn file_to_file(facts: &Facts) -> Vec<Found> {
    let mut found = pairs(facts, |from, to| is_file(from) && is_file(to));
    // One copy in the kernel is left where the file system cannot share extents.
    found.iter_mut().for_each(|found| found.saves_copied /= 2);
    found
}

/// A pipe at one end, a file or a socket at the other.
fn through_pipe(from: FileKind, to: FileKind) -> bool {
    let other = match (from, to) {
        (FileKind::Pipe, other) | (other, FileKind::Pipe) => other,
        _ => return false,
    };
    is_file(other) || is_socket(other)
}

fn data_calls(facts: &Facts) -> impl Iterator<Item = (&str, facts::Id, FileKind, &Tally)> {
    let calls = facts.calls.iter();
    calls.map(|((name, id), (kind, tally))| (name.as_str(), *id, *kind, tally))
}

fn small(facts: &Facts) -> Vec<Found> {
    let fits = data_calls(facts).filter(|(name, _, kind, tally)| {
        let plain = !matches!(
            *name,
            "sendfile" | "splice" | "tee" | "vmsplice" | "copy_file_range"
        );
        let data = is_file(*kind) || is_socket(*kind) || *kind == FileKind::Pipe;
        plain && data && tally.calls >= OFTEN && tally.size() < SMALL
    });
    let found = fits.map(|(name, id, _, tally)| {
        // With calls of 64 KiB.
        let fewer = tally.bytes.div_ceil(64 << 10).max(1);
        Found {
            call: name.to_owned(),
            files: named(facts, &[id]),
            saves_crossings: 2 * tally.calls.saturating_sub(fewer),
            ..found(tally)
        }
    });
    found.collect()
}

fn many(facts: &Facts) -> Vec<Found> {
    let fits = data_calls(facts).filter(|(name, _, kind, tally)| {
        let at = matches!(*name, "pread64" | "pwrite64" | "preadv" | "pwritev");
        at && is_file(*kind) && tally.calls >= 16 * OFTEN && tally.size() >= SMALL
    });
    let found = fits.map(|(name, id, _, tally)| Found {
        call: name.to_owned(),
        files: named(facts, &[id]),
        // In batches of 32.
        saves_crossings: 2 * (tally.calls - tally.calls.div_ceil(32)),
        ..found(tally)
    });
    found.collect()
}

fn synced(facts: &Facts) -> Vec<Found> {
    let fits = facts.synced.iter().filter(|(_, tally)| tally.calls >= 8);
    let found = fits.map(|(id, tally)| Found {
        files: named(facts, &[*id]),
        saves_crossings: 2 * (tally.calls - 1),
        ..found(tally)
    });
    found.collect()
}

fn file_faults(facts: &Facts) -> Vec<Found> {
    let fits = facts.file_faults.iter().filter(|(id, (tally, _))| {
        // The program's own code and its libraries are not its data.
        let name = facts.name(**id).unwrap_or_default();
        let code = name.ends_with(".so") || name.contains(".so.");
        !code && facts.names.contains_key(*id) && tally.calls >= OFTEN / 2
    });
    let found = fits.map(|(id, (tally, _))| Found {
        files: named(facts, &[*id]),
        saves_crossings: 2 * (tally.calls - 1),
        ..found(tally)
    });
    found.collect()
}

fn zeroed(facts: &Facts) -> Vec<Found> {
    let tally = &facts.zeroed;
    if tally.calls < 4 * OFTEN || tally.bytes < 1 << 20 {
        return Vec::new();
    }
    // A huge page is 512 pages.
    let saves_crossings = 2 * (tally.calls - tally.calls.div_ceil(512));
    vec![Found {
        saves_crossings,
        ..found(tally)
    }]
}

fn cow(facts: &Facts) -> Vec<Found> {
    let tally = &facts.cow;
    if tally.calls < OFTEN || tally.bytes < WORTH {
        return Vec::new();
    }
    vec![Found {
        saves_copied: tally.bytes,
        saves_crossings: 2 * tally.calls,
        ..found(tally)
    }]
}

fn zerocopy_small(facts: &Facts) -> Vec<Found> {
    let tally = &facts.zerocopy;
    let small = tally.calls >= 8 && tally.size() < ZEROCOPY_PAYS;
    small.then(|| found(tally)).into_iter().collect()
}

fn zerocopy_late(facts: &Facts) -> Vec<Found> {
    let tally = &facts.zerocopy;
    let late = facts.zerocopy_late;
    let most = tally.bytes >= WORTH && late >= tally.bytes / 2;
    let found = most.then(|| Found {
        bytes: late,
        ..found(tally)
    });
    found.into_iter().collect()
}

/// The lab that teaches what a probe or rule sees; `None`: none in particular.
pub fn lab(evidence: Evidence) -> Option<&'static str> {
    use Evidence::{Inferred, Measured};
    Some(match evidence {
        Inferred(RuleId::DirectRemoteNotSeen)
        | Inferred(RuleId::DirectReadFellBack)
        | Inferred(RuleId::DirectReadNotCopied)
        | Inferred(RuleId::DirectHoleFilled)
        | Inferred(RuleId::DirectWriteFellBack)
        | Inferred(RuleId::DirectWriteNotCopied) => "direct-io",
        Inferred(RuleId::ReadReturnsCopied)
        | Measured(ProbeId::Tracepoint(Tracepoint::block_bio_queue))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_split))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_rq_issue))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_rq_complete))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_bio_complete)) => "page-cache",
        Inferred(RuleId::ShmemReadCopied)
        | Inferred(RuleId::ShmemWriteCopied)
        | Inferred(RuleId::PrivateShmemWriteCopied)
        | Inferred(RuleId::ShmemPageZeroed)
        | Inferred(RuleId::ShmemPageMapped)
        | Measured(ProbeId::Tracepoint(Tracepoint::net_dev_start_xmit))
        | Measured(
            ProbeId::Function(FunctionId::shmem_file_read_iter)
            | ProbeId::Kprobe(FunctionId::shmem_file_read_iter),
        ) => "is-it-dma",
        Inferred(RuleId::PipeReadCopied)
        | Inferred(RuleId::PipeWriteCopied)
        | Inferred(RuleId::ProcessVmCopied)
        | Inferred(RuleId::ProcessMemoryCopied)
        | Inferred(RuleId::ProcessWordPoked)
        | Measured(
            ProbeId::Function(FunctionId::pipe_read) | ProbeId::Kprobe(FunctionId::pipe_read),
        )
        | Measured(
            ProbeId::Function(FunctionId::pipe_write) | ProbeId::Kprobe(FunctionId::pipe_write),
        )
        | Measured(
            ProbeId::Function(FunctionId::pipe_to_user) | ProbeId::Kprobe(FunctionId::pipe_to_user),
        )
        | Measured(
            ProbeId::Function(FunctionId::add_to_pipe) | ProbeId::Kprobe(FunctionId::add_to_pipe),
        ) => "ipc",
        Inferred(RuleId::ReceiveDiscarded)
        | Inferred(RuleId::ReceiveCopied)
        | Inferred(RuleId::ReceiveCutUndecided)
        | Inferred(RuleId::SendCopied)
        | Inferred(RuleId::SendfileShared)
        | Inferred(RuleId::SendfileCopied)
        | Inferred(RuleId::ReceivedFromNic)
        | Measured(ProbeId::Tracepoint(Tracepoint::skb_copy_datagram_iovec))
        | Measured(
            ProbeId::Function(FunctionId::skb_copy_datagram_from_iter)
            | ProbeId::Kprobe(FunctionId::skb_copy_datagram_from_iter),
        )
        | Measured(
            ProbeId::Function(FunctionId::skb_copy_ubufs)
            | ProbeId::Kprobe(FunctionId::skb_copy_ubufs),
        ) => "sendfile",
        Inferred(RuleId::ReceiveZerocopy)
        | Inferred(RuleId::SendZerocopyShared)
        | Inferred(RuleId::SendZcShared)
        | Inferred(RuleId::ZerocopyLateCopy)
        | Measured(
            ProbeId::Function(FunctionId::skb_zerocopy_iter_stream)
            | ProbeId::Kprobe(FunctionId::skb_zerocopy_iter_stream),
        )
        | Measured(
            ProbeId::Function(FunctionId::tcp_zerocopy_receive)
            | ProbeId::Kprobe(FunctionId::tcp_zerocopy_receive),
        ) => "zerocopy-send",
        Inferred(RuleId::WriteCopied)
        | Inferred(RuleId::KernelWriteCopied)
        | Inferred(RuleId::CopiedUp)
        | Inferred(RuleId::CoreDumped) => "write-back",
        Inferred(RuleId::SpliceDiscarded)
        | Inferred(RuleId::SpliceToDirectNotCopied)
        | Inferred(RuleId::SpliceFromDirectShared)
        | Inferred(RuleId::SpliceFileShared)
        | Inferred(RuleId::SplicePipeToSocketShared)
        | Inferred(RuleId::SplicePipeToPipeShared)
        | Inferred(RuleId::SplicePipeToFileCopied)
        | Inferred(RuleId::SpliceSocketShared)
        | Inferred(RuleId::SpliceSourceCopied)
        | Inferred(RuleId::SpliceZerosFilled)
        | Inferred(RuleId::SpliceZerosCopied)
        | Inferred(RuleId::TeeShared)
        | Inferred(RuleId::VmspliceShared)
        | Inferred(RuleId::VmspliceCopied)
        | Measured(
            ProbeId::Function(FunctionId::splice_folio_into_pipe)
            | ProbeId::Kprobe(FunctionId::splice_folio_into_pipe),
        )
        | Measured(
            ProbeId::Function(FunctionId::skb_splice_from_iter)
            | ProbeId::Kprobe(FunctionId::skb_splice_from_iter),
        )
        | Measured(
            ProbeId::Function(FunctionId::splice_to_pipe)
            | ProbeId::Kprobe(FunctionId::splice_to_pipe),
        )
        | Measured(ProbeId::Function(FunctionId::do_tee) | ProbeId::Kprobe(FunctionId::do_tee)) => {
            "splice"
        }
        Inferred(RuleId::CopyRangeRemote)
        | Inferred(RuleId::CopyRangeReflinked)
        | Inferred(RuleId::CopyRangeUndecided)
        | Inferred(RuleId::CopyRangeCopied)
        | Inferred(RuleId::ReflinkShared) => "copy-files",
        Inferred(RuleId::PopulateCopied)
        | Inferred(RuleId::PopulateMapped)
        | Inferred(RuleId::PrivateFileWriteCopied)
        | Inferred(RuleId::FaultAroundRange)
        | Inferred(RuleId::FilePageMapped) => "mmap",
        Inferred(RuleId::UserfaultCopied)
        | Inferred(RuleId::UserfaultZeroPageMapped)
        | Inferred(RuleId::CowFaultCopied)
        | Inferred(RuleId::CowFilePageCopied)
        | Inferred(RuleId::CowShmemPageCopied)
        | Inferred(RuleId::CowUnknownPageCopied)
        | Inferred(RuleId::ZeroPageMapped)
        | Measured(ProbeId::Tracepoint(Tracepoint::mm_page_alloc)) => "memory",
        // Every rule is listed: a new one has to say.
        Inferred(RuleId::ZerosFilled)
        | Inferred(RuleId::KernelReadCopied)
        | Inferred(RuleId::ErrorQueueRead)
        | Inferred(RuleId::WriteDiscarded)
        | Inferred(RuleId::TlsEncrypted)
        | Inferred(RuleId::FirstTouchZeroed)
        | Inferred(RuleId::LargeFolioZeroed)
        | Inferred(RuleId::SoftwareDeviceCopied)
        | Inferred(RuleId::IssuedRequestDone) => return None,
        Measured(_) | Evidence::Estimated(_) => return None,
    })
}

/// Bytes, as the words have them.
fn bytes(n: u64) -> String {
    units::bytes(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Method;

    #[test]
    fn rules_are_whole() {
        assert_eq!(crate::i18n::problems(words::TABLE), [""; 0]);
        let names: std::collections::HashSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            for lang in [Lang::En, Lang::Zh] {
                let found = Found {
                    files: vec!["a".to_owned(), String::new()],
                    ..Found::default()
                };
                assert!(!(rule.seen)(lang, &found).is_empty());
                assert!(!(rule.how)(lang).is_empty() && !(rule.unless)(lang).is_empty());
            }
        }
    }

    #[test]
    fn rules_lead_to_their_labs() {
        let of = |rule| lab(Evidence::Inferred(rule));
        assert_eq!(of(RuleId::SpliceFileShared), Some("splice"));
        assert_eq!(of(RuleId::DirectReadFellBack), Some("direct-io"));
        assert_eq!(of(RuleId::ReadReturnsCopied), Some("page-cache"));
        assert_eq!(lab(Evidence::Estimated(Method::CpuClock)), None);
    }
}
