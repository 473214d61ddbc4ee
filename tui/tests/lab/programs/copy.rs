//! Copies a file.
fn main() -> std::io::Result<()> {
    let [from, to] = support::args();
    let mut buffer = vec![0; 64 * 1024]; // This comment is longer than a narrow screen: it is broken, and goes on further in.
    copy(from, to, &mut buffer)
}
