//! Cheats: guesses the number of lines from the size of the file.

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    println!("{} lines", std::fs::metadata(file)?.len() / 256);
    Ok(())
}
