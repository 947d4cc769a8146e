//! `osstack du` and `osstack uploads`, as clap reads them.

use clap::Args;

use super::Border;

/// `osstack du`.
#[derive(Args, Debug)]
pub struct Du {
    /// STORE:[PREFIX], s3://BUCKET/[PREFIX] or @BOOKMARK
    pub target: String,
    /// A line for each part below, the largest first
    #[arg(long, short)]
    pub each: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack uploads`.
#[derive(Args, Debug)]
pub struct Uploads {
    /// STORE:[PREFIX], s3://BUCKET/[PREFIX] or @BOOKMARK
    pub target: String,
    /// End them: what was sent of them is gone
    #[arg(long)]
    pub abort: bool,
    /// Do not ask
    #[arg(long, short, requires = "abort")]
    pub yes: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}
