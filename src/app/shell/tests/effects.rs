use std::time::Duration;

use super::toys::{World, stage};
use crate::tui::effect::{Kind, Outcome};
use crate::tui::log::Entry;

fn log(stage: &super::Stage<World>) -> Vec<String> {
    let lines = stage.shell().log().entries().map(|entry| match entry {
        Entry::Effect(record) => {
            let ended = record.ended.as_ref().map(|(how, _)| match how {
                Outcome::Panicked(_) => "Panicked".to_owned(),
                other => format!("{other:?}"),
            });
            format!("{} {}", record.what, ended.unwrap_or_else(|| "runs".into()))
        }
        Entry::Told(_, notice) => format!("told: {}", notice.text),
    });
    lines.collect()
}

#[tokio::test]
async fn a_newer_read_replaces_the_older_and_its_answer_alone_is_heard() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("RR");
    assert_eq!(stage.running().len(), 1);
    world.let_go(3);
    stage.settle().await;
    assert!(stage.picture().contains("listed by 3"));
    assert_eq!(log(&stage).last().unwrap(), "list names: nth 3 Done(())");
}

#[tokio::test]
async fn a_cancelled_read_says_so() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("x").settle().await;
    assert!(stage.picture().contains("Cancelled"));
    assert!(stage.running().is_empty());
}

#[tokio::test]
async fn leaving_ends_a_read() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("x").settle().await;
    stage.keys("pr");
    assert_eq!(stage.running().len(), 1);
    stage.keys("<esc>");
    assert!(stage.running().is_empty(), "nobody waits for it");
    stage.settle().await;
    assert!(stage.picture().contains("picked nothing"));
}

#[tokio::test]
async fn a_second_write_is_refused_whoever_asks() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("x").settle().await;
    stage.keys("C").next().await;
    assert!(stage.picture().contains("step 1"));
    stage.keys("C");
    assert!(stage.picture().contains("Refused"));
    stage.keys("pC");
    let writes = stage.running().iter().filter(|task| task.kind == Kind::Exclusive).count();
    assert_eq!(writes, 1);
    world.let_go(1);
    stage.keys("<esc>").settle().await;
    assert!(stage.picture().contains("committed"));
    assert_eq!(
        log(&stage),
        [
            "list names: nth 1 Cancelled",
            "commit names Done(())",
            "commit names Refused",
            "commit names Refused"
        ]
    );
}

#[tokio::test]
async fn a_write_outlives_its_layer_and_the_shell_hears_the_end() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("x").settle().await;
    stage.keys("pC<esc>");
    assert_eq!(stage.running().len(), 1);
    world.let_go(1);
    stage.settle().await;
    assert!(stage.picture().contains("in the end Done("));
}

#[tokio::test]
async fn a_panic_costs_its_own_answer_and_quotes_nothing() {
    let mut stage = stage(&World::open());
    stage.settle().await;
    stage.keys("F").settle().await;
    let picture = stage.picture();
    assert!(picture.contains("Panicked"), "{picture}");
    assert!(!picture.contains("hunter2"));
    stage.keys("r").settle().await;
    assert!(stage.picture().contains("listed by 2"), "the rest goes on");
}

#[tokio::test]
async fn the_end_awaits_what_leaves_traces() {
    let world = World::shut();
    let mut stage = stage(&world);
    stage.keys("C");
    let left = stage.shutdown(Duration::from_secs(5)).await;
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(world.stopped.available_permits(), 1, "it took back what it had done");
}
