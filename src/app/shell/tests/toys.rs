//! A world with a gate, jobs that wait at it, and screens that ask for them.

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use tokio::sync::Semaphore;

use crate::app::shell::{Options, Stage, Tab};
use crate::base::job::{Context, Job, Nothing};
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Move, Moves};
use crate::tui::screen::{Event, Notice, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::list::List;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;

/// Jobs pass its gate one by one.
pub(super) struct World {
    gate: Semaphore,
    pub(super) stopped: Semaphore,
}

impl World {
    pub(super) fn open() -> Arc<Self> {
        let world = Self::shut();
        world.let_go(1_000);
        world
    }

    pub(super) fn shut() -> Arc<Self> {
        Arc::new(Self { gate: Semaphore::new(0), stopped: Semaphore::new(0) })
    }

    pub(super) fn let_go(&self, jobs: usize) {
        self.gate.add_permits(jobs);
    }

    async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

pub(super) fn stage(world: &Arc<World>) -> Stage<World> {
    stage_with(world, Options::default())
}

pub(super) fn stage_with(world: &Arc<World>, options: Options<World>) -> Stage<World> {
    let tabs = [Tab::new("First", First::default()), Tab::new("Other", Other::default())];
    Stage::with(Arc::clone(world), tabs, options)
}

/// Reads two names.
#[derive(Debug)]
struct ListNames {
    nth: usize,
}

impl Job<World> for ListNames {
    type Item = Nothing;
    type Out = Vec<&'static str>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        context.world.pass().await;
        if self.nth == 0 { Vec::new() } else { vec!["alpha", "beta"] }
    }
}

/// Writes, and cleans up when it is asked to stop.
#[derive(Debug)]
struct CommitNames {}

impl Job<World> for CommitNames {
    type Item = u8;
    type Out = &'static str;

    async fn run(self, context: Context<World, u8>) -> Self::Out {
        context.report(1).await;
        tokio::select! {
            () = context.world.pass() => "committed",
            () = context.cancel.cancelled() => {
                context.world.stopped.add_permits(1);
                "taken back"
            }
        }
    }
}

#[derive(Debug)]
struct Fail {}

impl Job<World> for Fail {
    type Item = Nothing;
    type Out = ();

    async fn run(self, _context: Context<World, Nothing>) {
        panic!("hunter2")
    }
}

#[derive(Default)]
pub(super) struct First {
    pub(super) loading: bool,
    asked: usize,
    names: Vec<&'static str>,
    said: String,
    scroll: Scroll,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Reload,
    ReloadAnyway,
    Cancel,
    Commit,
    Fail,
    Pick,
    New,
    Delete,
    DeleteNamed,
    Copy,
    Play,
    Post,
    Move(Move),
}

pub(super) enum Msg {
    Listed(Outcome<Vec<&'static str>>),
    Step(u8),
    Committed(Outcome<&'static str>),
    Failed(Outcome<()>),
    Picked(Option<&'static str>),
    Made(Option<String>),
    Deleted(bool),
}

impl First {
    fn list(&mut self) -> Effect<World, Msg> {
        self.loading = true;
        self.asked += 1;
        Effect::latest("list", ListNames { nth: self.asked }, Msg::Listed)
    }
}

impl Screen for First {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "first";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["r", "f5"], Command::Reload, "reload").when(|first| !first.loading),
        Bind::new(&["R"], Command::ReloadAnyway, "reload anyway").quiet(),
        Bind::new(&["x"], Command::Cancel, "cancel").when(|first| first.loading),
        Bind::new(&["C"], Command::Commit, "commit"),
        Bind::new(&["F"], Command::Fail, "fail").quiet(),
        Bind::new(&["p"], Command::Pick, "pick…"),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["D"], Command::Delete, "delete…").quiet(),
        Bind::new(&["X"], Command::DeleteNamed, "delete by name…").quiet(),
        Bind::new(&["y"], Command::Copy, "copy").quiet(),
        Bind::new(&["Z"], Command::Play, "play").quiet(),
        Bind::new(&["P"], Command::Post, "post").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        Step::run(self.list())
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let ask = |title: &str| Confirm::new(title, "alpha will be gone", ["Delete", "Keep"]);
        match event {
            Event::Command(Command::Reload | Command::ReloadAnyway) => {
                return Step::run(self.list());
            }
            Event::Command(Command::Cancel) => return Step::cancel("list"),
            Event::Command(Command::Commit) => {
                let effect =
                    Effect::exclusive_stream("commit", CommitNames {}, Msg::Step, Msg::Committed);
                return Step::run(effect.if_gone(|msg| match msg {
                    Msg::Committed(how) => {
                        Some(Notice::new(Tone::Good, &format!("in the end {how:?}")))
                    }
                    _ => None,
                }));
            }
            Event::Command(Command::Fail) => {
                return Step::run(Effect::latest("fail", Fail {}, Msg::Failed));
            }
            Event::Command(Command::Pick) => return Step::push(Picker::default(), Msg::Picked),
            Event::Command(Command::New) => return Step::push(Maker::default(), Msg::Made),
            Event::Command(Command::Delete) => {
                return Step::push(ask("Delete?"), |yes| Msg::Deleted(yes.is_some()));
            }
            Event::Command(Command::DeleteNamed) => {
                let ask = ask("Delete?").typed("alpha");
                return Step::push(ask, |yes| Msg::Deleted(yes.is_some()));
            }
            Event::Command(Command::Copy) => return Step::copy("oss://alpha"),
            Event::Command(Command::Play) => return Step::quit_for("game"),
            Event::Command(Command::Post) => return Step::post::<Other>("from first"),
            Event::Command(Command::Move(to)) => {
                self.scroll.act(to, self.names.len());
            }
            Event::Msg(Msg::Listed(how)) => {
                self.loading = false;
                self.said = match how {
                    Outcome::Done(names) => {
                        self.names = names;
                        format!("listed by {}", self.asked)
                    }
                    other => format!("{other:?}"),
                };
            }
            Event::Msg(Msg::Step(step)) => self.said = format!("step {step}"),
            Event::Msg(Msg::Committed(how)) => self.said = format!("{how:?}"),
            Event::Msg(Msg::Failed(how)) => {
                self.said = format!("{how:?}");
                return Step::toast(Tone::Bad, "it failed: ask again");
            }
            Event::Msg(Msg::Picked(name)) => {
                self.said = format!("picked {}", name.unwrap_or("nothing"));
            }
            Event::Msg(Msg::Made(name)) => {
                self.said = format!("made {}", name.unwrap_or_else(|| "nothing".into()));
            }
            Event::Msg(Msg::Deleted(yes)) => {
                self.said = if yes { "deleted" } else { "kept" }.into();
                return Step::toast(Tone::Neutral, "answered");
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.said, true);
        let list = List::new("nothing yet");
        list.view(frame, inner, theme, &self.scroll, self.names.len(), |index| {
            Line::from(self.names[index])
        });
    }
}

#[derive(Default)]
pub(super) struct Other {
    heard: &'static str,
}

impl Screen for Other {
    type World = World;
    type Command = ();
    type Msg = &'static str;
    type Answer = ();

    const NAME: &'static str = "other";
    const KEYS: &'static [Bind<Self>] = &[];

    fn start(&mut self) -> Step<Self> {
        self.heard = "nothing";
        Step::none()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        if let Event::Msg(message) = event {
            self.heard = message;
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, _theme: &Theme) {
        frame.render_widget(format!("the other tab heard {}", self.heard), area);
    }

    fn badge(&self) -> String {
        "2↓".into()
    }
}

/// Picks one of two; it also commits, to be left while that runs.
#[derive(Default)]
struct Picker {
    scroll: Scroll,
}

#[derive(Clone, Copy, Debug)]
enum Pick {
    Choose,
    Commit,
    Read,
    Move(Move),
}

impl Screen for Picker {
    type World = World;
    type Command = Pick;
    type Msg = Msg;
    type Answer = &'static str;

    const NAME: &'static str = "picker";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Pick::Choose, "choose"),
        Bind::new(&["C"], Pick::Commit, "commit"),
        Bind::new(&["r"], Pick::Read, "read"),
    ];
    const MOVES: Moves<Pick> = Moves::List(Pick::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Pick::Choose) => {
                let names = ["alpha", "beta"];
                return Step::answer(names[self.scroll.selected()]);
            }
            Event::Command(Pick::Move(to)) => {
                self.scroll.act(to, 2);
            }
            Event::Command(Pick::Commit) => {
                let effect =
                    Effect::exclusive_stream("commit", CommitNames {}, Msg::Step, Msg::Committed);
                return Step::run(effect.if_gone(|msg| match msg {
                    Msg::Committed(how) => {
                        Some(Notice::new(Tone::Good, &format!("in the end {how:?}")))
                    }
                    _ => None,
                }));
            }
            Event::Command(Pick::Read) => {
                return Step::run(Effect::latest("list", ListNames { nth: 99 }, Msg::Listed));
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        pane(frame, area, theme, "Pick one", true);
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(30, 6))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Name,
    Secret,
}

pub(super) struct Maker {
    form: Form<Part>,
}

impl Default for Maker {
    fn default() -> Self {
        let name = Field::text(Part::Name, "Name").help("any name");
        Self { form: Form::new([name, Field::secret(Part::Secret, "Secret")]) }
    }
}

impl Screen for Maker {
    type World = World;
    type Command = FormMove;
    type Msg = ();
    type Answer = String;

    const NAME: &'static str = "maker";
    const KEYS: &'static [Bind<Self>] = &[];
    const MOVES: Moves<FormMove> = Moves::Form(|to| to);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(to) => self.form.act(to),
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&text),
            _ => Said::Nothing,
        };
        match said {
            Said::Submit if self.form.text(Part::Name).is_empty() => {
                self.form.set_errors([(Part::Name, "needs a name")]);
            }
            Said::Submit => return Step::answer(self.form.text(Part::Name).to_owned()),
            Said::Lines(_, lines) if lines.len() == 2 => {
                self.form.set_text(Part::Name, lines[0].expose());
                self.form.set_secret(Part::Secret, &lines[1]);
                self.form.mark_dirty();
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        self.form.view(frame, area, theme);
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn is_dirty(&self) -> bool {
        self.form.is_dirty()
    }
}
