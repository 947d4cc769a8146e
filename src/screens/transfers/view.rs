//! How transfers look: a list, and below it all that is known of the selected one.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::{State, Transfer, Transfers};
use crate::base::units;
use crate::ops::transfer::Ends;
use crate::oss::transfer::{Proof, Transferred};
use crate::screens::failure_view;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{fit_end, line, row, rows_below};

/// Rows of the lower part.
const DETAIL: u16 = 9;

impl Transfers {
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let detail = if self.all.is_empty() { 0 } else { DETAIL.min(area.height / 2) };
        let parts = [Constraint::Fill(1), Constraint::Length(detail)];
        let [list, detail] = Layout::vertical(parts).areas(area);
        self.view_list(frame, list, theme);
        if let Some(transfer) = self.selected() {
            view_detail(frame, detail, theme, transfer);
        }
    }

    fn view_list(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("what", Constraint::Fill(1)),
            Column::new("done", Constraint::Length(5)).right(),
            Column::new("size", Constraint::Length(10)).right(),
            Column::new("rate", Constraint::Length(12)).right(),
            Column::new("state", Constraint::Length(16)),
        ];
        let inner = pane(frame, area, theme, "Transfers", true);
        // what the columns beside it leave, with a blank between any two
        let room = usize::from(inner.width).saturating_sub(2 + 1 + 5 + 10 + 12 + 16 + 5);
        let empty = "nothing yet: d on an object of the browser downloads it";
        let table = Table::new(COLUMNS).empty(empty);
        table.view(frame, inner, theme, &self.scroll, self.all.len(), |index| {
            let Some(transfer) = self.all.get(index) else { return Row::default() };
            let (tone, word) = standing(transfer);
            // of a paused upload the bucket knows, and is asked when it goes on
            let is_told = transfer.progress.done > 0 || !matches!(transfer.state, State::Paused);
            let total = transfer.progress.total.filter(|total| *total > 0 && is_told);
            let percent = total.map(|total| {
                let done = u128::from(transfer.progress.done) * 100 / u128::from(total);
                format!("{done} %")
            });
            let rate = transfer.pace.rate().filter(|_| transfer.is_running());
            Row::new([
                Line::styled(theme.sign(tone), theme.tone(tone)),
                Line::raw(fit_end(&transfer.copy.source(), room, theme)),
                Line::raw(percent.unwrap_or_default()),
                Line::raw(transfer.progress.total.map(units::bytes).unwrap_or_default()),
                Line::raw(rate.map(|rate| format!("{}/s", units::bytes(rate))).unwrap_or_default()),
                Line::styled(word, theme.tone(tone)),
            ])
        });
    }
}

/// How a transfer stands, and the word for it.
fn standing(transfer: &Transfer) -> (Tone, String) {
    match &transfer.state {
        State::Running => match transfer.left() {
            // the bytes are here; the file is being checked and given its name
            Some(Duration::ZERO) if transfer.has_all() => (Tone::Neutral, "finishing".into()),
            Some(left) => (Tone::Neutral, format!("{} left", units::span(left))),
            None => (Tone::Neutral, "running".into()),
        },
        State::Stopping => (Tone::Neutral, "stopping".into()),
        State::Pausing => (Tone::Neutral, "pausing".into()),
        State::Paused => (Tone::Warning, "paused".into()),
        State::Done(_) => (Tone::Good, "done".into()),
        State::Taken(_) => (Tone::Warning, "name is taken".into()),
        State::Stopped => (Tone::Neutral, "stopped".into()),
        State::Failed(_) => (Tone::Bad, "failed".into()),
    }
}

/// What became of an earlier try, where there was one.
fn history(done: &Transferred) -> Option<String> {
    if done.is_anew {
        return Some("what had arrived before was of another content: it began anew".to_owned());
    }
    let reused = (done.reused > 0).then(|| units::bytes(done.reused))?;
    Some(format!("{reused} of it had arrived before"))
}

fn view_detail(frame: &mut Frame<'_>, area: Rect, theme: &Theme, transfer: &Transfer) {
    let verb = match &transfer.copy.ends {
        Ends::Download { .. } => "Download",
        Ends::Upload { .. } => "Upload",
        Ends::Server { .. } => "Copy",
    };
    let inner = pane(frame, area, theme, verb, false);
    let room = usize::from(inner.width).saturating_sub(6);
    let ends = [("from", transfer.copy.source()), ("to", transfer.copy.destination())];
    for (index, (label, text)) in ends.into_iter().enumerate() {
        let label = Span::styled(format!("{label:5} "), theme.muted());
        let text = Span::raw(fit_end(&text, room, theme));
        line(frame, row(inner, index), Line::from(vec![label, text]));
    }
    let rest = rows_below(inner, 2);
    match &transfer.state {
        State::Running | State::Stopping | State::Pausing => {
            let progress = &transfer.progress;
            let done = units::bytes(progress.done);
            let of = progress.total.map(|total| format!(" of {}", units::bytes(total)));
            let rate = transfer.pace.rate().map(|rate| format!(" · {}/s", units::bytes(rate)));
            let label = [Some(done), of, rate].into_iter().flatten().collect::<String>();
            gauge(frame, rest, theme, progress.done, progress.total, &label);
        }
        State::Done(done) => {
            let proof = match done.proof {
                Proof::Crc64 => "its checksum (CRC-64) is the one OSS keeps",
                Proof::Md5 => "its checksum (MD5) is the one the ETag names",
                Proof::Length => "its length is right; the server gave no checksum to compare",
            };
            let text = format!("{} {}: {proof}", theme.sign(Tone::Good), units::bytes(done.bytes));
            line(frame, rest, Line::styled(text, theme.ok()));
            if let Some(text) = history(done) {
                line(frame, row(inner, 3), Line::raw(text));
            }
        }
        State::Paused => {
            let done = match transfer.progress.done {
                0 => "what has arrived is kept".to_owned(),
                done => format!("{} have arrived and are kept", units::bytes(done)),
            };
            let text = format!("{done}: r goes on, x drops it");
            line(frame, rest, Line::raw(text));
        }
        State::Stopped => {
            let text = "stopped; nothing was left behind: r begins anew";
            line(frame, rest, Line::raw(text));
        }
        State::Taken(failure) | State::Failed(failure) => {
            failure_view::view(frame, rest, theme, failure);
        }
    }
}
