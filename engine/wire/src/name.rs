//! Small ids for the field names that the proxy itself looks up.

macro_rules! known {
    ($($variant:ident = $text:literal,)*) => {
        /// A field name that the proxy asks for by itself, recognised once while parsing.
        ///
        /// Everything else is [`Known::Other`] and is compared by its text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Known {
            /// Any name without an id of its own.
            Other,
            $(
                #[doc = concat!("`", stringify!($text), "`")]
                $variant,
            )*
        }

        impl Known {
            /// The id of `name`, which must be in lower case.
            pub fn of(name: &[u8]) -> Known {
                match name {
                    $($text => Known::$variant,)*
                    _ => Known::Other,
                }
            }

            /// The name in lower case; empty for [`Known::Other`].
            pub fn text(self) -> &'static str {
                match self {
                    Known::Other => "",
                    $(Known::$variant => const { ascii($text) },)*
                }
            }
        }

        #[cfg(test)]
        const ALL: &[Known] = &[$(Known::$variant),*];
    };
}

/// Names are written as bytes, which patterns need, and told as text.
const fn ascii(name: &[u8]) -> &str {
    match std::str::from_utf8(name) {
        Ok(text) => text,
        Err(_) => panic!("a field name is ASCII"),
    }
}

known! {
    Host = b"host",
    Connection = b"connection",
    ContentLength = b"content-length",
    TransferEncoding = b"transfer-encoding",
    Upgrade = b"upgrade",
    Expect = b"expect",
    Te = b"te",
    Trailer = b"trailer",
    KeepAlive = b"keep-alive",
    ProxyConnection = b"proxy-connection",
    Http2Settings = b"http2-settings",
    Cookie = b"cookie",
    SetCookie = b"set-cookie",
    CacheControl = b"cache-control",
    ContentType = b"content-type",
    ContentEncoding = b"content-encoding",
    AcceptEncoding = b"accept-encoding",
    Accept = b"accept",
    AcceptLanguage = b"accept-language",
    Authorization = b"authorization",
    ProxyAuthorization = b"proxy-authorization",
    WwwAuthenticate = b"www-authenticate",
    Location = b"location",
    Referer = b"referer",
    UserAgent = b"user-agent",
    XForwardedFor = b"x-forwarded-for",
    XForwardedProto = b"x-forwarded-proto",
    Forwarded = b"forwarded",
    Via = b"via",
    Date = b"date",
    Server = b"server",
    Vary = b"vary",
    Etag = b"etag",
    LastModified = b"last-modified",
    Pragma = b"pragma",
    SecWebsocketKey = b"sec-websocket-key",
    SecWebsocketAccept = b"sec-websocket-accept",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_by_its_text() {
        for &known in ALL {
            assert_eq!(Known::of(known.text().as_bytes()), known);
            assert_eq!(known.text(), known.text().to_ascii_lowercase());
        }
        assert_eq!(Known::of(b"x-other"), Known::Other);
        assert_eq!(Known::of(b""), Known::Other);
    }
}
