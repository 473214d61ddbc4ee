//! Where in its file each call begins.

use std::collections::HashMap;

use super::data::Data;

/// By process and descriptor.
type Key = (u32, u64);

#[derive(Debug, Default)]
pub struct Positions {
    of: HashMap<Key, u64>,
}

impl Positions {
    /// A call has ended that moves no data.
    pub fn ended(&mut self, tgid: u32, name: &str, args: &[u64; 6], ret: u64) {
        match name {
            "open" | "openat" | "openat2" | "creat" => {
                self.of.insert((tgid, ret), 0);
            }
            "lseek" => {
                self.of.insert((tgid, args[0]), ret);
            }
            // Who shares a position may move it.
            "close" | "dup" | "dup2" | "dup3" => {
                self.of.remove(&(tgid, args[0]));
            }
            _ => {}
        }
    }

    /// Where a call began that moved bytes, if that is known.
    pub fn moved(&mut self, tgid: u32, data: &Data, args: &[u64; 6], bytes: u64) -> Option<u64> {
        if let Some(named) = data.position(args) {
            return Some(named);
        }
        let at = self.of.get_mut(&(tgid, args[0]))?;
        let began = *at;
        *at = began.saturating_add(bytes);
        Some(began)
    }

    pub fn forget(&mut self, tgid: u32) {
        self.of.retain(|(process, _), _| *process != tgid);
    }
}
