//! What TLS lines say of ciphers, groups, signatures, versions and authorities must make sense.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::Model;
use crate::model::bind::Bind;
use crate::model::proxy::Proxy;
use crate::model::server::Server;
use crate::model::tls::{BindTls, ServerTls, TlsVerify, TlsVersion, TlsVersions};

/// Checks the `bind` and `server` lines that speak TLS.
pub fn tls(cx: &mut Context, model: &Model) {
    for proxy in model.proxies.iter().filter(|proxy| !proxy.disabled) {
        for bind in &proxy.binds {
            if let Some(tls) = &bind.tls {
                listener(cx, proxy, bind, tls);
            }
        }
        for server in &proxy.servers {
            if let Some(tls) = server.tls.as_ref().filter(|tls| tls.enabled) {
                towards(cx, proxy, server, tls);
            }
        }
    }
}

/// A line as messages call it.
struct Line {
    name: String,
    span: Span,
}

impl Line {
    fn refuse(&self, cx: &mut Context, code: &'static str, message: &str, remedy: &str) {
        let message = format!("{} : {message}", self.name);
        let diagnostic = Diagnostic::new(Severity::Alert, code, Some(self.span), message);
        cx.report(diagnostic.remedy(remedy));
    }

    /// A list of which no name is known does nothing but harm.
    fn list(&self, cx: &mut Context, list: Option<&String>, what: &str, known: fn(&str) -> bool) {
        let Some(list) = list else { return };
        let mut names = list
            .split([':', ',', ' '])
            .filter(|name| !name.is_empty())
            .peekable();
        if names.peek().is_some() && !names.any(known) {
            let message = format!("unable to set {what} to '{list}'");
            self.refuse(
                cx,
                "bad-ciphers",
                &message,
                "remove it: the default is safe",
            );
        }
    }

    fn versions(&self, cx: &mut Context, versions: TlsVersions) {
        if versions.max == Some(TlsVersion::Ssl3) {
            let message = "all SSL/TLS versions are disabled: SSLv3 is known no longer";
            self.refuse(cx, "bad-ciphers", message, "allow TLSv1.2 or TLSv1.3");
        }
    }
}

fn listener(cx: &mut Context, proxy: &Proxy, bind: &Bind, tls: &BindTls) {
    let line = Line {
        name: format!("Proxy '{}': 'bind {}'", proxy.name, bind.written),
        span: Span {
            at: bind.at,
            len: 4,
        },
    };
    line.list(cx, tls.ciphers.as_ref(), "SSL cipher list", is_cipher);
    line.list(
        cx,
        tls.ciphersuites.as_ref(),
        "TLS 1.3 cipher suites",
        is_suite,
    );
    line.list(cx, tls.curves.as_ref(), "SSL curves list", is_group);
    line.list(cx, tls.ecdhe.as_ref(), "elliptic named curve", is_group);
    line.list(
        cx,
        tls.sigalgs.as_ref(),
        "signature algorithms",
        is_signature,
    );
    line.list(
        cx,
        tls.client_sigalgs.as_ref(),
        "signature algorithms",
        is_signature,
    );
    line.versions(cx, tls.versions);
    let asks = matches!(tls.verify, Some(TlsVerify::Optional | TlsVerify::Required));
    if asks && tls.ca_file.is_none() && tls.ca_verify_file.is_none() {
        let message = "verify is enabled but no CA file specified";
        line.refuse(cx, "no-certificate", message, "add 'ca-file <file>'");
    }
}

fn towards(cx: &mut Context, proxy: &Proxy, server: &Server, tls: &ServerTls) {
    let line = Line {
        name: format!("'server {}/{}'", proxy.name, server.name),
        span: Span {
            at: server.at,
            len: 6,
        },
    };
    line.list(cx, tls.ciphers.as_ref(), "SSL cipher list", is_cipher);
    line.list(
        cx,
        tls.ciphersuites.as_ref(),
        "TLS 1.3 cipher suites",
        is_suite,
    );
    line.list(cx, tls.curves.as_ref(), "SSL curves list", is_group);
    line.list(
        cx,
        tls.sigalgs.as_ref(),
        "signature algorithms",
        is_signature,
    );
    line.list(
        cx,
        tls.client_sigalgs.as_ref(),
        "signature algorithms",
        is_signature,
    );
    line.versions(cx, tls.versions);
}

/// Names of ciphers and of groups of them have capital letters, whoever made the library.
/// `PROFILE=...` names a policy of some distributions' OpenSSL.
fn is_cipher(name: &str) -> bool {
    let plain = !name.contains(['/', '=']) || name.starts_with('@');
    plain && name.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_suite(name: &str) -> bool {
    name.starts_with("TLS_")
}

fn begins(name: &str, known: &[&str]) -> bool {
    let name = name
        .trim_start_matches(['?', '*', '-'])
        .to_ascii_lowercase();
    known.iter().any(|prefix| name.starts_with(prefix))
}

fn is_group(name: &str) -> bool {
    begins(
        name,
        &[
            "brainpool",
            "curvesm2",
            "default",
            "ffdhe",
            "gost",
            "gc",
            "kyber",
            "mlkem",
            "p-",
            "prime",
            "secp",
            "sect",
            "x25519",
            "x448",
        ],
    )
}

fn is_signature(name: &str) -> bool {
    let other = [
        "ecdsa", "ed25519", "ed448", "dsa", "gost", "mldsa", "rsa", "slhdsa", "sm2",
    ];
    name.contains('+') || begins(name, &other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_looks() {
        for name in ["ALL", "!aNULL", "ECDHE+AESGCM", "@SECLEVEL=2", "kRSA"] {
            assert!(is_cipher(name), "{name}");
        }
        for name in ["abc", "PROFILE=SYSTEM", "/tmp/X"] {
            assert!(!is_cipher(name), "{name}");
        }
        for name in [
            "X25519",
            "P-256",
            "prime256v1",
            "?X25519MLKEM768",
            "secp384r1",
        ] {
            assert!(is_group(name), "{name}");
        }
        for name in ["rsa_pss_rsae_sha256", "ECDSA+SHA256", "ed25519"] {
            assert!(is_signature(name), "{name}");
        }
        assert!(!is_group("abc") && !is_signature("1") && !is_suite("abc"));
    }
}
