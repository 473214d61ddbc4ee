//! Programs that do nothing, for the benchmark: the least that any tracer on these hooks can cost.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

#[btf_tracepoint]
pub fn null_enter(_: BtfTracePointContext) -> i32 {
    0
}

#[btf_tracepoint]
pub fn null_exit(_: BtfTracePointContext) -> i32 {
    0
}
