//! The wire types, by subject.

mod call;
mod config;
mod copied;
mod counters;
mod file;
mod head;
mod io;
mod offsets;
mod process;
mod samples;
mod stack;
mod state;
mod thread;

pub use call::*;
pub use config::*;
pub use copied::*;
pub use counters::*;
pub use file::*;
pub use head::*;
pub use io::*;
pub use offsets::*;
pub use process::*;
pub use samples::*;
pub use stack::*;
pub use state::*;
pub use thread::*;

const _: () = {
    assert!(size_of::<Head>() == 24);
    assert!(size_of::<FileRef>() == 32);
    assert!(size_of::<Syscall>() == 88);
    assert!(size_of::<SyscallFile>() == 120);
    assert!(size_of::<Extra>() == 104);
    assert!(size_of::<Fault>() == 104);
    assert!(size_of::<Block>() == 104);
    assert!(size_of::<Xmit>() == 64);
    assert!(size_of::<Arrival>() == 64);
    assert!(size_of::<Uring>() == 120);
    assert!(size_of::<Switch>() == 40);
    assert!(size_of::<Fork>() == 48);
    assert!(size_of::<Exec>() == 40);
    assert!(size_of::<Exit>() == 72);
    assert!(size_of::<Name>() == NAME_FIXED + NAME_MAX);
    assert!(size_of::<Dirty>() == 48);
    assert!(size_of::<Copied>() == 40);
};
