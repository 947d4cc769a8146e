//! A store's artifacts as a tree: pipeline, run, step, output; without a server step, output, step
//! run, as the keys tell.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::artifacts::Which;
use crate::ops::artifacts::store_tree::{ReadStoreTree, StoreTree};
use crate::ops::failure::Failure;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, lines, row, rows_below};
use crate::zenml::artifacts::tree::{self, Kind, Node};

use super::artifact::ArtifactView;
use super::census::CensusView;
use super::explain;
use super::failure_view::{self, marked, settled};
use super::run::RunView;
use super::runs::tone;
use super::unlock::when_locked;
use super::waiting;

/// The artifacts of one store. The answer is a prefix to go to.
#[derive(Debug)]
pub struct Artifacts {
    store: String,
    /// The key one came from: what is shown first, if it is an artifact's.
    from: String,
    tree: Option<StoreTree>,
    failure: Option<Failure>,
    open: BTreeSet<String>,
    scroll: Scroll,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Fold,
    Keys,
    Run,
    Census,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Read(Outcome<Result<StoreTree, Failure>>),
    Unlocked,
}

impl Artifacts {
    /// Of `store`, at the artifact that `from`, a whole key or prefix, belongs to.
    pub fn of(store: String, from: String) -> Self {
        Self {
            store,
            from,
            tree: None,
            failure: None,
            open: BTreeSet::new(),
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    fn read(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let job = ReadStoreTree { store: self.store.clone() };
        Step::run(Effect::latest("tree", job, Msg::Read))
    }

    fn nodes(&self) -> &[Node] {
        self.tree.as_ref().map(|tree| tree.nodes.as_slice()).unwrap_or_default()
    }

    fn rows(&self) -> Vec<tree::Row<'_>> {
        tree::rows(self.nodes(), &self.open)
    }

    fn selected(&self) -> Option<&Node> {
        self.rows().get(self.scroll.selected()).map(|row| row.node)
    }

    fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    fn has_run(&self) -> bool {
        self.selected().is_some_and(|node| node.run.is_some())
    }

    fn may_count(&self) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.connection.is_some())
    }

    /// Opens the way to where one came from, the first time.
    fn take(&mut self, read: StoreTree) {
        let is_first = self.tree.is_none();
        let selected = self.selected().map(|node| node.id.clone());
        self.tree = Some(read);
        if is_first {
            let from = std::mem::take(&mut self.from);
            let mut key = from.trim_end_matches('/');
            let way = loop {
                match (Node::way_to(self.nodes(), key), key.rsplit_once('/')) {
                    (Some(way), _) => break Some((way, key.to_owned())),
                    (None, Some((parent, _))) => key = parent,
                    (None, None) => break None,
                }
            };
            match way {
                Some((way, key)) => {
                    self.open.extend(way);
                    let is_it = |row: &tree::Row<'_>| row.node.key.as_ref() == Some(&key);
                    let at = self.rows().iter().position(is_it);
                    self.scroll.select(at.unwrap_or(0));
                }
                // one pipeline is what most stores have: its runs are what is wanted
                None => {
                    if let [only] = self.nodes() {
                        let id = only.id.clone();
                        self.open.insert(id);
                    }
                }
            }
        } else {
            let at = self.rows().iter().position(|row| Some(&row.node.id) == selected.as_ref());
            self.scroll.select(at.unwrap_or(self.scroll.selected()));
        }
        let len = self.rows().len();
        self.scroll.clamp(len);
    }

    fn act_open(&mut self) -> Step<Self> {
        let Some(node) = self.selected() else { return Step::none() };
        if node.key.is_none() {
            let id = node.id.clone();
            if !self.open.remove(&id) {
                self.open.insert(id);
            }
            return Step::none();
        }
        let tree = self.tree.as_ref();
        let version = tree.zip(node.version).and_then(|(tree, at)| tree.versions.get(at));
        match version {
            Some(version) => {
                let connection = tree.and_then(|tree| tree.connection.clone());
                Step::open(ArtifactView::new(connection, Which::Id(version.id.clone())))
            }
            None => self.keys(),
        }
    }

    /// Folds the selected node, or goes to the one it is in.
    fn fold(&mut self) {
        let rows = self.rows();
        let at = self.scroll.selected();
        let Some(selected) = rows.get(at) else { return };
        if self.open.contains(&selected.node.id) {
            let id = selected.node.id.clone();
            self.open.remove(&id);
            return;
        }
        let above = rows.iter().take(at).rposition(|row| row.depth < selected.depth);
        if let Some(parent) = above {
            self.scroll.select(parent);
        }
    }

    fn keys(&self) -> Step<Self> {
        let key = self.selected().and_then(|node| node.key.clone());
        key.map_or_else(Step::close, |key| Step::answer(format!("{key}/")))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => return self.act_open(),
            Command::Fold => self.fold(),
            Command::Keys => return self.keys(),
            Command::Run => {
                let tree = self.tree.as_ref();
                let at = self.selected().and_then(|node| node.run);
                if let Some((tree, at)) = tree.zip(at)
                    && let Some(run) = tree.runs.get(at)
                {
                    return Step::open(RunView::new(tree.connection.clone(), run.id.clone()));
                }
            }
            Command::Census => {
                let connection = self.tree.as_ref().and_then(|tree| tree.connection.clone());
                return Step::open(CensusView::of(connection, self.store.clone()));
            }
            Command::Reload => return self.read(),
            Command::Move(to) => {
                let len = self.rows().len();
                self.scroll.act(to, len);
            }
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Read(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(tree) => self.take(tree),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Unlocked => return self.read(),
        }
        Step::none()
    }

    fn row(&self, seen: tree::Row<'_>, theme: &Theme) -> Row<'static> {
        let tree::Row { depth, node } = seen;
        let run = self.tree.as_ref().zip(node.run).and_then(|(tree, at)| tree.runs.get(at));
        let version =
            self.tree.as_ref().zip(node.version).and_then(|(tree, at)| tree.versions.get(at));
        let fold = match (node.key.is_some(), self.open.contains(&node.id), theme.ascii) {
            (true, ..) => "  ",
            (false, true, false) => "▾ ",
            (false, false, false) => "▸ ",
            (false, true, true) => "- ",
            (false, false, true) => "+ ",
        };
        let name = visible(&node.name).into_string();
        let style = match node.kind {
            Kind::Pipeline => theme.title(),
            _ => ratatui::style::Style::new(),
        };
        let mut spans =
            vec![Span::raw(format!("{}{fold}", "  ".repeat(depth))), Span::styled(name, style)];
        if let Some(version) = version {
            let version = format!("  v{}", visible(&version.version));
            spans.push(Span::styled(version, theme.muted()));
        }
        let what = match (run, version) {
            (Some(run), _) => {
                let tone = tone(&run.status);
                let status = visible(run.status.as_str()).into_string();
                Line::styled(format!("{} {status}", theme.sign(tone)), theme.tone(tone))
            }
            (_, Some(version)) => {
                let class = version.data_type.as_deref().and_then(|it| it.rsplit('.').next());
                Line::styled(visible(class.unwrap_or(&version.kind)).into_string(), theme.muted())
            }
            _ => Line::raw(""),
        };
        let count = match node.key {
            Some(_) => Line::raw(""),
            None => Line::styled(units::count(node.count() as u64), theme.muted()),
        };
        Row::new([Line::from(spans), what, count])
    }
}

impl Screen for Artifacts {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = String;

    const NAME: &'static str = "artifacts";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Open, "open, fold").when(Self::has_selection),
        Bind::new(&["h", "left", "backspace"], Command::Fold, "fold")
            .when(Self::has_selection)
            .quiet(),
        Bind::new(&["r"], Command::Run, "run").when(Self::has_run),
        Bind::new(&["m"], Command::Census, "orphans, missing…").when(Self::may_count),
        Bind::new(&["A"], Command::Keys, "keys"),
        Bind::new(&["R", "f5"], Command::Reload, "reload").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.read()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Mouse(mouse) => {
                let len = self.rows().len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Fill(1)),
            Column::new("", Constraint::Length(16)),
            Column::new("", Constraint::Length(7)).right(),
        ];
        let sign = self.spinner.sign(theme);
        let told = match &self.tree {
            None => String::new(),
            Some(StoreTree { connection: Some(name), .. }) => format!("as {name} tells"),
            Some(_) => "by the keys alone".to_owned(),
        };
        let gap = if sign.is_empty() || told.is_empty() { "" } else { " " };
        let title = format!("{}  artifacts", self.store);
        let inner = counted_pane(frame, area, theme, (&title, &format!("{sign}{gap}{told}")), true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let Some(tree) = &self.tree else {
            let room = usize::from(inner.width);
            return lines(frame, inner, waiting::lines(&self.spinner, room, theme), theme);
        };
        let note = tree.unasked.as_ref().map(ToString::to_string);
        let note: Vec<Line<'static>> = note.map_or_else(Vec::new, |note| {
            let tone = Tone::Warning;
            marked(theme.sign(tone), theme.warn(), &note, usize::from(inner.width))
        });
        let taken = cells(note.len()).min(inner.height / 2);
        let list = Rect { height: inner.height - taken, ..inner };
        let rows = self.rows();
        let table = Table::new(COLUMNS).empty("no artifact lies here yet");
        table.view(frame, list, theme, &self.scroll, rows.len(), |index| {
            rows.get(index).map(|seen| self.row(*seen, theme)).unwrap_or_default()
        });
        let below = rows_below(inner, usize::from(list.height));
        for (index, text) in note.into_iter().take(usize::from(taken)).enumerate() {
            line(frame, row(below, index), text);
        }
    }

    fn title(&self) -> String {
        format!("Artifacts of {}", self.store)
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
