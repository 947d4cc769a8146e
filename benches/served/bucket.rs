//! A bucket held in memory as ready made XML, so that it is the client that is measured.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// The keys of a bucket, in order.
fn keys(shape: &str, count: usize) -> Vec<String> {
    // the golden ratio's digits: as random as is needed, the same each time
    let random = |number: usize| {
        (number as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    };
    let mut keys: Vec<String> = (0..count)
        .map(|number| {
            let hex = format!("{:032x}", random(number));
            match shape {
                "numbered" => format!("zenml/{number:08}-{}-{hex}.json", &hex[..24]),
                "hex" => format!("{hex}/{}/0123456789.parquet", &hex[8..24]),
                // step/output/version/salt, as ZenML writes it
                "zenml" => {
                    let (step, output) = (number / 4 % 23, number / 4 % 3);
                    let version = format!("{:032x}", random(number / 4));
                    let file = number % 4;
                    format!(
                        "zenml/step_{step}/output_{output}/{version}/{}/data_{file}.json",
                        &version[..8]
                    )
                }
                _ => unreachable!("no shape {shape}"),
            }
        })
        .collect();
    keys.sort();
    keys
}

/// All pages of XML in one text: a page is a piece of it.
pub(crate) struct Shelf {
    keys: Vec<String>,
    xml: Bytes,
    ends: Vec<usize>,
    delay: Duration,
}

impl Shelf {
    pub(crate) fn new(shape: &str, count: usize, delay: Duration) -> Self {
        let keys = keys(shape, count);
        let mut xml = String::with_capacity(count * 390);
        let mut ends = Vec::with_capacity(count);
        for (number, key) in keys.iter().enumerate() {
            write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>2026-03-15T10:20:{:02}.000Z</LastModified>\
                 <ETag>\"{number:032X}\"</ETag><Type>Normal</Type><Size>{}</Size>\
                 <StorageClass>Standard</StorageClass><Owner><ID>0022012345678901</ID>\
                 <DisplayName>0022012345678901</DisplayName></Owner></Contents>",
                key.replace('/', "%2F"),
                number % 60,
                number.wrapping_mul(0x9E37_79B9) % 100_000_000,
            )
            .unwrap();
            ends.push(xml.len());
        }
        Self { keys, xml: xml.into(), ends, delay }
    }

    fn page(&self, query: &str) -> [Bytes; 3] {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(other, _)| *other == name).map(|(_, value)| value);
            value.map(|value| osstack::base::url_encode::decode(value).unwrap())
        };
        let token = |token: String| String::from_utf8(hex::decode(token).unwrap()).unwrap();
        let after = value("continuation-token").map(token).or_else(|| value("start-after"));
        let prefix = value("prefix").unwrap_or_default();
        let most = value("max-keys").and_then(|most| most.parse().ok()).unwrap_or(100);
        let after = after.unwrap_or_default();
        if value("delimiter").is_some() {
            return self.folded(&prefix, &after, most);
        }
        let first = self.keys.partition_point(|key| *key <= after || *key < prefix);
        let end = self.keys.partition_point(|key| *key < prefix || key.starts_with(&prefix));
        let last = (first + most).min(end);
        let at = |index: usize| index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let is_whole = last == end;
        let next = if is_whole {
            String::new()
        } else {
            let token = hex::encode(&self.keys[last - 1]);
            format!("<NextContinuationToken>{token}</NextContinuationToken>")
        };
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>bench-bucket</Name>\
             <EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{next}",
            !is_whole
        );
        [head.into(), self.xml.slice(at(first)..at(last)), "</ListBucketResult>".into()]
    }

    /// A page folded at `/`; an object right below the prefix does not come up in these shapes.
    fn folded(&self, prefix: &str, after: &str, most: usize) -> [Bytes; 3] {
        let mut at = self.keys.partition_point(|key| key.as_str() < prefix);
        let (mut rows, mut count, mut next) = (String::new(), 0, String::new());
        while let Some(rest) = self.keys.get(at).and_then(|key| key.strip_prefix(prefix)) {
            let name = rest.split_inclusive('/').next().unwrap();
            let folder = format!("{prefix}{name}");
            at += self.keys[at..].partition_point(|key| key.starts_with(&folder));
            if *folder <= *after {
                continue;
            }
            if count == most {
                next = format!("<NextContinuationToken>{next}</NextContinuationToken>");
                break;
            }
            let encoded = folder.replace('/', "%2F");
            write!(rows, "<CommonPrefixes><Prefix>{encoded}</Prefix></CommonPrefixes>").unwrap();
            next = hex::encode(&folder);
            count += 1;
        }
        let is_cut = next.starts_with('<');
        let next = if is_cut { next } else { String::new() };
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>bench-bucket</Name>\
             <EncodingType>url</EncodingType><IsTruncated>{is_cut}</IsTruncated>{next}"
        );
        [head.into(), rows.into(), "</ListBucketResult>".into()]
    }
}

/// Serves a bucket for ever.
pub(crate) async fn accept(listener: tokio::net::TcpListener, shelf: Arc<Shelf>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let shelf = Arc::clone(&shelf);
        let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
            let shelf = Arc::clone(&shelf);
            async move {
                if !shelf.delay.is_zero() {
                    tokio::time::sleep(shelf.delay).await;
                }
                let page = shelf.page(request.uri().query().unwrap_or_default());
                let length: usize = page.iter().map(Bytes::len).sum();
                let frames = page.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
                let body = StreamBody::new(futures_util::stream::iter(frames));
                let answer = Response::builder()
                    .header("content-type", "application/xml")
                    .header("content-length", length);
                Ok::<_, Infallible>(answer.body(body).unwrap())
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer);
        tokio::spawn(async move { drop(connection.await) });
    }
}
