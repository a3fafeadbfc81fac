//! Users and groups (manual, 12.2), and the credentials that requests carry (RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfgparse::bytes::raw;
use wire::{Head, Known};

/// A `userlist` section.
#[derive(Clone, Debug, Default)]
pub struct Userlist {
    users: Vec<User>,
}

/// One user.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub password: Password,
    /// The groups that the user is in.
    pub groups: Vec<String>,
}

/// How a password is kept.
#[derive(Clone, Debug)]
pub enum Password {
    /// `insecure-password`
    Plain(String),
    /// `password`: a crypt(3) hash.
    Crypt(String),
}

impl Userlist {
    pub fn new(users: Vec<User>) -> Userlist {
        Userlist { users }
    }

    /// Whether `user` exists and has this password.
    pub fn check(&self, user: &[u8], password: &[u8]) -> bool {
        self.user(user).is_some_and(|user| match &user.password {
            Password::Plain(own) => equal(&raw(own), password),
            Password::Crypt(hash) => verify(hash, password),
        })
    }

    /// The groups of `user`.
    pub fn groups(&self, user: &[u8]) -> impl Iterator<Item = &str> {
        self.user(user)
            .into_iter()
            .flat_map(|user| user.groups.iter().map(String::as_str))
    }

    fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.iter().find(|user| *raw(&user.name) == *name)
    }
}

/// Compares in a time that does not tell how much is equal.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |different, (x, y)| different | (x ^ y))
            == 0
}

fn verify(hash: &str, password: &[u8]) -> bool {
    pwhash::unix::verify(password, hash)
}

/// A user name and password from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user: Vec<u8>,
    pub password: Vec<u8>,
}

/// The Basic credentials in the field `known` of a request.
pub fn basic_credentials(head: &Head, known: Known) -> Option<Credentials> {
    let value = head.first_known(known)?;
    let (scheme, token) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = STANDARD.decode(token.trim_ascii()).ok()?;
    let colon = memchr::memchr(b':', &decoded)?;
    Some(Credentials {
        user: decoded[..colon].to_vec(),
        password: decoded[colon + 1..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Userlist {
        let user = |name: &str, password| User {
            name: name.into(),
            password,
            groups: vec!["g1".into(), "g2".into()],
        };
        Userlist::new(vec![
            user("plain", Password::Plain("secret".into())),
            // Made with `openssl passwd`.
            user("md5", Password::Crypt("$1$saltstri$WHZcnT3IOdSrMvizOq7Ht1".into())),
            user("sha256", Password::Crypt("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5".into())),
            user("sha512", Password::Crypt("$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.".into())),
            user("broken", Password::Crypt("$6$".into())),
        ])
    }

    #[test]
    fn passwords_are_checked() {
        let list = list();
        assert!(list.check(b"plain", b"secret"));
        assert!(!list.check(b"plain", b"secre") && !list.check(b"nobody", b""));
        assert!(list.check(b"sha256", b"Hello world!"));
        assert!(!list.check(b"sha256", b"Hello world") && !list.check(b"broken", b"x"));
        assert!(list.check(b"sha512", b"secret") && list.check(b"md5", b"secret"));
        assert_eq!(list.groups(b"plain").collect::<Vec<_>>(), ["g1", "g2"]);
    }

    #[test]
    fn credentials_of_rfc_7617() {
        let mut head = Head::request(b"GET", b"/");
        assert_eq!(basic_credentials(&head, Known::Authorization), None);
        head.append(b"authorization", b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let found = basic_credentials(&head, Known::Authorization).unwrap();
        assert_eq!(
            (&found.user[..], &found.password[..]),
            (&b"Aladdin"[..], &b"open sesame"[..])
        );
        head.set(b"authorization", b"Bearer x");
        assert_eq!(basic_credentials(&head, Known::Authorization), None);
    }
}
