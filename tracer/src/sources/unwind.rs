//! Follows a user stack from the call outwards, by the unwind tables of the files in memory.

use std::ops::Range;
use std::path::{Path, PathBuf};

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, MayAllocateDuringUnwind, Module, UnwindRegsNative,
    Unwinder, UnwinderNative,
};
use object::{Object, ObjectSection, ObjectSegment, SegmentFlags, elf};
use tracer_ebpf::{STACK_DEPTH, Stack};

use super::{Mapping, Space};
use crate::load::page_size;

/// An address in a file: what the debug information goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// As the file states it, not as it lies in memory.
    pub address: u64,
}

/// A file in memory, and what to take off its addresses.
struct Loaded {
    path: PathBuf,
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
    pub fn new(space: &Space, code: Range<u64>) -> Self {
        let mut unwinding = Self {
            unwinder: UnwinderNative::new(),
            loaded: Vec::new(),
        };
        if let Some(path) = &space.program {
            // The kernel gives the first byte of executable code, not of a page (load_elf_binary).
            let first = |segments: &[Code]| segments.iter().map(|code| code.address).min();
            unwinding.load(path, code.clone(), |segments| {
                Some(code.start.wrapping_sub(first(segments)?))
            });
        }
        for Mapping {
            path,
            start,
            end,
            offset,
        } in &space.libraries
        {
            let page = !(u64::from(page_size()) - 1);
            unwinding.load(path, *start..*end, |segments| {
                let mut segments = segments.iter();
                let code = segments.find(|code| code.offset & page == offset & page)?;
                Some(start.wrapping_sub(code.address & page))
            });
        }
        unwinding
    }

    fn load(&mut self, path: &Path, range: Range<u64>, bias: impl FnOnce(&[Code]) -> Option<u64>) {
        if self.loaded.iter().any(|known| known.range == range) {
            return;
        }
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
        let name = path.display().to_string();
        self.unwinder
            .add_module(Module::new(name, range.clone(), bias, info));
        self.loaded.push(Loaded {
            path: path.to_owned(),
            range,
            bias,
        });
    }

    /// The addresses of a stack's frames: where each is in the middle of its call.
    pub fn follow(&self, stack: &Stack) -> Vec<Place> {
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
        let mut frames =
            self.unwinder
                .iter_frames(stack.ip, registers(stack), &mut cache, &mut read);
        let mut places = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let address = frame.address_for_lookup();
            let loaded = self.loaded.iter().rev();
            let Some(file) = loaded
                .into_iter()
                .find(|file| file.range.contains(&address))
            else {
                break;
            };
            places.push(Place {
                path: file.path.clone(),
                address: address.wrapping_sub(file.bias),
            });
            if places.len() == FRAMES_MAX {
                break;
            }
        }
        places
    }
}

#[cfg(target_arch = "x86_64")]
fn registers(stack: &Stack) -> UnwindRegsNative {
    UnwindRegsNative::new(stack.ip, stack.sp, stack.fp)
}

#[cfg(target_arch = "aarch64")]
fn registers(stack: &Stack) -> UnwindRegsNative {
    UnwindRegsNative::new(stack.lr, stack.sp, stack.fp)
}
