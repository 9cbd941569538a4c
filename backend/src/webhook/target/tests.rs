use super::{super::net::Own, *};
use allowed::BadAllowed;
use proptest::prelude::*;

fn targets(public: &[&str], inside: &[&str]) -> Targets {
    Targets {
        public: public.iter().map(|text| text.parse().unwrap()).collect(),
        inside: inside.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

/// What most tests allow.
fn some() -> Targets {
    let public = ["hooks.example.org", "*.example.net", "grün.example:8443", "8.8.8.8"];
    targets(&public, &["127.0.0.1:9000", "neighbour:80", "[::1]:9000"])
}

fn not_allowed(host: &str, port: u16) -> BadTarget {
    BadTarget::NotAllowed { host: host.to_owned(), port }
}

#[test]
fn nothing_is_allowed_by_default() {
    for url in ["https://example.org/", "http://127.0.0.1/", "https://8.8.8.8/"] {
        let refused = Targets::default().check(url).unwrap_err();
        assert!(matches!(refused, BadTarget::NotAllowed { .. }), "{url}");
    }
}

#[test]
fn what_is_allowed_is_allowed_in_every_form_of_its_name() {
    for (url, is) in [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        ("https://HOOKS.Example.ORG./a?b=c", "https://hooks.example.org./a?b=c"),
        ("https://hooks.example.org:443/%7e", "https://hooks.example.org/%7e"),
        ("https://a.example.net/", "https://a.example.net/"),
        ("https://a.b.example.net/", "https://a.b.example.net/"),
        ("https://GRÜN.example:8443/", "https://xn--grn-ioa.example:8443/"),
        ("https://xn--grn-ioa.example:8443/", "https://xn--grn-ioa.example:8443/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://0x08080808/", "https://8.8.8.8/"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x"),
        ("https://127.1:9000/x", "https://127.0.0.1:9000/x"),
        ("http://neighbour/", "http://neighbour/"),
        ("http://[0:0::1]:9000/", "http://[::1]:9000/"),
    ] {
        let target = some().check(url).unwrap_or_else(|refused| panic!("{url}: {refused}"));
        assert_eq!(target.url(), is);
    }
}

#[test]
fn what_is_not_allowed_is_refused_in_every_form_of_its_name() {
    for (url, host, port) in [
        ("https://example.org/", "example.org", 443),
        ("https://example.net/", "example.net", 443),
        ("https://.example.net/", ".example.net", 443),
        ("https://badexample.net/", "badexample.net", 443),
        ("https://hooks.example.org:8443/", "hooks.example.org", 8443),
        ("https://hooks.example.org../", "hooks.example.org.", 443),
        ("https://hooks.example.org.evil.example/", "hooks.example.org.evil.example", 443),
        ("https://grün.example/", "xn--grn-ioa.example", 443),
        ("https://hooks。example。com/", "hooks.example.com", 443),
        ("http://127.0.0.1/", "127.0.0.1", 80),
        ("http://127.0.0.1:9001/", "127.0.0.1", 9001),
        ("http://2130706433/", "127.0.0.1", 80),
        ("http://0x7f.1/", "127.0.0.1", 80),
        ("http://0177.0.0.1/", "127.0.0.1", 80),
        ("http://127.0.0.1./", "127.0.0.1", 80),
        ("http://①②⑦.0.0.1/", "127.0.0.1", 80),
        ("http://%31%32%37.0.0.1/", "127.0.0.1", 80),
        ("http://[::ffff:127.0.0.1]:9000/", "[::ffff:7f00:1]", 9000),
        ("http://0:9000/", "0.0.0.0", 9000),
        ("http://localhost:9000/", "localhost", 9000),
        ("https:\\\\evil.example\\@hooks.example.org", "evil.example", 443),
        ("https://evil.example/\t/hooks.example.org", "evil.example", 443),
    ] {
        assert_eq!(some().check(url).unwrap_err(), not_allowed(host, port), "{url}");
    }
}

#[test]
fn what_is_more_or_less_than_an_address_is_refused() {
    let refused = |url: &str| some().check(url).unwrap_err();
    assert_eq!(refused("http://hooks.example.org:443/"), BadTarget::Plain);
    assert_eq!(refused("https://me@hooks.example.org/"), BadTarget::Person);
    assert_eq!(refused("https://:secret@hooks.example.org/"), BadTarget::Person);
    assert_eq!(refused("https://hooks.example.org/#there"), BadTarget::Fragment);
    for scheme in ["ftp", "ws", "file", "gopher", "javascript", "unix"] {
        let url = format!("{scheme}://hooks.example.org/");
        assert_eq!(refused(&url), BadTarget::Scheme(scheme.to_owned()));
    }
    for url in
        ["", "hooks.example.org", "//hooks.example.org/", "https://", "https://a b/", "http://[::1"]
    {
        assert!(matches!(refused(url), BadTarget::Unread(_)), "{url}");
    }
    let long = format!("https://hooks.example.org/{}", "a".repeat(2_048));
    assert_eq!(refused(&long), BadTarget::TooLong(long.len()));
}

#[test]
fn an_option_is_a_host_and_a_port() {
    let public = |text: &str| text.parse::<Public>();
    let inside = |text: &str| text.parse::<Inside>();
    for good in
        ["example.org", "EXAMPLE.org.:443", "*.example.org:8443", "8.8.8.8", "[2606:4700::1]:443"]
    {
        assert!(public(good).is_ok(), "{good}");
    }
    for good in ["localhost:80", "10.0.0.1:8080", "[fd00::1]:80"] {
        assert!(inside(good).is_ok(), "{good}");
    }
    for url in ["https://example.org", "example.org/hooks", "me@example.org", "a?b", "a\\b", "a#b"]
    {
        assert_eq!(public(url), Err(BadAllowed::Url), "{url}");
    }
    for port in
        ["example.org:", "example.org:0", "example.org:65536", "example.org:+1", "example.org:a"]
    {
        assert_eq!(public(port), Err(BadAllowed::Port), "{port}");
    }
    for star in ["*", "*:443", "*example.org", "a.*.org", "*.*.org", "*.127.0.0.1"] {
        assert_eq!(public(star), Err(BadAllowed::Star), "{star}");
    }
    for none in ["", ".", "*.", ":443", "a b", "[::1", "::1"] {
        let refused = public(none).unwrap_err();
        assert!(matches!(refused, BadAllowed::Host(_)), "{none}: {refused}");
    }
    for private in ["10.0.0.1", "127.1", "[::1]", "[::ffff:a00:1]:443"] {
        let refused = public(private).unwrap_err();
        assert!(matches!(refused, BadAllowed::NotPublic(_)), "{private}: {refused}");
    }
    assert_eq!(inside("localhost"), Err(BadAllowed::NoPort));
    assert_eq!(inside("[::1]"), Err(BadAllowed::NoPort));
    assert_eq!(inside("*.example.org:80"), Err(BadAllowed::Many));
}

#[tokio::test]
async fn a_public_target_is_only_where_an_address_is_public() {
    let addresses = async |targets: Targets, url: &str| {
        let target = targets.check(url).unwrap();
        target.addresses(&Own::new(), Duration::from_secs(5)).await
    };
    let found = addresses(targets(&["localhost"], &[]), "https://localhost/").await;
    assert!(matches!(found, Err(NoAddress::Inside)), "{found:?}");
    let found = addresses(targets(&["8.8.8.8"], &[]), "https://8.8.8.8/").await.unwrap();
    assert_eq!(found, ["8.8.8.8:443".parse().unwrap()]);
    let found =
        addresses(targets(&[], &["localhost:9000"]), "http://localhost:9000/").await.unwrap();
    assert!(found.iter().all(|it| it.ip().is_loopback() && it.port() == 9000), "{found:?}");
}

#[test]
fn of_a_name_that_leads_outside_and_inside_only_what_is_outside_is_left() {
    let found = |texts: &[&str]| -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 443)).collect()
    };
    let (public, inside) = ("8.8.8.8", ["10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]);
    let all = [&[public][..], &inside[..]].concat();
    let target = some().check("https://hooks.example.org/").unwrap();
    assert_eq!(target.usable(found(&all)).unwrap(), found(&[public]));
    assert!(matches!(target.usable(found(&inside)), Err(NoAddress::Inside)));
    let neighbour = some().check("http://neighbour/").unwrap();
    assert_eq!(neighbour.usable(found(&all)).unwrap(), found(&all), "all of it is allowed");
}

fn labels() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}",
        "(hooks\\.)?example\\.(org|net|com)",
        "[0-9]{1,10}"
    ]
}

proptest! {
    #[test]
    fn no_text_does_harm(text in "\\PC{0,80}", host in "\\PC{0,20}") {
        let _ = some().check(&text);
        let _ = some().check(&format!("https://{host}/"));
        let _ = (host.parse::<Public>(), host.parse::<Inside>());
    }

    #[test]
    fn the_spelling_of_a_host_changes_nothing(host in labels(), upper in any::<bool>(), scheme in "https?") {
        let plain = some().check(&format!("{scheme}://{host}/"));
        let spelled = if upper { host.to_uppercase() } else { host.replace('e', "%65") };
        for host in [spelled.clone(), format!("{spelled}.")] {
            let other = some().check(&format!("{scheme}://{host}/"));
            prop_assert_eq!(plain.as_ref().err(), other.as_ref().err(), "{}", host);
        }
    }

    /// Full stops and letters of other scripts that a browser takes for those of ASCII.
    #[test]
    fn letters_that_look_alike_change_nothing(host in labels()) {
        let plain = some().check(&format!("https://{host}/"));
        let wide: String = host.chars().map(|letter| match letter {
            '.' => '。',
            letter => char::from_u32(u32::from(letter) + 0xfee0).unwrap(),
        }).collect();
        let other = some().check(&format!("https://{wide}/"));
        prop_assert_eq!(plain.as_ref().err(), other.as_ref().err(), "{}", wide);
    }

    /// What was let through is let through in the form in which it is stored.
    #[test]
    fn a_stored_target_is_the_same_target(path in "[ -~]{0,40}") {
        let path = path.replace('#', "");
        if let Ok(target) = some().check(&format!("https://hooks.example.org/{path}")) {
            let again = some().check(target.url()).unwrap();
            prop_assert_eq!(target.url(), again.url());
            prop_assert_eq!(&target.at, &again.at);
        }
    }
}
