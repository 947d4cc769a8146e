//! `osstack bookmark`, as clap reads it.

use clap::{Args, Subcommand};

/// `osstack bookmark`.
#[derive(Args, Debug)]
pub struct Bookmark {
    /// What to do; nothing lists them.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// `osstack bookmark …`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Names and places
    List,
    /// Remember a place: @NAME stands for it wherever a place is typed, @NAME/KEY for what is
    /// below it
    Add {
        /// The name: letters, digits, _ and -
        name: String,
        /// STORE:[KEY] or s3://BUCKET/[KEY]
        uri: String,
    },
    /// Give a bookmark another name
    Rename {
        /// The name
        name: String,
        /// Its new name
        #[arg(value_name = "NEW")]
        to: String,
    },
    /// Forget a bookmark; what lies there stays
    Remove {
        /// The name
        name: String,
    },
}
