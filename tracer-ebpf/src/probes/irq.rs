//! Interrupts that land on a traced thread, and what is done in them.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{count, interrupt, task};

use crate::emit::{count, recording};
use crate::maps::{INTERRUPTS, Interrupts, SOFT_KINDS};
use crate::tasks::traced;

/// This processor's.
#[inline(always)]
fn here() -> Option<*mut Interrupts> {
    INTERRUPTS.get_ptr_mut(0)
}

/// What is under way on this processor: bits of [`interrupt`].
#[inline(always)]
pub fn under_way() -> u32 {
    let Some(here) = here() else { return 0 };
    // SAFETY: a value of a per-CPU map.
    unsafe {
        if (*here).hard != 0 {
            return (*here).hard;
        }
        if (*here).soft != 0 {
            return (*here).soft;
        }
    }
    interrupt::THREAD
}

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
pub fn irq_handler_entry(ctx: BtfTracePointContext) -> i32 {
    if recording()
        && let Some(here) = here()
    {
        let number: u32 = ctx.arg(0);
        // SAFETY: a value of a per-CPU map.
        unsafe { (*here).hard = interrupt::HANDLER | number & interrupt::NUMBER };
    }
    landed()
}

#[btf_tracepoint]
pub fn irq_handler_exit(_: BtfTracePointContext) -> i32 {
    if let Some(here) = here() {
        // SAFETY: a value of a per-CPU map.
        unsafe { (*here).hard = 0 };
    }
    0
}

/// What a handler leaves for later is that interrupt's, too.
#[btf_tracepoint]
pub fn softirq_raise(ctx: BtfTracePointContext) -> i32 {
    let kind: u32 = ctx.arg(0);
    if let Some(here) = here() {
        // SAFETY: a value of a per-CPU map; `kind` is cut to the table's size.
        unsafe {
            if (*here).hard != 0 {
                (*here).raised[kind as usize & (SOFT_KINDS - 1)] =
                    interrupt::SOFT | (*here).hard & interrupt::NUMBER;
            }
        }
    }
    0
}

#[btf_tracepoint]
pub fn softirq_entry(ctx: BtfTracePointContext) -> i32 {
    let kind: u32 = ctx.arg(0);
    if let Some(here) = here() {
        // SAFETY: as above.
        unsafe {
            let raised = &raw mut (*here).raised[kind as usize & (SOFT_KINDS - 1)];
            (*here).soft = match *raised {
                0 => interrupt::SOFT_ALONE,
                by => by,
            };
            *raised = 0;
        }
    }
    0
}

#[btf_tracepoint]
pub fn softirq_exit(_: BtfTracePointContext) -> i32 {
    if let Some(here) = here() {
        // SAFETY: a value of a per-CPU map.
        unsafe { (*here).soft = 0 };
    }
    0
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
