//! Options, messages and exit codes.

use crate::harness::run;
use std::path::PathBuf;

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        Files {
            directory: tempfile::tempdir().expect("a directory"),
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }
}

const VALID: &str = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
                     listen web\n bind 127.0.0.1:1\n server s1 127.0.0.1:2\n";

#[test]
fn a_valid_file_is_0_and_silent() {
    let files = Files::new();
    let path = files.write("a.cfg", VALID);
    let (status, output) = run(&["-c", "-f", &path]);
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(!output.contains("[ALERT]"), "{output}");
    let (status, output) = run(&["-c", "-V", "-f", &path]);
    assert_eq!(status.code(), Some(0));
    assert!(output.contains("Configuration file is valid"), "{output}");
}

#[test]
fn errors_are_1_with_file_and_line() {
    let files = Files::new();
    let path = files.write(
        "a.cfg",
        &format!("{VALID} nonsense here\n option also-nonsense\n"),
    );
    let (status, output) = run(&["-c", "-f", &path]);
    assert_eq!(status.code(), Some(1));
    for line in [9, 10] {
        assert!(
            output.contains(&format!("[{path}:{line}]")),
            "line {line} in {output}"
        );
    }
    assert!(
        output.contains("[ALERT]") && output.contains("nonsense"),
        "{output}"
    );
    // A start gives the same verdict.
    let (status, _) = run(&["-f", &path]);
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_missing_backend_and_a_missing_file_are_1() {
    let files = Files::new();
    let path = files.write(
        "a.cfg",
        &VALID.replace(" server s1 127.0.0.1:2", " default_backend lost"),
    );
    let (status, output) = run(&["-c", "-f", &path]);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("lost"), "{output}");
    assert_eq!(run(&["-c", "-f", "/nonexistent/x.cfg"]).0.code(), Some(1));
    assert_eq!(run(&[]).0.code(), Some(1));
}

#[test]
fn several_files_and_a_directory_are_read_in_order() {
    let files = Files::new();
    let (first, second) = VALID.split_once("listen").expect("two parts");
    let first = files.write("one.cfg", first);
    let second = files.write("two.cfg", &format!("listen{second}"));
    assert_eq!(run(&["-c", "-f", &first, "-f", &second]).0.code(), Some(0));
    assert_eq!(run(&["-c", "-f", &first, "--", &second]).0.code(), Some(0));
    let (begin, end) = VALID.split_once("listen").expect("two parts");
    files.write("d/10-begin.cfg", begin);
    files.write("d/20-end.cfg", &format!("listen{end}"));
    files.write("d/ignored.txt", "nonsense");
    let directory = files.directory.path().join("d").display().to_string();
    assert_eq!(run(&["-c", "-f", &directory]).0.code(), Some(0));
}

#[test]
fn versions() {
    let (status, output) = run(&["-v"]);
    assert_eq!(status.code(), Some(0));
    assert!(output.contains("version"), "{output}");
    let (status, output) = run(&["-vv"]);
    assert_eq!(status.code(), Some(0));
    assert!(output.contains("HAProxy version "), "{output}");
}

#[test]
fn warnings_can_be_made_fatal() {
    let files = Files::new();
    let path = files.write("a.cfg", &VALID.replace(" timeout client 1s\n", ""));
    let (status, output) = run(&["-c", "-f", &path]);
    assert_eq!(status.code(), Some(0));
    assert!(
        output.contains("[WARNING]") && output.contains("timeouts"),
        "{output}"
    );
    assert_eq!(run(&["-c", "-dW", "-f", &path]).0.code(), Some(1));
}

#[test]
fn a_port_in_use_is_1() {
    let files = Files::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let path = files.write(
        "a.cfg",
        &VALID.replace("127.0.0.1:1\n", &format!("{address}\n")),
    );
    let (status, output) = run(&["-f", &path]);
    assert_eq!(status.code(), Some(1), "{output}");
    assert!(output.contains(&address), "{output}");
}

/// A keyword that HAProxy knows and that does not work here yet.
const PLANNED: &str = " option checkcache\n";

#[test]
fn check_judges_as_a_start_does_and_the_language_alone() {
    let files = Files::new();
    let path = files.write("a.cfg", VALID);
    let (status, output) = run(&["check", &path]);
    assert_eq!((status.code(), output.as_str()), (Some(0), "valid\n"));
    let path = files.write("b.cfg", &format!("{VALID}{PLANNED}"));
    let (status, output) = run(&["check", "-f", &path]);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("not supported yet"), "{output}");
    assert_eq!(run(&["-c", "-f", &path]).0.code(), Some(1));
    assert_eq!(run(&["-f", &path]).0.code(), Some(1));
    assert_eq!(run(&["check", "--language", &path]).0.code(), Some(0));
    // What HAProxy removed is translated by a start, and no longer part of the language.
    let path = files.write("c.cfg", &VALID.replace("timeout client", "clitimeout"));
    assert_eq!(run(&["-c", "-f", &path]).0.code(), Some(0));
    assert_eq!(run(&["check", "--language", &path]).0.code(), Some(1));
}

#[test]
fn check_gives_findings_as_json() {
    let files = Files::new();
    let path = files.write("a.cfg", &format!("{VALID} sevrer s2 127.0.0.1:2\n"));
    let (status, output) = run(&["check", "--json", "-f", &path]);
    assert_eq!(status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(json["valid"], false);
    let finding = &json["findings"][0];
    assert_eq!(finding["severity"], "alert");
    assert_eq!(finding["code"], "unknown-keyword");
    assert_eq!(finding["line"], 9);
    assert_eq!(finding["column"], 2);
    assert_eq!(finding["length"], 6);
    let message = finding["message"].as_str().expect("a message");
    assert!(message.contains("did you mean 'server'"), "{message}");
}

#[test]
fn explain_prints_rows_and_near_names() {
    let (status, output) = run(&["explain", "option", "httplog"]);
    assert_eq!(status.code(), Some(0));
    assert!(output.starts_with("option httplog [clf]\n"), "{output}");
    assert!(output.contains("status: full"), "{output}");
    let (status, output) = run(&["explain", "maxcon"]);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("did you mean 'maxconn'"), "{output}");
}

#[test]
fn migrate_groups_keywords_by_status() {
    let files = Files::new();
    let text = VALID.replace("timeout client", "clitimeout");
    let path = files.write("a.cfg", &format!("{text}{PLANNED} nonsense\n"));
    let (status, output) = run(&["migrate", &path]);
    assert_eq!(status.code(), Some(0), "{output}");
    for part in [
        "refused: 1\n  option checkcache",
        "old spellings: 1\n",
        "timeout client",
        "not understood: 1\n",
        "nonsense",
        ":9  not supported yet",
    ] {
        assert!(output.contains(part), "{part:?} in {output}");
    }
    let (_, output) = run(&["migrate", "--json", &path]);
    let rows: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(rows[0]["keyword"], "option checkcache");
    assert_eq!(rows[0]["status"], "refused");
}

/// Configurations with the verdict that a check and a start share. A start that succeeds would run for
/// ever: those are told to go to a port that is taken, and must fail for that reason alone.
#[test]
fn a_start_refuses_what_a_check_refuses() {
    let files = Files::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let base = VALID.replace("127.0.0.1:1\n", &format!("{address}\n"));
    for (added, valid) in [
        ("", true),
        (" http-request deny if { path /a }\n", true),
        (" option nolinger\n", true),
        ("global\n user no-such-user-here\n", false),
        ("global\n group no-such-group-here\n", false),
        (" option checkcache\n", false),
        (" acl a path_reg (\n", false),
        (" server s2 no-such-host.invalid:80\n", false),
        (
            " http-request set-header a %[path,map(/nonexistent/x.map)]\n",
            false,
        ),
        (" bind 127.0.0.1:2 ssl crt /nonexistent/x.pem\n", false),
        (" bind /tmp/x.sock user no-such-user-here\n", false),
        (" errorfile 503 /nonexistent/x.http\n", false),
        (" default_backend lost\n", false),
    ] {
        let path = files.write("a.cfg", &format!("{base}{added}"));
        let (checked, said) = run(&["-c", "-f", &path]);
        assert_eq!(checked.success(), valid, "{added:?}: {said}");
        let (started, said) = run(&["-f", &path]);
        assert_eq!(started.code(), Some(1), "{added:?}: {said}");
        assert_eq!(said.contains("cannot bind"), valid, "{added:?}: {said}");
    }
}

#[test]
fn keywords_are_listed_by_class() {
    let files = Files::new();
    let path = files.write("a.cfg", VALID);
    let (status, output) = run(&["-dKsmp,cnv", "-q", "-c", "-f", &path]);
    assert_eq!(status.code(), Some(0));
    assert!(output.contains("# List of registered sample fetch functions:"));
    assert!(
        output.contains("] src: ") && output.contains("\nupper: str => str\n"),
        "{output}"
    );
    assert!(!output.contains("ACL keywords"));
}

/// Management guide, 3, `-q`: the exit code tells alone, unless `-V` or `-d` ask for words.
#[test]
fn quiet_is_without_a_word() {
    let files = Files::new();
    let path = files.write("bad.cfg", "frontend f\n no-such-word\n");
    for (words, silent) in [
        (&["-q", "-c", "-f", &path][..], true),
        (&["-q", "-f", &path], true),
        (&["-q", "-V", "-c", "-f", &path], false),
        (&["-q", "-d", "-c", "-f", &path], false),
        (&["-c", "-f", &path], false),
    ] {
        let (status, said) = run(words);
        assert_eq!(status.code(), Some(1), "{words:?}");
        assert_eq!(said.is_empty(), silent, "{words:?}: {said}");
    }
}
