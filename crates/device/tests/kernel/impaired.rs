//! A bad link to the kernel.

use std::time::{Duration, Instant};

use handclasp_device::impaired::Impaired;
use handclasp_impair::config::Config;
use handclasp_lab::isolated::in_namespace;

use crate::host::{Host, block_on, veth};
use crate::interfaces::{echo_reply, echo_request};

#[test]
fn the_kernels_answer_takes_as_long_as_the_link_and_lacks_what_the_link_lost() {
    in_namespace(|| {
        block_on(async {
            let (_lab, host) = veth();
            let late = Duration::from_millis(3);
            let out = Config::with(|c| (c.delay, c.drop_nth) = (late, vec![2]));
            let back = Config::with(|c| c.delay = late);
            let impaired = Impaired::new(host.device, out, back, 7).expect("a link");
            let mut host = Host::new(impaired);
            let start = Instant::now();
            for number in 1..=3 {
                let request = echo_request(&host, number);
                host.send(request).await.expect("sent");
            }
            assert_eq!(host.find(echo_reply).await, 1);
            assert!(start.elapsed() >= 2 * late);
            assert_eq!(host.find(echo_reply).await, 3);
        });
    });
}
