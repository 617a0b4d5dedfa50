use super::axis::Axis;
use super::{Curve, Figure, Panel, Unit};

fn figure(points: Vec<(f64, Option<f64>)>) -> String {
    let curves = vec![Curve::new("a < b", points).filled()];
    let panels = vec![Panel { title: "Window", unit: Unit::Bytes, curves }];
    Figure { title: "T & T".into(), subtitle: String::new(), panels }.svg()
}

#[test]
fn figures_along_an_axis_are_round_and_all_in_one_unit() {
    let ticks =
        |most, unit| Axis::new(most, unit, 4).ticks().map(|(_, label)| label).collect::<Vec<_>>();
    assert_eq!(ticks(1_234_000.0, Unit::Bytes), ["0", "0.5 MB", "1 MB", "1.5 MB"]);
    assert_eq!(ticks(0.08, Unit::Seconds), ["0", "20 ms", "40 ms", "60 ms", "80 ms"]);
    assert_eq!(ticks(9.4e6, Unit::BitsPerSecond).last().unwrap(), "10 Mbit/s");
}

#[test]
fn what_is_written_is_escaped_and_follows_light_and_dark() {
    let svg = figure(vec![(0.0, Some(1.0)), (1.0, Some(2.0))]);
    assert!(svg.contains("T &amp; T") && svg.contains("a &lt; b"), "{svg}");
    assert!(svg.contains("prefers-color-scheme:dark"));
}

#[test]
fn a_curve_stops_where_nothing_was_measured_and_nothing_at_all_is_an_empty_picture() {
    let svg = figure(vec![(0.0, Some(1.0)), (1.0, None), (2.0, Some(3.0)), (3.0, Some(3.0))]);
    assert_eq!(svg.matches("class=\"line c0\" d=\"M84").count(), 1, "{svg}");
    assert_eq!(svg.matches("class=\"area").count(), 2);
    let svg = figure(vec![]);
    assert!(!svg.contains("NaN") && svg.ends_with("</svg>\n"), "{svg}");
}
