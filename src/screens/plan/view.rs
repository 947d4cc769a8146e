//! The lines of a plan.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Face, PlanScreen, Stage};
use crate::base::units;
use crate::base::visible::{visible, visible_text};
use crate::ops::commit::Undone;
use crate::ops::commit_record::Progress;
use crate::ops::plan::{Aim, LivePlan, StackPlan};
use crate::screens::failure_view::{self, marked};
use crate::tui::theme::{self, Theme, Tone};
use crate::zenml::changes::{Action, Change, FieldChange};

impl PlanScreen {
    /// All lines, each at most `room` cells where it can be broken.
    pub(super) fn rows(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        if let Some(failure) = &self.failure {
            return failure_view::lines(failure, room, theme);
        }
        let Some(planned) = &self.planned else {
            return vec![Line::styled(" Reading …", theme.muted())];
        };
        if self.face == Face::Script {
            return script_lines(&planned.script);
        }
        let mut lines = self.stage(room, theme);
        if let Some(warning) = &planned.check.warning {
            lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), warning, room));
            lines.push(Line::raw(""));
        }
        match &planned.live {
            Some(live) => self.live_lines(live, room, theme, &mut lines),
            None => offline_lines(planned, room, theme, &mut lines),
        }
        lines
    }

    /// What became of the commit.
    fn stage(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = match &self.commit {
            Stage::Planned => return Vec::new(),
            Stage::Running => vec![Line::styled(" Working …", theme.title())],
            Stage::Made(Some(id)) => {
                let said = format!(
                    "Committed. To run pipelines on it: zenml stack set {}, or \
                     export ZENML_ACTIVE_STACK_ID={}",
                    self.stack,
                    visible(id)
                );
                marked(theme.sign(Tone::Good), theme.ok(), &said, room)
            }
            Stage::Made(None) => {
                let said = match self.aim {
                    Aim::Present => "Committed.",
                    Aim::Absent => "It is out of ZenML; the catalog still has it.",
                };
                marked(theme.sign(Tone::Good), theme.ok(), said, room)
            }
            Stage::Stopped(failure) => failure_view::lines(failure, room, theme),
            Stage::Undone(undone) => undone_lines(undone, room, theme),
        };
        lines.push(Line::raw(""));
        lines
    }

    fn live_lines(
        &self,
        live: &LivePlan,
        room: usize,
        theme: &Theme,
        lines: &mut Vec<Line<'static>>,
    ) {
        let LivePlan { connection, server, changes, unfinished, ends_soon, now } = live;
        let sent = match self.commit {
            Stage::Planned => " Nothing has been sent.",
            _ => "",
        };
        lines.push(Line::styled(
            format!(" In {connection} ({}).{sent}", server.title()),
            theme.muted(),
        ));
        if let Some(commit) = unfinished {
            let age = (*now - commit.began).try_into().unwrap_or_default();
            let said = format!(
                "A commit begun {} stopped in the middle ({}): commit again to go on, or take it \
                 back.",
                units::ago(age),
                commit.words()
            );
            lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), &said, room));
        }
        if let Some(why) = ends_soon {
            let why = visible(why).into_string();
            lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), &why, room));
        }
        for (index, change) in changes.changes.iter().enumerate() {
            lines.push(Line::raw(""));
            lines.push(self.headline(index, change, theme));
            lines.extend(change.changed_fields().flat_map(|field| field_lines(field, room, theme)));
            if self.face == Face::Calls {
                lines.extend(call_lines(change, room, theme));
            }
        }
        if changes.is_noop() && matches!(self.commit, Stage::Planned) {
            lines.push(Line::raw(""));
            let said = "Nothing to do: ZenML has just that.";
            lines.extend(marked(theme.sign(Tone::Good), theme.ok(), said, room));
        }
        for blocker in &changes.blockers {
            lines.push(Line::raw(""));
            lines.extend(marked(
                theme.sign(Tone::Bad),
                theme.bad(),
                &visible(blocker).into_string(),
                room,
            ));
        }
        note_lines(&changes.notes, room, theme, lines);
    }

    fn headline(&self, index: usize, change: &Change, theme: &Theme) -> Line<'static> {
        let (sign, style) = match change.action {
            Action::Create => theme.change(theme::Change::Add),
            Action::Update { .. } => theme.change(theme::Change::Alter),
            Action::Delete { .. } => theme.change(theme::Change::Remove),
            Action::Keep { .. } => ("=", theme.muted()),
        };
        let mut spans = vec![
            Span::styled(format!(" {sign} "), style),
            Span::styled(
                format!("{} {}", change.step.subject(), change.title()),
                if change.is_needed() { theme.title() } else { theme.muted() },
            ),
        ];
        if change.is_foreign && change.is_needed() {
            spans.push(Span::styled("  not made by osstack", theme.warn()));
        }
        let said = match self.progress.get(&index) {
            None | Some(Progress::Undone) => None,
            Some(Progress::Sent) => Some((" …", theme.muted())),
            Some(Progress::Done) => Some(("  done", theme.ok())),
            Some(Progress::Planned) => Some(("  failed", theme.bad())),
        };
        spans.extend(said.map(|(said, style)| Span::styled(said, style)));
        Line::from(spans)
    }
}

/// Cells of a field's name.
const NAME: usize = 31;

fn field_lines(field: &FieldChange, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let name = Span::styled(format!("     {:NAME$} ", visible(&field.name)), theme.muted());
    let arrow = if theme.ascii { "->" } else { "→" };
    let shown = |value: &str| visible(value).into_string();
    let (from, to) = (field.from.as_deref().map(shown), field.to.as_deref().map(shown));
    match (from, to) {
        (None, to) => vec![Line::from(vec![name, Span::raw(to.unwrap_or_default())])],
        (Some(from), to) => {
            let to = to.unwrap_or_else(|| "(none)".to_owned());
            // two long values stand under each other
            if NAME + 9 + from.chars().count() + to.chars().count() > room {
                let indent = " ".repeat(NAME + 3);
                return vec![
                    Line::from(vec![name, Span::styled(from, theme.muted())]),
                    Line::from(vec![Span::raw(indent), Span::raw(format!("{arrow} {to}"))]),
                ];
            }
            let from = Span::styled(format!("{from} "), theme.muted());
            vec![Line::from(vec![name, from, Span::raw(format!("{arrow} {to}"))])]
        }
    }
}

fn call_lines(change: &Change, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let indented = |text: &str, style: Style| {
        marked("    ", style, text, room).into_iter().map(move |line| line.style(style))
    };
    let mut lines = Vec::new();
    if let Some(call) = change.call() {
        lines.extend(indented(visible(&call.to_string()).as_str(), theme.key()));
    }
    for command in change.commands() {
        lines.extend(indented(visible(&command.on_one_line()).as_str(), theme.muted()));
    }
    lines
}

fn undone_lines(undone: &Undone, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (remove, style) = theme.change(theme::Change::Remove);
    let mut lines = Vec::new();
    for what in &undone.deleted {
        let said = format!("{}: deleted", visible(what));
        lines.extend(marked(remove, style, &said, room));
    }
    for what in &undone.restored {
        let said = format!("{}: as it was", visible(what));
        lines.extend(marked(theme.sign(Tone::Good), theme.ok(), &said, room));
    }
    for what in &undone.left {
        let said = visible(what).into_string();
        lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), &said, room));
    }
    lines
}

fn offline_lines(planned: &StackPlan, room: usize, theme: &Theme, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::styled(
        " What ZenML would be told, in this order. Nothing has been sent.",
        theme.muted(),
    ));
    let (sign, style) = theme.change(theme::Change::Add);
    for step in &planned.plan.steps {
        lines.push(Line::raw(""));
        lines.push(Line::from(vec![
            Span::styled(format!(" {sign} "), style),
            Span::styled(format!("{} {}", step.subject(), step.name()), theme.title()),
        ]));
        for (name, value) in step.fields() {
            lines.push(Line::from(vec![
                Span::styled(format!("     {:22} ", visible(&name)), theme.muted()),
                Span::raw(visible(&value).into_string()),
            ]));
        }
    }
    note_lines(&planned.plan.notes, room, theme, lines);
}

fn note_lines(notes: &[String], room: usize, theme: &Theme, lines: &mut Vec<Line<'static>>) {
    let sign = format!(" {}", theme.sign(Tone::Warning));
    for note in notes {
        lines.push(Line::raw(""));
        let note = visible(note).into_string();
        lines.extend(marked(&sign, theme.warn(), &note, room.saturating_sub(1)));
    }
}

fn script_lines(script: &str) -> Vec<Line<'static>> {
    let shown = visible_text(script).into_string();
    shown.lines().map(|line| Line::raw(format!(" {line}"))).collect()
}
