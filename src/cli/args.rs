//! The command line, as clap reads it.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "these comments are the words of --help: STORE:[PREFIX] is no link"
)]

pub mod artifacts;
pub mod bookmark;
mod check;
mod component;
mod plan;
pub mod restore;
mod stack;
pub mod transfer;
pub mod usage;
pub mod versions;
mod zenml;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::check::{Check, Lint};
pub use self::component::{Component, ComponentSettings};
pub use self::stack::{Stack, StackExport, StackImport, StackSettings};
pub use plan::{Commit, Diff, Plan};
pub use zenml::{Import, Login, Zenml};

/// Terminal stack manager for ZenML with artifacts on Alibaba Cloud OSS.
///
/// Without a command it opens the terminal UI on your own files.
#[derive(Debug, Parser)]
#[command(name = "osstack", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; nothing opens the terminal UI.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

impl Cli {
    /// Reads the arguments, the program's name first.
    ///
    /// `-o json` is `--json` everywhere but in `stack register` and `stack update`, where `-o` is
    /// the orchestrator as in ZenML; clap cannot say that of a global option, so it is said here.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Misread> {
        let arguments = with_json_spelled_out(arguments);
        let wants_json = arguments.iter().take_while(|word| *word != "--").any(|w| w == "--json");
        Self::try_parse_from(arguments).map_err(|error| Misread { error, wants_json })
    }
}

/// Arguments that are no command; or help, or the version.
#[derive(Debug)]
pub struct Misread {
    /// What clap says.
    pub error: clap::Error,
    /// The answer is to be JSON all the same.
    pub wants_json: bool,
}

/// Writes `-o json` as `--json`, where `-o` is not the orchestrator.
fn with_json_spelled_out(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter().peekable();
    let mut out: Vec<OsString> = arguments.next().into_iter().collect();
    // the first two words that are neither options nor their values
    let mut words: Vec<OsString> = Vec::with_capacity(2);
    while let Some(argument) = arguments.next() {
        let names_orchestrator = matches!(words.as_slice(), [noun, verb] if noun == "stack" && (verb == "register" || verb == "update"));
        if argument == "--" {
            out.push(argument);
            out.extend(arguments);
            break;
        }
        if argument == "-o" && !names_orchestrator && arguments.next_if(|v| v == "json").is_some() {
            out.push("--json".into());
            continue;
        }
        let takes_value = argument == "--color";
        if words.len() < 2 && !argument.as_encoded_bytes().starts_with(b"-") {
            words.push(argument.clone());
        }
        out.push(argument);
        if takes_value {
            out.extend(arguments.next());
        }
    }
    out
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Answer in JSON on stdout.
    #[arg(long, global = true)]
    pub json: bool,

    /// When to colour.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColorWhen,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the UI over an embedded sandbox: nothing of yours is touched
    Demo(Demo),
    /// Serve the embedded OSS on 127.0.0.1 until stopped; the first line on stdout is JSON
    Sandbox(Sandbox),
    /// The endpoint table of OSS
    Regions(Regions),
    /// Access keys, kept in the keystore
    #[command(subcommand)]
    Secret(Secret),
    /// Artifact stores of the catalog
    #[command(subcommand, alias = "store")]
    ArtifactStore(Store),
    /// Components of the catalog other than artifact stores
    #[command(subcommand)]
    Component(Component),
    /// Stacks of the catalog
    #[command(subcommand)]
    Stack(Stack),
    /// Runs of pipelines, as ZenML tells of them
    #[command(subcommand)]
    Run(artifacts::Run),
    /// Artifact versions: what they are made of, where they lie, and what may go
    #[command(subcommand)]
    Artifact(artifacts::Artifact),
    /// Prove that a store or a stack works as ZenML will use it
    Check(Check),
    /// Say what is wrong for OSS in an artifact store that was made by hand
    Lint(Lint),
    /// Connections to ZenML: a server, or the zenml command of an environment
    #[command(subcommand)]
    Zenml(Zenml),
    /// What this machine has already: a zenml login, keys of ossutil, aliyun and AWS tools; no
    /// values
    Found,
    /// What ZenML would be told, beside what it has
    Plan(Plan),
    /// Tell ZenML, after showing what changes
    Commit(Commit),
    /// The catalog beside ZenML and the bucket, field by field
    Diff(Diff),
    /// Places by a name: @NAME stands for one wherever a place is typed
    Bookmark(bookmark::Bookmark),
    /// List objects below STORE:[PREFIX], or the stores' buckets
    Ls(Ls),
    /// Show one object's details
    Stat(OneObject),
    /// Write an object to stdout
    Cat(OneObject),
    /// Copy between this machine and a store, or within stores
    Cp(transfer::Copy),
    /// The same as cp, and delete each source once its copy was held against it by checksum; folders
    /// of this machine that it empties go as well
    Mv(transfer::Copy),
    /// Make all below one place like all below another: what differs is copied, the rest left
    Sync(transfer::Sync),
    /// Copies that were stopped before their end: the same cp goes on with them
    Transfers(transfer::Transfers),
    /// Delete objects
    Rm(Remove),
    /// Make archived objects readable for some days
    Restore(restore::Restore),
    /// Versions of an object and its delete markers, where the bucket keeps them
    Versions(versions::Versions),
    /// Take the deletion of an object back, or make an older version the current one
    Revert(versions::Revert),
    /// Make the bucket of a store
    Mb(MakeBucket),
    /// Make a link that works without a key for a while
    Presign(Presign),
    /// Bytes and objects below STORE:[PREFIX]
    Du(usage::Du),
    /// Uploads below STORE:[PREFIX] that were begun and not ended
    Uploads(usage::Uploads),
    /// What an error code of OSS means, and what to do; without one, all of them
    Explain(Explain),
    /// The sealed file in which secrets lie
    #[command(subcommand)]
    Keystore(Keystore),
    /// What a shell completes after `osstack`: for bash, source <(osstack completions bash)
    Completions(Completions),
    /// A page for man(1): osstack man stack register | man -l -
    Man(Man),
}

/// `osstack demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Make something go wrong in its ZenML, in the middle of a commit too: refused-once=2,
    /// answer-lost=1; `--zenml-fault list` tells all
    #[arg(long = "zenml-fault", value_name = "NAME[=VALUE]")]
    pub zenml_faults: Vec<String>,
}

impl Demo {
    /// Whether there is a screen to it: a list of faults needs none.
    pub fn has_screen(&self) -> bool {
        self.zenml_faults.iter().all(|fault| fault != "list")
    }
}

/// `osstack sandbox`.
#[derive(Args, Debug)]
pub struct Sandbox {
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub port: u16,
    /// Serve https, with a certificate made at start
    #[arg(long)]
    pub tls: bool,
    /// Make something go wrong, as often as wanted: latency=50, read-only, v2-off, archived=runs/;
    /// `--fault list` tells all
    #[arg(long = "fault", value_name = "NAME[=VALUE]")]
    pub faults: Vec<String>,
    /// Serve a bucket under a custom domain, beside BUCKET.cname.localhost, which every bucket has
    #[arg(long = "bind-domain", value_name = "NAME=BUCKET")]
    pub domains: Vec<String>,
    /// Begin with no bucket but one that is empty
    #[arg(long)]
    pub empty: bool,
    /// Serve a stand-in for ZenML's REST API too, which knows of runs over the demo's artifacts
    #[arg(long)]
    pub zenml: bool,
    /// Make something go wrong there, in the middle of a commit too: refused-from=2, answer-lost=1;
    /// `--zenml-fault list` tells all
    #[arg(long = "zenml-fault", value_name = "NAME[=VALUE]")]
    pub zenml_faults: Vec<String>,
}

/// `osstack regions`.
#[derive(Args, Debug)]
pub struct Regions {
    /// Show only regions whose id, city, jurisdiction or geography holds this
    pub filter: Option<String>,
    /// Measure how long each public endpoint takes (name, TCP, TLS; median of 3), fastest first;
    /// with --json one line a region as they come, and one that tells whether internal
    /// endpoints are reached from here
    #[arg(long)]
    pub latency: bool,
}

/// `osstack secret …`.
#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Keep a new access key; its values are never taken from arguments
    Create(SecretValues),
    /// Give a secret other values
    Update(SecretValues),
    /// Names and key ids
    List,
    /// Show a secret without its values
    Get {
        /// The secret
        name: String,
        /// Show the values too, on a terminal only
        #[arg(long)]
        reveal: bool,
    },
    /// Give a secret another name here and in the stores that use it; where ZenML has it from
    /// osstack, the next commit renames it there in place of making a second one
    Rename {
        /// The secret
        name: String,
        /// Its new name
        to: String,
    },
    /// Forget a secret
    Delete {
        /// The secret
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Where a secret's values come from.
#[derive(Args, Debug)]
pub struct SecretValues {
    /// The secret's name, here and in ZenML
    pub name: String,
    /// Copy the key that another tool keeps on this machine: aliyun, aliyun:PROFILE, ossutil,
    /// aws:PROFILE, env:VARIABLE, …; `osstack found` names what there is. Its file stays as it is
    #[arg(long, value_name = "SOURCE", conflicts_with = "stdin")]
    pub from: Option<String>,
    /// The same as --from env: take OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN
    /// (or the ALIBABA_CLOUD_… names)
    #[arg(long, conflicts_with_all = ["stdin", "from"])]
    pub from_env: bool,
    /// Do not ask before a key is copied
    #[arg(long, short, conflicts_with = "stdin")]
    pub yes: bool,
    /// Read JSON from stdin: {"access_key_id", "secret_access_key"[, "session_token", "expires_at"]}
    #[arg(long)]
    pub stdin: bool,
    /// Names of the values in ZenML: `oss` as its OSS page has them, `aws` for ZenML before 0.93
    #[arg(long, value_enum, value_name = "NAMES")]
    pub key_names: Option<KeyNames>,
}

/// Names of a secret's values in ZenML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyNames {
    /// `access_key_id`, `secret_access_key`.
    Oss,
    /// `aws_access_key_id`, `aws_secret_access_key`.
    Aws,
}

/// `osstack artifact-store …`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Describe a new store; the network is not touched
    Register(StoreSettings),
    /// Change what is given, keep the rest
    Update(StoreSettings),
    /// Names, paths, regions
    List,
    /// One store, and what ZenML gets
    Describe {
        /// The store
        name: String,
    },
    /// The smallest RAM policy that ZenML works with, to be granted to the key's RAM user
    Policy {
        /// A store, or s3://BUCKET[/PREFIX] for which there is none yet
        name: String,
    },
    /// Give a store another name here and in the stacks that use it; where ZenML has it from osstack,
    /// the next commit renames it there in place of making a second one
    Rename {
        /// The store
        name: String,
        /// Its new name
        to: String,
    },
    /// Forget a store; the bucket stays as it is
    Delete {
        /// The store
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Settings of a store.
#[derive(Args, Debug)]
pub struct StoreSettings {
    /// The store's name, here and in ZenML
    pub name: String,
    /// Bucket
    #[arg(long, short)]
    pub bucket: Option<String>,
    /// What the store's keys begin with
    #[arg(long, short)]
    pub prefix: Option<String>,
    /// Name of the secret
    #[arg(long, short)]
    pub secret: Option<String>,
    /// Region id, with or without oss-; see `osstack regions`
    #[arg(long, short)]
    pub region: Option<String>,
    /// What ZenML gets: public, internal, dual-stack, accelerate, accelerate-overseas, s3,
    /// s3-internal, a URL, or domain:NAME for a custom domain
    #[arg(long, short, value_name = "KIND|URL")]
    pub endpoint: Option<String>,
    /// How this machine reaches the bucket, where that differs
    #[arg(long, value_name = "KIND|URL")]
    pub access: Option<String>,
    /// Where the data may lie, with commas between: EU, UK, DE, asia-pacific, … as `osstack
    /// regions` has them; empty for anywhere. What leads out of it is refused
    #[arg(long, value_name = "AREA,…")]
    pub residency: Option<String>,
    /// v2 as ZenML's OSS page asks for, or v4
    #[arg(long, value_enum)]
    pub signature: Option<SignatureVersion>,
}

/// Signature versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignatureVersion {
    /// S3 V2.
    V2,
    /// S3 V4.
    V4,
}

/// `osstack ls`.
#[derive(Args, Debug)]
pub struct Ls {
    /// STORE:[PREFIX], s3://BUCKET/[PREFIX] or @BOOKMARK; nothing lists the stores
    pub target: Option<String>,
    /// Everything below, without folding at /
    #[arg(long, short)]
    pub recursive: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// What a store's residency keeps from being read.
#[derive(Args, Clone, Copy, Debug)]
pub struct Border {
    /// Do not ask, though the bucket lies outside of the store's residency
    #[arg(long)]
    pub across_border: bool,
}

/// One object.
#[derive(Args, Debug)]
pub struct OneObject {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// Version
    #[command(flatten)]
    pub version: versions::VersionId,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack rm`.
#[derive(Args, Debug)]
pub struct Remove {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// Everything below
    #[arg(long, short, conflicts_with = "version_id")]
    pub recursive: bool,
    /// Version
    #[command(flatten)]
    pub version: versions::VersionId,
    /// Only say what would be deleted
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack mb`.
#[derive(Args, Debug)]
pub struct MakeBucket {
    /// The store whose bucket is to be made
    pub store: String,
}

/// `osstack presign`.
#[derive(Args, Debug)]
pub struct Presign {
    /// STORE:KEY, s3://BUCKET/KEY or @BOOKMARK/KEY
    pub target: String,
    /// How long it works: 30s, 15m, 12h, 7d (7d at most)
    #[arg(long, short, default_value = "1h", value_name = "SPAN")]
    pub expires: String,
    /// Version
    #[command(flatten)]
    pub version: versions::VersionId,
    /// Border
    #[command(flatten)]
    pub border: Border,
}

/// `osstack explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// The Code (AccessDenied) or EC (0003-00001403) that the error names
    #[arg(value_name = "CODE|EC")]
    pub code: Option<String>,
}

/// `osstack completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// For which shell
    pub shell: clap_complete::Shell,
}

/// `osstack man`.
#[derive(Args, Debug)]
pub struct Man {
    /// Of which command; without one, of osstack itself
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// `osstack keystore …`.
#[derive(Debug, Subcommand)]
pub enum Keystore {
    /// Where everything lies and how it is guarded
    Status,
    /// Let the OS keyring remember the identity
    Unlock,
    /// Make the OS keyring forget it
    Lock,
    /// Seal the identity with another passphrase
    ChangePassphrase,
    /// Make a new identity and seal all secrets to it
    Rotate,
    /// Write all secrets to one new file, sealed with a passphrase: `age -d` opens it
    Export {
        /// The file
        file: PathBuf,
    },
    /// Copy both sealed files
    Backup {
        /// Folder
        folder: PathBuf,
    },
    /// Take a backup back
    Restore {
        /// A folder made by backup, one secrets.age.bak.N or one identity.age.bak.N
        path: PathBuf,
    },
    /// Delete the numbered backups, which former passphrases open
    PurgeBackups {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[cfg(test)]
mod tests;
