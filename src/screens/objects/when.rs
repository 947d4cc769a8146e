//! When each key does something.

use super::{MOST_AT_ONCE, Objects, Progress};

impl Objects {
    pub(super) fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    pub(super) fn is_not_typing(&self) -> bool {
        !self.filter.is_open()
    }

    /// While a filter is typed its keys are the filter's, the delete key as well.
    pub(super) fn has_object(&self) -> bool {
        self.selected().is_some_and(|row| row.object.is_some()) && !self.filter.is_open()
    }

    /// Whether there is something to act upon: what is marked, else the selected row.
    pub(super) fn may_act(&self) -> bool {
        (self.has_selection() || self.has_marks()) && !self.filter.is_open()
    }

    /// Whether the last deletion can be taken back.
    pub(super) fn may_take_back(&self) -> bool {
        !self.undo.is_empty() && self.deletion.is_none() && !self.filter.is_open()
    }

    /// Whether what the next act is upon has to be restored before it can be read.
    pub(super) fn is_archived(&self) -> bool {
        let object = self.selected().and_then(|row| row.object);
        let is_archived = object.is_some_and(|facts| facts.class.is_archived());
        self.marks.is_empty() && is_archived && !self.filter.is_open()
    }

    /// Whether some of it may have to be.
    pub(super) fn may_hold_archived(&self) -> bool {
        let is_prefix = self.selected().is_some_and(|row| row.object.is_none());
        (self.has_marks() || is_prefix) && !self.filter.is_open()
    }

    pub(super) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    pub(super) fn may_mark(&self) -> bool {
        self.has_selection() && !self.filter.is_open()
    }

    pub(super) fn may_mark_all(&self) -> bool {
        self.may_mark() && self.rows.len() <= MOST_AT_ONCE
    }

    pub(super) fn may_clear_marks(&self) -> bool {
        self.has_marks() && !self.is_narrowed()
    }

    pub(super) fn may_open(&self) -> bool {
        self.has_selection() && !self.filter.is_open()
    }

    pub(super) fn has_parent(&self) -> bool {
        !self.prefix.is_empty() && !self.filter.is_open()
    }

    pub(super) fn is_at_root(&self) -> bool {
        self.prefix.is_empty() && !self.filter.is_open()
    }

    pub(super) fn is_own_bucket(&self) -> bool {
        self.place.bucket.is_none() && !self.filter.is_open()
    }

    pub(super) fn has_back(&self) -> bool {
        !self.back.is_empty()
    }

    pub(super) fn has_forward(&self) -> bool {
        !self.forward.is_empty()
    }

    pub(super) fn has_reading(&self) -> bool {
        self.reading().is_some()
    }

    pub(super) fn is_listing(&self) -> bool {
        self.progress == Progress::Listing
    }

    pub(super) fn may_stop(&self) -> bool {
        self.is_listing() && !self.is_narrowed() && !self.has_marks()
    }

    pub(super) fn is_narrowed(&self) -> bool {
        self.filter.is_open() || self.filter.is_active()
    }
}
