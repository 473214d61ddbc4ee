//! Limits that our caller set for us: lifted as far as we may, and named where they are too low.
//!
//! What is short of memory cannot say so any more: an allocation that fails ends us, and so does the kernel
//! where a memory cgroup is full. So these two are looked at before.

use std::fs;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};
use thiserror::Error;

use crate::cgroups::{self, Cgroup};
use crate::inherited::LIMITS;

/// What the embedded object, the kernel's types and our code take, bytes, beside the ring buffer: measured at
/// 50 MiB of our own and 18 MiB in the kernel's maps (Linux 6.18, two processors), and some more.
const OURS: u64 = 64 << 20;
const MAPS: u64 = 32 << 20;

/// A limit that is too low.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Limit {
    /// As many files as a process may open.
    Files {
        allowed: Option<rlim_t>,
    },
    /// As many as the system may.
    AllFiles,
    AddressSpace {
        allowed: u64,
        needed: u64,
    },
    Cgroup {
        cgroup: PathBuf,
        allowed: u64,
        needed: u64,
    },
    Memory {
        what: Thing,
    },
}

bytehop_core::says! { Limit, lang:
    Self::Files { allowed: Some(allowed) } =>
        "the limit of open files is too low (EMFILE): {allowed} for a process; raise it (`ulimit -n 1024`) and start again"
        | "打开文件数的上限过低（EMFILE）：每个进程 {allowed} 个；请提高上限（`ulimit -n 1024`）后重新启动";
    Self::Files { allowed: None } =>
        "the limit of open files is too low (EMFILE); raise it (`ulimit -n 1024`) and start again"
        | "打开文件数的上限过低（EMFILE）；请提高上限（`ulimit -n 1024`）后重新启动";
    Self::AllFiles =>
        "the limit of open files is too low (ENFILE): all that the system allows are open; raise it (`sysctl fs.file-max`) and start again"
        | "打开文件数的上限过低（ENFILE）：系统允许的文件已全部打开；请提高上限（`sysctl fs.file-max`）后重新启动";
    Self::AddressSpace { allowed, needed } =>
        "the limit of address space is too low (ENOMEM): {allowed} MiB, of about {needed} MiB needed; raise it (`ulimit -v unlimited`) or take a smaller ring buffer (--buffer-size)"
        | "地址空间的上限过低（ENOMEM）：{allowed} MiB，而大约需要 {needed} MiB；请提高上限（`ulimit -v unlimited`），或使用更小的环形缓冲区（--buffer-size）",
        allowed = mib(*allowed), needed = mib(*needed);
    Self::Cgroup { cgroup, allowed, needed } =>
        "the memory limit of the cgroup {cgroup} is too low (ENOMEM): {allowed} MiB, of about {needed} MiB needed; raise it or take a smaller ring buffer (--buffer-size)"
        | "cgroup {cgroup} 的内存上限过低（ENOMEM）：{allowed} MiB，而大约需要 {needed} MiB；请提高上限，或使用更小的环形缓冲区（--buffer-size）",
        cgroup = cgroup.display(), allowed = mib(*allowed), needed = mib(*needed);
    Self::Memory { what } =>
        "the kernel has no memory for {what} (ENOMEM): free some, raise the limit of the memory cgroup, or take a smaller ring buffer (--buffer-size)"
        | "内核没有内存给{what}（ENOMEM）：请释放一些内存，提高内存 cgroup 的上限，或使用更小的环形缓冲区（--buffer-size）",
        what = what.say(lang);
}

/// What was to be made in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Probe(String),
    Map(String),
    Maps,
}

bytehop_core::says! { Thing, lang:
    Self::Probe(name) => "probe {name}" | "探针 {name}";
    Self::Map(name) => "the eBPF map {name}" | " eBPF map {name}";
    Self::Maps => "the eBPF maps" | " eBPF map";
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

impl Limit {
    /// The limit that a call ran into, if it was one; `what` was to be made.
    pub fn behind(errno: Errno, what: impl FnOnce() -> Thing) -> Option<Self> {
        match errno {
            Errno::EMFILE => Some(Self::Files {
                allowed: getrlimit(Resource::RLIMIT_NOFILE)
                    .ok()
                    .map(|(soft, _)| soft),
            }),
            Errno::ENFILE => Some(Self::AllFiles),
            Errno::ENOMEM => Some(Self::Memory { what: what() }),
            _ => None,
        }
    }
}

/// Lifts our limits as far as our caller lets us (the traced program gets them back), and looks whether they will do for a ring buffer of so many
/// bytes.
///
/// # Errors
/// The limit that will not do.
pub fn lift(ring: u32) -> Result<(), Limit> {
    for resource in LIMITS {
        if let Ok((soft, hard)) = getrlimit(resource)
            && soft < hard
        {
            // What cannot be lifted may do as it is.
            let _ = setrlimit(resource, hard, hard);
        }
    }
    let ring = u64::from(ring);
    let allowed = getrlimit(Resource::RLIMIT_AS).map_or(RLIM_INFINITY, |(soft, _)| soft);
    enough_space(allowed, ring)?;
    for cgroup in memory_cgroups(&cgroups::read("self")) {
        let limit = ["memory.max", "memory.limit_in_bytes"]
            .iter()
            .find_map(|name| {
                let limit = fs::read_to_string(cgroup.join(name)).ok()?;
                // "max" is none.
                limit.trim().parse().ok()
            });
        if let Some(allowed) = limit {
            enough_memory(&cgroup, allowed, ring)?;
        }
    }
    Ok(())
}

fn enough_space(allowed: rlim_t, ring: u64) -> Result<(), Limit> {
    // The ring buffer is mapped twice, end to end.
    let needed = OURS + 2 * ring;
    match allowed < needed {
        true => Err(Limit::AddressSpace { allowed, needed }),
        false => Ok(()),
    }
}

fn enough_memory(cgroup: &Path, allowed: u64, ring: u64) -> Result<(), Limit> {
    let needed = OURS + MAPS + ring;
    match allowed < needed {
        true => Err(Limit::Cgroup {
            cgroup: cgroup.to_owned(),
            allowed,
            needed,
        }),
        false => Ok(()),
    }
}

/// The groups that may limit our memory, by `/proc/self/cgroup`: ours and those around it.
fn memory_cgroups(groups: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for Cgroup {
        controllers, path, ..
    } in cgroups::parse(groups)
    {
        let root = match controllers {
            "" => Path::new("/sys/fs/cgroup"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                Path::new("/sys/fs/cgroup/memory")
            }
            _ => continue,
        };
        let ours = Path::new(path);
        let around = ours
            .ancestors()
            .filter_map(|group| group.strip_prefix("/").ok());
        found.extend(around.map(|group| root.join(group)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_and_those_around() {
        let paths = |groups| -> Vec<String> {
            let paths = memory_cgroups(groups).into_iter();
            paths.map(|path| path.display().to_string()).collect()
        };
        assert_eq!(
            paths("0::/user.slice/a"),
            [
                "/sys/fs/cgroup/user.slice/a",
                "/sys/fs/cgroup/user.slice",
                "/sys/fs/cgroup/"
            ]
        );
        assert_eq!(
            paths("5:devices:/b\n4:cpu,memory:/a\n"),
            ["/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory/"]
        );
        assert!(paths("nonsense").is_empty());
    }

    #[test]
    fn what_is_said() {
        let ring = 64 << 20;
        assert_eq!(enough_space(RLIM_INFINITY, ring), Ok(()));
        let said = enough_space(100 << 20, ring)
            .expect_err("too low")
            .to_string();
        assert!(
            said.contains("ENOMEM") && said.contains("100 MiB, of about 192 MiB"),
            "{said}"
        );
        assert_eq!(enough_memory(Path::new("/g"), 1 << 30, ring), Ok(()));
        let said = enough_memory(Path::new("/g"), 1 << 20, ring).expect_err("too low");
        assert!(said.to_string().contains("cgroup /g"), "{said}");
        let files = Limit::behind(Errno::EMFILE, || Thing::Maps)
            .expect("a limit")
            .to_string();
        assert!(
            files.contains("EMFILE") && files.contains("ulimit -n"),
            "{files}"
        );
        assert_eq!(Limit::behind(Errno::EPERM, || Thing::Maps), None);
    }
}
