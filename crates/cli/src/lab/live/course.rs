//! The course of a transfer: how the connection fared, again and again.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use handclasp::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

use crate::lab::report::{Course, Moment};

/// Between two looks, to begin with.
const INTERVAL: Duration = Duration::from_millis(2);
/// Beyond so many, every second one is let go and looks become half as frequent.
const MOMENTS_MAX: usize = 2_000;

/// Does `work` on a connection and looks at it now and then.
pub(super) async fn watched(
    stream: &TcpStream,
    work: impl Future<Output = io::Result<()>>,
) -> io::Result<Course> {
    let started = Instant::now();
    let mut moments = vec![moment(stream, Duration::ZERO)];
    let mut every = 1;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tokio::pin!(work);
    for n in 0u64.. {
        tokio::select! {
            biased;
            done = &mut work => {
                done?;
                break;
            }
            _ = ticks.tick() => {}
        }
        if !n.is_multiple_of(every) {
            continue;
        }
        moments.push(moment(stream, started.elapsed()));
        if moments.len() > MOMENTS_MAX {
            let mut keep = [true, false].into_iter().cycle();
            moments.retain(|_| keep.next() == Some(true));
            every *= 2;
        }
    }
    let time = started.elapsed();
    moments.push(moment(stream, time));
    Ok(Course { time, end: Box::new(stream.info()), moments })
}

fn moment(stream: &TcpStream, at: Duration) -> Moment {
    let info = stream.info();
    Moment {
        at,
        cwnd: info.cwnd,
        ssthresh: info.ssthresh,
        rtt: info.rtt,
        in_flight: info.in_flight - info.sacked - info.lost,
        delivered: info.statistics.bytes_acked,
    }
}
