use super::*;

#[test]
fn fields_stand_where_linux_puts_them_and_come_back() {
    let fields = BTreeMap::from([
        ("tcpi_state", 4),
        ("tcpi_snd_wscale", 7),
        ("tcpi_rcv_wscale", 8),
        ("tcpi_snd_cwnd", 10),
        ("tcpi_max_pacing_rate", -1),
    ]);
    let bytes = encode(&fields);
    assert_eq!((bytes[0], bytes[6], bytes[80]), (4, 0x87, 10));
    assert_eq!(bytes[112..120], [0xff; 8]);
    let decoded = decode(&bytes);
    assert!(fields.iter().all(|(name, value)| decoded[name] == *value), "{decoded:?}");
}

#[test]
fn an_older_kernel_tells_fewer_fields() {
    let decoded = decode(&[1; 104]);
    assert_eq!(decoded.get("tcpi_total_retrans"), Some(&0x0101_0101));
    assert_eq!(decoded.get("tcpi_pacing_rate"), None);
}
