//! Signatures of JSON Web Tokens (manual, 7.3.1 `jwt_verify`; RFC 7515, RFC 7518 section 3).

use std::borrow::Cow;
use std::collections::HashMap;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::sample::args::{Args, Kind, spec};
use crate::sample::cx::Cx;
use crate::sample::env::{Compiler, Names};
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::StrOrVar;

pub static ROWS: &[ConvertRow] = &[convert(
    "jwt_verify",
    spec(2, &[StrOrVar, StrOrVar]),
    Type::Bin,
    Type::Sint,
    |v, a, cx| verify(&v.into_data(), a, cx).map(|outcome| Value::Sint(outcome as i64)),
)
.prepared(prepare)];

/// What came of a verification; the numbers are those that the manual gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good = 1,
    Bad = 0,
    UnknownAlgorithm = -1,
    InvalidToken = -3,
    UnknownKey = -5,
}

/// How a token is signed.
#[derive(Clone, Copy)]
enum Algorithm {
    Secret(hmac::Algorithm),
    Key(&'static dyn VerificationAlgorithm),
    /// Not at all.
    None,
}

impl Algorithm {
    fn of(name: &[u8]) -> Option<Algorithm> {
        Some(match name {
            b"HS256" => Algorithm::Secret(hmac::HMAC_SHA256),
            b"HS384" => Algorithm::Secret(hmac::HMAC_SHA384),
            b"HS512" => Algorithm::Secret(hmac::HMAC_SHA512),
            b"RS256" => Algorithm::Key(&signature::RSA_PKCS1_2048_8192_SHA256),
            b"RS384" => Algorithm::Key(&signature::RSA_PKCS1_2048_8192_SHA384),
            b"RS512" => Algorithm::Key(&signature::RSA_PKCS1_2048_8192_SHA512),
            b"PS256" => Algorithm::Key(&signature::RSA_PSS_2048_8192_SHA256),
            b"PS384" => Algorithm::Key(&signature::RSA_PSS_2048_8192_SHA384),
            b"PS512" => Algorithm::Key(&signature::RSA_PSS_2048_8192_SHA512),
            b"ES256" => Algorithm::Key(&signature::ECDSA_P256_SHA256_FIXED),
            b"ES384" => Algorithm::Key(&signature::ECDSA_P384_SHA384_FIXED),
            b"ES512" => Algorithm::Key(&signature::ECDSA_P521_SHA512_FIXED),
            b"none" => Algorithm::None,
            _ => return None,
        })
    }
}

/// Public keys in DER by the paths that lines name: nothing is read while running.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys(HashMap<Box<[u8]>, Box<[u8]>>);

impl PublicKeys {
    /// The key of this path.
    pub fn key(&self, path: &[u8]) -> Option<&[u8]> {
        self.0.get(path).map(|der| &**der)
    }

    fn add(&mut self, path: &[u8], names: &dyn Names) -> Result<(), String> {
        if self.0.contains_key(path) {
            return Ok(());
        }
        let pem = names.file(&String::from_utf8_lossy(path))?;
        let der = public_key(&pem).ok_or("it holds no public key")?;
        self.0.insert(path.into(), der.into());
        Ok(())
    }
}

/// The key of the first `PUBLIC KEY` or `RSA PUBLIC KEY` in a PEM file.
fn public_key(pem: &[u8]) -> Option<Vec<u8>> {
    let pem = std::str::from_utf8(pem).ok()?;
    let mut lines = pem.lines().map(str::trim);
    let begins = |line: &&str| {
        matches!(
            *line,
            "-----BEGIN PUBLIC KEY-----" | "-----BEGIN RSA PUBLIC KEY-----"
        )
    };
    lines.find(begins)?;
    let digits: String = lines
        .take_while(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(digits).ok()
}

/// Reads the public key that the second argument names.
fn prepare(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let algorithm = args.text(0).map(Algorithm::of);
    let is_known = match algorithm {
        Some(None | Some(Algorithm::None)) => {
            return Err(compiler.error(
                "unmanaged algorithm of 'jwt_verify'",
                "write HS256, RS256, ES256, PS256 or one of their 384 and 512 forms",
            ));
        }
        Some(Some(Algorithm::Secret(_))) => return Ok(()),
        Some(Some(Algorithm::Key(_))) => true,
        None => false,
    };
    let Some(path) = args.text(1) else {
        return Ok(());
    };
    match compiler.public_keys.add(path, compiler.names) {
        // Where a variable tells the algorithm it may be a secret.
        Err(message) if is_known => {
            let path = String::from_utf8_lossy(path);
            Err(compiler.error(
                format!("cannot read the public key '{path}': {message}"),
                "name a PEM file with a PUBLIC KEY or an RSA PUBLIC KEY",
            ))
        }
        _ => Ok(()),
    }
}

/// What an argument or its variable says.
fn told<'a>(args: &'a Args, index: usize, cx: &Cx<'a>) -> Option<Cow<'a, [u8]>> {
    match args.var(index) {
        Some(var) => cx.var(var).map(Value::into_text),
        None => args.text(index).map(Cow::Borrowed),
    }
}

fn verify(token: &[u8], args: &Args, cx: &Cx<'_>) -> Option<Outcome> {
    let (name, key) = (told(args, 0, cx)?, told(args, 1, cx)?);
    let Some(algorithm) = Algorithm::of(&name) else {
        return Some(Outcome::UnknownAlgorithm);
    };
    let Some((signed, signature)) = parts(token) else {
        return Some(Outcome::InvalidToken);
    };
    let is_good = match algorithm {
        Algorithm::Secret(algorithm) => {
            let key = hmac::Key::new(algorithm, &key);
            hmac::verify(&key, signed, &signature).is_ok()
        }
        Algorithm::Key(algorithm) => match cx.world.public_key(&key) {
            Some(der) => {
                let key = UnparsedPublicKey::new(algorithm, der);
                key.verify(signed, &signature).is_ok()
            }
            None => return Some(Outcome::UnknownKey),
        },
        Algorithm::None => signature.is_empty(),
    };
    Some(if is_good { Outcome::Good } else { Outcome::Bad })
}

/// What is signed, and the signature: a token has three parts.
fn parts(token: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let mut dots = memchr::memchr_iter(b'.', token);
    let (_, second, None) = (dots.next()?, dots.next()?, dots.next()) else {
        return None;
    };
    let signature = URL_SAFE_NO_PAD.decode(&token[second + 1..]).ok()?;
    Some((&token[..second], signature))
}
