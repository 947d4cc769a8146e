//! Sizes, counts and spans of time as people read them.

use std::time::Duration;

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// `14.2 MiB`: binary units, one decimal from KiB on.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = count as f64;
    let mut unit = "B";
    for name in UNITS {
        // 1023.95 KiB would print as 1024.0 KiB: the next unit begins there
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = name;
    }
    format!("{value:.1} {unit}")
}

/// Reads a number of bytes: `512`, `64K`, `10M`, `1.5G`, each step 1,024 times the one before.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size: write it as 512K, 10M or 1.5G");
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (text.get(..at).unwrap_or(""), unit),
        _ => (text, 'B'),
    };
    let shift = match unit.to_ascii_uppercase() {
        'B' => 0,
        'K' => 10,
        'M' => 20,
        'G' => 30,
        _ => return Err(wrong()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| {
        !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(wrong());
    }
    let parse = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let tenths = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    Ok((parse(whole)? << shift) + ((parse(fraction)? << shift) / tenths))
}

/// `12,408`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 object`, `12,408 objects`: `noun` is what one is called.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `4 ms`, `2.1 s`, `3 min 20 s`.
pub fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return format!("{millis} ms");
    }
    if millis < 60_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    let seconds = duration.as_secs();
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// What is left of something that ends: `3 h 20 min`, `7 min`, `less than a minute`.
pub fn left(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".into(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// `2026-03-15 10:20:30`: a date and a time of day, UTC.
pub fn moment(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    // only a year of more than four digits has no place in it
    time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// `now`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn ago(age: Duration) -> String {
    match age.as_secs() {
        0..60 => "just now".into(),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_carry_over_at_the_rounding_edge() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(14_889_779), "14.2 MiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(counted(1, "object"), "1 object");
        assert_eq!(counted(0, "object"), "0 objects");
        assert_eq!(count(7), "7");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn spans() {
        assert_eq!(span(Duration::from_millis(4)), "4 ms");
        assert_eq!(span(Duration::from_millis(2149)), "2.1 s");
        assert_eq!(span(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(ago(Duration::from_secs(7300)), "2 h ago");
        for (seconds, text) in
            [(59, "less than a minute"), (119, "1 min"), (7259, "2 h"), (12_000, "3 h 20 min")]
        {
            assert_eq!(left(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let read = |text: &str| parse_bytes(text).ok();
        assert_eq!(read("512"), Some(512));
        assert_eq!(read("64k"), Some(64 << 10));
        assert_eq!(read("1.5G"), Some(3 << 29));
        assert_eq!(read("10M"), Some(10 << 20));
        for text in ["", "M", "10X", "-1", "1..5", "1e3", "99999999999G", "１", "10 M"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
