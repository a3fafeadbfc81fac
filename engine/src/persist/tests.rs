//! Tables of requests and responses; each row was seen at HAProxy 3.5 first.

use cfgparse::model::persist::{self as model, CookieMode};
use wire::Head;

use super::{Cookie, Seen, Sent, Standing, read, write};
use crate::log::{CookieIn, CookieOut};
use crate::plan::ServerId;

const NOW_S: u32 = 1_700_000_000;

fn cookie(mode: CookieMode, indirect: bool) -> model::Cookie {
    model::Cookie {
        name: "SID".to_owned(),
        mode,
        indirect,
        ..model::Cookie::default()
    }
}

/// Servers 0 and 1 are up with the cookies `sa` and `sb`, server 2 is down with `sm`.
fn find(value: &[u8]) -> Option<(ServerId, Standing)> {
    match value {
        b"sa" => Some((ServerId(0), Standing::Usable)),
        b"sb" => Some((ServerId(1), Standing::Usable)),
        b"sm" => Some((ServerId(2), Standing::Down)),
        _ => None,
    }
}

fn request(cookie: &model::Cookie, values: &[&str]) -> (Vec<String>, Seen) {
    let mut head = Head::request(b"GET", b"/");
    for value in values {
        head.append(b"cookie", value.as_bytes());
    }
    let seen = read(
        &Cookie::new(cookie),
        &mut head,
        NOW_S,
        false,
        &mut Vec::new(),
        find,
    );
    (texts(&head, b"cookie"), seen)
}

fn texts(head: &Head, name: &[u8]) -> Vec<String> {
    head.values(name)
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// Manual, `indirect`: in insert mode the server never sees the cookie.
#[test]
fn the_cookie_is_taken_out_of_requests() {
    use CookieIn::{Down, Invalid, None as Nothing, Valid};
    let cookie = cookie(CookieMode::Insert, true);
    for (sent, passed, state) in [
        ("SID=sa", None, Valid),
        ("SID=zz", None, Invalid),
        ("SID=", None, Invalid),
        ("SID", Some("SID"), Nothing),
        ("sid=sb", Some("sid=sb"), Nothing),
        ("SID=sm", None, Down),
        ("a=1; SID=sb; b=2", Some("a=1; b=2"), Valid),
        ("SID=sb;x", Some("x"), Valid),
        ("x;SID=sb;", Some("x; "), Valid),
        ("a=1,SID=sb,b=2", Some("a=1, b=2"), Valid),
        ("SID=zz; SID=sb", None, Valid),
        ("SID=sa; SID=sb", None, Valid),
        (",;; ;=;SID=sb", Some(",;; ;="), Valid),
        (";", Some(";"), Nothing),
        ("=SID=sb", Some("=SID=sb"), Nothing),
        ("$Version=1; SID=sb; $Path=/", None, Valid),
        ("q=2; SID=sb; $P=1;$V=2; x=1", Some("q=2; x=1"), Valid),
        ("a = 1 ; b=2", Some("a=1 ; b=2"), Nothing),
        (
            "a=\"SID=sb; c=1\"; SID=sa",
            Some("a=\"SID=sb; c=1\""),
            Valid,
        ),
        (
            "a=\"unclosed; SID=sb",
            Some("a=\"unclosed; SID=sb"),
            Nothing,
        ),
    ] {
        let (left, seen) = request(&cookie, &[sent]);
        assert_eq!(
            (left.first().map(String::as_str), seen.state),
            (passed, state),
            "{sent}"
        );
    }
    let (left, seen) = request(&cookie, &["a=1", "SID=sb", "c=3"]);
    assert_eq!(
        (left, seen.server),
        (vec!["a=1".to_owned(), "c=3".to_owned()], Some(ServerId(1)))
    );
}

/// Manual, `prefix`: the server gets its own cookie back.
#[test]
fn the_prefix_is_taken_off() {
    let cookie = cookie(CookieMode::Prefix, false);
    for (sent, passed, state) in [
        ("SID=sa~b~c", "SID=b~c", CookieIn::Valid),
        ("x=1; SID=sb~v; y", "x=1; SID=v; y", CookieIn::Valid),
        ("SID=sb", "SID=sb", CookieIn::Valid),
        ("SID=\"sb\"", "SID=\"sb\"", CookieIn::Invalid),
    ] {
        let (left, seen) = request(&cookie, &[sent]);
        assert_eq!((left[0].as_str(), seen.state), (passed, state), "{sent}");
    }
}

fn dated(ages_s: &[i64]) -> String {
    let mut text = b"sb".to_vec();
    for age_s in ages_s {
        text.push(b'|');
        super::stamp::push((i64::from(NOW_S) - age_s) as u32, &mut text);
    }
    format!("SID={}", String::from_utf8_lossy(&text))
}

/// Manual, `maxidle` and `maxlife`: too old in either sense, or from the future, binds nobody.
#[test]
fn cookies_grow_old() {
    let mut cookie = cookie(CookieMode::Insert, true);
    cookie.maxidle_s = Some(600);
    cookie.maxlife_s = Some(3600);
    for (ages_s, state) in [
        (&[0, 0][..], CookieIn::Valid),
        (&[3000, 3000], CookieIn::Expired),
        (&[10, 4000], CookieIn::Old),
        (&[-100_000], CookieIn::Expired),
        (&[0, -100_000], CookieIn::Old),
        (&[0], CookieIn::Valid),
        (&[], CookieIn::Valid),
    ] {
        assert_eq!(
            request(&cookie, &[&dated(ages_s)]).1.state,
            state,
            "{ages_s:?}"
        );
    }
}

fn response(cookie: &model::Cookie, own: &[&str], seen: Seen) -> (Vec<String>, CookieOut) {
    let mut head = Head::response(200, b"OK");
    for value in own {
        head.append(b"set-cookie", value.as_bytes());
    }
    let sent = Sent {
        value: Some(b"sa"),
        is_direct: seen.server.is_some(),
        is_ignored: false,
        method: b"GET",
        now_s: NOW_S,
    };
    let outcome = write(
        &Cookie::new(cookie),
        &mut head,
        &seen,
        &sent,
        &mut Vec::new(),
    );
    (texts(&head, b"set-cookie"), outcome)
}

const UNKNOWN: Seen = Seen {
    state: CookieIn::None,
    server: None,
    first_s: 0,
    last_s: 0,
};
const KNOWN: Seen = Seen {
    state: CookieIn::Valid,
    server: Some(ServerId(0)),
    ..UNKNOWN
};

#[test]
fn what_becomes_of_the_servers_cookie() {
    use CookieMode::{Insert, Passive, Prefix, Rewrite};
    use CookieOut::{Deleted, Inserted, None as Nothing, Passive as Kept, Rewritten};
    let ours = "SID=sa; path=/";
    for (mode, indirect, own, seen, made, outcome) in [
        (
            Insert,
            false,
            "SID=foo; path=/x",
            UNKNOWN,
            &[ours][..],
            Inserted,
        ),
        (Insert, false, "SID=foo; path=/x", KNOWN, &[], Deleted),
        (Insert, true, "o=1", KNOWN, &["o=1"], Nothing),
        (Insert, true, "=;,", UNKNOWN, &["=;,", ours], Inserted),
        (Insert, true, "a = 1; x", KNOWN, &["a=1; x"], Nothing),
        (
            Rewrite,
            false,
            "SID = foo ; x",
            KNOWN,
            &["SID=sa ; x"],
            Rewritten,
        ),
        (
            Rewrite,
            false,
            "SID=foo, SID=bar; x",
            KNOWN,
            &["SID=sa, SID=bar; x"],
            Rewritten,
        ),
        (
            Prefix,
            false,
            "SID=\"a b\"; x",
            KNOWN,
            &["SID=sa~\"a b\"; x"],
            Rewritten,
        ),
        (Prefix, false, ",SID=foo", KNOWN, &[",SID=foo"], Nothing),
        (Prefix, true, "SID=foo", KNOWN, &[], Deleted),
        (Passive, true, "SID=foo", UNKNOWN, &["SID=foo"], Kept),
        (Passive, true, "SID=foo", KNOWN, &[], Deleted),
    ] {
        let (left, found) = response(&cookie(mode, indirect), &[own], seen);
        assert_eq!(
            (left, found),
            (made.iter().map(ToString::to_string).collect(), outcome),
            "{own}"
        );
    }
}

/// Manual, `domain`, `httponly`, `secure`, `attr`, `nocache`, `postonly`, `preserve`.
#[test]
fn options_of_an_inserted_cookie() {
    let plain = cookie(CookieMode::Insert, true);
    let with = model::Cookie {
        domains: vec![".a.com".to_owned()],
        httponly: true,
        secure: true,
        attrs: vec!["SameSite=Strict".to_owned()],
        ..plain.clone()
    };
    let made = "SID=sa; path=/; domain=.a.com; HttpOnly; Secure; SameSite=Strict";
    assert_eq!(response(&with, &[], UNKNOWN).0, [made]);
    let postonly = model::Cookie {
        postonly: true,
        ..plain.clone()
    };
    assert_eq!(
        response(&postonly, &["SID=x"], UNKNOWN),
        (vec![], CookieOut::Deleted)
    );
    let preserve = model::Cookie {
        preserve: true,
        ..plain
    };
    let kept = (vec!["SID=x".to_owned()], CookieOut::Passive);
    assert_eq!(response(&preserve, &["SID=x"], UNKNOWN), kept);
}

#[test]
fn caches_are_warned_where_they_were_invited() {
    let nocache = Cookie::new(&model::Cookie {
        nocache: true,
        ..cookie(CookieMode::Insert, true)
    });
    for (control, is_warned) in [
        ("max-age=9, must-revalidate", true),
        ("S-MAXAGE=3", true),
        ("max-age=0", false),
        ("public", false),
        ("no-cache=x, max-age=9", false),
        ("private", false),
    ] {
        let mut head = Head::response(200, b"OK");
        head.append(b"cache-control", control.as_bytes());
        let sent = Sent {
            value: Some(b"sa"),
            is_direct: false,
            is_ignored: false,
            method: b"GET",
            now_s: NOW_S,
        };
        write(&nocache, &mut head, &UNKNOWN, &sent, &mut Vec::new());
        let last = head.last(b"cache-control") == Some(b"private") && control != "private";
        assert_eq!(last, is_warned, "{control}");
    }
}
