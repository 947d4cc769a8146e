//! Work that a screen asks for, as a value.
//!
//! An effect names its job, its slot, and how the answer becomes a message. It
//! answers exactly once, after all its items; what that answer can be is
//! [`Outcome`]. The one exception is wanted: an answer to a question that was
//! asked anew, or whose layer is gone, is dropped or goes to the shell.
//!
//! | kind | a second in the slot | leaving the layer |
//! |---|---|---|
//! | [`latest`](Effect::latest): reads | replaces the first | ends it |
//! | [`exclusive`](Effect::exclusive): writes | is refused, whichever layer asks | lets it run |
//! | [`background`](Effect::background): transfers | runs beside it | lets it run |
//!
//! Ending a read drops its future at the next await. A job that leaves traces
//! outside (a check that puts a probe object, an upload) is only asked to stop
//! and then cleans up and answers; the program waits for it before it ends.
//! All but plain reads count as such; [`Effect::leaves_traces`] says so of a read.

use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::base::job::{Context, Job, Nothing};
use crate::base::unwind::caught;
use crate::tui::plain::plain;
use crate::tui::runtime::{Outlet, Ticket};
use crate::tui::screen::{AnyMsg, Notice};

/// Items a job may be ahead of the screen before it has to wait.
const ITEMS_AHEAD: usize = 16;

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The job ran to its end; its own failures are in here.
    Done(T),
    /// Not started: another one runs in the exclusive slot.
    Refused,
    /// The job panicked there in the source. The payload is not kept, it may
    /// quote a secret.
    Panicked(String),
    /// It was asked to stop and left nothing behind.
    Cancelled,
}

impl<T> Outcome<T> {
    /// The answer, where there is one.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(out) => Some(out),
            Self::Refused | Self::Panicked(_) | Self::Cancelled => None,
        }
    }

    /// The answer, or a sentence that says why there is none and what to do.
    pub fn or_reason(self) -> Result<T, String> {
        match self {
            Self::Done(out) => Ok(out),
            Self::Refused => {
                Err("the same is already running; wait for it or cancel it".to_owned())
            }
            Self::Panicked(place) => {
                Err(format!("a fault in osstack at {place}; the log has more, please report it"))
            }
            Self::Cancelled => Err("cancelled".to_owned()),
        }
    }

    /// The same end, with the answer changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(out) => Outcome::Done(change(out)),
            Self::Refused => Outcome::Refused,
            Self::Panicked(place) => Outcome::Panicked(place),
            Self::Cancelled => Outcome::Cancelled,
        }
    }
}

/// What becomes of an effect beside others and after its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A newer one replaces it; leaving the layer ends it.
    Latest,
    /// One at a time in the whole program; leaving the layer does not end it.
    Exclusive,
    /// Any number; leaving the layer does not end it.
    Background,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => "latest",
            Self::Exclusive => "exclusive",
            Self::Background => "background",
        })
    }
}

/// Work for the world `W` that ends in a message `M`.
#[must_use = "an effect that is not returned in a step does not run"]
pub struct Effect<W, M> {
    order: Order<W>,
    message: PhantomData<fn() -> M>,
}

impl<W: Send + Sync + 'static, M: Send + 'static> Effect<W, M> {
    /// A read: replaces what runs in `slot` of the layer, ends with the layer.
    pub fn latest<J: Job<W, Item = Nothing>>(
        slot: &'static str,
        job: J,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Latest, slot, job, silent, done)
    }

    /// A read that reports pages or rungs on the way.
    pub fn latest_stream<J: Job<W>>(
        slot: &'static str,
        job: J,
        item: impl Fn(J::Item) -> M + Send + Sync + 'static,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Latest, slot, job, item, done)
    }

    /// A write: refused while one runs in `slot` of any layer.
    pub fn exclusive<J: Job<W, Item = Nothing>>(
        slot: &'static str,
        job: J,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Exclusive, slot, job, silent, done)
    }

    /// A write that reports its steps.
    pub fn exclusive_stream<J: Job<W>>(
        slot: &'static str,
        job: J,
        item: impl Fn(J::Item) -> M + Send + Sync + 'static,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Exclusive, slot, job, item, done)
    }

    /// Long work that the shell owns.
    pub fn background<J: Job<W, Item = Nothing>>(
        slot: &'static str,
        job: J,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Background, slot, job, silent, done)
    }

    /// Long work that the shell owns and that reports its progress.
    pub fn background_stream<J: Job<W>>(
        slot: &'static str,
        job: J,
        item: impl Fn(J::Item) -> M + Send + Sync + 'static,
        done: impl FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    ) -> Self {
        Self::of(Kind::Background, slot, job, item, done)
    }

    /// Marks a read that leaves something outside unless it ends by itself: it
    /// is asked to stop and awaited, never dropped.
    pub fn leaves_traces(mut self) -> Self {
        self.order.leaves_traces = true;
        self
    }

    /// What to tell the user when the layer that asked is gone by the time the
    /// answer comes. Without it the log alone hears of it, unless it panicked.
    pub fn if_gone(mut self, say: impl Fn(&M) -> Option<Notice> + Send + 'static) -> Self {
        self.order.if_gone =
            Some(Box::new(move |message| message.downcast_ref::<M>().and_then(&say)));
        self
    }

    /// Says under which ticket it runs, before anything else comes of it: for those who may end
    /// it by [`Step::end`](crate::tui::screen::Step::end).
    pub fn started(mut self, say: impl FnOnce(Ticket) -> M + Send + 'static) -> Self {
        self.order.started = Some(Box::new(|ticket| Box::new(say(ticket))));
        self
    }

    /// Its untyped form, for the runtime.
    pub fn into_order(self) -> Order<W> {
        self.order
    }

    fn of<J, I, D>(kind: Kind, slot: &'static str, job: J, item: I, done: D) -> Self
    where
        J: Job<W>,
        I: Fn(J::Item) -> M + Send + Sync + 'static,
        D: FnOnce(Outcome<J::Out>) -> M + Send + 'static,
    {
        let order = Order {
            what: plain(std::any::type_name::<J>(), &format!("{job:?}")),
            slot,
            kind,
            leaves_traces: kind != Kind::Latest,
            work: Box::new(Asked { job, item, done }),
            if_gone: None,
            started: None,
        };
        Self { order, message: PhantomData }
    }
}

impl<W, M> fmt::Debug for Effect<W, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.order.fmt(f)
    }
}

fn silent<M>(nothing: Nothing) -> M {
    match nothing {}
}

/// What the shell says of a message nobody is left to hear.
pub(super) type IfGone = Box<dyn Fn(&AnyMsg) -> Option<Notice> + Send>;

/// Makes a message of the ticket that an effect got.
pub(super) type SaysTicket = Box<dyn FnOnce(Ticket) -> AnyMsg + Send>;

/// An effect whose message type only its screen still knows.
pub struct Order<W> {
    /// The job, as the log shows it.
    pub what: String,
    /// What it is about on its layer; one latest effect a slot.
    pub slot: &'static str,
    /// What becomes of it beside others and after its layer.
    pub kind: Kind,
    /// Whether it may only be asked to stop.
    pub leaves_traces: bool,
    pub(super) work: Box<dyn Work<W>>,
    pub(super) if_gone: Option<IfGone>,
    pub(super) started: Option<SaysTicket>,
}

impl<W> fmt::Debug for Order<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.what, self.kind, self.slot)
    }
}

/// The last word of an effect.
pub(super) struct Answer {
    pub(super) ended: Outcome<()>,
    pub(super) message: AnyMsg,
}

/// What a running effect is given.
pub(super) struct Call<W> {
    pub(super) world: Arc<W>,
    pub(super) cancel: CancellationToken,
    pub(super) leaves_traces: bool,
    pub(super) outlet: Outlet,
}

/// A job with its way to become messages, the types forgotten.
pub(super) trait Work<W>: Send {
    fn refuse(self: Box<Self>) -> Answer;
    fn run(self: Box<Self>, call: Call<W>) -> BoxFuture<'static, Answer>;
}

struct Asked<J, I, D> {
    job: J,
    item: I,
    done: D,
}

impl<W, M, J, I, D> Work<W> for Asked<J, I, D>
where
    W: Send + Sync + 'static,
    M: Send + 'static,
    J: Job<W>,
    I: Fn(J::Item) -> M + Send + Sync + 'static,
    D: FnOnce(Outcome<J::Out>) -> M + Send + 'static,
{
    fn refuse(self: Box<Self>) -> Answer {
        Answer { ended: Outcome::Refused, message: Box::new((self.done)(Outcome::Refused)) }
    }

    fn run(self: Box<Self>, call: Call<W>) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let Self { job, item, done } = *self;
            let Call { world, cancel, leaves_traces, outlet } = call;
            let (sender, mut items) = mpsc::channel(ITEMS_AHEAD);
            let context = Context::new(world, cancel.clone(), sender);
            // The job starts inside, so that a panic before its first await is caught too.
            let mut work = pin!(caught(async move { job.run(context).await }));
            let outcome = loop {
                tokio::select! {
                    biased;
                    () = cancel.cancelled(), if !leaves_traces => break Outcome::Cancelled,
                    Some(next) = items.recv() => outlet.item(Box::new(item(next))).await,
                    ended = &mut work => break match ended {
                        Ok(out) => Outcome::Done(out),
                        Err(place) => Outcome::Panicked(place),
                    },
                }
            };
            if matches!(outcome, Outcome::Done(_)) {
                while let Ok(next) = items.try_recv() {
                    outlet.item(Box::new(item(next))).await;
                }
            }
            let ended = match &outcome {
                Outcome::Done(_) => Outcome::Done(()),
                Outcome::Refused => Outcome::Refused,
                Outcome::Panicked(place) => Outcome::Panicked(place.clone()),
                Outcome::Cancelled => Outcome::Cancelled,
            };
            Answer { ended, message: Box::new(done(outcome)) }
        })
    }
}
