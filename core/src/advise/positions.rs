//! Where in its file each call begins.

use std::collections::HashMap;

use super::data::Data;

/// By process and descriptor.
#[derive(Debug, Default)]
pub struct Positions(HashMap<u32, HashMap<u64, u64>>);

impl Positions {
    /// A call has ended that moves no data.
    pub fn ended(&mut self, tgid: u32, name: &str, args: &[u64; 6], ret: u64) {
        let (descriptor, position) = match name {
            "open" | "openat" | "openat2" | "creat" => (ret, Some(0)),
            "lseek" => (args[0], Some(ret)),
            // Who shares a position may move it.
            "close" | "dup" | "dup2" | "dup3" => (args[0], None),
            _ => return,
        };
        let of = self.0.entry(tgid).or_default();
        match position {
            Some(position) => of.insert(descriptor, position),
            None => of.remove(&descriptor),
        };
    }

    /// Where a call began that moved bytes, if that is known.
    pub fn moved(&mut self, tgid: u32, data: &Data, args: &[u64; 6], bytes: u64) -> Option<u64> {
        if let Some(named) = data.position(args) {
            return Some(named);
        }
        let at = self.0.get_mut(&tgid)?.get_mut(&args[0])?;
        let began = *at;
        *at = began.saturating_add(bytes);
        Some(began)
    }

    pub fn forget(&mut self, tgid: u32) {
        self.0.remove(&tgid);
    }
}
