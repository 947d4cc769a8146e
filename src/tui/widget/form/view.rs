//! How a form is drawn, and which field is where.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Form;
use super::field::{Content, Field};
use crate::base::visible::visible;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{cells, fit_line, line, row, width, wrap};

/// The widest that labels may make their column.
const LABEL: usize = 26;
/// Cells for the mark before a label.
const MARK: usize = 2;

/// What one row of a form shows.
enum Shows {
    Field,
    /// An error or a remark; its sign stands before the first of its lines.
    Said {
        tone: Tone,
        text: String,
        first: bool,
    },
    Help(String),
}

impl<K: Copy + PartialEq> Form<K> {
    /// Draws the fields, scrolled so that the focused one is in sight.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let labels = self.label_width();
        let rows = self.layout(usize::from(area.width).saturating_sub(labels));
        let of_focus = |(index, _): &(usize, Shows)| *index == self.focus;
        let begin = rows.iter().position(of_focus).unwrap_or(0);
        let end = rows.iter().rposition(of_focus).unwrap_or(0);
        // First the end, then the beginning: where both do not fit, the field itself wins.
        self.scroll.first_with(area, rows.len(), end);
        let first = self.scroll.first_with(area, rows.len(), begin);
        for (at, (index, shows)) in rows.into_iter().enumerate().skip(first) {
            let place = row(area, at - first);
            let Some(field) = self.fields.get(index).filter(|_| !place.is_empty()) else { return };
            let indent = cells(labels).min(place.width);
            let right =
                Rect { x: place.x.saturating_add(indent), width: place.width - indent, ..place };
            match shows {
                Shows::Field => {
                    let focused = index == self.focus;
                    draw_label(frame, place, theme, field, focused, labels);
                    draw_content(frame, right, theme, field, focused);
                }
                Shows::Said { tone, text, first } => {
                    let sign = if first { theme.sign(tone) } else { " " };
                    line(frame, right, Line::styled(format!("{sign} {text}"), theme.tone(tone)));
                }
                Shows::Help(text) => line(frame, right, Line::styled(text, theme.muted())),
            }
        }
    }

    /// Rows that all of it takes in an area of `width` cells.
    pub fn height(&self, width: u16) -> usize {
        self.layout(usize::from(width).saturating_sub(self.label_width())).len()
    }

    /// The field under a click.
    pub(super) fn field_at(&self, at: Position) -> Option<usize> {
        let rows = self.layout(usize::MAX);
        let index = self.scroll.row_at(at, rows.len())?;
        rows.get(index).map(|(field, _)| *field)
    }

    fn label_width(&self) -> usize {
        let widest = self.fields.iter().filter(|field| field.name.is_some());
        widest.map(|field| width(&field.label) + 3).max().unwrap_or(0).min(LABEL) + MARK
    }

    /// The rows from top to bottom, each with the index of its field.
    fn layout(&self, room: usize) -> Vec<(usize, Shows)> {
        let mut rows = Vec::new();
        for index in self.reachable() {
            let Some(field) = self.fields.get(index) else { continue };
            rows.push((index, Shows::Field));
            let remark = field.remark.as_deref().map(|text| (Tone::Warning, text));
            let said = field.error.as_deref().map(|text| (Tone::Bad, text)).or(remark);
            if let Some((tone, text)) = said.filter(|(_, text)| !text.is_empty()) {
                let lines = wrap(text, room.saturating_sub(2)).into_iter().enumerate();
                rows.extend(
                    lines.map(|(at, text)| (index, Shows::Said { tone, text, first: at == 0 })),
                );
            }
            if index == self.focus {
                let below = self.notice.as_deref().unwrap_or(&field.help);
                if !below.is_empty() {
                    let lines = wrap(below, room);
                    rows.extend(lines.into_iter().map(|line| (index, Shows::Help(line))));
                }
            }
        }
        rows
    }
}

fn draw_label<K>(
    frame: &mut Frame<'_>,
    place: Rect,
    theme: &Theme,
    field: &Field<K>,
    focused: bool,
    room: usize,
) {
    let mark = if focused { theme.mark() } else { " " };
    let style = if focused { theme.selected_elsewhere() } else { Style::new() };
    let mut spans = vec![Span::styled(format!("{mark} "), theme.key())];
    let room = if let Content::Section { open } = field.content {
        let sign = match (open, theme.ascii) {
            (true, false) => "▾",
            (false, false) => "▸",
            (true, true) => "-",
            (false, true) => "+",
        };
        spans = vec![Span::styled(format!("{sign} "), theme.key())];
        let style = if focused { theme.selected() } else { theme.title() };
        spans.push(Span::styled(field.label.clone(), style));
        usize::from(place.width)
    } else {
        let required = if field.required { " *" } else { "" };
        spans.push(Span::styled(format!("{}{required}", field.label), style));
        room.saturating_sub(1)
    };
    line(frame, place, fit_line(Line::from(spans), room.min(usize::from(place.width)), theme));
    if focused && !place.is_empty() {
        // Text fields put the cursor into the text afterwards.
        frame.set_cursor_position(Position::new(place.x, place.y));
    }
}

fn draw_content<K>(
    frame: &mut Frame<'_>,
    place: Rect,
    theme: &Theme,
    field: &Field<K>,
    focused: bool,
) {
    let style = if focused { theme.selected() } else { Style::new() };
    let spans = match &field.content {
        Content::Text(input) | Content::Secret { input, .. } => {
            let hidden = matches!(field.content, Content::Secret { .. }) && !field.is_shown();
            let base = Style::new().add_modifier(ratatui::style::Modifier::UNDERLINED);
            if focused {
                frame.buffer_mut().set_style(place, base);
            }
            input.view(
                frame,
                place,
                theme,
                if focused { base } else { Style::new() },
                focused,
                hidden,
            );
            return;
        }
        Content::Choice { options, chosen } => {
            let (open, close) = if theme.ascii { ("<", ">") } else { ("◂", "▸") };
            let option = options.get(*chosen).map_or("-", String::as_str);
            let of = format!("  {} of {}", chosen + 1, options.len());
            vec![
                Span::styled(format!("{open} {} {close}", visible(option)), style),
                Span::styled(if focused { of } else { String::new() }, theme.muted()),
            ]
        }
        Content::Toggle(on) => {
            vec![Span::styled(if *on { "[x] yes" } else { "[ ] no" }, style)]
        }
        Content::Pick { value: Some(value), .. } => {
            vec![Span::styled(format!("{} {}", visible(value), theme.ellipsis()), style)]
        }
        Content::Pick { value: None, empty } => {
            vec![Span::styled(format!("{empty} {}", theme.ellipsis()), style)]
        }
        Content::Section { .. } => return,
    };
    line(frame, place, fit_line(Line::from(spans), usize::from(place.width), theme));
}
