//! Text measured in cells and cut at grapheme clusters.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::theme::Theme;

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cells as a coordinate; what does not fit a terminal is its largest.
pub fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// `text` in at most `room` cells; what is cut off at the end is marked.
pub fn fit(text: &str, room: usize, theme: &Theme) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mark = theme.ellipsis();
    let Some(room) = room.checked_sub(width(mark)) else { return String::new() };
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += width(cluster);
        if used > room {
            break;
        }
        out.push_str(cluster);
    }
    out.push_str(mark);
    out
}

/// `text` in at most `room` cells, cut at the front: for paths and keys, whose end tells them apart.
pub fn fit_end(text: &str, room: usize, theme: &Theme) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mark = theme.ellipsis();
    let Some(room) = room.checked_sub(width(mark)) else { return String::new() };
    let mut kept: Vec<&str> = Vec::new();
    let mut used = 0;
    for cluster in text.graphemes(true).rev() {
        used += width(cluster);
        if used > room {
            break;
        }
        kept.push(cluster);
    }
    kept.push(mark);
    kept.into_iter().rev().collect()
}

/// `line` in at most `room` cells; what is cut off at the end is marked.
pub fn fit_line<'a>(line: Line<'a>, room: usize, theme: &Theme) -> Line<'a> {
    if line.width() <= room {
        return line;
    }
    let mut left = room;
    let mut spans = Vec::new();
    for span in line.spans {
        let size = span.width();
        if size < left {
            left -= size;
            spans.push(span);
        } else {
            // One cell too many makes `fit` put its mark.
            let text = format!("{} ", span.content);
            spans.push(Span::styled(fit(text.as_str(), left, theme), span.style));
            break;
        }
    }
    Line { spans, style: line.style, alignment: line.alignment }
}

/// `text` in lines of at most `room` cells, broken at spaces where there are
/// some and inside words where there are none.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for piece in paragraph.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ');
            let size = width(word);
            if used + size > room && size <= room {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for cluster in word.graphemes(true) {
                let size = width(cluster);
                if used + size > room && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(cluster);
                used += size;
            }
            if word.len() < piece.len() && used < room {
                // A space at the break stands for the break.
                line.push(' ');
                used += 1;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Draws one line at the top of `area`, cut to it.
pub fn line(frame: &mut Frame<'_>, area: Rect, line: Line<'_>) {
    if area.height > 0 {
        frame.render_widget(line, Rect { height: 1, ..area });
    }
}

/// Draws lines one under another, as many as there is room for, each cut to the width.
pub fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>, theme: &Theme) {
    for (index, text) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        line(frame, row(area, index), fit_line(text, usize::from(area.width), theme));
    }
}

/// The `index`th row of `area`; empty when there is none.
pub fn row(area: Rect, index: usize) -> Rect {
    let offset = cells(index);
    if offset < area.height {
        Rect { y: area.y.saturating_add(offset), height: 1, ..area }
    } else {
        Rect { height: 0, ..area }
    }
}

/// What is left of `area` below its first `rows` rows.
pub fn rows_below(area: Rect, rows: usize) -> Rect {
    let rows = cells(rows).min(area.height);
    Rect { y: area.y.saturating_add(rows), height: area.height - rows, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_clusters_and_says_so() {
        let theme = Theme::default();
        assert_eq!(fit("bucket", 6, &theme), "bucket");
        assert_eq!(fit("bucket", 4, &theme), "buc…");
        assert_eq!(fit("法兰克福", 5, &theme), "法兰…");
        assert_eq!(fit("法兰克福", 4, &theme), "法…", "a wide letter is not halved");
        assert_eq!(fit_end("a/b/c.pkl", 6, &theme), "…c.pkl");
        assert_eq!(fit("abc", 0, &theme), "");
    }

    #[test]
    fn wraps_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("(one) [two]", 8), ["(one)", "[two]"], "brackets stay with their word");
        assert_eq!(wrap("    --path=x", 20), ["    --path=x"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("法兰克福", 4), ["法兰", "克福"]);
    }
}
