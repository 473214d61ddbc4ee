//! The tracks of a trace: each is declared when something first happens on it.

use std::collections::HashMap;

use super::{PACKET, SEQUENCE, TRACK_DESCRIPTOR};
use crate::model::Place;
use crate::proto::Message;

/// Slices of one device that may overlap are spread over so many tracks; more stand as moments.
const LANES_MAX: usize = 64;

/// What a track shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    Process(u32),
    /// Process and thread.
    Thread(u32, u32),
    /// The thread in user mode, in the kernel, and off the CPU.
    User(u32, u32),
    Kernel(u32, u32),
    Waits(u32, u32),
    /// What ran later than its call.
    Deferred,
    /// A device's transfers that do not overlap.
    Device(Place, usize),
    Copied,
    Dma,
}

#[derive(Default)]
pub struct Tracks {
    ids: HashMap<Track, u64>,
    /// Names of processes.
    names: HashMap<u32, String>,
    /// When the last transfer on each of a device's tracks ended.
    lanes: HashMap<Place, Vec<u64>>,
}

impl Tracks {
    pub fn name(&mut self, process: u32, name: &str, out: &mut Vec<u8>) {
        self.names.insert(process, name.to_owned());
        // One that has been declared is declared again.
        if let Some(id) = self.ids.get(&Track::Process(process)) {
            declare(&self.process(*id, process), out);
        }
    }

    /// The child begins with its parent's name.
    pub fn fork(&mut self, parent: u32, child: u32, out: &mut Vec<u8>) {
        if parent != child
            && let Some(name) = self.names.get(&parent).cloned()
        {
            self.name(child, &name, out);
        }
    }

    /// The number of a track.
    pub fn id(&mut self, track: Track, out: &mut Vec<u8>) -> u64 {
        if let Some(id) = self.ids.get(&track) {
            return *id;
        }
        // 0 stands for no track.
        let id = self.ids.len() as u64 + 1;
        self.ids.insert(track.clone(), id);
        let below = |tracks: &mut Self, parent: Track, name: &str, out: &mut Vec<u8>| {
            let parent = tracks.id(parent, out);
            named(id, name).uint(5, parent)
        };
        let descriptor = match track {
            Track::Process(pid) => self.process(id, pid),
            Track::Thread(pid, tid) => {
                let parent = self.id(Track::Process(pid), out);
                let thread = Message::default()
                    .uint(1, u64::from(pid))
                    .uint(2, u64::from(tid));
                Message::default()
                    .uint(1, id)
                    .uint(5, parent)
                    .message(4, &thread)
            }
            Track::User(pid, tid) => below(self, Track::Thread(pid, tid), "user mode", out),
            Track::Kernel(pid, tid) => {
                below(self, Track::Thread(pid, tid), "kernel, on its behalf", out)
            }
            Track::Waits(pid, tid) => below(self, Track::Thread(pid, tid), "off the CPU", out),
            Track::Deferred => named(id, "deferred work"),
            Track::Device(place, _) => named(id, &place.to_string()),
            Track::Copied => counter(id, "bytes copied by the CPU in the kernel"),
            Track::Dma => counter(id, "bytes moved by DMA"),
        };
        declare(&descriptor, out);
        id
    }

    /// A track of a device that is free from `begin` on; `None` if there are too many.
    pub fn lane(&mut self, device: &Place, begin: u64, end: u64) -> Option<usize> {
        let lanes = self.lanes.entry(device.clone()).or_default();
        if let Some(lane) = lanes.iter().position(|until| *until <= begin) {
            lanes[lane] = end;
            return Some(lane);
        }
        (lanes.len() < LANES_MAX).then(|| {
            lanes.push(end);
            lanes.len() - 1
        })
    }

    fn process(&self, id: u64, pid: u32) -> Message {
        let mut process = Message::default().uint(1, u64::from(pid));
        if let Some(name) = self.names.get(&pid) {
            process = process.text(6, name);
        }
        Message::default().uint(1, id).message(3, &process)
    }
}

fn named(id: u64, name: &str) -> Message {
    Message::default().uint(1, id).text(2, name)
}

fn counter(id: u64, name: &str) -> Message {
    const UNIT_SIZE_BYTES: u64 = 3;
    let counter = Message::default().uint(3, UNIT_SIZE_BYTES);
    named(id, name).message(8, &counter)
}

fn declare(descriptor: &Message, out: &mut Vec<u8>) {
    Message::default()
        .uint(SEQUENCE, 1)
        .message(TRACK_DESCRIPTOR, descriptor)
        .finish(PACKET, out);
}
