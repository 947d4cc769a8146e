//! The only place that spawns tasks, and the only one that judges answers.
//!
//! Every task has a ticket. An answer is let through by [`Runtime::accept`] if
//! its ticket is still the current one; stale ones die there and nowhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::base::unwind::caught;
use crate::tui::effect::{Answer, Call, IfGone, Kind, Order, Outcome};
use crate::tui::event_loop::Wake;
use crate::tui::screen::{AnyMsg, Notice};

/// A layer for as long as it lives; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u64);

/// A started effect; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a task says, on its way to [`Runtime::accept`].
pub struct Reply {
    ticket: Ticket,
    message: AnyMsg,
    /// Set on the last word of the task.
    ended: Option<Outcome<()>>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?}, {:?})", self.ticket, self.ended)
    }
}

/// Where a running effect puts its items.
#[derive(Debug)]
pub struct Outlet {
    ticket: Ticket,
    queue: mpsc::Sender<Wake>,
}

impl Outlet {
    pub(super) async fn item(&self, message: AnyMsg) {
        self.send(Reply { ticket: self.ticket, message, ended: None }).await;
    }

    async fn send(&self, reply: Reply) {
        // The queue is gone only when the program ends.
        let _closed = self.queue.send(Wake::Reply(reply)).await;
    }
}

/// What [`Runtime::start`] did.
#[derive(Debug)]
pub enum Started {
    /// It runs; with what its owner wants to hear of the ticket.
    Running(Ticket, Option<AnyMsg>),
    /// It was refused; this is its answer.
    Refused(AnyMsg),
}

/// What becomes of a reply.
#[derive(Debug)]
pub enum Accepted {
    /// For that layer; the last one of its effect carries how it ended.
    Deliver(LayerId, AnyMsg, Option<(Ticket, Outcome<()>)>),
    /// The layer is gone and this was the last word.
    Orphan {
        /// The effect.
        ticket: Ticket,
        /// The job, as the log shows it.
        what: String,
        /// How it ended.
        ended: Outcome<()>,
        /// What the effect wanted said in that case.
        notice: Option<Notice>,
    },
    /// Nobody asks any more; with the ticket and the end where it was the last word.
    Stale(Option<(Ticket, Outcome<()>)>),
}

/// A task for those who ask what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its ticket.
    pub ticket: Ticket,
    /// The job, as the log shows it.
    pub what: String,
    /// Its kind.
    pub kind: Kind,
}

struct Task {
    owner: Option<LayerId>,
    slot: &'static str,
    kind: Kind,
    what: String,
    leaves_traces: bool,
    cancel: CancellationToken,
    /// False once a newer one took its place.
    current: bool,
    if_gone: Option<IfGone>,
    handle: JoinHandle<()>,
}

/// Owns all tasks of the screens, against one world.
pub struct Runtime<W> {
    world: Arc<W>,
    queue: mpsc::Sender<Wake>,
    tasks: BTreeMap<Ticket, Task>,
    last: u64,
}

impl<W: Send + Sync + 'static> Runtime<W> {
    /// A runtime whose tasks reply into `queue`.
    pub fn new(world: Arc<W>, queue: mpsc::Sender<Wake>) -> Self {
        Self { world, queue, tasks: BTreeMap::new(), last: 0 }
    }

    /// The world the tasks run against.
    pub fn world(&self) -> &Arc<W> {
        &self.world
    }

    /// Starts `order` for `owner`, or refuses it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    pub fn start(&mut self, owner: LayerId, order: Order<W>) -> Started {
        let Order { what, slot, kind, leaves_traces, work, if_gone, started } = order;
        match kind {
            Kind::Exclusive if self.holds_exclusively(slot) => {
                return Started::Refused(work.refuse().message);
            }
            Kind::Latest => self.supersede(|task| task.owner == Some(owner) && task.slot == slot),
            Kind::Exclusive | Kind::Background => {}
        }
        self.last += 1;
        let ticket = Ticket(self.last);
        let cancel = CancellationToken::new();
        let outlet = Outlet { ticket, queue: self.queue.clone() };
        let last_word = Outlet { ticket, queue: self.queue.clone() };
        let world = Arc::clone(&self.world);
        let running = work.run(Call { world, cancel: cancel.clone(), leaves_traces, outlet });
        let handle = tokio::spawn(async move {
            // A job's panic is caught within; this one is of the function that
            // makes the message, which then has no message to give.
            let Answer { ended, message } = caught(running).await.unwrap_or_else(|place| Answer {
                ended: Outcome::Panicked(place),
                message: Box::new(()),
            });
            last_word.send(Reply { ticket, message, ended: Some(ended) }).await;
        });
        let owner = Some(owner);
        let current = true;
        let task =
            Task { owner, slot, kind, what, leaves_traces, cancel, current, if_gone, handle };
        self.tasks.insert(ticket, task);
        Started::Running(ticket, started.map(|say| say(ticket)))
    }

    /// Lets a reply through only if it answers a question still asked.
    pub fn accept(&mut self, reply: Reply) -> Accepted {
        let Reply { ticket, message, ended } = reply;
        let Some(task) = self.tasks.get(&ticket) else {
            return Accepted::Stale(ended.map(|ended| (ticket, ended)));
        };
        let (owner, current) = (task.owner, task.current);
        let Some(ended) = ended else {
            return match owner {
                Some(owner) if current => Accepted::Deliver(owner, message, None),
                _ => Accepted::Stale(None),
            };
        };
        let Some(task) = self.tasks.remove(&ticket) else {
            return Accepted::Stale(Some((ticket, ended)));
        };
        match owner {
            _ if !current => Accepted::Stale(Some((ticket, ended))),
            Some(owner) => Accepted::Deliver(owner, message, Some((ticket, ended))),
            None => {
                let notice = task.if_gone.and_then(|say| say(&message));
                Accepted::Orphan { ticket, what: task.what, ended, notice }
            }
        }
    }

    /// The layer is gone: its reads end, its other work loses its owner.
    pub fn close(&mut self, layer: LayerId) {
        self.supersede(|task| task.owner == Some(layer));
        for task in self.tasks.values_mut().filter(|task| task.owner == Some(layer)) {
            task.owner = None;
        }
    }

    /// Asks what runs in `slot` for `layer` to end; the answer still comes.
    pub fn cancel(&mut self, layer: LayerId, slot: &str) {
        for task in self.tasks.values() {
            if task.owner == Some(layer) && task.slot == slot {
                task.cancel.cancel();
            }
        }
    }

    /// Asks one task to end; the answer still comes.
    pub fn cancel_ticket(&mut self, ticket: Ticket) {
        if let Some(task) = self.tasks.get(&ticket) {
            task.cancel.cancel();
        }
    }

    /// Asks all that runs for `layer` to end. Answers whether anything was asked anew.
    pub fn cancel_all_of(&mut self, layer: LayerId) -> bool {
        let mine = self.tasks.values().filter(|task| task.owner == Some(layer) && task.current);
        mine.fold(false, |any, task| {
            let fresh = !task.cancel.is_cancelled();
            task.cancel.cancel();
            any || fresh
        })
    }

    /// What runs now, oldest first.
    pub fn running(&self) -> impl Iterator<Item = Running> + '_ {
        self.tasks.iter().filter(|(_, task)| task.current).map(|(ticket, task)| Running {
            ticket: *ticket,
            what: task.what.clone(),
            kind: task.kind,
        })
    }

    /// Ends everything. Work that leaves traces is awaited for at most `limit`;
    /// answers what was still running then.
    ///
    /// The receiver of the queue must be dropped before, else a task that waits
    /// for room in it never ends.
    pub async fn shutdown(self, limit: Duration) -> Vec<String> {
        for task in self.tasks.values() {
            task.cancel.cancel();
        }
        let deadline = tokio::time::Instant::now() + limit;
        let mut left = Vec::new();
        for task in self.tasks.into_values() {
            if !task.leaves_traces {
                task.handle.abort();
            } else if tokio::time::timeout_at(deadline, task.handle).await.is_err() {
                left.push(task.what);
            }
        }
        left
    }

    fn holds_exclusively(&self, slot: &str) -> bool {
        self.tasks.values().any(|task| task.kind == Kind::Exclusive && task.slot == slot)
    }

    /// Ends the reads that `which` picks. Those that leave traces stay known
    /// until they have ended, so that the end of the program awaits them.
    fn supersede(&mut self, which: impl Fn(&Task) -> bool) {
        self.tasks.retain(|_, task| {
            if task.kind != Kind::Latest || !which(task) {
                return true;
            }
            task.cancel.cancel();
            task.current = false;
            task.leaves_traces
        });
    }
}

impl<W> fmt::Debug for Runtime<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}
