//! Searching and sorting what a listing brought, beside the screen that shows it.

use futures_util::StreamExt as _;
use futures_util::stream;

use super::failure::Failure;
use super::objects::until_cancelled;
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::pattern::Pattern;
use crate::oss::listing::inventory::{Inventory, Match, RowId, Sorting};

/// Pages searched at a time: so much takes a few milliseconds, and so much less where each name
/// is looked at for itself.
const PAGES: usize = 32;
const PAGES_SLOWLY: usize = 4;
/// Where those that match are compared as well.
const PAGES_RANKED: usize = 2;
/// Threads that search.
const THREADS: usize = 2;

/// How many pages of an inventory are searched at once, as quickly as one frame is drawn.
pub fn pages_at_once(pattern: &Pattern) -> usize {
    match pattern {
        _ if pattern.is_quick() => PAGES,
        _ if pattern.ranks() => PAGES_RANKED,
        _ => PAGES_SLOWLY,
    }
}

/// Looks for rows, and reports those that match as they are found.
#[derive(Debug)]
pub struct FindRows {
    /// Where.
    pub inventory: Inventory,
    /// What.
    pub pattern: Pattern,
    /// The first page to be searched, by its keys.
    pub from: usize,
    /// The order of those that are reported together.
    pub sorting: Sorting,
}

impl Job<World> for FindRows {
    type Item = Vec<Match>;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Vec<Match>>) -> Self::Out {
        let step = pages_at_once(&self.pattern);
        let starts = (self.from..self.inventory.pages()).step_by(step);
        let mut found = stream::iter(starts)
            .map(|start| {
                let (inventory, pattern) = (self.inventory.clone(), self.pattern.clone());
                blocking(move || inventory.find(&pattern, start..start + step, self.sorting))
            })
            .buffered(THREADS);
        while let Some(rows) = until_cancelled(&context, found.next()).await? {
            let rows = rows?;
            if !rows.is_empty() && !context.report(rows).await {
                break;
            }
        }
        Ok(())
    }
}

/// Puts all rows in an order.
#[derive(Debug)]
pub struct SortRows {
    /// Which.
    pub inventory: Inventory,
    /// The order.
    pub sorting: Sorting,
}

impl Job<World> for SortRows {
    type Item = Nothing;
    type Out = Result<Vec<RowId>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let Self { inventory, sorting } = self;
        until_cancelled(&context, blocking(move || inventory.sorted(sorting))).await?
    }
}
