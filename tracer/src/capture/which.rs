//! Which running processes are meant: by name, by cgroup, by container.

use std::fs;

use super::facts::comm_of;
use crate::cgroups;

/// How running processes are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By number.
    Pid(u32),
    /// By name, as `ps -C` has it: that of the program, its first 15 bytes.
    Comm(String),
    /// By cgroup: those in it and below it. A path from the root of cgroups, or below `/sys/fs/cgroup`.
    Cgroup(String),
    /// By container: its id or the beginning of it, or its name where the cgroup has that.
    Container(String),
}

/// The kernel keeps so many bytes of a name (`TASK_COMM_LEN` without the NUL, include/linux/sched.h).
const COMM: usize = 15;
/// Characters of a container's id in full (Docker, Podman, containerd, CRI-O), and the fewest that are taken for one.
const ID: usize = 64;
const ID_LEAST: usize = 4;

impl Which {
    /// The processes that are meant, by number, and the containers that they are in; not bytehop itself. No process
    /// of the kernel's own is one.
    pub fn find(&self) -> Vec<u32> {
        if let Self::Pid(pid) = self {
            return vec![*pid];
        }
        let ours = std::process::id();
        let all = fs::read_dir("/proc").into_iter().flatten();
        let numbers = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut found: Vec<u32> = numbers
            .filter(|pid| *pid != ours && !is_kernel_thread(*pid) && self.is(*pid))
            .collect();
        found.sort_unstable();
        found
    }

    fn is(&self, pid: u32) -> bool {
        match self {
            Self::Pid(wanted) => *wanted == pid,
            Self::Comm(name) => is_name(&comm_of(pid), name),
            Self::Cgroup(path) => any_cgroup(pid, |cgroup| is_in(cgroup, path)),
            Self::Container(id) => any_cgroup(pid, |cgroup| is_of(cgroup, id)),
        }
    }
}

fn is_kernel_thread(pid: u32) -> bool {
    // They have no memory of their own, so no such link.
    fs::read_link(format!("/proc/{pid}/exe")).is_err()
        && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty())
}

/// Whether one of a process's paths fits, of those in each hierarchy of cgroups.
fn any_cgroup(pid: u32, fits: impl Fn(&str) -> bool) -> bool {
    cgroups::parse(&cgroups::read(pid)).any(|cgroup| fits(cgroup.path))
}

fn is_name(comm: &str, name: &str) -> bool {
    let cut = name.len().min(COMM);
    comm.as_bytes() == &name.as_bytes()[..cut]
}

fn is_in(cgroup: &str, path: &str) -> bool {
    let path = path.strip_prefix("/sys/fs/cgroup").unwrap_or(path);
    let path = path.trim_matches('/');
    let rest = cgroup.trim_start_matches('/').strip_prefix(path);
    rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Whether a component of the path is a container's: `docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`,
/// `libpod-ID.scope`, `systemd-nspawn@NAME.service`, `lxc.payload.NAME`.
fn is_of(cgroup: &str, wanted: &str) -> bool {
    cgroup.split('/').any(|component| {
        let name = [".scope", ".service"]
            .iter()
            .find_map(|end| component.strip_suffix(end))
            .unwrap_or(component);
        let rest = name.strip_suffix(wanted);
        let whole = !wanted.is_empty()
            && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '@', '.']));
        let id = name.rsplit('-').next().unwrap_or(name);
        let is_id = id.len() == ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole || (is_id && wanted.len() >= ID_LEAST && id.starts_with(wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_the_kernel_keeps_them() {
        assert!(is_name("nginx", "nginx"));
        assert!(!is_name("nginx", "ngin") && !is_name("ngin", "nginx"));
        assert!(is_name("NetworkManager-", "NetworkManager-dispatcher"));
    }

    #[test]
    fn a_cgroup_has_those_below_it() {
        for path in ["/a.slice", "a.slice/", "/sys/fs/cgroup/a.slice"] {
            assert!(
                is_in("/a.slice", path) && is_in("/a.slice/b.service", path),
                "{path}"
            );
            assert!(!is_in("/a.slice2", path) && !is_in("/", path), "{path}");
        }
        assert!(is_in("/", "/") && is_in("/a", "/"));
    }

    #[test]
    fn containers_are_known_by_their_cgroups() {
        let id = "0123456789abcdef".repeat(4);
        for cgroup in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/kubepods.slice/kubepods-pod7.slice/cri-containerd-{id}.scope/child"),
            format!("/machine.slice/libpod-{id}.scope/container"),
        ] {
            assert!(
                is_of(&cgroup, &id) && is_of(&cgroup, "0123456789ab"),
                "{cgroup}"
            );
            for other in ["012", "", "123456789ab", "docker", "scope"] {
                assert!(
                    !is_of(&cgroup, other) || cgroup.contains(&format!("/{other}/")),
                    "{other}"
                );
            }
        }
        assert!(is_of("/machine.slice/systemd-nspawn@web.service", "web"));
        assert!(is_of("/lxc.payload.web/init.scope", "web"));
        assert!(!is_of("/user.slice/user-1000.slice", "0"));
    }

    #[test]
    fn our_child_is_found_by_its_name_and_not_ourselves() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep");
        let mut found = Vec::new();
        // It is called so once it has become that program.
        for _ in 0..500 {
            found = Which::Comm("sleep".to_owned()).find();
            if found.contains(&child.id()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let ours = cgroups::read(std::process::id());
        let ours = cgroups::parse(&ours)
            .last()
            .expect("a cgroup")
            .path
            .to_owned();
        let beside = Which::Cgroup(ours).find();
        let _ = child.kill();
        let _ = child.wait();
        assert!(found.contains(&child.id()), "{found:?}");
        assert!(beside.contains(&child.id()) && !beside.contains(&std::process::id()));
    }
}
