//! What is done with every record that is shown, before whoever takes the trace has it.

use super::Output;
use super::devices::Introduced;
use super::lifetime::Lifetime;
use super::rings::Rings;
use crate::sources::Resolver;

pub(super) struct Onward {
    /// Where calls were made, if that is wanted.
    pub sources: Option<Resolver>,
    pub devices: Introduced,
    rings: Rings,
}

impl Onward {
    pub fn new() -> Self {
        Self {
            sources: None,
            devices: Introduced::none(),
            rings: Rings::default(),
        }
    }

    pub fn hand_on(&mut self, record: &[u8], lifetime: &mut Lifetime, out: &mut dyn Output) {
        self.devices.meet(record, out);
        lifetime.take(record);
        if let Some(sources) = &self.sources {
            sources.take(record);
        }
        match self.rings.numbered(record) {
            Some(record) => out.record(&record),
            None => out.record(record),
        }
    }
}
