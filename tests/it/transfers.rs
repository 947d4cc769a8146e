//! Transfers that are stopped and go on, at the screen and after a restart.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::model::object_key::ObjectKey;
use osstack::ops::failure::FailureKind;
use osstack::ops::objects::Place;
use osstack::ops::transfer::{Copy, ListUnfinished, Progress, Remote, RunCopy, Unfinished};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::hostile::noise;
use crate::user::User;

/// Three parts.
const SIZE: usize = 20 << 20;

/// Sends a file of that size, and stops when the first bytes are on their way.
async fn stopped_upload(user: &User) -> Copy {
    let file = user.path("model.bin");
    std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), &noise(9, SIZE)).unwrap();
    let key = ObjectKey::parse("scratch/model.bin").unwrap();
    let to = Remote::at(Place::of("demo_store"), None, key);
    let copy = Copy::upload(file.clone(), to);
    let (items, mut reports) = mpsc::channel::<Progress>(16);
    let cancel = CancellationToken::new();
    let context = Context::new(Arc::clone(&user.world), cancel.clone(), items);
    let job = RunCopy { copy: copy.clone(), overwrite: false };
    let stop = async {
        while let Some(progress) = reports.recv().await {
            if progress.done > 0 {
                cancel.cancel();
            }
        }
    };
    let (ended, ()) = tokio::join!(job.run(context), stop);
    assert_eq!(ended.unwrap_err().kind, FailureKind::Cancelled);
    copy
}

async fn unfinished(user: &User) -> Vec<Unfinished> {
    ListUnfinished.run(Context::alone(Arc::clone(&user.world))).await.unwrap()
}

#[tokio::test]
async fn what_was_stopped_stands_there_after_a_restart_and_goes_on() {
    let mut user = User::of_demo();
    user.start_over().await;
    let _copy = stopped_upload(&user).await;
    user.start_over().await;
    let picture = user.keys("5").await;
    assert!(picture.contains("paused") && picture.contains("r resume"), "{picture}");
    // how much the bucket holds of it is asked when it goes on
    assert!(!picture.contains(" %"), "{picture}");
    let picture = user.keys("r").await;
    assert!(picture.contains("done") && picture.contains("CRC-64"), "{picture}");
    assert_eq!(unfinished(&user).await, []);
}

#[tokio::test]
async fn what_was_stopped_can_be_dropped() {
    let mut user = User::of_demo();
    user.start_over().await;
    let copy = stopped_upload(&user).await;
    let left = unfinished(&user).await;
    assert_eq!(left.iter().map(|left| left.copy.ends.clone()).collect::<Vec<_>>(), [copy.ends]);
    user.start_over().await;
    let picture = user.keys("5x").await;
    assert!(picture.contains("stopped; nothing was left behind"), "{picture}");
    assert_eq!(unfinished(&user).await, []);
    assert_eq!(std::fs::read_dir(user.path("state/transfers")).unwrap().count(), 0);
    let picture = user.keys("r").await;
    assert!(picture.contains("done"), "it can be begun anew: {picture}");
}
