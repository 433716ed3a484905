//! Ways out: log out here or everywhere, change the password, delete the account.

use contract::{
    AccountId, Done, SessionId,
    accounts::{AccountsError, ChangePassword, DeleteAccount, ForSession, Role},
    events::EventBody,
};
use platform::Tx;

use crate::{limits, service::Local, store::AccountRow, strength};

pub async fn logout(room: &Local, req: ForSession) -> Result<Done, AccountsError> {
    let session = room
        .store
        .session(req.session)
        .await?
        .ok_or(AccountsError::SessionNotFound)?;
    if session.account_id != req.account.0 {
        return Err(AccountsError::SessionNotFound);
    }
    let mut tx = room.store.db.begin().await?;
    end_sessions(room, &mut tx, req.account, Some(req.session), None).await?;
    tx.commit().await?;
    Ok(Done {})
}

pub async fn logout_all(room: &Local, account: AccountId) -> Result<Done, AccountsError> {
    let mut tx = room.store.db.begin().await?;
    end_sessions(room, &mut tx, account, None, None).await?;
    tx.commit().await?;
    Ok(Done {})
}

/// Ends sessions and says so, in the caller's transaction.
pub async fn end_sessions(
    room: &Local,
    tx: &mut Tx,
    account: AccountId,
    only: Option<SessionId>,
    except: Option<SessionId>,
) -> Result<(), AccountsError> {
    let sessions = room
        .store
        .revoke_sessions(tx, account, only, except, room.now_ms())
        .await?;
    if !sessions.is_empty() {
        room.tell(tx, EventBody::SessionsRevoked { account, sessions }).await?;
    }
    Ok(())
}

pub async fn change_password(room: &Local, req: ChangePassword) -> Result<Done, AccountsError> {
    let row = prove(room, req.account, &req.current).await?;
    if let Some(reason) = strength::refuse(&req.new, &row.email, &row.name) {
        return Err(AccountsError::PasswordRefused(reason));
    }
    let hash = room.passwords.hash(&req.new).await?;
    let mut tx = room.store.db.begin().await?;
    if !room
        .store
        .set_password(&mut tx, req.account, &row.password_hash, &hash)
        .await?
    {
        // Somebody else changed it while this was under way.
        return Err(AccountsError::CredentialsWrong);
    }
    end_sessions(room, &mut tx, req.account, None, Some(req.session)).await?;
    tx.commit().await?;
    Ok(Done {})
}

pub async fn delete_account(room: &Local, req: DeleteAccount) -> Result<Done, AccountsError> {
    prove(room, req.account, &req.password).await?;
    erase(room, req.account).await?;
    Ok(Done {})
}

/// The account whose password this is; under the same limits as a log-in.
async fn prove(room: &Local, account: AccountId, password: &str) -> Result<AccountRow, AccountsError> {
    let row = room
        .store
        .account(account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    let taken = limits::attempt(&room.store, &room.config, &row.email, None, room.now_ms()).await?;
    let right = room.passwords.verify(password, Some(&row.password_hash)).await;
    if right.is_err() {
        limits::not_theirs(&room.store, &taken).await;
    }
    if !right? {
        return Err(AccountsError::CredentialsWrong);
    }
    let mut tx = room.store.db.begin().await?;
    limits::succeeded(&room.store, &mut tx, &taken).await?;
    tx.commit().await?;
    Ok(row)
}

/// The account and everything of it that is here; the other rooms hear it.
pub async fn erase(room: &Local, account: AccountId) -> Result<(), AccountsError> {
    let mut tx = room.store.db.begin().await?;
    room.store.lock_admins(&mut tx).await?;
    let row = room
        .store
        .lock_account(&mut tx, account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    if row.account().role == Role::Admin && room.store.count_admins(&mut tx).await? == 1 {
        return Err(AccountsError::LastAdmin);
    }
    end_sessions(room, &mut tx, account, None, None).await?;
    room.store.anonymise_sessions(&mut tx, account).await?;
    for profile in room.store.profiles_in(&mut tx, account).await? {
        room.tell(
            &mut tx,
            EventBody::ProfileDeleted {
                account,
                profile: profile.id,
            },
        )
        .await?;
    }
    room.store.delete_account(&mut tx, account).await?;
    room.tell(&mut tx, EventBody::AccountDeleted { account }).await?;
    tx.commit().await?;
    Ok(())
}
