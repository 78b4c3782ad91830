//! Delivery one round at a time, for simulations and fixtures: the driver's own claiming, sending and hearing, without its
//! loop and its sleep. Whoever steps it owns the clock.

use super::driver::Driver;
use super::route::Route;
use crate::store::StoreFault;
use crate::transport::Transport;
use jiff::Timestamp;
use std::sync::Arc;

/// A destination's deliveries, stepped by hand.
#[derive(Debug)]
pub struct Steps<T> {
    driver: Arc<Driver<T>>,
    route: Route,
    alarm_may_be_open: bool,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Transmissions that were made.
    pub sent: usize,
    /// When there is more to do, if nothing new comes. Holds where nothing was sent; else step again.
    pub wake: Option<Timestamp>,
}

impl<T: Transport> Steps<T> {
    pub fn new(driver: Driver<T>) -> Self {
        Self { driver: Arc::new(driver), route: Route::Open, alarm_may_be_open: true }
    }

    /// Claims what is due now and delivers it, one after the other.
    pub async fn round(&mut self) -> Result<Round, StoreFault> {
        let now = self.driver.clock.now();
        let room = self.route.room(0, self.driver.policy.in_flight, now);
        if room == 0 {
            return Ok(Round { sent: 0, wake: self.route.probe_at() });
        }
        let claims = self.driver.claim(now, room).await?;
        let sent = claims.claimed.len();
        for claimed in claims.claimed {
            if let Some(answer) = Arc::clone(&self.driver).deliver(claimed).await {
                self.driver.hear(&mut self.route, &mut self.alarm_may_be_open, &answer).await;
            }
        }
        Ok(Round { sent, wake: claims.next_due })
    }
}
