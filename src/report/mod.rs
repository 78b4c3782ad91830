//! Renderings: findings, fates and generated pages. Pure.

pub mod findings;
