//! What holds for every value: casts (manual, 7.3 and the table of casts in 7.1) and the converters that undo each
//! other or can be told in a line of Rust.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::testing::Scene;

fn eval(expr: &str) -> String {
    Scene::new().eval(expr).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

proptest! {
    #[test]
    fn integers_and_texts(number: i64, tail in "[a-z ]{0,4}") {
        prop_assert_eq!(eval(&format!("int({number}),add(0)")), number.to_string());
        prop_assert_eq!(eval(&format!("str({number}{tail}),add(0)")), number.to_string());
        prop_assert_eq!(eval(&format!("int({number}),length")), number.to_string().len().to_string());
        prop_assert_eq!(eval(&format!("int({number}),bool")), u8::from(number != 0).to_string());
    }

    #[test]
    fn addresses(bits: u32, wide: u128) {
        let (narrow, wide) = (Ipv4Addr::from(bits), Ipv6Addr::from(wide | 1 << 127));
        prop_assert_eq!(eval(&format!("ipv4({narrow}),add(0)")), bits.to_string());
        prop_assert_eq!(eval(&format!("int({bits}),ipmask(32)")), narrow.to_string());
        prop_assert_eq!(eval(&format!("str({narrow}),ipmask(32)")), narrow.to_string());
        prop_assert_eq!(eval(&format!("ipv6(::ffff:{narrow}),ipmask(32)")), narrow.to_string());
        prop_assert_eq!(eval(&format!("ipv4({narrow}),hex")), hex(&narrow.octets()));
        prop_assert_eq!(eval(&format!("ipv6({wide}),hex")), hex(&wide.octets()));
        prop_assert_eq!(eval(&format!("str({wide}),ipmask(32,128)")), wide.to_string());
    }

    #[test]
    fn masks_keep_the_network(bits: u32, len in 0_u32..=32) {
        let kept = bits & u32::MAX.checked_shl(32 - len).unwrap_or(0);
        let expr = format!("ipv4({}),ipmask({len})", Ipv4Addr::from(bits));
        prop_assert_eq!(eval(&expr), Ipv4Addr::from(kept).to_string());
    }

    #[test]
    fn what_is_encoded_is_decoded(bytes in prop::collection::vec(1_u8.., 1..40)) {
        let text = hex(&bytes);
        for pair in ["base64,b64dec", "ub64enc,ub64dec", "reverse,reverse"] {
            let expr = format!("bin({text}),{pair},hex");
            prop_assert_eq!(eval(&expr), text.clone(), "{}", pair);
        }
        prop_assert_eq!(eval(&format!("bin({text}),url_enc,url_dec,hex")), text.clone());
        prop_assert_eq!(eval(&format!("bin({text}),hex")), text);
    }

    #[test]
    fn parts_and_cases(text in "[a-zA-Z0-9]{1,20}", from in 0_usize..20, len in 1_usize..20) {
        let part: String = text.chars().skip(from).take(len).collect();
        prop_assert_eq!(eval(&format!("str({text}),bytes({from},{len})")), part);
        prop_assert_eq!(eval(&format!("str({text}),lower")), text.to_lowercase());
        prop_assert_eq!(eval(&format!("str({text}),upper")), text.to_uppercase());
        prop_assert_eq!(eval(&format!("str(a.{text}.b),field(2,.)")), text.clone());
        prop_assert_eq!(eval(&format!("str(..a.{text}.b),word(2,.)")), text);
    }

    #[test]
    fn arithmetic_saturates_and_never_fails(a: i64, b: i64) {
        prop_assert_eq!(eval(&format!("int({a}),add({b})")), a.saturating_add(b).to_string());
        prop_assert_eq!(eval(&format!("int({a}),mul({b})")), a.saturating_mul(b).to_string());
        prop_assert_eq!(eval(&format!("int({a}),and({b})")), (a & b).to_string());
        prop_assert_eq!(eval(&format!("int({a}),or({b})")), (a | b).to_string());
        prop_assert_eq!(eval(&format!("int({a}),xor({b})")), (a ^ b).to_string());
        prop_assert_eq!(eval(&format!("int({a}),cpl")), (!a).to_string());
        prop_assert_eq!(eval(&format!("int({a}),neg")), a.saturating_neg().to_string());
    }
}
