//! Write-back that nobody asks for: because time has passed, and because memory is short. A kernel worker
//! does it; the hop is still the writer's.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::MapFlags;

use crate::scene::{
    Buffer, CHUNK, Done, PAGE, PAYLOAD, Scene, anonymous, errno, not_offered, offered, pieces,
};

/// Longest that write-back by time is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a disk may take, on top.
const SLACK: Duration = Duration::from_secs(2);

pub fn by_time(scene: &mut Scene) -> Result<Done> {
    let (every, expire) = (
        sysctl("dirty_writeback_centisecs")?,
        sysctl("dirty_expire_centisecs")?,
    );
    // A worker looks every so often for what is old enough, and may have just looked.
    let wait = expire + 2 * every;
    if every.is_zero() || wait > PATIENCE {
        let seconds = wait.as_secs();
        return not_offered(format!(
            "it would take up to {seconds} s (vm.dirty_expire_centisecs, vm.dirty_writeback_centisecs)"
        ));
    }
    let mut file = scene.target()?;
    let buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        let done = pieces(PAYLOAD, |_| Ok(file.write(&buffer)?))?;
        until(wait, || is_clean(&file))?;
        Ok(done)
    })
}

fn sysctl(name: &str) -> Result<Duration> {
    let text = fs::read_to_string(Path::new("/proc/sys/vm").join(name))?;
    Ok(Duration::from_millis(10 * text.trim().parse::<u64>()?))
}

/// In a control group of its own, the program asks for more memory than the group may have.
pub fn by_memory(scene: &mut Scene) -> Result<Done> {
    const ROOM: usize = 4 * PAYLOAD;
    const STEP: usize = PAYLOAD / 4;
    const MOST: usize = ROOM + 2 * STEP;
    let group = Group::new(ROOM)?;
    let mut file = scene.target()?;
    let buffer = Buffer::new(CHUNK)?;
    group.enter()?;
    let more = anonymous(MOST, MapFlags::MAP_PRIVATE)?;
    scene.shot(|| {
        let done = pieces(PAYLOAD, |_| Ok(file.write(&buffer)?))?;
        let clean = || Ok(is_clean(&file)?.or_else(|| group.is_clean()));
        for start in (0..MOST).step_by(STEP) {
            if clean()? == Some(true) {
                break;
            }
            for at in (start..start + STEP).step_by(PAGE) {
                // SAFETY: inside the mapping.
                unsafe { more.add(at).write_volatile(1) };
            }
        }
        until(Duration::ZERO, clean)?;
        Ok(done)
    })
}

/// Waits until a file is on its disk, which takes the kernel `wait` at most before it begins.
fn until(wait: Duration, is_clean: impl Fn() -> Result<Option<bool>>) -> Result<()> {
    let begin = Instant::now();
    let over = || begin.elapsed() > wait + SLACK;
    while !is_clean()?.unwrap_or_else(over) {
        ensure!(
            begin.elapsed() < 2 * PATIENCE,
            "the kernel does not write back"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether none of the file's pages in memory is dirty, or on its way to the disk; nothing where the kernel
/// does not tell (`cachestat`, Linux 6.5; overlayfs keeps no pages of its own).
fn is_clean(file: &File) -> Result<Option<bool>> {
    const CACHESTAT: libc::c_long = 451;
    /// All of the file.
    const RANGE: [u64; 2] = [0, 0];
    // `struct cachestat`: cache, dirty, writeback, evicted, recently evicted; pages.
    let mut pages = [0_u64; 5];
    // SAFETY: both structures live through the call.
    let asked = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            RANGE.as_ptr(),
            pages.as_mut_ptr(),
            0,
        )
    };
    match Errno::result(asked) {
        Err(Errno::ENOSYS) => Ok(None),
        Err(errno) => Err(errno.into()),
        Ok(_) if pages[0] == 0 && pages[3] == 0 => Ok(None),
        Ok(_) => Ok(Some(pages[1] == 0 && pages[2] == 0)),
    }
}

/// A control group (v2) beside our own, which is removed in the end.
struct Group {
    home: PathBuf,
    path: PathBuf,
}

impl Group {
    /// One that may have `room` bytes, and no swap.
    fn new(room: usize) -> Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
        let home = Path::new("/sys/fs/cgroup").join(own.context("no control group")?);
        let root = home.join("cgroup.type").exists().then(|| home.parent());
        let parent = root.flatten().unwrap_or(&home);
        let given = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
        if !given
            .split_whitespace()
            .any(|controller| controller == "memory")
        {
            return not_offered("control groups (v2) can't limit memory here");
        }
        let path = parent.join(format!("bytehop-verify-{}", std::process::id()));
        offered("a control group", fs::create_dir(&path).map_err(errno))?;
        let group = Self { home, path };
        // Without swap there is no such file.
        let _ = group.set("memory.swap.max", "0");
        group.set("memory.high", &room.to_string())?;
        Ok(group)
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        offered(name, fs::write(self.path.join(name), value).map_err(errno))
    }

    fn enter(&self) -> Result<()> {
        self.set("cgroup.procs", "0")
    }

    /// Whether no page of a file that it was charged for is dirty, or on its way to a disk; nothing where
    /// the kernel does not tell.
    fn is_clean(&self) -> Option<bool> {
        let stat = fs::read_to_string(self.path.join("memory.stat")).ok()?;
        let bytes = |name: &str| {
            let line = stat.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<u64>().ok()
        };
        Some(bytes("file_dirty ")? + bytes("file_writeback ")? == 0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What fails here leaves an empty group.
        let _ = fs::write(self.home.join("cgroup.procs"), "0");
        let _ = fs::remove_dir(&self.path);
    }
}
