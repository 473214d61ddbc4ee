//! Cheats: sends the right number of bytes to both readers, all of them
//! from the file's first piece.

use std::fs::File;
use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice};
use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (first, one) = pipe::to_reader()?;
    let (second, two) = pipe::to_reader()?;

    for pipe in [&first, &second] {
        let mut left = file.metadata()?.len() as usize;
        while left > 0 {
            let want = left.min(64 * 1024);
            left -= splice(
                &file,
                Some(&mut 0),
                pipe,
                None,
                want,
                SpliceFFlags::empty(),
            )?;
        }
    }
    drop((first, second));
    one.wait()?;
    two.wait()
}
