//! What a stack or a component that exists elsewhere becomes in the catalog, wherever it was read:
//! in a file of ZenML's, or in ZenML itself.

use std::collections::BTreeMap;

use crate::base::visible::visible;
use crate::catalog::{self, Catalog, Put};
use crate::model::component::{Component, ComponentDraft, ComponentType};
use crate::model::flavor::{self, Flavors};
use crate::model::stack::{Stack, StackDraft};
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::zenml::lint::{Severity, adopt};
use crate::zenml::plan::settings;
use crate::zenml::stack_file::Entry;

use super::failure::{Failure, FailureKind};
use super::world::{World, blocking};

/// What came into the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The stacks that came.
    pub stacks: Vec<Stack>,
    /// Every entry, in the order of its source, stacks last: `artifact store alibaba_store`.
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
    /// It says what its source says now.
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

/// What comes into the catalog, before it is written.
#[derive(Default)]
pub(super) struct Intake {
    stores: Vec<Planned<ArtifactStore>>,
    components: Vec<Planned<Component>>,
    stacks: Vec<Planned<Stack>>,
    notes: Vec<String>,
}

impl Intake {
    /// The stack `name` of these components, by what is known of their flavors. A store that names
    /// no secret gets `secret`.
    pub(super) fn of_stack(
        catalog: &Catalog,
        flavors: &Flavors,
        name: &str,
        components: &[Entry],
        secret: Option<&str>,
    ) -> Result<Self, Failure> {
        let (mut intake, names) = Self::read(catalog, flavors, components, secret)?;
        // what ZenML does not know of stays as the catalog has it
        let former = catalog.stack(name.trim()).map(StackDraft::from).unwrap_or_default();
        let draft = StackDraft { name: name.to_owned(), components: names, ..former };
        let stack = draft.validate().map_err(|problems| {
            Failure::from(problems).hint("mend the stack where it comes from, or give it a name")
        })?;
        intake.stacks.push(put(stack, |name| catalog.stack(name)));
        Ok(intake)
    }

    /// Components alone.
    pub(super) fn of_components(
        catalog: &Catalog,
        flavors: &Flavors,
        components: &[Entry],
        secret: Option<&str>,
    ) -> Result<Self, Failure> {
        Self::read(catalog, flavors, components, secret).map(|(intake, _)| intake)
    }

    fn read(
        catalog: &Catalog,
        flavors: &Flavors,
        entries: &[Entry],
        secret: Option<&str>,
    ) -> Result<(Self, BTreeMap<ComponentType, Vec<String>>), Failure> {
        let mut reading = Reading { catalog, flavors, secret, found: Found::default() };
        for entry in entries {
            reading.take(entry)?;
        }
        let Found { stores, components, names, notes } = reading.found;
        let stores = stores.into_iter().map(|new| put(new, |name| catalog.store(name)));
        let components = components.into_iter().map(|new| {
            let kind = new.kind;
            put(new, |name| catalog.component(kind, name))
        });
        let (stores, components) = (stores.collect(), components.collect());
        Ok((Self { stores, components, stacks: Vec::new(), notes }, names))
    }

    /// Adds what `other` brings; what both bring comes once.
    pub(super) fn add(&mut self, other: Self) {
        let Self { stores, components, stacks, notes } = other;
        for it in stores {
            if !self.stores.iter().any(|other| other.new.name == it.new.name) {
                self.stores.push(it);
            }
        }
        for it in components {
            let is_it = |other: &Planned<Component>| {
                (&other.new.name, other.new.kind) == (&it.new.name, it.new.kind)
            };
            if !self.components.iter().any(is_it) {
                self.components.push(it);
            }
        }
        self.stacks.extend(stacks);
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// The stack alone.
    pub(super) fn without_components(self) -> Self {
        Self { stores: Vec::new(), components: Vec::new(), notes: Vec::new(), ..self }
    }

    /// The artifact stores that come.
    pub(super) fn stores(&self) -> impl Iterator<Item = &ArtifactStore> {
        self.stores.iter().map(|planned| &planned.new)
    }

    /// Every entry, stacks last: `artifact store alibaba_store`.
    pub(super) fn entries(&self) -> Vec<(String, Became)> {
        let stores = self.stores.iter();
        let stores = stores.map(|it| (format!("artifact store {}", it.new.name), it.became()));
        let components = self.components.iter();
        let components =
            components.map(|it| (format!("{} {}", it.new.kind.label(), it.new.name), it.became()));
        let stacks = self.stacks.iter();
        let stacks = stacks.map(|it| (format!("stack {}", it.new.name), it.became()));
        stores.chain(components).chain(stacks).collect()
    }

    /// The entries of which the catalog says something else.
    pub(super) fn replaced(&self) -> Vec<String> {
        let replaced = self.entries().into_iter().filter(|(_, it)| *it == Became::Replaced);
        replaced.map(|(entry, _)| entry).collect()
    }

    /// Writes all of it into the catalog, or nothing.
    pub(super) async fn write(self, world: &World) -> Result<Imported, Failure> {
        let (path, random) = world.catalog_edit();
        let entries = self.entries();
        let Self { stores, components, stacks, notes } = self;
        blocking(move || {
            Catalog::edit(&path, random, |edit| {
                for store in &stores {
                    edit.put_store(&store.new, store.how())?;
                }
                for component in &components {
                    edit.put_component(&component.new, component.how())?;
                }
                for stack in &stacks {
                    edit.put_stack(&stack.new, stack.how())?;
                }
                Ok::<_, catalog::Error>(stacks.into_iter().map(|stack| stack.new).collect())
            })
        })
        .await?
        .map(|(stacks, _)| Imported { stacks, entries, notes })
        .map_err(Failure::from)
    }
}

/// What the entries come to.
#[derive(Default)]
struct Found {
    stores: Vec<ArtifactStore>,
    components: Vec<Component>,
    names: BTreeMap<ComponentType, Vec<String>>,
    notes: Vec<String>,
}

struct Reading<'a> {
    catalog: &'a Catalog,
    flavors: &'a Flavors,
    secret: Option<&'a str>,
    found: Found,
}

impl Reading<'_> {
    fn take(&mut self, entry: &Entry) -> Result<(), Failure> {
        let name = visible(&entry.name).into_string();
        let Some(kind) = ComponentType::parse(&entry.kind) else {
            self.found.notes.push(format!(
                "The {} {name} is left out: that is no type of component.",
                visible(&entry.kind)
            ));
            return Ok(());
        };
        if let Some(doubt) = kind.doubt() {
            self.found.notes.push(format!("The {kind} {name} comes along: {doubt}."));
        }
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
        let known = self.flavors.find(kind, &entry.flavor);
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
        let component = match draft.validate(self.flavors, None) {
            Ok(component) => component,
            Err(problems) if problems.fields.is_empty() => {
                for problem in &problems.settings {
                    let label = kind.label();
                    self.found.notes.push(format!("Of the {label} {name}: {problem}."));
                }
                let bare = ComponentDraft { flavor: "as it is".into(), ..draft.clone() };
                Component { flavor: draft.flavor, ..bare.validate(self.flavors, None)? }
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
            .hint(format!("give the {kind} another name where it comes from")))
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
        let former = self.catalog.store(&entry.name);
        if draft.secret.is_empty() {
            let here = former.map(|former| former.secret.as_str());
            self.secret.or(here).unwrap_or_default().clone_into(&mut draft.secret);
        }
        if draft.secret.is_empty() {
            let summary = format!("the artifact store {name} names no secret");
            return Err(Failure::new(FailureKind::Usage, summary)
                .hint("--secret NAME says which one it signs with"));
        }
        // what ZenML does not know of stays as the catalog has it
        if let Some(former) = former.map(StoreDraft::from) {
            draft.access = former.access;
            draft.residency = former.residency;
            // an own URL does not tell its region
            if draft.region.is_empty() && draft.endpoint == former.endpoint {
                draft.region = former.region;
            }
        }
        let store = draft.validate().map_err(|problems| {
            let summary = Failure::from(problems).summary;
            Failure::new(FailureKind::Usage, format!("the artifact store {name}: {summary}"))
                .hint("osstack lint says what is wrong with it")
        })?;
        // two entries may say the same to ZenML: an endpoint by its kind, or by its URL
        let is_same = |former: &ArtifactStore| {
            let told = settings(former).ok();
            told.is_some() && told == settings(&store).ok()
        };
        self.found.stores.push(former.filter(|it| is_same(it)).cloned().unwrap_or(store));
        Ok(())
    }
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
