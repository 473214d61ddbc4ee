//! Against trees as sysfs lays them out, taken from machines of each kind.

use std::os::unix::fs::symlink;

use super::*;

/// A made-up sysfs, removed at the end.
struct Tree(PathBuf);

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Tree {
    fn new(name: &str) -> Self {
        let root =
            std::env::temp_dir().join(format!("bytehop-sysfs-{}-{name}", std::process::id()));
        fs::create_dir_all(&root).expect("a temporary directory");
        Self(root)
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        symlink(target, path).expect("a link");
    }

    /// A device on a bus with a driver, at a path below `devices`.
    fn driver(&self, at: &str, bus: &str, driver: &str) {
        self.link(
            &format!("devices/{at}/driver"),
            &format!("../../bus/{bus}/drivers/{driver}"),
        );
        self.link(
            &format!("devices/{at}/subsystem"),
            &format!("../../bus/{bus}"),
        );
    }

    fn disk(&self, at: &str, dev: &str) {
        self.file(&format!("devices/{at}/dev"), &format!("{dev}\n"));
        self.file(&format!("devices/{at}/size"), "2048\n");
        self.link(&format!("dev/block/{dev}"), &format!("../../devices/{at}"));
        let name = at.rsplit('/').next().expect("a name");
        self.link(&format!("block/{name}"), &format!("../devices/{at}"));
    }

    fn net(&self, at: &str, ifindex: u32) {
        self.file(&format!("devices/{at}/ifindex"), &format!("{ifindex}\n"));
        let name = at.rsplit('/').next().expect("a name");
        self.link(&format!("class/net/{name}"), &format!("../../devices/{at}"));
    }

    fn sysfs(&self) -> Sysfs {
        Sysfs::at(&self.0)
    }
}

/// Directory of the device, then bus and driver at each level that has them.
type Chain = &'static [(&'static str, &'static str, &'static str)];

#[test]
fn disks() {
    use Engine::{Hardware, Paravirtual, Software, Unknown};
    let nvme = "pci0000:00/0000:00:04.0";
    let cases: &[(&str, Chain, Engine, &str, &str)] = &[
        (
            "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1",
            &[("pci0000:00/0000:00:04.0", "pci", "nvme")],
            Hardware,
            "nvme",
            "pci",
        ),
        (
            "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda",
            &[
                (
                    "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0",
                    "scsi",
                    "sd",
                ),
                ("pci0000:00/0000:00:1f.2", "pci", "ahci"),
            ],
            Hardware,
            "ahci",
            "pci",
        ),
        (
            "pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:0/block/sdb",
            &[
                (
                    "pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:0",
                    "scsi",
                    "sd",
                ),
                ("pci0000:00/0000:00:05.0/virtio2", "virtio", "virtio_scsi"),
                ("pci0000:00/0000:00:05.0", "pci", "virtio-pci"),
            ],
            Paravirtual,
            "virtio_scsi",
            "virtio",
        ),
        (
            "pci0000:00/0000:03:00.0/host0/target0:0:0/0:0:0:0/block/sdc",
            &[("pci0000:00/0000:03:00.0", "pci", "vmw_pvscsi")],
            Paravirtual,
            "vmw_pvscsi",
            "pci",
        ),
        (
            "LNXSYSTM:00/VMBUS:01/f8b3781a/host0/target0:0:0/0:0:0:0/block/sdd",
            &[("LNXSYSTM:00/VMBUS:01/f8b3781a", "vmbus", "hv_storvsc")],
            Paravirtual,
            "hv_storvsc",
            "vmbus",
        ),
        (
            "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host3/target3:0:0/3:0:0:0/block/sde",
            &[
                (
                    "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host3/target3:0:0/3:0:0:0",
                    "scsi",
                    "sd",
                ),
                ("pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0", "usb", "uas"),
            ],
            Hardware,
            "uas",
            "usb",
        ),
        (
            "pci0000:00/0000:00:02.0/virtio1/block/vda",
            &[("pci0000:00/0000:00:02.0/virtio1", "virtio", "virtio_blk")],
            Paravirtual,
            "virtio_blk",
            "virtio",
        ),
        (
            "platform/a003e00.virtio_mmio/virtio0/block/vdb",
            &[(
                "platform/a003e00.virtio_mmio/virtio0",
                "virtio",
                "virtio_blk",
            )],
            Paravirtual,
            "virtio_blk",
            "virtio",
        ),
        (
            "vbd-51712/block/xvda",
            &[("vbd-51712", "xen", "vbd")],
            Paravirtual,
            "vbd",
            "xen",
        ),
        (
            "LNXSYSTM:00/ndbus0/region0/namespace0.0/block/pmem0",
            &[("LNXSYSTM:00/ndbus0/region0/namespace0.0", "nd", "nd_pmem")],
            Software,
            "nd_pmem",
            "nd",
        ),
        (
            "platform/host4/session1/target4:0:0/4:0:0:0/block/sdf",
            &[],
            Software,
            "iscsi_tcp",
            "",
        ),
        ("virtual/block/loop0", &[], Software, "loop", ""),
        ("virtual/block/zram0", &[], Software, "zram", ""),
        ("virtual/block/ram0", &[], Software, "brd", ""),
        ("virtual/block/dm-0", &[], Software, "device-mapper", ""),
        ("virtual/block/md127", &[], Software, "md", ""),
        ("weird/block/foo", &[], Unknown, "", ""),
    ];
    let tree = Tree::new("disks");
    for (minor, (at, chain, ..)) in cases.iter().enumerate() {
        tree.disk(at, &format!("259:{minor}"));
        for (dir, bus, driver) in *chain {
            tree.driver(dir, bus, driver);
        }
    }
    for (minor, (at, _, engine, driver, bus)) in cases.iter().enumerate() {
        let id = 259 << 20 | minor as u32;
        let expected = Device {
            class: DeviceClass::Block,
            name: at.rsplit('/').next().expect("a name").into(),
            id,
            engine: *engine,
            driver: (*driver).into(),
            bus: (*bus).into(),
        };
        assert_eq!(tree.sysfs().block(id), expected);
    }
    assert_eq!(tree.sysfs().all().len(), cases.len());

    // A partition stands for its disk.
    tree.file(
        &format!("devices/{nvme}/nvme/nvme0/nvme0n1/nvme0n1p1/partition"),
        "1\n",
    );
    tree.link(
        "dev/block/259:99",
        &format!("../../devices/{nvme}/nvme/nvme0/nvme0n1/nvme0n1p1"),
    );
    assert_eq!(
        tree.sysfs().block(259 << 20 | 99),
        tree.sysfs().block(259 << 20)
    );
}

#[test]
fn multipath_nvme_is_what_its_controller_is() {
    let tree = Tree::new("multipath");
    for (n, transport, dir, engine) in [
        (0, "pcie", "pci0000:00/0000:00:04.0", Engine::Hardware),
        (1, "tcp", "virtual/nvme-fabrics", Engine::Software),
    ] {
        let subsystem = format!("virtual/nvme-subsystem/nvme-subsys{n}");
        tree.disk(&format!("{subsystem}/nvme{n}n1"), &format!("259:{n}"));
        tree.link(
            &format!("devices/{subsystem}/nvme{n}"),
            &format!("../../../{dir}/nvme/nvme{n}"),
        );
        tree.file(
            &format!("devices/{dir}/nvme/nvme{n}/transport"),
            &format!("{transport}\n"),
        );
        if engine == Engine::Hardware {
            tree.driver(dir, "pci", "nvme");
        }
        assert_eq!(
            tree.sysfs().block(259 << 20 | n).engine,
            engine,
            "{transport}"
        );
    }
}

#[test]
fn interfaces() {
    let tree = Tree::new("net");
    tree.net("pci0000:00/0000:00:03.0/net/eth0", 2);
    tree.driver("pci0000:00/0000:00:03.0", "pci", "e1000e");
    tree.net("pci0000:00/0000:00:04.0/virtio2/net/eth1", 3);
    tree.driver("pci0000:00/0000:00:04.0/virtio2", "virtio", "virtio_net");
    tree.net("pci0000:00/0000:00:05.0/net/ens5", 4);
    tree.driver("pci0000:00/0000:00:05.0", "pci", "ena");
    tree.net("pci0000:00/0000:00:06.0/net/ens6", 5);
    tree.driver("pci0000:00/0000:00:06.0", "pci", "vmxnet3");
    tree.net("virtual/net/lo", 1);
    tree.net("virtual/net/veth1a2b", 6);
    tree.net("virtual/net/docker0", 7);
    tree.file("devices/virtual/net/docker0/bridge/bridge_id", "");

    for (name, ifindex, engine, driver) in [
        ("eth0", 2, Engine::Hardware, "e1000e"),
        ("eth1", 3, Engine::Paravirtual, "virtio_net"),
        ("ens5", 4, Engine::Hardware, "ena"),
        ("ens6", 5, Engine::Paravirtual, "vmxnet3"),
        ("lo", 1, Engine::Software, "loopback"),
        ("veth1a2b", 6, Engine::Software, "veth"),
        ("docker0", 7, Engine::Software, "bridge"),
        // Another namespace's: same name, other index.
        ("eth0", 9, Engine::Unknown, ""),
        ("lo", 12, Engine::Software, "loopback"),
        ("absent0", 8, Engine::Unknown, ""),
    ] {
        let device = tree.sysfs().net(name, ifindex);
        assert_eq!(
            (device.engine, device.driver.as_str()),
            (engine, driver),
            "{name} {ifindex}"
        );
        assert_eq!((device.name.as_str(), device.id), (name, ifindex));
    }
}

#[test]
fn what_sysfs_does_not_have_is_unknown() {
    let tree = Tree::new("empty");
    let device = tree.sysfs().block(253 << 20 | 7);
    assert_eq!(
        (device.engine, device.name.as_str()),
        (Engine::Unknown, "253:7")
    );
    assert!(tree.sysfs().all().is_empty());
}
