//! What the programs of the guided labs share, so that each is only about its subject.

pub mod checksum;
pub mod http;
pub mod memory;
pub mod net;
pub mod pipe;
pub mod process;
pub mod protection;
mod receive;
pub mod ring;
pub mod tls;
pub mod zerocopy;

/// The status by which a program says that this machine can't do what it shows; the lab then uses
/// its recording.
pub const UNAVAILABLE: i32 = 77;

/// The program's arguments, exactly `N` of them.
///
/// # Panics
/// With another number of arguments, or one that is not UTF-8.
pub fn args<const N: usize>() -> [String; N] {
    let given: Vec<String> = std::env::args().skip(1).collect();
    given
        .try_into()
        .unwrap_or_else(|given: Vec<String>| panic!("{N} arguments needed, not {}", given.len()))
}

/// An argument that is a number.
///
/// # Panics
/// If it is none.
pub fn number(text: &str) -> usize {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}

/// Ends the program: this machine can't do what it shows.
pub fn unavailable(why: impl std::fmt::Display) -> ! {
    eprintln!("{why}");
    std::process::exit(UNAVAILABLE)
}
