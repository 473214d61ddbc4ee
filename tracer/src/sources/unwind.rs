//! Follows a user stack from the call outwards, by the unwind tables of the files in memory.

use std::ops::Range;
use std::path::Path;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, MayAllocateDuringUnwind, Module,
    UnwindRegsNative, Unwinder, UnwinderNative,
};
use object::{Object, ObjectSection, ObjectSegment, SegmentFlags, elf};
use tracer_ebpf::{STACK_DEPTH, Stack};

use super::files::Files;
use super::{Mapping, Space};
use crate::load::page_size;

/// Where a frame of a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address in a file: as that states it, not as it lies in memory.
    File(usize, u64),
    /// At an address in memory that no file is known for.
    Elsewhere(u64),
}

/// A file in memory, and what to take off its addresses.
struct Loaded {
    file: usize,
    range: Range<u64>,
    bias: u64,
}

/// How the stacks of a process are followed.
pub struct Unwinding {
    unwinder: UnwinderNative<Vec<u8>, MayAllocateDuringUnwind>,
    loaded: Vec<Loaded>,
}

/// Frames that are followed.
const FRAMES_MAX: usize = 64;
/// A file that is larger is not read.
const FILE_MAX: u64 = 1 << 30;

/// An executable segment of a file: offset in it, and address.
struct Code {
    offset: u64,
    address: u64,
}

impl Unwinding {
    /// `code`: where the program's own code lies in memory.
    pub fn new(space: &Space, code: Range<u64>, files: &Files) -> Self {
        let mut unwinding = Self {
            unwinder: UnwinderNative::new(),
            loaded: Vec::new(),
        };
        if let Some(program) = space.program {
            // The kernel gives the first byte of executable code, not of a page (load_elf_binary).
            let first = |segments: &[Code]| segments.iter().map(|code| code.address).min();
            unwinding.load(files, program, code.clone(), |segments| {
                Some(code.start.wrapping_sub(first(segments)?))
            });
        }
        for Mapping {
            file,
            start,
            end,
            offset,
        } in &space.libraries
        {
            let page = !(u64::from(page_size()) - 1);
            unwinding.load(files, *file, *start..*end, |segments| {
                let mut segments = segments.iter();
                let code = segments.find(|code| code.offset & page == offset & page)?;
                Some(start.wrapping_sub(code.address & page))
            });
        }
        unwinding
    }

    fn load(
        &mut self,
        files: &Files,
        file: usize,
        range: Range<u64>,
        bias: impl FnOnce(&[Code]) -> Option<u64>,
    ) {
        if self.loaded.iter().any(|known| known.range == range) {
            return;
        }
        if let Some(path) = files.path(file) {
            self.add(&path, files.name(file), file, range, bias);
        }
    }

    fn add(
        &mut self,
        path: &Path,
        name: String,
        number: usize,
        range: Range<u64>,
        bias: impl FnOnce(&[Code]) -> Option<u64>,
    ) {
        let size = std::fs::metadata(path).map_or(u64::MAX, |meta| meta.len());
        if size > FILE_MAX {
            return;
        }
        let Ok(data) = std::fs::read(path) else {
            return;
        };
        let Ok(file) = object::File::parse(data.as_slice()) else {
            return;
        };
        let code = file.segments().filter_map(|segment| {
            let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
                return None;
            };
            let (offset, _) = segment.file_range();
            let address = segment.address();
            (p_flags & elf::PF_X != 0).then_some(Code { offset, address })
        });
        let code: Vec<Code> = code.collect();
        let Some(bias) = bias(&code) else { return };
        let section = |name: &str| file.section_by_name(name);
        let span = |name: &str| {
            let section = section(name)?;
            Some(section.address()..section.address() + section.size())
        };
        let bytes = |name: &str| {
            let data = section(name)?.uncompressed_data().ok()?;
            Some(data.into_owned())
        };
        let info = ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: span(".text"),
            text: bytes(".text"),
            got_svma: span(".got"),
            eh_frame_svma: span(".eh_frame"),
            eh_frame: bytes(".eh_frame"),
            eh_frame_hdr_svma: span(".eh_frame_hdr"),
            eh_frame_hdr: bytes(".eh_frame_hdr"),
            debug_frame: bytes(".debug_frame"),
            ..ExplicitModuleSectionInfo::default()
        };
        self.unwinder
            .add_module(Module::new(name, range.clone(), bias, info));
        self.loaded.push(Loaded {
            file: number,
            range,
            bias,
        });
    }

    /// The places of a stack's frames: where each is in the middle of its call. `trampoline`: whether an address is in
    /// one of Python's ([`beyond`]).
    pub fn follow(&self, stack: &Stack, mut trampoline: impl FnMut(u64) -> bool) -> Vec<Place> {
        let words = (stack.words as usize).min(stack.word.len());
        let mut read = |address: u64| {
            let at = address.checked_sub(stack.sp).ok_or(())? / 8;
            let kept = stack.at.iter().take(words);
            let found = kept
                .zip(stack.word)
                .find(|(known, _)| u64::from(**known) == at);
            // A register saved there that is no address was not kept, and is not needed.
            let other = (at < STACK_DEPTH as u64).then_some(0);
            found.map(|(_, word)| word).or(other).ok_or(())
        };
        let mut cache = CacheNative::<MayAllocateDuringUnwind>::new_in();
        let mut registers = registers(stack);
        let mut frame = Some(FrameAddress::from_instruction_pointer(stack.ip));
        let mut places = Vec::new();
        while let Some(at) = frame {
            let address = at.address_for_lookup();
            let mut loaded = self.loaded.iter().rev();
            let file = loaded.find(|file| file.range.contains(&address));
            places.push(match file {
                Some(file) => Place::File(file.file, address.wrapping_sub(file.bias)),
                None => Place::Elsewhere(address),
            });
            if places.len() == FRAMES_MAX {
                break;
            }
            let next = match file.is_none() && trampoline(address) {
                true => beyond(&mut registers, &mut read),
                false => {
                    let next =
                        self.unwinder
                            .unwind_frame(at, &mut registers, &mut cache, &mut read);
                    next.ok().flatten()
                }
            };
            frame = next.and_then(FrameAddress::from_return_address);
        }
        places
    }
}

/// The return address of a trampoline of CPython (`Python/asm_trampoline.S`), which has a word of its own on the stack
/// during its call: a saved frame pointer, or nothing.
#[cfg(target_arch = "x86_64")]
fn beyond(
    registers: &mut UnwindRegsNative,
    read: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<u64> {
    let sp = registers.sp();
    let back = read(sp.checked_add(8)?).ok().filter(|back| *back != 0)?;
    if registers.bp() == sp {
        registers.set_bp(read(sp).ok()?);
    }
    registers.set_sp(sp.checked_add(16)?);
    registers.set_ip(back);
    Some(back)
}

/// There, it keeps a frame as any function does.
#[cfg(target_arch = "aarch64")]
fn beyond(
    registers: &mut UnwindRegsNative,
    read: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<u64> {
    let fp = registers.fp();
    let back = read(fp.checked_add(8)?).ok().filter(|back| *back != 0)?;
    registers.set_fp(read(fp).ok()?);
    registers.set_sp(fp.checked_add(16)?);
    registers.set_lr(back);
    Some(back)
}

#[cfg(target_arch = "x86_64")]
fn registers(stack: &Stack) -> UnwindRegsNative {
    UnwindRegsNative::new(stack.ip, stack.sp, stack.fp)
}

#[cfg(target_arch = "aarch64")]
fn registers(stack: &Stack) -> UnwindRegsNative {
    UnwindRegsNative::new(stack.lr, stack.sp, stack.fp)
}
