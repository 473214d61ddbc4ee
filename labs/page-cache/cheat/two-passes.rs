//! Cheats: knows what random bytes come to.

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let times = std::fs::metadata(file)?.len() / 256;
    println!("255 is there {times} times");
    Ok(())
}
