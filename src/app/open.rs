//! The first screen: which tabs there are, what stands at the right of the top line, and the
//! terminal around all of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;

use crate::keystore::State;
use crate::ops::world::World;
use crate::ports::env::Env;
use crate::screens::browser::Browser;
use crate::screens::explain::Explain;
use crate::screens::log::LogScreen;
use crate::screens::runs::Runs;
use crate::screens::secrets::Secrets;
use crate::screens::stacks::Stacks;
use crate::screens::stores::Stores;
use crate::screens::transfers::Transfers;
use crate::tui::event_loop::{self, Host as _, Program as _, QUEUE, Wake};
use crate::tui::layer::Mounted;
use crate::tui::pictures::Protocol;
use crate::tui::screen::Notice;
use crate::tui::terminal;
use crate::tui::theme::{Drawing, Shades, Theme, Tone};
use crate::tui::widget::tabs::Status;

use super::pictures::{self, Wanted};
use super::shell::{Options, Shell, Tab};

/// The keystore locks by itself after so many minutes without a key, unless the variable below
/// says otherwise.
const LOCK_AFTER: u32 = 15;
/// Minutes; 0 for never.
const LOCK_AFTER_VARIABLE: &str = "OSSTACK_LOCK_AFTER";

/// How long the end waits for work that has something to tidy up: no longer than somebody watches
/// a prompt that does not come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// How osstack shows itself.
#[derive(Clone, Debug)]
pub struct Face {
    /// What the terminal can show.
    pub theme: Theme,
    /// A word for what is no real account: `sandbox`.
    pub label: Option<&'static str>,
    /// How the terminal takes pictures.
    pub pictures: Option<Protocol>,
    /// What the variables say that is not understood.
    pub misread: Option<Notice>,
    /// After how many minutes without a key the keystore locks; 0 for never.
    pub lock_after: u32,
}

impl Default for Face {
    fn default() -> Self {
        let theme = Theme::default();
        Self { theme, label: None, pictures: None, misread: None, lock_after: LOCK_AFTER }
    }
}

impl Face {
    /// What the variables say of the terminal: no colour under `NO_COLOR` (no-color.org: set and
    /// not empty), ASCII alone where the locale is not UTF-8, pictures by what it is known to take.
    pub fn of(env: &Env) -> Self {
        // POSIX, "Internationalization Variables": the first that is set and not empty counts
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env.get(name));
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        // what terminals set that know all colours; most of the others know 256
        let shades = match (env.get("COLORTERM"), env.get("TERM")) {
            (Some("truecolor" | "24bit"), _) => Shades::True,
            (_, Some("linux" | "dumb" | "vt100" | "ansi")) => Shades::Sixteen,
            _ => Shades::Indexed,
        };
        let (drawing, pictures, misread) = match pictures::of(env) {
            Ok(Wanted::Off) => (Drawing::Off, None, None),
            Ok(Wanted::Blocks) => (Drawing::Blocks, None, None),
            Ok(Wanted::By(protocol)) => (Drawing::Blocks, Some(protocol), None),
            Err(misread) => (Drawing::Blocks, None, Some(misread)),
        };
        let colour = env.get("NO_COLOR").is_none();
        let theme = Theme { colour, ascii: !utf8, shades, pictures: drawing };
        let minutes = env.get(LOCK_AFTER_VARIABLE).map(|text| text.trim().parse().ok());
        let lock_after = minutes.flatten().unwrap_or(LOCK_AFTER);
        // what is no number is no wish to stay open
        let misread = misread.or_else(|| {
            let text = format!(
                "{LOCK_AFTER_VARIABLE} takes minutes, 0 for never: {LOCK_AFTER} count until it does"
            );
            (minutes == Some(None)).then(|| Notice::new(Tone::Warning, &text))
        });
        Self { theme, label: None, pictures, misread, lock_after }
    }
}

/// What is left when the screens are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Work that did not end in time, as the log names it.
    pub unfinished: Vec<String>,
    /// What the user left for: [`DEMO`](crate::screens::found::DEMO).
    pub wanted: Option<&'static str>,
}

/// osstack's tabs, in their order.
pub fn tabs() -> [Tab<World>; 7] {
    [
        Tab::new("Stacks", Stacks::default()),
        Tab::new("Stores", Stores::default()),
        Tab::new("Secrets", Secrets::default()),
        Tab::new("Browser", Browser::default()),
        Tab::new("Transfers", Transfers::default()),
        Tab::new("Log", LogScreen::default()),
        Tab::new("Runs", Runs::default()),
    ]
}

/// What the shell is told: how to look, what to say of the keystore, and when to lock it.
pub fn options(face: Face) -> Options<World> {
    let Face { theme, label, lock_after, .. } = face;
    let lock_after = (lock_after > 0).then(|| Duration::from_mins(lock_after.into()));
    Options {
        theme,
        status: Box::new(move |world| status(world, label)),
        explain: |code| Some(Box::new(Mounted::new(Explain::new(code)?))),
        idle: Some((lock_after, Box::new(World::lock))),
        asleep: Box::new(|world| world.clock.asleep()),
        ..Options::default()
    }
}

/// The shell with osstack's own tabs; effects reply into `queue`.
pub fn shell(world: Arc<World>, queue: mpsc::Sender<Wake>, face: Face) -> Shell<World> {
    Shell::new(world, queue, tabs(), options(face))
}

/// What gives way first where there is little room stands first: the server, whose name the
/// screens about it say too; at 80 columns the label alone is left.
fn status(world: &World, label: Option<&'static str>) -> Vec<Status> {
    let (tone, keys) = match world.keystore.state() {
        State::Open => (Tone::Good, "keys"),
        State::Session => (Tone::Warning, "keys for this session"),
        State::Locked => (Tone::Neutral, "locked"),
        State::Absent => (Tone::Neutral, "no keys"),
    };
    let label = label.map(|label| (Tone::Neutral, label.to_owned()));
    let (zenml, is_stand_in) = world.zenml_spoken_with().unzip();
    let stand_in = is_stand_in.unwrap_or(false).then(|| "stand-in".to_owned());
    let neutral = |text: Option<String>| text.map(|text| (Tone::Neutral, text));
    let keys = (tone, keys.to_owned());
    neutral(zenml).into_iter().chain([keys]).chain(neutral(stand_in)).chain(label).collect()
}

/// Takes the terminal, runs until the user leaves, gives the terminal back.
///
/// # Errors
/// When the terminal cannot be taken or drawn on.
pub async fn run(world: Arc<World>, mut face: Face) -> io::Result<Left> {
    let clock = Arc::clone(&world.clock);
    let start = clock.instant();
    let since_start = move || clock.instant().saturating_duration_since(start);
    let (sender, mut queue) = mpsc::channel(QUEUE);
    let mut session = terminal::Session::enter(true, since_start)?;
    let mut screen = session.terminal()?;
    if let Some(protocol) = face.pictures {
        let cell = session.show_pictures_by(protocol, sender.clone())?;
        face.theme.pictures = cell.map_or(Drawing::Blocks, Drawing::Pixels);
    }
    let misread = face.misread.take();
    let mut shell = shell(world, sender.clone(), face);
    if let Some(misread) = misread {
        shell.tell(misread);
    }
    // terminals tell of changes alone; a click needs to know where things stand
    let size = screen.size()?;
    shell.handle(Wake::Terminal(Event::Resize(size.width, size.height)), session.now());
    terminal::read_input(sender)?;
    let ended = event_loop::run(&mut screen, &mut shell, &mut queue, &mut session).await;
    // the shell of the user is back before the last work has tidied up
    drop((session, queue));
    let wanted = shell.wanted();
    let unfinished = shell.shutdown(PATIENCE).await;
    ended.map(|()| Left { unfinished, wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Face::of(&Env::new(variables.iter().map(pair))).theme
    }

    #[test]
    fn the_variables_say_what_the_terminal_can_show() {
        let usual = Theme { shades: Shades::Indexed, ..Theme::default() };
        assert_eq!(theme(&[("LANG", "zh_CN.UTF-8")]), usual);
        assert_eq!(theme(&[("COLORTERM", "truecolor")]).shades, Shades::True);
        assert_eq!(theme(&[("TERM", "linux")]).shades, Shades::Sixteen);
        assert!(theme(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).ascii);
        assert!(theme(&[]).ascii);
        assert!(!theme(&[("NO_COLOR", "1"), ("LANG", "C.utf8")]).colour);
        assert!(theme(&[("NO_COLOR", "")]).colour, "set and empty does not count");
    }

    #[test]
    fn when_the_keystore_locks_may_be_chosen() {
        let after = |text: &str| {
            let variable = (LOCK_AFTER_VARIABLE.to_owned(), text.to_owned());
            Face::of(&Env::new([variable])).lock_after
        };
        assert_eq!((after("5"), after("0"), after("never"), after("-1")), (5, 0, 15, 15));
        assert_eq!(Face::of(&Env::default()).lock_after, 15);
        let misread = |text: &str| {
            Face::of(&Env::new([(LOCK_AFTER_VARIABLE.to_owned(), text.to_owned())])).misread
        };
        assert!(misread("5m").is_some() && misread("5").is_none());
    }
}
