//! Where a program of the table works, and the marks that it leaves in a trace.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::ptr::NonNull;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{OFlag, PosixFadviseAdvice, posix_fadvise};
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

/// Payload of most programs.
pub const PAYLOAD: usize = 1 << 20;
/// What they move in one call.
pub const CHUNK: usize = 64 << 10;
/// What single reads and touches go by; a page of this machine may be larger.
pub const PAGE: usize = 4096;

/// A page of this machine.
pub fn page() -> usize {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok())
        .unwrap_or(PAGE)
}

/// The marks are `fcntl(-1, MARK, phase << 16 | run)`, which fails with `EBADF`.
pub const MARK: i32 = 0x6268_6F70;
pub const BEGIN: u64 = 1;
pub const END: u64 = 2;

/// This kernel, machine or file system has no means for it.
#[derive(Debug)]
pub struct NotOffered(pub String);

impl fmt::Display for NotOffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotOffered {}

/// Fails with [`NotOffered`].
pub fn not_offered<T>(why: impl Into<String>) -> Result<T> {
    Err(NotOffered(why.into()).into())
}

/// A result whose failure means that the kernel has no such thing.
pub fn offered<T>(what: &str, result: Result<T, Errno>) -> Result<T> {
    result.map_err(|errno| NotOffered(format!("{what}: {errno:?}")).into())
}

/// What a program did, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub path: String,
    /// Number of the run: its marks have it.
    pub run: usize,
    /// The folder that it worked below.
    #[serde(rename = "directory")]
    pub dir: String,
    /// Bytes that it moved.
    pub payload: u64,
    /// Memory whose page faults belong to it: address, length.
    pub region: Option<(u64, u64)>,
    /// What the kernel's own account says that it read from disks, of `/proc/self/io`.
    pub read_bytes: u64,
    /// Of the payload, what TCP sent once more.
    pub resent: u64,
    /// It could not be done here, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_offered: Option<String>,
    /// It went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The place of one run of one program.
pub struct Scene {
    /// Its files are here, and are deleted afterwards.
    pub dir: PathBuf,
    /// Who swallows what is sent to it, beyond a network device.
    pub peer: Option<SocketAddr>,
    run: usize,
    region: Option<(u64, u64)>,
    read_bytes: u64,
}

impl Scene {
    pub fn new(dir: PathBuf, peer: Option<SocketAddr>, run: usize) -> Self {
        Self {
            dir,
            peer,
            run,
            region: None,
            read_bytes: 0,
        }
    }

    /// Runs what is to be seen in the trace; it says how many bytes it moved.
    pub fn shot(&mut self, work: impl FnOnce() -> Result<usize>) -> Result<Done> {
        let before = disk_reads();
        self.mark(BEGIN);
        let moved = work();
        self.mark(END);
        self.read_bytes = disk_reads().saturating_sub(before);
        Ok(Done {
            payload: moved? as u64,
            region: self.region,
            read_bytes: self.read_bytes,
            ..Done::default()
        })
    }

    /// Page faults on this memory are part of what is seen.
    pub fn watch(&mut self, start: NonNull<u8>, length: usize) {
        self.region = Some((start.as_ptr() as u64, length as u64));
    }

    fn mark(&self, phase: u64) {
        // SAFETY: no descriptor has this number, so the call changes nothing.
        let _ = unsafe { libc::fcntl(-1, MARK, phase << 16 | self.run as u64) };
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A file of `size` bytes, on the disk and in the page cache.
    pub fn file(&self, name: &str, size: usize) -> Result<PathBuf> {
        let path = self.path(name);
        let mut file = File::create(&path).with_context(|| path.display().to_string())?;
        let block: Vec<u8> = (0..CHUNK).map(|i| (i % 251) as u8).collect();
        for start in (0..size).step_by(CHUNK) {
            file.write_all(&block[..CHUNK.min(size - start)])?;
        }
        file.sync_all()?;
        Ok(path)
    }

    /// The same, open for reading.
    pub fn source(&self) -> Result<File> {
        Ok(File::open(self.file("source", PAYLOAD)?)?)
    }

    /// A new file.
    pub fn target(&self) -> Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        Ok(options.open(self.path("target"))?)
    }

    /// A file of [`PAYLOAD`] bytes, not in the page cache, open with `O_DIRECT`.
    pub fn direct(&self) -> Result<File> {
        let path = self.file("direct", PAYLOAD)?;
        drop_cache(&File::open(&path)?)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let opened = options.custom_flags(OFlag::O_DIRECT.bits()).open(&path);
        offered("O_DIRECT", opened.map_err(errno))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Pages that are never written stay dirty in the trace, and the file system gives the inode's number to
        // the next file: what a worker writes of that, before the call that writes it is over, would be theirs.
        let _ = File::open(self.path("target")).and_then(|target| target.sync_all());
        // What is left is the caller's to delete, with the folder.
        let _ = fs::remove_file(self.path("source"));
        let _ = fs::remove_file(self.path("target"));
        let _ = fs::remove_file(self.path("direct"));
    }
}

/// The number of an error of the standard library.
pub fn errno(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// Drops a file's pages from the page cache.
pub fn drop_cache(file: &File) -> Result<()> {
    file.sync_all()?;
    Ok(posix_fadvise(
        file,
        0,
        0,
        PosixFadviseAdvice::POSIX_FADV_DONTNEED,
    )?)
}

/// `read_bytes` of `/proc/self/io`; 0 where the kernel does not account.
fn disk_reads() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("read_bytes: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Memory on whole pages, all present: the kernel takes no fault on it.
pub struct Buffer {
    start: NonNull<u8>,
    length: usize,
}

impl Buffer {
    pub fn new(length: usize) -> Result<Self> {
        let start = anonymous(length, MapFlags::MAP_PRIVATE)?;
        // SAFETY: the range was just mapped, writable, and belongs to this value.
        unsafe { start.write_bytes(0xB5, length) };
        Ok(Self { start, length })
    }

    pub fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped, written to, and nobody else's.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

// SAFETY: it is plain memory that only this value refers to.
unsafe impl Send for Buffer {}

/// Fresh anonymous memory, mapped until the process ends.
pub fn anonymous(length: usize, flags: MapFlags) -> Result<NonNull<u8>> {
    let size = std::num::NonZeroUsize::new(length).context("nothing to map")?;
    let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses a free address.
    Ok(unsafe { mmap_anonymous(None, size, prot, flags)? }.cast())
}

/// Calls `step` with what is left of `total` until nothing is; `step` says what it moved.
pub fn pieces(total: usize, mut step: impl FnMut(usize) -> Result<usize>) -> Result<usize> {
    let mut done = 0;
    while done < total {
        let moved = step(total - done)?;
        anyhow::ensure!(moved > 0, "ended after {done} of {total} bytes");
        done += moved;
    }
    Ok(done)
}
