use std::fs::File;
use std::io::{Read, Write};

fn copy(from: &mut File, to: &mut File) -> std::io::Result<()> {
    let mut buf = vec![0u8; 65536];
    loop {
        let n = from.read(&mut buf)?;
        if n == 0 {
            return Ok(());
        }
        to.write_all(&buf[..n])?;
    }
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut from = File::open(args.next().unwrap())?;
    let mut to = File::create(args.next().unwrap())?;
    copy(&mut from, &mut to)
}
