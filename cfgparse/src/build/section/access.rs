//! `userlist` and `http-errors` (manual, 12.2 and 12.4).

use std::sync::LazyLock;

use super::name;
use crate::args::Args;
use crate::ast::Section;
use crate::build::keyword::{Row, Table, row};
use crate::build::proxy::errors;
use crate::context::Context;
use crate::model::section::{HttpErrors, Password, User, Userlist};
use crate::registry::Info;
use crate::registry::prelude::*;

/// A userlist while it is read: groups may name users that stand below.
#[derive(Default)]
pub struct UserlistDraft {
    list: Userlist,
    members: Vec<(String, Vec<String>)>,
}

#[rustfmt::skip]
const USERLIST: &[Row<UserlistDraft>] = &[
    row("group", "<name> [users <user>,...]", Full, "group of users", group),
    row("user", "<name> password|insecure-password <secret> [groups <group>,...]", Full, "a user", user),
];

#[rustfmt::skip]
const HTTP_ERRORS: &[Row<HttpErrors>] = &[
    row("errorfile", "<code> <file>", Full, "file that answers a status", |cx, e, a| {
        if let Some(file) = errors::errorfile(cx, a) {
            e.files.push(file);
        }
    }),
];

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = (&'static str, &'static Info)> {
    let users = USERLIST.iter().map(|row| ("userlist", &row.info));
    users.chain(HTTP_ERRORS.iter().map(|row| ("http-errors", &row.info)))
}

/// Reads the lines of `section` by the rows of `table`.
pub(super) fn lines<T>(cx: &mut Context, table: &Table<T>, target: &mut T, section: &Section) {
    for line in &section.lines {
        let mut args = Args::new(line, 0);
        args.accept("no");
        let Some(row) = table.find(&mut args) else {
            table.unknown(cx, &args, &format!("'{}' section", section.kind()));
            continue;
        };
        args.name_so_far();
        cx.used(&row.info, args.span());
        (row.parse)(cx, target, &mut args);
        args.finish(cx);
    }
}

/// Reads a `userlist`.
pub fn userlist(cx: &mut Context, section: &Section) -> Userlist {
    static TABLE: LazyLock<Table<UserlistDraft>> = LazyLock::new(|| Table::new(&[USERLIST]));
    let mut draft = UserlistDraft::default();
    draft.list.name = name(cx, section);
    draft.list.at = section.header.span().at;
    lines(cx, &TABLE, &mut draft, section);
    resolve(cx, &mut draft, section);
    draft.list
}

/// Puts users into the groups that name them.
fn resolve(cx: &mut Context, draft: &mut UserlistDraft, section: &Section) {
    let span = section.header.span();
    for (group, users) in &draft.members {
        for name in users {
            match draft.list.users.iter_mut().find(|user| user.name == *name) {
                Some(user) if !user.groups.contains(group) => user.groups.push(group.clone()),
                Some(_) => {}
                None => {
                    let message = format!(
                        "userlist '{}': no such user '{name}' specified in group '{group}'.",
                        draft.list.name
                    );
                    cx.alert(span, "unknown-user", message);
                }
            }
        }
    }
    for user in &draft.list.users {
        for group in &user.groups {
            if !draft.list.groups.contains(group) {
                let message = format!(
                    "userlist '{}': no such group '{group}' specified in user '{}'.",
                    draft.list.name, user.name
                );
                cx.alert(span, "unknown-group", message);
            }
        }
    }
}

fn group(cx: &mut Context, draft: &mut UserlistDraft, args: &mut Args) {
    let Some(name) = args.text(cx, "<name> as arguments") else {
        return;
    };
    let mut users = Vec::new();
    if args.accept("users") {
        let list = args.text(cx, "a list of users").unwrap_or_default();
        users = list
            .split(',')
            .filter(|user| !user.is_empty())
            .map(str::to_owned)
            .collect();
    }
    draft.list.groups.push(name.clone());
    draft.members.push((name, users));
}

fn user(cx: &mut Context, draft: &mut UserlistDraft, args: &mut Args) {
    let Some(name) = args.text(cx, "<name> as arguments") else {
        return;
    };
    let mut user = User {
        name,
        password: Password::None,
        groups: Vec::new(),
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "password" => {
                if let Some(secret) = args.text(cx, "a password hash") {
                    user.password = Password::Hash(secret);
                }
            }
            "insecure-password" => {
                if let Some(secret) = args.text(cx, "a password") {
                    user.password = Password::Clear(secret);
                }
            }
            "groups" => {
                let list = args.text(cx, "a list of groups").unwrap_or_default();
                user.groups = list
                    .split(',')
                    .filter(|g| !g.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            _ => args.unexpected(cx, word, "'password', 'insecure-password' or 'groups'"),
        }
    }
    let list = &mut draft.list;
    if list.users.iter().any(|known| known.name == user.name) {
        let message = format!(
            "user '{}' already defined in userlist '{}'.",
            user.name, list.name
        );
        cx.warn(args.span(), "duplicate-name", message);
        return;
    }
    list.users.push(user);
}

/// Reads an `http-errors` section.
pub fn http_errors(cx: &mut Context, section: &Section) -> HttpErrors {
    static TABLE: LazyLock<Table<HttpErrors>> = LazyLock::new(|| Table::new(&[HTTP_ERRORS]));
    let mut errors = HttpErrors {
        at: section.header.span().at,
        ..HttpErrors::default()
    };
    errors.name = name(cx, section);
    lines(cx, &TABLE, &mut errors, section);
    errors
}
