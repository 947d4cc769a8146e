//! Transfers that are stopped and go on, at the screen and after a restart.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::model::object_key::ObjectKey;
use osstack::ops::failure::FailureKind;
use osstack::ops::objects::Place;
use osstack::ops::transfer::{
    Copy, CopyEvent, Ends, ListUnfinished, Progress, Remote, RunCopies, RunCopy, Unfinished,
};
use osstack::oss::transfer::{Proof, Transferred};
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
    let (items, mut reports) = mpsc::channel::<CopyEvent>(16);
    let cancel = CancellationToken::new();
    let context = Context::new(Arc::clone(&user.world), cancel.clone(), items);
    // so slow that the end is not reached before the first word of it
    let (copies, limit) = (vec![copy.clone()], Some(8 << 20));
    let job = RunCopies { copies, moves: false, overwrite: false, limit };
    let stop = async {
        let mut ended = None;
        while let Some(event) = reports.recv().await {
            match event {
                CopyEvent::Progress(progress) if progress.done > 0 => cancel.cancel(),
                CopyEvent::Progress(_) => {}
                CopyEvent::Ended { result, .. } => ended = Some(result),
            }
        }
        ended.unwrap()
    };
    let (ran, ended) = tokio::join!(job.run(context), stop);
    ran.unwrap();
    assert_eq!(ended.unwrap_err().kind, FailureKind::Cancelled);
    copy
}

/// Goes on with it, and answers how far it said it was in the end.
async fn run(user: &User, copy: &Copy) -> (Transferred, u64) {
    let (items, mut reports) = mpsc::channel::<Progress>(1 << 16);
    let context = Context::new(Arc::clone(&user.world), CancellationToken::new(), items);
    let done = RunCopy { copy: copy.clone(), overwrite: false }.run(context).await.unwrap();
    let mut last = 0;
    while let Some(progress) = reports.recv().await {
        last = progress.done;
    }
    (done, last)
}

/// What lies in the bucket under the key of `copy`.
async fn object(user: &User, copy: &Copy) -> Vec<u8> {
    let Ends::Upload { to, .. } = &copy.ends else { panic!("{copy:?}") };
    let (client, bucket) = to.place.open(&user.world).await.unwrap();
    let got = client.get_range(&bucket, to.key.as_str(), 0, SIZE + 1, None).await.unwrap();
    got.value.bytes.to_vec()
}

#[tokio::test]
async fn a_file_that_is_another_by_then_is_sent_as_it_is() {
    for keeps_time in [true, false] {
        let mut user = User::of_demo();
        user.start_over().await;
        let copy = stopped_upload(&user).await;
        let file = std::fs::File::options().write(true).open(user.path("model.bin")).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        let bytes = noise(10, SIZE);
        std::io::Write::write_all(&mut &file, &bytes).unwrap();
        let later = u64::from(!keeps_time);
        file.set_modified(modified + std::time::Duration::from_secs(later)).unwrap();
        let (done, _) = run(&user, &copy).await;
        assert_eq!((done.reused, done.proof), (0, Proof::Crc64), "{keeps_time}");
        assert_eq!(done.is_anew, !keeps_time);
        assert!(object(&user, &copy).await == bytes, "{keeps_time}");
    }
}

#[tokio::test]
async fn a_part_that_is_sent_again_is_read_again() {
    let mut user = User::of_demo();
    user.start_over().await;
    let copy = stopped_upload(&user).await;
    user.sandbox.faults.change(|faults| faults.closed_share = 40);
    let (done, last) = run(&user, &copy).await;
    assert_eq!((done.bytes, last), (SIZE as u64, SIZE as u64), "no byte is counted twice");
    user.sandbox.faults.change(|faults| faults.closed_share = 0);
    assert!(object(&user, &copy).await == noise(9, SIZE));
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

#[tokio::test]
async fn what_has_no_room_is_refused_before_the_first_byte() {
    const MUCH: u64 = 1 << 42;
    let mut user = User::of_demo();
    user.start_over().await;
    // apart from the user's home, whose files are read at the end
    let disk = tempfile::tempdir().unwrap();
    let folder = disk.path().join("down");
    let from =
        |key: &str| Remote::at(Place::of("demo_store"), None, ObjectKey::parse(key).unwrap());
    let copies: Vec<Copy> = ["zenml/a", "zenml/b"]
        .map(|key| Copy { size: Some(MUCH / 2), ..Copy::download(from(key), &folder).unwrap() })
        .into();
    let run = async |copies: &[Copy]| {
        let before = user.sandbox.faults.requests();
        let copies = copies.to_vec();
        let job = RunCopies { copies, moves: false, overwrite: false, limit: None };
        let (items, _reports) = mpsc::channel::<CopyEvent>(16);
        let context = Context::new(Arc::clone(&user.world), CancellationToken::new(), items);
        (job.run(context).await, user.sandbox.faults.requests() - before)
    };
    let (ran, requests) = run(&copies).await;
    let failure = ran.unwrap_err();
    assert_eq!((failure.kind, requests), (FailureKind::File, 0));
    assert!(failure.summary.starts_with("4.0 TiB are to come"), "{failure}");
    assert!(!folder.exists());
    // what is there takes no more room
    std::fs::create_dir(&folder).unwrap();
    for name in ["a", "b"] {
        std::fs::File::create(folder.join(name)).unwrap().set_len(MUCH / 2).unwrap();
    }
    assert_eq!(run(&copies).await.0, Ok(()), "each is answered for itself");
}
