//! What operators ask.
