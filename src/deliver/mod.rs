//! Deliveries: what follows from an answer, when a route is open, and the loop that carries it out.

pub mod decide;
mod driver;
mod route;
mod step;

pub use decide::Policy;
pub use driver::{Driver, RouteState};
pub use step::{Round, Steps};
