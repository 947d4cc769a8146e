//! The ladder, filling in from the top as answers arrive.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::base::units;
use crate::base::visible::visible;
use crate::doctor::{CHECKS, Outcome as Ended, Progress, Report};
use crate::model::finding::{Finding, State};
use crate::model::fix::Fix;
use crate::model::store::StoreDraft;
use crate::ops::check::{Besides, RunCheck, Subject};
use crate::ops::failure::Failure;
use crate::ops::fix::{ApplyFix, Mending};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Notice, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, wrap};

use super::explain;
use super::failure_view::{self, settled};
use super::fix::FixScreen;
use super::policy::PolicyScreen;
use super::unlock::when_locked;

/// A diagnosis of a stack, a store or a draft of one. The answer is the draft, where it was mended.
#[derive(Debug)]
pub struct CheckScreen {
    subject: Subject,
    running: Option<&'static str>,
    findings: BTreeMap<&'static str, Finding>,
    report: Option<Report>,
    failure: Option<Failure>,
    /// What has been fixed so far, so that fixes come to an end.
    mending: Mending,
    spinner: Spinner,
    scroll: Scroll,
    /// Whether the user has moved: then the selection no longer follows the running check.
    moved: bool,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Again,
    Cancel,
    Close,
    CopyReport,
    Fix,
    Policy,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Progressed(Progress),
    Ended(Outcome<Result<Report, Failure>>),
    Unlocked,
    FixChosen(Fix),
    Fixed(Fix, Outcome<Result<(), Failure>>),
}

impl CheckScreen {
    /// Diagnoses `subject` as soon as it is opened.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            running: None,
            findings: BTreeMap::new(),
            report: None,
            failure: None,
            mending: Mending::default(),
            spinner: Spinner::default(),
            scroll: Scroll::default(),
            moved: false,
        }
    }

    fn run(&mut self) -> Step<Self> {
        self.findings.clear();
        (self.report, self.failure, self.moved) = (None, None, false);
        self.spinner.start();
        let job = RunCheck { subject: self.subject.clone(), besides: Besides::default() };
        let effect = Effect::latest_stream("check", job, Msg::Progressed, Msg::Ended)
            // it puts an object into the bucket and must be let take it out again
            .leaves_traces()
            .if_gone(|msg| match msg {
                Msg::Ended(Outcome::Done(Ok(report))) if !report.left_behind.is_empty() => {
                    let text = "the check could not remove what it wrote: see the log";
                    Some(Notice::new(Tone::Warning, text))
                }
                _ => None,
            });
        Step::run(effect)
    }

    fn is_running(&self) -> bool {
        self.spinner.is_running()
    }

    fn has_ended(&self) -> bool {
        !self.is_running()
    }

    fn has_report(&self) -> bool {
        self.report.is_some()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Progressed(Progress::Started(id)) => {
                self.running = Some(id);
                self.follow(id);
            }
            Msg::Progressed(Progress::Found(finding)) => {
                self.running = None;
                self.findings.insert(finding.id, finding);
            }
            Msg::Unlocked => return self.run(),
            Msg::FixChosen(fix) => return self.apply(fix),
            Msg::Fixed(fix, outcome) => match settled(outcome) {
                Ok(()) => {
                    self.mending.applied(fix);
                    return self.run().and_toast(Tone::Good, "fixed: the check runs again");
                }
                Err(failure) => {
                    if let Some(step) = when_locked(&failure, || Msg::FixChosen(fix)) {
                        return step;
                    }
                    self.failure = Some(failure);
                }
            },
            Msg::Ended(outcome) => {
                self.running = None;
                self.spinner.stop();
                match settled(outcome) {
                    Ok(report) => {
                        self.show_first_failure(&report);
                        self.report = Some(report);
                    }
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        if let Some(step) = unlock {
                            return step;
                        }
                    }
                }
            }
        }
        Step::none()
    }

    /// The fix that leads on: the selected check's own, else the first.
    fn fix(&self) -> Option<&Fix> {
        let report = self.report.as_ref()?;
        let of_selected = self.selected().and_then(|finding| finding.fix.as_ref());
        of_selected.filter(|fix| self.mending.may(fix)).or_else(|| self.mending.next(report))
    }

    fn has_fix(&self) -> bool {
        self.fix().is_some()
    }

    fn has_store(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.store.is_some())
    }

    /// Draft and form are mended here; what is saved, by a job.
    fn apply(&mut self, fix: Fix) -> Step<Self> {
        if let (Subject::Draft(draft), None) = (&mut self.subject, fix.secret()) {
            **draft = fix.applied_to(draft);
            self.mending.applied(fix);
            return self.run();
        }
        let job = ApplyFix { fix: fix.clone() };
        Step::run(Effect::exclusive("fix", job, move |outcome| Msg::Fixed(fix, outcome)))
    }

    /// Leaves; a form gets its draft back where a fix changed it.
    fn leave(&self) -> Step<Self> {
        match &self.subject {
            Subject::Draft(draft) if self.mending.count() > 0 => Step::answer(draft.clone()),
            _ => Step::close(),
        }
    }

    fn selected(&self) -> Option<&Finding> {
        let check = CHECKS.get(self.scroll.selected())?;
        self.findings.get(check.id)
    }

    fn follow(&mut self, id: &str) {
        if let (false, Some(index)) = (self.moved, position(id)) {
            self.scroll.select(index);
        }
    }

    fn show_first_failure(&mut self, report: &Report) {
        let worst = report
            .findings
            .iter()
            .find(|finding| finding.state == State::Failed)
            .or_else(|| report.findings.iter().find(|finding| finding.state == State::Warned));
        if let Some(finding) = worst {
            self.follow(finding.id);
        }
    }

    fn view_ladder(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("", Constraint::Length(33)),
            Column::new("", Constraint::Length(7)).right(),
            Column::new("", Constraint::Fill(1)),
        ];
        Table::new(COLUMNS).view(frame, area, theme, &self.scroll, CHECKS.len(), |index| {
            let Some(check) = CHECKS.get(index) else { return Row::default() };
            let title = Line::raw(check.title);
            match self.findings.get(check.id) {
                Some(finding) => {
                    let tone = tone(finding.state);
                    let sign = Line::styled(theme.sign(tone), theme.tone(tone));
                    let took = match finding.state {
                        State::Skipped => Line::raw(""),
                        _ => Line::styled(units::span(finding.took), theme.muted()),
                    };
                    let summary = visible(&finding.summary).into_string();
                    Row::new([sign, title, took, Line::raw(summary)])
                }
                None if self.running == Some(check.id) => {
                    let sign = Line::raw(self.spinner.sign(theme));
                    Row::new([sign, title, Line::raw(""), Line::styled("…", theme.muted())])
                }
                None => Row::new([Line::raw(" "), title.style(theme.muted())]),
            }
        });
    }

    /// What the selected check, or the failure to check at all, has to say.
    fn detail(&self, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        if let Some(failure) = &self.failure {
            return failure_view::lines(failure, width, theme);
        }
        self.selected().map(|finding| detail(finding, width, theme)).unwrap_or_default()
    }

    fn headline(&self) -> String {
        let Some(report) = &self.report else {
            return if self.is_running() { "running; esc stops it".into() } else { String::new() };
        };
        let count = |state| report.findings.iter().filter(|f| f.state == state).count();
        let word = match report.outcome {
            Ended::Passed => "ZenML can work with it",
            Ended::Warned => "works, with something to know",
            Ended::Failed => "does not work",
            Ended::Cancelled => "stopped",
        };
        format!(
            "{word}: {} of {} passed, {} warned, {} failed, {}",
            count(State::Passed),
            report.findings.len(),
            count(State::Warned),
            count(State::Failed),
            units::span(report.took),
        )
    }

    fn standing(&self) -> Tone {
        match self.report.as_ref().map(|report| report.outcome) {
            Some(Ended::Passed) => Tone::Good,
            Some(Ended::Warned) => Tone::Warning,
            Some(Ended::Failed) => Tone::Bad,
            Some(Ended::Cancelled) | None => Tone::Neutral,
        }
    }

    fn vantage(&self) -> Option<String> {
        let vantage = self.report.as_ref()?.vantage.as_ref()?;
        Some(format!("seen from {}", vantage.seen_from()))
    }

    /// What a pass from here leaves open: it belongs to the result as a whole, so it stands where
    /// nothing in particular has to be said.
    fn open_questions(&self, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        let vantage = self.report.as_ref().and_then(|report| report.vantage.as_ref());
        let Some(vantage) = vantage else { return Vec::new() };
        let room = width.saturating_sub(12).max(20);
        let mut label = "not shown";
        let mut lines = Vec::new();
        for text in vantage.does_not_prove() {
            for part in wrap(&visible(&text).into_string(), room) {
                lines.push(labelled(label, part, theme));
                label = "";
            }
        }
        lines
    }
}

/// All checks, the headline and the frame.
fn ladder_height() -> u16 {
    cells(CHECKS.len()).saturating_add(3)
}

fn position(id: &str) -> Option<usize> {
    CHECKS.iter().position(|check| check.id == id)
}

fn tone(state: State) -> Tone {
    match state {
        State::Passed => Tone::Good,
        State::Warned => Tone::Warning,
        State::Failed => Tone::Bad,
        State::Skipped => Tone::Neutral,
    }
}

fn labelled(label: &str, text: String, theme: &Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!(" {label:9} "), theme.muted()), Span::raw(text)])
}

/// All that a finding says, its server's own codes included.
fn detail(finding: &Finding, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let room = width.saturating_sub(12).max(20);
    let mut say = |label: &str, text: &str| {
        let mut label = label;
        for part in wrap(&visible(text).into_string(), room) {
            lines.push(labelled(label, part, theme));
            label = "";
        }
    };
    say("", &finding.summary);
    if let Some(because) = &finding.because {
        say("means", because);
    }
    if let Some(next) = &finding.next {
        say("do", next);
    }
    if let Some(fix) = &finding.fix {
        say("f fixes", fix.summary());
    }
    for (number, step) in finding.steps.iter().enumerate() {
        say(if number == 0 { "steps" } else { "" }, &format!("{}. {step}", number + 1));
    }
    if let Some(error) = &finding.error {
        let status = error.status.map(|status| status.to_string());
        let parts = [
            ("", status.as_ref()),
            ("", error.code.as_ref()),
            ("EC ", error.ec.as_ref()),
            ("request ", error.request_id.as_ref()),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter_map(|(label, value)| value.map(|value| format!("{label}{value}")))
            .collect();
        if !said.is_empty() {
            say("server", &said.join("  "));
        }
    }
    for (name, value) in &finding.facts {
        say(name, value);
    }
    lines
}

impl Screen for CheckScreen {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Box<StoreDraft>;

    const NAME: &'static str = "check";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["esc"], Command::Cancel, "stop").when(Self::is_running),
        Bind::new(&["esc", "enter", "q"], Command::Close, "close").when(Self::has_ended),
        Bind::new(&["c", "R", "f5"], Command::Again, "check again").when(Self::has_ended),
        Bind::new(&["f"], Command::Fix, "fix…").when(Self::has_fix),
        Bind::new(&["p"], Command::Policy, "policy…").when(Self::has_store),
        Bind::new(&["y"], Command::CopyReport, "copy report").when(Self::has_report),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.run()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Again) => return self.run(),
            Event::Command(Command::Cancel) => return Step::cancel("check"),
            Event::Command(Command::Close) => {
                return self.leave();
            }
            Event::Command(Command::Fix) => {
                let place = match self.subject {
                    Subject::Draft(_) => "the form",
                    _ => "stacks.toml",
                };
                if let Some(fix) = self.fix() {
                    return Step::ask(FixScreen::new(fix.clone(), place), Msg::FixChosen);
                }
            }
            Event::Command(Command::Policy) => {
                if let Some((store, report)) =
                    self.report.as_ref().and_then(|report| Some((report.store.as_ref()?, report)))
                {
                    return Step::open(PolicyScreen::of_store(store, report.rights()));
                }
            }
            Event::Command(Command::CopyReport) => {
                if let Some(report) = &self.report {
                    return Step::copy_text(&format!("{:#}", report.to_json()));
                }
            }
            Event::Command(Command::Move(to)) => {
                self.moved = true;
                self.scroll.act(to, CHECKS.len());
            }
            Event::Tick(now) => self.spinner.tick(now),
            Event::Msg(msg) => return self.hear(msg),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let width = usize::from(area.width.saturating_sub(2));
        let mut detail = self.detail(width, theme);
        let open = self.open_questions(width, theme);
        // all of the detail where there is room, and never less than half the ladder
        let wanted = cells((detail.len() + open.len()).clamp(3, 10)).saturating_add(2);
        let [top, bottom] =
            Layout::vertical([Constraint::Max(ladder_height()), Constraint::Min(wanted)])
                .areas(area);
        let inner = pane(frame, top, theme, &self.title(), true);
        let tone = self.standing();
        let headline = Line::from(vec![
            Span::styled(format!(" {} ", theme.sign(tone)), theme.tone(tone)),
            Span::styled(self.headline(), theme.title()),
        ]);
        line(frame, row(inner, 0), headline);
        let ladder =
            Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
        self.view_ladder(frame, ladder, theme);
        let vantage = visible(&self.vantage().unwrap_or_default()).into_string();
        let inner = pane(frame, bottom, theme, &vantage, false);
        // what a result leaves open belongs to it: facts give way first
        let room = usize::from(inner.height);
        if room > open.len() + 3 {
            detail.truncate(room - open.len());
        }
        for (index, text) in detail.into_iter().chain(open).enumerate() {
            line(frame, row(inner, index), text);
        }
    }

    fn error_code(&self) -> Option<&str> {
        match &self.failure {
            Some(failure) => explain::code_of_failure(Some(failure)),
            None => explain::code_of(self.selected()?.error.as_ref()?),
        }
    }

    fn title(&self) -> String {
        match &self.subject {
            Subject::Stack(name) => format!("Check of the stack {name}"),
            Subject::Store(name) | Subject::Named(name) => format!("Check of {name}"),
            Subject::Draft(_) => "Check of what is not saved yet".into(),
        }
    }

    fn wants_tick(&self) -> bool {
        self.is_running()
    }
}
