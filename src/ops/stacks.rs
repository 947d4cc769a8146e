//! Stacks of the catalog.

use crate::base::job::{Context, Job, Nothing};
use crate::catalog::{self, Catalog, Edit, Put};
use crate::model::field::FieldError;
use crate::model::name::Name;
use crate::model::stack::{Stack, StackDraft};

use super::commit_record;
use super::failure::Failure;
use super::world::{World, blocking};

/// Writes a stack to the catalog. The network is not touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveStack {
    /// What was entered.
    pub draft: StackDraft,
    /// The stack as it was loaded; nothing where it is new. Refused where the file says otherwise
    /// by now.
    pub replaces: Option<Box<Stack>>,
}

impl Job<World> for SaveStack {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let stack = self.draft.validate()?;
        let name = stack.name.clone();
        let (path, random) = context.world.catalog_edit();
        let former = self.replaces.as_ref().map(|former| former.name.clone());
        blocking(move || {
            Catalog::edit(&path, random, |edit| match self.replaces {
                None => edit.put_stack(&stack, Put::New),
                Some(former) => {
                    if former.name != stack.name {
                        edit.rename_stack(former.name.as_str(), &stack.name)?;
                    }
                    let former = Stack { name: stack.name.clone(), ..*former };
                    edit.put_stack(&stack, Put::Update(&former))
                }
            })
        })
        .await??;
        if let Some(former) = former {
            commit_record::rename(&context.world, "stack", &former, &name).await?;
        }
        Ok(name)
    }
}

/// Gives a stack another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameStack {
    /// The name it has.
    pub name: String,
    /// The name it gets.
    pub to: String,
}

impl Job<World> for RenameStack {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let from = Name::parse(&self.name);
        let change = move |edit: &mut Edit, to: &Name| edit.rename_stack(&self.name, to);
        let to = under_new_name(&context.world, &self.to, change).await?;
        if let Ok(from) = from {
            commit_record::rename(&context.world, "stack", &from, &to).await?;
        }
        Ok(to)
    }
}

/// Makes a second stack like the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyStack {
    /// The first.
    pub name: String,
    /// The second's name.
    pub to: String,
}

impl Job<World> for CopyStack {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let change = move |edit: &mut Edit, to: &Name| edit.copy_stack(&self.name, to);
        under_new_name(&context.world, &self.to, change).await
    }
}

/// Forgets a stack; its store and its secret stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteStack {
    /// Its name.
    pub name: String,
}

impl Job<World> for DeleteStack {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (path, random) = context.world.catalog_edit();
        blocking(move || Catalog::edit(&path, random, |edit| edit.delete_stack(&self.name)))
            .await??;
        Ok(())
    }
}

/// Changes the catalog so that it has a stack of the name typed, which is the answer.
async fn under_new_name(
    world: &World,
    typed: &str,
    change: impl FnOnce(&mut Edit, &Name) -> Result<(), catalog::Error> + Send + 'static,
) -> Result<Name, Failure> {
    let to = Name::parse(typed).map_err(|error| vec![FieldError::new("name", error)])?;
    let (path, random) = world.catalog_edit();
    let name = to.clone();
    blocking(move || Catalog::edit(&path, random, |edit| change(edit, &to))).await??;
    Ok(name)
}
