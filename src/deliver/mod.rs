//! Deliveries: what follows from an answer, when a route is open, and the loop that carries it out.

mod attempt;
pub mod decide;
mod driver;
pub mod late;
mod route;
mod step;

pub use decide::Policy;
pub use driver::{Driver, RouteState};
pub use step::{Round, Steps};
