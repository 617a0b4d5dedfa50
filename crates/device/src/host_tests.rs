use super::*;

#[cfg(target_endian = "little")]
#[test]
fn routers_are_those_of_the_interface_the_nearest_first() {
    let table = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\tFE0200C0\t0003\t0\t0\t200\t00000000\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
";
    let expected = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 254)];
    assert_eq!(routers_v4(table, "eth0"), expected);
    assert_eq!(routers_v4("nonsense\n\n", "eth0"), [Ipv4Addr::UNSPECIFIED; 0]);
}

#[test]
fn routers_of_version_6_are_found_too() {
    let zero = "0".repeat(32);
    let router = "fe800000000000000000000000000001";
    let table = format!(
        "{zero} 00 {zero} 00 {router} 00000400 00000001 00000000 00000003     eth0\n\
         {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
    );
    assert_eq!(routers_v6(&table, "eth0"), ["fe80::1".parse::<Ipv6Addr>().unwrap()]);
    assert!(routers_v6(&table, "lo").is_empty());
}

#[test]
fn loopback_has_its_address() {
    let lo = addresses("lo").unwrap();
    let expected = (IpAddr::from([127, 0, 0, 1]), 8);
    assert!(lo.ips.is_empty() || lo.ips.contains(&expected), "{lo:?}");
    assert_eq!(addresses("none such").unwrap(), Addresses::default());
}
