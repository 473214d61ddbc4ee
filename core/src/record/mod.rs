//! Recordings: one file that holds a trace, byte for byte as it came from the ring buffer.
//!
//! [`Writer`] makes one while tracing, [`Reader`] and [`open_events`] read it on any machine. The
//! format is described in `docs/recording.md`; its layout in code is [`format`](mod@format).
//!
//! What the format promises: every prefix of a recording is a recording (so a SIGKILL loses only
//! the block being filled), every block is checksummed, and damage costs the blocks it touches and
//! nothing else. Reading never fails after opening; what could not be read is in the [`Warning`]s.

mod blocks;
mod checks;
mod columns;
mod cut;
mod events;
pub mod format;
mod log;
mod part;
mod reader;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

pub use blocks::Block;
pub use cut::{Look, NotThere};
pub use events::{Events, open_events};
pub use log::{Log, LogWriter, log};
pub use part::{Part, Place, Span, Wanted};
pub use reader::{Index, Input, Reader, index};
pub use writer::{Sink, Stats, Writer};

/// File name extension, without the dot.
pub const EXTENSION: &str = "bhop";
/// Where a recording goes if no name is given.
pub const DEFAULT_NAME: &str = "bytehop.bhop";

/// Why a recording cannot be opened or written on. Each is one line that can be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    Open {
        path: PathBuf,
        source: io::Error,
    },
    Foreign {
        path: PathBuf,
    },
    Newer {
        path: PathBuf,
        version: u16,
    },
    Create {
        path: PathBuf,
        source: io::Error,
    },
    /// What was written before stays readable.
    Write {
        path: PathBuf,
        records: u64,
        source: io::Error,
    },
    /// A single record that the format cannot hold.
    TooLong {
        path: PathBuf,
        len: usize,
    },
    /// No call in it is known to come from a program's `main`; `stacks`: where calls came from is in it.
    NoMain {
        path: PathBuf,
        stacks: bool,
    },
}

crate::says! { RecordError, lang:
    Self::Open { path, source } => "cannot open {path}: {why}" | "无法打开 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::Foreign { path } => "{path} is not a bytehop recording" | "{path} 不是 bytehop 的记录文件",
        path = path.display();
    Self::Newer { path, version } =>
        "{path} has recording format {version}; a newer bytehop is needed, this one reads up to {most}"
        | "{path} 的记录格式是 {version}：需要更新的 bytehop，本版本最高支持 {most}",
        path = path.display(), most = format::VERSION;
    Self::Create { path, source } => "cannot create {path}: {why}" | "无法创建 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::NoMain { path, stacks: false } =>
        "{path} does not say where calls came from, so where main begins is not known: record with --stacks"
        | "{path} 没有记下调用来自哪里，不知道 main 从何处开始：请加 --stacks 重新记录", path = path.display();
    Self::NoMain { path, stacks: true } =>
        "no call in {path} is known to come from main: a stack that leads there needs the program's symbols (a program that is not stripped)"
        | "{path} 中没有已知来自 main 的调用：要有程序的符号（未经 strip），调用栈才能追到那里", path = path.display();
    Self::Write { path, records, source } =>
        "cannot write on to {path}: {why}; it keeps the first {records} records"
        | "无法继续写入 {path}：{why}；已保留前 {records} 条记录",
        path = path.display(), why = source.say(lang);
    Self::TooLong { path, len } => "a record of {len} bytes cannot be written to {path}, {max} is the limit"
        | "{len} 字节的记录无法写入 {path}，上限是 {max}",
        path = path.display(), max = format::MAX_RECORD;
}

impl RecordError {
    /// bytehop's own exit code for it, where the command line's contract has one: 4 for a damaged
    /// or foreign recording, 2 (usage) for a name that cannot be opened or created.
    pub fn exit_code(&self) -> Option<u8> {
        match self {
            Self::Foreign { .. } | Self::Newer { .. } => Some(4),
            Self::Open { .. } | Self::Create { .. } | Self::NoMain { .. } => Some(2),
            Self::Write { .. } | Self::TooLong { .. } => None,
        }
    }

    fn open(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Open {
            path: path.to_owned(),
            source,
        }
    }
}

/// What is missing from a recording, or could not be understood. One line each, by `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The file header is damaged; the blocks are read nevertheless.
    Header,
    /// Blocks between two good ones are missing or damaged.
    Gap {
        /// Where the damage begins, bytes from the start of the file.
        offset: u64,
        /// Bytes skipped.
        bytes: u64,
        blocks: u64,
        records: u64,
    },
    /// The file ends without the mark that an orderly end leaves.
    CutOff {
        offset: u64,
        /// Unusable bytes from `offset` to the end.
        bytes: u64,
        /// Records known to have been in them; there may have been more.
        records: u64,
    },
    /// Something follows the end mark.
    Trailing { offset: u64, bytes: u64 },
    /// The file could not be read further.
    Io { offset: u64, error: String },
    /// Records that [`crate::decode`] refused.
    Undecodable {
        /// Of a kind that this version does not know.
        unknown: u64,
        malformed: u64,
    },
}

#[cfg(test)]
mod tests;
