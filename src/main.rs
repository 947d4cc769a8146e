//! The command `osstack`.
fn main() {}
