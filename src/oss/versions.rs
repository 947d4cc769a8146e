//! Versions of objects, where a bucket keeps them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::listing::StorageClass;
use super::object::NotDeleted;
use super::xml::Element;
use crate::base::url_encode;

/// The id of what was written while no versions were kept.
pub const NULL: &str = "null";

/// An object, or one version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// The key.
    pub key: &'a str,
    /// The version's id; `None` for the current one.
    pub version: Option<&'a str>,
}

impl<'a> From<&'a str> for At<'a> {
    fn from(key: &'a str) -> Self {
        Self { key, version: None }
    }
}

impl<'a> From<&'a String> for At<'a> {
    fn from(key: &'a String) -> Self {
        key.as_str().into()
    }
}

/// A version of an object, or a delete marker, in a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// The object's key.
    pub key: String,
    /// The version's id; [`NULL`] for what was written while none were kept.
    pub id: String,
    /// Whether it is the newest.
    pub is_latest: bool,
    /// Whether it only says that the object was deleted.
    pub is_marker: bool,
    /// When it was written.
    pub modified: Option<OffsetDateTime>,
    /// Bytes.
    pub size: u64,
    /// Without its quotes.
    pub etag: Option<String>,
    /// Where it lies.
    pub class: StorageClass,
}

/// One page of them: keys in order, of each the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// What is on it.
    pub entries: Vec<VersionEntry>,
    /// Key and version where the next one goes on.
    pub next: Option<(String, String)>,
}

/// A delete marker that a deletion left: removing it takes the deletion back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The object's key.
    pub key: String,
    /// The marker's id.
    pub id: String,
    /// Whether the deletion was sent more than once: where an answer was lost, it left more than
    /// this one.
    pub is_repeated: bool,
}

/// What a deletion of many leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Those that stayed, and why.
    pub objects: Vec<NotDeleted>,
    /// The delete markers of those that went, where versions are kept.
    pub markers: Vec<Marker>,
}

impl Marker {
    /// The marker of that id on `key`. One without an id of its own took the place of the version
    /// that was there: removing it brings nothing back.
    pub(super) fn left(key: &str, id: Option<&str>, repeats: u32) -> Option<Self> {
        let id = id.filter(|id| !id.is_empty() && *id != NULL)?;
        Some(Self { key: key.to_owned(), id: id.to_owned(), is_repeated: repeats > 0 })
    }
}

impl VersionPage {
    /// Reads a checked answer; none where it does not hold together.
    pub(super) fn of(document: &Element) -> Option<Self> {
        let is_encoded = document.text_of("EncodingType") == Some("url");
        let plain = |text: &str| {
            if is_encoded { url_encode::decode(&text.replace('+', " ")) } else { Some(text.into()) }
        };
        let rows = document.children.iter().filter_map(|row| match row.name.as_str() {
            "Version" => Some((row, false)),
            "DeleteMarker" => Some((row, true)),
            _ => None,
        });
        let entries: Option<Vec<VersionEntry>> = rows
            .map(|(row, is_marker)| {
                let text = |name| row.text_of(name);
                let etag = text("ETag").map(|etag| etag.trim_matches('"').to_owned());
                let modified = text("LastModified");
                Some(VersionEntry {
                    key: plain(text("Key")?)?,
                    id: text("VersionId").filter(|id| !id.is_empty()).unwrap_or(NULL).to_owned(),
                    is_latest: text("IsLatest") == Some("true"),
                    is_marker,
                    modified: modified.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()),
                    size: text("Size").and_then(|size| size.parse().ok()).unwrap_or_default(),
                    etag,
                    class: text("StorageClass").map(StorageClass::parse).unwrap_or_default(),
                })
            })
            .collect();
        let mut entries = entries?;
        // some servers name all versions of a page, and then its markers
        entries.sort_by(|a, b| {
            let newest_first = || (b.is_latest, b.modified).cmp(&(a.is_latest, a.modified));
            a.key.cmp(&b.key).then_with(newest_first)
        });
        let next = match document.text_of("IsTruncated") {
            Some("true") => {
                let id = document.text_of("NextVersionIdMarker").unwrap_or_default().to_owned();
                Some((plain(document.text_of("NextKeyMarker")?)?, id))
            }
            _ => None,
        };
        Some(Self { entries, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oss::xml;

    fn page(rows: &str) -> Option<VersionPage> {
        let text = format!("<ListVersionsResult>{rows}</ListVersionsResult>");
        VersionPage::of(&xml::read(text.as_bytes(), "ListVersionsResult").unwrap())
    }

    #[test]
    fn the_newest_of_a_key_stands_first_whatever_the_order_of_the_answer() {
        let page = page(
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
             <NextKeyMarker>b%2B</NextKeyMarker><NextVersionIdMarker>2</NextVersionIdMarker>\
             <Version><Key>a+b</Key><VersionId>1</VersionId><IsLatest>false</IsLatest>\
             <LastModified>2026-03-15T10:20:30.000Z</LastModified><Size>3</Size></Version>\
             <Version><Key>b</Key><IsLatest>true</IsLatest></Version>\
             <DeleteMarker><Key>a%20b</Key><VersionId>2</VersionId><IsLatest>true</IsLatest>\
             </DeleteMarker>",
        )
        .unwrap();
        let told: Vec<_> =
            page.entries.iter().map(|e| (e.key.as_str(), e.id.as_str(), e.is_marker)).collect();
        assert_eq!(told, [("a b", "2", true), ("a b", "1", false), ("b", NULL, false)]);
        assert_eq!(page.next, Some(("b+".into(), "2".into())));
    }

    #[test]
    fn more_without_where_it_goes_on_is_no_page() {
        assert_eq!(page("<IsTruncated>true</IsTruncated>"), None);
        assert_eq!(page("<Version><Size>1</Size></Version>"), None);
    }
}
