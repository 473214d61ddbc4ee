//! Interrupts that land on a traced thread.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{count, task};

use crate::emit::{count, recording};
use crate::tasks::traced;

#[inline(always)]
fn landed() -> i32 {
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    unsafe {
        let user = (*t).flags & task::IN_CALL == 0;
        if !recording() {
            count(count::IRQ, user as u16, 0, 1, 0);
            return 0;
        }
        (*t).irqs += 1;
        if user {
            (*t).irqs_user += 1;
        }
        (*t).has_extra = 1;
    }
    0
}

/// Interrupts of devices.
#[btf_tracepoint]
pub fn irq_handler_entry(_: BtfTracePointContext) -> i32 {
    landed()
}
/// The rest have vectors of their own (x86, `arch/x86/include/asm/trace/irq_vectors.h`).
#[btf_tracepoint]
pub fn local_timer_entry(_: BtfTracePointContext) -> i32 {
    landed()
}
#[btf_tracepoint]
pub fn reschedule_entry(_: BtfTracePointContext) -> i32 {
    landed()
}
#[btf_tracepoint]
pub fn call_function_entry(_: BtfTracePointContext) -> i32 {
    landed()
}
#[btf_tracepoint]
pub fn call_function_single_entry(_: BtfTracePointContext) -> i32 {
    landed()
}
