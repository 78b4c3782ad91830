//! The `vardbro` program.

fn main() -> std::process::ExitCode {
    vardbro::cli::main()
}
