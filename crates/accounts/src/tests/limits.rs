//! How often somebody may try.

use contract::{
    Fault,
    accounts::{DeleteAccount, ListAccounts},
};

use super::*;

#[tokio::test]
async fn guessing_is_slowed_down_and_a_restart_does_not_help() {
    for house in houses().await {
        house.register("lea@example.org").await;
        for _ in 0..10 {
            assert_eq!(
                house.login("lea@example.org", "wrong", "7").await.err(),
                Some(AccountsError::CredentialsWrong)
            );
        }
        assert_eq!(
            house.login("lea@example.org", PASSWORD, "7").await.err(),
            Some(AccountsError::TooManyAttempts(61))
        );
        assert!(
            house.login("lea@example.org", PASSWORD, "8").await.is_ok(),
            "{}: from elsewhere",
            house.name
        );

        let house = house.again(2).await;
        assert!(matches!(
            house.login("lea@example.org", PASSWORD, "7").await,
            Err(AccountsError::TooManyAttempts(_))
        ));
        house.clock.advance(60_000);
        assert!(
            house.login("lea@example.org", PASSWORD, "7").await.is_ok(),
            "{}: a minute later",
            house.name
        );
        // It was right, so it did not count.
        assert!(house.login("lea@example.org", PASSWORD, "7").await.is_ok());
    }
}

#[tokio::test]
async fn a_clock_set_back_shuts_nobody_out() {
    for house in houses().await {
        house.register("lea@example.org").await;
        house.clock.advance(365 * 86_400_000);
        for _ in 0..11 {
            house.login("lea@example.org", "wrong", "7").await.err().unwrap();
        }
        // Set back, then reopened.
        house.clock.advance(-364 * 86_400_000);
        let house = house.again(2).await;
        assert!(
            house.login("lea@example.org", PASSWORD, "7").await.is_ok(),
            "{}",
            house.name
        );
        for _ in 0..10 {
            assert_eq!(
                house.login("lea@example.org", "wrong", "7").await.err(),
                Some(AccountsError::CredentialsWrong)
            );
        }
        assert!(matches!(
            house.login("lea@example.org", "wrong", "7").await,
            Err(AccountsError::TooManyAttempts(_))
        ));
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused_like_an_unknown_one() {
    for house in houses().await {
        for odd in ["a\0b@example.org", "\0", "no address"] {
            let refused = house.login(odd, PASSWORD, "1").await.err();
            assert_eq!(
                refused,
                Some(AccountsError::CredentialsWrong),
                "{}: {odd:?}",
                house.name
            );
        }
        let request = ListAccounts {
            query: Some("le\0a".into()),
            after: None,
            limit: 9,
        };
        assert!(
            house.door.list(request).await.unwrap().items.is_empty(),
            "{}",
            house.name
        );
    }
}

#[tokio::test]
async fn what_is_our_own_fault_does_not_count_as_a_guess() {
    let config = Config {
        hashes_waiting_max: 0,
        ..Config::default()
    };
    for house in houses_with(config).await {
        let lea = house.register("lea@example.org").await;
        // Nobody may wait, and every turn is taken.
        let turns = house.local.passwords.all_turns().await;
        for _ in 0..12 {
            let refused = house.login("lea@example.org", PASSWORD, "7").await.err();
            assert!(
                matches!(refused, Some(AccountsError::Fault(Fault::Overloaded(_)))),
                "{}: {refused:?}",
                house.name
            );
            let request = DeleteAccount {
                account: lea.account.id,
                password: PASSWORD.into(),
            };
            house.door.delete_account(request).await.err().unwrap();
        }
        drop(turns);
        for _ in 0..10 {
            assert_eq!(
                house.login("lea@example.org", "wrong", "7").await.err(),
                Some(AccountsError::CredentialsWrong),
                "{}",
                house.name
            );
        }
    }
}

#[tokio::test]
async fn limits_that_are_unused_again_are_all_forgotten() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let mut tx = house.local.store.db.begin().await.unwrap();
        for number in 0..2500 {
            let taken = house
                .local
                .store
                .take_attempt(&mut tx, &format!("old {number}"), 1, 1, 1)
                .await;
            taken.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        house.clock.advance(600_000);
        house.refresh(&lea.refresh_token).await.unwrap();
        let (left,): (i64,) = platform::on!(house.local.store.db, pool =>
            sqlx::query_as("SELECT COUNT(*) FROM attempts WHERE key LIKE 'old %'").fetch_one(pool).await)
        .unwrap();
        assert_eq!(left, 0, "{}", house.name);
    }
}

#[tokio::test]
async fn one_address_and_one_account_have_limits_of_their_own() {
    let limited = |result: Result<SignedIn, AccountsError>| matches!(result, Err(AccountsError::TooManyAttempts(_)));
    let config = Config {
        failures_per_address_max: 5,
        failures_per_account_max: 12,
        ..Config::default()
    };
    for house in houses_with(config).await {
        for number in 0..5 {
            assert!(
                !limited(house.login(&format!("{number}@example.org"), "wrong", "7").await),
                "{}",
                house.name
            );
        }
        assert!(
            limited(house.login("5@example.org", "wrong", "7").await),
            "{}: many accounts from one place",
            house.name
        );
        for number in 10..22 {
            assert!(!limited(
                house.login("lea@example.org", "wrong", &number.to_string()).await
            ));
        }
        assert!(
            limited(house.login("lea@example.org", "wrong", "30").await),
            "{}: one account from many places",
            house.name
        );
    }
}

#[tokio::test]
async fn many_guesses_at_once_do_not_slip_through() {
    for house in houses().await {
        let guesses = (0..30).map(|_| house.login("lea@example.org", "wrong", "7"));
        let results = futures::future::join_all(guesses).await;
        let looked_at = results
            .iter()
            .filter(|result| matches!(result, Err(AccountsError::CredentialsWrong)))
            .count();
        assert_eq!(looked_at, 10, "{}", house.name);
    }
}

#[tokio::test]
async fn one_address_registers_only_so_many() {
    let config = Config {
        registrations_max: 2,
        ..Config::default()
    };
    for house in houses_with(config).await {
        house.register("a@example.org").await;
        house.register("b@example.org").await;
        let error = house.try_register("c@example.org").await.err().unwrap();
        assert_eq!(error, AccountsError::TooManyAttempts(1801), "{}", house.name);
    }
}
