//! What names versions of objects.

use clap::Args;

use super::Border;

/// Which version of an object.
#[derive(Args, Clone, Debug)]
pub struct VersionId {
    /// That version of it, as `osstack versions` names it, in place of the current one
    #[arg(long, value_name = "ID")]
    pub version_id: Option<String>,
}

/// `osstack versions`.
#[derive(Args, Debug)]
pub struct Versions {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// Of everything below
    #[arg(long, short)]
    pub recursive: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack revert`.
#[derive(Args, Debug)]
pub struct Revert {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// Version
    #[command(flatten)]
    pub version: VersionId,
    /// Border
    #[command(flatten)]
    pub border: Border,
}
