//! Linux capabilities of the calling thread: read, set, and give up.
//!
//! Raw system calls, because a child between `fork` and `execve` may not allocate. Everything here
//! acts on **one thread**: call it before others are started.

use nix::errno::Errno;
use nix::libc;

/// Capability numbers, from `linux/capability.h`.
pub mod cap {
    pub const DAC_OVERRIDE: u32 = 1;
    pub const KILL: u32 = 5;
    pub const SYS_PTRACE: u32 = 19;
    pub const SYS_ADMIN: u32 = 21;
    pub const PERFMON: u32 = 38;
    pub const BPF: u32 = 39;
}

/// A set of capabilities, bit `n` for capability `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapSet(pub u64);

impl CapSet {
    pub const EMPTY: CapSet = CapSet(0);

    pub const fn of(capabilities: &[u32]) -> CapSet {
        let mut bits = 0;
        let mut i = 0;
        while i < capabilities.len() {
            bits |= 1 << capabilities[i];
            i += 1;
        }
        CapSet(bits)
    }

    pub const fn has(self, capability: u32) -> bool {
        self.0 & (1 << capability) != 0
    }

    pub const fn and(self, other: CapSet) -> CapSet {
        CapSet(self.0 & other.0)
    }
}

/// The three sets that `capget` and `capset` know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    pub effective: CapSet,
    pub permitted: CapSet,
    pub inheritable: CapSet,
}

/// `struct __user_cap_header_struct`, version 3: two 32-bit halves of each set follow.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

const VERSION_3: u32 = 0x2008_0522;

/// `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const THIS_THREAD: Header = Header {
    version: VERSION_3,
    pid: 0,
};

impl Caps {
    /// The same capabilities permitted and effective, none inheritable.
    pub const fn only(set: CapSet) -> Caps {
        Caps {
            effective: set,
            permitted: set,
            inheritable: CapSet::EMPTY,
        }
    }

    /// What the calling thread holds.
    pub fn get() -> Result<Caps, Errno> {
        let mut header = THIS_THREAD;
        let mut halves = [Half::default(); 2];
        // SAFETY: version 3 reads one header and writes two halves; both live through the call.
        Errno::result(unsafe {
            libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr())
        })?;
        let join = |low: u32, high: u32| CapSet(u64::from(low) | u64::from(high) << 32);
        let [low, high] = halves;
        Ok(Caps {
            effective: join(low.effective, high.effective),
            permitted: join(low.permitted, high.permitted),
            inheritable: join(low.inheritable, high.inheritable),
        })
    }

    /// Makes these the calling thread's. Async-signal-safe. `EPERM` if it would gain one.
    pub fn set(self) -> Result<(), Errno> {
        let mut header = THIS_THREAD;
        let half = |shift: u32| Half {
            effective: (self.effective.0 >> shift) as u32,
            permitted: (self.permitted.0 >> shift) as u32,
            inheritable: (self.inheritable.0 >> shift) as u32,
        };
        let halves = [half(0), half(32)];
        // SAFETY: version 3 reads one header and two halves; both live through the call.
        Errno::result(unsafe {
            libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr())
        })?;
        Ok(())
    }
}

/// Takes every capability out of the ambient set, so that an `execve` hands none on.
/// Async-signal-safe.
pub fn clear_ambient() -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64)
}

/// Takes every capability out of the bounding set, as far as we are allowed to (CAP_SETPCAP).
pub fn shrink_bounding() {
    for capability in 0..64 {
        // EINVAL: past the last capability of this kernel. EPERM: not ours to drop.
        if prctl(libc::PR_CAPBSET_DROP, capability).is_err() {
            break;
        }
    }
}

fn prctl(option: i32, argument: u64) -> Result<(), Errno> {
    // SAFETY: used only with options that take numbers, no pointers; all five are passed because
    // some options insist on zeros.
    Errno::result(unsafe { libc::prctl(option, argument, 0u64, 0u64, 0u64) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_proc() {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
            CapSet(u64::from_str_radix(line.trim(), 16).unwrap())
        };
        let caps = Caps::get().unwrap();
        assert_eq!(caps.effective, field("CapEff:"));
        assert_eq!(caps.permitted, field("CapPrm:"));
        assert_eq!(caps.inheritable, field("CapInh:"));
    }

    #[test]
    fn sets_are_bits() {
        let set = CapSet::of(&[cap::BPF, cap::KILL]);
        assert_eq!(set.0, 1 << 39 | 1 << 5);
        assert!(set.has(cap::BPF) && !set.has(cap::PERFMON));
        assert_eq!(set.and(CapSet::of(&[cap::KILL])), CapSet::of(&[cap::KILL]));
    }
}
