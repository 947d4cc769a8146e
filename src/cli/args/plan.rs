//! What stands between the catalog and ZenML.

use clap::Args;

/// `osstack plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// The stack
    pub name: String,
    /// The ZenML connection, where there are several
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
    /// Ask no ZenML: the plan is for one that has none of it
    #[arg(long, conflicts_with_all = ["connection", "delete", "exit_code"])]
    pub offline: bool,
    /// Plan to take the stack out of ZenML, with what only it uses
    #[arg(long, conflicts_with = "script")]
    pub delete: bool,
    /// Show the REST calls and the equal zenml commands too
    #[arg(long)]
    pub calls: bool,
    /// End with 0 where there is nothing to do, with 2 where there are changes
    #[arg(long, conflicts_with = "script")]
    pub exit_code: bool,
    /// Print the shell script that does it; secret values are asked for, never in it
    #[arg(long, conflicts_with = "connection")]
    pub script: bool,
}

/// `osstack commit`.
#[derive(Args, Debug)]
pub struct Commit {
    /// The stack
    pub name: String,
    /// The ZenML connection, where there are several
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Commit though no check says that the store works; it is recorded
    #[arg(long)]
    pub without_check: bool,
    /// Change or delete also what osstack did not make
    #[arg(long)]
    pub adopt: bool,
    /// Commit though the key is a temporary one that ends within a day
    #[arg(long)]
    pub ending_key: bool,
    /// Make it the active stack then, as `osstack stack set` does
    #[arg(long, conflicts_with_all = ["delete", "undo"])]
    pub set: bool,
    /// Take the stack out of ZenML, with what only it uses
    #[arg(long, conflicts_with = "without_check")]
    pub delete: bool,
    /// Take back what a commit made that stopped in the middle
    #[arg(long, conflicts_with_all = ["delete", "adopt", "without_check"])]
    pub undo: bool,
}

/// `osstack diff`.
#[derive(Args, Debug)]
pub struct Diff {
    /// The stack; nothing for all of the catalog
    pub name: Option<String>,
    /// The ZenML connection, where there are several
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
    /// End with 0 where nothing differs, with 2 where something does
    #[arg(long)]
    pub exit_code: bool,
    /// Take what ZenML has over into the catalog: the whole stack, or the things named as the
    /// answer names them (artifact-store/NAME, secret/NAME). To take yours: osstack commit NAME
    #[arg(long, value_name = "THING", num_args = 0.., requires = "name", conflicts_with = "exit_code")]
    pub take_theirs: Option<Vec<String>>,
    /// Do not ask before the catalog or the keystore is changed
    #[arg(long, short, requires = "take_theirs")]
    pub yes: bool,
}
