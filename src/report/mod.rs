//! Renderings: findings, fates and generated pages. Pure: texts come out, nothing is read or written here.

pub mod docs;
pub mod findings;
pub mod mapping;
