//! Where in the program a call was made.

use super::head::Head;

/// Words of a stack that are looked at, from the stack pointer up.
pub const STACK_DEPTH: usize = 256;

/// Words of it that are kept at most.
pub const STACK_WORDS: usize = 64;

/// What it takes to unwind a user stack: registers, and those words of the stack that are addresses in
/// the program's code, in mapped libraries, or in the stack itself. Nothing else on a stack is kept:
/// it could be payload. Sent the first time that a stack is met. 664 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    pub head: Head,
    /// A hash of the process and the addresses.
    pub id: u64,
    /// Instruction pointer, stack pointer, frame pointer, and link register (0 where there is none).
    pub ip: u64,
    pub sp: u64,
    pub fp: u64,
    pub lr: u64,
    /// The code of the program's executable file in memory: from, to (`mm->start_code`, `end_code`).
    pub code: u64,
    pub code_end: u64,
    /// Words that are set.
    pub words: u32,
    /// Reserved, 0.
    pub reserved: u32,
    /// The words, and where each lies: in words from `sp`.
    pub word: [u64; STACK_WORDS],
    pub at: [u8; STACK_WORDS],
}

/// The call `head.seq` of a thread, and all after it until told otherwise, came from the stack `id`.
/// 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalledFrom {
    pub head: Head,
    /// [`Stack::id`].
    pub id: u64,
}
