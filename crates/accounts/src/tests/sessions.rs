//! Refresh, reuse, grace, log out, password, deletion.

use contract::accounts::{ChangePassword, DeleteAccount, ForAccount, ForSession};

use super::*;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn a_refresh_token_is_traded_for_the_next() {
    for house in houses().await {
        let first = house.register("lea@example.org").await;
        house.clock.advance(601_000);
        assert!(
            house.claims(&first.access_token).await.is_none(),
            "{}: ten minutes are over",
            house.name
        );
        let second = house.refresh(&first.refresh_token).await.unwrap();
        assert_eq!((second.session, second.account.id), (first.session, first.account.id));
        assert_ne!(second.refresh_token, first.refresh_token);
        assert!(house.claims(&second.access_token).await.is_some());
        house.clock.advance(60_000);
        assert!(house.refresh(&second.refresh_token).await.is_ok(), "{}", house.name);
    }
}

#[tokio::test]
async fn a_lost_reply_is_given_again_for_a_short_while() {
    for house in houses().await {
        let first = house.register("lea@example.org").await;
        let second = house.refresh(&first.refresh_token).await.unwrap();
        house.clock.advance(10_000);
        let repeated = house.refresh(&first.refresh_token).await.unwrap();
        assert_eq!(
            repeated.refresh_token, second.refresh_token,
            "{}: the same successor",
            house.name
        );
        assert!(
            house.refresh(&second.refresh_token).await.is_ok(),
            "{}: and it is good",
            house.name
        );
        // Now it is two steps back: no client that lost one reply would send it.
        assert!(house.refresh(&first.refresh_token).await.is_err());
    }
}

#[tokio::test]
async fn a_clock_set_back_does_not_make_the_short_while_long() {
    for house in houses().await {
        let first = house.register("lea@example.org").await;
        house.refresh(&first.refresh_token).await.unwrap();
        house.clock.advance(-3_600_000);
        let house = house.again(2).await;
        assert!(house.refresh(&first.refresh_token).await.is_err(), "{}", house.name);
    }
}

#[tokio::test]
async fn two_refreshes_at_once_get_the_same_successor() {
    for house in houses().await {
        let first = house.register("lea@example.org").await;
        let all = futures::future::join_all((0..6).map(|_| house.refresh(&first.refresh_token))).await;
        let successors: Vec<_> = all.into_iter().map(|result| result.unwrap().refresh_token).collect();
        assert!(successors.windows(2).all(|pair| pair[0] == pair[1]), "{}", house.name);
        assert!(house.refresh(&successors[0]).await.is_ok());
    }
}

#[tokio::test]
async fn a_token_used_twice_ends_its_session_and_no_other() {
    for house in houses().await {
        let stolen = house.register("lea@example.org").await;
        let elsewhere = house.login("lea@example.org", PASSWORD, "2").await.unwrap();
        let second = house.refresh(&stolen.refresh_token).await.unwrap();
        house.clock.advance(10_001);
        assert_eq!(
            house.refresh(&stolen.refresh_token).await.err(),
            Some(AccountsError::RefreshInvalid)
        );
        assert_eq!(
            house.refresh(&second.refresh_token).await.err(),
            Some(AccountsError::RefreshInvalid),
            "{}",
            house.name
        );
        assert!(house.claims(&second.access_token).await.is_none());
        assert!(house.refresh(&elsewhere.refresh_token).await.is_ok());
        let revoked = EventBody::SessionsRevoked {
            account: stolen.account.id,
            sessions: vec![stolen.session],
        };
        assert_eq!(house.told(3).await[2], revoked, "{}", house.name);
    }
}

#[tokio::test]
async fn a_token_that_was_never_ours_does_nothing() {
    for house in houses().await {
        let signed_in = house.register("lea@example.org").await;
        let good = signed_in.refresh_token.clone();
        let last = if good.ends_with('A') { "E" } else { "A" };
        let altered = format!("{}{last}", &good[..good.len() - 1]);
        for token in [
            "",
            "x",
            &altered,
            &signed_in.access_token,
            &"A".repeat(good.len()),
            &good[1..],
            &format!("{good}A"),
        ] {
            assert_eq!(
                house.refresh(token).await.err(),
                Some(AccountsError::RefreshInvalid),
                "{}: {token}",
                house.name
            );
        }
        assert!(
            house.refresh(&good).await.is_ok(),
            "{}: the session lives on",
            house.name
        );
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_half_a_year() {
    for house in houses().await {
        let idle = house.register("lea@example.org").await;
        let mut used = house.login("lea@example.org", PASSWORD, "1").await.unwrap();
        for _ in 0..6 {
            house.clock.advance(29 * DAY_MS);
            used = house.refresh(&used.refresh_token).await.unwrap();
        }
        assert!(house.refresh(&idle.refresh_token).await.is_err(), "{}", house.name);
        assert_eq!(
            i64::from(used.refresh_expires_in_s) * 1000,
            6 * DAY_MS,
            "180 days in all"
        );
        house.clock.advance(6 * DAY_MS);
        assert!(house.refresh(&used.refresh_token).await.is_err(), "{}", house.name);
    }
}

#[tokio::test]
async fn logging_out_ends_one_session_or_all() {
    for house in houses().await {
        let one = house.register("lea@example.org").await;
        let two = house.login("lea@example.org", PASSWORD, "2").await.unwrap();
        let three = house.login("lea@example.org", PASSWORD, "3").await.unwrap();
        let other = house.register("eve@example.org").await;
        let (account, session) = (one.account.id, one.session);
        assert_eq!(house.door.sessions(ForAccount { account }).await.unwrap().len(), 3);

        let foreign = ForSession {
            account: other.account.id,
            session,
        };
        assert_eq!(
            house.door.logout(foreign).await.err(),
            Some(AccountsError::SessionNotFound),
            "{}",
            house.name
        );
        for _ in 0..2 {
            house.door.logout(ForSession { account, session }).await.unwrap();
        }
        assert!(house.refresh(&one.refresh_token).await.is_err());
        assert!(house.claims(&one.access_token).await.is_none());
        assert!(house.claims(&two.access_token).await.is_some());

        house.door.logout_all(ForAccount { account }).await.unwrap();
        for session in [&two, &three] {
            assert!(house.refresh(&session.refresh_token).await.is_err(), "{}", house.name);
            assert!(house.claims(&session.access_token).await.is_none());
        }
        assert_eq!(house.door.sessions(ForAccount { account }).await.unwrap(), []);
        assert!(
            house.claims(&other.access_token).await.is_some(),
            "{}: nobody else",
            house.name
        );
    }
}

#[tokio::test]
async fn sessions_are_listed_as_they_were_begun_and_are_bounded() {
    let house = houses().await.remove(0);
    let first = house.register("lea@example.org").await;
    let account = first.account.id;
    for number in 1..=50 {
        house.clock.advance(1000);
        house
            .login("lea@example.org", PASSWORD, &number.to_string())
            .await
            .unwrap();
    }
    let sessions = house.door.sessions(ForAccount { account }).await.unwrap();
    assert_eq!(
        (sessions.len(), sessions[0].user_agent.as_str()),
        (50, "Firefox on Linux")
    );
    assert_eq!(sessions[0].address, client("50").address, "the last used first");
    assert!(
        house.refresh(&first.refresh_token).await.is_err(),
        "the oldest made place"
    );
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    for house in houses().await {
        let here = house.register("lea@example.org").await;
        let there = house.login("lea@example.org", PASSWORD, "2").await.unwrap();
        let change = async |current: &str, new: &str| {
            let (account, session) = (here.account.id, here.session);
            let request = ChangePassword {
                account,
                session,
                current: current.into(),
                new: new.into(),
            };
            house.door.change_password(request).await.err()
        };
        assert_eq!(
            change("wrong", OTHER_PASSWORD).await,
            Some(AccountsError::CredentialsWrong)
        );
        assert!(matches!(
            change(PASSWORD, "short").await,
            Some(AccountsError::PasswordRefused(_))
        ));
        assert!(house.claims(&there.access_token).await.is_some());
        assert_eq!(change(PASSWORD, OTHER_PASSWORD).await, None, "{}", house.name);

        assert!(house.claims(&here.access_token).await.is_some());
        assert!(house.refresh(&here.refresh_token).await.is_ok());
        assert!(house.claims(&there.access_token).await.is_none());
        assert!(house.refresh(&there.refresh_token).await.is_err(), "{}", house.name);
        assert_eq!(
            house.login("lea@example.org", PASSWORD, "1").await.err(),
            Some(AccountsError::CredentialsWrong)
        );
        assert!(house.login("lea@example.org", OTHER_PASSWORD, "1").await.is_ok());
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_tokens_with_it() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let account = lea.account.id;
        let delete = |password: &str| {
            house.door.delete_account(DeleteAccount {
                account,
                password: password.into(),
            })
        };
        assert_eq!(
            delete("wrong").await.err(),
            Some(AccountsError::CredentialsWrong),
            "{}",
            house.name
        );
        delete(PASSWORD).await.unwrap();
        assert_eq!(
            house.door.me(ForAccount { account }).await.err(),
            Some(AccountsError::AccountNotFound)
        );
        assert!(house.claims(&lea.access_token).await.is_none(), "{}", house.name);
        assert!(house.refresh(&lea.refresh_token).await.is_err());
        assert_eq!(
            house.login("lea@example.org", PASSWORD, "1").await.err(),
            Some(AccountsError::CredentialsWrong)
        );
        let facts = house.told(5).await;
        let profile = lea.profiles[0].id;
        assert_eq!(
            facts[3..],
            [
                EventBody::ProfileDeleted { account, profile },
                EventBody::AccountDeleted { account }
            ]
        );
        house.register("lea@example.org").await;

        let admin = house.add("ada@example.org", Role::Admin).await;
        let request = DeleteAccount {
            account: admin,
            password: PASSWORD.into(),
        };
        assert_eq!(
            house.door.delete_account(request).await.err(),
            Some(AccountsError::LastAdmin),
            "{}",
            house.name
        );
    }
}

#[tokio::test]
async fn tokens_survive_a_restart_and_a_second_process_understands_them() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let house = house.again(2).await;
        assert!(house.claims(&lea.access_token).await.is_some(), "{}", house.name);
        assert!(house.refresh(&lea.refresh_token).await.is_ok(), "{}", house.name);
    }
}

#[tokio::test]
async fn the_signing_key_changes_every_thirty_days_and_no_good_token_is_lost() {
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    for house in houses().await {
        let name = house.name.clone();
        house.register("lea@example.org").await;
        house.clock.advance(30 * DAY_MS - 60_000);
        let before = house.login("lea@example.org", PASSWORD, "1").await.unwrap();
        house.clock.advance(120_000);
        let house = house.again(2).await;
        let after = house.refresh(&before.refresh_token).await.unwrap();
        assert_ne!(kid(&before.access_token), kid(&after.access_token), "{name}");
        for token in [&before.access_token, &after.access_token] {
            assert!(house.claims(token).await.is_some(), "{name}");
        }
        house.clock.advance(DAY_MS + 1);
        house.refresh(&after.refresh_token).await.unwrap();
        let keys = house.door.verification(GetVerification {}).await.unwrap().keys;
        let ids: Vec<_> = keys.into_iter().map(|key| key.id).collect();
        assert_eq!(ids, [kid(&after.access_token)], "{name}: the old one is forgotten");
    }
}

#[tokio::test]
async fn a_clock_set_back_revives_nothing() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        house
            .door
            .logout(ForSession {
                account: lea.account.id,
                session: lea.session,
            })
            .await
            .unwrap();
        house.clock.advance(-3_600_000);
        assert!(house.claims(&lea.access_token).await.is_none(), "{}", house.name);
        assert!(house.refresh(&lea.refresh_token).await.is_err(), "{}", house.name);
    }
}

#[tokio::test]
async fn secrets_are_not_in_the_database() {
    for database in test_support::databases().await {
        let house = House::open(Pairing::local(database), &Config::default(), 1).await;
        let lea = house.register("lea@example.org").await;
        let second = house.refresh(&lea.refresh_token).await.unwrap();
        let dump: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = platform::on!(house.local.store.db, pool =>
            sqlx::query_as("SELECT token_hash, previous_hash, nonce FROM sessions").fetch_all(pool).await)
        .unwrap();
        let (current, previous, nonce) = &dump[0];
        for token in [&lea.refresh_token, &second.refresh_token] {
            use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
            let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
            for kept in [current, previous, nonce] {
                assert!(
                    !bytes
                        .windows(16)
                        .any(|part| kept.windows(16).any(|other| part == other)),
                    "{}",
                    house.name
                );
            }
        }
        assert_eq!(current, &crate::tokens::digest(&second.refresh_token));
    }
}
