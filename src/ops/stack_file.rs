//! Stacks as files of ZenML's own: out of the catalog, and into it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::catalog::{self, Catalog, Edit, Put};
use crate::model::component::{Component, ComponentDraft, ComponentType};
use crate::model::flavor;
use crate::model::stack::{Stack, StackDraft};
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::zenml::lint::{Severity, adopt};
use crate::zenml::stack_file::{self, Entry, StackFile, Unreadable, Unwritable};

use super::failure::{Failure, FailureKind};
use super::world::{World, blocking, stack_of};

/// Writes a stack as `zenml stack export` does. Asks the network nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportStack {
    /// The stack.
    pub stack: String,
    /// The ZenML that is to import it; nothing for the one that the table of flavors is of.
    pub zenml: Option<String>,
    /// The file; nothing where the text alone is wanted.
    pub file: Option<PathBuf>,
    /// Whether a file that is there may be replaced; else it is a conflict.
    pub overwrite: bool,
}

impl Job<World> for ExportStack {
    type Item = Nothing;
    /// The YAML.
    type Out = Result<String, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let catalog = world.catalog().await?;
        let stack = stack_of(&catalog, &self.stack)?;
        let zenml = self.zenml.as_deref().unwrap_or(flavor::zenml());
        let text = stack_file::export(stack, catalog.described(), zenml)?;
        let Some(path) = self.file else { return Ok(text) };
        let random = world.entropy.next_u64();
        let bytes = text.clone().into_bytes();
        blocking(move || {
            let options = atomic_file::Options::default();
            let write = if self.overwrite { atomic_file::write } else { atomic_file::write_new };
            write(&path, &bytes, random, &options)
        })
        .await??;
        Ok(text)
    }
}

/// Reads such a file into the catalog: stores on OSS as artifact stores, the rest as components.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportStack {
    /// The YAML. Somebody may have written keys into it.
    pub text: SecretString,
    /// The stack's name here; nothing for the one in the file.
    pub name: Option<String>,
    /// The secret of a store that names none.
    pub secret: Option<String>,
    /// Whether entries that say something else may be replaced; else they are a conflict.
    pub overwrite: bool,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The stack.
    pub stack: Stack,
    /// Every entry, in the file's order, the stack last: `artifact store alibaba_store`.
    pub entries: Vec<(String, Became)>,
    /// What to know, whole sentences, showable.
    pub notes: Vec<String>,
}

/// What became of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is new.
    New,
    /// The catalog said the same already.
    Same,
    /// It says what the file says now.
    Replaced,
}

impl Became {
    /// The word in JSON and in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Replaced => "replaced",
        }
    }
}

impl Job<World> for ImportStack {
    type Item = Nothing;
    type Out = Result<Imported, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let file = stack_file::read(self.text.expose())?;
        let catalog = context.world.catalog().await?;
        let mut reading =
            Reading { catalog: &catalog, secret: self.secret, found: Found::default() };
        for entry in &file.components {
            reading.take(entry)?;
        }
        let Found { stores, components, names, notes } = reading.found;
        let stack = stack(&catalog, &file, self.name, names)?;
        let puts = Puts {
            stores: stores.into_iter().map(|new| put(new, |name| catalog.store(name))).collect(),
            components: components
                .into_iter()
                .map(|new| {
                    let kind = new.kind;
                    put(new, |name| catalog.component(kind, name))
                })
                .collect(),
            stack: put(stack.clone(), |name| catalog.stack(name)),
        };
        let entries = puts.entries();
        if !self.overwrite {
            let taken = entries.iter().filter(|(_, became)| *became == Became::Replaced);
            let taken: Vec<&str> = taken.map(|(entry, _)| entry.as_str()).collect();
            if !taken.is_empty() {
                let summary = format!("the catalog says something else of: {}", taken.join(", "));
                return Err(Failure::new(FailureKind::Conflict, summary)
                    .hint("--overwrite replaces them with what the file says")
                    .hint("--name NAME gives the stack another name"));
            }
        }
        let (path, random) = context.world.catalog_edit();
        blocking(move || Catalog::edit(&path, random, |edit| puts.write(edit))).await??;
        Ok(Imported { stack, entries, notes })
    }
}

/// What a file comes to.
#[derive(Default)]
struct Found {
    stores: Vec<ArtifactStore>,
    components: Vec<Component>,
    names: BTreeMap<ComponentType, Vec<String>>,
    notes: Vec<String>,
}

struct Reading<'a> {
    catalog: &'a Catalog,
    secret: Option<String>,
    found: Found,
}

impl Reading<'_> {
    fn take(&mut self, entry: &Entry) -> Result<(), Failure> {
        let name = visible(&entry.name).into_string();
        let Some(kind) = ComponentType::parse(&entry.kind) else {
            self.found.notes.push(format!(
                "The {} {name} is left out: this osstack knows no such type.",
                visible(&entry.kind)
            ));
            return Ok(());
        };
        self.found.names.entry(kind).or_default().push(entry.name.clone());
        let is_default = flavor::default_of(kind).is_some_and(|own| own.name == entry.flavor);
        if entry.name == "default" && is_default {
            // ZenML makes it at its first start, and nobody can change it
            return Ok(());
        }
        if kind == ComponentType::ArtifactStore {
            return self.store(entry, &name);
        }
        let mut configuration = entry.configuration.clone();
        configuration.retain(|_, value| !value.is_null());
        let known = flavor::find(kind, &entry.flavor);
        let keys = known.map(|known| known.schema.without_keys(&mut configuration));
        for setting in keys.unwrap_or_default() {
            self.found.notes.push(format!(
                "The {} {name} holds a key in {setting}, which is left out: keep it in a secret of \
                 ZenML, then osstack component update {kind} {name} --set \
                 {setting}={{{{SECRET.KEY}}}}.",
                kind.label(),
            ));
        }
        let draft = ComponentDraft {
            name: entry.name.clone(),
            kind,
            flavor: entry.flavor.clone(),
            configuration,
        };
        // the flavor may be of another ZenML than the table's: only the name can be refused here
        let component = match draft.validate() {
            Ok(component) => component,
            Err(problems) if problems.fields.is_empty() => {
                for problem in &problems.settings {
                    let label = kind.label();
                    self.found.notes.push(format!("Of the {label} {name}: {problem}."));
                }
                let bare = ComponentDraft { flavor: "as it is".into(), ..draft.clone() };
                Component { flavor: draft.flavor, ..bare.validate()? }
            }
            Err(problems) => return Err(Failure::from(problems).hint(format!("mend {name}"))),
        };
        self.clash(&component)?;
        self.found.components.push(component);
        Ok(())
    }

    /// The catalog holds one component of a name; ZenML one of each type.
    fn clash(&self, component: &Component) -> Result<(), Failure> {
        let mut others = self.catalog.components().iter().chain(&self.found.components);
        let other = others.find(|it| it.name == component.name && it.kind != component.kind);
        let Some(other) = other else { return Ok(()) };
        let (name, kind) = (&component.name, component.kind.label());
        let summary = format!(
            "the {kind} {name} cannot come into the catalog, which has {} of that name",
            other.kind.one()
        );
        Err(Failure::new(FailureKind::Conflict, summary)
            .hint(format!("give the {kind} another name in the file")))
    }

    fn store(&mut self, entry: &Entry, name: &str) -> Result<(), Failure> {
        let s3 = (entry.flavor == "s3").then_some(&entry.configuration);
        let Some(adopted) = s3.and_then(|settings| adopt(&entry.name, settings)) else {
            self.found.notes.push(format!(
                "The artifact store {name} ({}) is not on OSS: the stack names it, and it means \
                 what ZenML has of that name.",
                visible(&entry.flavor)
            ));
            return Ok(());
        };
        let said = adopted.findings.iter().filter(|finding| finding.severity > Severity::Note);
        let said = said.map(|finding| format!("Of the artifact store {name}: {}", finding.meaning));
        self.found.notes.extend(said);
        let mut draft = adopted.draft;
        if draft.secret.is_empty() {
            draft.secret = self.secret.clone().unwrap_or_default();
        }
        if draft.secret.is_empty() {
            let summary = format!("the artifact store {name} names no secret");
            return Err(Failure::new(FailureKind::Usage, summary)
                .hint("--secret NAME says which one it signs with"));
        }
        // what ZenML does not know of stays as the catalog has it
        if let Some(former) = self.catalog.store(&entry.name).map(StoreDraft::from) {
            draft.access = former.access;
            draft.residency = former.residency;
        }
        let store = draft.validate().map_err(|problems| {
            let summary = Failure::from(problems).summary;
            Failure::new(FailureKind::Usage, format!("the artifact store {name}: {summary}"))
                .hint("osstack lint FILE says what is wrong with it")
        })?;
        self.found.stores.push(store);
        Ok(())
    }
}

/// The stack, with what ZenML does not know of as the catalog has it.
fn stack(
    catalog: &Catalog,
    file: &StackFile,
    name: Option<String>,
    components: BTreeMap<ComponentType, Vec<String>>,
) -> Result<Stack, Failure> {
    let name = name.or_else(|| file.name.clone()).unwrap_or_default();
    let former = catalog.stack(name.trim()).map(StackDraft::from).unwrap_or_default();
    StackDraft { name, components, ..former }.validate().map_err(|problems| {
        Failure::from(problems).hint("mend the file, or give the stack a name with --name")
    })
}

/// An entry to be written, and what the catalog has in its place.
struct Planned<T> {
    new: T,
    former: Option<T>,
}

fn put<'c, T: Clone + HasName + 'c>(
    new: T,
    find: impl FnOnce(&str) -> Option<&'c T>,
) -> Planned<T> {
    let former = find(new.name()).cloned();
    Planned { new, former }
}

trait HasName {
    fn name(&self) -> &str;
}

impl HasName for ArtifactStore {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl HasName for Component {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl HasName for Stack {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl<T: PartialEq> Planned<T> {
    fn became(&self) -> Became {
        match &self.former {
            None => Became::New,
            Some(former) if *former == self.new => Became::Same,
            Some(_) => Became::Replaced,
        }
    }

    fn how(&self) -> Put<'_, T> {
        self.former.as_ref().map_or(Put::New, Put::Update)
    }
}

struct Puts {
    stores: Vec<Planned<ArtifactStore>>,
    components: Vec<Planned<Component>>,
    stack: Planned<Stack>,
}

impl Puts {
    fn entries(&self) -> Vec<(String, Became)> {
        let stores = self.stores.iter();
        let stores = stores.map(|it| (format!("artifact store {}", it.new.name), it.became()));
        let components = self.components.iter();
        let components =
            components.map(|it| (format!("{} {}", it.new.kind.label(), it.new.name), it.became()));
        let stack = (format!("stack {}", self.stack.new.name), self.stack.became());
        stores.chain(components).chain([stack]).collect()
    }

    /// All of it, or nothing.
    fn write(&self, edit: &mut Edit) -> Result<(), catalog::Error> {
        for store in &self.stores {
            edit.put_store(&store.new, store.how())?;
        }
        for component in &self.components {
            edit.put_component(&component.new, component.how())?;
        }
        edit.put_stack(&self.stack.new, self.stack.how())
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::new(FailureKind::Usage, error.to_string())
            .hint("give what zenml stack export wrote, whole")
    }
}

impl From<Unwritable> for Failure {
    fn from(error: Unwritable) -> Self {
        Self::new(FailureKind::Settings, error.to_string())
    }
}
