//! What stands in place of an answer of `ZenML`'s that takes its time.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::theme::Theme;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::text::wrap;

/// What takes longer is explained; a server has answered by then.
const LONG: Duration = Duration::from_secs(1);

/// Why there may be nothing yet.
const WHY: &str = "A zenml command takes some seconds to begin; from then on it answers at once.";

/// What is waited for, and why it takes so long; each from when it is worth a word.
pub(super) fn words(spinner: &Spinner, theme: &Theme) -> Vec<String> {
    let elapsed = spinner.elapsed();
    if spinner.sign(theme).is_empty() {
        Vec::new()
    } else if elapsed < LONG {
        vec!["reading".to_owned()]
    } else {
        let seconds = elapsed.as_secs();
        vec![format!("waiting for ZenML, {seconds} s"), WHY.to_owned()]
    }
}

/// The same, to be drawn.
pub(super) fn lines(spinner: &Spinner, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let words = words(spinner, theme).into_iter().enumerate();
    let styled = words.flat_map(|(index, text)| {
        let style = if index == 0 { Style::default() } else { theme.muted() };
        wrap(&text, room).into_iter().map(move |text| Line::styled(text, style))
    });
    styled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_explained_and_what_does_not_is_not() {
        let theme = Theme::default();
        let mut spinner = Spinner::default();
        spinner.start();
        let mut at = |ms| {
            spinner.tick(Duration::from_millis(ms));
            words(&spinner, &theme)
        };
        assert!(at(5_000).is_empty() && at(5_100).is_empty());
        assert_eq!(at(5_900), ["reading"]);
        assert_eq!(at(8_200), ["waiting for ZenML, 3 s", WHY]);
        spinner.stop();
        assert!(words(&spinner, &theme).is_empty());
    }
}
