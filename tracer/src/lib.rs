//! bytehop's library: kernel probes → ring buffer → [`decode`] → hops → (live view | recording |
//! report).
//!
//! Only loading and the live source need privileges; everything else works on a stream of
//! [`event::Event`]s, live or recorded.

pub mod advise;
pub mod annotate;
pub mod arch;
pub mod btf;
pub mod caps;
pub mod capset;
pub mod capture;
pub mod compare;
pub mod decode;
pub mod device;
pub mod doctor;
pub mod elevate;
pub mod event;
pub mod functions;
pub mod i18n;
pub mod inherited;
pub mod ksyms;
pub mod launch;
pub mod load;
pub mod model;
pub mod primitives;
pub mod privileges;
pub mod probes;
pub mod reconstruct;
pub mod record;
pub mod report;
pub mod rules;
pub mod signals;
pub mod sources;
pub mod stat;
pub mod top;
pub mod user;
