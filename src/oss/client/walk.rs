//! A listing that asks for many pages at once, so that the time of a round trip does not add up.
//!
//! It begins with one page. The more full pages come, the more are asked for at a time: the rest
//! is cut in two where most of it is guessed to be ([`split`](crate::oss::listing::split)), and
//! both parts are listed from there on. No key is lost or comes twice whatever the guess was: a part ends exactly where the
//! next begins. A server that is busy is asked for half as much.

use std::collections::{BTreeSet, VecDeque};

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Client;
use super::pages::ACTION;
use crate::model::bucket::BucketName;
use crate::oss::error::{Error, Kind};
use crate::oss::listing::split::{Alphabet, Stretch};
use crate::oss::listing::{ListRequest, Page};
use crate::oss::object::Answer;
use crate::oss::retry;

/// Pages asked for at a time, at the most.
pub const MOST: usize = 24;
/// How long it takes to read a page, about: where one takes no longer to come, there is nothing to
/// be had from asking for more at a time.
const READING: Duration = Duration::from_micros(500);
/// A part that is guessed to hold fewer pages than this is not cut.
const WORTH_A_CUT: u16 = 2;
/// Pages that may wait for one before them: each takes some 110 kB.
const WAITING: usize = 400;
/// How often a server that was asked too much may still be too busy for one request, before that
/// is the answer: what all of them took of the client's own repeats is missing then.
const PATIENCE: u32 = 3;
/// How many pages in a row may bring nothing new and still say that there is more.
const MOST_IDLE: u32 = 16;

impl Client {
    /// All pages of a listing, [`MOST`] at a time.
    pub fn walk(&self, bucket: &BucketName, request: ListRequest) -> Walk {
        let begin = request.start_after.clone().unwrap_or_default().max(request.prefix.clone());
        let first = Part {
            id: 0,
            from: request.start_after.clone(),
            first: begin,
            until: None,
            reached: String::new(),
            seen: 0,
            continuation: request.continuation.clone(),
            progress: Progress::default(),
            state: State::Ready,
            waiting: VecDeque::new(),
        };
        Walk {
            client: self.clone(),
            bucket: bucket.clone(),
            request,
            parts: vec![first],
            last_id: 0,
            under_way: FuturesUnordered::new(),
            allowed: 1,
            most: MOST,
            first_page: None,
            shortest: None,
            grows_fast: true,
            patience: 0,
            alphabet: Alphabet::default(),
            in_order: false,
            waiting: 0,
            is_over: false,
        }
    }
}

/// The pages of a listing, as they come. After an error there is nothing more.
pub struct Walk {
    client: Client,
    bucket: BucketName,
    request: ListRequest,
    /// In the order of keys, without those that are done.
    parts: Vec<Part>,
    last_id: u64,
    under_way: FuturesUnordered<BoxFuture<'static, Asked>>,
    /// Pages asked for at a time.
    allowed: usize,
    most: usize,
    /// Keys of the first page, while it was not asked for.
    first_page: Option<u16>,
    /// The shortest time that a page took to come.
    shortest: Option<Duration>,
    /// Nobody said yet that it is too much.
    grows_fast: bool,
    patience: u32,
    alphabet: Alphabet,
    in_order: bool,
    /// Pages that wait for one before them.
    waiting: usize,
    is_over: bool,
}

/// How far a listing has come. Keys come in their order, so a listing that goes back, or that
/// stands still for long, goes round for ever.
#[derive(Clone, Debug, Default)]
struct Progress {
    greatest: Option<String>,
    idle: u32,
}

impl Progress {
    /// Takes a page's greatest key; whether the listing goes on from there.
    fn goes_on(&mut self, greatest: Option<&str>) -> bool {
        if greatest > self.greatest.as_deref() {
            *self = Self { greatest: greatest.map(ToOwned::to_owned), idle: 0 };
            return true;
        }
        self.idle += 1;
        let back = greatest.is_some() && greatest < self.greatest.as_deref();
        !back && self.idle <= MOST_IDLE
    }
}

/// The answer to one request.
struct Asked {
    /// Of which part.
    id: u64,
    /// Nothing else was asked for meanwhile.
    is_alone: bool,
    took: Duration,
    answer: Result<Answer<Page>, Error>,
}

/// A part of a listing.
struct Part {
    id: u64,
    /// It holds what comes behind this.
    from: Option<String>,
    /// The first key or prefix that came; before that, where it begins.
    first: String,
    /// It ends with this; `None` for the last one.
    until: Option<String>,
    /// The last key or prefix that came.
    reached: String,
    /// How many came.
    seen: u64,
    continuation: Option<String>,
    progress: Progress,
    state: State,
    /// Pages that came before their turn.
    waiting: VecDeque<Answer<Page>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next page is to be asked for.
    Ready,
    /// It was asked for.
    Asked,
    /// All of it is there.
    Done,
}

impl Part {
    fn stretch<'a>(&'a self, prefix: &'a str) -> Stretch<'a> {
        let reached = if self.reached.is_empty() { &self.first } else { &self.reached };
        let until = self.until.as_deref();
        Stretch { prefix, first: &self.first, reached, until, seen: self.seen }
    }
}

impl Walk {
    /// The same, with the pages in the order of keys: those that come early wait.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// The same, with so many pages at a time at the most.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        self.most = most.max(1);
        self
    }

    /// The same, with so many keys in the first page at the most.
    #[must_use]
    pub fn beginning_with(mut self, keys: u16) -> Self {
        self.first_page = Some(keys);
        self
    }

    /// The next page; `None` behind the last one. What was asked for goes on only while this
    /// is waited for.
    pub async fn next(&mut self) -> Option<Result<Answer<Page>, Error>> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(page) = self.next_in_order() {
                return Some(Ok(page));
            }
            self.ask();
            let Some(asked) = self.under_way.next().await else {
                self.is_over = true;
                return None;
            };
            let Asked { id, is_alone, took, answer } = asked;
            self.shortest = Some(self.shortest.map_or(took, |shortest| shortest.min(took)));
            match answer {
                Ok(answer) => match self.take(id, answer) {
                    Ok(Some(page)) => return Some(Ok(page)),
                    Ok(None) => {}
                    Err(error) => return Some(Err(self.fail(error))),
                },
                Err(error) if error.kind == Kind::Retry && !is_alone => {
                    // what is too much at a time is asked for again, alone
                    self.patience = PATIENCE;
                    self.step_back(id);
                }
                Err(error) if error.kind == Kind::Retry && self.patience > 0 => {
                    let attempt = PATIENCE - self.patience;
                    self.patience -= 1;
                    let random = self.client.entropy().next_u64();
                    tokio::time::sleep(retry::pause(attempt, random, error.retry_after)).await;
                    self.step_back(id);
                }
                Err(error) => return Some(Err(self.fail(error))),
            }
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.is_over = true;
        self.under_way.clear();
        error
    }

    /// A page whose turn it is.
    fn next_in_order(&mut self) -> Option<Answer<Page>> {
        if !self.in_order {
            return None;
        }
        loop {
            let first = self.parts.first_mut()?;
            if let Some(page) = first.waiting.pop_front() {
                self.waiting -= 1;
                return Some(page);
            }
            if first.state != State::Done {
                return None;
            }
            self.parts.remove(0);
        }
    }

    /// Asks for as many pages as are allowed.
    fn ask(&mut self) {
        while self.under_way.len() < self.allowed {
            let is_full = self.in_order && self.waiting >= WAITING;
            let ready = self.parts.iter().position(|part| part.state == State::Ready);
            // where much waits already, only what it waits for is asked for
            let at = match ready {
                Some(at) if at == 0 || !is_full => Some(at),
                _ if is_full => None,
                _ => self.cut(),
            };
            let Some(part) = at.and_then(|at| self.parts.get_mut(at)) else { return };
            part.state = State::Asked;
            let request = ListRequest {
                start_after: part.from.clone(),
                continuation: part.continuation.clone(),
                max_keys: self.first_page.take().or(self.request.max_keys),
                ..self.request.clone()
            };
            let (id, client, bucket) = (part.id, self.client.clone(), self.bucket.clone());
            let is_alone = self.allowed == 1;
            let page = async move {
                let began = Instant::now();
                let answer = client.list_page(&bucket, &request).await;
                Asked { id, is_alone, took: began.elapsed(), answer }
            };
            self.under_way.push(Box::pin(page));
        }
    }

    /// Cuts the part of which most is left, in order the first one, and answers where the new one
    /// is.
    fn cut(&mut self) -> Option<usize> {
        let prefix = &self.request.prefix;
        let page = self.request.max_keys.unwrap_or(1000);
        let least = f64::from(page.saturating_mul(WORTH_A_CUT));
        let worth = |part: &Part| {
            // of what was not looked at yet, nobody knows how much there is
            let known = part.seen > 0 && part.state != State::Done;
            let left = known.then(|| self.alphabet.left(&part.stretch(prefix)))??;
            (left >= least).then_some(left)
        };
        let candidates = self.parts.iter().enumerate();
        let worth = candidates.filter_map(|(at, part)| Some((at, worth(part)?)));
        let mut by_worth: Vec<(usize, f64)> = worth.collect();
        if !self.in_order {
            by_worth.sort_by(|one, other| other.1.total_cmp(&one.1));
        }
        by_worth.into_iter().find_map(|(at, _)| self.cut_at(at))
    }

    fn cut_at(&mut self, at: usize) -> Option<usize> {
        let part = self.parts.get_mut(at)?;
        let between = self.alphabet.between(&part.stretch(&self.request.prefix))?;
        self.last_id += 1;
        let behind = Part {
            id: self.last_id,
            from: Some(between.clone()),
            first: between.clone(),
            until: part.until.replace(between),
            reached: String::new(),
            seen: 0,
            continuation: None,
            progress: Progress::default(),
            state: State::Ready,
            waiting: VecDeque::new(),
        };
        self.parts.insert(at + 1, behind);
        Some(at + 1)
    }

    /// How many pages at a time are of use.
    fn useful(&self) -> usize {
        let pages = self.shortest.unwrap_or_default().as_micros() / READING.as_micros();
        // one is read while another comes
        usize::try_from(pages).unwrap_or(self.most).max(2).min(self.most)
    }

    /// Takes the next page of a part; answers it where it is to go on at once.
    fn take(&mut self, id: u64, answer: Answer<Page>) -> Result<Option<Answer<Page>>, Error> {
        let Answer { meta, value: mut page } = answer;
        let Some(at) = self.parts.iter().position(|part| part.id == id) else { return Ok(None) };
        let Some(part) = self.parts.get_mut(at) else { return Ok(None) };
        self.patience = 0;
        let next = page.next().map(ToOwned::to_owned);
        let mut greatest = page.greatest().map(ToOwned::to_owned);
        if let Some(next) = &next {
            // a server that stands still or goes round would keep us here for ever
            let again = part.continuation.as_deref() == Some(next);
            if again || !part.progress.goes_on(greatest.as_deref()) {
                let message = "the server sends the same page again and again";
                return Err(Error::new(Kind::NotOss, ACTION, message).with_meta(meta));
            }
        }
        if let Some(from) = &part.from {
            page.keep_behind(from);
        }
        let is_behind = |until: &String| greatest.as_ref().is_some_and(|last| last > until);
        let end = part.until.clone().filter(is_behind);
        if let Some(until) = &end {
            page.keep_until(until);
            greatest = page.greatest().map(ToOwned::to_owned);
        }
        sample(&mut self.alphabet, &page);
        if let (Some(least), Some(greatest)) = (page.least(), greatest) {
            if part.seen == 0 {
                least.clone_into(&mut part.first);
            }
            self.alphabet.see(&greatest);
            part.reached = greatest;
        }
        part.seen += (page.len() + page.prefix_count()) as u64;
        part.continuation = next;
        let is_done = end.is_some() || part.continuation.is_none();
        part.state = if is_done { State::Done } else { State::Ready };
        if meta.repeats > 0 {
            self.allowed = (self.allowed / 2).max(1);
            self.grows_fast = false;
        } else if !is_done && self.allowed < self.useful() {
            // twice as many with each round of full pages, or one more
            let round = self.parts.iter().filter(|part| part.state == State::Asked).count();
            self.allowed += usize::from(self.grows_fast || round == 0);
        }
        let answer = Answer { meta, value: page };
        if !self.in_order {
            if is_done {
                self.parts.remove(at);
            }
            return Ok((!answer.is_empty()).then_some(answer));
        }
        if let Some(part) = self.parts.get_mut(at).filter(|_| !answer.is_empty()) {
            part.waiting.push_back(answer);
            self.waiting += 1;
        }
        Ok(None)
    }

    /// A page was refused, as others may be that are on their way.
    fn step_back(&mut self, id: u64) {
        self.allowed = 1;
        self.grows_fast = false;
        if let Some(part) = self.parts.iter_mut().find(|part| part.id == id) {
            part.state = State::Ready;
        }
    }
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Learns the characters of some keys of a page: all of them would cost as much as reading it.
fn sample(alphabet: &mut Alphabet, page: &Page) {
    const SOME: usize = 16;
    let some: BTreeSet<usize> = (0..SOME).map(|part| page.len() * part / SOME).collect();
    some.into_iter().filter_map(|at| page.entry(at)).for_each(|entry| alphabet.see(entry.key));
    page.prefixes().take(SOME).for_each(|prefix| alphabet.see(prefix));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_may_rest_and_not_go_round() {
        let mut progress = Progress::default();
        assert!(
            [Some("a"), Some("b"), None, Some("b"), Some("c")]
                .map(|k| progress.goes_on(k))
                .iter()
                .all(|goes_on| *goes_on)
        );
        assert!((0..MOST_IDLE).all(|_| progress.goes_on(None)));
        assert!(!progress.goes_on(None));
        let mut progress = Progress::default();
        assert!(progress.goes_on(Some("a")) && progress.goes_on(Some("b")));
        assert!(!progress.goes_on(Some("a")));
    }
}
