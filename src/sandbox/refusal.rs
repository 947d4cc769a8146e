//! Errors as OSS writes them: `Code`, `Message`, `RequestId`, `HostId`, further
//! elements, `EC`, `RecommendDoc` (documentation, "Error responses"; the EC pages
//! below "OSS error codes").

use std::borrow::Cow;
use std::fmt::Write as _;

use http::StatusCode;
use quick_xml::events::Event;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// `Code`.
    pub code: Cow<'static, str>,
    /// `Message`.
    pub message: Cow<'static, str>,
    /// `EC`, where the documentation or a quoted answer gives one.
    pub ec: Option<&'static str>,
    /// Further elements, in their order.
    pub details: Vec<(&'static str, String)>,
    /// Seconds in `Retry-After`.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal without further elements.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        ec: impl Into<Option<&'static str>>,
        message: &'static str,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            ec: ec.into(),
            details: Vec::new(),
            retry_after: None,
        }
    }

    /// With an element more.
    #[must_use]
    pub fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.details.push((element, text.into()));
        self
    }

    /// A refused argument.
    pub fn argument(name: &'static str, value: &str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", None, message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    /// There is no such bucket.
    pub fn no_such_bucket(bucket: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NoSuchBucket",
            "0015-00000101",
            "The specified bucket does not exist.",
        )
        .with("BucketName", bucket)
    }

    /// The name breaks the rules for keys.
    pub fn invalid_object_name(key: &str) -> Self {
        let message = "The specified object is not valid.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidObjectName", None, message)
            .with("ObjectName", key)
    }

    /// The key has no right to do this.
    pub fn access_denied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "0003-00000905",
            "You have no right to access this object because of bucket acl.",
        )
    }

    /// What s3s refused, told as OSS tells it. `None` where the body is no error.
    pub(super) fn from_s3s(status: StatusCode, body: &[u8]) -> Option<Self> {
        let (code, message) = code_and_message(body)?;
        let known: Option<(Option<&'static str>, &'static str)> = match code.as_str() {
            "NoSuchKey" => Some((Some("0026-00000001"), "The specified key does not exist.")),
            "NoSuchBucket" => Some((Some("0015-00000101"), "The specified bucket does not exist.")),
            "RestoreAlreadyInProgress" => {
                Some((Some("0016-00000701"), "The restore operation is in progress."))
            }
            "InvalidRange" => Some((None, "The requested range cannot be satisfied.")),
            _ => None,
        };
        let message = match known {
            Some((_, text)) => text.into(),
            None if message.is_empty() => Cow::Owned(format!("The request was refused: {code}.")),
            None => message.into(),
        };
        Some(Self {
            status,
            code: code.into(),
            message,
            ec: known.and_then(|(ec, _)| ec),
            details: Vec::new(),
            retry_after: None,
        })
    }

    /// The body.
    pub(super) fn xml(&self, request_id: &str, host: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        let mut element = |name: &str, text: &str| {
            // writing to a String cannot fail
            let _ = write!(xml, "\n  <{name}>{}</{name}>", quick_xml::escape::partial_escape(text));
        };
        element("Code", &self.code);
        element("Message", &self.message);
        element("RequestId", request_id);
        element("HostId", host);
        for (name, text) in &self.details {
            element(name, text);
        }
        if let Some(ec) = self.ec {
            element("EC", ec);
            element("RecommendDoc", &format!("https://api.alibabacloud.com/troubleshoot?q={ec}"));
        }
        xml.push_str("\n</Error>\n");
        xml
    }
}

/// `Code` and `Message` of an error document.
fn code_and_message(body: &[u8]) -> Option<(String, String)> {
    let mut reader = quick_xml::Reader::from_reader(body);
    let (mut code, mut message) = (None, String::new());
    let mut within = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => start.name().as_ref().clone_into(&mut within),
            Event::End(_) => within.clear(),
            Event::Text(text) => match within.as_str() {
                "Code" => code = Some(text.to_string()),
                "Message" => message.push_str(&text),
                _ => {}
            },
            Event::Eof => return code.map(|code| (code, message)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_osss_order_and_are_escaped() {
        let xml = Refusal::no_such_bucket("a&b").xml("ID", "host");
        let order = [
            "<Code>NoSuchBucket",
            "<Message>",
            "<RequestId>ID",
            "<HostId>host",
            "<BucketName>a&amp;b",
            "<EC>0015-00000101",
            "<RecommendDoc>https://api.alibabacloud.com/troubleshoot?q=0015-00000101",
        ];
        let at: Vec<usize> = order.iter().map(|part| xml.find(part).expect(part)).collect();
        assert!(at.is_sorted(), "{xml}");
    }

    #[test]
    fn an_error_of_s3s_is_told_again() {
        let body = b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>";
        let refusal = Refusal::from_s3s(StatusCode::NOT_FOUND, body).unwrap();
        assert_eq!((refusal.code.as_ref(), refusal.ec), ("NoSuchKey", Some("0026-00000001")));
        assert_eq!(Refusal::from_s3s(StatusCode::OK, b"<ListBucketResult/>"), None);
    }
}
