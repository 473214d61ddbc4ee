//! One program has bytes, another one wants them. Here both see the same
//! memory.

use std::fs::File;
use std::io::{Read, Result};

use support::memory;
use support::process::in_child;
use support::checksum::Checksum;

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let data = memory::shared(file.metadata()?.len() as usize)?;
    file.read_exact(data)?; // straight to where the other one will look

    // The child begins when all is there. Two programs that run at the
    // same time would have to tell each other when: shared memory has no
    // "wait until there is something", as a pipe has.
    let reader = in_child(|| {
        let mut checksum = Checksum::new();
        checksum.add(data);
        println!("received {} bytes, checksum {checksum}", data.len());
        Ok(())
    })?;
    reader.wait()
}
