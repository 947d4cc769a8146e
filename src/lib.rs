//! osstack: stacks for ZenML with artifacts on Alibaba Cloud OSS.

pub mod base;
pub mod catalog;
pub mod doctor;
pub mod keystore;
pub mod model;
pub mod ops;
pub mod oss;
pub mod ports;
pub mod sandbox;
pub mod tui;
pub mod zenml;
