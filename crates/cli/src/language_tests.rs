use super::*;

fn with(variables: &[(&str, &str)]) -> Lang {
    of_system(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_first_setting_that_is_there_counts() {
    assert_eq!(with(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(with(&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_CN")]), Lang::Zh);
    assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
    assert_eq!(with(&[("LC_ALL", ""), ("LANG", "zh_TW")]), Lang::Zh);
    assert_eq!(with(&[]), Lang::En);
}
