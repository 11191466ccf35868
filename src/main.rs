//! The `lfdm` program: see `lfdm --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lfdm::native::cli::main()
}
