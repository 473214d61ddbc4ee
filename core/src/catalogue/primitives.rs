//! The primitives that hold the kernel's copy loops: where level B puts breakpoints, and where the CPU
//! time of copying is spent.

use tracer_ebpf::primitive;

use crate::i18n::Lang;

/// A primitive that a breakpoint is put on.
#[derive(Clone, Copy, Debug)]
pub struct Primitive {
    /// One of [`primitive`].
    pub id: u16,
    /// Name of the program in the eBPF object.
    pub program: &'static str,
    /// Its functions: the first that the kernel has is used.
    pub names: &'static [PrimitiveId],
    /// What it tells, in English and Chinese.
    pub measures: [&'static str; 2],
}

macro_rules! primitives {
    ($($id:ident $program:literal: $($name:ident)|+, $en:literal, $zh:literal;)*) => {
        /// A function of a primitive, as the kernel names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(non_camel_case_types, reason = "named as the kernel names them")]
        pub enum PrimitiveId {
            $($(#[doc = $en] $name,)+)*
        }

        impl PrimitiveId {
            /// The kernel's function.
            pub const fn function(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)+)* }
            }

            /// As evidence names it: `bp:_copy_to_iter`.
            pub const fn label(self) -> &'static str {
                match self { $($(Self::$name => concat!("bp:", stringify!($name)),)+)* }
            }
        }

        /// Every primitive. Processors have four breakpoints: one is left to debuggers.
        pub const TABLE: &[Primitive] = &[$(Primitive {
            id: primitive::$id,
            program: $program,
            names: &[$(PrimitiveId::$name,)+],
            measures: [$en, $zh],
        },)*];
    };
}

primitives! {
    TO_ITER "copy_to_iter": _copy_to_iter,
        "copies kernel → user, wherever from", "拷贝：内核 → 用户，不论来源";
    FROM_ITER "copy_from_iter": _copy_from_iter,
        "copies user → pipe or socket", "拷贝：用户 → 管道或套接字";
    FROM_ITER_ATOMIC "copy_from_iter_atomic": copy_folio_from_iter_atomic | copy_page_from_iter_atomic,
        "copies user → page cache or tmpfs", "拷贝：用户 → 页缓存或 tmpfs";
}

impl Primitive {
    /// The function to set a breakpoint on, if `exists` finds one.
    pub fn name(&self, exists: impl Fn(&str) -> bool) -> Option<&'static str> {
        let mut names = self.names.iter().map(|name| name.function());
        names.find(|name| exists(name))
    }

    /// What it tells.
    pub fn measures(&self, lang: Lang) -> &'static str {
        let [en, zh] = self.measures;
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}

/// The function of a primitive that a trace with these probes watched; `None` for a primitive of a later
/// version.
pub fn watched(id: u16, probes: &[String]) -> Option<PrimitiveId> {
    let names = TABLE.iter().find(|row| row.id == id)?.names;
    let listed = names
        .iter()
        .find(|name| probes.iter().any(|probe| probe == name.label()));
    listed.or(names.first()).copied()
}

/// What the CPU does in a function of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Copies memory.
    Copy,
    /// Clears memory.
    Fill,
}

/// Functions that copy or clear memory and call nothing else: a sample in one is time of copying. Where
/// the processor copies by one instruction, the kernel patches it into the callers, so these are listed
/// too.
const WORK: &[(Work, &[&str])] = &[
    (
        Work::Copy,
        &[
            // lib/iov_iter.c
            "_copy_to_iter",
            "_copy_from_iter",
            "_copy_from_iter_nocache",
            "_copy_mc_to_iter",
            "copy_page_from_iter_atomic",
            "copy_folio_from_iter_atomic",
            "copyin",
            "copyout",
            "memcpy_to_iter",
            "memcpy_from_iter",
            "copy_to_user_iter",
            "copy_from_user_iter",
            // lib/usercopy.c
            "_copy_to_user",
            "_copy_from_user",
            // arch/x86/lib
            "rep_movs_alternative",
            "copy_user_generic_unrolled",
            "copy_user_generic_string",
            "copy_user_enhanced_fast_string",
            "copy_user_fast_string",
            "__copy_user_nocache",
            "__copy_user_uncached_memcpy",
            "copy_mc_fragile",
            "copy_mc_enhanced_fast_string",
            "copy_mc_to_kernel",
            "copy_mc_to_user",
            "copy_page",
            "copy_page_regs",
            "memcpy",
            "memcpy_orig",
            "memcpy_erms",
            "memmove",
            "csum_partial_copy_generic",
            // arch/arm64/lib
            "__arch_copy_to_user",
            "__arch_copy_from_user",
            "__pi_copy_page",
            "__pi_memcpy",
        ],
    ),
    (
        Work::Fill,
        &[
            "clear_page_rep",
            "clear_page_orig",
            "clear_page_erms",
            "clear_pages",
            "__clear_pages_unrolled",
            "clear_page",
            "__pi_clear_page",
            "rep_stos_alternative",
            "clear_user_erms",
            "clear_user_rep_good",
            "clear_user_original",
            "memset",
            "memset_orig",
            "memset_erms",
        ],
    ),
];

/// What the CPU does in this function, if copying or clearing is all that it does.
pub fn work(function: &str) -> Option<Work> {
    let listed = |(_, names): &&(Work, &[&str])| names.contains(&function);
    WORK.iter().find(listed).map(|(work, _)| *work)
}
