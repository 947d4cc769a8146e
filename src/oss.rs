//! The client of Alibaba Cloud OSS, by its S3-compatible API.
//!
//! rusoto builds typed requests; everything else is ours. A request passes
//! [`dispatch`], which moves the bucket into the host ([`address`]), signs
//! ([`sign_v2`], [`sign_v4`]), sends ([`transport`]), repeats what may be
//! repeated ([`retry`]), follows a bucket to its own region ([`heal`]) and lets
//! rusoto read only XML that was checked whole ([`xml`]). Listings, the hot path, have a parser of their own
//! ([`listing`]).

pub mod address;
pub mod client;
pub mod crc64;
pub mod dispatch;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod heal;
pub mod listing;
pub mod object;
pub mod payload;
pub mod presign;
pub mod request;
pub mod restore;
pub mod retry;
pub mod sign_v2;
pub mod sign_v4;
pub mod transfer;
pub mod transport;
pub mod versions;
pub mod xml;

pub use client::{Access, Client, MOST_PAGES, Walk};
pub use error::{Error, Kind, Link};
pub use heal::Healed;
pub use object::{Answer, Meta};
