//! `osstack component …`, as clap reads it.

#![allow(
    clippy::doc_markdown,
    rustdoc::broken_intra_doc_links,
    reason = "these comments are the words of --help"
)]

use clap::{Args, Subcommand};

use crate::model::component::ComponentType;

/// `osstack component …`.
#[derive(Debug, Subcommand)]
pub enum Component {
    /// Describe a new component; the network is not touched
    Register(ComponentSettings),
    /// Change what is given, keep the rest
    Update(ComponentSettings),
    /// Names, types and flavors
    List {
        /// Of this type only
        #[arg(value_name = "TYPE", value_parser = kind)]
        kind: Option<ComponentType>,
    },
    /// One component, and what its flavor demands of a stack
    Describe {
        /// orchestrator, container_registry, …
        #[arg(value_name = "TYPE", value_parser = kind)]
        kind: ComponentType,
        /// The component
        name: String,
    },
    /// Forget a component that no stack uses
    Delete {
        /// orchestrator, container_registry, …
        #[arg(value_name = "TYPE", value_parser = kind)]
        kind: ComponentType,
        /// The component
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// The flavors of ZenML, and what one of them can be told
    Flavors {
        /// Of this type only
        #[arg(value_name = "TYPE", value_parser = kind)]
        kind: Option<ComponentType>,
        /// Settings of this one
        flavor: Option<String>,
    },
}

/// Settings of a component.
#[derive(Args, Debug)]
pub struct ComponentSettings {
    /// orchestrator, container_registry, …
    #[arg(value_name = "TYPE", value_parser = kind)]
    pub kind: ComponentType,
    /// The component's name, here and in ZenML
    pub name: String,
    /// ZenML's flavor; see `osstack component flavors TYPE`
    #[arg(long, short)]
    pub flavor: Option<String>,
    /// A setting, as often as needed. A key or password is never given itself, but as
    /// {{SECRET.KEY}}, a reference to a secret of ZenML
    #[arg(long = "set", short, value_name = "SETTING=VALUE")]
    pub settings: Vec<String>,
    /// A setting that is to be taken out, as often as needed
    #[arg(long, value_name = "SETTING")]
    pub unset: Vec<String>,
}

fn kind(word: &str) -> Result<ComponentType, String> {
    ComponentType::parse(word).ok_or_else(|| {
        let all = ComponentType::ALL.into_iter().skip(1).map(ComponentType::as_str);
        format!("the types are {}", all.collect::<Vec<_>>().join(", "))
    })
}
