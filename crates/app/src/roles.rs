//! What a process does. Rooms are opened by every process that needs them, over the same database; a role decides which work runs.

use std::{collections::BTreeSet, str::FromStr};

use anyhow::bail;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Answers HTTP.
    Gateway,
    /// Packages video.
    Transcoder,
    /// Trains models.
    Trainer,
    /// Brings in data sets.
    Importer,
}

const NAMES: [(&str, Role); 4] = [
    ("gateway", Role::Gateway),
    ("transcoder", Role::Transcoder),
    ("trainer", Role::Trainer),
    ("importer", Role::Importer),
];

/// A set of roles, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }
}

impl FromStr for Roles {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.trim() == "all" {
            return Ok(Self(NAMES.iter().map(|(_, role)| *role).collect()));
        }
        let mut roles = BTreeSet::new();
        for name in text.split(',').map(str::trim) {
            match NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, role)) => roles.insert(*role),
                None => bail!("roles: {name:?} is none of all, gateway, transcoder, trainer, importer"),
            };
        }
        Ok(Self(roles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named() {
        let all: Roles = "all".parse().unwrap();
        assert!(all.has(Role::Gateway) && all.has(Role::Importer));
        let some: Roles = "trainer, transcoder".parse().unwrap();
        assert!(some.has(Role::Trainer) && !some.has(Role::Gateway));
        assert!("".parse::<Roles>().is_err());
        assert!(
            "gateways"
                .parse::<Roles>()
                .unwrap_err()
                .to_string()
                .contains("\"gateways\"")
        );
    }
}
