//! What makes archived objects readable.

use clap::{Args, ValueEnum};

use super::Border;
use super::versions::VersionId;
use crate::oss::restore;

/// `osstack restore`.
#[derive(Args, Debug)]
pub struct Restore {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// All that is archived below
    #[arg(long, short, conflicts_with = "version_id")]
    pub recursive: bool,
    /// Version
    #[command(flatten)]
    pub version: VersionId,
    /// Days that it stays readable: 1 to 7, of ColdArchive and DeepColdArchive to 365. OSS's
    /// documentation says that its S3 interface grants 1 day whatever is asked
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=365))]
    pub days: u16,
    /// How soon, of ColdArchive and DeepColdArchive; sooner costs more
    #[arg(long, value_enum, default_value = "standard", value_name = "TIER")]
    pub tier: Tier,
    /// Only say how far each is from being read
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tier {
    /// Within 1 hour (DeepColdArchive: 12)
    Expedited,
    /// In 2 to 5 hours (DeepColdArchive: 48)
    Standard,
    /// In 5 to 12 hours (DeepColdArchive: as standard)
    Bulk,
}

impl From<Tier> for restore::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Expedited => Self::Expedited,
            Tier::Standard => Self::Standard,
            Tier::Bulk => Self::Bulk,
        }
    }
}
