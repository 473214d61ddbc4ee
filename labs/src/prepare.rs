//! Files that a program works on, made before it starts; all is removed on drop.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::socket::sockopt::TcpUlp;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket};
use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tracer::device::Sysfs;
use tracer::user::Identity;

use crate::own::tidy::{Thing, Tidy};
use crate::runs::PrepareError;
use crate::spec::{Cache, Fill, Need, On, Program, Spec, braced};
use bytehop_core::expr::Scope;

/// On a disk, as a rule. `BYTEHOP_LABS_DISK` names another folder.
const DISK: &str = "/var/tmp";
/// The largest file that a lab may want: its author may be a stranger.
const SIZE_MAX: u64 = 4 << 30;
const TMPFS: &str = "/dev/shm";

/// The folder for files on a disk.
fn disk() -> String {
    std::env::var("BYTEHOP_LABS_DISK").unwrap_or_else(|_| DISK.to_owned())
}

/// The folder for files on a disk, and that disk: none if the folder is in memory.
pub fn disk_below() -> (String, Option<bytehop_core::event::Device>) {
    let folder = disk();
    let here = match is_in_memory(Path::new(&folder)) {
        true => None,
        false => nix::sys::stat::stat(Path::new(&folder)).ok(),
    };
    let disk = here.map(|stat| Sysfs::host().block(tracer::device::number(stat.st_dev)));
    (folder, disk)
}

/// What a program works on.
pub struct Prepared {
    /// Devices, in the order in which they were made; undone before the folders go.
    devices: Vec<Device>,
    dir: Folder,
    /// On tmpfs, if anything is.
    shm: Option<Folder>,
    /// By name: paths.
    paths: BTreeMap<String, PathBuf>,
}

/// A folder that is removed on drop, or when we are gone.
struct Folder {
    dir: TempDir,
    tidy: Tidy,
}

impl Folder {
    fn new(base: &str, identity: &Identity, tidy: &Tidy) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.permissions(fs::Permissions::from_mode(0o700));
        let made = || builder.prefix("bytehop-lab-").tempdir_in(base);
        let dir = identity.with_file_rights(made)?;
        tidy.made(Thing::Folder, dir.path());
        Ok(Self {
            dir,
            tidy: tidy.clone(),
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is tried again when we are gone.
        if fs::remove_dir_all(self.dir.path()).is_ok() {
            self.tidy.gone(Thing::Folder, self.dir.path());
        }
    }
}

struct Device {
    path: PathBuf,
    thing: Thing,
    owner: (u32, u32),
    tidy: Tidy,
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = std::os::unix::fs::chown(&self.path, Some(self.owner.0), Some(self.owner.1));
        let undone = self.thing.undo(&self.path).map(|mut undo| undo.output());
        if matches!(undone, Some(Ok(output)) if output.status.success()) {
            self.tidy.gone(self.thing, &self.path);
        }
    }
}

impl Prepared {
    /// Makes the files of a lab, random data from `payload`.
    ///
    /// # Errors
    /// If there is no room, or no right to make a device.
    pub fn new(
        spec: &Spec,
        program: &Program,
        params: &Scope<'_>,
        payload: u64,
        identity: &Identity,
        tidy: &Tidy,
    ) -> Result<Self, PrepareError> {
        let wanted = |file: &crate::spec::File| {
            let mut names = program.args.iter().flat_map(|arg| braced(arg));
            names.any(|name| name == file.name)
        };
        let on_shm = spec.files.iter().any(|file| file.on == On::Tmpfs);
        let mut prepared = Self {
            devices: Vec::new(),
            dir: Folder::new(&disk(), identity, tidy)?,
            shm: None,
            paths: BTreeMap::new(),
        };
        if on_shm {
            prepared.shm = Some(Folder::new(TMPFS, identity, tidy)?);
        }
        identity.with_file_rights(|| fs::create_dir(prepared.out()))?;
        for (i, file) in spec
            .files
            .iter()
            .enumerate()
            .filter(|(_, file)| wanted(file))
        {
            let size = file.size.eval(params);
            let size = size
                .map_err(|_| PrepareError::Size(file.name.clone()))?
                .number as u64;
            if size > SIZE_MAX {
                return Err(PrepareError::Size(file.name.clone()));
            }
            let shm = prepared.shm.as_ref().map(|shm| shm.dir.path());
            let folder = match file.on {
                On::Tmpfs => shm.unwrap_or(prepared.dir.dir.path()),
                On::Disk | On::Loop | On::Zram => prepared.dir.dir.path(),
            };
            let mut path = folder.join(&file.name);
            let random = file.fill == Fill::Random;
            let seed = payload.wrapping_add(i as u64);
            if random && file.on != On::Zram {
                identity.with_file_rights(|| write_random(File::create(&path)?, size, seed))?;
            }
            match file.on {
                On::Loop => path = prepared.loop_device(&path, identity)?,
                On::Zram => path = prepared.zram(size, seed, random, identity)?,
                On::Disk | On::Tmpfs => {}
            }
            if random && file.on != On::Tmpfs {
                let cache = program.cache.unwrap_or(file.cache);
                identity.with_file_rights(|| set_cache(&path, cache))?;
            }
            prepared.paths.insert(file.name.clone(), path);
        }
        Ok(prepared)
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        self.dir.dir.path()
    }

    /// The folder for a program's output.
    pub fn out(&self) -> PathBuf {
        self.dir.dir.path().join("out")
    }

    /// A program's arguments, with paths and parameters filled in.
    pub fn args(&self, program: &Program, params: &Scope<'_>) -> Vec<String> {
        let args = program.args.iter();
        args.map(|arg| {
            let mut filled = arg.clone();
            for name in braced(arg) {
                let value = match (name, self.paths.get(name), params.get(name)) {
                    ("out", ..) => self.out().display().to_string(),
                    (_, Some(path), _) => path.display().to_string(),
                    (_, None, Some(value)) => format!("{}", value.number),
                    (_, None, None) => continue,
                };
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
            filled
        })
        .collect()
    }

    fn device(
        &mut self,
        what: &'static str,
        made: io::Result<std::process::Output>,
        thing: Thing,
        identity: &Identity,
    ) -> Result<PathBuf, PrepareError> {
        let output = made.map_err(|source| PrepareError::Device { what, source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or_default().to_owned();
            return Err(PrepareError::Tool { what, said });
        }
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        self.dir.tidy.made(thing, &path);
        let owner = fs::metadata(&path)?;
        self.devices.push(Device {
            path: path.clone(),
            thing,
            owner: (owner.uid(), owner.gid()),
            tidy: self.dir.tidy.clone(),
        });
        if let Some(user) = &identity.credentials {
            std::os::unix::fs::chown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(path)
    }

    fn loop_device(&mut self, file: &Path, identity: &Identity) -> Result<PathBuf, PrepareError> {
        let made = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(file)
            .output();
        self.device("loop", made, Thing::Loop, identity)
    }

    fn zram(
        &mut self,
        size: u64,
        seed: u64,
        random: bool,
        identity: &Identity,
    ) -> Result<PathBuf, PrepareError> {
        let size_text = size.to_string();
        let made = Command::new("zramctl")
            .args(["--find", "--size", &size_text])
            .output();
        let path = self.device("zram", made, Thing::Zram, identity)?;
        if random {
            identity.with_file_rights(|| {
                write_random(File::options().write(true).open(&path)?, size, seed)
            })?;
        }
        Ok(path)
    }
}

/// Random bytes that a seed decides: splitmix64 (Steele, Lea, Flood, 2014).
fn write_random(file: File, size: u64, seed: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    let mut state = seed;
    let mut left = size;
    while left > 0 {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bytes = (z ^ z >> 31).to_le_bytes();
        let n = left.min(8) as usize;
        out.write_all(&bytes[..n])?;
        left -= n as u64;
    }
    out.flush()?;
    drop(out);
    file.sync_all()
}

/// Brings a file into the page cache, or puts it out of it. The caches of others stay.
fn set_cache(path: &Path, cache: Cache) -> io::Result<()> {
    let mut file = File::open(path)?;
    match cache {
        Cache::Cold => {
            file.sync_all()?;
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
        Cache::Warm => {
            io::copy(&mut file, &mut io::sink())?;
        }
    }
    Ok(())
}

/// A hash of what a program wrote: its standard output, and the files in its folder.
///
/// # Errors
/// If something cannot be read.
pub fn hash_output(stdout: &Path, out: &Path, identity: &Identity) -> io::Result<[u8; 32]> {
    identity.with_file_rights(|| {
        let mut hash = Sha256::new();
        add_file(&mut hash, stdout)?;
        let mut names: Vec<PathBuf> = fs::read_dir(out)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<_>>()?;
        names.sort();
        for path in names {
            hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
            hash.update([0]);
            if path.is_file() {
                add_file(&mut hash, &path)?;
            }
        }
        Ok(hash.finalize().into())
    })
}

fn add_file(hash: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0u64;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        size += n as u64;
        hash.update(&buffer[..n]);
    }
    hash.update(size.to_le_bytes());
    Ok(())
}

/// Why this machine lacks what a program needs; `None` if it is there.
pub fn unmet(need: Need, level: Option<&str>, identity: &Identity) -> Option<String> {
    let tool = |name: &str| {
        let here = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        here.iter().any(|dir| Path::new(dir).join(name).exists())
    };
    let root = nix::unistd::geteuid().is_root();
    match need {
        Need::Recorded => Some("this part is only shown from a recording".to_owned()),
        Need::IoUring => io_uring::IoUring::new(2)
            .err()
            .map(|e| format!("io_uring is not available here: {e}")),
        Need::Disk => {
            let disk = disk();
            is_in_memory(Path::new(&disk)).then(|| format!("{disk} is not on a disk"))
        }
        Need::Loop if !root => Some("a loop device needs root".to_owned()),
        Need::Loop => (!tool("losetup") || !Path::new("/dev/loop-control").exists())
            .then(|| "this kernel or system has no loop devices".to_owned()),
        Need::Zram if !root => Some("a zram device needs root".to_owned()),
        Need::Zram => (!tool("zramctl") || !Path::new("/sys/class/zram-control").exists())
            .then(|| "this kernel or system has no zram devices".to_owned()),
        Need::Reflink => (!can_reflink(identity))
            .then(|| format!("the file system of {} cannot share extents", disk())),
        Need::Ktls => (!has_ktls()).then(|| "this kernel has no TLS (kTLS)".to_owned()),
        Need::PolledDisk => (!has_polled_disk())
            .then(|| format!("the disk of {} has no queue that can be polled", disk())),
        Need::LevelF => (!matches!(level, Some("F" | "B"))).then(|| at_level("F")),
        Need::LevelB => (level != Some("B")).then(|| at_level("B")),
    }
}

fn at_level(level: &str) -> String {
    format!("this kernel does not let us measure at level {level}")
}

fn is_in_memory(path: &Path) -> bool {
    const RAMFS_MAGIC: FsType = FsType(0x8584_58F6);
    statfs(path).is_ok_and(|fs| [TMPFS_MAGIC, RAMFS_MAGIC].contains(&fs.filesystem_type()))
}

/// Whether the kernel has TLS for its sockets. For root it loads the module when it is asked; ordinary users, whose
/// programs the learner's are, only find what is loaded.
fn has_ktls() -> bool {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    );
    // On a socket without a connection it is refused in any case, but not as unknown.
    let asked = socket.and_then(|socket| setsockopt(&socket, TcpUlp::default(), b"tls"));
    matches!(asked, Ok(()) | Err(Errno::ENOTCONN))
}

/// Whether the block device below the working files has a queue for requests that end without an interrupt.
fn has_polled_disk() -> bool {
    let Ok(found) = fs::metadata(disk()) else {
        return false;
    };
    let (major, minor) = (
        nix::sys::stat::major(found.dev()),
        nix::sys::stat::minor(found.dev()),
    );
    let device = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    // A partition has the queue of its disk.
    let queues = [device.join("queue"), device.join("../queue")];
    let mut polled = queues
        .iter()
        .map(|queue| fs::read_to_string(queue.join("io_poll")));
    polled.any(|said| said.is_ok_and(|said| said.trim() == "1"))
}

fn can_reflink(identity: &Identity) -> bool {
    let try_it = || -> io::Result<bool> {
        let dir = identity.with_file_rights(|| tempfile::tempdir_in(disk()))?;
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        identity.with_file_rights(|| fs::write(&a, [0; 4096]))?;
        let output = Command::new("cp")
            .arg("--reflink=always")
            .args([&a, &b])
            .output()?;
        Ok(output.status.success())
    };
    try_it().unwrap_or(false)
}
