use super::*;

#[test]
fn the_personalities_differ_where_the_table_says_so() {
    let (default, linux, standard) = (Config::default(), Config::linux(), Config::standard());
    assert_eq!((default.syn_retries, linux.syn_retries, standard.syn_retries), (7, 6, 7));
    assert_eq!(linux.rto_variation_min, linux.rto_min);
    assert_eq!(standard.rto_min, Duration::from_secs(1));
    let quick = |config: &Config| (config.quick_acks, config.delayed_ack.as_millis());
    assert_eq!([quick(&default), quick(&linux), quick(&standard)], [(16, 40), (16, 40), (0, 200)]);
    let Config {
        pacing,
        limit_slow_start,
        syn_retries,
        rto_variation_min,
        autosize_bursts,
        send_accounting,
        ..
    } = default.clone();
    assert_eq!(
        Config {
            pacing,
            limit_slow_start,
            syn_retries,
            rto_variation_min,
            autosize_bursts,
            send_accounting,
            ..linux
        },
        default
    );
}
