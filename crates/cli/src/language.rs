//! In which language the reader is spoken to.

use std::env;
use std::sync::OnceLock;

use clap::ValueEnum;
use handclasp_explain::catalogue::{Cast, Chinese, English, Language, Message};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

static CHOSEN: OnceLock<Lang> = OnceLock::new();

/// Settles the language: as it was typed, or else as the system's settings have it.
pub(crate) fn choose(typed: Option<Lang>) {
    // It is settled once, before anything is said.
    let _ = CHOSEN.set(typed.unwrap_or_else(|| of_system(|name| env::var(name).ok())));
}

/// What LC_ALL, LC_MESSAGES and LANG say, the first that is set (POSIX.1-2017 §8.2).
fn of_system(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
    if locale.starts_with("zh") { Lang::Zh } else { Lang::En }
}

/// The language of everything that is said.
pub(crate) fn language() -> &'static dyn Language {
    match CHOSEN.get() {
        None | Some(Lang::En) => &English,
        Some(Lang::Zh) => &Chinese,
    }
}

/// A sentence that concerns no connection.
pub(crate) fn say(message: &Message<'_>) -> String {
    language().say(&Cast::default(), message)
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
