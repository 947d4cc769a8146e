//! Connections that stand still, break, or were broken before: at every stage, and how soon a
//! cancelled call answers.

use std::time::Duration;

use osstack::model::endpoint::Endpoint;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::PutOptions;
use osstack::oss::{Client, Kind, Link};
use osstack::ports::network::Limits;
use tokio::time::Instant;

use super::server::{
    Door, HASTY, HOST, PAGE, Reply, Server, Way, bucket, client, list_error, network, ok, with_head,
};
use crate::closed_port::ClosedPort;

const TIMEOUT: Kind = Kind::Network(Link::Timeout);
const CLOSED: Kind = Kind::Network(Link::Closed);

#[tokio::test]
async fn silence_ends_in_a_time_out() {
    for way in Way::BOTH {
        let server = Server::shut(way, Door::Silent).await;
        let error = list_error(&server.hasty_client()).await;
        assert_eq!(error.kind, TIMEOUT, "{way:?}: {error}");
        assert!(error.to_string().contains("no answer within 0.3 s"), "{error}");

        let server = Server::always(way, Reply::Silence).await;
        // the connection stands before the clock is short
        let upload = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
        let put = server.hasty_client().put(&bucket(), "k", "x".into(), &upload).await;
        assert_eq!(put.unwrap_err().kind, TIMEOUT, "{way:?}");
        assert!(server.requests().len() <= 1, "what may have been done is not done again");
    }
}

#[tokio::test]
async fn all_repeats_of_a_page_have_one_limit() {
    let limits = Limits { call: Duration::from_millis(700), ..HASTY };
    let server = Server::always(Way::Http, Reply::Silence).await;
    let client = client(&network().with_limits(limits), server.endpoint(HOST));
    let error = list_error(&client).await;
    assert_eq!(error.kind, TIMEOUT);
    let tries = server.requests().len();
    assert!((2..=3).contains(&tries), "{tries} tries of 0.3 s in 0.7 s");
    // one that never stops talking is no exception
    let head = b"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>".to_vec();
    let drip = Reply::Drip(head, b" ".to_vec(), Duration::from_millis(20));
    let server = Server::always(Way::Http, drip).await;
    let client = super::server::client(&network().with_limits(limits), server.endpoint(HOST));
    let error = list_error(&client).await;
    assert!(error.to_string().contains("more than 0.7 s"), "{error}");
}

/// A byte a second, on a clock that runs ahead while nothing happens.
#[tokio::test(start_paused = true)]
async fn a_byte_a_second_is_not_waited_for() {
    let second = Duration::from_secs(1);
    let network = network().with_limits(Limits::default());
    let head = b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec();
    let server = Server::always(Way::Http, Reply::Drip(head, b"a".to_vec(), second)).await;
    let client = client(&network, server.endpoint(HOST));
    let began = Instant::now();
    let put = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
    let error = client.put(&bucket(), "k", "x".into(), &put).await.unwrap_err();
    assert_eq!(error.kind, TIMEOUT, "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());

    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = Server::always(Way::Http, Reply::Drip(head, b"a".to_vec(), second)).await;
    let client = super::server::client(&network, server.endpoint(HOST));
    let mut download = client.get(&bucket(), "k", None).await.unwrap().value;
    let began = Instant::now();
    let error = loop {
        match download.body.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the body ended"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("1 KiB a second"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(70), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_body_that_stops_ends_in_a_time_out() {
    for way in Way::BOTH {
        let half = with_head("200 OK", "Content-Length: 1000\r\n", b"half");
        let server = Server::always(way, Reply::Keep(half)).await;
        let limits = Limits { idle_read: HASTY.idle_read, ..network().limits() };
        let client = client(&network().with_limits(limits), server.endpoint(HOST));
        let mut download = client.get(&bucket(), "k", None).await.unwrap().value;
        assert_eq!(download.body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
        let error = download.body.chunk().await.unwrap_err();
        assert_eq!(error.kind, TIMEOUT);
        assert!(error.to_string().contains("stopped for 0.3 s"), "{error}");
    }
}

#[tokio::test]
async fn a_reset_at_any_stage_is_said_and_tried_again() {
    let half_page = with_head("200 OK", "Content-Length: 1000\r\n", PAGE.as_bytes());
    for way in Way::BOTH {
        let server = Server::shut(way, Door::Reset).await;
        let error = list_error(&server.client()).await;
        assert_eq!(error.kind, CLOSED, "{way:?} at the door: {error}");
        assert_eq!(server.connections(), 5, "{way:?}");
        for (stage, reply, kinds) in [
            ("unanswered", Reply::Close, &[CLOSED][..]),
            ("after the request", Reply::Reset(Vec::new()), &[CLOSED]),
            ("in the head", Reply::Reset(b"HTTP/1.1 200 OK\r\nX-".to_vec()), &[CLOSED]),
            // what came before the reset may be lost with it
            ("in the body", Reply::Reset(half_page.clone()), &[Kind::Truncated, CLOSED]),
        ] {
            let server = Server::always(way, reply).await;
            let error = list_error(&server.client()).await;
            assert!(kinds.contains(&error.kind), "{way:?} {stage}: {:?} {error}", error.kind);
            assert_eq!(server.requests().len(), 5, "{way:?} {stage}");
        }
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let once = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
    for reply in [Reply::Close, Reply::Reset(Vec::new()), Reply::Reset(b"HTTP/1.1 200".to_vec())] {
        let server = Server::always(Way::Http, reply.clone()).await;
        let put = server.client().put(&bucket(), "k", "x".into(), &once).await;
        assert_eq!(put.unwrap_err().kind, CLOSED);
        let parts = [];
        let done = server.client().complete_upload(&bucket(), "k", "u", &parts, Some(0)).await;
        assert_eq!(done.unwrap_err().kind, CLOSED);
        let begun = server.client().create_upload(&bucket(), "k", &PutOptions::default()).await;
        assert_eq!(begun.unwrap_err().kind, CLOSED);
        assert_eq!(server.requests().len(), 3, "each of them once");
        // the same bytes under the same name are the same, however often they come
        let put = server.client().put(&bucket(), "k", "x".into(), &PutOptions::default()).await;
        assert_eq!(put.unwrap_err().kind, CLOSED);
        assert_eq!(server.requests().len(), 3 + 5);
    }
}

#[tokio::test]
async fn a_connection_that_went_stale_costs_nothing_but_a_repeat() {
    for way in Way::BOTH {
        let server = Server::new(way, |number, _| match number {
            0 | 2 => Reply::Keep(with_head("200 OK", "", PAGE.as_bytes())),
            _ => Reply::Close,
        })
        .await;
        let client = server.client();
        client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
        client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
        assert_eq!(server.requests().len(), 3);
        assert_eq!(server.connections(), 2, "the first one served twice");
    }
}

#[tokio::test]
async fn nobody_there_is_refused() {
    let closed = ClosedPort::new();
    for scheme in ["http", "https"] {
        let endpoint = Endpoint::parse(&format!("{scheme}://{HOST}:{}", closed.port())).unwrap();
        let error = list_error(&client(&network(), endpoint)).await;
        assert_eq!(error.kind, Kind::Network(Link::Refused), "{error}");
    }
}

#[tokio::test]
async fn greetings_of_other_protocols_are_no_oss() {
    let ssh = b"SSH-2.0-OpenSSH_9.6\r\n".to_vec();
    let server = Server::shut(Way::Http, Door::Says(ssh.clone())).await;
    let error = list_error(&server.client()).await;
    // a greeting may come before the request was sent
    assert!(matches!(error.kind, Kind::NotOss | CLOSED), "{error}");
    let server = Server::shut(Way::Https, Door::Says(ssh)).await;
    let error = list_error(&server.client()).await;
    assert_eq!(error.kind, Kind::Network(Link::Tls), "{error}");
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    // http to an https port
    let server = Server::always(Way::Https, ok(PAGE)).await;
    let endpoint = Endpoint::parse(&format!("http://{HOST}:{}", server.port)).unwrap();
    let error = list_error(&client(&network(), endpoint)).await;
    assert!(matches!(error.kind, Kind::NotOss | CLOSED), "{error}");
    assert!(server.requests().is_empty());
}

/// Begins to list, and stops once `server` was asked; answers how long the stop took.
async fn stopped(server: &Server, client: &Client) -> Duration {
    let cancel = tokio_util::sync::CancellationToken::new();
    let request = ListRequest::default();
    let bucket = bucket();
    let listing = cancel.run_until_cancelled(client.list_page(&bucket, &request));
    let began = tokio::sync::OnceCell::new();
    let stop = async {
        server.asked(1).await;
        // from here on only what waits for a timer lets time pass
        tokio::time::pause();
        began.set(Instant::now()).unwrap();
        cancel.cancel();
    };
    let (answer, ()) = tokio::join!(listing, stop);
    assert!(answer.is_none(), "it was stopped, not answered");
    began.get().unwrap().elapsed()
}

#[tokio::test]
async fn a_stop_in_the_middle_of_silence_is_heard_at_once() {
    let server = Server::always(Way::Http, Reply::Silence).await;
    assert!(stopped(&server, &server.client()).await < Duration::from_millis(200));
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_body_is_heard_at_once() {
    let half = with_head("200 OK", "Content-Length: 1000\r\n", b"half");
    let server = Server::always(Way::Https, Reply::Keep(half)).await;
    assert!(stopped(&server, &server.client()).await < Duration::from_millis(200));
}

#[tokio::test]
async fn a_stop_while_waiting_to_repeat_is_heard_at_once() {
    let busy = with_head("503 Service Unavailable", "Retry-After: 50\r\n", b"");
    let server = Server::always(Way::Http, Reply::Keep(busy)).await;
    assert!(stopped(&server, &server.client()).await < Duration::from_millis(200));
}
