//! What tests replace: the clock, randomness, the environment, folders, other programs,
//! the network.

pub mod clock;
pub mod entropy;
pub mod env;
pub mod network;
pub mod paths;
pub mod process;
