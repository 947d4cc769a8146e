//! The few facts of a certificate that a diagnosis shows. Not a judge: that
//! is rustls. Reads DER (X.690) as far as the validity and the names (RFC
//! 5280, 4.1) and nothing behind them.

use time::{Date, Month, OffsetDateTime, Time};

use crate::base::visible::visible;

/// Who a server says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Common name, or organisation.
    pub subject: String,
    /// The same of who signed.
    pub issuer: String,
    /// When it ends.
    pub not_after: Option<OffsetDateTime>,
    /// Whether subject and issuer are the same.
    pub self_signed: bool,
}

const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0A];

impl Certificate {
    /// The facts in `der`; `None` where it is not built as a certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(der, SEQUENCE)?;
        let (mut rest, _) = expect(certificate, SEQUENCE)?;
        if let Some((_, behind)) = expect(rest, VERSION) {
            rest = behind;
        }
        let (_serial, rest) = expect(rest, INTEGER)?;
        let (_algorithm, rest) = expect(rest, SEQUENCE)?;
        let (issuer, rest) = expect(rest, SEQUENCE)?;
        let (validity, rest) = expect(rest, SEQUENCE)?;
        let (subject, _) = expect(rest, SEQUENCE)?;
        let (_, _, not_after) = element(validity)?;
        let (tag, text, _) = element(not_after)?;
        Some(Self {
            subject: name(subject),
            issuer: name(issuer),
            not_after: moment(tag, text),
            self_signed: subject == issuer,
        })
    }
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn expect(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// The common name in a distinguished name, else the organisation.
fn name(mut der: &[u8]) -> String {
    let mut organisation = None;
    while let Some((set, rest)) = expect(der, SET) {
        der = rest;
        let Some((pair, _)) = expect(set, SEQUENCE) else { continue };
        let Some((id, value)) = expect(pair, OBJECT_ID) else { continue };
        let Some((_, text, _)) = element(value) else { continue };
        let text = || visible(&String::from_utf8_lossy(text)).into_string();
        if id == COMMON_NAME {
            return text();
        }
        if id == ORGANISATION {
            organisation = Some(text());
        }
    }
    organisation.unwrap_or_default()
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &[u8]) -> Option<OffsetDateTime> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let number = |from: usize| digits.get(from..from + 2)?.parse::<u8>().ok();
    let (year, rest) = if tag == UTC_TIME {
        let year = i32::from(number(0)?);
        (if year < 50 { 2000 + year } else { 1900 + year }, 2)
    } else {
        (i32::from(number(0)?) * 100 + i32::from(number(2)?), 4)
    };
    let month = Month::try_from(number(rest)?).ok()?;
    let date = Date::from_calendar_date(year, month, number(rest + 2)?).ok()?;
    let time = Time::from_hms(number(rest + 4)?, number(rest + 6)?, number(rest + 8)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ways_to_write_a_time() {
        let at = |tag, text: &str| moment(tag, text.as_bytes()).map(OffsetDateTime::unix_timestamp);
        assert_eq!(at(UTC_TIME, "260315102030Z"), Some(1_773_570_030));
        assert_eq!(at(0x18, "20260315102030Z"), Some(1_773_570_030));
        assert_eq!(at(UTC_TIME, "991332000000Z"), None);
        assert_eq!(at(UTC_TIME, ""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(der in prop::collection::vec(any::<u8>(), 0..200)) {
            let _facts = Certificate::read(&der);
        }
    }
}
