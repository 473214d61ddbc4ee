//! bytehop's proof on this very kernel (`bytehop doctor --verify`).
//!
//! [`table::PATHS`] lists small programs, one for each way that bytes go through the kernel, with the
//! hops that tracing them must show: their payload is known. [`drive`] runs them, one after the other,
//! inside a traced process; [`judge`] finds in the recording what each of them was seen to do; [`report`]
//! sets the two side by side.
//!
//! How a program's own work is told from its preparation: [`scene`] makes a system call that nothing
//! else makes at its beginning and its end.

mod again;
pub mod drive;
pub mod judge;
pub mod report;
pub mod scene;
pub mod table;
mod work;
