//! What was marked in the browser, on its way as one transfer.

use std::path::PathBuf;

use super::{Msg, State, Transfers, Work};
use crate::base::units;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::Place;
use crate::ops::transfer::{
    Copy, DropUnfinished, Ends, Many, Progress, RunMany, Stage, Sum, Target,
};
use crate::ops::world::World;
use crate::screens::ask::Ask;
use crate::screens::failure_view::settled;
use crate::screens::unlock::when_locked;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::screen::{Screen, Step};
use crate::tui::theme::Tone;

/// Several objects on their way.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What, showable.
    pub(super) source: String,
    /// Where to, showable.
    pub(super) destination: String,
    job: RunMany,
    pub(super) stage: Stage,
    /// What earlier tries came to, of what is not tried again.
    before: Sum,
    /// What it came to until it was paused; nothing where it had not come to copying.
    pub(super) paused: Option<Sum>,
    /// The keys and prefixes that are others afterwards.
    pub(super) touched: Vec<(Place, String)>,
}

impl Batch {
    /// `job`, from and to what is said of it.
    pub(in crate::screens) fn new(source: String, destination: String, job: RunMany) -> Self {
        let mut touched = Vec::new();
        if let Many::Marked(marked, Target::Key(place, key)) = &job.many {
            touched.push((place.clone(), key.clone()));
            if job.moves {
                touched.extend(marked.keys().map(|key| (marked.place.clone(), key.to_owned())));
            }
        }
        let (stage, before) = (Stage::default(), Sum::default());
        Self { source, destination, job, stage, before, paused: None, touched }
    }

    /// What it does.
    pub(super) fn verb(&self) -> &'static str {
        match (&self.job.many, self.job.moves) {
            (_, true) => "Move",
            (Many::Marked(_, Target::Folder(_)), _) => "Download",
            (Many::Planned(copies), _) => match copies.first().map(|copy| &copy.ends) {
                Some(Ends::Download { .. }) => "Download",
                _ => "Copy",
            },
            _ => "Copy",
        }
    }

    /// What went, in words.
    pub(super) fn done(&self) -> &'static str {
        if self.job.moves { "moved" } else { "copied" }
    }

    /// What is to be done next: all of it, or what `sum` says is left.
    fn next(&mut self, sum: Option<Sum>, overwrite: bool) -> RunMany {
        if let Some(mut sum) = sum {
            let copies = if overwrite {
                std::mem::take(&mut sum.taken)
            } else {
                std::mem::take(&mut sum.failed).into_iter().map(|(copy, _)| copy).collect()
            };
            (self.before, self.job.many) = (sum, Many::Planned(copies));
        }
        self.job.overwrite = overwrite;
        self.stage = Stage::default();
        self.job.clone()
    }
}

/// The folder that several are downloaded into.
pub(in crate::screens) fn ask_folder_for(what: &str) -> Ask<PathBuf> {
    let help = "made where it is not there; nothing outside it is written";
    Ask::path(format!("Download {what}"), "folder", help, "./")
}

/// Hands `batch` to the tab of transfers.
pub(in crate::screens) fn many<S: Screen<World = World>>(batch: Batch) -> Step<S> {
    let text = match batch.verb() {
        "Download" => "downloading: tab 5 shows how far it is",
        "Move" => "moving: tab 5 shows how far it is",
        _ => "copying: tab 5 shows how far it is",
    };
    Step::post::<Transfers>(Msg::ManyAsked(Box::new(batch))).and_toast(Tone::Neutral, text)
}

impl Transfers {
    /// Starts the batch `id`: what is left of it, where it was tried before.
    pub(super) fn begin_many(&mut self, id: u64, overwrite: bool) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let former = std::mem::replace(&mut transfer.state, State::Running);
        let Work::Many(batch) = &mut transfer.work else { return Step::none() };
        // what was allowed before the pause is still
        let overwrite = overwrite || (matches!(former, State::Paused) && batch.job.overwrite);
        let sum = match former {
            State::Summed(sum) => Some(sum),
            State::Paused => batch.paused.take(),
            _ => None,
        };
        let job = batch.next(sum, overwrite);
        transfer.ticket = None;
        transfer.progress = Progress::default();
        transfer.pace.clear();
        let effect = Effect::background_stream(
            "transfer",
            job,
            move |stage| Msg::Staged(id, stage),
            move |outcome| Msg::Summed(id, outcome),
        );
        Step::run(effect.started(move |ticket| Msg::Started(id, ticket)))
    }

    pub(super) fn staged(&mut self, id: u64, stage: Stage) {
        if let Some(transfer) = self.find(id) {
            transfer.progress = stage.progress.clone();
            if let Work::Many(batch) = &mut transfer.work {
                batch.stage = stage;
            }
        }
    }

    pub(super) fn summed(&mut self, id: u64, outcome: Outcome<Result<Sum, Failure>>) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let Work::Many(batch) = &mut transfer.work else { return Step::none() };
        transfer.ticket = None;
        let was_stopping = matches!(transfer.state, State::Stopping);
        let was_pausing = matches!(transfer.state, State::Pausing);
        let mut sum = match settled(outcome) {
            Ok(sum) => sum,
            Err(failure) if failure.kind == FailureKind::Cancelled => {
                transfer.state = if was_pausing { State::Paused } else { State::Stopped };
                return Step::none();
            }
            Err(failure) => {
                let text = format!("{} did not arrive: tab 5 says why", batch.source);
                let step = when_locked(&failure, move || Msg::Unlocked(id))
                    .unwrap_or_else(|| Step::toast(Tone::Bad, &text));
                transfer.state = State::Failed(failure);
                return step;
            }
        };
        sum.join(std::mem::take(&mut batch.before));
        let is_cut = |(_, failure): &(Copy, Failure)| failure.kind == FailureKind::Cancelled;
        if was_pausing && sum.failed.iter().any(is_cut) {
            batch.paused = Some(sum);
            transfer.state = State::Paused;
            return Step::none();
        }
        let objects = units::counted(sum.copied, "object");
        let mut step = match tone(&sum) {
            Tone::Good => Step::toast(Tone::Good, &format!("{objects} {}", batch.done())),
            Tone::Neutral => Step::none(),
            tone => {
                let done = batch.done();
                let asks = sum.failed.is_empty() && !sum.taken.is_empty();
                let text = match sum.copied {
                    0 if asks => {
                        let names = units::counted(sum.taken.len() as u64, "name");
                        format!("nothing was {done}: tab 5 asks about {names} that are there")
                    }
                    0 => format!("nothing was {done}: tab 5 says why"),
                    _ => format!("{objects} {done}, others not: tab 5 says why"),
                };
                Step::toast(tone, &text)
            }
        };
        if was_stopping {
            step = step.then(drop_unfinished(&sum));
        }
        transfer.state = State::Summed(sum);
        step
    }

    /// Ends the paused batch `id`, and removes what has arrived of what did not arrive whole.
    pub(super) fn discard_many(&mut self, id: u64) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let Work::Many(batch) = &mut transfer.work else { return Step::none() };
        let (state, step) = match batch.paused.take() {
            Some(sum) => {
                let step = drop_unfinished(&sum);
                (State::Summed(sum), step)
            }
            None => (State::Stopped, Step::none()),
        };
        transfer.state = state;
        step
    }
}

/// Removes what has arrived of what was stopped.
fn drop_unfinished(sum: &Sum) -> Step<Transfers> {
    let copies: Vec<Copy> = sum.failed.iter().map(|(copy, _)| copy.clone()).collect();
    Step::run(Effect::background("discard", DropUnfinished { copies }, Msg::Tidied))
}

/// How a batch stands that has come to its end.
pub(super) fn tone(sum: &Sum) -> Tone {
    if sum.was_stopped() {
        Tone::Neutral
    } else if !sum.failed.is_empty() {
        Tone::Bad
    } else if sum.taken.is_empty() && sum.skipped.is_empty() && sum.stayed.is_empty() {
        Tone::Good
    } else {
        Tone::Warning
    }
}

/// The word for it.
pub(super) fn word(sum: &Sum) -> String {
    let counted = |count: usize, what: &str| format!("{} {what}", units::count(count as u64));
    if sum.was_stopped() {
        "stopped".into()
    } else if !sum.failed.is_empty() {
        counted(sum.failed.len(), "failed")
    } else if !sum.taken.is_empty() {
        units::counted(sum.taken.len() as u64, "name") + " taken"
    } else if !sum.stayed.is_empty() {
        counted(sum.stayed.len(), "not removed")
    } else if !sum.skipped.is_empty() {
        counted(sum.skipped.len(), "skipped")
    } else {
        "done".into()
    }
}
