//! The kernel tells rings of io_uring apart by their addresses. No address of the kernel gets into a trace:
//! rings are numbered in the order that they are met in.

use std::collections::HashMap;
use std::mem::offset_of;

use tracer_ebpf::{Uring, kind};

use super::{bytes_at, u64_at};

#[derive(Debug, Default)]
pub(super) struct Rings(HashMap<u64, u64>);

impl Rings {
    /// The record of a request with its ring's number in place of the address; `None`: of anything else.
    pub fn numbered(&mut self, record: &[u8]) -> Option<[u8; size_of::<Uring>()]> {
        const AT: usize = offset_of!(Uring, ring);
        if record.first() != Some(&kind::URING) {
            return None;
        }
        let mut bytes = bytes_at(record, 0)?;
        let next = self.0.len() as u64 + 1;
        let number = *self.0.entry(u64_at(record, AT)?).or_insert(next);
        bytes[AT..AT + 8].copy_from_slice(&number.to_le_bytes());
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::decode::{decode, encode};
    use bytehop_core::event::Event;

    use super::*;

    #[test]
    fn the_same_ring_has_the_same_number() {
        let mut rings = Rings::default();
        let mut number = |ring| {
            let mut request = Uring {
                ring,
                user_data: 7,
                ..Uring::default()
            };
            request.head.kind = kind::URING;
            let mut bytes = Vec::new();
            encode(&Event::Uring(request), &mut bytes);
            match decode(&rings.numbered(&bytes).expect("a request")) {
                Ok(Event::Uring(Uring {
                    ring, user_data: 7, ..
                })) => ring,
                other => panic!("{other:?}"),
            }
        };
        let addresses = [
            0xffff_8880_0123_4000,
            0xffff_8880_0777_0000,
            0xffff_8880_0123_4000,
        ];
        assert_eq!(addresses.map(&mut number), [1, 2, 1]);
        assert_eq!(rings.numbered(&[kind::EXEC; 40]), None);
    }
}
