//! Debian's stock kernels: found, downloaded and unpacked into the cache, never installed.
//!
//! apt works with a configuration, lists and archives of its own, in the cache: the machine's own
//! sources and packages stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::command::{output, run};

/// A kernel to test on.
#[derive(Debug)]
pub struct Kernel {
    /// As on the command line, and the column's heading.
    pub name: &'static str,
    /// The suites that have it, as in `sources.list`.
    suites: &'static [Suite],
    /// What its packages' names begin with; they end in `-amd64` or another architecture.
    packages: &'static [&'static str],
    /// What follows the architecture in their names.
    flavour: &'static str,
    /// There is none for others.
    cpus: &'static [Cpu],
}

type Suite = (&'static str, &'static str);

/// A processor to emulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpu {
    X86_64,
    Aarch64,
}

impl Cpu {
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// As `uname -m` says.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// As Debian calls it.
    pub fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// What the folders of its kernels, jobs and results are called.
    pub fn folder(self, kernel: &str) -> String {
        match self {
            Self::X86_64 => kernel.to_owned(),
            Self::Aarch64 => format!("{}-{kernel}", self.debian()),
        }
    }
}

const DEBIAN: &str = "http://deb.debian.org/debian";
const SECURITY: &str = "http://deb.debian.org/debian-security";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Oldest first.
pub const KERNELS: &[Kernel] = &[
    Kernel {
        name: "6.1",
        suites: &[(DEBIAN, "bookworm"), (SECURITY, "bookworm-security")],
        packages: &["linux-image-6.1.0-"],
        flavour: "",
        cpus: &Cpu::ALL,
    },
    Kernel {
        name: "6.12",
        suites: &[(DEBIAN, "bookworm-backports")],
        packages: &["linux-image-6.12."],
        flavour: "",
        cpus: &Cpu::ALL,
    },
    // With pages of 16 KiB.
    Kernel {
        name: "6.12-16k",
        suites: &[(DEBIAN, "bookworm-backports")],
        packages: &["linux-image-6.12."],
        flavour: "-16k",
        cpus: &[Cpu::Aarch64],
    },
    Kernel {
        name: "7.2",
        suites: &[(DEBIAN, "sid")],
        packages: &["linux-binary-7.2.", "linux-modules-7.2."],
        flavour: "",
        cpus: &Cpu::ALL,
    },
];

/// What a machine of another processor has beside our own program: a shell with all that belongs to it, and `ip`.
const PROGRAMS: &[&str] = &[
    "busybox-static",
    "iproute2",
    "libbpf1",
    "libbsd0",
    "libc6",
    "libcap2",
    "libdb5.3",
    "libelf1",
    "libmd0",
    "libmnl0",
    "libpcre2-8-0",
    "libselinux1",
    "libtirpc3",
    "libgssapi-krb5-2",
    "libkrb5-3",
    "libk5crypto3",
    "libcom-err2",
    "libkrb5support0",
    "libkeyutils1",
    "libxtables12",
    "zlib1g",
];
const PROGRAMS_SUITES: &[Suite] = &[(DEBIAN, "bookworm")];

/// A kernel on the disk.
#[derive(Debug)]
pub struct Unpacked {
    pub cpu: Cpu,
    /// As `uname -r` says.
    pub release: String,
    pub image: PathBuf,
    /// `modules.dep` and all the modules.
    pub modules: PathBuf,
}

impl Kernel {
    /// Whether `uname -r` says this of it.
    pub fn is(&self, cpu: Cpu, release: &str) -> bool {
        let number = self.name.trim_end_matches(self.flavour);
        // 6.12 is none of 6.1.
        let rest = release.strip_prefix(number);
        rest.is_some_and(|rest| rest.starts_with('.')) && release.ends_with(&self.ending(cpu))
    }

    /// What its packages' names and its release end in.
    fn ending(&self, cpu: Cpu) -> String {
        format!("-{}{}", cpu.debian(), self.flavour)
    }

    /// Whether there is one for this processor.
    pub fn is_for(&self, cpu: Cpu) -> bool {
        self.cpus.contains(&cpu)
    }

    /// The kernel from the cache, downloaded if it is not there or `update` asks for the newest.
    ///
    /// # Errors
    /// If its packages can't be had.
    pub fn unpacked(&self, cpu: Cpu, cache: &Path, update: bool) -> Result<Unpacked> {
        let name = cpu.folder(self.name);
        let folder = cache.join("kernels").join(&name);
        if update || !folder.exists() {
            self.download(cpu, cache, &folder)
                .with_context(|| format!("kernel {name}"))?;
        }
        let modules = fs::read_dir(folder.join("lib/modules"))?
            .next()
            .ok_or_else(|| anyhow!("{}: no modules; delete it", folder.display()))??;
        Ok(Unpacked {
            cpu,
            release: modules.file_name().to_string_lossy().into_owned(),
            image: folder.join("vmlinuz"),
            modules: modules.path(),
        })
    }

    fn download(&self, cpu: Cpu, cache: &Path, folder: &Path) -> Result<()> {
        let apt = Apt::new(cache, &cpu.folder(self.name), cpu, self.suites)?;
        let packages = apt.newest(self.packages, &self.ending(cpu))?;
        apt.unpack(cache, &packages, folder, tidy)
    }
}

/// Debian's programs for another processor: the folder that they are in, unpacked.
///
/// # Errors
/// If they can't be had.
pub fn programs(cpu: Cpu, cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("programs").join(cpu.debian());
    if !folder.exists() {
        let apt = Apt::new(cache, &cpu.folder("programs"), cpu, PROGRAMS_SUITES)?;
        let packages: Vec<String> = PROGRAMS.iter().map(|name| (*name).to_owned()).collect();
        apt.unpack(cache, &packages, &folder, |_| Ok(()))
            .with_context(|| format!("programs for {}", cpu.debian()))?;
    }
    Ok(folder)
}

/// Brings both layouts of Debian's packages (`/boot` and `/lib`; all in `/usr/lib/modules`) into one:
/// `vmlinuz` and `lib/modules/RELEASE`; and makes `modules.dep`.
fn tidy(folder: &Path) -> Result<()> {
    let lib = folder.join("lib");
    if !lib.exists() {
        fs::rename(folder.join("usr/lib"), &lib)?;
    }
    let release = fs::read_dir(lib.join("modules"))?
        .next()
        .ok_or_else(|| anyhow!("a package without modules"))??;
    let name = release.file_name().to_string_lossy().into_owned();
    let images = [
        release.path().join("vmlinuz"),
        folder.join(format!("boot/vmlinuz-{name}")),
    ];
    let image = images.iter().find(|image| image.exists());
    let image = image.ok_or_else(|| anyhow!("a package without a kernel image"))?;
    fs::rename(image, folder.join("vmlinuz"))?;
    run(Command::new("depmod").arg("-b").arg(folder).arg(&name))
}

/// apt with its own configuration.
struct Apt {
    folder: PathBuf,
    arch: &'static str,
}

impl Apt {
    fn new(cache: &Path, name: &str, cpu: Cpu, suites: &[Suite]) -> Result<Self> {
        let folder = cache.join("apt").join(name);
        for sub in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(folder.join(sub))?;
        }
        if !Path::new(KEYS).exists() {
            bail!("no {KEYS}: install debian-archive-keyring");
        }
        let arch = cpu.debian();
        let sources: String = suites
            .iter()
            .map(|(url, suite)| format!("deb [arch={arch} signed-by={KEYS}] {url} {suite} main\n"))
            .collect();
        fs::write(folder.join("sources.list"), sources)?;
        let apt = Self { folder, arch };
        run(apt.get("apt-get").args(["update", "-qq"]))?;
        Ok(apt)
    }

    fn get(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("APT::Architecture={}", self.arch),
            format!("APT::Architectures={}", self.arch),
            // What is installed here has nothing to do with it.
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Etc::sourcelist={folder}/sources.list"),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State::lists={folder}/lists"),
            format!("Dir::Cache={folder}"),
            "APT::Update::Post-Invoke::=true".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ] {
            apt.args(["-o", &option]);
        }
        apt
    }

    /// Downloads packages and unpacks them into a folder that is new, once `tidy` is done with it.
    fn unpack(
        &self,
        cache: &Path,
        packages: &[String],
        folder: &Path,
        tidy: impl Fn(&Path) -> Result<()>,
    ) -> Result<()> {
        println!("downloading {}", packages.join(" "));
        // A folder of this process' own: another may be downloading, too.
        let own = cache.join(format!("download-{}", std::process::id()));
        let (debs, unpacking) = (own.join("debs"), own.join("unpacked"));
        let parent = folder.parent().unwrap_or(cache);
        for new in [debs.as_path(), &unpacking, parent] {
            fs::create_dir_all(new)?;
        }
        run(self
            .get("apt-get")
            .args(["download", "-qq"])
            .args(packages)
            .current_dir(&debs))?;
        for deb in fs::read_dir(&debs)? {
            run(Command::new("dpkg-deb")
                .arg("-x")
                .arg(deb?.path())
                .arg(&unpacking))?;
        }
        tidy(&unpacking)?;
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::rename(&unpacking, folder)?;
        Ok(fs::remove_dir_all(&own)?)
    }

    /// The newest package for each beginning of a name: all of the same version.
    fn newest(&self, beginnings: &[&str], ending: &str) -> Result<Vec<String>> {
        let names = output(self.get("apt-cache").args(["pkgnames", "linux-"]))?;
        beginnings
            .iter()
            .map(|beginning| {
                let versions = names
                    .lines()
                    .filter_map(|name| name.strip_prefix(beginning)?.strip_suffix(ending))
                    // Flavours have a word more: `cloud`, `rt`.
                    .filter(|version| !version.contains('-'));
                let newest = versions.max_by_key(|version| numbers(version));
                let version = newest.ok_or_else(|| {
                    anyhow!("Debian has no {beginning}…{ending} where it used to be")
                })?;
                Ok(format!("{beginning}{version}{ending}"))
            })
            .collect()
    }
}

/// The numbers in a version, to compare by.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("12.117+deb12") > numbers("12.95+deb12"));
        assert!(numbers("90+deb12.1") > numbers("90+deb12"));
    }

    #[test]
    fn a_release_is_of_one_kernel() {
        use super::Cpu::{Aarch64, X86_64};
        let of = |cpu, release: &str| -> Vec<&str> {
            let kernels = super::KERNELS.iter().filter(|k| k.is(cpu, release));
            kernels.map(|kernel| kernel.name).collect()
        };
        assert_eq!(of(X86_64, "6.1.0-40-amd64"), ["6.1"]);
        assert_eq!(of(X86_64, "6.12.43+deb12-amd64"), ["6.12"]);
        assert_eq!(of(Aarch64, "6.12.43+deb12-arm64"), ["6.12"]);
        assert_eq!(of(Aarch64, "6.12.43+deb12-arm64-16k"), ["6.12-16k"]);
        assert_eq!(of(X86_64, "7.2.3-arm64"), [""; 0]);
    }
}
