//! Where data may lie: jurisdictions, countries and geography groups of the region table.

use std::fmt;

use super::endpoint::Endpoint;
use super::region::{self, Region};
use crate::base::visible::visible;

/// Areas that data may not leave. None named: it may lie anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// As the table writes them: `EU`, `DE`, `asia-pacific`.
    areas: Vec<&'static str>,
}

impl Residency {
    /// Reads areas with commas between them, in any case: `EU, UK`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut areas = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let area = known_areas().find(|area| area.eq_ignore_ascii_case(word));
            let area = area.ok_or_else(|| unknown(word))?;
            if !areas.contains(&area) {
                areas.push(area);
            }
        }
        Ok(Self { areas })
    }

    /// Whether no area is named.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// The areas, as they were given.
    pub fn areas(&self) -> impl Iterator<Item = &'static str> {
        self.areas.iter().copied()
    }

    /// Whether data may lie in `region`.
    pub fn allows(&self, region: &Region) -> bool {
        self.is_empty() || of(region).iter().any(|area| self.areas.contains(area))
    }

    /// Why data may not lie in `region`, where it may not.
    pub fn refusal(&self, region: &Region) -> Option<String> {
        let Region { id, name, .. } = region;
        let outside = || format!("{id}, {name}, lies in {}, outside of {self}", region.area());
        (!self.allows(region)).then(outside)
    }

    /// Why data may not pass `endpoint`, where its name tells that it may not.
    pub fn refusal_of(&self, endpoint: &Endpoint) -> Option<String> {
        if endpoint.is_accelerated() && !self.is_empty() {
            return Some(format!(
                "transfer acceleration takes data through points elsewhere, outside of {self}"
            ));
        }
        self.refusal(endpoint.region()?)
    }

    /// Some running regions where data may lie, for hints: `eu-central-1, eu-west-2`.
    pub fn examples(&self) -> String {
        let fits = |region: &&Region| {
            region.cloud == "public" && region.status == "active" && self.allows(region)
        };
        let ids: Vec<&str> =
            region::all().iter().filter(fits).map(|region| region.id.as_str()).take(3).collect();
        ids.join(", ")
    }
}

impl fmt::Display for Residency {
    /// The text that [`Residency::parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.areas.join(", "))
    }
}

/// The areas a region lies in, the usual name first.
fn of(region: &Region) -> [&str; 3] {
    [&region.jurisdiction, &region.country, &region.group]
}

/// Every area of the table: jurisdictions before countries before groups.
fn known_areas() -> impl Iterator<Item = &'static str> {
    (0..3).flat_map(|rank| {
        region::all().iter().filter_map(move |region| of(region).get(rank).copied())
    })
}

fn unknown(word: &str) -> String {
    let shown = visible(word);
    if let Some(meant) = meant(word) {
        return format!("no region lies in '{shown}': did you mean {meant}?");
    }
    let mut areas: Vec<&str> = Vec::new();
    for area in known_areas() {
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    format!("no region lies in '{shown}': there are {}", areas.join(", "))
}

/// The code of a place that was written out (`germany`, `杭州`), or longer than codes are (`EUR`).
fn meant(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let named = |region: &&Region| {
        let Region { id, name, name_zh, .. } = region;
        [id, name, name_zh].iter().any(|text| text.to_lowercase().contains(&word))
    };
    let begun = |area: &&str| word.starts_with(&area.to_lowercase());
    let place = region::all().iter().find(named).map(|region| region.country.as_str());
    place.or_else(|| known_areas().find(begun)).filter(|_| word.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residency(text: &str) -> Residency {
        Residency::parse(text).unwrap()
    }

    #[test]
    fn a_country_a_jurisdiction_or_a_group_lets_its_regions_through() {
        let allows = |text: &str, id: &str| residency(text).allows(region::find(id).unwrap());
        for area in ["EU", "de", "UK, Eu", "europe-americas", "", " , "] {
            assert!(allows(area, "eu-central-1"), "{area}");
        }
        for area in ["FR", "UK", "CN, HK", "asia-pacific"] {
            assert!(!allows(area, "eu-central-1"), "{area}");
        }
        assert!(allows("GB", "eu-west-1") && allows("UK", "eu-west-1"));
        assert!(!allows("EU", "eu-west-1") && !allows("CN", "cn-hongkong"));
        assert_eq!(residency("eu,EU, uk").to_string(), "EU, UK");
        assert_eq!(residency("EU").examples(), "eu-central-1, eu-west-2");
    }

    #[test]
    fn a_place_that_is_written_out_has_a_code() {
        let said = |text: &str| Residency::parse(text).unwrap_err();
        for (word, code) in [
            ("Germany", "DE"),
            ("europe", "EU"),
            ("hongkong", "HK"),
            ("indonesia", "ID"),
            ("usa", "US"),
            ("杭州", "CN"),
        ] {
            assert!(said(word).ends_with(&format!("did you mean {code}?")), "{}", said(word));
        }
        let all = said("XX");
        assert!(all.contains("EU, ") && all.ends_with("middle-east"), "{all}");
        assert!(said("\u{1b}[2J").contains("\\u{1b}"));
    }
}
