//! The `tuskgate` program.

fn main() {}
