//! Which fix a finding calls for. Each is a pure function of the store and of what was seen; the
//! checks attach the answer ([`Finding::fix`](crate::model::finding::Finding::fix)).

use crate::model::endpoint::{Endpoint, EndpointChoice, EndpointError, EndpointKind};
use crate::model::fix::Fix;
use crate::model::region::{self, Region};
use crate::model::store::{ArtifactStore, RegionId, Signature, StoreDraft};

/// Slips of the pen that need no server to be seen: an endpoint that begins with the bucket or
/// lacks its scheme, a host of Alibaba's that OSS does not have, `oss-` where a region's general
/// id belongs, a city without its country. All of them in one fix, for drafts that are no store
/// yet and for stores that are one.
pub fn slips(draft: &StoreDraft) -> Option<Fix> {
    let mut mended = draft.clone();
    let mut said = Vec::new();
    // the region first: how an endpoint is best written depends on it
    region_slip(&mut mended, &mut said);
    endpoint_slip(&mut mended, Which::Endpoint, &mut said);
    endpoint_slip(&mut mended, Which::Access, &mut said);
    region_name_slip(&mut mended, &mut said);
    Fix::of(draft.clone(), said.join(" "), |draft| *draft = mended)
}

/// The bucket lies where the server says: the region, where the store's endpoint follows it; else
/// the URL. `None` where `host` does not read as a host, or nothing would change.
pub fn go_where_it_lies(store: &ArtifactStore, used: &Endpoint, host: &str) -> Option<Fix> {
    let choice = store.access.as_ref().unwrap_or(&store.endpoint);
    // by its OSS id, since general ids are shared
    let region = region::of_host(host).and_then(|region| RegionId::parse(&region.oss_id).ok());
    if let (EndpointChoice::Kind(_), Some(region)) = (choice, &region) {
        return Fix::region(store, region.as_str());
    }
    // a URL does not follow the region
    let there = Endpoint::parse(&format!("{}://{host}", used.scheme().as_str())).ok()?;
    let fix = Fix::endpoint(store, &EndpointChoice::Url(there))?;
    let Some(region) = region.filter(|_| store.region.is_some()) else { return Some(fix) };
    let mended = fix.applied_to(&store.into());
    Fix::of(store, fix.summary(), |draft| {
        *draft = StoreDraft { region: region.as_str().to_owned(), ..mended };
    })
}

/// The region that the server names, where the endpoint serves any.
pub fn name_the_region(store: &ArtifactStore, location: &str) -> Option<Fix> {
    let region = RegionId::parse(location).ok().filter(|region| region.known().is_some())?;
    Fix::region(store, region.as_str())
}

/// The signature that the store does not use.
pub fn other_signature(store: &ArtifactStore) -> Option<Fix> {
    let other = match store.signature {
        Signature::V2 => Signature::V4,
        Signature::V4 => Signature::V2,
    };
    Fix::signature(store, other)
}

/// An internal endpoint seen from outside is no fault of the store: this machine goes in by
/// another door, and production keeps its own.
pub fn from_outside(store: &ArtifactStore) -> Option<Fix> {
    let used = store.access_endpoint().ok().filter(Endpoint::is_internal)?;
    let is_s3 = used.host().starts_with("s3.");
    let kind = if is_s3 { EndpointKind::S3 } else { EndpointKind::Public };
    let region = store.region.as_ref().and_then(RegionId::known).or_else(|| used.region())?;
    let by_name = EndpointChoice::Kind(kind);
    let public = match &store.region {
        Some(_) => by_name,
        None => EndpointChoice::Url(by_name.resolve(Some(region)).ok()?),
    };
    Fix::access(store, &public)
}

/// The endpoint without `s3.` in front: where the certificate does not cover that form.
pub fn plain_form(store: &ArtifactStore) -> Option<Fix> {
    let choice = store.access.as_ref().unwrap_or(&store.endpoint);
    let plain = match choice {
        EndpointChoice::Kind(EndpointKind::S3) => EndpointChoice::Kind(EndpointKind::Public),
        EndpointChoice::Kind(EndpointKind::S3Internal) => {
            EndpointChoice::Kind(EndpointKind::Internal)
        }
        EndpointChoice::Url(endpoint) => {
            let text = endpoint.to_string();
            EndpointChoice::parse(&text.replacen("://s3.", "://", 1)).ok()?
        }
        EndpointChoice::Kind(_) | EndpointChoice::CustomDomain(_) => return None,
    };
    Fix::endpoint(store, &plain)
}

/// How an account that may not use public endpoints comes to a domain of its own, and what the
/// store says then (OSS documentation, "Access OSS via custom domain names" and EC
/// 0048-00000401).
///
/// The bound name is `<bucket>.<domain>`, since clients put the bucket in front of the endpoint.
pub fn custom_domain(store: &ArtifactStore, is_draft: bool) -> Vec<String> {
    const DOMAIN: &str = "oss.example.com";
    let bucket = &store.bucket;
    let bound = format!("{bucket}.{DOMAIN}");
    let region = store.region.as_ref().and_then(RegionId::known);
    let host = region.and_then(|region| region.host(EndpointKind::Public));
    let target = host
        .map_or_else(|| "the bucket's public host".to_owned(), |host| format!("{bucket}.{host}"));
    let name_it = if is_draft {
        format!("set endpoint to domain:{DOMAIN}")
    } else {
        format!("osstack artifact-store update {} --endpoint domain:{DOMAIN}", store.name)
    };
    vec![
        format!(
            "Choose a domain of yours; {DOMAIN} stands for it here. In mainland China it needs an ICP filing."
        ),
        format!(
            "In the OSS console bind {bound} to the bucket {bucket} (Bucket Settings, Domain Names)."
        ),
        format!("At your DNS let {bound} be a CNAME of {target}."),
        format!("In the OSS console give {bound} a certificate, so that https holds."),
        format!(
            "Name it: {name_it}. ZenML is then given https://{DOMAIN}, and puts the bucket in front."
        ),
        "Check again. To rehearse it without an account: osstack sandbox --fault \
         public-endpoint-forbidden refuses the public endpoint and serves every bucket at \
         BUCKET.cname.localhost; the endpoint to name is then http://cname.localhost:PORT."
            .to_owned(),
    ]
}

#[derive(Clone, Copy)]
enum Which {
    Endpoint,
    Access,
}

fn region_slip(draft: &mut StoreDraft, said: &mut Vec<String>) {
    let text = draft.region.trim();
    if text.is_empty() || region::find(text).is_some() {
        return;
    }
    let host = text.trim_start_matches("https://").trim_end_matches('/');
    let city = format!("cn-{text}");
    let found = region::of_host(host).or_else(|| region::find(&city)).or_else(|| named_in(text));
    if let Some(id) = found.and_then(general_id) {
        said.push(format!("Name the region by its id, {id}."));
        draft.region = id;
    }
}

fn endpoint_slip(draft: &mut StoreDraft, which: Which, said: &mut Vec<String>) {
    let text = match which {
        Which::Endpoint => draft.endpoint.clone(),
        Which::Access => draft.access.clone(),
    };
    let Some(mended) = mended_endpoint(draft, text.trim(), said) else { return };
    match which {
        Which::Endpoint => draft.endpoint = mended,
        Which::Access => draft.access = mended,
    }
}

/// The endpoint as it must have been meant; `None` where it is well as it is, or cannot be told.
fn mended_endpoint(draft: &mut StoreDraft, text: &str, said: &mut Vec<String>) -> Option<String> {
    match EndpointChoice::parse(text) {
        Ok(EndpointChoice::Url(endpoint)) => spell(draft, &endpoint, said),
        Err(EndpointError::BucketInside { bucket, endpoint }) => {
            if draft.bucket.is_empty() || draft.bucket == bucket {
                draft.bucket.clone_from(&bucket);
                said.push(format!("Take the bucket {bucket} out of the endpoint."));
                Some(endpoint)
            } else {
                // two buckets: which one is meant only the user knows
                None
            }
        }
        Err(EndpointError::NoScheme(_)) if text.contains('.') => {
            let whole = format!("https://{text}");
            said.push("Write the endpoint with https:// in front.".to_owned());
            mended_endpoint(draft, &whole, said).or(Some(whole))
        }
        Err(EndpointError::PlainHttp(_)) if text.contains(".aliyuncs.com") => {
            let whole = text.replacen("http://", "https://", 1);
            said.push("Go by https: http shows data and signatures on the way.".to_owned());
            mended_endpoint(draft, &whole, said).or(Some(whole))
        }
        Ok(_) | Err(_) => None,
    }
}

/// A host below `aliyuncs.com` that OSS does not have, written as one that it has: `oss-` said
/// twice or not at all, `s3.` and `-internal` where other clouds have them.
fn spell(draft: &mut StoreDraft, endpoint: &Endpoint, said: &mut Vec<String>) -> Option<String> {
    let name = endpoint.host().strip_suffix(".aliyuncs.com")?;
    if endpoint.region().is_some() || name.starts_with("oss-accelerate") {
        return None;
    }
    let region = named_in(name)?;
    let words: Vec<&str> = name.split(['.', '-']).collect();
    let kind = match (words.contains(&"s3"), words.contains(&"internal")) {
        (true, true) => EndpointKind::S3Internal,
        (true, false) => EndpointKind::S3,
        (false, true) => EndpointKind::Internal,
        (false, false) => EndpointKind::Public,
    };
    let host = region.host(kind)?;
    if draft.region.is_empty() {
        draft.region = general_id(region)?;
    }
    said.push(format!("Write the endpoint as OSS spells it, {host}."));
    let same = region::find(&draft.region).is_some_and(|named| named.oss_id == region.oss_id);
    Some(if same { kind.to_string() } else { format!("https://{host}") })
}

/// `oss-cn-beijing` where a general id belongs: S3 V4 signs the region, and the `oss-` is refused
/// there.
fn region_name_slip(draft: &mut StoreDraft, said: &mut Vec<String>) {
    let Some(name) = draft.extras.client_kwargs.get_mut("region_name") else { return };
    let Some(id) = name.as_str().and_then(|name| name.strip_prefix("oss-")) else { return };
    let id = region::find(id).map_or(id, |region| &region.id).to_owned();
    said.push(format!("Name the region {id}, without oss-."));
    *name = id.into();
}

/// The region whose id stands in `text` between dots and dashes; the longest where one id is the
/// beginning of another.
fn named_in(text: &str) -> Option<&'static Region> {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let holds = |id: &str| {
        text.match_indices(id).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + id.len()..).and_then(|text| text.chars().next());
            apart(before) && apart(after)
        })
    };
    region::all().iter().filter(|region| holds(&region.id)).max_by_key(|region| region.id.len())
}

/// As stores name a region.
fn general_id(region: &Region) -> Option<String> {
    RegionId::parse(&region.oss_id).ok().map(|region| region.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(region: &str, endpoint: &str) -> StoreDraft {
        StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: region.into(),
            endpoint: endpoint.into(),
            ..StoreDraft::default()
        }
    }

    fn store(region: &str, endpoint: &str) -> ArtifactStore {
        draft(region, endpoint).validate().unwrap()
    }

    /// Region and endpoint after the fix.
    fn mended(region: &str, endpoint: &str) -> Option<(String, String)> {
        let draft = draft(region, endpoint);
        let mended = slips(&draft)?.applied_to(&draft);
        Some((mended.region, mended.endpoint))
    }

    fn is(region: &str, endpoint: &str) -> (String, String) {
        (region.to_owned(), endpoint.to_owned())
    }

    #[test]
    fn slips_of_the_pen_are_mended() {
        let mended = |region, endpoint| mended(region, endpoint).unwrap();
        let beijing = is("cn-beijing", "public");
        assert_eq!(mended("cn-beijing", "oss-oss-cn-beijing.aliyuncs.com"), beijing);
        assert_eq!(mended("", "https://oss-oss-cn-beijing.aliyuncs.com"), beijing);
        assert_eq!(mended("beijing", "public"), beijing);
        assert_eq!(mended("https://oss-cn-beijing.aliyuncs.com/", "public"), beijing);
        assert_eq!(
            mended("cn-beijing", "https://s3.cn-beijing.aliyuncs.com"),
            is("cn-beijing", "s3")
        );
        assert_eq!(
            mended("cn-beijing", "s3.cn-beijing-internal.aliyuncs.com"),
            is("cn-beijing", "s3-internal")
        );
        assert_eq!(
            mended("", "https://your-bucket-name.oss-cn-beijing.aliyuncs.com"),
            is("", "https://oss-cn-beijing.aliyuncs.com")
        );
        assert_eq!(
            mended("eu-central-1", "http://oss-cn-beijing.aliyuncs.com"),
            is("eu-central-1", "https://oss-cn-beijing.aliyuncs.com")
        );
    }

    #[test]
    fn what_is_well_or_cannot_be_told_is_left_alone() {
        for (region, endpoint) in [
            ("cn-beijing", "public"),
            ("oss-cn-beijing", "internal"),
            ("cn-beijing", "https://oss-cn-beijing.aliyuncs.com"),
            ("cn-beijing", "https://oss.example.com"),
            ("cn-beijing", "https://oss-accelerate.aliyuncs.com"),
            ("", "https://other-bucket.oss-cn-beijing.aliyuncs.com"),
            ("nowhere", "public"),
        ] {
            assert_eq!(mended(region, endpoint), None, "{region} {endpoint}");
        }
    }

    #[test]
    fn a_bucket_in_the_endpoint_fills_the_empty_field() {
        let draft = StoreDraft {
            bucket: String::new(),
            ..draft("", "https://found-bucket.oss-cn-beijing.aliyuncs.com")
        };
        let mended = slips(&draft).unwrap().applied_to(&draft);
        assert_eq!(mended.bucket, "found-bucket");
        assert_eq!(mended.endpoint, "https://oss-cn-beijing.aliyuncs.com");
    }

    #[test]
    fn oss_leaves_the_region_that_is_signed() {
        let mut draft = draft("cn-beijing", "public");
        draft.extras.client_kwargs.insert("region_name".into(), "oss-cn-beijing".into());
        let fix = slips(&draft).unwrap();
        let [change] = fix.changes().try_into().unwrap();
        assert_eq!(change.new.as_deref(), Some(r#"{ region_name = "cn-beijing" }"#));
        assert!(slips(&fix.applied_to(&draft)).is_none(), "never the same fix twice");
    }

    #[test]
    fn the_endpoint_that_the_server_named() {
        let go = |store: &ArtifactStore, host| {
            let used = store.access_endpoint().unwrap();
            let mended = go_where_it_lies(store, &used, host)?.applied_to(&store.into());
            Some((mended.region, mended.endpoint))
        };
        let by_kind = store("eu-central-1", "public");
        assert_eq!(go(&by_kind, "oss-cn-beijing.aliyuncs.com"), Some(is("cn-beijing", "public")));
        let by_url = store("eu-central-1", "https://oss-eu-central-1.aliyuncs.com");
        assert_eq!(
            go(&by_url, "oss-cn-beijing.aliyuncs.com"),
            Some(is("cn-beijing", "https://oss-cn-beijing.aliyuncs.com"))
        );
        assert_eq!(go(&by_kind, "x$(touch y)"), None);
        assert_eq!(go(&by_url, "oss.example.com; rm -rf ~"), None);
    }

    #[test]
    fn from_outside_only_access_changes() {
        let fields = |store: &ArtifactStore| -> Vec<_> {
            let changes = from_outside(store).into_iter().flat_map(|fix| fix.changes());
            changes.map(|change| (change.field, change.new.unwrap())).collect()
        };
        let access = |new: &str| vec![("access", new.to_owned())];
        assert_eq!(fields(&store("cn-beijing", "internal")), access("public"));
        assert_eq!(fields(&store("cn-beijing", "s3-internal")), access("s3"));
        assert_eq!(
            fields(&store("", "https://oss-cn-beijing-internal.aliyuncs.com")),
            access("https://oss-cn-beijing.aliyuncs.com")
        );
        assert_eq!(fields(&store("cn-beijing", "public")), []);
    }

    #[test]
    fn the_s3_form_and_the_other_signature() {
        let new = |fix: Option<Fix>| fix.unwrap().changes().remove(0).new.unwrap();
        assert_eq!(new(plain_form(&store("cn-beijing", "s3"))), "public");
        assert_eq!(
            new(plain_form(&store("", "https://s3.oss-cn-beijing.aliyuncs.com"))),
            "https://oss-cn-beijing.aliyuncs.com"
        );
        assert_eq!(plain_form(&store("cn-beijing", "public")), None);
        assert_eq!(new(other_signature(&store("cn-beijing", "public"))), "v4");
    }
}
