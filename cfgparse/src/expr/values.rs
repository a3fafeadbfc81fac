//! What arguments of single fetches and converters must be, beyond their types (manual, 7.3).

use super::sample::variable;
use crate::quantity;

/// Checks the arguments of a converter. `Err` says what was expected.
pub fn converter(name: &str, args: &[String]) -> Result<(), String> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    match name {
        "add" | "sub" | "mul" | "div" | "mod" | "and" | "or" | "xor" => number_or_variable(arg(0)),
        "bytes" => args.iter().try_for_each(|arg| number_or_variable(arg)),
        "concat" | "add_item" if !arg(1).is_empty() => variable(arg(1)),
        "strcmp" | "secure_memcmp" => variable(arg(0)),
        "be2dec" | "le2dec" => within(arg(1), 1, 8, "a chunk size"),
        "be2hex" if args.len() > 1 => within(arg(1), 1, i64::MAX, "a chunk size"),
        "aes_gcm_dec" | "aes_gcm_enc" | "aes_cbc_dec" | "aes_cbc_enc" => {
            one_of(arg(0), &["128", "192", "256"])
        }
        "sha2" if !args.is_empty() => one_of(arg(0), &["224", "256", "384", "512"]),
        "digest" => digest(arg(0)),
        "hmac" => digest(arg(0)),
        "json" if !args.is_empty() => {
            one_of(arg(0), &["", "ascii", "utf8", "utf8s", "utf8p", "utf8ps"])
        }
        "json_query" if arg(0).is_empty() => Err("a path must not be empty".to_owned()),
        "json_query" if args.len() > 1 => one_of(arg(1), &["int"]),
        "jwt_header_query" | "jwt_payload_query" if args.len() > 1 => one_of(arg(1), &["int"]),
        "url_enc" if !args.is_empty() => one_of(arg(0), &["", "query"]),
        "regsub" if args.len() > 2 => flags(arg(2), "ig"),
        "http_date" if args.len() > 1 => one_of(arg(1), UNITS),
        "ipmask" => ipmask(arg(0)),
        _ => Ok(()),
    }
}

/// Checks the arguments of a fetch.
pub fn fetch(name: &str, args: &[String]) -> Result<(), String> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    match name {
        "accept_date" | "request_date" | "bc_rtt" | "bc_rttvar" | "fc_rtt" | "fc_rttvar"
            if !args.is_empty() =>
        {
            one_of(arg(0), UNITS)
        }
        "date" if args.len() > 1 => one_of(arg(1), UNITS),
        "bool" => one_of(arg(0), &["true", "false", "0", "1"]),
        "bin" => hex(arg(0)),
        "ipv4" => arg(0)
            .parse::<std::net::Ipv4Addr>()
            .map(|_| ())
            .map_err(|_| expected("an IPv4 address", arg(0))),
        "ipv6" => arg(0)
            .parse::<std::net::Ipv6Addr>()
            .map(|_| ())
            .map_err(|_| expected("an IPv6 address", arg(0))),
        "capture.req.hdr" | "capture.res.hdr" => {
            within(arg(0), 0, i64::MAX, "a capture identifier")
        }
        "distcc_body" | "distcc_param" if arg(0).len() != 4 => {
            Err("the token name must have exactly 4 characters".to_owned())
        }
        "dump_all_vars" if !arg(0).is_empty() => {
            one_of(arg(0), &["sess", "txn", "req", "res", "proc"])
        }
        "fc_pp_tlv" => tlv_type(arg(0)),
        name if name.starts_with("internal.htx_blk.") && !args.is_empty() => {
            let is_number = arg(0).parse::<u32>().is_ok();
            if is_number {
                Ok(())
            } else {
                one_of(arg(0), BLOCKS)
            }
        }
        "query" if !args.is_empty() => one_of(arg(0), &["", "with_qm"]),
        "uuid" if !args.is_empty() => one_of(arg(0), &["4", "7"]),
        _ => Ok(()),
    }
}

/// Fetches whose argument may be left out, but not be empty.
pub const CHECKS_EMPTY: &[&str] = &[
    "accept_date",
    "bc_rtt",
    "bc_rttvar",
    "fc_rtt",
    "fc_rttvar",
    "request_date",
];

/// Positions of blocks of a message that `internal.htx_blk.*` ask about.
const BLOCKS: &[&str] = &["head", "tail", "first"];

/// Types of TLVs that have a name (PROXY protocol, 2.2).
const TLV_NAMES: &[&str] = &[
    "ALPN",
    "AUTHORITY",
    "CRC32C",
    "NETNS",
    "NOOP",
    "SSL",
    "UNIQUE_ID",
];

/// A number from 0 to 255, in decimal or hexadecimal digits, or a name.
fn tlv_type(text: &str) -> Result<(), String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).is_ok(),
        None => text.parse::<u8>().is_ok(),
    };
    if number || TLV_NAMES.contains(&text) {
        return Ok(());
    }
    Err(expected("a TLV type from 0 to 255 or its name", text))
}

const UNITS: &[&str] = &["s", "ms", "us"];

fn expected(wanted: &str, got: &str) -> String {
    format!("expects {wanted}, got '{got}'")
}

fn one_of(text: &str, choices: &[&str]) -> Result<(), String> {
    if choices.contains(&text) {
        return Ok(());
    }
    let shown: Vec<String> = choices
        .iter()
        .filter(|choice| !choice.is_empty())
        .map(|choice| format!("'{choice}'"))
        .collect();
    Err(expected(&shown.join(" or "), text))
}

fn within(text: &str, low: i64, high: i64, what: &str) -> Result<(), String> {
    match quantity::number::<i64>(text) {
        Ok(value) if (low..=high).contains(&value) => Ok(()),
        _ if high == i64::MAX => Err(expected(&format!("{what} of at least {low}"), text)),
        _ => Err(expected(&format!("{what} from {low} to {high}"), text)),
    }
}

fn number_or_variable(text: &str) -> Result<(), String> {
    if quantity::number::<i64>(text).is_ok() || variable(text).is_ok() {
        return Ok(());
    }
    Err(expected("an integer or a variable name", text))
}

/// Digests by their names in OpenSSL.
fn digest(text: &str) -> Result<(), String> {
    let known = [
        "md4",
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha512-224",
        "sha512-256",
        "sha3-224",
        "sha3-256",
        "sha3-384",
        "sha3-512",
        "shake128",
        "shake256",
        "ripemd160",
        "rmd160",
        "whirlpool",
        "blake2b512",
        "blake2s256",
        "sm3",
        "md5-sha1",
    ];
    let name = text.to_ascii_lowercase();
    let plain = name.replace("sha-", "sha").replace('/', "-");
    if known.contains(&plain.as_str()) {
        return Ok(());
    }
    Err(expected(
        "the name of a message digest, such as sha256",
        text,
    ))
}

fn flags(text: &str, known: &str) -> Result<(), String> {
    match text.chars().find(|c| !known.contains(*c)) {
        Some(bad) => Err(format!(
            "invalid flag '{bad}', only '{known}' are supported"
        )),
        None => Ok(()),
    }
}

fn hex(text: &str) -> Result<(), String> {
    if !text.is_empty()
        && text.len().is_multiple_of(2)
        && text.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return Ok(());
    }
    Err(expected("an even number of hexadecimal digits", text))
}

/// A mask of bits or of dotted decimals.
fn ipmask(text: &str) -> Result<(), String> {
    let is_mask = text.parse::<u8>().is_ok_and(|bits| bits <= 32)
        || text
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|mask| u32::from(mask).leading_ones() == u32::from(mask).count_ones());
    if is_mask {
        return Ok(());
    }
    Err(expected("an IPv4 mask", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manual_allows() {
        for (name, args, valid) in [
            ("add", &["1"][..], true),
            ("add", &["txn.a"], true),
            ("add", &["a"], false),
            ("concat", &["/", "txn.a"], true),
            ("concat", &["/"], true),
            ("concat", &["/", "a"], false),
            ("sha2", &["256"], true),
            ("sha2", &[], true),
            ("sha2", &["1"], false),
            ("digest", &["SHA-256"], true),
            ("digest", &["a"], false),
            ("regsub", &["a", "b", "ig"], true),
            ("regsub", &["a", "b", "x"], false),
            ("ipmask", &["24"], true),
            ("ipmask", &["255.255.0.0"], true),
            ("ipmask", &["255.0.255.0"], false),
            ("bin", &["0aFF"], true),
            ("bin", &["0"], false),
            ("bool", &["true"], true),
            ("bool", &["yes"], false),
            ("accept_date", &[], true),
            ("accept_date", &["ms"], true),
            ("accept_date", &["1"], false),
        ] {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            let fetches = ["bin", "bool", "accept_date"];
            let check = if fetches.contains(&name) {
                fetch
            } else {
                converter
            };
            assert_eq!(check(name, &args).is_ok(), valid, "{name}({args:?})");
        }
    }
}
