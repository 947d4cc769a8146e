//! How rows come in, are narrowed down by the filter, and are put in order, with the cursor where
//! it was.

use super::{Msg, Objects};
use crate::ops::failure::Failure;
use crate::oss::listing::Page;
use crate::oss::listing::inventory::{Match, RowId, Sorting};
use crate::screens::failure_view::settled;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::screen::Step;

impl Objects {
    pub(super) fn resort(&mut self, sorting: Sorting) -> Step<Self> {
        let kept = self.rows.id(self.scroll.selected());
        let job = self.rows.sort_by(sorting);
        self.select(kept);
        job.map_or_else(
            || Step::cancel("sort"),
            |job| Step::run(Effect::latest("sort", job, Msg::Sorted)),
        )
    }

    pub(super) fn select(&mut self, row: Option<RowId>) {
        let at = row.and_then(|row| self.rows.position(row));
        self.scroll.select(at.unwrap_or(0));
    }

    /// The filter was typed at: `before` is what it was.
    pub(super) fn narrow(&mut self, before: &str) -> Step<Self> {
        // one that only grew lets through a part of what the former did
        let are_words = |text: &str| !text.starts_with("re:") && !text.contains(['*', '~']);
        let further = !before.is_empty()
            && self.filter.text().starts_with(before)
            && are_words(self.filter.text());
        let pattern = self.filter.is_active().then(|| self.filter.pattern());
        // an expression that is not written to its end leaves what is there
        let Ok(pattern) = pattern.transpose() else { return Step::none() };
        let job = self.rows.narrow(pattern, further);
        self.scroll.select(0);
        let find = job.map_or_else(
            || Step::cancel("find"),
            |job| Step::run(Effect::latest_stream("find", job, Msg::Found, Msg::Searched)),
        );
        find.then(self.read_selected())
    }

    pub(super) fn listed(&mut self, page: Page) -> Step<Self> {
        let first = self.rows.total() == 0;
        let kept = self.kept();
        let arrived = self.rows.add(page);
        self.marks.arrived(&self.rows, &arrived);
        let sought = self.seek.as_ref().and_then(|name| self.rows.find(name, &arrived));
        if sought.is_some() {
            self.seek = None;
        }
        self.select(sought.or(kept));
        if first || sought.is_some() { self.read_selected() } else { Step::none() }
    }

    /// The row where one is; at the top one stays at the top, whatever comes before it.
    fn kept(&self) -> Option<RowId> {
        self.rows.id(self.scroll.selected()).filter(|_| self.scroll.selected() > 0)
    }

    pub(super) fn found(&mut self, rows: Vec<Match>) -> Step<Self> {
        let (first, kept) = (self.rows.is_empty(), self.kept());
        self.rows.found(rows);
        self.select(kept);
        if first { self.read_selected() } else { Step::none() }
    }

    pub(super) fn sorted(&mut self, outcome: Outcome<Result<Vec<RowId>, Failure>>) {
        if let Ok(rows) = settled(outcome) {
            let kept = self.rows.id(self.scroll.selected());
            self.rows.ordered(rows);
            self.select(kept);
        }
    }
}
