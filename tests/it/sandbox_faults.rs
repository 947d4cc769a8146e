//! Every fault by its name: what a client is told with it, and without it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use osstack::sandbox::Seed;
use osstack::sandbox::faults::{FAULTS, Faults};
use osstack::sandbox::keys::Keys;

use super::sandbox_client::{Answer, Call, Running, Signature, md5};
use Signature::{V2, V4};

/// A request of the fixed sequence, each the sign of some fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// GET of an object, signed with V4.
    Get,
    /// The same with V2.
    GetV2,
    /// The same with the temporary key and its token.
    GetToken,
    /// The same under the bucket's custom domain.
    GetDomain,
    /// A few bytes of the object.
    Range,
    /// The object, if its `ETag` is another.
    IfMatch,
    Head,
    HeadMissing,
    HeadBucket,
    List,
    /// The second page of a listing.
    NextPage,
    /// The object by a signed link.
    Link,
    /// Whether the bucket keeps versions.
    Versioning,
    ListBuckets,
    CreateBucket,
    Put,
    /// Writes `a+b` and lists the keys below `a`.
    PutPlus,
    Copy,
    Delete,
    DeleteMany,
    /// As botocore sends it since 1.36: with CRC32, without `Content-MD5`.
    DeleteManyCrc,
    Upload,
}
use Probe::*;

const ALL: [Probe; 22] = [
    Get,
    GetV2,
    GetToken,
    GetDomain,
    Range,
    IfMatch,
    Head,
    HeadMissing,
    HeadBucket,
    List,
    NextPage,
    Link,
    Versioning,
    ListBuckets,
    CreateBucket,
    Put,
    PutPlus,
    Copy,
    Delete,
    DeleteMany,
    DeleteManyCrc,
    Upload,
];

/// What is told where nothing is wrong.
fn sound(probe: Probe) -> &'static str {
    match probe {
        Get | GetV2 | GetToken | GetDomain | Link => "200 0123456789",
        Range => "206 234",
        IfMatch => "412 PreconditionFailed",
        HeadMissing => "404 0026-00000001",
        List => "200 object STANDARD",
        NextPage => "200 other STANDARD",
        ListBuckets => "200 zenml-demo",
        PutPlus => "200 a+b STANDARD",
        Delete => "204",
        DeleteMany => "200 other",
        DeleteManyCrc => "400 MissingArgument 0016-00000606",
        Upload => "200 upload",
        Versioning | Head | HeadBucket | CreateBucket | Put | Copy => "200",
    }
}

/// A fault as written on the command line, and what the probes it touches are told.
const TABLE: &[(&str, &[(Probe, &str)])] = &[
    ("latency=3600000", &[(Head, "silence"), (Get, "silence")]),
    ("slow-first-byte=3600000", &[(Get, "silence")]),
    ("connection-closed", &[(Get, "broken"), (ListBuckets, "broken")]),
    ("answer-lost", &[(Get, "broken"), (Delete, "broken")]),
    ("cut-body=5", &[(Get, "broken")]),
    (
        "unavailable",
        &[
            (Get, "503 SlowDown 0004-00000302 retry 1"),
            (ListBuckets, "503 SlowDown 0004-00000302 retry 1"),
        ],
    ),
    ("unavailable=100", &[(Put, "503 SlowDown 0004-00000302 retry 1")]),
    ("too-many-requests", &[(Get, "429 QpsLimitExceeded")]),
    ("html-page", &[(Get, "200 page"), (List, "200 page"), (Delete, "200 page")]),
    ("empty-200", &[(Get, "200"), (List, "200"), (HeadMissing, "200")]),
    ("truncated-listing", &[(List, "200 half")]),
    ("skew=20", &[(Get, "403 RequestTimeTooSkewed 0002-00000501")]),
    ("skew=-20", &[(List, "403 RequestTimeTooSkewed 0002-00000501")]),
    (
        "s3-off",
        &[(Get, "403 AccessDenied 0002-00000031"), (GetV2, "403 AccessDenied 0002-00000031")],
    ),
    (
        "v2-off",
        &[(GetV2, "403 AccessDenied 0002-00000032"), (GetDomain, "403 AccessDenied 0002-00000032")],
    ),
    ("v4-off", &[(Get, "403 AccessDenied 0002-00000033")]),
    ("key-disabled", &[(Get, "403 InvalidAccessKeyId 0002-00000904")]),
    ("token-expired", &[(GetToken, "403 SecurityTokenExpired")]),
    ("token-wrong", &[(GetToken, "403 InvalidSecurityToken")]),
    ("token-mismatch", &[(GetToken, "403 AccessKeyIdAndSecurityTokenNotMatch")]),
    (
        "user-disabled",
        &[(Get, "403 UserDisable 0003-00000801"), (ListBuckets, "403 UserDisable 0003-00000801")],
    ),
    ("in-debt", &[(Get, "403 InDebt"), (ListBuckets, "403 InDebt")]),
    (
        "bucket-disabled",
        &[(Get, "403 BucketDisable 0003-00000908"), (HeadBucket, "403 0003-00000908")],
    ),
    (
        "policy-deny",
        &[(List, "403 AccessDenied 0003-00000101"), (GetDomain, "403 AccessDenied 0003-00000101")],
    ),
    (
        "other-account",
        &[(HeadBucket, "403 0003-00000001"), (Put, "403 AccessDenied 0003-00000001")],
    ),
    (
        "public-endpoint-forbidden",
        &[
            (Get, "400 PublicEndpointForbidden 0048-00000401"),
            (List, "400 PublicEndpointForbidden 0048-00000401"),
            (DeleteMany, "400 PublicEndpointForbidden 0048-00000401"),
            (Upload, "400 PublicEndpointForbidden 0048-00000401"),
        ],
    ),
    (
        "read-only",
        &[
            (Put, DENIED),
            (Copy, DENIED),
            (Delete, DENIED),
            (DeleteMany, DENIED),
            (Upload, DENIED),
            (CreateBucket, DENIED),
        ],
    ),
    ("no-list", &[(List, DENIED)]),
    ("no-versioning", &[(Versioning, DENIED)]),
    ("no-list-buckets", &[(ListBuckets, DENIED)]),
    (
        "no-read",
        &[
            (Get, DENIED),
            (GetDomain, DENIED),
            (Range, DENIED),
            (Head, "403 0003-00000905"),
            (Copy, DENIED),
        ],
    ),
    ("no-delete", &[(Delete, DENIED), (DeleteMany, DENIED)]),
    ("no-head-bucket", &[(HeadBucket, "403 0003-00000905")]),
    ("missing-403", &[(HeadMissing, "403 0003-00000905")]),
    ("no-multipart", &[(Upload, "501 NotImplemented")]),
    ("no-copy", &[(Copy, "501 NotImplemented")]),
    ("no-append-read", &[(Get, DENIED), (GetV2, DENIED)]),
    (
        "quota",
        &[(Put, "403 QuotaExceeded"), (Copy, "403 QuotaExceeded"), (Upload, "403 QuotaExceeded")],
    ),
    (
        "archived",
        &[
            (Get, "403 InvalidObjectState"),
            (Copy, "403 InvalidObjectState"),
            (List, "200 object Archive"),
        ],
    ),
    ("archived=obj", &[(Range, "403 InvalidObjectState")]),
    ("forced-download", &[(Get, "200 attachment 0048-00000113 0123456789")]),
    ("range-ignored", &[(Range, "200 0123456789")]),
    ("if-match-ignored", &[(IfMatch, "200 0123456789")]),
    ("plus-as-space", &[(PutPlus, "200 a b STANDARD")]),
    ("md5-not-required", &[(DeleteManyCrc, "200 other")]),
    ("pages-repeat", &[(NextPage, "200 object STANDARD")]),
    ("no-presign", &[(Link, DENIED)]),
    ("largest-put=0", &[(Put, "400 EntityTooLarge"), (PutPlus, "400 EntityTooLarge")]),
];

const DENIED: &str = "403 AccessDenied 0003-00000905";

/// Faults of the handshake have a test of their own.
const OF_CERTIFICATES: [&str; 3] = ["tls-expired", "tls-self-signed", "tls-wrong-name"];

fn call(sandbox: &Running, probe: Probe) -> (Call, Signature) {
    let get = || sandbox.get("object");
    let many = || {
        let mut call = sandbox.call(Method::POST, "").query("delete", "");
        call.body = "<Delete><Object><Key>other</Key></Object></Delete>".into();
        call
    };
    match probe {
        Get => (get(), V4),
        GetV2 => (get(), V2),
        GetToken => {
            let keys = Keys::default();
            let key = keys.temporary();
            let token = key.session_token.as_ref().unwrap().expose();
            let mut call = get().header("x-amz-security-token", token);
            call.id.clone_from(&key.access_key_id);
            key.secret_access_key.expose().clone_into(&mut call.secret);
            (call, V4)
        }
        GetDomain => {
            let mut call = get();
            call.host = format!("zenml-demo.cname.localhost:{}", sandbox.address().port());
            (call, V2)
        }
        Range => (get().header("range", "bytes=2-4"), V4),
        IfMatch => (get().header("if-match", "\"0\""), V4),
        Head => (sandbox.call(Method::HEAD, "object"), V4),
        HeadMissing => (sandbox.call(Method::HEAD, "missing"), V4),
        HeadBucket => (sandbox.call(Method::HEAD, ""), V4),
        List => (sandbox.get("").query("list-type", "2").query("prefix", "obj"), V4),
        NextPage => {
            let page = sandbox.get("").query("list-type", "2").query("prefix", "o");
            (page.query("max-keys", "1"), V4)
        }
        Link => (get().presigned(V4, 60), Signature::None),
        Versioning => (sandbox.get("").query("versioning", ""), V4),
        ListBuckets => {
            let mut call = sandbox.get("");
            (call.host, call.bucket) = (sandbox.host(), None);
            (call, V4)
        }
        CreateBucket => (sandbox.call(Method::PUT, ""), V4),
        Put => (sandbox.put("new", "x"), V4),
        PutPlus => (sandbox.put("a+b", "x"), V4),
        Copy => (sandbox.put("copy", "").header("x-amz-copy-source", "/zenml-demo/object"), V4),
        Delete => (sandbox.call(Method::DELETE, "other"), V4),
        DeleteMany => {
            let call = many();
            let digest = md5(&call.body);
            (call.header("content-md5", &digest), V4)
        }
        DeleteManyCrc => {
            let call = many();
            let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &call.body);
            let crc = BASE64.encode(u32::try_from(crc).unwrap().to_be_bytes());
            (call.header("x-amz-checksum-crc32", &crc), V4)
        }
        Upload => (sandbox.call(Method::POST, "parts").query("uploads", ""), V4),
    }
}

/// What a client is told, in a few words.
async fn told(sandbox: &Running, probe: Probe, patience: Duration) -> String {
    let (mut call, signature) = call(sandbox, probe);
    if probe == NextPage {
        let first = call.clone().send(signature).await;
        call = call.query("continuation-token", &first.element("NextContinuationToken"));
    }
    let answer = match tokio::time::timeout(patience, call.try_send(signature)).await {
        Err(_) => return "silence".to_owned(),
        Ok(Err(_)) => return "broken".to_owned(),
        Ok(Ok(answer)) => answer,
    };
    let mut words = vec![answer.status.as_u16().to_string(), answer.element("Code")];
    words.push(answer.header("content-disposition").to_owned());
    words.push(answer.header("x-oss-ec").to_owned());
    if !answer.header("retry-after").is_empty() {
        words.push(format!("retry {}", answer.header("retry-after")));
    }
    words.push(match probe {
        _ if !answer.status.is_success() => String::new(),
        PutPlus => {
            let list = sandbox.get("").query("prefix", "a").send(V4).await;
            contents(&list)
        }
        _ => contents(&answer),
    });
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

fn contents(answer: &Answer) -> String {
    let text = answer.text();
    if answer.header("content-type") == "text/html" {
        return "page".to_owned();
    }
    if !text.starts_with("<?xml") {
        return text;
    }
    if !text.trim_end().ends_with('>') || !text.contains("</") || half(&text) {
        return "half".to_owned();
    }
    if !answer.element("UploadId").is_empty() {
        return "upload".to_owned();
    }
    let words = ["Key", "Name", "StorageClass"].map(|name| answer.all(name).join(","));
    // a list of objects also tells the bucket's name, and that of buckets their class
    let [keys, names, classes] = words;
    match (keys.is_empty(), text.contains("<Buckets>")) {
        (_, true) => names,
        (false, _) => format!("{keys} {classes}").trim().to_owned(),
        _ => String::new(),
    }
}

/// Whether the document's first element is not closed.
fn half(text: &str) -> bool {
    let root = text.split_once("?>").unwrap().1.trim_start().trim_start_matches('<');
    let name: String = root.chars().take_while(char::is_ascii_alphanumeric).collect();
    !text.contains(&format!("</{name}>"))
}

/// What every run begins with.
async fn prepare(sandbox: &Running) {
    for (key, body) in [("object", "0123456789"), ("other", "x")] {
        assert_eq!(sandbox.put(key, body).send(V2).await.status.as_u16(), 200);
    }
    let left = ["new", "a+b", "a b", "copy"];
    for key in left {
        sandbox.call(Method::DELETE, key).send(V2).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn without_faults_nothing_is_wrong() {
    let sandbox = Running::start(Seed::Empty);
    for probe in ALL {
        prepare(&sandbox).await;
        assert_eq!(told(&sandbox, probe, PATIENCE).await, sound(probe), "{probe:?}");
    }
}

#[tokio::test]
async fn every_fault_is_met_as_oss_tells_it_and_is_gone_when_it_is_off() {
    let sandbox = Running::start(Seed::Empty);
    for (fault, touched) in TABLE {
        for (probe, expected) in *touched {
            assert_ne!(*expected, sound(*probe), "{fault}: {probe:?} would show nothing");
            prepare(&sandbox).await;
            let mut faults = Faults::default();
            faults.switch_on(fault).unwrap();
            sandbox.faults.change(|on| *on = faults);
            // what never answers need not be waited for
            let patience =
                if *expected == "silence" { Duration::from_millis(100) } else { PATIENCE };
            let met = told(&sandbox, *probe, patience).await;
            sandbox.faults.change(|on| *on = Faults::default());
            assert_eq!(met, *expected, "{fault}: {probe:?}");
        }
    }
    for probe in ALL {
        prepare(&sandbox).await;
        assert_eq!(told(&sandbox, probe, PATIENCE).await, sound(probe), "{probe:?}");
    }
}

#[test]
fn no_fault_is_a_stub() {
    for fault in FAULTS {
        let shown = TABLE.iter().any(|(text, touched)| {
            text.split('=').next() == Some(fault.name) && !touched.is_empty()
        });
        assert!(shown || OF_CERTIFICATES.contains(&fault.name), "{} has no probe", fault.name);
    }
}

/// What the faults do not touch still works: a wrong key is told from a forbidden one by this.
#[tokio::test]
async fn a_fault_leaves_the_rest_alone() {
    let sandbox = Running::start(Seed::Empty);
    for (fault, probes) in [
        ("v2-off", &[Get, List][..]),
        ("v4-off", &[GetV2]),
        ("token-expired", &[Get, GetV2]),
        ("read-only", &[Get, List, Head, HeadMissing, HeadBucket]),
        ("no-list", &[Get, Put, Delete, HeadMissing, HeadBucket, ListBuckets]),
        ("no-versioning", &[List, Get, HeadBucket]),
        ("no-list-buckets", &[List, Get, Put]),
        ("no-read", &[List, Put, Delete, HeadBucket]),
        ("no-delete", &[Get, Put, Upload]),
        ("no-head-bucket", &[Get, List, Put]),
        ("no-append-read", &[Range, Head]),
        ("quota", &[Get, Delete, List]),
        ("archived=other", &[Get, Head, List]),
        ("bucket-disabled", &[ListBuckets]),
        ("other-account", &[ListBuckets]),
        ("public-endpoint-forbidden", &[ListBuckets, HeadBucket, GetDomain]),
        ("forced-download", &[GetDomain, Head]),
        ("truncated-listing", &[Get]),
        ("skew=10", &[Get, GetV2]),
    ] {
        for probe in probes {
            prepare(&sandbox).await;
            sandbox.faults.change(|faults| faults.switch_on(fault).unwrap());
            let met = told(&sandbox, *probe, PATIENCE).await;
            sandbox.faults.change(|on| *on = Faults::default());
            assert_eq!(met, sound(*probe), "{fault}: {probe:?}");
        }
    }
}

#[tokio::test]
async fn shares_are_spread_and_faults_combine() {
    let sandbox = Running::start(Seed::Empty);
    prepare(&sandbox).await;
    sandbox.faults.change(|faults| {
        faults.switch_on("unavailable=20").unwrap();
        faults.switch_on("no-list").unwrap();
    });
    let mut refused = 0;
    for _ in 0..20 {
        match told(&sandbox, Get, PATIENCE).await.as_str() {
            "200 0123456789" => {}
            "503 SlowDown 0004-00000302 retry 1" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 4);
    let lists: Vec<String> =
        [told(&sandbox, List, PATIENCE).await, told(&sandbox, List, PATIENCE).await].into();
    assert!(lists.contains(&DENIED.to_owned()), "{lists:?}");
}

#[tokio::test]
async fn a_certificate_can_be_expired_self_signed_or_anothers() {
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
    use std::sync::Arc;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring, time_provider};

    /// A clock that stands: the certificates are of the sandbox's time, not of today's.
    #[derive(Debug)]
    struct At(UnixTime);
    impl time_provider::TimeProvider for At {
        fn current_time(&self) -> Option<UnixTime> {
            Some(self.0)
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let sandbox = Running::start_with(Seed::Empty, Some(folder.path().to_owned()));
    let mut roots = RootCertStore::empty();
    let ca = sandbox.description.ca.clone().unwrap();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let now = u64::try_from(super::sandbox_client::NOW.unix_timestamp()).unwrap();
    let time = Arc::new(At(UnixTime::since_unix_epoch(Duration::from_secs(now))));
    let config = ClientConfig::builder_with_details(Arc::new(ring::default_provider()), time)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let shaken = async |name: &'static str| {
        let socket = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        match connector.connect(name, socket).await {
            Ok(_) => "sound".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let hosts =
        ["zenml-demo.oss-sandbox.localhost", "oss-sandbox-b.localhost", "demo.cname.localhost"];
    for host in hosts {
        assert_eq!(shaken(host).await, "sound", "{host}");
    }
    for (fault, says) in
        OF_CERTIFICATES.into_iter().zip(["Expired", "UnknownIssuer", "not valid for name"])
    {
        sandbox.faults.change(|faults| {
            *faults = Faults::default();
            faults.switch_on(fault).unwrap();
        });
        let told = shaken(hosts[0]).await;
        assert!(told.to_lowercase().contains(&says.to_lowercase()), "{fault}: {told}");
    }
}
