//! Delivery one round at a time, for simulations and fixtures: the driver's own claiming, sending and hearing, without its
//! loop and its sleep. Whoever steps it owns the clock.

use super::driver::Driver;
use crate::store::StoreFault;
use crate::transport::Transport;
use jiff::Timestamp;
use std::sync::Arc;

/// A destination's deliveries, stepped by hand.
#[derive(Debug)]
pub struct Steps<T> {
    driver: Arc<Driver<T>>,
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
        Self { driver: Arc::new(driver) }
    }

    /// Claims what is due now and delivers it, one after the other.
    pub async fn round(&mut self) -> Result<Round, StoreFault> {
        let now = self.driver.clock.now();
        let (room, probe_at) = self.driver.room(0, now);
        if room == 0 {
            return Ok(Round { sent: 0, wake: probe_at });
        }
        let claims = self.driver.claim(now, room).await?;
        let sent = claims.claimed.len();
        for claimed in claims.claimed {
            Arc::clone(&self.driver).deliver(claimed).await;
        }
        Ok(Round { sent, wake: claims.next_due })
    }
}
