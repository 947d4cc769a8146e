//! What tests replace: the clock, randomness, the environment, folders, the network.

pub mod clock;
pub mod entropy;
pub mod env;
pub mod network;
pub mod paths;
