//! What meets the kernel: load probes, capture records, launch and attach, count, and tell what this
//! machine lets us measure. What the records mean is the portable core's (`bytehop_core`).

pub mod btf;
pub mod caps;
pub mod capset;
pub mod capture;
mod cgroups;
pub mod clock;
pub mod device;
pub mod doctor;
pub mod elevate;
mod errors;
pub mod filecaps;
pub mod inherited;
pub mod ksyms;
pub mod launch;
pub mod lent;
pub mod limits;
pub mod load;
pub mod opened;
mod pidfd;
pub mod privileges;
pub mod share;
pub mod signals;
pub mod sources;
pub mod stat;
pub mod top;
pub mod user;
