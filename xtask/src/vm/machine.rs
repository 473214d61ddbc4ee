//! One boot: QEMU with a job, until it powers off or its time is up.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::kernels::{Cpu, Unpacked};
use super::{disks, initramfs};
use crate::command::line;

const STAGE2: &str = include_str!("stage2.sh");
const NFS: &str = include_str!("nfs.sh");

/// A job and the means to run it.
pub struct Machine<'a> {
    pub cache: &'a Path,
    pub kernel: &'a Unpacked,
    /// The folder that the guest sees as `/vm/job`; what is in it is deleted.
    pub folder: PathBuf,
    /// How long a boot may take, its job included.
    pub limit: Duration,
    /// Use KVM rather than emulate the processor.
    pub kvm: bool,
    /// Words more on the kernel's command line.
    pub boot: &'a str,
    /// What runs in a machine of another processor.
    pub bytehop: &'a Path,
}

impl Machine<'_> {
    /// Boots, runs `job` (a script for `sh`) as root on the host's root file system, and prints what
    /// it prints. In the folder it leaves `out`, `console.log`, `dmesg`, and whatever it put there.
    ///
    /// Returns the job's exit status, or nothing if the machine ended or was stopped before it.
    ///
    /// # Errors
    /// If the machine can't be started.
    pub fn run(&self, job: &str) -> Result<Option<i32>> {
        let _lock = self.lock()?;
        self.prepare(job)?;
        let folder = self.folder.as_path();
        let console = folder.join("console.log");
        let mut qemu = self.qemu(folder)?;
        qemu.stdin(Stdio::null());
        let mut child = qemu
            .spawn()
            .with_context(|| format!("cannot start {}", line(&qemu)))
            .context("QEMU (`cargo xtask setup` installs it)")?;
        let start = Instant::now();
        let mut out = Follow::default();
        let ended = loop {
            out.show(&folder.join("out"))?;
            if child.try_wait()?.is_some() {
                break true;
            }
            if start.elapsed() > self.limit {
                child.kill()?;
                child.wait()?;
                break false;
            }
            sleep(Duration::from_millis(200));
        };
        out.show(&folder.join("out"))?;
        let status = fs::read_to_string(folder.join("status"));
        let status = status.ok().and_then(|status| status.trim().parse().ok());
        if !ended {
            println!("stopped after {} s", self.limit.as_secs());
        }
        if status.is_none() {
            println!("no result; the console is in {}", console.display());
        }
        Ok(status)
    }

    /// Its folder's path with something behind it.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.folder.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    /// Held while a machine has the folder.
    fn lock(&self) -> Result<File> {
        let path = self.beside(".lock");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another run of this kernel is under way: it holds {} (XDG_CACHE_HOME names another cache)",
                path.display()
            ),
            Err(TryLockError::Error(e)) => Err(e).with_context(|| path.display().to_string()),
        }
    }

    /// Makes the folder anew.
    fn prepare(&self, job: &str) -> Result<()> {
        let folder = &self.folder;
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let disks: Vec<String> = match self.kernel.cpu {
            Cpu::X86_64 => disks::labels().collect(),
            Cpu::Aarch64 => disks::ONCE.iter().map(|disk| (*disk).to_owned()).collect(),
        };
        let modules = self.kernel.modules.display().to_string();
        for (name, content) in [
            ("job.sh", job),
            ("stage2.sh", STAGE2),
            ("nfs.sh", NFS),
            ("modules", &modules),
            ("release", &self.kernel.release),
            ("disks", &disks.join("\n")),
        ] {
            fs::write(folder.join(name), content)?;
        }
        let initramfs = match self.kernel.cpu {
            Cpu::X86_64 => initramfs::build(self.kernel)?,
            Cpu::Aarch64 => initramfs::whole(self.kernel, self.bytehop, self.cache)?,
        };
        fs::write(folder.join("initramfs"), initramfs)?;
        Ok(())
    }

    fn qemu(&self, folder: &Path) -> Result<Command> {
        let cpu = self.kernel.cpu;
        let mut qemu = Command::new(format!("qemu-system-{}", cpu.name()));
        let share = |path: &Path, tag: &str, more: &str| {
            let path = path.display();
            format!("local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}")
        };
        qemu.args(["-no-user-config", "-nodefaults", "-machine"]);
        let (machine, processor, memory, console) = match cpu {
            Cpu::X86_64 => ("q35", "max", "1G", "ttyS0"),
            // The signatures of pointers as the architecture has them take most of the time.
            Cpu::Aarch64 => ("virt", "max,pauth-impdef=on", "2G", "ttyAMA0"),
        };
        qemu.arg(machine);
        qemu.args(match (self.kvm, cpu) {
            (true, _) => ["-accel", "kvm"],
            // With a thread for each processor, emulation loses a race now and then against a kernel that
            // patches its own code (which attaching a probe makes it do): "Oops: int3".
            (false, Cpu::X86_64) => ["-accel", "tcg,thread=single"],
            (false, Cpu::Aarch64) => ["-accel", "tcg,thread=multi"],
        });
        qemu.args(["-cpu", processor, "-smp", "2", "-m", memory]);
        qemu.args(["-display", "none", "-monitor", "none", "-no-reboot"]);
        qemu.args(["-device", "virtio-rng-pci"]);
        qemu.arg("-serial")
            .arg(format!("file:{}", folder.join("console.log").display()));
        qemu.arg("-kernel").arg(&self.kernel.image);
        qemu.arg("-initrd").arg(folder.join("initramfs"));
        let always = "loglevel=5 panic=-1 no_timer_check";
        qemu.arg("-append")
            .arg(format!("console={console} {always} {}", self.boot));
        if cpu == Cpu::X86_64 {
            qemu.arg("-virtfs")
                .arg(share(Path::new("/"), "root", ",readonly=on"));
        }
        qemu.arg("-virtfs").arg(share(folder, "job", ""));
        // Beyond the network card one peer that swallows what it is sent, one that sends it back, and no way to anywhere
        // else.
        qemu.args([
            "-netdev",
            "user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:9-null,guestfwd=tcp:10.0.2.100:7-cmd:cat",
            "-device",
            "e1000e,netdev=net",
        ]);
        qemu.args(disks::arguments(cpu, self.cache)?);
        if self.kvm && File::options().write(true).open("/dev/kvm").is_err() {
            bail!("--kvm: /dev/kvm can't be opened");
        }
        Ok(qemu)
    }
}

/// Shows a file as it grows.
#[derive(Default)]
struct Follow(u64);

impl Follow {
    fn show(&mut self, path: &Path) -> Result<()> {
        let Ok(mut file) = File::open(path) else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(self.0))?;
        let mut new = Vec::new();
        self.0 += file.read_to_end(&mut new)? as u64;
        std::io::stdout().write_all(&new)?;
        Ok(())
    }
}
