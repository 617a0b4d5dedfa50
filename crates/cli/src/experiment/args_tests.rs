use super::Sysctl;

fn read(text: &str) -> Option<(String, String)> {
    text.parse::<Sysctl>().ok().map(|sysctl| (sysctl.name, sysctl.value))
}

#[test]
fn a_short_name_is_one_of_ipv4s() {
    let short = Some(("net.ipv4.tcp_sack".into(), "0".into()));
    assert_eq!(read("tcp_sack=0"), short);
    assert_eq!(read("net.ipv4.tcp_sack=0"), short);
    let slashes = Some(("net/core/somaxconn".into(), "4".into()));
    assert_eq!(read("net/core/somaxconn=4"), slashes);
}

#[test]
fn no_name_leads_out_of_the_parameters() {
    for text in
        ["/etc/passwd=x", ".etc.passwd=x", "net/../../etc/x=1", "=1", "tcp_sack=", "tcp_sack"]
    {
        assert_eq!(read(text), None, "{text}");
    }
}
