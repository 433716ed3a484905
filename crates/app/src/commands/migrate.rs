//! `kinora migrate`: opens every room once, which brings its database to this version.

use crate::{cli::Place, config::Config, node::Node};

pub async fn run(place: &Place) -> anyhow::Result<()> {
    let node = Node::quiet(Config::read(place)?).await?;
    node.rooms().await?;
    node.close().await;
    println!("all databases are at this version");
    Ok(())
}
