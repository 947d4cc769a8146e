//! Multipart uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use time::OffsetDateTime;

use super::{Bucket, Kind, Object, Store, StoreError, crc64, whole_seconds};

/// Every part but the last has at least this many bytes (OSS documentation, "Limits").
const MIN_PART: usize = 100 * 1024;

/// An upload that is under way.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The key it will have.
    pub key: String,
    /// When it was begun.
    pub begun: OffsetDateTime,
    /// The parts by number.
    pub parts: BTreeMap<i32, Part>,
    /// What it will be, without its content.
    empty: Object,
}

/// A part.
#[derive(Clone, Debug)]
pub struct Part {
    /// The content.
    pub data: Bytes,
    /// Upper-case hex, without quotes.
    pub etag: String,
    /// When it was written.
    pub modified: OffsetDateTime,
}

impl Bucket {
    /// The uploads under way, by id.
    pub fn uploads(&self) -> impl Iterator<Item = (&str, &Upload)> {
        self.uploads.iter().map(|(id, upload)| (id.as_str(), upload))
    }
}

impl Store {
    /// Begins an upload of what is yet empty; answers its id.
    pub fn begin_upload(
        &mut self,
        bucket: &str,
        key: &str,
        empty: Object,
    ) -> Result<String, StoreError> {
        let id = self.new_upload_id();
        let (key, begun) = (key.to_owned(), empty.modified);
        let upload = Upload { key, begun, parts: BTreeMap::new(), empty };
        self.bucket_mut(bucket)?.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// An upload.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<&Upload, StoreError> {
        let upload = self.bucket(bucket)?.uploads.get(id).filter(|upload| upload.key == key);
        upload.ok_or(StoreError::NoSuchUpload)
    }

    /// Writes a part over any former one; answers its `ETag`.
    pub fn put_part(
        &mut self,
        (bucket, key, id): (&str, &str, &str),
        number: i32,
        data: Bytes,
        now: OffsetDateTime,
    ) -> Result<String, StoreError> {
        let upload = self.bucket_mut(bucket)?.uploads.get_mut(id);
        let upload = upload.filter(|upload| upload.key == key).ok_or(StoreError::NoSuchUpload)?;
        let etag = hex::encode_upper(Md5::digest(&data));
        let part = Part { data, etag: etag.clone(), modified: whole_seconds(now) };
        upload.parts.insert(number, part);
        Ok(etag)
    }

    /// Makes the object of the named parts. The `ETag` is not S3's (oss: "computed differently").
    pub fn complete_upload(
        &mut self,
        (bucket, key, id): (&str, &str, &str),
        named: &[(i32, String)],
        now: OffsetDateTime,
    ) -> Result<Arc<Object>, StoreError> {
        let upload = self.upload(bucket, key, id)?;
        if !named.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(StoreError::InvalidPartOrder);
        }
        let (mut data, mut etags) = (BytesMut::new(), Md5::new());
        for (place, (number, etag)) in named.iter().enumerate() {
            let part = upload.parts.get(number).ok_or(StoreError::InvalidPart)?;
            if !part.etag.eq_ignore_ascii_case(etag) {
                return Err(StoreError::InvalidPart);
            }
            if part.data.len() < MIN_PART && place + 1 < named.len() {
                return Err(StoreError::EntityTooSmall);
            }
            data.extend_from_slice(&part.data);
            etags.update(&part.etag);
        }
        if named.is_empty() {
            return Err(StoreError::InvalidPart);
        }
        let object = Object {
            crc64: crc64(&data),
            etag: format!("{}-{}", hex::encode_upper(etags.finalize()), named.len()),
            modified: whole_seconds(now),
            kind: Kind::Multipart,
            data: data.freeze(),
            ..upload.empty.clone()
        };
        self.abort_upload(bucket, key, id)?;
        self.put(bucket, key, object)
    }

    /// Forgets an upload.
    pub fn abort_upload(&mut self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        self.upload(bucket, key, id)?;
        self.bucket_mut(bucket)?.uploads.remove(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Description;
    use super::*;
    use crate::ports::entropy::SeededEntropy;

    fn begun() -> (Store, String) {
        let mut store = Store::new(Arc::new(SeededEntropy::new(1)));
        let now = OffsetDateTime::UNIX_EPOCH;
        store.create("demo", "sandbox", now).unwrap();
        let empty = Object::new(Bytes::new(), now, Description::default());
        let id = store.begin_upload("demo", "k", empty).unwrap();
        (store, id)
    }

    #[test]
    fn parts_are_checked_when_it_is_completed() {
        let (mut store, id) = begun();
        let at = ("demo", "k", id.as_str());
        let now = OffsetDateTime::UNIX_EPOCH;
        let small = store.put_part(at, 1, Bytes::from_static(b"a"), now).unwrap();
        let last = store.put_part(at, 2, Bytes::from_static(b"b"), now).unwrap();
        let mut complete = |named: &[(i32, &str)]| {
            let named: Vec<_> = named.iter().map(|(n, e)| (*n, (*e).to_owned())).collect();
            store.complete_upload(at, &named, now).map(|object| object.etag.clone())
        };
        assert_eq!(complete(&[]), Err(StoreError::InvalidPart));
        assert_eq!(complete(&[(3, &last)]), Err(StoreError::InvalidPart));
        assert_eq!(complete(&[(1, &last)]), Err(StoreError::InvalidPart));
        assert_eq!(complete(&[(2, &last), (1, &small)]), Err(StoreError::InvalidPartOrder));
        assert_eq!(complete(&[(1, &small), (2, &last)]), Err(StoreError::EntityTooSmall));
        assert!(complete(&[(2, &last.to_lowercase())]).unwrap().ends_with("-1"));
        assert_eq!(complete(&[(2, &last)]), Err(StoreError::NoSuchUpload));
        assert_eq!(store.object("demo", "k").unwrap().data.as_ref(), b"b");
    }
}
