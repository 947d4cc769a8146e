//! What a page of 1,000 keys costs to read: ours, quick-xml's, and rusoto's typed reader through
//! its own client. Thread CPU time, so that a busy machine does not matter; the ratios are what
//! counts. `cargo bench --bench parse_page -- --quick` takes fewer rounds.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::default_trait_access,
    reason = "a measurement, which stops where something is not as it should be"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use osstack::oss::listing::Page;
use quick_xml::Reader;
use quick_xml::events::Event;
use rusoto_core::request::{DispatchSignedRequest, DispatchSignedRequestFuture, HttpResponse};
use rusoto_core::signature::SignedRequest;
use rusoto_core::{ByteStream, Region};
use rusoto_s3::{ListObjectsV2Request, S3 as _, S3Client};

/// As OSS writes it: 80-byte keys, with Owner and Type.
fn page() -> String {
    let mut body = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><Name>your-bucket-name</Name>\
         <Prefix>zenml</Prefix><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>\
         <IsTruncated>false</IsTruncated>",
    );
    for number in 0_u64..1000 {
        let id = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        write!(
            body,
            "<Contents><Key>zenml%2Ftrainer%2Foutput%2F{id:016x}-{number:08}%2Fstep_{:04}%2Fmodel\
             %2Fweights.bin</Key><LastModified>2026-03-15T10:20:{:02}.000Z</LastModified>\
             <ETag>\"{id:016X}{:016X}\"</ETag><Type>Normal</Type><Size>{}</Size>\
             <StorageClass>Standard</StorageClass><Owner><ID>1250000000000000</ID>\
             <DisplayName>1250000000000000</DisplayName></Owner></Contents>",
            number % 100,
            number % 60,
            !id,
            id % 100_000_000,
        )
        .unwrap();
    }
    body.push_str("<KeyCount>1000</KeyCount></ListBucketResult>");
    body
}

/// The same result as ours, from quick-xml's events.
fn by_quick_xml(body: &str) -> (String, Vec<(usize, u64, String)>) {
    let mut reader = Reader::from_str(body);
    let (mut keys, mut rows, mut text) = (String::new(), Vec::new(), String::new());
    let mut row = (0, 0, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(_) => text.clear(),
            Event::Text(piece) => text.push_str(&piece),
            Event::End(end) => match end.name().as_ref() {
                "Key" => {
                    keys.push_str(&osstack::base::url_encode::decode(&text).unwrap());
                    row.0 = keys.len();
                }
                "Size" => row.1 = text.parse().unwrap(),
                "ETag" => text.trim_matches('"').clone_into(&mut row.2),
                "Contents" => rows.push(std::mem::take(&mut row)),
                _ => {}
            },
            Event::Eof => return (keys, rows),
            _ => {}
        }
    }
}

/// Answers every request with the page.
struct Canned(Vec<u8>);

impl DispatchSignedRequest for Canned {
    fn dispatch(&self, _: SignedRequest, _: Option<Duration>) -> DispatchSignedRequestFuture {
        let body = ByteStream::from(self.0.clone());
        Box::pin(async move {
            Ok(HttpResponse { status: Default::default(), body, headers: Default::default() })
        })
    }
}

/// CPU time of one run on this thread.
fn timed(run: impl FnOnce()) -> Duration {
    let cpu = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    };
    let start = cpu();
    run();
    cpu().saturating_sub(start)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let body = page();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let region = Region::Custom { name: "x".into(), endpoint: "https://x.example".into() };
    let canned = Canned(body.clone().into_bytes());
    let s3 = S3Client::new_with_client(rusoto_core::Client::new_not_signing(canned), region);
    let typed = || {
        let request = ListObjectsV2Request { bucket: "bucket".into(), ..Default::default() };
        runtime.block_on(s3.list_objects_v2(request)).unwrap()
    };

    let ours = Page::parse(body.as_bytes()).unwrap();
    let (keys, rows) = by_quick_xml(&body);
    assert!(ours.entries().map(|entry| entry.key).eq(keys_of(&keys, &rows)));
    assert!(ours.entries().map(|entry| entry.size).eq(rows.iter().map(|row| row.1)));
    assert_eq!(typed().contents.map(|contents| contents.len()), Some(ours.len()));

    // by turns, so that a neighbour who slows the machine slows all three
    let rounds = if std::env::args().any(|arg| arg == "--quick") { 10 } else { 50 };
    let (mut own, mut quick, mut rusoto) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        for _ in 0..10 {
            own.push(timed(|| drop(black_box(Page::parse(black_box(body.as_bytes()))))));
        }
        quick.push(timed(|| drop(black_box(by_quick_xml(black_box(&body))))));
        rusoto.push(timed(|| drop(black_box(typed()))));
    }
    let own = median(own);
    println!("page of {} objects, {} kB, CPU time", ours.len(), body.len() / 1000);
    println!("ours      {:>6} µs", own.as_micros());
    for (name, times) in [("quick-xml", quick), ("rusoto", rusoto)] {
        let other = median(times);
        let ratio = other.as_secs_f64() / own.as_secs_f64();
        println!("{name:<9} {:>6} µs, {ratio:.1} times ours", other.as_micros());
    }
}

fn keys_of<'a>(keys: &'a str, rows: &'a [(usize, u64, String)]) -> impl Iterator<Item = &'a str> {
    let mut start = 0;
    rows.iter().map(move |row| {
        let key = &keys[start..row.0];
        start = row.0;
        key
    })
}
