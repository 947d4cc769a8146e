//! The list of versions. OSS does not name it among the operations that it serves
//! to S3 clients: its form is S3's, a guess.

use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response};

use super::{Answer, Circumstances, Operations, invalid, size};
use crate::base::url_encode;
use crate::sandbox::store::versions::VersionQuery;

impl Operations {
    pub(super) fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> Answer<ListObjectVersionsOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let limit = input.max_keys.unwrap_or(100);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit <= 1000);
        let limit =
            limit.ok_or_else(|| invalid("max-keys must be an integer between 0 and 1000."))?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let query = VersionQuery {
            prefix: text(&input.prefix),
            delimiter: text(&input.delimiter),
            after: text(&input.key_marker),
            after_version: input.version_id_marker.clone(),
            limit,
        };
        let page = self.store().bucket(&input.bucket)?.versions(&query);
        let encode = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == "url");
        let shown = |key: &str| if encode { url_encode::query(key) } else { key.to_owned() };
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for found in &page.versions {
            let (key, version_id) = (Some(shown(&found.key)), Some(found.id.clone()));
            let (is_latest, last_modified) = (Some(found.latest), Some(found.modified.into()));
            match &found.object {
                Some(object) => versions.push(ObjectVersion {
                    key,
                    version_id,
                    is_latest,
                    last_modified,
                    e_tag: Some(ETag::Strong(object.etag.clone())),
                    size: size(object.data.len()),
                    storage_class: Some(ObjectVersionStorageClass::from_static(
                        met.class(&found.key, object).as_str(),
                    )),
                    ..ObjectVersion::default()
                }),
                None => markers.push(DeleteMarkerEntry {
                    key,
                    version_id,
                    is_latest,
                    last_modified,
                    ..DeleteMarkerEntry::default()
                }),
            }
        }
        let prefix = |prefix: &String| CommonPrefix { prefix: Some(shown(prefix)) };
        let (next_key, next_version) = page.next.unzip();
        Ok(S3Response::new(ListObjectVersionsOutput {
            name: Some(input.bucket),
            prefix: input.prefix.as_deref().map(shown),
            delimiter: input.delimiter,
            encoding_type: input.encoding_type,
            key_marker: input.key_marker.as_deref().map(shown),
            version_id_marker: input.version_id_marker,
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(next_key.is_some()),
            next_key_marker: next_key.as_deref().map(shown),
            next_version_id_marker: next_version.flatten(),
            versions: Some(versions),
            delete_markers: Some(markers),
            common_prefixes: Some(page.prefixes.iter().map(prefix).collect()),
            ..ListObjectVersionsOutput::default()
        }))
    }
}
