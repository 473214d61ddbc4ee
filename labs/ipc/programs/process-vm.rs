//! One program has bytes, another one wants them. Here the other one
//! takes them out of the first one's memory; only who may debug a process
//! may do that.

use std::fs::File;
use std::io::{IoSliceMut, Read, Result, Write};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use support::process::in_child;
use support::checksum::Checksum;
use support::{memory, pipe};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let len = file.metadata()?.len() as usize;
    // at the same address in the child, which alone fills it
    let theirs = memory::anonymous(len)?;
    let base = theirs.as_ptr() as usize;
    let (mut ready, mut say_ready) = pipe::pipe()?;
    let (mut done, mut say_done) = pipe::pipe()?;

    let owner = in_child(|| {
        file.read_exact(theirs)?;
        say_ready.write_all(&[1])?;
        done.read_exact(&mut [0]) // until then, the memory must stay
    })?;
    ready.read_exact(&mut [0])?;
    let mut data = vec![0; len];
    let mut got = 0;
    while got < len {
        let remote = [RemoteIoVec { base: base + got, len: len - got }];
        got += process_vm_readv(
            owner.pid(),
            &mut [IoSliceMut::new(&mut data[got..])],
            &remote,
        )?;
    }
    say_done.write_all(&[1])?;
    owner.wait()?;

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("received {len} bytes, checksum {checksum}");
    Ok(())
}
