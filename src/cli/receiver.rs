//! stub
use crate::fault::Fault;
#[derive(Debug, clap::Args)]
pub(super) struct ReceiverArgs {}
pub(super) async fn run(_: ReceiverArgs) -> Result<(), Fault> {
    Ok(())
}
