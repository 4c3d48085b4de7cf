//! `tuskgate doctor` on set-ups that are right and on ones that are wrong in one
//! known way: it must name the setting to mend, and find nothing where nothing is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

mod mastodon;
mod rig;

use mastodon::{Mood, start};
use rig::{Rig, said, shipped};

use crate::support::ports::Port;

const LOOPBACK: &str = "127.0.0.1";
/// A location that passes everything on and says nothing of the client.
const SILENT: &str = "proxy_pass http://tuskgate; proxy_set_header Host $host;";
/// One that says who nginx thinks is there.
const TELLING: &str = "proxy_pass http://tuskgate; proxy_set_header Host $host; \
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;";
const HOST: [&str; 2] = ["--host", "social.example"];

fn well() -> SocketAddr {
    start(Mood::Well, LOOPBACK)
}

#[test]
fn nothing_is_wrong_with_what_we_ship() {
    let rig = Rig::gate(well(), "").with_nginx("", &shipped());
    let said = rig.through_nginx(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(said.all("wrong"), Vec::<&str>::new());
    for check in [
        "configuration",
        "gate",
        "troubles",
        "listener",
        "trusted proxies",
        "nginx",
        "Mastodon",
        "host name",
        "client address",
        "way around",
        "dns",
        "lists",
        "store",
        "key",
        "clock",
        "open files",
    ] {
        said.assert(check, "ok", "");
    }
}

#[test]
fn nginx_that_says_nothing_of_the_client_is_told_what_to_say() {
    let rig = Rig::gate(well(), "").with_nginx("", SILENT);
    let said = rig.through_nginx(&[]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.assert(
        "nginx",
        "wrong",
        "proxy_set_header X-Forwarded-For $remote_addr",
    );
    said.assert(
        "scheme",
        "warn",
        "proxy_set_header X-Forwarded-Proto $scheme",
    );
}

#[test]
fn nginx_that_takes_the_header_away_is_told_so() {
    let silenced = format!("{SILENT} proxy_set_header X-Forwarded-For \"\";");
    let rig = Rig::gate(well(), "").with_nginx("", &silenced);
    let said = rig.through_nginx(&[]);
    said.assert(
        "nginx",
        "wrong",
        "proxy_set_header X-Forwarded-For $remote_addr",
    );
}

#[test]
fn nginx_that_appends_is_well() {
    let appending = TELLING.replace("$remote_addr", "$proxy_add_x_forwarded_for");
    let rig = Rig::gate(well(), "").with_nginx("", &appending);
    let said = rig.through_nginx(&[]);
    said.assert("nginx", "ok", "");
}

#[test]
fn nginx_that_changes_the_host_is_told_so() {
    let renaming = TELLING.replace("Host $host", "Host $proxy_host");
    let rig = Rig::gate(well(), "").with_nginx("", &renaming);
    let said = rig.through_nginx(&[]);
    said.assert("host name", "wrong", "proxy_set_header Host $host");
}

#[test]
fn behind_another_proxy_nginx_needs_real_ip() {
    let from = ["--from", "192.0.2.9"];
    let rig = Rig::gate(well(), "").with_nginx("", TELLING);
    let said = rig.through_nginx(&from);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.assert("nginx", "wrong", "set_real_ip_from");

    let real_ip = "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;";
    let rig = Rig::gate(well(), "").with_nginx(real_ip, TELLING);
    let said = rig.through_nginx(&from);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.assert("nginx", "ok", "");
    rig.through_nginx(&[]).assert("nginx", "ok", "");
}

#[test]
fn an_nginx_that_is_not_trusted_is_named() {
    let rig = Rig::gate(well(), "trusted-proxies = [\"10.1.2.3\"]").with_nginx("", TELLING);
    let said = rig.through_nginx(&[]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.assert("trusted proxies", "warn", "listen.trusted-proxies");
    said.assert("nginx", "wrong", "listen.trusted-proxies = [\"127.0.0.1\"]");
}

#[test]
fn a_gate_on_a_unix_socket_is_reached_there() {
    let rig = Rig::gate_at("unix:FOLDER/gate.sock", well(), "");
    let said = rig.doctor(&HOST);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for check in ["listener", "trusted proxies", "Mastodon", "client address"] {
        said.assert(check, "ok", "");
    }
}

#[test]
fn a_trust_so_wide_that_it_covers_clients_is_wrong() {
    let rig = Rig::gate(
        well(),
        "trusted-proxies = [\"127.0.0.0/8\", \"192.0.0.0/8\"]",
    );
    let said = rig.doctor(&HOST);
    said.assert("trusted proxies", "wrong", "listen.trusted-proxies");
}

#[test]
fn nginx_that_goes_past_the_gate_is_found() {
    let mastodon = well();
    let location = format!("proxy_pass http://{mastodon};");
    let rig = Rig::gate(mastodon, "").with_nginx("", &location);
    let said = rig.through_nginx(&[]);
    said.assert("nginx", "wrong", "tuskgate-proxy.conf");
    let rig = Rig::gate(mastodon, "").with_nginx("", "proxy_pass http://127.0.0.1:1;");
    let said = rig.through_nginx(&[]);
    said.assert("nginx", "wrong", "listen.address");
}

#[test]
fn a_redirect_to_https_is_not_taken_for_a_way() {
    let location = "return 301 https://$host$request_uri;";
    let rig = Rig::gate(well(), "").with_nginx("", location);
    let said = rig.through_nginx(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.assert("nginx", "not-checked", "https://");
}

#[test]
fn each_way_in_which_mastodon_objects_has_its_setting() {
    for (mood, check, mend) in [
        (Mood::Distrusts, "client address", "TRUSTED_PROXY_IP"),
        (Mood::CountsAllAsOne, "client address", "TRUSTED_PROXY_IP"),
        (Mood::RedirectsToHttps, "scheme", "X-Forwarded-Proto"),
        (Mood::BlocksTheHost, "host name", "LOCAL_DOMAIN"),
        (Mood::Broken, "Mastodon", "Mastodon's log"),
    ] {
        let rig = Rig::gate(start(mood, LOOPBACK), "");
        let said = rig.doctor(&HOST);
        assert_eq!(said.code, Some(1), "{mood:?} {said:#?}");
        said.assert(check, "wrong", mend);
        assert_eq!(said.all("wrong"), [check], "{mood:?} and nothing else");
    }
}

#[test]
fn without_a_name_nothing_is_guessed() {
    let rig = Rig::gate(start(Mood::BlocksTheHost, LOOPBACK), "");
    let said = rig.doctor(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.assert("host name", "not-checked", "--host");
    said.assert("nginx", "not-checked", "--url");
}

#[test]
fn a_mastodon_that_is_down_is_said_to_be() {
    let nobody = Port::take();
    let rig = Rig::gate(nobody.address(), "");
    let said = rig.doctor(&HOST);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.assert("Mastodon", "wrong", "upstream.address");
}

#[test]
fn a_way_around_the_gate_is_found() {
    let rig = Rig::gate(start(Mood::Well, "0.0.0.0"), "");
    let said = rig.doctor(&HOST);
    said.assert("way around", "warn", "BIND=127.0.0.1");
}

#[test]
fn without_a_running_gate_the_rest_is_looked_at() {
    let rig = Rig::without_gate(well(), "");
    let said = rig.doctor(&HOST);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.assert("gate", "wrong", "tuskgate serve");
    said.assert("dns", "ok", "");
    said.assert("Mastodon", "not-checked", "");
    assert!(!rig.path("store").exists(), "doctor made a store");
}

#[test]
fn a_key_that_others_may_read_is_wrong() {
    let rig = Rig::gate(well(), "");
    let key = rig.path("store/key");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&key, open).expect("our file");
    let said = rig.doctor(&HOST);
    said.assert("key", "wrong", "chmod go=");
}

#[test]
fn a_wrong_configuration_is_all_there_is_to_say() {
    let rig = Rig::without_gate(well(), "workers = \"many\"");
    let said = rig.doctor(&[]);
    assert_eq!(said.code, Some(78));
    assert_eq!(said.all("wrong"), ["configuration"]);
}

#[test]
fn over_https_somebody_else_sends_the_probe() {
    let rig = Rig::gate(well(), "");
    let url = ["--url", "https://social.example", "--wait", "30s"];
    let mut child = rig
        .program(
            &[
                &["doctor", "--json", "--from", "198.51.100.9"],
                url.as_slice(),
            ]
            .concat(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the built program runs");
    let told = BufReader::new(child.stderr.take().expect("piped"));
    let command = told
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("curl"));
    let command = command.expect("what to run");
    let (_, path) = command.split_once("social.example").expect("the URL");
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(rig.listening()).expect("the gate");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: social.example\r\nX-Forwarded-For: 198.51.100.9\r\n\
             X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("an answer");
        reply
    };
    let other = path.replace(path.get(path.len() - 4..).expect("a nonce"), "zzzz");
    assert!(
        ask(&other).starts_with("HTTP/1.1 401"),
        "another path goes to Mastodon"
    );
    let reply = ask(path);
    assert!(reply.contains("\"client\":\"198.51.100.9\""), "{reply}");
    let said = said(&child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.assert("nginx", "ok", "");
    assert!(ask(path).starts_with("HTTP/1.1 401"), "the probe has ended");
}
