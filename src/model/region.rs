//! The built-in table of OSS regions and their endpoints.
//!
//! The data is `assets/regions.toml`, collected from Alibaba's endpoint pages
//! and checked against other tools' lists; its `[sources]` names them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::endpoint::EndpointKind;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The general region id, as V4 scopes use it: `cn-hangzhou`.
    pub id: String,
    /// The OSS region id, unique in the table: `oss-cn-hangzhou`.
    pub oss_id: String,
    /// City in English.
    pub name: String,
    /// City in Chinese.
    pub name_zh: String,
    /// Geography: `china-mainland`, `europe-americas`, …
    pub group: String,
    /// Where the data centre stands, by ISO 3166-1: `DE`.
    pub country: String,
    /// Whose law on data holds there: `EU` for its members, `UK` for GB, else the country.
    pub jurisdiction: String,
    /// `public`, `finance` or `government`.
    pub cloud: String,
    /// `active`, `closing`, `closed`, `unconfirmed`, …
    pub status: String,
    /// Whether the rule of 2025-03-20 on public endpoints holds here.
    pub mainland: bool,
    /// What one should know.
    pub note: Option<String>,
    hosts: BTreeMap<EndpointKind, Vec<String>>,
}

impl Region {
    /// The host of an endpoint kind, where the region has it.
    pub fn host(&self, kind: EndpointKind) -> Option<&str> {
        self.hosts.get(&kind).and_then(|hosts| hosts.first()).map(String::as_str)
    }

    /// Whose law holds, and in which country where that says more: `EU (DE)`, `CN`.
    pub fn area(&self) -> String {
        let Self { jurisdiction, country, .. } = self;
        if jurisdiction == country {
            country.clone()
        } else {
            format!("{jurisdiction} ({country})")
        }
    }

    /// The endpoint kinds the region has, in the table's order.
    pub fn kinds(&self) -> impl Iterator<Item = EndpointKind> {
        self.hosts.keys().copied()
    }
}

/// Every region, in the table's order.
pub fn all() -> &'static [Region] {
    &TABLE.regions
}

/// Whether `host` is one for all regions: data takes points elsewhere on its way there.
pub fn is_accelerated(host: &str) -> bool {
    TABLE.accelerated.iter().any(|known| known.eq_ignore_ascii_case(host))
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "built in; a test parses it")]
    let file: File =
        toml::from_str(include_str!("../../assets/regions.toml")).expect("regions.toml");
    let hosts = |row: &Acceleration| [Some(row.endpoint.clone()), row.s3_endpoint.clone()];
    let accelerated = file.acceleration.iter().flat_map(hosts).flatten().collect();
    Table { accelerated, regions: file.regions() }
});

struct Table {
    regions: Vec<Region>,
    accelerated: Vec<String>,
}

/// The region that `text` names, with or without `oss-`, in any case. An id
/// that several rows share means the one with a public endpoint.
pub fn find(text: &str) -> Option<&'static Region> {
    let text = text.trim().to_ascii_lowercase();
    let named = |region: &&Region| region.oss_id == text;
    let general = |region: &&Region| region.id == text || format!("oss-{}", region.id) == text;
    let public = |region: &&Region| region.host(EndpointKind::Public).is_some();
    let rows = all().iter();
    rows.clone()
        .find(named)
        .or_else(|| rows.clone().filter(general).find(public))
        .or_else(|| rows.clone().find(general))
}

/// The region one of whose endpoints is `host` (without port or bucket).
pub fn of_host(host: &str) -> Option<&'static Region> {
    all().iter().find(|region| {
        region.hosts.iter().any(|(kind, hosts)| {
            !kind.is_global() && hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
        })
    })
}

#[derive(Deserialize)]
struct File {
    region: Vec<Row>,
    special_region: Vec<Row>,
    acceleration: Vec<Acceleration>,
}

#[derive(Deserialize)]
struct Acceleration {
    id: String,
    endpoint: String,
    s3_endpoint: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Hosts {
    One(String),
    Many(Vec<String>),
}

impl Hosts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(host) => vec![host],
            Self::Many(hosts) => hosts,
        }
    }
}

#[derive(Deserialize)]
struct Row {
    region_id: String,
    oss_region_id: String,
    name: String,
    name_zh: String,
    group: String,
    country: String,
    jurisdiction: String,
    cloud: String,
    status: String,
    mainland: bool,
    note: Option<String>,
    public: Option<Hosts>,
    internal: Option<Hosts>,
    dual_stack: Option<Hosts>,
    s3_public: Option<Hosts>,
    s3_internal: Option<Hosts>,
}

impl File {
    fn regions(self) -> Vec<Region> {
        let global = |id: &str| {
            self.acceleration.iter().find(|row| row.id == id).map(|row| row.endpoint.clone())
        };
        let accelerate = global("oss-accelerate");
        let overseas = global("oss-accelerate-overseas");
        let rows = self.region.into_iter().chain(self.special_region);
        rows.map(|row| row.region(accelerate.as_ref(), overseas.as_ref())).collect()
    }
}

impl Row {
    fn region(self, accelerate: Option<&String>, overseas: Option<&String>) -> Region {
        // transfer acceleration is a matter of ordinary buckets in regions with a public face
        let reachable = self.cloud == "public" && self.public.is_some();
        // regionless buckets are reached by the public endpoint alone (endpoint page, 2026)
        let accelerated = reachable && self.region_id != "rg-china-mainland";
        let hosts = [
            (EndpointKind::Public, self.public),
            (EndpointKind::Internal, self.internal),
            (EndpointKind::DualStack, self.dual_stack),
            (EndpointKind::S3, self.s3_public),
            (EndpointKind::S3Internal, self.s3_internal),
            (EndpointKind::Accelerate, accelerate.filter(|_| accelerated).cloned().map(Hosts::One)),
            (
                EndpointKind::AccelerateOverseas,
                overseas.filter(|_| accelerated && !self.mainland).cloned().map(Hosts::One),
            ),
        ];
        Region {
            id: self.region_id,
            oss_id: self.oss_region_id,
            name: self.name,
            name_zh: self.name_zh,
            group: self.group,
            country: self.country,
            jurisdiction: self.jurisdiction,
            cloud: self.cloud,
            status: self.status,
            mainland: self.mainland,
            note: self.note,
            hosts: hosts
                .into_iter()
                .filter_map(|(kind, hosts)| hosts.map(|hosts| (kind, hosts.into_vec())))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(all().len(), 36 + 9);
        let mut ids: Vec<_> = all().iter().map(|region| &region.oss_id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all().len(), "oss ids are unique");
        for region in all() {
            let code = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
            assert!(code(&region.country) && code(&region.jurisdiction), "{}", region.oss_id);
            assert_eq!(region.mainland, region.country == "CN", "{}", region.oss_id);
        }
    }

    #[test]
    fn hosts_are_taken_from_the_table_not_from_a_template() {
        let frankfurt = find("oss-eu-central-1").unwrap();
        assert_eq!(frankfurt.host(EndpointKind::Public), Some("oss-eu-central-1.aliyuncs.com"));
        assert_eq!(frankfurt.host(EndpointKind::DualStack), Some("eu-central-1.oss.aliyuncs.com"));
        let finance = find("cn-hangzhou-finance").unwrap();
        assert_eq!(finance.host(EndpointKind::Public), Some("oss-cn-hzfinance.aliyuncs.com"));
        assert_eq!(find("oss-cn-hzjbp").unwrap().host(EndpointKind::Public), None);
    }

    #[test]
    fn finds_with_and_without_the_prefix() {
        assert_eq!(find("EU-central-1"), find("oss-eu-central-1"));
        assert_eq!(find("cn-hohhot"), None);
        assert_eq!(of_host("s3.oss-cn-hangzhou.aliyuncs.com").unwrap().id, "cn-hangzhou");
        assert_eq!(of_host("oss-accelerate.aliyuncs.com"), None);
        for host in ["oss-accelerate", "s3.oss-accelerate", "OSS-accelerate-overseas"] {
            assert!(is_accelerated(&format!("{host}.aliyuncs.com")), "{host}");
        }
        assert!(!is_accelerated("oss-cn-hangzhou.aliyuncs.com"));
    }
}
