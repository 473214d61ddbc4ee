//! The hooks, one file per subject.

pub mod arrival;
pub mod block;
pub mod cache;
pub mod dma;
pub mod fault;
pub mod func;
pub mod irq;
pub mod net;
pub mod null;
pub mod primitive;
pub mod sample;
pub mod sched;
pub mod stack;
pub mod stacked;
pub mod syscall;
pub mod top;
pub mod uring;
