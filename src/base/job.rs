//! The shape of asynchronous work: plain data that knows how to run itself.
//!
//! A job says *what* is asked (its `Debug` reaches the log), the context says
//! against which world, how it may report on the way, and when to stop. The
//! same job runs under the screens (through `tui::runtime`) and under the
//! command line (through [`Context::alone`]).

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One use case, as data.
pub trait Job<W: ?Sized>: fmt::Debug + Send + 'static {
    /// What is reported on the way: pages, progress, rungs. [`Nothing`] where there is nothing.
    type Item: Send + 'static;
    /// The one answer at the end.
    type Out: Send + 'static;

    /// Runs to the end, or until `context.cancel` asks it to stop; then it
    /// still cleans up what it left outside and answers.
    fn run(self, context: Context<W, Self::Item>) -> impl Future<Output = Self::Out> + Send;
}

/// The item of a job that reports nothing before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {}

/// What a running job holds: its world, its way to report, its sign to stop.
pub struct Context<W: ?Sized, I> {
    /// The services the job may use.
    pub world: Arc<W>,
    /// Cancelled when nobody wants the answer any more.
    pub cancel: CancellationToken,
    items: mpsc::Sender<I>,
}

impl<W: ?Sized, I> Context<W, I> {
    /// A context whose items go to `items`.
    pub fn new(world: Arc<W>, cancel: CancellationToken, items: mpsc::Sender<I>) -> Self {
        Self { world, cancel, items }
    }

    /// A context for a caller that wants the answer alone; items are dropped.
    pub fn alone(world: Arc<W>) -> Self {
        let (items, _dropped) = mpsc::channel(1);
        Self { world, cancel: CancellationToken::new(), items }
    }

    /// Reports `item`, waiting while the listener is behind. Answers whether
    /// anybody still listens.
    pub async fn report(&self, item: I) -> bool {
        self.items.send(item).await.is_ok()
    }

    /// Reports `item` only if the listener keeps up: for progress, where a
    /// later item says all that an earlier one did.
    pub fn report_if_ready(&self, item: I) {
        let _full_or_closed = self.items.try_send(item);
    }
}

impl<W: ?Sized, I> fmt::Debug for Context<W, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancelled = self.cancel.is_cancelled();
        f.debug_struct("Context").field("cancelled", &cancelled).finish_non_exhaustive()
    }
}
