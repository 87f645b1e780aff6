//! The options that name what a device is told beside its credential.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::credentials::CredentialArgs;
use crate::exit::Failure;
use crate::provision::checked::Checked;
use crate::provision::settings::Settings;

/// Options of what a device is told.
#[derive(Args, Debug)]
pub struct SettingsArgs {
    /// The settings, in TOML; gateway provision settings --example prints some
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The certificates that TLS trusts, in PEM, instead of those that the settings name
    #[arg(long, value_name = "FILE", requires = "settings")]
    ca: Option<PathBuf>,
}

impl SettingsArgs {
    /// Reads the settings, none if no file is named; whether they make sense, [`checked`](Self::checked) tells.
    pub fn read(&self) -> Result<Settings, Failure> {
        match &self.settings {
            None => Ok(Settings::default()),
            Some(path) => self.read_from(path),
        }
    }

    /// Reads other settings than those that are named, with the certificates that are.
    pub fn read_from(&self, path: &Path) -> Result<Settings, Failure> {
        let mut settings = Settings::read(path)?;
        if let Some(ca) = &self.ca {
            settings.network.certificates = Some(ca.clone());
        }
        Ok(settings)
    }

    /// Reads and checks the settings, if a file is named.
    pub fn checked(&self, credentials: &CredentialArgs) -> Result<Option<Checked>, Failure> {
        let Some(path) = &self.settings else {
            return Ok(None);
        };
        let checked = self.read()?.check(credentials);
        checked
            .map(Some)
            .map_err(|error| error.of(&path.display().to_string()))
    }
}
