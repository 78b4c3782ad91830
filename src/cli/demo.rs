//! stub
use super::Ending;
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {}
pub(super) fn run(_: &DemoArgs, _: bool) -> Result<Ending, Ending> {
    Ok(Ending::Clean)
}
