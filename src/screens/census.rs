//! What a store holds that no artifact version names, and which versions have no data.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::artifacts::Which;
use crate::ops::artifacts::census::{Counted, TakeCensus};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::Place;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, lines, rows_below, wrap};
use crate::zenml::artifacts::ArtifactVersion;
use crate::zenml::artifacts::census::{Orphan, Summary};

use super::artifact::ArtifactView;
use super::explain;
use super::failure_view::{self, marked, settled};
use super::objects::Objects;
use super::unlock::when_locked;

/// The count of one store.
#[derive(Debug)]
pub struct CensusView {
    connection: Option<String>,
    store: String,
    orphans: Vec<Orphan>,
    counted: Option<Counted>,
    failure: Option<Failure>,
    scroll: Scroll,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Stop,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Found(Orphan),
    Ended(Outcome<Result<Counted, Failure>>),
    Unlocked,
}

impl CensusView {
    /// Counts `store` against the server of `connection`.
    pub fn of(connection: Option<String>, store: String) -> Self {
        Self {
            connection,
            store,
            orphans: Vec::new(),
            counted: None,
            failure: None,
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    fn count(&mut self) -> Step<Self> {
        self.orphans.clear();
        (self.counted, self.failure) = (None, None);
        self.scroll.select(0);
        self.spinner.start();
        let (connection, store) = (self.connection.clone(), self.store.clone());
        let job = TakeCensus { connection, store };
        Step::run(Effect::latest_stream("census", job, Msg::Found, Msg::Ended))
    }

    fn missing(&self) -> &[ArtifactVersion] {
        self.counted.as_ref().map(|counted| counted.missing.as_slice()).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.missing().len() + self.orphans.len()
    }

    fn has_selection(&self) -> bool {
        self.scroll.selected() < self.len()
    }

    fn is_counting(&self) -> bool {
        self.spinner.is_running()
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => {
                let at = self.scroll.selected();
                if let Some(version) = self.missing().get(at) {
                    let which = Which::Id(version.id.clone());
                    return Step::open(ArtifactView::new(self.connection.clone(), which));
                }
                match self.orphans.get(at - self.missing().len().min(at)) {
                    Some(orphan) => {
                        let place = Place::of(self.store.clone());
                        Step::open(Objects::at(place, format!("{}/", orphan.key)))
                    }
                    None => Step::none(),
                }
            }
            Command::Stop => Step::cancel("census"),
            Command::Reload => self.count(),
            Command::Move(to) => {
                let len = self.len();
                self.scroll.act(to, len);
                Step::none()
            }
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Found(orphan) => self.orphans.push(orphan),
            Msg::Ended(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(counted) => self.counted = Some(counted),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Unlocked => return self.count(),
        }
        Step::none()
    }

    fn row(&self, at: usize, theme: &Theme) -> Row<'static> {
        if let Some(version) = self.missing().get(at) {
            return Row::new([
                Line::styled("missing", theme.tone(Tone::Bad)),
                Line::raw(visible(&version.label()).into_string()),
                Line::styled(visible(&version.uri).into_string(), theme.muted()),
                Line::raw(""),
            ]);
        }
        let Some(orphan) = self.orphans.get(at - self.missing().len().min(at)) else {
            return Row::default();
        };
        Row::new([
            Line::styled("orphan", theme.warn()),
            Line::raw(units::counted(orphan.tally.objects, "object")),
            Line::styled(visible(&orphan.key).into_string(), theme.muted()),
            Line::raw(units::bytes(orphan.tally.bytes)),
        ])
    }

    /// What the count came to, in lines below the rows.
    fn sums(&self, counted: &Counted, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let Summary { artifacts, young, logs, code, other, .. } = counted.summary;
        let versions = units::counted(counted.versions, "artifact version");
        let mut parts = vec![format!("{versions} with {}", units::bytes(artifacts.bytes))];
        for (what, tally) in
            [("too young to tell", young), ("logs", logs), ("code", code), ("not ZenML's", other)]
        {
            if tally.objects > 0 {
                parts.push(format!("{what} {}", units::bytes(tally.bytes)));
            }
        }
        let dot = format!(" {} ", theme.dot());
        let mut lines = vec![Line::styled(parts.join(&dot), theme.muted())];
        if !self.orphans.is_empty() {
            let said = format!(
                "osstack artifact prune --store {} --orphans deletes the orphans; another ZenML \
                 that writes here has its data among them",
                self.store
            );
            let said = wrap(&said, room).into_iter();
            lines.extend(said.map(|text| Line::styled(text, theme.muted())));
        }
        lines
    }
}

impl Screen for CensusView {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "census";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["esc"], Command::Stop, "stop").when(Self::is_counting),
        Bind::new(&["enter", "l", "right"], Command::Open, "open").when(Self::has_selection),
        Bind::new(&["R", "f5"], Command::Reload, "count again"),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.count()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Mouse(mouse) => {
                let len = self.len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(7)),
            Column::new("", Constraint::Length(18)),
            Column::new("", Constraint::Fill(1)),
            Column::new("", Constraint::Length(10)).right(),
        ];
        let sign = self.spinner.sign(theme);
        let gap = if sign.is_empty() { "" } else { " " };
        let bytes: u64 = self.orphans.iter().map(|orphan| orphan.tally.bytes).sum();
        let orphans = units::counted(self.orphans.len() as u64, "orphan");
        let so_far = if self.is_counting() { " so far" } else { "" };
        let mut count = format!("{sign}{gap}{orphans}, {}{so_far}", units::bytes(bytes));
        if let Some(counted) = &self.counted {
            count = format!("{} missing · {count}", counted.missing.len());
        }
        let title = format!("{}  orphans, missing", self.store);
        let inner = counted_pane(frame, area, theme, (&title, &count), true);
        let room = usize::from(inner.width);
        let mut below = match (&self.failure, &self.counted) {
            (Some(failure), _) if failure.kind == FailureKind::Cancelled => {
                marked(theme.sign(Tone::Warning), theme.warn(), "stopped: R counts again", room)
            }
            (Some(failure), _) => failure_view::lines(failure, room, theme),
            (None, Some(counted)) => self.sums(counted, room, theme),
            (None, None) => Vec::new(),
        };
        below.truncate(usize::from(inner.height / 2));
        let list = Rect { height: inner.height - cells(below.len()), ..inner };
        let empty = match &self.counted {
            Some(_) => "all data is an artifact's, and every artifact has its data",
            None => "",
        };
        let table = Table::new(COLUMNS).empty(empty);
        table.view(frame, list, theme, &self.scroll, self.len(), |index| self.row(index, theme));
        lines(frame, rows_below(inner, usize::from(list.height)), below, theme);
    }

    fn title(&self) -> String {
        format!("Orphans and missing data of {}", self.store)
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
