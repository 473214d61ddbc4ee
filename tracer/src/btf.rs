//! The running kernel's type information (BTF): offsets of struct fields, and tracepoints.
//!
//! A kernel's BTF has some 130,000 types, and bytehop asks for a hundred of them, so this reads
//! the blob once, keeps where each type begins, and decodes only what is asked for: a few
//! milliseconds, against 150 for building the whole type graph.
//! Format: `Documentation/bpf/btf.rst` of the kernel.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use bytehop_core::arch::Arch;
use tracer_ebpf::{Offsets, Regs};

/// Where the running kernel shows its BTF.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Why type information could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    Absent(PathBuf),
    Io(#[from] io::Error),
    /// What is wrong with it, in English and Chinese.
    Damaged([&'static str; 2]),
    NoField {
        record: &'static str,
        field: &'static str,
    },
}

bytehop_core::says! { BtfError, lang:
    Self::Absent(path) =>
        "this kernel has no type information ({path}): it needs CONFIG_DEBUG_INFO_BTF, which Debian 12, Ubuntu 22.04, Fedora 36, RHEL 9 and later have"
        | "此内核没有类型信息（{path}）：需要 CONFIG_DEBUG_INFO_BTF，Debian 12、Ubuntu 22.04、Fedora 36、RHEL 9 及更新的发行版都有",
        path = path.display();
    Self::Io(e) => "cannot read the kernel's type information: {why}" | "无法读取内核的类型信息：{why}",
        why = e.say(lang);
    Self::Damaged(what) => "the kernel's type information is damaged or of a newer format: {what}"
        | "内核的类型信息已损坏，或格式更新：{what}", what = lang.of(what);
    Self::NoField { record, field } => "this kernel's struct {record} has no field {field}"
        | "此内核的结构 {record} 没有字段 {field}";
}

/// The kernel's BTF, indexed.
pub struct KernelBtf {
    blob: Vec<u8>,
    /// Position of each type in the blob, by type id. Id 0 is `void` and has none.
    types: Vec<u32>,
    /// Position of the string section.
    strings: usize,
    /// What the types of a module are built upon: the kernel's strings, which come before its own, and how many
    /// types.
    below: Option<(Vec<u8>, usize)>,
    /// Structs and unions by name.
    records: HashMap<String, u32>,
    /// What tracepoint functions look like: the typedef `btf_trace_NAME`, by NAME.
    tracepoints: HashMap<String, u32>,
    enums: HashMap<String, u32>,
    /// Enumerations without a name.
    unnamed: Vec<u32>,
}

mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// The fixed part of a type.
#[derive(Clone, Copy)]
struct Type {
    name: u32,
    kind: u32,
    /// Number of members, parameters …
    len: usize,
    /// Structs: the members' offsets carry a bit-field size.
    flag: bool,
    /// Id of the type this one refers to (or a size).
    target: u32,
    /// Position of what follows the fixed part.
    body: usize,
}

/// Deepest nesting followed through typedefs and anonymous members; real kernels stay below 10.
const DEPTH: u32 = 32;

impl KernelBtf {
    /// Reads the running kernel's.
    pub fn load() -> Result<Self, BtfError> {
        Self::open(Path::new(VMLINUX))
    }

    /// Reads a BTF blob from a file.
    pub fn open(path: &Path) -> Result<Self, BtfError> {
        match std::fs::read(path) {
            Ok(blob) => Self::parse(blob),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(BtfError::Absent(path.into())),
            Err(e) => Err(e.into()),
        }
    }

    /// Reads that of a module of the running kernel, which refers to the kernel's.
    ///
    /// # Errors
    /// [`BtfError::Absent`] if it is not loaded.
    pub fn module(&self, name: &str) -> Result<Self, BtfError> {
        let path = Path::new(VMLINUX).with_file_name(name);
        match std::fs::read(&path) {
            Ok(blob) => Self::parse_on(blob, Some(self)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(BtfError::Absent(path)),
            Err(e) => Err(e.into()),
        }
    }

    /// Indexes a blob (little-endian, as both supported architectures are).
    pub fn parse(blob: Vec<u8>) -> Result<Self, BtfError> {
        Self::parse_on(blob, None)
    }

    fn parse_on(blob: Vec<u8>, base: Option<&Self>) -> Result<Self, BtfError> {
        const SHORT: BtfError = BtfError::Damaged(["it ends too early", "过早结束"]);
        let head = |at| word(&blob, at).ok_or(SHORT);
        if head(0)? & 0xffff != 0xeb9f {
            return Err(BtfError::Damaged([
                "it does not begin as BTF does",
                "开头不是 BTF",
            ]));
        }
        // magic u16, version u8, flags u8, then: hdr_len, type_off, type_len, str_off, str_len.
        let section = |at| Ok::<_, BtfError>(head(4)? as usize + head(at)? as usize);
        let start = section(8)?;
        let end = start + head(12)? as usize;
        let strings = section(16)?;
        if end.max(strings) > blob.len() {
            return Err(SHORT);
        }

        let mut btf = Self {
            blob,
            types: vec![0],
            strings,
            below: base.map(|base| {
                let len = word(&base.blob, 20).unwrap_or(0) as usize;
                let strings = base.blob.get(base.strings..).unwrap_or_default();
                let strings = strings.get(..len).unwrap_or(strings);
                (strings.to_vec(), base.types.len() - 1)
            }),
            records: HashMap::new(),
            tracepoints: HashMap::new(),
            enums: HashMap::new(),
            unnamed: Vec::new(),
        };
        let mut at = start;
        while at < end {
            let ty = btf.type_at(at).ok_or(SHORT)?;
            // Ids count types of at least 12 bytes in a blob shorter than 4 GiB: they fit.
            let below = btf.below.as_ref().map_or(0, |(_, types)| *types);
            let id = (below + btf.types.len()) as u32;
            btf.types.push(at as u32);
            btf.index(id, ty);
            at = ty.body
                + ty.body_size().ok_or(BtfError::Damaged([
                    "a kind of type is unknown",
                    "有未知的类型种类",
                ]))?;
        }
        Ok(btf)
    }

    fn index(&mut self, id: u32, ty: Type) {
        let into = match ty.kind {
            kind::STRUCT | kind::UNION if ty.len > 0 => &mut self.records,
            kind::TYPEDEF => &mut self.tracepoints,
            kind::ENUM if ty.name == 0 => return self.unnamed.push(id),
            kind::ENUM => &mut self.enums,
            _ => return,
        };
        let name = string(&self.below, &self.blob, self.strings, ty.name);
        let name = match ty.kind {
            kind::TYPEDEF => name.strip_prefix("btf_trace_"),
            _ => Some(name).filter(|name| !name.is_empty()),
        };
        if let Some(name) = name {
            into.entry(name.to_owned()).or_insert(id);
        }
    }

    fn string(&self, at: u32) -> &str {
        string(&self.below, &self.blob, self.strings, at)
    }

    fn type_at(&self, at: usize) -> Option<Type> {
        Type::read(&self.blob, at)
    }

    fn get(&self, id: u32) -> Option<Type> {
        // `void` has no place.
        let below = self.below.as_ref().map_or(0, |(_, types)| *types);
        let index = (id as usize).checked_sub(below)?;
        let at = *self.types.get(index).filter(|at| **at != 0)?;
        self.type_at(at as usize)
    }

    fn name(&self, ty: Type) -> &str {
        self.string(ty.name)
    }

    /// Skips typedefs and qualifiers.
    fn resolve(&self, mut id: u32) -> Option<Type> {
        for _ in 0..DEPTH {
            let ty = self.get(id)?;
            match ty.kind {
                kind::TYPEDEF | kind::CONST | kind::VOLATILE | kind::RESTRICT | kind::TYPE_TAG => {
                    id = ty.target
                }
                _ => return Some(ty),
            }
        }
        None
    }

    /// Byte offset of a field of a struct or union, by its dotted path (`thread_info.status`).
    /// Members of anonymous structs and unions belong to the enclosing one, as in C.
    /// `None` if there is no such field, or it is a bit field that does not begin at a byte.
    pub fn offset(&self, record: &str, path: &str) -> Option<u32> {
        let mut record = *self.records.get(record)?;
        let mut bits = 0;
        for field in path.split('.') {
            let at;
            (at, record) = self.member(self.resolve(record)?, field, DEPTH)?;
            bits += at;
        }
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// Where this kernel keeps a task's user registers.
    ///
    /// # Errors
    /// [`BtfError::NoField`] if `struct pt_regs` lacks one: not a kernel of this architecture.
    pub fn regs(&self, arch: Arch) -> Result<Regs, BtfError> {
        arch.regs(|field| self.offset("pt_regs", field))
            .map_err(|field| BtfError::NoField {
                record: "pt_regs",
                field,
            })
    }

    /// Bit offset and type of a member, looked for in anonymous members too.
    fn member(&self, ty: Type, field: &str, depth: u32) -> Option<(u32, u32)> {
        if !matches!(ty.kind, kind::STRUCT | kind::UNION) || depth == 0 {
            return None;
        }
        (0..ty.len).find_map(|i| {
            let at = ty.body + 12 * i;
            let name = self.string(word(&self.blob, at)?);
            let target = word(&self.blob, at + 4)?;
            let offset = word(&self.blob, at + 8)?;
            let bits = if ty.flag { offset & 0xff_ffff } else { offset };
            match name {
                "" => {}
                _ if name == field => return Some((bits, target)),
                _ => return None,
            }
            let (inner, target) = self.member(self.resolve(target)?, field, depth - 1)?;
            Some((bits + inner, target))
        })
    }

    /// Type id to attach to a tracepoint by: that of the typedef `btf_trace_NAME`.
    pub fn tracepoint_id(&self, name: &str) -> Option<u32> {
        self.tracepoints.get(name).copied()
    }

    /// Type id of a function of the kernel. Looks at every type: for rare questions.
    pub fn function_id(&self, name: &str) -> Option<u32> {
        (1u32..)
            .zip(self.types.iter().skip(1))
            .find(|(_, at)| {
                let ty = self.type_at(**at as usize);
                ty.is_some_and(|ty| ty.kind == kind::FUNC && self.name(ty) == name)
            })
            .map(|(id, _)| id)
    }

    /// Which of these functions the kernel has, built in, and their type ids. Looks at every type, once for all
    /// names.
    pub fn functions<'a>(&self, names: &HashSet<&'a str>) -> HashMap<&'a str, u32> {
        let mut found = HashMap::new();
        for (id, at) in (1u32..).zip(self.types.iter().skip(1)) {
            let ty = self.type_at(*at as usize);
            let ty = ty.filter(|ty| ty.kind == kind::FUNC);
            if let Some(name) = ty.and_then(|ty| names.get(self.name(ty))) {
                found.entry(*name).or_insert(id);
            }
        }
        found
    }

    /// Value of an enumerator, of an enumeration without a name if that is empty; `None` if there is no such
    /// enumeration or enumerator.
    pub fn enumerator(&self, enumeration: &str, name: &str) -> Option<u32> {
        let ids = match enumeration {
            "" => self.unnamed.as_slice(),
            _ => std::slice::from_ref(self.enums.get(enumeration)?),
        };
        ids.iter().find_map(|id| self.value(*id, name))
    }

    fn value(&self, enumeration: u32, name: &str) -> Option<u32> {
        let ty = self.get(enumeration)?;
        (0..ty.len).find_map(|i| {
            let at = ty.body + 8 * i;
            let known = self.string(word(&self.blob, at)?);
            (known == name).then(|| word(&self.blob, at + 4))?
        })
    }

    /// Type information with nothing in it but these functions, and these tracepoints' typedefs, each under the id
    /// that it has here: for whoever looks for ids by name, and would build the whole graph for it.
    pub fn only(&self, functions: &HashMap<&str, u32>, tracepoints: &[&str]) -> Vec<u8> {
        const EMPTY: [u32; 3] = [0, kind::FWD << 24, 0];
        let known = tracepoints.iter().filter_map(|name| {
            let id = self.tracepoint_id(name)?;
            Some((id, kind::TYPEDEF, format!("btf_trace_{name}")))
        });
        let functions = functions.iter();
        let functions = functions.map(|(name, id)| (*id, kind::FUNC, (*name).to_owned()));
        let named: Vec<_> = known.chain(functions).collect();
        let last = named.iter().map(|(id, ..)| *id).max().unwrap_or(0);
        let mut types = vec![EMPTY; last as usize];
        let mut strings = vec![0];
        for (id, kind, name) in named {
            // Id 0 is `void`, which has no place.
            types[id as usize - 1] = [strings.len() as u32, kind << 24, 0];
            strings.extend(name.into_bytes());
            strings.push(0);
        }
        const HEAD: u32 = 24;
        let len = (size_of_val(&EMPTY) * types.len()) as u32;
        let head = [0x0001_eb9f, HEAD, 0, len, len, strings.len() as u32];
        let words = head.into_iter().chain(types.into_iter().flatten());
        let mut blob: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        blob.extend(strings);
        blob
    }

    /// Whether the kernel has this tracepoint, built in (those of modules are not listed here).
    pub fn has_tracepoint(&self, name: &str) -> bool {
        self.tracepoints.contains_key(name)
    }

    /// The types of a tracepoint's arguments as C writes them (`struct bio *`, `unsigned int`),
    /// without the leading context pointer. `None` if there is no such tracepoint.
    pub fn tracepoint_args(&self, name: &str) -> Option<Vec<String>> {
        let pointer = self.resolve(*self.tracepoints.get(name)?)?;
        let proto = self
            .resolve(pointer.target)
            .filter(|ty| ty.kind == kind::FUNC_PROTO)?;
        let args = (1..proto.len).map(|i| word(&self.blob, proto.body + 8 * i + 4));
        args.map(|id| Some(self.spelled(id?, DEPTH))).collect()
    }

    /// A type as C writes it; types that no tracepoint passes are written `?`.
    fn spelled(&self, id: u32, depth: u32) -> String {
        let Some(ty) = self.get(id) else {
            return "void".into();
        };
        if depth == 0 {
            return "?".into();
        }
        let target = || self.spelled(ty.target, depth - 1);
        match ty.kind {
            kind::PTR => {
                let target = target();
                let space = if target.ends_with('*') { "" } else { " " };
                format!("{target}{space}*")
            }
            kind::CONST => format!("const {}", target()),
            kind::VOLATILE => format!("volatile {}", target()),
            kind::RESTRICT | kind::TYPE_TAG => target(),
            kind::STRUCT => format!("struct {}", self.name(ty)),
            kind::UNION => format!("union {}", self.name(ty)),
            kind::FWD if ty.flag => format!("union {}", self.name(ty)),
            kind::FWD => format!("struct {}", self.name(ty)),
            kind::ENUM | kind::ENUM64 => format!("enum {}", self.name(ty)),
            kind::INT | kind::FLOAT | kind::TYPEDEF => self.name(ty).to_owned(),
            _ => "?".into(),
        }
    }
}

impl Type {
    fn read(blob: &[u8], at: usize) -> Option<Self> {
        let info = word(blob, at + 4)?;
        Some(Self {
            name: word(blob, at)?,
            kind: info >> 24 & 0x1f,
            len: (info & 0xffff) as usize,
            flag: info >> 31 != 0,
            target: word(blob, at + 8)?,
            body: at + 12,
        })
    }

    /// Bytes after the fixed part; `None` for a kind of type that is newer than this build.
    fn body_size(&self) -> Option<usize> {
        Some(match self.kind {
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * self.len,
            kind::ENUM | kind::FUNC_PROTO => 8 * self.len,
            kind::PTR | kind::FWD | kind::TYPEDEF | kind::VOLATILE | kind::CONST => 0,
            kind::RESTRICT | kind::FUNC | kind::FLOAT | kind::TYPE_TAG => 0,
            _ => return None,
        })
    }
}

fn word(blob: &[u8], at: usize) -> Option<u32> {
    let bytes = blob.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// A string of its own, or of what it is built upon.
fn string<'a>(
    below: &'a Option<(Vec<u8>, usize)>,
    blob: &'a [u8],
    strings: usize,
    at: u32,
) -> &'a str {
    match below {
        Some((below, _)) => match at.checked_sub(below.len() as u32) {
            Some(at) => c_str(blob, strings, at),
            None => c_str(below, 0, at),
        },
        None => c_str(blob, strings, at),
    }
}

/// A string of the string section; empty if it lies outside or is not UTF-8.
fn c_str(blob: &[u8], strings: usize, at: u32) -> &str {
    let bytes = blob.get(strings + at as usize..).unwrap_or_default();
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
    std::str::from_utf8(&bytes[..len]).unwrap_or_default()
}

/// Fields of which one is enough.
const EITHER: &[[&str; 2]] = &[
    ["folio_flags_1", "folio_order"],
    ["req_task", "req_tctx"],
    ["req_task", "tctx_task"],
    ["ring_nodes", "ring_files"],
    ["node_file", "ring_files"],
];

/// Structs of what may be a module: which. Nothing is lacking where it is not loaded.
const IN_MODULES: &[(&str, &str)] = &[("fuse_file", "fuse"), ("loop_device", "loop")];

/// All of [`Offsets`] for this kernel, and the names of those that it lacks.
pub fn offsets(btf: &KernelBtf) -> (Offsets, Vec<&'static str>) {
    let mut offsets = Offsets::NONE;
    let mut absent = Vec::new();
    let mut modules = HashMap::new();
    for (i, (name, places)) in Offsets::FIELDS.iter().enumerate() {
        let here = places
            .iter()
            .find_map(|(record, path)| btf.offset(record, path));
        let there = places.iter().find_map(|(record, path)| {
            let (_, module) = IN_MODULES.iter().find(|(name, _)| name == record)?;
            Some((*module, *record, *path))
        });
        match (here, there) {
            (Some(offset), _) => offsets.set(i, offset),
            (None, None) => absent.push(*name),
            (None, Some((module, record, path))) => {
                let loaded = modules
                    .entry(module)
                    .or_insert_with(|| btf.module(module).ok());
                if let Some(offset) = loaded.as_ref().and_then(|btf| btf.offset(record, path)) {
                    offsets.set(i, offset);
                }
            }
        }
    }
    // Other architectures have another mark of 32-bit calls.
    if Arch::host().is_some_and(|arch| !arch.has_status()) {
        absent.retain(|name| *name != "task_status");
    }
    // What a kernel keeps in another place is not lacking.
    for pair in EITHER {
        if !pair.iter().all(|name| absent.contains(name)) {
            absent.retain(|name| !pair.contains(name));
        }
    }
    (offsets, absent)
}

#[cfg(test)]
#[path = "btf_tests.rs"]
mod tests;
