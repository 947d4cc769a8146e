//! The fields by which a form names an endpoint: a kind, and a text for an own URL or domain.

use crate::model::endpoint::{EndpointChoice, EndpointError, EndpointKind};
use crate::model::region::Region;
use crate::tui::widget::form::{Field, Form};

/// Three fields that together say what `stacks.toml` says in one word.
#[derive(Debug)]
pub(super) struct EndpointFields<K> {
    choice: K,
    url: K,
    domain: K,
    /// Whether the choice may be left to another one: `access` follows `endpoint`.
    optional: bool,
    ways: Vec<Way>,
}

/// How an endpoint is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    SameAsZenml,
    Kind(EndpointKind),
    Url,
    CustomDomain,
}

impl Way {
    fn label(self) -> &'static str {
        match self {
            Self::SameAsZenml => "the same as ZenML",
            Self::Kind(kind) => kind.as_str(),
            Self::Url => "own URL",
            Self::CustomDomain => "custom domain",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::SameAsZenml => "this machine uses the endpoint that ZenML is given",
            Self::Kind(EndpointKind::Public) => "over the internet",
            Self::Kind(EndpointKind::Internal) => {
                "from inside Alibaba's network only, in the bucket's region; no traffic fee"
            }
            Self::Kind(EndpointKind::DualStack) => "IPv4 and IPv6",
            Self::Kind(EndpointKind::Accelerate) => {
                "from far away; switched on for the bucket in the console, at a fee"
            }
            Self::Kind(EndpointKind::AccelerateOverseas) => {
                "from far away, for buckets outside the mainland; switched on for the bucket"
            }
            Self::Kind(EndpointKind::S3) => "public, under the name that says S3",
            Self::Kind(EndpointKind::S3Internal) => "internal, under the name that says S3",
            Self::Url => "https://HOST, without the bucket",
            Self::CustomDomain => "a domain of your own that is bound to the bucket",
        }
    }
}

impl<K: Copy + PartialEq> EndpointFields<K> {
    pub(super) fn new(choice: K, url: K, domain: K, optional: bool) -> Self {
        Self { choice, url, domain, optional, ways: Vec::new() }
    }

    /// The three fields, the texts out of sight until they are chosen.
    pub(super) fn fields(&self, label: &str) -> [Field<K>; 3] {
        [
            Field::choice(self.choice, label, Vec::<String>::new()),
            Field::text(self.url, "  URL")
                .required()
                .hidden()
                .help("https://HOST[:PORT]; the bucket has a field of its own"),
            Field::text(self.domain, "  Domain")
                .required()
                .hidden()
                .help("such that BUCKET.DOMAIN is the name bound to the bucket"),
        ]
    }

    /// Whether `field` is one of the three.
    pub(super) fn holds(&self, field: K) -> bool {
        [self.choice, self.url, self.domain].contains(&field)
    }

    /// Offers the kinds that `region` has, all of them where it is not known. What was chosen
    /// stays chosen where it is still offered.
    pub(super) fn offer(&mut self, form: &mut Form<K>, region: Option<&Region>) {
        let chosen = self.way(form);
        let kinds = EndpointKind::ALL.into_iter();
        let kinds = kinds.filter(|kind| region.is_none_or(|region| region.host(*kind).is_some()));
        let first = self.optional.then_some(Way::SameAsZenml);
        self.ways = first
            .into_iter()
            .chain(kinds.map(Way::Kind))
            .chain([Way::Url, Way::CustomDomain])
            .collect();
        form.set_options(self.choice, self.ways.iter().map(|way| way.label()));
        self.choose(form, chosen.unwrap_or(Way::Kind(EndpointKind::Public)));
    }

    /// Fills the fields with what `stacks.toml` says: `public`, `https://…`, `domain:…`, or
    /// nothing. Call [`EndpointFields::offer`] before.
    pub(super) fn fill(&mut self, form: &mut Form<K>, text: &str) {
        let way = match EndpointChoice::parse(text) {
            _ if text.is_empty() && self.optional => Way::SameAsZenml,
            _ if text.is_empty() => Way::Kind(EndpointKind::Public),
            Ok(EndpointChoice::Kind(kind)) => Way::Kind(kind),
            Ok(EndpointChoice::CustomDomain(domain)) => {
                form.set_text(self.domain, &domain);
                Way::CustomDomain
            }
            Ok(EndpointChoice::Url(_)) | Err(_) => {
                form.set_text(self.url, text);
                Way::Url
            }
        };
        self.choose(form, way);
    }

    /// After a change of the choice: its help, and the text field it needs.
    pub(super) fn adapt(&self, form: &mut Form<K>) {
        let way = self.way(form);
        form.show(self.url, way == Some(Way::Url));
        form.show(self.domain, way == Some(Way::CustomDomain));
        form.set_help(self.choice, way.map_or("", Way::help));
    }

    /// What the fields say, as [`EndpointChoice::parse`] reads it.
    pub(super) fn text(&self, form: &Form<K>) -> String {
        match self.way(form) {
            None | Some(Way::SameAsZenml) => String::new(),
            Some(Way::Kind(kind)) => kind.as_str().to_owned(),
            // an empty text would mean the public endpoint
            Some(Way::Url) if form.text(self.url).trim().is_empty() => "https://".to_owned(),
            Some(Way::Url) => form.text(self.url).trim().to_owned(),
            Some(Way::CustomDomain) => {
                let domain = form.text(self.domain).trim();
                let domain = domain.strip_prefix("https://").unwrap_or(domain);
                format!("domain:{}", domain.trim_end_matches('/'))
            }
        }
    }

    /// The field that an error of this endpoint belongs to, and the error, in words that fit an
    /// empty field too.
    pub(super) fn place(&self, form: &Form<K>, error: String) -> (K, String) {
        let field = match self.way(form) {
            Some(Way::Url) => self.url,
            Some(Way::CustomDomain) => self.domain,
            _ => return (self.choice, error),
        };
        if form.text(field).trim().is_empty() {
            let example = if field == self.url { "https://HOST" } else { "oss.example.com" };
            return (field, format!("write it out, for example {example}"));
        }
        (field, error)
    }

    /// The bucket that stands in front of the URL, and the URL without it.
    pub(super) fn bucket_inside(&self, form: &Form<K>) -> Option<(String, String)> {
        if self.way(form) != Some(Way::Url) {
            return None;
        }
        match EndpointChoice::parse(form.text(self.url)) {
            Err(EndpointError::BucketInside { bucket, endpoint }) => Some((bucket, endpoint)),
            _ => None,
        }
    }

    /// Puts another URL in.
    pub(super) fn set_url(&self, form: &mut Form<K>, url: &str) {
        form.set_text(self.url, url);
    }

    fn way(&self, form: &Form<K>) -> Option<Way> {
        self.ways.get(form.chosen(self.choice)).copied()
    }

    fn choose(&self, form: &mut Form<K>, way: Way) {
        let at = self.ways.iter().position(|other| *other == way).unwrap_or(0);
        form.set_chosen(self.choice, at);
        self.adapt(form);
    }
}
