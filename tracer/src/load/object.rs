//! The eBPF object, opened with the settings of one trace.

use aya::{Ebpf, EbpfLoader, VerifierLogLevel};
use lz4_flex::block::decompress_size_prepended;
use nix::sys::resource::{Resource, setrlimit};
use tracer_ebpf::{
    Config, Offsets, Regs, SYSCALLS_MAX, TOP_INODES, TOP_PROCESSES, TOP_ROWS, TopCell, mode,
};

use super::error::{LoadError, refused};
use super::retry::persistently;
use super::wire::bytes_of;

/// The eBPF object, built from `tracer-ebpf` by `cargo xtask ebpf`; `build.rs` chooses, checks and packs it.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bytehop.bpf.lz4"));

/// What the kernel side is told before it is loaded.
pub(super) struct Settings {
    pub config: Config,
    pub offsets: Offsets,
    pub regs: Regs,
    pub syscalls: [u16; SYSCALLS_MAX],
}

/// Makes the object's maps. `ring`: bytes of the ring buffer, a power of two.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn open(
    loader: EbpfLoader<'static>,
    settings: &Settings,
    ring: u32,
    stacks: bool,
) -> Result<Ebpf, LoadError> {
    // Before Linux 5.11 maps count as locked memory; later it has no effect.
    let _ = setrlimit(Resource::RLIMIT_MEMLOCK, u64::MAX, u64::MAX);
    let mode = settings.config.mode;
    let object = object();
    // What it is given from here on lives for less long.
    let mut loader: EbpfLoader<'_> = loader;
    let rows = top_rows();
    for (map, entries) in [
        ("TOP_CALLS", rows),
        ("TOP_COUNTS", rows / 2),
        ("TOP_NAMES", TOP_PROCESSES),
        ("TOP_DIRTIED", TOP_INODES),
    ] {
        loader.map_max_entries(map, if mode == mode::TOP { entries } else { 1 });
    }
    // What this trace has no use for takes no memory, and no time to make.
    let no_use = UNUSED.iter().filter(|(_, used)| !used(mode, stacks));
    for (map, _) in no_use {
        loader.map_max_entries(map, 1);
    }
    loader
        // Nothing in the object is relocated by the kernel's types: `btf` finds where the fields lie.
        .btf(None)
        .verifier_log_level(match verifier_log() {
            true => VerifierLogLevel::DEBUG | VerifierLogLevel::STATS,
            // Not none: aya asks again with a buffer for the log, and a buffer without a level is
            // answered EINVAL whatever the first answer was (bpf_verifier_log_attr_valid).
            false => VerifierLogLevel::STATS,
        })
        .override_global("CONFIG", bytes_of(&settings.config), true)
        .override_global("OFFSETS", bytes_of::<Offsets>(&settings.offsets), true)
        .override_global("REGS", bytes_of(&settings.regs), true)
        .override_global("SYSCALLS", bytes_of(&settings.syscalls), true)
        .map_max_entries("EVENTS", ring);
    persistently(|| loader.load(&object)).map_err(refused)
}

/// Whether a mode, with or without stacks, uses a map.
type Used = fn(u32, bool) -> bool;

/// Large maps that only some traces use.
const UNUSED: &[(&str, Used)] = &[
    ("URINGS", |mode, _| mode != mode::STAT),
    ("URING_SLOTS", |mode, _| mode != mode::STAT),
    ("KNOWN_STACKS", |_, stacks| stacks),
    ("STACKS", |_, stacks| stacks),
];

/// Whether to ask the verifier why it refuses a program, and to print it: for whoever changes the
/// programs. It makes loading slow.
pub(super) fn verifier_log() -> bool {
    std::env::var_os("BYTEHOP_VERIFIER_LOG").is_some() && crate::lent::caller().is_none()
}

/// Rows of `top`'s table of calls: each takes memory for every processor.
fn top_rows() -> u32 {
    const MOST: usize = 64 << 20;
    let processors = aya::util::nr_cpus().unwrap_or(64);
    let rows = MOST / (size_of::<TopCell>() * processors.max(1));
    u32::try_from(rows)
        .unwrap_or(TOP_ROWS)
        .clamp(1024, TOP_ROWS)
}

/// The embedded object, or (for the check of a rebuilt one, and only if root asks as root) a file.
fn object() -> Vec<u8> {
    let root = nix::unistd::getuid().is_root();
    let named = std::env::var_os("BYTEHOP_EBPF_OBJECT").filter(|_| root);
    match named.and_then(|path| std::fs::read(path).ok()) {
        Some(bytes) => bytes,
        // It was packed by the build: what cannot be is no object, and refused as such.
        None => decompress_size_prepended(PACKED).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    /// Byte for byte what the repository has, unless the build was told to take another.
    #[test]
    fn the_embedded_object_is_the_checked_in_one() {
        let checked_in = include_bytes!("../../ebpf-object/bytehop.bpf.o");
        if option_env!("BYTEHOP_EBPF_OBJECT").is_none() {
            assert!(super::object() == checked_in, "another object is embedded");
        }
    }
}
