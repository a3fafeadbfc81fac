//! Certificates: the client's (`ssl_c_`), our own (`ssl_f_`), the server's (`ssl_s_`) (manual, 7.3.4).

use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::sample::args::{Args, Kind, NONE, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::point::Needs::{Client, Server};
use crate::sample::row::{FetchRow, Fetched, fetch};
use crate::sample::value::{Type, Value};

const NAME: Spec = spec(0, &[Kind::Str, Kind::Int, Kind::Str]);

/// The rows of one certificate.
macro_rules! rows {
    ($needs:ident, $der:expr, $sha1:literal, $serial:literal, $version:literal, $s_dn:literal, $i_dn:literal,
     $before:literal, $after:literal, $sig_alg:literal, $key_alg:literal) => {
        [
            fetch($sha1, NONE, Type::Bin, $needs, |_, cx, _| {
                let der: Option<&[u8]> = $der(cx);
                der.map(|der| Value::Bin(sha1(der).into())).into()
            }),
            fetch($serial, NONE, Type::Bin, $needs, |_, cx, _| {
                read($der(cx), |c| {
                    Some(Value::Bin(c.raw_serial().to_vec().into()))
                })
            }),
            fetch($version, NONE, Type::Sint, $needs, |_, cx, _| {
                read($der(cx), |c| Some(Value::Sint(i64::from(c.version.0) + 1)))
            }),
            fetch($s_dn, NAME, Type::Str, $needs, |a, cx, _| {
                read($der(cx), |c| name(c.subject(), a))
            }),
            fetch($i_dn, NAME, Type::Str, $needs, |a, cx, _| {
                read($der(cx), |c| name(c.issuer(), a))
            }),
            fetch($before, NONE, Type::Str, $needs, |_, cx, _| {
                read($der(cx), |c| {
                    Some(date(c.validity().not_before.timestamp()))
                })
            }),
            fetch($after, NONE, Type::Str, $needs, |_, cx, _| {
                read($der(cx), |c| Some(date(c.validity().not_after.timestamp())))
            }),
            fetch($sig_alg, NONE, Type::Str, $needs, |_, cx, _| {
                read($der(cx), |c| {
                    Some(signature_name(&c.signature_algorithm.algorithm))
                })
            }),
            fetch($key_alg, NONE, Type::Str, $needs, |_, cx, _| {
                read($der(cx), |c| {
                    Some(key_name(&c.public_key().algorithm.algorithm))
                })
            }),
        ]
    };
}

pub static CLIENT_ROWS: &[FetchRow] = &rows!(
    Client,
    client,
    "ssl_c_sha1",
    "ssl_c_serial",
    "ssl_c_version",
    "ssl_c_s_dn",
    "ssl_c_i_dn",
    "ssl_c_notbefore",
    "ssl_c_notafter",
    "ssl_c_sig_alg",
    "ssl_c_key_alg"
);

pub static OWN_ROWS: &[FetchRow] = &rows!(
    Client,
    own,
    "ssl_f_sha1",
    "ssl_f_serial",
    "ssl_f_version",
    "ssl_f_s_dn",
    "ssl_f_i_dn",
    "ssl_f_notbefore",
    "ssl_f_notafter",
    "ssl_f_sig_alg",
    "ssl_f_key_alg"
);

pub static SERVER_ROWS: &[FetchRow] = &rows!(
    Server,
    server,
    "ssl_s_sha1",
    "ssl_s_serial",
    "ssl_s_version",
    "ssl_s_s_dn",
    "ssl_s_i_dn",
    "ssl_s_notbefore",
    "ssl_s_notafter",
    "ssl_s_sig_alg",
    "ssl_s_key_alg"
);

fn client<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    cx.session.tls.as_ref()?.peer_certificate.as_deref()
}

fn own<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    cx.session.tls.as_ref()?.own_certificate.as_deref()
}

fn server<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    cx.stream.server_tls.as_ref()?.peer_certificate.as_deref()
}

fn read<'a>(
    der: Option<&'a [u8]>,
    pick: impl FnOnce(&X509Certificate<'a>) -> Option<Value<'a>>,
) -> Fetched<'a> {
    der.and_then(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        pick(&certificate)
    })
    .into()
}

/// The subject's common name, the first where there are several.
pub fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}

/// How the certificate is signed, by OpenSSL's short name.
pub fn signature_algorithm(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = signature_name(&certificate.signature_algorithm.algorithm);
    Some(String::from_utf8_lossy(name.bytes()?).into_owned())
}

/// Kind and bits of the certificate's key: `RSA2048`, `EC256` (proxy-protocol.txt, 2.2.6).
pub fn key_algorithm(der: &[u8]) -> Option<String> {
    use x509_parser::public_key::PublicKey;
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => format!("RSA{}", key.key_size()),
        PublicKey::EC(key) => format!("EC{}", key.key_size()),
        _ => return None,
    })
}

fn sha1(der: &[u8]) -> Vec<u8> {
    let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
    aws_lc_rs::digest::digest(algorithm, der).as_ref().to_vec()
}

/// `YYMMDDhhmmssZ`, with the century from 2050 on (RFC 5280 section 4.1.2.5).
fn date<'a>(unix_s: i64) -> Value<'a> {
    let date = crate::log::date::Date::utc(unix_s.saturating_mul(1_000_000));
    let mut text = Vec::with_capacity(15);
    let format: &[u8] = if date.year < 2050 {
        b"%y%m%d%H%M%SZ"
    } else {
        b"%Y%m%d%H%M%SZ"
    };
    date.write_strftime(format, &mut text);
    Value::text(text)
}

/// `x_dn([entry[,occurrence[,format]]])`
fn name<'a>(name: &X509Name<'_>, args: &Args) -> Option<Value<'a>> {
    let entries: Vec<(String, String)> = name
        .iter_attributes()
        .map(|attribute| {
            let value = attribute.as_str().map_or_else(
                |_| String::from_utf8_lossy(attribute.as_slice()).into_owned(),
                str::to_owned,
            );
            (short_name(attribute.attr_type()), value)
        })
        .collect();
    if entries.iter().any(|(_, value)| value.contains('\0')) {
        return None;
    }
    let wanted = args.text(0).filter(|entry| !entry.is_empty());
    if let Some(wanted) = wanted {
        let mut values = entries
            .iter()
            .filter(|(name, _)| name.as_bytes() == wanted)
            .map(|(_, value)| value);
        let value = match args.int(1).unwrap_or(1) {
            n if n < 0 => values.nth_back(usize::try_from(n.unsigned_abs()).ok()? - 1),
            n => values.nth(usize::try_from(n.max(1)).ok()? - 1),
        };
        return value.map(|value| Value::text(value.as_bytes()));
    }
    let mut text = String::new();
    if args.text(2) == Some(b"rfc2253") {
        // Most specific first (RFC 2253 section 2.1).
        for (position, (name, value)) in entries.iter().rev().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            text.extend([comma, name, "=", value]);
        }
    } else {
        for (name, value) in &entries {
            text.extend(["/", name, "=", value]);
        }
    }
    Some(Value::text(text))
}

/// OpenSSL's short name of an attribute, or its numbers.
fn short_name(oid: &Oid<'_>) -> String {
    let numbers = oid.to_id_string();
    let name = match numbers.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return numbers,
    };
    name.to_owned()
}

/// OpenSSL's short name of a signature algorithm.
fn signature_name<'a>(oid: &Oid<'_>) -> Value<'a> {
    let numbers = oid.to_id_string();
    let name = match numbers.as_str() {
        "1.2.840.113549.1.1.4" => "RSA-MD5",
        "1.2.840.113549.1.1.5" => "RSA-SHA1",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA-SHA256",
        "1.2.840.113549.1.1.12" => "RSA-SHA384",
        "1.2.840.113549.1.1.13" => "RSA-SHA512",
        "1.2.840.113549.1.1.14" => "RSA-SHA224",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        _ => return Value::text(numbers),
    };
    Value::str(name.as_bytes())
}

/// OpenSSL's short name of a public key's algorithm.
fn key_name<'a>(oid: &Oid<'_>) -> Value<'a> {
    let numbers = oid.to_id_string();
    let name = match numbers.as_str() {
        "1.2.840.113549.1.1.1" => "rsaEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.10040.4.1" => "dsaEncryption",
        "1.2.840.10045.2.1" => "id-ecPublicKey",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        _ => return Value::text(numbers),
    };
    Value::str(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::sample::TlsFacts;
    use crate::sample::testing::Scene;

    #[test]
    fn names_dates_and_algorithms() {
        let mut params = rcgen::CertificateParams::new(vec!["ex.org".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in [
            (rcgen::DnType::CountryName, "FR"),
            (rcgen::DnType::OrganizationName, "First"),
            (rcgen::DnType::CommonName, "ex.org"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        params.not_before = rcgen::date_time_ymd(2024, 2, 3);
        params.not_after = rcgen::date_time_ymd(2051, 1, 1);
        params.serial_number = Some(vec![1, 2, 3].into());
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut scene = Scene::new();
        assert_eq!(scene.eval("ssl_c_s_dn"), None);
        scene.session.tls = Some(Box::new(TlsFacts {
            peer_certificate: Some(certificate.der().to_vec().into()),
            ..TlsFacts::default()
        }));
        for (expr, expected) in [
            ("ssl_c_s_dn", "/C=FR/O=First/CN=ex.org"),
            ("ssl_c_i_dn", "/C=FR/O=First/CN=ex.org"),
            ("ssl_c_s_dn(CN)", "ex.org"),
            ("ssl_c_s_dn(O,-1)", "First"),
            ("ssl_c_s_dn(,0,rfc2253)", "CN=ex.org,O=First,C=FR"),
            ("ssl_c_notbefore", "240203000000Z"),
            ("ssl_c_notafter", "20510101000000Z"),
            ("ssl_c_serial,hex", "010203"),
            ("ssl_c_version", "3"),
            ("ssl_c_sig_alg", "ecdsa-with-SHA256"),
            ("ssl_c_key_alg", "id-ecPublicKey"),
            ("ssl_c_used", "1"),
        ] {
            assert_eq!(scene.eval(expr).as_deref(), Some(expected), "{expr}");
        }
        assert_eq!(scene.eval("ssl_c_sha1,hex").map(|hex| hex.len()), Some(40));
        assert_eq!(scene.eval("ssl_c_s_dn(O,2)"), None);
        assert_eq!(scene.eval("ssl_f_s_dn"), None);
    }
}
