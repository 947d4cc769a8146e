//! What tests replace: the clock, randomness, the environment, folders, other programs and their
//! files, the network.

pub mod clock;
pub mod entropy;
pub mod env;
pub mod foreign_file;
pub mod network;
pub mod paths;
pub mod process;
