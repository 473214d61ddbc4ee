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
    /// Names of the function, and as evidence names it: the first that the kernel has is used.
    pub names: &'static [(&'static str, &'static str)],
    /// What it tells, in English and Chinese.
    pub measures: [&'static str; 2],
}

/// Every primitive. Processors have four breakpoints: one is left to debuggers.
pub const TABLE: &[Primitive] = &[
    Primitive {
        id: primitive::TO_ITER,
        program: "copy_to_iter",
        names: &[("_copy_to_iter", "bp:_copy_to_iter")],
        measures: [
            "copies kernel → user, wherever from",
            "拷贝：内核 → 用户，不论来源",
        ],
    },
    Primitive {
        id: primitive::FROM_ITER,
        program: "copy_from_iter",
        names: &[("_copy_from_iter", "bp:_copy_from_iter")],
        measures: ["copies user → pipe or socket", "拷贝：用户 → 管道或套接字"],
    },
    Primitive {
        id: primitive::FROM_ITER_ATOMIC,
        program: "copy_from_iter_atomic",
        names: &[
            (
                "copy_folio_from_iter_atomic",
                "bp:copy_folio_from_iter_atomic",
            ),
            (
                "copy_page_from_iter_atomic",
                "bp:copy_page_from_iter_atomic",
            ),
        ],
        measures: [
            "copies user → page cache or tmpfs",
            "拷贝：用户 → 页缓存或 tmpfs",
        ],
    },
];

impl Primitive {
    /// The function to set a breakpoint on, if `exists` finds one.
    pub fn name(&self, exists: impl Fn(&str) -> bool) -> Option<&'static str> {
        let mut names = self.names.iter().map(|(name, _)| *name);
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

/// As evidence names a primitive; `probes` are those of the trace.
pub fn label(id: u16, probes: &[String]) -> &'static str {
    let names = TABLE.iter().filter(|row| row.id == id);
    let labels: Vec<_> = names
        .flat_map(|row| row.names)
        .map(|(_, label)| *label)
        .collect();
    let listed = labels
        .iter()
        .find(|label| probes.iter().any(|probe| probe == *label));
    listed.or(labels.first()).copied().unwrap_or("bp")
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
