//! Servers that send the client somewhere else. A redirect is advice; the endpoint that OSS names
//! for a bucket of another region is followed within the same family of hosts, once, and said.

use osstack::model::store::Signature;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::PutOptions;
use osstack::oss::{Access, Client, Healed, Kind};
use osstack::ports::clock::SystemClock;

use super::server::{
    NoJitter, PAGE, Reply, Server, Way, access, answer, bucket, client, list_error, network, ok,
    refusal,
};

#[tokio::test]
async fn a_redirect_is_advice_and_nothing_is_sent_there() {
    for way in Way::BOTH {
        let other = Server::always(Way::Http, ok(PAGE)).await;
        for status in [
            "301 Moved Permanently",
            "302 Found",
            "303 See Other",
            "307 Temporary Redirect",
            "308 Permanent Redirect",
        ] {
            let location = format!("Location: http://elsewhere.localhost:{}/\r\n", other.port);
            let server = Server::always(way, answer(status, &location, "")).await;
            let error = list_error(&server.client()).await;
            assert_eq!(error.kind, Kind::Settings, "{status}");
            let next = error.explain().next;
            assert!(next.contains("elsewhere.localhost"), "{next}");
            let client = server.client();
            assert!(client.head(&bucket(), "k").await.is_err());
            assert!(client.get(&bucket(), "k", None).await.is_err());
            let put = client.put(&bucket(), "k", "x".into(), &PutOptions::default()).await;
            assert_eq!(put.unwrap_err().kind, Kind::Settings);
        }
        assert_eq!((other.requests().len(), other.connections()), (0, 0));
    }
}

#[tokio::test]
async fn a_location_in_any_bytes_is_shown_safely() {
    let reply = b"HTTP/1.1 302 Found\r\nLocation: http://\xe9\xff/\x01\r\n\r\n".to_vec();
    let server = Server::always(Way::Http, Reply::Once(reply)).await;
    let error = list_error(&server.client()).await;
    assert!(matches!(error.kind, Kind::Settings | Kind::NotOss), "{error}");
    assert!(!error.explain().next.chars().any(char::is_control));
}

fn elsewhere(endpoint: &str) -> Reply {
    refusal(
        "403 Forbidden",
        "x-oss-ec: 0003-00001403\r\n",
        &format!(
            "<Code>AccessDenied</Code><EC>0003-00001403</EC><Bucket>your-bucket-name</Bucket>\
             <Endpoint>{endpoint}</Endpoint>"
        ),
    )
}

fn port(head: &str) -> &str {
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    host.rsplit(':').next().unwrap()
}

fn asked_at(head: &str, host: &str) -> bool {
    head.contains(&format!("host: your-bucket-name.{host}:"))
}

/// The bucket lies at oss-b; oss-a says so, to a HEAD by the EC alone.
async fn two_regions(way: Way) -> Server {
    Server::new(way, |_, head| {
        if asked_at(head, "oss-b.localhost") {
            return match head.split(' ').next() {
                Some("HEAD") => answer("200 OK", "Content-Length: 7\r\nETag: \"A\"\r\n", ""),
                Some("PUT") => answer("200 OK", "ETag: \"A\"\r\n", ""),
                _ => ok(PAGE),
            };
        }
        if head.starts_with("HEAD") {
            return answer("403 Forbidden", "x-oss-ec: 0003-00001403\r\n", "");
        }
        elsewhere(&format!("oss-b.localhost:{}", port(head)))
    })
    .await
}

#[tokio::test]
async fn a_bucket_of_another_region_is_asked_for_there() {
    for way in Way::BOTH {
        let server = two_regions(way).await;
        let client = client(&network(), server.endpoint("oss-a.localhost"));
        assert_eq!(client.healed(&bucket()), None);
        client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
        let healed = Healed {
            bucket: bucket(),
            from: server.endpoint("oss-a.localhost"),
            to: server.endpoint("oss-b.localhost"),
        };
        assert_eq!(client.healed(&bucket()), Some(healed.clone()));
        assert!(healed.to_string().contains("oss-b.localhost"), "{healed}");
        assert_eq!(server.requests().len(), 2);
        // from now on straight away, by whatever call
        client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
        client.put(&bucket(), "k", "x".into(), &PutOptions::default()).await.unwrap();
        assert_eq!(client.head(&bucket(), "k").await.unwrap().size, Some(7));
        let link =
            client.presign("GET", &bucket(), Some("k".into()), std::time::Duration::from_secs(9));
        assert!(link.contains("oss-b.localhost"), "{link}");
        let requests = server.requests();
        assert_eq!(requests.len(), 5);
        assert!(requests[2..].iter().all(|head| asked_at(head, "oss-b.localhost")));
    }
}

#[tokio::test]
async fn a_head_finds_the_way_by_asking_as_a_get() {
    let server = two_regions(Way::Http).await;
    let client = client(&network(), server.endpoint("oss-a.localhost"));
    assert_eq!(client.head(&bucket(), "k").await.unwrap().size, Some(7));
    let methods: Vec<String> =
        server.requests().iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["HEAD", "GET", "GET", "HEAD"]);
    let server = two_regions(Way::Http).await;
    let client = super::server::client(&network(), server.endpoint("oss-a.localhost"));
    client.head_bucket(&bucket()).await.unwrap();
}

#[tokio::test]
async fn the_new_host_is_signed_for() {
    let server = two_regions(Way::Http).await;
    let endpoint = server.endpoint("oss-a.localhost");
    let access = Access { signature: Signature::V4, ..access(endpoint) };
    let client = Client::new(
        &network(),
        std::sync::Arc::new(SystemClock),
        std::sync::Arc::new(NoJitter),
        access,
    );
    client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
    let signatures: Vec<String> = server
        .requests()
        .iter()
        .map(|head| head.split("Signature=").nth(1).unwrap()[..64].to_owned())
        .collect();
    assert_ne!(signatures[0], signatures[1], "S3 V4 signs the host");
}

#[tokio::test]
async fn a_strict_client_goes_nowhere_else() {
    let server = two_regions(Way::Http).await;
    let client = client(&network(), server.endpoint("oss-a.localhost")).strict();
    let error = list_error(&client).await;
    assert_eq!(error.ec.as_deref(), Some("0003-00001403"));
    let error = client.head_bucket(&bucket()).await.unwrap_err();
    assert!(error.endpoint.as_deref().unwrap().starts_with("oss-b.localhost:"), "{error:?}");
    assert!(server.requests().iter().all(|head| asked_at(head, "oss-a.localhost")));
    assert_eq!(client.all_healed(), []);
}

#[tokio::test]
async fn a_new_bucket_is_made_where_it_was_asked_for() {
    let server = two_regions(Way::Http).await;
    let client = client(&network(), server.endpoint("oss-a.localhost"));
    client.create_bucket(&bucket()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn no_advice_leads_out_of_the_family() {
    let other = Server::always(Way::Http, ok(PAGE)).await;
    for endpoint in [
        format!("oss-b.localhost:{}", other.port),
        format!("127.0.0.1:{}", other.port),
        format!("localhost.evil.tld:{}", other.port),
        "oss-cn-beijing.aliyuncs.com".to_owned(),
        "169.254.169.254".to_owned(),
        "100.100.100.200".to_owned(),
        "evil.tld/".to_owned(),
        String::new(),
    ] {
        let server = Server::always(Way::Http, elsewhere(&endpoint)).await;
        let client = client(&network(), server.endpoint("oss-a.localhost"));
        let error = list_error(&client).await;
        assert_eq!(error.ec.as_deref(), Some("0003-00001403"), "{endpoint}");
        assert_eq!((server.requests().len(), client.all_healed()), (1, vec![]), "{endpoint}");
    }
    assert_eq!(other.connections(), 0);
    // and a custom domain is never left
    let server = Server::always(Way::Https, elsewhere("oss-cn-beijing.aliyuncs.com")).await;
    let network = network().with_host("oss.example.test", &["127.0.0.1".parse().unwrap()]);
    let client = client(&network, server.endpoint("oss.example.test"));
    assert_eq!(list_error(&client).await.ec.as_deref(), Some("0003-00001403"));
    assert_eq!((server.requests().len(), client.all_healed()), (1, vec![]));
}

#[tokio::test]
async fn two_regions_that_point_to_each_other_are_left() {
    let server = Server::new(Way::Http, |_, head| {
        let to = if asked_at(head, "oss-a.localhost") { "oss-b" } else { "oss-a" };
        elsewhere(&format!("{to}.localhost:{}", port(head)))
    })
    .await;
    let client = client(&network(), server.endpoint("oss-a.localhost"));
    let error = list_error(&client).await;
    let named = error.endpoint.as_deref().unwrap();
    assert!(named.starts_with("oss-b.localhost"), "the first answer is the one to act on: {named}");
    assert_eq!((server.requests().len(), client.all_healed()), (2, vec![]));
}

#[tokio::test]
async fn a_refusal_there_is_the_answer() {
    let server = Server::new(Way::Http, |_, head| {
        if asked_at(head, "oss-b.localhost") {
            return refusal("404 Not Found", "", "<Code>NoSuchKey</Code>");
        }
        elsewhere(&format!("oss-b.localhost:{}", port(head)))
    })
    .await;
    let client = client(&network(), server.endpoint("oss-a.localhost"));
    let error = client.get(&bucket(), "k", None).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("NoSuchKey"));
    assert!(client.healed(&bucket()).is_some());
}
