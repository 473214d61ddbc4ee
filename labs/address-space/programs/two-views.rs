//! Maps the same memory at two addresses. Writes one byte to each page at
//! the first address, and adds up the bytes at the second.

use support::memory;

fn main() -> std::io::Result<()> {
    let [size] = support::args();
    let [here, there] = memory::twice(support::number(&size))?;

    for (n, byte) in here.iter().step_by(4096).enumerate() {
        byte.set(n as u8);
    }
    // Nobody has carried anything from here to there.
    let bytes = there.iter().step_by(4096);
    let sum: u64 = bytes.map(|byte| u64::from(byte.get())).sum();
    println!("{sum}");
    Ok(())
}
