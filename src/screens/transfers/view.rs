//! How transfers look: a list, and below it all that is known of the selected one.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::Transfers;
use super::many::{self, Batch};
use super::transfer::{State, Transfer, Work};
use crate::base::units;
use crate::ops::transfer::{Ends, Sum};
use crate::oss::transfer::{Proof, Transferred};
use crate::screens::failure_view::{self, marked};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{fit_end, line, lines, row, rows_below};

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
                Line::raw(fit_end(&transfer.work.source(), room, theme)),
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
        State::Summed(sum) => (many::tone(sum), many::word(sum)),
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
    let verb = match &transfer.work {
        Work::One(copy) => match &copy.ends {
            Ends::Download { .. } => "Download",
            Ends::Upload { .. } => "Upload",
            Ends::Server { .. } => "Copy",
        },
        Work::Many(batch) => batch.verb(),
    };
    let inner = pane(frame, area, theme, verb, false);
    let room = usize::from(inner.width).saturating_sub(6);
    let ends = [("from", transfer.work.source()), ("to", transfer.work.destination())];
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
            let of = of.unwrap_or_default();
            let mut label = format!("{done}{of}{}", rate.unwrap_or_default());
            if let Work::Many(batch) = &transfer.work {
                let (ended, all) = (batch.stage.ended as u64, batch.stage.of as u64);
                label = format!("{} of {} · {label}", units::count(ended), units::count(all));
            }
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
        State::Summed(sum) => {
            if let Work::Many(batch) = &transfer.work {
                lines(frame, rest, summed(batch, sum, usize::from(inner.width), theme), theme);
            }
        }
        State::Paused => {
            let text = match (&transfer.work, transfer.progress.done) {
                (Work::Many(batch), _) => paused(batch),
                (_, 0) => "what has arrived is kept: r goes on, x drops it".to_owned(),
                (_, done) => {
                    let done = units::bytes(done);
                    format!("{done} have arrived and are kept: r goes on, x drops it")
                }
            };
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

/// How far several are that are paused.
fn paused(batch: &Batch) -> String {
    let Some(sum) = &batch.paused else {
        return "nothing is copied yet: r goes on, x ends it".to_owned();
    };
    let (there, left) = (units::counted(sum.copied, "object"), sum.failed.len() as u64);
    format!("{there} {}, {} to go: r goes on, x ends it", batch.done(), units::count(left))
}

/// What became of each of several, and what can be done about those that are not there.
fn summed(batch: &Batch, sum: &Sum, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut said = Vec::new();
    let mut say = |tone: Tone, text: &str| {
        said.extend(marked(theme.sign(tone), theme.tone(tone), text, room));
    };
    let objects = units::counted(sum.copied, "object");
    let proof = match sum.unverified {
        0 => "each held against its original by checksum".to_owned(),
        some => format!("{} of them without a checksum to compare", units::count(some)),
    };
    if sum.copied > 0 {
        let text = format!("{objects}, {}, {}: {proof}", units::bytes(sum.bytes), batch.done());
        say(Tone::Good, &text);
    }
    let more = |count: usize| match count {
        0 | 1 => String::new(),
        more => format!(" (and {} more)", units::count(more as u64 - 1)),
    };
    if sum.was_stopped() {
        let left = units::counted(sum.failed.len() as u64, "other");
        say(Tone::Neutral, &format!("stopped; r goes on with {left}"));
    } else if let Some((copy, failure)) = sum.failed.first() {
        let more = more(sum.failed.len());
        say(Tone::Bad, &format!("{}{more}: {failure}; r tries again", copy.source()));
    }
    if let Some(copy) = sum.taken.first() {
        let more = more(sum.taken.len());
        let text = format!("{} is there already{more}: enter asks", copy.destination());
        say(Tone::Warning, &text);
    }
    if let Some((_, failure)) = sum.stayed.first() {
        say(Tone::Warning, &format!("{}{}", failure, more(sum.stayed.len())));
    }
    if let Some(skipped) = sum.skipped.first() {
        let more = more(sum.skipped.len());
        say(Tone::Warning, &format!("skipped {}{more}: {}", skipped.source, skipped.reason));
    }
    if said.is_empty() {
        said.push(Line::raw("there was nothing to copy"));
    }
    said
}
