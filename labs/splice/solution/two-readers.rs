//! A file goes to two readers, each of which gets all of it through a
//! pipe of its own. Only references to its pages go: tee() doubles them,
//! splice() moves them on.

use std::fs::File;
use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice, tee};
use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    // Two children: each reads its pipe to the end, and prints a checksum
    // of what it got.
    let (first, one) = pipe::to_reader()?;
    let (second, two) = pipe::to_reader()?;
    let (out_of_pipe, into_pipe) = pipe::pipe()?;
    let none = SpliceFFlags::empty();

    loop {
        let mut left =
            splice(&file, None, &into_pipe, None, 64 * 1024, none)?;
        if left == 0 {
            break;
        }
        while left > 0 {
            // tee() leaves the references where they are, and may pass on
            // only a part of them:
            let n = tee(&out_of_pipe, &first, left, none)?;
            // so exactly that part has to go to the other reader before
            // the next.
            let mut rest = n;
            while rest > 0 {
                rest -= splice(
                    &out_of_pipe,
                    None,
                    &second,
                    None,
                    rest,
                    none,
                )?;
            }
            left -= n;
        }
    }
    drop((first, second)); // the end, for the readers
    one.wait()?;
    two.wait()
}
