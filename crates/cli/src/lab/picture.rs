//! The course of a transfer, as a picture.

use handclasp_explain::catalogue::quantity::{Rate, Size, Time};

use crate::plot::{Curve, Figure, Panel, Points, Unit};

use super::report::{Course, Moment, Moved};

pub(super) fn figure(moved: &Moved) -> Figure {
    let Moved { bytes, course, .. } = moved;
    let info = &course.end;
    let rate = Rate { bytes: *bytes, time: course.time };
    Figure {
        title: format!("{} by {}: {rate}", Size(*bytes), info.congestion),
        subtitle: format!(
            "sent in {}; {:.2} % of it again; {} timeouts",
            Time(course.time),
            100.0 * course.resent(),
            info.statistics.timeouts
        ),
        panels: vec![windows(course), round_trip(course), delivered(course)],
    }
}

fn windows(course: &Course) -> Panel {
    let known = |window: u32| (window < u32::MAX).then_some(f64::from(window));
    Panel {
        title: "Window",
        unit: Unit::Bytes,
        curves: vec![
            Curve::new("cwnd", values(course, |m| known(m.cwnd))),
            Curve::new("ssthresh", values(course, |m| known(m.ssthresh))).dashed(),
            Curve::new("in flight", values(course, |m| Some(f64::from(m.in_flight)))).filled(),
        ],
    }
}

fn round_trip(course: &Course) -> Panel {
    let curve = values(course, |m| Some(m.rtt?.as_secs_f64()));
    Panel {
        title: "Smoothed round trip",
        unit: Unit::Seconds,
        curves: vec![Curve::new("SRTT", curve)],
    }
}

fn delivered(course: &Course) -> Panel {
    let curve = values(course, |m| Some(m.delivered as f64));
    Panel {
        title: "Delivered",
        unit: Unit::Bytes,
        curves: vec![Curve::new("acknowledged", curve).filled()],
    }
}

fn values(course: &Course, of: impl Fn(&Moment) -> Option<f64>) -> Points {
    course.moments.iter().map(|moment| (moment.at.as_secs_f64(), of(moment))).collect()
}
