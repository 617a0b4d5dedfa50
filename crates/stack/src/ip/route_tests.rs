use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn routes() -> Routes {
    let mut routes = Routes::default();
    routes.add(Route::default_via(ip("10.0.0.254")));
    routes.add(Route::on_link(cidr("10.0.0.0/24")));
    routes.add(Route { gateway: Some(ip("10.0.0.9")), ..Route::on_link(cidr("10.0.0.128/25")) });
    routes
}

fn gateway(routes: &Routes, to: &str) -> Option<Option<IpAddr>> {
    routes.to(ip(to)).map(|route| route.gateway)
}

#[test]
fn the_longest_prefix_wins_whatever_the_order_of_adding() {
    let routes = routes();
    assert_eq!(gateway(&routes, "10.0.0.5"), Some(None));
    assert_eq!(gateway(&routes, "10.0.0.200"), Some(Some(ip("10.0.0.9"))));
    assert_eq!(gateway(&routes, "8.8.8.8"), Some(Some(ip("10.0.0.254"))));
}

#[test]
fn the_families_do_not_mix() {
    assert_eq!(gateway(&routes(), "fd00::1"), None);
}

#[test]
fn a_route_to_the_same_network_takes_the_place_of_the_old_one() {
    let mut routes = routes();
    routes.add(Route::default_via(ip("10.0.0.1")));
    assert_eq!(gateway(&routes, "8.8.8.8"), Some(Some(ip("10.0.0.1"))));
    assert!(routes.get(&cidr("0.0.0.0/1")).is_none());
    assert!(routes.get(&cidr("0.0.0.0/0")).is_some());
    assert!(routes.remove(&cidr("0.0.0.0/0")).is_some());
    assert_eq!(gateway(&routes, "8.8.8.8"), None);
    assert_eq!(routes.iter().count(), 2);
}
