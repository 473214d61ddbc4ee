//! Against a blob made by hand, and against the running kernel's own (skipped if it has none).

use tracer_ebpf::NO_OFFSET;

use super::*;

/// Builds a BTF blob.
#[derive(Default)]
struct Blob {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Blob {
    fn string(&mut self, s: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if s.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(s.bytes().chain([0]));
        at
    }

    fn words(&mut self, words: &[u32]) {
        self.types
            .extend(words.iter().flat_map(|w| w.to_le_bytes()));
    }

    fn simple(&mut self, kind: u32, name: &str, target: u32) {
        let name = self.string(name);
        self.words(&[name, kind << 24, target]);
    }

    /// Members: name, type, offset in bits.
    fn record(&mut self, kind: u32, name: &str, members: &[(&str, u32, u32)]) {
        let name = self.string(name);
        self.words(&[name, kind << 24 | members.len() as u32, 64]);
        for (name, ty, bits) in members {
            let name = self.string(name);
            self.words(&[name, *ty, *bits]);
        }
    }

    fn build(self) -> Vec<u8> {
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        let head = [0x0001_eb9f, 24, 0, types, types, strings];
        let head = head.iter().flat_map(|w: &u32| w.to_le_bytes());
        head.chain(self.types).chain(self.strings).collect()
    }
}

fn sample() -> Vec<u8> {
    let mut blob = Blob::default();
    blob.simple(kind::INT, "int", 4); // 1
    blob.words(&[32]);
    blob.record(kind::STRUCT, "inner", &[("a", 1, 0), ("b", 1, 32)]); // 2
    blob.simple(kind::CONST, "", 2); // 3
    blob.record(kind::UNION, "", &[("x", 1, 0), ("in_union", 3, 64)]); // 4
    blob.record(
        kind::STRUCT,
        "outer",
        &[("first", 1, 0), ("", 4, 64), ("odd", 1, 203)],
    ); // 5
    blob.simple(kind::PTR, "", 5); // 6
    blob.simple(kind::PTR, "", 0); // 7
    blob.words(&[0, kind::FUNC_PROTO << 24 | 3, 0]); // 8
    blob.words(&[0, 7, 0, 6, 0, 1]);
    blob.simple(kind::PTR, "", 8); // 9
    blob.simple(kind::TYPEDEF, "btf_trace_demo", 9); // 10
    blob.simple(kind::FUNC, "traced", 8); // 11
    blob.build()
}

#[test]
fn fields_are_found_through_anonymous_members() {
    let btf = KernelBtf::parse(sample()).expect("a good blob");
    for (path, offset) in [
        ("first", Some(0)),
        ("x", Some(8)),
        ("in_union", Some(16)),
        ("in_union.b", Some(20)),
        ("odd", None),
        ("first.b", None),
        ("absent", None),
        ("", None),
    ] {
        assert_eq!(btf.offset("outer", path), offset, "outer.{path}");
    }
    assert_eq!(btf.offset("absent", "x"), None);
}

#[test]
fn tracepoint_arguments_are_spelled() {
    let btf = KernelBtf::parse(sample()).expect("a good blob");
    assert_eq!(
        btf.tracepoint_args("demo"),
        Some(vec!["struct outer *".into(), "int".into()])
    );
    assert_eq!(btf.tracepoint_args("absent"), None);
}

/// What [`KernelBtf::only`] gives is read by aya, and has the ids of the whole.
#[test]
fn a_part_has_the_ids_of_the_whole() {
    use aya::{Btf, Endianness};

    let btf = KernelBtf::parse(sample()).expect("a good blob");
    let names = HashSet::from(["traced", "absent"]);
    let functions = btf.functions(&names);
    assert_eq!(functions, HashMap::from([("traced", 11)]));
    let part = btf.only(&functions, &["demo", "absent"]);
    let again = KernelBtf::parse(part.clone()).expect("a good blob");
    assert_eq!(again.tracepoint_id("demo"), Some(10));
    assert_eq!(again.function_id("traced"), Some(11));
    assert_eq!(again.offset("outer", "first"), None);
    Btf::parse(&part, Endianness::default()).expect("aya reads it");
    let none = btf.only(&HashMap::new(), &[]);
    Btf::parse(&none, Endianness::default()).expect("aya reads it");
}

#[test]
fn damaged_blobs_are_refused_or_harmless() {
    let good = sample();
    for len in 0..good.len() {
        if let Ok(btf) = KernelBtf::parse(good[..len].to_vec()) {
            btf.offset("outer", "in_union.b");
            btf.tracepoint_args("demo");
        }
    }
    for at in 0..good.len() {
        for value in [0, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            if let Ok(btf) = KernelBtf::parse(bad) {
                btf.offset("outer", "in_union.b");
                btf.tracepoint_args("demo");
            }
        }
    }
}

#[test]
fn a_missing_file_says_what_is_needed() {
    let error = KernelBtf::open(Path::new("/nonexistent/btf"))
        .err()
        .expect("no such file");
    assert!(
        error.to_string().contains("CONFIG_DEBUG_INFO_BTF"),
        "{error}"
    );
}

#[test]
fn facts_of_the_running_kernel() {
    let Ok(btf) = KernelBtf::load() else { return };
    assert_eq!(btf.offset("list_head", "next"), Some(0));
    assert_eq!(btf.offset("list_head", "prev"), Some(8));
    assert_eq!(btf.offset("hlist_node", "pprev"), Some(8));
    assert!(btf.has_tracepoint("sys_enter") && !btf.has_tracepoint("no_such_tracepoint"));
    assert_eq!(
        btf.tracepoint_args("sys_enter"),
        Some(vec!["struct pt_regs *".into(), "long int".into()])
    );

    let (offsets, absent) = offsets(&btf);
    assert_ne!(offsets.task_pid, NO_OFFSET);
    assert_eq!(offsets.task_tgid, offsets.task_pid + 4);
    assert_eq!(offsets.bio_next, 0);
    // A folio lies over its first page.
    assert_ne!(offsets.folio_mapping, NO_OFFSET);
    // A large folio's order is kept in one of two ways.
    assert!(absent.is_empty(), "{absent:?}");

    let (tracepoint, function) = (btf.tracepoint_id("sys_enter"), btf.function_id("vfs_read"));
    assert!(tracepoint.is_some() && function.is_some() && tracepoint != function);
    assert_eq!(btf.function_id("no_such_function"), None);
}

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn host_registers_are_found() {
    let Ok(btf) = KernelBtf::load() else { return };
    let host = Arch::host().expect("a known architecture");
    let regs = btf.regs(host).expect("pt_regs of this architecture");
    if host == Arch::X86_64 {
        assert_eq!(regs.args, [112, 104, 96, 56, 72, 64]);
        assert_eq!(regs.ip, 128);
    }
}

/// Types of a module count on from the kernel's, and so do its strings.
#[test]
fn a_module_is_built_upon_the_kernel() {
    let mut kernel = Blob::default();
    kernel.simple(kind::INT, "int", 4); // 1
    kernel.words(&[32]);
    kernel.record(kind::STRUCT, "inner", &[("a", 1, 0), ("b", 1, 32)]); // 2
    let base = KernelBtf::parse(kernel.build()).expect("a blob");

    let strings = b"\0outer\0own\0";
    let below = word(&base.blob, 20).expect("a length");
    let name = |at: usize| below + at as u32;
    // The name of a member is the kernel's where the kernel has it: here "b", and the member without one.
    let b = c_offset(&base, "b");
    let types = [
        [name(1), kind::STRUCT << 24 | 3, 64].as_slice(), // 3
        &[name(7), 2, 64],
        &[b, 1, 128],
        &[0, 2, 256],
    ]
    .concat();
    let bytes = 4 * types.len() as u32;
    let head = [0x0001_eb9f, 24, 0, bytes, bytes, strings.len() as u32];
    let words = head
        .iter()
        .chain(&types)
        .flat_map(|word| word.to_le_bytes());
    let blob = words.chain(strings.iter().copied()).collect();
    let module = KernelBtf::parse_on(blob, Some(&base)).expect("a blob");
    assert_eq!(module.offset("outer", "own"), Some(8));
    assert_eq!(module.offset("outer", "b"), Some(16));
    assert_eq!(module.offset("inner", "a"), None);
}

/// Where a string lies.
fn c_offset(btf: &KernelBtf, wanted: &str) -> u32 {
    let len = word(&btf.blob, 20).expect("a length");
    let found = (1..len).find(|at| c_str(&btf.blob, btf.strings, *at) == wanted);
    found.expect("a string")
}
