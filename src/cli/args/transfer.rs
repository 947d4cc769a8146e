//! What copies.

use std::ffi::OsString;

use clap::Args;

use super::Border;
use super::versions::VersionId;
use crate::base::units;

/// `osstack cp` and `osstack mv`.
#[derive(Args, Debug)]
pub struct Copy {
    /// From, …, to: a file or folder, STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    #[arg(required = true, num_args = 2.., value_names = ["SRC", "DST"])]
    pub paths: Vec<OsString>,
    /// Everything below
    #[arg(long, short, conflicts_with = "version_id")]
    pub recursive: bool,
    /// Version
    #[command(flatten)]
    pub version: VersionId,
    /// Only say what would happen
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Replace what is there
    #[arg(long)]
    pub overwrite: bool,
    /// Of a tree only names like this: `*.parquet`, `run-?/**`; may be given several times
    #[arg(long, value_name = "GLOB", requires = "recursive")]
    pub include: Vec<String>,
    /// Of a tree no names like this
    #[arg(long, value_name = "GLOB", requires = "recursive")]
    pub exclude: Vec<String>,
    /// Not faster than so many bytes a second: 512K, 10M
    #[arg(long, value_name = "BYTES", value_parser = parse_rate)]
    pub limit_rate: Option<u64>,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack sync`.
#[derive(Args, Debug)]
pub struct Sync {
    /// What is to be had: a folder, STORE:[PREFIX], s3://BUCKET/PREFIX or @BOOKMARK
    #[arg(value_name = "SRC")]
    pub from: OsString,
    /// Where
    #[arg(value_name = "DST")]
    pub to: OsString,
    /// Delete at the destination what the source does not have
    #[arg(long)]
    pub delete: bool,
    /// Do not ask before that
    #[arg(long, short, requires = "delete")]
    pub yes: bool,
    /// Compare checksums wherever the sizes are the same, not only where the destination is older
    #[arg(long)]
    pub checksum: bool,
    /// Only say what would happen
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Only names like this, at both ends: `*.parquet`, `run-?/**`; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// No names like this
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Not faster than so many bytes a second: 512K, 10M
    #[arg(long, value_name = "BYTES", value_parser = parse_rate)]
    pub limit_rate: Option<u64>,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack transfers`.
#[derive(Args, Debug)]
pub struct Transfers {
    /// Drop what has arrived of them: parts on this machine and in buckets
    #[arg(long)]
    pub drop: bool,
    /// Do not ask
    #[arg(long, short, requires = "drop")]
    pub yes: bool,
}

/// Slower than this, a request would not be seen to go on.
const SLOWEST: u64 = 16 << 10;

fn parse_rate(text: &str) -> Result<u64, String> {
    match units::parse_bytes(text)? {
        rate if rate < SLOWEST => Err("the least is 16K".to_owned()),
        rate => Ok(rate),
    }
}
