//! Watching together: opening a party, looking at it, and the socket of a member.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};
use contract::{catalog::TitleKind, streaming::StreamingError};
use http::StatusCode;
use utoipa_axum::routes;

use super::Answer;
use crate::{
    compose,
    dto::parties::{JoinQuery, OpenParty, Party},
    extract::{Json as Body, Path, Query},
    parties::{
        self, Course,
        messages::READ_BYTES_MAX,
        socket::{Joining, run},
    },
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Caller, Viewing},
    state::Gateway,
};

/// What waits in a member's socket; the queue before it has a limit of its own.
const WRITE_BYTES_MAX: usize = 256 << 10;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(open_party)),
        route(Policy::Viewer, routes!(get_party)),
        route(Policy::SignedIn, routes!(join_party)).streaming(),
    ]
}

/// Open a party for a title. Whoever is told its id, and may see the title, can join.
#[utoipa::path(post, path = "/api/v1/parties", tag = "parties", request_body = OpenParty,
    responses((status = 201, body = Party)))]
async fn open_party(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Body(body): Body<OpenParty>,
) -> Result<(StatusCode, Json<Party>), Problem> {
    let card = compose::visible_card(&gateway, &viewing, body.title_id).await?;
    if card.kind == TitleKind::Series || !card.playable {
        return Err(StreamingError::NotPlayable.into());
    }
    let course = Course {
        playing: body.playing,
        position_s: body.position_s,
        rate: body.rate,
    };
    let opener = (viewing.caller.account, viewing.profile.id);
    let party = gateway.parties.open(opener, card.id, course, body.id)?;
    Ok((StatusCode::CREATED, Json(Party::from(&*party))))
}

/// A party, for who thinks of joining.
#[utoipa::path(get, path = "/api/v1/parties/{id}", tag = "parties", params(("id" = String, Path)),
    responses((status = 200, body = Party)))]
async fn get_party(State(gateway): State<Gateway>, viewing: Viewing, Path(id): Path<String>) -> Answer<Party> {
    let party = found(&gateway, &viewing, &id).await?;
    Ok(Json(Party::from(&*party)))
}

/// The party's WebSocket, until the access token ends; then refresh and come back with the `seat`.
#[utoipa::path(get, path = "/api/v1/parties/{id}/socket", tag = "parties",
    params(("id" = String, Path), JoinQuery), responses((status = 101)))]
async fn join_party(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<JoinQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let notices = gateway.hub.listen();
    let profile = gateway.profiles.choose(caller.account, query.profile).await?;
    let viewing = Viewing { caller, profile };
    let party = found(&gateway, &viewing, &id).await?;
    let upgrade = upgrade.map_err(|_| {
        let detail = "this address is for WebSockets";
        Problem::new(StatusCode::UPGRADE_REQUIRED, "websocket_required", detail)
    })?;
    let joining = Joining {
        gateway,
        party,
        viewing,
        seat: query.seat,
        notices,
    };
    Ok(upgrade
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .on_upgrade(|socket| run(socket, joining)))
}

/// The party, or the same refusal for one that is not there and one whose title this profile must not see.
async fn found(gateway: &Gateway, viewing: &Viewing, id: &str) -> Result<Arc<parties::Party>, Problem> {
    let none = || Problem::not_found("party_not_found", "there is no such party, or it is over");
    let party = gateway.parties.find(id).ok_or_else(none)?;
    match compose::visible_card(gateway, viewing, party.title).await {
        Ok(_) => Ok(party),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Err(none()),
        Err(problem) => Err(problem),
    }
}
