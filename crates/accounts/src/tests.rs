//! The room's suite: every case on SQLite and on PostgreSQL, through the door itself and through its remote side.

mod entry;
mod limits;
mod profiles;
mod sessions;

use std::sync::{Arc, Mutex};

use contract::{
    accounts::{
        Accounts, AccountsError, AddAccount, Claims, Client, GetVerification, Login, Refresh, Register, Role, SignedIn,
    },
    async_trait,
    events::{Event, EventBody},
    wire::Served,
};
use platform::{
    Bus, Inputs,
    bus::{Delivery, Handler},
    clock::ManualClock,
    test_support::{self, Pairing},
    wire::Loopback,
};

use crate::{Config, Deps, Local, open};

pub const PASSWORD: &str = "correct horse battery";
pub const OTHER_PASSWORD: &str = "un train bleu traverse la nuit";

/// One room on one engine, seen from one side.
pub struct House {
    /// For failures: which engine, which side.
    pub name: String,
    pub door: Arc<dyn Accounts>,
    pub local: Arc<Local>,
    pub clock: Arc<ManualClock>,
    bus: Arc<Bus>,
    told: Arc<Recorder>,
    pairing: Pairing,
}

#[derive(Default)]
struct Recorder(Mutex<Vec<EventBody>>);

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        self.0
            .lock()
            .unwrap()
            .extend(events.iter().map(|event| event.body.clone()));
        Ok(())
    }
}

/// Both engines, each behind both sides of the door.
pub async fn houses() -> Vec<House> {
    houses_with(Config::default()).await
}

pub async fn houses_with(config: Config) -> Vec<House> {
    let mut houses = Vec::new();
    for pairing in test_support::pairings().await {
        houses.push(House::open(pairing, &config, 1).await);
    }
    houses
}

impl House {
    async fn open(pairing: Pairing, config: &Config, seed: u64) -> Self {
        let (inputs, clock) = Inputs::manual(seed);
        let bus = Bus::new(inputs.clock.clone());
        let deps = Deps {
            location: pairing.database.location.clone(),
            inputs,
            bus: bus.clone(),
        };
        let local = open(deps, config.clone()).await.unwrap();
        let here: Arc<dyn Accounts> = local.clone();
        let door: Arc<dyn Accounts> = match pairing.remote {
            true => Arc::new(Loopback::new().with(Served(here)).remote()),
            false => here,
        };
        let told = Arc::new(Recorder::default());
        bus.subscribe("test", Delivery::Ephemeral, told.clone()).await.unwrap();
        Self {
            name: pairing.name(),
            door,
            local,
            clock,
            bus,
            told,
            pairing,
        }
    }

    /// The same database after a restart, or from a second process.
    pub async fn again(self, seed: u64) -> Self {
        let now = platform::clock::Clock::now_ms(&*self.clock);
        let house = Self::open(self.pairing, &Config::default(), seed).await;
        house.clock.set(now);
        house
    }

    pub async fn register(&self, email: &str) -> SignedIn {
        let signed_in = self.try_register(email).await;
        signed_in.unwrap_or_else(|error| panic!("{}: registering {email}: {error}", self.name))
    }

    pub async fn try_register(&self, email: &str) -> Result<SignedIn, AccountsError> {
        let request = Register {
            email: email.into(),
            password: PASSWORD.into(),
            name: "Léa".into(),
            client: client("1"),
        };
        self.door.register(request).await
    }

    pub async fn login(&self, email: &str, password: &str, address: &str) -> Result<SignedIn, AccountsError> {
        let (email, password) = (email.into(), password.into());
        self.door
            .login(Login {
                email,
                password,
                client: client(address),
            })
            .await
    }

    pub async fn refresh(&self, token: &str) -> Result<SignedIn, AccountsError> {
        self.door
            .refresh(Refresh {
                refresh_token: token.into(),
                client: client("1"),
            })
            .await
    }

    pub async fn add(&self, email: &str, role: Role) -> contract::AccountId {
        let (email, password, name) = (email.into(), PASSWORD.into(), "Ada".into());
        self.door
            .add_account(AddAccount {
                email,
                password,
                name,
                role,
            })
            .await
            .unwrap()
            .account
            .id
    }

    /// What a gateway would make of an access token; `None` when it would refuse it.
    pub async fn claims(&self, token: &str) -> Option<Claims> {
        use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
        let verification = self.door.verification(GetVerification {}).await.unwrap();
        let header = decode_header(token).ok()?;
        assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), Algorithm::EdDSA));
        let key = verification
            .keys
            .iter()
            .find(|key| Some(&key.id) == header.kid.as_ref())?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&["kinora"]);
        validation.set_audience(&["kinora-api"]);
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &DecodingKey::from_ed_components(&key.x).ok()?, &validation)
            .ok()?
            .claims;
        let now = platform::clock::Clock::now_ms(&*self.clock) / 1000;
        (now < claims.exp && !verification.revoked.contains(&claims.sid)).then_some(claims)
    }

    /// Every fact told so far, once there are at least `count`.
    pub async fn told(&self, count: usize) -> Vec<EventBody> {
        loop {
            self.bus.settle().await.unwrap();
            let told = self.told.0.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// A client at 192.0.2.`last`.
pub fn client(last: &str) -> Client {
    Client {
        address: format!("192.0.2.{last}").parse().unwrap(),
        user_agent: "Firefox on Linux".into(),
    }
}
