//! Encryption with AES (manual, 7.3.1 `aes_gcm_enc`, `aes_cbc_enc` and their reverse).

use aws_lc_rs::aead;
use aws_lc_rs::cipher;
use aws_lc_rs::iv::FixedLength;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::sample::args::{Args, Kind, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::{Int, StrOrVar, Var};
use Type::Bin;

/// Bits, nonce, key, and what is authenticated besides, which CBC does not heed.
const CBC: Spec = spec(3, &[Int, StrOrVar, StrOrVar, StrOrVar]);
const GCM_TAG_BYTES: usize = 16;
const CBC_IV_BYTES: usize = 16;

pub static ROWS: &[ConvertRow] = &[
    convert(
        "aes_gcm_enc",
        spec(4, &[Int, StrOrVar, StrOrVar, Var, StrOrVar]),
        Bin,
        Bin,
        gcm_encrypt,
    )
    .prepared(check_bits),
    convert(
        "aes_gcm_dec",
        spec(4, &[Int, StrOrVar, StrOrVar, StrOrVar, StrOrVar]),
        Bin,
        Bin,
        gcm_decrypt,
    )
    .prepared(check_bits),
    convert("aes_cbc_enc", CBC, Bin, Bin, cbc_encrypt).prepared(check_bits),
    convert("aes_cbc_dec", CBC, Bin, Bin, cbc_decrypt).prepared(check_bits),
];

fn check_bits(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    match args.int(0) {
        Some(128 | 192 | 256) => Ok(()),
        _ => Err(compiler.error("unsupported number of bits", "write 128, 192 or 256")),
    }
}

/// What an argument or its variable holds in base64.
fn decoded(args: &Args, index: usize, cx: &Cx<'_>) -> Option<Vec<u8>> {
    match args.var(index) {
        Some(var) => STANDARD.decode(cx.var(var)?.into_text()).ok(),
        None => STANDARD.decode(args.text(index)?).ok(),
    }
}

/// The key; what follows as many bytes as the cipher takes is not looked at.
fn key(args: &Args, cx: &Cx<'_>) -> Option<Vec<u8>> {
    let mut key = decoded(args, 2, cx)?;
    let bytes = args.index(0)? / 8;
    key.truncate(bytes);
    (key.len() == bytes).then_some(key)
}

/// Key, nonce, and what is authenticated besides the text.
fn gcm(args: &Args, cx: &Cx<'_>) -> Option<(aead::LessSafeKey, aead::Nonce, Vec<u8>)> {
    let algorithm = match args.int(0)? {
        128 => &aead::AES_128_GCM,
        192 => &aead::AES_192_GCM,
        _ => &aead::AES_256_GCM,
    };
    let key = aead::UnboundKey::new(algorithm, &key(args, cx)?).ok()?;
    // The library knows no other length than RFC 5116's 12 bytes: without a value, not with another.
    let nonce = decoded(args, 1, cx)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let besides = if args.is_given(4) {
        decoded(args, 4, cx)?
    } else {
        Vec::new()
    };
    Some((aead::LessSafeKey::new(key), nonce, besides))
}

fn gcm_encrypt<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let (key, nonce, besides) = gcm(args, cx)?;
    let mut text = value.into_data().into_owned();
    let tag = key
        .seal_in_place_separate_tag(nonce, aead::Aad::from(besides), &mut text)
        .ok()?;
    let tag = STANDARD.encode(tag.as_ref());
    cx.effects.set(args.var(3)?, Value::text(tag));
    Some(Value::Bin(text.into()))
}

fn gcm_decrypt<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let (key, nonce, besides) = gcm(args, cx)?;
    let tag = decoded(args, 3, cx).filter(|tag| tag.len() == GCM_TAG_BYTES)?;
    let mut text = value.into_data().into_owned();
    let length = text.len();
    text.extend_from_slice(&tag);
    key.open_in_place(nonce, aead::Aad::from(besides), &mut text)
        .ok()?;
    text.truncate(length);
    Some(Value::Bin(text.into()))
}

/// Key and initial vector; a shorter one is filled with zeros.
fn cbc(args: &Args, cx: &Cx<'_>) -> Option<(cipher::UnboundCipherKey, FixedLength<CBC_IV_BYTES>)> {
    let algorithm = match args.int(0)? {
        128 => &cipher::AES_128,
        192 => &cipher::AES_192,
        _ => &cipher::AES_256,
    };
    let key = cipher::UnboundCipherKey::new(algorithm, &key(args, cx)?).ok()?;
    let mut iv = [0; CBC_IV_BYTES];
    for (place, byte) in iv.iter_mut().zip(decoded(args, 1, cx)?) {
        *place = byte;
    }
    // It changes nothing, but must be there.
    if args.is_given(3) {
        decoded(args, 3, cx)?;
    }
    Some((key, FixedLength::from(iv)))
}

fn cbc_encrypt<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let (key, iv) = cbc(args, cx)?;
    let key = cipher::PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
    let mut text = value.into_data().into_owned();
    key.less_safe_encrypt(&mut text, cipher::EncryptionContext::Iv128(iv))
        .ok()?;
    Some(Value::Bin(text.into()))
}

fn cbc_decrypt<'a>(value: Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let (key, iv) = cbc(args, cx)?;
    let key = cipher::PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut text = value.into_data().into_owned();
    let plain = key.decrypt(&mut text, cipher::DecryptionContext::Iv128(iv));
    let length = plain.ok()?.len();
    text.truncate(length);
    Some(Value::Bin(text.into()))
}
