//! Where data may lie: refused at definition, shown by the check, and asked about before the
//! first read of a bucket that lies elsewhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use osstack::doctor::CHECKS;
use serde_json::json;

use crate::cli::bench::Bench;
use crate::cli::terminal::talk;
use crate::user::User;

/// An endpoint whose name says nothing, before a bucket in Hangzhou that holds an object
/// and what a check left behind.
struct Far {
    endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Far {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://oss.localhost:{}", listener.local_addr().unwrap().port());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        #[expect(clippy::disallowed_methods, reason = "a server beside the program")]
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut request = String::new();
                if reader.read_line(&mut request).unwrap_or_default() == 0 {
                    continue;
                }
                let (mut header, mut names_a_bucket) = (String::new(), true);
                while reader.read_line(&mut header).unwrap_or_default() > 2 {
                    let lower = header.to_ascii_lowercase();
                    names_a_bucket &= !lower.starts_with("host: oss.localhost");
                    header.clear();
                }
                let (status, body) = answer(&request, names_a_bucket);
                // of a body only the length is told to HEAD
                let sent = if request.starts_with("HEAD ") { "" } else { body };
                heard.lock().unwrap().push(request);
                let length = body.len();
                let top = format!(
                    "HTTP/1.1 {status}\r\nServer: AliyunOSS\r\nx-oss-request-id: 1\r\n\
                     Connection: close\r\nContent-Length: {length}\r\n\r\n"
                );
                let _gone = stream.write_all(format!("{top}{sent}").as_bytes());
            }
        });
        Self { endpoint, asked }
    }

    /// Whether anything but the bucket's region was asked.
    fn was_read(&self) -> bool {
        self.asked.lock().unwrap().iter().any(|request| !request.contains("?location"))
    }
}

fn answer(request: &str, names_a_bucket: bool) -> (&'static str, &'static str) {
    let path = request.split(' ').nth(1).unwrap_or_default();
    if !names_a_bucket {
        ("200 OK", "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")
    } else if path.contains("?location") {
        ("200 OK", "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>")
    } else if path.contains("osstack-check-") && !path.starts_with("/?") {
        ("404 Not Found", "")
    } else {
        (
            "200 OK",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>\
             <Key>.osstack-check-0123456789abcdef/small</Key>\
             <LastModified>2026-03-15T10:20:00.000Z</LastModified>\
             <ETag>\"00\"</ETag><Size>1</Size><StorageClass>Standard</StorageClass>\
             </Contents><Contents>\
             <Key>far-away.txt</Key><LastModified>2026-03-15T10:20:00.000Z</LastModified>\
             <ETag>\"00\"</ETag><Size>7</Size><StorageClass>Standard</StorageClass>\
             </Contents></ListBucketResult>",
        )
    }
}

const REGISTER: [&str; 7] = [
    "artifact-store",
    "register",
    "kept",
    "--bucket",
    "your-bucket-name",
    "--secret",
    "demo_secret",
];

#[test]
fn what_leads_out_is_refused_at_definition() {
    let bench = Bench::furnished();
    let register = |rest: &[&str]| bench.run(&[&REGISTER[..], rest].concat());
    for (rest, field, why) in [
        (&["--region", "cn-hangzhou", "--residency", "EU"][..], "region", "outside of EU"),
        (&["--region", "eu-west-1", "--residency", "EU"], "region", "lies in UK (GB)"),
        (
            &["--region", "eu-central-1", "--endpoint", "accelerate", "--residency", "DE"],
            "endpoint",
            "acceleration",
        ),
        (
            &["--region", "eu-central-1", "--access", "accelerate-overseas", "--residency", "EU"],
            "access",
            "acceleration",
        ),
        (&["--region", "eu-central-1", "--residency", "Germany"], "residency", "mean DE?"),
    ] {
        let ran = register(&[rest, &["--json"]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        let problem = &ran.json()["error"]["fields"][0];
        assert_eq!(problem["field"], field, "{problem}");
        assert!(problem["message"].as_str().unwrap().contains(why), "{problem}");
    }
    let fine = register(&["--region", "eu-central-1", "--residency", "eu,UK", "--json"]).ok();
    assert_eq!(fine.json()["residency"], json!(["EU", "UK"]));
    assert!(bench.read("config/stacks.toml").contains("residency = [\"EU\", \"UK\"]"));
    let shown = bench.run(&["store", "describe", "kept"]).ok().out;
    assert!(shown.contains("EU, UK"), "{shown}");
    // what was let through may be called back
    let moved = bench.run(&["store", "update", "kept", "--region", "cn-beijing"]);
    assert_eq!(moved.code, 2, "{moved:?}");
    bench.run(&["store", "update", "kept", "--region", "cn-beijing", "--residency", ""]).ok();
    assert!(!bench.read("config/stacks.toml").contains("residency"));
}

#[test]
fn the_check_says_what_no_name_proves() {
    let bench = Bench::furnished();
    let rung = |bench: &Bench| {
        let report = bench.run(&["check", "store/demo_store", "--json"]).json();
        let rungs = report["checks"].as_array().unwrap().clone();
        rungs.into_iter().find(|rung| rung["id"] == "residency").unwrap()
    };
    assert_eq!(rung(&bench)["state"], "skipped");
    let told = bench.run(&["store", "update", "demo_store", "--residency", "EU"]).ok();
    assert!(told.err.contains("nothing in the name oss-sandbox.localhost"), "{}", told.err);
    let rung = rung(&bench);
    assert_eq!(rung["state"], "warned", "{rung}");
    assert!(rung["because"].as_str().unwrap().contains("the server says oss-sandbox"), "{rung}");
}

#[test]
fn reading_across_the_border_asks_first() {
    let (bench, far) = (Bench::furnished(), Far::start());
    let settings = ["--endpoint", &far.endpoint, "--residency", "EU"];
    bench.run(&[&REGISTER[..], &settings].concat()).ok();
    for command in [&["ls", "kept:"][..], &["cat", "kept:far-away.txt"], &["cp", "kept:a", "b"]] {
        let refused = bench.run(&[command, &["--json"]].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        let error = &refused.json()["error"];
        assert_eq!(error["kind"], "border", "{error}");
        assert!(error["summary"].as_str().unwrap().contains("lies in CN"), "{error}");
        assert!(error["hints"][0].as_str().unwrap().contains("--across-border"), "{error}");
    }
    let (shown, code) = talk(&bench, &["ls", "kept:"], &[("[y/N] ", "n\r")]);
    assert_eq!(code, 1, "{shown}");
    assert!(!far.was_read(), "nothing crosses before a yes");
    let (shown, code) = talk(&bench, &["ls", "kept:"], &[("[y/N] ", "y\r")]);
    assert!(code == 0 && shown.contains("far-away.txt"), "{shown}");
    let listed = bench.run(&["ls", "kept:", "--across-border"]).ok().out;
    assert!(listed.contains("far-away.txt"), "{listed}");
}

#[test]
fn the_check_writes_nothing_across_the_border() {
    let (bench, far) = (Bench::furnished(), Far::start());
    let settings = ["--endpoint", &far.endpoint, "--residency", "EU"];
    bench.run(&[&REGISTER[..], &settings].concat()).ok();
    let report = bench.run(&["check", "store/kept", "--json"]);
    assert_eq!(report.code, 1, "{report:?}");
    let report = report.json();
    let rung = |id: &str| {
        let rungs = report["checks"].as_array().unwrap();
        rungs.iter().find(|rung| rung["id"] == id).unwrap()
    };
    assert_eq!(rung("residency")["state"], "failed", "{report:#}");
    let title = CHECKS.iter().find(|check| check.id == "residency").unwrap().title;
    // a check stands below those it needs
    let mut skipped = vec!["write", "leftovers"];
    for check in CHECKS {
        if check.needs.iter().any(|id| skipped.contains(id)) {
            skipped.push(check.id);
        }
    }
    assert!(skipped.len() > 10, "{skipped:?}");
    for rung in skipped.into_iter().map(rung) {
        assert_eq!(rung["state"], "skipped", "{rung:#}");
        assert!(rung["because"].as_str().unwrap().contains(title), "{rung:#}");
    }
    // what lies there is listed, which is no writing, and left alone
    assert_eq!(rung("list")["state"], "passed", "{report:#}");
    let asked = far.asked.lock().unwrap();
    let writes = |request: &&String| !request.starts_with("GET ") && !request.starts_with("HEAD ");
    assert_eq!(asked.iter().find(writes), None, "nothing is written there");
}

#[tokio::test]
async fn the_browser_asks_before_the_first_page() {
    let (mut user, far) = (User::of_demo(), Far::start());
    let file = user.path("config/stacks.toml");
    let store = format!(
        "\n[artifact_store.a_far_store]\npath = \"s3://your-bucket-name\"\n\
         secret = \"demo_secret\"\nendpoint = \"{}\"\nresidency = [\"EU\"]\n",
        far.endpoint
    );
    let text = std::fs::read_to_string(&file).unwrap() + &store;
    osstack::base::atomic_file::write(
        &file,
        text.as_bytes(),
        1,
        &osstack::base::atomic_file::Options::default(),
    )
    .unwrap();
    let asked = user.keys("4G<enter>").await;
    assert!(asked.contains("Read across the border?") && asked.contains("lies in CN"), "{asked}");
    insta::assert_snapshot!("across_the_border", asked.replace(&far.endpoint, "####"));
    let refused = user.keys("n").await;
    assert!(refused.contains("would cross a border"), "{refused}");
    assert!(!far.was_read(), "nothing crosses before a yes");
    let listed = user.keys("Ry").await;
    assert!(listed.contains("far-away.txt"), "{listed}");
    let again = user.keys("R").await;
    assert!(again.contains("far-away.txt") && !again.contains("across the border"), "{again}");
}
