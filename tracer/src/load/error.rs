//! Why probes could not be loaded.

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use bytehop_core::i18n::Lang;
use bytehop_core::notice::Why;
use nix::errno::Errno;
use thiserror::Error;

use super::refusal::{errno, refusal, refuses};
use crate::btf::BtfError;
use crate::errors::words;
use crate::limits::{Limit, Thing};

/// Why probes could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    Btf(#[from] BtfError),
    Arch(&'static str),
    Object(#[source] EbpfError),
    Required {
        probe: String,
        source: ProgramError,
    },
    Absent {
        probe: &'static str,
    },
    Map(#[from] MapError),
    Statistics(#[source] aya::sys::SyscallError),
    PidNamespace(#[source] std::io::Error),
    NotAllowed,
    Limit(#[from] Limit),
    /// The kernel does not give this level; why, if that is known.
    Level {
        level: &'static str,
        why: Option<Why>,
    },
}

bytehop_core::says! { LoadError, lang:
    Self::Btf(e) => { e.say(lang) };
    Self::Arch(name) => "this build of bytehop does not know the architecture {name}"
        | "此 bytehop 不认识体系结构 {name}";
    Self::Object(e) => "the kernel refused the eBPF object: {why}" | "内核拒绝了 eBPF 目标文件：{why}",
        why = answer(e, lang);
    Self::Required { probe, source } =>
        "the kernel refused probe {probe}, and bytehop cannot trace without it: {why}"
        | "内核拒绝了探针 {probe}，缺了它 bytehop 无法跟踪：{why}",
        why = refusal(source).words(lang);
    Self::Absent { probe } => "this kernel has no {probe}, and bytehop cannot trace without it"
        | "此内核没有 {probe}，缺了它 bytehop 无法跟踪";
    Self::Map(e) => "an eBPF map failed: {why}" | "一个 eBPF map 出错：{why}", why = answer(e, lang);
    Self::Statistics(e) =>
        "--cost: the kernel does not let us take the time of probes (it needs Linux 5.8 and CAP_SYS_ADMIN): {why}"
        | "--cost：内核不允许统计探针用时（需要 Linux 5.8 和 CAP_SYS_ADMIN）：{why}", why = answer(e, lang);
    Self::PidNamespace(e) => "cannot tell our pid namespace (is /proc mounted?): {why}"
        | "无法得知自己的 pid 命名空间（/proc 挂载了吗？）：{why}", why = e.say(lang);
    Self::NotAllowed => "not allowed to load eBPF programs" | "不允许加载 eBPF 程序";
    Self::Limit(limit) => { limit.say(lang) };
    Self::Level { level, why: Some(why) } => "this kernel does not give level {level}: {why}"
        | "此内核不提供 {level} 级：{why}", why = why.words(lang);
    Self::Level { level, why: None } => "this kernel does not give level {level}: functions are missing"
        | "此内核不提供 {level} 级：缺少函数";
}

/// What the kernel answered; in English with all that aya says of it.
fn answer(e: &(dyn std::error::Error + 'static), lang: Lang) -> String {
    match (lang, errno(e)) {
        (Lang::Zh, Some(number)) => words(number, lang),
        _ => e.to_string(),
    }
}

/// What it means that the kernel does not take our object.
pub(super) fn refused(e: EbpfError) -> LoadError {
    match errno(&e) {
        Some(Errno::EPERM) => LoadError::NotAllowed,
        _ => LoadError::Object(e),
    }
}

/// The limit that loading ran into, if it was one.
pub(super) fn limited(e: LoadError) -> LoadError {
    let what = || match &e {
        LoadError::Required { probe, .. } => Thing::Probe(probe.clone()),
        LoadError::Object(EbpfError::MapError(MapError::CreateError { name, .. })) => {
            Thing::Map(name.clone())
        }
        _ => Thing::Maps,
    };
    let limit = errno(&e).and_then(|errno| Limit::behind(errno, what));
    limit.map_or(e, LoadError::Limit)
}

/// The same where a probe that tracing can do without is away for want of a descriptor: what it would have
/// seen is not absent from this kernel.
pub(super) fn out_of_files(missing: &[(String, Why)]) -> Option<Limit> {
    let numbers = [Errno::EMFILE, Errno::ENFILE];
    let number = numbers.into_iter().find(|number| {
        let why = refuses(*number);
        missing.iter().any(|(_, reason)| *reason == why)
    })?;
    Limit::behind(number, || Thing::Maps)
}

pub(super) fn invalid(name: &'static str) -> LoadError {
    LoadError::Map(MapError::InvalidName {
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use aya::sys::SyscallError;

    use super::*;

    #[test]
    fn what_is_said_of_it() {
        let call = |errno: Errno| SyscallError {
            call: "bpf_map_create",
            io_error: errno.into(),
        };
        let refused = |errno| refused(EbpfError::MapError(call(errno).into()));
        assert!(matches!(refused(Errno::EPERM), LoadError::NotAllowed));
        assert!(matches!(refused(Errno::EINVAL), LoadError::Object(_)));
        let object = LoadError::Object(EbpfError::MapError(call(Errno::ESRCH).into()));
        assert_eq!(errno(&object), Some(Errno::ESRCH));
    }

    #[test]
    fn a_limit_is_named() {
        let create = |errno: Errno| MapError::CreateError {
            name: "EVENTS".to_owned(),
            io_error: errno.into(),
        };
        let said = |e: LoadError| limited(e).to_string();
        let map = |errno| LoadError::Object(EbpfError::MapError(create(errno)));
        assert!(said(map(Errno::ENOMEM)).contains("the eBPF map EVENTS (ENOMEM)"));
        assert!(said(map(Errno::EMFILE)).contains("(EMFILE)"));
        assert!(matches!(limited(map(Errno::EINVAL)), LoadError::Object(_)));
        let mmap = MapError::SyscallError(SyscallError {
            call: "mmap",
            io_error: Errno::ENOMEM.into(),
        });
        assert!(said(mmap.into()).contains("(ENOMEM)"));
        let lack = |errno: Errno| ("hook".to_owned(), refuses(errno));
        assert_eq!(out_of_files(&[lack(Errno::EPERM)]), None);
        let missing = [lack(Errno::EPERM), lack(Errno::EMFILE)];
        assert!(matches!(out_of_files(&missing), Some(Limit::Files { .. })));
    }
}
