//! The shell around the screens: tabs, the stack of layers in each, the footer,
//! help and palette, toasts, the log, and the rules of leaving.
//!
//! It carries out what layers ask for ([`Act`]) in the order they ask, and it
//! is the only one that talks to the [`Runtime`].

mod acts;
mod keys;
mod stage;
mod view;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use ratatui::Frame;
use ratatui::layout::Size;
use tokio::sync::mpsc;

pub use self::keys::Global;
pub use self::stage::Stage;
use crate::tui::event_loop::{Program, Signal, Wake};
use crate::tui::keymap::Remap;
use crate::tui::layer::{Input, Layer, Mounted};
use crate::tui::log::Log;
use crate::tui::pictures::Placed;
use crate::tui::runtime::{LayerId, Runtime};
use crate::tui::screen::{Act, Notice, Screen, Then};
use crate::tui::theme::{Drawing, Theme};
use crate::tui::widget::tabs::Status;
use crate::tui::widget::toast::Toasts;

/// Time between ticks for layers that want them.
const TICK: Duration = Duration::from_millis(100);

/// What stands at the right of the top line, asked for every frame.
pub type StatusOf<W> = Box<dyn Fn(&W) -> Vec<Status> + Send>;

/// What explains the code of an error that a layer has in sight.
pub type Explains<W> = fn(&str) -> Option<Box<dyn Layer<W>>>;

/// How long the machine has slept since it was started.
pub type AsleepOf<W> = Box<dyn Fn(&W) -> Duration + Send>;

/// A machine that slept so long was left: what wakes it may be somebody else.
const SLEPT: Duration = Duration::from_mins(1);

/// Something done to the world while nobody is there.
pub type WhenIdle<W> = Box<dyn Fn(&W) + Send>;

/// What the shell is told once, at the start.
pub struct Options<W> {
    /// What the terminal can show.
    pub theme: Theme,
    /// The user's own chords.
    pub remap: Remap,
    /// Whether texts may go to the clipboard through the terminal without asking.
    pub osc52: bool,
    /// What stands at the right of the top line.
    pub status: StatusOf<W>,
    /// The layer that explains the code of an error.
    pub explain: Explains<W>,
    /// What to do after so long without a key (not at all where that is nothing), after the
    /// machine slept, and on suspend and hang-up: where the keystore locks.
    pub idle: Option<(Option<Duration>, WhenIdle<W>)>,
    /// How long the machine has slept.
    pub asleep: AsleepOf<W>,
}

impl<W> Default for Options<W> {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            remap: Remap::new(),
            osc52: false,
            status: Box::new(|_| Vec::new()),
            explain: |_| None,
            idle: None,
            asleep: Box::new(|_| Duration::ZERO),
        }
    }
}

impl<W> fmt::Debug for Options<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("theme", &self.theme).finish_non_exhaustive()
    }
}

/// Why the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user left.
    Left,
    /// A signal said so, or the terminal is gone.
    Ended(Signal),
}

/// A tab: its name and the stack of layers on its root.
pub struct Tab<W> {
    name: &'static str,
    root: Box<dyn Layer<W>>,
}

impl<W> Tab<W> {
    /// A tab that begins with `root`.
    pub fn new<S: Screen<World = W>>(name: &'static str, root: S) -> Self
    where
        W: Send + Sync + 'static,
    {
        Self { name, root: Box::new(Mounted::new(root)) }
    }
}

impl<W> fmt::Debug for Tab<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tab({})", self.name)
    }
}

/// What happens when a layer closes.
enum OnClose {
    Nothing,
    /// The opener is told.
    Tell(LayerId, Then),
    /// The answer is a row of the tables to run.
    Run,
    /// Yes closes that layer.
    Leave(LayerId),
    /// Yes ends the program.
    Quit,
    /// Yes sends the text through the terminal, now and later.
    Copy(String),
}

struct Entry<W> {
    id: LayerId,
    layer: Box<dyn Layer<W>>,
    on_close: OnClose,
}

struct Stack<W> {
    name: &'static str,
    /// Never empty; the last one is on top.
    entries: Vec<Entry<W>>,
    started: bool,
}

/// The program with a screen, over any world and any tabs.
pub struct Shell<W> {
    options: Options<W>,
    tabs: Vec<Stack<W>>,
    shown: usize,
    runtime: Runtime<W>,
    pending: VecDeque<(LayerId, Act<W>)>,
    log: Log,
    toasts: Toasts,
    size: Size,
    now: Duration,
    last_id: u64,
    last_tick: Duration,
    last_key: Duration,
    idle_done: bool,
    /// How long the machine had slept when it was last asked.
    asleep: Duration,
    /// The end of a paste, or of keys ignored because of one.
    pasted: Option<Duration>,
    /// The last key was ctrl-c.
    interrupted: bool,
    observed: Option<(LayerId, u64)>,
    copy: Option<String>,
    ending: Option<Ending>,
    /// What the program is to go on as.
    wanted: Option<&'static str>,
}

impl<W: Send + Sync + 'static> Shell<W> {
    /// A shell with these tabs, the first one shown; effects reply into `queue`.
    /// Without a tab it is over at once.
    ///
    /// # Panics
    /// Outside a tokio runtime, if the first tab starts an effect.
    pub fn new(
        world: Arc<W>,
        queue: mpsc::Sender<Wake>,
        tabs: impl IntoIterator<Item = Tab<W>>,
        options: Options<W>,
    ) -> Self {
        let mut shell = Self {
            options,
            tabs: Vec::new(),
            shown: 0,
            runtime: Runtime::new(world, queue),
            pending: VecDeque::new(),
            log: Log::default(),
            toasts: Toasts::default(),
            size: Size::default(),
            now: Duration::ZERO,
            last_id: 0,
            last_tick: Duration::ZERO,
            last_key: Duration::ZERO,
            idle_done: false,
            asleep: Duration::ZERO,
            pasted: None,
            interrupted: false,
            observed: None,
            copy: None,
            ending: None,
            wanted: None,
        };
        shell.asleep = (shell.options.asleep)(shell.runtime.world());
        for Tab { name, root } in tabs {
            let entry = shell.entry(root, OnClose::Nothing);
            shell.tabs.push(Stack { name, entries: vec![entry], started: false });
        }
        if shell.tabs.is_empty() {
            shell.ending = Some(Ending::Left);
        }
        shell.show(0);
        shell.settle();
        shell
    }

    /// Why it is over, once it is.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// What the program is to go on as, where the user left it for that.
    pub fn wanted(&self) -> Option<&'static str> {
        self.wanted.filter(|_| self.ending == Some(Ending::Left))
    }

    /// What was asked of the world.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Puts `screen` on top of the shown tab: for what the start has to say.
    pub fn open<S: Screen<World = W>>(&mut self, screen: S) {
        self.push(self.shown, Box::new(Mounted::new(screen)), OnClose::Nothing);
        self.settle();
    }

    /// Tells the user.
    pub fn tell(&mut self, notice: Notice) {
        self.tell_about(None, notice);
    }

    /// Tells the user something; what is `about` a layer goes when that is left.
    fn tell_about(&mut self, about: Option<LayerId>, notice: Notice) {
        self.toasts.push(notice.clone(), about, self.now);
        self.log.told(self.now, notice);
    }

    /// Ends all work; answers what did not end within `limit`. Drop the
    /// receiver of the queue before.
    pub async fn shutdown(self, limit: Duration) -> Vec<String> {
        self.runtime.shutdown(limit).await
    }

    fn entry(&mut self, mut layer: Box<dyn Layer<W>>, on_close: OnClose) -> Entry<W> {
        self.last_id += 1;
        layer.remap(&self.options.remap);
        Entry { id: LayerId(self.last_id), layer, on_close }
    }

    fn top(&self) -> Option<&Entry<W>> {
        self.tabs.get(self.shown).and_then(|tab| tab.entries.last())
    }

    fn top_mut(&mut self) -> Option<&mut Entry<W>> {
        self.tabs.get_mut(self.shown).and_then(|tab| tab.entries.last_mut())
    }

    fn entries(&self) -> impl Iterator<Item = &Entry<W>> {
        self.tabs.iter().flat_map(|tab| &tab.entries)
    }

    /// The tab whose root has this name.
    fn tab(&self, name: &str) -> Option<usize> {
        let root = |tab: &Stack<W>| tab.entries.first().map(|root| root.layer.name());
        self.tabs.iter().position(|tab| root(tab) == Some(name))
    }

    fn entry_mut(&mut self, id: LayerId) -> Option<&mut Entry<W>> {
        self.tabs.iter_mut().flat_map(|tab| &mut tab.entries).find(|entry| entry.id == id)
    }

    fn ask(&mut self, owner: LayerId, acts: Vec<Act<W>>) {
        self.pending.extend(acts.into_iter().map(|act| (owner, act)));
    }

    fn feed(&mut self, id: LayerId, input: Input) {
        if let Some(entry) = self.entry_mut(id) {
            let acts = entry.layer.feed(input);
            self.ask(id, acts);
        }
    }

    fn feed_top(&mut self, input: Input) {
        if let Some(id) = self.top().map(|entry| entry.id) {
            self.feed(id, input);
        }
    }

    fn terminal(&mut self, event: TerminalEvent) {
        match event {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            TerminalEvent::Paste(text) => {
                self.pasted = Some(self.now);
                self.feed_top(Input::Paste(text));
            }
            TerminalEvent::Mouse(mouse) => self.mouse(mouse),
            TerminalEvent::Resize(width, height) => {
                self.size = Size::new(width, height);
                self.feed_top(Input::Resize(self.size));
            }
            TerminalEvent::FocusGained => self.feed_top(Input::Focus(true)),
            TerminalEvent::FocusLost => self.feed_top(Input::Focus(false)),
            TerminalEvent::Key(_) => {}
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Interrupt => self.interrupt(),
            Signal::Suspend => self.run_idle(),
            Signal::HangUp | Signal::Terminate => {
                self.run_idle();
                self.ending = Some(Ending::Ended(signal));
            }
        }
    }

    /// Whoever comes back to a machine that slept finds it locked, before the first key counts.
    fn see_whether_it_slept(&mut self) {
        let asleep = (self.options.asleep)(self.runtime.world());
        if asleep.saturating_sub(self.asleep) > SLEPT {
            self.run_idle();
        }
        self.asleep = asleep;
    }

    /// When nobody has been there for long enough, if that is ever.
    fn idle_at(&self) -> Option<Duration> {
        let (after, _) = self.options.idle.as_ref()?;
        Some(self.last_key + (*after)?)
    }

    fn run_idle(&mut self) {
        self.idle_done = true;
        if let Some((_, act)) = &self.options.idle {
            act(self.runtime.world());
        }
    }
}

impl<W: Send + Sync + 'static> Program for Shell<W> {
    fn handle(&mut self, wake: Wake, now: Duration) {
        self.now = now;
        self.see_whether_it_slept();
        match wake {
            Wake::Terminal(event) => {
                self.last_key = now;
                self.idle_done = false;
                self.terminal(event);
            }
            Wake::Reply(reply) => self.reply(reply),
            Wake::Cell(cell) => {
                if let Drawing::Pixels(former) = &mut self.options.theme.pictures {
                    *former = cell;
                }
            }
            // the frame that follows shows it
            Wake::PictureReady => {}
            Wake::Signal(signal) => self.signal(signal),
            Wake::InputEnded => self.signal(Signal::HangUp),
        }
        self.settle();
    }

    fn tick(&mut self, now: Duration) {
        self.now = now;
        self.see_whether_it_slept();
        self.toasts.tick(now);
        if self.idle_at().is_some_and(|at| at <= now) && !self.idle_done {
            self.run_idle();
        }
        if now >= self.last_tick + TICK {
            self.last_tick = now;
            let wanting = self.entries().filter(|entry| entry.layer.wants_tick());
            let ids: Vec<LayerId> = wanting.map(|entry| entry.id).collect();
            for id in ids {
                self.feed(id, Input::Tick(now));
            }
        }
        self.settle();
    }

    fn next_tick(&self) -> Option<Duration> {
        let animated = self.entries().any(|entry| entry.layer.wants_tick());
        let layers = animated.then_some(self.last_tick + TICK);
        let idle = self.idle_at().filter(|_| !self.idle_done);
        [layers, idle, self.toasts.next_tick()].into_iter().flatten().min()
    }

    fn view(&self, frame: &mut Frame<'_>) -> Option<Placed> {
        self.draw(frame)
    }

    fn take_copy(&mut self) -> Option<String> {
        self.copy.take()
    }

    fn is_over(&self) -> bool {
        self.ending.is_some()
    }
}

impl<W> fmt::Debug for Shell<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
