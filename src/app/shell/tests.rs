//! Toy screens on a stage: what the shell promises to real ones.

mod covered;
mod effects;
mod leaving;
mod toys;

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use ratatui::layout::Size;

use self::toys::{World, stage};
use super::*;
use crate::tui::keymap::{Chord, clashes, key_table};
use crate::tui::screen::Event;

#[tokio::test]
async fn the_frame() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    insta::assert_snapshot!(stage.picture(), @"
     osstack   1 First  2 Other 2↓
    ┌ listed by 1 ─────────────────────────────────────────────────────────────────┐
    │▸ alpha                                                                       │
    │  beta                                                                        │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    │                                                                              │
    └──────────────────────────────────────────────────────────────────────────────┘
     r reload  C commit  p pick…  n new…  ? help  : commands
    ");
}

#[tokio::test]
async fn a_condition_guards_the_key_and_its_hint_alike() {
    let world = World::shut();
    let mut stage = stage(&world);
    assert!(!stage.picture().contains("r reload"), "it is loading already");
    stage.keys("r");
    assert_eq!(stage.running().len(), 1, "and the key does nothing");
    world.let_go(1);
    stage.settle().await;
    assert!(stage.picture().contains("r reload"));
    stage.keys("r");
    assert_eq!(stage.running().len(), 1);
}

#[tokio::test]
async fn a_click_on_a_hint_or_a_tab_is_its_key() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.click_on("p pick");
    assert!(stage.picture().contains("Pick one"));
    stage.keys("<esc>").click_on("2 Other");
    assert!(stage.picture().contains("the other tab"));
    stage.click_on("? help");
    assert!(stage.picture().contains("Keys: other"));
}

#[tokio::test]
async fn the_answer_of_a_layer_reaches_its_opener() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("p<down><enter>");
    assert!(stage.picture().contains("picked beta"));
    stage.keys("p<esc>");
    assert!(stage.picture().contains("picked nothing"));
}

#[tokio::test]
async fn a_message_finds_a_tab_that_was_never_shown() {
    let mut stage = stage(&World::open());
    stage.keys("P2");
    assert!(stage.picture().contains("heard from first"));
}

#[tokio::test]
async fn help_finds_and_runs() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("?pick<enter>");
    assert!(stage.picture().contains("Pick one"));
    stage.keys("<esc>:next tab<enter>");
    assert!(stage.picture().contains("the other tab"));
    stage.keys("：first<enter>");
    assert!(stage.picture().contains("picked nothing"), "a full-width colon opens the palette too");
}

#[tokio::test]
async fn text_is_typed_where_text_is_captured() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("n");
    assert!(!stage.picture().contains("? help"));
    assert!(stage.picture().contains("f1 help"));
    stage.keys("q?12：<tab>hunter2<tab><ctrl-s>");
    assert!(stage.picture().contains("made q?12："), "{}", stage.picture());
}

#[tokio::test]
async fn a_form_refuses_until_it_is_right() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("n<ctrl-s>");
    assert!(stage.picture().contains("needs a name"));
    stage.paste("one\ntwo\n");
    stage.keys("<ctrl-s>");
    assert!(stage.picture().contains("made one"), "{}", stage.picture());
}

#[tokio::test]
async fn keys_can_be_remapped_and_every_hint_follows() {
    let chord = Chord::parse("ctrl-p").unwrap();
    let remap = Remap::from([
        ("first.pick".to_owned(), vec![chord]),
        ("everywhere.help".to_owned(), vec![Chord::parse("f2").unwrap()]),
    ]);
    let mut stage = toys::stage_with(&World::open(), Options { remap, ..Options::default() });
    stage.settle().await;
    let picture = stage.picture();
    assert!(picture.contains("ctrl-p pick") && picture.contains("f2 help"), "{picture}");
    stage.keys("p");
    assert!(!stage.picture().contains("Pick one"));
    stage.keys("<ctrl-p>");
    assert!(stage.picture().contains("Pick one"));
}

#[tokio::test]
async fn a_paste_cannot_confirm() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("D").paste("x");
    stage.keys("y<enter><tab><enter>");
    assert!(stage.picture().contains("Delete?"), "nothing was answered");
    stage.pass(Duration::from_millis(499)).keys("y");
    assert!(stage.picture().contains("Delete?"), "each ignored key wants its quiet");
    stage.pass(Duration::from_millis(500)).keys("<enter>");
    assert!(stage.picture().contains("kept"), "the focus is on No");
    stage.keys("Dy");
    assert!(stage.picture().contains("deleted"));
}

#[tokio::test]
async fn a_typed_name_confirms_and_nothing_else() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("Xy<enter>");
    assert!(stage.picture().contains("kept"));
    stage.keys("Xalph<tab><enter>");
    assert!(stage.picture().contains("kept"));
    stage.keys("Xalpha<enter>");
    assert!(stage.picture().contains("deleted"));
}

#[tokio::test]
async fn copying_asks_once() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("y");
    assert!(stage.picture().contains("oss://alpha"), "the text is shown to be selected");
    assert_eq!(stage.take_copy(), None);
    stage.keys("<tab><enter>");
    assert_eq!(stage.take_copy().as_deref(), Some("oss://alpha"));
    stage.keys("y");
    assert_eq!(stage.take_copy().as_deref(), Some("oss://alpha"));
}

#[tokio::test]
async fn any_size_is_drawn() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    for keys in ["", "n", "<esc>p", "<esc>?", "<esc>:", "<esc>D", "<esc>X"] {
        stage.keys(keys);
        for width in [1, 2, 3, 39, 40, 41, 57, 80, 200] {
            for height in [1, 2, 3, 9, 10, 11, 24, 60] {
                stage.resize(width, height).click(width / 2, height - 1);
                let _drawn = stage.picture();
            }
        }
        stage.resize(80, 24);
    }
    stage.resize(39, 10);
    assert_eq!(stage.picture().lines().next(), Some("osstack needs a window of 40x10"));
}

#[test]
fn a_step_reads_as_what_it_asks_for() {
    let mut screen = toys::First::default();
    assert_eq!(format!("{:?}", screen.start()), "[Start(list names: nth 1 latest list)]");
    let step = screen.update(Event::Command(toys::Command::Delete));
    assert_eq!(format!("{step:?}"), "[Push(confirm)]");
}

#[tokio::test]
async fn no_chord_means_two_things() {
    let mut screen = toys::First::default();
    assert_eq!(clashes(&screen), Vec::<String>::new());
    screen.loading = true;
    assert_eq!(clashes(&screen), Vec::<String>::new());
    assert_eq!(clashes(&toys::Maker::default()), Vec::<String>::new());
    let table = key_table::<toys::First>();
    assert!(table.iter().any(|row| row.command == "reload" && row.shown() == "r"));
    assert!(table.iter().any(|row| row.command == "move-page-up"));
}

#[tokio::test]
async fn idle_is_done_once_and_anew_after_a_key() {
    let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let idle: WhenIdle<World> = Box::new(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    let options =
        Options { idle: Some((Some(Duration::from_mins(15)), idle)), ..Options::default() };
    let mut stage = toys::stage_with(&World::open(), options);
    stage.settle().await;
    let seen = || done.load(std::sync::atomic::Ordering::SeqCst);
    stage.pass(Duration::from_secs(899));
    assert_eq!(seen(), 0);
    stage.pass(Duration::from_secs(5_000));
    assert_eq!(seen(), 1);
    stage.keys("j").pass(Duration::from_mins(15));
    assert_eq!(seen(), 2);
    stage.signal(Signal::Suspend);
    assert_eq!(seen(), 3);
}

#[tokio::test]
async fn a_machine_that_slept_is_locked_before_its_first_key_counts() {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    let (done, slept) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(7_000)));
    let (count, seconds) = (Arc::clone(&done), Arc::clone(&slept));
    let idle: WhenIdle<World> = Box::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let options = Options {
        idle: Some((None, idle)),
        asleep: Box::new(move |_| Duration::from_secs(seconds.load(Ordering::SeqCst))),
        ..Options::default()
    };
    let mut stage = toys::stage_with(&World::open(), options);
    stage.settle().await;
    stage.keys("j").pass(Duration::from_hours(9));
    assert_eq!(done.load(Ordering::SeqCst), 0, "what it slept before the start is nothing");
    slept.fetch_add(59, Ordering::SeqCst);
    stage.keys("j");
    assert_eq!(done.load(Ordering::SeqCst), 0, "a nap");
    slept.fetch_add(61, Ordering::SeqCst);
    stage.keys("j");
    assert_eq!(done.load(Ordering::SeqCst), 1);
    stage.keys("j");
    assert_eq!(done.load(Ordering::SeqCst), 1, "once for each sleep");
}

#[tokio::test]
async fn nothing_wakes_an_idle_shell() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    assert_eq!(stage.shell().next_tick(), None);
    stage.keys("D<esc>");
    stage.pass(Duration::from_mins(1));
    assert_eq!(stage.shell().next_tick(), None, "toasts have gone");
}

#[tokio::test]
async fn a_release_of_a_key_is_not_a_press() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    let mut key = KeyEvent::from(KeyCode::Char('p'));
    key.kind = KeyEventKind::Release;
    stage.wake(Wake::Terminal(TerminalEvent::Key(key)));
    assert!(!stage.picture().contains("Pick one"));
    assert_eq!(stage.shell().size, Size::new(80, 24));
}
