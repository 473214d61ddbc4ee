//! bytehop's portable core: everything after the ring buffer's record.
//!
//! [`decode`] → [`reconstruct`] → hops → ([`report`] | [`record`] | whoever draws). It runs on any
//! machine and needs no kernel: what meets one (loading, capturing, launching, sysfs) is the crate `tracer`.
#![forbid(unsafe_code)]

pub mod address;
pub mod advise;
pub mod annotate;
pub mod arch;
pub mod at_least;
pub mod base64;
pub mod budget;
pub mod catalogue;
pub mod compare;
pub mod counters;
pub mod decode;
mod dirty;
pub mod event;
pub mod expr;
pub mod histogram;
pub mod i18n;
pub mod ledger;
pub mod linux;
pub mod model;
pub mod modules;
pub mod notice;
pub mod proto;
pub mod reconstruct;
pub mod record;
pub mod regions;
pub mod report;
pub mod rules;
pub mod terms;
pub mod top;
pub mod units;
pub mod unknown;
