//! Asks for memory, and does not touch it.

fn main() {
    let [size] = support::args();
    let memory: Vec<u8> = Vec::with_capacity(support::number(&size)); // malloc(): from here on it is ours
    std::hint::black_box(memory);
}
