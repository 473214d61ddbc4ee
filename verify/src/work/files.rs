//! Regular files.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::fcntl::copy_file_range;
use nix::libc;
use nix::sys::sendfile::sendfile;
use nix::sys::uio::pread;

use crate::scene::{
    Buffer, CHUNK, Done, PAGE, PAYLOAD, Scene, drop_cache, errno, not_offered, offered, pieces,
};

fn read_all(scene: &mut Scene, mut file: File) -> Result<Done> {
    let mut buffer = Buffer::new(CHUNK)?;
    scene.shot(|| pieces(PAYLOAD, |_| Ok(file.read(&mut buffer)?)))
}

pub fn read_cached(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    read_all(scene, file)
}

pub fn read_cold(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    drop_cache(&file)?;
    read_all(scene, file)
}

/// One page is asked for; the kernel reads more.
pub fn readahead(scene: &mut Scene) -> Result<Done> {
    let mut file = scene.source()?;
    drop_cache(&file)?;
    let mut buffer = Buffer::new(PAGE)?;
    scene.shot(|| Ok(file.read(&mut buffer)?))
}

fn write_all(scene: &mut Scene, mut file: File, sync: bool) -> Result<Done> {
    let buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        let done = pieces(PAYLOAD, |_| Ok(file.write(&buffer)?))?;
        if sync {
            file.sync_all()?;
        }
        Ok(done)
    })
}

pub fn write(scene: &mut Scene) -> Result<Done> {
    let file = scene.target()?;
    write_all(scene, file, false)
}

pub fn write_fsync(scene: &mut Scene) -> Result<Done> {
    let file = scene.target()?;
    write_all(scene, file, true)
}

/// Written back by somebody else's `sync`: the hop is still the writer's.
pub fn write_back(scene: &mut Scene) -> Result<Done> {
    let mut file = scene.target()?;
    let dir = File::open(&scene.dir)?;
    let buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        let done = pieces(PAYLOAD, |_| Ok(file.write(&buffer)?))?;
        std::thread::spawn(move || {
            // SAFETY: an open descriptor; the call takes no memory.
            Errno::result(unsafe { libc::syncfs(dir.as_raw_fd()) })
        })
        .join()
        .unwrap_or(Err(Errno::EIO))?;
        Ok(done)
    })
}

pub fn direct_read(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    read_all(scene, file)
}

pub fn direct_write(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    write_all(scene, file, false)
}

/// A file that has no blocks: there is nothing to ask the device for.
pub fn direct_read_hole(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    file.set_len(0)?;
    file.set_len(PAYLOAD as u64)?;
    file.sync_all()?;
    read_all(scene, file)
}

/// Neither the offset nor the length is a multiple of anything: the file system refuses, or reads
/// through the page cache without a word.
pub fn direct_unaligned(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    let mut buffer = Buffer::new(PAGE)?;
    offered(
        "unaligned O_DIRECT",
        pread(&file, &mut buffer[1..1001], 101),
    )?;
    drop_cache(&file)?;
    scene.shot(|| Ok(pread(&file, &mut buffer[1..1001], 101)?))
}

/// Into a hole of a file that ext4 maps without extents: written through the page cache although
/// `O_DIRECT` was asked for (`ext4_dio_write_iter` after `-ENOTBLK`). Other file systems know no such
/// files, and write directly.
pub fn direct_hole(scene: &mut Scene) -> Result<Done> {
    const FS_IOC_SETFLAGS: libc::c_ulong = 0x4008_6602;
    let no_flags: libc::c_long = 0;
    let path = scene.file("direct", 0)?;
    let file = File::open(&path)?;
    // SAFETY: the kernel reads one number, which lives through the call.
    let set = unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_SETFLAGS as _, &no_flags) };
    offered("chattr -e", Errno::result(set))?;
    let mut options = File::options();
    let opened = options.write(true).custom_flags(libc::O_DIRECT).open(&path);
    let file = offered("O_DIRECT", opened.map_err(errno))?;
    file.set_len(PAYLOAD as u64)?;
    file.sync_all()?;
    write_all(scene, file, false)
}

pub fn sendfile_file(scene: &mut Scene) -> Result<Done> {
    let (from, to) = (scene.source()?, scene.target()?);
    scene.shot(|| pieces(PAYLOAD, |left| Ok(sendfile(&to, &from, None, left)?)))
}

pub fn copy_range(scene: &mut Scene) -> Result<Done> {
    let (from, to) = (scene.source()?, scene.target()?);
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            Ok(copy_file_range(&from, None, &to, None, left)?)
        })
    })
}

/// Makes a file share another's extents.
pub fn clone_file(from: &File, to: &File) -> Result<(), Errno> {
    const FICLONE: libc::c_ulong = 0x4004_9409;
    // SAFETY: the argument is a descriptor, not memory.
    let done = unsafe { libc::ioctl(to.as_raw_fd(), FICLONE as _, from.as_raw_fd()) };
    Errno::result(done).map(drop)
}

pub fn reflink(scene: &mut Scene) -> Result<Done> {
    let (from, to) = (scene.source()?, scene.target()?);
    let mut cloned = Ok(());
    let done = scene.shot(|| {
        cloned = clone_file(&from, &to);
        Ok(PAYLOAD)
    });
    offered("FICLONE", cloned)?;
    done
}

/// A device that must not reach the program's memory itself: a CPU copies between that and a buffer which
/// the device can reach. Drivers that do not use the DMA API (virtio) do not bounce.
pub fn bounced(scene: &mut Scene) -> Result<Done> {
    let booted = std::fs::read_to_string("/proc/cmdline")?;
    if !booted
        .split_whitespace()
        .any(|word| word == "swiotlb=force")
    {
        return not_offered("only where the kernel was booted with swiotlb=force");
    }
    let name = disk_name(scene)?;
    if !["nvme", "sd"].iter().any(|driver| name.starts_with(driver)) {
        return not_offered(format!("{name} is no NVMe, SATA or SCSI disk"));
    }
    direct_read(scene)
}

/// Name of the disk, or of its partition, below the scene's files.
fn disk_name(scene: &Scene) -> Result<String> {
    let dev = nix::sys::stat::stat(&scene.dir)?.st_dev;
    let (major, minor) = (nix::sys::stat::major(dev), nix::sys::stat::minor(dev));
    let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}"));
    match link.ok().as_deref().and_then(std::path::Path::file_name) {
        Some(name) => Ok(name.to_string_lossy().into_owned()),
        None => not_offered("the file system is on no device of its own number"),
    }
}

/// The disk itself, below its file system: only read, and only its first bytes.
pub fn block_device(scene: &mut Scene) -> Result<Done> {
    let name = disk_name(scene)?;
    let opened = File::open(std::path::Path::new("/dev").join(name));
    let file = offered("opening the device", opened.map_err(errno))?;
    let mut buffer = Buffer::new(CHUNK)?;
    ensure!(pread(&file, &mut buffer, 0)? == CHUNK, "a tiny disk");
    scene.shot(|| Ok(pread(&file, &mut buffer, 0)?))
}
