//! Asks for memory, and does not touch it.

fn main() {
    let [size] = support::args();
    // malloc(): from here on it is ours
    let memory: Vec<u8> = Vec::with_capacity(support::number(&size));
    std::hint::black_box(memory);
}
