//! Wire types as the kernel's maps hold them.

use tracer_ebpf::{Awaited, Block, Range, Task, Uring};

/// A wire type as a map's key or value.
macro_rules! wire {
    ($($name:ident($inner:ty);)*) => {$(
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub(crate) struct $name(pub(crate) $inner);
        // SAFETY: `repr(C)`, made of integers only, without padding.
        unsafe impl aya::Pod for $name {}
    )*};
}
pub(crate) use wire;

wire! {
    TaskBytes(Task);
    WireAwaited(Awaited);
    WireRange(Range);
    WireBlock(Block);
    WireUring(Uring);
}

/// The bytes of a `repr(C)` value made of integers without padding, as the kernel side reads it.
pub(super) fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: only called with types that both sides share, which have no padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}
