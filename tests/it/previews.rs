//! Previews that read more than the beginning of an object.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::model::object_key::ObjectKey;
use osstack::model::preview::{Content, FIRST_READ, Preview};
use osstack::ops::objects::{Place, PreviewObject};
use osstack::oss::object::PutOptions;

use crate::user::User;

const RIDES: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preview/rides.parquet"));

async fn preview(user: &User, key: &str, bytes: Vec<u8>) -> Preview {
    let (client, bucket) = Place::of("demo_store").open(&user.world).await.unwrap();
    client.put(&bucket, key, bytes.into(), &PutOptions::default()).await.unwrap();
    let key = ObjectKey::parse(key).unwrap();
    let job = PreviewObject { place: Place::of("demo_store"), key, limit: FIRST_READ };
    job.run(Context::alone(Arc::clone(&user.world))).await.unwrap()
}

#[tokio::test]
async fn a_long_parquet_file_is_read_at_both_ends() {
    let mut user = User::of_demo();
    user.start_over().await;
    let (magic, rest) = RIDES.split_at(4);
    let long = [magic, vec![0; 3 << 20].as_slice(), rest].concat();
    let total = long.len() as u64;
    let read = preview(&user, "zenml/big.parquet", long).await;
    let Content::Structure(structure) = &read.content else { panic!("{read:?}") };
    assert_eq!(structure.sections[0].table.rows[0], ["rows", "100"]);
    assert_eq!((read.total, read.read), (total, FIRST_READ + 64 * 1024));
}
