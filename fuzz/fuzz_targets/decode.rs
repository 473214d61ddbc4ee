//! Any bytes as one record; what is decoded must survive a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use bytehop_core::decode::{decode, encode};

fuzz_target!(|data: &[u8]| {
    let Ok(event) = decode(data) else { return };
    let mut bytes = Vec::new();
    encode(&event, &mut bytes);
    let again = decode(&bytes).expect("what was encoded decodes");
    // The longest path may be cut when it is encoded, because bad UTF-8 grows when it is replaced.
    if !matches!(&event, bytehop_core::event::Event::Name(name) if name.path.len() > 255) {
        assert_eq!(again, event);
    }
});
