//! Certificates that must not be trusted: named, and nobody is told anything.

use osstack::oss::listing::ListRequest;
use osstack::oss::{Kind, Link};
use rcgen::{CertificateParams, date_time_ymd};

use super::server::{HOST, Server, bucket, certificate, client, list_error, network};
use osstack::ports::env::Env;
use osstack::ports::network::Network;

pub(super) fn valid(from: i32, to: i32) -> CertificateParams {
    let mut params = certificate(&[HOST]);
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

#[tokio::test]
async fn what_is_wrong_is_said_and_no_request_leaves() {
    for (params, by_authority, words) in [
        (valid(2020, 2021), true, "has expired"),
        (valid(2900, 2901), true, "not valid yet"),
        (certificate(&["oss.evil.test"]), true, "another host name"),
        // a wildcard stands for one label
        (CertificateParams::new(vec!["*.localhost".into()]).unwrap(), true, "another host name"),
        (certificate(&[HOST]), false, "not known to this machine"),
    ] {
        let server = Server::certified(&params, by_authority).await;
        let error = list_error(&server.client()).await;
        assert_eq!(error.kind, Kind::Network(Link::Tls), "{words}: {error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(error.explain().next.contains("OSSTACK_CA_FILE"), "{:?}", error.explain());
        assert_eq!(server.connections(), 1, "{words}: asking again changes nothing");
        assert!(server.requests().is_empty(), "{words}");
    }
}

#[tokio::test]
async fn a_stranger_is_trusted_only_where_his_authority_is_named() {
    let server = Server::certified(&certificate(&[HOST]), true).await;
    let stranger = Network::new(&Env::default()).unwrap();
    let error = list_error(&client(&stranger, server.endpoint(HOST))).await;
    assert!(error.to_string().contains("OSSTACK_CA_FILE"), "{error}");
    assert!(server.requests().is_empty());
    client(&network(), server.endpoint(HOST))
        .list_page(&bucket(), &ListRequest::default())
        .await
        .unwrap();
}
