//! The guided labs: predict, observe, explain, change, check.
//!
//! A lab is data ([`spec`], [`guide`]; `docs/labs/format.md`), [`expr`] reads values from runs, and
//! [`session`] judges answers and changes by them. All of this is pure; [`prepare`], [`work`] and
//! [`run`](mod@run) make the runs that it judges.
#![forbid(unsafe_code)]

mod bundle;
pub mod chart;
pub mod export;
pub mod expr;
pub mod guide;
pub mod lab;
pub mod lint;
pub mod markdown;
pub mod menu;
pub mod page;
pub mod prepare;
pub mod progress;
pub mod result;
pub mod run;
pub mod session;
pub mod spec;
pub mod text;
pub mod value;
pub mod words;
pub mod work;
