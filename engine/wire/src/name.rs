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
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
        }

        impl Known {
            /// The id of `name`, which must be in lower case.
            pub fn of(name: &[u8]) -> Known {
                $(
                    if name.len() == $text.len() && name == $text.as_bytes() {
                        return Known::$variant;
                    }
                )*
                Known::Other
            }

            /// The name in lower case; empty for [`Known::Other`].
            pub fn text(self) -> &'static str {
                match self {
                    Known::Other => "",
                    $(Known::$variant => $text,)*
                }
            }
        }

        #[cfg(test)]
        const ALL: &[Known] = &[$(Known::$variant),*];
    };
}

known! {
    Host = "host",
    Connection = "connection",
    ContentLength = "content-length",
    TransferEncoding = "transfer-encoding",
    Upgrade = "upgrade",
    Expect = "expect",
    Te = "te",
    Trailer = "trailer",
    KeepAlive = "keep-alive",
    ProxyConnection = "proxy-connection",
    Http2Settings = "http2-settings",
    Cookie = "cookie",
    SetCookie = "set-cookie",
    CacheControl = "cache-control",
    ContentType = "content-type",
    ContentEncoding = "content-encoding",
    AcceptEncoding = "accept-encoding",
    Accept = "accept",
    AcceptLanguage = "accept-language",
    Authorization = "authorization",
    ProxyAuthorization = "proxy-authorization",
    WwwAuthenticate = "www-authenticate",
    Location = "location",
    Referer = "referer",
    UserAgent = "user-agent",
    XForwardedFor = "x-forwarded-for",
    XForwardedProto = "x-forwarded-proto",
    Forwarded = "forwarded",
    Via = "via",
    Date = "date",
    Server = "server",
    Vary = "vary",
    Etag = "etag",
    LastModified = "last-modified",
    Pragma = "pragma",
    SecWebsocketKey = "sec-websocket-key",
    SecWebsocketAccept = "sec-websocket-accept",
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
