//! What a screen is, what it hears, and what it may ask for.
//!
//! Adding a screen is one file with one `impl Screen`, one `mod` line, and the
//! push in the screen that opens it; the opener says what the answer becomes.
//!
//! ```text
//! fn update(&mut self, event: Event<Self>) -> Step<Self> {
//!     match event {
//!         Event::Command(Command::Reload) => {
//!             self.loading = true;
//!             Step::run(Effect::latest("list", ListStores {}, Msg::Listed))
//!         }
//!         Event::Command(Command::New) => Step::ask(StoreForm::new(), Msg::Made),
//!         Event::Msg(Msg::Listed(outcome)) => { … Step::none() }
//!         _ => Step::none(),
//!     }
//! }
//! ```

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::base::visible::{Visible, visible, visible_sentence, visible_text};
use crate::tui::effect::{Effect, Order};
use crate::tui::keymap::{Bind, Moves};
use crate::tui::layer::{Layer, Mounted};
use crate::tui::log::Log;
use crate::tui::pictures::Placed;
use crate::tui::runtime::Ticket;
use crate::tui::theme::{Theme, Tone};

/// A message or an answer whose type only its screen knows.
pub type AnyMsg = Box<dyn Any + Send>;

/// A pure state machine with a face. `update` knows no clock, no randomness,
/// no file and no network: all that comes back as messages of effects.
pub trait Screen: Send + Sized + 'static {
    /// The services its jobs run against.
    type World: Send + Sync + 'static;
    /// What its keys do, as imperatives: `Command::Reload`.
    type Command: Copy + fmt::Debug + Send + 'static;
    /// What it is told, as past participles: `Msg::Listed`.
    type Msg: Send + 'static;
    /// What it gives to the screen that opened it.
    type Answer: Send + 'static;

    /// One word for help, log and remapping: `stacks`.
    const NAME: &'static str;
    /// The only place that names this screen's keys.
    const KEYS: &'static [Bind<Self>];
    /// The shared rows it takes besides, for a list or a form.
    const MOVES: Moves<Self::Command> = Moves::None;

    /// Called once when the layer comes onto a stack: its first effects.
    fn start(&mut self) -> Step<Self> {
        Step::none()
    }

    /// Takes an event, changes itself, and says what should happen.
    fn update(&mut self, event: Event<Self>) -> Step<Self>;

    /// Draws itself into `area`.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme);

    /// The picture that belongs into the hole it left when it drew itself last.
    fn picture(&self) -> Option<Placed> {
        None
    }

    /// What it shows, for the heading of the help and the log.
    fn title(&self) -> String {
        Self::NAME.to_owned()
    }

    /// Stands after the tab's name while this is the root of a tab: `2↓`.
    fn badge(&self) -> String {
        String::new()
    }

    /// While true, keys that type text come as [`Event::Key`], and rows with
    /// such chords are out of dispatch, footer and help.
    fn captures_text(&self) -> bool {
        false
    }

    /// Whether something would be lost by leaving now; then leaving asks.
    fn is_dirty(&self) -> bool {
        false
    }

    /// While true, [`Event::Tick`] comes ten times a second. Only where something moves.
    fn wants_tick(&self) -> bool {
        false
    }

    /// The size of a window over the screen that opened it; `None` fills the
    /// tab. A window keeps tab switching out.
    fn popup(&self) -> Option<Size> {
        None
    }

    /// While true, keys are ignored for 500 ms after a paste: the end of a
    /// pasted text may hold `enter` or `y`, and would confirm by itself.
    fn is_confirmation(&self) -> bool {
        false
    }

    /// The code of the error in sight, where there is one that can be explained.
    fn error_code(&self) -> Option<&str> {
        None
    }

    /// Called when it is on top again: the layer above closed, or its tab was shown.
    fn resumed(&mut self) -> Step<Self> {
        Step::none()
    }

    /// Called with the log of effects when it changed or when the screen comes
    /// to the top, for screens that show what runs.
    fn observe(&mut self, _log: &Log) {}
}

/// What a screen hears.
pub enum Event<S: Screen> {
    /// A key of its table was pressed, or its hint clicked.
    Command(S::Command),
    /// A key while it captures text, which no row of its table claims.
    Key(KeyEvent),
    /// Pasted text, raw: strip controls before keeping any of it.
    Paste(String),
    /// A mouse event in cells of the whole terminal.
    Mouse(MouseEvent),
    /// The terminal has a new size.
    Resize(Size),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// An effect reported or answered, or a layer it opened was closed.
    Msg(S::Msg),
    /// Time since the start of the program.
    Tick(Duration),
}

impl<S: Screen> fmt::Debug for Event<S> {
    /// Names the kind; keys and pastes may be a secret being typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "Command({command:?})"),
            Self::Key(_) => f.write_str("Key"),
            Self::Paste(_) => f.write_str("Paste"),
            Self::Mouse(_) => f.write_str("Mouse"),
            Self::Resize(size) => write!(f, "Resize({size})"),
            Self::Focus(focus) => write!(f, "Focus({focus})"),
            Self::Msg(_) => f.write_str("Msg"),
            Self::Tick(now) => write!(f, "Tick({now:?})"),
        }
    }
}

/// A short message to the user, shown for some seconds and kept in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How it stands.
    pub tone: Tone,
    /// What is said; ends in what to do.
    pub text: Visible,
}

impl Notice {
    /// A notice that says `text`; what came from outside has passed
    /// [`visible`].
    pub fn new(tone: Tone, text: &str) -> Self {
        Self { tone, text: visible_sentence(text) }
    }
}

/// Turns the answer of a closed layer into a message for the one that opened it, if it wants one.
pub type Then = Box<dyn FnOnce(Option<AnyMsg>) -> Option<AnyMsg> + Send>;

/// One thing a screen asks the shell for.
pub enum Act<W> {
    /// Run an effect.
    Start(Order<W>),
    /// End what runs in this slot of the layer; its answer is `Cancelled`.
    Cancel(&'static str),
    /// End one effect, whoever asked for it.
    End(Ticket),
    /// Put a layer on top; the function takes its answer.
    Push(Box<dyn Layer<W>>, Option<Then>),
    /// Show the tab of that name; with a layer, put it on top of that tab.
    Show(&'static str, Option<Box<dyn Layer<W>>>),
    /// Show the tab of that name, if this layer is still the one in sight.
    Offer(&'static str),
    /// A message for the root of the tab of that name.
    Post(&'static str, AnyMsg),
    /// A message for every other layer of that name, seen or covered.
    PostToAll(&'static str, Box<dyn Fn() -> AnyMsg + Send>),
    /// Close this layer with an answer, or without one.
    Close(Option<AnyMsg>),
    /// Leave the program, asking where something would be lost; for what, where it is to go on
    /// as something else.
    Quit(Option<&'static str>),
    /// Tell the user.
    Tell(Notice),
    /// Bring a text to the clipboard.
    Copy(Visible),
}

impl<W> fmt::Debug for Act<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(order) => write!(f, "Start({order:?})"),
            Self::Cancel(slot) => write!(f, "Cancel({slot})"),
            Self::End(ticket) => write!(f, "End({})", ticket.0),
            Self::Push(layer, _) => write!(f, "Push({})", layer.name()),
            Self::Show(tab, None) => write!(f, "Show({tab})"),
            Self::Show(tab, Some(layer)) => write!(f, "Show({tab}, {})", layer.name()),
            Self::Offer(tab) => write!(f, "Offer({tab})"),
            Self::Post(tab, _) => write!(f, "Post({tab})"),
            Self::PostToAll(name, _) => write!(f, "PostToAll({name})"),
            Self::Close(answer) => {
                write!(f, "Close({})", if answer.is_some() { "answer" } else { "-" })
            }
            Self::Quit(None) => f.write_str("Quit"),
            Self::Quit(Some(wanted)) => write!(f, "Quit({wanted})"),
            Self::Tell(notice) => write!(f, "Tell({})", notice.text),
            Self::Copy(text) => write!(f, "Copy({text})"),
        }
    }
}

/// What should happen after an event, in order. Its `Debug` is one line and
/// fit for assertions: `[Start(ListStores latest list)]`.
#[must_use = "a step that is not returned does not happen"]
pub struct Step<S: Screen> {
    acts: Vec<Act<S::World>>,
    screen: PhantomData<fn() -> S>,
}

impl<S: Screen> Step<S> {
    /// Nothing.
    pub fn none() -> Self {
        Self { acts: Vec::new(), screen: PhantomData }
    }

    /// Runs `effect`.
    pub fn run(effect: Effect<S::World, S::Msg>) -> Self {
        Self::none().and(effect)
    }

    /// Opens `child` over this layer; `then` takes its answer, `None` where it
    /// was dismissed.
    pub fn push<C: Screen<World = S::World>>(
        child: C,
        then: impl FnOnce(Option<C::Answer>) -> S::Msg + Send + 'static,
    ) -> Self {
        Self::none().and_push(child, then)
    }

    /// Opens `child` over this layer; `then` takes its answer. Where it was dismissed, nothing
    /// comes of it.
    pub fn ask<C: Screen<World = S::World>>(
        child: C,
        then: impl FnOnce(C::Answer) -> S::Msg + Send + 'static,
    ) -> Self {
        Self::none().with_child(child, |answer| answer.map(then))
    }

    /// Opens `child` over this layer; nobody waits for its answer.
    pub fn open<C: Screen<World = S::World>>(child: C) -> Self {
        Self::act(Act::Push(Box::new(Mounted::new(child)), None))
    }

    /// Shows the tab whose root has this name.
    pub fn show(tab: &'static str) -> Self {
        Self::act(Act::Show(tab, None))
    }

    /// Shows the tab whose root has this name, unless the user has gone elsewhere meanwhile: for
    /// what is only learnt after a wait.
    pub fn offer(tab: &'static str) -> Self {
        Self::act(Act::Offer(tab))
    }

    /// Shows the tab whose root has this name, with `child` over that root.
    pub fn show_with<C: Screen<World = S::World>>(tab: &'static str, child: C) -> Self {
        Self::act(Act::Show(tab, Some(Box::new(Mounted::new(child)))))
    }

    /// Hands a message to `T` at the root of its tab, shown or not: a browser
    /// hands an upload to the transfers, which own it from then on.
    pub fn post<T: Screen<World = S::World>>(message: T::Msg) -> Self {
        Self::act(Act::Post(T::NAME, Box::new(message)))
    }

    /// And tells every `T` but this layer itself, seen or covered by others.
    pub fn and_post_to_all<T: Screen<World = S::World>>(
        self,
        message: impl Fn() -> T::Msg + Send + 'static,
    ) -> Self {
        self.with(Act::PostToAll(T::NAME, Box::new(move || -> AnyMsg { Box::new(message()) })))
    }

    /// Closes this layer and gives `answer` to its opener.
    pub fn answer(answer: S::Answer) -> Self {
        Self::act(Act::Close(Some(Box::new(answer))))
    }

    /// Closes this layer without an answer, without asking.
    pub fn close() -> Self {
        Self::act(Act::Close(None))
    }

    /// Leaves the program; the shell asks where something would be lost.
    pub fn quit() -> Self {
        Self::act(Act::Quit(None))
    }

    /// The same, to go on as `wanted`, which is for whoever started the program to know.
    pub fn quit_for(wanted: &'static str) -> Self {
        Self::act(Act::Quit(Some(wanted)))
    }

    /// Tells the user; what came from outside has passed
    /// [`visible`].
    pub fn toast(tone: Tone, text: &str) -> Self {
        Self::none().and_toast(tone, text)
    }

    /// Brings `text` to the clipboard, or shows it to be selected.
    pub fn copy(text: &str) -> Self {
        Self::act(Act::Copy(visible(text)))
    }

    /// Brings a text of several lines to the clipboard that osstack itself has laid out.
    pub fn copy_text(text: &str) -> Self {
        Self::act(Act::Copy(visible_text(text)))
    }

    /// Ends what runs in `slot` of this layer.
    pub fn cancel(slot: &'static str) -> Self {
        Self::none().and_cancel(slot)
    }

    /// Ends the effect that got this ticket: [`Effect::started`].
    pub fn end(ticket: Ticket) -> Self {
        Self::act(Act::End(ticket))
    }

    /// And runs `effect`.
    pub fn and(self, effect: Effect<S::World, S::Msg>) -> Self {
        self.with(Act::Start(effect.into_order()))
    }

    /// And opens `child`; see [`Step::push`].
    pub fn and_push<C: Screen<World = S::World>>(
        self,
        child: C,
        then: impl FnOnce(Option<C::Answer>) -> S::Msg + Send + 'static,
    ) -> Self {
        self.with_child(child, |answer| Some(then(answer)))
    }

    /// And tells the user.
    pub fn and_toast(self, tone: Tone, text: &str) -> Self {
        self.with(Act::Tell(Notice::new(tone, text)))
    }

    /// And ends what runs in `slot` of this layer.
    pub fn and_cancel(self, slot: &'static str) -> Self {
        self.with(Act::Cancel(slot))
    }

    /// And all that `other` asks for.
    pub fn then(mut self, other: Self) -> Self {
        self.acts.extend(other.acts);
        self
    }

    /// What is asked for, in order.
    pub fn acts(&self) -> &[Act<S::World>] {
        &self.acts
    }

    /// What is asked for, in order, for the layer that carries it out.
    pub fn into_acts(self) -> Vec<Act<S::World>> {
        self.acts
    }

    /// The answer this step closes the layer with. For tests.
    pub fn into_answer(self) -> Option<S::Answer> {
        self.acts.into_iter().find_map(|act| match act {
            Act::Close(Some(answer)) => answer.downcast::<S::Answer>().ok().map(|answer| *answer),
            _ => None,
        })
    }

    fn with_child<C: Screen<World = S::World>>(
        self,
        child: C,
        then: impl FnOnce(Option<C::Answer>) -> Option<S::Msg> + Send + 'static,
    ) -> Self {
        let then: Then = Box::new(move |answer| {
            let answer = answer.and_then(|any| any.downcast::<C::Answer>().ok());
            then(answer.map(|answer| *answer)).map(|message| -> AnyMsg { Box::new(message) })
        });
        self.with(Act::Push(Box::new(Mounted::new(child)), Some(then)))
    }

    fn act(act: Act<S::World>) -> Self {
        Self::none().with(act)
    }

    fn with(mut self, act: Act<S::World>) -> Self {
        self.acts.push(act);
        self
    }
}

impl<S: Screen> fmt::Debug for Step<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.acts).finish()
    }
}
