//! Counters that each processor keeps for itself.

use aya::Ebpf;
use aya::maps::PerCpuArray;

use super::error::{LoadError, invalid};

/// What all processors counted together.
pub(super) fn total(ebpf: &Ebpf, map: &'static str, i: u32) -> Result<u64, LoadError> {
    let map = ebpf.map(map).ok_or_else(|| invalid(map))?;
    let map: PerCpuArray<_, u64> = map.try_into()?;
    Ok(map.get(&i, 0)?.iter().sum())
}
