//! Addresses and names as they are kept.

use contract::accounts::AccountsError;

const EMAIL_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 80;

/// Trimmed and lower case, so that one person is one account. Whether it is anybody's, only a letter could tell.
pub fn email(text: &str) -> Result<String, AccountsError> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@').ok_or(AccountsError::EmailInvalid)?;
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '@')
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let local_is_fine = !local.is_empty()
        && local.len() <= LOCAL_BYTES_MAX
        && !local.chars().any(odd)
        && local.split('.').all(|part| !part.is_empty());
    if email.len() > EMAIL_BYTES_MAX || !local_is_fine || !domain.split('.').all(label) {
        return Err(AccountsError::EmailInvalid);
    }
    Ok(email)
}

/// Trimmed, 1 to 80 characters, nothing that does not print.
pub fn name(text: &str) -> Result<String, AccountsError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(AccountsError::NameInvalid);
    }
    Ok(name.to_owned())
}

/// A user agent as the list of sessions shows it: at most 200 characters, all of which print.
pub fn user_agent(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_one_way() {
        for (given, kept) in [
            (" Léa.Martin+films@Example.ORG ", "léa.martin+films@example.org"),
            ("admin@localhost", "admin@localhost"),
            ("o'hara@bücher.example", "o'hara@bücher.example"),
        ] {
            assert_eq!(email(given).as_deref(), Ok(kept));
        }
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}org", "example.".repeat(40));
        for wrong in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.de",
            "a@b..de",
            "a..b@c.de",
            ".a@b.de",
            "a@-b.de",
            "a@b@c.de",
            "a@b.de\r\nBcc: x@y.z",
            "\"a\"@b.de",
            "a@b_c.de",
            "a,b@c.de",
            &long,
            &longer,
        ] {
            assert_eq!(email(wrong), Err(AccountsError::EmailInvalid), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("  Amélie "), Ok("Amélie".into()));
        for wrong in ["", "  ", "a\nb", &"é".repeat(81)] {
            assert_eq!(name(wrong), Err(AccountsError::NameInvalid));
        }
        assert_eq!(name(&"é".repeat(80)).map(|name| name.chars().count()), Ok(80));
    }

    #[test]
    fn user_agents_are_cut() {
        assert_eq!(user_agent(&"x".repeat(500)).len(), 200);
        assert_eq!(user_agent("a\r\nb"), "ab");
    }

    proptest::proptest! {
        /// What is kept is kept the same when it is given again: or one person could have two accounts.
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(kept) = email(&text) {
                proptest::prop_assert_eq!(email(&kept), Ok(kept));
            }
        }
    }
}
