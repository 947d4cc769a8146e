//! What was asked of the world, and how it ended: the visible log.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::visible::{Visible, visible};
use crate::tui::effect::{Kind, Outcome};
use crate::tui::runtime::Ticket;
use crate::tui::screen::Notice;

/// Entries kept; the oldest go first.
const KEPT: usize = 1_000;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An effect.
    Effect(Record),
    /// Something the user was told, and when, since the start of the program.
    Told(Duration, Notice),
}

impl Entry {
    /// Whether the two are about the same, whatever has become of it since.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Effect(one), Self::Effect(two)) => {
                (one.ticket, one.at, &one.what) == (two.ticket, two.at, &two.what)
            }
            (one, two) => one == two,
        }
    }
}

/// An effect in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its ticket; `None` when it was refused.
    pub ticket: Option<Ticket>,
    /// When it was asked for, since the start of the program.
    pub at: Duration,
    /// The screen that asked.
    pub screen: &'static str,
    /// The job.
    pub what: Visible,
    /// Its kind.
    pub kind: Kind,
    /// How it ended, and how long it took; `None` while it runs.
    pub ended: Option<(Outcome<()>, Duration)>,
}

/// The log, newest last.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    version: u64,
}

impl Log {
    /// All entries, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What runs now, oldest first.
    pub fn running(&self) -> impl Iterator<Item = &Record> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Effect(record) if record.ended.is_none() => Some(record),
            Entry::Effect(_) | Entry::Told(..) => None,
        })
    }

    pub(crate) fn started(
        &mut self,
        at: Duration,
        screen: &'static str,
        what: &str,
        kind: Kind,
        ticket: Option<Ticket>,
    ) {
        let ended = ticket.is_none().then_some((Outcome::Refused, Duration::ZERO));
        self.push(Entry::Effect(Record { ticket, at, screen, what: visible(what), kind, ended }));
    }

    pub(crate) fn ended(&mut self, now: Duration, ticket: Ticket, how: Outcome<()>) {
        let record = self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Effect(record) if record.ticket == Some(ticket) => Some(record),
            Entry::Effect(_) | Entry::Told(..) => None,
        });
        if let Some(record) = record {
            record.ended = Some((how, now.saturating_sub(record.at)));
            self.version += 1;
        }
    }

    pub(crate) fn told(&mut self, now: Duration, notice: Notice) {
        self.push(Entry::Told(now, notice));
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.version += 1;
    }
}
