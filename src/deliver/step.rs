//! Delivery one round at a time, for simulations and fixtures: the driver's own claiming, sending and hearing, without its
//! loop and its sleep. Whoever steps it owns the clock.

use super::driver::Driver;
use crate::store::{Claimed, StoreFault};
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
    /// Transmissions and questions that were made.
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
        let (room, probe_at) = self.driver.room(0, 0, now);
        let claims = self.driver.claim(now, room).await?;
        let sent = claims.claimed.len();
        for claimed in claims.claimed {
            self.deliver(claimed).await;
        }
        let probe_at = probe_at.filter(|_| room.sends == 0);
        Ok(Round { sent, wake: [claims.next_due, probe_at].into_iter().flatten().min() })
    }

    /// Claims what is due now and there is room for beside so many messages and questions that are under way.
    pub async fn claim(&self, sending: usize, asking: usize) -> Result<Vec<Claimed>, StoreFault> {
        let now = self.driver.clock.now();
        let (room, _) = self.driver.room(sending, asking, now);
        Ok(self.driver.claim(now, room).await?.claimed)
    }

    /// Delivers one. What is dropped before its end leaves its lease behind, as a crash does.
    pub fn deliver(&self, claimed: Claimed) -> impl Future<Output = ()> + Send + 'static {
        Arc::clone(&self.driver).deliver(claimed)
    }
}
