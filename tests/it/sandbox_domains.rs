//! Custom domains: the way out of `PublicEndpointForbidden`.

use http::Method;
use osstack::sandbox::{CustomDomain, Seed};

use super::sandbox_client::{Call, Running, Signature};
use Signature::{V2, V4};

fn under(sandbox: &Running, name: &str, call: Call) -> Call {
    Call { host: format!("{name}:{}", sandbox.address().port()), ..call }
}

#[tokio::test]
async fn what_the_public_endpoint_refuses_a_custom_domain_serves() {
    let sandbox = Running::start_configured(Seed::Empty, |config| {
        config.faults.public_endpoint_forbidden = true;
        config.domains = vec!["data.example.localhost=zenml-demo".parse().unwrap()];
    });
    for name in ["zenml-demo.cname.localhost", "data.example.localhost"] {
        for signature in [V2, V4] {
            let forbidden = sandbox.put("a b+中", "hello").send(signature).await;
            assert_eq!(forbidden.refusal().1, "PublicEndpointForbidden");
            let put = under(&sandbox, name, sandbox.put("a b+中", "hello"));
            assert_eq!(put.send(signature).await.status.as_u16(), 200);
            let get = under(&sandbox, name, sandbox.get("a b+中"));
            assert_eq!(get.clone().send(signature).await.body, "hello");
            assert_eq!(get.presigned(signature, 60).transmit().await.unwrap().body, "hello");
            let list = under(&sandbox, name, sandbox.get("").query("list-type", "2"));
            assert_eq!(list.send(signature).await.all("Key"), ["a b+中"]);
            let head = under(&sandbox, name, sandbox.call(Method::HEAD, ""));
            assert_eq!(head.send(signature).await.status.as_u16(), 200);
            let delete = under(&sandbox, name, sandbox.call(Method::DELETE, "a b+中"));
            assert_eq!(delete.send(signature).await.status.as_u16(), 204);
        }
    }
}

#[tokio::test]
async fn a_domain_is_one_bucket_and_no_service() {
    let sandbox = Running::start(Seed::Demo);
    let name = "zenml-demo-b.cname.localhost";
    // the region of a bucket does not matter under its own name
    let mut list = under(&sandbox, name, sandbox.get(""));
    list.bucket = Some("zenml-demo-b".into());
    let keys = list.send(V2).await.all("Key");
    assert!(!keys.is_empty() && keys.iter().all(|key| key.starts_with("zenml/")), "{keys:?}");
    for absent in ["missing.cname.localhost", "cname.localhost", "zenml-demo.example.localhost"] {
        let answer = under(&sandbox, absent, sandbox.get("k")).send(V4).await;
        let expected = (404, "NoSuchBucket".into(), "0015-00000101".into());
        assert_eq!(answer.refusal(), expected, "{absent}");
    }
    // s3fs asks for this when HEAD fails
    let create = under(&sandbox, "zenml-demo.cname.localhost", sandbox.call(Method::PUT, ""));
    assert_eq!(create.send(V2).await.status.as_u16(), 400);
}

#[tokio::test]
async fn the_first_line_tells_what_to_configure() {
    let sandbox = Running::start_configured(Seed::Empty, |config| {
        config.domains = vec![
            "data.example.localhost=zenml-demo".parse().unwrap(),
            "zenml-demo.cdn.localhost=zenml-demo".parse().unwrap(),
        ];
    });
    let port = sandbox.address().port();
    let domain = |host: &str, endpoint: Option<&str>| CustomDomain {
        bucket: "zenml-demo".into(),
        url: format!("http://{host}:{port}"),
        endpoint: endpoint.map(|host| format!("http://{host}:{port}")),
    };
    let expected = [
        domain("zenml-demo.cname.localhost", Some("cname.localhost")),
        domain("data.example.localhost", None),
        domain("zenml-demo.cdn.localhost", Some("cdn.localhost")),
    ];
    assert_eq!(sandbox.description.custom_domains, expected);
}
