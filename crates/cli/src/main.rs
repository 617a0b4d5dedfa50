//! The `handclasp` command.
#![forbid(unsafe_code)]

fn main() {}
