//! Rows of fetches, converters and ACL words, and how they are looked up.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::acl_words::ACL_WORDS;
use super::converters::CONVERTERS;
use super::fetches::FETCHES;
use super::{Info, Status};
use crate::model::expr::MatchMethod;

/// Type of a sample (manual, 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Any type goes in, or the type is known when it runs only.
    Any,
    /// A converter's output that has its input's type.
    Same,
    Bool,
    Sint,
    /// IPv4 or IPv6.
    Addr,
    Ipv4,
    Ipv6,
    Str,
    Bin,
    Meth,
}

impl Type {
    /// How a value of this type is matched where no method is written (manual, 7.1).
    pub fn default_method(self) -> Option<MatchMethod> {
        match self {
            Self::Bool => Some(MatchMethod::Bool),
            Self::Sint => Some(MatchMethod::Int),
            Self::Addr | Self::Ipv4 | Self::Ipv6 => Some(MatchMethod::Ip),
            Self::Str | Self::Meth => Some(MatchMethod::Str),
            Self::Any | Self::Same | Self::Bin => None,
        }
    }

    /// Whether a value of this type can be cast to `wanted` (HAProxy's implicit casts).
    pub fn casts_to(self, wanted: Self) -> bool {
        use Type::{Addr, Any, Bin, Bool, Ipv4, Ipv6, Meth, Same, Sint, Str};
        match (self, wanted) {
            (from, to) if from == to => true,
            (Any | Same, _)
            | (_, Any | Same | Str)
            | (Bool, Sint | Bin)
            | (Sint, Bool | Bin | Addr | Ipv4 | Ipv6)
            | (Addr | Ipv4 | Ipv6, Addr | Ipv4 | Ipv6 | Bin)
            | (Ipv4, Sint)
            | (Meth, Bin)
            | (Str, Addr | Ipv4 | Ipv6 | Sint | Bool | Bin | Meth)
            | (Bin, Addr | Ipv4 | Ipv6 | Sint) => true,
            _ => false,
        }
    }
}

/// One sample fetch.
#[derive(Clone, Copy, Debug)]
pub struct Fetch {
    pub info: Info,
    /// Types of arguments; those in brackets may be left out.
    pub args: &'static str,
    pub out: Type,
    /// One bit for each [`Where`].
    pub available: u32,
}

pub(super) const fn fetch(
    name: &'static str,
    args: &'static str,
    out: Type,
    available: u32,
    status: Status,
    doc: &'static str,
) -> Fetch {
    Fetch {
        info: Info {
            name,
            syntax: args,
            status,
            doc,
        },
        args,
        out,
        available,
    }
}

/// One converter.
#[derive(Clone, Copy, Debug)]
pub struct Converter {
    pub info: Info,
    pub args: &'static str,
    pub input: Type,
    pub out: Type,
}

pub(super) const fn converter(
    name: &'static str,
    args: &'static str,
    input: Type,
    out: Type,
    status: Status,
    doc: &'static str,
) -> Converter {
    Converter {
        info: Info {
            name,
            syntax: args,
            status,
            doc,
        },
        args,
        input,
        out,
    }
}

/// `path_beg`: a fetch with a match method.
#[derive(Clone, Copy, Debug)]
pub struct AclWord {
    pub name: &'static str,
    pub fetch: &'static str,
    pub method: MatchMethod,
}

pub(super) const fn acl_word(
    name: &'static str,
    fetch: &'static str,
    method: MatchMethod,
) -> AclWord {
    AclWord {
        name,
        fetch,
        method,
    }
}

/// Where an expression is evaluated: the bit of [`Fetch::available`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Where {
    FeTcpConnection = 0,
    FeTcpSession = 1,
    FeTcpContent = 2,
    FeHttpRequest = 3,
    FeHttpBody = 4,
    FeUseBackend = 5,
    BeTcpContent = 6,
    BeHttpRequest = 7,
    BeHttpBody = 8,
    BeUseServer = 9,
    BeSource = 10,
    BeTcpResponse = 11,
    BeHttpResponse = 12,
    BeHttpResponseBody = 13,
    BeStickStore = 14,
    FeTcpResponse = 15,
    FeHttpResponse = 16,
    FeHttpResponseBody = 17,
    Log = 18,
    Check = 19,
    Config = 20,
    Cli = 21,
    /// `unique-id-format`: when a request is there, or a log line is written.
    UniqueId = 22,
    /// `http-error`: when an answer is made, the request still known.
    ErrorReply = 23,
    /// Rules of a `listen` section, which is a frontend and a backend.
    ListenTcpContent = 24,
    ListenHttpRequest = 25,
    ListenTcpResponse = 26,
    ListenHttpResponse = 27,
}

impl Where {
    /// The bits of [`Fetch::available`], any of which is enough.
    pub const fn bit(self) -> u32 {
        match self {
            Self::UniqueId => {
                Self::FeHttpRequest.bit() | Self::BeHttpRequest.bit() | Self::Log.bit()
            }
            Self::ErrorReply => Self::FeHttpRequest.bit() | Self::FeHttpResponse.bit(),
            Self::ListenTcpContent => Self::FeTcpContent.bit() | Self::BeTcpContent.bit(),
            Self::ListenHttpRequest => Self::FeHttpRequest.bit() | Self::BeHttpRequest.bit(),
            Self::ListenTcpResponse => Self::FeTcpResponse.bit() | Self::BeTcpResponse.bit(),
            Self::ListenHttpResponse => Self::FeHttpResponse.bit() | Self::BeHttpResponse.bit(),
            _ => 1 << self as u32,
        }
    }

    /// HAProxy's words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::FeTcpConnection => "frontend tcp-request connection rule",
            Self::FeTcpSession => "frontend tcp-request session rule",
            Self::FeTcpContent | Self::ListenTcpContent => "frontend tcp-request content rule",
            Self::FeHttpRequest | Self::ListenHttpRequest => "frontend http-request header rule",
            Self::FeHttpBody => "frontend http-request body rule",
            Self::FeUseBackend => "frontend use-backend rule",
            Self::BeTcpContent => "backend tcp-request content rule",
            Self::BeHttpRequest => "backend http-request header rule",
            Self::BeHttpBody => "backend http-request body rule",
            Self::BeUseServer => "backend use-server, balance or stick-match rule",
            Self::BeSource => "server source selection",
            Self::BeTcpResponse => "backend tcp-response content rule",
            Self::BeHttpResponse => "backend http-response header rule",
            Self::BeHttpResponseBody => "backend http-response body rule",
            Self::BeStickStore => "backend stick-store rule",
            Self::FeTcpResponse | Self::ListenTcpResponse => "frontend tcp-response content rule",
            Self::FeHttpResponse | Self::ListenHttpResponse => "frontend http-response header rule",
            Self::FeHttpResponseBody => "frontend http-response body rule",
            Self::Log => "logs",
            Self::Check => "backend tcp-check rule",
            Self::Config => "configuration parser",
            Self::Cli => "CLI parser",
            Self::UniqueId => "unique-id-format",
            Self::ErrorReply => "http-error",
        }
    }
}

static FETCH_INDEX: LazyLock<HashMap<&str, &Fetch>> =
    LazyLock::new(|| FETCHES.iter().map(|row| (row.info.name, row)).collect());
static CONVERTER_INDEX: LazyLock<HashMap<&str, &Converter>> =
    LazyLock::new(|| CONVERTERS.iter().map(|row| (row.info.name, row)).collect());
static ACL_INDEX: LazyLock<HashMap<&str, &AclWord>> =
    LazyLock::new(|| ACL_WORDS.iter().map(|row| (row.name, row)).collect());

/// The fetch of this name.
pub fn find_fetch(name: &str) -> Option<&'static Fetch> {
    FETCH_INDEX.get(name).copied()
}

/// The converter of this name.
pub fn find_converter(name: &str) -> Option<&'static Converter> {
    CONVERTER_INDEX.get(name).copied()
}

/// The ACL word of this name.
pub fn find_acl_word(name: &str) -> Option<&'static AclWord> {
    ACL_INDEX.get(name).copied()
}

/// How many arguments a row takes: least and most.
pub fn arg_range(args: &str) -> (usize, usize) {
    let count = |text: &str| {
        text.split(',')
            .filter(|part| !part.trim().is_empty())
            .count()
    };
    let required = args.split_once('[').map_or(args, |(before, _)| before);
    let all: String = args.chars().filter(|c| !"[]".contains(*c)).collect();
    (count(required), count(&all))
}

/// The type of argument number `index` (from 0).
pub fn arg_type(args: &'static str, index: usize) -> &'static str {
    args.split([',', '[', ']'])
        .filter(|part| !part.is_empty())
        .nth(index)
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argument_lists_tell_least_and_most() {
        assert_eq!(arg_range(""), (0, 0));
        assert_eq!(arg_range("string"), (1, 1));
        assert_eq!(arg_range("[string,integer]"), (0, 2));
        assert_eq!(arg_range("integer,string[,integer]"), (2, 3));
        assert_eq!(arg_type("integer,string[,table]", 2), "table");
    }

    #[test]
    fn acl_words_name_fetches() {
        for word in ACL_WORDS {
            assert!(
                find_fetch(word.fetch).is_some(),
                "{} names {}",
                word.name,
                word.fetch
            );
        }
    }
}
