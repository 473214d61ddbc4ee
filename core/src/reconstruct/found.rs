//! What functions and primitives measured in a call, before it is known what it means.

/// Of one kind of [`moved`](tracer_ebpf::moved), in one call.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub what: u16,
    /// One of [`primitive`](tracer_ebpf::primitive): who told.
    pub by: u16,
    pub bytes: u64,
    pub count: u64,
    /// It became a hop.
    pub used: bool,
}
