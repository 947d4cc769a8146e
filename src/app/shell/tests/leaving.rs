use std::time::Duration;

use super::toys::{World, stage};
use crate::app::shell::Ending;
use crate::tui::event_loop::Signal;

#[tokio::test]
async fn escape_closes_and_never_quits() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("p<esc><esc><esc>");
    assert!(!stage.is_over());
    stage.keys("q");
    assert_eq!(stage.shell().ending(), Some(Ending::Left));
}

#[tokio::test]
async fn what_is_wanted_goes_with_the_quitting_that_wanted_it() {
    for (keys, wanted) in [("Z", Some("game")), ("q", None), ("CZy", Some("game")), ("CZnqy", None)]
    {
        let world = World::shut();
        let mut stage = stage(&world);
        stage.keys("x").settle().await;
        stage.keys(keys);
        assert_eq!((stage.is_over(), stage.shell().wanted()), (true, wanted), "{keys}");
    }
}

#[tokio::test]
async fn leaving_a_form_asks_when_something_was_typed() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("n<esc>");
    assert!(stage.picture().contains("made nothing"));
    stage.keys("nab<esc>");
    assert!(stage.picture().contains("not saved"));
    stage.keys("<enter>c<ctrl-s>");
    assert!(stage.picture().contains("made abc"), "No goes back to the form");
    stage.keys("nab<esc><tab><enter>");
    assert!(stage.picture().contains("made nothing"));
}

#[tokio::test]
async fn quitting_asks_while_a_write_runs_or_a_form_is_dirty() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("x").settle().await;
    stage.keys("Cq");
    assert!(stage.picture().contains("still running: commit names"));
    stage.keys("n");
    assert!(!stage.is_over());
    stage.keys("nab<f1>quit<enter>");
    assert!(!stage.is_over());
    let picture = stage.picture();
    assert!(picture.contains("not saved: maker"), "{picture}");
    stage.keys("y");
    assert!(stage.is_over());
}

#[tokio::test]
async fn ctrl_c_cancels_first_and_quits_then_even_from_a_field() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("<ctrl-c>").settle().await;
    assert!(stage.picture().contains("Cancelled"));
    assert!(!stage.is_over());
    stage.keys("nab<ctrl-c>");
    assert!(stage.picture().contains("not saved: maker"));
    stage.keys("<ctrl-c>");
    assert!(stage.is_over(), "it always works");
}

#[tokio::test]
async fn signals_end_without_asking() {
    for signal in [Signal::Terminate, Signal::HangUp] {
        let mut stage = stage(&World::open());
        stage.keys("nab").signal(signal);
        assert_eq!(stage.shell().ending(), Some(Ending::Ended(signal)));
    }
}

#[tokio::test]
async fn bad_news_stays_until_escape_and_goes_before_anything_else() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("F").settle().await;
    stage.keys("p").pass(Duration::from_mins(5));
    let picture = stage.picture();
    assert!(picture.contains("it failed") && picture.contains("esc dismiss"), "{picture}");
    stage.keys("<esc>");
    let picture = stage.picture();
    assert!(!picture.contains("it failed") && picture.contains("Pick one"), "{picture}");
    assert!(stage.keys("<esc>").picture().contains("picked nothing"));
}
