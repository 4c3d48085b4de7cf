use super::super::report::Level;
use super::*;

const FORGED: &str = "192.0.2.77, 198.51.100.77";
const OWN: &str = "127.0.0.77";

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn sighting(forwarded_for: Option<&str>, client: Option<&str>) -> Sighting {
    Sighting {
        client: client.map(ip),
        unknown: client.is_none().then(|| "a reason".into()),
        peer: Some(ip("127.0.0.1")),
        trusted: true,
        forwarded_for: forwarded_for.map(str::to_owned),
        scheme: "http".into(),
        host: "social.example".into(),
    }
}

fn sent(from: Option<&str>) -> Sent<'static> {
    Sent {
        own: Some(ip(OWN)),
        forged: FORGED,
        host: Some("social.example"),
        from: from.map(ip),
    }
}

/// The one finding, its level, and a word of what it says to mend.
fn assert_one(findings: &[Finding], level: Level, mend: &str) {
    let [finding] = findings else {
        panic!("one finding: {findings:?}");
    };
    assert_eq!(finding.level, level, "{finding:?}");
    let said = finding.mend.as_deref().unwrap_or_default();
    assert!(said.contains(mend), "{mend} in {finding:?}");
}

#[test]
fn own_probe_by_what_arrives() {
    for (arrived, level, mend) in [
        (Some(OWN), Level::Ok, ""),
        (Some("192.0.2.77, 198.51.100.77, 127.0.0.77"), Level::Ok, ""),
        (Some("198.51.100.77"), Level::Ok, ""),
        (Some(FORGED), Level::Wrong, "X-Forwarded-For $remote_addr"),
        (None, Level::Wrong, "X-Forwarded-For $remote_addr"),
        (Some("172.17.0.1"), Level::Wrong, "X-Forwarded-For"),
        (Some("unknown"), Level::Wrong, "X-Forwarded-For"),
    ] {
        assert_one(
            &judge_own(&sighting(arrived, None), &sent(None)),
            level,
            mend,
        );
    }
}

#[test]
fn a_peer_that_is_not_trusted_is_named() {
    let mut seen = sighting(Some(OWN), None);
    seen.trusted = false;
    seen.peer = Some(ip("10.1.2.3"));
    let mend = "listen.trusted-proxies = [\"10.1.2.3\"]";
    assert_one(&judge_own(&seen, &sent(None)), Level::Wrong, mend);
    assert_one(&judge_other(&seen, None, None), Level::Wrong, mend);
}

#[test]
fn behind_another_proxy_the_named_address_must_arrive() {
    let from = "192.0.2.9";
    let right = sighting(Some(from), Some(from));
    assert_one(&judge_own(&right, &sent(Some(from))), Level::Ok, "");
    for wrong in [
        sighting(Some(OWN), None),
        sighting(Some("198.51.100.1"), Some("198.51.100.1")),
    ] {
        let found = judge_own(&wrong, &sent(Some(from)));
        assert_one(&found, Level::Wrong, "set_real_ip_from");
    }
}

#[test]
fn a_host_that_changed_on_the_way_is_named() {
    let mut seen = sighting(Some(OWN), None);
    seen.host = "tuskgate".into();
    let findings = judge_own(&seen, &sent(None));
    assert!(findings.iter().any(|finding| {
        finding.check == "host name" && finding.mend.as_deref().is_some_and(|m| m.contains("$host"))
    }));
    seen.host = "Social.Example:443".into();
    assert_eq!(judge_own(&seen, &sent(None)).len(), 1);
}

#[test]
fn a_forged_scheme_that_arrives_is_told() {
    let mut seen = sighting(Some(OWN), None);
    seen.scheme = "https".into();
    let findings = judge_own(&seen, &sent(None));
    assert!(
        findings
            .iter()
            .any(|f| f.check == "scheme" && f.level == Level::Warn)
    );
}

#[test]
fn somebody_elses_probe() {
    let mut public = sighting(Some("198.51.100.9"), Some("198.51.100.9"));
    let findings = judge_other(&public, None, None);
    assert!(
        findings
            .iter()
            .any(|f| f.check == "scheme" && f.level == Level::Wrong)
    );
    public.scheme = "https".into();
    assert_one(
        &judge_other(&public, Some("social.example"), None),
        Level::Ok,
        "",
    );
    let other = Some(ip("198.51.100.10"));
    assert_one(
        &judge_other(&public, None, other),
        Level::Wrong,
        "set_real_ip_from",
    );
    let mut bridge = sighting(Some("172.17.0.1"), None);
    bridge.scheme = "https".into();
    assert_one(
        &judge_other(&bridge, None, None),
        Level::Wrong,
        "set_real_ip_from",
    );
    let mut none = sighting(None, None);
    none.scheme = "https".into();
    assert_one(
        &judge_other(&none, None, None),
        Level::Wrong,
        "X-Forwarded-For",
    );
}
