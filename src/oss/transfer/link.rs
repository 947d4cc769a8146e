//! How many requests are under way at a time, and how fast their bytes may go. Shared by all
//! transfers of one run, so that many files do not take many times the line.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::oss::client::Client;

/// Requests at a time in the beginning, and more of small objects: as many as ask for so many bytes.
const FIRST: usize = 4;
const FIRST_BYTES: u64 = 32 << 20;
/// The most at a time: each has up to 1 MiB of this machine's memory.
pub const MOST: usize = 32;
/// How long a number is tried before it is judged.
const TRIAL: Duration = Duration::from_millis(100);
/// A larger number stays where it carries more than this many hundredths of what the smaller did.
const GAIN: u64 = 110;
/// How long a number that did is kept before a larger one is tried.
const REST: Duration = Duration::from_secs(5);
/// What a request weighs beside its bytes: small objects are bound by their number.
const REQUEST: u64 = 16 << 10;
/// What one request should get of a limited line, in bytes a second.
const LEAST: u64 = 256 << 10;

/// The line to a server.
#[derive(Debug)]
pub struct Link {
    limit: Option<Arc<Limit>>,
    lanes: Mutex<Lanes>,
    freed: Notify,
}

#[derive(Debug)]
struct Lanes {
    taken: usize,
    window: Window,
}

impl Link {
    /// A line of which nothing is known yet, and not more than `limit` bytes a second of it.
    pub fn new(limit: Option<u64>) -> Arc<Self> {
        Self::carrying(None, limit)
    }

    /// The same for objects of `size` bytes, as a rule.
    pub fn carrying(size: Option<u64>, limit: Option<u64>) -> Arc<Self> {
        let most = limit.map_or(MOST, lanes_within);
        let window = Window::new(first_lanes(size).min(most), most, Instant::now());
        Arc::new(Self {
            limit: limit.map(|rate| Arc::new(Limit::new(rate))),
            lanes: Mutex::new(Lanes { taken: 0, window }),
            freed: Notify::new(),
        })
    }

    pub(super) fn limit(&self) -> Option<Arc<Limit>> {
        self.limit.clone()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may go.
    pub(super) async fn lane(self: &Arc<Self>, client: &Client) -> Lane {
        loop {
            let freed = self.freed.notified();
            {
                let mut lanes = self.lanes();
                if lanes.taken < lanes.window.size {
                    lanes.taken += 1;
                    let is_full = lanes.taken == lanes.window.size;
                    lanes.window.is_used |= is_full;
                    if !is_full {
                        self.freed.notify_one();
                    }
                    let pushes = client.push_backs();
                    return Lane { link: Arc::clone(self), client: client.clone(), pushes };
                }
            }
            freed.await;
        }
    }
}

/// How many requests share `rate` well.
fn lanes_within(rate: u64) -> usize {
    usize::try_from(rate / LEAST).unwrap_or(MOST).clamp(1, MOST)
}

/// How many requests for `size` bytes each are begun with.
fn first_lanes(size: Option<u64>) -> usize {
    let first = size.map_or(FIRST as u64, |size| FIRST_BYTES / size.max(1));
    usize::try_from(first).unwrap_or(MOST).clamp(FIRST, MOST)
}

/// One request's place on the line.
#[derive(Debug)]
pub(super) struct Lane {
    link: Arc<Link>,
    client: Client,
    pushes: u64,
}

impl Lane {
    /// That so many bytes went over it since the last word.
    pub(super) fn carried(&mut self, bytes: u64) {
        let pushes = self.client.push_backs();
        let mut lanes = self.link.lanes();
        let now = Instant::now();
        if pushes > self.pushes {
            self.pushes = pushes;
            lanes.window.pushed_back(now);
        } else {
            lanes.window.carried(bytes, now);
        }
    }

    /// Waits as long as the limit wants after `bytes`.
    pub(super) async fn hold_back(&self, bytes: u64) {
        if let Some(until) = self.link.limit.as_ref().and_then(|limit| limit.reserve(bytes)) {
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.carried(REQUEST);
        self.link.lanes().taken -= 1;
        self.link.freed.notify_one();
    }
}

/// How many at a time: doubled while that carries more, halved where the server pushes back.
#[derive(Debug)]
struct Window {
    size: usize,
    most: usize,
    /// What the size before carried, in bytes a second.
    before: Option<(usize, u64)>,
    is_growing: bool,
    /// Whether all of the size was in use since `since`.
    is_used: bool,
    since: Instant,
    bytes: u64,
}

impl Window {
    fn new(size: usize, most: usize, now: Instant) -> Self {
        Self { size, most, before: None, is_growing: true, is_used: false, since: now, bytes: 0 }
    }

    fn begin(&mut self, size: usize, now: Instant) {
        (self.size, self.since, self.bytes, self.is_used) = (size, now, 0, false);
    }

    fn carried(&mut self, bytes: u64, now: Instant) {
        self.bytes += bytes;
        let span = now.duration_since(self.since);
        if span < if self.is_growing { TRIAL } else { REST } {
            return;
        }
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = self.bytes.saturating_mul(1000) / millis;
        let (size, is_used) = (self.size, self.is_used);
        if !is_used {
            // too little is asked for to learn anything
            self.begin(size, now);
            return;
        }
        match self.before {
            Some((before, least)) if self.is_growing && rate < least.saturating_mul(GAIN) / 100 => {
                self.is_growing = false;
                self.before = None;
                self.begin(before, now);
            }
            _ => {
                self.is_growing = size < self.most;
                self.before = Some((size, rate));
                self.begin((size * 2).min(self.most), now);
            }
        }
    }

    fn pushed_back(&mut self, now: Instant) {
        self.is_growing = false;
        self.before = None;
        // what was on its way when the first was refused says nothing new
        if now.duration_since(self.since) >= TRIAL || self.size > FIRST {
            self.begin((self.size / 2).max(1), now);
        }
    }
}

/// So many bytes a second, of all lanes together.
#[derive(Debug)]
pub struct Limit {
    rate: u64,
    free: Mutex<Option<Instant>>,
}

impl Limit {
    fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), free: Mutex::default() }
    }

    /// What goes at a time, so that no lane stands still for long.
    pub(in crate::oss) fn piece(&self) -> usize {
        usize::try_from(self.rate / 8).unwrap_or(usize::MAX).max(1 << 10)
    }

    /// Until when the line is taken by `bytes` and all before them; `None` where that is past.
    pub(in crate::oss) fn reserve(&self, bytes: u64) -> Option<Instant> {
        let now = Instant::now();
        let micros = u128::from(bytes) * 1_000_000 / u128::from(self.rate);
        let takes = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let until = free.filter(|free| *free > now).unwrap_or(now) + takes;
        *free = Some(until);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Carries as much as `line` gives at each size, until `until`.
    fn drive(window: &mut Window, now: &mut Instant, millis: u64, line: impl Fn(usize) -> u64) {
        for _ in 0..millis / 10 {
            *now += Duration::from_millis(10);
            window.is_used = true;
            window.carried(line(window.size) / 100, *now);
        }
    }

    #[tokio::test]
    async fn it_grows_while_that_carries_more_and_no_further() {
        let mut now = Instant::now();
        let mut window = Window::new(FIRST, MOST, now);
        // twelve fill the line
        let line = |size: usize| size.min(12) as u64 * 1_000_000;
        drive(&mut window, &mut now, 1000, line);
        assert_eq!(window.size, 16);
        drive(&mut window, &mut now, 20_000, line);
        assert!((12..=32).contains(&window.size), "{}", window.size);
        let mut window = Window::new(FIRST, MOST, now);
        drive(&mut window, &mut now, 1000, |_| 1_000_000);
        assert_eq!(window.size, FIRST, "more of them carried no more");
        let mut window = Window::new(FIRST, MOST, now);
        drive(&mut window, &mut now, 1000, |size| size as u64 * 1_000_000);
        assert_eq!(window.size, MOST);
    }

    #[tokio::test]
    async fn it_gives_way_to_a_server_that_pushes_back() {
        let mut now = Instant::now();
        let mut window = Window::new(FIRST, MOST, now);
        drive(&mut window, &mut now, 1000, |size| size as u64 * 1_000_000);
        for _ in 0..8 {
            now += TRIAL;
            window.pushed_back(now);
        }
        assert_eq!(window.size, 1);
        drive(&mut window, &mut now, 4000, |size| size as u64 * 1_000_000);
        assert_eq!(window.size, 1, "it rests first");
        drive(&mut window, &mut now, 2000, |size| size as u64 * 1_000_000);
        assert!(window.size > 1, "and tries again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_over_all_lanes() {
        let limit = Limit::new(1 << 20);
        let begin = Instant::now();
        for _ in 0..64 {
            if let Some(until) = limit.reserve(64 << 10) {
                tokio::time::sleep_until(until).await;
            }
        }
        assert_eq!(begin.elapsed().as_secs(), 4);
        assert_eq!(
            (lanes_within(10_000), lanes_within(1 << 20), lanes_within(1 << 40)),
            (1, 4, MOST)
        );
        let first = [None, Some(8 << 20), Some(2 << 20), Some(16 << 10), Some(0)].map(first_lanes);
        assert_eq!(first, [FIRST, FIRST, 16, MOST, MOST]);
    }
}
