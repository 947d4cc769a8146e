//! The tab of transfers: what goes to and fro in the background, how far it is, how it ended.
//!
//! Its root owns their effects, so that leaving the browser leaves them alone: other screens hand
//! a [`struct@Copy`] over by [`Step::post`].

mod many;
mod transfer;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::base::units;
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::transfer::{
    Copy, DropUnfinished, Ends, ListUnfinished, Progress, Remote, RunCopy, Stage, Sum, Unfinished,
};
use crate::ops::world::World;
use crate::oss::transfer::Transferred;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::runtime::Ticket;
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::scroll::Scroll;

pub(super) use self::many::{Batch, ask_folder_for, many};
use self::transfer::{State, Transfer, Work};
use super::ask::Ask;
use super::changed::{self, Changed};
use super::failure_view::settled;
use super::unlock::when_locked;

/// Names that a question lists.
const NAMED: usize = 6;

/// The folder a download goes into.
pub(super) fn ask_folder(key: &ObjectKey) -> Ask<PathBuf> {
    let title = format!("Download {}", visible(key.as_str()));
    Ask::path(title, "folder", "made where it is not there; nothing outside it is written", "./")
}

/// Hands the download of `from` into `folder` to the tab of transfers.
pub(super) fn download<S: Screen<World = World>>(from: Remote, folder: PathBuf) -> Step<S> {
    match Copy::download(from, folder) {
        Ok(copy) => Step::post::<Transfers>(Msg::Asked(copy))
            .and_toast(Tone::Neutral, "downloading: tab 5 shows how far it is"),
        Err(reason) => {
            let text = format!("{reason}: `osstack cp` takes another name for the file");
            Step::toast(Tone::Bad, &text)
        }
    }
}

/// All transfers of this session, newest first, and those that were left unfinished before.
#[derive(Debug, Default)]
pub struct Transfers {
    all: Vec<Transfer>,
    last_id: u64,
    now: Duration,
    scroll: Scroll,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Cancel,
    Pause,
    Resume,
    Retry,
    Replace,
    Clear,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Asked(Copy),
    ManyAsked(Box<Batch>),
    Staged(u64, Stage),
    Summed(u64, Outcome<Result<Sum, Failure>>),
    Tidied(Outcome<Result<(), Failure>>),
    Started(u64, Ticket),
    Progressed(u64, Progress),
    Ended(u64, Outcome<Result<Transferred, Failure>>),
    ReplaceConfirmed(u64),
    Unlocked(u64),
    Found(Outcome<Result<Vec<Unfinished>, Failure>>),
    Dropped(u64, Outcome<Result<(), Failure>>),
}

impl Transfers {
    /// Does `step`, and tells those that show where the transfer `id` wrote.
    fn told(&mut self, step: Step<Self>, id: u64) -> Step<Self> {
        match self.find(id) {
            Some(transfer) => changed::told(step, &Changed::at(transfer.work.touched())),
            None => step,
        }
    }

    fn running(&self) -> usize {
        self.all.iter().filter(|transfer| transfer.is_running()).count()
    }

    fn selected(&self) -> Option<&Transfer> {
        self.all.get(self.scroll.selected())
    }

    fn find(&mut self, id: u64) -> Option<&mut Transfer> {
        self.all.iter_mut().find(|transfer| transfer.id == id)
    }

    fn may_pause(&self) -> bool {
        self.selected().is_some_and(Transfer::may_pause)
    }

    fn may_resume(&self) -> bool {
        self.selected().is_some_and(|one| matches!(one.state, State::Paused))
    }

    fn may_cancel(&self) -> bool {
        self.selected().is_some_and(Transfer::may_cancel)
    }

    fn may_retry(&self) -> bool {
        self.selected().is_some_and(Transfer::may_retry)
    }

    fn may_replace(&self) -> bool {
        self.selected().is_some_and(Transfer::may_replace)
    }

    fn has_ended(&self) -> bool {
        self.all.iter().any(Transfer::has_ended)
    }

    fn ask(&mut self, work: Work) -> Step<Self> {
        self.last_id += 1;
        let id = self.last_id;
        let transfer = Transfer::new(id, work, State::Running);
        // the selected one stays selected
        if !self.all.is_empty() {
            self.scroll.select(self.scroll.selected() + 1);
        }
        self.all.insert(0, transfer);
        self.begin(id, false)
    }

    /// Takes in what was left unfinished before this start.
    fn found(&mut self, unfinished: Vec<Unfinished>) {
        for Unfinished { copy, arrived } in unfinished {
            let is_it = |other: &Transfer| matches!(&other.work, Work::One(one) if **one == copy);
            if self.all.iter().any(is_it) {
                continue;
            }
            self.last_id += 1;
            let total = copy.size;
            let mut transfer =
                Transfer::new(self.last_id, Work::One(Box::new(copy)), State::Paused);
            transfer.progress = Progress { done: arrived, total, ..Progress::default() };
            self.all.push(transfer);
        }
    }

    /// Removes what has arrived of it.
    fn discard(&mut self, id: u64) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let Work::One(copy) = &transfer.work else { return self.discard_many(id) };
        transfer.state = State::Stopping;
        let job = DropUnfinished { copies: vec![(**copy).clone()] };
        Step::run(Effect::background("discard", job, move |outcome| Msg::Dropped(id, outcome)))
    }

    fn dropped(&mut self, id: u64, outcome: Outcome<Result<(), Failure>>) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let (state, step) = match settled(outcome) {
            Ok(()) => (State::Stopped, Step::none()),
            Err(failure) => {
                let text = format!("what has arrived was not removed: {}", failure.summary);
                (State::Paused, Step::toast(Tone::Bad, &text))
            }
        };
        transfer.state = state;
        step
    }

    fn begin(&mut self, id: u64, overwrite: bool) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let Work::One(copy) = &transfer.work else { return self.begin_many(id, overwrite) };
        let (job, total) = (RunCopy { copy: (**copy).clone(), overwrite }, copy.size);
        let effect = Effect::background_stream(
            "transfer",
            job,
            move |progress| Msg::Progressed(id, progress),
            move |outcome| Msg::Ended(id, outcome),
        );
        transfer.ticket = None;
        transfer.progress = Progress { total, ..Progress::default() };
        transfer.pace.clear();
        transfer.state = State::Running;
        Step::run(effect.started(move |ticket| Msg::Started(id, ticket)))
    }

    fn ended(&mut self, id: u64, outcome: Outcome<Result<Transferred, Failure>>) -> Step<Self> {
        let Some(transfer) = self.find(id) else { return Step::none() };
        let Work::One(copy) = &transfer.work else { return Step::none() };
        let name = copy.destination();
        transfer.ticket = None;
        let (state, step) = match settled(outcome) {
            Ok(done) => {
                transfer.progress.done = done.bytes;
                (State::Done(done), Step::toast(Tone::Good, &format!("{name} is there")))
            }
            Err(failure) => match failure.kind {
                FailureKind::Cancelled => match (&transfer.state, &copy.ends) {
                    (State::Stopping, _) => return self.discard(id),
                    (_, Ends::Server { .. }) => (State::Stopped, Step::none()),
                    // also where ctrl-c ended it: what has arrived is lost by `cancel` alone
                    _ => (State::Paused, Step::none()),
                },
                FailureKind::Conflict => {
                    let text = format!("{}: tab 5 asks whether to replace it", failure.summary);
                    (State::Taken(failure), Step::toast(Tone::Warning, &text))
                }
                _ => {
                    let step = when_locked(&failure, move || Msg::Unlocked(id));
                    let text = format!("{name} did not arrive: tab 5 says why");
                    let step = step.unwrap_or_else(|| Step::toast(Tone::Bad, &text));
                    (State::Failed(failure), step)
                }
            },
        };
        transfer.state = state;
        step
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Move(to) => {
                let len = self.all.len();
                self.scroll.act(to, len);
                return Step::none();
            }
            Command::Clear => {
                let selected = self.selected().map(|transfer| transfer.id);
                self.all.retain(|transfer| !transfer.has_ended());
                // the selected one stays selected, where it is still there
                let at = self.all.iter().position(|transfer| Some(transfer.id) == selected);
                self.scroll.select(at.unwrap_or(self.scroll.selected()));
                self.scroll.clamp(self.all.len());
                return Step::none();
            }
            Command::Cancel
            | Command::Pause
            | Command::Resume
            | Command::Retry
            | Command::Replace => {}
        }
        let Some(transfer) = self.all.get_mut(self.scroll.selected()) else { return Step::none() };
        let id = transfer.id;
        match command {
            Command::Cancel => match transfer.ticket {
                Some(ticket) => {
                    transfer.state = State::Stopping;
                    Step::end(ticket)
                }
                None => self.discard(id),
            },
            Command::Pause => match transfer.ticket {
                Some(ticket) => {
                    transfer.state = State::Pausing;
                    Step::end(ticket)
                }
                None => Step::none(),
            },
            Command::Resume | Command::Retry => self.begin(id, false),
            Command::Replace => {
                let question = replace(transfer);
                Step::ask(question, move |()| Msg::ReplaceConfirmed(id))
            }
            Command::Move(_) | Command::Clear => Step::none(),
        }
    }
}

/// Asks whether what is in the way may be replaced.
fn replace(transfer: &Transfer) -> Confirm<World> {
    let file = "The file of this machine is replaced as a whole.";
    let object = "The object in the bucket is replaced for everybody.";
    let (title, text) = match (&transfer.work, &transfer.state) {
        (Work::One(copy), _) => {
            let is_file = matches!(copy.ends, Ends::Download { .. });
            let what = if is_file { file } else { object };
            (format!("Replace {}?", copy.name()), format!("{}\n\n{what}", copy.destination()))
        }
        (Work::Many(_), State::Summed(Sum { taken, .. })) => {
            let is_file = |copy: &Copy| matches!(copy.ends, Ends::Download { .. });
            let (noun, what) = match (taken.first().is_some_and(is_file), taken.len()) {
                (true, 1) => ("file", file),
                (true, _) => ("file", "The files of this machine are replaced, each as a whole."),
                (false, 1) => ("object", object),
                (false, _) => ("object", "The objects in the bucket are replaced for everybody."),
            };
            let mut text: String =
                taken.iter().take(NAMED).map(|copy| copy.destination() + "\n").collect();
            if let Some(more @ 1..) = taken.len().checked_sub(NAMED) {
                text.extend(["and ", &units::count(more as u64), " more\n"]);
            }
            let count = units::counted(taken.len() as u64, noun);
            (format!("Replace {count}?"), format!("{text}\n{what}"))
        }
        (Work::Many(batch), _) => (format!("Replace {}?", batch.destination), String::new()),
    };
    Confirm::new(&title, text, ["Replace", "Keep"])
}

impl Screen for Transfers {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "transfers";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Replace, "replace…").when(Self::may_replace),
        Bind::new(&["p"], Command::Pause, "pause").when(Self::may_pause),
        Bind::new(&["r"], Command::Resume, "resume").when(Self::may_resume),
        Bind::new(&["x"], Command::Cancel, "cancel").when(Self::may_cancel),
        Bind::new(&["r"], Command::Retry, "try again").when(Self::may_retry),
        Bind::new(&["c"], Command::Clear, "clear ended").when(Self::has_ended),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        Step::run(Effect::latest("unfinished", ListUnfinished, Msg::Found))
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(Msg::Found(outcome)) => {
                // a folder that cannot be read holds nothing that could go on
                self.found(settled(outcome).unwrap_or_default());
            }
            Event::Msg(Msg::Dropped(id, outcome)) => return self.dropped(id, outcome),
            Event::Msg(Msg::Asked(copy)) => return self.ask(Work::One(Box::new(copy))),
            Event::Msg(Msg::ManyAsked(batch)) => return self.ask(Work::Many(batch)),
            Event::Msg(Msg::Staged(id, stage)) => self.staged(id, stage),
            Event::Msg(Msg::Tidied(outcome)) => {
                if let Err(failure) = settled(outcome) {
                    let text = format!("what has arrived was not removed: {}", failure.summary);
                    return Step::toast(Tone::Bad, &text);
                }
            }
            Event::Msg(Msg::Progressed(id, progress)) => {
                if let Some(transfer) = self.find(id) {
                    transfer.progress = progress;
                }
            }
            Event::Msg(Msg::Started(id, ticket)) => {
                if let Some(transfer) = self.find(id) {
                    transfer.ticket = Some(ticket);
                }
            }
            Event::Msg(Msg::Ended(id, outcome)) => {
                let step = self.ended(id, outcome);
                return self.told(step, id);
            }
            Event::Msg(Msg::Summed(id, outcome)) => {
                let step = self.summed(id, outcome);
                return self.told(step, id);
            }
            Event::Msg(Msg::ReplaceConfirmed(id)) => return self.begin(id, true),
            Event::Msg(Msg::Unlocked(id)) => return self.begin(id, false),
            Event::Tick(now) => {
                self.now = now;
                let running = self.all.iter_mut().filter(|transfer| transfer.is_running());
                running.for_each(|transfer| transfer.pace.note(now, transfer.progress.done));
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        self.draw(frame, area, theme);
    }

    fn title(&self) -> String {
        "Transfers".into()
    }

    fn badge(&self) -> String {
        let wrong = |one: &&Transfer| one.is_wrong();
        let paused = |one: &&Transfer| matches!(one.state, State::Paused);
        match (self.running(), self.all.iter().filter(wrong).count()) {
            (0, 0) => match self.all.iter().filter(paused).count() {
                0 => String::new(),
                paused => format!("{paused}…"),
            },
            (running, 0) => format!("{running}↓"),
            (0, wrong) => format!("{wrong}!"),
            (running, wrong) => format!("{running}↓ {wrong}!"),
        }
    }

    fn wants_tick(&self) -> bool {
        self.running() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::objects::Place;
    use crate::ops::transfer::{Many, RunMany};

    #[test]
    fn the_selection_stays_on_its_transfer() {
        let copy = |name: &str| {
            let key = ObjectKey::parse(name).unwrap();
            Copy::download(Remote::at(Place::of("st"), None, key), "x").unwrap()
        };
        let mut transfers = Transfers::default();
        let tell = |transfers: &mut Transfers, msg| {
            let _effects = transfers.update(Event::Msg(msg));
        };
        for name in ["a", "b", "c"] {
            tell(&mut transfers, Msg::Asked(copy(name)));
        }
        let selected = |transfers: &Transfers| transfers.selected().unwrap().work.source();
        assert_eq!(selected(&transfers), "st:a", "new ones come above it");
        tell(&mut transfers, Msg::Started(1, Ticket(7)));
        assert!(transfers.may_cancel());
        for id in [3, 2] {
            tell(&mut transfers, Msg::Ended(id, Outcome::Cancelled));
            tell(&mut transfers, Msg::Dropped(id, Outcome::Done(Ok(()))));
        }
        let _none = transfers.command(Command::Clear);
        assert_eq!((selected(&transfers), transfers.all.len()), ("st:a".to_owned(), 1));
    }

    #[test]
    fn pausing_keeps_what_arrived_and_cancelling_does_not() {
        let key = ObjectKey::parse("a").unwrap();
        let copy = Copy::download(Remote::at(Place::of("st"), None, key), "x").unwrap();
        let commands = [(Some(Command::Pause), true), (Some(Command::Cancel), false), (None, true)];
        for (command, ends_paused) in commands {
            let mut transfers = Transfers::default();
            for msg in [Msg::Asked(copy.clone()), Msg::Started(1, Ticket(7))] {
                let _effects = transfers.update(Event::Msg(msg));
            }
            // without one it is ctrl-c that ends it
            let _ending = command.map(|command| transfers.command(command));
            let _effects = transfers.update(Event::Msg(Msg::Ended(1, Outcome::Cancelled)));
            let is_paused = matches!(transfers.all[0].state, State::Paused);
            assert_eq!(is_paused, ends_paused, "{command:?}");
            assert_eq!((transfers.may_resume(), transfers.has_ended()), (ends_paused, false));
            let _dropped = transfers.update(Event::Msg(Msg::Dropped(1, Outcome::Done(Ok(())))));
        }
    }

    #[test]
    fn what_runs_already_is_not_found_again() {
        let key = ObjectKey::parse("a").unwrap();
        let copy = Copy::download(Remote::at(Place::of("st"), None, key), "x").unwrap();
        let mut transfers = Transfers::default();
        let _effects = transfers.update(Event::Msg(Msg::Asked(copy.clone())));
        transfers.found(vec![Unfinished { copy, arrived: 1 }]);
        assert_eq!(transfers.all.len(), 1);
    }

    #[test]
    fn a_batch_is_paused_and_goes_on_with_what_is_left() {
        let copy = |name: &str| {
            let key = ObjectKey::parse(name).unwrap();
            Copy::download(Remote::at(Place::of("st"), None, key), "x").unwrap()
        };
        let many = Many::Planned(vec![copy("first"), copy("second")]);
        let job = RunMany { many, moves: false, overwrite: false };
        let paused = || {
            let mut transfers = Transfers::default();
            let batch = Batch::new("2 marked".into(), "x".into(), job.clone());
            for msg in [Msg::ManyAsked(Box::new(batch)), Msg::Started(1, Ticket(7))] {
                let _effects = transfers.update(Event::Msg(msg));
            }
            assert!(transfers.may_pause());
            let _ending = transfers.command(Command::Pause);
            let failed = vec![(copy("second"), Failure::cancelled())];
            let sum = Sum { copied: 1, failed, ..Sum::default() };
            let _effects = transfers.update(Event::Msg(Msg::Summed(1, Outcome::Done(Ok(sum)))));
            assert!(transfers.may_resume() && !transfers.has_ended());
            transfers
        };
        let mut transfers = paused();
        let again = format!("{:?}", transfers.command(Command::Resume));
        assert_eq!(again, "[Start(run many background transfer)]");
        let work = format!("{:?}", transfers.all[0].work);
        assert!(work.contains("second") && !work.contains("first"), "{work}");
        let sum = Sum { copied: 1, ..Sum::default() };
        let _effects = transfers.update(Event::Msg(Msg::Summed(1, Outcome::Done(Ok(sum)))));
        assert!(matches!(&transfers.all[0].state, State::Summed(sum) if sum.copied == 2));

        let mut transfers = paused();
        let dropped = format!("{:?}", transfers.command(Command::Cancel));
        assert_eq!(dropped, "[Start(drop unfinished background discard)]");
        assert!(matches!(&transfers.all[0].state, State::Summed(sum) if sum.copied == 1));
        assert!(transfers.has_ended());
    }
}
