//! How a listing looks: where one is, how much of it came, the rows, the preview.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Objects, Progress};
use crate::base::units;
use crate::base::visible::visible;
use crate::oss::listing::inventory::{Row, Sort, Sorting};
use crate::screens::failure_view;
use crate::screens::viewer::content::name_spans;
use crate::tui::theme::Theme;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{self, Column, Table};
use crate::tui::widget::text::{cells, line, lines, row, rows_below};

/// From this width on the preview stands beside the list, below it else.
const BESIDE: u16 = 100;
/// From this height on there is room for it below.
const BELOW: u16 = 14;
/// Narrower than this a list says no class, and narrower than that no date.
const CLASSES: u16 = 68;
const DATES: u16 = 46;

impl Objects {
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        if self.pane.is_none() {
            return self.draw_list(frame, area, theme);
        }
        let halves = [Constraint::Percentage(55), Constraint::Fill(1)];
        let [list, preview] = if area.width >= BESIDE {
            Layout::horizontal(halves).areas(area)
        } else if area.height >= BELOW {
            Layout::vertical([Constraint::Percentage(50), Constraint::Fill(1)]).areas(area)
        } else {
            [Rect { height: 0, ..area }, area]
        };
        self.draw_list(frame, list, theme);
        self.draw_preview(frame, preview, theme);
    }

    /// `store  s3://bucket/prefix/`; with `**` where all keys below are listed.
    fn path(&self) -> String {
        let bucket = self.bucket().map(|bucket| format!("s3://{bucket}/")).unwrap_or_default();
        let below = if self.is_flat { "**" } else { "" };
        format!("{}  {bucket}{}{below}", self.place.store, visible(&self.prefix))
    }

    /// How much there is, and whether that is all of it.
    fn count(&self) -> String {
        let number = |count: usize| units::count(count as u64);
        let (total, shown) = (number(self.rows.total()), number(self.rows.len()));
        let of = match (self.filter.is_active(), self.rows.is_searching()) {
            (false, _) => String::new(),
            (true, false) => format!("{shown} of "),
            (true, true) => format!("{shown} found so far of "),
        };
        let count = match &self.progress {
            Progress::Whole => format!("{of}{}", self.whole()),
            _ if self.rows.total() == 0 => String::new(),
            Progress::Listing => format!("{of}{total} so far"),
            Progress::Stopped => format!("{of}{total}, stopped there"),
            Progress::Broken(_) => format!("{of}{total}, broken off there"),
        };
        let Sorting { by, reversed } = self.rows.sorting();
        match (by, reversed) {
            _ if self.rows.is_ranked() && !count.is_empty() => {
                format!("best match first · {count}")
            }
            (Sort::Name, false) => count,
            (sort, reversed) if !count.is_empty() => format!("{} · {count}", sort.words(reversed)),
            _ => count,
        }
    }

    /// `5 prefixes, 12,408 objects · 3.1 GiB`.
    fn whole(&self) -> String {
        let objects = self.rows.objects();
        let prefixes = (self.rows.total() as u64).saturating_sub(objects);
        said(prefixes, objects, self.rows.bytes())
    }

    /// What stands below the rows: how far a deletion is, how much is marked.
    fn foot(&self, theme: &Theme) -> Vec<Line<'static>> {
        if let Some(deletion) = &self.deletion {
            let gone = units::counted(deletion.gone, "object");
            return vec![Line::styled(format!("deleting: {gone} gone so far"), theme.warn())];
        }
        if self.marks.is_empty() {
            return Vec::new();
        }
        let (prefixes, objects, bytes) = self.marks.sums();
        let text = format!("{} marked: {}", theme.picked(), said(prefixes, objects, bytes));
        vec![Line::styled(text, theme.title())]
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let sign = self.spinner.sign(theme);
        let gap = if sign.is_empty() { "" } else { " " };
        let count = format!("{sign}{gap}{}", self.count());
        let inner = counted_pane(frame, area, theme, (&self.path(), &count), true);
        let mut below = Vec::new();
        if let Progress::Broken(failure) = &self.progress {
            below = failure_view::lines(failure, usize::from(inner.width), theme);
            if self.rows.total() > 0 {
                // what came stays in sight
                below.truncate(usize::from(inner.height / 2));
            }
        }
        let foot = self.foot(theme);
        let filter = usize::from(self.is_narrowed());
        let taken = cells(below.len() + foot.len() + filter).min(inner.height);
        let list = Rect { height: inner.height - taken, ..inner };
        // a failure stands alone where nothing came: no header of an empty list
        if self.rows.total() > 0 || below.is_empty() {
            self.draw_rows(frame, list, theme);
        }
        let below_at = if self.rows.total() > 0 { usize::from(list.height) } else { 0 };
        let foot_at = usize::from(list.height) + below.len();
        let filter_at = foot_at + foot.len();
        lines(frame, rows_below(inner, below_at), below, theme);
        lines(frame, rows_below(inner, foot_at), foot, theme);
        self.filter.view(frame, row(inner, filter_at), theme);
    }

    fn draw_rows(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let columns = [Sort::Name, Sort::Size, Sort::Time, Sort::Class];
        let titles = columns.map(|sort| self.column_title(sort, theme));
        let [name, size, time, class] = titles.each_ref().map(String::as_str);
        let all = [
            Column::new(name, Constraint::Fill(1)),
            Column::new(size, Constraint::Length(10)).right(),
            Column::new(time, Constraint::Length(16)),
            Column::new(class, Constraint::Length(8)),
        ];
        let columns = match area.width {
            CLASSES.. => all.as_slice(),
            DATES.. => all.get(..3).unwrap_or_default(),
            _ => all.get(..2).unwrap_or_default(),
        };
        let empty = match (&self.progress, self.filter.is_active()) {
            (Progress::Whole | Progress::Stopped, true) => "nothing matches the filter",
            (Progress::Whole, false) => "nothing lies here: OSS lists no key with this prefix",
            (Progress::Stopped, false) => "stopped before anything came: R lists anew",
            (Progress::Listing | Progress::Broken(_), _) => "",
        };
        let table = Table::new(columns).empty(empty);
        table.view(frame, area, theme, &self.scroll, self.rows.len(), |index| {
            let picked = self.rows.id(index).is_some_and(|id| self.marks.has(id));
            let row = self.rows.get(index);
            let row = row.map(|row| listed(row, &self.rows.places(row.name), theme));
            row.unwrap_or_default().picked(picked)
        });
    }

    fn column_title(&self, sort: Sort, theme: &Theme) -> String {
        let Sorting { by, reversed } = self.rows.sorting();
        let title = match sort {
            Sort::Name => "name",
            Sort::Size => "size",
            Sort::Time => "modified (UTC)",
            Sort::Class => "class",
        };
        if by != sort || self.rows.is_ranked() {
            return title.to_owned();
        }
        // up is small, early and A at the top
        let down = matches!(sort, Sort::Name | Sort::Class) == reversed;
        let sign = match (down, theme.ascii) {
            (true, false) => "▼",
            (true, true) => "v",
            (false, false) => "▲",
            (false, true) => "^",
        };
        format!("{title} {sign}")
    }

    fn draw_preview(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let selected = self.selected();
        let name = selected.map(|row| visible(row.name).into_string()).unwrap_or_default();
        let heading = match self.reading() {
            Some(Ok(reading)) => reading.heading(),
            _ => String::new(),
        };
        let inner = counted_pane(frame, area, theme, (&name, &heading), false);
        match (self.reading(), selected) {
            (Some(Ok(reading)), _) => reading.view(frame, inner, theme),
            (Some(Err(failure)), _) => failure_view::view(frame, inner, theme, failure),
            (None, Some(row)) if row.object.is_none() => {
                line(frame, inner, Line::styled("a prefix: enter opens it", theme.muted()));
            }
            (None, Some(_)) => line(frame, inner, Line::styled("reading", theme.muted())),
            (None, None) => {}
        }
    }
}

/// `5 prefixes, 12,408 objects · 3.1 GiB`.
fn said(prefixes: u64, objects: u64, bytes: u64) -> String {
    let prefixes_said = match prefixes {
        1 => "1 prefix".to_owned(),
        _ => format!("{} prefixes", units::count(prefixes)),
    };
    let objects_said = format!("{} · {}", units::counted(objects, "object"), units::bytes(bytes));
    match (prefixes, objects) {
        (0, 0) => "empty".to_owned(),
        (0, _) => objects_said,
        (_, 0) => prefixes_said,
        _ => format!("{prefixes_said}, {objects_said}"),
    }
}

/// A name with what the filter found in it.
fn name_with(found: &[Range<usize>], name: &str, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut at = 0;
    for place in found {
        let pieces = [(at..place.start, Style::new()), (place.clone(), theme.found())].into_iter();
        for (piece, style) in pieces {
            spans.extend(name_spans(name.get(piece).unwrap_or_default(), style, theme));
        }
        at = place.end;
    }
    spans.extend(name_spans(name.get(at..).unwrap_or_default(), Style::new(), theme));
    let line = Line::from(spans);
    // in pieces some names would look otherwise: an accent apart from its letter
    let is_whole = found.is_empty() || line.to_string() == visible(name).as_str();
    if is_whole { line } else { Line::from(name_spans(name, Style::new(), theme)) }
}

/// The cells of a row; a prefix has neither size nor date of its own on OSS.
fn listed(row: Row<'_>, found: &[Range<usize>], theme: &Theme) -> table::Row<'static> {
    let name = name_with(found, row.name, theme);
    match row.object {
        None => {
            let dash = || Line::raw("-");
            table::Row::new([name.style(theme.title()), dash(), dash(), dash()])
        }
        Some(facts) => table::Row::new([
            name,
            Line::raw(units::bytes(facts.size)),
            Line::raw(moment(facts.modified)),
            Line::raw(facts.class.as_str()),
        ]),
    }
}

/// `2026-03-15 10:20`.
fn moment(unix: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    let time = OffsetDateTime::from_unix_timestamp(unix).ok();
    time.and_then(|time| time.format(format).ok()).unwrap_or_default()
}
