//! Tries to get at the kernel's memory, in two ways: a child reads from
//! an address of the kernel's, and the program asks the kernel to write
//! from there into a pipe.

use nix::errno::Errno;
use support::{pipe, process, protection};

fn main() -> std::io::Result<()> {
    let [times] = support::args();
    let (_out_of_pipe, into_pipe) = pipe::pipe()?;
    let mut refused = 0;
    for _ in 0..support::number(&times) {
        // write(pipe, an address of the kernel's, 4096)
        match protection::write_kernel_memory(&into_pipe) {
            Err(Errno::EFAULT) => refused += 1,
            other => println!("{other:?}"),
        }
    }
    println!("{refused} of {times} writes were refused");

    let child = process::in_child(|| {
        println!("{}", protection::read_kernel_memory());
        Ok(())
    })?;
    // One that was killed has failed: which is as it should be.
    println!("{}", child.wait().is_err());
    Ok(())
}
