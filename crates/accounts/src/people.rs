//! Accounts as operators and their owners see them.

use contract::{
    AccountId, PAGE_ITEMS_MAX, Page,
    accounts::{Account, AccountsError, AddAccount, ListAccounts, Me, Role, SetRole},
    events::EventBody,
};

use crate::{entry, leave, service::Local, words};

pub async fn me(room: &Local, account: AccountId) -> Result<Me, AccountsError> {
    let row = room
        .store
        .account(account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    Ok(Me {
        account: row.account(),
        profiles: room.store.profiles(account).await?,
    })
}

pub async fn find(room: &Local, email: &str) -> Result<Me, AccountsError> {
    let row = room
        .store
        .account_by_email(&words::email(email)?)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    me(room, row.id.into()).await
}

pub async fn add(room: &Local, req: AddAccount) -> Result<Me, AccountsError> {
    let applicant = entry::apply(room, &req.email, &req.name, &req.password).await?;
    let mut tx = room.store.db.begin().await?;
    if req.role == Role::Admin {
        room.store.lock_admins(&mut tx).await?;
    }
    let (account, profile) = entry::insert(room, &mut tx, &applicant, req.role).await?;
    tx.commit().await?;
    Ok(Me {
        account,
        profiles: vec![profile],
    })
}

pub async fn list(room: &Local, req: ListAccounts) -> Result<Page<Account, AccountId>, AccountsError> {
    let limit = req.limit.clamp(1, PAGE_ITEMS_MAX) as usize;
    let after = req.after.map_or(0, |id| id.0);
    let query = req.query.unwrap_or_default();
    // Neither a name nor an address has one, and not every engine bears one in a text.
    if query.contains(char::is_control) {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    }
    // One more than asked for, to know whether there is more.
    let rows = room.store.list_accounts(query.trim(), after, limit as i64 + 1).await?;
    let items: Vec<Account> = rows.iter().take(limit).map(|row| row.account()).collect();
    let next = if rows.len() > limit {
        items.last().map(|account| account.id)
    } else {
        None
    };
    Ok(Page { items, next })
}

pub async fn set_role(room: &Local, req: SetRole) -> Result<Account, AccountsError> {
    let mut tx = room.store.db.begin().await?;
    room.store.lock_admins(&mut tx).await?;
    let row = room
        .store
        .lock_account(&mut tx, req.account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    let mut account = row.account();
    if account.role == req.role {
        return Ok(account);
    }
    if account.role == Role::Admin && room.store.count_admins(&mut tx).await? == 1 {
        return Err(AccountsError::LastAdmin);
    }
    room.store.set_role(&mut tx, account.id, req.role).await?;
    room.tell(
        &mut tx,
        EventBody::RoleChanged {
            account: account.id,
            role: req.role,
        },
    )
    .await?;
    // A token that still says more than is true must not be believed anywhere, not for its last minutes either.
    if req.role < account.role {
        leave::end_sessions(room, &mut tx, account.id, None, None).await?;
    }
    tx.commit().await?;
    account.role = req.role;
    Ok(account)
}
