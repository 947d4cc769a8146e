//! Panics that stay where they happened.
//!
//! A job that panics must cost its own answer and nothing else. The panic hook
//! runs before unwinding and cannot know who will catch, so a future that is
//! caught says so on its thread, and the hook leaves the place there instead of
//! tearing the terminal down. The payload is never kept: it may quote a secret.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic becomes the place in the source where it happened.
pub(crate) async fn caught<F: Future>(work: F) -> Result<F::Output, String> {
    let mut work = pin!(work);
    poll_fn(move |context| {
        let outer = CATCHING.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        CATCHING.set(outer);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_payload) => {
                let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
                Poll::Ready(Err(place))
            }
        }
    })
    .await
}

/// For the panic hook: keeps `place` for the catcher of this thread. Answers
/// whether there is one.
pub(crate) fn hand_over(place: &str) -> bool {
    let catching = CATCHING.get();
    if catching {
        PLACE.set(Some(place.to_owned()));
    }
    catching
}
