//! Lists that only grow, of which only a few pages are in memory: the rest lies in a file without a
//! name, and comes back page by page when someone looks at it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::rc::Rc;

/// What can lie in a file.
pub trait Fixed: Copy {
    /// Bytes that it takes there.
    const SIZE: usize;
    fn put(&self, to: &mut Vec<u8>);
    /// From [`Self::SIZE`] bytes.
    fn get(from: &mut Fields<'_>) -> Self;
}

/// Reads numbers one after the other; zeros behind the end.
pub struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => [0; N],
        }
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }
}

/// Elements of a page.
const PAGE: usize = 4096;
/// Full pages in memory.
const RESIDENT: usize = 64;

pub struct Paged<T> {
    /// The page being filled.
    last: Vec<T>,
    full: RefCell<Full<T>>,
}

struct Full<T> {
    /// `None`: in the file alone.
    pages: Vec<Option<Rc<[T]>>>,
    /// Those in memory, the oldest first.
    resident: VecDeque<u32>,
    /// Pages that lie in the file, those of them in memory included.
    filed: Vec<bool>,
    /// Where the page of the last question is: the next is mostly about the same.
    recent: Option<(usize, Rc<[T]>)>,
    file: Spill,
    most: usize,
    kind: PhantomData<T>,
}

/// The file, made when the first page has to go.
enum Spill {
    Not,
    To(File),
    /// There is no room for it, or no file system: all stays in memory.
    Never,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self::keeping(RESIDENT)
    }
}

impl<T> Paged<T> {
    /// With so many full pages in memory.
    pub fn keeping(pages: usize) -> Self {
        Self {
            last: Vec::new(),
            full: RefCell::new(Full {
                pages: Vec::new(),
                resident: VecDeque::new(),
                filed: Vec::new(),
                recent: None,
                file: Spill::Not,
                most: pages.max(1),
                kind: PhantomData,
            }),
        }
    }
}

impl<T: Fixed> Paged<T> {
    pub fn len(&self) -> usize {
        self.full.borrow().pages.len() * PAGE + self.last.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, value: T) {
        self.last.push(value);
        if self.last.len() == PAGE {
            let page = Rc::from(self.last.as_slice());
            self.last.clear();
            self.full.get_mut().push(page);
        }
    }

    /// `None` beyond the end, and for what cannot be read back.
    pub fn get(&self, index: usize) -> Option<T> {
        let (page, at) = (index / PAGE, index % PAGE);
        let mut full = self.full.borrow_mut();
        if page >= full.pages.len() {
            return match page == full.pages.len() {
                true => self.last.get(at).copied(),
                false => None,
            };
        }
        full.page(page)?.get(at).copied()
    }

    pub fn last(&self) -> Option<T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Cuts off all behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        let full = self.full.get_mut();
        let pages = len / PAGE;
        if pages >= full.pages.len() {
            self.last.truncate(len - full.pages.len() * PAGE);
            return;
        }
        // The page that the end is now in is filled again.
        let page = full.page(pages);
        full.cut(pages);
        self.last.clear();
        if let Some(page) = page {
            self.last.extend(page.iter().take(len % PAGE));
        }
    }

    /// Index of the first element for which `is` is false, as in a slice.
    pub fn partition_point(&self, is: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).is_some_and(|value| is(&value)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

impl<T: Fixed> Full<T> {
    fn push(&mut self, page: Rc<[T]>) {
        let number = self.pages.len();
        self.pages.push(Some(page));
        self.filed.push(false);
        self.came_in(number);
    }

    fn page(&mut self, number: usize) -> Option<Rc<[T]>> {
        if let Some((recent, page)) = &self.recent
            && *recent == number
        {
            return Some(page.clone());
        }
        let page = match self.pages.get(number)? {
            Some(page) => page.clone(),
            None => {
                let page = self.read(number)?;
                self.pages[number] = Some(page.clone());
                self.came_in(number);
                page
            }
        };
        self.recent = Some((number, page.clone()));
        Some(page)
    }

    fn came_in(&mut self, number: usize) {
        self.resident.push_back(number as u32);
        while self.resident.len() > self.most {
            let Some(&oldest) = self.resident.front() else {
                return;
            };
            if !self.write(oldest as usize) {
                return;
            }
            self.resident.pop_front();
            self.pages[oldest as usize] = None;
        }
    }

    /// Makes sure that a page lies in the file.
    fn write(&mut self, number: usize) -> bool {
        if self.filed.get(number) == Some(&true) {
            return true;
        }
        if matches!(self.file, Spill::Not) {
            self.file = spill().map_or(Spill::Never, Spill::To);
        }
        let (Spill::To(file), Some(Some(page))) = (&self.file, self.pages.get(number)) else {
            return false;
        };
        let mut bytes = Vec::with_capacity(PAGE * T::SIZE);
        for value in page.iter() {
            value.put(&mut bytes);
        }
        if write_at(file, &bytes, Self::offset(number)).is_err() {
            self.file = match std::mem::replace(&mut self.file, Spill::Never) {
                // What it holds has to stay readable.
                Spill::To(file) if self.filed.contains(&true) => Spill::To(file),
                _ => Spill::Never,
            };
            return false;
        }
        self.filed[number] = true;
        true
    }

    fn read(&self, number: usize) -> Option<Rc<[T]>> {
        let Spill::To(file) = &self.file else {
            return None;
        };
        let mut bytes = vec![0; PAGE * T::SIZE];
        read_at(file, &mut bytes, Self::offset(number)).ok()?;
        let values = bytes.chunks_exact(T::SIZE);
        Some(values.map(|bytes| T::get(&mut Fields(bytes))).collect())
    }

    fn cut(&mut self, pages: usize) {
        self.pages.truncate(pages);
        self.filed.truncate(pages);
        self.resident.retain(|number| (*number as usize) < pages);
        self.recent = None;
    }

    fn offset(number: usize) -> u64 {
        number as u64 * (PAGE * T::SIZE) as u64
    }
}

#[cfg(not(target_family = "wasm"))]
fn spill() -> io::Result<File> {
    tempfile::tempfile()
}

/// A browser has no files, and asking where temporary ones go is a panic.
#[cfg(target_family = "wasm")]
fn spill() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

// The file is ours alone: its position may move.

fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Fixed for u64 {
        const SIZE: usize = 8;
        fn put(&self, to: &mut Vec<u8>) {
            to.extend(self.to_le_bytes());
        }
        fn get(from: &mut Fields<'_>) -> Self {
            from.u64()
        }
    }

    #[test]
    fn what_went_to_the_file_comes_back() {
        const N: u64 = 20 * PAGE as u64 + 17;
        let mut list = Paged::keeping(2);
        (0..N).for_each(|n| list.push(n * n));
        assert_eq!(list.len() as u64, N);
        let in_memory = |list: &Paged<u64>| {
            let full = list.full.borrow();
            full.pages.iter().filter(|page| page.is_some()).count()
        };
        assert_eq!(in_memory(&list), 2);
        for n in (0..N).rev().step_by(7).chain((0..N).step_by(5)) {
            assert_eq!(list.get(n as usize), Some(n * n));
        }
        assert_eq!(in_memory(&list), 2);
        assert_eq!((list.get(N as usize), list.get(usize::MAX)), (None, None));
        assert_eq!(list.partition_point(|n| *n < 1_000_000), 1_000);
    }

    #[test]
    fn cut_and_grown_again() {
        let mut list = Paged::keeping(1);
        (0..3 * PAGE as u64 + 5).for_each(|n| list.push(n));
        for len in [3 * PAGE + 3, 3 * PAGE, PAGE + 9, PAGE, 3, 0] {
            list.truncate(len);
            assert_eq!(list.len(), len);
            assert_eq!(list.last(), (len as u64).checked_sub(1));
            list.push(len as u64);
            assert_eq!(list.last(), Some(len as u64));
            list.truncate(len);
        }
    }
}
