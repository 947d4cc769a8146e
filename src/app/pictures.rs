//! How the terminal takes pictures, by its variables. It is not asked: its answer would come among
//! the keys, or not at all.

use crate::ports::env::Env;
use crate::tui::pictures::Protocol;
use crate::tui::screen::Notice;
use crate::tui::theme::Tone;

/// How pictures are to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Off,
    Blocks,
    By(Protocol),
}

/// What `OSSTACK_PICTURES` says, or else what is known of the terminal.
pub(super) fn of(env: &Env) -> Result<Wanted, Notice> {
    match env.get("OSSTACK_PICTURES") {
        None | Some("auto") => Ok(known(env).map_or(Wanted::Blocks, Wanted::By)),
        Some("kitty") => Ok(Wanted::By(Protocol::Kitty)),
        Some("iterm2") => Ok(Wanted::By(Protocol::Iterm2)),
        Some("sixel") => Ok(Wanted::By(Protocol::Sixel)),
        Some("blocks") => Ok(Wanted::Blocks),
        Some("off") => Ok(Wanted::Off),
        Some(other) => {
            let text = format!(
                "OSSTACK_PICTURES={other} is not known: set it to auto, kitty, iterm2, sixel, \
                 blocks or off"
            );
            Err(Notice::new(Tone::Warning, &text))
        }
    }
}

/// What takes pictures without being told to first. xterm and Konsole may, or may not.
fn known(env: &Env) -> Option<Protocol> {
    let term = env.get("TERM").unwrap_or_default();
    let program = env.get("TERM_PROGRAM").unwrap_or_default();
    // no colour at all was asked for
    let is_plain = env.get("NO_COLOR").is_some();
    // what the terminal around them is stands in variables that they pass on, unlike its pictures
    let is_within = ["TMUX", "STY", "ZELLIJ"].iter().any(|name| env.is_set(name));
    if is_plain || is_within || ["screen", "tmux"].iter().any(|name| term.starts_with(name)) {
        return None;
    }
    if matches!(term, "xterm-kitty" | "xterm-ghostty") || program == "ghostty" {
        return Some(Protocol::Kitty);
    }
    if matches!(program, "iTerm.app" | "WezTerm" | "mintty")
        || env.get("LC_TERMINAL") == Some("iTerm2")
    {
        return Some(Protocol::Iterm2);
    }
    if ["foot", "mlterm", "contour"].iter().any(|name| term.starts_with(name)) {
        return Some(Protocol::Sixel);
    }
    // last, since a terminal that was started out of kitty inherits it
    let is_kitty = program.is_empty() && env.is_set("KITTY_WINDOW_ID");
    is_kitty.then_some(Protocol::Kitty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(variables: &[(&str, &str)]) -> Wanted {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        of(&Env::new(variables.iter().map(pair))).unwrap()
    }

    #[test]
    fn a_terminal_that_is_known_to_take_pictures_gets_them() {
        let (kitty, iterm2, sixel) = (Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel);
        for (name, value, protocol) in [
            ("TERM", "xterm-kitty", kitty),
            ("KITTY_WINDOW_ID", "1", kitty),
            ("TERM", "xterm-ghostty", kitty),
            ("TERM_PROGRAM", "iTerm.app", iterm2),
            ("LC_TERMINAL", "iTerm2", iterm2),
            ("TERM_PROGRAM", "WezTerm", iterm2),
            ("TERM", "foot-extra", sixel),
            ("TERM", "contour", sixel),
        ] {
            assert_eq!(wanted(&[(name, value)]), Wanted::By(protocol), "{name}={value}");
            for other in [("TMUX", "/tmp/tmux-0/default,1,0"), ("ZELLIJ", "0"), ("NO_COLOR", "1")] {
                assert_eq!(wanted(&[(name, value), other]), Wanted::Blocks, "{name} in {other:?}");
            }
        }
        assert_eq!(wanted(&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")]), Wanted::Blocks);
        assert_eq!(wanted(&[("TERM", "xterm-256color")]), Wanted::Blocks);
        assert_eq!(wanted(&[("TERM_PROGRAM", "vscode"), ("KITTY_WINDOW_ID", "1")]), Wanted::Blocks);
    }

    #[test]
    fn what_is_stated_goes_before_what_is_known() {
        let told = |value| wanted(&[("OSSTACK_PICTURES", value), ("TERM", "xterm-kitty")]);
        assert_eq!(told("sixel"), Wanted::By(Protocol::Sixel));
        assert_eq!(told("iterm2"), Wanted::By(Protocol::Iterm2));
        assert_eq!(told("blocks"), Wanted::Blocks);
        assert_eq!(told("off"), Wanted::Off);
        assert_eq!(told("auto"), Wanted::By(Protocol::Kitty));
        assert_eq!(told(""), Wanted::By(Protocol::Kitty));
        let within = [("OSSTACK_PICTURES", "kitty"), ("TMUX", "1")];
        assert_eq!(wanted(&within), Wanted::By(Protocol::Kitty));
        let env = Env::new([("OSSTACK_PICTURES".to_owned(), "\u{1b}[2J".to_owned())]);
        let said = of(&env).unwrap_err().text.into_string();
        assert!(said.contains("set it to auto") && !said.contains('\u{1b}'), "{said}");
    }
}
