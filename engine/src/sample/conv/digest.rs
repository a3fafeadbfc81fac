//! Cryptographic digests (manual, 7.3.1).

use aws_lc_rs::digest::{self, Algorithm};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::sample::args::{Arg, Args, Kind, NONE, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::{Int, Str, StrOrVar};
use Type::Bin;

pub static ROWS: &[ConvertRow] = &[
    convert("sha1", NONE, Bin, Bin, |v, _, _| {
        Some(hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &v.into_data()))
    }),
    convert("sha2", spec(0, &[Int]), Bin, Bin, |v, a, _| {
        Some(hash(sha2(a.int(0).unwrap_or(256))?, &v.into_data()))
    })
    .prepared(check_bits),
    convert("digest", spec(1, &[Str]), Bin, Bin, |v, a, _| {
        let data = v.into_data();
        match a.text(0)? {
            name if is_md5(name) => Some(md5(&data)),
            name => Some(hash(by_name(name)?.0, &data)),
        }
    })
    .prepared(check_digest),
    convert("hmac", spec(2, &[Str, StrOrVar]), Bin, Bin, sign).prepared(prepare_hmac),
];

fn hash<'a>(algorithm: &'static Algorithm, data: &[u8]) -> Value<'a> {
    Value::Bin(digest::digest(algorithm, data).as_ref().to_vec().into())
}

fn is_md5(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"md5")
}

fn md5<'a>(data: &[u8]) -> Value<'a> {
    Value::Bin(Md5::digest(data).to_vec().into())
}

fn sha2(bits: i64) -> Option<&'static Algorithm> {
    Some(match bits {
        224 => &digest::SHA224,
        256 => &digest::SHA256,
        384 => &digest::SHA384,
        512 => &digest::SHA512,
        _ => return None,
    })
}

fn check_bits(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    match args.int(0) {
        None | Some(224 | 256 | 384 | 512) => Ok(()),
        Some(bits) => Err(compiler.error(
            format!("unsupported number of bits: '{bits}'"),
            "write 224, 256, 384 or 512",
        )),
    }
}

/// The digest and the HMAC of OpenSSL's name for a hash.
fn by_name(name: &[u8]) -> Option<(&'static Algorithm, hmac::Algorithm)> {
    let name = name.to_ascii_lowercase();
    Some(match &name[..] {
        b"sha1" => (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        ),
        b"sha224" | b"sha2-224" => (&digest::SHA224, hmac::HMAC_SHA224),
        b"sha256" | b"sha2-256" => (&digest::SHA256, hmac::HMAC_SHA256),
        b"sha384" | b"sha2-384" => (&digest::SHA384, hmac::HMAC_SHA384),
        b"sha512" | b"sha2-512" => (&digest::SHA512, hmac::HMAC_SHA512),
        _ => return None,
    })
}

fn check_algorithm(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let name = args.text(0).unwrap_or_default();
    if by_name(name).is_some() {
        return Ok(());
    }
    Err(compiler.error(
        format!(
            "algorithm '{}' is not supported",
            String::from_utf8_lossy(name)
        ),
        "write sha1, sha224, sha256, sha384 or sha512",
    ))
}

/// MD5 comes from elsewhere than the others.
fn check_digest(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if args.text(0).is_some_and(is_md5) {
        return Ok(());
    }
    check_algorithm(args, compiler)
}

/// The key is base64, or a variable with base64 text.
fn prepare_hmac(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    check_digest(args, compiler)?;
    if let Some(key) = args.text(1) {
        let key = STANDARD.decode(key).map_err(|_| {
            compiler.error("failed to parse the key of 'hmac'", "write it in base64")
        })?;
        args.replace(1, Arg::Str(key.into()));
    }
    Ok(())
}

fn sign<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let name = args.text(0)?;
    let key = match args.var(1) {
        Some(var) => STANDARD.decode(cx.var(var)?.into_text()).ok()?,
        None => args.text(1)?.to_vec(),
    };
    let data = value.into_data();
    if is_md5(name) {
        return Some(Value::Bin(hmac_md5(&key, &data).into()));
    }
    let (_, algorithm) = by_name(name)?;
    let tag = hmac::sign(&hmac::Key::new(algorithm, &key), &data);
    Some(Value::Bin(tag.as_ref().to_vec().into()))
}

/// RFC 2104 over MD5.
fn hmac_md5(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..16].copy_from_slice(&Md5::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Md5::new().chain(padded(0x36)).chain(data).finalize();
    let outer = Md5::new().chain(padded(0x5c)).chain(inner).finalize();
    outer.to_vec()
}

#[cfg(test)]
mod tests {
    use crate::sample::testing::Scene;

    /// RFC 1321 appendix A.5, RFC 2202 section 2, RFC 4231 section 4.3.
    #[test]
    fn known_vectors() {
        let scene = Scene::new();
        for (expr, expected) in [
            (
                "str(abc),digest(md5),hex",
                "900150983CD24FB0D6963F7D28E17F72",
            ),
            (
                "str(abc),digest(sha1),hex",
                "A9993E364706816ABA3E25717850C26C9CD0D89D",
            ),
            (
                "str('what do ya want for nothing?'),hmac(md5,SmVmZQ==),hex",
                "750C783E6AB0B503EAA86E310A5DB738",
            ),
            (
                "str('what do ya want for nothing?'),hmac(sha256,SmVmZQ==),hex",
                "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
            ),
        ] {
            assert_eq!(scene.eval(expr).as_deref(), Some(expected), "{expr}");
        }
    }
}
