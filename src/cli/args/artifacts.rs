//! `osstack run …` and `osstack artifact …`, as clap reads them.

use clap::{Args, Subcommand, ValueEnum};

use crate::model::preview::Level;

/// Which ZenML is asked.
#[derive(Args, Clone, Debug)]
pub struct Connection {
    /// The ZenML connection; without it the only one there is
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
}

/// `osstack run …`.
#[derive(Debug, Subcommand)]
pub enum Run {
    /// The newest runs
    List {
        /// Of this pipeline alone
        #[arg(long, short)]
        pipeline: Option<String>,
        /// So many at the most
        #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
        limit: usize,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// One run: its steps, what they read and wrote, and where that lies
    Describe {
        /// Id or name; the newest run where none is given
        run: Option<String>,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// The logs of a run and its steps
    Logs {
        /// Id or name; the newest run where none is given
        run: Option<String>,
        /// Of this step alone
        #[arg(long, short)]
        step: Option<String>,
        /// From this level on; what has no level, as a traceback, always shows
        #[arg(long, short, value_enum)]
        level: Option<LogLevel>,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
}

/// Levels of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are Python's own, and clap would print more")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::Debug,
            LogLevel::Info => Self::Info,
            LogLevel::Warning => Self::Warning,
            LogLevel::Error => Self::Error,
            LogLevel::Critical => Self::Critical,
        }
    }
}

/// `osstack artifact …`.
#[derive(Debug, Subcommand)]
pub enum Artifact {
    /// Artifact versions, the newest first
    List {
        /// Whose data lies in this store
        #[arg(long, short)]
        store: Option<String>,
        /// Of the artifact of this name
        #[arg(long)]
        name: Option<String>,
        /// So many at the most
        #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
        limit: usize,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// One version: where it lies, what it was made of, what was made of it, its files
    Describe {
        /// Id, NAME or NAME:VERSION; or the object of which it is to be found: STORE:KEY,
        /// s3://BUCKET/KEY, @BOOKMARK/KEY
        artifact: String,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// Data on a store that no artifact version names
    Orphans {
        /// The store
        store: String,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// Artifact versions whose data is gone from a store
    Missing {
        /// The store
        store: String,
        /// Connection
        #[command(flatten)]
        zenml: Connection,
    },
    /// Delete versions that no run has any more: first their data, then ZenML's metadata
    Prune(Prune),
}

/// `osstack artifact prune`.
#[derive(Args, Debug)]
pub struct Prune {
    /// The store whose versions are meant
    #[arg(long, short)]
    pub store: String,
    /// Those written longer ago: 12h, 30d
    #[arg(long, value_name = "SPAN")]
    pub older_than: Option<String>,
    /// All but the newest N of each artifact
    #[arg(long, value_name = "N")]
    pub keep_last: Option<usize>,
    /// All that no run has as input or output, as `zenml artifact prune` takes them
    #[arg(long)]
    pub unused: bool,
    /// Delete data that no version names instead; asks for the store's name, on a terminal alone
    #[arg(long, conflicts_with_all = ["older_than", "keep_last", "unused", "yes"])]
    pub orphans: bool,
    /// Only say what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Connection
    #[command(flatten)]
    pub zenml: Connection,
}
