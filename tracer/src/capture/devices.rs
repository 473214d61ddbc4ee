//! The records that introduce a device, once for each.

use std::collections::HashSet;
use std::mem::offset_of;

use bytehop_core::event::{Device, DeviceClass, Meta};
use tracer_ebpf::{Block, Xmit, kind};

use super::{Output, u32_at};
use crate::device::Sysfs;

/// Devices that were introduced. Numbers of interfaces repeat in other network namespaces, so names are part
/// of what they are known by; disks have none here.
pub(super) struct Introduced {
    sysfs: Sysfs,
    known: HashSet<(DeviceClass, u32, String)>,
}

impl Introduced {
    pub fn none() -> Self {
        Self {
            sysfs: Sysfs::host(),
            known: HashSet::new(),
        }
    }

    /// Introduces all that the machine has.
    pub fn all(&mut self, out: &mut dyn Output) {
        for device in self.sysfs.all() {
            let name = match device.class {
                DeviceClass::Block => String::new(),
                DeviceClass::Net => device.name.clone(),
            };
            self.known.insert((device.class, device.id, name));
            out.meta(&Meta::Device(device));
        }
    }

    /// Introduces the device that `record` names, if it is the first to do so.
    pub fn meet(&mut self, record: &[u8], out: &mut dyn Output) {
        if let Some(device) = self.named_by(record) {
            out.meta(&Meta::Device(device));
        }
    }

    fn named_by(&mut self, record: &[u8]) -> Option<Device> {
        match *record.first()? {
            kind::BLOCK => {
                let id = u32_at(record, offset_of!(Block, disk))?;
                let new = self.known.insert((DeviceClass::Block, id, String::new()));
                new.then(|| self.sysfs.block(id))
            }
            kind::XMIT => {
                let name = nic_of(record);
                let id = u32_at(record, offset_of!(Xmit, ifindex))?;
                let new = self.known.insert((DeviceClass::Net, id, name.clone()));
                let no_parent = u32_at(record, offset_of!(Xmit, no_parent)) == Some(1);
                new.then(|| match no_parent {
                    true => self.sysfs.net_without_hardware(&name, id),
                    false => self.sysfs.net(&name, id),
                })
            }
            _ => None,
        }
    }
}

fn nic_of(record: &[u8]) -> String {
    let name = record.get(offset_of!(Xmit, name)..).unwrap_or_default();
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}
