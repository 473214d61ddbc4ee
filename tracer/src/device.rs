//! What a device is: does it move bytes by itself?
//!
//! sysfs tells, by the first controller above the disk or interface: its bus and its driver.
//!
//! - **Paravirtual** is a device that only a hypervisor offers (virtio, Xen, Hyper-V, VMware's own,
//!   Google's gve). This machine's CPU is free of the copy; the host may copy, unseen.
//! - **Hardware** is every other device on a real bus. This includes what a cloud passes through
//!   (Nitro's NVMe and ENA are PCI functions with DMA engines) and also what a hypervisor emulates
//!   in full (QEMU's AHCI, e1000e): from inside these cannot be told apart.
//! - **Software** has no engine: a CPU does the work (loop, zram, lo, veth, persistent memory), or
//!   it hands the work to other devices (dm, md, bridge, bond, nbd), which appear on their own.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use bytehop_core::counters;
use bytehop_core::event::{Device, DeviceClass, Engine};
use nix::libc::dev_t;
use nix::sys::stat::{major, minor};

/// A device number as the kernel has it within: major << 20 | minor (include/linux/kdev_t.h).
pub fn number(dev: dev_t) -> u32 {
    ((major(dev) << 20) | minor(dev)) as u32
}

/// A view of sysfs.
#[derive(Clone, Debug)]
pub struct Sysfs {
    root: PathBuf,
}

/// Drivers of what hangs on a controller: the controller behind them decides.
const UPPER_DRIVERS: [&str; 5] = ["sd", "sr", "mmcblk", "ses", "scsi_dh"];

/// Buses whose devices exist only under a hypervisor.
const PARAVIRTUAL_BUSES: [&str; 3] = ["virtio", "xen", "vmbus"];

/// Drivers of devices that a hypervisor offers on an ordinary bus.
const PARAVIRTUAL_DRIVERS: [&str; 4] = ["vmw_pvscsi", "vmxnet3", "gve", "ibmvscsi"];

/// Buses on which the CPU itself does the transfer: persistent memory, raw flash, `scsi_debug`.
const SOFTWARE_BUSES: [&str; 3] = ["nd", "mtd", "pseudo"];

/// Kernel names of devices without hardware (digits left out), and their drivers.
const VIRTUAL_DRIVERS: &[(&str, &str)] = &[
    ("dm-", "device-mapper"),
    ("dummy", "dummy"),
    ("ifb", "ifb"),
    ("lo", "loopback"),
    ("loop", "loop"),
    ("md", "md"),
    ("nbd", "nbd"),
    ("nullb", "null_blk"),
    ("ram", "brd"),
    ("sit", "sit"),
    ("tap", "tun"),
    ("tun", "tun"),
    ("veth", "veth"),
    ("wg", "wireguard"),
    ("zram", "zram"),
];

/// A device with a driver, on a bus.
struct Controller {
    driver: String,
    bus: String,
}

impl Sysfs {
    /// This machine's.
    pub fn host() -> Self {
        Self::at("/sys")
    }

    /// A tree elsewhere.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// As a process sees it. Interfaces belong to a network namespace, and sysfs shows those of the
    /// namespace in which it was mounted: for a process in another one, ask through its own root.
    pub fn of_process(pid: u32) -> Self {
        let namespace = |who: &str| fs::read_link(format!("/proc/{who}/ns/net")).ok();
        let theirs = namespace(&pid.to_string());
        if theirs.is_none() || theirs == namespace("self") {
            return Self::host();
        }
        Self::at(format!("/proc/{pid}/root/sys"))
    }

    /// The disk with this device number (or the disk of this partition), in the kernel's encoding:
    /// major << 20 | minor.
    pub fn block(&self, dev: u32) -> Device {
        let (major, minor) = (dev >> 20, dev & 0xf_ffff);
        let number = format!("{major}:{minor}");
        match self.resolve(&self.root.join("dev/block").join(&number)) {
            Some(path) => self.disk(&path, dev),
            None => unknown(DeviceClass::Block, number, dev),
        }
    }

    /// The network interface with this name and index.
    ///
    /// Both must match, or it is one of another network namespace, of which nothing is known but
    /// its name: only `lo` is sure.
    pub fn net(&self, name: &str, ifindex: u32) -> Device {
        let path = self.resolve(&self.root.join("class/net").join(name));
        match path.filter(|path| read_number(&path.join("ifindex")) == Some(ifindex)) {
            Some(path) => self.interface(&path, ifindex),
            None if name == "lo" => Device {
                engine: Engine::Software,
                driver: "loopback".into(),
                ..unknown(DeviceClass::Net, name.into(), ifindex)
            },
            None => unknown(DeviceClass::Net, name.into(), ifindex),
        }
    }

    /// The same, of which the kernel said that it hangs on no hardware: no more is needed to know an
    /// interface of another network namespace (a container's `veth`).
    pub fn net_without_hardware(&self, name: &str, ifindex: u32) -> Device {
        let device = self.net(name, ifindex);
        match device.engine {
            Engine::Unknown => Device {
                engine: Engine::Software,
                driver: virtual_driver(Path::new(""), name),
                ..device
            },
            _ => device,
        }
    }

    /// All disks that have a size, and all interfaces, by name.
    pub fn all(&self) -> Vec<Device> {
        let disks = self.list("block").into_iter().filter_map(|path| {
            read_number(&path.join("size")).filter(|sectors| *sectors > 0)?;
            Some(self.disk(&path, 0))
        });
        let interfaces = self.list("class/net").into_iter().filter_map(|path| {
            let ifindex = read_number(&path.join("ifindex"))?;
            Some(self.interface(&path, ifindex))
        });
        disks.chain(interfaces).collect()
    }

    fn list(&self, dir: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.join(dir))
            .into_iter()
            .flatten()
            .flatten();
        let mut links: Vec<_> = entries.map(|entry| entry.path()).collect();
        links.sort();
        links.iter().filter_map(|link| self.resolve(link)).collect()
    }

    /// Follows a link. By its text, because `canonicalize` would lose the other root that a
    /// `/proc/PID/root` stands for.
    fn resolve(&self, link: &Path) -> Option<PathBuf> {
        let mut path = link.parent()?.to_path_buf();
        for part in fs::read_link(link).ok()?.components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                part => path.push(part),
            }
        }
        Some(path)
    }

    /// `path` is the disk's directory or a partition's; `dev` stands in where it names no number.
    fn disk(&self, path: &Path, dev: u32) -> Device {
        let path = match path.parent() {
            Some(disk) if path.join("partition").exists() => disk,
            _ => path,
        };
        let id = read_dev(&path.join("dev")).unwrap_or(dev);
        self.classify(DeviceClass::Block, path, id)
    }

    fn interface(&self, path: &Path, ifindex: u32) -> Device {
        self.classify(DeviceClass::Net, path, ifindex)
    }

    fn classify(&self, class: DeviceClass, path: &Path, id: u32) -> Device {
        let name = file_name(path);
        let device = unknown(class, name.clone(), id);
        if let Some(head) = self.multipath_nvme(path) {
            return Device {
                engine: engine(&head),
                driver: head.driver,
                bus: head.bus,
                ..device
            };
        }
        let inside = path.strip_prefix(self.root.join("devices")).unwrap_or(path);
        if inside.starts_with("virtual") {
            let driver = virtual_driver(path, &name);
            return Device {
                engine: Engine::Software,
                driver,
                ..device
            };
        }
        if let Some(found) = self.controller(path) {
            let engine = engine(&found);
            return Device {
                engine,
                driver: found.driver,
                bus: found.bus,
                ..device
            };
        }
        // iSCSI without an adapter goes through a socket, whose packets appear on their own.
        let session = |dir: &Path| file_name(dir).starts_with("session");
        if path.ancestors().any(session) {
            return Device {
                engine: Engine::Software,
                driver: "iscsi_tcp".into(),
                ..device
            };
        }
        device
    }

    /// The nearest device above `path` that has a driver of its own and is no mere upper layer.
    fn controller(&self, path: &Path) -> Option<Controller> {
        let devices = self.root.join("devices");
        path.ancestors()
            .take_while(|dir| **dir != devices)
            .find_map(|dir| {
                let driver = link_name(&dir.join("driver"))?;
                let bus = link_name(&dir.join("subsystem")).unwrap_or_default();
                let upper = UPPER_DRIVERS.contains(&driver.as_str());
                (!upper).then_some(Controller { driver, bus })
            })
    }

    /// With native multipath, an NVMe disk is virtual, below a subsystem that lists controllers.
    fn multipath_nvme(&self, path: &Path) -> Option<Controller> {
        let subsystem = path
            .parent()
            .filter(|dir| file_name(dir).starts_with("nvme-subsys"))?;
        let entries = fs::read_dir(subsystem).ok()?.flatten();
        entries
            .filter_map(|entry| self.resolve(&entry.path()))
            .find_map(|controller| {
                match fs::read_to_string(controller.join("transport"))
                    .ok()?
                    .trim()
                {
                    "tcp" | "loop" => Some(Controller {
                        driver: "nvme".into(),
                        bus: "tcp".into(),
                    }),
                    _ => self.controller(&controller),
                }
            })
    }
}

fn unknown(class: DeviceClass, name: String, id: u32) -> Device {
    let (driver, bus) = (String::new(), String::new());
    Device {
        class,
        name,
        id,
        engine: Engine::Unknown,
        driver,
        bus,
    }
}

fn engine(controller: &Controller) -> Engine {
    let (driver, bus) = (controller.driver.as_str(), controller.bus.as_str());
    if PARAVIRTUAL_BUSES.contains(&bus) || PARAVIRTUAL_DRIVERS.contains(&driver) {
        Engine::Paravirtual
    } else if SOFTWARE_BUSES.contains(&bus) || bus == "tcp" {
        Engine::Software
    } else {
        Engine::Hardware
    }
}

/// The driver of a device without hardware, as far as its name or attributes tell.
fn virtual_driver(path: &Path, name: &str) -> String {
    for (attribute, driver) in [
        ("bridge", "bridge"),
        ("bonding", "bond"),
        ("tun_flags", "tun"),
    ] {
        if path.join(attribute).exists() {
            return driver.into();
        }
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let known = VIRTUAL_DRIVERS.iter().find(|(prefix, _)| *prefix == stem);
    // Docker and others name the ends of a pair `veth1a2b3c4`.
    let veth = name.starts_with("veth").then_some("veth");
    known
        .map(|(_, driver)| *driver)
        .or(veth)
        .unwrap_or_default()
        .into()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn link_name(link: &Path) -> Option<String> {
    Some(file_name(&fs::read_link(link).ok()?))
}

/// A number; sizes beyond 32 bits are cut to the largest.
fn read_number(path: &Path) -> Option<u32> {
    let value: u64 = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Some(u32::try_from(value).unwrap_or(u32::MAX))
}

/// A device number as sysfs writes it (`8:16`), in the kernel's encoding.
fn read_dev(path: &Path) -> Option<u32> {
    let text = fs::read_to_string(path).ok()?;
    let (major, minor) = text.trim().split_once(':')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    Some(major << 20 | minor)
}

/// This machine's devices, each looked up once.
#[derive(Debug)]
pub struct Hardware {
    sysfs: Sysfs,
    disks: HashMap<u32, Device>,
    /// By number, and whether the kernel said that there is no hardware.
    interfaces: HashMap<(u32, bool), Device>,
}

impl Hardware {
    pub fn new(sysfs: Sysfs) -> Self {
        Self {
            sysfs,
            disks: HashMap::new(),
            interfaces: HashMap::new(),
        }
    }
}

impl counters::Hardware for Hardware {
    fn disk(&mut self, id: u32) -> &Device {
        let sysfs = &self.sysfs;
        self.disks.entry(id).or_insert_with(|| sysfs.block(id))
    }

    fn interface(&mut self, id: u32, no_parent: bool) -> &Device {
        let sysfs = &self.sysfs;
        self.interfaces.entry((id, no_parent)).or_insert_with(|| {
            let name = interface_name(id);
            let device = sysfs.net(&name, id);
            match no_parent && device.engine != Engine::Software {
                false => device,
                // The number is another one's in another network namespace.
                true => sysfs.net_without_hardware(&format!("if{id}"), id),
            }
        })
    }
}

fn interface_name(ifindex: u32) -> String {
    let name = nix::net::if_::if_indextoname(ifindex)
        .ok()
        .and_then(|n| n.into_string().ok());
    name.unwrap_or_else(|| format!("if{ifindex}"))
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
