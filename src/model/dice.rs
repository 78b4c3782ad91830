//! Randomness as an argument.

use super::ids::EnvelopeId;
use uuid::Builder;

/// Where random bytes come from. The daemon hands in the machine's generator, a fixture a seeded one.
pub trait Dice: Send + Sync {
    fn bytes(&self) -> [u8; 16];

    fn envelope_id(&self) -> EnvelopeId {
        EnvelopeId(Builder::from_random_bytes(self.bytes()).into_uuid())
    }

    /// Evenly between 0 and 1.
    fn fraction(&self) -> f64 {
        let bytes = self.bytes();
        f64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
    }
}

/// The machine's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemDice;

impl Dice for SystemDice {
    fn bytes(&self) -> [u8; 16] {
        let mut out = [0; 16];
        // aws-lc reseeds itself and reports no failure on Linux; zeros would only make two ids equal, which the store refuses.
        let _ = aws_lc_rs::rand::fill(&mut out);
        out
    }
}
