//! Wi-Fi, and the IP stack over it.

use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_net::{Runner, Stack, StackResources};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, with_timeout};
use esp_hal::peripherals::WIFI;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController, WifiError};
use gateway_firmware::{Network, StackNetwork, StaticAddress, Wifi};
use static_cell::StaticCell;

use crate::noise::random;

/// DHCP, DNS, SNTP and HTTP have a socket each.
const SOCKETS: usize = 4;

/// How long joining a network may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time between two looks whether the network is still there.
const LOOK: Duration = Duration::from_secs(10);

/// The pause before a network is joined again.
const PAUSE: Duration = Duration::from_secs(5);

/// The network to join.
static JOIN: Signal<CriticalSectionRawMutex, Wifi> = Signal::new();

/// A network over the air.
#[derive(Clone, Copy)]
pub struct Link(StackNetwork<'static>);

impl Link {
    /// Returns the IP stack.
    pub fn stack(&self) -> Stack<'static> {
        self.0.0
    }
}

impl Network for Link {
    fn describe(&self) -> heapless::String<64> {
        self.0.describe()
    }

    fn is_up(&self) -> bool {
        self.0.is_up()
    }

    fn use_wifi(&self, wifi: &Wifi) {
        JOIN.signal(wifi.clone());
    }

    fn use_address(&self, address: Option<StaticAddress>) {
        self.0.use_address(address);
    }

    async fn sntp(&self, host: &str, context_secs: u64, nonce: [u8; 8]) -> Option<u64> {
        self.0.sntp(host, context_secs, nonce).await
    }
}

/// Starts the radio, whose memory is the heap, and the stack; it joins a network when it is told which.
pub fn start(spawner: Spawner, wifi: WIFI<'static>) -> Link {
    let controller = WifiController::new(wifi, Default::default()).unwrap();
    spawner.spawn(join(controller).unwrap());
    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let seed = u64::from(random()) << 32 | u64::from(random());
    let config = embassy_net::Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(Interface::station(), config, resources, seed);
    spawner.spawn(run(runner).unwrap());
    Link(StackNetwork(stack))
}

#[embassy_executor::task]
async fn run(mut runner: Runner<'static, Interface>) {
    runner.run().await;
}

/// Joins the network, whenever it is lost and whenever there is another.
#[embassy_executor::task]
async fn join(mut controller: WifiController<'static>) {
    let mut wifi = JOIN.wait().await;
    loop {
        let mut other = match select(stay(&mut controller, &wifi), another(&wifi)).await {
            Either::First(()) => None,
            Either::Second(other) => Some(other),
        };
        // An attempt that was given up goes on in the driver until it is told.
        let _ = with_timeout(PATIENCE, controller.disconnect_async()).await;
        if other.is_none() {
            other = with_timeout(PAUSE, another(&wifi)).await.ok();
        }
        wifi = other.unwrap_or(wifi);
    }
}

/// Joins the network, and returns when it is lost or can't be joined.
async fn stay(controller: &mut WifiController<'static>, wifi: &Wifi) {
    let Ok(config) = station(wifi) else {
        return;
    };
    if controller.set_config(&Config::Station(config)).is_err() {
        return;
    }
    let _ = with_timeout(PATIENCE, controller.connect_async()).await;
    // The driver's word that the network is lost may be missed, so it is looked for too.
    while controller.is_connected() {
        let _ = with_timeout(LOOK, controller.wait_for_disconnect_async()).await;
    }
}

/// Waits for a network other than this, of which the application tells again after each change of any setting.
async fn another(wifi: &Wifi) -> Wifi {
    loop {
        let told = JOIN.wait().await;
        if told.name != wifi.name || told.passphrase != wifi.passphrase {
            return told;
        }
    }
}

fn station(wifi: &Wifi) -> Result<StationConfig, WifiError> {
    let authentication = match &wifi.passphrase {
        Some(passphrase) => {
            AuthenticationMethodConfig::Wpa2Personal(passphrase.as_str().try_into()?)
        }
        None => AuthenticationMethodConfig::Open,
    };
    let ssid = wifi.name.as_str().try_into()?;
    let config = StationConfig::default().with_ssid(ssid);
    Ok(config.with_authentication(authentication))
}
