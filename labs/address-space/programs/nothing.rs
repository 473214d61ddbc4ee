//! Does nothing.
//!
//! Yet starting and ending a program takes system calls and page faults:
//! what this one costs, each of the others costs too.

fn main() {}
