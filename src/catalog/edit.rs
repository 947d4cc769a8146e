//! Changes of single entries, leaving every other byte.

use std::collections::BTreeSet;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value};

use super::schema::{COMPONENT, CONNECTION, STACK, STORE};
use super::toml_json::to_inline;
use super::{Content, Error, schema};
use crate::model::component::{Component, ComponentType};
use crate::model::connection::{Connection, ConnectionDraft};
use crate::model::endpoint::EndpointChoice;
use crate::model::fix::Fix;
use crate::model::name::Name;
use crate::model::residency::Residency;
use crate::model::stack::Stack;
use crate::model::store::{ArtifactStore, Extras, StoreDraft};

/// What a change expects of the name.
#[derive(Debug)]
pub enum Put<'a, T> {
    /// It must be free.
    New,
    /// It must still be what the caller loaded; only fields that differ from it are written.
    Update(&'a T),
    /// Whatever is there, be it broken; unknown keys stay.
    Replace,
}

impl<T> Clone for Put<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

// derived, it would ask the same of `T`
impl<T> Copy for Put<'_, T> {}

/// The catalog under its lock. Operations apply to the file as it is now; none is written unless
/// the whole change succeeds.
#[derive(Debug)]
pub struct Edit {
    document: DocumentMut,
    content: Content,
}

/// One kind of entry.
#[derive(Clone, Copy)]
struct Kind {
    section: &'static str,
    label: &'static str,
}

const STORES: Kind = Kind { section: STORE, label: "artifact store" };
const COMPONENTS: Kind = Kind { section: COMPONENT, label: "component" };
const STACKS: Kind = Kind { section: STACK, label: "stack" };
const CONNECTIONS: Kind = Kind { section: CONNECTION, label: "connection" };

impl Kind {
    fn exists(self, name: &str) -> Error {
        Error::Exists { what: self.label, name: name.to_owned() }
    }

    fn absent(self, name: &str) -> Error {
        Error::Absent { what: self.label, name: name.to_owned() }
    }
}

impl Edit {
    pub(super) fn new(document: DocumentMut) -> Self {
        let content = schema::read(document.as_table(), "");
        Self { document, content }
    }

    pub(super) fn into_document(self) -> DocumentMut {
        self.document
    }

    /// Writes an artifact store.
    pub fn put_store(
        &mut self,
        store: &ArtifactStore,
        put: Put<'_, ArtifactStore>,
    ) -> Result<(), Error> {
        let present = self.content.stores.iter().find(|other| other.name == store.name);
        let old = self.expected(STORES, store.name.as_str(), present, put)?;
        let extras = inline_extras(&store.extras)?;
        let table = self.entry(STORES, store.name.as_str())?;
        let mut fields = Fields { table, old, new: store };
        fields.set(ArtifactStore::path, |store| Some(store.path().into()), "path");
        fields.set(|s| s.secret.clone(), |s| Some(s.secret.as_str().into()), "secret");
        fields.set(
            |store| store.region.clone(),
            |store| store.region.as_ref().map(|region| region.as_str().into()),
            "region",
        );
        fields.set(|s| s.endpoint.clone(), |s| Some(endpoint_value(&s.endpoint)), "endpoint");
        fields.set(
            |store| store.access.clone(),
            |store| store.access.as_ref().map(endpoint_value),
            "access",
        );
        fields.set(|s| s.signature, |s| Some(s.signature.as_str().into()), "signature");
        fields.set(|s| s.residency.clone(), |s| residency_value(&s.residency), "residency");
        let [client, config, additional] = extras;
        fields.set(|s| s.extras.client_kwargs.clone(), |_| client.clone(), "client_kwargs");
        fields.set(|s| s.extras.config_kwargs.clone(), |_| config.clone(), "config_kwargs");
        fields.set(
            |store| store.extras.s3_additional_kwargs.clone(),
            |_| additional.clone(),
            "s3_additional_kwargs",
        );
        self.reread();
        Ok(())
    }

    /// Applies a fix to an artifact store, valid or not: writes the very lines that
    /// [`Change::lines`](crate::model::fix::Change::lines) shows, and no others. Refused where the
    /// entry no longer says what the fix begins with.
    pub fn mend_store(&mut self, name: &str, fix: &Fix) -> Result<(), Error> {
        let valid = self.content.stores.iter().find(|store| store.name.as_str() == name);
        let draft = valid.map(StoreDraft::from);
        let broken = || self.content.broken.iter().find(|draft| draft.name == name).cloned();
        let draft = draft.or_else(broken).ok_or_else(|| STORES.absent(name))?;
        let conflict = || Error::Conflict { what: STORES.label, name: name.to_owned() };
        if !fix.fits(&draft) {
            return Err(conflict());
        }
        let table = self.entry(STORES, name)?;
        for change in fix.changes() {
            let [_, line] = change.lines();
            let value = match line {
                None => None,
                Some(line) => {
                    let mut read: DocumentMut = line.parse().map_err(|error: TomlError| {
                        let problem = error.message().to_owned();
                        Error::Value { field: change.field, problem }
                    })?;
                    let item = read.remove(change.field);
                    item.and_then(|item| item.into_value().ok()).map(|mut value| {
                        value.decor_mut().clear();
                        value
                    })
                }
            };
            set_value(table, change.field, value);
        }
        self.reread();
        let mended = self.content.stores.iter().any(|store| store.name.as_str() == name);
        if mended { Ok(()) } else { Err(conflict()) }
    }

    /// Gives an artifact store another name, also in the stacks that use it.
    pub fn rename_store(&mut self, from: &str, to: &Name) -> Result<(), Error> {
        self.rename(STORES, from, to)?;
        self.rename_in_stacks(ComponentType::ArtifactStore, from, to);
        self.reread();
        Ok(())
    }

    /// Deletes an artifact store that no stack uses, with the comment right above it.
    pub fn delete_store(&mut self, name: &str) -> Result<(), Error> {
        self.refuse_used(STORES, name, |kind| kind == ComponentType::ArtifactStore)?;
        self.delete(STORES, name)
    }

    /// Writes a component.
    pub fn put_component(
        &mut self,
        component: &Component,
        put: Put<'_, Component>,
    ) -> Result<(), Error> {
        let name = component.name.as_str();
        let present = self.content.components.iter().find(|other| other.name == component.name);
        let old = self.expected(COMPONENTS, name, present, put)?;
        let configuration = inline("configuration", &component.configuration)?;
        let table = self.entry(COMPONENTS, name)?;
        let mut fields = Fields { table, old, new: component };
        fields.set(|c| c.kind, |c| Some(c.kind.as_str().into()), "type");
        fields.set(|c| c.flavor.clone(), |c| Some(c.flavor.as_str().into()), "flavor");
        fields.set(|c| c.configuration.clone(), |_| configuration.clone(), "configuration");
        self.reread();
        Ok(())
    }

    /// Gives a component another name, also in the stacks that use it.
    pub fn rename_component(&mut self, from: &str, to: &Name) -> Result<(), Error> {
        let mine = self.content.components.iter().find(|other| other.name.as_str() == from);
        let kind = mine.map(|component| component.kind).ok_or_else(|| COMPONENTS.absent(from))?;
        self.rename(COMPONENTS, from, to)?;
        self.rename_in_stacks(kind, from, to);
        self.reread();
        Ok(())
    }

    /// Deletes a component that no stack uses, with the comment right above it.
    pub fn delete_component(&mut self, name: &str) -> Result<(), Error> {
        let mine = self.content.components.iter().find(|other| other.name.as_str() == name);
        let mine = mine.map(|component| component.kind);
        self.refuse_used(COMPONENTS, name, |kind| mine == Some(kind))?;
        self.delete(COMPONENTS, name)
    }

    /// Writes a stack.
    pub fn put_stack(&mut self, stack: &Stack, put: Put<'_, Stack>) -> Result<(), Error> {
        let present = self.content.stacks.iter().find(|other| other.name == stack.name);
        let old = self.expected(STACKS, stack.name.as_str(), present, put)?;
        let table = self.entry(STACKS, stack.name.as_str())?;
        let mut kinds: BTreeSet<ComponentType> = stack.components.keys().copied().collect();
        kinds.extend(old.iter().flat_map(|old| old.components.keys()));
        for kind in kinds {
            let names = |stack: &Stack| stack.components.get(&kind).cloned().unwrap_or_default();
            if old.is_none_or(|old| names(old) != names(stack)) {
                set_components(table, kind, &names(stack));
            }
        }
        let mut fields = Fields { table, old, new: stack };
        fields.set(|s| s.zenml.clone(), |s| s.zenml.as_deref().map(Value::from), "zenml");
        fields.set(|s| s.protected, |s| s.protected.then(|| true.into()), "protected");
        fields.set(|s| s.require_check, |s| s.require_check.then(|| true.into()), "require_check");
        self.reread();
        Ok(())
    }

    /// Gives a stack another name.
    pub fn rename_stack(&mut self, from: &str, to: &Name) -> Result<(), Error> {
        self.rename(STACKS, from, to)?;
        self.reread();
        Ok(())
    }

    /// Writes a copy of a stack under a free name.
    pub fn copy_stack(&mut self, from: &str, to: &Name) -> Result<(), Error> {
        let stack = self.content.stacks.iter().find(|stack| stack.name.as_str() == from);
        let stack = stack.ok_or_else(|| STACKS.absent(from))?;
        let copy = Stack { name: to.clone(), ..stack.clone() };
        self.put_stack(&copy, Put::New)
    }

    /// Deletes a stack, with the comment right above it.
    pub fn delete_stack(&mut self, name: &str) -> Result<(), Error> {
        self.delete(STACKS, name)
    }

    /// Writes a connection.
    pub fn put_connection(
        &mut self,
        connection: &Connection,
        put: Put<'_, Connection>,
    ) -> Result<(), Error> {
        let name = connection.name.as_str();
        let present = self.content.connections.iter().find(|other| other.name == connection.name);
        let old = self.expected(CONNECTIONS, name, present, put)?.map(ConnectionDraft::from);
        let new = ConnectionDraft::from(connection);
        let table = self.entry(CONNECTIONS, name)?;
        let mut fields = Fields { table, old: old.as_ref(), new: &new };
        let value = |text: &str| (!text.is_empty()).then(|| text.into());
        fields.set(|c| c.url.clone(), |c| value(&c.url), "url");
        fields.set(|c| c.command.clone(), |c| value(&c.command), "command");
        fields.set(|c| c.project.clone(), |c| value(&c.project), "project");
        self.reread();
        Ok(())
    }

    /// Deletes a connection, with the comment right above it; stacks that name it keep the name.
    pub fn delete_connection(&mut self, name: &str) -> Result<(), Error> {
        self.delete(CONNECTIONS, name)
    }

    /// Writes the new name of a secret into the stores that use it; answers how many did.
    pub fn rename_secret_references(&mut self, from: &str, to: &Name) -> usize {
        let mut count = 0;
        for table in tables_mut(&mut self.document, STORE) {
            if table.get("secret").and_then(Item::as_str) == Some(from) {
                set_value(table, "secret", Some(to.as_str().into()));
                count += 1;
            }
        }
        self.reread();
        count
    }

    /// The entry that only differing fields are written of.
    fn expected<'e, T: PartialEq>(
        &self,
        kind: Kind,
        name: &str,
        present: Option<&T>,
        put: Put<'e, T>,
    ) -> Result<Option<&'e T>, Error> {
        let there = self.has(kind, name);
        match put {
            Put::New if there => Err(kind.exists(name)),
            Put::New | Put::Replace => Ok(None),
            Put::Update(expected) if present == Some(expected) => Ok(Some(expected)),
            Put::Update(_) if there => {
                Err(Error::Conflict { what: kind.label, name: name.to_owned() })
            }
            Put::Update(_) => Err(kind.absent(name)),
        }
    }

    /// Whether the file has the entry, valid or not.
    fn has(&self, kind: Kind, name: &str) -> bool {
        let section = self.document.get(kind.section).and_then(Item::as_table_like);
        section.is_some_and(|section| section.contains_key(name))
    }

    fn section(&mut self, kind: Kind) -> Result<&mut dyn TableLike, Error> {
        let implicit = || {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        };
        self.document
            .entry(kind.section)
            .or_insert_with(implicit)
            .as_table_like_mut()
            .ok_or(Error::Section(kind.section))
    }

    /// The entry's table, made where there is none.
    fn entry(&mut self, kind: Kind, name: &str) -> Result<&mut dyn TableLike, Error> {
        let section = self.section(kind)?;
        if section.get(name).is_none_or(|item| !item.is_table_like()) {
            let mut table = Table::new();
            table.decor_mut().set_prefix("\n");
            section.insert(name, Item::Table(table));
        }
        let entry = section.get_mut(name).and_then(Item::as_table_like_mut);
        entry.ok_or(Error::Section(kind.section))
    }

    fn rename(&mut self, kind: Kind, from: &str, to: &Name) -> Result<(), Error> {
        if from == to.as_str() {
            return Ok(());
        }
        if self.has(kind, to.as_str()) {
            return Err(kind.exists(to.as_str()));
        }
        let section = self.section(kind)?;
        let item = section.remove(from).ok_or_else(|| kind.absent(from))?;
        section.insert(to.as_str(), item);
        Ok(())
    }

    fn delete(&mut self, kind: Kind, name: &str) -> Result<(), Error> {
        self.section(kind)?.remove(name).ok_or_else(|| kind.absent(name))?;
        self.reread();
        Ok(())
    }

    fn refuse_used(
        &self,
        kind: Kind,
        name: &str,
        is_kind: impl Fn(ComponentType) -> bool,
    ) -> Result<(), Error> {
        let users = self.content.stacks.iter().filter(|stack| {
            stack.components.keys().any(|kind| is_kind(*kind) && stack.uses(*kind, name))
        });
        let users: Vec<String> = users.map(|stack| stack.name.to_string()).collect();
        if users.is_empty() {
            return Ok(());
        }
        Err(Error::InUse { what: kind.label, name: name.to_owned(), users })
    }

    fn rename_in_stacks(&mut self, kind: ComponentType, from: &str, to: &Name) {
        for stack in tables_mut(&mut self.document, STACK) {
            let components = stack.get_mut("components").and_then(Item::as_table_like_mut);
            for (word, item) in components.into_iter().flat_map(|table| table.iter_mut()) {
                if ComponentType::parse(word.get()) != Some(kind) {
                    continue;
                }
                let Some(value) = item.as_value_mut() else { continue };
                match value {
                    Value::Array(names) => {
                        names.iter_mut().for_each(|name| rename_value(name, from, to));
                    }
                    name => rename_value(name, from, to),
                }
            }
        }
    }

    fn reread(&mut self) {
        self.content = schema::read(self.document.as_table(), "");
    }
}

/// All entries of a section.
fn tables_mut<'a>(
    document: &'a mut DocumentMut,
    section: &str,
) -> impl Iterator<Item = &'a mut dyn TableLike> {
    let section = document.get_mut(section).and_then(Item::as_table_like_mut);
    section
        .into_iter()
        .flat_map(|section| section.iter_mut())
        .filter_map(|(_, item)| item.as_table_like_mut())
}

/// An entry being written: fields that are as they were stay untouched, with their comments.
struct Fields<'a, 'e, T> {
    table: &'a mut dyn TableLike,
    old: Option<&'e T>,
    new: &'e T,
}

impl<T> Fields<'_, '_, T> {
    fn set<F: PartialEq>(
        &mut self,
        field: impl Fn(&T) -> F,
        value: impl Fn(&T) -> Option<Value>,
        key: &str,
    ) {
        if self.old.is_none_or(|old| field(old) != field(self.new)) {
            set_value(self.table, key, value(self.new));
        }
    }
}

/// Writes or removes a value, keeping blanks and comments around it.
fn set_value(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        table.remove(key);
        return;
    };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(present) => {
            *value.decor_mut() = present.decor().clone();
            *present = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

fn rename_value(value: &mut Value, from: &str, to: &Name) {
    if value.as_str() == Some(from) {
        let decor = value.decor().clone();
        *value = to.as_str().into();
        *value.decor_mut() = decor;
    }
}

fn set_components(stack: &mut dyn TableLike, kind: ComponentType, names: &[Name]) {
    if stack.get("components").is_none_or(|item| !item.is_table_like()) {
        stack.insert("components", Item::Value(InlineTable::new().into()));
    }
    let components = stack.get_mut("components").and_then(Item::as_table_like_mut);
    let Some(components) = components else { return };
    // the file may spell the type with a hyphen
    let keys: Vec<String> = components.iter().map(|(key, _)| key.to_owned()).collect();
    let key = keys.iter().find(|key| ComponentType::parse(key) == Some(kind));
    let key = key.map_or(kind.as_str(), String::as_str);
    let array: Array = names.iter().map(Name::as_str).collect();
    set_value(components, key, (!names.is_empty()).then(|| array.into()));
}

fn residency_value(residency: &Residency) -> Option<Value> {
    let areas: Array = residency.areas().collect();
    (!areas.is_empty()).then(|| areas.into())
}

fn endpoint_value(choice: &EndpointChoice) -> Value {
    match choice {
        EndpointChoice::CustomDomain(domain) => {
            let mut table = InlineTable::new();
            table.insert("custom_domain", domain.as_str().into());
            table.into()
        }
        other => other.to_string().into(),
    }
}

fn inline_extras(extras: &Extras) -> Result<[Option<Value>; 3], Error> {
    Ok([
        inline("client_kwargs", &extras.client_kwargs)?,
        inline("config_kwargs", &extras.config_kwargs)?,
        inline("s3_additional_kwargs", &extras.s3_additional_kwargs)?,
    ])
}

/// An object as a value; none where it is empty.
fn inline(
    field: &'static str,
    map: &serde_json::Map<String, serde_json::Value>,
) -> Result<Option<Value>, Error> {
    let table = to_inline(map).map_err(|problem| Error::Value { field, problem })?;
    Ok((!map.is_empty()).then(|| table.into()))
}
