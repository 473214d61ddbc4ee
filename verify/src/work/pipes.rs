//! Pipes, splice and its kin, and memory of another process.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use anyhow::{Result, ensure};
use nix::fcntl::{SpliceFFlags, splice, tee as tee_call, vmsplice as vmsplice_call};
use nix::libc;
use nix::sys::sendfile::sendfile;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::{Pid, pipe};

use crate::scene::{Buffer, CHUNK, Done, PAYLOAD, Scene, errno, offered, pieces};

const NONE: SpliceFFlags = SpliceFFlags::empty();

fn files() -> Result<(File, File)> {
    let (reader, writer) = pipe()?;
    Ok((File::from(reader), File::from(writer)))
}

/// Moves one [`CHUNK`] after the other: `fill` puts it into a pipe, `drain` takes it out.
fn through_pipe(
    scene: &mut Scene,
    mut fill: impl FnMut(&mut File) -> Result<usize>,
    mut drain: impl FnMut(&mut File) -> Result<usize>,
) -> Result<Done> {
    let (mut reader, mut writer) = files()?;
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            let moved = fill(&mut writer)?;
            ensure!(
                pieces(moved, |_| drain(&mut reader))? == moved,
                "too much came out"
            );
            Ok(moved)
        })
    })
}

pub fn pipe_copy(scene: &mut Scene) -> Result<Done> {
    let (from, mut to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    through_pipe(scene, |w| Ok(w.write(&from)?), |r| Ok(r.read(&mut to)?))
}

pub fn splice_from_file(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    let mut to = Buffer::new(CHUNK)?;
    through_pipe(
        scene,
        |w| Ok(splice(&file, None, w, None, CHUNK, NONE)?),
        |r| Ok(r.read(&mut to)?),
    )
}

pub fn sendfile_pipe(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    let mut to = Buffer::new(CHUNK)?;
    through_pipe(
        scene,
        |w| Ok(sendfile(w, &file, None, CHUNK)?),
        |r| Ok(r.read(&mut to)?),
    )
}

pub fn splice_to_file(scene: &mut Scene) -> Result<Done> {
    let file = scene.target()?;
    let from = Buffer::new(CHUNK)?;
    through_pipe(
        scene,
        |w| Ok(w.write(&from)?),
        |r| Ok(splice(r, None, &file, None, CHUNK, NONE)?),
    )
}

pub fn tee(scene: &mut Scene) -> Result<Done> {
    let (mut second, copy) = files()?;
    let (from, mut to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    through_pipe(
        scene,
        |w| Ok(w.write(&from)?),
        |r| {
            let moved = tee_call(&*r, &copy, CHUNK, NONE)?;
            r.read_exact(&mut to[..moved])?;
            second.read_exact(&mut to[..moved])?;
            Ok(moved)
        },
    )
}

fn put(pipe: &File, memory: &[u8], flags: SpliceFFlags) -> Result<usize> {
    Ok(vmsplice_call(pipe, &[IoSlice::new(memory)], flags)?)
}

pub fn vmsplice(scene: &mut Scene) -> Result<Done> {
    let (from, mut to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    through_pipe(scene, |w| put(w, &from, NONE), |r| Ok(r.read(&mut to)?))
}

/// The pages are given away, and asked to be moved into the file; no file system of today takes them.
pub fn vmsplice_gift(scene: &mut Scene) -> Result<Done> {
    let file = scene.target()?;
    let from = Buffer::new(PAYLOAD)?;
    let mut at = 0;
    through_pipe(
        scene,
        |w| {
            let moved = put(w, &from[at..at + CHUNK], SpliceFFlags::SPLICE_F_GIFT)?;
            at += moved;
            Ok(moved)
        },
        |r| {
            Ok(splice(
                r,
                None,
                &file,
                None,
                CHUNK,
                SpliceFFlags::SPLICE_F_MOVE,
            )?)
        },
    )
}

/// Out of the pipe into memory: `vmsplice` copies.
pub fn vmsplice_out(scene: &mut Scene) -> Result<Done> {
    let (from, to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    through_pipe(scene, |w| Ok(w.write(&from)?), |r| put(r, &to, NONE))
}

/// From a process' own memory: what counts is that one process names memory of another.
pub fn process_vm(scene: &mut Scene) -> Result<Done> {
    let (from, mut to) = (Buffer::new(PAYLOAD)?, Buffer::new(PAYLOAD)?);
    let remote = RemoteIoVec {
        base: from.start().as_ptr() as usize,
        len: PAYLOAD,
    };
    scene.shot(|| {
        let mut local = [IoSliceMut::new(&mut to)];
        let moved = process_vm_readv(Pid::this(), &mut local, &[remote]);
        offered("process_vm_readv", moved)
    })
}

/// Into it: the other direction.
pub fn process_vm_write(scene: &mut Scene) -> Result<Done> {
    let (from, to) = (Buffer::new(PAYLOAD)?, Buffer::new(PAYLOAD)?);
    let remote = RemoteIoVec {
        base: to.start().as_ptr() as usize,
        len: PAYLOAD,
    };
    scene.shot(|| {
        let moved = process_vm_writev(Pid::this(), &[IoSlice::new(&from)], &[remote]);
        offered("process_vm_writev", moved)
    })
}

fn own_memory() -> Result<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .open("/proc/self/mem");
    offered("/proc/self/mem", file.map_err(errno))
}

/// Our own memory: the kernel goes the same way as with another process's.
pub fn proc_mem(scene: &mut Scene) -> Result<Done> {
    let (from, mut to, memory) = (Buffer::new(PAYLOAD)?, Buffer::new(CHUNK)?, own_memory()?);
    let start = from.start().as_ptr() as u64;
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            Ok(memory.read_at(&mut to, start + (PAYLOAD - left) as u64)?)
        })
    })
}

pub fn proc_mem_write(scene: &mut Scene) -> Result<Done> {
    let (from, to, memory) = (Buffer::new(CHUNK)?, Buffer::new(PAYLOAD)?, own_memory()?);
    let start = to.start().as_ptr() as u64;
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            Ok(memory.write_at(&from, start + (PAYLOAD - left) as u64)?)
        })
    })
}

/// The size of a pipe, made to hold [`PAYLOAD`].
pub fn large_pipe() -> Result<(OwnedFd, OwnedFd)> {
    use std::os::fd::AsRawFd;
    let (reader, writer) = pipe()?;
    // SAFETY: an open descriptor; the call takes no memory.
    let set = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, PAYLOAD) };
    nix::errno::Errno::result(set)?;
    Ok((reader, writer))
}
