//! `kinora user`: accounts made by an operator.

use std::io::Read as _;

use anyhow::Context as _;
use contract::accounts::{Accounts as _, AddAccount};

use crate::{cli::User, config::Config, node::Node};

/// Longer input is a mistake.
const PASSWORD_BYTES_MAX: u64 = 4096;

pub async fn run(command: User) -> anyhow::Result<()> {
    let User::Add {
        email,
        name,
        role,
        password_stdin: _,
        place,
    } = command;
    let password = read_password()?;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let node = Node::quiet(Config::read(&place)?).await?;
    let accounts = node.accounts().await?;
    let me = accounts
        .add_account(AddAccount {
            email,
            password,
            name,
            role: role.into(),
        })
        .await?;
    println!(
        "{} is there as {:?} (account {})",
        me.account.email, me.account.role, me.account.id
    );
    node.close().await;
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(PASSWORD_BYTES_MAX)
        .read_to_string(&mut text)
        .context("reading the password from standard input")?;
    let password = text.trim_end_matches(['\n', '\r']).to_owned();
    anyhow::ensure!(
        !password.is_empty(),
        "no password came on standard input; try: printf %s \"$PASSWORD\" | kinora user add …"
    );
    Ok(password)
}
