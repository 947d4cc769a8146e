//! Named things at the left, all that is known of the selected one at the right.
//!
//! A screen states its rows, its details, its keys and its jobs. That the selection stays on its
//! name when the list is read anew, and what stands there before, instead and after a failure, is
//! said here once.

use std::marker::PhantomData;

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::name::Name;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::ops::failure::Failure;
use crate::ops::runs::ListedRuns;
use crate::ops::secrets::SecretRow;
use crate::tui::effect::Outcome;
use crate::tui::keymap::Move;
use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::{pane, panes};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};
use crate::zenml::artifacts::Run;

use super::failure_view::{self, settled};

/// What has a name, by which it is found again.
pub(super) trait Named {
    /// The name, or what else is unlike every other's.
    fn id(&self) -> &str;

    /// What stands over its details, showable.
    fn title(&self) -> String {
        visible(self.id()).into_string()
    }
}

impl Named for Stack {
    fn id(&self) -> &str {
        self.name.as_str()
    }
}

impl Named for ArtifactStore {
    fn id(&self) -> &str {
        self.name.as_str()
    }
}

impl Named for SecretRow {
    fn id(&self) -> &str {
        self.summary.name.as_str()
    }
}

/// What a job reads, as the rows it lists.
pub(super) trait Lists<T> {
    /// The rows, in the order shown.
    fn rows(&self) -> &[T];
}

impl Lists<Stack> for Catalog {
    fn rows(&self) -> &[Stack] {
        self.stacks()
    }
}

impl Lists<ArtifactStore> for Catalog {
    fn rows(&self) -> &[ArtifactStore] {
        self.stores()
    }
}

impl Named for Run {
    fn id(&self) -> &str {
        &self.id
    }

    fn title(&self) -> String {
        visible(&self.name).into_string()
    }
}

impl Lists<Run> for ListedRuns {
    fn rows(&self) -> &[Run] {
        &self.runs
    }
}

impl Lists<SecretRow> for Vec<SecretRow> {
    fn rows(&self) -> &[SecretRow] {
        self
    }
}

/// The rows `T` of what was read, a `C`, and which of them is selected.
#[derive(Debug)]
pub(super) struct ListDetail<C, T> {
    read: Option<C>,
    /// Why it could not be read, or not anew.
    unread: Option<Failure>,
    /// What the last command came to, until the next one.
    refused: Option<Failure>,
    scroll: Scroll,
    /// Selected once it is read: what a form has just saved.
    sought: Option<String>,
    rows: PhantomData<fn() -> T>,
}

/// How it looks, beside rows and details.
pub(super) struct Face<'a> {
    /// Of the list.
    pub title: &'a str,
    /// Of the list, in percent of the whole width, and in cells at least.
    pub width: (u16, u16),
    /// Of the list.
    pub columns: &'a [Column<'a>],
    /// What the list says while there is no row: say what to do.
    pub empty: &'a str,
    /// What the details say while there is no row.
    pub welcome: &'a str,
    /// What has to be said of the list as a whole, under it.
    pub warnings: Vec<String>,
    /// What is said until the list is read: what is waited for in the list, the rest in place of
    /// the details.
    pub waiting: Vec<String>,
}

impl<C, T> Default for ListDetail<C, T> {
    fn default() -> Self {
        Self {
            read: None,
            unread: None,
            refused: None,
            scroll: Scroll::default(),
            sought: None,
            rows: PhantomData,
        }
    }
}

impl<C: Lists<T>, T: Named> ListDetail<C, T> {
    /// What was read last.
    pub(super) fn read(&self) -> Option<&C> {
        self.read.as_ref()
    }

    pub(super) fn is_read(&self) -> bool {
        self.read.is_some()
    }

    pub(super) fn rows(&self) -> &[T] {
        self.read.as_ref().map(C::rows).unwrap_or_default()
    }

    pub(super) fn selected(&self) -> Option<&T> {
        self.rows().get(self.scroll.selected())
    }

    pub(super) fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    /// Takes what a job read; what was seen before stays where it failed.
    pub(super) fn take(&mut self, outcome: Outcome<Result<C, Failure>>) {
        let selected = self.selected().map(|row| row.id().to_owned());
        let wanted = [self.sought.take(), selected];
        match settled(outcome) {
            Ok(read) => (self.read, self.unread) = (Some(read), None),
            Err(failure) => self.unread = Some(failure),
        }
        let at = wanted.iter().flatten().find_map(|name| self.position(name));
        self.scroll.select(at.unwrap_or(self.scroll.selected()));
        self.scroll.clamp(self.rows().len());
    }

    /// Selects the row of that name, now or once it is read.
    pub(super) fn select(&mut self, name: &Name) {
        match self.position(name.as_str()) {
            Some(at) => self.scroll.select(at),
            None => self.sought = Some(name.to_string()),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.rows().iter().position(|row| row.id() == name)
    }

    /// Moves the selection.
    pub(super) fn act(&mut self, to: Move) {
        let len = self.rows().len();
        self.scroll.act(to, len);
    }

    /// A click or the wheel.
    pub(super) fn mouse(&mut self, mouse: MouseEvent) {
        let len = self.rows().len();
        self.scroll.mouse(mouse, len);
    }

    /// Shows why a command failed, until [`ListDetail::forget`].
    pub(super) fn refuse(&mut self, failure: Failure) {
        self.refused = Some(failure);
    }

    /// The next command was given: what the last one came to is over.
    pub(super) fn forget(&mut self) {
        self.refused = None;
    }

    /// What stands in place of the details: a command that failed, else a list that did.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.refused.as_ref().or(self.unread.as_ref())
    }

    /// Draws the list alone.
    pub(super) fn table(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: &Theme,
        (columns, empty): (&[Column<'_>], &str),
        build: impl Fn(&T) -> Row<'static>,
    ) {
        let empty = if self.is_read() { empty } else { "" };
        let rows = self.rows();
        let table = Table::new(columns).empty(empty);
        table.view(frame, area, theme, &self.scroll, rows.len(), |index| {
            rows.get(index).map(&build).unwrap_or_default()
        });
    }

    /// Draws list and details; a window too narrow for both shows the list, or the failure.
    pub(super) fn view(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: &Theme,
        face: &Face<'_>,
        build: impl Fn(&T) -> Row<'static>,
        details: impl FnOnce(&T, usize) -> Vec<Line<'static>>,
    ) {
        let (percent, least) = face.width;
        let [left, right] = panes(area, percent, least, self.failure().is_some());
        if !left.is_empty() {
            let inner = pane(frame, left, theme, face.title, true);
            let room = usize::from(inner.width);
            let mut warnings: Vec<String> =
                face.warnings.iter().flat_map(|text| wrap(text, room)).collect();
            warnings.truncate(usize::from(inner.height) / 3);
            let height = usize::from(inner.height).saturating_sub(warnings.len());
            let list = Rect { height: cells(height), ..inner };
            self.table(frame, list, theme, (face.columns, face.empty), build);
            if let Some(waiting) = face.waiting.first().filter(|_| !self.is_read()) {
                line(frame, list, Line::raw(waiting.as_str()));
            }
            for (index, text) in warnings.into_iter().enumerate() {
                let place = row(rows_below(inner, height), index);
                line(frame, place, Line::styled(text, theme.warn()));
            }
        }
        if right.is_empty() {
            return;
        }
        let title = self.selected().map_or_else(String::new, Named::title);
        let inner = pane(frame, right, theme, &title, false);
        let room = usize::from(inner.width);
        let lines = match (self.failure(), self.selected()) {
            (Some(failure), _) => failure_view::lines(failure, room, theme),
            (None, Some(row)) => details(row, room),
            (None, None) if self.is_read() => {
                wrap(face.welcome, room).into_iter().map(Line::raw).collect()
            }
            (None, None) => {
                let more = face.waiting.iter().skip(1).flat_map(|text| wrap(text, room));
                more.map(|text| Line::styled(text, theme.muted())).collect()
            }
        };
        for (index, text) in lines.into_iter().enumerate() {
            line(frame, row(inner, index), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stack::StackDraft;
    use crate::ops::failure::FailureKind;

    impl Lists<Stack> for Vec<Stack> {
        fn rows(&self) -> &[Stack] {
            self
        }
    }

    fn stacks(names: &[&str]) -> Outcome<Result<Vec<Stack>, Failure>> {
        let stack = |name: &&str| {
            let one = |text: &str| vec![text.to_owned()];
            let components = [
                (crate::model::component::ComponentType::ArtifactStore, one("store")),
                (crate::model::component::ComponentType::Orchestrator, one("default")),
            ];
            let name = (*name).to_owned();
            StackDraft { name, components: components.into(), ..StackDraft::default() }
                .validate()
                .unwrap()
        };
        Outcome::Done(Ok(names.iter().map(stack).collect()))
    }

    fn selected(list: &ListDetail<Vec<Stack>, Stack>) -> &str {
        list.selected().unwrap().name.as_str()
    }

    #[test]
    fn the_selection_stays_on_its_name() {
        let mut list = ListDetail::default();
        list.take(stacks(&["b", "c"]));
        list.act(Move::Down);
        list.take(stacks(&["a", "b", "c", "d"]));
        assert_eq!(selected(&list), "c");
        list.select(&Name::parse("e").unwrap());
        assert_eq!(selected(&list), "c", "it is not read yet");
        list.take(stacks(&["a", "b", "c", "d", "e"]));
        assert_eq!(selected(&list), "e");
        list.take(stacks(&["a"]));
        assert_eq!(selected(&list), "a");
    }

    #[test]
    fn a_list_that_cannot_be_read_anew_stays_and_says_why() {
        let mut list = ListDetail::default();
        list.take(stacks(&["a"]));
        list.take(Outcome::Done(Err(Failure::new(FailureKind::File, "no such file"))));
        assert_eq!((selected(&list), list.failure().is_some()), ("a", true));
        list.refuse(Failure::new(FailureKind::Conflict, "in use"));
        assert_eq!(list.failure().unwrap().summary, "in use");
        list.forget();
        list.take(stacks(&["a"]));
        assert!(list.failure().is_none());
    }
}
